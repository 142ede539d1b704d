// SPDX-License-Identifier: GPL-2.0
//! Result files as data from anywhere: bounded, checked, and told apart by what is wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use nix::libc::O_NONBLOCK;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::CHECKS;
use crate::check::{Finding, SERIES};
use crate::prove;

/// Larger files are no results: those of a series of 30 patches in each configuration have 2 MiB.
const MOST: u64 = 64 << 20;

/// The most seconds that a boot takes: four months.
const MOST_SECONDS: f64 = 1e7;

/// What `txgen check --json` prints.
#[derive(Deserialize)]
pub(super) struct Checks {
    pub(super) checks: Vec<String>,
    pub(super) patches: Vec<String>,
    pub(super) commits: BTreeMap<String, String>,
    pub(super) findings: Vec<Finding>,
}

/// What `txgen test --json` prints with selftests.
#[derive(Deserialize)]
struct Both {
    boots: Vec<prove::Proved>,
    selftests: Vec<prove::selftests::Proved>,
}

/// The keys by which objects are told apart.
#[derive(Deserialize)]
struct Keys {
    checks: Option<IgnoredAny>,
    boots: Option<IgnoredAny>,
}

/// What `txgen check --json` prints, or `txgen test --json`.
pub(super) enum Run {
    Checks(Checks),
    Boots(Vec<prove::Proved>, Vec<prove::selftests::Proved>),
}

/// The files that were read already.
pub(super) type Seen = BTreeSet<(u64, u64)>;

/// The `.json` files of a folder by name, or the file itself, and whether it was named by the user.
pub(super) fn files(path: &Path) -> Result<Vec<(PathBuf, bool)>> {
    if !path.is_dir() {
        return Ok(vec![(path.to_owned(), true)]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("list {}", path.display()))? {
        let file = entry.with_context(|| format!("list {}", path.display()))?.path();
        if file.extension().is_some_and(|extension| extension == "json") {
            files.push((file, false));
        }
    }
    files.sort();
    Ok(files)
}

/// What a file holds; `None` where it was read before under another name.
pub(super) fn run(path: &Path, named: bool, seen: &mut Seen) -> Result<Option<Run>> {
    let Some(text) = text(path, named, seen).with_context(|| format!("read {}", path.display()))? else {
        return Ok(None);
    };
    let run = parse(&text).and_then(|run| check(&run).map(|()| run));
    run.with_context(|| format!("{} is not what `txgen test --json` prints", path.display())).map(Some)
}

fn text(path: &Path, named: bool, seen: &mut Seen) -> Result<Option<String>> {
    ensure!(named || !path.is_symlink(), "it is a symbolic link: give the file that it leads to");
    // A FIFO would wait for somebody who writes.
    let file = OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(path)?;
    let about = file.metadata()?;
    ensure!(about.is_file(), "it is no regular file");
    if !seen.insert((about.dev(), about.ino())) {
        return Ok(None);
    }
    let bytes = at_most(file, MOST + 1)?;
    ensure!(bytes.len() as u64 <= MOST, "it is larger than {} MiB, as no result is", MOST >> 20);
    ensure!(!bytes.is_empty(), "it is empty: the run that was to write it did not end");
    Ok(Some(String::from_utf8(bytes).context("it is no UTF-8")?))
}

fn at_most(file: File, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn parse(text: &str) -> Result<Run> {
    // What is no JSON at all is told with its line, whatever shape it has.
    let _: IgnoredAny = serde_json::from_str(text)?;
    match text.trim_start().as_bytes() {
        [b'[', ..] => Ok(Run::Boots(serde_json::from_str(text)?, Vec::new())),
        [b'{', ..] => match serde_json::from_str(text)? {
            Keys { checks: Some(_), .. } => Ok(Run::Checks(serde_json::from_str(text)?)),
            Keys { boots: Some(_), .. } => {
                let Both { boots, selftests } = serde_json::from_str(text)?;
                Ok(Run::Boots(boots, selftests))
            }
            Keys { .. } => bail!("the object at line 1 has neither `checks` nor `boots`"),
        },
        _ => bail!("it is neither an array nor an object"),
    }
}

/// What the types of the fields do not say.
fn check(run: &Run) -> Result<()> {
    match run {
        Run::Checks(checks) => {
            let known = checks.patches.iter().map(String::as_str).chain([SERIES]).collect::<BTreeSet<_>>();
            ensure!(known.len() == checks.patches.len() + 1, "`patches` has a name twice, or `{SERIES}`");
            let stray = checks.findings.iter().find(|finding| !known.contains(finding.patch.as_str()));
            ensure!(stray.is_none(), "a finding is about patch `{}`, which is not in `patches`", stray_name(stray));
        }
        Run::Boots(boots, selftests) => {
            for shown in boots {
                let seconds = shown.proof.boot.as_ref().map_or(0.0, |boot| boot.seconds);
                judge(&shown.patch, &shown.proof.config, seconds)?;
            }
            for shown in selftests {
                judge(&shown.patch, &shown.proof.config, shown.proof.seconds)?;
            }
        }
    }
    Ok(())
}

fn stray_name(finding: Option<&Finding>) -> &str {
    finding.map_or("", |finding| &finding.patch)
}

fn judge(patch: &str, config: &str, seconds: f64) -> Result<()> {
    ensure!((0.0..=MOST_SECONDS).contains(&seconds), "patch `{patch}`: no boot takes {seconds} `seconds`");
    ensure!(config != CHECKS, "patch `{patch}`: `{config}` is no configuration");
    Ok(())
}

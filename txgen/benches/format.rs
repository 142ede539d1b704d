// SPDX-License-Identifier: GPL-2.0
//! `cargo bench --bench format [-- SERIES]`: `txgen format-series SERIES --stack` as a user runs it, on the whole kernel
//! tree: the mails of a series and of all that it depends on.
//!
//! The goal is under 1 s once spatch, get_maintainer.pl and the search of the tree have their results on record. It is
//! measured in a copy of the project, with records of its own: with none, after the message of the lowest patch was
//! edited, and again.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use txgen::files;
use txgen::project::Project;
use txgen::series;

const ROUNDS: usize = 10;

/// What of the project the command reads.
const READ: &[&str] = &["series", "kernel-overlay", "templates", "vm-tests"];

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn measure() -> Result<()> {
    let name = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_else(|| "rust".to_owned());
    let dir = TempDir::new().context("make a folder for the bench")?;
    let project = copy(&Project::open(None)?, dir.path())?;
    let (first, mails) = round(&project, &name)?;
    println!("txgen format-series {name} --stack: {mails} mails, {ROUNDS} rounds of each but the first");
    println!("{:<18} {:>8.1} ms", "nothing on record", millis(first));
    // An edit at the very bottom makes all commits new ones.
    let top = series::load(&project, &name)?;
    let lowest = series::stack::chain(&project, &top)?.into_iter().next().unwrap_or(top);
    let patch = lowest.patches.first().context("the lowest series has no patch")?;
    let message = project.series(&lowest.name).join(format!("{}.msg", patch.name));
    let text = files::read(&message)?;
    let edited = (0..ROUNDS).map(|number| {
        let edit = text.replacen("\n\n", &format!("\n\nRound {number} says so.\n\n"), 1);
        files::write_atomic(&message, edit.as_bytes())?;
        round(&project, &name)
    });
    tell("a message edited", edited.collect::<Result<_>>()?);
    tell("as it was", (0..ROUNDS).map(|_| round(&project, &name)).collect::<Result<_>>()?);
    Ok(())
}

/// The project with a cache that has the same kernels and tools, and of the records only what was booted.
fn copy(from: &Project, dir: &Path) -> Result<Project> {
    let to = Project { root: dir.join("project"), cache: dir.join("cache") };
    for folder in READ {
        files::copy_folder(&from.root.join(folder), &to.root.join(folder))?;
    }
    files::make_dir(&to.cache)?;
    let proofs = from.cache.join("proofs");
    for entry in std::fs::read_dir(&from.cache).with_context(|| format!("list {}", from.cache.display()))? {
        let path = entry.context("list the cache")?.path();
        if path != proofs {
            symlink(&path, to.cache.join(path.file_name().context("an entry has a name")?))
                .context("link the cache")?;
        }
    }
    let booted = Path::new("proofs").join(txgen::prove::KIND);
    if from.cache.join(&booted).is_dir() {
        files::copy_folder(&from.cache.join(&booted), &to.cache.join(&booted))?;
    }
    Ok(to)
}

/// Runs the command: how long it takes, and how many mails it writes.
fn round(project: &Project, name: &str) -> Result<(Duration, usize)> {
    let out = project.root.join("out");
    let start = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_txgen"));
    command.args(["format-series", name, "--stack", "-o"]).arg(&out).env("TXGEN_CACHE", &project.cache);
    let output = command.current_dir(&project.root).output().context("run txgen")?;
    let took = start.elapsed();
    if !output.status.success() {
        bail!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    Ok((took, files::below(&out)?.len()))
}

fn tell(what: &str, rounds: Vec<(Duration, usize)>) {
    let mut times = rounds.into_iter().map(|(time, _)| millis(time)).collect::<Vec<_>>();
    times.sort_by(f64::total_cmp);
    let [fastest, median, slowest] = [0, ROUNDS / 2, ROUNDS - 1].map(|index| times[index]);
    println!("{what:<18} {median:>8.1} ms (median; {fastest:.1} to {slowest:.1})");
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

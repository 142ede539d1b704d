// SPDX-License-Identifier: GPL-2.0
//! What one or several runs of `txgen test --json` came to, joined for people and for CI services.

pub mod html;
pub mod junit;
pub mod markdown;
pub mod matrix;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::check::{Finding, Level, SERIES};
use crate::files;
use crate::plain::plain;
use crate::prove::{self, show};
use crate::vm::ktap::Outcome;

/// A commit's tests of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The patch's name, or the base's.
    pub patch: String,
    /// Its commit.
    pub commit: String,
    /// The configuration, and `selftests` where it is about them.
    pub kind: String,
    /// Whether nothing was wrong.
    pub passed: bool,
    /// Whether the record of an earlier run was found.
    pub recorded: bool,
    /// In a few words how it went.
    pub summary: String,
    /// Seconds of the boot; 0 where there was none.
    pub seconds: f64,
    /// The tests.
    pub cases: Vec<Case>,
    /// Everything that was wrong.
    pub problems: Vec<String>,
    /// The console, or make's log where there was no boot.
    pub log: PathBuf,
}

/// A test, or a suite of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// How it ended; `None` for one that the tree does not have.
    pub outcome: Option<Outcome>,
    /// How many cases of its own it has, by outcome, in words.
    pub counts: String,
    /// These cases.
    pub inner: Vec<Inner>,
}

/// A case within a test, at any depth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inner {
    /// How deep it is in the test, from 1.
    pub depth: usize,
    /// Its name.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
}

/// The kind of the rows of `txgen check`.
pub const CHECKS: &str = "checks";

/// What `txgen check --json` prints.
#[derive(Deserialize)]
struct Checks {
    checks: Vec<String>,
    patches: Vec<String>,
    commits: BTreeMap<String, String>,
    findings: Vec<Finding>,
}

/// What `txgen check --json` prints, and `txgen test --json` without selftests and with them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Run {
    Checks(Checks),
    Boots(Vec<prove::Proved>),
    Both { boots: Vec<prove::Proved>, selftests: Vec<prove::selftests::Proved> },
}

/// The rows of some files, and of all `.json` files of some folders by name, in this order.
pub fn load(paths: &[PathBuf]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for path in paths {
        for file in files_of(path)? {
            let text = files::read(&file)?;
            let run = serde_json::from_str::<Run>(&text)
                .with_context(|| format!("{} is not what `txgen test --json` prints", file.display()))?;
            let (boots, selftests) = match run {
                Run::Checks(checks) => {
                    rows.extend(checked(&checks));
                    continue;
                }
                Run::Boots(boots) => (boots, Vec::new()),
                Run::Both { boots, selftests } => (boots, selftests),
            };
            rows.extend(boots.iter().map(booted));
            rows.extend(selftests.iter().map(selftested));
        }
    }
    ensure!(!rows.is_empty(), "there is no result in {}", told(paths));
    Ok(rows)
}

fn told(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn files_of(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("list {}", path.display()))? {
        let file = entry.with_context(|| format!("list {}", path.display()))?.path();
        if file.extension().is_some_and(|extension| extension == "json") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn booted(proved: &prove::Proved) -> Row {
    let prove::Proved { patch, commit, recorded, regressions, proof } = proved;
    let mut problems = proof.build_errors.clone();
    let (mut seconds, mut cases, mut log) = (0.0, Vec::new(), proof.build_log.clone());
    if let Some(boot) = &proof.boot {
        (seconds, log) = (boot.seconds, boot.log.clone());
        problems.extend(boot.problems.iter().cloned());
        let case = |suite: &crate::vm::Suite| Case {
            name: suite.name.clone(),
            outcome: Some(suite.outcome),
            counts: show::counts(suite.counts),
            inner: Vec::new(),
        };
        cases.extend(boot.suites.iter().map(case));
    }
    problems.extend(regressions.iter().cloned());
    Row {
        patch: patch.clone(),
        commit: commit.clone(),
        kind: proof.config.clone(),
        passed: proved.passed(),
        recorded: *recorded,
        summary: show::summary(proved),
        seconds,
        cases,
        problems: problems.iter().map(|text| plain(text)).collect(),
        log,
    }
}

fn selftested(proved: &prove::selftests::Proved) -> Row {
    let prove::selftests::Proved { patch, commit, recorded, regressions, proof } = proved;
    let case = |test: &crate::selftests::results::Selftest| Case {
        name: test.name.clone(),
        outcome: test.outcome,
        counts: show::selftests::cases(test),
        inner: test
            .cases
            .iter()
            .map(|(name, outcome)| Inner { depth: 1, name: plain(name), outcome: *outcome })
            .collect(),
    };
    let notes = proof.tests.iter().filter(|test| test.failed());
    let notes = notes.flat_map(|test| test.notes.iter().map(|note| format!("{}: {note}", test.name)));
    let all = proof.build_errors.iter().chain(&proof.problems).chain(regressions).cloned();
    Row {
        patch: patch.clone(),
        commit: commit.clone(),
        kind: format!("{} selftests", proof.config),
        passed: proved.passed(),
        recorded: *recorded,
        summary: show::selftests::summary(proved),
        seconds: proof.seconds,
        cases: proof.tests.iter().map(case).collect(),
        problems: all.chain(notes).map(|text| plain(&text)).collect(),
        log: proof.run.join("console.log"),
    }
}

/// A row for each patch, and for the series where something is wrong with it as a whole.
fn checked(checks: &Checks) -> Vec<Row> {
    let of = |patch: &str| checks.findings.iter().filter(|found| found.patch == patch).collect::<Vec<_>>();
    let row = |patch: &str| {
        let found = of(patch);
        let case = |check: &String| {
            let here = found.iter().filter(|finding| finding.check == *check);
            let fails = here.clone().filter(|finding| finding.level == Level::Fail).count();
            let (outcome, counts) = match (fails, here.count() - fails) {
                (0, 0) => (Outcome::Passed, String::new()),
                (0, warnings) => (Outcome::Failed, format!("{warnings} warn")),
                (fails, _) => (Outcome::Failed, format!("{fails} fail")),
            };
            Case { name: check.clone(), outcome: Some(outcome), counts, inner: Vec::new() }
        };
        Row {
            patch: patch.to_owned(),
            commit: checks.commits.get(patch).cloned().unwrap_or_default(),
            kind: CHECKS.to_owned(),
            passed: found.is_empty(),
            recorded: false,
            summary: format!("{} checks: {} findings", checks.checks.len(), found.len()),
            seconds: 0.0,
            cases: checks.checks.iter().map(case).collect(),
            problems: found.iter().map(|finding| plain(&finding.to_string())).collect(),
            log: PathBuf::new(),
        }
    };
    let series = Some(SERIES).filter(|series| !of(series).is_empty());
    checks.patches.iter().map(String::as_str).chain(series).map(row).collect()
}

// SPDX-License-Identifier: GPL-2.0
//! What one or several runs of `txgen test --json` came to, joined for people and for CI services.

pub mod html;
pub mod junit;
pub mod logs;
pub mod markdown;
pub mod matrix;
mod read;
mod worst;

use std::path::PathBuf;

use anyhow::{Result, ensure};

use crate::check::{Level, SERIES};
use crate::plain::{plain, visible, visible_lines};
use crate::prove::{self, show};
use crate::vm::ktap::Outcome;

/// A commit's tests of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The patch's name, or the base's.
    pub patch: String,
    /// Its commit.
    pub commit: String,
    /// Its tree, where there was a boot.
    pub tree: String,
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

/// The most results, and cases of one, that are joined: a matrix has a cell for each patch and column.
const MOST_ROWS: usize = 4000;
const MOST_CASES: usize = 1000;

/// The kind of the rows of `txgen check`.
pub const CHECKS: &str = "checks";

/// What some files came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Joined {
    /// The rows, each patch and kind once.
    pub rows: Vec<Row>,
    /// What is wrong with those files that hold no results.
    pub bad: Vec<String>,
}

/// The rows of some files, and of all `.json` files of some folders by name, in this order. Of several results for one
/// patch and kind the worse counts.
pub fn load(paths: &[PathBuf]) -> Result<Joined> {
    let (mut rows, mut bad, mut seen) = (Vec::new(), Vec::new(), read::Seen::new());
    for path in paths {
        let files = read::files(path).unwrap_or_else(|error| {
            bad.push(format!("{error:#}"));
            Vec::new()
        });
        for (file, named) in files {
            match read::run(&file, named, &mut seen) {
                Err(error) => bad.push(format!("{error:#}")),
                Ok(None) => {}
                Ok(Some(read::Run::Checks(checks))) => rows.extend(checked(&checks)),
                Ok(Some(read::Run::Boots(boots, selftests))) => {
                    rows.extend(boots.iter().map(booted));
                    rows.extend(selftests.iter().map(selftested));
                }
            }
        }
    }
    let names = || paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    ensure!(!(rows.is_empty() && bad.is_empty()), "there is no result in {}", names());
    let cases = rows.iter().map(|row| row.cases.len() + 1).max().unwrap_or(0);
    ensure!(
        rows.len() <= MOST_ROWS && cases <= MOST_CASES,
        "{} have {} results of up to {cases} cases, more than a page can show ({MOST_ROWS} of {MOST_CASES})",
        names(),
        rows.len()
    );
    let rows = rows.into_iter().map(made_visible).collect();
    Ok(Joined { rows: worst::of_each(rows), bad })
}

/// The row without anything that acts on a terminal, in a page or in XML: all of it is from a file.
fn made_visible(row: Row) -> Row {
    let line = |text: &String| visible(text).into_owned();
    let inner = |inner: &Inner| Inner { name: line(&inner.name), ..inner.clone() };
    let case = |case: &Case| Case {
        name: line(&case.name),
        counts: line(&case.counts),
        inner: case.inner.iter().map(inner).collect(),
        ..case.clone()
    };
    Row {
        patch: line(&row.patch),
        commit: line(&row.commit),
        kind: line(&row.kind),
        summary: line(&row.summary),
        cases: row.cases.iter().map(case).collect(),
        problems: row.problems.iter().map(|text| visible_lines(&plain(text)).into_owned()).collect(),
        ..row
    }
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
        tree: proof.tree.clone(),
        kind: proof.config.clone(),
        passed: proved.passed(),
        recorded: *recorded,
        summary: show::summary(proved),
        seconds,
        cases,
        problems,
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
            .map(|(name, outcome)| Inner { depth: 1, name: name.clone(), outcome: *outcome })
            .collect(),
    };
    let notes = proof.tests.iter().filter(|test| test.failed());
    let notes = notes.flat_map(|test| test.notes.iter().map(|note| format!("{}: {note}", test.name)));
    let all = proof.build_errors.iter().chain(&proof.problems).chain(regressions).cloned();
    Row {
        patch: patch.clone(),
        commit: commit.clone(),
        tree: proof.tree.clone(),
        kind: prove::selftests::kind(&proof.config),
        passed: proved.passed(),
        recorded: *recorded,
        summary: show::selftests::summary(proved),
        seconds: proof.seconds,
        cases: proof.tests.iter().map(case).collect(),
        problems: all.chain(notes).collect(),
        log: proof.run.join("console.log"),
    }
}

fn checks_summary(checks: usize, findings: usize) -> String {
    format!("{checks} checks: {findings} findings")
}

/// A row for each patch, and for the series where something is wrong with it as a whole.
fn checked(checks: &read::Checks) -> Vec<Row> {
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
            tree: String::new(),
            kind: CHECKS.to_owned(),
            passed: found.is_empty(),
            recorded: false,
            summary: checks_summary(checks.checks.len(), found.len()),
            seconds: 0.0,
            cases: checks.checks.iter().map(case).collect(),
            problems: found.iter().map(ToString::to_string).collect(),
            log: PathBuf::new(),
        }
    };
    let series = Some(SERIES).filter(|series| !of(series).is_empty());
    checks.patches.iter().map(String::as_str).chain(series).map(row).collect()
}

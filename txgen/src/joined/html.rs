// SPDX-License-Identifier: GPL-2.0
//! Results as one page that needs no network: templates/report.html.tera.

use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::logs::{self, Logs};
use super::{Case, Inner, Row, matrix};
use crate::base;
use crate::git::{Repo, program, view};
use crate::plain::{plain, visible_lines};
use crate::process;
use crate::project::Project;
use crate::render::Templates;
use crate::vm::guest;
use crate::vm::ktap::{self, Outcome, Test};

/// How many of a log's last lines are on the page: all of a boot without trouble.
const TAIL: usize = 2000;

/// In how many of its last bytes these lines are looked for.
const TAIL_BYTES: u64 = 256 << 10;

/// What the template gets.
#[derive(Serialize)]
struct View {
    failed: usize,
    all: usize,
    columns: Vec<String>,
    patches: Vec<PatchView>,
}

/// A patch with all that was shown of it.
#[derive(Serialize)]
struct PatchView {
    /// The number of its place on the page.
    place: usize,
    name: String,
    commit: String,
    class: &'static str,
    word: &'static str,
    said: String,
    /// The cells of its line in the matrix.
    cells: Vec<Cell>,
    rows: Vec<RowView>,
    /// `open`, where something is wrong; nothing otherwise. As what follows it is a list: a template has no conditions.
    open: Vec<&'static str>,
    diffs: Vec<Vec<DiffLine>>,
}

#[derive(Serialize)]
struct Cell {
    class: &'static str,
    word: String,
}

#[derive(Serialize)]
struct RowView {
    kind: String,
    class: &'static str,
    word: &'static str,
    summary: String,
    bars: Vec<Bar>,
    problems: Vec<String>,
    cases: Vec<CaseView>,
    logs: Vec<String>,
}

/// How long a boot took.
#[derive(Serialize)]
struct Bar {
    /// Its part of the longest boot, in per cent.
    width: u64,
    seconds: String,
}

#[derive(Serialize)]
struct CaseView {
    name: String,
    class: &'static str,
    word: &'static str,
    counts: String,
    /// The cases of its own, if there are any.
    folded: Vec<Vec<InnerView>>,
    /// Its name, if there are none.
    leaf: Vec<String>,
}

#[derive(Serialize)]
struct InnerView {
    depth: usize,
    name: String,
    class: &'static str,
    word: &'static str,
}

#[derive(Serialize)]
struct DiffLine {
    class: &'static str,
    text: String,
}

/// The whole page. Logs and commits that are not here, as those of other machines, are left out.
pub fn page(project: &Project, tree: Option<&Path>, rows: &[Row], logs: &Logs) -> Result<String> {
    let longest = rows.iter().map(|row| row.seconds).fold(1.0, f64::max);
    let columns = matrix::columns(rows);
    let git_dir = match tree {
        Some(tree) => Some(Repo::open(tree)?.git_dir().to_owned()),
        None => Some(base::managed(project)).filter(|dir| dir.is_dir()),
    };
    let view = git_dir.map(|git_dir| view::open(&project.cache, &git_dir)).transpose()?;
    let patch = |(place, name): (usize, &str)| {
        let own = rows.iter().filter(|row| row.patch == name).collect::<Vec<_>>();
        let commit = own.iter().map(|row| row.commit.as_str()).find(|commit| !commit.is_empty()).unwrap_or_default();
        let (class, word) = verdict(own.iter().all(|row| row.passed));
        anyhow::Ok(PatchView {
            place,
            name: name.to_owned(),
            commit: commit.chars().take(12).collect(),
            class,
            word,
            said: own.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>().join(", "),
            cells: columns.iter().map(|column| cell(column, &own)).collect(),
            rows: own.iter().map(|row| row_view(row, longest, logs)).collect::<Result<_>>()?,
            open: if class == "bad" { vec!["open"] } else { Vec::new() },
            diffs: diff(view.as_deref(), commit)?.into_iter().collect(),
        })
    };
    let view = View {
        failed: rows.iter().filter(|row| !row.passed).count(),
        all: rows.len(),
        patches: matrix::patches(rows).into_iter().enumerate().map(patch).collect::<Result<_>>()?,
        columns,
    };
    Templates::load(&project.templates())?.render("report.html.tera", &view)
}

fn verdict(passed: bool) -> (&'static str, &'static str) {
    if passed { ("ok", "ok") } else { ("bad", "FAIL") }
}

fn cell(column: &str, rows: &[&Row]) -> Cell {
    let matrix::Cell { word, good } = matrix::cell(column, rows);
    Cell { class: good.map_or("none", |good| verdict(good).0), word }
}

fn row_view(row: &Row, longest: f64, places: &Logs) -> Result<RowView> {
    let (class, word) = verdict(row.passed);
    let (mut logs, mut tests) = (Vec::new(), Vec::new());
    if let Some(mut log) = places.open(row)? {
        let last = logs::part(&mut log, TAIL_BYTES, true)?;
        logs.push(visible_lines(&plain(&process::last_lines(&last, TAIL))).into_owned());
        tests = ktap::parse(&plain(&logs::part(&mut log, guest::MOST, false)?)).tests;
    }
    let bar = || Bar { width: percent(row.seconds / longest), seconds: format!("{:.0}", row.seconds) };
    let bars = (row.seconds > 0.0).then(bar);
    Ok(RowView {
        kind: row.kind.clone(),
        class,
        word,
        summary: row.summary.clone(),
        bars: bars.into_iter().collect(),
        problems: row.problems.clone(),
        cases: row.cases.iter().map(|case| case_view(case, &tests)).collect(),
        logs,
    })
}

fn case_view(case: &Case, tests: &[Test]) -> CaseView {
    let (class, word) = outcome(case.outcome);
    let mut inner = case.inner.clone();
    if let Some(test) = tests.iter().find(|test| inner.is_empty() && test.name == case.name) {
        flatten(test, 1, &mut inner);
    }
    let inner = inner.into_iter().map(|Inner { depth, name, outcome: how }| {
        let (class, word) = outcome(Some(how));
        InnerView { depth, name, class, word }
    });
    let (name, inner) = (case.name.clone(), inner.collect::<Vec<_>>());
    let (folded, leaf) = if inner.is_empty() { (Vec::new(), vec![name.clone()]) } else { (vec![inner], Vec::new()) };
    CaseView { name, class, word, counts: case.counts.clone(), folded, leaf }
}

/// The tests within `test`, each after the one it is in.
fn flatten(test: &Test, depth: usize, into: &mut Vec<Inner>) {
    for inner in &test.subtests {
        into.push(Inner { depth, name: inner.name.clone(), outcome: inner.outcome });
        flatten(inner, depth + 1, into);
    }
}

fn outcome(outcome: Option<Outcome>) -> (&'static str, &'static str) {
    match outcome {
        Some(Outcome::Passed) => ("ok", "ok"),
        Some(Outcome::Failed) => ("bad", "FAIL"),
        Some(Outcome::Skipped) => ("none", "skipped"),
        Some(Outcome::ExpectedFailure) => ("none", "failed as expected"),
        None => ("none", "not in this tree"),
    }
}

/// Whether it is the id of a commit, and not an option, a branch or a path.
fn is_commit(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// What a commit changes; nothing where the repository does not have it.
fn diff(view: Option<&Path>, commit: &str) -> Result<Option<Vec<DiffLine>>> {
    let Some(git_dir) = view else { return Ok(None) };
    if !is_commit(commit) {
        return Ok(None);
    }
    let has =
        |object: &str| anyhow::Ok(program::fixed(git_dir).args(["cat-file", "-e", object]).output()?.status.success());
    // The base is a commit, too, and a whole kernel; so is the first one of a history that is not there.
    if !has(&format!("{commit}^1^{{commit}}"))? {
        return Ok(None);
    }
    let args = ["show", "--stat", "--patch", "--format=", "--no-color", "--no-ext-diff", "--no-textconv", commit];
    let text = program::fixed(git_dir).args(args).check()?.text();
    let text = visible_lines(&text);
    let class = |line: &str| match line.as_bytes() {
        [b'd', b'i', b'f', b'f', ..] | [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => "head",
        [b'@', ..] => "none",
        [b'+', ..] => "ok",
        [b'-', ..] => "bad",
        _ => "",
    };
    Ok(Some(text.lines().map(|line| DiffLine { class: class(line), text: line.to_owned() }).collect()))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 100")]
fn percent(part: f64) -> u64 {
    (100.0 * part).clamp(0.0, 100.0).round() as u64
}

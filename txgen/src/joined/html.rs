// SPDX-License-Identifier: GPL-2.0
//! Results as one page that needs no network: templates/report.html.tera.

use anyhow::Result;
use serde::Serialize;

use super::Row;
use crate::files;
use crate::plain::plain;
use crate::project::Project;
use crate::render::Templates;
use crate::vm::ktap::Outcome;

/// How many of a log's last lines are on the page.
const TAIL: usize = 200;

/// What the template gets.
#[derive(Serialize)]
struct View {
    failed: usize,
    all: usize,
    rows: Vec<RowView>,
}

#[derive(Serialize)]
struct RowView {
    patch: String,
    commit: String,
    kind: String,
    class: &'static str,
    word: &'static str,
    summary: String,
    /// Its part of the longest boot, in per cent.
    width: u64,
    seconds: String,
    problems: Vec<String>,
    cases: Vec<CaseView>,
    log: String,
}

#[derive(Serialize)]
struct CaseView {
    name: String,
    class: &'static str,
    word: &'static str,
    counts: String,
}

/// The whole page. Logs that are not here, as those of other machines, are left out.
pub fn page(project: &Project, rows: &[Row]) -> Result<String> {
    let longest = rows.iter().map(|row| row.seconds).fold(1.0, f64::max);
    let view = View {
        failed: rows.iter().filter(|row| !row.passed).count(),
        all: rows.len(),
        rows: rows.iter().map(|row| row_view(row, longest)).collect::<Result<_>>()?,
    };
    Templates::load(&project.templates())?.render("report.html.tera", &view)
}

fn row_view(row: &Row, longest: f64) -> Result<RowView> {
    let (class, word) = if row.passed { ("ok", "ok") } else { ("bad", "FAIL") };
    let log = match row.log.is_file() {
        true => plain(&files::last_lines(&row.log, TAIL)?),
        false => String::new(),
    };
    let cases = row.cases.iter().map(|case| {
        let (class, word) = match case.outcome {
            Some(Outcome::Passed) => ("ok", "ok"),
            Some(Outcome::Failed) => ("bad", "FAIL"),
            Some(Outcome::Skipped) => ("none", "skipped"),
            Some(Outcome::ExpectedFailure) => ("none", "failed as expected"),
            None => ("none", "not in this tree"),
        };
        CaseView { name: plain(&case.name), class, word, counts: case.counts.clone() }
    });
    Ok(RowView {
        patch: row.patch.clone(),
        commit: row.commit.chars().take(12).collect(),
        kind: row.kind.clone(),
        class,
        word,
        summary: row.summary.clone(),
        width: percent(row.seconds / longest),
        seconds: format!("{:.0}", row.seconds),
        problems: row.problems.clone(),
        cases: cases.collect(),
        log,
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 100")]
fn percent(part: f64) -> u64 {
    (100.0 * part).clamp(0.0, 100.0).round() as u64
}

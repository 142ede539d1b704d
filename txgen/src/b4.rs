// SPDX-License-Identifier: GPL-2.0
//! Results as b4 reads them from a check command: an array of objects (b4 0.16, review/checks.py).

use serde::Serialize;

use crate::check::run::Report;
use crate::check::{Finding, Level, SERIES};
use crate::joined::Row;
use crate::plain::{visible, visible_lines};

/// What one tool said of one patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    tool: String,
    status: &'static str,
    summary: String,
    details: String,
}

impl Entry {
    fn new(tool: String, status: &'static str, summary: String, details: &[String]) -> Self {
        let [tool, summary] = [tool, summary].map(|text| visible(&text).into_owned());
        Self { tool, status, summary, details: visible_lines(&details.join("\n")).into_owned() }
    }
}

/// An entry for each check of each patch; what the whole series is said of comes last.
pub fn of_checks(report: &Report) -> Vec<Entry> {
    let mut entries = Vec::new();
    for patch in report.patches.iter().map(String::as_str).chain([SERIES]) {
        for check in &report.checks {
            let found = report.findings.iter().filter(|found| found.patch == patch && found.check == *check);
            let found = found.collect::<Vec<_>>();
            if patch != SERIES || !found.is_empty() {
                entries.push(of_check(patch, check, &found));
            }
        }
    }
    entries
}

fn of_check(patch: &str, check: &str, found: &[&Finding]) -> Entry {
    let status = match found.iter().map(|found| found.level).max() {
        None => "pass",
        Some(Level::Warn) => "warn",
        Some(Level::Fail) => "fail",
    };
    let summary = match found {
        [] => format!("{patch}: passed"),
        [one] => one.to_string(),
        more => format!("{patch}: {} findings", more.len()),
    };
    let details = found.iter().map(ToString::to_string).collect::<Vec<_>>();
    Entry::new(format!("txgen-{check}"), status, summary, &details)
}

/// An entry for each commit that was built and booted.
pub fn of_rows(rows: &[Row]) -> Vec<Entry> {
    let entry = |row: &Row| {
        let status = if row.passed { "pass" } else { "fail" };
        let tool = format!("txgen-boot-{}", row.kind.replace(' ', "-"));
        Entry::new(tool, status, format!("{}: {}", row.patch, row.summary), &row.problems)
    };
    rows.iter().map(entry).collect()
}

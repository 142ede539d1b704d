// SPDX-License-Identifier: GPL-2.0
//! What checks found, as text: the findings, then a table of patches and checks.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use crate::check::run::Report;
use crate::check::{CHECKS, Level, SERIES, Scope};
use crate::plain::visible_lines;

const BAD: Style = AnsiColor::Red.on_default().bold();
const ODD: Style = AnsiColor::Yellow.on_default();
const FINE: Style = AnsiColor::Green.on_default();

/// The findings, one a line, those that are excused after those that count.
pub fn findings(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let style = if finding.level == Level::Fail { BAD } else { ODD };
        let (on, off) = (style.render(), style.render_reset());
        let (level, finding) = (finding.level, finding.to_string());
        writeln!(text, "{on}{level}{off}: {}", visible_lines(&finding)).expect("writing to a string does not fail");
    }
    for excused in &report.excused {
        let line = format!("excused: {} ({})", excused.finding, excused.reason);
        writeln!(text, "{}", visible_lines(&line)).expect("writing to a string does not fail");
    }
    text
}

/// A row for each patch, a column for each check, and a row for the series.
pub fn table(report: &Report) -> String {
    let rows = report.patches.iter().map(String::as_str).chain([SERIES]).collect::<Vec<_>>();
    let first = rows.iter().map(|row| row.chars().count()).max().unwrap_or_default();
    let mut text = format!("{:first$}", "patch");
    for check in &report.checks {
        write!(text, "  {:width$}", check, width = check.len().max(CELL)).expect("writing to a string does not fail");
    }
    let mut text = text.trim_end().to_owned() + "\n";
    for row in rows {
        let cells = report.checks.iter().map(|check| cell(report, row, check)).collect::<Vec<_>>();
        if row == SERIES && cells.iter().all(|(cell, _)| cell == "-") {
            continue;
        }
        let mut line = format!("{row:first$}");
        for (index, (check, (cell, style))) in report.checks.iter().zip(&cells).enumerate() {
            let last = index + 1 == report.checks.len();
            let pad = if last { 0 } else { check.len().max(CELL).saturating_sub(cell.len()) };
            let (on, off) = (style.render(), style.render_reset());
            write!(line, "  {on}{cell}{off}{:pad$}", "").expect("writing to a string does not fail");
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Columns of the widest usual cell, `12 warn`.
const CELL: usize = 7;

/// What a check says about a patch, in a word.
fn cell(report: &Report, patch: &str, check: &str) -> (String, Style) {
    let count = |level| {
        let here = report.findings.iter().filter(|f| f.patch == patch && f.check == check);
        here.filter(|f| f.level == level).count()
    };
    let whole = CHECKS.iter().any(|c| c.name == check && matches!(c.scope, Scope::Series(_)));
    match (count(Level::Fail), count(Level::Warn)) {
        (0, 0) if whole != (patch == SERIES) => ("-".to_owned(), Style::new()),
        (0, 0) => ("ok".to_owned(), FINE),
        (0, warnings) => (format!("{warnings} warn"), ODD),
        (failures, _) => (format!("{failures} FAIL"), BAD),
    }
}

/// The totals, in a line.
pub fn summary(report: &Report) -> String {
    let failures = report.findings.iter().filter(|finding| finding.level == Level::Fail).count();
    let warnings = report.findings.len() - failures;
    let [patches, checks] = [report.patches.len(), report.checks.len()];
    let excused = report.excused.len();
    format!("{patches} patches, {checks} checks: {failures} failures, {warnings} warnings, {excused} excused\n")
}

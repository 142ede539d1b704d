// SPDX-License-Identifier: GPL-2.0
//! Where each patch of a series stands, from what is on record; runs nothing.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use serde::Serialize;

use crate::check::posting::Destination;
use crate::check::run;
use crate::check::source::{Source, patches};
use crate::check::{Level, SERIES};
use crate::kernel::config;
use crate::plain::visible;
use crate::project::Project;
use crate::prove::{Proof, recorded};
use crate::series::{Applied, Series};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// Where a patch stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its name, or [`SERIES`] for the checks of the series as a whole.
    pub patch: String,
    /// First line of its message; empty for the series.
    pub subject: String,
    /// `ok`, what was found, or how many checks did not run on it as it is.
    pub checks: String,
    /// Configurations that it was built in.
    pub build: Vec<String>,
    /// Configurations that it booted in, with how many test cases passed.
    pub boot: Vec<String>,
}

/// A row for each patch, then one for the series.
pub fn rows(project: &Project, series: &Series, applied: &Applied) -> Result<Vec<Row>> {
    let source = Source::new(project, applied, series.cover.clone())?.to(Destination::of(project, series)?);
    let (report, missing) = run::recorded(&source, &patches(applied)?, &series.exceptions)?;
    let proofs = recorded::find(project, applied)?;
    let checks = |patch: &str| {
        let count = |level| report.findings.iter().filter(|f| f.patch == patch && f.level == level).count();
        match (missing.get(patch), count(Level::Fail), count(Level::Warn)) {
            (Some(missing), ..) => format!("{missing} not run"),
            (None, 0, 0) => "ok".to_owned(),
            (None, fail, warn) => format!("{fail} fail, {warn} warn"),
        }
    };
    let mut rows = Vec::new();
    for patch in &applied.patches {
        let mut row = Row {
            patch: patch.name.clone(),
            subject: patch.subject.clone(),
            checks: checks(&patch.name),
            build: Vec::new(),
            boot: Vec::new(),
        };
        for config in config::names() {
            let passed = proofs.get(config).into_iter().flatten();
            for (_, proof) in passed.filter(|(name, _)| *name == patch.name) {
                row.build.push(config.to_owned());
                row.boot.extend(booted(proof));
            }
        }
        rows.push(row);
    }
    let series = checks(SERIES);
    rows.push(Row {
        patch: SERIES.to_owned(),
        subject: String::new(),
        checks: series,
        build: Vec::new(),
        boot: Vec::new(),
    });
    Ok(rows)
}

fn booted(proof: &Proof) -> Option<String> {
    proof.boot.as_ref().map(|boot| format!("{} {} tests", proof.config, boot.counts().passed))
}

/// The rows as a table with a column for checks, build and boot.
pub fn table(rows: &[Row]) -> String {
    let or_dash = |list: &[String]| if list.is_empty() { "-".to_owned() } else { list.join(", ") };
    let head = ["patch", "checks", "build", "boot", "subject"].map(str::to_owned);
    let cells = rows.iter().map(|row| {
        [
            row.patch.clone(),
            row.checks.clone(),
            or_dash(&row.build),
            or_dash(&row.boot),
            visible(&row.subject).into_owned(),
        ]
    });
    let lines = std::iter::once(head).chain(cells).collect::<Vec<_>>();
    let mut width = [0; 5];
    for line in &lines {
        for (width, cell) in width.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        let mut row = String::new();
        for (column, (cell, width)) in line.iter().zip(width).enumerate() {
            let style = if number == 0 { Style::new() } else { style(column, cell) };
            // Nothing is lined up behind a subject, which may be longer than any width that can be formatted.
            let pad = if column + 1 == line.len() { 0 } else { width - cell.chars().count() };
            let (on, off) = (style.render(), style.render_reset());
            write!(row, "{on}{cell}{off}{:pad$}  ", "").expect("writing to a string does not fail");
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

/// The columns with a verdict are green where it is good.
fn style(column: usize, cell: &str) -> Style {
    match (column, cell) {
        (1, "ok") => GOOD,
        (2 | 3, cell) if cell != "-" => GOOD,
        (1, _) => BAD,
        _ => Style::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, table};

    fn row(patch: &str, checks: &str, configs: &[&str]) -> Row {
        let list = |suffix: &str| configs.iter().map(|config| format!("{config}{suffix}")).collect();
        Row {
            patch: patch.into(),
            subject: format!("net: {patch}"),
            checks: checks.into(),
            build: list(""),
            boot: list(" 7 tests"),
        }
    }

    #[test]
    fn the_table_lines_its_columns_up_and_marks_what_was_not_run() {
        let rows = [row("one", "ok", &[]), row("longer", "2 fail, 0 warn", &["net", "debug"])];
        let plain = anstream::adapter::strip_str(&table(&rows)).to_string();
        insta::assert_snapshot!(plain, @r"
        patch   checks          build       boot                        subject
        one     ok              -           -                           net: one
        longer  2 fail, 0 warn  net, debug  net 7 tests, debug 7 tests  net: longer
        ");
    }

    #[test]
    fn a_subject_of_any_length_has_its_place_in_the_table() {
        let long = "x".repeat(1 << 20);
        let rows = [row("one", "ok", &[]), Row { subject: long.clone(), ..row("two", "ok", &[]) }];
        let plain = anstream::adapter::strip_str(&table(&rows)).to_string();
        assert!(plain.ends_with(&format!("net: one\ntwo    ok      -      -     {long}\n")));
    }
}

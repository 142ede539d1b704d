// SPDX-License-Identifier: GPL-2.0
//! Results as a matrix: a row for each patch, a column for each check and each kind of boot.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{CHECKS, Row};

/// What was shown of a patch in one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// `ok`, `FAIL`, how much was found, or `-` where nothing was shown.
    pub word: String,
    /// Whether it is good; `None` where nothing was shown.
    pub good: Option<bool>,
}

/// The patches, in the order they come.
pub fn patches(rows: &[Row]) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    rows.iter().map(|row| row.patch.as_str()).filter(|patch| seen.insert(*patch)).collect()
}

/// The kinds of results, and the checks one by one, in the order they come.
pub fn columns(rows: &[Row]) -> Vec<String> {
    let (mut columns, mut seen) = (Vec::new(), BTreeSet::new());
    for row in rows {
        let checks = row.cases.iter().filter(|_| row.kind == CHECKS).map(|case| &case.name);
        let new = checks.chain(Some(&row.kind).filter(|kind| *kind != CHECKS)).filter(|column| seen.insert(*column));
        columns.extend(new.cloned());
    }
    columns
}

/// What the rows of one patch say in a column.
pub fn cell(column: &str, rows: &[&Row]) -> Cell {
    let boots = rows.iter().filter(|row| row.kind == column).map(|row| row.passed).collect::<Vec<_>>();
    if !boots.is_empty() {
        let passed = boots.into_iter().all(|passed| passed);
        return Cell { word: if passed { "ok" } else { "FAIL" }.to_owned(), good: Some(passed) };
    }
    let case = rows.iter().filter(|row| row.kind == CHECKS).flat_map(|row| &row.cases).find(|case| case.name == column);
    match case {
        None => Cell { word: "-".to_owned(), good: None },
        Some(case) if case.counts.is_empty() => Cell { word: "ok".to_owned(), good: Some(true) },
        Some(case) => Cell { word: case.counts.clone(), good: Some(false) },
    }
}

/// The matrix as lines.
pub fn text(rows: &[Row]) -> String {
    let columns = columns(rows);
    let mut lines = vec![std::iter::once("patch".to_owned()).chain(columns.iter().cloned()).collect::<Vec<_>>()];
    for patch in patches(rows) {
        let own = rows.iter().filter(|row| row.patch == patch).collect::<Vec<_>>();
        let words = columns.iter().map(|column| cell(column, &own).word);
        lines.push(std::iter::once(patch.to_owned()).chain(words).collect());
    }
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or_default();
    let widths = (0..=columns.len()).map(width).collect::<Vec<_>>();
    let mut text = String::new();
    for line in &lines {
        let mut row = String::new();
        for (word, width) in line.iter().zip(&widths) {
            write!(row, "{word:width$}  ").expect("writing to a string does not fail");
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

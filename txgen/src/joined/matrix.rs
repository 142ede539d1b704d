// SPDX-License-Identifier: GPL-2.0
//! Results as a matrix: a row for each patch, a column for each check and each kind of boot.

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
    let mut patches = Vec::<&str>::new();
    for row in rows {
        if !patches.contains(&row.patch.as_str()) {
            patches.push(&row.patch);
        }
    }
    patches
}

/// The kinds of results, and the checks one by one, in the order they come.
pub fn columns(rows: &[Row]) -> Vec<String> {
    let mut columns = Vec::new();
    for row in rows {
        let checks = row.cases.iter().filter(|_| row.kind == CHECKS).map(|case| &case.name);
        for column in checks.chain(Some(&row.kind).filter(|kind| *kind != CHECKS)) {
            if !columns.contains(column) {
                columns.push(column.clone());
            }
        }
    }
    columns
}

/// What the rows of one patch say in a column.
pub fn cell(column: &str, rows: &[&Row]) -> Cell {
    if let Some(row) = rows.iter().find(|row| row.kind == column) {
        let word = if row.passed { "ok" } else { "FAIL" };
        return Cell { word: word.to_owned(), good: Some(row.passed) };
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

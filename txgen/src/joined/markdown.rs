// SPDX-License-Identifier: GPL-2.0
//! Results as Markdown, for a cover letter or the summary of a job.

use std::fmt::Write;

use super::Row;

const WRITES: &str = "writing to a string does not fail";

/// A table with a row for each commit, and below it what was wrong.
pub fn text(rows: &[Row]) -> String {
    let mut text = String::from("| patch | config | result |\n|---|---|---|\n");
    for row in rows {
        let word = if row.passed { "ok" } else { "**FAIL**" };
        writeln!(text, "| {} | {} | {word}: {} |", cell(&row.patch), cell(&row.kind), cell(&row.summary))
            .expect(WRITES);
    }
    for row in rows.iter().filter(|row| !row.passed) {
        write!(text, "\n{} [{}]:\n\n```\n", row.patch, row.kind).expect(WRITES);
        row.problems.iter().for_each(|problem| writeln!(text, "{problem}").expect(WRITES));
        text.push_str("```\n");
    }
    text
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

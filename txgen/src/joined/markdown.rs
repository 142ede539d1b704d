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
        writeln!(text, "| {} | {} | {word}: {} |", escaped(&row.patch), escaped(&row.kind), escaped(&row.summary))
            .expect(WRITES);
    }
    for row in rows.iter().filter(|row| !row.passed) {
        let problems = row.problems.join("\n");
        let fence = fence(&problems);
        let (patch, kind) = (escaped(&row.patch), escaped(&row.kind));
        // A line that begins with one of these is a list, or makes a heading of the one before.
        let patch = if patch.starts_with(['-', '+', '=']) { format!("\\{patch}") } else { patch };
        writeln!(text, "\n{patch} [{kind}]:\n\n{fence}\n{problems}\n{fence}").expect(WRITES);
    }
    text
}

/// A fence that no line of `text` ends.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(3.max(longest + 1))
}

/// Text of a line that is nothing but text in Markdown, in a cell of a table, too.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        // An underscore within a word is one.
        let inside = before.is_alphanumeric() && rest.peek().is_some_and(|next| next.is_alphanumeric());
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("&#64;"),
            ':' if rest.peek() == Some(&'/') => out.push_str("&#58;"),
            '.' if out.to_ascii_lowercase().ends_with("www") => out.push_str("&#46;"),
            '_' if inside => out.push(c),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '#' | '!' => out.extend(['\\', c]),
            _ => out.push(c),
        }
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{escaped, fence};

    #[test]
    fn text_in_a_cell_is_neither_markup_nor_a_link_nor_another_cell() {
        assert_eq!(escaped("net_core-1: built, 2 passed (3 s)"), "net_core-1: built, 2 passed (3 s)");
        assert_eq!(escaped("a|b`c`*d* _e_"), "a\\|b\\`c\\`\\*d\\* \\_e\\_");
        assert_eq!(escaped("<b>&[x](http://x) ![y]"), "&lt;b&gt;&amp;\\[x\\](http&#58;//x) \\!\\[y\\]");
        assert_eq!(escaped("www.x.org @y ~~z~~ #1 \\"), "www&#46;x.org &#64;y \\~\\~z\\~\\~ \\#1 \\\\");
    }

    #[test]
    fn a_fence_is_longer_than_any_in_the_text() {
        assert_eq!(fence("a `b` c"), "```");
        assert_eq!(fence("a\n````\n# b"), "`````");
    }
}

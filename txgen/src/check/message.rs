// SPDX-License-Identifier: GPL-2.0
//! Rules for commit messages: subject, widths, text, and what would not survive `git am`.
//!
//! Body lines may be up to 75 columns wide. Exempt are lines that can not be wrapped without damage:
//! trailers, lines indented by a tab or two spaces (quoted code, logs, tables), lines that start with
//! `|` or `>`, numbered references (`[1] https://...`) and lines that are one unbroken word.

use anyhow::Result;

use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope, no_tools, trailers};

pub(super) const CHECK: Check = Check {
    name: "message",
    shows: "subject form and length, body at 75 columns, no changelog, survives git am unchanged",
    needs: "",
    version: 1,
    tools: no_tools,
    scope: Scope::Patch(check),
};

/// Columns of a subject without its [PATCH] tag, and of a body line.
const WIDTH: usize = 75;

fn check(_: &Source<'_>, patch: &Patch) -> Result<Vec<Finding>> {
    Ok(findings(&patch.message))
}

/// All that is wrong with a commit message.
pub fn findings(message: &str) -> Vec<Finding> {
    let lines = message.lines().collect::<Vec<_>>();
    let subject = lines.first().copied().unwrap_or_default();
    let mut found = subject_findings(subject);
    found.extend(shape(&lines));
    for (index, line) in lines.iter().enumerate() {
        found.extend(text(line).map(|finding| finding.at_line(index)));
        if index > 0 {
            found.extend(body_line(line).into_iter().map(|finding| finding.at_line(index)));
        }
    }
    found
}

/// The rules for the first line; [`crate::mail`] also asks them about the cover letter's title.
pub fn subject_findings(subject: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |rule: &str, what: &str| found.push(Finding::new(Level::Fail, rule, what).at_line(0));
    let width = subject.chars().count();
    if width > WIDTH {
        add("subject-length", &format!("the subject has {width} characters; at most {WIDTH} are read in a list"));
    }
    if subject.trim_start().starts_with('[') {
        add("subject-tag", "the subject starts with `[`: txgen adds the [PATCH tree] tag, and git am cuts it off");
    } else if !has_prefix(subject) {
        add("subject-prefix", "the subject does not start with `subsystem: `");
    }
    if subject.ends_with('.') {
        add("subject-period", "the subject ends with a period");
    }
    if !subject.is_ascii() {
        add("subject-text", "the subject is not plain ASCII");
    }
    if subject != subject.split_whitespace().collect::<Vec<_>>().join(" ") {
        add("subject-space", "the subject has spaces that mail would fold");
    }
    found
}

/// `net: phrase`, `selftests: net: phrase`, `Revert "net: phrase"`.
fn has_prefix(subject: &str) -> bool {
    if let Some(reverted) = subject.strip_prefix("Revert \"") {
        return reverted.ends_with('"') && has_prefix(reverted);
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_./,+*{}()".contains(c);
    subject.split_once(": ").is_some_and(|(prefix, phrase)| {
        let words = prefix.split(' ').count();
        let good = prefix.split(' ').all(|word| !word.is_empty() && word.chars().all(allowed));
        good && words <= 2 && !phrase.trim().is_empty()
    })
}

/// The rules for the message as a whole.
fn shape(lines: &[&str]) -> Vec<Finding> {
    let mut found = Vec::new();
    if lines.get(1).is_some_and(|line| !line.trim().is_empty()) {
        found.push(Finding::new(Level::Fail, "blank-line", "the second line is not blank").at_line(1));
    }
    let first = lines.iter().skip(1).position(|line| !line.trim().is_empty()).map(|index| index + 1);
    match first {
        Some(index) if !trailers::is_trailer(lines[index]) => {
            if is_mail_header(lines[index]) {
                let what = "the body starts like a mail header, which git am takes for one and removes";
                found.push(Finding::new(Level::Fail, "mail-header", what).at_line(index));
            }
        }
        _ => found.push(Finding::new(Level::Fail, "empty-body", "the message has no body: say why")),
    }
    if lines.windows(2).any(|pair| pair.iter().all(|line| line.trim().is_empty())) {
        let what = "the message has two blank lines in a row, which git am joins";
        found.push(Finding::new(Level::Fail, "blank-lines", what));
    }
    found
}

fn is_mail_header(line: &str) -> bool {
    ["from:", "subject:", "date:", "content-type:", "content-transfer-encoding:", "mime-version:", ">from "]
        .iter()
        .any(|header| line.get(..header.len()).is_some_and(|start| start.eq_ignore_ascii_case(header)))
}

/// The rules for any line.
fn text(line: &str) -> Option<Finding> {
    let odd = |c: char| {
        (c.is_control() && c != '\t')
            || matches!(c, '\u{a0}' | '\u{fffd}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2069}')
    };
    if let Some(c) = line.chars().find(|c| odd(*c)) {
        return Some(Finding::new(Level::Fail, "text", format!("the line holds the character U+{:04X}", u32::from(c))));
    }
    (line.trim_end() != line)
        .then(|| Finding::new(Level::Fail, "trailing-space", "the line ends with a space or a tab"))
}

/// The rules for a line below the subject.
fn body_line(line: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let width = columns(line);
    if width > WIDTH && !is_exempt(line) {
        found.push(Finding::new(Level::Fail, "body-width", format!("the line is {width} columns wide, {WIDTH} fit")));
    }
    if is_changelog(line) {
        let what = "a changelog belongs below `---`: put it behind a `---` line of the .msg file";
        found.push(Finding::new(Level::Fail, "changelog", what));
    }
    if ends_message(line) {
        found.push(Finding::new(Level::Fail, "cut-line", "git am takes this line for the end of the message"));
    }
    found
}

/// Width with tabs at every 8 columns.
fn columns(line: &str) -> usize {
    line.chars().fold(0, |at, c| if c == '\t' { (at / 8 + 1) * 8 } else { at + 1 })
}

fn is_exempt(line: &str) -> bool {
    let numbered = line.starts_with('[') && line.contains("] ");
    line.starts_with(['\t', '|', '>'])
        || line.starts_with("  ")
        || trailers::is_trailer(line)
        || (if numbered { line.split(' ').count() == 2 } else { !line.contains(' ') })
}

/// `v2:`, `v1 -> v2`, `V3 changes`, `Changes in v2`, `Changes since v1`, `Changelog`.
fn is_changelog(line: &str) -> bool {
    let line = line.trim_start_matches(['-', '*', ' ', '#']).to_ascii_lowercase();
    let version = |word: &str| {
        let word = word.trim_end_matches(':');
        word.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    let words = line.split_whitespace().collect::<Vec<_>>();
    match words.as_slice() {
        [only] => *only == "changelog" || *only == "changelog:" || (only.ends_with(':') && version(only)),
        ["changes" | "changed", "in" | "since" | "from", v, ..] | ["since", v] => version(v),
        [v, next, ..] => version(v) && (v.ends_with(':') || ["->", "=>", "--", "changes", "changes:"].contains(next)),
        _ => false,
    }
}

/// The lines at which git mailinfo ends the message and starts the patch.
fn ends_message(line: &str) -> bool {
    let dashes = line.strip_prefix("---");
    line.starts_with("diff -")
        || line.starts_with("Index: ")
        || dashes.is_some_and(|rest| rest.trim().is_empty() || (rest.starts_with(' ') && rest.len() > 1))
}

#[cfg(test)]
mod tests {
    use super::findings;

    const GOOD: &str = "net: add struct net_txbuf\n\nA fragment needs an owner.\n\n\
\x20 $ perf stat -e instructions:u -- ./a-quoted-command-line --that --is --wider --than --seventy-five\n\
[1] https://lore.example.org/netdev/20261123-a-very-long-message-identifier-0123456789ab@example.org/\n\n\
Link: https://lore.example.org/netdev/20261123-a-very-long-message-identifier-0123456789ab@example.org/";

    fn rules(message: &str) -> Vec<String> {
        findings(message).iter().map(|finding| finding.rule().to_owned()).collect()
    }

    #[test]
    fn a_good_message_has_no_findings() {
        assert_eq!(rules(GOOD), [""; 0]);
    }

    #[test]
    fn each_rule_fires_on_the_message_that_breaks_it() {
        let body = "\n\nWhy.";
        let cases = [
            (format!("net: {}{body}", "a".repeat(75)), "subject-length"),
            (format!("Add a thing{body}"), "subject-prefix"),
            (format!("net:{body}"), "subject-prefix"),
            (format!("[PATCH net-next] net: add{body}"), "subject-tag"),
            (format!("net: add a thing.{body}"), "subject-period"),
            (format!("net: add a thïng{body}"), "subject-text"),
            (format!("net: add  a thing{body}"), "subject-space"),
            ("net: add\nWhy.".to_owned(), "blank-line"),
            ("net: add".to_owned(), "empty-body"),
            ("net: add\n\nSigned-off-by: A <a@b.org>".to_owned(), "empty-body"),
            ("net: add\n\nFrom: here on it is new.".to_owned(), "mail-header"),
            ("net: add\n\nA.\n\n\nB.".to_owned(), "blank-lines"),
            (format!("net: add\n\n{}", "word ".repeat(16).trim_end()), "body-width"),
            ("net: add\n\nWhy. ".to_owned(), "trailing-space"),
            ("net: add\n\nWhy\u{200b}.".to_owned(), "text"),
            ("net: add\n\nWhy.\n\nv2:\n - more".to_owned(), "changelog"),
            ("net: add\n\nWhy.\n\nChanges since v1: more".to_owned(), "changelog"),
            ("net: add\n\nWhy.\n\n---\nnote".to_owned(), "cut-line"),
            ("net: add\n\nWhy.\ndiff -u shows".to_owned(), "cut-line"),
        ];
        for (message, rule) in cases {
            assert_eq!(rules(&message), [rule], "{message}");
        }
    }

    #[test]
    fn the_line_of_a_finding_counts_from_the_subject() {
        assert_eq!(findings("net: add\n\nWhy. ")[0].line, Some(3));
    }

    #[test]
    fn prose_about_versions_is_no_changelog() {
        let prose = "net: add\n\nv2 of the protocol is meant, in v1 it was optional.\nSince 6.12 it is there.";
        assert_eq!(rules(prose), [""; 0]);
    }

    #[test]
    fn usual_subject_prefixes_pass() {
        for subject in ["selftests: net: add", "net/mlx5e: fix", "MAINTAINERS: add", "rust: net: add", "net, bpf: x"] {
            assert_eq!(rules(&format!("{subject}\n\nWhy.")), [""; 0], "{subject}");
        }
        assert_eq!(rules("Revert \"net: add\"\n\nWhy."), [""; 0]);
    }
}

// SPDX-License-Identifier: GPL-2.0
//! The text of a mail below its `---`: what a person wrote there, apart from what programs add.

use anyhow::{Context, Result};

use super::mail::Mail;

/// What a version changed: the version, and its changes.
pub type Changelog = Vec<(u32, Vec<String>)>;

/// What stands below the `---` of a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Note {
    /// What is in the form that txgen writes a changelog in.
    pub changelog: Changelog,
    /// All else, empty where there is nothing.
    pub text: String,
}

/// How lines begin with which txgen, git and b4 begin what they add.
const GENERATED: &[&str] = &[
    "Built, booted in virtme-ng, and passed (txgen test):",
    "Executed kernel instructions per send: ",
    "Uses of frags in the tree, by what becomes of them (txgen audit):",
    "Range-diff to v",
    "Range-diff against v",
    "Range-diff:",
    "Interdiff against v",
    "base-commit: ",
    "change-id: ",
    "prerequisite-change-id: ",
    "prerequisite-patch-id: ",
    "prerequisite-message-id: ",
];

/// The note of a patch.
pub(super) fn of_patch(mail: &Mail) -> Result<Note> {
    let above = &mail.diff[..start_of_diff(&mail.diff)];
    let text = std::str::from_utf8(above).with_context(|| format!("{}: its note", mail.place))?;
    let lines = below_mark(text);
    Ok(parse(&written(&lines[..start_of_stat(&lines)])))
}

/// The note of a cover letter, and the prose above it.
pub(super) fn of_cover(mail: &Mail) -> Result<(String, Note)> {
    let text = std::str::from_utf8(&mail.diff).with_context(|| format!("{}: its note", mail.place))?;
    let lines = below_mark(text);
    let end = lines.iter().position(|line| *line == "---" || is_shortlog(line) || *line == "-- ");
    Ok((prose(mail.body()), parse(&written(&lines[..end.unwrap_or(lines.len())]))))
}

/// The lines below the first line where that is `---`.
fn below_mark(text: &str) -> Vec<&str> {
    let mut lines = text.lines().peekable();
    match lines.next_if(|line| line.trim_end() == "---") {
        Some(_) => lines.collect(),
        None => Vec::new(),
    }
}

/// What a person wrote of a note.
fn written(lines: &[&str]) -> String {
    let end = lines.iter().position(|line| GENERATED.iter().any(|start| line.starts_with(start)));
    lines[..end.unwrap_or(lines.len())].join("\n").trim().to_owned()
}

/// What a person wrote of a cover letter: all up to the shortlog that git adds.
fn prose(body: &str) -> String {
    let lines = body.lines().take_while(|line| !is_shortlog(line)).collect::<Vec<_>>();
    written(&lines)
}

/// Whether a line is `Name (3):`.
fn is_shortlog(line: &str) -> bool {
    let count = line.trim_end().strip_suffix("):").and_then(|line| line.rsplit_once(" ("));
    !line.starts_with(char::is_whitespace) && count.is_some_and(|(_, count)| count.parse::<u32>().is_ok())
}

/// Where the first diff begins: a line that only a diff has, at the start of a line.
pub(super) fn start_of_diff(text: &[u8]) -> usize {
    let lines = text.split_inclusive(|byte| *byte == b'\n').collect::<Vec<_>>();
    let mut at = 0;
    for (index, line) in lines.iter().enumerate() {
        let next = |offset: usize| lines.get(index + offset).copied().unwrap_or_default();
        let is_plain = line.starts_with(b"--- ") && next(1).starts_with(b"+++ ") && next(2).starts_with(b"@@ -");
        if is_plain || line.starts_with(b"diff --git ") {
            break;
        }
        at += line.len();
    }
    at
}

/// The line of a note with which the diffstat begins.
fn start_of_stat(lines: &[&str]) -> usize {
    let is_sum = |line: &&str| {
        let count = line.strip_prefix(' ').and_then(|line| line.split_once(" file"));
        count.is_some_and(|(count, rest)| count.parse::<u32>().is_ok() && rest.contains("changed"))
    };
    let Some(sum) = lines.iter().rposition(is_sum) else { return lines.len() };
    let is_file = |line: &&str| line.starts_with(' ') && line.contains(" | ");
    lines[..sum].iter().rposition(|line| !is_file(line)).map_or(0, |before| before + 1)
}

/// Takes a changelog off the start of a note.
fn parse(note: &str) -> Note {
    let (mut changelog, mut links, mut rest) = (Vec::new(), Vec::new(), note);
    while let Some((changes, link)) = changelog_of(rest.split("\n\n").next().unwrap_or_default()) {
        changelog.extend(changes);
        links.extend(link);
        rest = rest.split_once("\n\n").map_or("", |(_, rest)| rest.trim_start_matches('\n'));
    }
    let texts = [links.join("\n"), rest.to_owned()];
    let text = texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n");
    Note { changelog, text }
}

/// A paragraph as [`crate::mail::changelog`] writes it: `v2:`, and below it ` - change` with lines that go on under it.
/// Where an earlier version can be read is kept as a line.
fn changelog_of(paragraph: &str) -> Option<(Changelog, Vec<String>)> {
    let (mut changelog, mut links) = (Changelog::new(), Vec::new());
    for line in paragraph.lines() {
        if let Some(change) = line.strip_prefix(" - ") {
            changelog.last_mut()?.1.push(change.trim_end().to_owned());
        } else if let Some(more) = line.strip_prefix("   ") {
            let change = changelog.last_mut()?.1.last_mut()?;
            change.push('\n');
            change.push_str(more.trim_end());
        } else {
            let version = line.strip_prefix("RFC ").unwrap_or(line).strip_prefix('v')?;
            let (version, link) = version.split_once(':')?;
            changelog.push((version.parse().ok().filter(|version| *version > 0)?, Vec::new()));
            match link.trim() {
                "" => {}
                link if link.starts_with("http") && !link.contains(' ') => links.push(line.trim_end().to_owned()),
                _ => return None,
            }
        }
    }
    changelog.retain(|(_, changes)| !changes.is_empty());
    (!changelog.is_empty()).then_some((changelog, links))
}

#[cfg(test)]
mod tests {
    use super::{Note, below_mark, parse, prose, start_of_diff, start_of_stat, written};

    #[test]
    fn a_cover_letter_ends_where_its_shortlog_begins() {
        let body = "Why.\n\nMore (and so on):\n\nA Person (2):\n  net: one\n  net: two\n\n 1 file changed\n";
        assert_eq!(prose(body), "Why.\n\nMore (and so on):");
    }

    #[test]
    fn a_note_ends_where_the_diffstat_begins() {
        let note = |text: &str| {
            let lines = below_mark(text);
            written(&lines[..start_of_stat(&lines)])
        };
        let stat = " net/x.c    | 2 +-\n .../y.c    | 1 +\n 2 files changed, 2 insertions(+), 1 deletion(-)\n create mode 100644 net/y.c\n\n";
        assert_eq!(note(&format!("---\n{stat}")), "");
        assert_eq!(note(&format!("---\nv2: more\n\n | a table | x\n\n{stat}")), "v2: more\n\n | a table | x");
        assert_eq!(note(&format!("---\nx\n\nchange-id: y\n{stat}")), "x");
        assert_eq!(note("---\nno stat\n"), "no stat");
        assert_eq!(note(stat), "");
    }

    #[test]
    fn a_changelog_is_told_from_other_text() {
        let text = "v3:\n - fix\nv2: https://lore.example.org/2\n - rebase\n - rename,\n   as asked\nRFC v1: https://lore.example.org/1\n\nThanks.";
        let change = |version, changes: &[&str]| (version, changes.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(
            parse(text),
            Note {
                changelog: vec![change(3, &["fix"]), change(2, &["rebase", "rename,\nas asked"])],
                text: "v2: https://lore.example.org/2\nRFC v1: https://lore.example.org/1\n\nThanks.".to_owned(),
            }
        );
        for text in ["v2: note", "Changes in v2:\n - x", "v1: https://x", "v2:\n - x\nmore", "", "v2:\nx"] {
            assert_eq!(parse(text), Note { changelog: vec![], text: text.to_owned() }, "{text:?}");
        }
    }

    #[test]
    fn a_range_diff_and_a_table_are_no_diff() {
        let text = b"---\nRange-diff to v1:\n\n  1:  a ! 1:  b x\n      @@ net\n      -foo\n  diff --git a/x b/x\n--- a\n+++ b\n";
        assert_eq!(start_of_diff(text), text.len());
        assert_eq!(start_of_diff(b"---\nx\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n"), 6);
        assert_eq!(start_of_diff(b"---\nx\ndiff --git a/x b/x\n"), 6);
    }
}

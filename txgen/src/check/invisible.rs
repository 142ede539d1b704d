// SPDX-License-Identifier: GPL-2.0
//! Characters in what a patch adds that are not seen, or that turn the text around them: b4 refuses such patches.
//!
//! Context and removed lines, which the kernel has already, are no finding.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope, no_tools};
use crate::invisible::{describe, first, shown};

pub(super) const CHECK: Check = Check {
    name: "invisible",
    shows: "no characters that are invisible or turn the direction of text in added lines, file names and the message",
    needs: "",
    version: 1,
    tools: no_tools,
    scope: Scope::Patch(check),
};

fn check(source: &Source<'_>, patch: &Patch) -> Result<Vec<Finding>> {
    let mut found = in_text(&patch.message);
    // Most patches are ASCII: their diff is not taken apart.
    found.extend(in_diff(&source.diff_text(patch)?));
    Ok(found)
}

/// The findings in a message, or in any text that a mail has, line by line.
pub fn in_text(text: &str) -> Vec<Finding> {
    let lines = text.split('\n').enumerate();
    lines.filter_map(|(index, line)| finding(line).map(|found| found.at_line(index))).collect()
}

/// The findings in a diff as git prints it: in names of files, and in lines that are added.
pub fn in_diff(text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    if text.is_ascii() && !text.contains('\\') {
        return found;
    }
    let (mut path, mut number, mut left) = (String::new(), 0, (0, 0));
    let mut named = BTreeSet::new();
    for line in text.split('\n') {
        if left == (0, 0) {
            if let Some(range) = line.strip_prefix("@@ ").and_then(hunk) {
                (number, left) = range;
            } else if let Some(name) = name(line) {
                if let Some(finding) = finding(&name).filter(|_| named.insert(name.clone())) {
                    found.push(finding.at(&shown(&name), None));
                }
                path = shown(&name);
            }
            continue;
        }
        match line.bytes().next() {
            Some(b'+') => {
                left.1 -= u32::from(left.1 > 0);
                found.extend(finding(&line[1..]).map(|found| found.at(&path, Some(number))));
                number += 1;
            }
            Some(b'-') => left.0 -= u32::from(left.0 > 0),
            Some(b'\\') => {}
            _ => {
                left = (left.0 - u32::from(left.0 > 0), left.1 - u32::from(left.1 > 0));
                number += 1;
            }
        }
    }
    found
}

fn finding(line: &str) -> Option<Finding> {
    let what = format!("there is {} in `{}`", describe(first(line)?), shown(line.trim()));
    Some(Finding::new(Level::Fail, "invisible-character", what))
}

/// The path of a file line of a diff: `+++ b/PATH`, `rename to PATH`; git quotes what is no plain ASCII.
fn name(line: &str) -> Option<String> {
    let rest = ["+++ ", "rename to ", "copy to "].iter().find_map(|start| line.strip_prefix(start))?;
    let path = unquoted(rest.trim_end_matches('\t'));
    Some(path.strip_prefix("b/").unwrap_or(&path).to_owned())
}

/// A path without git's quotes and octal escapes.
fn unquoted(path: &str) -> String {
    let Some(inside) = path.strip_prefix('"').and_then(|path| path.strip_suffix('"')) else { return path.to_owned() };
    let mut bytes = Vec::new();
    let mut rest = inside.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        let octal = tail.get(..3).filter(|digits| *byte == b'\\' && digits.iter().all(|d| (b'0'..=b'7').contains(d)));
        if let Some(digits) = octal {
            let value = digits.iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
            bytes.push(u8::try_from(value & 0xff).unwrap_or_default());
            rest = &tail[3..];
        } else if *byte != b'\\' {
            bytes.push(*byte);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// First line and lengths (old, new) of a hunk, from behind its `@@ `.
fn hunk(header: &str) -> Option<(u32, (u32, u32))> {
    let mut words = header.split(' ');
    let range = |word: Option<&str>, sign: char| -> Option<(u32, u32)> {
        let word = word?.strip_prefix(sign)?;
        let (start, count) = word.split_once(',').unwrap_or((word, "1"));
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    let (_, old) = range(words.next(), '-')?;
    let (start, new) = range(words.next(), '+')?;
    Some((start, (old, new)))
}

#[cfg(test)]
mod tests {
    use super::{in_diff, in_text};

    #[test]
    fn added_lines_and_names_are_found_and_context_is_not() {
        let diff = "diff --git a/net/a.c b/net/a.c\n--- a/net/a.c\n+++ b/net/a.c\n@@ -1,3 +1,4 @@ \u{202e}\n \u{202e}old\n-\u{feff}gone\n+new\n\
            +if (a) \u{2066}b\u{2069}\n end\n\
            diff --git \"a/net/\\342\\200\\256x.c\" \"b/net/\\342\\200\\256x.c\"\nnew file mode 100644\n--- /dev/null\n+++ \"b/net/\\342\\200\\256x.c\"\n\
            @@ -0,0 +1 @@\n++++ \u{200b}\n";
        let said = in_diff(diff).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            said,
            [
                ": : net/a.c:3: invisible-character: there is U+2066, which turns the direction of the text in \
                 `if (a) <U+2066>b<U+2069>`",
                ": : net/<U+202E>x.c: invisible-character: there is U+202E, which turns the direction of the text in \
                 `net/<U+202E>x.c`",
                ": : net/<U+202E>x.c:1: invisible-character: there is U+200B, which is invisible in `+++ <U+200B>`",
            ]
        );
    }

    #[test]
    fn a_message_is_found_by_its_line() {
        let found = in_text("net: a\n\nabc\u{202e}def\n");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, Some(3));
        assert_eq!(in_text("net: J\u{e9}r\u{f4}me\n\nfine\n"), []);
    }
}

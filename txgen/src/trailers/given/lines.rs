// SPDX-License-Identifier: GPL-2.0
//! The lines of an answer that its sender wrote, and trailers that stand in the middle of one.

use std::sync::LazyLock;

use regex::Regex;

/// A line, and whether it stands below a diff that is not quoted.
pub(super) type Line<'a> = (&'a str, bool);

/// Where the walk through an answer is.
enum Place {
    Text,
    /// Behind `diff --git`, before the first hunk.
    Headers,
    /// In a hunk, with the lines that are left of its old and its new side.
    Hunk(u64, u64),
}

/// The lines before a signature, and before the original of an answer that was written above it. A diff is one blank line.
pub(super) fn own_lines(text: &str) -> Vec<Line<'_>> {
    let all = text.lines().collect::<Vec<_>>();
    let (mut own, mut place, mut is_below) = (Vec::new(), Place::Text, false);
    for (at, line) in all.iter().enumerate() {
        place = match place {
            Place::Hunk(old, new) => in_hunk(line, old, new),
            Place::Headers if !line.trim().is_empty() && hunk(line).is_none() => Place::Headers,
            _ => Place::Text,
        };
        if !matches!(place, Place::Text) {
            continue;
        }
        if ends(&all, at) {
            break;
        }
        let begins = if line.starts_with("diff --git ") { Some(Place::Headers) } else { None };
        let begins = begins.or_else(|| hunk(line).filter(|_| is_below).map(|(old, new)| Place::Hunk(old, new)));
        if let Some(begins) = begins {
            (place, is_below) = (begins, true);
            own.push(("", true));
        } else {
            own.push((line, is_below));
        }
    }
    own
}

/// Where a line is that follows one of a hunk. Mail programs cut the space of a blank line, and people cut hunks short.
fn in_hunk(line: &str, old: u64, new: u64) -> Place {
    let (less_old, less_new) = match line.as_bytes().first() {
        _ if old == 0 && new == 0 => return Place::Text,
        Some(b'+') => (0, 1),
        Some(b'-') => (1, 0),
        Some(b' ') | None => (1, 1),
        Some(b'\\') => (0, 0),
        _ => return Place::Text,
    };
    Place::Hunk(old.saturating_sub(less_old), new.saturating_sub(less_new))
}

/// The lines on both sides of a hunk that begins here.
fn hunk(line: &str) -> Option<(u64, u64)> {
    let (old, rest) = line.strip_prefix("@@ -")?.split_once(" +")?;
    let (new, _) = rest.split_once(" @@")?;
    let count = |side: &str| side.split_once(',').map_or(Some(1), |(_, count)| count.parse().ok());
    Some((count(old)?, count(new)?))
}

/// Whether a signature begins, or what the answer is to.
fn ends(all: &[&str], at: usize) -> bool {
    let line = all[at];
    let is_header = |line: &&str| ["Sent:", "Date:", "To:", "Subject:"].iter().any(|name| line.starts_with(name));
    line == "-- "
        || line.starts_with("-----Original ")
        || line.starts_with("From:") && all[at + 1..].iter().take(2).filter(|line| is_header(line)).count() == 2
}

/// Name and value of a trailer that stands somewhere in a line, with an address behind it, and what is odd about it; the
/// address may be in the next line, where a long one `goes_on`.
pub(super) fn within(line: &str, goes_on: bool) -> Option<(String, String, Option<&'static str>)> {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        let words = "reported|suggested|tested|reviewed|acked";
        let gap = r"[-/&+,_ \u{2010}\u{2011}]{1,3}";
        let name = format!(r"(?i)\b(?:(?:{words})(?:{gap}(?:and|by|{words}))*{gap}by\b:?|[\w-]{{2,}}-by:)");
        Regex::new(&name).expect("the pattern is one")
    });
    let line = line.replace('\u{a0}', " ");
    let text = line.trim();
    if is_quoted(text) {
        return None;
    }
    let found = NAME.find(text)?;
    let (before, value) = (&text[..found.start()], text[found.end()..].trim());
    let is_given = value.contains('@') || goes_on && found.as_str().ends_with(':');
    let odd = (!before.is_empty()).then_some("text stands before it on its line");
    let name = found.as_str().trim_end_matches(':').to_owned();
    (is_given && !is_supposed(before, value)).then(|| (name, value.to_owned(), odd))
}

/// Whether a line is what somebody else wrote: `> `, `| `, and `AB> ` of some programs.
fn is_quoted(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    text.starts_with(['>', '|']) || first.ends_with('>') && !first.contains(['<', '@'])
}

/// Whether nobody gives it: `I would say Acked-by: A <a@b.org> if it were tested`.
fn is_supposed(before: &str, value: &str) -> bool {
    let behind = value.split_once('@').and_then(|(_, rest)| rest.split_once(' '));
    before.split_whitespace().any(|word| word.eq_ignore_ascii_case("would"))
        && behind.is_some_and(|(_, behind)| behind.trim_start().starts_with("if "))
}

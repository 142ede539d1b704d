// SPDX-License-Identifier: GPL-2.0
//! Lines of an answer that look like trailers, and what becomes of each: the kernel's form, or why it has none.
//!
//! What stands around an address is treated as b4 0.16 does: a comment behind `#` or in `[]` is kept, one in `()` and the
//! `<mailto:>` of a mail program are cut, and a line in `[]` below stays below. Unlike b4, a combined trailer is split,
//! as Documentation/process/maintainer-tip.rst wants; what b4 takes as text without an address is not taken here.

use crate::mail::header;
use crate::plain;

/// The trailers that are taken from answers, and the word each begins with.
const TAKEN: &[(&str, &str)] = &[
    ("reported", "Reported-by"),
    ("suggested", "Suggested-by"),
    ("tested", "Tested-by"),
    ("reviewed", "Reviewed-by"),
    ("acked", "Acked-by"),
];

/// Trailers that are no person's word, with what a line has to hold in order to look like one.
const OTHERS: &[(&str, &str)] = &[("fixes", ""), ("link", "://"), ("closes", "://"), ("cc", "@")];

/// Characters that mail programs put before a line, and people before a point of a list.
const MARKS: &[char] = &[' ', '\t', '*', '_', '`', '"', '\'', '-', '+', '\u{2022}', '(', '['];

/// A line that looks like a trailer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The line as it was written.
    pub written: String,
    /// Its name and value as they stand there.
    pub name: String,
    /// What follows the name.
    pub value: String,
    /// The names of the trailers that it means, where those are taken.
    pub kinds: Vec<&'static str>,
    /// The trailers that it gives, or why it gives none.
    pub trailers: Result<Vec<Trailer>, String>,
    /// The link of a `Closes:` line below it.
    pub closes: Option<String>,
    /// A line in `[]` below it, which explains it.
    pub note: Option<String>,
}

/// A trailer that names a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trailer {
    /// Its name.
    pub name: &'static str,
    /// `Name <address>`, or an address.
    pub person: String,
    /// What follows that, with a space before it; empty where nothing does.
    pub comment: String,
}

impl Trailer {
    /// The whole line.
    pub fn line(&self) -> String {
        format!("{}: {}{}", self.name, self.person, self.comment)
    }
}

/// What tells a trailer from another: its name, and the address that it has, or else its text.
pub fn key(name: &str, value: &str) -> String {
    let value = person(value).map_or_else(|_| value.to_owned(), |(person, _)| header::address(&person).to_owned());
    format!("{name}: {value}").to_lowercase()
}

/// The addresses in a value that may be no recipient.
pub fn addresses(value: &str) -> impl Iterator<Item = &str> {
    value.split(|c: char| c.is_whitespace() || "<>()[],;\"".contains(c)).filter(|word| word.contains('@'))
}

/// The lines of a mail's text that look like trailers, but for what is quoted, a signature, and what follows a patch.
pub fn find(text: &str) -> Vec<Given> {
    let lines = own_lines(text);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let Some((name, mut value, odd)) = claim(line) else { continue };
        let mut written = line.trim().to_owned();
        // Some programs fold a long line before the address.
        if let Some(next) = lines.get(at).filter(|next| !value.contains('@') && next.trim_start().starts_with('<')) {
            value = format!("{value} {}", next.trim()).trim().to_owned();
            written = format!("{written} {}", next.trim());
            at += 1;
        }
        let kinds = kinds(&name);
        let trailers = trailers(&name, &value, &kinds, odd);
        let note = trailers.is_ok().then(|| lines.get(at)).flatten().and_then(|line| note(line));
        at += usize::from(note.is_some());
        let closes = kinds.contains(&"Reported-by").then(|| lines.get(at)).flatten().and_then(|line| closes(line));
        at += usize::from(closes.is_some());
        found.push(Given { written, name, value, kinds, trailers, closes, note });
    }
    found
}

/// The lines before a signature, a patch, and the original of an answer that was written above it.
fn own_lines(text: &str) -> Vec<&str> {
    let all = text.lines().collect::<Vec<_>>();
    let is_header = |line: &&str| ["Sent:", "Date:", "To:", "Subject:"].iter().any(|name| line.starts_with(name));
    let ends = |(at, line): (usize, &&str)| {
        *line == "-- "
            || line.starts_with("diff --git ")
            || line.starts_with("-----Original ")
            || line.starts_with("From:") && all[at + 1..].iter().take(2).filter(|line| is_header(line)).count() == 2
    };
    let end = all.iter().enumerate().position(ends).unwrap_or(all.len());
    all[..end].to_vec()
}

/// Name and value of a line that looks like a trailer, and what is odd about it.
fn claim(line: &str) -> Option<(String, String, Option<&'static str>)> {
    let line = line.replace('\u{a0}', " ");
    let line = line.trim_end();
    let start = line.trim_start_matches(MARKS);
    let odd = match line.len() - start.len() {
        0 => None,
        _ if line.trim_start() == start => Some("it is indented, as what somebody else said may be"),
        _ => Some("other characters stand before it"),
    };
    let Some((name, value)) = start.split_once(':') else {
        let (name, value) = start.split_once(' ')?;
        let looks = name.contains('-') && !kinds(name).is_empty() && value.contains('@');
        return looks.then(|| (name.to_owned(), value.trim().to_owned(), Some("there is no colon behind its name")));
    };
    let (name, value) = (name.trim(), value.trim());
    if !name.starts_with(char::is_alphanumeric) {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let other = OTHERS.iter().any(|(known, mark)| *known == lower && !value.is_empty() && value.contains(mark));
    let word = name.len() > 3 && name.chars().all(|c| c.is_alphanumeric() || c == '-');
    let by = word && lower.ends_with("-by") || !kinds(name).is_empty() && (word || value.contains('@'));
    // A point of a list is a trailer only where it names somebody.
    let whole = odd.is_none() || value.contains('@') || value.contains("://");
    (other || by && whole).then(|| (name.to_owned(), value.to_owned(), odd))
}

/// The trailers that a name means, in the kernel's words: two of `Reported-and-tested-by`; none where it is another.
fn kinds(name: &str) -> Vec<&'static str> {
    let lower = name.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>();
    let Some((&"by", words)) = words.split_last() else { return Vec::new() };
    let mut kinds = Vec::new();
    for word in words.iter().filter(|word| !["and", "by"].contains(word)) {
        match TAKEN.iter().find(|(start, _)| start == word) {
            None => return Vec::new(),
            Some((_, kind)) if kinds.contains(kind) => {}
            Some((_, kind)) => kinds.push(*kind),
        }
    }
    kinds
}

fn trailers(name: &str, value: &str, kinds: &[&'static str], odd: Option<&str>) -> Result<Vec<Trailer>, String> {
    if let Some(odd) = odd {
        return Err(odd.to_owned());
    }
    match name.to_ascii_lowercase().as_str() {
        "signed-off-by" => return Err("a sign-off comes with a patch, not with an answer".to_owned()),
        "co-developed-by" => return Err("it needs a sign-off below it: add both by hand".to_owned()),
        _ if kinds.is_empty() => return Err(format!("txgen takes `{name}` from no mail: add it by hand")),
        _ if name.contains(|c: char| !c.is_alphanumeric() && c != '-') => {
            return Err(format!("its name is not `{}`", kinds.join("` or `")));
        }
        _ => {}
    }
    let (person, comment) = person(value)?;
    Ok(kinds.iter().map(|name| Trailer { name, person: person.clone(), comment: comment.clone() }).collect())
}

/// The person in a trailer's value, and the comment behind.
fn person(value: &str) -> Result<(String, String), String> {
    let value = without_links(value);
    if let Some(odd) = value.chars().find(|c| plain::is_hidden(*c) || *c == char::REPLACEMENT_CHARACTER) {
        return Err(format!("it has a character that no name has, U+{:04X}", u32::from(odd)));
    }
    let (person, rest) = match value.find('<') {
        Some(open) => {
            let close = value[open..].find('>').ok_or("its address has no `>`")?;
            value.split_at(open + close + 1)
        }
        None if !value.contains('@') => return Err("it has no address".to_owned()),
        None => value.split_at(value.find(' ').unwrap_or(value.len())),
    };
    let rest = rest.trim();
    if !header::is_recipient(person) {
        return Err(format!("`{}` is no address", header::address(person)));
    }
    let is_in = |open: char, close: char| rest.starts_with(open) && rest.ends_with(close);
    if rest.starts_with('#') || is_in('[', ']') {
        return Ok((person.to_owned(), format!(" {rest}")));
    }
    if is_in('(', ')') || rest.chars().all(|c| ".,;".contains(c)) {
        return Ok((person.to_owned(), String::new()));
    }
    let more = if rest.contains('@') { "it names more than one address" } else { "there is text behind its address" };
    Err(more.to_owned())
}

/// The value without what mail programs make of an address in HTML (`<a@b<mailto:a@b>>`, `<mailto:a@b>`), and with single
/// spaces.
fn without_links(value: &str) -> String {
    let mut value = value.split_whitespace().collect::<Vec<_>>().join(" ");
    for (open, close) in [("<mailto:", '>'), ("[mailto:", ']')] {
        while let Some(start) = value.find(open) {
            let end = value[start..].find(close).map_or(value.len(), |end| start + end + 1);
            if value[..start].contains('@') {
                value.replace_range(start..end, "");
            } else {
                value.replace_range(start..start + open.len(), "<");
            }
        }
    }
    value.split_whitespace().collect::<Vec<_>>().join(" ").replace(" >", ">")
}

/// A line that is a comment in square brackets.
fn note(line: &str) -> Option<String> {
    let line = line.trim();
    let hidden = line.contains(plain::is_hidden);
    (line.len() > 2 && line.starts_with('[') && line.ends_with(']') && !hidden).then(|| line.to_owned())
}

/// The link of a `Closes:` line.
fn closes(line: &str) -> Option<String> {
    let link = line.strip_prefix("Closes: ")?.trim();
    let good = link.starts_with("http") && !link.contains(|c: char| c.is_whitespace() || plain::is_hidden(c));
    good.then(|| link.to_owned())
}

#[cfg(test)]
mod tests;

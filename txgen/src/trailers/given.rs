// SPDX-License-Identifier: GPL-2.0
//! Lines of an answer that look like trailers, and what becomes of each: the kernel's form, or why it has none.
//!
//! What stands around an address is treated as b4 0.16 does: a comment behind `#` or in `[]` is kept, one in `()` and the
//! `<mailto:>` of a mail program are cut, and a line in `[]` below stays below. Unlike b4, a combined trailer is split,
//! as Documentation/process/maintainer-tip.rst wants; what b4 takes as text without an address is not taken here.

use std::borrow::Cow;

use lines::{own_lines, within};

use crate::mail::header;
use crate::mailbox;
use crate::plain;

mod lines;

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

/// The lines of a mail's text that look like trailers, but for what is quoted, a signature, and what is in a patch.
pub fn find(text: &str) -> Vec<Given> {
    let lines = own_lines(text);
    let line_at = |at: usize| lines.get(at).map(|(line, _)| *line);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((line, is_below_diff)) = lines.get(at) {
        at += 1;
        // Some programs fold a long line before the address.
        let address = line_at(at).filter(|next| next.trim_start().starts_with('<'));
        let Some((name, mut value, odd)) = claim(line).or_else(|| within(line, address.is_some())) else { continue };
        let mut written = line.trim().to_owned();
        if let Some(next) = address.filter(|_| !value.contains('@')) {
            value = format!("{value} {}", next.trim()).trim().to_owned();
            written = format!("{written} {}", next.trim());
            at += 1;
        }
        let kinds = kinds(&name);
        let odd = if *is_below_diff { Some("it stands below a diff") } else { odd };
        let trailers = trailers(&name, &value, &kinds, odd);
        let note = trailers.is_ok().then(|| line_at(at)).flatten().and_then(note);
        at += usize::from(note.is_some());
        let closes = kinds.contains(&"Reported-by").then(|| line_at(at)).flatten().and_then(closes);
        at += usize::from(closes.is_some());
        found.push(Given { written, name, value, kinds, trailers, closes, note });
    }
    found
}

/// The lines of a text that is attached to a mail which look like what a person says; none of them is taken.
pub fn find_attached(text: &str) -> Vec<Given> {
    let found = find(text).into_iter().filter(|given| !given.kinds.is_empty());
    found.map(|given| Given { trailers: Err("it stands in an attachment".to_owned()), ..given }).collect()
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
    let value = without_links(&decoded(value)?);
    no_hidden(&value)?;
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

/// Whether a value has only characters that a name may have.
fn no_hidden(value: &str) -> Result<(), String> {
    match value.chars().find(|c| plain::is_hidden(*c) || *c == char::REPLACEMENT_CHARACTER) {
        Some(odd) => Err(format!("it has a character that no name has, U+{:04X}", u32::from(odd))),
        None => Ok(()),
    }
}

/// The value with what its encoded words say, which some programs leave in a text.
fn decoded(value: &str) -> Result<Cow<'_, str>, String> {
    if !value.contains("=?") {
        return Ok(Cow::Borrowed(value));
    }
    let text =
        mailbox::header_text(value).filter(|text| !text.split('<').next().is_some_and(|name| name.contains("=?")));
    let text = text.ok_or("its name is in encoded words that can not be read")?;
    no_hidden(&text)?;
    Ok(Cow::Owned(text))
}

/// The value without what mail programs make of an address in HTML (`<a@b<mailto:a@b>>`, `<mailto:a@b>`), and with single
/// spaces.
fn without_links(value: &str) -> String {
    let value = without_link(without_link(value.to_owned(), "<mailto:", '>'), "[mailto:", ']');
    value.split_whitespace().collect::<Vec<_>>().join(" ").replace(" >", ">")
}

/// The value without links in one form, in one pass: those behind an address go, another is the address.
fn without_link(value: String, open: &str, close: char) -> String {
    if !value.contains(open) {
        return value;
    }
    let (mut kept, mut rest, mut has_address) = (String::with_capacity(value.len()), value.as_str(), false);
    while let Some((before, link)) = rest.split_once(open) {
        kept.push_str(before);
        has_address |= before.contains('@');
        rest = if has_address {
            link.split_once(close).map_or("", |(_, rest)| rest)
        } else {
            kept.push('<');
            link
        };
    }
    kept + rest
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

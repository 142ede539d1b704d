// SPDX-License-Identifier: GPL-2.0
//! The headers of a mail: folded lines, and encoded words, which become UTF-8.

use std::borrow::Cow;
use std::sync::LazyLock;

use anyhow::{Result, bail};
use base64::Engine;
use regex::bytes::{Captures, Regex};

use super::charset;
use super::coding::{ENGINE, base64_decoded, quoted};

/// Headers with UTF-8 in their encoded words and outside. Those that nobody reads may be no text at all.
pub(super) fn in_words(fields: &[&[u8]], charset: &str) -> Result<Vec<u8>> {
    let mut new = Vec::new();
    for field in fields {
        let is_read = ["from", "subject"].iter().find(|name| value(field, name).is_some());
        let text = match std::str::from_utf8(field) {
            Ok(_) => Some(Cow::Borrowed(*field)),
            Err(_) => charset::decode(charset, field).map(|text| Cow::Owned(text.into_bytes())),
        };
        match (text.as_ref().and_then(|text| words(text, encoded)), is_read) {
            (Some(text), _) => new.extend(text),
            (None, None) => new.extend_from_slice(field),
            (None, Some(name)) => {
                bail!(
                    "its {name} header can not be decoded: {}",
                    field[..field.len().min(120)].trim_ascii().escape_ascii()
                )
            }
        }
    }
    Ok(new)
}

/// The value of a header of a mail, on one line, as it is there.
pub fn header(headers: &[u8], name: &str) -> Option<String> {
    fields(headers).iter().find_map(|field| value(field, name))
}

/// What the encoded words of a header's value say.
pub fn header_text(value: &str) -> Option<String> {
    String::from_utf8(words(value.as_bytes(), str::to_owned)?).ok()
}

/// A header with its encoded words written anew; `None` where one can not be decoded.
fn words(field: &[u8], write: fn(&str) -> String) -> Option<Vec<u8>> {
    static WORDS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"=\?([^?\s]+)\?([bBqQ])\?([^?]*)\?=").expect("the pattern is one"));
    let mut new = Vec::new();
    let mut end = 0;
    let mut words = WORDS.captures_iter(field).peekable();
    while let Some(word) = words.next() {
        let whole = word.get(0)?;
        new.extend_from_slice(&field[end..whole.start()]);
        let charset = word[1].to_ascii_lowercase();
        let mut bytes = word_decoded(&word)?;
        end = whole.end();
        // A character may begin in one word and end in the next.
        while let Some(next) = words.next_if(|next| {
            let start = next.get(0).map_or(0, |whole| whole.start());
            next[1].eq_ignore_ascii_case(&charset) && field[end..start].trim_ascii().is_empty()
        }) {
            bytes.extend(word_decoded(&next)?);
            end = next.get(0)?.end();
        }
        let charset = String::from_utf8(charset).ok()?;
        // RFC 2231 lets a language follow the charset.
        let text = charset::decode(charset.split('*').next().unwrap_or_default(), &bytes)?;
        new.extend(write(&text).bytes());
    }
    new.extend_from_slice(&field[end..]);
    Some(new)
}

fn word_decoded(word: &Captures<'_>) -> Option<Vec<u8>> {
    if word[2].eq_ignore_ascii_case(b"b") {
        return base64_decoded(&word[3]);
    }
    let spaced = word[3].iter().map(|byte| if *byte == b'_' { b' ' } else { *byte }).collect::<Vec<_>>();
    Some(quoted(&spaced))
}

/// Encoded words of a length that every program takes, none of which ends within a character.
fn encoded(text: &str) -> String {
    let mut words = vec![String::new()];
    for c in text.chars() {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= 45 => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    words.iter().map(|word| format!("=?UTF-8?B?{}?=", ENGINE.encode(word))).collect::<Vec<_>>().join(" ")
}

/// The headers of a mail, and its body with the blank line before it.
pub fn head(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() {
            break;
        }
        at += line.len();
    }
    bytes.split_at(at)
}

/// Headers, each with the lines that it is folded into.
pub(super) fn fields(headers: &[u8]) -> Vec<&[u8]> {
    let mut fields = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in headers.split_inclusive(|byte| *byte == b'\n') {
        if at > start && !line.starts_with(b" ") && !line.starts_with(b"\t") {
            fields.push(&headers[start..at]);
            start = at;
        }
        at += line.len();
    }
    fields.push(&headers[start..at]);
    fields
}

/// The value of a header that has this name, on one line.
pub(super) fn value(field: &[u8], name: &str) -> Option<String> {
    let start = field.get(..name.len()).filter(|start| start.eq_ignore_ascii_case(name.as_bytes()))?;
    let value = field[start.len()..].strip_prefix(b":")?;
    Some(String::from_utf8_lossy(value).split_whitespace().collect::<Vec<_>>().join(" "))
}

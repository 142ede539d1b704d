// SPDX-License-Identifier: GPL-2.0
//! A mail made into one that is UTF-8 throughout, with everything else of it as it was.
//!
//! Programs that read mails believe what a mail says of its charset. Mails say `us-ascii` of UTF-8 and `gb2312` of what
//! is GBK, cut a character in two between encoded words, or leave out what they are.

use std::borrow::Cow;
use std::sync::LazyLock;

use anyhow::{Result, bail};
use regex::bytes::Regex;

use super::charset;
use super::coding::Coding;
use super::headers::{fields, head, in_words, value};

/// How deep parts may hold parts.
const MOST_DEPTH: usize = 20;

/// How much of the text of a mail becomes UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// What is before a diff: the bytes of a diff are those of the files that it changes.
    Message,
}

/// The mail with its headers and texts in UTF-8; an error tells what is no text.
pub fn in_utf8(mail: &[u8], extent: Extent) -> Result<Vec<u8>> {
    part(mail, extent, 0)
}

fn part(bytes: &[u8], extent: Extent, depth: usize) -> Result<Vec<u8>> {
    if depth > MOST_DEPTH {
        bail!("it has parts in parts, more than {MOST_DEPTH} deep");
    }
    let (headers, body) = head(bytes);
    let fields = fields(headers);
    let find = |name: &str| fields.iter().find_map(|field| value(field, name));
    let kind = Kind::parse(&find("content-type").unwrap_or_default());
    let is_text = kind.name.is_empty() || kind.name.starts_with("text/");
    let (body, fields) = match &kind.boundary {
        Some(boundary) if kind.name.starts_with("multipart/") => (parts(body, boundary, extent, depth)?, fields),
        _ if is_text => return in_utf8_text(&fields, body, &kind, extent),
        _ => (body.to_owned(), fields),
    };
    Ok([in_words(&fields, &kind.charset)?, body].concat())
}

/// A part that is text, with what its headers say of it.
fn in_utf8_text(fields: &[&[u8]], body: &[u8], kind: &Kind, extent: Extent) -> Result<Vec<u8>> {
    let coding = fields.iter().find_map(|field| value(field, "content-transfer-encoding")).unwrap_or_default();
    let coding = Coding::parse(&coding);
    let plain = coding.decode(body)?;
    let text = text(&plain, &kind.charset, extent)?;
    let is_plain = kind.charset.is_empty() || kind.charset.to_ascii_lowercase().starts_with("utf");
    if is_plain && text == plain {
        return Ok([&in_words(fields, &kind.charset)?, body].concat());
    }
    let fields = fields.iter().map(|field| declared(field)).collect::<Vec<_>>();
    let fields = fields.iter().map(AsRef::as_ref).collect::<Vec<_>>();
    Ok([in_words(&fields, &kind.charset)?, coding.encode(&text)].concat())
}

/// The parts between the lines of a boundary.
fn parts(body: &[u8], boundary: &str, extent: Extent, depth: usize) -> Result<Vec<u8>> {
    let mark = format!("--{boundary}");
    let is_mark = |line: &[u8]| {
        line.strip_prefix(mark.as_bytes()).is_some_and(|end| [&b""[..], b"--"].contains(&end.trim_ascii()))
    };
    let (mut new, mut inner, mut is_inside) = (Vec::new(), Vec::new(), false);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        if is_mark(line) {
            new.extend(part(&std::mem::take(&mut inner), extent, depth + 1)?);
            is_inside = !line.trim_ascii_end().ends_with(b"--");
            new.extend_from_slice(line);
        } else if is_inside {
            inner.extend_from_slice(line);
        } else {
            new.extend_from_slice(line);
        }
    }
    if !inner.is_empty() {
        new.extend(part(&inner, extent, depth + 1)?);
    }
    Ok(new)
}

/// Text in UTF-8, as far as it is to be.
fn text<'a>(plain: &'a [u8], charset: &str, extent: Extent) -> Result<Cow<'a, [u8]>> {
    let end = if extent == Extent::Whole { plain.len() } else { start_of_diff(plain) };
    let (message, diff) = plain.split_at(end);
    let Some(text) = charset::decode(charset, message) else {
        bail!("its text can not be decoded: it is not in charset {}", named(charset))
    };
    Ok(if text.as_bytes() == message { Cow::Borrowed(plain) } else { Cow::Owned([text.as_bytes(), diff].concat()) })
}

fn named(charset: &str) -> &str {
    if charset.is_empty() { "UTF-8, and names no other" } else { charset }
}

/// Where the first diff of a text begins.
fn start_of_diff(text: &[u8]) -> usize {
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let names_file = line.strip_prefix(b"--- ").is_some_and(|rest| !rest.trim_ascii().is_empty());
        if names_file || line.starts_with(b"diff -") || line.starts_with(b"Index: ") {
            break;
        }
        at += line.len();
    }
    at
}

/// What a Content-Type says.
struct Kind {
    /// In lower case; empty where there is none.
    name: String,
    /// Empty where there is none.
    charset: String,
    boundary: Option<String>,
}

impl Kind {
    fn parse(value: &str) -> Self {
        let parameter = |name: &str| {
            value.split(';').skip(1).find_map(|parameter| {
                let (key, value) = parameter.split_once('=')?;
                key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
            })
        };
        Self {
            name: value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase(),
            charset: parameter("charset").unwrap_or_default(),
            boundary: parameter("boundary").filter(|boundary| !boundary.is_empty()),
        }
    }
}

/// A Content-Type that names another charset, with UTF-8 in its place; any other header as it is.
fn declared(field: &[u8]) -> Cow<'_, [u8]> {
    static CHARSET: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(?i)\bcharset\s*=\s*("[^"]*"|[^;\s]+)"#).expect("the pattern is one"));
    match value(field, "content-type") {
        Some(_) => CHARSET.replace(field, &b"charset=UTF-8"[..]),
        None => Cow::Borrowed(field),
    }
}

#[cfg(test)]
mod tests {
    use super::{Extent, in_utf8};

    fn whole(mail: &[u8]) -> String {
        String::from_utf8(in_utf8(mail, Extent::Whole).unwrap()).unwrap()
    }

    #[test]
    fn a_mail_in_utf_8_stays_byte_by_byte() {
        for mail in [
            "Subject: =?UTF-8?B?w6k=?= =?x\n\nJ\u{e9}r\u{f4}me\n",
            "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nJ=C3=A9r=\n=C3=B4me\n",
            "Content-Type: application/pgp-signature; x=y\n\n\u{1}\n",
            "Subject: x",
            "",
        ] {
            assert_eq!(whole(mail.as_bytes()), mail);
        }
    }

    #[test]
    fn a_body_says_that_it_is_utf_8_and_keeps_its_coding() {
        let mail = |coding: &str, body: &[u8]| {
            let head = format!(
                "Content-Type: text/plain; charset=\"ISO-8859-1\"; format=flowed\nContent-Transfer-Encoding: {coding}\n\n"
            );
            let text = whole(&[head.as_bytes(), body].concat());
            assert!(text.starts_with("Content-Type: text/plain; charset=UTF-8; format=flowed\n"), "{text}");
            text.split_once("\n\n").unwrap().1.to_owned()
        };
        assert_eq!(mail("8bit", b"J\xe9r\xf4me\n"), "J\u{e9}r\u{f4}me\n");
        assert_eq!(mail("quoted-printable", b"J=E9r=\n=F4me =3D\n"), "J=C3=A9r=C3=B4me =3D\n");
        assert_eq!(mail("base64", b"Suly9G1lCg==\n"), "SsOpcsO0bWUK\n");
    }

    #[test]
    fn a_character_that_two_encoded_words_share_is_put_together() {
        let text = whole(b"From: =?gb2312?B?1tDO?= =?GB2312?Q?=C4?= <a@example.org>\nSubject: =?UTF-8?Q?J=C3?=\n =?UTF-8?Q?=A9?= x\n\n");
        assert_eq!(text, "From: =?UTF-8?B?5Lit5paH?= <a@example.org>\nSubject: =?UTF-8?B?SsOp?= x\n\n");
    }

    #[test]
    fn headers_without_encoding_are_in_the_charset_of_the_mail() {
        let text = whole(
            b"From: J\xe9 <a@example.org>\nContent-Type: text/plain; charset=latin1\nX-Junk: =?klingon?B?eA==?=\n\nx\n",
        );
        assert!(text.starts_with("From: J\u{e9} <a@example.org>\n") && text.contains("=?klingon?"), "{text}");
    }

    #[test]
    fn each_part_of_a_mail_has_its_own_charset() {
        let text = whole(
            b"Content-Type: multipart/mixed; boundary=\"x y\"\n\nbefore\n--x y\nContent-Type: text/plain; charset=koi8-r\n\n\xe0\n--x y\n\n\xc3\xa9\n--x y--\nafter\n",
        );
        assert!(text.contains("charset=UTF-8\n\n\u{42e}\n--x y\n\n\u{e9}\n--x y--\nafter\n"), "{text}");
    }

    #[test]
    fn the_bytes_of_a_diff_stay_those_of_its_files() {
        let mail = b"Content-Type: text/plain; charset=iso-8859-1\n\n\xe9\n---\n\xe9\n\ndiff --git a/x b/x\n+\xe9\n";
        let text = in_utf8(mail, Extent::Message).unwrap();
        assert!(
            text.ends_with(
                "\u{e9}\n---\n\u{e9}\n\ndiff --git a/x b/x\n+"
                    .as_bytes()
                    .iter()
                    .chain(b"\xe9\n")
                    .copied()
                    .collect::<Vec<_>>()
                    .as_slice()
            )
        );
    }

    #[test]
    fn what_is_no_text_is_an_error_that_says_where() {
        let error = |mail: &[u8]| in_utf8(mail, Extent::Whole).unwrap_err().to_string();
        assert_eq!(error(b"\n\xe9\n"), "its text can not be decoded: it is not in charset UTF-8, and names no other");
        let text = b"Content-Type: text/plain; charset=us-ascii\n\n\xe9\n";
        assert_eq!(error(text), "its text can not be decoded: it is not in charset us-ascii");
        assert_eq!(
            error(b"Subject: =?klingon?q?x?=\n\n"),
            "its subject header can not be decoded: Subject: =?klingon?q?x?="
        );
        assert_eq!(error(b"Content-Transfer-Encoding: base64\n\nA\n"), "its base64 is broken");
    }
}

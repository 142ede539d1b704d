// SPDX-License-Identifier: GPL-2.0
//! What the values of series.toml, bases.toml and trees.toml may hold: all that reaches a mail, a file name, a ref or a
//! command line is checked here, where it is read, so that the error has its line and column.
//!
//! The functions are for serde's `deserialize_with`.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

use crate::base::record::is_name;
use crate::mail::header;
use crate::plain::{self, shown};
use crate::series::path;

/// Bytes of a line: what is longer fits in no header.
const LINE: usize = 900;

/// Bytes of a word that becomes part of each subject.
const WORD: usize = 60;

/// What is wrong with a value, as the rest of a sentence.
type Verdict = Result<(), String>;

/// One line of text: no control characters, and none that turn the direction of others around.
pub fn check_line(text: &str) -> Verdict {
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    if text.len() > LINE {
        return Err(format!("it has {} bytes, at most {LINE} fit in a line of a mail", text.len()));
    }
    check_characters(text, "")
}

/// The characters of a text, beside those of `allowed`.
fn check_characters(text: &str, allowed: &str) -> Verdict {
    match text.chars().find(|c| plain::is_odd(*c) && !allowed.contains(*c)) {
        Some(c) => Err(format!("it holds the character U+{:04X}: take it out", u32::from(c))),
        None => Ok(()),
    }
}

/// Lines of text.
pub fn check_text(text: &str) -> Verdict {
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    check_characters(text, "\n\t")
}

/// The path of a file in a kernel tree.
fn check_path(text: &str) -> Verdict {
    path::check(text).map_err(|what| format!("path `{}` {what}", shown(text)))?;
    check_line(text)
}

/// A tree as it stands in subjects: `net-next`.
pub fn check_tree(text: &str) -> Verdict {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
    let is_word = text.bytes().all(fits) && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.len() <= WORD;
    if is_word { Ok(()) } else { Err(format!("`{}` is no name of a tree, such as `net-next`", shown(text))) }
}

/// A recipient: `Name <address>` or an address.
fn check_recipient(text: &str) -> Verdict {
    check_line(text)?;
    let what = || format!("`{}` is no recipient: write `Name <address>` or an address", shown(text));
    if header::is_recipient(text) { Ok(()) } else { Err(what()) }
}

/// A message id without angle brackets.
pub fn check_message_id(text: &str) -> Verdict {
    let fits = |b: u8| b.is_ascii_graphic() && !b"<>".contains(&b);
    let is_id = !text.is_empty() && text.bytes().all(fits) && text.len() <= LINE;
    if is_id { Ok(()) } else { Err(format!("`{}` is no message id: it has no brackets and no spaces", shown(text))) }
}

/// An object id of git, or the start of one.
fn check_object(text: &str) -> Verdict {
    let is_id = !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if is_id { Ok(()) } else { Err(format!("`{}` is no object id", shown(text))) }
}

/// The name of a patch.
fn check_name(text: &str) -> Verdict {
    let fits = !text.is_empty() && is_name(text) && text.len() <= 200;
    let what = || format!("`{}` is no name: it has lower case letters, digits, `-`, `_` and `.` only", shown(text));
    if fits { Ok(()) } else { Err(what()) }
}

/// A line of text on the command line.
pub fn line_argument(text: &str) -> Result<String, String> {
    check_line(text).map(|()| text.to_owned())
}

/// A tree on the command line.
pub fn tree_argument(text: &str) -> Result<String, String> {
    check_tree(text).map(|()| text.to_owned())
}

struct Checked(fn(&str) -> Verdict);

impl<'de> DeserializeSeed<'de> for &Checked {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<String, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(from)?;
        (self.0)(&text).map_err(D::Error::custom)?;
        Ok(text)
    }
}

struct List(Checked);

impl<'de> Visitor<'de> for List {
    type Value = Vec<String>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a list of strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Vec<String>, A::Error> {
        let mut all = Vec::new();
        while let Some(entry) = entries.next_element_seed(&self.0)? {
            all.push(entry);
        }
        Ok(all)
    }
}

fn one<'de, D: Deserializer<'de>>(from: D, check: fn(&str) -> Verdict) -> Result<String, D::Error> {
    (&Checked(check)).deserialize(from)
}

/// A value that is there; serde asks for no other where the field has `default`.
fn some<'de, D: Deserializer<'de>>(from: D, check: fn(&str) -> Verdict) -> Result<Option<String>, D::Error> {
    one(from, check).map(Some)
}

/// One line of text.
pub fn line<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    one(from, check_line)
}

/// One line of text that may be missing.
pub fn some_line<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    some(from, check_line)
}

/// Lines of text that may be missing.
pub fn some_text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    some(from, check_text)
}

/// A list of lines of text each.
pub fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    from.deserialize_seq(List(Checked(check_text)))
}

/// The name of a tree.
pub fn tree<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    one(from, check_tree)
}

/// Names of trees, which may be missing.
pub fn some_trees<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<String>>, D::Error> {
    from.deserialize_seq(List(Checked(check_tree))).map(Some)
}

/// Recipients.
pub fn recipients<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    from.deserialize_seq(List(Checked(check_recipient)))
}

/// A message id.
pub fn message_id<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    one(from, check_message_id)
}

/// A message id that may be missing.
pub fn some_message_id<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    some(from, check_message_id)
}

/// A path in a kernel tree, which may be missing.
pub fn some_path<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    some(from, check_path)
}

/// An object id.
pub fn object<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    one(from, check_object)
}

/// An object id that may be missing.
pub fn some_object<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    some(from, check_object)
}

/// The name of a patch.
pub fn name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    one(from, check_name)
}

/// The name of a patch, which may be missing.
pub fn some_name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    some(from, check_name)
}

/// Names of patches.
pub fn names<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    from.deserialize_seq(List(Checked(check_name)))
}

#[cfg(test)]
mod tests {
    use super::{check_line, check_message_id, check_name, check_object, check_recipient, check_text, check_tree};

    #[test]
    fn nothing_that_makes_a_header_passes() {
        let checks = [check_line, check_tree, check_recipient, check_message_id, check_object, check_name];
        for check in checks {
            for bad in ["", " ", "a\nBcc: b@c.org", "a@b.org\r", "a@b.org\u{1b}[2J", "a\u{202e}b@c.org", "a\0"] {
                assert!(check(bad).is_err(), "{bad:?}");
            }
            assert!(check(&"a".repeat(1 << 20)).is_err());
        }
    }

    #[test]
    fn usual_values_pass() {
        for tree in ["net", "net-next", "NET", "mm", "wireless-next", "v6.12.y", "tip/x86"] {
            assert_eq!(check_tree(tree), Ok(()), "{tree}");
        }
        assert_eq!(check_line("net: Jérôme's “fix”"), Ok(()));
        assert_eq!(check_text("one\n\ttwo"), Ok(()));
        assert_eq!(check_message_id("20261123-x-v1-0-0123456789ab@example.org"), Ok(()));
        assert_eq!(check_object("0123abc"), Ok(()));
        assert_eq!(check_name("core-2.x_y"), Ok(()));
        assert_eq!(check_recipient("\"Cee, Ann (x)\" <a@b.org>"), Ok(()));
    }

    #[test]
    fn what_would_end_a_subject_or_leave_a_folder_is_no_name() {
        for tree in ["net-next]", "net next", "net-next]\nBcc: x@y.org", "-x", "net,"] {
            assert!(check_tree(tree).is_err(), "{tree}");
        }
        for name in ["../x", "a/b", "-x", "A", ".x", "x.lock"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        for id in ["<a@b.org>", "a b@c.org", "ä@b.org"] {
            assert!(check_message_id(id).is_err(), "{id}");
        }
        assert!(check_object("--output=x").is_err());
    }
}

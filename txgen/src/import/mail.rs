// SPDX-License-Identifier: GPL-2.0
//! One mail as a patch that is not applied yet.

use anyhow::{Context, Result, anyhow, bail};

use super::info::{self, Info, Subject};
use super::note;
use crate::git::{Identity, identity};
use crate::mailbox::{self, RawMail};
use crate::plain;
use crate::series::Message;

/// The author of a mail that a mail folder has for itself.
const FOLDER_DATA: &str = "Mail System Internal Data";

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mail {
    /// Where it is from, for errors.
    pub(super) place: String,
    pub(super) author: Option<Identity>,
    /// The message of the commit.
    pub(super) message: String,
    /// All from `---` or the diff on.
    pub(super) diff: Vec<u8>,
    /// The same with its carriage returns, where it has any: that is for files that have them.
    pub(super) with_returns: Option<Vec<u8>>,
}

/// Reads a mail of a mailbox, which needs an author.
pub(super) fn read(raw: &RawMail) -> Result<Mail> {
    let mail = read_any(raw)?;
    if mail.author.is_none() && mail.has_patch() {
        bail!("{} has no author: its From: header names nobody", mail.place);
    }
    Ok(mail)
}

/// Reads a mail that may have no author, as the patches of a quilt folder.
pub(super) fn read_any(raw: &RawMail) -> Result<Mail> {
    let place = &raw.place;
    let (headers, _) = mailbox::head(&raw.bytes);
    if headers.contains(&0) {
        bail!("{place}: its headers have a NUL byte");
    }
    let parse = |bytes: &[u8]| info::read(bytes, Subject::Bare).with_context(|| format!("read {place}"));
    // git am takes carriage returns away; a record of our own has those alone that are in the files.
    let plain = without_returns(&raw.bytes);
    let (info, with_returns) = match plain {
        Some(plain) if !is_own(headers) => (parse(&plain)?, Some(parse(&raw.bytes)?.diff)),
        _ => (parse(&raw.bytes)?, None),
    };
    let message = message(&info).map_err(|error| anyhow!("{place}: {error:#}"))?;
    let author = author(&info).map_err(|error| anyhow!("{place}: {error:#}"))?;
    Ok(Mail { place: place.clone(), author, message, diff: info.diff, with_returns })
}

impl Mail {
    /// Whether it changes a file. A range-diff is indented and changes none.
    pub(super) fn has_patch(&self) -> bool {
        note::start_of_diff(&self.diff) < self.diff.len()
    }

    /// Whether a mail program keeps something for itself in it.
    pub(super) fn is_folder_data(&self) -> bool {
        self.author.as_ref().is_some_and(|author| author.name == FOLDER_DATA)
    }

    pub(super) fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// The message without its subject.
    pub(super) fn body(&self) -> &str {
        self.message.split_once('\n').map_or("", |(_, body)| body.trim())
    }
}

/// Whether txgen wrote a mail.
fn is_own(headers: &[u8]) -> bool {
    mailbox::header(headers, "X-Change-ID").is_some()
}

fn without_returns(mail: &[u8]) -> Option<Vec<u8>> {
    if !mail.windows(2).any(|bytes| bytes == b"\r\n") {
        return None;
    }
    let lines = mail.split_inclusive(|byte| *byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r\n").map_or(line.to_owned(), |line| [line, b"\n"].concat()));
    Some(lines.collect::<Vec<_>>().concat())
}

/// The message as `git am` puts it together, which has to fit into a .msg file.
fn message(info: &Info) -> Result<String> {
    let text = stripped(&format!("{}\n\n{}", info.subject, info.message));
    if text.is_empty() {
        bail!("it has no subject");
    }
    if text.contains('\0') {
        bail!("its text has a NUL byte");
    }
    match Message::parse_without_author(&text) {
        Ok(_) => Ok(text),
        Err(error) => bail!("its message does not fit into a .msg file, line {error}"),
    }
}

/// Text without spaces at the ends of lines, and with one blank line where there are more, as git keeps it.
fn stripped(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut is_blank = false;
    for line in text.split('\n').map(|line| line.trim_end_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}')) {
        if line.is_empty() {
            is_blank = true;
            continue;
        }
        if is_blank && !kept.is_empty() {
            kept.push('\n');
        }
        is_blank = false;
        kept.push_str(line);
        kept.push('\n');
    }
    kept
}

/// The author as git writes a commit's; there is none where the mail names none.
fn author(info: &Info) -> Result<Option<Identity>> {
    if info.author.is_empty() && info.email.is_empty() {
        return Ok(None);
    }
    let (name, email) = (info.author.clone(), info.email.clone());
    let who = identity::cleaned(&Identity { name, email }).context("its author")?.display();
    match (Identity::parse(&who), who.chars().find(|c| plain::is_odd(*c))) {
        (Some(who), _) => Ok(Some(who)),
        (None, Some(c)) => bail!("its author holds the character U+{:04X}: take it out of the mail", u32::from(c)),
        (None, None) => bail!("its author: `{}` has no name or no address", who.escape_debug()),
    }
}

#[cfg(test)]
mod tests {
    use super::stripped;

    #[test]
    fn messages_are_kept_as_git_keeps_them() {
        assert_eq!(stripped("\n\na  \n\n\n\nb\t\r\n\n  c\n\n"), "a\n\nb\n\n  c\n");
        assert_eq!(stripped(" \n\n"), "");
    }
}

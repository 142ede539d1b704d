// SPDX-License-Identifier: GPL-2.0
//! What `git mailinfo` makes of a mail, called as `git am` calls it.

use std::fs;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::note;
use crate::check::trailers;
use crate::git::program;
use crate::mailbox::{self, Extent};

/// The parts of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Info {
    /// Empty where there is none.
    pub(super) author: String,
    /// Empty where there is none.
    pub(super) email: String,
    /// Without tags, where they were not to be kept; several lines where an encoded one has them.
    pub(super) subject: String,
    /// The text above `---`, or above the diff.
    pub(super) message: String,
    /// All from there on, as it is in the files that the diff changes.
    pub(super) diff: Vec<u8>,
}

/// How the subject is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// Without `[PATCH]` and what else is in brackets.
    Bare,
    /// With it.
    Tagged,
}

/// Reads a mail. Where git can not decode it, or has nothing to decode by, it is given to git in UTF-8.
pub(super) fn read(mail: &[u8], subject: Subject) -> Result<Info> {
    if let Some(info) = mailinfo(mail, subject)?.ok().filter(|info| info.fault().is_none()) {
        return Ok(info);
    }
    match mailinfo(&mailbox::in_utf8(mail, Extent::Message)?, subject)? {
        Ok(info) => info.fault().map_or(Ok(info), |fault| bail!("{fault}")),
        Err(error) => bail!("{error}"),
    }
}

/// Runs git; the inner error is what git has to say of a mail.
fn mailinfo(mail: &[u8], subject: Subject) -> Result<std::result::Result<Info, String>> {
    let dir = TempDir::new().context("make a temporary folder")?;
    let (message, diff) = (dir.path().join("message"), dir.path().join("diff"));
    let keep = (subject == Subject::Tagged).then_some("-k");
    let run = program::without_repository().args(["mailinfo", "-u"]).args(keep).arg(&message).arg(&diff);
    let output = run.stdin(mail).output()?;
    if !output.status.success() {
        return Ok(Err(output.errors().trim().replace("error: ", "")));
    }
    let [message, diff] =
        [message, diff].map(|file| fs::read(&file).with_context(|| format!("read {}", file.display())));
    let (Ok(head), Ok(message)) = (String::from_utf8(output.stdout), String::from_utf8(message?)) else {
        return Ok(Err("its text is no UTF-8".to_owned()));
    };
    let fields = |key: &str| {
        let lines = head.lines().filter_map(|line| line.strip_prefix(key));
        lines.map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    let (author, email, subject) = (fields("Author: "), fields("Email: "), fields("Subject: "));
    Ok(Ok(Info { author, email, subject, message, diff: diff? }))
}

impl Info {
    /// What keeps it out of a series. A note below `---` is not decoded by git, and its escapes of iso-2022-jp are ASCII.
    ///
    /// Neither git nor txgen replaces what can not be decoded: a U+FFFD is the mail's own. In prose it may be what the
    /// prose is about; in a name, a subject or a note it stands for text that some program before could not decode.
    fn fault(&self) -> Option<String> {
        let Ok(below) = std::str::from_utf8(&self.diff[..note::start_of_diff(&self.diff)]) else {
            return Some("its note is no UTF-8".to_owned());
        };
        if below.contains('\u{1b}') {
            return Some("its note has an escape character: write it in UTF-8".to_owned());
        }
        let trailers = trailers::in_message(&self.message);
        let places = [
            ("author", self.author.contains(REPLACED) || self.email.contains(REPLACED)),
            ("subject", self.subject.contains(REPLACED)),
            ("note", below.contains(REPLACED)),
        ];
        let place = places.into_iter().find(|(_, has)| *has).map(|(place, _)| format!("its {place} has"));
        let names_somebody = |name: &str, value: &str| name.ends_with("-by") || value.contains('@');
        let is_bad = |(name, value): &&(&str, &str)| value.contains(REPLACED) && names_somebody(name, value);
        let in_trailers = trailers.iter().find(is_bad);
        let place = place.or_else(|| in_trailers.map(|(name, _)| format!("its trailer {name} has")));
        place.map(|place| format!("{place} U+FFFD, which stands for what some program could not read: write it anew"))
    }
}

/// What stands for text that some program before could not decode.
const REPLACED: char = '\u{fffd}';

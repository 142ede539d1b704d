// SPDX-License-Identifier: GPL-2.0
//! What `git mailinfo` makes of a mail, called as `git am` calls it.

use std::fs;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::note;
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
    if let Some(info) = mailinfo(mail, subject)?.ok().filter(Info::is_text) {
        return Ok(info);
    }
    match mailinfo(&mailbox::in_utf8(mail, Extent::Message)?, subject)? {
        Ok(info) if info.is_text() => Ok(info),
        Ok(_) => bail!("its text is no UTF-8"),
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
    /// Whether everything that is kept as text is: a note below `---` is not decoded by git, and its escapes of
    /// iso-2022-jp are ASCII.
    fn is_text(&self) -> bool {
        let below = &self.diff[..note::start_of_diff(&self.diff)];
        let texts = [&self.author, &self.email, &self.subject, &self.message];
        std::str::from_utf8(below).is_ok_and(|below| !below.contains('\u{1b}') && !below.contains(REPLACED))
            && !texts.iter().any(|text| text.contains(REPLACED))
    }
}

/// What stands for text that some program before could not decode.
const REPLACED: char = '\u{fffd}';

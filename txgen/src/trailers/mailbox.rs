// SPDX-License-Identifier: GPL-2.0
//! The only user of mail-parser: mails of an mbox as plain data. HTML alone has no text here.

use std::path::Path;

use anyhow::{Context, Result};
use mail_parser::{HeaderValue, MessageParser, PartType};
use tempfile::TempDir;

use crate::git::program;

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its message id.
    pub id: String,
    /// The ids of the mails that it answers, the nearest first.
    pub answers: Vec<String>,
    /// Name of who sent it, empty where there is none.
    pub name: String,
    /// Address of who sent it.
    pub address: String,
    /// Its text, decoded.
    pub text: String,
}

/// The mails of a file: an mbox (mboxrd, as archives have it), or a lone mail. What is no mail is left out.
pub fn read(path: &Path) -> Result<Vec<Letter>> {
    let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    if !bytes.starts_with(b"From ") {
        return Ok(letter(&bytes).into_iter().collect());
    }
    // git knows a `From ` that begins a mail from one that begins a line, where no program has escaped it.
    let dir = TempDir::new().context("make a folder for mails")?;
    let split = program::without_repository().args(["mailsplit", "--mboxrd", "--keep-cr", "-d8"]);
    let split = split.arg(format!("-o{}", dir.path().display())).arg(path).env("LC_ALL", "C");
    let split = split.check().with_context(|| format!("split {} into mails", path.display()))?;
    let count = split.text().trim().parse::<usize>().context("git mailsplit tells no number")?;
    let mut letters = Vec::new();
    for number in 1..=count {
        let file = dir.path().join(format!("{number:08}"));
        letters.extend(letter(&std::fs::read(&file).with_context(|| format!("read {}", file.display()))?));
    }
    Ok(letters)
}

fn letter(bytes: &[u8]) -> Option<Letter> {
    let mail = MessageParser::default().parse(bytes)?;
    let from = mail.from()?.first()?;
    let ids = |value: &HeaderValue<'_>| {
        let list = value.as_text_list().unwrap_or_default();
        list.iter().rev().map(ToString::to_string).collect::<Vec<_>>()
    };
    let mut answers = ids(mail.in_reply_to());
    answers.extend(ids(mail.references()));
    let texts = mail.text_bodies().filter_map(|part| match &part.body {
        PartType::Text(text) => Some(text.replace("\r\n", "\n")),
        _ => None,
    });
    Some(Letter {
        id: mail.message_id()?.to_owned(),
        answers,
        // An encoded name may hold what would be another line, or a command to the terminal.
        name: from.name().unwrap_or_default().replace(char::is_control, " "),
        address: from.address()?.to_owned(),
        text: texts.collect::<Vec<_>>().join("\n"),
    })
}

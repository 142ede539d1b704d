// SPDX-License-Identifier: GPL-2.0
//! The only user of mail-parser: mails of an mbox as plain data. HTML alone has no text here.

use std::path::Path;

use anyhow::Result;
use mail_parser::{HeaderValue, MessageParser, MessagePart, PartType};

use crate::mailbox::{self, Extent};
use crate::plain::visible;

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
    /// The text that is attached to it, decoded.
    pub attached: String,
}

/// The mails of a mailbox, in any form that [`mailbox::read`] knows. What has no sender or no id is left out, with a word.
pub fn read(path: &Path) -> Result<Vec<Letter>> {
    // A mail in a thread that is no text in the charset that it names is read as far as it is.
    let text = |bytes: &[u8]| mailbox::in_utf8(bytes, Extent::Whole).unwrap_or_else(|_| bytes.to_owned());
    let mut letters = Vec::new();
    for mail in mailbox::read(path)? {
        match letter(&text(&mail.bytes)) {
            Some(letter) => letters.push(letter),
            None => crate::output::eprintln!(
                "warning: {} has no sender or no Message-ID: it is not read",
                visible(&mail.place)
            ),
        }
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
    let text = |part: &MessagePart<'_>| match &part.body {
        PartType::Text(text) => Some(text.replace("\r\n", "\n")),
        _ => None,
    };
    Some(Letter {
        id: mail.message_id()?.to_owned(),
        answers,
        // An encoded name may hold what would be another line, or a command to the terminal.
        name: from.name().unwrap_or_default().replace(char::is_control, " "),
        address: from.address()?.to_owned(),
        text: mail.text_bodies().filter_map(text).collect::<Vec<_>>().join("\n"),
        attached: mail.attachments().filter_map(text).collect::<Vec<_>>().join("\n"),
    })
}

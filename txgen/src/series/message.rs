// SPDX-License-Identifier: GPL-2.0
//! A patch's message: author, subject, body, trailers, and the note that stays below `---`.

use anyhow::{Result, bail};

use crate::git::Identity;
use crate::value;

/// Starts the first line of a .msg file where somebody else than the user wrote the patch, as in a mail.
const FROM: &str = "From: ";

/// A NAME.msg file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who wrote the patch, if not the one who applies it.
    pub author: Option<Identity>,
    /// First line, without any `[PATCH]` tag.
    pub subject: String,
    /// What follows it, trailers included; empty where there is only a subject.
    pub body: String,
    /// Text for the mail alone, below `---`.
    pub note: Option<String>,
}

impl Message {
    /// Parses the text of a .msg file; an error starts with the line that is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        if let Some(rest) = text.strip_prefix(FROM) {
            let (author, rest) = rest.split_once('\n').unwrap_or((rest, ""));
            let Some(author) = Identity::parse(author) else { bail!("1: {}", Identity::fault(author)) };
            let Some(rest) = rest.strip_prefix('\n') else { bail!("2: there is no blank line after the author") };
            let message = Self::parse_without_author(rest);
            return message.map(|message| Self { author: Some(author), ..message }).map_err(|e| lines_lower(&e, 2));
        }
        Self::parse_without_author(text)
    }

    /// Parses the message of a commit; an error starts with the line that is wrong.
    pub fn parse_without_author(text: &str) -> Result<Self> {
        let (message, note) = match text.split_once("\n---\n") {
            Some((message, note)) => (message, Some(note.trim_end().to_owned()).filter(|note| !note.is_empty())),
            None => (text.strip_suffix("\n---").unwrap_or(text), None),
        };
        let (subject, rest) = message.split_once('\n').unwrap_or((message, ""));
        if subject.trim().is_empty() {
            bail!("1: the subject is empty");
        }
        if subject.trim() != subject {
            bail!("1: the subject has spaces at an end");
        }
        if let Err(what) = value::check_text(subject) {
            bail!("1: the subject can not be sent: {what}");
        }
        if subject.starts_with('[') {
            bail!("1: the subject has a tag: `[PATCH ...]` is added to the mail");
        }
        if subject.starts_with(FROM) {
            bail!("1: the subject starts with `From:`, which mails take for the author");
        }
        let (blank, body) = rest.split_once('\n').unwrap_or((rest, ""));
        if !blank.is_empty() {
            bail!("2: there is no blank line after the subject");
        }
        let body = body.trim_end().trim_start_matches('\n').to_owned();
        Ok(Self { author: None, subject: subject.to_owned(), body, note })
    }

    /// The text of the .msg file.
    pub fn text(&self) -> String {
        let mut text =
            self.author.as_ref().map_or_else(String::new, |author| format!("{FROM}{}\n\n", author.display()));
        text += &self.commit_message(None);
        if let Some(note) = &self.note {
            text += &format!("---\n{note}\n");
        }
        text
    }

    /// The message of the commit, signed off by `signer` if there is one.
    pub fn commit_message(&self, signer: Option<&str>) -> String {
        let mut text = self.subject.clone();
        if !self.body.is_empty() {
            text += &format!("\n\n{}", self.body);
        }
        if let Some(signer) = signer {
            let line = format!("Signed-off-by: {signer}");
            // The submitter's sign-off is the last trailer, and is there once.
            if text.lines().last() != Some(&line) {
                text += if has_trailers(&self.body) { "\n" } else { "\n\n" };
                text += &line;
            }
        }
        text + "\n"
    }
}

/// An error of [`Message::parse`], which starts with a line, for text that comes some lines later.
fn lines_lower(error: &anyhow::Error, by: usize) -> anyhow::Error {
    let text = error.to_string();
    match text.split_once(':').and_then(|(line, what)| Some((line.parse::<usize>().ok()?, what))) {
        Some((line, what)) => anyhow::anyhow!("{}:{what}", line + by),
        None => anyhow::anyhow!(text),
    }
}

/// Whether the last paragraph consists of trailers.
fn has_trailers(body: &str) -> bool {
    let last = body.rsplit("\n\n").next().unwrap_or_default();
    // What explains a trailer stands below it.
    last.lines().next().is_some_and(is_trailer)
        && last.lines().all(|line| is_trailer(line) || line.starts_with([' ', '\t', '[', '#']))
}

fn is_trailer(line: &str) -> bool {
    let Some((key, value)) = line.split_once(": ") else { return false };
    !key.is_empty() && !value.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::Message;

    fn parse(text: &str) -> Message {
        Message::parse(text).expect("it is a message")
    }

    #[test]
    fn a_note_stays_out_of_the_commit() {
        let message = parse("net: do it\n\nBecause.\n---\nv2: better\n");
        assert_eq!(message.commit_message(None), "net: do it\n\nBecause.\n");
        assert_eq!(message.note.as_deref(), Some("v2: better"));
    }

    #[test]
    fn the_author_of_another_comes_first() {
        let text = "From: A B <a@example.org>\n\nnet: do it\n\nBecause.\n---\nv2: better\n";
        let message = parse(text);
        assert_eq!(message.author.as_ref().map(crate::git::Identity::display).as_deref(), Some("A B <a@example.org>"));
        assert_eq!(message.commit_message(None), "net: do it\n\nBecause.\n");
        assert_eq!(message.text(), text);
        let error = |text: &str| Message::parse(text).expect_err("it is wrong").to_string();
        assert_eq!(error("From: A\n\nx\n"), "1: an author is `Name <address>`");
        let turned = "From: A\u{202e} <a@b.org>\n\nx\n";
        assert_eq!(error(turned), "1: the author holds the character U+202E: take it out");
        assert_eq!(error("From: A <a@x>\nx\n"), "2: there is no blank line after the author");
        assert_eq!(error("From: A <a@x>\n\nx\ny\n"), "4: there is no blank line after the subject");
        assert_eq!(error("From: A <a@x>\nFrom: B <b@x>\n\nx\n"), "2: there is no blank line after the author");
        let twice = error("From: A <a@x>\n\nFrom: B <b@x>\n\nx\n");
        assert_eq!(twice, "3: the subject starts with `From:`, which mails take for the author");
    }

    #[test]
    fn a_sign_off_joins_the_trailers_or_starts_them() {
        let signed = |text: &str| parse(text).commit_message(Some("A <a@x>"));
        assert_eq!(signed("s: x\n\nB.\n"), "s: x\n\nB.\n\nSigned-off-by: A <a@x>\n");
        assert_eq!(
            signed("s: x\n\nB.\n\nLink: https://x\n"),
            "s: x\n\nB.\n\nLink: https://x\nSigned-off-by: A <a@x>\n"
        );
        assert_eq!(signed("s: x\n\nB.\n\nSigned-off-by: A <a@x>\n"), "s: x\n\nB.\n\nSigned-off-by: A <a@x>\n");
        let noted = "s: x\n\nB.\n\nTested-by: T <t@x>\n[with 64k pages]\n";
        assert_eq!(signed(noted), format!("{noted}Signed-off-by: A <a@x>\n"));
        assert_eq!(signed("s: x\n"), "s: x\n\nSigned-off-by: A <a@x>\n");
    }

    #[test]
    fn a_message_git_would_mangle_is_refused_with_its_line() {
        let error = |text: &str| Message::parse(text).expect_err("it is wrong").to_string();
        assert_eq!(error("\nx\n"), "1: the subject is empty");
        assert_eq!(error("[PATCH] x\n"), "1: the subject has a tag: `[PATCH ...]` is added to the mail");
        assert_eq!(error("x\ny\n"), "2: there is no blank line after the subject");
    }
}

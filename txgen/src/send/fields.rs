// SPDX-License-Identifier: GPL-2.0
//! The headers of a mail as git send-email reads them, and the way on which those go out that it would drop.
//!
//! git send-email keeps a header of a mail's file only where its name has letters and `-` alone, so that X-B4-Tracking
//! would be lost. What it is given as a subject on its command line it writes as it is: such headers go out behind the
//! subject, for which the mail's file has none.

use std::path::Path;

use anyhow::Result;

use crate::files;
use crate::git::Identity;
use crate::mail::{Mail, header};

/// A header of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name as it is written.
    pub name: &'a str,
    /// All of its lines, with the last line's end.
    pub raw: &'a str,
}

impl<'a> Field<'a> {
    /// What follows the colon, with the line ends of a folded header.
    fn written_value(&self) -> &'a str {
        self.raw[self.name.len() + 1..].trim()
    }

    /// The value on one line.
    pub fn value(&self) -> String {
        self.written_value().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The name in lower case.
    pub fn key(&self) -> String {
        self.name.to_ascii_lowercase()
    }

    /// git send-email knows the header in a mail's file.
    fn is_kept_by_git(&self) -> bool {
        !self.name.is_empty() && self.name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-')
    }
}

/// The headers of a mail in their order, without the `From ` line of an mbox.
pub fn parse(text: &str) -> Vec<Field<'_>> {
    let block = &text[..text.find("\n\n").map_or(text.len(), |end| end + 1)];
    let mut fields = Vec::<Field<'_>>::new();
    let mut at = 0;
    for line in block.split_inclusive('\n') {
        let end = at + line.len();
        if line.starts_with([' ', '\t']) {
            if let Some(last) = fields.last_mut() {
                let start = at - last.raw.len();
                last.raw = &block[start..end];
            }
        } else if let Some((name, _)) = line.split_once(':').filter(|_| !line.starts_with("From ")) {
            fields.push(Field { name, raw: line });
        }
        at = end;
    }
    fields
}

/// The addresses of every header `key` (in lower case), as [`header::addresses`] writes them: one recipient a line.
pub fn addresses(fields: &[Field<'_>], key: &str) -> Vec<String> {
    let of_kind = fields.iter().filter(|field| field.key() == key);
    let lines = of_kind.flat_map(|field| field.written_value().lines());
    let each = lines.map(|line| header::address(line.trim().trim_end_matches(',')).to_owned());
    each.filter(|address| !address.is_empty()).collect()
}

/// A mail for git send-email.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The text for its file.
    pub text: String,
    /// Options that only this mail may have.
    pub options: Vec<String>,
}

/// How git send-email is given a mail so that all of its headers go out, and everyone gets it whom it names.
pub fn given(text: &str, sender: &Identity) -> Given {
    let fields = parse(text);
    let mut options = Vec::new();
    // git leaves the sender out of who gets a copy, but for those whom its command line names.
    if addresses(&fields, "cc").iter().any(|who| who.eq_ignore_ascii_case(&sender.email)) {
        options.push(format!("--cc={}", sender.display()));
    }
    let dropped = fields.iter().filter(|field| !field.is_kept_by_git()).map(|field| field.raw).collect::<String>();
    let subject = fields.iter().find(|field| field.key() == "subject");
    let Some(subject) = subject.filter(|_| !dropped.is_empty()) else {
        return Given { text: text.to_owned(), options };
    };
    options.extend([
        // It would refuse a file without a subject.
        "--force".to_owned(),
        format!("--subject={}\n{}", subject.written_value(), dropped.trim_end()),
    ]);
    let block = text.find("\n\n").map_or(text.len(), |end| end + 1);
    let start = if text.starts_with("From ") { text.find('\n').map_or(0, |end| end + 1) } else { 0 };
    let kept = fields.iter().filter(|field| field.is_kept_by_git() && field.key() != "subject");
    let kept = kept.map(|field| field.raw).collect::<String>();
    Given { text: format!("{}{kept}{}", &text[..start], &text[block..]), options }
}

/// Writes mails into a folder, as git send-email is to be given them.
pub fn write(dir: &Path, mails: &[Mail], sender: &Identity) -> Result<Vec<(std::path::PathBuf, Vec<String>)>> {
    let write = |mail: &Mail| {
        let Given { text, options } = given(&mail.text, sender);
        let path = dir.join(&mail.file);
        files::write_new(&path, text.as_bytes())?;
        Ok((path, options))
    };
    mails.iter().map(write).collect()
}

#[cfg(test)]
mod tests {
    use super::{Given, addresses, given, parse};
    use crate::git::Identity;

    const MAIL: &str = "From 000 Mon Sep 17 00:00:00 2001\nFrom: Ann <ann@b.org>\nSubject: [PATCH] a long\n one\n\
        Cc: \"Cee, Dee\" <c@b.org>,\n ann@b.org\nX-B4-Tracking: v=1; b=H4s\n abc\nX-Change-ID: 1\n\nBody\n\nX9: no\n";

    fn ann() -> Identity {
        Identity { name: "Ann".to_owned(), email: "ann@b.org".to_owned() }
    }

    #[test]
    fn a_folded_header_is_one() {
        let fields = parse(MAIL);
        let values = fields.iter().map(|field| (field.name, field.value())).collect::<Vec<_>>();
        assert_eq!(values.len(), 5, "{values:?}");
        assert_eq!(values[1], ("Subject", "[PATCH] a long one".to_owned()));
        assert_eq!(values[3], ("X-B4-Tracking", "v=1; b=H4s abc".to_owned()));
        assert_eq!(addresses(&fields, "cc"), ["c@b.org", "ann@b.org"]);
    }

    #[test]
    fn what_git_would_drop_goes_behind_the_subject() {
        let Given { text, options } = given(MAIL, &ann());
        assert_eq!(
            text,
            "From 000 Mon Sep 17 00:00:00 2001\nFrom: Ann <ann@b.org>\nCc: \"Cee, Dee\" <c@b.org>,\n ann@b.org\n\
             X-Change-ID: 1\n\nBody\n\nX9: no\n"
        );
        let subject = "--subject=[PATCH] a long\n one\nX-B4-Tracking: v=1; b=H4s\n abc";
        assert_eq!(options, ["--cc=Ann <ann@b.org>", "--force", subject]);
    }

    #[test]
    fn a_mail_of_which_git_keeps_all_is_given_as_it_is() {
        let text = "Subject: x\nCc: b@b.org\n\nX9: no\n";
        assert_eq!(given(text, &ann()), Given { text: text.to_owned(), options: Vec::new() });
    }
}

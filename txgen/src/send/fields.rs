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

/// Bytes of a header that fit in one line of a mail.
const LINE: usize = 900;

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
        // Headers that it does not know it writes on one line, and a server takes no line of more than 998 bytes.
        let fits = !self.key().starts_with("x-") || self.raw.len() < LINE;
        fits && !self.name.is_empty() && self.name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-')
    }
}

/// The headers of a mail in their order, without the `From ` line of an mbox.
pub fn parse(text: &str) -> Vec<Field<'_>> {
    let block = &text[..text.find("\n\n").map_or(text.len(), |end| end + 1)];
    let mut fields = Vec::<Field<'_>>::new();
    let mut at = 0;
    // Where the header began that a folded line goes on.
    let mut begun = None;
    for line in block.split_inclusive('\n') {
        let end = at + line.len();
        if line.starts_with([' ', '\t']) {
            if let (Some(last), Some(start)) = (fields.last_mut(), begun) {
                last.raw = &block[start..end];
            }
        } else {
            let named = line.split_once(':').filter(|_| !line.starts_with("From "));
            begun = named.map(|_| at);
            fields.extend(named.map(|(name, _)| Field { name, raw: line }));
        }
        at = end;
    }
    fields
}

/// The addresses of every header `key` (in lower case), however it is folded.
pub fn addresses(fields: &[Field<'_>], key: &str) -> Vec<String> {
    let of_kind = fields.iter().filter(|field| field.key() == key);
    let each = of_kind.flat_map(|field| recipients(&field.value()));
    each.map(|one| header::address(&one).to_owned()).filter(|address| !address.is_empty()).collect()
}

/// The recipients of a header's value: commas stand between them, but for those within quotes.
fn recipients(value: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in value.chars() {
        match c {
            ',' if !quoted => {
                all.push(String::new());
                continue;
            }
            '"' if !escaped => quoted = !quoted,
            _ => (),
        }
        escaped = c == '\\' && !escaped;
        if let Some(last) = all.last_mut() {
            last.push(c);
        }
    }
    all
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
    // Written as the mail has it: git takes an address in another case for one more.
    if let Some(email) = addresses(&fields, "cc").into_iter().find(|who| who.eq_ignore_ascii_case(&sender.email)) {
        options.push(format!("--cc={}", Identity { name: sender.name.clone(), email }.display()));
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
    fn an_address_is_one_however_its_header_is_folded() {
        let of = |value: &str| addresses(&parse(&format!("From: {value}\n\nBody\n")), "from");
        assert_eq!(of("=?UTF-8?q?=D0=AE=D1=80?=\n =?UTF-8?q?=D0=B8=D0=B9?= <yu@b.org>"), ["yu@b.org"]);
        assert_eq!(of("\"Cee, \\\"Dee, Jr.\"\n <c@b.org>, e@b.org,f@b.org"), ["c@b.org", "e@b.org", "f@b.org"]);
    }

    #[test]
    fn a_line_that_is_no_header_belongs_to_none() {
        let fields = parse("To: a@b.org\nñ no header\n more of it\nCc: c@b.org\n d\n\nBody\n");
        assert_eq!(fields.iter().map(|field| field.raw).collect::<Vec<_>>(), ["To: a@b.org\n", "Cc: c@b.org\n d\n"]);
    }

    #[test]
    fn a_header_that_fits_in_no_line_stays_folded() {
        let long = format!("X-Original-Cc: {}z@b.org\n", "somebody@b.org,\n ".repeat(80));
        let Given { text, options } = given(&format!("Subject: x\n{long}To: a@b.org\n\nBody\n"), &ann());
        assert_eq!(text, "To: a@b.org\n\nBody\n");
        assert_eq!(options[1], format!("--subject=x\n{}", long.trim_end()));
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

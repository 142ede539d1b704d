// SPDX-License-Identifier: GPL-2.0
//! The bytes of a file as mails.

use super::foreign;
use super::headers::{head, header};

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mails {
    /// One mail, as a mail program saves it, or a patch of StGit or Mercurial, which becomes one.
    Lone(Vec<u8>),
    /// A mailbox; there is nothing in it where the file is neither.
    Box(Vec<Vec<u8>>),
}

/// Splits a mailbox, in one pass over it. A byte order mark and blank lines before the first mail count for nothing.
pub(super) fn mails(bytes: &[u8]) -> Mails {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let bytes = bytes.trim_ascii_start();
    if let Some(mail) = foreign::as_mail(bytes) {
        return Mails::Lone(mail);
    }
    if !begins_mail(bytes) {
        return if is_header(bytes) { Mails::Lone(without_returns(bytes.to_owned())) } else { Mails::Box(Vec::new()) };
    }
    let mut mails = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < bytes.len() {
        let next = end_of_line(bytes, at);
        if at > 0 && begins_mail(&bytes[at..]) {
            mails.push(unstored(&bytes[start..at]));
            start = at;
        }
        at = next;
    }
    mails.push(unstored(&bytes[start..]));
    Mails::Box(mails)
}

/// Where the line that begins at `at` ends, its newline included.
fn end_of_line(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end + 1)
}

/// Whether a line of a mailbox begins a mail: `From `, somebody, a time, a year, and headers in the next line. Not every
/// program escapes a `From ` that begins a line of prose, git does not.
fn begins_mail(bytes: &[u8]) -> bool {
    if !bytes.starts_with(b"From ") {
        return false;
    }
    let end = end_of_line(bytes, 0);
    is_separator(bytes[..end].trim_ascii_end()) && is_header(&bytes[end..])
}

/// As git tells it: `H:MM:SS` or `HH:MM` before a year behind 1990.
fn is_separator(line: &[u8]) -> bool {
    let Some(colon) = line.iter().rposition(|byte| *byte == b':').filter(|colon| *colon >= 9) else { return false };
    let digit = |at: usize| line.get(at).is_some_and(u8::is_ascii_digit);
    let year = line.get(colon + 3..).unwrap_or_default().trim_ascii_start();
    let year = year
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0_u32, |year, digit| year.saturating_mul(10).saturating_add(u32::from(digit - b'0')));
    digit(colon - 4) && digit(colon - 2) && digit(colon - 1) && digit(colon + 1) && digit(colon + 2) && year > 90
}

/// Whether a header begins here; some programs leave the `From ` of an older mailbox before those of the mail.
fn is_header(bytes: &[u8]) -> bool {
    let name = bytes.iter().take_while(|byte| byte.is_ascii_graphic() && **byte != b':').count();
    (name > 0 && bytes.get(name) == Some(&b':')) || bytes.starts_with(b">From ") || bytes.starts_with(b"From ")
}

/// A mail of a mailbox as it was before it was stored there.
fn unstored(stored: &[u8]) -> Vec<u8> {
    let (separator, mail) = stored.split_at(end_of_line(stored, 0));
    let mail = without_returns(mail.to_owned());
    if is_unescaped(separator, &mail) { mail } else { without_marks(mail) }
}

/// Whether a mailbox has the lines of a mail as they are: git and `b4 am` write them so, and where one line begins with
/// `From ` nobody has escaped the others. A record of txgen has git's separator and is mboxrd.
fn is_unescaped(separator: &[u8], mail: &[u8]) -> bool {
    let headers = head(mail).0;
    let was_sent = || lines(headers).any(|line| sent_headers().any(|name| starts_with(line, name)));
    let by_git = separator.trim_ascii_end().ends_with(b" Mon Sep 17 00:00:00 2001") && !was_sent();
    let by_git = by_git && header(headers, "X-Change-ID").is_none();
    by_git || separator.starts_with(b"From git@z ") || lines(&mail[headers.len()..]).any(|l| l.starts_with(b"From "))
}

/// Headers that a mail has once it was under way, which git format-patch does not write.
fn sent_headers() -> impl Iterator<Item = &'static [u8]> {
    [&b"X-Mailer:"[..], b"Received:", b"Return-Path:", b"Delivered-To:", b"User-Agent:"].into_iter()
}

fn starts_with(line: &[u8], name: &[u8]) -> bool {
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

/// Takes one mark from each `>From ` and `>>From `, as mboxrd adds it.
fn without_marks(mail: Vec<u8>) -> Vec<u8> {
    let escaped = |line: &[u8]| {
        let marks = line.iter().take_while(|byte| **byte == b'>').count();
        marks > 0 && line[marks..].starts_with(b"From ")
    };
    let at = head(&mail).0.len();
    if !lines(&mail[at..]).any(escaped) {
        return mail;
    }
    let mut plain = mail[..at].to_owned();
    lines(&mail[at..]).for_each(|line| plain.extend_from_slice(if escaped(line) { &line[1..] } else { line }));
    plain
}

/// Makes plain newlines of CRLF where every line ends so: carriage returns of a few lines are the content's own.
fn without_returns(mail: Vec<u8>) -> Vec<u8> {
    let newlines = mail.iter().filter(|byte| **byte == b'\n').count();
    let returns = mail.windows(2).filter(|bytes| bytes == b"\r\n").count();
    if returns == 0 || returns < newlines {
        return mail;
    }
    let mut plain = Vec::with_capacity(mail.len());
    for line in lines(&mail) {
        match line.strip_suffix(b"\r\n") {
            Some(line) => plain.extend_from_slice(&[line, b"\n"].concat()),
            None => plain.extend_from_slice(line),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{Mails, mails};

    const FROM: &str = "From mboxrd@z Thu Jan  1 00:00:00 1970\n";
    const GIT: &str = "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n";

    fn boxed(text: &str) -> Vec<String> {
        match mails(text.as_bytes()) {
            Mails::Box(mails) => mails.into_iter().map(|mail| String::from_utf8(mail).unwrap()).collect(),
            Mails::Lone(mail) => panic!("a lone mail: {}", String::from_utf8(mail).unwrap()),
        }
    }

    #[test]
    fn a_from_that_begins_a_line_of_prose_begins_no_mail() {
        for line in ["From here on", "From x at 12:30:45 2024", "From Thu Jan  1 00:00:00 1970"] {
            let text = format!("{GIT}Subject: 1\n\n{line}\nno header\n");
            assert_eq!(boxed(&text), [format!("Subject: 1\n\n{line}\nno header\n")], "{line}");
        }
    }

    #[test]
    fn marks_are_taken_off_where_a_mailbox_set_them() {
        let body = "Subject: 1\n\n>From here\n>>From there\n> From nowhere\n";
        let plain = "Subject: 1\n\nFrom here\n>From there\n> From nowhere\n";
        assert_eq!(boxed(&format!("{FROM}{body}")), [plain]);
        assert_eq!(boxed(&format!("{GIT}{body}")), [body], "git format-patch sets none");
        assert_eq!(
            boxed(&format!("{GIT}X-Mailer: git-send-email 2.47.3\n{body}")),
            [format!("X-Mailer: git-send-email 2.47.3\n{plain}")]
        );
        let own = "X-Change-ID: 20261123-x-0123456789ab\n";
        assert_eq!(
            boxed(&format!("{GIT}{own}{body}")),
            [format!("{own}{plain}")],
            "txgen does, whatever else is there"
        );
        assert_eq!(boxed(&format!("From git@z Thu Jan  1 00:00:00 1970\n{body}")), [body], "nor does b4 am");
        assert_eq!(boxed(&format!("{FROM}{body}From x\n")), [format!("{body}From x\n")], "one line has none");
    }

    #[test]
    fn a_byte_order_mark_and_blank_lines_before_a_mail_count_for_nothing() {
        for start in ["\u{feff}", "\n", "\r\n \n", "\u{feff}\n"] {
            assert_eq!(boxed(&format!("{start}{FROM}Subject: 1\n\nx\n")), ["Subject: 1\n\nx\n"]);
            assert_eq!(
                mails(format!("{start}Subject: 1\n\nx\n").as_bytes()),
                Mails::Lone(b"Subject: 1\n\nx\n".to_vec())
            );
        }
    }

    #[test]
    fn carriage_returns_go_where_every_line_has_one() {
        let crlf = format!("{FROM}Subject: 1\n\nx\n\n{FROM}Subject: 2\n\n").replace('\n', "\r\n");
        assert_eq!(boxed(&crlf), ["Subject: 1\n\nx\n\n", "Subject: 2\n\n"]);
        assert_eq!(boxed(&format!("{FROM}Subject: 1\n\n+x\r\n")), ["Subject: 1\n\n+x\r\n"]);
    }

    #[test]
    fn bytes_that_are_no_text_stay() {
        let text = [FROM.as_bytes(), b"Subject: 1\n\n\0\xff\xfe\n"].concat();
        assert_eq!(mails(&text), Mails::Box(vec![b"Subject: 1\n\n\0\xff\xfe\n".to_vec()]));
    }

    #[test]
    fn ten_thousand_mails_are_split_in_one_pass() {
        let one = format!("{FROM}Subject: x\n\n{}\n", "a line of text\n".repeat(40));
        let start = std::time::Instant::now();
        assert_eq!(boxed(&one.repeat(10_000)).len(), 10_000);
        assert!(start.elapsed() < std::time::Duration::from_secs(5));
    }
}

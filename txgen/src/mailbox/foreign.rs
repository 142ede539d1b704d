// SPDX-License-Identifier: GPL-2.0
//! Patches in the forms that StGit and Mercurial write them in: told from mails, and made into mails, as `git am` does
//! both.

/// A patch of StGit or Mercurial as a mail; `None` where `bytes`, which begin with no blank line, are something else.
pub(super) fn as_mail(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.next()?;
    if first.starts_with(b"From ") || first.starts_with(b"From: ") {
        return None;
    }
    if first == b"# HG changeset patch" {
        return Some(of_mercurial(bytes));
    }
    let is_blank = lines.next().is_some_and(<[u8]>::is_empty);
    let third = lines.next()?;
    let is_header = [&b"From:"[..], b"Author:", b"Date:"].iter().any(|name| third.starts_with(name));
    (is_blank && is_header && !first.is_empty()).then(|| of_stgit(bytes))
}

/// A patch whose first line is the subject, whose headers follow, and then the text.
fn of_stgit(bytes: &[u8]) -> Vec<u8> {
    let (mut mail, mut rest, mut has_subject) = (Vec::new(), bytes, false);
    while !rest.is_empty() {
        let (line, more) = split_line(rest);
        if let Some(who) = line.strip_prefix(b"Author:") {
            mail.extend_from_slice(&[b"From:", who, b"\n"].concat());
        } else if line.starts_with(b"From") || line.starts_with(b"Date") {
            mail.extend_from_slice(&[line, b"\n"].concat());
        } else if !line.trim_ascii().is_empty() {
            if has_subject {
                break;
            }
            mail.extend_from_slice(&[b"Subject: ", line, b"\n"].concat());
            has_subject = true;
        }
        rest = more;
    }
    [&mail, &b"\n"[..], rest].concat()
}

/// A patch whose headers are comments; the first line of its text becomes the subject. Its date is left out, as that of
/// any mail is not read.
fn of_mercurial(bytes: &[u8]) -> Vec<u8> {
    let (mut mail, mut rest) = (Vec::new(), bytes);
    loop {
        let (line, more) = split_line(rest);
        if let Some(who) = line.strip_prefix(b"# User ") {
            mail.extend_from_slice(&[b"From: ", who, b"\n"].concat());
        } else if !line.starts_with(b"# ") {
            break;
        }
        rest = more;
    }
    [&mail, &b"\n"[..], rest].concat()
}

/// The first line without its end, and what follows it.
fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (line, rest) = end.map_or((bytes, &b""[..]), |end| (&bytes[..end], &bytes[end + 1..]));
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

#[cfg(test)]
mod tests {
    use super::as_mail;

    fn converted(text: &str) -> Option<String> {
        as_mail(text.as_bytes()).map(|mail| String::from_utf8(mail).unwrap())
    }

    #[test]
    fn the_headers_of_a_patch_become_those_of_a_mail() {
        assert_eq!(
            converted("net: x\n\nAuthor: A <a@b.org>\nDate: now\n\nWhy.\n\nFrom there.\n").unwrap(),
            "Subject: net: x\nFrom: A <a@b.org>\nDate: now\n\nWhy.\n\nFrom there.\n"
        );
        assert_eq!(
            converted("# HG changeset patch\n# User A <a@b.org>\n# Date 1 0\n# Parent  1\nnet: x\n\n# 1\n").unwrap(),
            "From: A <a@b.org>\n\nnet: x\n\n# 1\n"
        );
        assert_eq!(converted("net: x\r\n\r\nFrom: A\r\n\r\nWhy.\r\n").unwrap(), "Subject: net: x\nFrom: A\n\nWhy.\r\n");
        assert_eq!(converted("# HG changeset patch").unwrap(), "\n");
    }

    #[test]
    fn a_mail_or_other_text_is_no_such_patch() {
        for text in [
            "From: A <a@b.org>\n\nFrom: B <b@b.org>\n\nx\n",
            "From x Thu Jan  1 00:00:00 1970\n\nFrom: B <b@b.org>\n\nx\n",
            "net: x\n\nWhy.\n\nFrom: A <a@b.org>\n",
            "net: x\nFrom: A <a@b.org>\n\nWhy.\n",
            "# HG changeset\nx\n",
            "net: x\n",
            "",
        ] {
            assert_eq!(converted(text), None, "{text:?}");
        }
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Mail headers: who sends, addresses, folding, and text that is not ASCII.

use std::fmt::Write;

use crate::plain;

/// Columns after which a header is folded.
const WIDTH: usize = 76;

/// Bytes of a recipient: what is longer fits in no line of a mail once it is encoded.
const LONGEST: usize = 300;

/// The address of `Name <address>` or of a plain address.
pub fn address(recipient: &str) -> &str {
    recipient.rsplit_once('<').map_or(recipient, |(_, rest)| rest.trim_end_matches('>')).trim()
}

/// The name of `Name <address>` in lower case, without quotes, if there is one.
pub fn name(recipient: &str) -> Option<String> {
    let (name, _) = recipient.rsplit_once('<')?;
    Some(name.trim().trim_matches('"').to_lowercase()).filter(|name| !name.is_empty())
}

/// The part of an address behind the @.
pub fn domain(email: &str) -> &str {
    email.rsplit_once('@').map_or("localhost", |(_, domain)| domain)
}

/// Whether this is one recipient and nothing else: `Name <address>` or `address`, on one line.
pub fn is_recipient(text: &str) -> bool {
    let address = address(text);
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    // git send-email takes words of ASCII alone for an address, and a word with an @ in a name for one more.
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let host = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    let dotted = |text: &str| text.split('.').all(|word| !word.is_empty());
    let name = text.rsplit_once('<').map_or("", |(name, _)| name);
    let closed = text.contains('<') == text.trim_end().ends_with('>');
    text.len() <= LONGEST
        && !text.chars().any(plain::is_odd)
        && closed
        && !name.contains(['<', '>', '@'])
        && dotted(local)
        && local.chars().all(atom)
        && dotted(domain)
        && (domain.contains('.') || domain == "localhost")
        && domain.chars().all(host)
        && !domain.starts_with('-')
        && !address.starts_with('-')
}

/// A header of addresses, one a line; nothing where there is none.
pub fn addresses(header: &str, recipients: &[String]) -> String {
    let encoded = recipients.iter().map(|recipient| encode_recipient(recipient)).collect::<Vec<_>>();
    if encoded.is_empty() { String::new() } else { format!("{header}: {}\n", encoded.join(",\n ")) }
}

/// A recipient with its name as a header may hold it.
pub fn encode_recipient(recipient: &str) -> String {
    let Some((name, rest)) = recipient.rsplit_once('<') else { return recipient.trim().to_owned() };
    let name = name.trim().trim_matches('"');
    let plain = |c: char| c.is_ascii_alphanumeric() || " !#$%&'*+-/=?^_`{|}~".contains(c);
    match name {
        "" => format!("<{rest}"),
        _ if !name.is_ascii() => format!("{} <{rest}", encode_words(name)),
        _ if name.chars().all(plain) => format!("{name} <{rest}"),
        _ => format!("\"{}\" <{rest}", name.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// A header of text, folded at spaces.
pub fn text(header: &str, value: &str) -> String {
    let value = if value.is_ascii() { value.to_owned() } else { encode_words(value) };
    let mut lines = vec![format!("{header}:")];
    for word in value.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= WIDTH || !line.contains(' ') => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!(" {word}")),
        }
    }
    lines.join("\n") + "\n"
}

/// RFC 2047 words in the q encoding, each short enough for a header line.
fn encode_words(text: &str) -> String {
    let mut words = vec![String::new()];
    for c in text.chars() {
        let mut code = String::new();
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            match byte {
                b' ' => code.push('_'),
                b if b.is_ascii_alphanumeric() || b"!*+-/".contains(&b) => code.push(char::from(b)),
                b => write!(code, "={b:02X}").expect("writing to a string does not fail"),
            }
        }
        match words.last_mut() {
            Some(word) if word.len() + code.len() <= 60 => word.push_str(&code),
            _ => words.push(code),
        }
    }
    words.iter().map(|word| format!("=?UTF-8?q?{word}?=")).collect::<Vec<_>>().join(" ")
}

/// The headers that declare UTF-8, where `text` needs them and `headers` has none.
pub fn charset(headers: &str, text: &str) -> &'static str {
    let declared = headers.lines().any(|line| line.to_ascii_lowercase().starts_with("content-type:"));
    if text.is_ascii() || declared {
        ""
    } else {
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n"
    }
}

#[cfg(test)]
mod tests {
    use super::{address, addresses, encode_recipient, is_recipient, text};

    #[test]
    fn names_are_quoted_or_encoded_only_where_needed() {
        assert_eq!(encode_recipient("Ann <a@b.org>"), "Ann <a@b.org>");
        assert_eq!(encode_recipient("Ann B. Cee <a@b.org>"), "\"Ann B. Cee\" <a@b.org>");
        assert_eq!(encode_recipient("\"Cee, Ann\" <a@b.org>"), "\"Cee, Ann\" <a@b.org>");
        assert_eq!(encode_recipient("Jérôme É <a@b.org>"), "=?UTF-8?q?J=C3=A9r=C3=B4me_=C3=89?= <a@b.org>");
        assert_eq!(encode_recipient("list@b.org"), "list@b.org");
    }

    #[test]
    fn an_address_is_found_with_and_without_a_name() {
        assert_eq!((address("Ann <a@b.org>"), address("a@b.org")), ("a@b.org", "a@b.org"));
    }

    #[test]
    fn what_would_be_more_than_a_recipient_is_none() {
        for good in [
            "a@b.org",
            "Ann O'Neil <a.o'neil+x@b.org>",
            "\"Cee, Ann (x)\" <a@b.org>",
            "Jérôme <j@b.org>",
            "a@localhost",
        ] {
            assert!(is_recipient(good), "{good}");
        }
        let bad = [
            "a",
            "a@",
            "@b.org",
            "a@b.org\nBcc: c@d.org",
            "A <a@b.org",
            "<x> A <a@b.org>",
            "A <a@b.org> rest",
            "a b@c.org",
            "a@b.org, c@d.org",
            "A <a@b.org\r\n>",
            "--smtp-server=x@b.org",
            "A <$(id)@b.org>",
            "a;b@c.org",
            "x@y.org via Z <a@b.org>",
            "a@b.org.",
            "a@b",
            "a@b..org",
            "a..b@c.org",
            ".a@c.org",
            "a.@c.org",
            "jö@b.org",
            "a@bö.org",
        ];
        for bad in bad {
            assert!(!is_recipient(bad), "{bad}");
        }
    }

    #[test]
    fn address_headers_have_one_recipient_a_line() {
        assert_eq!(addresses("Cc", &["a@b.org".to_owned(), "c@d.org".to_owned()]), "Cc: a@b.org,\n c@d.org\n");
        assert_eq!(addresses("Cc", &[]), "");
    }

    #[test]
    fn long_text_is_folded_at_a_space() {
        let folded = text("Subject", &"word ".repeat(20));
        assert!(folded.lines().all(|line| line.len() <= 76));
        assert_eq!(folded.replace("\n ", " ").trim(), format!("Subject: {}", "word ".repeat(20)).trim());
    }
}

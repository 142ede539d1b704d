// SPDX-License-Identifier: GPL-2.0
//! What the first mail of a series says of the series: tree, version, change-id, and who gets it.

use anyhow::{Context, Result};

use super::info::{self, Subject};
use crate::mail::{header, slug};
use crate::mailbox::{self, RawMail};

/// What a posting says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Posting {
    /// The tree of `[PATCH net-next v2 0/2]`.
    pub tree: Option<String>,
    /// The version there; 1 where there is none.
    pub version: Option<u32>,
    /// b4's change-id.
    pub change_id: Option<String>,
    /// Who got it.
    pub to: Vec<String>,
    /// Who got it, too.
    pub cc: Vec<String>,
    /// Headers with recipients that are not read: with groups, comments, or addresses that no series may have.
    pub unread: Vec<&'static str>,
}

/// Reads the first mail.
pub(super) fn read(raw: &RawMail) -> Result<Posting> {
    let info = info::read(&raw.bytes, Subject::Tagged).with_context(|| format!("read {}", raw.place))?;
    let (headers, _) = mailbox::head(&raw.bytes);
    let (tree, version) = tags(&info.subject);
    let below = String::from_utf8_lossy(&info.diff).into_owned();
    let lines = info.message.lines().chain(below.lines());
    let mut ids = lines.filter_map(|line| line.strip_prefix("change-id: ")).map(|id| id.trim().to_owned());
    let of_header = || mailbox::header(headers, "X-Change-ID").map(|id| id.trim().to_owned());
    let change_id = ids.find(|id| slug(id).is_some()).or_else(of_header).filter(|id| slug(id).is_some());
    let mut posting = Posting { tree, version, change_id, ..Posting::default() };
    for (name, list) in [("To", &mut posting.to), ("Cc", &mut posting.cc)] {
        match recipients(headers, name) {
            Some(found) => *list = found,
            None => posting.unread.push(name),
        }
    }
    Ok(posting)
}

/// Tree and version of the brackets before a subject; of several words that may be a tree none is.
fn tags(subject: &str) -> (Option<String>, Option<u32>) {
    let mut rest = subject.trim_start();
    let mut words = Vec::new();
    while let Some((bracket, more)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let found = bracket.split([' ', ',', '\t']).filter(|word| !word.is_empty()).collect::<Vec<_>>();
        if found.iter().any(|word| word.to_ascii_uppercase().starts_with("PATCH") || *word == "RFC") {
            words.extend(found);
        }
        rest = more.trim_start();
    }
    let mut version = None;
    let mut trees = Vec::new();
    for word in words {
        let upper = word.to_ascii_uppercase();
        let upper = upper.strip_prefix("PATCH").unwrap_or(&upper);
        let count = |(number, count): (&str, &str)| number.parse::<u32>().is_ok() && count.parse::<u32>().is_ok();
        let number =
            upper.strip_prefix(['V', '-']).and_then(|number| number.trim_start_matches('V').parse::<u32>().ok());
        if let Some(number) = number.filter(|number| *number > 0) {
            version = Some(number);
        } else if !["", "RFC", "RESEND", "REPOST"].contains(&upper) && !upper.split_once('/').is_some_and(count) {
            trees.push(word);
        }
    }
    let is_tree = |word: &&str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./+".contains(&byte));
    let tree = match trees.as_slice() {
        [tree] => Some(*tree).filter(is_tree).map(str::to_owned),
        _ => None,
    };
    (tree, version)
}

/// The recipients of a header; `None` where one of them is more than a name and an address.
fn recipients(headers: &[u8], name: &str) -> Option<Vec<String>> {
    let Some(value) = mailbox::header(headers, name) else { return Some(Vec::new()) };
    let mut all = vec![String::new()];
    let mut is_quoted = false;
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => is_quoted = !is_quoted,
            '\\' if is_quoted => all.last_mut()?.extend(chars.next()),
            ',' if !is_quoted => all.push(String::new()),
            c => all.last_mut()?.push(c),
        }
    }
    let all = all.iter().map(|one| one.trim()).filter(|one| !one.is_empty());
    let all =
        all.map(|one| mailbox::header_text(one).filter(|one| header::is_recipient(one) && !one.contains('\u{fffd}')));
    let all = all.map(|one| one.map(|one| one.split_whitespace().collect::<Vec<_>>().join(" ")));
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::{recipients, tags};

    #[test]
    fn tree_and_version_are_read_from_the_tags_of_a_subject() {
        for (subject, tree, version) in [
            ("[PATCH net-next v2 0/2] x", Some("net-next"), Some(2)),
            ("[PATCH v13 bpf-next 01/20] x", Some("bpf-next"), Some(13)),
            ("[net-next PATCH V3] x", Some("net-next"), Some(3)),
            ("[RFC PATCHv4 net,1/2] x", Some("net"), Some(4)),
            ("[PATCH RESEND RFC net-next v2 0/2] x", Some("net-next"), Some(2)),
            ("[PATCH net 1/3] [mm] x", Some("net"), None),
            ("[PATCH 6.6 stable 1/3] x", None, None),
            ("[PATCH 1/3] x", None, None),
            ("[mm] x", None, None),
            ("[PATCH net-next]\n", Some("net-next"), None),
            ("[PATCH \u{e9}] x", None, None),
            ("no [PATCH net] tag", None, None),
        ] {
            assert_eq!(tags(subject), (tree.map(str::to_owned), version), "{subject}");
        }
    }

    #[test]
    fn recipients_are_read_where_all_of_them_are_a_name_and_an_address() {
        let read = |text: &str| recipients(format!("X: y\n{text}\n").as_bytes(), "Cc");
        assert_eq!(read("Ccc: a@example.org"), Some(vec![]));
        assert_eq!(
            read("CC: a@example.org,\n\t\"Ann, A.\" <b@example.org>, =?UTF-8?q?J=C3=A9?= <c@example.org>"),
            Some(["a@example.org", "Ann, A. <b@example.org>", "J\u{e9} <c@example.org>"].map(str::to_owned).to_vec())
        );
        assert_eq!(read("Cc: list: a@example.org;"), None);
        assert_eq!(read("Cc: =?UTF-8?q?a=0AB?= <c@example.org>"), None);
    }
}

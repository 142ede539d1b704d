// SPDX-License-Identifier: GPL-2.0
//! Rules for the last paragraph of a message: where trailers stand, in which order, how Fixes is written.
//!
//! A sign-off is a person's act (`txgen apply --signoff`), so a series without any is not a finding
//! here (`txgen format-series` warns of it); a patch whose sign-offs are in disorder is.

use anyhow::Result;

use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope, no_tools};

pub(super) const CHECK: Check = Check {
    name: "trailers",
    shows: "Fixes form, trailers in one block at the end, sign-offs in order",
    needs: "",
    version: 1,
    tools: no_tools,
    scope: Scope::Patch(check),
};

/// The trailers that the kernel knows; others ending in `-by` are taken for one, too.
const KNOWN: &[&str] = &["Fixes", "Link", "Closes", "Cc", "Change-Id", "Message-ID"];

fn check(_: &Source<'_>, patch: &Patch) -> Result<Vec<Finding>> {
    Ok(findings(&patch.message, &patch.author))
}

/// The line is a trailer of the kernel.
pub fn is_trailer(line: &str) -> bool {
    split(line).is_some()
}

/// Name and value of a trailer.
fn split(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let known = KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name));
    let by = name.to_ascii_lowercase().ends_with("-by") && !name.contains(' ');
    (known || by).then(|| (name, value.trim()))
}

/// The message has a Signed-off-by.
pub fn is_signed(message: &str) -> bool {
    message.lines().filter_map(split).any(|(name, _)| name == "Signed-off-by")
}

/// Name and value of each trailer in the last paragraph of a message.
pub fn in_message(message: &str) -> Vec<(&str, &str)> {
    let lines = message.trim_end().lines().collect::<Vec<_>>();
    let block = lines.iter().rposition(|line| line.trim().is_empty()).map_or(0, |blank| blank + 1);
    lines.into_iter().skip(block).filter_map(split).collect()
}

/// The people that trailers of a message name: `Name <address>`.
pub fn people(message: &str) -> Vec<&str> {
    let is_person = |name: &str, value: &str| (name.ends_with("-by") || name == "Cc") && value.contains('@');
    in_message(message)
        .into_iter()
        .filter(|(name, value)| is_person(name, value))
        .map(|(_, value)| without_comment(value))
        .collect()
}

/// A value without its comment: `Cc: <stable@...> # 6.1` has one, and `Tested-by: A <a@x> [net]`.
fn without_comment(value: &str) -> &str {
    let comment = [" #", " ["].iter().filter_map(|start| value.find(start)).min();
    value[..comment.unwrap_or(value.len())].trim()
}

/// All that is wrong with the trailers of a message by `author`.
pub fn findings(message: &str, author: &str) -> Vec<Finding> {
    let lines = message.lines().collect::<Vec<_>>();
    let block = lines.iter().rposition(|line| line.trim().is_empty()).map_or(0, |blank| blank + 1);
    let mut found = place(&lines, block);
    let trailers = lines.iter().enumerate().skip(block);
    let trailers = trailers.filter_map(|(index, line)| split(line).map(|(name, value)| (index, name, value)));
    let trailers = trailers.collect::<Vec<_>>();
    for (index, name, value) in &trailers {
        found.extend(form(name, value).map(|finding| finding.at_line(*index)));
    }
    found.extend(co_developers(&trailers));
    found.extend(sign_offs(&trailers, author));
    found
}

/// Trailers above the last paragraph, and prose within it.
fn place(lines: &[&str], block: usize) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate().take(block).skip(1) {
        let tag = split(line).is_some_and(|(name, _)| name != "Link" && name != "Message-ID");
        if tag {
            let what = "the trailer is not in the last paragraph, where git looks for it";
            found.push(Finding::new(Level::Fail, "trailer-place", what).at_line(index));
        }
    }
    let last = lines.get(block..).unwrap_or_default();
    let has_trailer = last.iter().any(|line| split(line).is_some());
    for (index, line) in last.iter().enumerate() {
        let comment = line.starts_with(['[', ' ', '\t', '#']);
        if block > 1 && has_trailer && split(line).is_none() && !comment {
            let what = "text among the trailers: leave a blank line above them";
            found.push(Finding::new(Level::Fail, "trailer-block", what).at_line(block + index));
        }
    }
    found
}

/// The form of one trailer.
fn form(name: &str, value: &str) -> Option<Finding> {
    if name.eq_ignore_ascii_case("fixes") {
        let good = name == "Fixes" && is_fixes(value);
        let what = "write `Fixes: 123456789abc (\"subject\")` on one line, with at least 12 digits";
        return (!good).then(|| Finding::new(Level::Fail, "fixes-form", what));
    }
    let canonical = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(name)).copied();
    let canonical = canonical.map_or_else(|| capitalised(name), str::to_owned);
    if canonical != name {
        return Some(Finding::new(Level::Fail, "trailer-name", format!("write `{canonical}:`")));
    }
    let person = name.ends_with("-by") && name != "Assisted-by" || name == "Cc";
    let address = value.contains('@');
    (value.is_empty() || (person && !address))
        .then(|| Finding::new(Level::Fail, "trailer-value", format!("`{name}:` has no address")))
}

/// `reviewed-BY` as `Reviewed-by`.
fn capitalised(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let mut chars = lower.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

/// `123456789abc ("subject")`.
fn is_fixes(value: &str) -> bool {
    value.split_once(' ').is_some_and(|(id, rest)| {
        let hex = id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        hex && (12..=40).contains(&id.len()) && rest.starts_with("(\"") && rest.ends_with("\")") && rest.len() > 4
    })
}

/// Co-developed-by stands right above the sign-off of the same person.
fn co_developers(trailers: &[(usize, &str, &str)]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (position, (index, name, value)) in trailers.iter().enumerate() {
        let next = trailers.get(position + 1);
        if *name == "Co-developed-by" && !next.is_some_and(|n| n.1 == "Signed-off-by" && n.2 == *value) {
            let what = format!("the next line must be `Signed-off-by: {value}`");
            found.push(Finding::new(Level::Fail, "co-developed", what).at_line(*index));
        }
    }
    found
}

/// Sign-offs end the block; Fixes stands above them; the author's is among them.
fn sign_offs(trailers: &[(usize, &str, &str)], author: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let Some(first) = trailers.iter().position(|(_, name, _)| *name == "Signed-off-by") else { return found };
    let late = trailers.iter().skip(first).find(|(_, name, _)| ["Fixes", "Reported-by", "Closes"].contains(name));
    if let Some((index, name, _)) = late {
        let what = format!("`{name}:` stands below a Signed-off-by");
        found.push(Finding::new(Level::Fail, "trailer-order", what).at_line(*index));
    }
    let address = author.rsplit_once('<').map_or(author, |(_, address)| address).trim_end_matches('>');
    let signs = |value: &str| value.to_ascii_lowercase().contains(&format!("<{}>", address.to_ascii_lowercase()));
    if !trailers.iter().any(|(_, name, value)| *name == "Signed-off-by" && signs(value)) {
        let what = format!("signed off, but not by the author {author}");
        found.push(Finding::new(Level::Fail, "author-sign-off", what));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{findings, is_signed, people};

    const AUTHOR: &str = "Ann Author <ann@example.org>";
    const SIGNED: &str = "Signed-off-by: Ann Author <ann@example.org>";

    fn rules(trailers: &str) -> Vec<String> {
        let message = format!("net: add\n\nWhy.\n\n{trailers}");
        findings(&message, AUTHOR).iter().map(|finding| finding.rule().to_owned()).collect()
    }

    #[test]
    fn trailers_in_order_have_no_findings() {
        let good = format!(
            "Fixes: 123456789abc (\"net: break\")\nReported-by: B <b@example.org>\nCloses: https://example.org/1\n\
             Co-developed-by: C <c@example.org>\nSigned-off-by: C <c@example.org>\n{SIGNED}"
        );
        assert_eq!(rules(&good), [""; 0]);
    }

    #[test]
    fn each_rule_fires_on_the_trailers_that_break_it() {
        let cases = [
            ("Fixes: 1234567 (\"net: break\")".to_owned(), "fixes-form"),
            ("Fixes: 123456789abc net: break".to_owned(), "fixes-form"),
            ("fixes: 123456789abc (\"net: break\")".to_owned(), "fixes-form"),
            ("reviewed-by: B <b@example.org>".to_owned(), "trailer-name"),
            ("Reviewed-by: B".to_owned(), "trailer-value"),
            (format!("Reviewed-by: B <b@example.org>\n\n{SIGNED}"), "trailer-place"),
            (format!("More text.\n{SIGNED}"), "trailer-block"),
            (format!("Co-developed-by: C <c@example.org>\n{SIGNED}"), "co-developed"),
            (format!("{SIGNED}\nFixes: 123456789abc (\"net: break\")"), "trailer-order"),
            ("Signed-off-by: C <c@example.org>".to_owned(), "author-sign-off"),
        ];
        for (trailers, rule) in cases {
            assert_eq!(rules(&trailers), [rule], "{trailers}");
        }
    }

    #[test]
    fn a_person_is_named_without_the_comment_behind() {
        let message = "net: add\n\nCc: <stable@example.org> # 6.1\nTested-by: B <b@example.org> [net/core]\n";
        assert_eq!(people(message), ["<stable@example.org>", "B <b@example.org>"]);
    }

    #[test]
    fn a_message_without_a_sign_off_is_left_to_the_mails() {
        assert_eq!(rules("Link: https://example.org"), [""; 0]);
        assert!(!is_signed("net: add\n\nWhy.") && is_signed(SIGNED));
    }
}

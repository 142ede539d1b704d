// SPDX-License-Identifier: GPL-2.0
//! What netdev would send a series back for, and where that is written.
//!
//! Here are the rules that the mails alone show to be broken; those about the posting as such are in posting.rs.

use crate::check::exceptions;
use crate::check::source::Patch;
use crate::check::{Finding, Level, SERIES, invisible, limits, message, trailers};
use crate::mail::Envelope;

const NETDEV: &str = "Documentation/process/maintainer-netdev.rst";
const PATCHES: &str = "Documentation/process/submitting-patches.rst";

const CANONICAL: &str = "The canonical patch format";
const DESCRIBE: &str = "Describe your changes";
const PLAIN_TEXT: &str = "No MIME, no links, no compression, no attachments.  Just plain text";
const SIGN: &str = "Sign your work - the Developer's Certificate of Origin";
const CO_DEVELOPED: &str = "When to use Acked-by:, Cc:, and Co-developed-by:";
const REPORTED: &str = "Using Reported-by:, Tested-by:, Reviewed-by:, Suggested-by: and Fixes:";

/// A rule that may be broken with `--force NAME`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// The file of the kernel tree that has it.
    pub file: &'static str,
    /// The section of that file.
    pub section: &'static str,
}

const fn rule(name: &'static str, file: &'static str, section: &'static str) -> Rule {
    Rule { name, file, section }
}

/// All rules.
pub const RULES: &[Rule] = &[
    // The text of mails.
    rule("subject-length", PATCHES, CANONICAL),
    rule("subject-tag", PATCHES, CANONICAL),
    rule("subject-prefix", PATCHES, CANONICAL),
    rule("subject-period", PATCHES, CANONICAL),
    rule("subject-text", PATCHES, PLAIN_TEXT),
    rule("subject-space", PATCHES, CANONICAL),
    rule("invisible-character", PATCHES, PLAIN_TEXT),
    rule("blank-line", PATCHES, CANONICAL),
    rule("empty-body", PATCHES, DESCRIBE),
    rule("mail-header", PATCHES, CANONICAL),
    rule("blank-lines", PATCHES, CANONICAL),
    rule("text", PATCHES, PLAIN_TEXT),
    rule("trailing-space", PATCHES, PLAIN_TEXT),
    rule("body-width", PATCHES, CANONICAL),
    rule("changelog", PATCHES, CANONICAL),
    rule("cut-line", PATCHES, CANONICAL),
    rule("like-a-patch", PATCHES, CANONICAL),
    // Trailers.
    rule("fixes-form", PATCHES, DESCRIBE),
    rule("trailer-place", PATCHES, CANONICAL),
    rule("trailer-block", PATCHES, CANONICAL),
    rule("trailer-name", PATCHES, REPORTED),
    rule("trailer-value", PATCHES, REPORTED),
    rule("trailer-order", PATCHES, REPORTED),
    rule("co-developed", PATCHES, CO_DEVELOPED),
    rule("author-sign-off", PATCHES, SIGN),
    rule("sign-off", PATCHES, SIGN),
    // The series.
    rule("too-many-patches", NETDEV, "Dividing work into patches"),
    rule("no-cover", NETDEV, "Dividing work into patches"),
    // The posting.
    rule("posted-24h", NETDEV, "Resending after review"),
    rule("version-posted", NETDEV, "Resending after review"),
    rule("no-changelog", NETDEV, "Changes requested"),
    rule("tree-closed", NETDEV, "git trees and patch flow"),
    rule("tree-prefix", NETDEV, "Indicating target tree"),
    rule("tree-base", NETDEV, "Indicating target tree"),
    rule("outstanding", NETDEV, "Limit patches outstanding on mailing list"),
    rule("unproved", NETDEV, "Expected level of testing"),
    rule("no-fixes", PATCHES, REPORTED),
    rule("no-sign-off", PATCHES, SIGN),
    rule("tag-permission", PATCHES, "Tagging people requires permission"),
    rule("stale-tag", PATCHES, REPORTED),
    rule("resend-modified", PATCHES, "Don't get discouraged - or impatient"),
];

/// Where the rule of a finding is written.
pub fn source(finding: &Finding) -> Option<String> {
    let rule = RULES.iter().find(|rule| rule.name == finding.rule())?;
    Some(format!("{}, \"{}\"", rule.file, rule.section))
}

/// Every broken rule of the mails that is neither excused in series.toml nor named in `force`.
pub fn findings(patches: &[Patch], envelope: &Envelope, force: &[String]) -> Vec<Finding> {
    let mut found = Vec::new();
    for patch in patches {
        found.extend(named("message", &patch.name, message::findings(&patch.message)));
        found.extend(named("invisible", &patch.name, invisible::in_text(&patch.message)));
        found.extend(named("trailers", &patch.name, trailers::findings(&patch.message, &patch.author)));
        let note = envelope.notes.get(&patch.name).map(String::as_str).unwrap_or_default();
        found.extend(named("note", &patch.name, [like_a_patch(note), odd_characters(note)].concat()));
        found.extend(named("note", &patch.name, invisible::in_text(note)));
    }
    found.extend(named("limits", SERIES, limits::findings(patches, envelope.cover.as_deref())));
    let changelog = &envelope.changelog;
    found.extend(named("changelog", SERIES, [like_a_patch(changelog), odd_characters(changelog)].concat()));
    found.extend(named("changelog", SERIES, invisible::in_text(changelog)));
    if let Some(cover) = &envelope.cover {
        found.extend(named("cover", SERIES, message::subject_findings(&envelope.title)));
        found.extend(named("cover", SERIES, [like_a_patch(cover), odd_characters(cover)].concat()));
        found.extend([&envelope.title, cover].iter().flat_map(|text| named("cover", SERIES, invisible::in_text(text))));
    }
    counting(found, envelope, force)
}

/// What a mail of patch `patch` adds without showing it, as [`invisible`] finds it.
pub fn hidden(patch: &str, mail: &str) -> Vec<Finding> {
    named("invisible", patch, invisible::in_diff(mail))
}

/// Those of `found` that are neither excused in series.toml nor named in `force`.
pub fn counting(found: Vec<Finding>, envelope: &Envelope, force: &[String]) -> Vec<Finding> {
    let (counting, _) = exceptions::apply(found, &envelope.exceptions, |_, _| false);
    let fail = counting.into_iter().filter(|finding| finding.level == Level::Fail);
    fail.filter(|finding| !force.iter().any(|rule| rule == finding.rule())).collect()
}

/// Findings of check `check`, about `patch` where they name none.
pub fn named(check: &str, patch: &str, found: Vec<Finding>) -> Vec<Finding> {
    let name = |mut finding: Finding| {
        check.clone_into(&mut finding.check);
        if finding.patch.is_empty() {
            patch.clone_into(&mut finding.patch);
        }
        finding
    };
    found.into_iter().map(name).collect()
}

/// Lines that git am or a bot takes for the start of a patch; indented they are text.
fn like_a_patch(text: &str) -> Vec<Finding> {
    let starts = ["diff -", "@@ ", "--- ", "+++ ", "Index: "];
    let lines = text.lines().enumerate().filter(|(_, line)| starts.iter().any(|start| line.starts_with(start)));
    let what = "the line looks like the start of a patch: indent it";
    lines.map(|(index, _)| Finding::new(Level::Fail, "like-a-patch", what).at_line(index)).collect()
}

/// Lines with characters that control a terminal; those that are not seen or turn text around are another rule's.
fn odd_characters(text: &str) -> Vec<Finding> {
    let odd = |line: &str| line.chars().find(|c| c.is_control() && *c != '\t');
    let lines = text.split('\n').enumerate().filter_map(|(index, line)| Some((index, odd(line)?)));
    let what = |c: char| format!("the line holds the character U+{:04X}", u32::from(c));
    lines.map(|(index, c)| Finding::new(Level::Fail, "text", what(c)).at_line(index)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use regex::Regex;

    use super::RULES;

    #[test]
    fn every_rule_that_refuses_is_in_the_table_once() {
        let sources = [
            include_str!("../check/message.rs"),
            include_str!("../check/trailers.rs"),
            include_str!("../check/limits.rs"),
            include_str!("../check/invisible.rs"),
            include_str!("../check/posting.rs"),
            include_str!("posting.rs"),
            include_str!("rules.rs"),
        ];
        let name = Regex::new(r#"(?:Level::Fail, |add\(|broken\()\s*"([a-z0-9-]+)""#).expect("it is a pattern");
        let used = sources.iter().flat_map(|text| name.captures_iter(text)).map(|found| found[1].to_owned());
        let listed = RULES.iter().map(|rule| rule.name.to_owned()).collect::<Vec<_>>();
        assert_eq!(used.collect::<BTreeSet<_>>(), listed.iter().cloned().collect::<BTreeSet<_>>());
        assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), listed.len());
    }
}

// SPDX-License-Identifier: GPL-2.0
//! What series.toml tells of the life of a series: what each version changed, what was posted, who said what of it.

use anyhow::{Result, bail};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::check::SERIES;
use crate::value;

/// What a version changed: `[[changelog]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The version that brought the changes.
    pub version: u32,
    /// The patch they are in; the series as a whole otherwise.
    #[serde(default, deserialize_with = "value::some_name")]
    pub patch: Option<String>,
    /// The changes, one an entry.
    #[serde(deserialize_with = "value::texts")]
    pub changes: Vec<String>,
}

/// A posting: `[[posted]]`, written by `txgen send`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Posted {
    /// The version that was posted.
    pub version: u32,
    /// How often it had been posted before, unchanged.
    #[serde(default)]
    pub resend: u32,
    /// It asked for comments only.
    #[serde(default)]
    pub rfc: bool,
    /// When its last mail went out.
    #[serde(deserialize_with = "timestamp")]
    pub date: Timestamp,
    /// Message id of its first mail, without angle brackets.
    #[serde(deserialize_with = "value::message_id")]
    pub message_id: String,
    /// Where it can be read.
    #[serde(deserialize_with = "value::line")]
    pub link: String,
    /// The commit it stood on.
    #[serde(deserialize_with = "value::object")]
    pub base: String,
    /// Its last commit.
    #[serde(deserialize_with = "value::object")]
    pub commit: String,
    /// The names of its patches, first to last.
    #[serde(deserialize_with = "value::names")]
    pub patches: Vec<String>,
    /// What became of it (`applied`, `rejected`, ...); without, it is outstanding.
    #[serde(default, deserialize_with = "value::some_line")]
    pub result: Option<String>,
}

/// A trailer that somebody gave in a mail: `[[tag]]`, written by `txgen trailers`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tag {
    /// The patch whose message has it.
    #[serde(deserialize_with = "value::name")]
    pub patch: String,
    /// The whole line.
    #[serde(deserialize_with = "value::line")]
    pub trailer: String,
    /// The mail that gave it; where there is none, `reason` says why it may be there.
    #[serde(default, deserialize_with = "value::some_message_id")]
    pub message_id: Option<String>,
    /// Why a trailer may be there that came by no mail: a person's word, a public report.
    #[serde(default, deserialize_with = "value::some_text")]
    pub reason: Option<String>,
    /// The patch id that it was given for.
    #[serde(default, deserialize_with = "value::some_object")]
    pub patch_id: Option<String>,
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// What each version changed, in the order of series.toml.
    pub changelog: Vec<Change>,
    /// What was posted, oldest first.
    pub posted: Vec<Posted>,
    /// Trailers that people gave.
    pub tags: Vec<Tag>,
}

impl History {
    /// The posting before version `version`, or before another posting of it.
    pub fn last(&self) -> Option<&Posted> {
        self.posted.last()
    }

    /// The last posting of a version before `version`.
    pub fn before(&self, version: u32) -> Option<&Posted> {
        self.posted.iter().rev().find(|posted| posted.version < version)
    }

    /// Refuses what refers to a patch that the series does not have.
    pub fn check(&self, patches: &[&str]) -> Result<()> {
        let known = |name: &str| patches.contains(&name);
        for change in &self.changelog {
            if let Some(name) = change.patch.as_ref().filter(|name| !known(name)) {
                bail!("[[changelog]] of version {}: the series has no patch `{name}`", change.version);
            }
            if change.version == 0 || change.changes.iter().any(|text| text.trim().is_empty()) {
                let patch = change.patch.as_deref().unwrap_or(SERIES);
                bail!(
                    "[[changelog]] of {patch}, version {}: versions count from 1, and changes say something",
                    change.version
                );
            }
        }
        for tag in &self.tags {
            if !known(&tag.patch) {
                bail!("[[tag]] `{}`: the series has no patch `{}`", tag.trailer, tag.patch);
            }
            if tag.trailer.contains(['\n', '\r']) || !tag.trailer.contains(": ") {
                bail!("[[tag]] of patch {}: `{}` is no trailer", tag.patch, tag.trailer.escape_debug());
            }
            if tag.message_id.is_none() && tag.reason.as_ref().is_none_or(|reason| reason.trim().is_empty()) {
                bail!("[[tag]] `{}` needs the `message-id` of the mail that gave it, or a `reason`", tag.trailer);
            }
        }
        Ok(())
    }
}

fn timestamp<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
}

/// The name of a posting: `v2`, or `v2-resend1`.
pub fn posting(version: u32, resend: u32) -> String {
    if resend == 0 { format!("v{version}") } else { format!("v{version}-resend{resend}") }
}

#[cfg(test)]
mod tests {
    use super::{Change, History, Tag};

    #[test]
    fn what_refers_to_no_patch_or_has_no_source_is_refused() {
        let change = Change { version: 2, patch: Some("gone".into()), changes: vec!["more".into()] };
        let tag = Tag {
            patch: "core".into(),
            trailer: "Acked-by: B <b@example.org>".into(),
            message_id: None,
            reason: None,
            patch_id: None,
        };
        let wrong = |history: History| history.check(&["core"]).expect_err("it is wrong").to_string();
        insta::assert_snapshot!(
            wrong(History { changelog: vec![change], ..History::default() }),
            @"[[changelog]] of version 2: the series has no patch `gone`"
        );
        insta::assert_snapshot!(
            wrong(History { tags: vec![tag], ..History::default() }),
            @"[[tag]] `Acked-by: B <b@example.org>` needs the `message-id` of the mail that gave it, or a `reason`"
        );
    }
}

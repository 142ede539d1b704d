// SPDX-License-Identifier: GPL-2.0
//! The rules about a posting as such: when, how much, signed by whom, tested, with whose names.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::check::posting::Destination;
use crate::check::source::Patch;
use crate::check::{self, Finding, Level, trailers};
use crate::git::Identity;
use crate::mail::{Envelope, changelog, header};
use crate::series::History;
use crate::series::history::posting;

/// Trailers that need no permission: a person's own, or of what that person said in public.
const IMPLICIT: &[&str] = &["Reported-by", "Suggested-by", "Assisted-by", "Cc"];

/// What the rules look at beside the mails.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The time of the posting.
    pub now: Timestamp,
    /// What was posted of the series, and what people said of it.
    pub history: &'a History,
    /// The tree takes no patches now.
    pub closed: bool,
    /// Where it goes.
    pub destination: Destination,
    /// Patches that are not on record as built and booted.
    pub unproved: Vec<String>,
    /// By patch: git's patch id of its code.
    pub patch_ids: BTreeMap<String, String>,
    /// A resend is not what was posted.
    pub differs: bool,
    /// Who sends it.
    pub sender: Identity,
}

/// Every rule that the posting breaks.
pub fn findings(facts: &Facts<'_>, envelope: &Envelope, patches: &[Patch]) -> Vec<Finding> {
    let mut found = of_time(facts, envelope);
    found.extend(check::posting::findings(&facts.destination, patches));
    found.extend(of_version(facts, envelope));
    for patch in patches {
        found.extend(of_patch(facts, envelope, patch).into_iter().map(|finding| finding.of(&patch.name)));
    }
    found
}

fn broken(rule: &str, what: impl std::fmt::Display) -> Finding {
    Finding::new(Level::Fail, rule, what)
}

fn of_time(facts: &Facts<'_>, envelope: &Envelope) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(last) = facts.history.last() {
        let next = last.date + SignedDuration::from_hours(24);
        if facts.now < next {
            let name = posting(last.version, last.resend);
            found.push(broken("posted-24h", format!("{name} was posted at {}: wait until {next}", last.date)));
        }
    }
    if facts.closed && !envelope.rfc {
        let what = format!("{} is closed: it takes bug fixes (net) and RFCs (--rfc) only", envelope.tree);
        found.push(broken("tree-closed", what));
    }
    found
}

fn of_version(facts: &Facts<'_>, envelope: &Envelope) -> Vec<Finding> {
    let version = envelope.version;
    let mut found = Vec::new();
    if envelope.resend > 0 {
        if facts.differs {
            found.push(broken("resend-modified", "the patches are not those that were posted: that is a new version"));
        }
        return found;
    }
    if let Some(last) = facts.history.last().filter(|last| last.version >= version) {
        let name = posting(last.version, last.resend);
        found.push(broken(
            "version-posted",
            format!("{name} was posted: this is v{version} (--resend, or a new version)"),
        ));
    }
    let told = changelog::tells_of(facts.history, version) || envelope.cover.as_deref().is_some_and(tells_below);
    if version > 1 && !told {
        let what = format!("nothing tells what v{version} changed: add a [[changelog]] to series.toml");
        found.push(broken("no-changelog", what));
    }
    found
}

/// Whether the part of cover.md below `---` has text.
fn tells_below(cover: &str) -> bool {
    cover.split_once("\n---\n").is_some_and(|(_, below)| !below.trim().is_empty())
}

fn of_patch(facts: &Facts<'_>, envelope: &Envelope, patch: &Patch) -> Vec<Finding> {
    let mut found = Vec::new();
    let all = trailers::in_message(&patch.message);
    let sender = &facts.sender;
    let is = |value: &str, who: &str| header::address(value).eq_ignore_ascii_case(header::address(who));
    let last = all.iter().rfind(|(name, _)| *name == "Signed-off-by");
    if !last.is_some_and(|(_, value)| is(value, &sender.email)) {
        let what = format!("the last Signed-off-by is not that of the sender, {}: sign with --sign", sender.display());
        found.push(broken("no-sign-off", what));
    }
    if !envelope.rfc && facts.unproved.contains(&patch.name) {
        found.push(broken("unproved", "it is not on record as built and booted: `txgen test`"));
    }
    for (name, value) in all {
        let own = is(value, &sender.email) || is(value, &patch.author);
        if own || IMPLICIT.contains(&name) || !name.ends_with("-by") {
            continue;
        }
        let line = format!("{name}: {value}");
        let tag = facts.history.tags.iter().find(|tag| tag.patch == patch.name && tag.trailer == line);
        match tag {
            None => found.push(broken(
                "tag-permission",
                format!("`{line}` came by no mail that `txgen trailers` read: add a [[tag]] with a `reason`"),
            )),
            Some(tag) => {
                let now = facts.patch_ids.get(&patch.name);
                if is_about_code(name) && tag.patch_id.as_ref().is_some_and(|then| now.is_some_and(|now| now != then)) {
                    let what = format!("the code changed since `{line}` was given: `txgen trailers NAME --drop-stale`");
                    found.push(broken("stale-tag", what));
                }
            }
        }
    }
    found
}

/// Whether a trailer says something of the code, which is not true any more of other code.
pub fn is_about_code(name: &str) -> bool {
    ["Reviewed-by", "Acked-by", "Tested-by"].contains(&name)
}

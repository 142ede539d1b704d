// SPDX-License-Identifier: GPL-2.0
//! Who gets the mails: the tree's own scripts/get_maintainer.pl over all patches, people in trailers, and series.toml.
//!
//! Every mail goes to the same people.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::check::source::{Patch, Source};
use crate::check::trailers;
use crate::git::identity::Identity;
use crate::mail::{Envelope, Mail, header, maintainers};

/// Where the mails go, sorted by address, nobody twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recipients {
    /// Maintainers, and those that series.toml adds.
    pub to: Vec<String>,
    /// Reviewers and lists, and those that series.toml adds.
    pub cc: Vec<String>,
}

impl Recipients {
    /// The address that `git send-email` is told, as it asks for one whatever the mails say: the tree's list.
    pub fn list(&self) -> Result<String> {
        let mut everyone = self.cc.iter().chain(&self.to);
        let list = everyone.find(|who| header::address(who).starts_with("netdev@"));
        let first = list.or(self.to.first()).context("there are no recipients")?;
        Ok(header::address(first).to_owned())
    }
}

/// The recipients of the patches, at least one.
pub fn find(
    source: &Source<'_>,
    mails: &[Mail],
    patches: &[Patch],
    envelope: &Envelope,
    sender: &Identity,
) -> Result<Recipients> {
    let answers = maintainers::of_each(source, mails)?;
    collect(&named(&answers), &people(patches, sender), envelope)
}

/// Whom get_maintainer.pl names, each once, and whether as one who maintains: the first role counts, as the script itself
/// has it.
fn named(answers: &[String]) -> Vec<(String, bool)> {
    let mut all = Vec::<(String, bool)>::new();
    for line in answers.iter().flat_map(|answer| answer.lines()).filter(|line| !line.trim().is_empty()) {
        let (who, role) = line.rsplit_once(" (").unwrap_or((line, ""));
        let (who, role) = who.rsplit_once(" (").filter(|_| !who.ends_with('>')).unwrap_or((who, role));
        let maintains = ["maintainer", "supporter", "odd fixer"].iter().any(|start| role.starts_with(start));
        // The same name with another address is the same person.
        let name = header::name(who);
        let is_known = |known: &str| is_same(known, who) || name.is_some() && header::name(known) == name;
        if !all.iter().any(|(known, _)| is_known(known)) {
            all.push((who.to_owned(), maintains));
        }
    }
    all
}

/// Sorts whom get_maintainer.pl names into To and Cc.
fn collect(named: &[(String, bool)], people: &[String], envelope: &Envelope) -> Result<Recipients> {
    let (mut to, mut cc) = (Vec::new(), Vec::new());
    for (who, maintains) in named {
        if *maintains { to.push(who.clone()) } else { cc.push(who.clone()) }
    }
    to.extend(envelope.to.iter().cloned());
    cc.extend(envelope.cc.iter().chain(people).cloned());
    for list in [&mut to, &mut cc] {
        list.retain(|who| !envelope.exclude.iter().any(|out| is_same(who, out)));
    }
    if to.is_empty() {
        std::mem::swap(&mut to, &mut cc);
    }
    if let Some(odd) = to.iter().chain(&cc).find(|who| !header::is_recipient(who)) {
        bail!("`{}` is no recipient: write `Name <address>` or an address", odd.escape_debug());
    }
    let mut seen = BTreeSet::new();
    let recipients = Recipients { to: unique(to, &mut seen), cc: unique(cc, &mut seen) };
    if recipients.to.is_empty() {
        bail!("get_maintainer.pl names no recipients: add `to` in series.toml");
    }
    Ok(recipients)
}

/// Those that trailers name, but for the sender.
fn people(patches: &[Patch], sender: &Identity) -> Vec<String> {
    let named = patches.iter().flat_map(|patch| trailers::people(&patch.message));
    named.filter(|who| !is_same(who, &sender.email)).map(str::to_owned).collect()
}

fn is_same(one: &str, other: &str) -> bool {
    header::address(one).eq_ignore_ascii_case(header::address(other))
}

/// The recipients by address, without those seen before.
fn unique(mut recipients: Vec<String>, seen: &mut BTreeSet<String>) -> Vec<String> {
    recipients.sort_by_key(|recipient| header::address(recipient).to_ascii_lowercase());
    recipients.retain(|recipient| seen.insert(header::address(recipient).to_ascii_lowercase()));
    recipients
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_person_is_named_once_by_the_first_address_and_role() {
        let answers = [
            "Ann <ann@a.org> (reviewer:NET)\nBob <bob@a.org> (maintainer:NET (CORE),reviewer:X)\nlist@a.org (open list:NET (CORE))\n",
            "ann <ann@a.org> (maintainer:TCP)\n\"Bob\" <bob@b.org> (reviewer:TCP)\nlist@a.org (open list:NET)\n",
            "Cy <cy@a.org> (supporter:Y)\nother@a.org (open list)\n",
        ];
        let named = named(&answers.map(str::to_owned));
        let named = named.iter().map(|(who, maintains)| (who.as_str(), *maintains)).collect::<Vec<_>>();
        let expected = [("Ann <ann@a.org>", false), ("Bob <bob@a.org>", true), ("list@a.org", false)];
        assert_eq!(named[..3], expected);
        assert_eq!(named[3..], [("Cy <cy@a.org>", true), ("other@a.org", false)]);
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Who gets the mails: the tree's own scripts/get_maintainer.pl over all patches, people in trailers, and series.toml.
//!
//! Every mail goes to the same people. History is left out (`--nogit`): a managed base has none, and
//! with it the same series would go to others from another clone.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tempfile::TempDir;

use crate::check::source::{Patch, Source};
use crate::check::trailers;
use crate::files;
use crate::git::identity::Identity;
use crate::mail::{Envelope, Mail, header};
use crate::process::{self, Run};

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

/// What get_maintainer.pl reads of the tree when it is given patches.
const PARTS: &[&str] = &["scripts/get_maintainer.pl", "MAINTAINERS", ".get_maintainer.ignore", ".mailmap"];

/// The recipients of the patches, at least one.
///
/// The script gets a folder with the few files it reads, so that writing mails waits for no checkout.
pub fn find(
    source: &Source<'_>,
    mails: &[Mail],
    patches: &[Patch],
    envelope: &Envelope,
    sender: &Identity,
) -> Result<Recipients> {
    let dir = TempDir::new().context("make a folder for get_maintainer.pl")?;
    for path in PARTS.iter().take(2) {
        source.require(path)?;
    }
    for path in PARTS {
        if let Some(bytes) = source.file(&source.tip, path)? {
            files::write_atomic(&dir.path().join(path), &bytes)?;
        }
    }
    for mail in mails {
        files::write_atomic(&dir.path().join("mails").join(&mail.file), mail.text.as_bytes())?;
    }
    // HOME: its .get_maintainer.conf and .ignore must not decide who gets the series.
    let output = Run::new("perl", [PARTS[0], "--no-tree", "--nogit", "--nogit-fallback", "--norolestats"])
        .args(["--roles", "--nosubstatus"])
        .args(mails.iter().map(|mail| Path::new("mails").join(&mail.file)))
        .dir(dir.path())
        .env("HOME", dir.path().join("mails"))
        .env("LC_ALL", "C")
        .check()
        .context("ask scripts/get_maintainer.pl for the recipients")?;
    collect(&output.text(), &people(patches, sender), envelope)
        .with_context(|| process::last_lines(&output.errors(), 5))
}

/// Sorts what get_maintainer.pl prints into To and Cc.
fn collect(text: &str, people: &[String], envelope: &Envelope) -> Result<Recipients> {
    let (mut to, mut cc) = (Vec::new(), Vec::new());
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (who, role) = line.rsplit_once(" (").unwrap_or((line, ""));
        let (who, role) = who.rsplit_once(" (").filter(|_| !who.ends_with('>')).unwrap_or((who, role));
        let maintains = ["maintainer", "supporter", "odd fixer"].iter().any(|start| role.starts_with(start));
        if maintains { to.push(who.to_owned()) } else { cc.push(who.to_owned()) }
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

// SPDX-License-Identifier: GPL-2.0
//! A sending that goes on later: what it would send is shown, and passes the rules that time can break.
//!
//! That the mails are those which were made, with the recipients they were made for, is what the journal's digests say.

use std::fmt::Write;

use anyhow::{Result, bail};
use jiff::{SignedDuration, Timestamp};

use super::fields;
use super::journal::{Entry, Folder, Journal, State};
use crate::check::{Finding, Level, SERIES, exceptions};
use crate::files;
use crate::mail::{Mail, header, rules};
use crate::project::Project;
use crate::series::Series;
use crate::series::history::posting;

/// The mails that would go out, with their subjects and recipients.
pub fn summary(folder: &Folder, journal: &Journal) -> Result<String> {
    let mut text = String::new();
    for entry in left(journal) {
        writeln!(text, "{}", entry.file)?;
        for line in headers(folder, entry)? {
            writeln!(text, "  {line}")?;
        }
    }
    Ok(text)
}

fn left(journal: &Journal) -> impl Iterator<Item = &Entry> {
    journal.mails.iter().filter(|entry| entry.state != State::Sent)
}

/// The headers of a mail that say what it is and who gets it, each on a line.
fn headers(folder: &Folder, entry: &Entry) -> Result<Vec<String>> {
    let text = files::read(&folder.mail(entry))?;
    let mut found = Vec::<String>::new();
    let mut keeps = false;
    for line in text.lines().skip(1).take_while(|line| !line.is_empty()) {
        if line.starts_with([' ', '\t']) {
            if let Some(last) = found.last_mut().filter(|_| keeps) {
                *last += &format!(" {}", line.trim());
            }
            continue;
        }
        keeps = ["subject:", "to:", "cc:", "bcc:"].iter().any(|key| line.to_ascii_lowercase().starts_with(key));
        if keeps {
            found.push(line.to_owned());
        }
    }
    Ok(found)
}

/// Refuses mails that would not arrive as they are, as git is set up by now.
pub fn refuse_changed(project: &Project, folder: &Folder, journal: &Journal) -> Result<()> {
    let read = |entry: &Entry| Ok(Mail { file: entry.file.clone(), text: files::read(&folder.mail(entry))? });
    let mails = left(journal).map(read).collect::<Result<Vec<_>>>()?;
    if !mails.is_empty() {
        super::planned(project, &journal.git_dir, &journal.sender(), &mails)?;
    }
    Ok(())
}

/// The rules that what is left of a sending breaks by now.
pub fn findings(series: &Series, journal: &Journal, closed: bool, now: Timestamp, force: &[String]) -> Vec<Finding> {
    if left(journal).next().is_none() {
        return Vec::new();
    }
    let broken = |rule: &str, what: String| Finding::new(Level::Fail, rule, what);
    let mut found = Vec::new();
    if closed && !journal.rfc {
        let what = format!("{} is closed: it takes bug fixes (net) and RFCs (--rfc) only", journal.tree);
        found.push(broken("tree-closed", what));
    }
    if let Some(last) = series.history.last() {
        let (name, next) = (posting(last.version, last.resend), last.date + SignedDuration::from_hours(24));
        if now < next {
            found.push(broken("posted-24h", format!("{name} was posted at {}: wait until {next}", last.date)));
        }
        if journal.resend == 0 && last.version >= journal.version {
            let what = format!("{name} was posted: what waits is v{} (end it with --abort)", journal.version);
            found.push(broken("version-posted", what));
        }
    }
    let (counting, _) = exceptions::apply(rules::named("posting", SERIES, found), &series.exceptions, |_, _| false);
    counting.into_iter().filter(|finding| !force.iter().any(|rule| rule == finding.rule())).collect()
}

/// Refuses to send to whom the series has excluded since.
pub fn refuse_excluded(series: &Series, folder: &Folder, journal: &Journal) -> Result<()> {
    for entry in left(journal) {
        let text = files::read(&folder.mail(entry))?;
        let all = fields::parse(&text);
        let all = ["to", "cc", "bcc"].iter().flat_map(|key| fields::addresses(&all, key));
        let all = all.chain([journal.list.clone()]).map(|who| who.to_lowercase()).collect::<Vec<_>>();
        let mut excluded = series.exclude.iter().map(|who| header::address(who).to_lowercase());
        if let Some(who) = excluded.find(|who| all.contains(who)) {
            bail!(
                "{} would go to {who}, whom series.toml excludes by now: end this sending (--abort, with --was-sent or \
                 --was-not-sent where txgen asks for it), and begin again",
                entry.file
            );
        }
    }
    Ok(())
}

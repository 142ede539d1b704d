// SPDX-License-Identifier: GPL-2.0
//! What went out, kept: an mbox in the folder of the series, a tag in the kernel's repository, a line in series.toml.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use regex::bytes::Regex;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use crate::files;
use crate::git::Repo;
use crate::project::Project;
use crate::rebase::write;
use crate::send::journal::{Folder, Journal, State};
use crate::send::{known, mailer};
use crate::series::history::posting;
use crate::series::load::record;

/// Begins each mail of a record.
const SEPARATOR: &str = "From mboxrd@z Thu Jan  1 00:00:00 1970\n";

/// The tag of a posting.
pub fn tag(name: &str, journal: &Journal) -> String {
    tag_name(name, journal.version, journal.resend)
}

/// The tag of a version.
pub fn tag_name(name: &str, version: u32, resend: u32) -> String {
    format!("sent/{name}-{}", posting(version, resend))
}

/// Refuses to move a tag that somebody set while mails went out.
fn refuse_moved(journal: &Journal, tag: &str, id: &str) -> Result<()> {
    let Some(other) = known::of_tag(&journal.git_dir, tag)?.filter(|other| other.id != id) else { return Ok(()) };
    bail!(
        "all is out that is to go out, and can not be recorded: tag {tag} is in {} for another object ({}). Give that a \
         name of its own with `git tag other-name {tag}`, remove it with `git tag -d {tag}`, and run this command again",
        journal.git_dir.display(),
        other.id
    )
}

/// Records what went out; series.toml then names the next version.
pub fn write(project: &Project, name: &str, folder: &Folder, journal: &Journal, now: Timestamp) -> Result<()> {
    let path = project.series(name).join("series.toml");
    let toml = files::read(&path)?;
    let tag = tag(name, journal);
    let target = format!("refs/tags/{tag}");
    let seconds = now.as_second();
    let message = told(journal);
    let id = Repo::open(&journal.git_dir)?.tag(&tag, &journal.commit, &journal.sender(), seconds, &message)?;
    refuse_moved(journal, &tag, &id)?;
    let mbox = mbox(folder, journal)?;
    let changes = BTreeMap::from([
        (record(journal.version, journal.resend).display().to_string(), Some(mbox)),
        ("series.toml".to_owned(), Some(edited(&toml, journal, now)?)),
    ]);
    let refs = vec![(target, Some(id))];
    let (git_dir, why) = (journal.git_dir.clone(), format!("txgen send {name}"));
    write::write(
        project,
        name,
        &changes,
        write::Journal { series: String::new(), bases: None, overlay: BTreeMap::new(), git_dir, refs, why },
    )
}

/// The message of the tag.
fn told(journal: &Journal) -> String {
    let lines = [
        ("Message-ID", format!("<{}>", journal.mails[0].message_id)),
        ("base-commit", journal.base.clone()),
        ("change-id", journal.change_id.clone()),
    ];
    let lines = lines.map(|(key, value)| format!("{key}: {value}\n")).concat();
    format!("{}\n\n{lines}", journal.title)
}

/// The mails that went out: the headers as `git send-email` wrote them, the text as it was given to it.
fn mbox(folder: &Folder, journal: &Journal) -> Result<String> {
    // mboxrd, which `git mailsplit --mboxrd` and b4 undo.
    let from = Regex::new("(?m)^(>*From )").context("a pattern")?;
    let mut all = Vec::new();
    for entry in journal.mails.iter().filter(|entry| entry.state == State::Sent) {
        let text = files::read(&folder.mail(entry))?;
        let (old, body) = text.split_once("\n\n").with_context(|| format!("{} has no body", entry.file))?;
        // What follows is mboxrd whoever reads it, which git's own `From ` line does not say.
        let old = old.split_once('\n').filter(|(first, _)| first.starts_with("From ")).map_or(old, |(_, rest)| rest);
        // Of a mail that a person says was sent there may be no headers.
        let sent = folder.log(entry)?.as_deref().and_then(mailer::headers);
        let headers = match sent {
            Some(sent) => of_kind(&sent, false) + &of_kind(old, true),
            None => format!("{old}\n"),
        };
        all.extend_from_slice(format!("{SEPARATOR}{headers}\n").as_bytes());
        all.extend_from_slice(&from.replace_all(body.as_bytes(), &b">$1"[..]));
        if !all.ends_with(b"\n\n") {
            all.extend_from_slice(if all.ends_with(b"\n") { b"\n" } else { b"\n\n" });
        }
    }
    String::from_utf8(all).context("a mail is no UTF-8")
}

/// Those headers that are, or are not, about how the body is encoded, with their folded lines.
fn of_kind(headers: &str, encoding: bool) -> String {
    let mut kept = String::new();
    let mut keeps = false;
    for line in headers.lines() {
        if !line.starts_with([' ', '\t']) {
            let lower = line.to_ascii_lowercase();
            keeps = (lower.starts_with("content-") || lower.starts_with("mime-version:")) == encoding;
        }
        if keeps {
            kept += line;
            kept.push('\n');
        }
    }
    kept
}

/// series.toml with the posting, and with the next version.
fn edited(text: &str, journal: &Journal, now: Timestamp) -> Result<String> {
    let mut doc = text.parse::<DocumentMut>().context("read series.toml")?;
    let version = doc.get("version").and_then(Item::as_integer).context("series.toml has no version")?;
    if version <= i64::from(journal.version)
        && let Some(item) = doc.get_mut("version").and_then(Item::as_value_mut)
    {
        let decor = item.decor().clone();
        *item = (i64::from(journal.version) + 1).into();
        *item.decor_mut() = decor;
    }
    let mut posted = Table::new();
    let id = &journal.mails[0].message_id;
    posted["version"] = value(i64::from(journal.version));
    if journal.resend > 0 {
        posted["resend"] = value(i64::from(journal.resend));
    }
    if journal.rfc {
        posted["rfc"] = value(true);
    }
    posted["date"] = value(now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    posted["message-id"] = value(id);
    posted["link"] = value(format!("https://lore.kernel.org/r/{id}"));
    posted["base"] = value(&journal.base);
    posted["commit"] = value(&journal.commit);
    posted["patches"] = value(journal.patches.iter().collect::<toml_edit::Array>());
    let all = doc.entry("posted").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    all.as_array_of_tables_mut().context("`posted` of series.toml is no [[posted]]")?.push(posted);
    Ok(doc.to_string())
}

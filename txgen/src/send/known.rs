// SPDX-License-Identifier: GPL-2.0
//! Message ids that went out: servers and archives throw a second mail of the same id away, or show the wrong one.
//!
//! They are looked for wherever a posting leaves a trace: in series.toml, in the mails that are kept, of any series of
//! the project (one may have been renamed), and in the tags of the kernel's repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::files;
use crate::git::program;
use crate::project::Project;
use crate::series::Series;

/// Refuses mails of which one went out before.
pub fn refuse(project: &Project, series: &Series, git_dir: &Path, ids: &[String]) -> Result<()> {
    let mut known = BTreeMap::new();
    known.extend(of_tags(git_dir)?);
    for path in mboxes(project)? {
        known.extend(of_mbox(&path)?.into_iter().map(|id| (id, project.relative(&path).display().to_string())));
    }
    let toml = format!("series/{}/series.toml", series.name);
    known.extend(series.history.posted.iter().map(|posted| (posted.message_id.clone(), toml.clone())));
    if let Some((id, place)) = ids.iter().find_map(|id| Some((id, known.get(id)?))) {
        bail!(
            "<{id}> went out before, as {place} says: mails with the same Message-ID are thrown away. Post a new version, \
             or the same once more with --resend"
        );
    }
    Ok(())
}

/// The message ids that tags of earlier postings name, with the tags.
fn of_tags(git_dir: &Path) -> Result<Vec<(String, String)>> {
    let format = "--format=%(refname:short)%00%(contents)%00";
    let output = program::with_users_settings(git_dir).args(["for-each-ref", format, "refs/tags/sent/"]).check()?;
    let text = output.text();
    let mut parts = text.split('\0');
    let mut found = Vec::new();
    while let (Some(tag), Some(message)) = (parts.next(), parts.next()) {
        let ids = message.lines().filter_map(id_of);
        found.extend(ids.map(|id| (id, format!("tag {} of the kernel's repository", tag.trim()))));
    }
    Ok(found)
}

/// The kept mails of all series.
fn mboxes(project: &Project) -> Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for series in entries(&project.root.join("series"))? {
        let sent = series.join("sent");
        if sent.is_dir() {
            found.extend(entries(&sent)?.into_iter().filter(|path| path.is_file()));
        }
    }
    Ok(found)
}

fn entries(dir: &Path) -> Result<Vec<std::path::PathBuf>> {
    let list = || format!("list {}", dir.display());
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).with_context(list)? {
        all.push(entry.with_context(list)?.path());
    }
    all.sort();
    Ok(all)
}

/// The message ids of the mails in an mbox.
fn of_mbox(path: &Path) -> Result<Vec<String>> {
    Ok(files::read_lossy(path)?.lines().filter_map(id_of).collect())
}

/// The message id of a header line.
fn id_of(line: &str) -> Option<String> {
    let (name, value) = line.split_once(':')?;
    let id = value.trim().strip_prefix('<')?.strip_suffix('>')?;
    name.eq_ignore_ascii_case("message-id").then(|| id.to_owned())
}

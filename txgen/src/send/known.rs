// SPDX-License-Identifier: GPL-2.0
//! Message ids that went out: servers and archives throw a second mail of the same id away, or show the wrong one.
//!
//! They are looked for where a posting leaves a trace in the project: in series.toml, and in the mails that are kept of
//! any series (one may have been renamed).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::files;
use crate::project::Project;
use crate::series::Series;

/// Refuses mails of which one went out before.
pub fn refuse(project: &Project, series: &Series, ids: &[String]) -> Result<()> {
    let mut known = BTreeMap::new();
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

/// The kept mails of all series.
fn mboxes(project: &Project) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for series in entries(&project.root.join("series"))? {
        let sent = series.join("sent");
        if sent.is_dir() {
            found.extend(entries(&sent)?.into_iter().filter(|path| path.is_file()));
        }
    }
    Ok(found)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
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

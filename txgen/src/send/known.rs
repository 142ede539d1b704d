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
use crate::git::program;
use crate::project::Project;
use crate::series::Series;

/// Refuses a posting whose tag is in the clone: its record in this project was lost, or another copy of the project
/// sent it.
pub fn refuse_tagged(git_dir: &Path, tag: &str) -> Result<()> {
    let Some(found) = of_tag(git_dir, tag)? else { return Ok(()) };
    let told = found.message.lines().find_map(id_of);
    let told = told.map_or_else(|| "no Message-ID".to_owned(), |id| format!("Message-ID <{id}>"));
    bail!(
        "tag {tag} is in {} with {told}: this version went out before. Post the next one (set `version` in series.toml), \
         or, where the tag is none of this series', remove it with `git tag -d {tag}`",
        git_dir.display()
    )
}

/// What a tag points at.
pub struct Tagged {
    /// The object of the tag itself.
    pub id: String,
    /// What it says.
    pub message: String,
}

/// The tag, where it is in the repository.
pub fn of_tag(git_dir: &Path, tag: &str) -> Result<Option<Tagged>> {
    let format = "--format=%(objectname)%0a%(contents)%00";
    let output = program::fixed(git_dir).args(["for-each-ref", format, &format!("refs/tags/{tag}")]).output()?;
    if !output.status.success() {
        bail!("look for tag {tag} in {}: {}", git_dir.display(), output.errors().trim());
    }
    let text = output.text();
    let found = text.split('\0').next().and_then(|first| first.split_once('\n'));
    Ok(found.map(|(id, message)| Tagged { id: id.to_owned(), message: message.to_owned() }))
}

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

// SPDX-License-Identifier: GPL-2.0
//! What a change that was killed left in .txgen/: finished, or taken back.
//!
//! What can not be is in the way of its own series only. What another project, or another machine, left is never done.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};
use nix::fcntl::RenameFlags;

use super::place;
use super::write::{self, Begun, folder, journal_file, journal_name, key, next_folder};
use crate::base::record::is_name;
use crate::files;
use crate::git::Repo;
use crate::lock;
use crate::project::Project;
use crate::sealed::{self, Foreign};

/// A change that can not be finished now.
#[derive(Debug)]
pub struct Trouble {
    /// The series.
    pub series: String,
    /// Why, and what to do.
    pub error: anyhow::Error,
}

/// Finishes, or takes back, what changes that were killed left; nothing while another txgen is at work.
pub fn recover(project: &Project) -> Result<Vec<Trouble>> {
    sealed::refuse_link(project)?;
    if leftovers(project)?.is_empty() {
        return Ok(Vec::new());
    }
    // Whoever holds the lock is not dead.
    let Some(_lock) = lock::try_take(project)? else { return Ok(Vec::new()) };
    under_lock(project)
}

/// The same by who has the lock.
pub(super) fn under_lock(project: &Project) -> Result<Vec<Trouble>> {
    let mut troubles = Vec::new();
    for file in leftovers(project)? {
        if let Some(series) = file.strip_suffix(".journal") {
            let recovered = one(project, series);
            troubles.extend(recovered.err().map(|error| Trouble { series: series.to_owned(), error }));
        }
    }
    for file in leftovers(project)? {
        // What a journal needs stays with it.
        let of_journal = file.strip_suffix(".next").is_some_and(|series| journal_file(project, series).exists());
        if file.ends_with(".journal") || of_journal {
            continue;
        }
        let path = folder(project).join(&file);
        if path.is_dir() { files::remove_dir(&path)? } else { files::remove_file(&path)? }
    }
    Ok(troubles)
}

/// What is in .txgen/ of changes, and of sendings that were about to begin or to end; what txgen does not put there is left
/// alone.
fn leftovers(project: &Project) -> Result<Vec<String>> {
    let dir = folder(project);
    let list = || format!("list {}", dir.display());
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e).with_context(list),
    };
    let mut found = Vec::new();
    for entry in entries {
        let Ok(file) = entry.with_context(list)?.file_name().into_string() else { continue };
        let endings = [".journal", ".next", ".new", ".gone"];
        let is_ours = endings.iter().any(|ending| file.strip_suffix(ending).is_some_and(is_name));
        if is_ours || files::is_staged(&file) {
            found.push(file);
        }
    }
    found.sort();
    Ok(found)
}

/// Finishes the change of one series, or takes it back where its series is not in its place.
fn one(project: &Project, name: &str) -> Result<()> {
    let path = journal_file(project, name);
    let Some(text) = sealed::read(project, &journal_name(name), &path)? else { return Ok(()) };
    let reading = || format!("read {}", path.display());
    let begun = serde_json::from_str::<Begun>(&text).with_context(reading)?;
    write::check(name, &begun).with_context(reading)?;
    let (series, next) = (project.series(name), next_folder(project, name));
    let [now, beside] = [&series, &next].map(|dir| if dir.is_dir() { key(dir).map(Some) } else { Ok(None) });
    let (now, beside) = (now?, beside?);
    // Where the folder of the series does not change, its key says nothing of how far the change came.
    let is_changed = begun.series.as_ref() != Some(&begun.journal.series);
    let is_beside = is_changed && beside.as_ref() == Some(&begun.journal.series);
    if now.is_none() && !is_beside {
        crate::output::eprintln!("txgen: series/{name}/ was removed: what was begun with it is forgotten");
        return write::forget(project, name);
    }
    if is_beside {
        return write::forget(project, name);
    }
    if now.as_ref() == Some(&begun.journal.series) && beside.is_some() && beside != begun.series {
        // Whoever was killed had no time to see that somebody saved a file at the last moment.
        crate::output::eprintln!("txgen: series/{name}/ changed on disk while it was written: it is as it was saved");
        write::swap(project, name, RenameFlags::RENAME_EXCHANGE)?;
        return write::forget(project, name);
    }
    for file in place::remove_staged(project, &begun)? {
        crate::output::eprintln!(
            "txgen: {} has what somebody saved while txgen wrote: it is kept; take from it what you need, and remove it",
            project.relative(&file).display()
        );
    }
    finish(project, name, &begun).with_context(|| {
        format!(
            "what was begun with series {name} and stopped is not finished, which any txgen command does once it can; where \
             it is not to be, remove .txgen/{}: then `txgen apply {name}` sets the branch",
            journal_name(name)
        )
    })
}

fn finish(project: &Project, name: &str, begun: &Begun) -> Result<()> {
    let git_dir = &begun.journal.git_dir;
    if begun.journal.refs.is_empty() || git_dir.is_dir() {
        unlock(git_dir, begun)?;
        return place::finish(project, name, begun);
    }
    place::place_files(project, begun)?;
    crate::output::eprintln!(
        "txgen: {} is not there any more: series {name} is as it was to be, its branch there is not",
        git_dir.display()
    );
    place::forget_pending(project, name, begun)?;
    write::forget(project, name)
}

/// Removes what the git that was killed with it left on the refs that are to be set.
fn unlock(git_dir: &Path, begun: &Begun) -> Result<()> {
    if begun.journal.refs.is_empty() {
        return Ok(());
    }
    let names = begun.journal.refs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    Repo::open(git_dir)?.remove_stale_locks(&names)
}

/// Whether an error is about a file of .txgen/ that is not ours.
pub fn is_foreign(error: &anyhow::Error) -> bool {
    error.chain().any(<dyn std::error::Error>::is::<Foreign>)
}

// SPDX-License-Identifier: GPL-2.0
//! What a change does beside the folder of its series: series/bases.toml, kernel-overlay/ and the refs.
//!
//! All of it may be done again, after it was killed: what is there already stays, what somebody else changed since is not
//! written over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::pending;
use super::write::{self, Begun, Journal};
use crate::files;
use crate::git::branches::{Move, Put, To};
use crate::git::{Blob, Repo};
use crate::project::Project;
use crate::proof;
use crate::series::{apply, overlay_files};

/// Files that change, as they were: a key over what each held, `None` where there was none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Before {
    /// series/bases.toml.
    pub(super) bases: Option<String>,
    /// Files of kernel-overlay/.
    pub(super) overlay: BTreeMap<String, Option<String>>,
}

impl Before {
    /// The files that `journal` changes, as they are.
    pub(super) fn look(project: &Project, journal: &Journal) -> Result<Self> {
        let overlay = journal.overlay.keys().map(|path| Ok((path.clone(), key_of(&project.overlay().join(path))?)));
        Ok(Self { bases: key_of(&project.bases_file())?, overlay: overlay.collect::<Result<_>>()? })
    }
}

fn key_of(path: &Path) -> Result<Option<String>> {
    Ok(bytes_of(path)?.map(|bytes| proof::key(&[&bytes])))
}

pub(super) fn bytes_of(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&e.kind()) => Ok(None),
        Err(e) => Err(e).with_context(|| format!("read {}", path.display())),
    }
}

/// Does what is left of a change whose series is in its place.
pub(super) fn finish(project: &Project, name: &str, begun: &Begun) -> Result<()> {
    place(project, begun)?;
    end(project, name, begun)
}

/// Writes the files beside the series, and sets the refs.
pub(super) fn place(project: &Project, begun: &Begun) -> Result<()> {
    place_files(project, begun)?;
    refuse_used(begun)?;
    move_refs(begun)
}

/// Forgets a change that is done.
pub(super) fn end(project: &Project, name: &str, begun: &Begun) -> Result<()> {
    forget_pending(project, name, begun)?;
    write::forget(project, name)
}

/// Forgets the rebase that waits where the branch of the series moves: not where a posting is recorded.
pub(super) fn forget_pending(project: &Project, name: &str, begun: &Begun) -> Result<()> {
    let head = apply::head_ref(name);
    if begun.journal.refs.iter().any(|(name, _)| *name == head) { pending::forget(project, name) } else { Ok(()) }
}

/// Refuses to set a branch that a work tree uses by now, where it is not there already.
fn refuse_used(begun: &Begun) -> Result<()> {
    if begun.journal.refs.is_empty() {
        return Ok(());
    }
    let repo = Repo::open(&begun.journal.git_dir)?;
    for (name, to) in &begun.journal.refs {
        let Some(branch) = name.strip_prefix("refs/heads/") else { continue };
        if repo.target(name)? != *to {
            let to = to.as_deref().map_or(To::Elsewhere, To::Commit);
            // Whether it is where it was is seen when it is set.
            repo.refuse_to_move(&Move { branch, to, put: Put::Anywhere, doing: "this" })?;
        }
    }
    Ok(())
}

/// Writes the files beside the series.
pub(super) fn place_files(project: &Project, begun: &Begun) -> Result<()> {
    let Begun { journal, before, .. } = begun;
    if let Some(text) = &journal.bases {
        let path = project.bases_file();
        let old = unedited(project, &path, before.bases.as_ref(), Some(text.as_bytes()))?;
        write_over(&path, old.as_deref(), text.as_bytes())?;
    }
    for (path, file) in &journal.overlay {
        let place = project.overlay().join(path);
        let bytes = file.as_ref().map(|file| file.text.as_bytes());
        let old = unedited(project, &place, before.overlay.get(path).and_then(Option::as_ref), bytes)?;
        let blob = file.as_ref().map(Blob::from);
        overlay_files::place(&project.overlay(), path, blob.as_ref(), |path, new| {
            write_over(path, old.as_deref(), new)
        })?;
    }
    Ok(())
}

/// Removes the temporary files that a change which was killed left beside those it writes; what of them is neither an old
/// file nor (the beginning of) a new one was saved by somebody at that moment, and is kept.
pub(super) fn remove_staged(project: &Project, begun: &Begun) -> Result<Vec<PathBuf>> {
    let Begun { journal, before, .. } = begun;
    let places = journal.overlay.keys().map(|path| project.overlay().join(path)).chain([project.bases_file()]);
    let folders = places.filter_map(|path| path.parent().map(Path::to_owned)).collect::<BTreeSet<_>>();
    let new = journal.overlay.values().flatten().map(|file| &file.text).chain(&journal.bases).collect::<Vec<_>>();
    let old = before.overlay.values().chain([&before.bases]).flatten().collect::<BTreeSet<_>>();
    let is_ours =
        |bytes: &[u8]| new.iter().any(|text| text.as_bytes().starts_with(bytes)) || old.contains(&proof::key(&[bytes]));
    let mut kept = Vec::new();
    for folder in folders {
        kept.extend(files::remove_staged(&folder, is_ours)?);
    }
    Ok(kept)
}

fn write_over(path: &Path, old: Option<&[u8]>, new: &[u8]) -> Result<()> {
    match old {
        Some(old) => files::replace(path, old, new),
        None => files::write_atomic(path, new),
    }
}

/// What a file holds; an error where that is neither the file as it was nor the file as it is to be, and behind a link.
fn unedited(project: &Project, path: &Path, was: Option<&String>, new: Option<&[u8]>) -> Result<Option<Vec<u8>>> {
    let file = project.relative(path);
    for part in file.ancestors().filter(|part| !part.as_os_str().is_empty()) {
        if project.root.join(part).is_symlink() {
            bail!("{} is a symbolic link: a project has plain files and folders only", part.display());
        }
    }
    let bytes = bytes_of(path)?;
    if bytes.as_ref().map(|bytes| proof::key(&[bytes])).as_ref() == was || bytes.as_deref() == new {
        return Ok(bytes);
    }
    bail!(
        "{} changed on disk meanwhile: move it away for the next command to write it, and put your change into it then",
        file.display()
    )
}

/// Moves the refs that are not where they are to be.
fn move_refs(begun: &Begun) -> Result<()> {
    if begun.journal.refs.is_empty() {
        return Ok(());
    }
    let repo = Repo::open(&begun.journal.git_dir)?;
    let mut left = Vec::new();
    for mut one in write::moves(begun) {
        let now = repo.target(&one.name)?;
        if now != one.to {
            one.from = one.from.filter(|_| now.is_some());
            left.push(one);
        }
    }
    if left.is_empty() { Ok(()) } else { repo.move_refs_from(&left, &begun.journal.why) }
}

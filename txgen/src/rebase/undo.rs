// SPDX-License-Identifier: GPL-2.0
//! A change that was begun and can not be ended, taken back: the files as they were, then the folder of the series.
//!
//! What somebody saved meanwhile is not written over, and what is taken back may be killed like the change itself: until the
//! folders have changed places again it is finished by whoever comes next.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use nix::fcntl::RenameFlags;

use super::place::{self, bytes_of};
use super::write::{self, Begun, Journal};
use crate::files;
use crate::git::{Blob, Mode, Repo};
use crate::project::Project;
use crate::series::overlay_files;

/// The files beside a series that a change writes, as they were.
pub(super) struct Old {
    bases: Option<Vec<u8>>,
    overlay: BTreeMap<String, Option<Blob>>,
}

impl Old {
    /// The files that `journal` changes, as they are.
    pub(super) fn look(project: &Project, journal: &Journal) -> Result<Self> {
        let overlay = journal.overlay.keys();
        let overlay = overlay.map(|path| Ok((path.clone(), blob(&project.overlay().join(path))?)));
        let bases = if journal.bases.is_some() { bytes_of(&project.bases_file())? } else { None };
        Ok(Self { bases, overlay: overlay.collect::<Result<_>>()? })
    }
}

fn blob(path: &Path) -> Result<Option<Blob>> {
    let Some(bytes) = bytes_of(path)? else { return Ok(None) };
    let meta = fs::metadata(path).with_context(|| format!("look at {}", path.display()))?;
    let mode = if meta.permissions().mode() & 0o100 == 0 { Mode::Plain } else { Mode::Executable };
    Ok(Some(Blob { mode, bytes }))
}

/// Does what is left of a change that was just begun; all of it is taken back where it can not be done.
pub(super) fn place_or_take_back(project: &Project, name: &str, begun: &Begun, old: &Old) -> Result<()> {
    let Err(error) = place::place(project, begun) else { return Ok(()) };
    Err(match take_back(project, name, begun, old) {
        Ok(()) => error.context("nothing was written, run it again"),
        Err(back) => error.context(format!(
            "series/{name}/ is changed and its branch is not, which any txgen command finishes once it can; it was not \
             taken back ({back:#})"
        )),
    })
}

fn take_back(project: &Project, name: &str, begun: &Begun, old: &Old) -> Result<()> {
    refuse_moved(begun)?;
    if let Some(new) = &begun.journal.bases
        && bytes_of(&project.bases_file())?.as_deref() == Some(new.as_bytes())
    {
        match &old.bases {
            Some(was) => files::replace(&project.bases_file(), new.as_bytes(), was)?,
            None => files::remove_file(&project.bases_file())?,
        }
    }
    for (path, file) in &begun.journal.overlay {
        let (place, was) = (project.overlay().join(path), old.overlay.get(path).and_then(Option::as_ref));
        let new = file.as_ref().map(|file| file.text.as_bytes());
        if bytes_of(&place)?.as_deref() == new {
            overlay_files::place(&project.overlay(), path, was, |path, bytes| match new {
                Some(new) => files::replace(path, new, bytes),
                None => files::write_atomic(path, bytes),
            })?;
        }
    }
    exchange(project, name, begun)?;
    write::forget(project, name)
}

/// Refuses where a ref is already where it is to be.
fn refuse_moved(begun: &Begun) -> Result<()> {
    if begun.journal.refs.is_empty() {
        return Ok(());
    }
    let repo = Repo::open(&begun.journal.git_dir)?;
    for one in write::moves(begun).into_iter().filter(|one| one.from != one.to) {
        if repo.target(&one.name)? == one.to {
            bail!("{} is set", one.name);
        }
    }
    Ok(())
}

/// Lets the folders change places again, where nobody saved a file in that of the series meanwhile.
fn exchange(project: &Project, name: &str, begun: &Begun) -> Result<()> {
    let (series, next) = (project.series(name), write::next_folder(project, name));
    let swap = || match begun.series {
        Some(_) => write::swap(project, name, RenameFlags::RENAME_EXCHANGE),
        None => fs::rename(&series, &next).with_context(|| format!("move {}", series.display())),
    };
    swap()?;
    if write::key(&next)? == begun.journal.series {
        return Ok(());
    }
    match begun.series {
        Some(_) => swap()?,
        None => write::swap(project, name, RenameFlags::RENAME_NOREPLACE)?,
    }
    bail!("series/{name}/ changed on disk meanwhile")
}

// SPDX-License-Identifier: GPL-2.0
//! The project as it would be, in a folder of its own.

use std::fs;

use anyhow::{Context, Result};

use super::Refreshed;
use crate::files;
use crate::project::Project;
use crate::scratch::Scratch;
use crate::series::{apply, overlay_files};

/// A project in a folder that goes with the value.
pub struct Staged {
    /// The project.
    pub project: Project,
    _dir: Scratch,
}

/// Copies what series are made of to a project that is empty: the series, the bases and kernel-overlay/, without what lies
/// beside them.
pub fn copy(project: &Project, staged: &Project) -> Result<()> {
    for name in apply::names(project)? {
        let (from, to) = (project.series(&name), staged.series(&name));
        let plain = files::below(&from)?
            .into_iter()
            .filter(|file| fs::symlink_metadata(from.join(file)).is_ok_and(|meta| meta.is_file()));
        for file in plain {
            let bytes = fs::read(from.join(&file)).with_context(|| format!("read {}", from.join(&file).display()))?;
            files::write_new(&to.join(file), &bytes)?;
        }
    }
    let bases = project.bytes(&project.bases_file())?;
    files::write_new(&staged.bases_file(), &bases)?;
    for (path, blob) in overlay_files::read(project)? {
        overlay_files::place(&staged.overlay(), &path, Some(&blob), files::write_new)?;
    }
    Ok(())
}

/// Copies what a series is made of, and changes it.
pub fn stage(project: &Project, name: &str, refreshed: &Refreshed) -> Result<Staged> {
    let dir = Scratch::new(&project.cache)?;
    let staged = Project { root: dir.path().to_owned(), cache: project.cache.clone() };
    copy(project, &staged)?;
    for (file, text) in &refreshed.files {
        let path = staged.series(name).join(file);
        match text {
            Some(text) => files::write_new(&path, text.as_bytes())?,
            None => files::remove_file(&path)?,
        }
    }
    for (path, blob) in &refreshed.overlay {
        overlay_files::place(&staged.overlay(), path, blob.as_ref(), files::write_new)?;
    }
    Ok(Staged { project: staged, _dir: dir })
}

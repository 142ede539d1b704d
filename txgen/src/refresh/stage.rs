// SPDX-License-Identifier: GPL-2.0
//! The project as it would be, in a folder of its own.

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::Refreshed;
use crate::files;
use crate::project::Project;
use crate::series::overlay_files;

/// A project in a folder that goes with the value.
pub struct Staged {
    /// The project.
    pub project: Project,
    _dir: TempDir,
}

/// Copies what a series is made of, and changes it.
pub fn stage(project: &Project, name: &str, refreshed: &Refreshed) -> Result<Staged> {
    let dir = tempfile::Builder::new().prefix("txgen-stage-").tempdir().context("make a folder for the new series")?;
    let staged = Project { root: dir.path().to_owned(), cache: project.cache.clone() };
    files::copy_folder(&project.root.join("series"), &staged.root.join("series"))?;
    if project.has_folder(&project.overlay())? {
        files::copy_folder(&project.overlay(), &staged.overlay())?;
    }
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

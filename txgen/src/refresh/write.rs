// SPDX-License-Identifier: GPL-2.0
//! What was read of a branch, written: series/NAME/, kernel-overlay/ and the refs.

use anyhow::{Context, Result};

use super::Refreshed;
use crate::base::Base;
use crate::project::Project;
use crate::rebase::write::{self, Journal, OverlayFile, Seen};

/// Refs that are set with a series.
#[derive(Debug, Clone)]
pub struct Refs {
    /// Each by its full name, with the commit it is to point at.
    pub to: Vec<(String, String)>,
    /// Where those of them were for which it was decided that they may be moved.
    pub seen: Seen,
    /// What goes into their reflogs.
    pub why: String,
}

/// Writes all of `refreshed` or nothing, and sets `refs`.
pub fn write(project: &Project, name: &str, refreshed: &Refreshed, base: &Base, refs: &Refs) -> Result<()> {
    let overlay = refreshed.overlay.iter().map(|(path, blob)| {
        let file = blob.as_ref().map(OverlayFile::try_from).transpose();
        Ok((path.clone(), file.with_context(|| path.clone())?))
    });
    let journal = Journal {
        series: String::new(),
        bases: None,
        overlay: overlay.collect::<Result<_>>()?,
        git_dir: base.git_dir.clone(),
        refs: refs.to.iter().map(|(name, commit)| (name.clone(), Some(commit.clone()))).collect(),
        why: refs.why.clone(),
    };
    write::write_from(project, name, &refreshed.files, journal, &refs.seen)
}

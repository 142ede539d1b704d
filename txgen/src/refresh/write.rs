// SPDX-License-Identifier: GPL-2.0
//! What was read of a branch, written: series/NAME/, kernel-overlay/ and the refs.

use anyhow::{Context, Result};

use super::Refreshed;
use crate::base::Base;
use crate::project::Project;
use crate::rebase::write::{self, Journal, OverlayFile};

/// Writes all of `refreshed` or nothing, and points each of `refs` at its commit; `why` goes into their reflogs.
pub fn write(
    project: &Project,
    name: &str,
    refreshed: &Refreshed,
    base: &Base,
    (refs, why): (&[(String, String)], &str),
) -> Result<()> {
    let overlay = refreshed.overlay.iter().map(|(path, blob)| {
        let file = blob.as_ref().map(OverlayFile::try_from).transpose();
        Ok((path.clone(), file.with_context(|| path.clone())?))
    });
    let journal = Journal {
        series: String::new(),
        bases: None,
        overlay: overlay.collect::<Result<_>>()?,
        git_dir: base.git_dir.clone(),
        refs: refs.iter().map(|(name, commit)| (name.clone(), Some(commit.clone()))).collect(),
        why: why.to_owned(),
    };
    write::write(project, name, &refreshed.files, journal)
}

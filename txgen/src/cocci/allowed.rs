// SPDX-License-Identifier: GPL-2.0
//! Which semantic patches may run code: those whose very text the user allowed, in `$TXGEN_CACHE/allowed`.
//!
//! The list is outside of the project, so that a project that is handed on does not bring it along.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::code::{self, Place};
use crate::files;
use crate::project::Project;
use crate::proof;

fn record(project: &Project, text: &str) -> PathBuf {
    project.cache.join("allowed").join(format!("{}.cocci", digest(text)))
}

/// What tells a script's text from any other.
pub fn digest(text: &str) -> String {
    proof::key(&[text.as_bytes()])
}

/// Whether the user allowed exactly this text.
pub fn is_allowed(project: &Project, text: &str) -> Result<bool> {
    let path = record(project, text);
    if !path.is_file() {
        return Ok(false);
    }
    Ok(files::read(&path)? == text)
}

/// Allows the text.
pub fn allow(project: &Project, text: &str) -> Result<()> {
    files::write_atomic(&record(project, text), text.as_bytes())
}

/// Takes that back.
pub fn forbid(project: &Project, text: &str) -> Result<()> {
    files::remove_file(&record(project, text))
}

/// Refuses the semantic patch `file` if it runs code that the user did not allow.
pub(super) fn refuse_code(project: &Project, file: &Path, text: &str) -> Result<()> {
    let Some(Place { line, what }) = code::code(text).into_iter().next() else { return Ok(()) };
    if is_allowed(project, text)? {
        return Ok(());
    }
    let file = file.display();
    bail!(
        "{file}:{line}: {what}, and you did not allow it: `txgen allow {file}` shows it, `txgen allow {file} --yes` allows it"
    )
}

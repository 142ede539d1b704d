// SPDX-License-Identifier: GPL-2.0
//! Series on disk (series/NAME/), and what they become.

pub mod path;

use std::path::PathBuf;

use crate::base::Base;

/// A series as commits on a base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The series' name.
    pub name: String,
    /// What it stands on.
    pub base: Base,
    /// The git directory that holds the commits.
    pub git_dir: PathBuf,
    /// The branch that points at the last commit: txgen/NAME.
    pub branch: String,
    /// The patches, first to last.
    pub patches: Vec<AppliedPatch>,
}

/// A patch as a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedPatch {
    /// Its name in series.toml.
    pub name: String,
    /// First line of its message.
    pub subject: String,
    /// Its commit, 40 hex digits.
    pub commit: String,
    /// Its tree, 40 hex digits.
    pub tree: String,
    /// Paths it adds or changes, sorted.
    pub files: Vec<String>,
}

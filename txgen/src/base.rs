// SPDX-License-Identifier: GPL-2.0
//! Where base trees come from: series/bases.toml, managed imports, the maintainer's own clone.

use std::path::PathBuf;

/// A kernel tree that series apply to, found in some git repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Its name in series/bases.toml, or the ref that was given with `--tree`.
    pub name: String,
    /// The git directory that holds it.
    pub git_dir: PathBuf,
    /// Its commit, 40 hex digits.
    pub commit: String,
    /// Its tree, 40 hex digits.
    pub tree: String,
}

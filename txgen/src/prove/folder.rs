// SPDX-License-Identifier: GPL-2.0
//! The folder in which a run leaves its logs, and who may write to it.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use crate::files;
use crate::project::Project;

/// A folder that no other run writes to while this value lives: a tree that two repositories have is one tree, with one
/// folder.
#[derive(Debug)]
pub(super) struct RunFolder {
    /// The folder.
    pub(super) dir: PathBuf,
    _lock: Flock<File>,
}

impl RunFolder {
    /// The folder for what a run under `key` leaves, once whoever has it is done.
    pub(super) fn take(project: &Project, key: &str) -> Result<Self> {
        let dir = project.cache.join("runs").join(&key[..16]);
        files::make_dir(&dir)?;
        let path = dir.join("lock");
        let file = File::create(&path).with_context(|| format!("make {}", path.display()))?;
        let lock = Flock::lock(file, FlockArg::LockExclusive);
        let lock = lock.map_err(|(_, e)| e).with_context(|| format!("lock {}", path.display()))?;
        Ok(Self { dir, _lock: lock })
    }

    /// Begins a run: the logs are not those of the one before any more.
    pub(super) fn begin(&self) -> Result<()> {
        files::remove_file(&self.dir.join(SHOWN))
    }

    /// Ends a run: the logs are those of what it showed.
    pub(super) fn end(&self, tree: &str, kind: &str, seconds: f64) -> Result<()> {
        let shown = Shown { tree: tree.to_owned(), kind: kind.to_owned(), seconds };
        let text = serde_json::to_vec_pretty(&shown).context("serialise what a run showed")?;
        files::write_atomic(&self.dir.join(SHOWN), &text)
    }
}

/// The file in which a run says what its logs are of.
const SHOWN: &str = "shown.json";

/// What the logs in the folder of a run are of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    tree: String,
    kind: String,
    seconds: f64,
}

impl Shown {
    /// What a run says of itself; nothing where it did not end, or an older txgen ran it.
    pub fn read(run: &Path) -> Option<Self> {
        let Ok(text) = std::fs::read(run.join(SHOWN)) else { return None };
        // That of another version counts as none.
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Whether it is the run that took these `seconds` to show something of a tree.
    pub fn is(&self, tree: &str, kind: &str, seconds: f64) -> bool {
        self.tree == tree && self.kind == kind && (self.seconds - seconds).abs() < 1e-6
    }
}

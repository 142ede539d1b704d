// SPDX-License-Identifier: GPL-2.0
//! The folder in which a run leaves its logs, and who may write to it.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result};
use nix::fcntl::{Flock, FlockArg};

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
}

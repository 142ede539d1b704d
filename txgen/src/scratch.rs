// SPDX-License-Identifier: GPL-2.0
//! Folders for the time of a command, of which nothing stays where the command is killed: who comes next takes away what
//! nobody has a lock on.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::files;

/// A folder that goes away with the value.
#[derive(Debug)]
pub struct Scratch {
    dir: TempDir,
    _lock: File,
}

impl Scratch {
    /// A folder in the cache.
    pub fn new(cache: &Path) -> Result<Self> {
        Self::inside(&place(cache), "scratch-")
    }

    /// A folder in `parent` whose name begins with `prefix`, as no other names there do.
    pub fn inside(parent: &Path, prefix: &str) -> Result<Self> {
        files::make_dir(parent)?;
        let all = open(parent)?;
        // A folder is locked before anybody else looks for those that are not.
        all.lock().with_context(|| format!("lock {}", parent.display()))?;
        sweep(parent, prefix)?;
        let dir = tempfile::Builder::new().prefix(prefix).tempdir_in(parent);
        let dir = dir.with_context(|| format!("make a folder in {}", parent.display()))?;
        let lock = open(dir.path())?;
        lock.lock().with_context(|| format!("lock {}", dir.path().display()))?;
        Ok(Self { dir, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Removes it; an error where that fails.
    pub fn close(self) -> Result<()> {
        self.dir.close().context("remove a folder for the time of a command")
    }

    /// Lets it be, as it was moved to its place.
    pub fn moved(self) -> PathBuf {
        self.dir.keep()
    }
}

/// Where such folders are in the cache.
pub fn place(cache: &Path) -> PathBuf {
    cache.join("tmp")
}

fn open(dir: &Path) -> Result<File> {
    File::open(dir).with_context(|| format!("open {}", dir.display()))
}

/// Removes the folders whose commands were killed.
fn sweep(parent: &Path, prefix: &str) -> Result<()> {
    let list = || format!("list {}", parent.display());
    for entry in fs::read_dir(parent).with_context(list)? {
        let entry = entry.with_context(list)?;
        if !entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes()) || !entry.path().is_dir() {
            continue;
        }
        let file = match File::open(entry.path()) {
            Ok(file) => file,
            // Its command has ended meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("open {}", entry.path().display())),
        };
        match file.try_lock() {
            Ok(()) => files::remove_dir(&entry.path())?,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("lock {}", entry.path().display()));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Scratch, place};

    #[test]
    fn what_a_killed_command_left_goes_away_and_what_is_in_use_stays() {
        let cache = tempfile::tempdir().unwrap();
        let used = Scratch::new(cache.path()).unwrap();
        fs::create_dir(place(cache.path()).join("scratch-old")).unwrap();
        fs::create_dir(place(cache.path()).join("other")).unwrap();
        let second = Scratch::new(cache.path()).unwrap();
        assert!(used.path().is_dir() && second.path().is_dir());
        assert!(!place(cache.path()).join("scratch-old").exists() && place(cache.path()).join("other").exists());
        second.close().unwrap();
        drop(used);
        assert_eq!(fs::read_dir(place(cache.path())).unwrap().count(), 1);
    }
}

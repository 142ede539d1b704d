// SPDX-License-Identifier: GPL-2.0
//! One change of a project at a time: a lock on series/, and what was there when the change began.
//!
//! The lock is on the folder itself, so that nothing is left where its holder is killed. A command takes it before it
//! reads; whatever it calls takes it again, which costs nothing within one process.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::files;
use crate::files::plain::MOST;
use crate::project::Project;

/// How long another txgen that changes the project is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// After this long a person is told what is waited for.
const QUIET: Duration = Duration::from_millis(500);

/// The right to change a project, which goes with the last clone of the value.
#[derive(Debug, Clone)]
pub struct Lock(Arc<Held>);

#[derive(Debug)]
struct Held {
    root: PathBuf,
    seen: Mutex<Option<Seen>>,
    _file: File,
}

/// The files that a change is made from, with a digest of each.
type Seen = BTreeMap<PathBuf, [u8; 32]>;

/// The locks that this process holds.
static HELD: Mutex<Vec<Weak<Held>>> = Mutex::new(Vec::new());

/// Takes the lock of a project; waits for another txgen that has it, and says so.
pub fn take(project: &Project) -> Result<Lock> {
    take_within(project, PATIENCE)
}

/// Takes the lock of a project where nobody else has it.
pub fn try_take(project: &Project) -> Result<Option<Lock>> {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    held.retain(|lock| lock.strong_count() > 0);
    if let Some(lock) = held.iter().filter_map(Weak::upgrade).find(|lock| lock.root == project.root) {
        return Ok(Some(Lock(lock)));
    }
    let path = project.root.join("series");
    let file = File::open(&path).with_context(|| format!("open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(e)) => return Err(e).with_context(|| format!("lock {}", path.display())),
    }
    let lock = Arc::new(Held { root: project.root.clone(), seen: Mutex::new(None), _file: file });
    held.push(Arc::downgrade(&lock));
    Ok(Some(Lock(lock)))
}

fn take_within(project: &Project, patience: Duration) -> Result<Lock> {
    let begun = Instant::now();
    let mut is_told = false;
    loop {
        if let Some(lock) = try_take(project)? {
            return Ok(lock);
        }
        if begun.elapsed() > patience {
            bail!(
                "another txgen has been changing {} for {} seconds: try again when it is done",
                project.root.display(),
                patience.as_secs()
            );
        }
        if !is_told && begun.elapsed() > QUIET {
            crate::output::eprintln!("txgen: waiting for another txgen that changes {}", project.root.display());
            is_told = true;
        }
        sleep(Duration::from_millis(20));
    }
}

impl Lock {
    /// Remembers the files that a change is made from, before they are read.
    pub fn look(&self, project: &Project) -> Result<()> {
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Some(look(project)?);
        Ok(())
    }

    /// Refuses to write onto other files than those that were read.
    pub fn refuse_changed(&self, project: &Project) -> Result<()> {
        let seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(seen) = seen.as_ref() else { return Ok(()) };
        let now = look(project)?;
        let differs = |path: &&PathBuf| seen.get(*path) != now.get(*path);
        match seen.keys().chain(now.keys()).find(differs) {
            Some(path) => Err(changed_meanwhile(path)),
            None => Ok(()),
        }
    }

    /// Forgets what was read: it was written.
    pub fn forget(&self) {
        *self.0.seen.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The error about a file that somebody else changed between the reading and the writing.
pub fn changed_meanwhile(path: &Path) -> anyhow::Error {
    anyhow::anyhow!("{} changed on disk meanwhile: nothing was written, run it again", path.display())
}

/// Every file of series/ and kernel-overlay/ that counts.
fn look(project: &Project) -> Result<Seen> {
    let mut seen = Seen::new();
    for folder in ["series", "kernel-overlay"] {
        let dir = project.root.join(folder);
        for file in if dir.is_dir() { files::below(&dir)? } else { Vec::new() } {
            if folder == "series" && file.iter().count() == 1 && file != Path::new("bases.toml") {
                continue;
            }
            let is_hidden = |part: &std::ffi::OsStr| folder == "series" && part.as_encoded_bytes().starts_with(b".");
            if file.iter().any(|part| is_hidden(part) || files::is_editors(part)) {
                continue;
            }
            seen.insert(Path::new(folder).join(&file), digest(&dir.join(&file)));
        }
    }
    Ok(seen)
}

/// A digest of a file; one that can not be read is for those to tell who need it.
fn digest(path: &Path) -> [u8; 32] {
    let found = fs::symlink_metadata(path);
    let bytes = match &found {
        // No file of a project is larger; what somebody puts there all the same is told by its size.
        Ok(meta) if meta.is_file() && meta.len() > MOST => Ok(meta.len().to_le_bytes().to_vec()),
        Ok(meta) if meta.is_file() => fs::read(path),
        _ => fs::read_link(path).map(|to| to.into_os_string().into_encoded_bytes()),
    };
    bytes.map_or([0; 32], |bytes| Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::Duration;

    use super::{take, take_within, try_take};
    use crate::project::Project;

    fn project(dir: &tempfile::TempDir) -> Project {
        fs::create_dir_all(dir.path().join("series/a")).unwrap();
        Project { root: dir.path().to_owned(), cache: dir.path().join("cache") }
    }

    #[test]
    fn a_lock_that_another_has_is_waited_for_and_then_refused_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let project = project(&dir);
        let other = File::open(dir.path().join("series")).unwrap();
        other.lock().unwrap();
        let error = take_within(&project, Duration::from_millis(50)).expect_err("it is locked");
        assert!(error.to_string().contains("another txgen has been changing"), "{error:#}");
        drop(other);
        let lock = take(&project).unwrap();
        assert!(try_take(&project).unwrap().is_some(), "a process takes its own lock again");
        drop(lock);
    }

    #[test]
    fn a_file_that_changes_after_it_was_read_is_named_and_an_editors_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let project = project(&dir);
        fs::write(dir.path().join("series/a/series.toml"), "old").unwrap();
        let lock = take(&project).unwrap();
        lock.look(&project).unwrap();
        for name in ["series.toml~", ".series.toml.swp", "#series.toml#", "4913"] {
            fs::write(dir.path().join("series/a").join(name), "x").unwrap();
        }
        lock.refuse_changed(&project).unwrap();
        fs::write(dir.path().join("series/a/series.toml"), "new").unwrap();
        let error = lock.refuse_changed(&project).expect_err("it changed").to_string();
        assert_eq!(error, "series/a/series.toml changed on disk meanwhile: nothing was written, run it again");
    }
}

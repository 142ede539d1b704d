// SPDX-License-Identifier: GPL-2.0
//! Checked-out trees in the cache, one for each repository and purpose, moved from patch to patch.
//!
//! git writes only the files that differ, so `make` rebuilds only what a patch touches.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::files;
use crate::process::Run;
use crate::project::Project;
use crate::proof;

/// What a tree is moved for; each purpose has a tree of its own, so that checks do not cost builds their state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The kernel's own scripts, and objects compiled one by one.
    Check,
    /// Whole kernels.
    Build,
    /// Kernels to be counted.
    Bench,
}

/// A checked-out kernel tree that nobody else moves while this value lives.
#[derive(Debug)]
pub struct Worktree {
    /// Its top folder.
    pub dir: PathBuf,
    _lock: Flock<File>,
}

impl Worktree {
    /// Locks the worktree of repository `git_dir` for `purpose` (made at the first use), waiting for whoever has it.
    pub fn lock(project: &Project, git_dir: &Path, purpose: Purpose) -> Result<Self> {
        let dir = folder(project, git_dir, purpose)?;
        let parent = dir.parent().context("a worktree has a parent folder")?;
        files::make_dir(parent)?;
        let path = parent.join("lock");
        let file = File::create(&path).with_context(|| format!("make {}", path.display()))?;
        let lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(lock),
            Err((file, Errno::EWOULDBLOCK)) => {
                eprintln!("waiting for another txgen that works in {}", dir.display());
                Flock::lock(file, FlockArg::LockExclusive)
            }
            Err(failed) => Err(failed),
        };
        let lock = lock.map_err(|(_, e)| e).with_context(|| format!("lock {}", path.display()))?;
        Ok(Self { dir, _lock: lock })
    }

    /// Moves the tree to `commit` of `git_dir`; local changes and stray files in it are dropped.
    pub fn checkout(&self, git_dir: &Path, commit: &str) -> Result<()> {
        if !self.dir.join(".git").exists() {
            let git = |args: &[&str]| Run::new("git", ["--git-dir"]).arg(git_dir).args(args);
            git(&["worktree", "prune"]).check()?;
            git(&["worktree", "add", "--quiet", "--detach", "--force"]).arg(&self.dir).arg(commit).check()?;
            return Ok(());
        }
        let git = |args: &[&str]| Run::new("git", args).dir(&self.dir);
        git(&["checkout", "--quiet", "--detach", "--force", commit]).check()?;
        git(&["clean", "-fdxq"]).check()?;
        Ok(())
    }
}

/// The folder of the worktree, named by where the repository is.
fn folder(project: &Project, git_dir: &Path, purpose: Purpose) -> Result<PathBuf> {
    let real = git_dir.canonicalize().with_context(|| format!("find {}", git_dir.display()))?;
    let key = proof::key(&[real.as_os_str().as_encoded_bytes()]);
    let purpose = match purpose {
        Purpose::Check => "check",
        Purpose::Build => "build",
        Purpose::Bench => "bench",
    };
    Ok(project.cache.join("work").join(&key[..12]).join(purpose).join("tree"))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::{Purpose, Worktree};
    use crate::project::Project;

    #[test]
    fn a_second_user_of_a_tree_waits_for_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let project = Project { root: dir.path().to_owned(), cache: dir.path().join("cache") };
        let first = Worktree::lock(&project, dir.path(), Purpose::Build).unwrap();
        let other = Worktree::lock(&project, dir.path(), Purpose::Check).unwrap();
        assert_ne!(first.dir, other.dir);
        let (send, receive) = mpsc::channel();
        std::thread::scope(|scope| {
            scope
                .spawn(|| send.send(Worktree::lock(&project, dir.path(), Purpose::Build).map(|tree| tree.dir.clone())));
            assert!(receive.recv_timeout(Duration::from_millis(300)).is_err(), "it did not wait");
            let dir = first.dir.clone();
            drop(first);
            assert_eq!(receive.recv_timeout(Duration::from_secs(20)).unwrap().unwrap(), dir);
        });
    }
}

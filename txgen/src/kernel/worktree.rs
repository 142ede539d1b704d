// SPDX-License-Identifier: GPL-2.0
//! Checked-out trees in the cache, one for each repository and purpose, moved from patch to patch.
//!
//! git writes only the files that differ, so `make` rebuilds only what a patch touches.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, Flock, FlockArg, fcntl};

use crate::files;
use crate::git::{program, promised, view};
use crate::project::Project;

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
    cache: PathBuf,
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
        // A killed txgen leaves its git or make running: what they inherit stays locked until they end, too.
        fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty())).with_context(|| format!("share {}", path.display()))?;
        let lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(lock),
            Err((file, Errno::EWOULDBLOCK)) => {
                crate::output::eprintln!("waiting for another txgen that works in {}", dir.display());
                Flock::lock(file, FlockArg::LockExclusive)
            }
            Err(failed) => Err(failed),
        };
        let lock = lock.map_err(|(_, e)| e).with_context(|| format!("lock {}", path.display()))?;
        Ok(Self { dir, cache: project.cache.clone(), _lock: lock })
    }

    /// Moves the tree to `commit` of `git_dir`; local changes and stray files in it are dropped.
    ///
    /// It is a work tree of the view of `git_dir`, so it is whole whatever that one leaves out, no hook of its user runs, and
    /// `git worktree list` there does not show it.
    pub fn checkout(&self, git_dir: &Path, commit: &str) -> Result<()> {
        let view = view::open(&self.cache, git_dir)?;
        // The clone's remote is reached with the user's settings, which a view does not read.
        promised::fetch_tree(git_dir, commit)?;
        let git = |args: &[&str]| program::in_own_tree(&self.dir).args(args);
        let Some(index_lock) = self.index_lock(&view)? else {
            files::remove_dir(&self.dir)?;
            let git = |args: &[&str]| program::fixed(&view).args(args);
            git(&["worktree", "prune"]).check()?;
            git(&["worktree", "add", "--quiet", "--detach", "--force"]).arg(&self.dir).arg(commit).check()?;
            return Ok(());
        };
        // Whoever holds this tree's lock is alone in it: an index.lock is what a killed git left.
        files::remove_file(&index_lock)?;
        git(&["checkout", "--quiet", "--detach", "--force", commit]).check()?;
        git(&["clean", "-ffdxq"]).check()?;
        Ok(())
    }

    /// Where git locks the index of this tree; nothing where it is no whole work tree of `view`.
    fn index_lock(&self, view: &Path) -> Result<Option<PathBuf>> {
        if !self.dir.join(".git").exists() {
            return Ok(None);
        }
        let paths = ["rev-parse", "--path-format=absolute", "--git-common-dir", "--git-path", "index.lock"];
        let output = program::in_own_tree(&self.dir).args(paths).output()?;
        let text = output.text();
        let mut lines = text.lines();
        let real = view.canonicalize().with_context(|| format!("find {}", view.display()))?;
        let is_of_view = output.status.success() && lines.next().map(Path::new) == Some(&real);
        Ok(lines.next().filter(|_| is_of_view).map(PathBuf::from))
    }
}

/// Build folder `name` beside the worktree; it need not be there.
pub fn build_folder(project: &Project, git_dir: &Path, purpose: Purpose, name: &str) -> Result<PathBuf> {
    let tree = folder(project, git_dir, purpose)?;
    Ok(tree.with_file_name("build").join(name))
}

/// The folder of the worktree, named by where the repository is.
pub fn folder(project: &Project, git_dir: &Path, purpose: Purpose) -> Result<PathBuf> {
    let purpose = match purpose {
        Purpose::Check => "check",
        Purpose::Build => "build",
        Purpose::Bench => "bench",
    };
    Ok(view::folder(&project.cache, git_dir)?.join(purpose).join("tree"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::AsRawFd;
    use std::path::Path;
    use std::process::Command;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::{Purpose, Worktree};
    use crate::git::view;
    use crate::process::Run;
    use crate::project::Project;

    fn project(dir: &Path) -> Project {
        Project { root: dir.to_owned(), cache: dir.join("cache") }
    }

    fn git(dir: &Path, args: &[&str]) -> String {
        let who = ["user.name=T", "user.email=t@example.org"].iter().flat_map(|pair| ["-c", pair]);
        let said = Run::new("git", who).args(args).dir(dir).check().unwrap();
        said.text().trim_end().to_owned()
    }

    /// A repository with two commits whose file `a` holds "1" and "2".
    fn two_commits(dir: &Path) -> [String; 2] {
        git(dir, &["init", "--quiet"]);
        ["1", "2"].map(|text| {
            fs::write(dir.join("a"), text).unwrap();
            git(dir, &["add", "a"]);
            git(dir, &["commit", "--quiet", "--message", text]);
            git(dir, &["rev-parse", "HEAD"])
        })
    }

    #[test]
    fn a_tree_is_moved_on_after_a_git_that_was_killed() {
        let dir = tempfile::tempdir().unwrap();
        let [first, second] = two_commits(dir.path());
        let git_dir = dir.path().join(".git");
        let tree = Worktree::lock(&project(dir.path()), &git_dir, Purpose::Build).unwrap();
        tree.checkout(&git_dir, &first).unwrap();
        let view = view::open(&project(dir.path()).cache, &git_dir).unwrap();
        fs::write(view.join("worktrees/tree/index.lock"), "").unwrap();
        tree.checkout(&git_dir, &second).unwrap();
        assert_eq!(fs::read_to_string(tree.dir.join("a")).unwrap(), "2");
    }

    #[test]
    fn a_tree_that_its_repository_does_not_know_is_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let [first, second] = two_commits(dir.path());
        let git_dir = dir.path().join(".git");
        let tree = Worktree::lock(&project(dir.path()), &git_dir, Purpose::Build).unwrap();
        tree.checkout(&git_dir, &first).unwrap();
        let view = view::open(&project(dir.path()).cache, &git_dir).unwrap();
        fs::remove_dir_all(view.join("worktrees")).unwrap();
        tree.checkout(&git_dir, &second).unwrap();
        assert_eq!(fs::read_to_string(tree.dir.join("a")).unwrap(), "2");
    }

    #[test]
    fn what_a_killed_txgen_started_keeps_the_tree_until_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let project = project(dir.path());
        let killed = Worktree::lock(&project, dir.path(), Purpose::Build).unwrap();
        let done = dir.path().join("done");
        let mut child = Command::new("sh").args(["-c", "sleep 1; : >done"]).current_dir(dir.path()).spawn().unwrap();
        // What the kernel does for a killed process: the file is closed, and not unlocked.
        nix::unistd::close(killed._lock.as_raw_fd()).unwrap();
        std::mem::forget(killed);
        Worktree::lock(&project, dir.path(), Purpose::Build).unwrap();
        assert!(done.exists(), "it did not wait for the child");
        child.wait().unwrap();
    }

    #[test]
    fn a_second_user_of_a_tree_waits_for_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let project = project(dir.path());
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

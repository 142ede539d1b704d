// SPDX-License-Identifier: GPL-2.0
//! What the work trees of a repository do with a branch, as git itself tells by the files of each.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use git2::Repository;

use super::{Repo, program};

/// What a work tree does with a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// It has it checked out, and nothing more.
    CheckedOut,
    /// It is in the middle of an operation: the first word of its git command.
    Amid(&'static str),
    /// It is in the middle of a rebase that sets the branch at its end, beside the one that is rebased.
    Updating,
    /// It goes back to the branch at the end of a bisect.
    Bisecting,
}

/// A work tree that uses a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Where it is.
    pub dir: PathBuf,
    /// What it does.
    pub doing: Doing,
    /// Whether git keeps it in its list though it is not there.
    locked: bool,
}

/// A work tree: its own git directory, and where its files are.
struct WorkTree {
    git_dir: PathBuf,
    dir: PathBuf,
}

impl Repo {
    /// The work tree that uses `branch`, linked ones included, and what for.
    pub fn usage(&self, branch: &str) -> Result<Option<Usage>> {
        for tree in self.work_trees()? {
            if let Some(doing) = self.doing(&tree.git_dir, branch)? {
                return Ok(Some(Usage { dir: tree.dir, doing, locked: tree.git_dir.join("locked").exists() }));
            }
        }
        Ok(None)
    }

    fn work_trees(&self) -> Result<Vec<WorkTree>> {
        let common = self.repo.commondir();
        let mut trees = Vec::new();
        let main = Repository::open(common).with_context(|| format!("open {}", common.display()))?;
        if !main.is_bare() {
            // Without the slash that libgit2 puts at the end.
            let dir = main.workdir().unwrap_or(common).components().collect();
            trees.push(WorkTree { git_dir: common.to_owned(), dir });
        }
        let linked = common.join("worktrees");
        let entries = match fs::read_dir(&linked) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(trees),
            entries => entries.with_context(|| format!("list {}", linked.display()))?,
        };
        for entry in entries {
            let git_dir = entry.with_context(|| format!("list {}", linked.display()))?.path();
            let Some(link) = read(&git_dir.join("gitdir"))? else { continue };
            let link = git_dir.join(link);
            let dir = link.parent().unwrap_or(&link).to_owned();
            trees.push(WorkTree { git_dir, dir });
        }
        trees.sort_by(|a, b| a.git_dir.cmp(&b.git_dir));
        Ok(trees)
    }

    fn doing(&self, git_dir: &Path, branch: &str) -> Result<Option<Doing>> {
        let name = format!("refs/heads/{branch}");
        let head = head(git_dir)?;
        if head.as_deref() == Some(&name) || head.is_some_and(|head| self.leads_to(&head, &name)) {
            let idle = if git_dir.join("BISECT_START").exists() { Doing::Bisecting } else { Doing::CheckedOut };
            return operation(git_dir).map(|found| Some(found.map_or(idle, Doing::Amid)));
        }
        for file in ["rebase-merge/head-name", "rebase-apply/head-name"] {
            if read(&git_dir.join(file))?.as_deref() == Some(&name) {
                return Ok(Some(Doing::Amid("rebase")));
            }
        }
        // Three lines for each branch: its name, and where it is before and after.
        let updates = read(&git_dir.join("rebase-merge/update-refs"))?.unwrap_or_default();
        if updates.lines().step_by(3).any(|line| line == name) {
            return Ok(Some(Doing::Updating));
        }
        let start = read(&git_dir.join("BISECT_START"))?;
        Ok(start.filter(|start| start == branch || *start == name).map(|_| Doing::Bisecting))
    }

    /// Whether `from` is a symbolic ref to `name`.
    fn leads_to(&self, from: &str, name: &str) -> bool {
        self.symbolic_target(from).is_ok_and(|target| target.as_deref() == Some(name))
    }
}

impl Usage {
    /// Why the branch is not moved, and what to do; `doing` is what the command does.
    pub fn refusal(&self, branch: &str, doing: &str, common: &Path) -> Result<String> {
        let dir = self.dir.display();
        let free = format!("switch it to another branch, or detach it (`git -C {dir} switch --detach`)");
        if !self.dir.exists() {
            let git = format!("git --git-dir {}", common.display());
            let unlock = if self.locked { format!("`{git} worktree unlock {dir}`, and ") } else { String::new() };
            return Ok(format!(
                "branch {branch} is checked out at {dir}, which is not there: {unlock}`{git} worktree prune` forgets that \
                 work tree"
            ));
        }
        Ok(match self.doing {
            Doing::CheckedOut => {
                // Where git can not look, that is no reason to say something else than that it is checked out.
                let dirty =
                    if is_dirty(&self.dir).unwrap_or(false) { ", with changes that are not committed" } else { "" };
                let free = free.replacen("switch it", "Switch it", 1);
                format!(
                    "branch {branch} is checked out at {dir}{dirty}: {doing} would move it under that work tree. {free}"
                )
            }
            Doing::Amid(command) => format!(
                "branch {branch} is in the middle of a `git {command}` at {dir}: go on with that (`git -C {dir} {command} \
                 --continue`) or give it up (`git -C {dir} {command} --abort`). Then {free}"
            ),
            Doing::Updating => format!(
                "branch {branch} is set at the end of a `git rebase --update-refs` that is under way at {dir}: go on with \
                 that (`git -C {dir} rebase --continue`) or give it up (`git -C {dir} rebase --abort`)"
            ),
            Doing::Bisecting => format!(
                "branch {branch} is where a `git bisect` at {dir} began: end that (`git -C {dir} bisect reset`). Then {free}"
            ),
        })
    }
}

/// The ref that the HEAD of a work tree names; `None` where it is detached.
fn head(git_dir: &Path) -> Result<Option<String>> {
    let path = git_dir.join("HEAD");
    // git once made HEAD a symbolic link, and still can.
    if let Ok(target) = fs::read_link(&path) {
        return Ok(target.to_str().map(str::to_owned));
    }
    Ok(read(&path)?.and_then(|text| text.strip_prefix("ref:").map(|name| name.trim().to_owned())))
}

/// What a work tree is in the middle of with the branch it has checked out.
fn operation(git_dir: &Path) -> Result<Option<&'static str>> {
    let marks = [
        ("rebase-apply/applying", "am"),
        ("rebase-merge", "rebase"),
        ("MERGE_HEAD", "merge"),
        ("CHERRY_PICK_HEAD", "cherry-pick"),
        ("REVERT_HEAD", "revert"),
    ];
    if let Some((_, command)) = marks.iter().find(|(file, _)| git_dir.join(file).exists()) {
        return Ok(Some(command));
    }
    // Between two commits of several.
    let list = read(&git_dir.join("sequencer/todo"))?;
    Ok(list.map(|list| if list.trim_start().starts_with("revert") { "revert" } else { "cherry-pick" }))
}

/// The text of a small file of git's, without what ends it; `None` where there is none. What is no UTF-8 names no branch
/// of txgen's.
fn read(path: &Path) -> Result<Option<String>> {
    match fs::read(path) {
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        bytes => {
            let bytes = bytes.with_context(|| format!("read {}", path.display()))?;
            Ok(Some(String::from_utf8_lossy(&bytes).trim_end().to_owned()))
        }
    }
}

/// Whether tracked files of a work tree differ from its HEAD.
fn is_dirty(dir: &Path) -> Result<bool> {
    let status = program::in_users_tree(dir)
        .args(["status", "--porcelain", "--untracked-files=no"])
        .check()
        .with_context(|| format!("look for changes in {}", dir.display()))?;
    Ok(!status.stdout.is_empty())
}

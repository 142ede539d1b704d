// SPDX-License-Identifier: GPL-2.0
//! The commits of an edited branch, and what a series can not hold of them.

use anyhow::{Result, bail};

use crate::git::Repo;
use crate::git::history::Commit;

/// The commits of a branch that stands on `base`, oldest first; an error for what no series can hold.
pub fn read(repo: &Repo, base: &str, tip: &str) -> Result<Vec<Commit>> {
    let commits = repo.commits_above(base, tip)?;
    for commit in &commits {
        refuse_shape(commit, base)?;
        for path in repo.changed_paths(&commit.below, &commit.tree)? {
            refuse_file(repo, commit, &path)?;
        }
    }
    Ok(commits)
}

fn refuse_shape(commit: &Commit, base: &str) -> Result<()> {
    let told = commit.display();
    if commit.parents > 1 {
        bail!("commit {told} is a merge: a series is a line of commits, `git rebase {}` makes one", &base[..12]);
    }
    if commit.below == commit.tree {
        bail!("commit {told} changes nothing: drop it, or squash it into the commit it belongs to");
    }
    for mark in ["fixup!", "squash!", "amend!"] {
        if commit.subject().starts_with(mark) {
            bail!("commit {told} waits to be squashed: `git rebase -i --autosquash {}`", &base[..12]);
        }
    }
    Ok(())
}

fn refuse_file(repo: &Repo, commit: &Commit, path: &str) -> Result<()> {
    let modes = (repo.mode_at(&commit.below, path)?, repo.mode_at(&commit.tree, path)?);
    let what = match (modes.0.as_deref(), modes.1.as_deref()) {
        (Some("160000"), _) | (_, Some("160000")) => "is a submodule",
        (Some("120000"), _) | (_, Some("120000")) => "is a symbolic link",
        (Some(was), Some(is)) if was != is => {
            bail!("commit {}: {path} changes its mode from {was} to {is}, which a .diff can not hold", commit.display())
        }
        _ if is_binary(repo, &commit.below, path)? || is_binary(repo, &commit.tree, path)? => "is binary",
        _ => return Ok(()),
    };
    bail!("commit {}: {path} {what}: a series has text files only", commit.display())
}

/// As git tells: by a zero among the first bytes.
fn is_binary(repo: &Repo, tree: &str, path: &str) -> Result<bool> {
    Ok(repo.file(tree, path)?.is_some_and(|blob| blob.bytes.iter().take(8000).any(|byte| *byte == 0)))
}

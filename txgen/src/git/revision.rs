// SPDX-License-Identifier: GPL-2.0
//! Revisions as users name commits, resolved by git itself: `HEAD~2`, a tag, `@{-1}`, `:/words` and all else it knows.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{Repo, program};

/// The commit that `rev` names in the work tree `tree`, where one is given, or in the repository `git_dir`.
pub fn commit(git_dir: &Path, tree: Option<&Path>, rev: &str) -> Result<String> {
    // A linked work tree has a HEAD of its own.
    let tree = match tree {
        Some(dir) if Repo::open(dir)?.work_tree().is_some() => Some(dir),
        _ => None,
    };
    let git = tree.map_or_else(|| program::with_users_settings(git_dir), program::in_users_tree);
    let place = tree.unwrap_or(git_dir).display();
    let found = git.args(["rev-parse", "--verify", "--end-of-options", rev]).output()?;
    if !found.status.success() {
        let text = found.errors();
        let why = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.contains("single revision"));
        let why = why.map(|line| line.trim_start_matches("fatal: ").trim_start_matches("error: ")).collect::<Vec<_>>();
        let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join("; ")) };
        bail!("{rev:?} names no commit in {place}{why}: `git log --all` shows what is there");
    }
    let id = std::str::from_utf8(&found.stdout).context("read an object's id")?.trim();
    match Repo::open(git_dir)?.resolve(id) {
        Ok(found) => Ok(found.commit),
        Err(_) => bail!("{rev:?} is a file or a folder in {place}, and no commit"),
    }
}

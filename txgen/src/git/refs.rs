// SPDX-License-Identifier: GPL-2.0
//! Refs: all of one change are set together, and where they pointed before stays in their reflog.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Repo;
use crate::process::Run;

impl Repo {
    /// Points every ref of `names` at `commit`, or none of them; `why` goes into their reflogs.
    pub fn set_refs(&self, names: &[&str], commit: &str, why: &str) -> Result<()> {
        let moves = names.iter().map(|name| (*name, Some(commit))).collect::<Vec<_>>();
        self.move_refs(&moves, why)
    }

    /// Points each ref at its commit, or deletes it where there is none: all of them or none.
    pub fn move_refs(&self, moves: &[(&str, Option<&str>)], why: &str) -> Result<()> {
        let mut commands = String::from("start\n");
        for (name, commit) in moves {
            commands += &match commit {
                Some(commit) => format!("update {name} {commit}\n"),
                None => format!("delete {name}\n"),
            };
        }
        commands += "prepare\ncommit\n";
        // A bare repository keeps no reflog by itself, and libgit2 none at all there.
        Run::new("git", ["--git-dir"])
            .arg(self.git_dir())
            .args(["update-ref", "--create-reflog", "-m", why, "--stdin"])
            .env("GIT_COMMITTER_NAME", "txgen")
            .env("GIT_COMMITTER_EMAIL", "txgen@localhost")
            .stdin(commands.as_bytes())
            .check()
            .with_context(|| format!("set {}", moves.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")))?;
        Ok(())
    }

    /// The work tree that has branch `name` checked out, if any.
    pub fn checked_out_at(&self, name: &str) -> Result<Option<PathBuf>> {
        let list = Run::new("git", ["--git-dir"])
            .arg(self.git_dir())
            .args(["worktree", "list", "--porcelain"])
            .check()
            .context("list the work trees")?
            .text();
        let wanted = format!("branch refs/heads/{name}");
        let mut here = None;
        for line in list.lines() {
            if let Some(path) = line.strip_prefix("worktree ") {
                here = Some(PathBuf::from(path));
            } else if line == wanted {
                return Ok(here);
            }
        }
        Ok(None)
    }

    /// Where a ref comes from: the remote and its branch for a remote-tracking one, `dir` and the ref itself otherwise.
    pub fn origin_of(&self, reference: &str, dir: &Path) -> Result<(String, String)> {
        if let Some((remote, branch)) = reference.trim_start_matches("refs/remotes/").split_once('/')
            && let Ok(remote) = self.repo.find_remote(remote)
        {
            let url = remote.url().context("the remote's address is no UTF-8")?;
            return Ok((url.to_owned(), branch.to_owned()));
        }
        Ok((dir.display().to_string(), reference.to_owned()))
    }

    /// Whether tracked files of the work tree differ from its HEAD.
    pub fn is_dirty(&self) -> Result<bool> {
        let Some(dir) = self.work_tree() else { return Ok(false) };
        let status = Run::new("git", ["status", "--porcelain", "--untracked-files=no"])
            .env("GIT_OPTIONAL_LOCKS", "0")
            .dir(dir)
            .check()
            .with_context(|| format!("look for changes in {}", dir.display()))?;
        Ok(!status.stdout.is_empty())
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Refs: all of one change are set together, and where they pointed before stays in their reflog.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::Repo;
use crate::process::Run;

impl Repo {
    /// Points every ref of `names` at `commit`, or none of them; `why` goes into their reflogs.
    pub fn set_refs(&self, names: &[&str], commit: &str, why: &str) -> Result<()> {
        let mut commands = String::from("start\n");
        for name in names {
            commands += &format!("update {name} {commit}\n");
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
            .with_context(|| format!("set {}", names.join(", ")))?;
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

// SPDX-License-Identifier: GPL-2.0
//! Refs: all of one change are set together, and where they pointed before stays in their reflog.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{Repo, program};
use crate::files;

/// A ref that is to point elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Its full name.
    pub name: String,
    /// The object it points at; `None` where there is no such ref.
    pub from: Option<String>,
    /// The object it is to point at; `None` where it goes away.
    pub to: Option<String>,
}

/// The longest that a git which lives is waited for: it has the lock of a ref for some milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

impl Repo {
    /// Removes the locks that a git which was killed left on `names`, refs that nobody but txgen sets. The caller sees to
    /// it that no other txgen does so now.
    pub fn remove_stale_locks(&self, names: &[&str]) -> Result<()> {
        for name in names {
            let lock = self.repo.commondir().join(format!("{name}.lock"));
            let end = Instant::now() + PATIENCE;
            while lock.exists() && Instant::now() < end {
                sleep(Duration::from_millis(50));
            }
            if lock.exists() {
                crate::output::eprintln!("{} was left by a git that was killed: it is removed", lock.display());
                files::remove_file(&lock)?;
            }
        }
        Ok(())
    }

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
        let names = moves.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        self.update_refs(&commands, why).with_context(|| format!("set {}", names.join(", ")))
    }

    fn update_refs(&self, commands: &str, why: &str) -> Result<()> {
        // A bare repository keeps no reflog by itself, and libgit2 none at all there. A symbolic ref is set itself: what it
        // points at is not named here.
        program::with_users_settings(self.git_dir())
            .args(["update-ref", "--no-deref", "--create-reflog", "-m", why, "--stdin"])
            .env("GIT_COMMITTER_NAME", "txgen")
            .env("GIT_COMMITTER_EMAIL", "txgen@localhost")
            .stdin(commands.as_bytes())
            .check()
            .map(drop)
    }

    /// Moves each ref that still points where its move begins, all of them or none; an error where one does not.
    pub fn move_refs_from(&self, moves: &[Move], why: &str) -> Result<()> {
        let mut commands = String::from("start\n");
        for Move { name, from, to } in moves.iter().filter(|one| one.from != one.to) {
            let length = to.as_ref().or(from.as_ref()).map_or(0, String::len);
            let from = from.clone().unwrap_or_else(|| "0".repeat(length));
            commands += &match to {
                Some(to) => format!("update {name} {to} {from}\n"),
                None => format!("delete {name} {from}\n"),
            };
        }
        commands += "prepare\ncommit\n";
        self.refuse_blocked(&moves.iter().map(|one| one.name.as_str()).collect::<Vec<_>>())?;
        self.update_refs(&commands, why).or_else(|error| {
            for Move { name, from, to } in moves {
                let now = self.target(name)?;
                if now != *from && now != *to {
                    bail!("{name} was moved meanwhile: it is left as it is");
                }
            }
            let names = moves.iter().map(|one| one.name.as_str()).collect::<Vec<_>>();
            Err(error.context(format!("set {}", names.join(", "))))
        })
    }

    /// The object that a ref points at, which may be a tag; `None` where there is no such ref.
    pub fn target(&self, name: &str) -> Result<Option<String>> {
        let reading = || format!("read {name}");
        match self.repo.find_reference(name) {
            Ok(found) => {
                match found.resolve() {
                    Ok(found) => Ok(found.target().map(|id| id.to_string())),
                    // A symbolic ref to what is not there.
                    Err(e) if e.code() == git2::ErrorCode::NotFound => Ok(None),
                    Err(e) => Err(e).with_context(reading),
                }
            }
            Err(e) if e.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(e) => Err(e).with_context(reading),
        }
    }

    /// Refuses refs that can not be because another one is in their way: a name is a folder or a ref.
    pub fn refuse_blocked(&self, names: &[&str]) -> Result<()> {
        for name in names {
            let above =
                name.match_indices('/').map(|(at, _)| &name[..at]).filter(|part| part.matches('/').count() >= 2);
            let below = self.repo.references_glob(&format!("{name}/*")).with_context(|| format!("list {name}/"))?;
            let mut found = None;
            for part in above {
                if self.target(part)?.is_some() {
                    found = Some(part.to_owned());
                }
            }
            for one in below {
                let one = one.with_context(|| format!("list {name}/"))?;
                found = one.name().ok().map(str::to_owned).or(found);
            }
            let Some(found) = found else { continue };
            let (branch, dir) = (found.strip_prefix("refs/heads/"), self.git_dir().display());
            let rename = branch.map(|branch| format!(" (`git -C {dir} branch -m {branch} NEW`)")).unwrap_or_default();
            bail!("{found} of {dir} is in the way of {name}: rename it{rename}");
        }
        Ok(())
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
        let status = program::in_users_tree(dir)
            .args(["status", "--porcelain", "--untracked-files=no"])
            .check()
            .with_context(|| format!("look for changes in {}", dir.display()))?;
        Ok(!status.stdout.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Repo;

    #[test]
    fn a_lock_that_a_killed_git_left_on_a_ref_goes() {
        let dir = tempfile::tempdir().unwrap();
        let made = git2::Repository::init_bare(dir.path()).unwrap();
        let tree = made.find_tree(made.treebuilder(None).unwrap().write().unwrap()).unwrap();
        let who = git2::Signature::new("a", "a@example.org", &git2::Time::new(0, 0)).unwrap();
        let commit = made.commit(None, &who, &who, "a\n", &tree, &[]).unwrap().to_string();
        let repo = Repo::open(dir.path()).unwrap();
        let name = "refs/tags/sent/a-v1";
        let lock = dir.path().join(format!("{name}.lock"));
        fs::create_dir_all(lock.parent().unwrap()).unwrap();
        fs::write(&lock, "").unwrap();
        repo.set_refs(&[name], &commit, "a").expect_err("it is locked");
        repo.remove_stale_locks(&[name]).unwrap();
        repo.set_refs(&[name], &commit, "a").unwrap();
        assert_eq!(made.refname_to_id(name).unwrap().to_string(), commit);
    }
}

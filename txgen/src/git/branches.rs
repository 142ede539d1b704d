// SPDX-License-Identifier: GPL-2.0
//! Whether a branch may be moved: not one that a work tree uses, nor one that somebody else put where it is.

use anyhow::{Context, Result, bail};

use super::Repo;
use super::usage::Doing;

/// The longest chain of symbolic refs that git follows.
const DEPTH: usize = 5;

/// A change of a branch that a command is about to make.
#[derive(Debug, Clone, Copy)]
pub struct Move<'a> {
    /// The branch, without `refs/heads/`.
    pub branch: &'a str,
    /// Where it goes.
    pub to: To<'a>,
    /// Where txgen put it.
    pub put: Put<'a>,
    /// What the command does, for errors: `applying`.
    pub doing: &'a str,
}

/// Where a branch goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To<'a> {
    /// To this commit; nothing happens to a branch that is there.
    Commit(&'a str),
    /// Away, or to a commit that is not made yet.
    Elsewhere,
}

/// Where txgen put a branch.
#[derive(Debug, Clone, Copy)]
pub enum Put<'a> {
    /// At this commit, if at all. Elsewhere the branch is somebody else's; the text says what to do then.
    At(Option<&'a str>, &'a str),
    /// Wherever it is: what is on it may be lost.
    Anywhere,
}

impl Repo {
    /// Decides for all commands whether a branch may be moved: refuses one that a work tree has checked out or is in the
    /// middle of something with, one that another put where it is, and a name that can not be a branch here. Where the branch
    /// was when this was decided, for it to be moved from there and nowhere else.
    pub fn refuse_to_move(&self, change: &Move<'_>) -> Result<Option<String>> {
        let Move { branch, to, put, doing } = change;
        let name = format!("refs/heads/{branch}");
        self.refuse_symbolic(&name)?;
        let head = self.read_ref(&name)?.map(|found| found.commit);
        if head.is_none() {
            self.refuse_blocked(&[&name])?;
        }
        if head.as_deref().map(To::Commit) == Some(*to) {
            return Ok(head);
        }
        let usage = self.usage(branch)?;
        // Of a branch that txgen never put anywhere, where it is in use says more than that it is another's.
        let is_nobodys = matches!(put, Put::At(None, _));
        if let Some(usage) = usage.as_ref().filter(|usage| usage.doing != Doing::CheckedOut || is_nobodys) {
            bail!("{}", usage.refusal(branch, doing, self.git_dir())?);
        }
        self.refuse_foreign(branch, put)?;
        match usage {
            Some(usage) => bail!("{}", usage.refusal(branch, doing, self.git_dir())?),
            None => Ok(head),
        }
    }

    /// Refuses a branch that is not where txgen put it.
    pub fn refuse_foreign(&self, branch: &str, put: &Put<'_>) -> Result<()> {
        let Put::At(put, advice) = put else { return Ok(()) };
        self.refuse_symbolic(&format!("refs/heads/{branch}"))?;
        let Some(head) = self.read_ref(&format!("refs/heads/{branch}"))?.map(|found| found.commit) else {
            return Ok(());
        };
        if *put == Some(head.as_str()) {
            return Ok(());
        }
        let elsewhere = put.map_or_else(String::new, |put| format!(" (it put it at {})", &put[..12]));
        bail!("branch {branch} is at {}, where txgen did not put it{elsewhere}: {advice}", &head[..12]);
    }

    /// Refuses a branch that is another name of another branch, which would be the one that moves.
    fn refuse_symbolic(&self, name: &str) -> Result<()> {
        let branch = name.trim_start_matches("refs/heads/");
        match self.symbolic_target(name)? {
            Some(target) => bail!(
                "branch {branch} is a symbolic ref to {target}, which would be moved with it: remove it \
                 (`git --git-dir {} symbolic-ref --delete {name}`)",
                self.git_dir().display()
            ),
            None => Ok(()),
        }
    }

    /// The ref that a symbolic ref points at, at the end of its chain; `None` where it is an ordinary one, or not there.
    pub(super) fn symbolic_target(&self, name: &str) -> Result<Option<String>> {
        let mut target = None;
        for _ in 0..DEPTH {
            let current = target.as_deref().unwrap_or(name);
            let next = match self.repo.find_reference(current) {
                Ok(reference) => {
                    let next = reference.symbolic_target().with_context(|| format!("read {current}"))?;
                    next.map(str::to_owned)
                }
                Err(e) if e.code() == git2::ErrorCode::NotFound => None,
                Err(e) => return Err(e).with_context(|| format!("read {current}")),
            };
            match next {
                Some(next) => target = Some(next),
                None => break,
            }
        }
        Ok(target)
    }
}

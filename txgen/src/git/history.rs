// SPDX-License-Identifier: GPL-2.0
//! What history a repository has between two commits, and which commits changed what.

use std::time::Duration;

use anyhow::{Context, Result};

use super::{Identity, Repo, oid, program, render};
use crate::plain;
use crate::proof;

/// A commit as it is in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: String,
    /// Its tree.
    pub tree: String,
    /// The tree of its first parent.
    pub below: String,
    /// How many parents it has.
    pub parents: usize,
    /// Its whole message.
    pub message: String,
    /// Its author.
    pub author: Identity,
}

impl Commit {
    /// The first line of its message.
    pub fn subject(&self) -> &str {
        self.message.trim_start().lines().next().unwrap_or_default()
    }

    /// Sets message, and name and address of the author.
    fn say(&mut self, [message, name, email]: [&[u8]; 3]) -> Result<()> {
        let text = |what: &str, bytes: &[u8]| {
            let text = std::str::from_utf8(bytes).with_context(|| {
                format!(
                    "commit {:.12}: its {what} is no UTF-8, nor anything that an encoding named there makes of it: write \
                     it anew (`git rebase -i`, and `git commit --amend` there)",
                    self.id
                )
            })?;
            Ok::<_, anyhow::Error>(text.to_owned())
        };
        let author = Identity { name: text("author", name)?, email: text("author", email)? };
        (self.message, self.author) = (text("message", message)?, author);
        Ok(())
    }

    /// How people are told of it.
    pub fn display(&self) -> String {
        format!("{} (\"{}\")", &self.id[..12], plain::shown(self.subject()))
    }
}

/// Whether what a commit says is in another encoding than UTF-8, by its own word.
fn names_encoding(commit: &git2::Commit<'_>) -> bool {
    let is_utf8 = |name: &str| ["utf-8", "utf8"].iter().any(|utf8| name.eq_ignore_ascii_case(utf8));
    // A name that is no UTF-8 is for git to judge.
    commit.message_encoding().map_or(true, |name| name.is_some_and(|name| !is_utf8(name)))
}

impl Repo {
    /// Whether `commit` is `ancestor` or comes after it.
    pub fn descends(&self, commit: &str, ancestor: &str) -> Result<bool> {
        if commit == ancestor {
            return Ok(true);
        }
        self.repo.graph_descendant_of(oid(commit)?, oid(ancestor)?).context("look into the history")
    }

    /// The commits after `base` and up to `tip`, which descends from it, by their first parents, oldest first.
    pub fn commits_above(&self, base: &str, tip: &str) -> Result<Vec<Commit>> {
        let mut commits = Vec::new();
        let mut encoded = Vec::new();
        let mut id = oid(tip)?;
        while id != oid(base)? {
            let commit = self.repo.find_commit(id).with_context(|| format!("read commit {id}"))?;
            let parent =
                commit.parent(0).with_context(|| format!("{id} has no parent: it does not stand on {base}"))?;
            let author = commit.author();
            let mut found = Commit {
                id: id.to_string(),
                tree: commit.tree_id().to_string(),
                below: parent.tree_id().to_string(),
                parents: commit.parent_count(),
                message: String::new(),
                author: Identity { name: String::new(), email: String::new() },
            };
            if names_encoding(&commit) {
                encoded.push(commits.len());
            } else {
                found.say([commit.message_bytes(), author.name_bytes(), author.email_bytes()])?;
            }
            commits.push(found);
            id = parent.id();
        }
        self.decode(&mut commits, &encoded)?;
        commits.reverse();
        Ok(commits)
    }

    /// Lets git decode what the commits at some indices say in an encoding that they name.
    fn decode(&self, commits: &mut [Commit], at: &[usize]) -> Result<()> {
        if at.is_empty() {
            return Ok(());
        }
        let shown = program::fixed(self.git_dir())
            .args([
                "log",
                "--no-walk=unsorted",
                "--encoding=UTF-8",
                "-z",
                "--format=%an%n%ae%n%B",
                "--no-patch",
                "--stdin",
            ])
            .stdin(at.iter().map(|index| format!("{}\n", commits[*index].id)).collect::<String>().as_bytes())
            .check()
            .context("read commits that are not UTF-8")?;
        let mut shown = shown.stdout.split(|byte| *byte == 0);
        for index in at {
            let mut parts = shown.next().unwrap_or_default().splitn(3, |byte| *byte == b'\n');
            let mut part = || parts.next().with_context(|| format!("git says nothing of {}", commits[*index].id));
            let (name, email, message) = (part()?, part()?, part()?);
            commits[*index].say([message, name, email])?;
        }
        Ok(())
    }

    /// Whether two commits have an ancestor in common, as far as the repository has their history.
    pub fn are_related(&self, one: &str, other: &str) -> Result<bool> {
        // The base the series comes from may be in another repository.
        if self.repo.find_commit(oid(one)?).is_err() || self.repo.find_commit(oid(other)?).is_err() {
            return Ok(false);
        }
        match self.repo.merge_base(oid(one)?, oid(other)?) {
            Ok(_) => Ok(true),
            Err(e) if e.code() == git2::ErrorCode::NotFound => Ok(false),
            Err(e) => Err(e).context("look for a common ancestor"),
        }
    }

    /// Whether the repository lacks a part of its history.
    pub fn is_shallow(&self) -> bool {
        self.repo.is_shallow()
    }

    /// The commits after `old` and up to `new` that changed some lines (from 1) of a file of `new`: id and subject.
    pub fn changes_of_lines(&self, old: &str, new: &str, path: &str, lines: (usize, usize)) -> Result<Vec<String>> {
        let range = format!("-L{},{}:{path}", lines.0, lines.1);
        let log = program::fixed(self.git_dir())
            .args([
                "-c",
                "core.abbrev=auto",
                "log",
                "--no-patch",
                "--format=%h %s",
                "--max-count=20",
                &range,
                &format!("{old}..{new}"),
            ])
            .timeout(Duration::from_secs(60))
            .check()
            .with_context(|| format!("look for the commits that changed {path}"))?;
        Ok(log.text().lines().map(str::to_owned).collect())
    }

    /// What tells a change apart wherever it is made, as git's patch id does: a key over the files and lines that make tree
    /// `new` of tree `old`, without their places and blanks. No index and no attributes of the clone are asked.
    pub fn patch_id(&self, old: &str, new: &str) -> Result<String> {
        let mut parts = Vec::new();
        for path in self.changed_paths(old, new)? {
            let [before, after] = [self.version(old, &path)?, self.version(new, &path)?];
            parts.push(format!("{path}\0{}\0{}", before.0, after.0).into_bytes());
            parts.push(render::changed_lines(&before.1, &after.1).with_context(|| format!("compare {path}"))?);
        }
        Ok(proof::key(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>()))
    }

    /// The mode and the bytes at `path` of a tree; of a submodule the id stands for its bytes, and nothing for what is not
    /// there.
    fn version(&self, tree: &str, path: &str) -> Result<(String, Vec<u8>)> {
        let Some(entry) = self.entry(tree, path)? else { return Ok((String::new(), Vec::new())) };
        let bytes = match entry.kind() {
            Some(git2::ObjectType::Blob) => self.bytes(entry.id())?,
            _ => entry.id().to_string().into_bytes(),
        };
        Ok((format!("{:o}", entry.filemode_raw()), bytes))
    }

    /// The commit after `old` and up to `new` that makes the change `patch_id`, among those that touch `files`: id and
    /// subject.
    pub fn commit_of_change(&self, old: &str, new: &str, files: &[String], patch_id: &str) -> Result<Option<String>> {
        let log = program::fixed(self.git_dir())
            .args(["-c", "core.abbrev=auto", "log", "--no-merges", "--format=%H %h %s", &format!("{old}..{new}"), "--"])
            .args(files)
            .timeout(Duration::from_secs(120))
            .check()
            .context("look for the same change upstream")?;
        for line in log.text().lines() {
            let Some((id, told)) = line.split_once(' ') else { continue };
            let commit = self.repo.find_commit(oid(id)?).with_context(|| format!("read commit {id}"))?;
            let parent = commit.parent(0).with_context(|| format!("read the parent of {id}"))?;
            if self.patch_id(&parent.tree_id().to_string(), &commit.tree_id().to_string())? == patch_id {
                return Ok(Some(told.to_owned()));
            }
        }
        Ok(None)
    }
}

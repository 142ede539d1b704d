// SPDX-License-Identifier: GPL-2.0
//! Patches of mails as commits, applied as `git am` applies them, without a work tree.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::Onto;
use super::mail::Mail;
use crate::error::Conflict;
use crate::git::{Authorship, Repo, identity, program, promised, view};
use crate::plain;
use crate::process::{Output, Run};

/// Commits the patches one on another; gives the last commit.
pub(super) fn commit(onto: Onto<'_>, patches: &[Mail]) -> Result<String> {
    let base = onto.base;
    let repo = Repo::open(&base.git_dir)?;
    let (author, committer) = identity::identities(&base.git_dir)?;
    let dir = TempDir::new().context("make a temporary folder")?;
    let git = Git { repository: repository(onto)?, objects: &base.git_dir.join("objects"), dir: dir.path() };
    git.run(&["read-tree", &base.commit]).check().context("read the base")?;
    let mut tip = base.commit.clone();
    for patch in patches {
        git.apply(patch, &base.name)?;
        let tree = git.run(&["write-tree"]).check().context("write a tree")?.text().trim().to_owned();
        let by = Authorship {
            author: patch.author.clone().unwrap_or_else(|| author.clone()),
            committer: committer.clone(),
            seconds: onto.seconds,
        };
        tip = repo.commit(&tip, &tree, &patch.message, &by)?;
    }
    Ok(tip)
}

/// Where git finds the objects: in a view of the clone or, so that what is fetched stays there, in a partial clone itself.
fn repository(onto: Onto<'_>) -> Result<PathBuf> {
    let git_dir = &onto.base.git_dir;
    if promised::promisor(git_dir)?.is_some() { Ok(git_dir.clone()) } else { view::open(onto.cache, git_dir) }
}

/// git with an index of its own, where nothing that a clone or its user has configured counts. What it makes goes to
/// the objects of the clone.
struct Git<'a> {
    repository: PathBuf,
    objects: &'a Path,
    dir: &'a Path,
}

impl Git<'_> {
    fn run(&self, args: &[&str]) -> Run {
        let exact = ["-c", "apply.whitespace=nowarn", "-c", "apply.ignoreWhitespace=no"];
        let run = program::fixed(&self.repository).args(exact).args(args).dir(self.dir);
        run.env("GIT_INDEX_FILE", self.dir.join("index")).env("GIT_OBJECT_DIRECTORY", self.objects)
    }

    fn apply(&self, patch: &Mail, base: &str) -> Result<()> {
        let apply = |diff: &[u8]| self.run(&["apply", "--cached", "--whitespace=nowarn"]).stdin(diff).output();
        let first = apply(&patch.diff)?;
        if first.status.success() {
            return Ok(());
        }
        if let Some(diff) = &patch.with_returns
            && apply(diff)?.status.success()
        {
            return Ok(());
        }
        let what = format!(
            "{} (\"{}\") does not apply to {base}: {}",
            patch.place,
            plain::shown(patch.subject()),
            why(&first, &patch.diff)
        );
        Err(Conflict { what }.into())
    }
}

/// What git says is wrong with a diff, on one line, with the line of the diff that it names.
fn why(output: &Output, diff: &[u8]) -> String {
    let errors = output.errors();
    let errors = errors.lines().filter_map(|line| line.strip_prefix("error: ").or(line.strip_prefix("fatal: ")));
    let mut told = errors.collect::<Vec<_>>().join(": ");
    let number = told.rsplit_once("at line ").and_then(|(_, number)| number.parse::<usize>().ok());
    let line = number.and_then(|number| diff.split(|byte| *byte == b'\n').nth(number.checked_sub(1)?));
    if let Some(line) = line {
        let line = String::from_utf8_lossy(&line[..line.len().min(100)]).into_owned();
        told += &format!(" of its diff (\"{}\")", line.trim_end().escape_debug());
    }
    told
}

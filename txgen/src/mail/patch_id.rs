// SPDX-License-Identifier: GPL-2.0
//! git's patch ids: what tells the code of a patch apart, whatever its message says.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};

use crate::check::source::{Patch, Source};
use crate::git::{program, view};
use crate::process::Run;
use crate::project::Project;
use crate::proof;
use crate::series::AppliedPatch;

/// The kind of the records.
const KIND: &str = "patch-ids";

/// The patch id of each patch, by its name.
pub fn of_patches(source: &Source<'_>, all: &[Patch]) -> Result<BTreeMap<String, String>> {
    let ids = of_range(source.git::<&str>([]), &source.base, &source.tip)?;
    let found = all.iter().filter_map(|patch| {
        let (id, _) = ids.iter().find(|(_, commit)| *commit == patch.commit)?;
        Some((patch.name.clone(), id.clone()))
    });
    Ok(found.collect())
}

/// The patch ids of commits above `base`, in their order; those of the same commits are computed once.
pub fn of_commits(project: &Project, git_dir: &Path, base: &str, commits: &[AppliedPatch]) -> Result<Vec<String>> {
    let Some(tip) = commits.last() else { return Ok(Vec::new()) };
    let key = proof::key(&[base, &tip.commit].map(str::as_bytes));
    let ids = match proof::load::<Vec<(String, String)>>(project, KIND, &key)? {
        Some(ids) => ids,
        None => {
            let ids = of_range(program::fixed(&view::open(&project.cache, git_dir)?), base, &tip.commit)?;
            proof::store(project, KIND, &key, &ids)?;
            ids
        }
    };
    let id = |patch: &AppliedPatch| {
        let found = ids.iter().find(|(_, commit)| *commit == patch.commit).map(|(id, _)| id.clone());
        found.with_context(|| format!("patch {} has no patch id", patch.name))
    };
    commits.iter().map(id).collect()
}

/// Patch ids and commits of a range.
fn of_range(git: Run, base: &str, tip: &str) -> Result<Vec<(String, String)>> {
    let options = ["log", "-p", "--full-index", "--diff-algorithm=histogram", "-M", "-O/dev/null", "--no-ext-diff"];
    let range = format!("{base}..{tip}");
    let log = git.args(options).args(["--no-textconv", "--no-color", "--format=commit %H", &range]);
    patch_ids(&log.check()?.stdout)
}

/// The patch id of a mail's text; `None` where it holds no patch.
pub fn of_mail(text: &[u8]) -> Result<Option<String>> {
    Ok(patch_ids(text)?.into_iter().next().map(|(id, _)| id))
}

/// Patch ids and the commits they are of.
fn patch_ids(text: &[u8]) -> Result<Vec<(String, String)>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let output = program::without_repository()
        .args(["patch-id", "--stable"])
        .stdin(text)
        .check()
        .context("compute patch ids")?;
    let line = |line: &str| line.split_once(' ').map(|(id, commit)| (id.to_owned(), commit.to_owned()));
    Ok(output.text().lines().filter_map(line).collect())
}

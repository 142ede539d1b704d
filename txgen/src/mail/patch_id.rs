// SPDX-License-Identifier: GPL-2.0
//! git's patch ids: what tells the code of a patch apart, whatever its message says.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::check::source::{Patch, Source};
use crate::mail::patches;
use crate::process::Run;

/// The patch id of each patch, by its name.
pub fn of_patches(source: &Source<'_>, all: &[Patch]) -> Result<BTreeMap<String, String>> {
    let range = format!("{}..{}", source.base, source.tip);
    let options = ["log", "-p", "--full-index", "--diff-algorithm=histogram", "-M", "-O/dev/null", "--no-ext-diff"];
    let log = patches::git(source).args(options).args(["--no-textconv", "--no-color", "--format=commit %H", &range]);
    let ids = patch_ids(&log.check()?.stdout)?;
    let found = all.iter().filter_map(|patch| {
        let (id, _) = ids.iter().find(|(_, commit)| *commit == patch.commit)?;
        Some((patch.name.clone(), id.clone()))
    });
    Ok(found.collect())
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
    let output = Run::new("git", ["patch-id", "--stable"]).stdin(text).check().context("compute patch ids")?;
    let line = |line: &str| line.split_once(' ').map(|(id, commit)| (id.to_owned(), commit.to_owned()));
    Ok(output.text().lines().filter_map(line).collect())
}

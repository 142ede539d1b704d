// SPDX-License-Identifier: GPL-2.0
//! Which upstream change is behind an item that had to be merged, and whether it is one of the device-memory changes.

use std::sync::LazyLock;

use anyhow::Result;
use regex::Regex;
use serde::Serialize;

use super::Rebased;
use crate::git::Repo;
use crate::git::render::text_diff;
use crate::merge::Touched;
use crate::series::carry::{CarriedFile, State};

/// What upstream did to an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// The patch that changes the item too.
    pub patch: String,
    /// The file, by its path on the base the series goes to.
    pub file: String,
    /// The item.
    pub item: String,
    /// Whether it is one of the device-memory changes.
    pub device_memory: bool,
    /// The commits that changed it, where there is history.
    pub commits: Vec<String>,
    /// What differs in it between the bases.
    pub diff: String,
}

static DEVICE_MEMORY: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"netmem|net_iov|niov|devmem|dma_?buf|unreadable").expect("the pattern is valid"));

/// What history can say of the causes, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Causes {
    /// Item by item.
    pub causes: Vec<Cause>,
    /// Why no commits are named, where they are not.
    pub no_commits: Option<String>,
}

/// The upstream changes behind what was merged, taken from a record, or is in conflict.
pub fn causes(rebased: &Rebased) -> Result<Causes> {
    let repo = &*rebased.repo;
    let (old, new) = (&rebased.from.commit, &rebased.onto.commit);
    let related = repo.are_related(old, new)?;
    let no_commits = match (related, repo.is_shallow()) {
        (true, _) => None,
        (false, true) => Some(format!(
            "the clone is shallow and its history does not reach back to {}: `git fetch --unshallow` brings it",
            &old[..12]
        )),
        (false, false) => Some(format!("{} and {} have no history in common", rebased.from.name, rebased.onto.name)),
    };
    let mut causes = Vec::new();
    for patch in &rebased.patches {
        if !matches!(patch.carried.state, State::Merged | State::Resolution | State::Conflict) {
            continue;
        }
        for file in &patch.carried.files {
            for touched in &file.touched {
                let Some(path) = &file.to else { continue };
                let mut cause = cause(&patch.name, path, touched)?;
                if related {
                    cause.commits = commits(repo, rebased, file, touched)?;
                }
                causes.push(cause);
            }
        }
    }
    Ok(Causes { causes, no_commits })
}

fn cause(patch: &str, file: &str, touched: &Touched) -> Result<Cause> {
    let diff = text_diff(&touched.base, &touched.ours)?;
    let changed = |line: &&str| line.starts_with(['+', '-']);
    let device_memory = diff.lines().filter(changed).any(|line| DEVICE_MEMORY.is_match(line));
    let (patch, file, item) = (patch.to_owned(), file.to_owned(), touched.item.clone());
    Ok(Cause { patch, file, item, device_memory, commits: Vec::new(), diff })
}

/// The commits that changed the item, where the base has it as it is (no earlier patch of the series changed it).
fn commits(repo: &Repo, rebased: &Rebased, file: &CarriedFile, touched: &Touched) -> Result<Vec<String>> {
    let Some(path) = &file.to else { return Ok(Vec::new()) };
    let Some(blob) = repo.file(&rebased.onto.tree, path)? else { return Ok(Vec::new()) };
    let text = String::from_utf8_lossy(&blob.bytes);
    let Some(at) = text.find(&touched.ours).filter(|_| !touched.ours.is_empty()) else { return Ok(Vec::new()) };
    let first = text[..at].matches('\n').count() + 1;
    let last = first + touched.ours.lines().count() - 1;
    repo.changes_of_lines(&rebased.from.commit, &rebased.onto.commit, path, (first, last))
}

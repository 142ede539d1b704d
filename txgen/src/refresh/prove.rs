// SPDX-License-Identifier: GPL-2.0
//! What was found, applied from a folder of its own, and compared with the branch.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};

use super::stage::{Staged, stage};
use super::{Refreshed, Source, growth};
use crate::git::history::Commit;
use crate::project::Project;
use crate::series::{apply, stack};

/// A series that gives the trees of the branch.
pub(super) struct Proven {
    /// The project as it would be.
    pub(super) staged: Staged,
    /// The last commit that it makes.
    pub(super) tip: String,
    /// Whether some of its commits have another tree than those of the branch: what is folded comes earlier.
    pub(super) differs: bool,
}

/// Applies what was found from a folder of its own, and compares it with `commits`: all but the last may differ in the files
/// of `fold`.
pub(super) fn prove(
    source: &Source<'_>,
    refreshed: &Refreshed,
    commits: &[Commit],
    fold: &BTreeSet<String>,
) -> Result<Proven> {
    let name = &source.series.name;
    let staged = stage(source.project, name, refreshed)?;
    let refused = || format!("series/{name}/ as it would be, of which nothing was written");
    let series = crate::series::load(&staged.project, name).with_context(refused)?;
    let patches = apply::build(&staged.project, &series, source.base, false).with_context(refused)?;
    if patches.len() != commits.len() {
        bail!("{} commits would come of {}: this is a bug of txgen, nothing was written", patches.len(), commits.len());
    }
    let mut differs = false;
    for (index, (patch, commit)) in patches.iter().zip(commits).enumerate() {
        let is_last = index + 1 == commits.len();
        for path in source.repo.changed_paths(&commit.tree, &patch.tree)? {
            if is_last || !fold.contains(&path) {
                let text = |tree: &str| Ok::<_, anyhow::Error>(source.repo.file(tree, &path)?.map(|blob| blob.bytes));
                let [branch, ours] = [text(&commit.tree)?, text(&patch.tree)?].map(Option::unwrap_or_default);
                return Err(growth::misfit(&path, commit, &branch, &ours));
            }
        }
        differs |= commit.tree != patch.tree;
    }
    let tip = patches.last().map_or_else(|| source.foot.commit.clone(), |last| last.commit.clone());
    Ok(Proven { staged, tip, differs })
}

/// Series above this one that do not go onto what it has become.
pub(super) fn stranded(source: &Source<'_>, project: &Project) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    for name in apply::names(project)? {
        let read = crate::series::load(project, &name);
        let (series, chain) = match read.and_then(|series| Ok((stack::chain(project, &series)?, series))) {
            Ok((chain, series)) => (series, chain),
            Err(error) => {
                stack::warn_unread(&name, &error);
                continue;
            }
        };
        let is_above = chain.iter().any(|lower| lower.name == source.series.name);
        if let Some(error) = is_above.then(|| apply::build(project, &series, source.base, false).err()).flatten() {
            notes.push(format!("series {name}, which depends on it, does not go onto it any more: {error:#}"));
        }
    }
    Ok(notes)
}

// SPDX-License-Identifier: GPL-2.0
//! Which commits the series on disk is: those that txgen made of it, or read it from.

use std::borrow::Cow;

use anyhow::Result;

use super::{Made, Source};
use crate::error::Conflict;
use crate::git::history::Commit;
use crate::series::meaning::{self, Likeness, Signer, Wanted};
use crate::series::{AppliedPatch, Series, apply};

/// The first of `candidates`, or else the branch itself, that is the series as it is on disk, and the names of its
/// patches; a conflict where none of them is. Without candidates it is what the series is made into now.
pub(super) fn known<'c>(
    source: &Source<'_>,
    candidates: &'c [Made],
    branch: &'c [Commit],
) -> Result<(Cow<'c, [Commit]>, Vec<String>)> {
    let Source { project, series, base, foot, repo, .. } = source;
    let made = apply::build_on(project, series, base, foot, false)?;
    let names = made.iter().map(|patch| patch.name.clone()).collect();
    if candidates.is_empty() {
        let tip = made.last().map_or(&foot.commit, |patch| &patch.commit);
        return Ok((Cow::Owned(repo.commits_above(&foot.commit, tip)?), names));
    }
    // A branch that nobody edited says nothing new where the series was changed, or read elsewhere, since.
    let is_edited = !candidates.iter().any(|made| !made.beside && made.commits.last() == branch.last());
    let mut first = None::<String>;
    for Made { commits, beside } in candidates {
        match difference(series, commits, &made)? {
            None if *beside && first.is_some() && !is_edited => {
                return Err(changed_meanwhile(source, &first.unwrap_or_default(), false));
            }
            None => return Ok((Cow::Borrowed(commits), names)),
            Some(what) => first = first.or(Some(what)),
        }
    }
    // Both sides may have come to the same.
    if difference(series, branch, &made)?.is_none() {
        return Ok((Cow::Borrowed(branch), names));
    }
    Err(changed_meanwhile(source, &first.unwrap_or_default(), is_edited))
}

/// Where commits are not the series any more.
fn difference(series: &Series, commits: &[Commit], made: &[AppliedPatch]) -> Result<Option<String>> {
    for (commit, made) in commits.iter().zip(made) {
        let patch = apply::patch_named(series, &made.name)?;
        let (message, author) = (&patch.message, patch.message.author.as_ref());
        let wanted = Wanted { message, tree: &made.tree, author, signer: Signer::Any };
        if meaning::compare(commit, &wanted) == Likeness::Other {
            return Ok(Some(format!("first at patch {}", made.name)));
        }
    }
    Ok(match made.get(commits.len()) {
        Some(patch) => Some(format!("first at patch {}", patch.name)),
        None => commits.get(made.len()).map(|commit| format!("it has no patch of commit {}", commit.display())),
    })
}

/// Says that the series on disk is none that the branch comes from.
pub(super) fn changed_meanwhile(source: &Source<'_>, place: &str, is_edited: bool) -> anyhow::Error {
    let name = &source.series.name;
    let what = if is_edited {
        format!(
            "series {name} was changed on disk after its branch was set ({place}), and the branch was edited, too: take \
             one of them back. `txgen apply {name} --discard` drops the edits of the branch, its commits stay in the \
             branch's reflog"
        )
    } else {
        format!(
            "series {name} was changed on disk after its branch was set ({place}), and the branch was not edited since: \
             there is nothing to read back. `txgen apply {name}` sets the branch anew"
        )
    };
    Conflict { what }.into()
}

// SPDX-License-Identifier: GPL-2.0
//! A series on another base than the one its .diff files are for: each patch carried, as commits that no ref points at.

use anyhow::Result;

use super::carry::{Carried, State, carry};
use super::home::{Home, HomePatch};
use super::lacking::Lacking;
use super::overlay_files::Overlay;
use super::plan::PatchPlan;
use super::steps::Steps;
use super::{Patch, Series};
use crate::base::Base;
use crate::git::render::{Edit, Edits};
use crate::git::{Authorship, Changes, Repo, identity};
use crate::project::Project;

/// A patch on the other base.
#[derive(Debug, Clone)]
pub struct OntoPatch {
    /// Its name.
    pub name: String,
    /// First line of its message.
    pub subject: String,
    /// How its edits got there.
    pub carried: Carried,
    /// The commit before it.
    pub parent: String,
    /// The tree of that commit.
    pub below: String,
    /// Its commit, with conflict markers where it is in conflict; `None` where there is nothing left of it.
    pub commit: Option<String>,
    /// The tree after it.
    pub tree: String,
    /// Paths it adds or changes, sorted.
    pub files: Vec<String>,
}

/// What a series and its overlay come to, read and planned.
pub struct Planned<'a> {
    /// The series.
    pub series: &'a Series,
    /// kernel-overlay/.
    pub overlay: &'a Overlay,
    /// What each patch adds.
    pub plans: &'a [PatchPlan<'a>],
}

/// Who commits: author and committer with the series' date, and who signs off, if anybody.
pub fn authorship(series: &Series, base: &Base, signoff: bool) -> Result<(Authorship, Option<String>)> {
    let (author, committer) = identity::identities(&base.git_dir)?;
    let signer = (signoff || identity::wants_signoff(&base.git_dir)?).then(|| committer.display());
    Ok((Authorship { author, committer, seconds: series.date.as_second() }, signer))
}

/// Commits the tree that `patch` makes, by its author.
pub fn commit_patch(
    repo: &Repo,
    parent: &str,
    tree: &str,
    patch: &Patch,
    (by, signer): (&Authorship, Option<&str>),
) -> Result<String> {
    let author = patch.message.author.as_ref().unwrap_or(&by.author).clone();
    repo.commit(parent, tree, &patch.message.commit_message(signer), &Authorship { author, ..by.clone() })
}

/// Carries every patch from `home` onto `base`. It ends with the first one in conflict or, with `keep_going`, takes
/// what is not in conflict and goes on.
pub fn carry_series(
    project: &Project,
    planned: &Planned<'_>,
    home: &Home,
    (base, repo): (&Base, &Repo),
    signoff: bool,
    keep_going: bool,
) -> Result<Vec<OntoPatch>> {
    let steps = Steps { project, repo, overlay: planned.overlay, base, recorded: false };
    let drops = steps.drops(planned.series)?;
    let (by, signer) = authorship(planned.series, base, signoff)?;
    let (mut commit, mut tree) = (base.commit.clone(), base.tree.clone());
    let mut lacking = Lacking::new(&steps, home)?;
    let mut patches = Vec::new();
    for (plan, from) in planned.plans.iter().zip(&home.patches) {
        let patch = plan.patch;
        let (name, subject) = (patch.name.clone(), patch.message.subject.clone());
        let (parent, below) = (commit.clone(), tree.clone());
        if let Some(rule) = drops.iter().find(|rule| rule.patch == name && rule.file.is_none()) {
            let (state, notes) = (State::Dropped, vec![rule.reason.clone()]);
            let carried = Carried {
                state,
                files: Vec::new(),
                spatched: tree.clone(),
                edits: Edits::new(),
                notes,
                without: Changes::new(),
            };
            patches.push(OntoPatch {
                name,
                subject,
                carried,
                parent,
                below,
                commit: None,
                tree: tree.clone(),
                files: vec![],
            });
            continue;
        }
        let mut carried = carry(&steps, plan, (home, from), &tree, &drops)?;
        if carried.state == State::Conflict
            && let Some(commit) = upstream_commit(home, from, (base, repo))?
        {
            carried.state = State::Upstream;
            carried.notes = vec![format!("the base has it as {commit}")];
            carried.edits.clear();
            patches.push(OntoPatch {
                name,
                subject,
                carried,
                parent,
                below,
                commit: None,
                tree: tree.clone(),
                files: vec![],
            });
            continue;
        }
        if carried.state == State::Conflict && keep_going {
            let clashing =
                |path: &String| carried.files.iter().any(|f| f.to.as_ref() == Some(path) && !f.conflicts().is_empty());
            let left = carried.edits.iter().filter(|(path, _)| !clashing(path));
            carried.edits = left.map(|(path, edit)| (path.clone(), edit.clone())).collect();
        }
        let edited = repo.change_tree(&carried.spatched, &changes(&carried.edits))?;
        let after = steps.with_overlay(&edited, plan)?;
        let files = repo.changed_paths(&tree, &after)?;
        let missing = lacking.calls(from, (&tree, &after), &files)?;
        // What a hand has recorded is taken at its word.
        if carried.state != State::Resolution && !missing.is_empty() {
            carried.notes.extend(missing);
            carried.state = State::Conflict;
        }
        let stopped = carried.state == State::Conflict;
        if files.is_empty() && !stopped {
            let commit = upstream_commit(home, from, (base, repo))?;
            carried.notes.extend(commit.map(|commit| format!("the base has it as {commit}")));
            carried.state = State::Upstream;
            patches.push(OntoPatch { name, subject, carried, parent, below, commit: None, tree: after, files });
            continue;
        }
        commit = commit_patch(repo, &commit, &after, patch, (&by, signer.as_deref()))?;
        let made = Some(commit.clone());
        patches.push(OntoPatch { name, subject, carried, parent, below, commit: made, tree: after.clone(), files });
        if stopped && !keep_going {
            break;
        }
        tree = after;
    }
    Ok(patches)
}

/// The commit of the base that makes the same change, where its history goes back to the base of `home`.
fn upstream_commit(home: &Home, patch: &HomePatch, (base, repo): (&Base, &Repo)) -> Result<Option<String>> {
    if !repo.are_related(&home.base.commit, &base.commit)? {
        return Ok(None);
    }
    let files = home.repo.changed_paths(&patch.parent, &patch.tree)?;
    let id = home.repo.patch_id(&patch.parent, &patch.tree)?;
    repo.commit_of_change(&home.base.commit, &base.commit, &files, &id)
}

fn changes(edits: &Edits) -> Changes {
    edits.iter().map(|(path, Edit { after, .. })| (path.clone(), after.clone())).collect()
}

// SPDX-License-Identifier: GPL-2.0
//! A series as commits on a base: built in memory, with the branch set last.

use std::path::PathBuf;
use std::rc::Rc;

use anyhow::{Context, Result, bail};

use super::carry::State;
use super::home::{Home, home};
use super::onto::{OntoPatch, Planned, authorship, carry_series, commit_patch};
use super::overlay_files;
use super::plan::plan;
use super::stack;
use super::steps::Steps;
use super::{Applied, AppliedPatch, Message, Series};
use crate::base::{Base, record};
use crate::error::Conflict;
use crate::files;
use crate::git::Repo;
use crate::git::refs::Move;
use crate::project::Project;

/// Turns `series` into commits on `base` and points branch txgen/NAME at the last one. Each commit is signed off
/// by its author with `signoff`, or where git's configuration asks for it (`format.signOff`).
///
/// A branch that was edited in git and not read back by `txgen refresh` is left alone, with an error, unless the edits
/// are to be discarded.
pub fn apply_series(project: &Project, series: &Series, base: &Base, signoff: bool, discard: bool) -> Result<Applied> {
    let foot = stack::foot(project, series, base, signoff)?;
    let patches = build_on(project, series, base, &foot.base, signoff)?;
    let branch = branch(&series.name);
    let tip = patches.last().map_or(&foot.base.commit, |last| &last.commit);
    let repo = Repo::open(&base.git_dir)?;
    let moves = moves(&repo, &series.name, &branch, tip)?;
    if !is_branch(&repo, &branch, &foot.base, tip)? {
        if !discard {
            refuse_edited(&repo, &series.name, &branch)?;
        }
        set_branch(&repo, &series.name, &branch, &moves)?;
    }
    let (name, git_dir) = (series.name.clone(), base.git_dir.clone());
    Ok(Applied { name, base: foot.base, git_dir, branch, patches, beneath: foot.beneath })
}

/// The commits of `series` on `base`, above those of the series it depends on; no ref points at them.
///
/// On another base than the recorded one the edits are carried there, as a rebase would carry them.
pub fn build(project: &Project, series: &Series, base: &Base, signoff: bool) -> Result<Vec<AppliedPatch>> {
    let foot = stack::foot(project, series, base, signoff)?;
    build_on(project, series, base, &foot.base, signoff)
}

/// The commits of `series` above `foot`, which is `base` with all that it depends on.
pub fn build_on(
    project: &Project,
    series: &Series,
    base: &Base,
    foot: &Base,
    signoff: bool,
) -> Result<Vec<AppliedPatch>> {
    let others = stack::others(project, series)?;
    let overlay = stack::own(overlay_files::read(project)?, series, &others);
    let plans = plan(series, &overlay, &others)?;
    let repo = Rc::new(Repo::open(&base.git_dir)?);
    let recorded = is_recorded(project, series, base)?;
    if !recorded {
        // Where the recorded base is not here, or its edits do not fit it, they may fit this one as they are.
        if let Ok(home) = home(project, series, &overlay, &plans, (base, &repo)) {
            let planned = Planned { series, overlay: &overlay, plans: &plans };
            return carried(project, &planned, &home, (foot, &repo), signoff);
        }
    }
    let steps = Steps { project, repo: &repo, overlay: &overlay, base: foot, recorded };
    let (by, signer) = authorship(series, base, signoff)?;
    let drops = steps.drops(series)?;
    let (mut commit, mut tree) = (foot.commit.clone(), foot.tree.clone());
    let mut patches = Vec::new();
    for plan in &plans {
        let patch = plan.patch;
        if drops.iter().any(|rule| rule.patch == patch.name && rule.file.is_none()) {
            continue;
        }
        let spatched = steps.spatched(&tree, patch)?;
        let edited = repo.change_tree(&spatched, &steps.edited(&spatched, patch)?)?;
        let after = steps.with_overlay(&edited, plan)?;
        let files = repo.changed_paths(&tree, &after)?;
        if files.is_empty() && patch.diff.is_none() && !patch.resolutions.is_empty() {
            // The base has all of it; other bases do not.
            continue;
        }
        if files.is_empty() {
            return Err(steps.misfit(format!("{}: patch {} changes nothing", patch.place, patch.name)));
        }
        commit = commit_patch(&repo, &commit, &after, patch, (&by, signer.as_deref()))?;
        let (name, subject) = (patch.name.clone(), patch.message.subject.clone());
        patches.push(AppliedPatch { name, subject, commit: commit.clone(), tree: after.clone(), files });
        tree = after;
    }
    Ok(patches)
}

/// Whether `base` is the one that the .diff files of `series` are for.
pub fn is_recorded(project: &Project, series: &Series, base: &Base) -> Result<bool> {
    let recorded = record::find(project, &series.base)
        .with_context(|| format!("series {} is for base {}", series.name, series.base))?;
    Ok(recorded.tree.map_or(base.name == series.base, |tree| tree == base.tree))
}

fn carried(
    project: &Project,
    planned: &Planned<'_>,
    home: &Home,
    onto: (&Base, &Repo),
    signoff: bool,
) -> Result<Vec<AppliedPatch>> {
    let patches = carry_series(project, planned, home, onto, signoff, false)?;
    if let Some(last) = patches.last().filter(|last| last.carried.state == State::Conflict) {
        let (what, name) = (last.carried.notes.join("; "), &planned.series.name);
        let what = format!(
            "patch {}: {what} (base {}): `txgen rebase {name}` stops at it to be fixed",
            last.name, onto.0.name
        );
        return Err(Conflict { what }.into());
    }
    let applied = |p: OntoPatch| {
        Some(AppliedPatch { name: p.name, subject: p.subject, commit: p.commit?, tree: p.tree, files: p.files })
    };
    Ok(patches.into_iter().filter_map(applied).collect())
}

/// The branch of a series.
pub fn branch(name: &str) -> String {
    format!("txgen/{name}")
}

/// Whether the branch has the trees and messages of the commits up to `tip`: made in git, they have other dates.
fn is_branch(repo: &Repo, branch: &str, base: &Base, tip: &str) -> Result<bool> {
    let Some(head) = repo.read_ref(&format!("refs/heads/{branch}"))? else { return Ok(false) };
    if head.commit == tip {
        return Ok(true);
    }
    if !repo.descends(&head.commit, &base.commit)? {
        return Ok(false);
    }
    let content = |tip: &str| -> Result<Vec<_>> {
        let commits = repo.commits_above(&base.commit, tip)?;
        let message =
            |text: &str| Message::parse_without_author(text).map_or(text.to_owned(), |m| m.commit_message(None));
        Ok(commits.into_iter().map(|commit| (message(&commit.message), commit.tree, commit.author)).collect())
    };
    Ok(content(&head.commit)? == content(tip)?)
}

/// Refuses to move a branch that is not where txgen put it, or read it.
pub fn refuse_edited(repo: &Repo, name: &str, branch: &str) -> Result<()> {
    let Some(head) = repo.read_ref(&format!("refs/heads/{branch}"))? else { return Ok(()) };
    let own = repo.read_ref(&own_ref(name))?;
    if own.as_ref().is_some_and(|own| own.commit == head.commit) {
        return Ok(());
    }
    bail!(
        "branch {branch} is at {}, where txgen did not put it: what was edited there is not in series/{name}/. \
         `txgen refresh {name}` takes it in, `txgen apply {name} --discard` drops it",
        &head.commit[..12]
    );
}

/// The ref that says where txgen put the branch, or read it from.
pub fn own_ref(name: &str) -> String {
    format!("refs/txgen/series/{name}")
}

/// The branch moved to `commit`, and with it a ref of our own whose reflog keeps every earlier state.
fn moves(repo: &Repo, name: &str, branch: &str, commit: &str) -> Result<Vec<Move>> {
    let to = Some(commit.to_owned());
    let names = [format!("refs/heads/{branch}"), own_ref(name)];
    let one = |name: String| Ok(Move { from: repo.target(&name)?, name, to: to.clone() });
    names.map(one).into_iter().collect()
}

/// Moves the branch from where it was when it was looked at.
fn set_branch(repo: &Repo, name: &str, branch: &str, moves: &[Move]) -> Result<()> {
    if let Some(dir) = repo.checked_out_at(branch)? {
        bail!(
            "branch {branch} is checked out at {}, and applying would move it under that work tree: switch it to \
             another branch, or detach it (`git -C {} switch --detach`)",
            dir.display(),
            dir.display()
        );
    }
    repo.move_refs_from(moves, &format!("txgen apply {name}"))
}

/// The names of all series of the project, sorted.
pub fn names(project: &Project) -> Result<Vec<String>> {
    let dir: PathBuf = project.root.join("series");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&dir).with_context(|| format!("list {}", dir.display()))? {
        let entry = entry.with_context(|| format!("list {}", dir.display()))?;
        // What is no name of a series is a stray, or an editor's.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_name = record::is_name(&name) && !files::is_editors(name.as_ref());
        if is_name && entry.path().join("series.toml").is_file() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

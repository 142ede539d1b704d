// SPDX-License-Identifier: GPL-2.0
//! A series as commits on a base: built in memory, with the branch set last.

use std::path::PathBuf;
use std::rc::Rc;

use anyhow::{Context, Result};

use super::carry::State;
use super::home::{Home, home};
use super::meaning::{self, Likeness, Signer, Wanted};
use super::onto::{OntoPatch, Planned, authorship, carry_series, commit_patch};
use super::overlay_files;
use super::plan::plan;
use super::stack;
use super::steps::Steps;
use super::{Applied, AppliedPatch, Patch, Series};
use crate::base::{Base, record};
use crate::error::Conflict;
use crate::files;
use crate::git::Repo;
use crate::git::branches::{Move, Put, To};
use crate::git::refs;
use crate::project::Project;

/// Turns `series` into commits on `base` and points branch txgen/NAME at the last one. Each commit is signed off
/// by its author with `signoff`, or where git's configuration asks for it (`format.signOff`).
///
/// A branch that was edited in git and not read back by `txgen refresh` is left alone, with an error, unless the edits
/// are to be discarded.
pub fn apply_series(project: &Project, series: &Series, base: &Base, signoff: bool, discard: bool) -> Result<Applied> {
    let foot = stack::foot(project, series, base, signoff)?;
    let mut patches = build_on(project, series, base, &foot.base, signoff)?;
    let branch = branch(&series.name);
    let tip = patches.last().map_or(&foot.base.commit, |last| &last.commit);
    let repo = Repo::open(&base.git_dir)?;
    // Refs are moved from where they are now, before anything of the branch is read.
    let moves = moves(&repo, &series.name, tip)?;
    match likeness(&repo, series, &foot.base, &patches, signoff) {
        Ok(Likeness::Same) => {
            note_branch(&repo, &series.name, &moves)?;
            take_commits(&repo, &foot.base, &moves, &mut patches)?;
        }
        Ok(Likeness::WithNote) => crate::output::eprintln!(
            "warning: a text below --- on branch {branch} is not in series/{name}/: `txgen refresh {name}` takes it in",
            name = series.name
        ),
        // What can not be read is given up with the rest.
        Err(error) if !discard => return Err(error),
        _ => set_branch(&repo, &series.name, &moves, discard)?,
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

/// How the branch of `series` compares with what txgen makes: `patches`, on `foot`. One that is not there is another.
pub fn likeness(
    repo: &Repo,
    series: &Series,
    foot: &Base,
    patches: &[AppliedPatch],
    signoff: bool,
) -> Result<Likeness> {
    let Some(head) = repo.read_ref(&head_ref(&series.name))? else { return Ok(Likeness::Other) };
    if Some(&head.commit) == patches.last().map(|last| &last.commit) {
        return Ok(Likeness::Same);
    }
    if !repo.descends(&head.commit, &foot.commit)? {
        return Ok(Likeness::Other);
    }
    let (by, signer) = authorship(series, foot, signoff)?;
    let commits = repo.commits_above(&foot.commit, &head.commit)?;
    if commits.len() != patches.len() {
        return Ok(Likeness::Other);
    }
    let mut all = Likeness::Same;
    for (commit, made) in commits.iter().zip(patches) {
        let patch = patch_named(series, &made.name)?;
        let wanted = Wanted {
            message: &patch.message,
            tree: &made.tree,
            author: Some(patch.message.author.as_ref().unwrap_or(&by.author)),
            signer: Signer::Only(signer.as_deref()),
        };
        all = all.min(meaning::compare(commit, &wanted));
    }
    Ok(all)
}

/// The patch of a series that a commit was made of.
pub fn patch_named<'a>(series: &'a Series, name: &str) -> Result<&'a Patch> {
    series.patches.iter().find(|patch| patch.name == name).with_context(|| format!("patch {name} is gone"))
}

/// Where the branch of a series is as txgen knows it: where txgen put it or read it, or where somebody put it with just
/// what the series says, as `likeness` tells.
pub fn known_place(repo: &Repo, name: &str, likeness: impl FnOnce() -> Result<Likeness>) -> Result<Option<String>> {
    let commit = |name: &str| Ok::<_, anyhow::Error>(repo.read_ref(name)?.map(|found| found.commit));
    let (head, own) = (commit(&head_ref(name))?, commit(&own_ref(name))?);
    Ok(if head.is_some() && head != own && likeness()? == Likeness::Same { head } else { own })
}

/// What to do about a branch that has what is not in the series.
pub fn advice(name: &str) -> String {
    format!(
        "what was edited there is not in series/{name}/. `txgen refresh {name}` takes it in, `txgen apply {name} \
         --discard` drops it"
    )
}

/// The branch of a series as a ref.
pub fn head_ref(name: &str) -> String {
    format!("refs/heads/{}", branch(name))
}

/// The ref that says where txgen put the branch, or read it from.
pub fn own_ref(name: &str) -> String {
    format!("refs/txgen/series/{name}")
}

/// The branch moved to `commit`, and with it a ref of our own whose reflog keeps every earlier state.
fn moves(repo: &Repo, name: &str, commit: &str) -> Result<Vec<refs::Move>> {
    let to = Some(commit.to_owned());
    let one = |name: String| Ok(refs::Move { from: repo.target(&name)?, name, to: to.clone() });
    [head_ref(name), own_ref(name)].map(one).into_iter().collect()
}

/// The ref that says which revision the series was read from beside its branch.
pub fn read_ref(name: &str) -> String {
    format!("refs/txgen/read/{name}")
}

/// The ref that says what the series makes where new files of its branch were folded.
pub fn folded_ref(name: &str) -> String {
    format!("refs/txgen/folded/{name}")
}

/// Moves the branch from where it was when it was looked at.
fn set_branch(repo: &Repo, name: &str, moves: &[refs::Move], discard: bool) -> Result<()> {
    let (branch, advice) = (branch(name), advice(name));
    let own = repo.read_ref(&own_ref(name))?.map(|own| own.commit);
    let to = moves.first().and_then(|head| head.to.as_deref()).map_or(To::Elsewhere, To::Commit);
    let put = if discard { Put::Anywhere } else { Put::At(own.as_deref(), &advice) };
    repo.refuse_to_move(&Move { branch: &branch, to, put, doing: "applying" })?;
    repo.move_refs_from(moves, &format!("txgen apply {name}"))
}

/// Keeps in mind that the branch, which somebody made in git, is what the series says, where it was when it was looked at.
fn note_branch(repo: &Repo, name: &str, moves: &[refs::Move]) -> Result<()> {
    let [head, own] = moves else { return Ok(()) };
    if head.from.is_none() || head.from == own.from {
        return Ok(());
    }
    let own = refs::Move { to: head.from.clone(), ..own.clone() };
    repo.move_refs_from(&[own], &format!("txgen apply {name}"))
}

/// Names the commits that the branch has in place of those that were made and say the same.
fn take_commits(repo: &Repo, foot: &Base, moves: &[refs::Move], patches: &mut [AppliedPatch]) -> Result<()> {
    let Some(head) = moves.first().and_then(|head| head.from.as_deref()) else { return Ok(()) };
    if patches.last().is_some_and(|last| last.commit == head) {
        return Ok(());
    }
    for (patch, commit) in patches.iter_mut().zip(repo.commits_above(&foot.commit, head)?) {
        patch.commit = commit.id;
    }
    Ok(())
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

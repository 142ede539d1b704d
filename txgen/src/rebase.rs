// SPDX-License-Identifier: GPL-2.0
//! A series moved to another base: carried in memory, then written as a whole or not at all.
//!
//! A series has its edits in PATCH.diff for one base, the recorded one. Where another base needs other edits than a
//! merge finds, bases/BASE/PATCH.diff holds them. So a rebase writes the edits on the new base to PATCH.diff, keeps the
//! old ones in bases/ where the way back would not find them, and the way back ends in the same bytes.

pub mod cause;
pub mod pending;
mod place;
pub mod recover;
pub mod report;
mod undo;
pub mod write;

use std::collections::BTreeMap;
use std::rc::Rc;

use anyhow::{Context, Result, bail};
use rayon::prelude::*;

use crate::base::Base;
use crate::git::Repo;
use crate::git::branches::{Move, Put, To};
use crate::git::render::{Edits, diff_text};
use crate::project::Project;
use crate::series::apply;
use crate::series::carry::{Carried, CarriedFile, State, carry, rest};
use crate::series::home::{Home, HomePatch, home};
use crate::series::onto::{OntoPatch, Planned, carry_series};
use crate::series::plan::{PatchPlan, plan};
use crate::series::resolution::{self, Record};
use crate::series::steps::Steps;
use crate::series::{Patch, Series, load, overlay_files, stack};

/// A series carried to another base; nothing of it is written.
pub struct Rebased {
    /// The base it comes from.
    pub from: Base,
    /// The base it goes to.
    pub onto: Base,
    /// The repository that has that base, and in memory what was made on it.
    pub repo: Rc<Repo>,
    /// Its patches there, up to the first one in conflict.
    pub patches: Vec<OntoPatch>,
    /// The files of series/NAME/ that change, `None` where they go away; empty after a conflict.
    pub files: BTreeMap<String, Option<String>>,
}

impl Rebased {
    /// The patch that has to be merged by hand.
    pub fn stopped(&self) -> Option<&OntoPatch> {
        self.patches.iter().find(|patch| patch.carried.state == State::Conflict)
    }

    /// The last commit.
    pub fn tip(&self) -> &str {
        self.patches.iter().rev().find_map(|patch| patch.commit.as_deref()).unwrap_or(&self.onto.commit)
    }
}

/// Carries `series` to `onto`. With `keep_going` every patch is tried, whatever is in conflict before it.
pub fn rebase(project: &Project, series: &Series, onto: &Base, signoff: bool, keep_going: bool) -> Result<Rebased> {
    let others = stack::others(project, series)?;
    let overlay = stack::own(overlay_files::read(project)?, series, &others);
    let plans = plan(series, &overlay, &others)?;
    let repo = Rc::new(Repo::open_in_memory(&onto.git_dir)?);
    let home = home(project, series, &overlay, &plans, (onto, &repo))?;
    let planned = Planned { series, overlay: &overlay, plans: &plans };
    let foot = stack::foot(project, series, onto, signoff)?.base;
    let patches = carry_series(project, &planned, &home, (&foot, &repo), signoff, keep_going)?;
    let mut rebased = Rebased { from: home.base.clone(), onto: foot, repo, patches, files: BTreeMap::new() };
    if rebased.stopped().is_none() {
        rebased.files = files(project, &planned, &home, &rebased)?;
    }
    Ok(rebased)
}

/// What becomes of the files of series/NAME/.
fn files(
    project: &Project,
    planned: &Planned<'_>,
    home: &Home,
    rebased: &Rebased,
) -> Result<BTreeMap<String, Option<String>>> {
    let (old, new) = (&rebased.from.name, &rebased.onto.name);
    let file = project.series(&planned.series.name).join("series.toml");
    let mut files = BTreeMap::new();
    files.insert("series.toml".to_owned(), Some(load::with_base(&crate::files::read(&file)?, new)?));
    let there = Home {
        base: rebased.onto.clone(),
        repo: Rc::clone(&rebased.repo),
        patches: rebased.patches.iter().map(HomePatch::from).collect(),
    };
    let mut backs = Vec::new();
    for index in 0..planned.plans.len() {
        backs.push(way_back(project, planned, home, &there, index)?);
    }
    // What is left needs no repository.
    let all = planned.plans.par_iter().zip(&rebased.patches).zip(home.patches.par_iter().zip(backs));
    let of_each =
        all.map(|((plan, onto), (was, back))| patch_files(plan.patch, (&onto.carried, was), back, (old, new)));
    files.extend(of_each.collect::<Result<Vec<_>>>()?.into_iter().flatten());
    Ok(files)
}

/// What becomes of the files of one patch.
fn patch_files(
    patch: &Patch,
    (carried, was): (&Carried, &HomePatch),
    back: Back,
    (old, new): (&str, &str),
) -> Result<Vec<(String, Option<String>)>> {
    let mut files = Vec::new();
    let edits = patch.diff.as_ref().map_or("", |diff| &diff.text);
    // What was recorded is taken as it stands: another diff program than ours may have written it.
    let text = match resolution::find(patch, new) {
        Ok(Some(Record::Whole(form))) if carried.state == State::Resolution => resolution::diff(&form.text).to_owned(),
        _ => diff_text(&carried.edits)?,
    };
    for (base, form) in &patch.resolutions {
        // Forms for further bases stay forms of these edits, unless they were out of date before.
        let fresh = matches!(resolution::find(patch, base), Ok(Some(Record::Whole(_))));
        let form = resolution::diff(&form.text);
        if fresh && base != old && base != new {
            files.push((form_file(base, &patch.name), Some(resolution::text(form, &text))));
        }
    }
    let keep = match back {
        Back::Edits(back) => (diff_text(&back)? != edits).then(|| resolution::text(edits, &text)),
        // A text that another diff program wrote can not be made again of what is left.
        Back::Rest(left, of) if edits == diff_text(&was.edits)? => Some(resolution::rest(&diff_text(&left)?, &of)),
        Back::Rest(..) | Back::Nothing => Some(resolution::text(edits, &text)),
    };
    files.push((form_file(old, &patch.name), keep));
    if old != new {
        files.push((form_file(new, &patch.name), None));
    }
    files.push((format!("{}.diff", patch.name), Some(text).filter(|text| !text.is_empty())));
    Ok(files)
}

fn form_file(base: &str, patch: &str) -> String {
    format!("bases/{base}/{patch}.diff")
}

impl From<&OntoPatch> for HomePatch {
    fn from(patch: &OntoPatch) -> Self {
        let Carried { spatched, edits, .. } = patch.carried.clone();
        Self { parent: patch.below.clone(), spatched, tree: patch.tree.clone(), edits, regenerates: false }
    }
}

/// What a rebase back would find of a patch's edits without any record.
enum Back {
    /// Edits.
    Edits(Edits),
    /// All but these, and what was merged of each file.
    Rest(Edits, Vec<CarriedFile>),
    /// Nothing that a record could rest on.
    Nothing,
}

fn way_back(project: &Project, planned: &Planned<'_>, home: &Home, there: &Home, index: usize) -> Result<Back> {
    let plan = &planned.plans[index];
    let (was, is) = (&home.patches[index], &there.patches[index]);
    if was.edits == is.edits || (plan.patch.diff.is_none() && is.edits.is_empty()) {
        return Ok(Back::Edits(was.edits.clone()));
    }
    let mut patch = plan.patch.clone();
    patch.resolutions.clear();
    let plan = PatchPlan { patch: &patch, files: plan.files.clone(), born: plan.born.clone() };
    let steps = Steps { project, repo: &home.repo, overlay: planned.overlay, base: &home.base, recorded: false };
    let drops = steps.drops(planned.series)?;
    if drops.iter().any(|rule| rule.patch == patch.name && rule.file.is_none()) {
        return Ok(Back::Edits(Edits::new()));
    }
    let back = carry(&steps, &plan, (there, is), &was.parent, &drops)?;
    if back.state != State::Conflict {
        return Ok(Back::Edits(back.edits));
    }
    let rest = rest(&home.repo, &back, &was.edits)?;
    Ok(rest.map_or(Back::Nothing, |left| Back::Rest(left, back.files)))
}

/// Refuses to move the branch of a series where it is in use, or where somebody else moved it; where it is, otherwise.
pub fn refuse_moved_branch(repo: &Repo, name: &str, to: To<'_>) -> Result<Option<String>> {
    let branch = apply::branch(name);
    let own = repo.read_ref(&apply::own_ref(name))?.map(|found| found.commit);
    let advice = format!(
        "what it has is not in series/{name}/ and would be lost. Rename it (`git branch -m {branch} NEW`), or set it with \
         `txgen apply {name}`"
    );
    let put = Put::At(own.as_deref(), &advice);
    repo.refuse_to_move(&Move { branch: &branch, to, put, doing: "rebasing" })
}

/// Puts the forms that were merged by hand in a rebase under way into `series`.
pub fn add_forms(series: &mut Series, base: &str, forms: &BTreeMap<String, String>) -> Result<()> {
    for (name, diff) in forms {
        let patch = series.patches.iter_mut().find(|patch| patch.name == *name);
        let patch = patch.with_context(|| format!("series {} has no patch {name} any more", series.name))?;
        let text = resolution::text(diff, patch.diff.as_ref().map_or("", |diff| &diff.text));
        let file = form_file(base, name).into();
        patch.resolutions.insert(base.to_owned(), crate::series::Text { file, text });
    }
    Ok(())
}

/// The edits that make tree `new` of tree `old`, without the overlay's files; an error where a file was added.
pub fn edits_between(repo: &Repo, old: &str, new: &str, is_overlay: impl Fn(&str) -> bool) -> Result<Edits> {
    let mut edits = Edits::new();
    for path in repo.changed_paths(old, new)?.into_iter().filter(|path| !is_overlay(path)) {
        let Some(before) = repo.file(old, &path)? else {
            bail!("{path} is new: a new file belongs in kernel-overlay/, claimed by `adds`");
        };
        let after = repo.file(new, &path)?;
        edits.insert(path, crate::git::render::Edit { before, after });
    }
    Ok(edits)
}

// SPDX-License-Identifier: GPL-2.0
//! A series on the base its .diff files are for: each patch's edits as files before and after.

use std::rc::Rc;

use anyhow::{Context, Result};

use super::Series;
use super::ahead;
use super::overlay_files::Overlay;
use super::plan::PatchPlan;
use super::stack;
use super::steps::Steps;
use crate::base::{self, Base, record};
use crate::git::render::{Edit, Edits};
use crate::git::{Changes, Repo};
use crate::project::Project;

/// A patch on the base its .diff is for.
#[derive(Debug, Clone)]
pub struct HomePatch {
    /// The tree before it.
    pub parent: String,
    /// The tree after its semantic patch, which its edits are for.
    pub spatched: String,
    /// The tree after it.
    pub tree: String,
    /// Its edits.
    pub edits: Edits,
    /// Whether its semantic patch changed anything, by what.
    pub regenerates: bool,
}

/// A series on the base its .diff files are for.
pub struct Home {
    /// That base.
    pub base: Base,
    /// The repository that has it.
    pub repo: Rc<Repo>,
    /// The patches, first to last.
    pub patches: Vec<HomePatch>,
}

/// Finds the base that the series is for, in the managed repository or in `here`, the repository of `clone`, and puts
/// the series on it. Nothing is written to a repository that is not `here`.
pub fn home(
    project: &Project,
    series: &Series,
    overlay: &Overlay,
    plans: &[PatchPlan<'_>],
    (clone, here): (&Base, &Rc<Repo>),
) -> Result<Home> {
    let base = find(project, series, clone, here)?;
    let base = stack::foot(project, series, &base, false)?.base;
    let repo = match base.git_dir == clone.git_dir {
        true => Rc::clone(here),
        false => Rc::new(Repo::open_in_memory(&base.git_dir)?),
    };
    ahead::parse(plans, (&base, &repo), (clone, here))?;
    let steps = Steps { project, repo: &repo, overlay, base: &base, recorded: true };
    let mut tree = base.tree.clone();
    let mut patches = Vec::new();
    let drops = steps.drops(series)?;
    for plan in plans {
        let parent = tree.clone();
        if drops.iter().any(|rule| rule.patch == plan.patch.name && rule.file.is_none()) {
            let (spatched, edits) = (parent.clone(), Edits::new());
            patches.push(HomePatch { tree: parent.clone(), parent, spatched, edits, regenerates: false });
            continue;
        }
        let spatched = steps.spatched(&tree, plan.patch)?;
        let changes = steps.edited(&spatched, plan.patch)?;
        let edits = edits(&repo, &spatched, &changes)?;
        let edited = repo.change_tree(&spatched, &changes)?;
        tree = steps.with_overlay(&edited, plan)?;
        let (tree, regenerates) = (tree.clone(), plan.patch.cocci.is_some());
        patches.push(HomePatch { parent, spatched, tree, edits, regenerates });
    }
    Ok(Home { base, repo, patches })
}

fn find(project: &Project, series: &Series, clone: &Base, here: &Repo) -> Result<Base> {
    let record = record::find(project, &series.base)
        .with_context(|| format!("series {} is for base {}", series.name, series.base))?;
    match (base::resolve(project, &series.base, None), record.commit) {
        (Ok(base), _) => Ok(base),
        (Err(error), Some(commit)) => {
            let Ok(found) = here.resolve(&commit) else { return Err(error) };
            let git_dir = clone.git_dir.clone();
            Ok(Base { name: series.base.clone(), git_dir, commit: found.commit, tree: found.tree })
        }
        (Err(error), None) => Err(error),
    }
}

/// The files that `changes` make of those in `tree`, beside them.
pub fn edits(repo: &Repo, tree: &str, changes: &Changes) -> Result<Edits> {
    let mut edits = Edits::new();
    for (path, after) in changes {
        let before = repo.file(tree, path)?.with_context(|| format!("{path} is gone from the tree"))?;
        edits.insert(path.clone(), Edit { before, after: after.clone() });
    }
    Ok(edits)
}

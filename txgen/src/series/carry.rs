// SPDX-License-Identifier: GPL-2.0
//! A patch's edits carried from the base they are for to another: merged file by file, or as recorded there.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use rayon::prelude::*;
use serde::Serialize;

use super::Dropped;
use super::home::{Home, HomePatch, edits};
use super::plan::PatchPlan;
use super::resolution::{self, Record};
use super::steps::Steps;
use crate::git::diff::{self, Misfit};
use crate::git::lines::Labels;
use crate::git::render::{Edit, Edits};
use crate::git::{Blob, Changes, Repo};
use crate::merge::{self, Merged, Sides, Touched};

/// How a patch came onto the other base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The files it edits are the same on both bases.
    Clean,
    /// Its semantic patch was run there.
    Regenerated,
    /// Its edits were merged into files that differ.
    Merged,
    /// Its recorded form was taken.
    Resolution,
    /// The base has its change already.
    Upstream,
    /// The series says that it makes no sense there.
    Dropped,
    /// It has to be merged by hand.
    Conflict,
}

/// A file that a patch edits, on the other base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedFile {
    /// Its path on the base the edits are for.
    pub path: String,
    /// Its path on the other base; `None` where there is no such file.
    pub to: Option<String>,
    /// What both the base and the patch changed, merged or not.
    pub touched: Vec<Touched>,
    /// Whether the file differs between the bases.
    pub differs: bool,
    /// Why it was merged by its lines alone, if it was.
    pub by_lines: Option<String>,
    /// Why nothing of it was carried, where the series says so.
    pub dropped: Option<String>,
    /// Items of it that were not carried, as the base lacks them, and why that is right.
    pub left_out: Vec<(String, String)>,
}

impl CarriedFile {
    /// What has to be merged by hand, told in words.
    pub fn conflicts(&self) -> Vec<String> {
        if self.to.is_none() && self.dropped.is_none() {
            return vec![format!("{}: the base has no such file", self.path)];
        }
        let told = |t: &Touched| Some(format!("{}: {}: {}", self.to.as_ref()?, t.item, t.clash?));
        self.touched.iter().filter_map(told).collect()
    }
}

/// A patch's edits on the other base.
#[derive(Debug, Clone)]
pub struct Carried {
    /// How it got there.
    pub state: State,
    /// The files, by the path on the base the edits are for.
    pub files: Vec<CarriedFile>,
    /// The tree its edits are made to.
    pub spatched: String,
    /// Its edits there, with conflict markers in state [`State::Conflict`].
    pub edits: Edits,
    /// What has to be merged by hand, or why its recorded form was of no use.
    pub notes: Vec<String>,
    /// The merge, with what is in conflict as the base has it.
    pub without: Changes,
}

/// Carries the edits of a patch onto `parent`. `drops` are the rules that hold on the base.
pub fn carry(
    steps: &Steps<'_>,
    plan: &PatchPlan<'_>,
    (home, from): (&Home, &HomePatch),
    parent: &str,
    drops: &[&Dropped],
) -> Result<Carried> {
    let spatched = steps.spatched(parent, plan.patch)?;
    let merge = Merge { steps, home, name: &plan.patch.name, tree: &spatched, drops };
    let (files, mut changes, without) = merge.all(from)?;
    let mut notes = files.iter().flat_map(CarriedFile::conflicts).collect::<Vec<_>>();
    let mut state = if !notes.is_empty() {
        State::Conflict
    } else if files.iter().any(|file| file.differs || file.dropped.is_some()) {
        State::Merged
    } else if from.regenerates {
        State::Regenerated
    } else {
        State::Clean
    };
    match recorded(steps, plan, &spatched, (&files, &without)) {
        Ok(Some(form)) => {
            changes = form;
            notes.clear();
            state = State::Resolution;
        }
        Ok(None) => {}
        Err(error) => notes.push(format!("{error:#}")),
    }
    let mut edits = edits(steps.repo, &spatched, &changes)?;
    // An edit that changes nothing was made already.
    edits.retain(|_, edit| edit.after.as_ref() != Some(&edit.before));
    Ok(Carried { state, files, spatched, edits, notes, without })
}

/// What the record for the base makes of the tree, where there is one; an error where it is out of date. `without` is
/// the merge without what is in conflict.
fn recorded(
    steps: &Steps<'_>,
    plan: &PatchPlan<'_>,
    spatched: &str,
    (files, without): (&[CarriedFile], &Changes),
) -> Result<Option<Changes>> {
    let (rest, of) = match resolution::find(plan.patch, &steps.base.name)? {
        None => return Ok(None),
        Some(Record::Whole(_)) => return steps.edited(spatched, plan.patch).map(Some),
        Some(Record::Rest(rest, of)) => (rest, of),
    };
    if of != resolution::mark_of_conflict(files) {
        bail!("{} is of another conflict than there is now", rest.file.display());
    }
    let mut changes = without.clone();
    let diff = resolution::diff(&rest.text);
    if !diff.is_empty() {
        let tree = steps.repo.change_tree(spatched, without)?;
        match steps.repo.apply_diff_moved(&tree, diff)? {
            Ok(more) => changes.extend(more),
            Err(misfit) => return Err(diff::tell(&rest.file, &Misfit { line: misfit.line + 1, ..misfit })),
        }
    }
    Ok(Some(changes))
}

/// What is left to do to make `edits` of a merge that left out what is in conflict; `None` where no .diff can say it.
pub fn rest(repo: &Repo, merged: &Carried, edits: &Edits) -> Result<Option<Edits>> {
    let mut rest = Edits::new();
    for path in merged.without.keys().chain(edits.keys()).cloned().collect::<BTreeSet<_>>() {
        let there = || repo.file(&merged.spatched, &path);
        let before = merged.without.get(&path).cloned().map_or_else(there, Ok)?;
        let after = edits.get(&path).map(|edit| edit.after.clone()).map_or_else(there, Ok)?;
        match before {
            _ if before == after => {}
            Some(before) => drop(rest.insert(path, Edit { before, after })),
            None => return Ok(None),
        }
    }
    Ok(Some(rest))
}

fn unchanged(path: &str, to: Option<String>) -> CarriedFile {
    CarriedFile {
        path: path.to_owned(),
        to,
        touched: Vec::new(),
        differs: false,
        by_lines: None,
        dropped: None,
        left_out: vec![],
    }
}

/// A file that both sides have: all that its merge needs, and nothing of a repository.
struct Pair<'a> {
    before: &'a Blob,
    ours: Blob,
    theirs: &'a Blob,
    optional: Vec<&'a str>,
}

impl Pair<'_> {
    fn merge(&self, to: &str, labels: &Labels) -> Result<Merged> {
        let sides = Sides { base: &*self.before.bytes, ours: &*self.ours.bytes, theirs: &*self.theirs.bytes };
        merge::merge(to, sides, labels, &self.optional)
    }

    /// What the merge makes of the file, and that without what is in conflict.
    fn blobs(&self, merged: Vec<u8>, ours: Option<Vec<u8>>) -> (Blob, Blob) {
        let mode = if self.theirs.mode == self.before.mode { self.ours.mode } else { self.theirs.mode };
        let ours = ours.unwrap_or_else(|| merged.clone());
        (Blob { mode, bytes: merged }, Blob { mode, bytes: ours })
    }
}

/// How the files of one patch are merged.
struct Merge<'a> {
    steps: &'a Steps<'a>,
    home: &'a Home,
    name: &'a str,
    tree: &'a str,
    drops: &'a [&'a Dropped],
}

impl<'a> Merge<'a> {
    /// Every file that the patch edits, what becomes of it, and that without what is in conflict.
    fn all(&self, from: &'a HomePatch) -> Result<(Vec<CarriedFile>, Changes, Changes)> {
        let (base, ours) = (self.home.base.name.clone(), self.steps.base.name.clone());
        let labels = Labels { base, ours, theirs: self.name.to_owned() };
        let (mut found, mut changes) = (Vec::new(), Changes::new());
        for (path, edit) in &from.edits {
            found.push(self.look(path, edit, &mut changes)?);
        }
        let mut without = changes.clone();
        let merge = |(file, pair): (CarriedFile, Option<Pair<'a>>)| {
            let to = file.to.as_deref().unwrap_or(&file.path);
            let merged = pair.as_ref().map(|pair| pair.merge(to, &labels)).transpose()?;
            Ok((file, pair.zip(merged)))
        };
        let mut files = Vec::new();
        for (mut file, merged) in found.into_par_iter().map(merge).collect::<Result<Vec<_>>>()? {
            if let (Some((pair, merged)), Some(to)) = (merged, &file.to) {
                let (blob, ours) = pair.blobs(merged.bytes, merged.ours);
                changes.insert(to.clone(), Some(blob));
                without.insert(to.clone(), Some(ours));
                file.touched = merged.touched;
                file.by_lines = merged.by_lines;
                file.left_out = merged.left_out.into_iter().map(|item| self.why(&file.path, item)).collect();
            }
            files.push(file);
        }
        Ok((files, changes, without))
    }

    /// What the series says of a file on this base.
    fn rules(&self, path: &str) -> impl Iterator<Item = &'a Dropped> {
        let is_about = move |rule: &&Dropped| rule.patch == self.name && rule.file.as_deref() == Some(path);
        self.drops.iter().copied().filter(is_about)
    }

    /// Where a file is on the other base, and what is left to merge of it; a removal is put in `changes`.
    fn look(&self, path: &str, edit: &'a Edit, changes: &mut Changes) -> Result<(CarriedFile, Option<Pair<'a>>)> {
        if let Some(rule) = self.rules(path).find(|rule| rule.item.is_none()) {
            return Ok((CarriedFile { dropped: Some(rule.reason.clone()), ..unchanged(path, None) }, None));
        }
        let Some(to) = self.follow(path, edit)? else {
            // What the patch removes is gone already.
            let dropped = edit.after.is_none().then(|| "the base has no such file to remove".to_owned());
            return Ok((CarriedFile { dropped, ..unchanged(path, None) }, None));
        };
        let Some(ours) = self.steps.repo.file(self.tree, &to)? else { return Ok((unchanged(path, None), None)) };
        let mut file = unchanged(path, Some(to.clone()));
        file.differs = to != path || ours.bytes != edit.before.bytes;
        if let Some(theirs) = &edit.after {
            let optional = self.rules(path).filter_map(|rule| rule.item.as_deref()).collect();
            return Ok((file, Some(Pair { before: &edit.before, ours, theirs, optional })));
        }
        if file.differs {
            file.touched.push(Touched::whole(&to, "the patch removes it, the base changed it"));
        } else {
            changes.insert(to, None);
        }
        Ok((file, None))
    }

    /// Where the file is on the other base.
    fn follow(&self, path: &str, edit: &Edit) -> Result<Option<String>> {
        let had = |path: &str| Ok(self.home.repo.id_of(&self.home.base.tree, path)?.is_some());
        match self.steps.repo.id_of(self.tree, path)? {
            Some(_) => Ok(Some(path.to_owned())),
            None => self.steps.repo.follow(path, &edit.before, &had, self.tree),
        }
    }

    fn why(&self, path: &str, item: String) -> (String, String) {
        let reason = self.rules(path).find(|rule| rule.item.as_ref() == Some(&item)).map(|rule| rule.reason.clone());
        (item, reason.unwrap_or_default())
    }
}

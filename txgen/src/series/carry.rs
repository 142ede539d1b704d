// SPDX-License-Identifier: GPL-2.0
//! A patch's edits carried from the base they are for to another: merged file by file, or as recorded there.

use anyhow::Result;
use serde::Serialize;

use super::home::{Home, HomePatch, edits};
use super::plan::PatchPlan;
use super::steps::Steps;
use super::{Dropped, resolution};
use crate::git::lines::Labels;
use crate::git::render::{Edit, Edits};
use crate::git::{Blob, Changes};
use crate::merge::{self, Sides, Touched};

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
}

/// Carries the edits of a patch onto `parent`. `drops` are the rules that hold on the base.
pub fn carry(
    steps: &Steps<'_>,
    plan: &PatchPlan<'_>,
    home: (&Home, &HomePatch),
    parent: &str,
    drops: &[&Dropped],
) -> Result<Carried> {
    let (home, from) = home;
    let name = &plan.patch.name;
    let spatched = steps.spatched(parent, plan.patch)?;
    let labels = Labels { base: home.base.name.clone(), ours: steps.base.name.clone(), theirs: name.clone() };
    let mut carried =
        Carried { state: State::Clean, files: Vec::new(), spatched, edits: Edits::new(), notes: Vec::new() };
    let mut changes = Changes::new();
    for (path, edit) in &from.edits {
        let rules = drops.iter().filter(|rule| rule.patch == *name && rule.file.as_ref() == Some(path));
        let file = match rules.clone().find(|rule| rule.item.is_none()) {
            Some(rule) => CarriedFile { dropped: Some(rule.reason.clone()), ..unchanged(path, None) },
            None => {
                let merge = Merge { steps, home, tree: &carried.spatched, labels: &labels, rules: rules.collect() };
                merge.carry(path, edit, &mut changes)?
            }
        };
        carried.notes.extend(file.conflicts());
        carried.files.push(file);
    }
    carried.state = if !carried.notes.is_empty() {
        State::Conflict
    } else if carried.files.iter().any(|file| file.differs || file.dropped.is_some()) {
        State::Merged
    } else if from.regenerates {
        State::Regenerated
    } else {
        State::Clean
    };
    if plan.patch.resolutions.contains_key(&steps.base.name) {
        match recorded(steps, plan, &carried.spatched) {
            Ok(form) => {
                changes = form;
                carried.notes.clear();
                carried.state = State::Resolution;
            }
            Err(error) => carried.notes.push(format!("{error:#}")),
        }
    }
    carried.edits = edits(steps.repo, &carried.spatched, &changes)?;
    // An edit that changes nothing was made already.
    carried.edits.retain(|_, edit| edit.after.as_ref() != Some(&edit.before));
    Ok(carried)
}

/// What the recorded form makes of the tree; an error where it is out of date.
fn recorded(steps: &Steps<'_>, plan: &PatchPlan<'_>, spatched: &str) -> Result<Changes> {
    resolution::find(plan.patch, &steps.base.name)?;
    steps.edited(spatched, plan.patch)
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

/// How the files of one patch are merged.
struct Merge<'a> {
    steps: &'a Steps<'a>,
    home: &'a Home,
    tree: &'a str,
    labels: &'a Labels,
    rules: Vec<&'a &'a Dropped>,
}

impl Merge<'_> {
    fn carry(&self, path: &str, edit: &Edit, changes: &mut Changes) -> Result<CarriedFile> {
        let Some(to) = self.follow(path, edit)? else {
            // What the patch removes is gone already.
            let dropped = edit.after.is_none().then(|| "the base has no such file to remove".to_owned());
            return Ok(CarriedFile { dropped, ..unchanged(path, None) });
        };
        let Some(ours) = self.steps.repo.file(self.tree, &to)? else { return Ok(unchanged(path, None)) };
        let mut file = unchanged(path, Some(to.clone()));
        file.differs = to != path || ours.bytes != edit.before.bytes;
        let Some(theirs) = &edit.after else {
            if file.differs {
                file.touched.push(removal(&to));
            } else {
                changes.insert(to, None);
            }
            return Ok(file);
        };
        let sides = Sides { base: &*edit.before.bytes, ours: &*ours.bytes, theirs: &*theirs.bytes };
        let optional = self.rules.iter().filter_map(|rule| rule.item.as_deref()).collect::<Vec<_>>();
        let merged = merge::merge(&to, sides, self.labels, &optional)?;
        file.touched = merged.touched;
        file.by_lines = merged.by_lines;
        file.left_out = merged.left_out.into_iter().map(|item| self.why(item)).collect();
        let mode = if theirs.mode == edit.before.mode { ours.mode } else { theirs.mode };
        changes.insert(to, Some(Blob { mode, bytes: merged.bytes }));
        Ok(file)
    }

    /// Where the file is on the other base.
    fn follow(&self, path: &str, edit: &Edit) -> Result<Option<String>> {
        let had = |path: &str| Ok(self.home.repo.id_of(&self.home.base.tree, path)?.is_some());
        match self.steps.repo.id_of(self.tree, path)? {
            Some(_) => Ok(Some(path.to_owned())),
            None => self.steps.repo.follow(path, &edit.before, &had, self.tree),
        }
    }

    fn why(&self, item: String) -> (String, String) {
        let rule = self.rules.iter().find(|rule| rule.item.as_ref() == Some(&item));
        let reason = rule.map_or_else(String::new, |rule| rule.reason.clone());
        (item, reason)
    }
}

fn removal(path: &str) -> Touched {
    let clash = Some("the patch removes it, the base changed it");
    Touched { item: path.to_owned(), base: String::new(), ours: String::new(), clash }
}

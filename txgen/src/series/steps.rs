// SPDX-License-Identifier: GPL-2.0
//! What a patch does to the tree below it, step by step: semantic patch, edits as they are, overlay files.

use std::path::Path;

use anyhow::{Result, anyhow, bail};

use super::overlay_files::Overlay;
use super::plan::PatchPlan;
use super::resolution::{self, Record};
use super::{Dropped, Patch, Series};
use crate::base::Base;
use crate::cocci;
use crate::error::Conflict;
use crate::facts;
use crate::git::{Changes, Repo, diff};
use crate::project::Project;

/// The base a series is put on, and all that its patches' steps need.
#[derive(Clone, Copy)]
pub struct Steps<'a> {
    /// The project.
    pub project: &'a Project,
    /// The repository that has the base.
    pub repo: &'a Repo,
    /// kernel-overlay/.
    pub overlay: &'a Overlay,
    /// The base.
    pub base: &'a Base,
    /// Whether the base is the one the .diff files are for.
    pub recorded: bool,
}

impl Steps<'_> {
    /// An edit that does not go onto its tree: bad input on the recorded base, a conflict on any other.
    pub fn misfit(&self, what: String) -> anyhow::Error {
        if self.recorded {
            anyhow!(what)
        } else {
            Conflict { what: format!("{what} (base {})", self.base.name) }.into()
        }
    }

    /// The rules of the series that hold on this base.
    pub fn drops<'s>(&self, series: &'s Series) -> Result<Vec<&'s Dropped>> {
        let mut hold = Vec::new();
        for rule in &series.drops {
            let holds = match &rule.when {
                Some(when) => facts::has(self.repo, &self.base.tree, &when.fact)? == when.with,
                None => true,
            };
            if holds {
                hold.push(rule);
            }
        }
        Ok(hold)
    }

    /// The tree after the semantic patch.
    pub fn spatched(&self, tree: &str, patch: &Patch) -> Result<String> {
        let Some(cocci) = &patch.cocci else { return Ok(tree.to_owned()) };
        match cocci::run(self.project, self.repo, tree, cocci)? {
            Ok(changes) => self.repo.change_tree(tree, &changes),
            Err(what) => Err(self.misfit(format!("{}: {what}", cocci.script.file.display()))),
        }
    }

    /// What the edits, or their recorded form on this base, make of the tree after the semantic patch.
    pub fn edited(&self, tree: &str, patch: &Patch) -> Result<Changes> {
        let text = match resolution::find(patch, &self.base.name)? {
            Some(Record::Whole(form)) => form,
            Some(Record::Rest(rest, _)) => {
                return Err(self.misfit(format!(
                    "{} is what is left of a merge from the series' own base, which is not here",
                    rest.file.display()
                )));
            }
            None => match &patch.diff {
                Some(diff) => diff,
                None => return Ok(Changes::new()),
            },
        };
        let edits = resolution::diff(&text.text);
        if edits.is_empty() {
            return Ok(Changes::new());
        }
        match self.repo.apply_diff(tree, edits)? {
            Ok(changes) => {
                if let Some(path) = changes.keys().find(|path| self.overlay.contains_key(*path)) {
                    bail!("{}: it changes kernel-overlay/{path}: change that file itself", text.file.display());
                }
                Ok(changes)
            }
            Err(mut misfit) => {
                misfit.line += if misfit.line > 0 && edits.len() < text.text.len() { 1 } else { 0 };
                let error = diff::tell(&text.file, &misfit);
                Err(if misfit.malformed { error } else { self.misfit(error.to_string()) })
            }
        }
    }

    /// The tree with the overlay files of a patch.
    pub fn with_overlay(&self, tree: &str, plan: &PatchPlan<'_>) -> Result<String> {
        let mut changes = Changes::new();
        for (path, blob) in &plan.files {
            if plan.born.contains(path) && self.repo.file(tree, path)?.as_ref() != Some(blob) {
                self.refuse_taken(tree, path)?;
            }
            changes.insert(path.clone(), Some(blob.clone()));
        }
        self.repo.change_tree(tree, &changes)
    }

    /// A new file must not be there already, nor lie below something that is no folder.
    fn refuse_taken(&self, tree: &str, path: &str) -> Result<()> {
        if self.repo.id_of(tree, path)?.is_some() {
            return Err(self.misfit(format!("kernel-overlay/{path}: the base has a file of this name")));
        }
        for parent in Path::new(path).ancestors().skip(1).filter_map(Path::to_str).filter(|p| !p.is_empty()) {
            if self.repo.file(tree, parent)?.is_some() {
                return Err(self.misfit(format!("kernel-overlay/{path}: {parent} is a file or a link in the base")));
            }
        }
        Ok(())
    }
}

// SPDX-License-Identifier: GPL-2.0
//! A series as commits on a base: built in memory, with the branch set last.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use super::overlay_files::{self, Overlay};
use super::plan::{PatchPlan, plan};
use super::{Applied, AppliedPatch, Patch, Series};
use crate::base::{Base, record};
use crate::cocci;
use crate::error::Conflict;
use crate::git::{Authorship, Changes, Repo, diff, identity};
use crate::project::Project;

/// Turns `series` into commits on `base` and points branch txgen/NAME at the last one. Each commit is signed off
/// by its author with `signoff`, or where git's configuration asks for it (`format.signOff`).
pub fn apply_series(project: &Project, series: &Series, base: &Base, signoff: bool) -> Result<Applied> {
    let patches = build(project, series, base, signoff)?;
    let branch = branch(&series.name);
    if let Some(last) = patches.last() {
        set_branch(&Repo::open(&base.git_dir)?, &series.name, &branch, &last.commit)?;
    }
    Ok(Applied { name: series.name.clone(), base: base.clone(), git_dir: base.git_dir.clone(), branch, patches })
}

/// The commits of `series` on `base`; no ref points at them.
pub fn build(project: &Project, series: &Series, base: &Base, signoff: bool) -> Result<Vec<AppliedPatch>> {
    let overlay = overlay_files::read(project)?;
    let plans = plan(series, &overlay, &claimed_elsewhere(project, series)?)?;
    let repo = Repo::open(&base.git_dir)?;
    let recorded = record::find(project, &series.base)
        .with_context(|| format!("series {} is for base {}", series.name, series.base))?;
    let recorded = recorded.tree.map_or(base.name == series.base, |tree| tree == base.tree);
    let steps = Steps { project, repo: &repo, overlay: &overlay, base, recorded };
    let (author, committer) = identity::identities(&base.git_dir)?;
    let signer = (signoff || identity::wants_signoff(&base.git_dir)?).then(|| committer.display());
    let by = Authorship { author, committer, seconds: series.date.as_second() };
    let (mut commit, mut tree) = (base.commit.clone(), base.tree.clone());
    let mut patches = Vec::new();
    for plan in &plans {
        let after = steps.tree_after(&tree, plan)?;
        let files = repo.changed_paths(&tree, &after)?;
        if files.is_empty() {
            return Err(steps.misfit(format!("{}: patch {} changes nothing", plan.patch.place, plan.patch.name)));
        }
        commit = repo.commit(&commit, &after, &plan.patch.message.commit_message(signer.as_deref()), &by)?;
        let (name, subject) = (plan.patch.name.clone(), plan.patch.message.subject.clone());
        patches.push(AppliedPatch { name, subject, commit: commit.clone(), tree: after.clone(), files });
        tree = after;
    }
    Ok(patches)
}

/// The branch of a series.
pub fn branch(name: &str) -> String {
    format!("txgen/{name}")
}

/// Points the branch at `commit`, and with it a ref of our own whose reflog keeps every earlier state.
fn set_branch(repo: &Repo, name: &str, branch: &str, commit: &str) -> Result<()> {
    let head = format!("refs/heads/{branch}");
    if repo.read_ref(&head)?.is_some_and(|found| found.commit == commit) {
        return Ok(());
    }
    if let Some(dir) = repo.checked_out_at(branch)? {
        bail!(
            "branch {branch} is checked out at {}, and applying would move it under that work tree: switch it to \
             another branch, or detach it (`git -C {} switch --detach`)",
            dir.display(),
            dir.display()
        );
    }
    repo.set_refs(&[&head, &format!("refs/txgen/series/{name}")], commit, &format!("txgen apply {name}"))
}

struct Steps<'a> {
    project: &'a Project,
    repo: &'a Repo,
    overlay: &'a Overlay,
    base: &'a Base,
    /// Whether the base is the one the .diff files are for.
    recorded: bool,
}

impl Steps<'_> {
    /// An edit that does not go onto its tree: bad input on the recorded base, a conflict on any other.
    fn misfit(&self, what: String) -> anyhow::Error {
        if self.recorded {
            anyhow!(what)
        } else {
            Conflict { what: format!("{what} (base {})", self.base.name) }.into()
        }
    }

    fn tree_after(&self, tree: &str, plan: &PatchPlan<'_>) -> Result<String> {
        let mut tree = tree.to_owned();
        if let Some(cocci) = &plan.patch.cocci {
            tree = match cocci::run(self.project, self.repo, &tree, cocci)? {
                Ok(changes) => self.repo.change_tree(&tree, &changes)?,
                Err(what) => return Err(self.misfit(format!("{}: {what}", cocci.script.file.display()))),
            };
        }
        tree = self.after_diff(tree, plan.patch)?;
        let mut changes = Changes::new();
        for (path, blob) in &plan.files {
            if plan.born.contains(path) {
                self.refuse_taken(&tree, path)?;
            }
            changes.insert(path.clone(), Some(blob.clone()));
        }
        if changes.is_empty() { Ok(tree) } else { self.repo.change_tree(&tree, &changes) }
    }

    fn after_diff(&self, tree: String, patch: &Patch) -> Result<String> {
        let Some(text) = patch.resolutions.get(&self.base.name).or(patch.diff.as_ref()) else { return Ok(tree) };
        match self.repo.apply_diff(&tree, &text.text)? {
            Ok(changes) => {
                if let Some(path) = changes.keys().find(|path| self.overlay.contains_key(*path)) {
                    bail!("{}: it changes kernel-overlay/{path}: change that file itself", text.file.display());
                }
                self.repo.change_tree(&tree, &changes)
            }
            Err(misfit) if misfit.malformed => Err(diff::tell(&text.file, &misfit)),
            Err(misfit) => Err(self.misfit(diff::tell(&text.file, &misfit).to_string())),
        }
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

/// Overlay files that other series of the project claim.
fn claimed_elsewhere(project: &Project, series: &Series) -> Result<BTreeSet<String>> {
    let mut claimed = BTreeSet::new();
    for name in names(project)?.into_iter().filter(|name| *name != series.name) {
        let other = super::load(project, &name)?;
        claimed.extend(other.patches.into_iter().flat_map(|patch| patch.adds).map(|add| add.path));
    }
    Ok(claimed)
}

/// The names of all series of the project, sorted.
pub fn names(project: &Project) -> Result<Vec<String>> {
    let dir: PathBuf = project.root.join("series");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&dir).with_context(|| format!("list {}", dir.display()))? {
        let entry = entry.with_context(|| format!("list {}", dir.display()))?;
        if entry.path().join("series.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

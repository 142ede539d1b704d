// SPDX-License-Identifier: GPL-2.0
//! A rebase that waits for a conflict to be fixed: where it stands, and the branch to fix it on.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::write;
use crate::base::Base;
use crate::files;
use crate::git::Repo;
use crate::git::branches::{Move, Put, To};
use crate::git::lines::first_marker;
use crate::git::refs;
use crate::git::render::diff_text;
use crate::project::Project;
use crate::sealed;
use crate::series::apply;
use crate::series::onto::OntoPatch;

/// A rebase that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The base, or the ref, it goes to, as it was given.
    pub onto: String,
    /// The clone, where one was given.
    pub tree: Option<PathBuf>,
    /// The repository with the branch.
    pub git_dir: PathBuf,
    /// The commit of the base at that time.
    pub base_commit: String,
    /// The patch in conflict.
    pub patch: String,
    /// The commit before it.
    pub parent: String,
    /// Its commit with conflict markers.
    pub conflict: String,
    /// The tree its edits are made to.
    pub spatched: String,
    /// The edits that were merged by hand so far, by patch.
    pub forms: BTreeMap<String, String>,
    /// The folder of the series at that time, as a key over its files.
    pub series: String,
}

/// The branch to fix a conflict on.
pub fn branch(name: &str) -> String {
    format!("{}-conflict", apply::branch(name))
}

fn file_name(name: &str) -> String {
    format!("{name}.rebase")
}

fn file(project: &Project, name: &str) -> PathBuf {
    write::folder(project).join(file_name(name))
}

/// The rebase of `name` that waits, if any; an error where another project, or another machine, left it.
pub fn load(project: &Project, name: &str) -> Result<Option<Pending>> {
    let path = file(project, name);
    let Some(text) = sealed::read(project, &file_name(name), &path)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).with_context(|| format!("read {}", path.display()))
}

/// Forgets the rebase of `name` that waits, if any.
pub fn forget(project: &Project, name: &str) -> Result<()> {
    files::remove_file(&file(project, name))
}

/// Stops at a conflict: keeps where the rebase stands, and sets the branch to fix it on. `read` is the fix of the conflict
/// before, where there was one.
pub fn stop(project: &Project, name: &str, pending: &Pending, read: Option<&str>) -> Result<()> {
    let text = serde_json::to_vec_pretty(pending).context("serialise the rebase")?;
    let repo = Repo::open(&pending.git_dir)?;
    let from = refuse_to_move(project, &repo, name, To::Commit(&pending.conflict))?;
    refuse_unread(name, from.as_deref(), read)?;
    let _lock = write::lock(project)?;
    sealed::refuse_link(project)?;
    let head = format!("refs/heads/{}", branch(name));
    repo.refuse_blocked(&[&head])?;
    let (path, why) = (file(project, name), format!("txgen rebase {name}: conflict"));
    let before = sealed::read(project, &file_name(name), &path)?;
    files::write_atomic(&path, &sealed::seal(project, &file_name(name), &text)?)?;
    let set = repo.move_refs_from(&[refs::Move { name: head, from, to: Some(pending.conflict.clone()) }], &why);
    let Err(error) = set else { return Ok(()) };
    match before {
        Some(before) => files::write_atomic(&path, &sealed::seal(project, &file_name(name), before.as_bytes())?)?,
        None => files::remove_file(&path)?,
    }
    Err(error.context("the rebase is as it was, run it again"))
}

/// Refuses to go on where the branch with the fix is not where it was when the fix was read.
pub fn refuse_unread(name: &str, head: Option<&str>, read: Option<&str>) -> Result<()> {
    if read.is_some() && head != read {
        bail!("branch {} was moved meanwhile: nothing was written, run it again", branch(name));
    }
    Ok(())
}

/// Where the rebase stands after the conflict of `patch`.
pub fn at(patch: &OntoPatch, onto: &Base) -> Result<(String, String, String)> {
    let conflict = patch.commit.clone().with_context(|| format!("{}: no commit in {}", patch.name, onto.name))?;
    Ok((patch.parent.clone(), conflict, patch.carried.spatched.clone()))
}

/// Takes the fixed conflict from the branch into `pending.forms`; the commit that it was read from.
pub fn take_fix(name: &str, pending: &mut Pending, is_overlay: impl Fn(&str) -> bool) -> Result<String> {
    let repo = Repo::open(&pending.git_dir)?;
    let branch = branch(name);
    let Some(tip) = repo.read_ref(&format!("refs/heads/{branch}"))? else {
        bail!("branch {branch} is gone: `txgen rebase {name} --abort`, and begin again");
    };
    if !repo.descends(&tip.commit, &pending.parent)? {
        bail!(
            "branch {branch} was moved to {}, which does not stand on {}: set it back (`git branch -f {branch} {}`) \
             and fix the conflict there",
            &tip.commit[..12],
            &pending.parent[..12],
            &pending.conflict[..12]
        );
    }
    let edits = super::edits_between(&repo, &pending.spatched, &tip.tree, &is_overlay)?;
    for (path, edit) in &edits {
        let marker = edit.after.as_ref().and_then(|blob| first_marker(&blob.bytes));
        if let Some(line) = marker {
            bail!("{path}:{line} still has a conflict marker: fix it on branch {branch} and commit");
        }
    }
    if tip.commit == pending.conflict {
        bail!("branch {branch} is as txgen left it: fix the conflict there and commit");
    }
    let conflict = repo.resolve(&pending.conflict)?;
    let touched = repo.changed_paths(&conflict.tree, &tip.tree)?;
    if let Some(path) = touched.iter().find(|path| is_overlay(path)) {
        bail!("{path} was changed on branch {branch}: change kernel-overlay/{path} itself");
    }
    pending.forms.insert(pending.patch.clone(), diff_text(&edits)?);
    Ok(tip.commit)
}

/// Drops the rebase that waits, and its branch.
pub fn abort(project: &Project, name: &str) -> Result<()> {
    let Some(pending) = load(project, name)? else { bail!("no rebase of {name} is under way") };
    if !pending.git_dir.exists() {
        let (gone, branch) = (pending.git_dir.display(), branch(name));
        crate::output::eprintln!(
            "{gone} is gone: the rebase is forgotten; branch {branch} stays there, if it comes back"
        );
        return forget(project, name);
    }
    let repo = Repo::open(&pending.git_dir)?;
    let from = refuse_to_move(project, &repo, name, To::Elsewhere)?;
    if from.is_some() {
        let away = refs::Move { name: format!("refs/heads/{}", branch(name)), from, to: None };
        repo.move_refs_from(&[away], &format!("txgen rebase {name} --abort"))?;
    }
    forget(project, name)
}

/// Refuses to set, or delete, the branch to fix a conflict on where a work tree uses it, or where it is none of the rebase
/// that waits; where it is, otherwise.
pub fn refuse_to_move(project: &Project, repo: &Repo, name: &str, to: To<'_>) -> Result<Option<String>> {
    let branch = branch(name);
    let head = repo.read_ref(&format!("refs/heads/{branch}"))?.map(|found| found.commit);
    let is_fix = match (load(project, name)?, &head) {
        (Some(pending), Some(head)) => repo.descends(head, &pending.parent)?,
        _ => false,
    };
    let advice = format!("it is no branch of this rebase. Rename it (`git branch -m {branch} NEW`), and try again");
    let put = if is_fix { Put::Anywhere } else { Put::At(None, &advice) };
    repo.refuse_to_move(&Move { branch: &branch, to, put, doing: "this" })
}

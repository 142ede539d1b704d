// SPDX-License-Identifier: GPL-2.0
//! A changed series written: the folder of the series changes places with the new one in one step, then the refs.
//!
//! A journal says what is left to do after that step. Whoever comes next finishes it (see recover.rs), so that a change
//! that was killed shows as not begun or as done. Nothing is written onto files or refs that are not as they were read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use serde::{Deserialize, Serialize};

use super::place::{self, Before};
use super::recover;
use super::undo::{self, Old};
use crate::files;
use crate::git::refs::Move;
use crate::git::{Blob, Mode, Repo};
use crate::lock::{self, Lock, changed_meanwhile};
use crate::project::Project;
use crate::proof;
use crate::sealed;
use crate::series::apply;

/// What is left to do once the folder of the series is the new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// The folder of the series as it is to be, as a key over its files.
    pub series: String,
    /// The text of series/bases.toml, where it changes.
    pub bases: Option<String>,
    /// The files of kernel-overlay/ that change, `None` where they go away.
    #[serde(default)]
    pub overlay: BTreeMap<String, Option<OverlayFile>>,
    /// The repository whose refs move.
    pub git_dir: PathBuf,
    /// Where each ref is to point; deleted where there is nothing.
    pub refs: Vec<(String, Option<String>)>,
    /// What the reflogs say.
    pub why: String,
}

/// A file of kernel-overlay/.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverlayFile {
    /// Whether it is executable.
    pub executable: bool,
    /// What it holds.
    pub text: String,
}

impl TryFrom<&Blob> for OverlayFile {
    type Error = anyhow::Error;

    fn try_from(blob: &Blob) -> Result<Self> {
        let text = String::from_utf8(blob.bytes.clone()).context("a new file is no UTF-8")?;
        Ok(Self { executable: blob.mode == Mode::Executable, text })
    }
}

impl From<&OverlayFile> for Blob {
    fn from(file: &OverlayFile) -> Self {
        let mode = if file.executable { Mode::Executable } else { Mode::Plain };
        Self { mode, bytes: file.text.clone().into_bytes() }
    }
}

/// A change that was begun: what is left of it, and what it is made to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    /// What is left to do.
    pub(super) journal: Journal,
    /// The folder of the series as it was, as a key over its files; `None` where there was none.
    pub(super) series: Option<String>,
    /// Where each ref of the journal pointed.
    pub(super) refs: Vec<Option<String>>,
    /// The files that change beside the series, as they were.
    pub(super) before: Before,
}

/// .txgen/, for what is under way.
pub fn folder(project: &Project) -> PathBuf {
    sealed::folder(project)
}

pub(super) fn journal_name(name: &str) -> String {
    format!("{name}.journal")
}

pub(super) fn journal_file(project: &Project, name: &str) -> PathBuf {
    folder(project).join(journal_name(name))
}

pub(super) fn next_folder(project: &Project, name: &str) -> PathBuf {
    folder(project).join(format!("{name}.next"))
}

/// Only one txgen changes a project at a time: a lock, which goes with the value.
pub fn lock(project: &Project) -> Result<Lock> {
    lock::take(project)
}

/// Begins a change of series `name`, before anything is read: takes the lock, finishes what was killed, and remembers what
/// is there, so that [`write`] writes onto nothing else.
pub fn begin(project: &Project, name: &str) -> Result<Lock> {
    let lock = hold(project, name)?;
    lock.look(project)?;
    Ok(lock)
}

/// The same for a change of refs alone, which [`write`] has no part in.
pub fn hold(project: &Project, name: &str) -> Result<Lock> {
    let lock = lock::take(project)?;
    sealed::refuse_link(project)?;
    for trouble in recover::under_lock(project)? {
        if trouble.series == name {
            return Err(trouble.error);
        }
    }
    Ok(lock)
}

/// Where refs were when it was decided that they may be moved, by their full names; `None` where there was none.
pub type Seen = BTreeMap<String, Option<String>>;

/// Changes the files of series/`name`/, `None` where they go away, and does what `journal` says; all or nothing.
pub fn write(
    project: &Project,
    name: &str,
    changes: &BTreeMap<String, Option<String>>,
    journal: Journal,
) -> Result<()> {
    write_from(project, name, changes, journal, &Seen::new())
}

/// Does what [`write`] does where the refs of `seen` are still where they were.
pub fn write_from(
    project: &Project,
    name: &str,
    changes: &BTreeMap<String, Option<String>>,
    journal: Journal,
    seen: &Seen,
) -> Result<()> {
    let lock = lock::take(project)?;
    sealed::refuse_link(project)?;
    if fs::symlink_metadata(journal_file(project, name)).is_ok() {
        bail!("what was begun with series {name} is not finished: .txgen/{}", journal_name(name));
    }
    let old = Old::look(project, &journal)?;
    let prepared = prepare(project, name, changes, journal, (&lock, seen));
    let begun = match prepared {
        Ok(begun) => begun,
        Err(error) => {
            files::remove_dir(&next_folder(project, name))?;
            return Err(error);
        }
    };
    let text = serde_json::to_vec_pretty(&begun).context("serialise the journal")?;
    files::write_atomic(&journal_file(project, name), &sealed::seal(project, &journal_name(name), &text)?)?;
    exchange(project, name, &begun)?;
    lock.forget();
    undo::place_or_take_back(project, name, &begun, &old)?;
    place::end(project, name, &begun)
}

/// Makes the folder of the series as it is to be, beside it; an error where something is not as it was read.
fn prepare(
    project: &Project,
    name: &str,
    changes: &BTreeMap<String, Option<String>>,
    mut journal: Journal,
    (lock, seen): (&Lock, &Seen),
) -> Result<Begun> {
    let series = copy(project, name)?;
    let before = Before::look(project, &journal)?;
    lock.refuse_changed(project)?;
    journal.series = change(&next_folder(project, name), changes)?;
    let refs = refs_before(&journal, seen)?;
    let begun = Begun { journal, series, refs, before };
    check(name, &begun)?;
    Ok(begun)
}

/// Copies the folder of a series to where the next one is made; a key over what was copied, `None` where there is none.
fn copy(project: &Project, name: &str) -> Result<Option<String>> {
    let (series, next) = (project.series(name), next_folder(project, name));
    files::remove_dir(&next)?;
    files::make_dir(&next)?;
    if !series.is_dir() {
        return Ok(None);
    }
    files::copy_folder(&series, &next)?;
    key(&next).map(Some)
}

/// Changes the files of a folder; the key over them then.
fn change(dir: &Path, changes: &BTreeMap<String, Option<String>>) -> Result<String> {
    for (file, text) in changes {
        let path = dir.join(file);
        match text {
            Some(text) => files::write_atomic(&path, text.as_bytes())?,
            None => files::remove_file(&path)?,
        }
    }
    remove_empty(dir)?;
    key(dir)
}

/// Lets the old folder and the new one change places; back again where the old one is not what was copied.
fn exchange(project: &Project, name: &str, begun: &Begun) -> Result<()> {
    let flags = if begun.series.is_some() { RenameFlags::RENAME_EXCHANGE } else { RenameFlags::RENAME_NOREPLACE };
    if let Err(error) = swap(project, name, flags) {
        forget(project, name)?;
        return Err(error);
    }
    if let Some(was) = &begun.series
        && key(&next_folder(project, name))? != *was
    {
        swap(project, name, flags)?;
        forget(project, name)?;
        return Err(changed_meanwhile(&Path::new("series").join(name)));
    }
    Ok(())
}

/// Lets the folder of a series and the one beside it change places.
pub(super) fn swap(project: &Project, name: &str, flags: RenameFlags) -> Result<()> {
    let (series, next) = (project.series(name), next_folder(project, name));
    renameat2(AT_FDCWD, &next, AT_FDCWD, &series, flags)
        .with_context(|| format!("let {} and {} change places", next.display(), series.display()))
}

/// Where the refs of a journal point; an error where they can not be set, or are not where they were seen.
fn refs_before(journal: &Journal, seen: &Seen) -> Result<Vec<Option<String>>> {
    if journal.refs.is_empty() {
        return Ok(Vec::new());
    }
    let repo = Repo::open(&journal.git_dir)?;
    repo.refuse_blocked(&journal.refs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>())?;
    // Whether a branch may be moved was decided before (git/branches.rs), for the place where it was then.
    let before = |name: &String| {
        let now = repo.target(name)?;
        if seen.get(name).is_some_and(|seen| *seen != now) {
            bail!("{name} was moved meanwhile: nothing was written, run it again");
        }
        Ok(now)
    };
    journal.refs.iter().map(|(name, _)| before(name)).collect()
}

/// Refuses paths, and refs, that are none of the series'.
pub(super) fn check(name: &str, begun: &Begun) -> Result<()> {
    for path in begun.journal.overlay.keys().chain(begun.before.overlay.keys()) {
        crate::series::path::check(path).map_err(|what| anyhow::anyhow!("path {path:?} {what}"))?;
    }
    let branch = format!("refs/heads/{}", apply::branch(name));
    let conflict = format!("{branch}-conflict");
    let own = [branch, conflict, apply::own_ref(name), apply::read_ref(name), apply::folded_ref(name)];
    for (target, _) in &begun.journal.refs {
        let version = target.strip_prefix(&format!("refs/tags/sent/{name}-v"));
        let is_tag = version.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c)));
        if !is_tag && !own.contains(target) {
            bail!("{target} is no ref of series {name}");
        }
    }
    if begun.refs.len() != begun.journal.refs.len() || !begun.journal.git_dir.is_absolute() {
        bail!("it is not whole");
    }
    Ok(())
}

/// The refs of a change, and where they point before it.
pub(super) fn moves(begun: &Begun) -> Vec<Move> {
    let refs = begun.journal.refs.iter().zip(&begun.refs);
    refs.map(|((name, to), from)| Move { name: name.clone(), from: from.clone(), to: to.clone() }).collect()
}

/// Forgets a change that is done, or not begun: the journal first, which alone says that the folder beside it counts.
pub(super) fn forget(project: &Project, name: &str) -> Result<()> {
    files::remove_file(&journal_file(project, name))?;
    files::remove_dir(&next_folder(project, name))
}

fn remove_empty(dir: &Path) -> Result<()> {
    let bases = dir.join("bases");
    if !bases.is_dir() {
        return Ok(());
    }
    for folder in fs::read_dir(&bases).with_context(|| format!("list {}", bases.display()))? {
        let folder = folder.with_context(|| format!("list {}", bases.display()))?.path();
        if folder.is_dir() && files::below(&folder)?.is_empty() {
            files::remove_dir(&folder)?;
        }
    }
    if files::below(&bases)?.is_empty() { files::remove_dir(&bases) } else { Ok(()) }
}

/// A key over every file of a folder.
pub fn key(dir: &Path) -> Result<String> {
    let mut parts = Vec::new();
    for file in files::below(dir)? {
        parts.push(file.as_os_str().as_encoded_bytes().to_owned());
        parts.push(files::content(&dir.join(&file))?);
    }
    Ok(proof::key(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>()))
}

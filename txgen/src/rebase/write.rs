// SPDX-License-Identifier: GPL-2.0
//! A changed series written: the folder of the series changes places with the new one in one step, then the refs.
//!
//! A journal says what is left to do after that step. Whoever comes next finishes it, so that a change that was killed
//! shows as not begun or as done.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use serde::{Deserialize, Serialize};

use crate::files;
use crate::git::{Blob, Mode, Repo};
use crate::project::Project;
use crate::proof;
use crate::series::overlay_files;

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

/// .txgen/, for what is under way.
pub fn folder(project: &Project) -> PathBuf {
    project.root.join(".txgen")
}

fn journal_file(project: &Project, name: &str) -> PathBuf {
    folder(project).join(format!("{name}.journal"))
}

fn next_folder(project: &Project, name: &str) -> PathBuf {
    folder(project).join(format!("{name}.next"))
}

/// Only one txgen changes the series of a project at a time: a lock on series/, which goes with the value and is `None` while
/// another has it.
pub fn lock(project: &Project) -> Result<Option<fs::File>> {
    let path = project.root.join("series");
    let file = fs::File::open(&path).with_context(|| format!("open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(e)) => Err(e).with_context(|| format!("lock {}", path.display())),
    }
}

/// Changes the files of series/`name`/, `None` where they go away, and does what `journal` says; all or nothing.
pub fn write(
    project: &Project,
    name: &str,
    changes: &BTreeMap<String, Option<String>>,
    mut journal: Journal,
) -> Result<()> {
    let Some(_lock) = lock(project)? else { bail!("another txgen writes to this project: try again") };
    let (series, next) = (project.series(name), next_folder(project, name));
    files::remove_dir(&next)?;
    if series.is_dir() {
        files::copy_folder(&series, &next)?;
    }
    files::make_dir(&next)?;
    for (file, text) in changes {
        let path = next.join(file);
        match text {
            Some(text) => files::write_atomic(&path, text.as_bytes())?,
            None => files::remove_file(&path)?,
        }
    }
    remove_empty(&next)?;
    journal.series = key(&next)?;
    let text = serde_json::to_vec_pretty(&journal).context("serialise the journal")?;
    files::write_atomic(&journal_file(project, name), &text)?;
    let flags = if series.is_dir() { RenameFlags::RENAME_EXCHANGE } else { RenameFlags::RENAME_NOREPLACE };
    renameat2(AT_FDCWD, &next, AT_FDCWD, &series, flags)
        .with_context(|| format!("let {} and {} change places", next.display(), series.display()))?;
    finish(project, name, &journal)
}

/// Finishes, or takes back, what a change that was killed left.
pub fn recover(project: &Project) -> Result<()> {
    if leftovers(project)?.is_empty() {
        return Ok(());
    }
    // Whoever holds the lock is not dead.
    let Some(_lock) = lock(project)? else { return Ok(()) };
    let found = leftovers(project)?;
    for name in found.iter().filter_map(|file| file.strip_suffix(".journal")) {
        let path = journal_file(project, name);
        let journal = serde_json::from_str::<Journal>(&files::read(&path)?)
            .with_context(|| format!("read {}", path.display()))?;
        if key(&project.series(name))? == journal.series {
            remove_staged(project, &journal)?;
            unlock(&journal)
                .and_then(|()| finish(project, name, &journal))
                .with_context(|| format!("finish what was begun with series {name} and stopped"))?;
        }
    }
    for file in leftovers(project)? {
        let path = folder(project).join(file);
        if path.is_dir() { files::remove_dir(&path)? } else { files::remove_file(&path)? }
    }
    Ok(())
}

/// What is in .txgen/ beside the rebases that wait and the series that are being sent.
fn leftovers(project: &Project) -> Result<Vec<String>> {
    let dir = folder(project);
    let mut found = Vec::new();
    if !dir.is_dir() {
        return Ok(found);
    }
    for entry in fs::read_dir(&dir).with_context(|| format!("list {}", dir.display()))? {
        let file = entry.with_context(|| format!("list {}", dir.display()))?.file_name();
        found.push(file.to_string_lossy().into_owned());
    }
    found.retain(|file| !file.ends_with(".rebase") && !file.ends_with(".send"));
    Ok(found)
}

/// What was to become a file when it was killed.
fn remove_staged(project: &Project, journal: &Journal) -> Result<()> {
    let overlay = journal.overlay.keys().filter_map(|path| Some(project.overlay().join(path).parent()?.to_owned()));
    let bases = project.bases_file().parent().map(Path::to_owned);
    let folders = overlay.chain(bases).collect::<BTreeSet<_>>();
    folders.iter().try_for_each(|folder| files::remove_staged(folder))
}

/// What the git that was killed with it left on the refs that are to be set.
fn unlock(journal: &Journal) -> Result<()> {
    if journal.refs.is_empty() {
        return Ok(());
    }
    let names = journal.refs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    Repo::open(&journal.git_dir)?.remove_stale_locks(&names)
}

fn finish(project: &Project, name: &str, journal: &Journal) -> Result<()> {
    if let Some(text) = &journal.bases {
        files::write_atomic(&project.bases_file(), text.as_bytes())?;
    }
    for (path, file) in &journal.overlay {
        overlay_files::place(&project.overlay(), path, file.as_ref().map(Blob::from).as_ref(), files::write_atomic)?;
    }
    if journal.refs.is_empty() {
        return clean(project, name);
    }
    let repo = Repo::open(&journal.git_dir)?;
    let moves = journal.refs.iter().map(|(name, to)| (name.as_str(), to.as_deref())).collect::<Vec<_>>();
    repo.move_refs(&moves, &journal.why)?;
    super::pending::forget(project, name)?;
    clean(project, name)
}

fn clean(project: &Project, name: &str) -> Result<()> {
    files::remove_dir(&next_folder(project, name))?;
    files::remove_file(&journal_file(project, name))
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
        parts.push(file.to_string_lossy().into_owned().into_bytes());
        parts.push(files::content(&dir.join(&file))?);
    }
    Ok(proof::key(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>()))
}

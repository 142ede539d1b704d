// SPDX-License-Identifier: GPL-2.0
//! Semantic patches: run by spatch on some paths of a tree, checked for what they missed, and kept.
//!
//! spatch skips what it can not parse and says nothing. So a run is only taken where a second one on its output
//! finds nothing more, and where none of the identifiers that were to go is left.
//!
//! A semantic patch comes with a series, which may be somebody else's: code in it is only run if the user allowed that very
//! text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

use crate::files;
use crate::git::{Blob, Changes, Mode, Repo};
use crate::progress::Progress;
use crate::project::Project;
use crate::proof;
use crate::series::Cocci;
use residue::residue;
use spatch::spatch;

pub mod allowed;
pub mod code;
mod residue;
pub mod spatch;
mod words;

pub use residue::residue_pattern;

/// What a semantic patch came to: the changes, or why they can not be taken.
pub type Outcome = std::result::Result<Changes, String>;

/// Runs `cocci` on its paths of `tree`; the result is kept, so that the same run is instant the next time.
pub fn run(project: &Project, repo: &Repo, tree: &str, cocci: &Cocci) -> Result<Outcome> {
    let script = &cocci.script;
    code::refuse_other_files(&script.file, &script.text)?;
    let macros = macros(project)?;
    let version = spatch_version()?;
    let macro_text = macros.as_deref().unwrap_or_default();
    let mut parts = vec![script.text.as_bytes(), macro_text.as_bytes(), version.as_bytes()];
    let mut ids = Vec::new();
    for path in &cocci.paths {
        let Some(id) = repo.id_of(tree, path)? else {
            return Ok(Err(format!("it is to run on {path}, which the tree does not have")));
        };
        ids.push(format!("{path} {id}"));
    }
    parts.extend(ids.iter().map(String::as_bytes));
    parts.extend(cocci.residue.iter().map(|pattern| pattern.as_str().as_bytes()));
    let key = proof::key(&parts);
    if let Some(known) = proof::load::<BTreeMap<String, String>>(project, "cocci", &key)? {
        return Ok(Ok(with_modes(repo, tree, known)?));
    }
    allowed::refuse_code(project, &script.file, &script.text)?;
    match transform(repo, tree, cocci, macros.as_deref())? {
        Ok(changed) => {
            proof::store(project, "cocci", &key, &changed)?;
            Ok(Ok(with_modes(repo, tree, changed)?))
        }
        Err(what) => Ok(Err(what)),
    }
}

/// series/macros.h: macros that spatch would otherwise stumble over.
fn macros(project: &Project) -> Result<Option<String>> {
    project.text_if_there(Path::new("series/macros.h"))
}

/// The first line of `spatch --version`, asked once: it takes longer than all the rest of a warm run.
fn spatch_version() -> Result<&'static str> {
    static VERSION: OnceLock<String> = OnceLock::new();
    if let Some(version) = VERSION.get() {
        return Ok(version);
    }
    let text = spatch::version()?;
    Ok(VERSION.get_or_init(|| text.lines().next().unwrap_or_default().to_owned()))
}

fn with_modes(repo: &Repo, tree: &str, changed: BTreeMap<String, String>) -> Result<Changes> {
    let mut changes = Changes::new();
    for (path, text) in changed {
        let mode = repo.file(tree, &path)?.map_or(Mode::Plain, |blob| blob.mode);
        changes.insert(path, Some(Blob { mode, bytes: text.into_bytes() }));
    }
    Ok(changes)
}

fn transform(
    repo: &Repo,
    tree: &str,
    cocci: &Cocci,
    macros: Option<&str>,
) -> Result<std::result::Result<BTreeMap<String, String>, String>> {
    let name = cocci.script.file.display().to_string();
    let progress = Progress::start(&format!("run {name}"), 0);
    let dir = tempfile::Builder::new().prefix("txgen-cocci-").tempdir().context("make a temporary folder")?;
    let mut sources = BTreeMap::new();
    for path in &cocci.paths {
        let found = repo.files_below(tree, path)?;
        sources.extend(found.into_iter().filter(|(p, b)| is_source(p) && b.mode != Mode::Link));
    }
    if let Some(path) = sources.keys().find(|path| !is_harmless(path)) {
        bail!("{name} is to run on {path:?}: spatch gives names of files to a shell, and that one is no plain name");
    }
    let tree = dir.path().join("tree");
    write_all(&tree, sources.iter().map(|(path, blob)| (path, blob.bytes.as_slice())))?;
    let script = Path::new("..").join(cocci.script.file.file_name().context("a script has a name")?);
    fs::write(tree.join(&script), &cocci.script.text).context("write a temporary file")?;
    let macros = macros.map(|text| write_macros(&tree, text)).transpose()?;
    let macros = macros.as_deref();
    spatch(&script, macros, &tree).with_context(|| name.clone())?;
    let changed = changed_files(&tree, &sources)?;
    progress.done(&format!("{} of {} files changed", changed.len(), sources.len()));
    if changed.is_empty() {
        return Ok(Err("it matches nothing".to_owned()));
    }
    if let Some(what) = leftover(&script, macros, &dir.path().join("again"), &changed)? {
        return Ok(Err(what));
    }
    Ok(residue(cocci, &sources, &changed).map_or(Ok(changed), Err))
}

/// Writes the macros beside the folder `tree`, in which spatch runs: it reads the text that the result is kept under.
fn write_macros(tree: &Path, text: &str) -> Result<PathBuf> {
    let file = PathBuf::from("../macros.h");
    fs::write(tree.join(&file), text).context("write a temporary file")?;
    Ok(file)
}

/// Whether a shell takes a path for nothing but a path: `spatch --in-place` copies its results with one.
fn is_harmless(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._/+,@=-".contains(&byte);
    path.bytes().all(is_plain) && path.split('/').all(|part| !part.is_empty() && !part.starts_with('-') && part != "..")
}

fn is_source(path: &str) -> bool {
    path.ends_with(".c") || path.ends_with(".h")
}

fn write_all<'a>(dir: &Path, sources: impl Iterator<Item = (&'a String, &'a [u8])>) -> Result<()> {
    let mut made = BTreeSet::new();
    for (path, bytes) in sources {
        let to = dir.join(path);
        let parent = to.parent().context("a file has a folder")?.to_owned();
        if !made.contains(&parent) {
            files::make_dir(&parent)?;
            made.insert(parent);
        }
        fs::write(&to, bytes).with_context(|| format!("write {}", to.display()))?;
    }
    Ok(())
}

fn changed_files(dir: &Path, before: &BTreeMap<String, Blob>) -> Result<BTreeMap<String, String>> {
    let mut changed = BTreeMap::new();
    for (path, blob) in before {
        let now = fs::read(dir.join(path)).with_context(|| format!("read {path} after spatch"))?;
        if now != blob.bytes {
            changed.insert(path.clone(), String::from_utf8(now).with_context(|| format!("{path} after spatch"))?);
        }
    }
    Ok(changed)
}

/// Runs the script again on what it changed: it must find nothing more.
fn leftover(
    script: &Path,
    macros: Option<&Path>,
    dir: &Path,
    changed: &BTreeMap<String, String>,
) -> Result<Option<String>> {
    write_all(dir, changed.iter().map(|(path, text)| (path, text.as_bytes())))?;
    spatch(script, macros, dir)?;
    for (path, text) in changed {
        let again = fs::read_to_string(dir.join(path)).with_context(|| format!("read {path} after spatch"))?;
        if again != *text {
            let line = text.lines().zip(again.lines()).take_while(|(a, b)| a == b).count() + 1;
            return Ok(Some(format!("a second run changes {path}:{line} again: it does not come to an end")));
        }
    }
    Ok(None)
}

// SPDX-License-Identifier: GPL-2.0
//! Files written whole or not at all.

use std::fs::{self, Permissions};
use std::io::{ErrorKind, Write};
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use tempfile::NamedTempFile;

/// Reads a text file; the error names it.
pub fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}

/// Reads a text file that may hold bytes that are no UTF-8, as logs do: those are replaced.
pub fn read_lossy(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Makes a folder and its parents; the error names it.
pub fn make_dir(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("make folder {}", path.display()))
}

/// Removes a file, where there is one.
pub fn remove_file(path: &Path) -> Result<()> {
    removed(fs::remove_file(path), path)
}

/// Removes a folder with all in it, where there is one.
pub fn remove_dir(path: &Path) -> Result<()> {
    removed(fs::remove_dir_all(path), path)
}

fn removed(result: std::io::Result<()>, path: &Path) -> Result<()> {
    match result {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        result => result.with_context(|| format!("remove {}", path.display())),
    }
}

/// Writes `bytes` beside `path`, syncs, and renames over it: a reader sees the old or the new file.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    write_all_atomic(&[(path, bytes)])
}

/// Writes several files as [`write_atomic`] does; none is renamed before all are on disk.
pub fn write_all_atomic(files: &[(&Path, &[u8])]) -> Result<()> {
    let mut staged = Vec::new();
    for (path, bytes) in files {
        let dir = path.parent().with_context(|| format!("{} has no parent folder", path.display()))?;
        make_dir(dir)?;
        staged.push(stage(dir, bytes).with_context(|| format!("write {}", path.display()))?);
    }
    for (file, (path, _)) in staged.into_iter().zip(files) {
        file.persist(path).map_err(|e| e.error).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

/// A temporary file that others may read as the umask says, like one made the plain way.
fn stage(dir: &Path, bytes: &[u8]) -> std::io::Result<NamedTempFile> {
    let mut file =
        tempfile::Builder::new().prefix(".txgen-").permissions(Permissions::from_mode(0o666)).tempfile_in(dir)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// An error at `span` (bytes) of `text`, told as `path:line:column: what`.
pub fn at(path: &Path, text: &str, span: Option<Range<usize>>, what: &str) -> anyhow::Error {
    let what = what.trim_end();
    let Some(span) = span else { return anyhow!("{}: {what}", path.display()) };
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    anyhow!("{}:{line}:{column}: {what}", path.display())
}

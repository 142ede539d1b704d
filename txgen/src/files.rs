// SPDX-License-Identifier: GPL-2.0
//! Files written whole or not at all.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use tempfile::NamedTempFile;

use crate::process;

pub mod plain;

/// Reads a text file; the error names it.
pub fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}

/// Reads a text file that may hold bytes that are no UTF-8, as logs do: those are replaced.
pub fn read_lossy(path: &Path) -> Result<String> {
    read_at_most(path, u64::MAX)
}

/// The first `most` bytes of a text file as [`read_lossy`] reads it.
pub fn read_at_most(path: &Path, most: u64) -> Result<String> {
    read_from(path, 0, most)
}

/// At most `most` bytes of a text file that begin at `start`, as [`read_lossy`] reads it.
pub fn read_from(path: &Path, start: u64, most: u64) -> Result<String> {
    let bytes = bytes_from(path, start, most)?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// At most `most` bytes of a file that begin at `start`.
pub fn bytes_from(path: &Path, start: u64, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut read = || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(start))?;
        file.take(most).read_to_end(&mut bytes)
    };
    read().with_context(|| format!("read {}", path.display()))?;
    Ok(bytes)
}

/// The last `count` lines of a text file, as far as they are in its last 256 KiB.
pub fn last_lines(path: &Path, count: usize) -> Result<String> {
    let size = fs::metadata(path).with_context(|| format!("read {}", path.display()))?.len();
    let text = read_from(path, size.saturating_sub(256 << 10), 256 << 10)?;
    Ok(process::last_lines(&text, count))
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

/// Writes a file as [`write_atomic`] does where it holds `old`; an error, and the file as it is, where it does not.
pub fn replace(path: &Path, old: &[u8], new: &[u8]) -> Result<()> {
    let dir = path.parent().with_context(|| format!("{} has no parent folder", path.display()))?;
    let writing = || format!("write {}", path.display());
    let file = stage(dir, new).with_context(writing)?;
    let swap = || renameat2(AT_FDCWD, file.path(), AT_FDCWD, path, RenameFlags::RENAME_EXCHANGE).with_context(writing);
    swap()?;
    // What was there is in the temporary file now, and goes with it.
    if fs::read(file.path()).with_context(writing)? != old {
        swap()?;
        bail!("{} changed on disk meanwhile: nothing was written, run it again", path.display());
    }
    Ok(())
}

/// Writes a file, and the folders it is in, of a folder of one's own that goes away: it need not outlast a crash.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    make_dir(path.parent().with_context(|| format!("{} has no parent folder", path.display()))?)?;
    fs::write(path, bytes).with_context(|| format!("write {}", path.display()))
}

/// How the names of files begin that are to be renamed.
const STAGED: &str = ".txgen-";

/// Whether a file has the name of one that is to be renamed.
pub fn is_staged(name: &str) -> bool {
    name.starts_with(STAGED)
}

/// Removes from `dir` what a [`write_atomic`] or a [`replace`] that was killed left there, where `is_ours` of its bytes;
/// what else has such a name, as the file that was swapped out. Nobody else may write to the folder meanwhile.
pub fn remove_staged(dir: &Path, is_ours: impl Fn(&[u8]) -> bool) -> Result<Vec<PathBuf>> {
    let mut kept = Vec::new();
    if !dir.is_dir() {
        return Ok(kept);
    }
    let list = || format!("list {}", dir.display());
    for entry in fs::read_dir(dir).with_context(list)? {
        let entry = entry.with_context(list)?;
        if !entry.file_name().as_encoded_bytes().starts_with(STAGED.as_bytes()) {
            continue;
        }
        let path = entry.path();
        let is_file = entry.file_type().with_context(list)?.is_file();
        if is_file && is_ours(&content(&path)?) { remove_file(&path)? } else { kept.push(path) }
    }
    kept.sort();
    Ok(kept)
}

/// A temporary file that others may read as the umask says, like one made the plain way.
fn stage(dir: &Path, bytes: &[u8]) -> std::io::Result<NamedTempFile> {
    let mut file =
        tempfile::Builder::new().prefix(STAGED).permissions(Permissions::from_mode(0o666)).tempfile_in(dir)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Copies a folder with all in it to one that is not there yet, or is empty. A symbolic link stays one: an editor's lock
/// points nowhere.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    make_dir(to)?;
    for file in below(from)? {
        let (source, target) = (from.join(&file), to.join(&file));
        make_dir(target.parent().context("a file has a folder")?)?;
        let copying = || format!("copy {}", source.display());
        let kind = fs::symlink_metadata(&source).with_context(copying)?.file_type();
        if kind.is_symlink() {
            symlink(fs::read_link(&source).with_context(copying)?, &target).with_context(copying)?;
        } else if kind.is_file() {
            fs::copy(&source, &target).with_context(copying)?;
        } else {
            bail!("{} is {}: take it away, it can not be copied", source.display(), plain::kind(kind));
        }
    }
    Ok(())
}

/// The bytes of a file, or the path that a link holds: nothing is followed.
pub fn content(path: &Path) -> Result<Vec<u8>> {
    let reading = || format!("read {}", path.display());
    match fs::symlink_metadata(path).with_context(reading)?.file_type() {
        kind if kind.is_symlink() => Ok(fs::read_link(path).with_context(reading)?.into_os_string().into_vec()),
        kind if kind.is_file() => fs::read(path).with_context(reading),
        kind => bail!("{} is {}: take it away, it can not be read", path.display(), plain::kind(kind)),
    }
}

/// Whether a file is what an editor, a merge or a txgen that was killed leaves beside the file that is meant.
pub fn is_editors(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let ends = [&b"~"[..], b".orig", b".rej", b".swp", b".swo", b".swx"];
    let is_between = name.len() > 1 && name.starts_with(b"#") && name.ends_with(b"#");
    let starts = name.starts_with(b".#") || name.starts_with(STAGED.as_bytes());
    let whole = name == b"4913" || name == b".DS_Store";
    ends.iter().any(|end| name.ends_with(end)) || is_between || starts || whole
}

/// Every file below a folder, sorted, by its path in it.
pub fn below(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut left = vec![PathBuf::new()];
    while let Some(folder) = left.pop() {
        let list = || format!("list {}", dir.join(&folder).display());
        for entry in fs::read_dir(dir.join(&folder)).with_context(list)? {
            let entry = entry.with_context(list)?;
            let path = folder.join(entry.file_name());
            if entry.file_type().with_context(list)?.is_dir() { left.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::{copy_folder, is_editors, replace};

    #[test]
    fn a_file_is_replaced_only_where_it_holds_what_was_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, "edited").unwrap();
        let error = replace(&path, b"old", b"new").expect_err("it was edited").to_string();
        assert!(error.ends_with("/a changed on disk meanwhile: nothing was written, run it again"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"edited");
        replace(&path, b"edited", b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_copied_as_one_and_a_pipe_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::create_dir(&from).unwrap();
        symlink("nowhere", from.join(".#a")).unwrap();
        copy_folder(&from, &to).unwrap();
        assert_eq!(fs::read_link(to.join(".#a")).unwrap().to_str(), Some("nowhere"));
        nix::unistd::mkfifo(&from.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let error = copy_folder(&from, &dir.path().join("more")).expect_err("it has a pipe").to_string();
        assert!(error.ends_with("/from/pipe is a named pipe: take it away, it can not be copied"), "{error}");
    }

    #[test]
    fn an_editors_files_are_told_by_their_names() {
        for name in ["a~", ".a.swp", "#a#", ".#a", "4913", "a.orig", "a.rej", ".DS_Store", ".txgen-x"] {
            assert!(is_editors(name.as_ref()), "{name}");
        }
        for name in ["a.c", "#", "a.origin", "Makefile", ".gitignore", "a.diff", ".kunitconfig"] {
            assert!(!is_editors(name.as_ref()), "{name}");
        }
    }
}

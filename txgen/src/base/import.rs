// SPDX-License-Identifier: GPL-2.0
//! A kernel tarball as one commit: streamed into `git fast-import`, with no working folder in between.
//!
//! The same tarball gives the same commit id on every machine: identity and message are fixed, the date
//! is the newest one in the tarball. Files are named to git one by one, so no .gitignore hides any.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, Read, Seek, Write};
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, Result, bail};
use tar::EntryType;

use crate::files;
use crate::git::Repo;
use crate::git::program;
use crate::progress::Progress;

const IDENTITY: &str = "txgen base import <txgen@localhost>";
const REF: &str = "refs/heads/import";

/// Imports the tarball at `path` as a commit with message `message` into repository `into`; returns the
/// commit. No ref is set. `scratch` is a folder that does not exist yet, for half-done work.
pub fn import(path: &Path, message: &str, into: &Repo, scratch: &Path) -> Result<String> {
    let staging = Repo::init_bare(scratch)?;
    let mut file = File::open(path).with_context(|| format!("open {}", path.display()))?;
    let size = file.metadata().with_context(|| format!("read {}", path.display()))?.len();
    let mut magic = [0; 6];
    let got = file.read(&mut magic).with_context(|| format!("read {}", path.display()))?;
    file.rewind().with_context(|| format!("read {}", path.display()))?;
    let read = Rc::new(Cell::new(0));
    let packed = BufReader::with_capacity(1 << 20, Counted { inner: file, count: Rc::clone(&read) });
    let tar: Box<dyn Read> = match &magic[..got] {
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(packed)),
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        _ => Box::new(packed),
    };
    let progress = Progress::start(&format!("import {message}"), size >> 20);
    let mut stream = Stream::new(|| read.get() >> 20, &progress, size >> 20);
    // No deltas and quick compression: three times faster, for a third more disk.
    program::fixed(staging.git_dir())
        .args([
            "-c",
            "pack.compression=1",
            "-c",
            "fastimport.unpackLimit=0",
            "fast-import",
            "--quiet",
            "--done",
            "--depth=0",
        ])
        .feed(|git| stream.write(tar, message, git).with_context(|| format!("read {}", path.display())))
        .with_context(|| format!("import {}", path.display()))?;
    let outcome = format!("{} files", stream.files.len());
    progress.done(&outcome);
    let commit = staging.resolve(REF)?.commit;
    move_packs(staging.git_dir(), into.git_dir())?;
    Ok(commit)
}

/// Moves every pack of repository `from` to `to`: each index after its pack, so that no reader sees half.
fn move_packs(from: &Path, to: &Path) -> Result<()> {
    let (from, to) = (from.join("objects/pack"), to.join("objects/pack"));
    files::make_dir(&to)?;
    let mut names = Vec::new();
    for entry in fs::read_dir(&from).with_context(|| format!("list {}", from.display()))? {
        names.push(entry.with_context(|| format!("list {}", from.display()))?.file_name());
    }
    names.sort_by_key(|name| name.to_string_lossy().ends_with(".idx"));
    for name in names {
        fs::rename(from.join(&name), to.join(&name)).with_context(|| format!("move a pack to {}", to.display()))?;
    }
    Ok(())
}

struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.count.set(self.count.get() + got as u64);
        Ok(got)
    }
}

/// A file of the tarball: its git mode, and the mark of its blob in the stream.
struct Entry {
    mode: &'static str,
    mark: usize,
}

struct Stream<'a, F: Fn() -> u64> {
    files: BTreeMap<Vec<u8>, Entry>,
    newest: u64,
    marks: usize,
    done: F,
    progress: &'a Progress,
    total: u64,
    told: u64,
}

impl<'a, F: Fn() -> u64> Stream<'a, F> {
    fn new(done: F, progress: &'a Progress, total: u64) -> Self {
        Self { files: BTreeMap::new(), newest: 0, marks: 0, done, progress, total, told: 0 }
    }

    fn write(&mut self, tar: Box<dyn Read>, message: &str, git: &mut dyn Write) -> Result<()> {
        let mut archive = tar::Archive::new(tar);
        for entry in archive.entries()? {
            self.entry(entry?, git)?;
            self.tell();
        }
        self.commit(message, git)
    }

    /// Shows progress ten times in all, however many files there are.
    fn tell(&mut self) {
        let done = (self.done)();
        if done >= self.told + self.total.div_ceil(10).max(1) {
            self.told = done;
            self.progress.at(done, "MiB");
        }
    }

    fn entry(&mut self, mut entry: tar::Entry<'_, Box<dyn Read>>, git: &mut dyn Write) -> Result<()> {
        let kind = entry.header().entry_type();
        if matches!(kind, EntryType::Directory | EntryType::XGlobalHeader) {
            return Ok(());
        }
        let path = clean_path(&entry.path_bytes())?;
        let shown = String::from_utf8_lossy(&path).into_owned();
        self.newest = self.newest.max(entry.header().mtime()?);
        let link = entry.link_name_bytes().map(std::borrow::Cow::into_owned);
        let entry = match (kind, link) {
            (EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse, _) => {
                let mode = if entry.header().mode()? & 0o100 == 0 { "100644" } else { "100755" };
                let size = entry.size();
                Entry { mode, mark: self.blob(size, &mut entry, git).with_context(|| shown.clone())? }
            }
            (EntryType::Symlink, Some(to)) => {
                Entry { mode: "120000", mark: self.blob(to.len() as u64, &mut to.as_slice(), git)? }
            }
            (EntryType::Link, Some(to)) => {
                let first = self.files.get(&clean_path(&to)?);
                let first = first.with_context(|| format!("{shown} is a hard link to nothing"))?;
                Entry { mode: first.mode, mark: first.mark }
            }
            _ => bail!("{shown} is neither a file nor a link (tar type {kind:?})"),
        };
        self.files.insert(path, entry);
        Ok(())
    }

    fn blob(&mut self, size: u64, from: &mut dyn Read, git: &mut dyn Write) -> Result<usize> {
        self.marks += 1;
        write!(git, "blob\nmark :{}\ndata {size}\n", self.marks)?;
        let copied = std::io::copy(from, git)?;
        if copied != size {
            bail!("has {copied} bytes where the tarball promises {size}: it is cut short");
        }
        git.write_all(b"\n")?;
        Ok(self.marks)
    }

    fn commit(&self, message: &str, git: &mut dyn Write) -> Result<()> {
        if self.files.is_empty() {
            bail!("it holds no files");
        }
        let root = common_root(self.files.keys());
        let newest = self.newest;
        write!(git, "commit {REF}\nauthor {IDENTITY} {newest} +0000\ncommitter {IDENTITY} {newest} +0000\n")?;
        write!(git, "data {}\n{message}\n\n", message.len() + 1)?;
        for (path, entry) in &self.files {
            write!(git, "M {} :{} \"", entry.mode, entry.mark)?;
            for byte in &path[root..] {
                if matches!(byte, b'"' | b'\\') {
                    git.write_all(b"\\")?;
                }
                git.write_all(&[*byte])?;
            }
            git.write_all(b"\"\n")?;
        }
        git.write_all(b"done\n")?;
        Ok(())
    }
}

/// A path of the tarball without `.` parts; `..`, absolute paths, `.git` and line breaks are refused.
fn clean_path(path: &[u8]) -> Result<Vec<u8>> {
    let shown = String::from_utf8_lossy(path).into_owned();
    if path.starts_with(b"/") || path.iter().any(|b| *b < b' ') {
        bail!("path {shown:?} is absolute or has control characters");
    }
    let parts = path.split(|b| *b == b'/').filter(|part| !part.is_empty() && *part != b".").collect::<Vec<_>>();
    if parts.iter().any(|part| *part == b".." || part.eq_ignore_ascii_case(b".git")) {
        bail!("path {shown:?} has a `..` or `.git` in it");
    }
    Ok(parts.join(&b'/'))
}

/// Length of the top folder that all paths share, with its slash; 0 where there is none.
fn common_root<'a>(mut paths: impl Iterator<Item = &'a Vec<u8>>) -> usize {
    let Some(first) = paths.next() else { return 0 };
    let Some(slash) = first.iter().position(|b| *b == b'/') else { return 0 };
    if paths.all(|path| path.starts_with(&first[..=slash])) { slash + 1 } else { 0 }
}

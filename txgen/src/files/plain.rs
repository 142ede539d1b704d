// SPDX-License-Identifier: GPL-2.0
//! Plain files that others wrote: opened so that nothing is followed, nothing blocks, and nothing fills the memory.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result, bail};
use nix::fcntl::OFlag;

/// The most that is read of one file: the largest source file of a kernel has 25 MB.
pub const MOST: u64 = 64 << 20;

/// The kind of a file in words, with its article.
pub fn kind(file: FileType) -> &'static str {
    match file {
        kind if kind.is_symlink() => "a symbolic link",
        kind if kind.is_dir() => "a folder",
        kind if kind.is_fifo() => "a named pipe",
        kind if kind.is_socket() => "a socket",
        kind if kind.is_char_device() || kind.is_block_device() => "a device",
        _ => "a plain file",
    }
}

/// Opens the plain file `path`, which errors call `shown`; `rule` says what to do about any other kind of file.
fn open(path: &Path, shown: &Path, rule: &str) -> Result<File> {
    let reading = || format!("read {}", shown.display());
    let refuse = |found: FileType| -> Result<()> {
        if !found.is_file() {
            bail!("{} is {}: {rule}", shown.display(), kind(found));
        }
        Ok(())
    };
    refuse(fs::symlink_metadata(path).with_context(reading)?.file_type())?;
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path).with_context(reading)?;
    // It may be another one than a moment ago.
    refuse(file.metadata().with_context(reading)?.file_type())?;
    Ok(file)
}

/// The bytes of a plain file, at most [`MOST`].
pub fn plain_bytes(path: &Path, shown: &Path, rule: &str) -> Result<Vec<u8>> {
    let file = open(path, shown, rule)?;
    let size = file.metadata().with_context(|| format!("read {}", shown.display()))?.len();
    let mut bytes = Vec::new();
    if size <= MOST {
        bytes.reserve(usize::try_from(size).unwrap_or_default() + 1);
        file.take(MOST + 1).read_to_end(&mut bytes).with_context(|| format!("read {}", shown.display()))?;
    }
    if size > MOST || bytes.len() as u64 > MOST {
        bail!("{} is larger than {} MiB: no file of a project is", shown.display(), MOST >> 20);
    }
    Ok(bytes)
}

/// The text of a plain file; an error about bytes that are no UTF-8 names their line.
pub fn plain_text(path: &Path, shown: &Path, rule: &str) -> Result<String> {
    String::from_utf8(plain_bytes(path, shown, rule)?).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good].iter().filter(|byte| **byte == b'\n').count() + 1;
        anyhow::anyhow!("{}:{line}: it is no UTF-8 text: save the file as UTF-8", shown.display())
    })
}

#[cfg(test)]
mod tests;

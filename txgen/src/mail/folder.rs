// SPDX-License-Identifier: GPL-2.0
//! The folder of the mails: put in place as a whole, and never over files that are not ours.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;

use anyhow::{Context, Result, anyhow, bail};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use crate::files::{self, plain};
use crate::mail::Mail;
use crate::scratch::{self, Scratch};

/// Refuses a folder that holds anything but mails of the same series.
pub fn check(out: &Path, change_id: &str) -> Result<()> {
    match fs::symlink_metadata(out).map(|found| found.file_type()) {
        Ok(found) if !found.is_dir() => {
            bail!("{} is {}: give another folder with -o", out.display(), plain::kind(found));
        }
        // What is not there, or may not be looked at, is told of below.
        _ => {}
    }
    let entries = match fs::read_dir(out) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e).with_context(|| format!("read folder {}", out.display())),
    };
    for entry in entries {
        let path = entry.with_context(|| format!("read folder {}", out.display()))?.path();
        if !is_ours(&path, change_id)? {
            bail!("{} is no mail of this series: empty the folder or give another with -o", path.display());
        }
    }
    Ok(())
}

/// The file is a mail with our change id in its headers.
fn is_ours(path: &Path, change_id: &str) -> Result<bool> {
    if path.extension().is_none_or(|ending| ending != "patch") || !path.is_file() || path.is_symlink() {
        return Ok(false);
    }
    let text = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let text = String::from_utf8_lossy(&text);
    let header = format!("X-Change-ID: {change_id}");
    Ok(text.lines().take_while(|line| !line.is_empty()).any(|line| line == header))
}

/// Writes the mails into a folder of their own and puts it in the place of `out`. A run that is killed leaves that folder
/// in the cache, from which it goes away, or beside `out`, where the cache is on another disk.
pub fn replace(cache: &Path, out: &Path, mails: &[Mail]) -> Result<()> {
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if is_same_disk(&scratch::place(cache), parent)? {
        match put(Scratch::new(cache)?, out, mails) {
            Err(error) if crosses_disks(&error) => {}
            done => return done,
        }
    }
    let prefix = format!(".{}.txgen-", out.file_name().context("the output folder has no name")?.to_string_lossy());
    put(Scratch::inside(parent, &prefix)?, out, mails)
}

/// Whether two folders, of which neither has to be there yet, are on one disk.
fn is_same_disk(one: &Path, other: &Path) -> Result<bool> {
    let disk = |path: &Path| {
        let there = path.ancestors().find_map(|path| path.metadata().ok());
        there.map(|there| there.dev()).with_context(|| format!("find {}", path.display()))
    };
    Ok(disk(one)? == disk(&std::path::absolute(other).with_context(|| format!("find {}", other.display()))?)?)
}

fn crosses_disks(error: &anyhow::Error) -> bool {
    let is_io = |error: &std::io::Error| error.kind() == ErrorKind::CrossesDevices;
    let is_errno = |error: &Errno| *error == Errno::EXDEV;
    error.chain().any(|e| e.downcast_ref().is_some_and(is_io) || e.downcast_ref().is_some_and(is_errno))
}

fn put(made: Scratch, out: &Path, mails: &[Mail]) -> Result<()> {
    let write = |mail: &Mail| files::write_atomic(&made.path().join(&mail.file), mail.text.as_bytes());
    // Each waits for the disk, which takes all of them at once.
    thread::scope(|scope| {
        let threads = mails.iter().map(|mail| scope.spawn(|| write(mail))).collect::<Vec<_>>();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| anyhow!("a thread that writes panicked"))?)
    })?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(made.path(), mode).with_context(|| format!("open up {}", made.path().display()))?;
    let place = |what: &str| format!("{what} {}", out.display());
    if !out.exists() {
        files::make_dir(out.parent().context("the output folder has a parent")?)?;
        fs::rename(made.path(), out).with_context(|| place("put the mails into"))?;
        made.moved();
        return Ok(());
    }
    // One step, after which the old mails are in `made` and go away with it.
    let flags = RenameFlags::RENAME_EXCHANGE;
    renameat2(AT_FDCWD, made.path(), AT_FDCWD, out, flags).with_context(|| place("replace the mails in"))?;
    made.close().context("remove the mails of the run before")
}

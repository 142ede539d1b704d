// SPDX-License-Identifier: GPL-2.0
//! The folder of the mails: put in place as a whole, and never over files that are not ours.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::thread;

use anyhow::{Context, Result, anyhow, bail};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use crate::files::{self, plain};
use crate::mail::Mail;

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

/// Writes the mails into a folder beside `out` and puts it in the place of `out`.
pub fn replace(out: &Path, mails: &[Mail]) -> Result<()> {
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    files::make_dir(parent)?;
    let prefix = format!(".{}-", out.file_name().context("the output folder has no name")?.to_string_lossy());
    let made = tempfile::Builder::new().prefix(&prefix).tempdir_in(parent);
    let made = made.with_context(|| format!("make a folder in {}", parent.display()))?;
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
        fs::rename(made.path(), out).with_context(|| place("put the mails into"))?;
        // It is no temporary folder any more: nothing is left to remove.
        let _ = made.keep();
        return Ok(());
    }
    // One step, after which the old mails are in `made` and go away with it.
    let flags = RenameFlags::RENAME_EXCHANGE;
    renameat2(AT_FDCWD, made.path(), AT_FDCWD, out, flags).with_context(|| place("replace the mails in"))?;
    made.close().context("remove the mails of the run before")
}

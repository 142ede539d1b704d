// SPDX-License-Identifier: GPL-2.0
//! A repository of txgen's own through which the objects of another one are read, and whose work trees kernels are built in.
//!
//! The user's clone has configuration, hooks, attributes, replaced commits, sparse checkouts and a list of work trees.
//! None of it is the business of what txgen prints or builds, and none of it is touched: the view has nothing but a pointer
//! to the objects, and to where a shallow clone's history ends.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::promised::{self, Promisor};
use crate::files;
use crate::proof;

/// The configuration of a view, which also counts for programs that start git themselves in its work trees.
const CONFIG: &str = "[core]
\trepositoryformatversion = 0
\tbare = true
\tfilemode = true
\tsymlinks = true
\tautocrlf = false
\teol = lf
\tsafecrlf = false
\tattributesFile = /dev/null
\thooksPath = /dev/null
\tfsmonitor = false
\tuntrackedCache = false
\tsplitIndex = false
\tsparseCheckout = false
[index]
\tsparse = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
";

/// The folder for what is made of the repository `git_dir`, named by where that is.
pub fn folder(cache: &Path, git_dir: &Path) -> Result<PathBuf> {
    let real = git_dir.canonicalize().with_context(|| format!("find {}", git_dir.display()))?;
    let key = proof::key(&[real.as_os_str().as_encoded_bytes()]);
    Ok(cache.join("work").join(&key[..12]))
}

/// The git directory of the view of `git_dir`, made or brought up to date.
pub fn open(cache: &Path, git_dir: &Path) -> Result<PathBuf> {
    let dir = folder(cache, git_dir)?.join("view.git");
    if !dir.join("HEAD").is_file() {
        make(&dir)?;
    }
    let promisor = promised::promisor(git_dir)?;
    bring_up_to_date(&dir.join("config"), Some(config(promisor.as_ref()).into_bytes()))?;
    let objects = git_dir.join("objects");
    let objects = objects.canonicalize().with_context(|| format!("find {}", objects.display()))?;
    bring_up_to_date(&dir.join("objects/info/alternates"), Some(alternates(&objects)?))?;
    let shallow = match fs::read(git_dir.join("shallow")) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        read => Some(read.with_context(|| format!("read where the history of {} ends", git_dir.display()))?),
    };
    bring_up_to_date(&dir.join("shallow"), shallow)?;
    Ok(dir)
}

/// The text of a view's configuration; where its clone is a partial one, git fetches what that lacks from the same remote.
fn config(promisor: Option<&Promisor>) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let remote = promisor.map(|Promisor { name, url }| {
        let (name, url) = (quoted(name), quoted(url));
        format!("[remote \"{name}\"]\n\turl = \"{url}\"\n\tpromisor = true\n\tpartialclonefilter = blob:none\n")
    });
    CONFIG.to_owned() + &remote.unwrap_or_default()
}

/// The object folder, and those it borrows from: git takes relative paths in the first file alone.
fn alternates(objects: &Path) -> Result<Vec<u8>> {
    let mut lines = format!("{}\n", objects.display());
    let borrowed = objects.join("info/alternates");
    if borrowed.is_file() {
        for line in files::read(&borrowed)?.lines().filter(|line| line.starts_with("../")) {
            lines += &format!("{}\n", objects.join(line).display());
        }
    }
    Ok(lines.into_bytes())
}

fn make(dir: &Path) -> Result<()> {
    let parent = dir.parent().context("a view has a parent folder")?;
    files::make_dir(parent)?;
    let new = tempfile::Builder::new().prefix("view-").tempdir_in(parent).context("make a folder for a repository")?;
    for folder in ["objects/info", "objects/pack", "refs/heads"] {
        files::make_dir(&new.path().join(folder))?;
    }
    files::write_new(&new.path().join("config"), config(None).as_bytes())?;
    files::write_new(&new.path().join("HEAD"), b"ref: refs/heads/none\n")?;
    let new = new.keep();
    match fs::rename(&new, dir) {
        Ok(()) => Ok(()),
        // Another txgen was faster.
        Err(_) if dir.join("HEAD").is_file() => files::remove_dir(&new),
        Err(error) => {
            files::remove_dir(&new)?;
            Err(error).with_context(|| format!("make {}", dir.display()))
        }
    }
}

fn bring_up_to_date(file: &Path, wanted: Option<Vec<u8>>) -> Result<()> {
    match wanted {
        None => files::remove_file(file),
        // What can not be read is written.
        Some(wanted) if fs::read(file).is_ok_and(|is| is == wanted) => Ok(()),
        Some(wanted) => files::write_atomic(file, &wanted),
    }
}

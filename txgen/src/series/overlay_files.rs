// SPDX-License-Identifier: GPL-2.0
//! The files of kernel-overlay/, read.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};

use super::path;
use crate::files::{self, plain};
use crate::git::{Blob, Mode};
use crate::project::Project;

/// Every file of the overlay by its path in the kernel tree.
pub type Overlay = BTreeMap<String, Blob>;

const RULE: &str = "the overlay has plain files only";

/// Reads kernel-overlay/; symbolic links and special files are refused.
pub fn read(project: &Project) -> Result<Overlay> {
    let root = project.overlay();
    let mut overlay = Overlay::new();
    let mut left = if project.has_folder(&root)? { vec![String::new()] } else { Vec::new() };
    while let Some(folder) = left.pop() {
        let dir = root.join(&folder);
        let list = || format!("list {}", project.relative(&dir).display());
        for entry in fs::read_dir(&dir).with_context(list)? {
            let entry = entry.with_context(list)?;
            if files::is_editors(&entry.file_name()) {
                continue;
            }
            let name =
                entry.file_name().into_string().map_err(|n| anyhow!("kernel-overlay/{folder}: {n:?} is no UTF-8"))?;
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            path::check(&path).map_err(|what| anyhow!("kernel-overlay/{path} {what}"))?;
            let kind = entry.file_type().with_context(list)?;
            if kind.is_dir() {
                left.push(path);
            } else if kind.is_file() {
                let bytes = plain::plain_bytes(&entry.path(), &Path::new("kernel-overlay").join(&path), RULE)?;
                let meta = entry.metadata().with_context(|| format!("read kernel-overlay/{path}"))?;
                let mode = if meta.permissions().mode() & 0o100 == 0 { Mode::Plain } else { Mode::Executable };
                overlay.insert(path, Blob { mode, bytes });
            } else {
                bail!("kernel-overlay/{path} is a symbolic link or a special file: {RULE}");
            }
        }
    }
    Ok(overlay)
}

/// Puts a file into the overlay folder `root` with `write`, or removes it where there is none, with the folders that are
/// empty then.
pub fn place(
    root: &Path,
    path: &str,
    blob: Option<&Blob>,
    write: impl FnOnce(&Path, &[u8]) -> Result<()>,
) -> Result<()> {
    path::check(path).map_err(|what| anyhow::anyhow!("path {path:?} {what}"))?;
    let file = root.join(path);
    if let Some(blob) = blob {
        write(&file, &blob.bytes)?;
        if blob.mode == Mode::Executable {
            let mut permissions =
                fs::metadata(&file).with_context(|| format!("look at {}", file.display()))?.permissions();
            // Executable for whom it is readable, as git does it.
            permissions.set_mode(permissions.mode() | (permissions.mode() & 0o444) >> 2);
            fs::set_permissions(&file, permissions).with_context(|| format!("make {} executable", file.display()))?;
        }
        return Ok(());
    }
    files::remove_file(&file)?;
    for folder in Path::new(path).ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
        // The first one with something in it ends it.
        if fs::remove_dir(root.join(folder)).is_err() {
            break;
        }
    }
    Ok(())
}

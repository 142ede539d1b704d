// SPDX-License-Identifier: GPL-2.0
//! The logs that a page may have: those of runs whose results they are.
//!
//! The path of a log in a result file is data of whoever wrote that. Of it nothing but `ID/NAME` counts, the last two
//! parts, and only in two places: this machine's own cache, where the run says of itself that it showed just this, and
//! the folder runs/ beside the results in a folder that the user gave. Nothing there is followed, and nothing but a
//! regular file is read.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use nix::libc::{O_NOFOLLOW, O_NONBLOCK};

use super::Row;
use crate::prove::folder::Shown;

/// The names of logs in the folder of a run.
const NAMES: &[&str] = &["console.log", "build.log"];

/// The places of logs.
#[derive(Debug)]
pub struct Logs {
    /// The folder of the runs of this machine.
    pub own: PathBuf,
    /// Folders that the user gave.
    pub given: Vec<PathBuf>,
}

impl Logs {
    /// The log of what a row shows, opened; `None` where it is not here.
    pub fn open(&self, row: &Row) -> Result<Option<File>> {
        let Some((id, name)) = parts(&row.log) else { return Ok(None) };
        let run = self.own.join(id);
        if Shown::read(&run).is_some_and(|shown| shown.is(&row.tree, &row.kind, row.seconds)) {
            return open(&run, name);
        }
        for folder in &self.given {
            let runs = folder.join("runs");
            let found = if runs.is_symlink() { None } else { open(&runs.join(id), name)? };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// The run and the name of a log: `.../runs/ID/NAME`.
fn parts(log: &Path) -> Option<(&str, &str)> {
    let mut parts = log.components().rev().map(|part| match part {
        Component::Normal(part) => part.to_str(),
        _ => None,
    });
    let (name, id, runs) = (parts.next()??, parts.next()??, parts.next()??);
    let is_id = id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit());
    (runs == "runs" && is_id && NAMES.contains(&name)).then_some((id, name))
}

fn open(run: &Path, name: &str) -> Result<Option<File>> {
    let path = run.join(name);
    if run.is_symlink() || !path.is_file() || path.is_symlink() {
        return Ok(None);
    }
    let file = OpenOptions::new().read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(&path);
    let file = file.with_context(|| format!("read {}", path.display()))?;
    Ok(file.metadata().with_context(|| format!("read {}", path.display()))?.is_file().then_some(file))
}

/// The last `most` bytes of a log, or the first, as text.
pub(super) fn part(file: &mut File, most: u64, last: bool) -> Result<String> {
    let mut bytes = Vec::new();
    let mut read = || {
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(if last { size.saturating_sub(most) } else { 0 }))?;
        file.take(most).read_to_end(&mut bytes)
    };
    read().context("read a log")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::parts;

    #[test]
    fn a_log_is_named_by_its_run_and_nothing_else_of_a_path_counts() {
        let id = "0123456789abcdef";
        let good = format!("/somewhere/else/runs/{id}/console.log");
        assert_eq!(parts(Path::new(&good)), Some((id, "console.log")));
        let bad = [
            "/etc/passwd".to_owned(),
            "/runs/../../etc/build.log".to_owned(),
            format!("runs/{id}/../console.log"),
            format!("/runs/{id}/shown.json"),
            format!("/runs/{id}x/console.log"),
            format!("/other/{id}/console.log"),
            format!("{id}/console.log"),
            String::new(),
        ];
        for path in bad {
            assert_eq!(parts(Path::new(&path)), None, "{path}");
        }
    }
}

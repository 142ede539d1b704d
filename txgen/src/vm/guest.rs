// SPDX-License-Identifier: GPL-2.0
//! A guest from its start to its end: the folder it shares with the host, and what it leaves behind.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::{Accel, Evidence, argv, virtme_ng};
use crate::files;
use crate::process::{Run, TimedOut};
use crate::progress::Progress;
use crate::project::Project;

/// The file in the shared folder to which the guest's script for selftests writes its KTAP.
pub const RESULTS: &str = "selftests.ktap";

/// A guest to be started.
#[derive(Debug, Clone, Copy)]
pub struct Guest<'a> {
    /// The kernel.
    pub image: &'a Path,
    /// What executes it.
    pub accel: &'a Accel,
    /// The kernel's arguments.
    pub kernel_args: &'a [&'a str],
    /// The folder it shares with the host, from [`share`].
    pub shared: &'a Path,
    /// The time after which it is killed.
    pub timeout: Duration,
    /// How many results come one by one in [`RESULTS`], for progress.
    pub results: u64,
}

/// What a guest left behind.
#[derive(Debug)]
pub struct Left {
    /// Seconds from vng's start to its end.
    pub seconds: f64,
    /// The whole console log.
    pub log: PathBuf,
    console: String,
    result: Option<String>,
    leaks: Option<String>,
    killed_after: Option<u64>,
}

impl Left {
    /// It as what a boot is judged by.
    pub fn evidence(&self) -> Evidence<'_> {
        Evidence {
            console: &self.console,
            result: self.result.as_deref(),
            leaks: self.leaks.as_deref(),
            killed_after: self.killed_after,
        }
    }
}

/// The folder guest/ in `run`, emptied, with the script that the guest runs.
pub fn share(project: &Project, run: &Path) -> Result<PathBuf> {
    let shared = run.join("guest");
    files::remove_dir(&shared)?;
    files::write_atomic(&shared.join("guest.sh"), script(project)?.as_bytes())?;
    Ok(shared)
}

/// vm-tests/guest.sh: with the kernel's arguments it is the set of tests that a boot runs.
pub fn script(project: &Project) -> Result<String> {
    files::read(&project.vm_tests().join("guest.sh"))
}

/// Boots a guest to its end; the console's log goes beside the folder it shares.
pub fn start(project: &Project, guest: Guest<'_>) -> Result<Left> {
    let Guest { image, accel, kernel_args, shared, timeout, results } = guest;
    let vng = virtme_ng(project)?;
    let run = shared.parent().context("the guest's folder has a parent")?;
    let log = run.join("console.log");
    let mut watch = Watch { progress: Progress::start("boot", results), file: shared.join(RESULTS), told: 0 };
    let start = Instant::now();
    let ran = Run::new(&vng, argv::vng(image, shared, accel, kernel_args))
        .dir(run)
        .env("PATH", venv_path(&vng)?)
        .log(&log)
        .timeout(timeout)
        .output_while(|| watch.tick());
    let killed_after = match ran {
        Ok(_) => None,
        Err(error) => match error.downcast_ref::<TimedOut>() {
            Some(late) => Some(late.seconds),
            None => return Err(error).context("boot the kernel"),
        },
    };
    let left = Left {
        seconds: start.elapsed().as_secs_f64(),
        console: files::read_lossy(&log)?,
        log,
        result: read_optional(&shared.join("result.txt"))?,
        leaks: read_optional(&shared.join("kmemleak.txt"))?,
        killed_after,
    };
    watch.progress.done(if left.killed_after.is_none() { "ended" } else { "killed" });
    Ok(left)
}

/// Shows how many results there are.
struct Watch {
    progress: Progress,
    file: PathBuf,
    told: usize,
}

impl Watch {
    fn tick(&mut self) {
        // There is no file before the first result, nor in a boot without selftests.
        let text = files::read_lossy(&self.file).unwrap_or_default();
        let results = text.lines().filter(|line| line.starts_with("ok ") || line.starts_with("not ok "));
        let results = results.collect::<Vec<_>>();
        if let Some(last) = results.last().filter(|_| results.len() > self.told) {
            self.told = results.len();
            self.progress.at(self.told as u64, last);
        }
    }
}

/// PATH with the folder of `vng` first: it starts its own parts by name.
fn venv_path(vng: &Path) -> Result<std::ffi::OsString> {
    let path = std::env::var_os("PATH").context("PATH is not set")?;
    let own = vng.parent().map(Path::to_path_buf);
    std::env::join_paths(own.into_iter().chain(std::env::split_paths(&path))).context("put virtme-ng into PATH")
}

/// A file that the guest may have written.
pub fn read_optional(path: &Path) -> Result<Option<String>> {
    if path.exists() { files::read_lossy(path).map(Some) } else { Ok(None) }
}

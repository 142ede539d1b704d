// SPDX-License-Identifier: GPL-2.0
//! A guest from its start to its end: the folder it shares with the host, and what it leaves behind.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::alive::{Alive, Tail};
use super::{Accel, Evidence, argv, broken_result, is_booted, splat, virtme_ng};
use crate::files;
use crate::kernel::build::Image;
use crate::plain::plain;
use crate::process::{LongLog, Run, Stopped, TimedOut};
use crate::progress::Progress;
use crate::project::Project;

/// The file in the shared folder to which the guest's script for selftests writes its KTAP.
pub const RESULTS: &str = "selftests.ktap";

/// The file in the shared folder to which the guest's script writes.
const RESULT: &str = "result.txt";

/// The bytes that are read of what a guest says; one that says more on its console is killed. The longest console of a
/// boot that was of use has 0.2 MiB.
pub(crate) const MOST: u64 = 8 << 20;

/// When a guest is killed that does not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The time from its start on.
    pub timeout: Duration,
    /// The time in which it says nothing, neither on its console nor by results.
    pub silence: Duration,
}

/// A guest to be started.
#[derive(Debug, Clone, Copy)]
pub struct Guest<'a> {
    /// The kernel.
    pub image: &'a Image,
    /// What executes it.
    pub accel: &'a Accel,
    /// The kernel's arguments.
    pub kernel_args: &'a [&'a str],
    /// The folder it shares with the host, from [`share`].
    pub shared: &'a Path,
    /// When it is killed.
    pub limits: Limits,
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
    killed: Option<String>,
}

impl Left {
    /// It as what a boot is judged by.
    pub fn evidence(&self) -> Evidence<'_> {
        Evidence {
            console: &self.console,
            result: self.result.as_deref(),
            leaks: self.leaks.as_deref(),
            killed: self.killed.as_deref(),
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
    project.text(&project.vm_tests().join("guest.sh"))
}

/// Boots a guest to its end; the console's log goes beside the folder it shares. A guest that is gone in the middle is
/// started once more: its emulator may have crashed, while a kernel that resets the machine does so again.
pub fn start(project: &Project, guest: Guest<'_>) -> Result<Left> {
    let left = start_once(project, guest)?;
    if !is_gone(left.evidence()) {
        return Ok(left);
    }
    crate::output::eprintln!("boot: the guest was gone without a word: once more");
    for file in [RESULT, RESULTS] {
        files::remove_file(&guest.shared.join(file))?;
    }
    start_once(project, guest)
}

/// Whether a guest ended although nobody killed it, it did not come to its end, and its kernel said nothing of it.
fn is_gone(evidence: Evidence<'_>) -> bool {
    let Evidence { console, result, killed, .. } = evidence;
    let said = console.contains("reboot: ") || !splat::find(console).is_empty();
    killed.is_none() && !said && broken_result(result).is_some()
}

fn start_once(project: &Project, guest: Guest<'_>) -> Result<Left> {
    let Guest { image, accel, kernel_args, shared, limits, results } = guest;
    let vng = virtme_ng(project)?;
    let run = shared.parent().context("the guest's folder has a parent")?;
    let log = run.join("console.log");
    let mut watch =
        Watch { progress: Progress::start("boot", results), results: Tail::of(&shared.join(RESULTS)), told: 0 };
    let mut alive = Alive::of(&log, &[shared.join(RESULTS), shared.join(RESULT)], limits.silence);
    let start = Instant::now();
    let ran = Run::new(&vng, argv::vng(&image.path, shared, accel, kernel_args))
        .dir(run)
        .env("PATH", venv_path(&vng)?)
        .log(&log)
        .log_at_most(MOST)
        .timeout(limits.timeout)
        .output_unless(|| {
            watch.tick();
            alive.tick()
        });
    let killed = match ran {
        Ok(_) => None,
        Err(error) => Some(why_killed(&error).ok_or(error).context("boot the kernel")?),
    };
    let console = plain(&files::read_at_most(&log, MOST)?);
    is_booted(image, &console, &log)?;
    let left = Left {
        seconds: start.elapsed().as_secs_f64(),
        console,
        log,
        result: read_optional(&shared.join(RESULT))?,
        leaks: read_optional(&shared.join("kmemleak.txt"))?,
        killed,
    };
    watch.progress.done(if left.killed.is_none() { "ended" } else { "killed" });
    Ok(left)
}

/// What a guest did that it was killed for.
fn why_killed(error: &anyhow::Error) -> Option<String> {
    if let Some(late) = error.downcast_ref::<TimedOut>() {
        return Some(format!("did not end within {} s", late.seconds));
    }
    if let Some(stopped) = error.downcast_ref::<Stopped>() {
        return Some(stopped.why.clone());
    }
    let long = error.downcast_ref::<LongLog>()?;
    Some(format!("said more than {} MiB", long.bytes >> 20))
}

/// Shows how many results there are.
struct Watch {
    progress: Progress,
    results: Tail,
    told: u64,
}

impl Watch {
    fn tick(&mut self) {
        let text = self.results.lines();
        let results = text.lines().filter(|line| line.starts_with("ok ") || line.starts_with("not ok "));
        let results = results.collect::<Vec<_>>();
        if let Some(last) = results.last() {
            self.told += results.len() as u64;
            self.progress.at(self.told, &plain(last));
        }
    }
}

/// PATH with the folder of `vng` first: it starts its own parts by name.
fn venv_path(vng: &Path) -> Result<std::ffi::OsString> {
    let path = std::env::var_os("PATH").context("PATH is not set")?;
    let own = vng.parent().map(Path::to_path_buf);
    std::env::join_paths(own.into_iter().chain(std::env::split_paths(&path))).context("put virtme-ng into PATH")
}

/// A file that the guest may have written, as far as it is of use, without control characters.
pub fn read_optional(path: &Path) -> Result<Option<String>> {
    if path.exists() { Ok(Some(plain(&files::read_at_most(path, MOST)?))) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::{Evidence, is_gone};

    const CUT: Evidence<'_> =
        Evidence { console: "[    1.1] pci 0000:00:01.0: BAR 0\n", result: None, leaks: None, killed: None };

    #[test]
    fn a_guest_is_gone_where_nobody_ended_it() {
        assert!(is_gone(CUT));
        assert!(is_gone(Evidence { result: Some("kernel: 7\n"), ..CUT }));
        assert!(!is_gone(Evidence { result: Some("kernel: 7\ntxgen guest: done\n"), ..CUT }));
        assert!(!is_gone(Evidence { killed: Some("said nothing for 90 s"), ..CUT }));
        assert!(!is_gone(Evidence { console: "[    1.1] reboot: Power down\n", ..CUT }));
        assert!(!is_gone(Evidence { console: "[    1.1] Kernel panic - not syncing: VFS\n", ..CUT }));
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Boots of a kernel image in virtme-ng, and what they show.
//!
//! A boot is judged by what the console and the guest's result file say, never by vng's exit status.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::error::MissingTool;
use crate::files;
use crate::kernel::build::Image;
use crate::plain::plain;
use crate::process::{self, Run, TimedOut};
use crate::project::Project;

mod alive;
pub mod argv;
pub mod guest;
pub mod ktap;
pub mod splat;

use guest::Guest;
use ktap::{Counts, Ktap, Outcome};

/// The version of what a boot is judged by: to be raised with each change of what counts as a failure, as a part of what
/// records stand for.
pub const JUDGED: u32 = 2;

/// The line that ends the guest's result.txt.
const END: &str = "txgen guest: done";
/// The longest that a kernel under KVM may take to its panic without a root.
const PROBE: Duration = Duration::from_secs(5);

/// What executes the guest's instructions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Accel {
    /// The processor, shown to work by a probe boot.
    Kvm,
    /// qemu's translator.
    Tcg {
        /// Why not KVM.
        why: String,
    },
}

/// A suite of tests that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Its cases by outcome.
    pub counts: Counts,
}

/// What a boot showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Boot {
    /// What executed it.
    pub accel: Accel,
    /// Seconds from vng's start to its end.
    pub seconds: f64,
    /// The suites that ran, in order.
    pub suites: Vec<Suite>,
    /// Everything that makes it a failure; empty for a good boot.
    pub problems: Vec<String>,
    /// The whole console log.
    pub log: PathBuf,
}

impl Boot {
    /// Whether nothing at all was wrong.
    pub fn passed(&self) -> bool {
        self.problems.is_empty()
    }

    /// The cases of all suites by outcome.
    pub fn counts(&self) -> Counts {
        self.suites.iter().fold(Counts::default(), |sum, suite| Counts {
            passed: sum.passed.saturating_add(suite.counts.passed),
            failed: sum.failed.saturating_add(suite.counts.failed),
            skipped: sum.skipped.saturating_add(suite.counts.skipped),
            expected_failures: sum.expected_failures.saturating_add(suite.counts.expected_failures),
        })
    }
}

/// What a guest left behind, to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The console, whole.
    pub console: &'a str,
    /// result.txt, as far as it was written.
    pub result: Option<&'a str>,
    /// kmemleak's report.
    pub leaks: Option<&'a str>,
    /// Why it was killed, if it was.
    pub killed: Option<&'a str>,
}

/// vng of the environment that vm-tests/venv.sh made, at the version the project pins.
pub fn virtme_ng(project: &Project) -> Result<PathBuf> {
    process::require("qemu-system-x86_64")?;
    let venv = project.cache.join("venv");
    let vng = venv.join("bin/vng");
    let script = project.vm_tests().join("venv.sh").display().to_string();
    if !vng.is_file() {
        return Err(MissingTool { tool: "vng (virtme-ng)".to_owned(), install: script }.into());
    }
    let pins = project.text(&project.vm_tests().join("requirements.txt"))?;
    if files::read(&venv.join("requirements.txt"))? != pins {
        bail!("virtme-ng in {} is not the one that vm-tests/requirements.txt pins: run {script}", venv.display());
    }
    Ok(vng)
}

/// Finds out by a real boot of `image` whether KVM works here.
pub fn accelerator(image: &Path) -> Result<Accel> {
    let device = Path::new("/dev/kvm");
    let access = nix::unistd::AccessFlags::R_OK | nix::unistd::AccessFlags::W_OK;
    if let Err(error) = nix::unistd::access(device, access) {
        return Ok(Accel::Tcg { why: format!("/dev/kvm: {}", error.desc()) });
    }
    let said = tempfile::NamedTempFile::new().context("make a temporary file for the probe boot")?;
    let run = Run::new("qemu-system-x86_64", argv::probe(image)).log(said.path()).timeout(PROBE);
    let status = match run.output() {
        Ok(output) => process::describe(output.status),
        Err(error) if error.is::<TimedOut>() => format!("no end within {} s", PROBE.as_secs()),
        Err(error) => return Err(error).context("probe for KVM"),
    };
    Ok(judge_probe(&files::read_lossy(said.path())?, &status))
}

fn judge_probe(said: &str, status: &str) -> Accel {
    if said.contains("Kernel panic - not syncing") {
        return Accel::Kvm;
    }
    let reason = said.lines().find(|line| ["KVM", "kvm", "failed"].iter().any(|mark| line.contains(mark)));
    let reason = reason.map(|line| format!(": {}", plain(line.trim()))).unwrap_or_default();
    Accel::Tcg { why: format!("a kernel does not boot under KVM here ({status}){reason}") }
}

/// Boots a guest and judges it by KUnit's suites; the console's log goes beside the folder it shares.
pub fn boot(project: &Project, guest: Guest<'_>) -> Result<Boot> {
    let accel = guest.accel.clone();
    let left = guest::start(project, guest)?;
    let (suites, problems) = judge(left.evidence());
    Ok(Boot { accel, seconds: left.seconds, suites, problems, log: left.log })
}

/// The number of the build that the console says was booted.
pub fn booted(console: &str) -> Option<u32> {
    let (_, line) = console.lines().find_map(|line| line.split_once("Linux version "))?;
    let digits = line.rsplit_once(" #")?.1;
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Takes it as an error that another kernel was booted than the one built: what it showed is of no use.
pub fn is_booted(image: &Image, console: &str, log: &Path) -> Result<()> {
    match booted(console) {
        Some(number) if number != image.number => bail!(
            "the kernel that booted is not the one built: the console says #{number}, make said #{}: see {}",
            image.number,
            log.display()
        ),
        _ => Ok(()),
    }
}

/// The suites that ran, and everything that makes the boot a failure.
pub fn judge(evidence: Evidence<'_>) -> (Vec<Suite>, Vec<String>) {
    let mut problems = complaints(evidence);
    let Ktap { tests, problems: broken } = ktap::parse(evidence.console);
    problems.extend(broken.into_iter().map(|problem| format!("console {problem}")));
    problems.extend(tests.iter().flat_map(ktap::Test::failures).map(|name| format!("failed: {name}")));
    let suites = tests.iter().map(|t| Suite { name: t.name.clone(), outcome: t.outcome, counts: t.counts() });
    (suites.collect(), problems)
}

/// What makes a boot a failure whatever its tests say: crash markers, leaks, no end.
pub fn complaints(evidence: Evidence<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    for (splat, more) in splat::distinct(splat::find(evidence.console)).iter().take(10) {
        let more = if *more > 0 { format!(" (and {more} more like it)") } else { String::new() };
        problems.push(format!("console line {}: {splat}{more}", splat.line));
    }
    let leaks = splat::find(evidence.leaks.unwrap_or_default());
    if let Some(first) = leaks.first() {
        problems.push(format!("kmemleak: {} leaks, the first: {first}", leaks.len()));
    }
    problems.extend(evidence.killed.map(|why| format!("the guest {why} and was killed")));
    if evidence.result.is_some() && booted(evidence.console).is_none() {
        problems.push("the console does not say which kernel booted".to_owned());
    }
    problems.extend(broken_result(evidence.result));
    problems
}

/// What is wrong with the guest's result file.
fn broken_result(result: Option<&str>) -> Option<String> {
    let Some(text) = result else {
        return Some("the guest wrote no result".to_owned());
    };
    if text.contains("kmemleak: the scan failed") {
        return Some("the guest could not scan for leaks".to_owned());
    }
    (text.lines().last() != Some(END)).then(|| format!("the guest's result does not end with {END:?}"))
}

/// The messages of a console with the numbers of their lines; one that came twice in a row, with the same time, counts
/// once: two consoles wrote to the same log.
pub(crate) fn messages(log: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut last = "";
    (1..).zip(log.lines()).filter_map(move |(number, line)| {
        let text = message(line);
        let again = line == last && text.len() < line.len();
        last = line;
        (!again).then_some((number, text))
    })
}

/// The message of a console line: without its level, time and thread.
pub(crate) fn message(line: &str) -> &str {
    let line = match line.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        Some((level, rest)) if !level.is_empty() && level.bytes().all(|b| b.is_ascii_digit()) => rest,
        _ => line,
    };
    let time = |text: &str| text.contains('.') && text.trim_start().bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let thread = |text: &str| {
        let text = text.trim_start();
        let number = text.strip_prefix(['T', 'C']).unwrap_or_default();
        !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    };
    match bracketed(line, time) {
        Some(rest) => bracketed(rest, thread).unwrap_or(rest),
        None => line,
    }
}

/// What follows `[...] ` at the start of a line, where `fits` takes what is inside.
fn bracketed(line: &str, fits: impl Fn(&str) -> bool) -> Option<&str> {
    let (inside, rest) = line.strip_prefix('[')?.split_once(']')?;
    fits(inside).then(|| rest.strip_prefix(' ').unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Accel, Evidence, booted, is_booted, judge, judge_probe, message, messages};
    use crate::kernel::build::Image;

    const CONSOLE: &str = "[    0.000000] Linux version 7.3.4+ (build@build) (gcc 12.2.0) #7 SMP PREEMPT 2026-11-23\n\
                           [    1.000000] KTAP version 1\n[    1.000000] 1..1\n[    1.000000] ok 1 suite\n";
    const GOOD: Evidence<'_> =
        Evidence { console: CONSOLE, result: Some("kernel: 7\ntxgen guest: done\n"), leaks: None, killed: None };

    #[test]
    fn the_number_of_the_booted_build_is_read_from_the_console() {
        let line = "\u{1b}[2J[    0.000000] Linux version 7.3.4+ (build@build) (gcc (Debian 12.2.0-14+deb12u1) 12.2.0, \
                    GNU ld (GNU Binutils for Debian) 2.40) #14 SMP PREEMPT 2026-11-23\n";
        assert_eq!(booted(&format!("SeaBIOS\n{line}")), Some(14));
        assert_eq!(booted("[    0.000000] Command line: root=/dev/root\n"), None);
    }

    #[test]
    fn another_kernel_than_the_one_built_is_an_error() {
        let image = |number| Image { path: "/b/bzImage".into(), number };
        assert!(is_booted(&image(7), CONSOLE, Path::new("/l")).is_ok());
        assert!(is_booted(&image(8), "", Path::new("/l")).is_ok());
        let error = is_booted(&image(8), CONSOLE, Path::new("/r/console.log")).expect_err("it is #7");
        let expected =
            "the kernel that booted is not the one built: the console says #7, make said #8: see /r/console.log";
        assert_eq!(error.to_string(), expected);
        let silent = CONSOLE.replace("Linux version", "Version");
        let silent = judge(Evidence { console: &silent, ..GOOD });
        assert_eq!(silent.1, ["the console does not say which kernel booted"]);
    }

    #[test]
    fn the_message_of_a_line_is_without_level_time_and_thread() {
        assert_eq!(message("<6>[    1.234567]     ok 1 x"), "    ok 1 x");
        assert_eq!(message("[   12.234567] [   T50] ok"), "ok");
        assert_eq!(message("[   12.234567] [ BUG: Invalid wait context ]"), "[ BUG: Invalid wait context ]");
        assert_eq!(message("plain"), "plain");
    }

    #[test]
    fn a_line_that_two_consoles_write_counts_once() {
        let log = "[    1.0] a\n[    1.0] a\n[    1.1] a\nb\nb\n[    1.1] a\n";
        assert_eq!(messages(log).collect::<Vec<_>>(), [(1, "a"), (3, "a"), (4, "b"), (5, "b"), (6, "a")]);
        let twice = CONSOLE.lines().map(|line| format!("{line}\n{line}\n")).collect::<String>();
        let (suites, problems) = judge(Evidence { console: &twice, ..GOOD });
        assert_eq!((suites.len(), problems), (1, Vec::new()));
    }

    #[test]
    fn a_boot_with_plan_marker_and_no_complaint_is_good() {
        let (suites, problems) = judge(GOOD);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(suites.len(), 1);
    }

    #[test]
    fn a_guest_that_never_ended_is_a_failure() {
        let cut = Evidence { result: Some("kernel: 7\n"), ..GOOD };
        assert_eq!(judge(cut).1, ["the guest's result does not end with \"txgen guest: done\""]);
        let none = Evidence { result: None, killed: Some("did not end within 60 s"), ..GOOD };
        assert_eq!(judge(none).1, ["the guest did not end within 60 s and was killed", "the guest wrote no result",]);
    }

    #[test]
    fn a_leak_is_a_failure() {
        let report = "unreferenced object 0xffff888003a5a800 (size 512):\n  comm \"x\"\n";
        let leaky = Evidence { leaks: Some(report), ..GOOD };
        let expected = ["kmemleak: 1 leaks, the first: unreferenced object 0xffff888003a5a800 (size 512):"];
        assert_eq!(judge(leaky).1, expected);
    }

    #[test]
    fn kvm_counts_only_with_a_kernel_that_booted_to_its_panic() {
        assert_eq!(judge_probe("...\nKernel panic - not syncing: VFS\n", "exit 0"), Accel::Kvm);
        let refused = "qemu-system-x86_64: error: failed to set MSR 0x10a to 0x69\n";
        let expected = "a kernel does not boot under KVM here (killed by signal 6): \
                        qemu-system-x86_64: error: failed to set MSR 0x10a to 0x69";
        assert_eq!(judge_probe(refused, "killed by signal 6"), Accel::Tcg { why: expected.to_owned() });
        let hung = "a kernel does not boot under KVM here (no end within 5 s)";
        assert_eq!(judge_probe("", "no end within 5 s"), Accel::Tcg { why: hung.to_owned() });
    }
}

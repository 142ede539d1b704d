// SPDX-License-Identifier: GPL-2.0
//! Proves that a tree builds, boots and passes its tests, or finds the record that it did.
//!
//! A record stands for a tree, a configuration, a toolchain and a set of tests. Only what passed is recorded, so a
//! failure is shown to be one again each time. What a run leaves is in `$TXGEN_CACHE/runs/ID`.

use std::cell::OnceCell;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::base::Base;
use crate::kernel::build::Image;
use crate::kernel::builder::Builder;
use crate::kernel::config::Config;
use crate::kernel::rust::Rust;
use crate::kernel::worktree::Purpose;
use crate::process::{Run, TimedOut};
use crate::progress::Progress;
use crate::project::Project;
use crate::proof;
use crate::series::{Applied, AppliedPatch};
use crate::vm::guest::Limits;
use crate::vm::ktap::Outcome;
use crate::vm::{self, Accel, Boot, Suite, argv, guest};
use pipeline::{Booter, Maker};
use quick::Quick;

pub mod folder;
mod pipeline;
mod quick;
pub mod recorded;
pub mod scripted;
pub mod selftests;
pub mod show;

/// The kind of the records, and the version of what they hold.
pub const KIND: &str = "boot-2";

/// How many kernels may wait to be booted: where builds take turns, short and long ones, neither waits for the other.
const AHEAD: usize = 2;

/// How long a build may go on after the time in which it had to begin.
const GRACE: Duration = Duration::from_secs(600);

/// A commit to be proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The patch's name, or the base's.
    pub name: String,
    /// Its commit.
    pub commit: String,
    /// Its tree.
    pub tree: String,
}

impl From<&Base> for Subject {
    fn from(base: &Base) -> Self {
        Self { name: base.name.clone(), commit: base.commit.clone(), tree: base.tree.clone() }
    }
}

impl From<&AppliedPatch> for Subject {
    fn from(patch: &AppliedPatch) -> Self {
        Self { name: patch.name.clone(), commit: patch.commit.clone(), tree: patch.tree.clone() }
    }
}

/// What was shown about a tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// The tree.
    pub tree: String,
    /// Name of the configuration.
    pub config: String,
    /// The compiler, the linker and qemu.
    pub toolchain: Vec<String>,
    /// The first errors of a build that failed; empty where it was built.
    pub build_errors: Vec<String>,
    /// make's log.
    pub build_log: PathBuf,
    /// What the boot showed; `None` where there was nothing to boot.
    pub boot: Option<Boot>,
}

/// A proof, and whether it was made now or found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proved {
    /// The patch's name, or the base's.
    pub patch: String,
    /// Its commit.
    pub commit: String,
    /// Whether the record of an earlier run was found.
    pub recorded: bool,
    /// Suites of the base that are missing or fail; filled in by [`compare`].
    pub regressions: Vec<String>,
    /// What was shown.
    pub proof: Proof,
}

impl Proof {
    /// Whether it was built, booted, and nothing was wrong.
    pub fn passed(&self) -> bool {
        self.build_errors.is_empty() && self.boot.as_ref().is_some_and(Boot::passed)
    }
}

impl Proved {
    /// Whether it passed and lost nothing of the base.
    pub fn passed(&self) -> bool {
        self.proof.passed() && self.regressions.is_empty()
    }
}

/// Proves commits of one repository in one configuration, in one build folder.
#[derive(Debug)]
pub struct Prover<'a> {
    project: &'a Project,
    builder: Builder<'a>,
    limits: Limits,
    force: bool,
    boots: u32,
    until: Option<Instant>,
    toolchain: Vec<String>,
    tests: String,
    /// The only suites of KUnit that run, as an argument of the kernel.
    suites: Option<String>,
    quick: Quick,
    accel: Option<Accel>,
}

impl<'a> Prover<'a> {
    /// Finds the tools; a missing one is an error here, before anything is built.
    pub fn new(project: &'a Project, git_dir: &Path, config: Config, limits: Limits, force: bool) -> Result<Self> {
        vm::virtme_ng(project)?;
        let tests = tests(project)?;
        let toolchain = toolchain(project, &config)?;
        let quick = Quick::of(project, &config.name)?;
        Ok(Self {
            project,
            builder: Builder::new(project, git_dir, config, Purpose::Build),
            limits,
            force,
            boots: 1,
            until: None,
            toolchain,
            tests,
            suites: None,
            quick,
            accel: None,
        })
    }

    /// Boots each kernel `boots` times, until one boot fails, for tests that do something else each time. One boot is
    /// what a record stands for, so records are not asked.
    pub fn repeatedly(self, boots: u32) -> Self {
        Self { boots, force: self.force || boots > 1, ..self }
    }

    /// Begins no build after `until`, and gives one up soon after: subjects that come later are not told of.
    pub fn until(mut self, until: Option<Instant>) -> Self {
        self.builder.deadline = until.map(|until| until + GRACE);
        Self { until, ..self }
    }

    /// Runs only the suites of KUnit that `glob` fits; what passes is on record as that alone.
    pub fn only_suites(mut self, glob: &str) -> Self {
        let arg = format!("kunit.filter_glob={glob}");
        self.tests = format!("{}\n{arg}", self.tests);
        self.suites = Some(arg);
        self
    }

    /// Lets make run `jobs` commands at once.
    pub fn jobs(mut self, jobs: Option<NonZeroUsize>) -> Self {
        self.builder.jobs = jobs;
        self
    }

    /// Proves `subjects` one after the other, each booted while the next ones are built, and tells of each as soon as it
    /// is there. Where there is a record (and it is not to be made anew) nothing is built.
    pub fn prove(&mut self, subjects: &[Subject], mut tell: impl FnMut(Proved) -> Result<()>) -> Result<()> {
        let Self { project, builder, accel, until, .. } = self;
        let mut kernel_args = argv::KUNIT_ARGS.to_vec();
        let own = builder.config.boot_args().into_iter().map(str::to_owned).collect::<Vec<_>>();
        kernel_args.extend(own.iter().chain(&self.suites).map(String::as_str));
        let quick = &self.quick;
        let (force, toolchain, tests) = (self.force, &self.toolchain, &self.tests);
        let mut maker = Maker { project, force, toolchain, tests, quick, programs: None };
        let booter =
            Booter { project, boots: self.boots, limits: self.limits, accel, quick, kernel_args: &kernel_args };
        let progress = (subjects.len() > 1).then(|| Progress::start("test", subjects.len() as u64));
        let shown = thread::scope(|scope| {
            // The builder ends where nobody takes its kernels any more.
            let (sender, made) = mpsc::sync_channel(AHEAD);
            scope.spawn(move || {
                for subject in subjects {
                    if until.is_some_and(|until| Instant::now() > until) {
                        return;
                    }
                    let made = maker.make(builder, subject).with_context(|| format!("test {}", subject.name));
                    let late = |error: &anyhow::Error| until.is_some() && error.is::<TimedOut>();
                    if made.as_ref().err().is_some_and(late) {
                        return;
                    }
                    let failed = made.is_err();
                    if sender.send(made).is_err() || failed {
                        return;
                    }
                }
            });
            let mut booter = booter;
            for ((subject, made), done) in subjects.iter().zip(made).zip(0..) {
                progress.iter().for_each(|progress| progress.at(done, &subject.name));
                let proved = booter.finish(subject, made?).with_context(|| format!("test {}", subject.name))?;
                tell(proved)?;
            }
            Ok(())
        });
        progress.into_iter().for_each(|progress| progress.done("ended"));
        shown
    }

    /// What `load` finds, at once or after others are done with the tree, who may be the ones that show it.
    fn recorded<T>(&mut self, load: impl Fn() -> Result<Option<T>>) -> Result<Option<T>> {
        if self.force {
            return Ok(None);
        }
        if let Some(found) = load()? {
            return Ok(Some(found));
        }
        self.builder.take_tree()?;
        load()
    }

    /// The kernel's arguments for a boot with programs of user space.
    fn selftest_args(&self) -> Vec<&str> {
        [argv::SELFTEST_ARGS, &self.builder.config.boot_args()].concat()
    }

    /// The name of the configuration.
    pub fn config(&self) -> &str {
        &self.builder.config.name
    }

    /// What executes guests here, found out at the first boot.
    fn accelerator(&mut self, image: &Image) -> Result<Accel> {
        pipeline::accelerator(&mut self.accel, &image.path)
    }
}

/// The configurations in which each patch of a series is proved.
pub fn configs(applied: &Applied) -> Vec<&'static str> {
    let rust = applied.patches.iter().flat_map(|patch| &patch.files).any(|file| file.ends_with(".rs"));
    if rust { vec!["net", "rust"] } else { vec!["net"] }
}

/// When a boot in a configuration is given up: after `seconds`, where the user says so, and after half of them in silence.
/// The longest that a good boot is silent is a case of KUnit: 370 s of 1800 with KASAN.
pub fn boot_limits(config: &str, seconds: Option<u64>) -> Limits {
    let default = match config {
        "debug" => 1800,
        // lockdep, and an example of each function of the documentation.
        "rust" => 600,
        _ => 180,
    };
    let seconds = seconds.unwrap_or(default);
    Limits { timeout: Duration::from_secs(seconds), silence: Duration::from_secs(seconds.div_ceil(2)) }
}

/// The records that are made with the tools and tests that are here.
#[derive(Debug)]
pub struct Records<'a> {
    project: &'a Project,
    compilers: Vec<String>,
    /// What builds Rust, asked at the first configuration that has any; nothing where it is not here.
    rust: OnceCell<Option<Vec<String>>>,
    tests: String,
}

impl<'a> Records<'a> {
    /// Asks the tools who they are, once; `None` where nothing is on record at all.
    pub fn open(project: &'a Project) -> Result<Option<Self>> {
        if !proof::has_any(project, KIND) {
            return Ok(None);
        }
        Ok(Some(Self { project, compilers: compilers()?, rust: OnceCell::new(), tests: tests(project)? }))
    }

    /// The record that `tree` passed in `config`, if there is one.
    pub fn find(&self, config: &Config, tree: &str) -> Result<Option<Proof>> {
        // Without Rust for the kernel, nothing that was built with it was built with the tools that are here.
        let rust = match Rust::of(self.project, &config.text) {
            Ok(None) => &Some(Vec::new()),
            Ok(Some(rust)) => self.rust.get_or_init(|| rust.versions().ok()),
            Err(_) => return Ok(None),
        };
        let Some(rust) = rust else { return Ok(None) };
        let toolchain = self.compilers.iter().chain(rust).cloned().collect::<Vec<_>>();
        known(self.project, tree, &key(tree, config, &toolchain, &self.tests))
    }
}

/// The record under `key`, which has to say of `tree` that it passed.
fn known(project: &Project, tree: &str, key: &str) -> Result<Option<Proof>> {
    proof::load_where(project, KIND, key, |proof: &Proof| proof.tree == tree && proof.passed())
}

fn key(tree: &str, config: &Config, toolchain: &[String], tests: &str) -> String {
    proof::key(&[tree, &config.name, &config.text, &toolchain.join("\n"), tests].map(str::as_bytes))
}

/// What a boot runs and how: all of it that can change the outcome.
fn tests(project: &Project) -> Result<String> {
    let pins = project.text(&project.vm_tests().join("requirements.txt"))?;
    let (args, size, script) = (argv::KUNIT_ARGS, argv::GUEST_SIZE, guest::script(project)?);
    let quick = quick::key(project)?;
    Ok(format!("judged {}\n{args:?}\n{size:?}\n{script}\n{pins}\n{quick}", vm::JUDGED))
}

/// First lines of what the tools that shape a result say of themselves.
pub(crate) fn toolchain(project: &Project, config: &Config) -> Result<Vec<String>> {
    Ok(compilers()?.into_iter().chain(rust_versions(project, config)?).collect())
}

fn rust_versions(project: &Project, config: &Config) -> Result<Vec<String>> {
    Rust::of(project, &config.text)?.map_or_else(|| Ok(Vec::new()), |rust| rust.versions())
}

/// The tools of every configuration.
fn compilers() -> Result<Vec<String>> {
    let tools = ["gcc", "ld", "qemu-system-x86_64"];
    let first = |tool: &str| -> Result<String> {
        let text = Run::new(tool, ["--version"]).check()?.text();
        match text.lines().next() {
            Some(line) => Ok(line.to_owned()),
            None => bail!("{tool} --version says nothing"),
        }
    };
    tools.into_par_iter().map(first).collect()
}

/// The suites that pass on `base` and are missing or do not pass on `patch`.
pub fn compare(base: &[Suite], patch: &[Suite]) -> Vec<String> {
    let good = |suite: &&Suite| suite.outcome == Outcome::Passed && suite.counts.passed > 0;
    let check = |old: &Suite| match patch.iter().find(|new| new.name == old.name) {
        None => Some(format!("suite {} passes on the base and did not run", old.name)),
        Some(new) if good(&new) => None,
        Some(new) => Some(format!(
            "suite {} passes on the base, here {} passed and {} failed",
            old.name, new.counts.passed, new.counts.failed
        )),
    };
    base.iter().filter(good).filter_map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::compare;
    use crate::vm::Suite;
    use crate::vm::ktap::{Counts, Outcome};

    fn suite(name: &str, passed: u32, failed: u32) -> Suite {
        let outcome = if failed == 0 { Outcome::Passed } else { Outcome::Failed };
        Suite { name: name.into(), outcome, counts: Counts { passed, failed, ..Counts::default() } }
    }

    #[test]
    fn a_suite_of_the_base_that_is_missing_or_fails_is_a_regression() {
        let base = [suite("iov_iter", 17, 0), suite("checksum", 5, 0), suite("flaky", 1, 1), suite("net", 3, 0)];
        let patch = [suite("iov_iter", 17, 0), suite("net", 2, 1), suite("net_txbuf", 9, 0)];
        assert_eq!(
            compare(&base, &patch),
            [
                "suite checksum passes on the base and did not run",
                "suite net passes on the base, here 2 passed and 1 failed",
            ]
        );
    }

    #[test]
    fn a_suite_that_skips_all_its_cases_is_a_regression() {
        let mut skipped = suite("net", 0, 0);
        skipped.counts.skipped = 3;
        assert_eq!(compare(&[suite("net", 3, 0)], &[skipped]).len(), 1);
    }
}

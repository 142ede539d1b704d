// SPDX-License-Identifier: GPL-2.0
//! Proofs that the kernel's own selftests pass on a tree, in a boot of their own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::folder::RunFolder;
use super::{Prover, Subject};
use crate::files;
use crate::kernel::build::{Build, Image};
use crate::project::Project;
use crate::proof;
use crate::selftests::Table;
use crate::selftests::build::{self, Programs};
use crate::selftests::results::{self, Selftest};
use crate::vm::guest::{self, Guest, Left, Limits};
use crate::vm::{self, Accel, argv};

/// The kind of the records, and the version of what they hold.
const KIND: &str = "selftests-2";
/// The seconds a guest may take besides its tests.
const START_AND_END: u64 = 600;
/// The guest's script for them, in vm-tests/.
const SCRIPT: &str = "selftests.sh";
/// The programs, in the folder that the guest shares.
const ARCHIVE: &str = "selftests.tar";

/// What the selftests showed about a tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Selftested {
    /// The tree.
    pub tree: String,
    /// Name of the configuration.
    pub config: String,
    /// The first errors of a kernel that does not build; nothing else was done then.
    pub build_errors: Vec<String>,
    /// What executed the guest.
    pub accel: Option<Accel>,
    /// Seconds from vng's start to its end.
    pub seconds: f64,
    /// How each test went.
    pub tests: Vec<Selftest>,
    /// What makes it a failure besides tests that fail.
    pub problems: Vec<String>,
    /// The folder with the console, the results and the output of each test.
    pub run: PathBuf,
}

/// What the selftests showed, and whether it was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proved {
    /// The patch's name, or the base's.
    pub patch: String,
    /// Its commit.
    pub commit: String,
    /// Whether the record of an earlier run was found.
    pub recorded: bool,
    /// What the base has and it lost; filled in by [`results::compare`].
    pub regressions: Vec<String>,
    /// What was shown.
    pub proof: Selftested,
}

/// The kind of what selftests show in a configuration, beside that of its boots.
pub fn kind(config: &str) -> String {
    format!("{config} selftests")
}

impl Selftested {
    /// Whether it was built and booted and no test failed.
    pub fn passed(&self) -> bool {
        self.build_errors.is_empty() && self.problems.is_empty() && !self.tests.iter().any(Selftest::failed)
    }
}

impl Proved {
    /// Whether it passed and lost nothing of the base.
    pub fn passed(&self) -> bool {
        self.proof.passed() && self.regressions.is_empty()
    }
}

impl Prover<'_> {
    /// The record for the selftests of `subject` if there is one, else a build and a boot with them.
    pub fn selftest(&mut self, subject: &Subject, table: &Table) -> Result<Proved> {
        let key = self.selftest_key(subject, table)?;
        let project = self.project;
        let fits = |found: &Selftested| found.tree == subject.tree && found.passed();
        let found = self.recorded(|| proof::load_where(project, KIND, &key, fits))?;
        let recorded = found.is_some();
        let proof = match found {
            Some(proof) => proof,
            None => self.run_selftests(subject, table, &key).with_context(|| format!("test {}", subject.name))?,
        };
        if !recorded && proof.passed() {
            proof::store(self.project, KIND, &key, &proof)?;
        }
        let (patch, commit) = (subject.name.clone(), subject.commit.clone());
        Ok(Proved { patch, commit, recorded, regressions: Vec::new(), proof })
    }

    /// A key over the table, the project's own tests, the script, and all that a boot's outcome hangs on.
    fn selftest_key(&self, subject: &Subject, table: &Table) -> Result<String> {
        let own = build::own_sources(self.project, table)?;
        let table = serde_json::to_string(table).context("serialise the table of selftests")?;
        let args = argv::SELFTEST_ARGS.join(" ");
        let script = script(self.project)?;
        let parts = [
            subject.tree.as_str(),
            &self.builder.config.name,
            &self.builder.config.text,
            &self.toolchain.join("\n"),
            &self.tests,
            &table,
            &args,
            &script,
            &own,
        ];
        Ok(proof::key(&parts.map(str::as_bytes)))
    }

    fn run_selftests(&mut self, subject: &Subject, table: &Table, key: &str) -> Result<Selftested> {
        table.require_programs()?;
        let taken = RunFolder::take(self.project, key)?;
        let run = taken.dir.clone();
        taken.begin()?;
        let (folder, built) = self.builder.build(&subject.name, &subject.commit, &run.join("build.log"))?;
        let mut shown = Selftested {
            tree: subject.tree.clone(),
            config: self.builder.config.name.clone(),
            build_errors: Vec::new(),
            accel: None,
            seconds: 0.0,
            tests: Vec::new(),
            problems: Vec::new(),
            run,
        };
        let image = match built {
            Build::Built(image) => image,
            Build::Failed(build_errors) => return Ok(Selftested { build_errors, ..shown }),
        };
        let programs = build::build(self.project, &folder, table, &shown.run.join("selftests-build.log"))?;
        let accel = self.accelerator(&image)?;
        let (left, ktap) = self.boot_selftests(&image, &accel, table, &programs, &shown.run)?;
        let (tests, problems) = results::read(table, &programs.absent, ktap.as_deref());
        shown.problems = vm::complaints(left.evidence());
        shown.problems.extend(programs.errors.into_iter().map(|error| format!("does not build: {error}")));
        shown.problems.extend(problems);
        taken.end(&shown.tree, &kind(&shown.config), left.seconds)?;
        Ok(Selftested { accel: Some(accel), seconds: left.seconds, tests, ..shown })
    }

    /// Boots `image` with the programs; what the guest left, and its KTAP.
    fn boot_selftests(
        &self,
        image: &Image,
        accel: &Accel,
        table: &Table,
        programs: &Programs,
        run: &Path,
    ) -> Result<(Left, Option<String>)> {
        let slower = slower(&self.builder.config.name);
        let plan = table.plan(&programs.absent, slower);
        let shared = guest::share(self.project, run)?;
        give(self.project, &shared, &plan, programs)?;
        let limits = Limits {
            timeout: Duration::from_secs(START_AND_END + table.longest(slower)),
            // A test says nothing before its end; its time is measured in the guest.
            silence: Duration::from_secs(START_AND_END + table.longest_of_one(slower)),
        };
        let results = plan.lines().count() as u64;
        let kernel_args = &self.selftest_args();
        let guest = Guest { image, accel, kernel_args, shared: &shared, limits, results };
        let left = guest::start(self.project, guest)?;
        Ok((left, taken(&shared)?))
    }
}

/// How much more time tests get in a configuration.
pub(super) fn slower(config: &str) -> u32 {
    if config == "debug" { 5 } else { 1 }
}

pub(super) fn script(project: &Project) -> Result<String> {
    project.text(&project.vm_tests().join(SCRIPT))
}

/// Puts what the guest's script runs by `plan` into the folder that the guest shares.
pub(super) fn give(project: &Project, shared: &Path, plan: &str, programs: &Programs) -> Result<()> {
    files::write_atomic(&shared.join(SCRIPT), script(project)?.as_bytes())?;
    files::write_atomic(&shared.join("selftests.plan"), plan.as_bytes())?;
    let archive = shared.join(ARCHIVE);
    std::fs::copy(&programs.archive, &archive).with_context(|| format!("copy to {}", archive.display()))?;
    Ok(())
}

/// What the guest's script left of what it was given: its KTAP; the programs are removed.
pub(super) fn taken(shared: &Path) -> Result<Option<String>> {
    files::remove_file(&shared.join(ARCHIVE))?;
    guest::read_optional(&shared.join(guest::RESULTS))
}

/// The tests of `series` in the table that are not in the tree of its last patch, which has to bring them.
pub fn not_brought(series: &str, tests: &[Selftest]) -> Vec<String> {
    let missing = |test: &&Selftest| test.outcome.is_none() && test.series.as_deref() == Some(series);
    tests
        .iter()
        .filter(missing)
        .map(|test| format!("selftest {}: series {series} does not bring it", test.name))
        .collect()
}

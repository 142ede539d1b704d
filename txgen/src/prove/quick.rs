// SPDX-License-Identifier: GPL-2.0
//! The selftests that run in each boot, after KUnit's suites: those of vm-tests/selftests.toml that are `quick`.

use std::path::Path;

use anyhow::{Context, Result};

use super::selftests::{give, script, slower, taken};
use crate::files;
use crate::kernel::build::Folder;
use crate::project::Project;
use crate::selftests::build::{self, Programs};
use crate::selftests::results::{self, Selftest};
use crate::selftests::{self, Table};
use crate::vm::Suite;
use crate::vm::ktap::{Counts, Outcome};

/// Them, for one configuration.
#[derive(Debug)]
pub(super) struct Quick {
    table: Table,
    slower: u32,
}

/// Programs that were built, and what from.
#[derive(Debug)]
pub(super) struct Built {
    from: Option<String>,
    programs: Programs,
}

impl Quick {
    /// The tests for configuration `config`; where there are any their programs have to be here.
    pub(super) fn of(project: &Project, config: &str) -> Result<Self> {
        let table = selftests::load(project)?.quick(config);
        if !table.folder.is_empty() {
            table.require_programs()?;
        }
        Ok(Self { table, slower: slower(config) })
    }

    /// Builds the programs from the tree that `kernel` was built of, unless those of the `last` tree are the same, and
    /// leaves them in the folder `run`; `None` where there is no test that the tree has.
    pub(super) fn build(
        &self,
        project: &Project,
        kernel: &Folder,
        run: &Path,
        last: &mut Option<Built>,
    ) -> Result<Option<Programs>> {
        if self.table.folder.is_empty() {
            return Ok(None);
        }
        let log = run.join("selftests-build.log");
        let from = build::built_from(kernel, &self.table)?;
        let programs = match last {
            Some(last) if from.is_some() && last.from == from => {
                files::write_atomic(&log, b"nothing that they are built from differs from the tree before\n")?;
                last.programs.clone()
            }
            _ => {
                let programs = build::build(project, kernel, &self.table, &log)?;
                *last = Some(Built { from, programs: programs.clone() });
                programs
            }
        };
        if self.plan(&programs).is_empty() {
            return Ok(None);
        }
        // The next tree's are built in the same place.
        let archive = run.join("selftests.tar");
        std::fs::copy(&programs.archive, &archive).with_context(|| format!("copy to {}", archive.display()))?;
        Ok(Some(Programs { archive, ..programs }))
    }

    /// Puts the tests into the folder that the guest shares.
    pub(super) fn give(&self, project: &Project, shared: &Path, programs: &Programs) -> Result<()> {
        give(project, shared, &self.plan(programs), programs)
    }

    /// What the guest left of them in the folder that it shares: each as a suite, and what is wrong.
    pub(super) fn read(&self, shared: &Path, programs: &Programs) -> Result<(Vec<Suite>, Vec<String>)> {
        let (tests, mut problems) = results::read(&self.table, &programs.absent, taken(shared)?.as_deref());
        problems.extend(programs.errors.iter().map(|error| format!("does not build: {error}")));
        let failed = tests.iter().filter(|test| test.outcome == Some(Outcome::Failed));
        problems.extend(failed.map(|test| format!("failed: selftest {}: {}", test.name, test.notes.join("; "))));
        Ok((tests.iter().filter_map(suite).collect(), problems))
    }

    fn plan(&self, programs: &Programs) -> String {
        self.table.plan(&programs.absent, self.slower)
    }
}

/// All of the quick tests that can change what a boot shows; nothing where there are none.
pub(super) fn key(project: &Project) -> Result<String> {
    let all = selftests::load(project)?;
    let table = all.only(|test| test.quick);
    if table.folder.is_empty() {
        return Ok(String::new());
    }
    let text = serde_json::to_string(&table).context("serialise the table of selftests")?;
    Ok(format!("{text}\n{}\n{}", script(project)?, build::own_sources(project, &table)?))
}

/// A test as a suite, with its cases or, where it tells of none, itself; `None` where the tree does not have it.
fn suite(test: &Selftest) -> Option<Suite> {
    let outcome = test.outcome?;
    let one = |kind| if test.cases.is_empty() { u32::from(outcome == kind) } else { test.count(kind) as u32 };
    let counts = Counts {
        passed: one(Outcome::Passed),
        failed: one(Outcome::Failed),
        skipped: one(Outcome::Skipped),
        expected_failures: one(Outcome::ExpectedFailure),
    };
    Some(Suite { name: format!("selftest {}", test.name), outcome, counts })
}

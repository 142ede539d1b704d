// SPDX-License-Identifier: GPL-2.0
//! A script of the user's run in a guest of its own: the test of a bisection.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::folder::RunFolder;
use super::{Prover, Subject};
use crate::files;
use crate::kernel::build::Build;
use crate::proof;
use crate::vm::guest::{self, Guest};
use crate::vm::{self, argv};

/// The kind of the records, and the version of what they hold.
const KIND: &str = "script-2";
/// The name under which the guest's script looks for more to run.
const NAME: &str = "selftests.sh";
/// What the guest's script says of it, before its exit code.
const EXIT: &str = "selftests: exit ";

/// What a script showed about a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scripted {
    /// Everything that makes it a failure; empty where the kernel was built and booted and the script exited with 0.
    pub problems: Vec<String>,
    /// The console, or make's log where the kernel does not build.
    pub log: PathBuf,
}

impl Prover<'_> {
    /// The record that `script` passed on `subject`, if there is one, else a build and a boot with it.
    pub fn scripted(&mut self, subject: &Subject, script: &Path) -> Result<Scripted> {
        let text = files::read(script)?;
        let config = &self.builder.config;
        let toolchain = self.toolchain.join("\n");
        let parts = [subject.tree.as_str(), &config.name, &config.text, &toolchain, &self.tests, &text];
        let key = proof::key(&parts.map(str::as_bytes));
        let project = self.project;
        let load = || proof::load_where(project, KIND, &key, |found: &Scripted| found.problems.is_empty());
        if let Some(found) = self.recorded(load)? {
            return Ok(found);
        }
        let shown = self.run_script(subject, &text, &key).with_context(|| format!("test {}", subject.name))?;
        if shown.problems.is_empty() {
            proof::store(self.project, KIND, &key, &shown)?;
        }
        Ok(shown)
    }

    fn run_script(&mut self, subject: &Subject, text: &str, key: &str) -> Result<Scripted> {
        let run = RunFolder::take(self.project, key)?;
        let log = run.dir.join("build.log");
        let (folder, built) = self.builder.build(&subject.name, &subject.commit, &log)?;
        if let Build::Failed(problems) = built {
            return Ok(Scripted { problems, log });
        }
        let image = folder.image();
        let accel = self.accelerator(&image)?;
        let shared = guest::share(self.project, &run.dir)?;
        files::write_atomic(&shared.join(NAME), text.as_bytes())?;
        let (kernel_args, timeout) = (argv::SELFTEST_ARGS, self.timeout);
        let guest = Guest { image: &image, accel: &accel, kernel_args, shared: &shared, timeout, results: 0 };
        let left = guest::start(self.project, guest)?;
        let evidence = left.evidence();
        let mut problems = vm::complaints(evidence);
        let exit = evidence.result.unwrap_or_default().lines().find_map(|line| line.strip_prefix(EXIT));
        match exit {
            Some("0") => {}
            Some(code) => problems.push(format!("the script exits with {code}")),
            None => problems.push("the script did not come to its end".to_owned()),
        }
        Ok(Scripted { problems, log: left.log })
    }
}

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
use crate::vm;
use crate::vm::guest::{self, Guest, Limits};
use crate::vm::ktap::{self, Ktap, Test};

/// The kind of the records, and the version of what they hold.
const KIND: &str = "script-3";
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
        let (_, built) = self.builder.build(&subject.name, &subject.commit, &log)?;
        let image = match built {
            Build::Built(image) => image,
            Build::Failed(problems) => return Ok(Scripted { problems, log }),
        };
        let accel = self.accelerator(&image)?;
        let shared = guest::share(self.project, &run.dir)?;
        files::write_atomic(&shared.join(NAME), text.as_bytes())?;
        // A script may say nothing before its end.
        let limits = Limits { silence: self.limits.timeout, ..self.limits };
        let kernel_args = &self.selftest_args();
        let guest = Guest { image: &image, accel: &accel, kernel_args, shared: &shared, limits, results: 0 };
        let left = guest::start(self.project, guest)?;
        let evidence = left.evidence();
        let mut problems = vm::complaints(evidence);
        problems.extend(said(evidence.result.unwrap_or_default()));
        Ok(Scripted { problems, log: left.log })
    }
}

/// What is wrong with the end of a script and with what it printed. Where that is KTAP its plan has to be kept: a script
/// that stops half-way may still exit with 0.
fn said(result: &str) -> Vec<String> {
    let mut problems = Vec::new();
    match result.lines().find_map(|line| line.strip_prefix(EXIT)) {
        Some("0") => {}
        Some(code) => problems.push(format!("the script exits with {code}")),
        None => problems.push("the script did not come to its end".to_owned()),
    }
    if ktap::is_spoken(result) {
        let Ktap { tests, problems: broken } = ktap::parse(result);
        problems.extend(broken.into_iter().map(|problem| format!("the script's output: {problem}")));
        problems.extend(tests.iter().flat_map(Test::failures).map(|name| format!("failed: {name}")));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::said;

    fn told(output: &str) -> Vec<String> {
        said(&format!("kernel: 7\n{output}selftests: exit 0\ntxgen guest: done\n"))
    }

    #[test]
    fn a_script_without_ktap_is_judged_by_its_exit_code() {
        assert_eq!(told("sent 3 bytes\nok\n"), [""; 0]);
        assert_eq!(said("selftests: exit 7\n"), ["the script exits with 7"]);
        assert_eq!(said("kernel: 7\n"), ["the script did not come to its end"]);
    }

    #[test]
    fn a_script_that_prints_ktap_has_to_keep_its_plan() {
        assert_eq!(told("TAP version 13\n1..2\nok 1 send\nok 2 receive\n"), [""; 0]);
        let half = told("TAP version 13\n1..2\nok 1 send\n");
        assert_eq!(half, ["the script's output: line 6: the log planned 2 tests and ran 1"]);
        let failed = told("TAP version 13\n1..1\nnot ok 1 send\n");
        assert_eq!(failed, ["failed: send"]);
    }

    #[test]
    fn a_script_that_prints_ktap_without_a_plan_fails_although_it_exits_with_0() {
        assert_eq!(told("KTAP version 1\nok 1 send\n"), ["the script's output: line 2: the log has no plan"]);
        let none = ["the script's output: no test results: the log has no KTAP header with a plan"];
        assert_eq!(told("ok 1 send\nnot ok 2 receive\n"), none);
    }
}

// SPDX-License-Identifier: GPL-2.0
//! What a series costs, in counts: executed kernel instructions, calls, locked instructions and sizes of the base and of
//! the series, never seconds.
//!
//! A guest that only sends (vm-tests/bench) is emulated with a plugin that counts. What a kernel came to is recorded
//! for its tree, configuration, toolchain and the sources of guest and plugin: it is the same each time.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::files;
use crate::git::Repo;
use crate::kernel::builder::Builder;
use crate::kernel::config::Config;
use crate::kernel::worktree::Purpose;
use crate::project::Project;
use crate::proof;
use crate::prove::{self, Subject};

pub mod aggregate;
pub mod bloat;
pub mod boot;
pub mod counts;
pub mod guest;
pub mod kernel;
pub mod programs;
pub mod show;
pub mod symbols;

use aggregate::Measurement;
use bloat::Bloat;
use kernel::Kernel;
use programs::Programs;
use symbols::Symbols;

/// The configuration that is counted.
pub const CONFIG: &str = "bench";
/// The kind of the records, and the version of what they hold.
const KIND: &str = "bench-3";

/// What one kernel came to, as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    scenarios: Vec<Measurement>,
}

/// What one kernel came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// The base's name, the series', or several series joined by ` + `.
    pub kernel: String,
    /// Its tree, 40 hex digits.
    pub tree: String,
    /// Sizes against the first kernel's; `None` for that.
    pub bloat: Option<Bloat>,
    /// The scenarios, in the order they ran.
    pub scenarios: Vec<Measurement>,
}

/// Everything that was counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The txgen command that makes it.
    pub command: String,
    /// The emulator's command, with file names in place of paths.
    pub emulator: String,
    /// The compiler, the linker and qemu.
    pub toolchain: Vec<String>,
    /// The kernels, the base first.
    pub kernels: Vec<Counted>,
}

/// Counts kernels of one repository.
#[derive(Debug)]
pub struct Bench<'a> {
    project: &'a Project,
    git_dir: PathBuf,
    config: Config,
    toolchain: Vec<String>,
    programs: Programs,
    scenarios: Vec<String>,
    timeout: Duration,
    force: bool,
}

impl<'a> Bench<'a> {
    /// Builds plugin and guest; what is missing for that is an error here, before any kernel is built. `scenarios` are
    /// the ones to count, all of them for none.
    pub fn new(
        project: &'a Project,
        git_dir: PathBuf,
        config: Config,
        scenarios: &[String],
        timeout: Duration,
        force: bool,
    ) -> Result<Self> {
        let toolchain = prove::toolchain(project, &config)?;
        let programs = programs::build(project)?;
        let scenarios = select(&able(&programs.scenarios, &config), scenarios)?;
        Ok(Self { project, git_dir, config, toolchain, programs, scenarios, timeout, force })
    }

    /// Counts all of `subjects`, the base first.
    pub fn count(&self, subjects: &[Subject], command: &str) -> Result<Report> {
        let repo = Repo::open(&self.git_dir)?;
        let mut builder = Builder::new(self.project, &self.git_dir, self.config.clone(), Purpose::Bench);
        let mut first = None::<(Kernel, &Subject)>;
        let mut kernels = Vec::new();
        for subject in subjects {
            let run = self.run_folder(subject);
            let kernel = kernel::built(&mut builder, subject, &run)?;
            let scenarios = self.record(subject, &kernel)?.scenarios;
            let bloat = match &first {
                Some((base, of)) => Some(bloat::compare(&repo, &of.tree, &base.vmlinux, &kernel.vmlinux)?),
                None => None,
            };
            first.get_or_insert((kernel, subject));
            kernels.push(Counted { kernel: subject.name.clone(), tree: subject.tree.clone(), bloat, scenarios });
        }
        let (command, emulator) = (command.to_owned(), boot::told(&self.chosen()));
        Ok(Report { command, emulator, toolchain: self.toolchain.clone(), kernels })
    }

    /// The folder for the kernel of `subject` and what its boot leaves.
    fn run_folder(&self, subject: &Subject) -> PathBuf {
        self.project.cache.join("runs").join(format!("bench-{}", &self.key(subject, &[])[..16]))
    }

    /// A key over what makes the kernel of `subject`, and over `more`.
    fn key(&self, subject: &Subject, more: &[&str]) -> String {
        let toolchain = self.toolchain.join("\n");
        let kernel = [subject.tree.as_str(), &self.config.text, &toolchain];
        proof::key(&kernel.iter().chain(more).map(|part| part.as_bytes()).collect::<Vec<_>>())
    }

    /// The scenarios as the guest gets them: none stands for all.
    fn chosen(&self) -> Vec<String> {
        if self.scenarios == self.programs.scenarios { Vec::new() } else { self.scenarios.clone() }
    }

    fn record(&self, subject: &Subject, kernel: &Kernel) -> Result<Record> {
        let key = self.key(subject, &[&self.programs.key, &boot::told(&self.chosen())]);
        if !self.force
            && let Some(found) = proof::load(self.project, KIND, &key)?
        {
            crate::output::eprintln!("count {}: recorded", subject.name);
            return Ok(found);
        }
        let run = self.run_folder(subject);
        let symbols = Symbols::parse(&files::read(&kernel.map)?)?;
        let of = (&kernel.image, &symbols);
        let (told, regions) = boot::run(&subject.name, of, &self.programs, &self.chosen(), &run, self.timeout)?;
        let names = told.iter().map(|scenario| scenario.name.as_str()).collect::<Vec<_>>();
        if names != self.scenarios {
            bail!("{}: the guest ran {} and not {}", subject.name, names.join(", "), self.scenarios.join(", "));
        }
        let scenarios = aggregate::measure(&told, &regions, &symbols).with_context(|| subject.name.clone())?;
        let record = Record { scenarios };
        proof::store(self.project, KIND, &key, &record)?;
        Ok(record)
    }
}

/// Those of `all` scenarios that a kernel of this configuration can run.
fn able(all: &[String], config: &Config) -> Vec<String> {
    let rxrpc = config.text.lines().any(|line| line == "CONFIG_AF_RXRPC=y");
    all.iter().filter(|name| rxrpc || !name.starts_with("rxrpc-")).cloned().collect()
}

/// The scenarios that `names` name, in the guest's order; all for none.
fn select(all: &[String], names: &[String]) -> Result<Vec<String>> {
    if let Some(name) = names.iter().find(|name| !all.contains(name)) {
        bail!("there is no scenario {name}; there are {}", all.join(", "));
    }
    Ok(all.iter().filter(|name| names.is_empty() || names.contains(name)).cloned().collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Config, able, select};

    #[test]
    fn a_kernel_without_rxrpc_is_not_asked_to_send_with_it() {
        let all = ["udp-1400-thp", "rxrpc-call"].map(str::to_owned).to_vec();
        let config = |text: &str| Config { name: "bench".into(), text: text.into(), brought: BTreeMap::new() };
        assert_eq!(able(&all, &config("CONFIG_AF_RXRPC=n\n")), ["udp-1400-thp"]);
        assert_eq!(able(&all, &config("CONFIG_AF_RXRPC=y\n")), all);
    }

    #[test]
    fn scenarios_are_in_the_order_the_guest_runs_them() {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let all = owned(&["udp-1400-thp", "tcp-1400-thp", "tcp-rr-1"]);
        assert_eq!(select(&all, &[]).unwrap(), all);
        assert_eq!(select(&all, &owned(&["tcp-rr-1", "udp-1400-thp"])).unwrap(), owned(&["udp-1400-thp", "tcp-rr-1"]));
        let error = select(&all, &owned(&["udp"])).expect_err("it is no scenario");
        assert_eq!(error.to_string(), "there is no scenario udp; there are udp-1400-thp, tcp-1400-thp, tcp-rr-1");
    }
}

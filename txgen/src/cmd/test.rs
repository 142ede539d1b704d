// SPDX-License-Identifier: GPL-2.0
//! `txgen test`: builds and boots a series.

use std::num::NonZeroUsize;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use super::which::Which;
use crate::error::Exit;
use crate::kernel::config;
use crate::progress::printing;
use crate::project::Project;
use crate::prove::{self, Prover, Subject, show};
use crate::selftests::{self, Table, results};
use crate::series::{Applied, AppliedPatch};
use crate::shard::Shard;
use crate::vm::Suite;

const EXAMPLES: &str = "Examples:
  txgen test zerocopy --tip
  txgen test zerocopy --all --against-base
  txgen test zerocopy --full
  txgen test zerocopy --all --shard 2/4 --json
  txgen test zerocopy --patch txbuf --config debug
  txgen test zerocopy --tip --tree ~/src/linux --base v7.3 --json
  txgen test zerocopy --tip --selftests --against-base
  txgen test zerocopy --tip --boots 25
  txgen test zerocopy --base-only --selftests=tls,msg_zerocopy

A tree that passed is recorded with its configuration, toolchain and tests, and is not run again.";

/// Builds and boots a series in virtme-ng with its tests.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group(clap::ArgGroup::new("patches").required(true).args(["tip", "all", "full", "patch", "base_only"])))]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Test the last patch
    #[arg(long)]
    tip: bool,
    /// Test every patch, first to last, in one build folder
    #[arg(long)]
    all: bool,
    /// With --all, test only part K of N of the patches: neighbours, as many as in any other part or one more or less
    #[arg(long, value_name = "K/N", requires = "all")]
    shard: Option<Shard>,
    /// Test every patch (with Rust, too, where the series has any), then the last one with all selftests and in the debug
    /// configuration: what there is to be shown before a posting
    #[arg(long, conflicts_with_all = ["config", "selftests"])]
    full: bool,
    /// Test this patch
    #[arg(long, value_name = "PATCH")]
    patch: Option<String>,
    /// Test the base alone
    #[arg(long)]
    base_only: bool,
    /// Kernel configuration of vm-tests/
    #[arg(long, value_name = "CONFIG", default_value = "net", value_parser = config::names())]
    config: String,
    /// Also run the kernel's own selftests of vm-tests/selftests.toml, in a boot of their own; those whose names start
    /// with one of NAMES, if there are any
    #[arg(long, value_name = "NAMES", num_args = 0.., require_equals = true, value_delimiter = ',')]
    selftests: Option<Vec<String>>,
    /// Also test the base: what passes there has to pass on each patch
    #[arg(long)]
    against_base: bool,
    /// Seconds a boot with KUnit may take [default: 180, of rust 600, of debug 1800], and half of it without a word;
    /// selftests have times of their own
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=86400))]
    timeout: Option<u64>,
    /// Commands that make may run at once [default: one a processor]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Boot each kernel this often, recorded or not: tests that draw random numbers take other ones each time
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    boots: u32,
    /// Build and boot again what is recorded as passed
    #[arg(long)]
    force: bool,
    /// Sign each commit off, as `txgen apply --signoff` does (trees, and so records, are the same)
    #[arg(long)]
    signoff: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `txgen test`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let (_, applied) = args.which.apply(project, args.signoff)?;
    let rounds = rounds(&applied, args)?;
    // What is missing for the last of them is said before the first.
    let provers = rounds.iter().map(|round| round.prover(project, &applied, args)).collect::<Result<Vec<_>>>()?;
    let tables = rounds.iter().map(|round| round.table(project, &applied)).collect::<Result<Vec<_>>>()?;
    let mut session = Session { args, applied: &applied, base: None, shown: Shown::default() };
    for ((round, prover), table) in rounds.iter().zip(provers).zip(tables) {
        session.test(prover, &round.subjects, table.as_ref())?;
    }
    if args.json {
        let selftests = rounds.iter().any(|round| round.selftests.is_some());
        crate::output::println!("{}", session.shown.json(selftests)?);
    }
    Ok(if session.shown.passed() { Exit::Good } else { Exit::Findings })
}

/// A pass over patches in one configuration.
struct Round<'a> {
    config: &'a str,
    subjects: Vec<Subject>,
    /// The starts of the selftests' names; `None` for none of them.
    selftests: Option<&'a [String]>,
}

impl Round<'_> {
    /// A prover, with whatever it takes found; nothing is built yet.
    fn prover<'p>(&self, project: &'p Project, applied: &Applied, args: &Args) -> Result<Prover<'p>> {
        let config = config::load(project, self.config, &applied.stack())?;
        let limits = prove::boot_limits(self.config, args.timeout);
        let prover = Prover::new(project, &applied.git_dir, config, limits, args.force)?;
        Ok(prover.jobs(args.jobs).repeatedly(args.boots))
    }

    fn table(&self, project: &Project, applied: &Applied) -> Result<Option<Table>> {
        let on_base = |names| selftests::load(project)?.select(names)?.on(&applied.base.name, self.config);
        self.selftests.map(on_base).transpose()
    }
}

/// The passes that the options ask for.
fn rounds<'a>(applied: &Applied, args: &'a Args) -> Result<Vec<Round<'a>>> {
    let mut subjects = select(applied, args)?;
    let tip = subjects.last().cloned();
    let mut rounds = Vec::new();
    if args.full {
        for config in prove::configs(applied) {
            rounds.push(Round { config, subjects: subjects.clone(), selftests: None });
        }
        subjects = tip.into_iter().collect();
        rounds.push(Round { config: "net", subjects: subjects.clone(), selftests: Some(&[]) });
        rounds.push(Round { config: "debug", subjects, selftests: None });
    } else {
        rounds.push(Round { config: &args.config, subjects, selftests: args.selftests.as_deref() });
    }
    if args.against_base || args.base_only {
        rounds.iter_mut().for_each(|round| round.subjects.insert(0, Subject::from(&applied.base)));
    }
    Ok(rounds)
}

/// What was shown, the base first where it was tested.
#[derive(Debug, Default)]
struct Shown {
    boots: Vec<prove::Proved>,
    selftests: Vec<prove::selftests::Proved>,
}

impl Shown {
    fn passed(&self) -> bool {
        self.boots.iter().all(prove::Proved::passed) && self.selftests.iter().all(prove::selftests::Proved::passed)
    }

    fn json(&self, selftests: bool) -> Result<String> {
        let both = json!({"boots": self.boots, "selftests": self.selftests});
        let text =
            if selftests { serde_json::to_string_pretty(&both) } else { serde_json::to_string_pretty(&self.boots) };
        text.context("write the result as JSON")
    }
}

/// A run of the command: what it tests and what it has shown.
struct Session<'a> {
    args: &'a Args,
    applied: &'a Applied,
    /// What the base showed in this pass, to compare with: where it is in `shown`.
    base: Option<(usize, usize)>,
    shown: Shown,
}

impl Session<'_> {
    /// Tests commits and prints each result as soon as it is there.
    fn test(&mut self, mut prover: Prover<'_>, subjects: &[Subject], table: Option<&Table>) -> Result<()> {
        self.base = self.args.against_base.then_some((self.shown.boots.len(), self.shown.selftests.len()));
        let Some(table) = table else {
            return prover.prove(subjects, |boot| self.booted(boot));
        };
        // Selftests are built of the tree that is checked out: no other kernel can be built meanwhile.
        for subject in subjects {
            prover.prove(std::slice::from_ref(subject), |boot| self.booted(boot))?;
            let tested = prover.selftest(subject, table)?;
            self.selftested(subject, tested)?;
        }
        Ok(())
    }

    fn booted(&mut self, mut boot: prove::Proved) -> Result<()> {
        let is_base = self.base.is_some_and(|(at, _)| at == self.shown.boots.len());
        ensure!(!is_base || boot.proof.boot.is_some(), "the base does not build, so there is nothing to compare with");
        if let Some(base) = self.base.and_then(|(at, _)| self.shown.boots.get(at)) {
            boot.regressions = prove::compare(suites(base), suites(&boot));
        }
        self.print(&show::text(&boot)?);
        self.shown.boots.push(boot);
        Ok(())
    }

    fn selftested(&mut self, subject: &Subject, mut tested: prove::selftests::Proved) -> Result<()> {
        if let Some(base) = self.base.and_then(|(_, at)| self.shown.selftests.get(at)) {
            tested.regressions = results::compare(&base.proof.tests, &tested.proof.tests);
        }
        if self.applied.patches.last().is_some_and(|tip| tip.commit == subject.commit) {
            let missing = prove::selftests::not_brought(&self.applied.name, &tested.proof.tests);
            tested.regressions.extend(missing);
        }
        self.print(&show::selftests::text(&tested)?);
        self.shown.selftests.push(tested);
        Ok(())
    }

    fn print(&self, text: &str) {
        if !self.args.json {
            printing(|| crate::output::print!("{text}"));
        }
    }
}

fn suites(proved: &prove::Proved) -> &[Suite] {
    proved.proof.boot.as_ref().map(|boot| boot.suites.as_slice()).unwrap_or_default()
}

/// The patches that the options name.
fn select(applied: &Applied, args: &Args) -> Result<Vec<Subject>> {
    if args.base_only {
        return Ok(Vec::new());
    }
    let Some(last) = applied.patches.last() else { bail!("series {} has no patch", applied.name) };
    let chosen = |patch: &&AppliedPatch| match &args.patch {
        Some(name) => patch.name == *name,
        None => args.all || args.full || patch.commit == last.commit,
    };
    let part = args.shard.map_or(applied.patches.as_slice(), |shard| shard.of(&applied.patches));
    let subjects = part.iter().filter(chosen).map(Subject::from).collect::<Vec<_>>();
    if let (true, Some(name)) = (subjects.is_empty(), &args.patch) {
        let names = applied.patches.iter().map(|patch| patch.name.as_str()).collect::<Vec<_>>().join(", ");
        bail!("series {} has no patch {name}; it has {names}", applied.name);
    }
    Ok(subjects)
}

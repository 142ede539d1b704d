// SPDX-License-Identifier: GPL-2.0
//! `txgen test`: builds and boots a series.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::which::Which;
use crate::base::Base;
use crate::error::Exit;
use crate::kernel::config;
use crate::project::Project;
use crate::prove::{self, Prover, Subject, show};
use crate::series::{Applied, AppliedPatch};

const EXAMPLES: &str = "Examples:
  txgen test zerocopy --tip
  txgen test zerocopy --all --against-base
  txgen test zerocopy --patch txbuf --config debug
  txgen test zerocopy --tip --tree ~/src/linux --base v7.3 --json

A tree that passed is recorded with its configuration, toolchain and tests, and is not run again.";

/// Builds and boots a series in virtme-ng with its tests.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group(clap::ArgGroup::new("patches").required(true).args(["tip", "all", "patch"])))]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Test the last patch
    #[arg(long)]
    tip: bool,
    /// Test every patch, first to last, in one build folder
    #[arg(long)]
    all: bool,
    /// Test this patch
    #[arg(long, value_name = "PATCH")]
    patch: Option<String>,
    /// Kernel configuration of vm-tests/
    #[arg(long, value_name = "CONFIG", default_value = "net", value_parser = config::names())]
    config: String,
    /// Also test the base: a suite that passes there has to pass on each patch
    #[arg(long)]
    against_base: bool,
    /// Seconds a boot may take [default: 180, with --config debug 1800]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=86400))]
    timeout: Option<u64>,
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
    let config = config::load(project, &args.config)?;
    let seconds = args.timeout.unwrap_or(if args.config == "debug" { 1800 } else { 180 });
    let (_, applied) = args.which.apply(project, args.signoff)?;
    let subjects = select(&applied, args)?;
    let mut prover = Prover::new(project, &applied.git_dir, config, Duration::from_secs(seconds), args.force)?;
    let mut all = Vec::new();
    let mut expected = Vec::new();
    if args.against_base {
        let Base { name, commit, tree, .. } = applied.base.clone();
        let base = prover.prove(&Subject { name, commit, tree })?;
        let Some(boot) = &base.proof.boot else {
            bail!("the base does not build:\n{}", show::text(&base)?);
        };
        expected.clone_from(&boot.suites);
        print(args, &base)?;
        all.push(base);
    }
    for subject in &subjects {
        let mut proved = prover.prove(subject)?;
        let suites = proved.proof.boot.as_ref().map(|boot| boot.suites.as_slice()).unwrap_or_default();
        proved.regressions = prove::compare(&expected, suites);
        print(args, &proved)?;
        all.push(proved);
    }
    if args.json {
        anstream::println!("{}", serde_json::to_string_pretty(&all).context("write the result as JSON")?);
    }
    Ok(if all.iter().all(prove::Proved::passed) { Exit::Good } else { Exit::Findings })
}

/// Prints a result as soon as it is there.
fn print(args: &Args, proved: &prove::Proved) -> Result<()> {
    if !args.json {
        anstream::print!("{}", show::text(proved)?);
    }
    Ok(())
}

/// The patches that the options name.
fn select(applied: &Applied, args: &Args) -> Result<Vec<Subject>> {
    let Some(last) = applied.patches.last() else { bail!("series {} has no patch", applied.name) };
    let chosen = |patch: &&AppliedPatch| match &args.patch {
        Some(name) => patch.name == *name,
        None => args.all || patch.commit == last.commit,
    };
    let subject = |patch: &AppliedPatch| Subject {
        name: patch.name.clone(),
        commit: patch.commit.clone(),
        tree: patch.tree.clone(),
    };
    let subjects = applied.patches.iter().filter(chosen).map(subject).collect::<Vec<_>>();
    if let (true, Some(name)) = (subjects.is_empty(), &args.patch) {
        let names = applied.patches.iter().map(|patch| patch.name.as_str()).collect::<Vec<_>>().join(", ");
        bail!("series {} has no patch {name}; it has {names}", applied.name);
    }
    Ok(subjects)
}

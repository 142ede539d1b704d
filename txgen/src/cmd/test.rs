// SPDX-License-Identifier: GPL-2.0
//! `txgen test`: builds and boots a series.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::base::{self, Base};
use crate::error::Exit;
use crate::git::Repo;
use crate::kernel::config;
use crate::process::Run;
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
#[command(group(clap::ArgGroup::new("which").required(true).args(["tip", "all", "patch"])))]
pub struct Args {
    /// Series to test
    name: String,
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
    /// Base to apply the series to; the recorded one otherwise
    #[arg(long, value_name = "BASE")]
    base: Option<String>,
    /// Kernel clone to work with, instead of the managed repository
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// Also test the base: a suite that passes there has to pass on each patch
    #[arg(long)]
    against_base: bool,
    /// Seconds a boot may take [default: 180, with --config debug 600]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=86400))]
    timeout: Option<u64>,
    /// Build and boot again what is recorded as passed
    #[arg(long)]
    force: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `txgen test`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let config = config::load(project, &args.config)?;
    let seconds = args.timeout.unwrap_or(if args.config == "debug" { 600 } else { 180 });
    let applied = applied(project, args)?;
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
    let subject = |patch: &AppliedPatch| Subject {
        name: patch.name.clone(),
        commit: patch.commit.clone(),
        tree: patch.tree.clone(),
    };
    let mut subjects = applied.patches.iter().map(subject).collect::<Vec<_>>();
    let tip = subjects.pop().with_context(|| format!("series {} has no patch", applied.name))?;
    match &args.patch {
        _ if args.tip => Ok(vec![tip]),
        None => {
            subjects.push(tip);
            Ok(subjects)
        }
        Some(name) => {
            subjects.push(tip);
            let found = subjects.into_iter().find(|subject| subject.name == *name);
            Ok(vec![found.with_context(|| format!("series {} has no patch {name}", applied.name))?])
        }
    }
}

/// The series as commits: branch txgen/NAME, from the base on.
fn applied(project: &Project, args: &Args) -> Result<Applied> {
    let base = base::resolve(project, args.base.as_deref().unwrap_or("net-next"), args.tree.as_deref())?;
    let repo = Repo::open(&base.git_dir)?;
    let branch = format!("txgen/{}", args.name);
    let tip = repo.read_ref(&format!("refs/heads/{branch}"))?;
    let tip = tip.with_context(|| format!("there is no branch {branch}: run `txgen apply {}`", args.name))?;
    let range = format!("{}..{}", base.commit, tip.commit);
    let log = Run::new("git", ["--git-dir"])
        .arg(&base.git_dir)
        .args(["log", "--reverse", "--format=%H %T %f %s", &range])
        .check()?
        .text();
    let (mut below, mut patches) = (base.tree.clone(), Vec::new());
    for line in log.lines() {
        let words = line.splitn(4, ' ').map(str::to_owned).collect::<Vec<_>>();
        let [commit, tree, name, subject] = words.as_slice() else { bail!("git log printed {line:?}") };
        let files = repo.changed_paths(&below, tree)?;
        below.clone_from(tree);
        let [commit, tree, name, subject] = [commit, tree, name, subject].map(Clone::clone);
        patches.push(AppliedPatch { name, subject, commit, tree, files });
    }
    let git_dir = base.git_dir.clone();
    Ok(Applied { name: args.name.clone(), base, git_dir, branch, patches })
}

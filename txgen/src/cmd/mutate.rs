// SPDX-License-Identifier: GPL-2.0
//! `txgen mutate`: shows that the tests of a series notice when it is broken.

use anyhow::{Context, Result, bail};

use super::which::Which;
use crate::error::Exit;
use crate::kernel::config;
use crate::mutate::{self, Verdict};
use crate::progress::printing;
use crate::project::Project;
use crate::prove::{self, Prover};

const EXAMPLES: &str = "Examples:
  txgen mutate zerocopy
  txgen mutate zerocopy --only release-twice --config debug";

/// Breaks the last patch of a series in one place at a time and boots it: its tests have to fail.
///
/// The mutations are in vm-tests/mutations/, each with the KUnit suites that have to notice. Exit code 1 if one of
/// these suites passes all the same.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Only this mutation
    #[arg(long, value_name = "MUTATION")]
    only: Option<String>,
    /// Kernel configuration of vm-tests/
    #[arg(long, value_name = "CONFIG", default_value = "net", value_parser = config::names())]
    config: String,
    /// Seconds a boot may take
    #[arg(long, value_name = "S", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86400))]
    timeout: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `txgen mutate`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let (series, applied) = args.which.build(project, false)?;
    let mutations = mutate::load(project)?;
    let wanted = |name: &str| args.only.as_ref().is_none_or(|only| only == name);
    if !mutations.iter().any(|mutation| wanted(&mutation.name)) {
        let names = mutations.iter().map(|mutation| mutation.name.as_str()).collect::<Vec<_>>().join(", ");
        bail!("there is no such mutation; there are {names}");
    }
    let config = config::load(project, &args.config, &applied.stack())?;
    let limits = prove::boot_limits(&args.config, Some(args.timeout));
    let mut prover = Prover::new(project, &applied.git_dir, config, limits, false)?;
    let chosen = mutations.iter().filter(|mutation| wanted(&mutation.name)).collect::<Vec<_>>();
    let commits = chosen.iter().map(|mutation| mutate::commit(&series, &applied, mutation));
    let subjects = commits.collect::<Result<Vec<_>>>()?;
    let mut verdicts = Vec::new();
    mutate::run(&mut prover, (&subjects, &chosen), |verdict| {
        if !args.json {
            printing(|| anstream::println!("{}", text(&verdict)));
        }
        verdicts.push(verdict);
    })?;
    if args.json {
        anstream::println!("{}", serde_json::to_string_pretty(&verdicts).context("write the result as JSON")?);
    }
    let survivors = verdicts.iter().filter(|verdict| !verdict.survived.is_empty()).count();
    anstream::eprintln!("{} mutations, {survivors} not noticed as they should be", verdicts.len());
    Ok(if survivors == 0 { Exit::Good } else { Exit::Findings })
}

fn text(verdict: &Verdict) -> String {
    let (word, suites) =
        if verdict.survived.is_empty() { ("caught", &verdict.failed) } else { ("NOT CAUGHT", &verdict.survived) };
    format!("{word:10} {:26} by {:58} {}", verdict.mutation, suites.join(", "), verdict.breaks)
}

// SPDX-License-Identifier: GPL-2.0
//! `txgen mutate`: shows that the tests of a series notice when it is broken.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use super::which::Which;
use crate::error::Exit;
use crate::kernel::config;
use crate::mutate::{self, Mutation, Verdict};
use crate::progress::printing;
use crate::project::Project;
use crate::prove::{self, Prover};

const EXAMPLES: &str = "Examples:
  txgen mutate zerocopy
  txgen mutate messages --only release-comes-early,release-twice
  txgen mutate zerocopy --only release-twice --config debug";

/// Breaks the last patch of a series in one place at a time and boots it: its tests have to fail.
///
/// The mutations are in vm-tests/mutations/SERIES/, each with the KUnit suites that have to notice, or with what the
/// kernel has to complain about. Exit code 1 if one of these suites passes all the same, or the kernel says nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Only these mutations
    #[arg(long, value_name = "MUTATION", value_delimiter = ',')]
    only: Vec<String>,
    /// Kernel configuration of vm-tests/ for all of them; else each says which one it takes
    #[arg(long, value_name = "CONFIG", value_parser = config::names())]
    config: Option<String>,
    /// Seconds a boot may take (300, or for debug 1800, unless given)
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=86400))]
    timeout: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Seconds that a boot of a mutation may take: what waits in vain takes its time.
const LEAST: u64 = 300;

/// Runs `txgen mutate`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let (series, applied) = args.which.build(project, false)?;
    let mutations = mutate::load(project, &series.name)?;
    if let Some(unknown) = args.only.iter().find(|name| !mutations.iter().any(|mutation| mutation.name == **name)) {
        let names = mutations.iter().map(|mutation| mutation.name.as_str()).collect::<Vec<_>>().join(", ");
        bail!("there is no mutation {unknown}; there are {names}");
    }
    let config_of = |mutation: &Mutation| args.config.clone().unwrap_or_else(|| mutation.config.clone());
    let mut verdicts = Vec::new();
    let wanted = mutations.iter().filter(|mutation| args.only.is_empty() || args.only.contains(&mutation.name));
    let mut kinds = BTreeMap::<_, Vec<_>>::new();
    wanted.for_each(|mutation| kinds.entry((config_of(mutation), &mutation.run)).or_default().push(mutation));
    for ((name, suites), chosen) in kinds {
        let least = prove::boot_limits(&name, None).timeout.as_secs().max(LEAST);
        let limits = prove::boot_limits(&name, Some(args.timeout.unwrap_or(least)));
        let config = config::load(project, &name, &applied.stack())?;
        let mut prover = Prover::new(project, &applied.git_dir, config, limits, false)?;
        if let Some(suites) = suites {
            prover = prover.only_suites(suites);
        }
        let commits = chosen.iter().map(|mutation| mutate::commit(&series, &applied, mutation));
        let subjects = commits.collect::<Result<Vec<_>>>()?;
        mutate::run((project, &applied.base.name), &mut prover, (&subjects, &chosen), |verdict| {
            if !args.json {
                printing(|| crate::output::println!("{}", text(&verdict)));
            }
            verdicts.push(verdict);
        })?;
    }
    if args.json {
        crate::output::println!("{}", serde_json::to_string_pretty(&verdicts).context("write the result as JSON")?);
    }
    let survivors = verdicts.iter().filter(|verdict| !verdict.survived.is_empty()).count();
    crate::output::eprintln!("{} mutations, {survivors} not noticed as they should be", verdicts.len());
    Ok(if survivors == 0 { Exit::Good } else { Exit::Findings })
}

fn text(verdict: &Verdict) -> String {
    let (word, suites) =
        if verdict.survived.is_empty() { ("caught", &verdict.failed) } else { ("NOT CAUGHT", &verdict.survived) };
    format!("{word:10} {:26} by {:58} {}", verdict.mutation, suites.join(", "), verdict.breaks)
}

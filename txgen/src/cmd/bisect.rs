// SPDX-License-Identifier: GPL-2.0
//! `txgen bisect`: the first patch of a series that breaks a test.

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde_json::json;

use super::which::Which;
use crate::error::Exit;
use crate::kernel::config;
use crate::plain::plain;
use crate::progress::printing;
use crate::project::Project;
use crate::prove::scripted::Scripted;
use crate::prove::{self, Prover, Subject};

const EXAMPLES: &str = "Examples:
  txgen bisect zerocopy --test ~/tests/udp-checksum.sh
  txgen bisect zerocopy --test leak.sh --config debug --timeout 900

The script runs as root in the guest with sh; what it exits with is its result. It is read from this machine, and sees
this machine's programs. `git bisect run` works on branch txgen/NAME, too.";

/// Finds the first patch whose kernel does not build or boot, or on which a script fails in the guest.
///
/// The base has to pass. Halves the series: a failure is taken to stay until the end. What passed is recorded. Exit
/// code 1 where there is such a patch, 0 where the last patch passes.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Shell script to run in the guest
    #[arg(long, value_name = "SCRIPT")]
    test: PathBuf,
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

/// Runs `txgen bisect`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let (_, applied) = args.which.build(project, false)?;
    let config = config::load(project, &args.config, &applied.stack())?;
    let limits = prove::boot_limits(&args.config, Some(args.timeout));
    let mut prover = Prover::new(project, &applied.git_dir, config, limits, false)?;
    let patches = applied.patches.iter().map(Subject::from);
    let subjects = std::iter::once(Subject::from(&applied.base)).chain(patches).collect::<Vec<_>>();
    let mut test = |at: usize| -> Result<Scripted> {
        let shown = prover.scripted(&subjects[at], &args.test)?;
        let word = if shown.problems.is_empty() { "good" } else { "bad" };
        printing(|| crate::output::eprintln!("bisect: {} is {word}", subjects[at].name));
        Ok(shown)
    };
    let last = subjects.len() - 1;
    let on_base = test(0)?;
    if !on_base.problems.is_empty() {
        let (base, log) = (&subjects[0].name, on_base.log.display());
        bail!("{base} fails already, so no patch breaks it: {} (whole log: {log})", on_base.problems.join("; "));
    }
    let (mut good, mut bad, mut shown) = (0, last, test(last)?);
    if shown.problems.is_empty() {
        if args.json {
            crate::output::println!("{:#}", json!({"first_bad": null}));
        } else {
            crate::output::println!("no patch of {} breaks {}", applied.name, args.test.display());
        }
        return Ok(Exit::Good);
    }
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        let there = test(middle)?;
        if there.problems.is_empty() {
            good = middle;
        } else {
            (bad, shown) = (middle, there);
        }
    }
    let first = &subjects[bad];
    if args.json {
        let value = json!({"first_bad": first.name, "commit": first.commit, "last_good": subjects[good].name,
            "problems": shown.problems, "log": shown.log});
        crate::output::println!("{value:#}");
        return Ok(Exit::Findings);
    }
    crate::output::println!("first bad: {} ({}), after {}", first.name, &first.commit[..12], subjects[good].name);
    shown.problems.iter().for_each(|problem| crate::output::println!("     {}", plain(problem)));
    crate::output::println!("     whole log: {}", shown.log.display());
    Ok(Exit::Findings)
}

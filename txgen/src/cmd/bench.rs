// SPDX-License-Identifier: GPL-2.0
//! `txgen bench`: what a series costs, in counts.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::which::Which;
use crate::base::Base;
use crate::bench::{self, Bench, show};
use crate::error::Exit;
use crate::files;
use crate::kernel::config;
use crate::project::Project;
use crate::prove::Subject;
use crate::series::{self, AppliedPatch, Series};

const EXAMPLES: &str = "Examples:
  txgen bench zerocopy
  txgen bench zerocopy --with gup-batch -o series/zerocopy/bench.md
  txgen bench zerocopy --scenario udp-60000-order0 udp-60000-thp
  txgen bench messages --scenario rxrpc-call
  txgen bench zerocopy --json | jq '.kernels[1].scenarios[0].functions.net_txbuf_fill_skb'

Counts are of one emulated CPU on which time is the number of executed instructions, so they are the same in each run.
They are no times: an instruction that misses the cache counts as one, and so does a locked one.
What was counted is recorded with tree, configuration and toolchain, and is not counted again.";

/// Counts what a series costs: kernel instructions, calls, locked instructions and memory for each send, and sizes.
///
/// Builds the base and the series, boots each under qemu's TCG with a plugin that counts (vm-tests/bench), and lets
/// the guest send: UDP to a dummy device and TCP over veth, from single pages, huge pages and in a memory cgroup, copied
/// and not.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Also count with this series beneath; may be given more than once, the lowest first
    #[arg(long, value_name = "SERIES")]
    with: Vec<String>,
    /// Kernel configuration: `bench` has no tests in it; `net` may be built already
    #[arg(long, value_name = "CONFIG", default_value = bench::CONFIG, value_parser = [bench::CONFIG, "net"])]
    config: String,
    /// Count these scenarios only; an unknown name is answered with the list of all
    #[arg(long, value_name = "NAME", num_args = 1..)]
    scenario: Vec<String>,
    /// Seconds a boot may take
    #[arg(long, value_name = "S", default_value_t = 1800, value_parser = clap::value_parser!(u64).range(1..=86400))]
    timeout: u64,
    /// Count again what is recorded
    #[arg(long)]
    force: bool,
    /// Print JSON, with counts for each function of the kernel
    #[arg(long)]
    json: bool,
    /// Write to this file
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs `txgen bench`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let (series, base) = args.which.find(project)?;
    ensure!(!args.with.contains(&series.name), "series {} can not be beneath itself", series.name);
    let timeout = Duration::from_secs(args.timeout);
    let foot = series::stack::foot(project, &series, &base, false)?;
    let stack = foot.beneath.iter().map(|lower| lower.name.as_str()).chain([series.name.as_str()]).collect::<Vec<_>>();
    let config = config::load(project, &args.config, &stack)?;
    let bench = Bench::new(project, base.git_dir.clone(), config, &args.scenario, timeout, args.force)?;
    let mut subjects = vec![Subject::from(&base), on(project, &series, &base)?];
    if !args.with.is_empty() {
        let mut below = base;
        for name in &args.with {
            let other = series::load(project, name)?;
            let Subject { commit, tree, .. } = on(project, &other, &below)?;
            below = Base { commit, tree, ..below };
        }
        let name = args.with.iter().chain([&series.name]).map(String::as_str).collect::<Vec<_>>().join(" + ");
        subjects.push(Subject { name, ..on(project, &series, &below)? });
    }
    let report = bench.count(&subjects, &command(args))?;
    let text = if args.json {
        serde_json::to_string_pretty(&report).context("write the counts as JSON")? + "\n"
    } else {
        show::markdown(&report)
    };
    match &args.out {
        Some(path) => files::write_atomic(path, text.as_bytes())?,
        None => crate::output::print!("{text}"),
    }
    Ok(Exit::Good)
}

/// The last patch of `series` on `base`.
fn on(project: &Project, series: &Series, base: &Base) -> Result<Subject> {
    let patches = series::apply::build(project, series, base, false)?;
    let tip = patches.last().with_context(|| format!("series {} has no patch", series.name))?;
    let AppliedPatch { commit, tree, .. } = tip.clone();
    Ok(Subject { name: series.name.clone(), commit, tree })
}

/// The command that makes the same report.
fn command(args: &Args) -> String {
    let mut words = vec!["txgen".to_owned(), "bench".to_owned(), args.which.name.clone()];
    for (option, values) in [("--base", args.which.base.as_slice()), ("--with", &args.with)] {
        words.extend(values.iter().flat_map(|value| [option.to_owned(), value.clone()]));
    }
    if args.config != bench::CONFIG {
        words.extend(["--config".to_owned(), args.config.clone()]);
    }
    if !args.scenario.is_empty() {
        words.push("--scenario".to_owned());
        words.extend(args.scenario.iter().cloned());
    }
    words.join(" ")
}

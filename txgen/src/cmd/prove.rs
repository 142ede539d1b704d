// SPDX-License-Identifier: GPL-2.0
//! `txgen prove`: what is not on record yet, of every series.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;

use super::which::Which;
use crate::error::Exit;
use crate::kernel::config::{self, Config};
use crate::process::Run;
use crate::progress::printing;
use crate::project::Project;
use crate::prove::{self, Proved, Prover, Subject, show};
use crate::series::Applied;
use crate::series::apply::names;

const EXAMPLES: &str = "Examples:
  txgen prove
  txgen prove --minutes 40
  txgen prove zerocopy gup-batch --json

A patch that passed is on record with its tree, configuration, toolchain and tests: what was left over, or changed, is
what the next run does.";

/// Builds and boots the patches that are not on record as passed, of every series, until the time is over.
///
/// The series that was changed last comes first; of each series the last patch, which has all of it, then the others
/// from the first one on. Exit code 0: nothing failed, whatever is left for the next time; 1: a patch failed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Series, folders of series/; all of them otherwise
    names: Vec<String>,
    /// Begin no build after this many minutes
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,
    /// Base of series/bases.toml (each series' own otherwise) or, with --tree, any ref of that clone (HEAD otherwise)
    #[arg(long, value_name = "BASE")]
    base: Option<String>,
    /// Work in this clone of the kernel, not in the managed repository
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// Kernel configuration of vm-tests/
    #[arg(long, value_name = "CONFIG", default_value = "net", value_parser = config::names())]
    config: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A series, what was shown of it now, and what is left.
struct Work {
    applied: Applied,
    config: Config,
    on_record: usize,
    proved: Vec<Proved>,
    left: Vec<Subject>,
}

/// Runs `txgen prove`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let until = args.minutes.map(|minutes| Instant::now() + Duration::from_secs(60 * minutes));
    let mut all = Vec::new();
    for name in newest_first(project, &args.names)? {
        let which = Which { name, base: args.base.clone(), tree: args.tree.clone() };
        let (_, applied) = which.build(project, false)?;
        let config = config::load(project, &args.config, &applied.stack())?;
        all.push(work(project, config, applied)?);
    }
    for work in &mut all {
        let timeout = Duration::from_secs(prove::boot_seconds(&args.config));
        let mut prover = Prover::new(project, &work.applied.git_dir, work.config.clone(), timeout, false)?.until(until);
        let Work { proved, left, .. } = work;
        prover.prove(left, |one| {
            if !args.json {
                let text = show::text(&one)?;
                printing(|| anstream::print!("{text}"));
            }
            proved.push(one);
            Ok(())
        })?;
        left.drain(..proved.len());
    }
    if args.json {
        anstream::println!("{:#}", json!(all.iter().map(as_json).collect::<Vec<_>>()));
    } else {
        all.iter().for_each(|work| anstream::println!("{}", summary(work)));
    }
    let passed = all.iter().flat_map(|work| &work.proved).all(Proved::passed);
    Ok(if passed { Exit::Good } else { Exit::Findings })
}

/// What is not on record, in the order it is to be proved.
fn work(project: &Project, config: Config, applied: Applied) -> Result<Work> {
    let mut left = Vec::new();
    let (last, others) = applied.patches.split_last().with_context(|| format!("{} has no patch", applied.name))?;
    for patch in std::iter::once(last).chain(others) {
        if prove::recorded(project, &config, &patch.tree)?.is_none() {
            left.push(Subject::from(patch));
        }
    }
    let on_record = applied.patches.len() - left.len();
    Ok(Work { applied, config, on_record, proved: Vec::new(), left })
}

/// The series by the time of their last change; one with changes that are in no commit is the newest.
fn newest_first(project: &Project, chosen: &[String]) -> Result<Vec<String>> {
    let mut dated = Vec::new();
    for name in if chosen.is_empty() { names(project)? } else { chosen.to_vec() } {
        let folder = format!("series/{name}");
        let git = |args: &[&str]| Run::new("git", args).args(["--", &folder]).dir(&project.root).output();
        let date = git(&["log", "-1", "--format=%ct"])?.text().trim().parse::<u64>().unwrap_or(u64::MAX);
        let changed = !git(&["status", "--porcelain"])?.text().is_empty();
        dated.push((std::cmp::Reverse(if changed { u64::MAX } else { date }), name));
    }
    dated.sort();
    Ok(dated.into_iter().map(|(_, name)| name).collect())
}

fn summary(work: &Work) -> String {
    let Work { applied, on_record, proved, left, .. } = work;
    let failed = proved.iter().filter(|one| !one.passed()).count();
    let passed = proved.len() - failed;
    let left = left.iter().map(|subject| subject.name.as_str()).collect::<Vec<_>>().join(", ");
    let left = if left.is_empty() { "nothing".to_owned() } else { left };
    format!("{}: {on_record} on record, {passed} passed now, {failed} failed; left unproved: {left}", applied.name)
}

fn as_json(work: &Work) -> serde_json::Value {
    let left = work.left.iter().map(|subject| &subject.name).collect::<Vec<_>>();
    json!({"series": work.applied.name, "on_record": work.on_record, "proved": work.proved, "left": left})
}

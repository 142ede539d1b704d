// SPDX-License-Identifier: GPL-2.0
//! `txgen prove`: what is not on record yet, of every series.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;

use super::which::Which;
use crate::error::Exit;
use crate::git::program;
use crate::kernel::config::{self, Config};
use crate::kernel::rust::Rust;
use crate::progress::printing;
use crate::project::Project;
use crate::prove::{self, Proved, Prover, Records, Subject, show};
use crate::series::Applied;
use crate::series::apply::names;
use crate::series::stack;

const EXAMPLES: &str = "Examples:
  txgen prove
  txgen prove --minutes 40
  txgen prove zerocopy gup-batch --json

A patch that passed is on record with its tree, configuration, toolchain and tests: what was left over, or changed, is
what the next run does.";

/// Builds and boots the patches that are not on record as passed, of every series, until the time is over.
///
/// The series that was changed last comes first; of each series the last patch, which has all of it, then the others
/// from the first one on. A series that touches Rust is proved with Rust, too, where that can be built here. At the end
/// it says what is left unproved, and what it does not run. Exit code 0: nothing failed, whatever is left for the next
/// time; 1: a patch failed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Series, folders of series/; all of them otherwise
    names: Vec<String>,
    /// Begin no build after this many minutes, and give up one that goes on for ten more
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,
    /// Base of series/bases.toml (each series' own otherwise) or, with --tree, any ref of that clone (HEAD otherwise)
    #[arg(long, value_name = "BASE")]
    base: Option<String>,
    /// Work in this clone of the kernel, not in the managed repository
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// Kernel configuration of vm-tests/ [default: net, and rust for a series that touches Rust]
    #[arg(long, value_name = "CONFIG", value_parser = config::names())]
    config: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A series in a configuration, what was shown of it now, and what is left.
struct Work {
    name: String,
    git_dir: PathBuf,
    config: Config,
    on_record: usize,
    proved: Vec<Proved>,
    left: Vec<Subject>,
    /// Why it can not be proved here.
    cannot: Option<String>,
}

/// The last patch of a series in a configuration that is not proved here.
struct Beyond {
    name: String,
    config: &'static str,
    on_record: bool,
}

/// Runs `txgen prove`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let until = args.minutes.map(|minutes| Instant::now() + Duration::from_secs(60 * minutes));
    let records = Records::open(project)?;
    let known = |config: &Config, tree: &str| -> Result<bool> {
        Ok(records.as_ref().map(|records| records.find(config, tree)).transpose()?.flatten().is_some())
    };
    let (mut all, mut beyond, mut broken) = (Vec::new(), Vec::new(), false);
    for name in newest_first(project, &args.names)? {
        let which = Which { name, base: args.base.clone(), tree: args.tree.clone() };
        let applied = match which.build(project, false) {
            Ok((_, applied)) => applied,
            // One that is broken stops those that were named with it, and no others.
            Err(error) if args.names.is_empty() => {
                stack::warn_unread(&which.name, &error);
                broken = true;
                continue;
            }
            Err(error) => return Err(error),
        };
        let configs = args.config.as_deref().map_or_else(|| prove::configs(&applied), |config| vec![config]);
        for config in configs {
            all.push(work(project, config::load(project, config, &applied.stack())?, &applied, known)?);
        }
        if args.config.is_none() {
            beyond.push(not_here(project, &applied, known)?);
        }
    }
    for work in &mut all {
        if work.cannot.is_some() || work.left.is_empty() {
            continue;
        }
        let limits = prove::boot_limits(&work.config.name, None);
        let mut prover = Prover::new(project, &work.git_dir, work.config.clone(), limits, false)?.until(until);
        let Work { proved, left, .. } = work;
        prover.prove(left, |one| {
            if !args.json {
                let text = show::text(&one)?;
                printing(|| crate::output::print!("{text}"));
            }
            proved.push(one);
            Ok(())
        })?;
        left.drain(..proved.len());
    }
    if args.json {
        crate::output::println!("{:#}", json!(all.iter().map(as_json).collect::<Vec<_>>()));
    } else {
        let lines = all.iter().map(summary).chain(beyond.iter().map(told));
        lines.for_each(|line| crate::output::println!("{line}"));
    }
    let passed = all.iter().flat_map(|work| &work.proved).all(Proved::passed);
    if broken {
        return Ok(Exit::Failed);
    }
    Ok(if passed { Exit::Good } else { Exit::Findings })
}

/// What is not on record, in the order it is to be proved.
fn work(
    project: &Project,
    config: Config,
    applied: &Applied,
    known: impl Fn(&Config, &str) -> Result<bool>,
) -> Result<Work> {
    let cannot = Rust::of(project, &config.text).err().map(|error| format!("{error:#}"));
    let mut left = Vec::new();
    let (last, others) = applied.patches.split_last().with_context(|| format!("{} has no patch", applied.name))?;
    for patch in std::iter::once(last).chain(others) {
        if !known(&config, &patch.tree)? {
            left.push(Subject::from(patch));
        }
    }
    let on_record = applied.patches.len() - left.len();
    let (name, git_dir) = (applied.name.clone(), applied.git_dir.clone());
    Ok(Work { name, git_dir, config, on_record, proved: Vec::new(), left, cannot })
}

/// The configuration that takes too long to be proved here, and whether the last patch passed in it.
fn not_here(project: &Project, applied: &Applied, known: impl Fn(&Config, &str) -> Result<bool>) -> Result<Beyond> {
    const CONFIG: &str = "debug";
    let config = config::load(project, CONFIG, &applied.stack())?;
    let last = applied.patches.last().with_context(|| format!("{} has no patch", applied.name))?;
    let on_record = known(&config, &last.tree)?;
    Ok(Beyond { name: applied.name.clone(), config: CONFIG, on_record })
}

/// The series by the time of their last change; one with changes that are in no commit is the newest.
fn newest_first(project: &Project, chosen: &[String]) -> Result<Vec<String>> {
    let mut dated = Vec::new();
    for name in if chosen.is_empty() { names(project)? } else { chosen.to_vec() } {
        let folder = format!("series/{name}");
        let git = |args: &[&str]| program::in_users_tree(&project.root).args(args).args(["--", &folder]).output();
        let date = git(&["log", "-1", "--format=%ct"])?.text().trim().parse::<u64>().unwrap_or(u64::MAX);
        let changed = !git(&["status", "--porcelain"])?.text().is_empty();
        dated.push((std::cmp::Reverse(if changed { u64::MAX } else { date }), name));
    }
    dated.sort();
    Ok(dated.into_iter().map(|(_, name)| name).collect())
}

fn summary(work: &Work) -> String {
    let Work { name, config, on_record, proved, left, cannot, .. } = work;
    let failed = proved.iter().filter(|one| !one.passed()).count();
    let passed = proved.len() - failed;
    let left = left.iter().map(|subject| subject.name.as_str()).collect::<Vec<_>>().join(", ");
    let left = if left.is_empty() { "nothing".to_owned() } else { left };
    let why = cannot.iter().map(|why| format!(" ({why})")).collect::<String>();
    let config = &config.name;
    format!(
        "{name} [{config}]: {on_record} on record, {passed} passed now, {failed} failed; left unproved: {left}{why}"
    )
}

fn told(beyond: &Beyond) -> String {
    let Beyond { name, config, on_record } = beyond;
    let said = if *on_record { "is on record" } else { "is not on record, and not run here" };
    format!("{name} [{config}]: the last patch {said}")
}

fn as_json(work: &Work) -> serde_json::Value {
    let Work { name, config, on_record, proved, left, cannot, .. } = work;
    let left = left.iter().map(|subject| &subject.name).collect::<Vec<_>>();
    json!({"series": name, "config": config.name, "on_record": on_record, "proved": proved, "left": left,
        "cannot": cannot})
}

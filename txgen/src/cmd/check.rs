// SPDX-License-Identifier: GPL-2.0
//! `txgen check`: what netdev's CI and its readers would find, per patch.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::json;

use super::which::Which;
use crate::b4;
use crate::check::posting::Destination;
use crate::check::run::{Report, Selection, run as run_checks};
use crate::check::source::{Source, patches};
use crate::check::{CHECKS, table};
use crate::error::Exit;
use crate::project::Project;
use crate::series::Applied;

const EXAMPLES: &str = "Examples:
  txgen check zerocopy
  txgen check zerocopy --patch txbuf --only checkpatch,kernel-doc
  txgen check zerocopy --tree ~/src/linux --base net-next/main
  txgen check --list
  txgen check zerocopy --patch txbuf --b4
  txgen check zerocopy --json | jq '.findings[] | select(.level == \"fail\")'

A finding that has to stay is justified in series/NAME/series.toml:
  [[exception]]
  patch = \"txbuf\"
  check = \"checkpatch\"
  contains = \"MACRO_WITH_FLOW_CONTROL\"
  reason = \"the macro is the loop\"";

/// Checks each patch as netdev's CI would, before it is posted.
///
/// Builds the commits of the series (no branch moves) and runs every check on every patch. Exit code 0: nothing found; 1: findings, warnings
/// included; 2: a check could not run. Results are kept by patch, message and tool: what did not change is not
/// checked again.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: Option<Which>,
    /// Only this patch, by its name in series.toml; checks of the whole series are left out
    #[arg(long, value_name = "PATCH")]
    patch: Option<String>,
    /// Only these checks
    #[arg(long, value_name = "CHECK,...", value_delimiter = ',')]
    only: Vec<String>,
    /// List the checks, what each shows and what it needs
    #[arg(long, conflicts_with_all = ["name", "patch", "only"], required_unless_present = "name")]
    list: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print the JSON that b4 reads from a check command
    #[arg(long, conflicts_with_all = ["json", "list"])]
    b4: bool,
}

/// Runs `txgen check`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    if args.list {
        list(args.json);
        return Ok(Exit::Good);
    }
    let which = args.which.as_ref().context("give a series, or --list")?;
    let (series, applied) = which.build(project, false)?;
    let source = Source::new(project, &applied, series.cover.clone())?.to(Destination::of(project, &series)?);
    let selection = Selection { patch: args.patch.clone(), only: args.only.clone() };
    let report = run_checks(&source, &patches(&applied)?, &selection, &series.exceptions)?;
    if args.b4 {
        crate::output::println!("{:#}", json!(b4::of_checks(&report)));
    } else if args.json {
        crate::output::println!("{:#}", as_json(&applied, &report));
    } else {
        crate::output::print!("{}{}{}", table::findings(&report), table::table(&report), table::summary(&report));
    }
    Ok(if report.findings.is_empty() { Exit::Good } else { Exit::Findings })
}

fn as_json(applied: &Applied, report: &Report) -> serde_json::Value {
    json!({
        "series": applied.name,
        "base": applied.base.name,
        "base_commit": applied.base.commit,
        "checks": report.checks,
        "patches": report.patches,
        "commits": applied.patches.iter().map(|patch| (&patch.name, &patch.commit)).collect::<BTreeMap<_, _>>(),
        "findings": report.findings,
        "excused": report.excused,
    })
}

fn list(as_json: bool) {
    if as_json {
        let rows = CHECKS.iter().map(|c| json!({"name": c.name, "shows": c.shows, "needs": c.needs}));
        crate::output::println!("{:#}", json!({"checks": rows.collect::<Vec<_>>()}));
        return;
    }
    for check in CHECKS {
        let needs = if check.needs.is_empty() { String::new() } else { format!(" (needs {})", check.needs) };
        crate::output::println!("{:12} {}{needs}", check.name, check.shows);
    }
}

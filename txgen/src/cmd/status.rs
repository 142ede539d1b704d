// SPDX-License-Identifier: GPL-2.0
//! `txgen status`: where a series stands.

use anyhow::Result;
use serde_json::json;

use super::which::Which;
use crate::error::Exit;
use crate::git::Repo;
use crate::plain::visible;
use crate::project::Project;
use crate::report;
use crate::series::apply;
use crate::series::meaning::Likeness;

const EXAMPLES: &str = "Examples:
  txgen status zerocopy
  txgen status zerocopy --json";

/// Says where a series stands: its branch, and the checks, builds and boots on record for each patch as it is.
///
/// Runs nothing: what is not on record shows as not run. Exit code 0 whatever the state is.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `txgen status`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let (series, applied) = args.which.build(project, false)?;
    let (base, branch) = (&applied.base, &applied.branch);
    let repo = Repo::open(&applied.git_dir)?;
    let tip = repo.read_ref(&format!("refs/heads/{branch}"))?;
    let likeness = || apply::likeness(&repo, &series, base, &applied.patches, false);
    let known = apply::known_place(&repo, &series.name, likeness)?;
    let edited = tip.as_ref().map(|tip| &tip.commit) != known.as_ref();
    let state = match (&tip, applied.patches.last()) {
        (None, _) => "not applied",
        (Some(found), Some(last)) if found.commit == last.commit => "applied",
        _ if edited => "edited in git, and not refreshed",
        (Some(_), _) if likeness()? == Likeness::Same => "applied",
        (Some(found), Some(last)) if found.tree == last.tree => "applied with other messages",
        _ => "stale",
    };
    let rows = report::rows(project, &series, &applied)?;
    if args.json {
        let value = json!({"name": series.name, "title": series.title, "version": series.version, "base": base.name,
            "base_commit": base.commit, "branch": branch, "state": state, "patches": applied.patches, "on_record": rows});
        crate::output::println!("{value:#}");
        return Ok(Exit::Good);
    }
    crate::output::println!("{} v{} on {}: {}", series.name, series.version, base.name, visible(&series.title));
    crate::output::println!("branch {branch}: {state}\n");
    crate::output::print!("{}", report::table(&rows));
    Ok(Exit::Good)
}

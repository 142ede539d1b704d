// SPDX-License-Identifier: GPL-2.0
//! `txgen apply`: a series as commits on branch txgen/NAME.

use anyhow::Result;
use serde_json::json;

use super::which::Which;
use crate::error::Exit;
use crate::plain::visible;
use crate::project::Project;
use crate::rebase::write;
use crate::series;

const EXAMPLES: &str = "Examples:
  txgen apply zerocopy
  txgen apply zerocopy --tree ~/src/linux --base net-next/main --signoff
  git -C ~/src/linux log --oneline txgen/zerocopy";

/// Turns a series into commits on a base, on branch txgen/NAME.
///
/// The commits are made in memory: no work tree is touched, and the branch is set last. The same series on the same
/// base gives the same commit ids. Earlier states stay in the reflog of refs/txgen/series/NAME. A branch that was edited
/// in git is not moved: `txgen refresh` takes the edits into the series.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Sign each commit off (also done where git's format.signOff is set)
    #[arg(long)]
    signoff: bool,
    /// Move the branch even if it was edited in git and not refreshed: the edits stay in the branch's reflog alone
    #[arg(long)]
    discard: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `txgen apply`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let _lock = write::hold(project, &args.which.name)?;
    let (series, base) = args.which.find(project)?;
    let applied = series::apply_series(project, &series, &base, args.signoff, args.discard)?;
    if args.json {
        let value = json!({"name": applied.name, "base": applied.base.name, "base_commit": applied.base.commit,
            "branch": applied.branch, "patches": applied.patches});
        crate::output::println!("{value:#}");
        return Ok(Exit::Good);
    }
    for patch in &applied.patches {
        crate::output::println!("{} {}", &patch.commit[..12], visible(&patch.subject));
    }
    let count = applied.patches.len();
    crate::output::println!(
        "branch {}: {count} on {} ({})",
        applied.branch,
        applied.base.name,
        &applied.base.commit[..12]
    );
    Ok(Exit::Good)
}

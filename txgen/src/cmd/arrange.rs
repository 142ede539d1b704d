// SPDX-License-Identifier: GPL-2.0
//! `txgen drop` and `txgen move`: patches that go, or go elsewhere, without a branch being edited.

use anyhow::{Result, bail, ensure};

use super::refresh as command;
use super::which::Which;
use crate::error::Exit;
use crate::git::Repo;
use crate::project::Project;
use crate::rebase::write;
use crate::refresh::{self, Choices, branch};
use crate::reorder::reorder;
use crate::series::Series;

const DROP_EXAMPLES: &str = "Examples:
  txgen drop zerocopy documentation
  txgen drop zerocopy rds-pin selftest-pins

What the patch adds to kernel-overlay/ goes, too. Patches that build on it are carried as a rebase would carry them; in a
conflict (exit 3) nothing is changed.";

const MOVE_EXAMPLES: &str = "Examples:
  txgen move zerocopy unpin-bvecs --first
  txgen move zerocopy rds-pin --before pin-user-memory

The edits are carried to their new place as a rebase would carry them; in a conflict (exit 3) nothing is changed.";

/// Takes patches out of a series.
#[derive(Debug, clap::Args)]
#[command(after_help = DROP_EXAMPLES)]
pub struct DropArgs {
    #[command(flatten)]
    which: Which,
    /// The patches
    #[arg(required = true)]
    patches: Vec<String>,
}

/// Moves a patch of a series to another place.
#[derive(Debug, clap::Args)]
#[command(after_help = MOVE_EXAMPLES)]
#[command(group(clap::ArgGroup::new("place").required(true).args(["first", "last", "before", "after"])))]
pub struct MoveArgs {
    #[command(flatten)]
    which: Which,
    /// The patch
    patch: String,
    /// To the front
    #[arg(long)]
    first: bool,
    /// To the end
    #[arg(long)]
    last: bool,
    /// To the place before this patch
    #[arg(long, value_name = "PATCH")]
    before: Option<String>,
    /// To the place after this patch
    #[arg(long, value_name = "PATCH")]
    after: Option<String>,
}

/// Runs `txgen drop`.
pub fn run_drop(project: &Project, args: &DropArgs) -> Result<Exit> {
    arrange(project, &args.which, "drop", |series| {
        for patch in &args.patches {
            known(series, patch)?;
        }
        let names = series.patches.iter().map(|patch| patch.name.clone());
        Ok(names.filter(|name| !args.patches.contains(name)).collect())
    })
}

/// Runs `txgen move`.
pub fn run_move(project: &Project, args: &MoveArgs) -> Result<Exit> {
    arrange(project, &args.which, "move", |series| {
        known(series, &args.patch)?;
        let names = series.patches.iter().map(|patch| patch.name.clone());
        let mut order = names.filter(|name| *name != args.patch).collect::<Vec<_>>();
        let at = match (&args.before, &args.after) {
            (Some(other), _) => known(series, other).map(|()| place(&order, other))?,
            (_, Some(other)) => known(series, other).map(|()| place(&order, other).map(|at| at + 1))?,
            _ if args.first => Some(0),
            _ => Some(order.len()),
        };
        let Some(at) = at else { bail!("{} is the patch to be moved: name another", args.patch) };
        order.insert(at, args.patch.clone());
        Ok(order)
    })
}

fn place(order: &[String], name: &str) -> Option<usize> {
    order.iter().position(|known| known == name)
}

fn known(series: &Series, patch: &str) -> Result<()> {
    let names = series.patches.iter().map(|patch| patch.name.as_str()).collect::<Vec<_>>();
    ensure!(names.contains(&patch), "series {} has no patch {patch} (it has: {})", series.name, names.join(", "));
    Ok(())
}

/// Puts the patches into the order that `order` makes, and writes what became of the series.
fn arrange(
    project: &Project,
    which: &Which,
    what: &str,
    order: impl FnOnce(&Series) -> Result<Vec<String>>,
) -> Result<Exit> {
    let _lock = write::begin(project, &which.name)?;
    let work = command::Work::open(project, which)?;
    let order = order(&work.series)?;
    let repo = Repo::open(&work.base.git_dir)?;
    let source = work.source(&repo);
    let place = work.known_place(&repo)?;
    let tip = reorder(project, &work.series, &work.base, &order)?;
    let commits = branch::read(&repo, &work.foot.commit, &tip)?;
    let refreshed = refresh::refresh_any(&source, &[], &commits, &Choices::default())?;
    if !refreshed.is_unchanged() {
        let why = format!("txgen {what} {}", work.series.name);
        work.write(project, &repo, &refreshed, (place.as_deref(), &tip), &why)?;
    }
    command::show(&work.series.name, &refreshed, false);
    Ok(Exit::Good)
}

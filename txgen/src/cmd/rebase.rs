// SPDX-License-Identifier: GPL-2.0
//! `txgen rebase`: a series onto another base.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::base::{self, Base, record};
use crate::error::Exit;
use crate::git::Repo;
use crate::git::branches::To;
use crate::plain::visible_lines;
use crate::project::Project;
use crate::rebase::pending::{self, Pending};
use crate::rebase::write::{self, Journal, Seen};
use crate::rebase::{self, Rebased, report};
use crate::series::{self, Series, apply, overlay_files, stack};

const EXAMPLES: &str = "Examples:
  txgen rebase zerocopy --onto pre-devmem
  txgen rebase zerocopy --onto net-next/main --tree ~/src/linux --dry-run
  txgen rebase zerocopy --check pre-devmem net-next

After a conflict (exit code 3):
  git -C ~/src/linux worktree add ../fix txgen/zerocopy-conflict   # fix it there, then
  git -C ../fix commit --all --amend --no-edit && git -C ../fix switch --detach
  txgen rebase zerocopy --continue";

/// Moves a series onto another base, or says why it can not.
///
/// Semantic patches are run again; edits are taken as series/NAME/bases/BASE/ records them, else merged item by item
/// (function, struct, macro) and then by lines. All of it happens in memory: series/NAME/ and the branch change at the end, together,
/// or not at all. A conflict stops with exit code 3 and a branch to fix it on; what was fixed is kept in
/// series/NAME/bases/ for everyone.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["onto", "check", "go_on", "abort"]))]
pub struct Args {
    /// Series, a folder of series/
    name: String,
    /// Base of series/bases.toml or, with --tree, any ref of that clone
    #[arg(long, value_name = "BASE")]
    onto: Option<String>,
    /// Say for each of these bases which patches would conflict; change nothing
    #[arg(long, value_name = "BASE", num_args = 1..)]
    check: Vec<String>,
    /// Go on after a conflict was fixed on branch txgen/NAME-conflict
    #[arg(long = "continue")]
    go_on: bool,
    /// Give the rebase under way up: nothing of it stays
    #[arg(long)]
    abort: bool,
    /// Work in this clone of the kernel, not in the managed repository
    #[arg(long, value_name = "DIR", conflicts_with_all = ["go_on", "abort"])]
    tree: Option<PathBuf>,
    /// Say what would happen; change nothing
    #[arg(long, requires = "onto")]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `txgen rebase`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let changes = !args.dry_run && args.check.is_empty();
    let _lock = if changes { Some(write::begin(project, &args.name)?) } else { None };
    if args.abort {
        pending::abort(project, &args.name)?;
        crate::output::println!("the rebase of {} is given up; nothing of it is left", args.name);
        return Ok(Exit::Good);
    }
    let mut series = series::load(project, &args.name)?;
    if !args.check.is_empty() {
        return check(project, &series, args);
    }
    let waiting = pending::load(project, &args.name)?;
    let mut pending = match (waiting, &args.onto) {
        (Some(pending), None) => pending,
        (None, None) => bail!("no rebase of {} is under way", args.name),
        (Some(pending), Some(_)) if !args.dry_run => {
            bail!("a rebase of {} onto {} is under way: fix it and --continue, or --abort it", args.name, pending.onto)
        }
        (_, Some(onto)) => begin(project, &args.name, onto, args.tree.as_deref())?,
    };
    let onto = base::resolve(project, &pending.onto, pending.tree.as_deref())?;
    let base = name_of_base(project, &onto, &pending)?;
    let mut read = None;
    if args.go_on {
        read = Some(go_on(project, &mut pending, &series, &onto)?);
        rebase::add_forms(&mut series, &base.0.name, &pending.forms)?;
    }
    finish(project, &series, (base, pending, read.as_deref()), args)
}

fn begin(project: &Project, name: &str, onto: &str, tree: Option<&Path>) -> Result<Pending> {
    let base = base::resolve(project, onto, tree)?;
    Ok(Pending {
        onto: onto.to_owned(),
        tree: tree.map(std::path::absolute).transpose().context("resolve --tree")?,
        git_dir: base.git_dir,
        base_commit: base.commit,
        patch: String::new(),
        parent: String::new(),
        conflict: String::new(),
        spatched: String::new(),
        forms: std::collections::BTreeMap::new(),
        series: write::key(&project.series(name))?,
    })
}

/// Takes the fixed conflict, where the series and the base are still what they were; the commit that it was read from.
fn go_on(project: &Project, pending: &mut Pending, series: &Series, onto: &Base) -> Result<String> {
    if write::key(&project.series(&series.name))? != pending.series {
        bail!("series/{}/ was changed since the conflict: --abort, and begin again", series.name);
    }
    if onto.commit != pending.base_commit {
        bail!("{} moved to {} since the conflict: --abort, and begin again", pending.onto, &onto.commit[..12]);
    }
    let overlay = stack::own(overlay_files::read(project)?, series, &stack::others(project, series)?);
    pending::take_fix(&series.name, pending, |path| overlay.contains_key(path))
}

/// The base under the name it has in series/bases.toml, and the text of that file where it does not have it yet.
fn name_of_base(project: &Project, onto: &Base, pending: &Pending) -> Result<(Base, Option<String>)> {
    let Some(tree) = &pending.tree else { return Ok((onto.clone(), None)) };
    if let Some(known) = record::load(project)?.into_iter().find(|known| known.tree.as_ref() == Some(&onto.tree)) {
        return Ok((Base { name: known.name, ..onto.clone() }, None));
    }
    let name = record::slug(&pending.onto).with_context(|| format!("{:?} makes no name of a base", pending.onto))?;
    let (url, reference) = Repo::open(&onto.git_dir)?.origin_of(&pending.onto, tree)?;
    let text = record::with_git(project, &name, (&url, &reference), onto)?;
    Ok((Base { name, ..onto.clone() }, Some(text)))
}

fn finish(
    project: &Project,
    series: &Series,
    ((base, bases), mut pending, read): ((Base, Option<String>), Pending, Option<&str>),
    args: &Args,
) -> Result<Exit> {
    let repo = Repo::open(&base.git_dir)?;
    if !args.dry_run {
        rebase::refuse_moved_branch(&repo, &series.name, To::Elsewhere)?;
        if read.is_some() {
            pending::refuse_to_move(project, &repo, &series.name, To::Elsewhere)?;
        }
    }
    let rebased = rebase::rebase(project, series, &base, false, false)?;
    show(&rebased, args.json)?;
    let Some(stopped) = rebased.stopped() else {
        if !args.dry_run {
            rebased.repo.keep(&[rebased.tip()])?;
            write(project, &repo, (&series.name, &rebased), bases, read)?;
        }
        summary(&rebased, &series.name, args);
        return Ok(Exit::Good);
    };
    if !args.dry_run {
        (pending.parent, pending.conflict, pending.spatched) = pending::at(stopped, &base)?;
        rebased.repo.keep(&[&pending.conflict, &pending.spatched])?;
        pending.patch.clone_from(&stopped.name);
        pending::stop(project, &series.name, &pending, read)?;
        let (branch, name) = (pending::branch(&series.name), &series.name);
        crate::output::eprintln!(
            "txgen: {} does not go onto {}: fix it on branch {branch}, commit, and `txgen rebase {name} --continue`; \
             or `txgen rebase {name} --abort`",
            stopped.name,
            base.name
        );
    }
    Ok(Exit::Conflict)
}

/// Writes the series and moves its branch; the branch with the fix goes away where it is still at `read`, which was taken.
fn write(
    project: &Project,
    repo: &Repo,
    (name, rebased): (&str, &Rebased),
    bases: Option<String>,
    read: Option<&str>,
) -> Result<()> {
    let tip = rebased.tip();
    // Somebody may have begun to use a branch while it was rebased.
    let head = rebase::refuse_moved_branch(repo, name, To::Commit(tip))?;
    let mut refs = vec![(apply::head_ref(name), Some(tip.to_owned())), (apply::own_ref(name), Some(tip.to_owned()))];
    let mut seen = Seen::from([(apply::head_ref(name), head)]);
    // Without a rebase that waits the other branch is not of this one.
    if read.is_some() {
        let conflict = format!("refs/heads/{}", pending::branch(name));
        let fix = pending::refuse_to_move(project, repo, name, To::Elsewhere)?;
        pending::refuse_unread(name, fix.as_deref(), read)?;
        refs.push((conflict.clone(), None));
        seen.insert(conflict, fix);
    }
    let why = format!("txgen rebase {name} --onto {}", rebased.onto.name);
    let (overlay, git_dir) = (std::collections::BTreeMap::new(), rebased.onto.git_dir.clone());
    let journal = Journal { series: String::new(), bases, overlay, git_dir, refs, why };
    write::write_from(project, name, &rebased.files, journal, &seen)
}

fn check(project: &Project, series: &Series, args: &Args) -> Result<Exit> {
    let mut values = Vec::new();
    let mut exit = Exit::Good;
    for name in &args.check {
        let onto = base::resolve(project, name, args.tree.as_deref())?;
        let rebased = rebase::rebase(project, series, &onto, false, true)?;
        if rebased.stopped().is_some() {
            exit = Exit::Conflict;
        }
        if args.json {
            values.push(report::json(&rebased)?);
        } else {
            crate::output::println!("{} onto {name}:", series.name);
            crate::output::print!("{}", visible_lines(&report::text(&rebased)?));
        }
    }
    if args.json {
        crate::output::println!("{:#}", Value::from(values));
    }
    Ok(exit)
}

fn show(rebased: &Rebased, json: bool) -> Result<()> {
    if json {
        crate::output::println!("{:#}", report::json(rebased)?);
    } else {
        crate::output::print!("{}", visible_lines(&report::text(rebased)?));
    }
    Ok(())
}

fn summary(rebased: &Rebased, name: &str, args: &Args) {
    if args.json {
        return;
    }
    let count = rebased.patches.iter().filter(|patch| patch.commit.is_some()).count();
    let done = if args.dry_run { "would be" } else { "is" };
    let (from, onto) = (&rebased.from.name, &rebased.onto);
    crate::output::println!("{name} {done} on {} ({}), from {from}: {count} patches", onto.name, &onto.commit[..12]);
}

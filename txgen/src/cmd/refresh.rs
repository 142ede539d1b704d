// SPDX-License-Identifier: GPL-2.0
//! `txgen refresh`: the branch, edited in git, back into series/NAME/ and kernel-overlay/.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use super::which::Which;
use crate::base::Base;
use crate::error::Exit;
use crate::git::Repo;
use crate::git::branches::{Move, Put, To};
use crate::git::revision;
use crate::plain::{self, visible_lines};
use crate::project::Project;
use crate::rebase::{pending, write};
use crate::refresh::write::Refs;
use crate::refresh::{self, Choices, Made, Refreshed, Source, branch};
use crate::render::Rendered;
use crate::series::overlay_files::Overlay;
use crate::series::{Series, apply, overlay_files, stack};
use crate::{files, render};

const EXAMPLES: &str = "Examples:
  txgen apply zerocopy --tree ~/src/linux
  git -C ~/src/linux rebase -i --autosquash HEAD~14
  txgen refresh zerocopy --tree ~/src/linux
  txgen refresh zerocopy --dry-run
  txgen refresh zerocopy --fold net/core/txbuf.c --name 3f2a90=count-pins

Messages, edits, new, dropped, split, squashed and moved commits are read. A commit is the patch it was, the patch of
its subject, of its change, or the one that git range-diff finds most like it. Files that the base does not have are
kept in kernel-overlay/ in their last form; where a commit leaves one in a form that is not its last one without what
later commits add, txgen says so and changes nothing: squash these commits, or give --fold; a commit of which nothing is
left then is no patch, and its message is shown.";

/// Reads the branch of a series, edited in git, back into series/NAME/ and kernel-overlay/.
///
/// The branch itself is left as it is. All is written, or nothing: what was found is applied again first, and has to
/// give the trees of the branch, commit by commit.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Read this revision (a branch, HEAD~2, a tag, `@{-1}`, ...), not txgen/NAME, which stays where it is
    #[arg(long, value_name = "REV")]
    branch: Option<String>,
    /// Let a new file be born as it ends: what later commits change in it comes with the commit that adds it
    #[arg(long, value_name = "PATH")]
    fold: Vec<String>,
    /// Call the patch of a commit that is new NAME
    #[arg(long = "name", value_name = "COMMIT=NAME")]
    names: Vec<String>,
    /// Tell what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A series that is to be changed, and all that it is made of.
pub(super) struct Work {
    project: Project,
    /// The series.
    pub(super) series: Series,
    /// Its base.
    pub(super) base: Base,
    /// What it stands on.
    pub(super) foot: Base,
    manifest: String,
    overlay: Overlay,
}

impl Work {
    /// Reads a series and finds its base; an error where it can not be changed now.
    pub(super) fn open(project: &Project, which: &Which) -> Result<Self> {
        let (series, base) = which.find(project)?;
        if pending::load(project, &series.name)?.is_some() {
            bail!("a rebase of {} is under way: --continue or --abort it first", series.name);
        }
        refuse_other_base(project, &series, &base)?;
        let foot = stack::foot(project, &series, &base, false)?.base;
        let manifest = files::read(&project.series(&series.name).join("series.toml"))?;
        let overlay = overlay_files::read(project)?;
        Ok(Self { project: project.clone(), series, base, foot, manifest, overlay })
    }

    /// What a branch is compared with.
    pub(super) fn source<'a>(&'a self, repo: &'a Repo) -> Source<'a> {
        let Self { project, series, base, foot, manifest, overlay } = self;
        Source { project, series, manifest, overlay, base, foot, repo }
    }

    /// Where the branch of the series is; an error where it has what is not in the series.
    pub(super) fn known_place(&self, repo: &Repo) -> Result<Option<String>> {
        let Self { project, series, base, foot, .. } = self;
        let place = apply::known_place(repo, &series.name, || {
            apply::likeness(repo, series, foot, &apply::build_on(project, series, base, foot, false)?, false)
        })?;
        let advice = apply::advice(&series.name);
        repo.refuse_foreign(&apply::branch(&series.name), &Put::At(place.as_deref(), &advice))?;
        Ok(place)
    }

    /// Writes a series that was changed here, and moves its branch from `place` to `tip`.
    pub(super) fn write(
        &self,
        project: &Project,
        repo: &Repo,
        refreshed: &Refreshed,
        (place, tip): (Option<&str>, &str),
        why: &str,
    ) -> Result<()> {
        let name = &self.series.name;
        let (branch, advice) = (apply::branch(name), apply::advice(name));
        let put = Put::At(place, &advice);
        let head = repo.refuse_to_move(&Move { branch: &branch, to: To::Commit(tip), put, doing: "this" })?;
        let to = [apply::head_ref(name), apply::own_ref(name)].map(|name| (name, tip.to_owned())).into();
        let refs = Refs { to, seen: [(apply::head_ref(name), head)].into(), why: why.to_owned() };
        refresh::write::write(project, name, refreshed, &self.base, &refs)
    }
}

/// Runs `txgen refresh`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let choices = Choices { fold: args.fold.iter().cloned().collect(), names: names(&args.names)? };
    let _lock = if args.dry_run { None } else { Some(write::begin(project, &args.which.name)?) };
    let work = Work::open(project, &args.which)?;
    let (name, repo) = (&work.series.name, Repo::open(&work.base.git_dir)?);
    let (what, tip) = wanted(&repo, name, args)?;
    let source = work.source(&repo);
    let applied = applied(&source)?;
    ensure!(
        repo.descends(&tip, &work.foot.commit)?,
        "{what} does not stand on {} ({}): `txgen rebase {name} --onto` moves a series to another base",
        work.base.name,
        &work.foot.commit[..12],
    );
    let commits = branch::read(&repo, &work.foot.commit, &tip)?;
    let refreshed = refresh::refresh_any(&source, &applied, &commits, &choices)?;
    refuse_generated(project, &refreshed)?;
    let to = refs(&repo, name, &tip, &refreshed)?;
    let refs = Refs { to, seen: BTreeMap::new(), why: format!("txgen refresh {name}") };
    if !args.dry_run && !refreshed.is_unchanged() {
        refresh::write::write(project, name, &refreshed, &work.base, &refs)?;
    } else if !args.dry_run {
        let moves = refs.to.iter().map(|(name, commit)| (name.as_str(), Some(commit.as_str()))).collect::<Vec<_>>();
        repo.move_refs(&moves, &refs.why)?;
    }
    if args.json {
        show_json(name, &refreshed, args.dry_run);
    } else {
        show(name, &refreshed, args.dry_run);
    }
    Ok(Exit::Good)
}

/// The commit to be read, and how errors name it.
fn wanted(repo: &Repo, name: &str, args: &Args) -> Result<(String, String)> {
    let head = apply::head_ref(name);
    let Some(rev) = &args.branch else {
        let Some(tip) = repo.read_ref(&head)? else {
            bail!("there is no {}: `txgen apply {name}` makes it", apply::branch(name));
        };
        return Ok((head, tip.commit));
    };
    let tip = revision::commit(repo.git_dir(), args.which.tree.as_deref(), rev).context("--branch")?;
    Ok((format!("{rev} (commit {})", &tip[..12]), tip))
}

/// Which refs keep what was read: the branch's own, and one for what the series makes where something was folded; one
/// beside them where another revision was read.
fn refs(repo: &Repo, name: &str, tip: &str, refreshed: &Refreshed) -> Result<Vec<(String, String)>> {
    let folded = refreshed.folded.clone();
    let is_branch = repo.read_ref(&apply::head_ref(name))?.is_some_and(|head| head.commit == tip);
    if !is_branch {
        return Ok(vec![(apply::read_ref(name), folded.unwrap_or_else(|| tip.to_owned()))]);
    }
    let folded = folded.map(|folded| (apply::folded_ref(name), folded));
    Ok([(apply::own_ref(name), tip.to_owned())].into_iter().chain(folded).collect())
}

fn names(given: &[String]) -> Result<BTreeMap<String, String>> {
    let pair = |text: &String| {
        let (commit, name) = text.split_once('=').with_context(|| format!("--name {text}: it is COMMIT=NAME"))?;
        ensure!(commit.len() >= 4, "--name {text}: give at least 4 digits of the commit");
        Ok((commit.to_owned(), name.to_owned()))
    };
    given.iter().map(pair).collect()
}

/// The .diff files are for one base, and the branch has to stand on it.
fn refuse_other_base(project: &Project, series: &Series, base: &Base) -> Result<()> {
    if apply::is_recorded(project, series, base)? {
        return Ok(());
    }
    bail!(
        "series {name} is for base {}, and {} is another: `txgen rebase {name} --onto {}` moves the series there first, \
         so that what the branch has can be told from what the bases differ in",
        series.base,
        base.name,
        base.name,
        name = series.name
    );
}

/// What the series may have been made into: the commits up to where txgen put its branch or read it, those where something
/// of the branch was folded, and what it read beside the branch.
fn applied(source: &Source<'_>) -> Result<Vec<Made>> {
    let Source { series, foot, repo, .. } = source;
    let name = &series.name;
    let mut found = Vec::new();
    for (place, beside) in
        [(apply::own_ref(name), false), (apply::folded_ref(name), false), (apply::read_ref(name), true)]
    {
        if let Some(tip) = repo.read_ref(&place)?
            && repo.descends(&tip.commit, &foot.commit)?
        {
            found.push(Made { commits: repo.commits_above(&foot.commit, &tip.commit)?, beside });
        }
    }
    Ok(found)
}

/// Refuses to change what is rendered from the design: the next `txgen generate` would write over it.
fn refuse_generated(project: &Project, refreshed: &Refreshed) -> Result<()> {
    if refreshed.overlay.is_empty() || !render::has_designs(project) {
        return Ok(());
    }
    let generated = render::render_all(project)?;
    let is_changed =
        |file: &&Rendered| refreshed.overlay.keys().any(|path| file.path == format!("kernel-overlay/{path}"));
    match generated.iter().find(is_changed) {
        Some(file) => {
            let path = file.path.trim_start_matches("kernel-overlay/");
            bail!(
                "{path} is rendered from {}: change it there, `txgen generate`, `txgen apply`, and take the change of \
                 {path} out of the branch",
                file.designs.join(" and ")
            )
        }
        None => Ok(()),
    }
}

fn show_json(name: &str, refreshed: &Refreshed, dry_run: bool) {
    let value = json!({"name": name, "patches": refreshed.patches, "dropped": refreshed.dropped,
        "files": refreshed.files.iter().map(|(file, text)| (file, text.is_some())).collect::<BTreeMap<_, _>>(),
        "overlay": refreshed.overlay.iter().map(|(path, blob)| (path, blob.is_some())).collect::<BTreeMap<_, _>>(),
        "notes": refreshed.notes, "written": !dry_run && !refreshed.is_unchanged()});
    crate::output::println!("{value:#}");
}

/// Tells what became of each patch.
pub(super) fn show(name: &str, refreshed: &Refreshed, dry_run: bool) {
    for patch in &refreshed.patches {
        let changed = if patch.changed.is_empty() { "as it was".to_owned() } else { patch.changed.join(", ") };
        crate::output::println!("{:20} {:28} {}", changed, patch.name, plain::shown(&patch.subject));
    }
    for patch in &refreshed.dropped {
        crate::output::println!("{:20} {patch}", "dropped");
    }
    for note in &refreshed.notes {
        crate::output::println!("note: {}", visible_lines(note));
    }
    let (count, kernel) = (refreshed.files.len(), refreshed.overlay.len());
    match (refreshed.is_unchanged(), dry_run) {
        (true, _) => crate::output::println!("series/{name}/ has all of it already"),
        (_, true) => {
            crate::output::println!("would change: {count} files of series/{name}/, {kernel} of kernel-overlay/");
        }
        (_, false) => crate::output::println!("changed: {count} files of series/{name}/, {kernel} of kernel-overlay/"),
    }
}

// SPDX-License-Identifier: GPL-2.0
//! `txgen refresh`: the branch, edited in git, back into series/NAME/ and kernel-overlay/.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use super::which::Which;
use crate::base::Base;
use crate::error::Exit;
use crate::git::Repo;
use crate::git::history::Commit;
use crate::plain::visible;
use crate::project::Project;
use crate::rebase::{pending, write};
use crate::refresh::{self, Choices, Refreshed, Source, branch};
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
later commits add, txgen says so and changes nothing: squash these commits, or give --fold.";

/// Reads the branch of a series, edited in git, back into series/NAME/ and kernel-overlay/.
///
/// The branch itself is left as it is. All is written, or nothing: what was found is applied again first, and has to
/// give the trees of the branch, commit by commit.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Read this branch, or any commit, not txgen/NAME
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

    /// Refuses to change a series whose branch was edited in git.
    pub(super) fn refuse_edited(&self, repo: &Repo) -> Result<()> {
        apply::refuse_edited(repo, &self.series.name, &apply::branch(&self.series.name))
    }

    /// Writes a series that was changed here, and moves its branch there, where it has one.
    pub(super) fn write(
        &self,
        project: &Project,
        repo: &Repo,
        refreshed: &Refreshed,
        tip: &str,
        why: &str,
    ) -> Result<()> {
        let name = &self.series.name;
        let branch = apply::branch(name);
        if repo.checked_out_at(&branch)?.is_some() {
            bail!("branch {branch} is checked out: edit it there and `txgen refresh {name}`, or switch to another");
        }
        let refs = [format!("refs/heads/{branch}"), apply::own_ref(name)];
        refresh::write::write(project, name, refreshed, &self.base, (&refs, tip, why))
    }
}

/// Runs `txgen refresh`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let choices = Choices { fold: args.fold.iter().cloned().collect(), names: names(&args.names)? };
    let _lock = if args.dry_run { None } else { Some(write::begin(project, &args.which.name)?) };
    let work = Work::open(project, &args.which)?;
    let (name, repo) = (&work.series.name, Repo::open(&work.base.git_dir)?);
    let head = args.branch.clone().unwrap_or_else(|| format!("refs/heads/{}", apply::branch(name)));
    let Some(tip) = repo.read_ref(&head)?.or(args.branch.as_ref().and_then(|spec| repo.resolve(spec).ok())) else {
        bail!("there is no {}: `txgen apply {name}` makes it", head.trim_start_matches("refs/heads/"));
    };
    let source = work.source(&repo);
    let applied = applied(&source)?;
    ensure!(
        repo.descends(&tip.commit, &work.foot.commit)?,
        "{head} does not stand on {} ({}): `txgen rebase {name} --onto` moves a series to another base",
        work.base.name,
        &work.foot.commit[..12],
    );
    let commits = branch::read(&repo, &work.foot.commit, &tip.commit)?;
    let refreshed = refresh::refresh(&source, &applied, &commits, &choices)?;
    refuse_generated(project, &refreshed)?;
    let why = format!("txgen refresh {name}");
    if !args.dry_run && !refreshed.is_unchanged() {
        let refs = [apply::own_ref(name)];
        refresh::write::write(project, name, &refreshed, &work.base, (&refs, &tip.commit, &why))?;
    } else if !args.dry_run {
        repo.set_refs(&[&apply::own_ref(name)], &tip.commit, &why)?;
    }
    if args.json {
        show_json(name, &refreshed, args.dry_run);
    } else {
        show(name, &refreshed, args.dry_run);
    }
    Ok(Exit::Good)
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

/// The commits that the branch was made of: where txgen put it, or what it would put there now.
pub(super) fn applied(source: &Source<'_>) -> Result<Vec<Commit>> {
    let Source { project, series, base, foot, repo, .. } = source;
    let own = repo.read_ref(&apply::own_ref(&series.name))?.map(|own| own.commit);
    let tip = match own {
        Some(own) if repo.descends(&own, &foot.commit)? => own,
        _ => apply::build(project, series, base, false)?.pop().map_or(foot.commit.clone(), |patch| patch.commit),
    };
    repo.commits_above(&foot.commit, &tip)
}

/// Refuses to change what is rendered from the design: the next `txgen generate` would write over it.
fn refuse_generated(project: &Project, refreshed: &Refreshed) -> Result<()> {
    if refreshed.overlay.is_empty() || !project.templates().is_dir() {
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
        crate::output::println!("{:20} {:28} {}", changed, patch.name, visible(&patch.subject));
    }
    for patch in &refreshed.dropped {
        crate::output::println!("{:20} {patch}", "dropped");
    }
    for note in &refreshed.notes {
        crate::output::println!("note: {}", visible(note));
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

// SPDX-License-Identifier: GPL-2.0
//! `txgen new` and `txgen import`: a series that is not there yet.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;

use super::refresh as command;
use crate::base::{self, Base};
use crate::error::Exit;
use crate::git::branches::{Move, Put, To};
use crate::git::{Repo, revision};
use crate::import::{self, Imported, Onto};
use crate::lock::Lock;
use crate::plain;
use crate::project::Project;
use crate::rebase::write::{self, Journal};
use crate::refresh::write::Refs;
use crate::refresh::{self, Choices, Source, branch, manifest};
use crate::scratch::Scratch;
use crate::series::{self, apply, overlay_files, stack};
use crate::value;

const NEW_EXAMPLES: &str = "Examples:
  txgen new messages --title 'net: messages with destructors' --base net-next
  txgen apply messages --tree ~/src/linux && git -C ~/src/linux switch txgen/messages
  git -C ~/src/linux commit -a && txgen refresh messages --tree ~/src/linux";

const IMPORT_EXAMPLES: &str = "Examples:
  txgen import fixes branch my-fixes --tree ~/src/linux --base net/main
  txgen import fixes mbox series.mbox --base net-next
  b4 am -o - 20261123-x-v2-0-0123456789ab@example.org | txgen import fixes mbox - --base net-next
  txgen import fixes quilt ~/patches --title 'net: fixes' --base net-next
  txgen import fixes --fold net/core/Makefile branch my-fixes --tree ~/src/linux --base net/main

Files that the base does not have go to kernel-overlay/ in their last form, as `txgen refresh` would put them there. Where
a commit leaves one in a form that is not its last one without what later commits add, txgen says so and imports nothing:
squash these commits, or give --fold; a commit of which nothing is left then is no patch, and its message is shown. A cover
letter of a mailbox gives title and cover.md; its tags, change-id and recipients go to series.toml, with a changelog in the
form that `txgen send` gives it, and what is between `---` and the diffstat of a patch becomes the note of its .msg file.";

/// What a new series starts with.
#[derive(Debug, Clone, clap::Args)]
pub struct Start {
    /// Series, a folder of series/ that is not there yet
    name: String,
    /// Subject of the cover letter
    #[arg(long, value_parser = value::line_argument)]
    title: Option<String>,
    /// Tree it is posted for, as in `[PATCH net-next]` [default: that of the mails, else net-next]
    #[arg(long, value_name = "TREE", value_parser = value::tree_argument)]
    prefix: Option<String>,
    /// Base of series/bases.toml or, with --tree, any ref of that clone, which has to be recorded there
    #[arg(long, value_name = "BASE", default_value = "net-next")]
    base: String,
    /// Work in this clone of the kernel, not in the managed repository
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// Series it stands on
    #[arg(long, value_name = "SERIES")]
    depends: Option<String>,
}

/// Begins a series without patches.
///
/// Its files are kept byte by byte where git leaves line ends alone: have `* -text` in .gitattributes at the top of the
/// project.
#[derive(Debug, clap::Args)]
#[command(after_help = NEW_EXAMPLES)]
pub struct NewArgs {
    #[command(flatten)]
    start: Start,
}

/// Makes a series of a branch, a mailbox or a quilt folder.
#[derive(Debug, clap::Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub struct ImportArgs {
    #[command(flatten)]
    start: Start,
    /// Let a new file be born as it ends: what later commits change in it comes with the commit that adds it
    #[arg(long, value_name = "PATH", global = true)]
    fold: Vec<String>,
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, clap::Subcommand)]
enum From {
    /// The commits of a branch since the base
    Branch {
        /// The branch, or any commit
        rev: String,
    },
    /// The patches of mails, as archives, `b4 am`, `git format-patch` or `txgen send` write them
    Mbox {
        /// An mbox (also .gz), a Maildir, a folder of .eml or .patch files, or a mail; `-` is standard input
        source: PathBuf,
    },
    /// The patches that the file `series` of a folder lists
    Quilt {
        /// The folder
        folder: PathBuf,
    },
}

/// Runs `txgen new`.
pub fn run_new(project: &Project, args: &NewArgs) -> Result<Exit> {
    let _lock = locked(project, &args.start.name)?;
    let (base, date) = (begin(project, &args.start)?, Timestamp::now());
    let Some(title) = &args.start.title else { bail!("give the series a --title, the subject of its cover letter") };
    let text = skeleton(&args.start, title, &base.name, date)?;
    let cover = format!("{title}\n\nWhy, and what it does.\n");
    let files = BTreeMap::from([("series.toml".to_owned(), Some(text)), ("cover.md".to_owned(), Some(cover))]);
    write(project, &args.start.name, &files)?;
    let name = &args.start.name;
    crate::output::println!(
        "series/{name}/ has no patches yet: `txgen apply {name}` makes branch {}",
        apply::branch(name)
    );
    Ok(Exit::Good)
}

/// Runs `txgen import`.
pub fn run_import(project: &Project, args: &ImportArgs) -> Result<Exit> {
    let _lock = locked(project, &args.start.name)?;
    let (base, date) = (begin(project, &args.start)?, Timestamp::now());
    let name = &args.start.name;
    let repo = Repo::open(&base.git_dir)?;
    // What it is made of is begun in a folder of its own: here nothing is changed before all of it is known.
    let dir = Scratch::new(&project.cache)?;
    let staged = Project { root: dir.path().to_owned(), cache: project.cache.clone() };
    refresh::stage::copy(project, &staged)?;
    let file = staged.series(name).join("series.toml");
    let begun =
        |title: &str| crate::files::write_atomic(&file, skeleton(&args.start, title, &base.name, date)?.as_bytes());
    begun("?")?;
    let foot = stack::foot(&staged, &series::load(&staged, name)?, &base, false)?.base;
    let onto = Onto { base: &foot, cache: &project.cache, seconds: date.as_second() };
    let imported = read(args, onto, &repo)?;
    let commits = branch::read(&repo, &foot.commit, &imported.tip)?;
    let title = args.start.title.clone().or(imported.cover.as_ref().map(|(title, _)| title.clone()));
    let title = title.or_else(|| commits.first().map(|commit| commit.subject().to_owned()));
    begun(&fitting(&title.context("there is no commit above the base")?))?;
    let (series, manifest) = (series::load(&staged, name)?, crate::files::read(&file)?);
    let overlay = overlay_files::read(&staged)?;
    let source = Source {
        project: &staged,
        series: &series,
        manifest: &manifest,
        overlay: &overlay,
        base: &base,
        foot: &foot,
        repo: &repo,
    };
    let choices = Choices { fold: args.fold.iter().cloned().collect(), ..Choices::default() };
    let mut refreshed = refresh::refresh(&source, &[], &commits, &choices)?;
    refreshed.files.entry("series.toml".to_owned()).or_insert(Some(manifest));
    let names = refreshed.patches.iter().map(|patch| patch.name.as_str()).collect::<Vec<_>>();
    import::complete(&mut refreshed.files, &names, &imported)?;
    refreshed.notes.extend(imported.posting.unread.iter().map(|name| {
        format!("the {name}: header of the first mail has more than names and addresses: series.toml has none of it")
    }));
    let tip = refreshed.folded.clone().unwrap_or(imported.tip);
    let head = refuse_to_move(&repo, name, To::Commit(&tip))?;
    let to = [apply::head_ref(name), apply::own_ref(name)].map(|name| (name, tip.clone())).into();
    let refs = Refs { to, seen: [(apply::head_ref(name), head)].into(), why: format!("txgen import {name}") };
    refresh::write::write(project, name, &refreshed, &base, &refs)?;
    command::show(name, &refreshed, false);
    Ok(Exit::Good)
}

/// The right to change the project, for a series of that name.
fn locked(project: &Project, name: &str) -> Result<Lock> {
    if !base::record::is_name(name) {
        bail!("{name:?} is no name of a series: lower case letters, digits, `-`, `_` and `.` only");
    }
    write::begin(project, name)
}

/// The work that is imported, as commits on its base.
fn read(args: &ImportArgs, onto: Onto<'_>, repo: &Repo) -> Result<Imported> {
    let mut imported = match &args.from {
        From::Branch { rev } => {
            let tip = revision::commit(repo.git_dir(), args.start.tree.as_deref(), rev)?;
            Imported { tip, ..Imported::default() }
        }
        From::Mbox { source } => import::mbox(onto, source)?,
        From::Quilt { folder } => import::quilt(onto, folder)?,
    };
    if args.start.prefix.is_some() {
        imported.posting.tree = None;
    }
    let foot = onto.base;
    if !repo.descends(&imported.tip, &foot.commit)? {
        bail!("{} does not stand on {} ({}): name its --base", &imported.tip[..12], foot.name, &foot.commit[..12]);
    }
    Ok(imported)
}

/// A title of the first commit's subject: series.toml takes none that fits in no line of a mail.
fn fitting(title: &str) -> String {
    if value::check_line(title).is_ok() { title.to_owned() } else { plain::shown(title) }
}

/// Refuses to move a branch of the name that the new series' branch is to have: it is in use, or somebody else's.
fn refuse_to_move(repo: &Repo, name: &str, to: To<'_>) -> Result<Option<String>> {
    let branch = apply::branch(name);
    // Of a series that is not there yet no branch can be: what refs/txgen says of the name is another project's word.
    let advice = format!(
        "it is not of series {name}, which is not there yet, and would be lost. Rename it (`git branch -m {branch} NEW`), \
         or give the series another name"
    );
    let put = Put::At(None, &advice);
    repo.refuse_to_move(&Move { branch: &branch, to, put, doing: "importing" })
}

/// Finds the base of a series that is not there yet.
fn begin(project: &Project, start: &Start) -> Result<Base> {
    if project.series(&start.name).exists() {
        bail!("series/{}/ is there already", start.name);
    }
    let base = base::resolve(project, &start.base, start.tree.as_deref())?;
    if start.tree.is_none() {
        return Ok(base);
    }
    let known = base::record::load(project)?.into_iter().find(|known| known.tree.as_ref() == Some(&base.tree));
    let Some(known) = known else {
        bail!(
            "{} ({}) is no base of series/bases.toml: record it with `txgen base fetch`, or name one that is",
            start.base,
            &base.commit[..12]
        );
    };
    Ok(Base { name: known.name, ..base })
}

/// A series.toml without patches.
fn skeleton(start: &Start, title: &str, base: &str, date: Timestamp) -> Result<String> {
    manifest::begin(&manifest::Begin {
        name: &start.name,
        title,
        tree: start.prefix.as_deref().unwrap_or("net-next"),
        base,
        depends: start.depends.as_deref(),
        date,
    })
}

fn write(project: &Project, name: &str, files: &BTreeMap<String, Option<String>>) -> Result<()> {
    let journal = Journal {
        series: String::new(),
        bases: None,
        overlay: BTreeMap::new(),
        git_dir: base::managed(project),
        refs: Vec::new(),
        why: format!("txgen new {name}"),
    };
    write::write(project, name, files, journal)
}

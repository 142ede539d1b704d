// SPDX-License-Identifier: GPL-2.0
//! A branch that was edited in git, read back into series/NAME/ and kernel-overlay/.
//!
//! What the series would be is made in memory, put into a folder of its own, and applied from there: only if that gives
//! the branch's trees again, commit by commit, it is the result. Nothing here writes to the project.

pub mod births;
pub mod branch;
mod growth;
mod known;
pub mod manifest;
mod names;
mod new_files;
pub mod pair;
mod prove;
pub mod stage;
pub mod write;
mod writer;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};

use crate::base::Base;
use crate::git::history::Commit;
use crate::git::{Changes, Repo};
use crate::project::Project;
use crate::series::Series;
use crate::series::overlay_files::Overlay;
use names::{moved, names, order};
use prove::{prove, stranded};
use writer::Writer;

/// What the user says where the branch leaves a choice.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// New files that are born as they end: what later patches change in them comes earlier.
    pub fold: BTreeSet<String>,
    /// Names of new patches, by the first digits of their commits.
    pub names: BTreeMap<String, String>,
}

/// A branch as a series.
#[derive(Debug, Clone)]
pub struct Refreshed {
    /// The patches, first to last.
    pub patches: Vec<RefreshedPatch>,
    /// Patches of which no commit is left.
    pub dropped: Vec<String>,
    /// The files of series/NAME/ that change, `None` where they go away.
    pub files: BTreeMap<String, Option<String>>,
    /// The files of kernel-overlay/ that change, `None` where they go away.
    pub overlay: Changes,
    /// What the user should know.
    pub notes: Vec<String>,
    /// The last commit that the series makes, where it has not just the trees of the branch: something was folded.
    pub folded: Option<String>,
}

/// A commit of the branch as a patch.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RefreshedPatch {
    /// Its name.
    pub name: String,
    /// The first line of its message.
    pub subject: String,
    /// Its commit.
    pub commit: String,
    /// What became of it: `new`, `message`, `edits`, `moved`; nothing where it is as it was.
    pub changed: Vec<&'static str>,
}

impl Refreshed {
    /// Whether the series is the branch already.
    pub fn is_unchanged(&self) -> bool {
        self.files.is_empty() && self.overlay.is_empty()
    }
}

/// Commits that a series may have been made into.
#[derive(Debug, Clone)]
pub struct Made {
    /// The commits.
    pub commits: Vec<Commit>,
    /// Whether they were read beside the branch of the series, which stayed as it was.
    pub beside: bool,
}

/// A series, and the branch that was made of it.
pub struct Source<'a> {
    /// The project.
    pub project: &'a Project,
    /// The series as it is on disk.
    pub series: &'a Series,
    /// The text of its series.toml.
    pub manifest: &'a str,
    /// kernel-overlay/.
    pub overlay: &'a Overlay,
    /// The base of the series.
    pub base: &'a Base,
    /// Where the branch stands: the base, with all that the series depends on.
    pub foot: &'a Base,
    /// The repository with the branch.
    pub repo: &'a Repo,
}

/// Reads `branch`, the commits up to the tip of an edited branch, where `applied` are those that the series was made
/// into.
pub fn refresh(source: &Source<'_>, applied: &[Commit], branch: &[Commit], choices: &Choices) -> Result<Refreshed> {
    refresh_any(source, &[Made { commits: applied.to_vec(), beside: false }], branch, choices)
}

/// Like [`refresh`], where one of `candidates` are the commits that the series was made into; without any they are those that
/// it is made into now.
pub fn refresh_any(
    source: &Source<'_>,
    candidates: &[Made],
    branch: &[Commit],
    choices: &Choices,
) -> Result<Refreshed> {
    refuse_unfoldable(source, branch, &choices.fold)?;
    let (applied, on_base) = known::known(source, candidates, branch)?;
    let mut commits = branch.to_vec();
    let mut notes = Vec::new();
    let mut refreshed = loop {
        match read(source, (&applied, &on_base), &commits, choices)? {
            Reading::Whole(refreshed) => break *refreshed,
            Reading::Spent(spent) => {
                for index in &spent {
                    notes.push(spent_note(source.repo, &commits[*index])?);
                }
                commits = without(commits, &spent);
            }
        }
    };
    let proven = prove(source, &refreshed, &commits, &choices.fold)?;
    refreshed.folded = Some(proven.tip).filter(|_| proven.differs || commits.len() < branch.len());
    refreshed.notes.extend(notes);
    refreshed.notes.extend(stranded(source, &proven.staged.project)?);
    Ok(refreshed)
}

/// The commits without the spent ones; the last one has the tree of the branch as before.
fn without(commits: Vec<Commit>, spent: &BTreeSet<usize>) -> Vec<Commit> {
    let tree = commits.last().map(|commit| commit.tree.clone());
    let kept = commits.into_iter().enumerate().filter(|(index, _)| !spent.contains(index));
    let mut kept = kept.map(|(_, commit)| commit).collect::<Vec<_>>();
    if let (Some(last), Some(tree)) = (kept.last_mut(), tree) {
        last.tree = tree;
    }
    kept
}

/// Refuses to fold what is no new file of the branch: a name that is mistyped would be passed over.
fn refuse_unfoldable(source: &Source<'_>, branch: &[Commit], fold: &BTreeSet<String>) -> Result<()> {
    if fold.is_empty() {
        return Ok(());
    }
    let mut changed = BTreeSet::new();
    for commit in branch {
        changed.extend(source.repo.changed_paths(&commit.below, &commit.tree)?);
    }
    for path in fold {
        ensure!(changed.contains(path), "--fold {path}: no commit of the branch changes a file of this name");
        let is_new = source.repo.id_of(&source.base.tree, path)?.is_none();
        ensure!(is_new, "--fold {path}: it is a file of the base, and only new files fold");
    }
    Ok(())
}

/// What commits are as a series.
enum Reading {
    /// All of them are patches.
    Whole(Box<Refreshed>),
    /// The commits at these indices change nothing but what comes earlier.
    Spent(BTreeSet<usize>),
}

fn read(
    source: &Source<'_>,
    (applied, on_base): (&[Commit], &[String]),
    branch: &[Commit],
    choices: &Choices,
) -> Result<Reading> {
    let is = source.series.patches.iter().map(|patch| patch.name.as_str()).collect::<Vec<_>>();
    let pairs = pair::pair(source.repo, &source.foot.commit, applied, branch)?;
    let kept = pairs.iter().map(|pair| pair.map(|index| on_base[index].as_str())).collect::<Vec<_>>();
    let names = names(&kept, branch, &is, &choices.names)?;
    let dropped = on_base.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>();
    // Patches that make no sense on this base stay behind the one they followed.
    let order = order(&is, on_base, &names);
    let (patches, notes) = (Vec::new(), Vec::new());
    let (files, overlay) = (BTreeMap::new(), Changes::new());
    let mut refreshed = Refreshed { patches, dropped, files, overlay, notes, folded: None };
    let mut writer = Writer::new(source, (branch, &names), &choices.fold)?;
    let claims = writer.overlay(&mut refreshed)?;
    writer.edit_the_rest(&claims);
    let moved = moved(&pairs);
    let mut spent = BTreeSet::new();
    for (index, commit) in branch.iter().enumerate() {
        let was = source.series.patches.iter().find(|patch| patch.name == names[index]);
        let before = pairs[index].map(|old| &applied[old]);
        let mut changed = writer.patch(commit, (&names[index], was, before), &mut refreshed)?;
        if moved.contains(&index) {
            changed.push("moved");
        }
        if !claims.contains_key(&names[index]) && writer.is_spent(index, was, &refreshed)? {
            spent.insert(index);
        }
        let (name, subject) = (names[index].clone(), commit.subject().to_owned());
        refreshed.patches.push(RefreshedPatch { name, subject, commit: commit.id.clone(), changed });
    }
    if !spent.is_empty() {
        return Ok(Reading::Spent(spent));
    }
    writer.drop_files(&mut refreshed);
    let entries = order.iter().map(|name| writer.entry(name, &claims)).collect::<Vec<_>>();
    write_manifest(source, &entries, &mut refreshed)?;
    Ok(Reading::Whole(Box::new(refreshed)))
}

fn write_manifest(source: &Source<'_>, entries: &[manifest::Entry], refreshed: &mut Refreshed) -> Result<()> {
    let manifest = manifest::with_patches(source.manifest, entries)
        .with_context(|| format!("series/{}/series.toml", source.series.name))?;
    if manifest != source.manifest {
        refreshed.files.insert("series.toml".to_owned(), Some(manifest));
    }
    Ok(())
}

/// Says of a commit that it is no patch, and what its message was.
fn spent_note(repo: &Repo, commit: &Commit) -> Result<String> {
    let paths = repo.changed_paths(&commit.below, &commit.tree)?.join(", ");
    let message = commit.message.trim().lines();
    let message = message.map(|line| if line.is_empty() { "\n".to_owned() } else { format!("\n    {line}") });
    Ok(format!(
        "commit {} changes {paths} alone, which --fold lets come earlier: it is no patch, and its message is not in the \
         series:{}",
        commit.display(),
        message.collect::<String>()
    ))
}

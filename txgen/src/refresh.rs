// SPDX-License-Identifier: GPL-2.0
//! A branch that was edited in git, read back into series/NAME/ and kernel-overlay/.
//!
//! What the series would be is made in memory, put into a folder of its own, and applied from there: only if that gives
//! the branch's trees again, commit by commit, it is the result. Nothing here writes to the project.

pub mod births;
pub mod branch;
pub mod manifest;
pub mod pair;
pub mod stage;
pub mod write;
mod writer;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, anyhow, bail};

use crate::base::Base;
use crate::error::Conflict;
use crate::git::history::Commit;
use crate::git::{Changes, Repo};
use crate::project::Project;
use crate::series::overlay_files::Overlay;
use crate::series::{AppliedPatch, Series, apply, stack};
use stage::{Staged, stage};
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
    let is = source.series.patches.iter().map(|patch| patch.name.as_str()).collect::<Vec<_>>();
    let on_base = names_of(source, applied)?;
    let pairs = pair::pair(source.repo, &source.foot.commit, applied, branch)?;
    let kept = pairs.iter().map(|pair| pair.map(|index| on_base[index].as_str())).collect::<Vec<_>>();
    let names = names(&kept, branch, &is, &choices.names)?;
    let dropped = on_base.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>();
    // Patches that make no sense on this base stay behind the one they followed.
    let order = order(&is, &on_base, &names);
    let mut refreshed =
        Refreshed { patches: Vec::new(), dropped, files: BTreeMap::new(), overlay: Changes::new(), notes: Vec::new() };
    let mut writer = Writer::new(source, branch, &names)?;
    let claims = writer.overlay(&mut refreshed)?;
    writer.edit_the_rest(&claims);
    let moved = moved(&pairs);
    for (index, commit) in branch.iter().enumerate() {
        let was = source.series.patches.iter().find(|patch| patch.name == names[index]);
        let before = pairs[index].map(|old| &applied[old]);
        let mut changed = writer.patch(commit, (&names[index], was, before), &mut refreshed)?;
        if moved.contains(&index) {
            changed.push("moved");
        }
        refreshed.patches.push(RefreshedPatch {
            name: names[index].clone(),
            subject: commit.subject().to_owned(),
            commit: commit.id.clone(),
            changed,
        });
    }
    writer.drop_files(&mut refreshed);
    let entries = order.iter().map(|name| writer.entry(name, &claims)).collect::<Vec<_>>();
    let manifest = manifest::with_patches(source.manifest, &entries)?;
    if manifest != source.manifest {
        refreshed.files.insert("series.toml".to_owned(), Some(manifest));
    }
    let staged = prove(source, &refreshed, branch, &choices.fold)?;
    refreshed.notes.extend(stranded(source, &staged.project)?);
    Ok(refreshed)
}

/// Series above this one that do not go onto what it has become.
fn stranded(source: &Source<'_>, project: &Project) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    for name in apply::names(project)? {
        let series = match crate::series::load(project, &name) {
            Ok(series) => series,
            Err(error) => {
                stack::warn_unread(&name, &error);
                continue;
            }
        };
        let is_above = stack::chain(project, &series)?.iter().any(|lower| lower.name == source.series.name);
        if let Some(error) = is_above.then(|| apply::build(project, &series, source.base, false).err()).flatten() {
            notes.push(format!("series {name}, which depends on it, does not go onto it any more: {error:#}"));
        }
    }
    Ok(notes)
}

/// The names of the patches that `applied` are; a conflict where the series is another by now.
fn names_of(source: &Source<'_>, applied: &[Commit]) -> Result<Vec<String>> {
    let now = apply::build(source.project, source.series, source.base, false)?;
    let same = |(commit, patch): (&Commit, &AppliedPatch)| -> Result<bool> {
        let known = source.series.patches.iter().find(|known| known.name == patch.name);
        let message = known.with_context(|| format!("patch {} is gone", patch.name))?.message.commit_message(None);
        Ok(commit.tree == patch.tree && (commit.message == message || tool_signed(commit, &message).is_some()))
    };
    for pair in applied.iter().zip(&now) {
        if !same(pair)? {
            return Err(changed_meanwhile(source, &pair.1.name));
        }
    }
    match now.get(applied.len()).or_else(|| now.last().filter(|_| applied.len() > now.len())) {
        Some(patch) => Err(changed_meanwhile(source, &patch.name)),
        None => Ok(now.into_iter().map(|patch| patch.name).collect()),
    }
}

fn changed_meanwhile(source: &Source<'_>, patch: &str) -> anyhow::Error {
    let name = &source.series.name;
    let what = format!(
        "series {name} was changed on disk after its branch was set (first at patch {patch}), and the branch was \
         edited, too: take one of them back. `txgen apply {name} --discard` drops the edits of the branch, its commits \
         stay in the branch's reflog"
    );
    Conflict { what }.into()
}

/// The last line of a commit's message where `txgen apply --signoff` put it.
fn tool_signed<'a>(commit: &'a Commit, message: &str) -> Option<&'a str> {
    let line = commit.message.trim_end().lines().last()?;
    let signer = line.strip_prefix("Signed-off-by: ")?;
    let rest = commit.message.trim_end().strip_suffix(line)?;
    (rest.trim_end() == message.trim_end()).then_some(signer)
}

/// The name of each commit's patch: the one it had, the one the user gives, or one made of its subject.
fn names(
    kept: &[Option<&str>],
    branch: &[Commit],
    taken: &[&str],
    given: &BTreeMap<String, String>,
) -> Result<Vec<String>> {
    let mut left = given.keys().collect::<BTreeSet<_>>();
    let mut names = kept.iter().map(|name| name.map(str::to_owned)).collect::<Vec<_>>();
    for (index, commit) in branch.iter().enumerate() {
        let Some((key, name)) = given.iter().find(|(key, _)| commit.id.starts_with(key.as_str())) else { continue };
        if !crate::base::record::is_name(name) {
            bail!("{name:?} is no name of a patch: lower case letters, digits, `-`, `_` and `.` only");
        }
        if names
            .iter()
            .flatten()
            .chain(taken.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>().iter())
            .any(|n| n == name)
        {
            bail!("there is a patch {name} already: give commit {} another name", commit.display());
        }
        left.remove(key);
        names[index] = Some(name.clone());
    }
    if let Some(key) = left.first() {
        bail!("the branch has no commit {key}");
    }
    for (index, commit) in branch.iter().enumerate() {
        if names[index].is_none() {
            let is_taken = |name: &str| taken.contains(&name) || names.iter().flatten().any(|known| known == name);
            names[index] = Some(slug(commit.subject(), is_taken));
        }
    }
    Ok(names.into_iter().flatten().collect())
}

/// A name made of a subject: `tcp: pin user memory` becomes `pin-user-memory`.
fn slug(subject: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let phrase = subject.rsplit(": ").next().unwrap_or(subject).to_lowercase();
    let mut name = String::new();
    for word in phrase.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if !name.is_empty() && name.len() + word.len() >= 40 {
            break;
        }
        name += if name.is_empty() { "" } else { "-" };
        name += word.get(..40).unwrap_or(word);
    }
    let name = if name.is_empty() { "patch".to_owned() } else { name };
    let mut candidates = std::iter::once(name.clone()).chain((2..).map(|n| format!("{name}-{n}")));
    candidates.find(|name| !is_taken(name)).expect("there is no end of numbers")
}

/// All patches in their new order.
fn order(is: &[&str], on_base: &[String], names: &[String]) -> Vec<String> {
    let mut order = names.to_vec();
    for (place, name) in is.iter().enumerate().filter(|(_, name)| !on_base.iter().any(|known| known == *name)) {
        let before = is[..place].iter().rev().find_map(|name| order.iter().position(|known| known == name));
        order.insert(before.map_or(0, |at| at + 1), (*name).to_owned());
    }
    order
}

/// The commits that are behind one that they used to be before: as few as explain the order.
fn moved(pairs: &[Option<usize>]) -> BTreeSet<usize> {
    let known = pairs.iter().enumerate().filter_map(|(new, old)| Some((new, (*old)?))).collect::<Vec<_>>();
    // The longest run of commits in their old order stayed.
    let mut best = vec![(0, None); known.len()];
    for end in 0..known.len() {
        let before =
            (0..end).filter(|i| known[*i].1 < known[end].1).max_by_key(|i| (best[*i].0, std::cmp::Reverse(*i)));
        best[end] = before.map_or((1, None), |i| (best[i].0 + 1, Some(i)));
    }
    let mut stayed = BTreeSet::new();
    let mut at = (0..known.len()).max_by_key(|i| (best[*i].0, std::cmp::Reverse(*i)));
    while let Some(i) = at {
        stayed.insert(known[i].0);
        at = best[i].1;
    }
    known.into_iter().map(|(new, _)| new).filter(|new| !stayed.contains(new)).collect()
}

/// Applies what was found from a folder of its own, and compares it with the branch.
fn prove(source: &Source<'_>, refreshed: &Refreshed, branch: &[Commit], fold: &BTreeSet<String>) -> Result<Staged> {
    let staged = stage(source.project, &source.series.name, refreshed)?;
    let series = crate::series::load(&staged.project, &source.series.name)?;
    let patches = apply::build(&staged.project, &series, source.base, false)?;
    if patches.len() != branch.len() {
        bail!("{} commits would come of {}: this is a bug of txgen, nothing was written", patches.len(), branch.len());
    }
    for (index, (patch, commit)) in patches.iter().zip(branch).enumerate() {
        let is_last = index + 1 == branch.len();
        for path in source.repo.changed_paths(&commit.tree, &patch.tree)? {
            if is_last || !fold.contains(&path) {
                return Err(misfit(source.repo, commit, patch, &path)?);
            }
        }
    }
    Ok(staged)
}

/// Says where a file of the branch is not what txgen would make of it.
fn misfit(repo: &Repo, commit: &Commit, patch: &AppliedPatch, path: &str) -> Result<anyhow::Error> {
    let text = |tree: &str| -> Result<String> {
        let blob = repo.file(tree, path)?;
        Ok(blob.map_or_else(String::new, |blob| String::from_utf8_lossy(&blob.bytes).into_owned()))
    };
    let (branch, ours) = (text(&commit.tree)?, text(&patch.tree)?);
    let same = branch.lines().zip(ours.lines()).take_while(|(a, b)| a == b).count();
    let line = |text: &str| text.lines().nth(same).map_or("has ended".to_owned(), |line| format!("has {line:?}"));
    Ok(anyhow!(
        "{path}:{}: in commit {} the file {}, and its last form without what later patches add {}: a new file is kept \
         in its last form alone. Squash the later change into the commit that adds these lines, or let it come there \
         with `--fold {path}`",
        same + 1,
        commit.display(),
        line(&branch),
        line(&ours)
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{moved, order, slug};

    #[test]
    fn a_name_is_made_of_the_phrase_of_a_subject() {
        let free = |_: &str| false;
        assert_eq!(slug("net: tcp: Pin user memory (again)", free), "pin-user-memory-again");
        assert_eq!(slug("???", free), "patch");
        assert_eq!(slug("net: x", |name| ["x", "x-2"].contains(&name)), "x-3");
        assert_eq!(slug(&format!("net: {} and more words", "long ".repeat(9)), free).len(), 39);
    }

    #[test]
    fn as_few_commits_moved_as_explain_the_order() {
        assert_eq!(moved(&[Some(0), Some(1), None, Some(2)]), BTreeSet::new());
        assert_eq!(moved(&[Some(3), Some(0), Some(1), Some(2)]), BTreeSet::from([0]));
        assert_eq!(moved(&[Some(1), Some(0)]).len(), 1);
    }

    #[test]
    fn a_patch_that_is_not_on_this_base_keeps_its_place() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(order(&["a", "off", "b"], &names(&["a", "b"]), &names(&["b", "a"])), ["b", "a", "off"]);
        assert_eq!(order(&["off", "b"], &names(&["b"]), &names(&["b"])), ["off", "b"]);
    }
}

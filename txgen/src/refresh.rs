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

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, anyhow, bail};

use crate::base::Base;
use crate::error::Conflict;
use crate::git::history::Commit;
use crate::git::render::{Edit, Edits, diff_text, patch_id};
use crate::git::{Blob, Changes, Identity, Repo, identity};
use crate::project::Project;
use crate::series::overlay_files::Overlay;
use crate::series::stack::Others;
use crate::series::steps::Steps;
use crate::series::{AppliedPatch, Message, Patch, Series, apply, resolution, stack};
use crate::slice;
use births::births;
use manifest::Entry;
use stage::{Staged, stage};

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
    let (user, _) = identity::identities(&source.base.git_dir)?;
    let others = stack::others(source.project, source.series)?;
    let own = stack::own(source.overlay.clone(), source.series, &others);
    let mut writer = Writer { source, branch, names: &names, user, others, own };
    let claims = writer.overlay(&mut refreshed)?;
    // Of a file of a series beneath, what is not added is edited.
    let adds = claims.values().flatten().map(|add| add.split('#').next().unwrap_or(add).to_owned());
    let adds = adds.collect::<BTreeSet<_>>();
    writer.own.retain(|path, _| !writer.others.beneath.contains(path) || adds.contains(path));
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
        let series = crate::series::load(project, &name)?;
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

/// Whether a file of a series beneath is, without some items, as it was.
fn adds_alone(before: &Blob, after: &Blob, items: &[(usize, String)]) -> bool {
    let names = items.iter().map(|(_, name)| name.clone()).collect::<BTreeSet<_>>();
    let text = std::str::from_utf8(&after.bytes).ok().and_then(|text| slice::slice(text).ok());
    text.is_some_and(|text| text.keep(|item| item.names.is_disjoint(&names)).as_bytes() == before.bytes)
}

/// A new file as kernel-overlay/ keeps it, with the items that series add which come later: as it is there where the
/// branch left it alone, as the branch has it where there are none.
fn whole_form(kept: Option<&Blob>, branch: &Blob, later: Option<&BTreeSet<String>>) -> Result<Blob> {
    let (Some(kept), Some(later)) = (kept, later) else { return Ok(branch.clone()) };
    let text = std::str::from_utf8(&kept.bytes).context("it is no UTF-8")?;
    let without = slice::slice(text)?.keep(|item| item.names.is_disjoint(later));
    if without.as_bytes() == branch.bytes {
        return Ok(kept.clone());
    }
    bail!("it was changed in the branch of this one: make the change in kernel-overlay/ itself, and `txgen apply`")
}

/// Makes the files of the series.
struct Writer<'a> {
    source: &'a Source<'a>,
    branch: &'a [Commit],
    names: &'a [String],
    user: Identity,
    others: Others,
    /// The overlay as the series sees it.
    own: Overlay,
}

/// Patches by name: what each adds.
type Claims = BTreeMap<String, Vec<String>>;

impl Writer<'_> {
    /// New files: what each patch adds of them, and what changes in kernel-overlay/.
    fn overlay(&self, refreshed: &mut Refreshed) -> Result<Claims> {
        let Source { series, overlay, foot, repo, .. } = self.source;
        let others = &self.others;
        let tip = self.branch.last().map_or(&foot.tree, |commit| &commit.tree);
        let mut paths = BTreeSet::new();
        for commit in self.branch {
            paths.extend(repo.changed_paths(&commit.below, &commit.tree)?);
        }
        let mut claims = Claims::new();
        for path in paths {
            let before = repo.file(&foot.tree, &path)?;
            let is_beneath = before.is_some() && others.beneath.contains(&path);
            if before.is_some() && !is_beneath {
                continue;
            }
            if others.files.contains(&path) && !is_beneath {
                bail!(
                    "{path} is new in this branch and is a file of another series: kernel-overlay/ has one of a name"
                );
            }
            let Some(blob) = repo.file(tip, &path)? else {
                bail!("{path} is added by one commit and removed by a later one: squash them");
            };
            let steps = self.branch.iter().map(|commit| repo.file(&commit.tree, &path)).collect::<Result<Vec<_>>>()?;
            let born = births(&path, before.as_ref(), &steps, &self.claimed(&path))?;
            if let Some(before) = before.as_ref().filter(|before| !adds_alone(before, &blob, &born.items)) {
                if overlay.get(&path) != Some(before) && self.own.contains_key(&path) {
                    refreshed.overlay.insert(path, Some(before.clone()));
                }
                continue;
            }
            if let Some(file) = born.file {
                claims.entry(self.names[file].clone()).or_default().push(path.clone());
            }
            for (patch, item) in born.items {
                claims.entry(self.names[patch].clone()).or_default().push(format!("{path}#{item}"));
            }
            let whole = whole_form(overlay.get(&path), &blob, others.later.get(&path))
                .with_context(|| format!("{path}, of which a series that comes later has a part"))?;
            if overlay.get(&path) != Some(&whole) {
                refreshed.overlay.insert(path, Some(whole));
            }
        }
        let claimed = claims.values().flatten().collect::<BTreeSet<_>>();
        for path in series.patches.iter().flat_map(|patch| &patch.adds).map(|add| &add.path) {
            if !claimed.contains(path) && !others.beneath.contains(path) && self.is_on_base(path) {
                refreshed.overlay.insert(path.clone(), None);
            }
        }
        Ok(claims)
    }

    /// Whether the patch that adds a file was among those that the branch was made of.
    fn is_on_base(&self, path: &str) -> bool {
        let adds = |patch: &&Patch| patch.adds.iter().any(|add| add.path == path && add.item.is_none());
        self.source.series.patches.iter().find(adds).is_none_or(|patch| {
            self.names.contains(&patch.name) || !self.source.series.drops.iter().any(|rule| rule.patch == patch.name)
        })
    }

    /// The items of a file that patches claim by name so far, by their place in the branch.
    fn claimed(&self, path: &str) -> Vec<(usize, String)> {
        let mut claims = Vec::new();
        for patch in &self.source.series.patches {
            let Some(index) = self.names.iter().position(|name| *name == patch.name) else { continue };
            let items = patch.adds.iter().filter(|add| add.path == path).filter_map(|add| add.item.clone());
            claims.extend(items.map(|item| (index, item)));
        }
        claims
    }

    /// The files of one patch; what changed in it.
    fn patch(
        &self,
        commit: &Commit,
        (name, was, before): (&str, Option<&Patch>, Option<&Commit>),
        refreshed: &mut Refreshed,
    ) -> Result<Vec<&'static str>> {
        let mut changed = if was.is_none() { vec!["new"] } else { Vec::new() };
        let message = self.message(commit, was, before)?;
        if was.map(|patch| &patch.message) != Some(&message) {
            refreshed.files.insert(format!("{name}.msg"), Some(message.text()));
            if was.is_some() {
                changed.push("message");
            }
        }
        let old = was.and_then(|patch| patch.diff.as_ref()).map(|diff| diff.text.as_str());
        let text = self.edits(commit, was).with_context(|| format!("commit {}", commit.display()))?;
        if text.as_deref() != old {
            if let Some(patch) = was {
                self.follow_forms(patch, text.as_deref().unwrap_or_default(), refreshed)?;
            }
            refreshed.files.insert(format!("{name}.diff"), text);
        }
        if was.is_some() && before.is_some_and(|before| self.differs(before, commit).unwrap_or(true)) {
            changed.push("edits");
        }
        Ok(changed)
    }

    /// Whether two commits make different changes.
    fn differs(&self, one: &Commit, other: &Commit) -> Result<bool> {
        let repo = self.source.repo;
        Ok(repo.patch_id(&one.below, &one.tree)? != repo.patch_id(&other.below, &other.tree)?)
    }

    fn message(&self, commit: &Commit, was: Option<&Patch>, before: Option<&Commit>) -> Result<Message> {
        let mut text = commit.message.as_str();
        // What `txgen apply --signoff` added is none of the series'.
        let signer = was.zip(before).and_then(|(was, before)| tool_signed(before, &was.message.commit_message(None)));
        if let Some(signer) = signer {
            let line = format!("Signed-off-by: {signer}");
            text = text.trim_end().strip_suffix(line.as_str()).unwrap_or(text);
        }
        let mut message = Message::parse_without_author(text)
            .map_err(|e| anyhow!("commit {}: its message does not fit into a .msg file: {e}", commit.display()))?;
        if message.note.is_none() {
            message.note = was.and_then(|patch| patch.message.note.clone());
        }
        message.author = self.author(commit, was);
        Ok(message)
    }

    /// The author, where it is not the one who applies the series anyway.
    fn author(&self, commit: &Commit, was: Option<&Patch>) -> Option<Identity> {
        let known = was.and_then(|patch| patch.message.author.as_ref()) == Some(&commit.author);
        (known || commit.author != self.user).then(|| commit.author.clone())
    }

    /// The text of the patch's .diff, the old one where that says the same; `None` where it has no edits.
    fn edits(&self, commit: &Commit, was: Option<&Patch>) -> Result<Option<String>> {
        let Source { project, foot, repo, .. } = self.source;
        let overlay = &self.own;
        let steps = Steps { project, repo, overlay, base: foot, recorded: true };
        let from = match was {
            Some(patch) => steps.spatched(&commit.below, patch)?,
            None => commit.below.clone(),
        };
        let mut edits = Edits::new();
        let mut changes = Changes::new();
        for path in repo.changed_paths(&from, &commit.tree)? {
            if repo.mode_at(&foot.tree, &path)?.is_none() || overlay.contains_key(&path) {
                continue;
            }
            let Some(before) = repo.file(&from, &path)? else {
                bail!("{path}, a file of the base, was removed by an earlier commit and comes back: squash the two");
            };
            let after = repo.file(&commit.tree, &path)?;
            changes.insert(path.clone(), after.clone());
            edits.insert(path, Edit { before, after });
        }
        if edits.is_empty() {
            return Ok(None);
        }
        if let Some(diff) = was.and_then(|patch| patch.diff.as_ref())
            && repo.apply_diff(&from, &diff.text)? == Ok(changes)
        {
            return Ok(Some(diff.text.clone()));
        }
        diff_text(&edits).map(Some)
    }

    /// Recorded forms of edits that only moved stay forms of them; those of others are told.
    fn follow_forms(&self, patch: &Patch, text: &str, refreshed: &mut Refreshed) -> Result<()> {
        let old = patch.diff.as_ref().map_or("", |diff| &diff.text);
        let only_moved = !text.is_empty() && !old.is_empty() && patch_id(old)? == patch_id(text)?;
        for base in patch.resolutions.keys() {
            let Ok(Some(resolution::Record::Whole(form))) = resolution::find(patch, base) else { continue };
            let file = format!("bases/{base}/{}.diff", patch.name);
            if only_moved {
                refreshed.files.insert(file, Some(resolution::text(resolution::diff(&form.text), text)));
            } else {
                refreshed.notes.push(format!(
                    "series/{}/{file} is a form of the edits as they were: the next rebase onto {base} asks for it again",
                    self.source.series.name
                ));
            }
        }
        Ok(())
    }

    /// The files of patches that are gone.
    fn drop_files(&self, refreshed: &mut Refreshed) {
        for patch in self.source.series.patches.iter().filter(|patch| refreshed.dropped.contains(&patch.name)) {
            let mut files = vec![format!("{}.msg", patch.name)];
            files.extend(patch.diff.iter().map(|_| format!("{}.diff", patch.name)));
            files.extend(patch.cocci.iter().map(|_| format!("{}.cocci", patch.name)));
            files.extend(patch.resolutions.keys().map(|base| format!("bases/{base}/{}.diff", patch.name)));
            refreshed.files.extend(files.into_iter().map(|file| (file, None)));
        }
    }

    /// A patch as series.toml has it: what it claimed before first, in that order.
    fn entry(&self, name: &str, claims: &Claims) -> Entry {
        let was = self.source.series.patches.iter().find(|patch| patch.name == name);
        let written = |add: &crate::series::Add| match &add.item {
            Some(item) => format!("{}#{item}", add.path),
            None => add.path.clone(),
        };
        let known = was.into_iter().flat_map(|patch| &patch.adds).map(written).collect::<Vec<_>>();
        if !self.names.iter().any(|known| known == name) {
            return Entry { name: name.to_owned(), adds: known };
        }
        let now = claims.get(name).cloned().unwrap_or_default();
        let mut adds = known.into_iter().filter(|add| now.contains(add)).collect::<Vec<_>>();
        adds.extend(now.into_iter().filter(|add| !adds.contains(add)).collect::<Vec<_>>());
        Entry { name: name.to_owned(), adds }
    }
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

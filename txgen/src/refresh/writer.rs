// SPDX-License-Identifier: GPL-2.0
//! The files of a series, made of the commits of its branch.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, anyhow, bail};

use super::births::births;
use super::manifest::Entry;
use super::{Refreshed, Source, tool_signed};
use crate::git::history::Commit;
use crate::git::render::{Edit, Edits, diff_text, patch_id};
use crate::git::{Blob, Changes, Identity, identity};
use crate::series::overlay_files::Overlay;
use crate::series::stack::{self, Others};
use crate::series::steps::Steps;
use crate::series::{Message, Patch, resolution};
use crate::slice;

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
pub(super) struct Writer<'a> {
    source: &'a Source<'a>,
    branch: &'a [Commit],
    names: &'a [String],
    user: Identity,
    others: Others,
    /// The overlay as the series sees it.
    own: Overlay,
}

/// Patches by name: what each adds.
pub(super) type Claims = BTreeMap<String, Vec<String>>;

impl<'a> Writer<'a> {
    /// What it takes to read `branch`, whose commits are the patches `names`.
    pub(super) fn new(source: &'a Source<'a>, branch: &'a [Commit], names: &'a [String]) -> Result<Self> {
        let (user, _) = identity::identities(&source.base.git_dir)?;
        let others = stack::others(source.project, source.series)?;
        let own = stack::own(source.overlay.clone(), source.series, &others);
        Ok(Self { source, branch, names, user, others, own })
    }

    /// Takes it from here that what is not added to a file of a series beneath is edited.
    pub(super) fn edit_the_rest(&mut self, claims: &Claims) {
        let adds = claims.values().flatten().map(|add| add.split('#').next().unwrap_or(add)).collect::<BTreeSet<_>>();
        self.own.retain(|path, _| !self.others.beneath.contains(path) || adds.contains(path.as_str()));
    }

    /// New files: what each patch adds of them, and what changes in kernel-overlay/.
    pub(super) fn overlay(&self, refreshed: &mut Refreshed) -> Result<Claims> {
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
            if !claimed.contains(path) && !others.beneath.contains(path) && self.is_on_base(path, &refreshed.dropped) {
                refreshed.overlay.insert(path.clone(), None);
            }
        }
        Ok(claims)
    }

    /// Whether the patch that adds a file is on this base: it is in the branch, or was `dropped` from it.
    fn is_on_base(&self, path: &str, dropped: &[String]) -> bool {
        let adds = |patch: &&Patch| patch.adds.iter().any(|add| add.path == path && add.item.is_none());
        let adder = self.source.series.patches.iter().find(adds);
        adder.is_none_or(|patch| self.names.contains(&patch.name) || dropped.contains(&patch.name))
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
    pub(super) fn patch(
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
    pub(super) fn drop_files(&self, refreshed: &mut Refreshed) {
        for patch in self.source.series.patches.iter().filter(|patch| refreshed.dropped.contains(&patch.name)) {
            let mut files = vec![format!("{}.msg", patch.name)];
            files.extend(patch.diff.iter().map(|_| format!("{}.diff", patch.name)));
            files.extend(patch.cocci.iter().map(|_| format!("{}.cocci", patch.name)));
            files.extend(patch.resolutions.keys().map(|base| format!("bases/{base}/{}.diff", patch.name)));
            refreshed.files.extend(files.into_iter().map(|file| (file, None)));
        }
    }

    /// A patch as series.toml has it: what it claimed before first, in that order.
    pub(super) fn entry(&self, name: &str, claims: &Claims) -> Entry {
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

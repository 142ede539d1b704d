// SPDX-License-Identifier: GPL-2.0
//! The files of a series, made of the commits of its branch.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, anyhow, bail};

use super::manifest::Entry;
use super::{Refreshed, Source, known};
use crate::git::history::Commit;
use crate::git::render::{Edit, Edits, diff_text, patch_id};
use crate::git::{Changes, Identity, identity};
use crate::series::meaning::{self, clean, message_of, note_of};
use crate::series::overlay_files::Overlay;
use crate::series::stack::{self, Others};
use crate::series::steps::Steps;
use crate::series::{Message, Patch, resolution};

/// Makes the files of the series.
pub(super) struct Writer<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) branch: &'a [Commit],
    pub(super) names: &'a [String],
    pub(super) fold: &'a BTreeSet<String>,
    user: Identity,
    pub(super) others: Others,
    /// The overlay as the series sees it.
    pub(super) own: Overlay,
}

/// Patches by name: what each adds.
pub(super) type Claims = BTreeMap<String, Vec<String>>;

impl<'a> Writer<'a> {
    /// What it takes to read `branch`, whose commits are the patches `names`; the files of `fold` are born as they end.
    pub(super) fn new(
        source: &'a Source<'a>,
        (branch, names): (&'a [Commit], &'a [String]),
        fold: &'a BTreeSet<String>,
    ) -> Result<Self> {
        let (user, _) = identity::identities(&source.base.git_dir)?;
        let others = stack::others(source.project, source.series)?;
        let own = stack::own(source.overlay.clone(), source.series, &others);
        Ok(Self { source, branch, names, fold, user, others, own })
    }

    /// Takes it from here that what is not added to a file of a series beneath is edited.
    pub(super) fn edit_the_rest(&mut self, claims: &Claims) {
        let adds = claims.values().flatten().map(|add| add.split('#').next().unwrap_or(add)).collect::<BTreeSet<_>>();
        self.own.retain(|path, _| !self.others.beneath.contains(path) || adds.contains(path.as_str()));
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
        // What `txgen apply --signoff` added is none of the series'.
        let sign_off = was.zip(before).and_then(|(was, before)| meaning::tool_signed(before, &was.message));
        let mut message = message_of(commit, sign_off.as_deref())
            .map_err(|e| anyhow!("commit {}: its message does not fit into a .msg file: {e}", commit.display()))?;
        message.author = self.author(commit, was);
        let Some(patch) = was else { return Ok(message) };
        let (old, cleaned) = (&patch.message, |message: &Message| clean(&message.commit_message(None)));
        if cleaned(&message) == cleaned(old) {
            // It says the same: what did not change keeps every byte.
            (message.subject, message.body) = (old.subject.clone(), old.body.clone());
        }
        message.note = self.note(patch, message.note, before)?;
        Ok(message)
    }

    /// The text below `---`: that of the commit where it was changed there, else that of the series.
    fn note(&self, patch: &Patch, new: Option<String>, before: Option<&Commit>) -> Result<Option<String>> {
        let old = &patch.message.note;
        let [is, was] = [&new, old].map(|note| note.as_deref().map(clean));
        let before = before.and_then(note_of);
        if is.is_none() || is == was || is == before {
            return Ok(old.clone());
        }
        if before.is_some() && was != before {
            let place = format!("in the text below --- of patch {}", patch.name);
            return Err(known::changed_meanwhile(self.source, &place, true));
        }
        Ok(new)
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

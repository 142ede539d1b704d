// SPDX-License-Identifier: GPL-2.0
//! The files that the base does not have: what each commit of the branch adds of them.

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow, bail};

use super::births::{Born, Grown, births};
use super::writer::{Claims, Writer};
use super::{Refreshed, Source, growth};
use crate::git::Blob;
use crate::git::history::Commit;
use crate::series::Patch;
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

impl Writer<'_> {
    /// New files: what each patch adds of them, and what changes in kernel-overlay/.
    pub(super) fn overlay(&self, refreshed: &mut Refreshed) -> Result<Claims> {
        let Source { series, foot, repo, .. } = self.source;
        let mut paths = BTreeSet::new();
        for commit in self.branch {
            paths.extend(repo.changed_paths(&commit.below, &commit.tree)?);
        }
        let mut claims = Claims::new();
        for path in paths {
            let before = repo.file(&foot.tree, &path)?;
            if before.is_none() || self.others.beneath.contains(&path) {
                self.new_file(&path, before.as_ref(), &mut claims, refreshed)?;
            }
        }
        let claimed = claims.values().flatten().collect::<BTreeSet<_>>();
        for path in series.patches.iter().flat_map(|patch| &patch.adds).map(|add| &add.path) {
            let is_left = !claimed.contains(path) && !self.others.beneath.contains(path);
            if is_left && self.is_on_base(path, &refreshed.dropped) {
                refreshed.overlay.insert(path.clone(), None);
            }
        }
        Ok(claims)
    }

    /// What each patch adds of one file that the base does not have, `before` where a series beneath adds it.
    fn new_file(
        &self,
        path: &str,
        before: Option<&Blob>,
        claims: &mut Claims,
        refreshed: &mut Refreshed,
    ) -> Result<()> {
        let (overlay, others, fold) = (self.source.overlay, &self.others, self.fold.contains(path));
        if others.files.contains(path) && before.is_none() {
            bail!(
                "{path} is new in commit {}, and is a file of another series: kernel-overlay/ has one of a name. Call it \
                 otherwise, or let this series stand on that one (`depends`)",
                self.first_with(path)?
            );
        }
        let steps = self.steps(path)?;
        let Some(blob) = steps.last().and_then(Option::as_ref) else {
            return if fold { Ok(()) } else { Err(self.comes_and_goes(path, &steps)) };
        };
        let commits = self.branch.iter().map(Commit::display).collect::<Vec<_>>();
        let born = births(&Grown { path, before, steps: &steps, commits: &commits, fold }, &self.claimed(path))?;
        if let Some(before) = before.filter(|before| !adds_alone(before, blob, &born.items)) {
            if overlay.get(path) != Some(before) && self.own.contains_key(path) {
                refreshed.overlay.insert(path.to_owned(), Some(before.clone()));
            }
            return Ok(());
        }
        if born.items.is_empty()
            && let Some(misfit) = growth::first_misfit(path, self.branch, &steps, &born).filter(|_| !fold)
        {
            return Err(misfit);
        }
        self.claim(path, born, claims);
        let whole = whole_form(overlay.get(path), blob, others.later.get(path))
            .with_context(|| format!("{path}, of which a series that comes later has a part"))?;
        if overlay.get(path) != Some(&whole) {
            refreshed.overlay.insert(path.to_owned(), Some(whole));
        }
        Ok(())
    }

    /// Lets the patches claim what is born in them.
    fn claim(&self, path: &str, born: Born, claims: &mut Claims) {
        if let Some(file) = born.file {
            claims.entry(self.names[file].clone()).or_default().push(path.to_owned());
        }
        for (patch, item) in born.items {
            claims.entry(self.names[patch].clone()).or_default().push(format!("{path}#{item}"));
        }
    }

    /// A file as each commit leaves it.
    fn steps(&self, path: &str) -> Result<Vec<Option<Blob>>> {
        self.branch.iter().map(|commit| self.source.repo.file(&commit.tree, path)).collect()
    }

    /// The commit that brings a file, as people are told of it.
    fn first_with(&self, path: &str) -> Result<String> {
        let first = self.steps(path)?.iter().position(Option::is_some);
        Ok(first.map_or_else(String::new, |index| self.branch[index].display()))
    }

    /// Says that a new file is not there at the end.
    fn comes_and_goes(&self, path: &str, steps: &[Option<Blob>]) -> anyhow::Error {
        let added = steps.iter().position(Option::is_some).unwrap_or_default();
        let removed = steps.iter().rposition(Option::is_some).map_or(added, |last| last + 1);
        let [added, removed] = [added, removed].map(|index| self.branch[index.min(self.branch.len() - 1)].display());
        anyhow!(
            "{path} is added by commit {added} and removed by a later one, {removed}: squash them, or leave it out with \
             `--fold {path}`"
        )
    }

    /// Whether nothing is left of the commit at `index`, which claims no new file: what it changes comes earlier. An error
    /// where that was not asked for.
    pub(super) fn is_spent(&self, index: usize, was: Option<&Patch>, refreshed: &Refreshed) -> Result<bool> {
        let diff = match refreshed.files.get(&format!("{}.diff", self.names[index])) {
            Some(text) => text.is_some(),
            None => was.is_some_and(|patch| patch.diff.is_some()),
        };
        if diff || was.is_some_and(|patch| patch.cocci.is_some()) {
            return Ok(false);
        }
        let commit = &self.branch[index];
        for path in self.source.repo.changed_paths(&commit.below, &commit.tree)? {
            if self.fold.contains(&path) {
                continue;
            }
            let (steps, commits) = (self.steps(&path)?, self.branch.iter().map(Commit::display).collect::<Vec<_>>());
            let grown = Grown { path: &path, before: None, steps: &steps, commits: &commits, fold: false };
            let born = births(&grown, &self.claimed(&path))?;
            return Err(growth::first_misfit(&path, self.branch, &steps, &born).unwrap_or_else(|| {
                anyhow!("{path}: commit {} changes what is no patch: squash it into the one before", commit.display())
            }));
        }
        Ok(true)
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
}

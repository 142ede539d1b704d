// SPDX-License-Identifier: GPL-2.0
//! Where a file of one tree went in another.

use anyhow::{Context, Result};
use git2::{Delta, DiffFindOptions, DiffOptions};

use super::{Blob, Changes, Repo};

impl Repo {
    /// The path in tree `new` of the file that was at `path` of `known`, a tree with the files of the other base that
    /// matter: a file of its folder's top that is new, and like it by git's measure.
    pub fn follow(
        &self,
        path: &str,
        blob: &Blob,
        had: &dyn Fn(&str) -> Result<bool>,
        new: &str,
    ) -> Result<Option<String>> {
        let (top, name) = (path.split('/').next().unwrap_or(path), path.rsplit('/').next().unwrap_or(path));
        let ending = name.rsplit_once('.').map(|(_, ending)| format!(".{ending}"));
        let Some(folder) = self.id_of(new, top)?.filter(|_| top != path) else { return Ok(None) };
        let mut candidates = Vec::new();
        for (found, _) in self.list(&folder, |_| true)? {
            let found = format!("{top}/{found}");
            let alike = ending.as_ref().is_none_or(|ending| found.ends_with(ending));
            if alike && !had(&found)? {
                candidates.push(found);
            }
        }
        // A file that kept its name is what is looked for, if it is like it at all.
        let same_name = candidates.iter().filter(|c| c.rsplit('/').next() == Some(name)).cloned().collect::<Vec<_>>();
        match self.most_like(path, blob, &same_name, new)? {
            Some(found) => Ok(Some(found)),
            None => self.most_like(path, blob, &candidates, new),
        }
    }

    fn most_like(&self, path: &str, blob: &Blob, candidates: &[String], new: &str) -> Result<Option<String>> {
        let empty = self.empty_tree()?;
        let old = self.change_tree(&empty, &Changes::from([(path.to_owned(), Some(blob.clone()))]))?;
        let mut files = Changes::new();
        for candidate in candidates {
            files.insert(candidate.clone(), self.file(new, candidate)?);
        }
        let new = self.change_tree(&empty, &files)?;
        let (old, new) = (self.tree(&old)?, self.tree(&new)?);
        let mut diff = self
            .repo
            .diff_tree_to_tree(
                Some(&old),
                Some(&new),
                Some(DiffOptions::new().context_lines(3).old_prefix("a/").new_prefix("b/")),
            )
            .context("compare two trees")?;
        diff.find_similar(Some(DiffFindOptions::new().renames(true).rename_limit(1000)))
            .context("look for renamed files")?;
        let renamed = diff.deltas().find(|delta| delta.status() == Delta::Renamed);
        Ok(renamed.and_then(|delta| Some(delta.new_file().path()?.to_str()?.to_owned())))
    }
}

// SPDX-License-Identifier: GPL-2.0
//! What a patch calls that its new base lacks: a merge without conflict can still be wrong.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet};

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::home::{Home, HomePatch};
use super::steps::Steps;
use crate::git::Repo;
use crate::project::Project;
use crate::proof;
use crate::slice::calls::{calls, declared, mentions};
use crate::slice::has_items;

/// Where what the whole kernel may call is declared; builds are x86-64 only.
const HEADERS: &[&str] = &["include", "arch/x86/include"];
/// The kind of the records, and the version of what they hold: to be raised with every change of what is found.
const KIND: &str = "headers-3";

/// The functions and macros that the headers of a tree declare.
struct Headers {
    /// Sorted, a space after each: there are some hundred thousand, and few are asked for.
    names: String,
}

impl Headers {
    /// Those of `tree`; headers that were read before are not read again.
    fn of(project: &Project, repo: &Repo, tree: &str) -> Result<Self> {
        let mut parts = Vec::new();
        for folder in HEADERS {
            parts.push(repo.id_of(tree, folder)?.unwrap_or_default().into_bytes());
        }
        let key = proof::key(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        if let Some(names) = proof::load(project, KIND, &key)? {
            return Ok(Self { names });
        }
        let mut all = BTreeSet::new();
        each_header(repo, tree, |text| all.extend(declared(text).into_iter().map(str::to_owned)))?;
        let names = all.into_iter().map(|name| name + " ").collect();
        proof::store(project, KIND, &key, &names)?;
        Ok(Self { names })
    }

    fn has(&self, name: &str) -> bool {
        let mut rest = self.names.as_str();
        while !rest.is_empty() {
            let start = rest.as_bytes()[..rest.len() / 2].iter().rposition(|b| *b == b' ').map_or(0, |at| at + 1);
            let (before, on) = rest.split_at(start);
            let (known, after) = on.split_once(' ').unwrap_or((on, ""));
            rest = match known.cmp(name) {
                Ordering::Equal => return true,
                Ordering::Less => after,
                Ordering::Greater => before,
            };
        }
        false
    }
}

fn each_header(repo: &Repo, tree: &str, mut look: impl FnMut(&str)) -> Result<()> {
    for folder in HEADERS {
        let Some(id) = repo.id_of(tree, folder)? else { continue };
        for (_, blob) in repo.list(&id, |path| path.ends_with(".h"))? {
            look(&String::from_utf8_lossy(&repo.blob(&blob)?));
        }
    }
    Ok(())
}

/// Looks for calls that the new base can not make.
pub struct Lacking<'a> {
    steps: &'a Steps<'a>,
    home: &'a Home,
    here: Headers,
    /// Asked for hardly ever.
    there: OnceCell<Headers>,
    /// What the files declare that the series has touched so far.
    series: BTreeSet<String>,
}

impl<'a> Lacking<'a> {
    /// Nothing of the series is there yet.
    pub fn new(steps: &'a Steps<'a>, home: &'a Home) -> Result<Self> {
        let here = Headers::of(steps.project, steps.repo, &steps.base.tree)?;
        Ok(Self { steps, home, here, there: OnceCell::new(), series: BTreeSet::new() })
    }

    /// What a patch calls, from tree `before` to tree `after` with its `changed` files, that the base and the series
    /// lack and the base it comes from has.
    pub fn calls(
        &mut self,
        from: &HomePatch,
        (before, after): (&str, &str),
        changed: &[String],
    ) -> Result<Vec<String>> {
        let repo = self.steps.repo;
        let mut files = Vec::new();
        for path in changed.iter().filter(|path| has_items(path)) {
            files.push((path, text(repo, before, path)?, text(repo, after, path)?));
        }
        let here = &self.here;
        let looked = files.par_iter().map(|(path, old, new)| {
            let fresh = calls(new, &old.lines().collect()).into_iter().filter(|(name, _)| !here.has(name));
            (path, old, declared(new), fresh.collect::<Vec<_>>())
        });
        let looked = looked.collect::<Vec<_>>();
        let declared = looked.iter().flat_map(|(_, _, declared, _)| declared);
        self.series.extend(declared.map(|name| (*name).to_owned()));
        let mut notes = Vec::new();
        for (path, old, _, unknown) in looked.into_iter().filter(|(.., unknown)| !unknown.is_empty()) {
            let before = calls(old, &HashSet::new());
            for (name, line) in unknown {
                let is_known = self.series.contains(name) || before.contains_key(name);
                if !is_known && self.was_there(from, path, name)? && !self.is_here(after, path, name)? {
                    notes.push(format!("{path}:{line}: it calls {name}(), which {} lacks", self.steps.base.name));
                }
            }
        }
        Ok(notes)
    }

    /// Whether the base that the patch comes from declares it.
    fn was_there(&self, from: &HomePatch, path: &str, name: &str) -> Result<bool> {
        let file = text(&self.home.repo, &from.tree, path)?;
        if declared(&file).contains(name) {
            return Ok(true);
        }
        let there = match self.there.get() {
            Some(there) => there,
            None => {
                let there = Headers::of(self.steps.project, &self.home.repo, &self.home.base.tree)?;
                self.there.get_or_init(|| there)
            }
        };
        Ok(there.has(name))
    }

    /// A longer look, before it is said to be missing: at the headers beside the file, and for any mention.
    fn is_here(&self, tree: &str, path: &str, name: &str) -> Result<bool> {
        let repo = self.steps.repo;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let Some(id) = repo.id_of(tree, folder)? else { return Ok(false) };
        for (_, blob) in repo.list(&id, |path| path.ends_with(".h") && !path.contains('/'))? {
            if declared(&String::from_utf8_lossy(&repo.blob(&blob)?)).contains(name) {
                return Ok(true);
            }
        }
        let mut found = false;
        each_header(repo, &self.steps.base.tree, |text| found |= mentions(text, name))?;
        Ok(found)
    }
}

fn text(repo: &Repo, tree: &str, path: &str) -> Result<String> {
    let blob = repo.file(tree, path).with_context(|| format!("read {path}"))?;
    Ok(blob.map_or_else(String::new, |blob| String::from_utf8_lossy(&blob.bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::Headers;

    #[test]
    fn a_name_is_found_among_its_like() {
        let headers = Headers { names: "__skb_frag_ref get_page get_page_tag put_page ".to_owned() };
        for name in ["__skb_frag_ref", "get_page", "get_page_tag", "put_page"] {
            assert!(headers.has(name), "{name}");
        }
        for name in ["", "_", "get", "get_pag", "get_page_", "put_page_x", "zzz"] {
            assert!(!headers.has(name), "{name}");
        }
        assert!(!Headers { names: String::new() }.has("get_page"));
    }
}

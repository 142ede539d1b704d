// SPDX-License-Identifier: GPL-2.0
//! Finds the places of a tree, and what each patch changes; reads git objects only.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use anyhow::{Context, Result, anyhow};
use regex::bytes::Regex;
use serde::{Deserialize, Serialize};

use super::Place;
use crate::git::Repo;
use crate::progress::Progress;
use crate::project::Project;
use crate::proof;
use crate::series::Applied;
use crate::slice;
use crate::slice::uses::{self, Name};

/// The lines of the uses at each place.
pub type Places = BTreeMap<Place, Vec<u32>>;

/// What an audit looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The places of the base.
    pub before: Places,
    /// The places after the last patch.
    pub after: Places,
    /// What each patch changes, first to last.
    pub steps: Vec<Step>,
}

/// What a patch changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The patch.
    pub patch: String,
    /// The functions, with their file, that are there before it and changed or gone after it.
    pub changed: BTreeSet<(String, String)>,
    /// The functions that are there after it only.
    pub born: BTreeSet<(String, String)>,
}

/// A place as it is kept on disk.
#[derive(Serialize, Deserialize)]
struct Kept {
    place: Place,
    lines: Vec<u32>,
}

/// To be raised with every change of what is found.
const VERSION: &[u8] = b"5";

/// The places of a whole tree; a tree that was searched before is not searched again.
pub fn in_tree(project: &Project, repo: &Repo, tree: &str, names: &[Name], skip: &[String]) -> Result<Places> {
    let key = proof::key(&[VERSION, tree.as_bytes(), format!("{names:?} {skip:?}").as_bytes()]);
    if let Some(kept) = proof::load::<Vec<Kept>>(project, "audit", &key)? {
        return Ok(kept.into_iter().map(|kept| (kept.place, kept.lines)).collect());
    }
    let files = repo.list(tree, |path| is_searched(path, skip))?;
    let progress = Progress::start("search the base", 0);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let (git_dir, all) = (repo.git_dir(), &files);
    let shares = thread::scope(|scope| {
        let search = move |worker| {
            let share = all.iter().skip(worker).step_by(workers);
            // A repository that is open belongs to one thread.
            search(&Repo::open(git_dir)?, share, names)
        };
        let threads = (0..workers).map(|worker| scope.spawn(move || search(worker))).collect::<Vec<_>>();
        let join = |thread: thread::ScopedJoinHandle<'_, Result<Places>>| {
            thread.join().map_err(|_| anyhow!("a thread that searches the tree panicked"))?
        };
        threads.into_iter().map(join).collect::<Result<Vec<_>>>()
    })?;
    let places = shares.into_iter().flatten().collect::<Places>();
    progress.done(&format!("{} files, {} places", files.len(), places.len()));
    let kept = places.iter().map(|(place, lines)| Kept { place: place.clone(), lines: lines.clone() });
    proof::store(project, "audit", &key, &kept.collect::<Vec<_>>())?;
    Ok(places)
}

fn is_searched(path: &str, skip: &[String]) -> bool {
    let below =
        |folder: &String| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    slice::has_items(path) && !skip.iter().any(below)
}

fn search<'f>(repo: &Repo, files: impl Iterator<Item = &'f (String, String)>, names: &[Name]) -> Result<Places> {
    let interesting = Interesting::new(names)?;
    let mut places = Places::new();
    for (path, id) in files {
        let bytes = repo.blob(id)?;
        if interesting.is_worth_parsing(&bytes) {
            add_places(path, &bytes, names, &mut places)?;
        }
    }
    Ok(places)
}

fn add_places(path: &str, bytes: &[u8], names: &[Name], places: &mut Places) -> Result<()> {
    let text = String::from_utf8_lossy(bytes);
    for found in uses::uses(&text, names).with_context(|| format!("search {path}"))? {
        let name = names[found.name].word.clone();
        let place = Place { file: path.to_owned(), function: found.function, name };
        places.entry(place).or_default().push(found.line);
    }
    Ok(())
}

/// Which files are worth parsing: a look at their bytes, in one pass.
struct Interesting<'a> {
    words: Regex,
    names: &'a [Name],
}

impl<'a> Interesting<'a> {
    fn new(names: &'a [Name]) -> Result<Self> {
        let words = names.iter().flat_map(|name| name.beside.iter().chain([&name.word]));
        let words = words.map(|word| regex::escape(word)).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
        let pattern = format!(r"(?-u)\b(?:{})\b", words.join("|"));
        Ok(Self { words: Regex::new(&pattern).context("search for the watched names")?, names })
    }

    fn is_worth_parsing(&self, bytes: &[u8]) -> bool {
        let found = self.words.find_iter(bytes).map(|found| found.as_bytes()).collect::<BTreeSet<_>>();
        let has = |word: &String| found.contains(word.as_bytes());
        let all = |name: &Name| has(&name.word) && (name.beside.is_empty() || name.beside.iter().any(has));
        !found.is_empty() && self.names.iter().any(all)
    }
}

/// The places after the last patch, `before` being those of the base.
pub fn after_patches(
    repo: &Repo,
    applied: &Applied,
    before: Places,
    names: &[Name],
    skip: &[String],
) -> Result<Places> {
    let Some(last) = applied.patches.last() else { return Ok(before) };
    let changed = applied.patches.iter().flat_map(|patch| &patch.files).collect::<BTreeSet<_>>();
    let mut places = before;
    places.retain(|place, _| !changed.contains(&place.file));
    for path in changed.into_iter().filter(|path| is_searched(path, skip)) {
        if let Some(blob) = repo.file(&last.tree, path)? {
            add_places(path, &blob.bytes, names, &mut places)?;
        }
    }
    Ok(places)
}

/// What each patch changes.
pub fn steps(repo: &Repo, applied: &Applied) -> Result<Vec<Step>> {
    let mut parent = &applied.base.tree;
    let mut steps = Vec::new();
    for patch in &applied.patches {
        let mut step = Step { patch: patch.name.clone(), changed: BTreeSet::new(), born: BTreeSet::new() };
        for path in patch.files.iter().filter(|path| slice::has_items(path)) {
            let [old, new] = [functions(repo, parent, path)?, functions(repo, &patch.tree, path)?];
            let differs = |function: &&String| old.get(*function) != new.get(*function);
            for function in old.keys().filter(differs) {
                step.changed.insert((path.clone(), function.clone()));
            }
            for function in new.keys().filter(|function| !old.contains_key(*function)) {
                step.born.insert((path.clone(), function.clone()));
            }
        }
        steps.push(step);
        parent = &patch.tree;
    }
    Ok(steps)
}

fn functions(repo: &Repo, tree: &str, path: &str) -> Result<BTreeMap<String, String>> {
    let Some(blob) = repo.file(tree, path)? else { return Ok(BTreeMap::new()) };
    uses::functions(&String::from_utf8_lossy(&blob.bytes)).with_context(|| format!("read the functions of {path}"))
}

#[cfg(test)]
mod tests {
    use super::{Interesting, is_searched};
    use crate::slice::uses::{Name, Role};

    #[test]
    fn a_file_is_parsed_only_if_a_name_can_count_in_it() {
        let name = |word: &str, beside: &[&str]| Name {
            word: word.to_owned(),
            role: Role::Call,
            beside: beside.iter().map(|word| (*word).to_owned()).collect(),
        };
        let names = [name("ref", &[]), name("put", &["frags", "frag"])];
        let interesting = Interesting::new(&names).unwrap();
        let worth = |text: &str| interesting.is_worth_parsing(text.as_bytes());
        assert!(worth("ref(x)"));
        assert!(worth("put(x->frags)"));
        assert!(!worth("put(x); xref(frags_of); refs(\"\");"));
        assert!(!worth("frags"));
    }

    #[test]
    fn only_c_outside_of_the_skipped_folders_is_searched() {
        let skip = ["tools".to_owned()];
        assert!(is_searched("net/core/skbuff.c", &skip) && is_searched("toolsy/a.h", &skip));
        assert!(!is_searched("tools/a.c", &skip) && !is_searched("net/Makefile", &skip));
    }
}

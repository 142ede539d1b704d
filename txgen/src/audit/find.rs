// SPDX-License-Identifier: GPL-2.0
//! Finds the places of a tree, and what each patch changes; reads git objects only.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use anyhow::{Context, Result, anyhow};
use rayon::prelude::*;
use regex::bytes::Regex;
use serde::{Deserialize, Serialize};

use super::Place;
use crate::git::Repo;
use crate::progress::Progress;
use crate::project::Project;
use crate::proof;
use crate::series::{Applied, AppliedPatch};
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The patch.
    #[serde(skip)]
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

/// The kind of the records of places, and of those of what patches change.
const PLACES: &str = "audit";
const STEP: &str = "audit-step";

fn load_places(project: &Project, key: &str) -> Result<Option<Places>> {
    let kept = proof::load::<Vec<Kept>>(project, PLACES, key)?;
    Ok(kept.map(|kept| kept.into_iter().map(|kept| (kept.place, kept.lines)).collect()))
}

fn store_places(project: &Project, key: &str, places: &Places) -> Result<()> {
    let kept = places.iter().map(|(place, lines)| Kept { place: place.clone(), lines: lines.clone() });
    proof::store(project, PLACES, key, &kept.collect::<Vec<_>>())
}

/// To be raised with every change of what is found.
const VERSION: &[u8] = b"5";

/// The places of a whole tree; a tree that was searched before is not searched again.
pub fn in_tree(project: &Project, repo: &Repo, tree: &str, names: &[Name], skip: &[String]) -> Result<Places> {
    let key = proof::key(&[VERSION, tree.as_bytes(), format!("{names:?} {skip:?}").as_bytes()]);
    if let Some(places) = load_places(project, &key)? {
        return Ok(places);
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
    store_places(project, &key, &places)?;
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
    project: &Project,
    repo: &Repo,
    applied: &Applied,
    before: Places,
    (names, skip): (&[Name], &[String]),
) -> Result<Places> {
    let Some(last) = applied.patches.last() else { return Ok(before) };
    let changed = applied.patches.iter().flat_map(|patch| &patch.files).collect::<BTreeSet<_>>();
    let mut places = before;
    places.retain(|place, _| !changed.contains(&place.file));
    let searched = changed.into_iter().filter(|path| is_searched(path, skip));
    let searched = searched.map(|path| Ok((path, repo.id_of(&last.tree, path)?))).collect::<Result<Vec<_>>>()?;
    let key = proof::key(&[VERSION, format!("{names:?} {searched:?}").as_bytes()]);
    if let Some(found) = load_places(project, &key)? {
        places.extend(found);
        return Ok(places);
    }
    let texts = searched.into_iter().map(|(path, _)| Ok(repo.file(&last.tree, path)?.map(|blob| (path, blob.bytes))));
    let texts = texts.collect::<Result<Vec<_>>>()?;
    let search = |(path, bytes): (&String, Vec<u8>)| {
        let mut places = Places::new();
        add_places(path, &bytes, names, &mut places).map(|()| places)
    };
    let found = texts.into_par_iter().flatten().map(search).collect::<Result<Vec<_>>>()?;
    let found = found.into_iter().flatten().collect::<Places>();
    store_places(project, &key, &found)?;
    places.extend(found);
    Ok(places)
}

/// A file that a patch changes: its path, and its blobs before and after, each where there is one.
type Change<'a> = (&'a str, [Option<String>; 2]);

/// What each patch changes; a change that was looked at before is not parsed again.
pub fn steps(project: &Project, repo: &Repo, applied: &Applied) -> Result<Vec<Step>> {
    let mut parent = &applied.base.tree;
    let mut all = Vec::new();
    let mut texts = BTreeMap::new();
    for patch in &applied.patches {
        let mut changes = Vec::<Change<'_>>::new();
        for path in patch.files.iter().filter(|path| slice::has_items(path)) {
            changes.push((path, [repo.id_of(parent, path)?, repo.id_of(&patch.tree, path)?]));
        }
        let key = proof::key(&[VERSION, format!("{changes:?}").as_bytes()]);
        let known = proof::load::<Step>(project, STEP, &key)?;
        for (path, ids) in changes.iter().filter(|_| known.is_none()) {
            for (tree, id) in [parent, &patch.tree].into_iter().zip(ids) {
                if let (Some(id), Some(blob)) = (id, repo.file(tree, path)?) {
                    texts.insert(id.clone(), (*path, blob.bytes));
                }
            }
        }
        all.push((patch, changes, key, known));
        parent = &patch.tree;
    }
    let functions = functions(texts)?;
    let step = |(patch, changes, key, known): (&AppliedPatch, Vec<Change<'_>>, String, Option<Step>)| {
        let step = match known {
            Some(step) => step,
            None => {
                let step = step(&changes, &functions);
                proof::store(project, STEP, &key, &step)?;
                step
            }
        };
        Ok(Step { patch: patch.name.clone(), ..step })
    };
    all.into_iter().map(step).collect()
}

/// The functions of a file by name.
type Functions = BTreeMap<String, String>;

/// The functions of each text, by its blob.
fn functions(texts: BTreeMap<String, (&str, Vec<u8>)>) -> Result<BTreeMap<String, Functions>> {
    let parse = |(id, (path, bytes)): (String, (&str, Vec<u8>))| {
        let text = String::from_utf8_lossy(&bytes);
        Ok((id, uses::functions(&text).with_context(|| format!("read the functions of {path}"))?))
    };
    texts.into_par_iter().map(parse).collect()
}

/// What changes make of the functions of their files.
fn step(changes: &[Change<'_>], functions: &BTreeMap<String, Functions>) -> Step {
    let mut step = Step { patch: String::new(), changed: BTreeSet::new(), born: BTreeSet::new() };
    let none = Functions::new();
    for (path, ids) in changes {
        let [old, new] = [0, 1].map(|side| ids[side].as_ref().and_then(|id| functions.get(id)).unwrap_or(&none));
        let differs = |function: &&String| old.get(*function) != new.get(*function);
        let named = |function: &String| ((*path).to_owned(), function.clone());
        step.changed.extend(old.keys().filter(differs).map(named));
        step.born.extend(new.keys().filter(|function| !old.contains_key(*function)).map(named));
    }
    step
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

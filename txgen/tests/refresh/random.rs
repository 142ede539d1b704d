// SPDX-License-Identifier: GPL-2.0
//! Random edits of a branch: whatever commits are changed, moved, squashed, split, dropped or added, applying what
//! refresh reads gives the trees of the branch again. `TMPDIR=/dev/shm PROPTEST_CASES=10000 cargo test --release --test
//! refresh random` takes longer.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use txgen::base::Base;
use txgen::git::{Authorship, Blob, Changes, Identity, Mode, Repo};
use txgen::project::Project;
use txgen::refresh::{self, Choices, Source, stage};
use txgen::series::{self, apply, overlay_files};

use super::linux::{SKBUFF, TXBUF, project};
use crate::common::TestProject;

/// What a commit does, each thing apart from all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    /// A function of the base returns something else.
    Edit(u8),
    /// The new file has one more function.
    Item(u8),
    /// A new file of its own.
    File(u8),
}

/// A commit: its subject, and its things with what they come to.
#[derive(Debug, Clone)]
struct Made {
    subject: String,
    things: BTreeMap<Thing, u8>,
}

/// Something done to a branch, where numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Edit {
    Change(u8, u8),
    Swap(u8, u8),
    Squash(u8),
    Split(u8),
    Drop(u8),
    Add(u8, u8, u8),
    Reword(u8, u8),
}

fn edit() -> impl Strategy<Value = Edit> {
    let n = any::<u8>;
    prop_oneof![
        (n(), n()).prop_map(|(a, b)| Edit::Change(a, b)),
        (n(), n()).prop_map(|(a, b)| Edit::Swap(a, b)),
        n().prop_map(Edit::Squash),
        n().prop_map(Edit::Split),
        n().prop_map(Edit::Drop),
        (n(), n(), n()).prop_map(|(a, b, c)| Edit::Add(a, b, c)),
        (n(), n()).prop_map(|(a, b)| Edit::Reword(a, b)),
    ]
}

fn perform(branch: &mut Vec<Made>, edit: &Edit, serial: usize) {
    let at = |n: u8, count: usize| usize::from(n) % count.max(1);
    let count = branch.len();
    match *edit {
        Edit::Change(a, b) if count > 0 => {
            let made = &mut branch[at(a, count)];
            let which = at(b, made.things.len());
            if let Some(value) = made.things.values_mut().nth(which) {
                *value = value.wrapping_add(b | 1);
            }
        }
        Edit::Swap(a, b) if count > 0 => branch.swap(at(a, count), at(b, count)),
        Edit::Squash(a) if count > 1 => {
            let from = branch.remove(at(a, count - 1) + 1);
            branch[at(a, count - 1)].things.extend(from.things);
        }
        Edit::Split(a) if count > 0 => {
            let made = &mut branch[at(a, count)];
            if let Some((thing, value)) = (made.things.len() > 1).then(|| made.things.pop_last()).flatten() {
                let second = Made { subject: format!("net: split {serial}"), things: [(thing, value)].into() };
                branch.insert(at(a, count) + 1, second);
            }
        }
        Edit::Drop(a) if count > 0 => drop(branch.remove(at(a, count))),
        Edit::Add(a, b, c) => {
            let thing = [Thing::Edit(b % 40), Thing::Item(b % 20), Thing::File(b % 10)][at(c, 3)];
            if !branch.iter().any(|made| made.things.contains_key(&thing)) {
                let made = Made { subject: format!("net: add {serial}"), things: [(thing, c)].into() };
                branch.insert(at(a, count + 1), made);
            }
        }
        Edit::Reword(a, b) if count > 0 => branch[at(a, count)].subject = format!("net: say {serial} {b}"),
        _ => {}
    }
}

fn blob(text: String) -> Option<Blob> {
    Some(Blob { mode: Mode::Plain, bytes: text.into_bytes() })
}

/// The files that all things up to a commit make, of those that the base does not have as they are.
fn files(things: &BTreeMap<Thing, u8>) -> Changes {
    let mut changes = Changes::new();
    let value = |thing| things.get(&thing).copied().unwrap_or(0);
    let function = |name: &str, value: u8| format!("\nint {name}(int a)\n{{\n\treturn a + {value};\n}}\n");
    let head = "// SPDX-License-Identifier: GPL-2.0\n".to_owned();
    let base = (0..40).map(|n| function(&format!("skb_{n}"), value(Thing::Edit(n)))).collect::<String>();
    changes.insert(SKBUFF.to_owned(), blob(format!("{head}{base}")));
    let items = things.iter().filter_map(|(thing, value)| match thing {
        Thing::Item(n) => Some(function(&format!("txbuf_{n}"), *value)),
        _ => None,
    });
    let items = items.collect::<String>();
    if !items.is_empty() {
        changes.insert(TXBUF.to_owned(), blob(format!("{head}{items}")));
    }
    for (thing, value) in things {
        if let Thing::File(n) = thing {
            changes.insert(format!("net/core/words-{n}.rst"), blob(format!("Words\n=====\n\n{value} of {n}.\n")));
        }
    }
    changes
}

struct Kernel {
    repo: Repo,
    base: Base,
    by: Authorship,
}

impl Kernel {
    /// The branch as commits, without those that change nothing any more.
    fn commit(&self, branch: &[Made]) -> (String, Vec<String>) {
        let (mut tip, mut tree) = (self.base.commit.clone(), self.base.tree.clone());
        let (mut things, mut trees) = (BTreeMap::new(), Vec::new());
        for made in branch {
            things.extend(made.things.clone());
            let after = self.repo.change_tree(&self.base.tree, &files(&things)).unwrap();
            if after != tree {
                tip = self.repo.commit(&tip, &after, &format!("{}\n\nWhy.\n", made.subject), &self.by).unwrap();
                tree.clone_from(&after);
                trees.push(after);
            }
        }
        (tip, trees)
    }

    /// Reads a branch into a project, and says where the project is then.
    fn refresh(&self, project: &Project, was: &str, is: &str) -> stage::Staged {
        let series = series::load(project, "demo").unwrap();
        let manifest = std::fs::read_to_string(project.series("demo").join("series.toml")).unwrap();
        let overlay = overlay_files::read(project).unwrap();
        let (series, manifest, overlay) = (&series, manifest.as_str(), &overlay);
        let source =
            Source { project, series, manifest, overlay, base: &self.base, foot: &self.base, repo: &self.repo };
        let applied = self.repo.commits_above(&self.base.commit, was).unwrap();
        let branch = refresh::branch::read(&self.repo, &self.base.commit, is).unwrap();
        let refreshed = refresh::refresh(&source, &applied, &branch, &Choices::default());
        stage::stage(project, "demo", &refreshed.unwrap()).unwrap()
    }

    fn trees(&self, project: &Project) -> Vec<String> {
        let series = series::load(project, "demo").unwrap();
        let patches = apply::build(project, &series, &self.base, false).unwrap();
        patches.into_iter().map(|patch| patch.tree).collect()
    }
}

/// A kernel whose skbuff.c is long enough for edits that do not touch each other, and a series without patches.
fn kernel(dir: &Path, project: &Project) -> Kernel {
    let repo = Repo::open(&dir.join("linux")).unwrap();
    let author = Identity { name: "Test Author".into(), email: "author@example.org".into() };
    let by = Authorship { author: author.clone(), committer: author, seconds: 1_000_000_000 };
    let main = repo.resolve("main").unwrap();
    let tree = repo.change_tree(&main.tree, &files(&BTreeMap::new())).unwrap();
    let commit = repo.commit(&main.commit, &tree, "upstream\n", &by).unwrap();
    let base = Base { name: "old".into(), git_dir: repo.git_dir().to_owned(), commit, tree: tree.clone() };
    let bases = std::fs::read_to_string(project.bases_file()).unwrap();
    let bases = bases.replace(&main.tree, &tree).replace(&main.commit, &base.commit);
    std::fs::write(project.bases_file(), bases).unwrap();
    Kernel { repo, base, by }
}

/// A project with series `demo` that has no patch, and its kernel.
fn empty() -> (TestProject, Project, Kernel) {
    let test = project();
    test.git("linux", &["config", "user.name", "Test Author"]);
    test.git("linux", &["config", "user.email", "author@example.org"]);
    let at = Project { root: test.path("p"), cache: test.path("cache") };
    let kernel = kernel(test.dir(), &at);
    let manifest = test.read("p/series/demo/series.toml");
    std::fs::remove_dir_all(test.path("p/series/demo")).unwrap();
    std::fs::remove_dir_all(test.path("p/kernel-overlay")).unwrap();
    test.write(
        "p/series/demo/series.toml",
        manifest.split("\n# The first new file").next().unwrap().split("\n[[patch]]").next().unwrap(),
    );
    (test, at, kernel)
}

/// Edits a branch in rounds, and reads it after each: applied, it has the trees of the branch.
fn come_back(at: &Project, kernel: &Kernel, rounds: &[Vec<Edit>; 3]) -> Result<(), TestCaseError> {
    let mut branch = Vec::<Made>::new();
    let mut was = kernel.base.commit.clone();
    let mut stages = Vec::<stage::Staged>::new();
    // Something to begin with, then two rounds of edits.
    let begin = (0..5).map(|n| Edit::Add(n, n * 7, n)).collect::<Vec<_>>();
    for (round, edits) in rounds.iter().enumerate() {
        let begin = if round == 0 { begin.as_slice() } else { &[] };
        for (serial, edit) in begin.iter().chain(edits).enumerate() {
            perform(&mut branch, edit, round * 100 + serial);
        }
        let (tip, trees) = kernel.commit(&branch);
        let project = stages.last().map_or(at, |stage| &stage.project);
        let stage = kernel.refresh(project, &was, &tip);
        prop_assert_eq!(kernel.trees(&stage.project), trees);
        stages.push(stage);
        was = tip;
    }
    Ok(())
}

#[test]
fn random_edits_come_back() {
    let (_test, at, kernel) = empty();
    let edits = || prop::collection::vec(edit(), 1..12);
    let config =
        Config { cases: std::env::var("PROPTEST_CASES").map_or(40, |n| n.parse().unwrap()), ..Config::default() };
    let mut runner = TestRunner::new(config);
    let rounds = (edits(), edits(), edits());
    runner.run(&rounds, |(first, second, third)| come_back(&at, &kernel, &[first, second, third])).unwrap();
}

#[test]
fn edits_that_once_did_not_come_back_do() {
    use Edit::{Add, Drop, Split, Squash, Swap};
    let (_test, at, kernel) = empty();
    let rounds = [
        vec![Squash(60), Squash(3)],
        vec![Swap(0, 29), Drop(94)],
        vec![Squash(0), Split(0), Add(114, 1, 26), Split(79), Drop(118)],
    ];
    come_back(&at, &kernel, &rounds).unwrap();
}

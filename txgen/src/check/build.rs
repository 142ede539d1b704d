// SPDX-License-Identifier: GPL-2.0
//! The checks `build` (gcc, W=1) and `sparse`: warnings of the touched objects that a patch brings.
//!
//! Compiles only what a patch touches, before and after it, in a build folder of its own, so the folder that
//! `txgen test` uses keeps its state. What a compiler said about an object of a tree is recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::{Finding, Level};
use crate::files;
use crate::kernel::build::{Folder, in_tree};
use crate::kernel::config::{self, Config};
use crate::kernel::worktree::Worktree;
use crate::process::{self, Run};
use crate::project::Project;
use crate::proof;
use crate::series::Applied;

/// The build folder, and the configuration it has.
const FOLDER: &str = "w1";
const CONFIG: &str = "net";
/// The kind of the records, and the version of what they hold.
const KIND: &str = "warnings-1";

/// Objects that show what a touched header does to its users.
const USERS: &[&str] = &[
    "net/core/skbuff.o",
    "net/core/datagram.o",
    "net/core/dev.o",
    "net/core/gro.o",
    "net/ipv4/tcp.o",
    "net/ipv4/tcp_output.o",
    "net/ipv4/ip_output.o",
    "net/ipv4/esp4.o",
];

/// Folders whose C files are no part of the kernel image.
const OUTSIDE: &[&str] = &["tools/", "samples/", "scripts/", "Documentation/", "usr/"];

/// A warning or an error of a compiler.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Complaint {
    /// `build` or `sparse`.
    check: String,
    error: bool,
    file: String,
    line: u32,
    text: String,
}

/// What the compilers said about some objects of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    /// In the order of check, file and line.
    complaints: BTreeSet<Complaint>,
}

/// Compiles objects of the commits of one series.
#[derive(Debug)]
pub struct Compiler<'a> {
    project: &'a Project,
    worktree: &'a Worktree,
    config: Config,
    tools: String,
    at: Option<String>,
}

/// A commit and its tree.
struct State<'a> {
    commit: &'a str,
    tree: &'a str,
}

impl<'a> Compiler<'a> {
    /// Finds the tools. The worktree is moved from commit to commit and stays at the last one.
    pub fn new(project: &'a Project, worktree: &'a Worktree) -> Result<Self> {
        process::require("sparse")?;
        let version = |tool: &str| Run::new(tool, ["--version"]).check().map(|output| output.text());
        let tools = format!("{}{}", version("gcc")?, version("sparse")?);
        Ok(Self { project, worktree, config: config::load(project, CONFIG)?, tools, at: None })
    }

    /// The warnings that patch number `index` of a series brings.
    pub fn findings(&mut self, applied: &Applied, index: usize) -> Result<Vec<Finding>> {
        let patch =
            applied.patches.get(index).with_context(|| format!("series {} has no patch {index}", applied.name))?;
        let objects = objects(&patch.files);
        if objects.is_empty() {
            return Ok(Vec::new());
        }
        let before = match index.checked_sub(1).and_then(|below| applied.patches.get(below)) {
            Some(below) => State { commit: &below.commit, tree: &below.tree },
            None => State { commit: &applied.base.commit, tree: &applied.base.tree },
        };
        let after = State { commit: &patch.commit, tree: &patch.tree };
        let git_dir = &applied.git_dir;
        let old = self.said(git_dir, &before, &objects)?;
        let new = self.said(git_dir, &after, &objects)?;
        let finding = |complaint: &Complaint| Finding {
            patch: patch.name.clone(),
            check: complaint.check.clone(),
            level: if complaint.error { Level::Fail } else { Level::Warn },
            file: Some(complaint.file.clone()),
            line: Some(complaint.line),
            message: complaint.text.clone(),
        };
        Ok(added(&old, &new).into_iter().map(finding).collect())
    }

    /// What the compilers say about `objects` of a commit, from the record where there is one.
    fn said(&mut self, git_dir: &Path, state: &State<'_>, objects: &BTreeSet<String>) -> Result<Said> {
        let list = objects.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
        let key = proof::key(&[state.tree, &self.config.text, &self.tools, &list].map(str::as_bytes));
        if let Some(said) = proof::load(self.project, KIND, &key)? {
            return Ok(said);
        }
        if self.at.as_deref() != Some(state.commit) {
            self.worktree.checkout(git_dir, state.commit)?;
            self.at = Some(state.commit.to_owned());
        }
        let folder = Folder::open(self.project, self.worktree, FOLDER)?;
        folder.configure(&self.config)?;
        let said = compile(&folder, objects)?;
        proof::store(self.project, KIND, &key, &said)?;
        Ok(said)
    }
}

/// Compiles with W=1, then runs sparse. Objects are removed first: make says nothing about those it takes for fresh.
fn compile(folder: &Folder, objects: &BTreeSet<String>) -> Result<Said> {
    let there = |object: &&String| folder.tree.join(object).with_extension("c").is_file();
    let objects = objects.iter().filter(there).map(String::as_str).collect::<Vec<_>>();
    let mut said = Said::default();
    if objects.is_empty() {
        return Ok(said);
    }
    for object in &objects {
        let path = folder.dir.join(object);
        if path.exists() {
            std::fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
        }
    }
    for (check, flags) in [("build", ["-k", "W=1"].as_slice()), ("sparse", &["-k", "W=1", "C=2"])] {
        let log = folder.dir.join(format!("{check}.log"));
        let args = flags.iter().chain(&objects).copied().collect::<Vec<_>>();
        let output = folder.make(&args).log(&log).output()?;
        let text = files::read_lossy(&log)?;
        let complaints = complaints(&text, &folder.tree, check);
        let broken = !output.status.success();
        if broken && !complaints.iter().any(|complaint| complaint.error) {
            bail!("compile {}: see {}:\n{}", objects.join(" "), log.display(), process::last_lines(&text, 15));
        }
        said.complaints.extend(complaints);
        if broken {
            break;
        }
    }
    Ok(said)
}

/// The objects that show what a change of `touched` does.
fn objects(touched: &[String]) -> BTreeSet<String> {
    let inside = touched.iter().filter(|path| !OUTSIDE.iter().any(|folder| path.starts_with(folder)));
    let mut objects = BTreeSet::new();
    for path in inside {
        match path.rsplit_once('.') {
            Some((stem, "c")) => {
                objects.insert(format!("{stem}.o"));
            }
            Some((_, "h")) => objects.extend(USERS.iter().map(|&object| object.to_owned())),
            _ => {}
        }
    }
    objects
}

/// The complaints in make's log: lines `FILE:LINE:COLUMN: warning: TEXT`, and errors alike.
fn complaints(log: &str, tree: &Path, check: &str) -> BTreeSet<Complaint> {
    let complaint = |line: &str| {
        let line = in_tree(line, tree);
        let marks = [(": warning: ", false), (": error: ", true), (": fatal error: ", true)];
        let (mark, error) = marks.into_iter().find(|(mark, _)| line.contains(mark))?;
        let (place, text) = line.split_once(mark)?;
        let mut place = place.split(':');
        let (file, number) = (place.next()?, place.next()?.parse().ok()?);
        let file = file.trim_start_matches("./").to_owned();
        Some(Complaint { check: check.to_owned(), error, file, line: number, text: text.trim().to_owned() })
    };
    log.lines().filter_map(complaint).collect()
}

/// The complaints of `new` that `old` does not have; a line that only moved is no new one.
fn added<'a>(old: &Said, new: &'a Said) -> Vec<&'a Complaint> {
    let key = |complaint: &Complaint| (complaint.check.clone(), complaint.file.clone(), complaint.text.clone());
    let mut known: BTreeMap<_, usize> = BTreeMap::new();
    for complaint in &old.complaints {
        *known.entry(key(complaint)).or_default() += 1;
    }
    let fresh = new.complaints.iter().filter(|complaint| match known.get_mut(&key(complaint)) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    });
    fresh.collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Said, added, complaints, objects};

    fn said(log: &str) -> Said {
        Said { complaints: complaints(log, Path::new("/c/tree"), "build") }
    }

    fn paths(list: &[&str]) -> Vec<String> {
        list.iter().map(|&path| path.to_owned()).collect()
    }

    #[test]
    fn a_touched_c_file_is_compiled_and_a_header_through_its_users() {
        let only_c = objects(&paths(&["net/core/txbuf.c", "MAINTAINERS", "tools/testing/selftests/net/x.c"]));
        assert_eq!(only_c.into_iter().collect::<Vec<_>>(), ["net/core/txbuf.o"]);
        let header = objects(&paths(&["include/linux/skbuff.h"]));
        assert!(header.contains("net/core/skbuff.o") && header.contains("net/ipv4/tcp.o"), "{header:?}");
    }

    #[test]
    fn a_new_warning_is_found_with_its_place() {
        let log = "  CC      net/core/txbuf.o\n\
                   ../../tree/net/core/txbuf.c:12:5: warning: no previous prototype for 'x' [-Wmissing-prototypes]\n";
        let new = said(log);
        let found = added(&Said::default(), &new);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].file.as_str(), found[0].line, found[0].error), ("net/core/txbuf.c", 12, false));
        assert_eq!(found[0].text, "no previous prototype for 'x' [-Wmissing-prototypes]");
    }

    #[test]
    fn a_warning_that_only_moved_is_not_new_but_a_second_one_is() {
        let old = said("/c/tree/net/core/dev.c:10:1: warning: unused variable 'a'\n");
        let moved = said("/c/tree/net/core/dev.c:30:1: warning: unused variable 'a'\n");
        assert_eq!(added(&old, &moved), Vec::<&super::Complaint>::new());
        let twice = said(
            "/c/tree/net/core/dev.c:30:1: warning: unused variable 'a'\n\
             /c/tree/net/core/dev.c:70:1: warning: unused variable 'a'\n",
        );
        assert_eq!(added(&old, &twice).len(), 1);
    }

    #[test]
    fn an_error_is_told_from_a_warning() {
        let broken = said("net/core/dev.c:10:1: error: expected ';' before '}' token\n");
        assert!(broken.complaints.iter().all(|complaint| complaint.error) && broken.complaints.len() == 1);
    }
}

// SPDX-License-Identifier: GPL-2.0
//! The checks `build` (gcc, W=1) and `sparse`: warnings of the touched objects that a patch brings.
//!
//! Compiles only what a patch touches, before and after it, in a build folder of its own, so the folder that
//! `txgen test` uses keeps its state. What a compiler said about an object of a tree is recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope};
use crate::files;
use crate::kernel::build::{Folder, in_tree};
use crate::kernel::config;
use crate::process::{self, Run};
use crate::proof;

/// The build folder.
const FOLDER: &str = "w1";
/// The kind of the records, and the version of what they hold.
const KIND: &str = "warnings-2";
/// sparse up to 0.6.4 does not know this word, and make then skips it (scripts/checker-valid.sh).
const SPARSE_FLAGS: &str = "CF=-D__typeof_unqual__=__typeof__";

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
    "net/xfrm/xfrm_iptfs.o",
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

pub(super) const BUILD: Check = Check {
    name: "build",
    shows: "warnings of gcc W=1 that a patch brings to the objects it touches",
    needs: "gcc, make, sparse",
    version: 4,
    tools,
    scope: Scope::Patch(|source, patch| findings(source, patch, "build")),
};

pub(super) const SPARSE: Check = Check {
    name: "sparse",
    shows: "warnings of sparse that a patch brings to the objects it touches",
    needs: "gcc, make, sparse",
    version: 4,
    tools,
    scope: Scope::Patch(|source, patch| findings(source, patch, "sparse")),
};

/// The compilers' versions and the configuration.
fn tools(source: &Source<'_>) -> Result<String> {
    process::require("sparse")?;
    let version = |tool: &str| Run::new(tool, ["--version"]).check().map(|output| output.text());
    Ok(format!("{}{}{}", version("gcc")?, version("sparse")?, config::load(source.project, config::COMPILE)?.text))
}

/// The warnings of one kind that a patch brings.
fn findings(source: &Source<'_>, patch: &Patch, check: &str) -> Result<Vec<Finding>> {
    let touched = source.diff(patch)?.into_iter().map(|file| file.path).collect::<Vec<_>>();
    let objects = objects(&touched);
    if objects.is_empty() {
        return Ok(Vec::new());
    }
    let old = said(source, &patch.parent, &patch.parent_tree, &objects)?;
    // What sparse calls an error it may only fail to understand; gcc's errors mean that nothing was compiled.
    if let Some(error) = old.complaints.iter().find(|complaint| complaint.error && complaint.check == "build") {
        let (Complaint { file, line, text, .. }, name) = (error, &patch.name);
        bail!(
            "{file}:{line} does not compile before patch {name}: {text}; does vm-tests/compile.config lack an option?"
        );
    }
    let new = said(source, &patch.commit, &patch.tree, &objects)?;
    if check == "sparse" && new.complaints.iter().any(|complaint| complaint.error && complaint.check == "build") {
        return Ok(vec![Finding::new(Level::Fail, check, "did not run: see what gcc says of this patch")]);
    }
    let finding = |complaint: &Complaint| {
        let level = if complaint.error { Level::Fail } else { Level::Warn };
        let rule = if check == "build" { "gcc" } else { check };
        Finding::new(level, rule, &complaint.text).at(&complaint.file, Some(complaint.line))
    };
    Ok(added(&old, &new).into_iter().filter(|complaint| complaint.check == check).map(finding).collect())
}

/// What the compilers say about `objects` of a commit, from the record where there is one.
fn said(source: &Source<'_>, commit: &str, tree: &str, objects: &BTreeSet<String>) -> Result<Said> {
    let list = objects.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    let key = proof::key(&[tree, &tools(source)?, &list].map(str::as_bytes));
    if let Some(said) = proof::load(source.project, KIND, &key)? {
        return Ok(said);
    }
    let worktree = source.tree_at(commit)?;
    let folder = Folder::open(source.project, &worktree, FOLDER)?;
    let config = config::load(source.project, config::COMPILE)?;
    source.configured_at(commit, || folder.configure(&config))?;
    let said = compile(&folder, objects)?;
    proof::store(source.project, KIND, &key, &said)?;
    Ok(said)
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
        files::remove_file(&folder.dir.join(object))?;
    }
    for (check, flags) in [("build", ["-k", "W=1"].as_slice()), ("sparse", &["-k", "W=1", "C=2", SPARSE_FLAGS])] {
        let log = folder.dir.join(format!("{check}.log"));
        let args = flags.iter().chain(&objects).copied().collect::<Vec<_>>();
        let output = folder.make(&args).log(&log).output()?;
        let text = files::read_lossy(&log)?;
        if let Some(skipped) = text.lines().find(|line| line.contains("is not available or not up to date")) {
            bail!("make did not run sparse: {}", skipped.trim());
        }
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

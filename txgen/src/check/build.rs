// SPDX-License-Identifier: GPL-2.0
//! The checks `build` (gcc, W=1) and `sparse`: warnings of the touched objects that a patch brings.
//!
//! Compiles only what a patch touches, before and after it, in a build folder of its own, so the folder that
//! `txgen test` uses keeps its state. What the compilers said about an object of a tree is recorded, object by object:
//! most objects of a patch are those of the patch before it.

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
const KIND: &str = "warnings-3";
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

/// What the compilers said about some objects of a tree, in the order of check, file and line.
type Said = BTreeSet<Complaint>;

pub(super) const BUILD: Check = Check {
    name: "build",
    shows: "warnings of gcc W=1 that a patch brings to the objects it touches",
    needs: "gcc, make, sparse",
    version: 5,
    tools,
    scope: Scope::Checkout(|source, patch| findings(source, patch, "build")),
};

pub(super) const SPARSE: Check = Check {
    name: "sparse",
    shows: "warnings of sparse that a patch brings to the objects it touches",
    needs: "gcc, make, sparse",
    version: 5,
    tools,
    scope: Scope::Checkout(|source, patch| findings(source, patch, "sparse")),
};

/// The compilers' versions and the configuration.
fn tools(source: &Source<'_>) -> Result<String> {
    if let Some(known) = source.compilers.get() {
        return Ok(known.clone());
    }
    process::require("sparse")?;
    let version = |tool: &str| Run::new(tool, ["--version"]).check().map(|output| output.text());
    let config = config::load(source.project, config::COMPILE)?.text;
    let tools = format!("{}{}{config}", version("gcc")?, version("sparse")?);
    Ok(source.compilers.get_or_init(|| tools).clone())
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
    if let Some(error) = old.iter().find(|complaint| complaint.error && complaint.check == "build") {
        let (Complaint { file, line, text, .. }, name) = (error, &patch.name);
        bail!(
            "{file}:{line} does not compile before patch {name}: {text}; does vm-tests/compile.config lack an option?"
        );
    }
    let new = said(source, &patch.commit, &patch.tree, &objects)?;
    if check == "sparse" && new.iter().any(|complaint| complaint.error && complaint.check == "build") {
        return Ok(vec![Finding::new(Level::Fail, check, "did not run: see what gcc says of this patch")]);
    }
    let finding = |complaint: &Complaint| {
        let level = if complaint.error { Level::Fail } else { Level::Warn };
        let rule = if check == "build" { "gcc" } else { check };
        Finding::new(level, rule, &complaint.text).at(&complaint.file, Some(complaint.line))
    };
    Ok(added(&old, &new).into_iter().filter(|complaint| complaint.check == check).map(finding).collect())
}

/// What the compilers say about `objects` of a commit, from the records where there are any.
fn said(source: &Source<'_>, commit: &str, tree: &str, objects: &BTreeSet<String>) -> Result<Said> {
    let tools = tools(source)?;
    let key = |object: &str| proof::key(&[tree, &tools, object].map(str::as_bytes));
    let (mut said, mut missing) = (Said::new(), BTreeSet::new());
    for object in objects {
        match proof::load::<Said>(source.project, KIND, &key(object))? {
            Some(known) => said.extend(known),
            None => {
                missing.insert(object.as_str());
            }
        }
    }
    if missing.is_empty() {
        return Ok(said);
    }
    let worktree = source.tree_at(commit)?;
    let folder = Folder::open(source.project, &worktree, FOLDER)?;
    let config = config::load(source.project, config::COMPILE)?;
    source.configured_at(commit, || folder.configure(&config))?;
    for (object, complaints) in compile(&folder, &missing)? {
        proof::store(source.project, KIND, &key(object), &complaints)?;
        said.extend(complaints);
    }
    Ok(said)
}

/// Compiles with W=1 and runs sparse. Objects are removed first: make says nothing about those it takes for fresh.
fn compile<'a>(folder: &Folder, objects: &BTreeSet<&'a str>) -> Result<BTreeMap<&'a str, Said>> {
    let there = |object: &&str| folder.tree.join(object).with_extension("c").is_file();
    let present = objects.iter().copied().filter(there).collect::<Vec<_>>();
    for object in &present {
        files::remove_file(&folder.dir.join(object))?;
    }
    let mut said = objects.iter().map(|&object| (object, Said::new())).collect::<BTreeMap<_, _>>();
    if present.is_empty() {
        return Ok(said);
    }
    let log = folder.dir.join("check.log");
    // What is said of one object is not mixed with what is said of another.
    let flags = ["-k", "--output-sync=target", "W=1", "C=2", SPARSE_FLAGS];
    let args = flags.iter().chain(&present).copied().collect::<Vec<_>>();
    let output = folder.make(&args).log(&log).output()?;
    let text = files::read_lossy(&log)?;
    if let Some(skipped) = text.lines().find(|line| line.contains("is not available or not up to date")) {
        bail!("make did not run sparse: {}", skipped.trim());
    }
    let steps = steps(&text, &folder.tree);
    for (object, said) in &mut said {
        said.extend(steps.iter().filter(|step| step.object == *object).flat_map(|step| step.said.iter().cloned()));
    }
    let error = |object: &str| said[object].iter().any(|complaint| complaint.error);
    let ran = |object: &str, check: &str| steps.iter().any(|step| step.object == object && step.check == check);
    let silent = present.iter().find(|object| !ran(object, "build") || !(ran(object, "sparse") || error(object)));
    if silent.is_some() || !output.status.success() && !present.iter().any(|object| error(object)) {
        let (what, log) = (silent.copied().unwrap_or("make"), log.display());
        bail!("{what} was not compiled and read by sparse: see {log}:\n{}", process::last_lines(&text, 15));
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

/// What a compiler did in make's log.
struct Step {
    object: String,
    check: &'static str,
    said: Said,
}

/// The steps in make's log: a line with the compiler and the file, then lines `FILE:LINE:COLUMN: warning: TEXT`, and
/// errors alike.
fn steps(log: &str, tree: &Path) -> Vec<Step> {
    let mut steps = Vec::<Step>::new();
    for line in log.lines() {
        let words = line.split_whitespace().collect::<Vec<_>>();
        match words.as_slice() {
            [step, .., file] if line.starts_with("  ") && step.chars().all(|c| c.is_ascii_uppercase()) => {
                let object = Path::new(file).with_extension("o").to_string_lossy().into_owned();
                let check = if *step == "CHECK" { "sparse" } else { "build" };
                steps.push(Step { object, check, said: Said::new() });
            }
            _ => {
                if let Some(step) = steps.last_mut() {
                    step.said.extend(complaint(line, tree, step.check));
                }
            }
        }
    }
    steps
}

fn complaint(line: &str, tree: &Path, check: &str) -> Option<Complaint> {
    let line = in_tree(line, tree);
    let marks = [(": warning: ", false), (": error: ", true), (": fatal error: ", true)];
    let (mark, error) = marks.into_iter().find(|(mark, _)| line.contains(mark))?;
    let (place, text) = line.split_once(mark)?;
    let mut place = place.split(':');
    let (file, number) = (place.next()?, place.next()?.parse().ok()?);
    let file = file.trim_start_matches("./").to_owned();
    Some(Complaint { check: check.to_owned(), error, file, line: number, text: text.trim().to_owned() })
}

/// The complaints of `new` that `old` does not have; a line that only moved is no new one.
fn added<'a>(old: &Said, new: &'a Said) -> Vec<&'a Complaint> {
    let key = |complaint: &Complaint| (complaint.check.clone(), complaint.file.clone(), complaint.text.clone());
    let mut known: BTreeMap<_, usize> = BTreeMap::new();
    for complaint in old {
        *known.entry(key(complaint)).or_default() += 1;
    }
    let fresh = new.iter().filter(|complaint| match known.get_mut(&key(complaint)) {
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

    use super::{Said, added, objects, steps};

    fn said(complaints: &str) -> Said {
        let log = format!("  CC      net/core/dev.o\n{complaints}");
        steps(&log, Path::new("/c/tree")).into_iter().flat_map(|step| step.said).collect()
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
        let log = "../../tree/net/core/txbuf.c:12:5: warning: no previous prototype for 'x' [-Wmissing-prototypes]\n";
        let new = said(log);
        let none = Said::new();
        let found = added(&none, &new);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].file.as_str(), found[0].line, found[0].error), ("net/core/txbuf.c", 12, false));
        assert_eq!(found[0].text, "no previous prototype for 'x' [-Wmissing-prototypes]");
    }

    #[test]
    fn a_warning_belongs_to_the_object_and_the_compiler_that_it_follows() {
        let log = "  CC      net/core/dev.o\n\
                   ../../tree/include/linux/skbuff.h:1:5: warning: a\n  \
                   CHECK   net/core/dev.c\n\
                   ../../tree/net/core/dev.c:2:5: warning: b\n  \
                   CC [M]  net/xfrm/xfrm_iptfs.o\n\
                   ../../tree/include/linux/skbuff.h:1:5: warning: a\n   \
                   12 |  int x\n\
                   ../../tree/include/linux/skbuff.h:3:5: error: c\n";
        let step = |step: &super::Step| {
            let texts = step.said.iter().map(|complaint| complaint.text.as_str()).collect::<Vec<_>>();
            format!("{} {} {}", step.object, step.check, texts.join(","))
        };
        let found = steps(log, Path::new("/c/tree")).iter().map(step).collect::<Vec<_>>();
        assert_eq!(found, ["net/core/dev.o build a", "net/core/dev.o sparse b", "net/xfrm/xfrm_iptfs.o build a,c"]);
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
        assert!(broken.iter().all(|complaint| complaint.error) && broken.len() == 1);
    }
}

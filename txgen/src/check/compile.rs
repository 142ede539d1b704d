// SPDX-License-Identifier: GPL-2.0
//! Compiles single objects of a tree and reads what the compiler says of each.
//!
//! In build folders of its own, so the one that `txgen test` uses keeps its state. What was said about an object of a
//! tree is recorded, object by object: most objects of a patch are those of the patch before it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::check::source::Source;
use crate::check::{Finding, Level};
use crate::files;
use crate::kernel::build::{Folder, Target, in_tree};
use crate::kernel::config::{self, Config};
use crate::process::{self, Run};
use crate::proof;

/// The kind of the records, and the version of what they hold.
const KIND: &str = "warnings-3";
/// sparse up to 0.6.4 does not know this word, and make then skips it (scripts/checker-valid.sh).
const SPARSE_FLAGS: &str = "CF=-D__typeof_unqual__=__typeof__";

/// A compiler, what it compiles for, and where.
#[derive(Debug)]
pub(super) struct Compiler {
    /// The check that tells what it says.
    pub(super) check: &'static str,
    /// What it is called in a finding.
    pub(super) rule: &'static str,
    /// The compiler's program and the kernel's name of the architecture.
    pub(super) target: Target,
    /// The configuration.
    config: &'static str,
    /// The build folder.
    folder: &'static str,
    /// Whether sparse reads each file, too.
    sparse: bool,
}

/// gcc, with sparse behind it.
pub(super) static GCC: Compiler = Compiler {
    check: "build",
    rule: "gcc",
    target: Target::X86_64,
    config: config::COMPILE,
    folder: "w1",
    sparse: true,
};

/// clang.
pub(super) static CLANG: Compiler = Compiler {
    check: "clang",
    rule: "clang",
    target: Target { cc: "clang-19", ..Target::X86_64 },
    config: config::COMPILE,
    folder: "w1-clang",
    sparse: false,
};

/// gcc for 32 bit.
pub(super) static GCC_32: Compiler = Compiler {
    check: "32-bit",
    rule: "gcc -m32",
    target: Target { arch: "i386", ..Target::X86_64 },
    config: config::COMPILE_32,
    folder: "w1-32",
    sparse: false,
};

/// A warning or an error of a compiler.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Complaint {
    /// The check of the compiler, or `sparse`.
    pub(super) check: String,
    pub(super) error: bool,
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) text: String,
}

impl Complaint {
    /// It as a finding about `rule`; `more` follows its text.
    pub(super) fn finding(&self, rule: &str, more: &str) -> Finding {
        let level = if self.error { Level::Fail } else { Level::Warn };
        Finding::new(level, rule, format!("{}{more}", self.text)).at(&self.file, Some(self.line))
    }
}

/// What was said about some objects of a tree, in the order of check, file and line.
pub(super) type Said = BTreeSet<Complaint>;

impl Compiler {
    /// The versions of the programs, and the configuration.
    pub(super) fn tools(&self, source: &Source<'_>) -> Result<String> {
        source.asked_once(self.check, || {
            let version = |tool: &str| Run::new(tool, ["--version"]).check().map(|output| output.text());
            let mut tools = version(self.target.cc)?;
            if self.sparse {
                process::require("sparse")?;
                tools += &version("sparse")?;
            }
            Ok(tools + &self.config(source)?.text)
        })
    }

    fn config(&self, source: &Source<'_>) -> Result<Config> {
        config::load(source.project, self.config, &source.stack())
    }

    /// What is said about `objects` of a commit, from the records where there are any.
    pub(super) fn said(
        &self,
        source: &Source<'_>,
        (commit, tree): (&str, &str),
        objects: &BTreeSet<String>,
    ) -> Result<Said> {
        let tools = self.tools(source)?;
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
        let folder = Folder::open(source.project, &worktree, self.folder)?.compiled_by(self.target);
        let config = self.config(source)?;
        source.configured_at(self.folder, commit, || folder.configure(&config))?;
        for (object, complaints) in self.compile(&folder, &missing)? {
            proof::store(source.project, KIND, &key(object), &complaints)?;
            said.extend(complaints);
        }
        Ok(said)
    }

    /// Compiles with W=1. Objects are removed first: make says nothing about those it takes for fresh.
    fn compile<'a>(&self, folder: &Folder, objects: &BTreeSet<&'a str>) -> Result<BTreeMap<&'a str, Said>> {
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
        let mut args = vec!["-k", "--output-sync=target", "W=1"];
        args.extend(if self.sparse { &["C=2", SPARSE_FLAGS][..] } else { &[] });
        args.extend(&present);
        let output = folder.make(&args).log(&log).output()?;
        let text = files::read_lossy(&log)?;
        if let Some(skipped) = text.lines().find(|line| line.contains("is not available or not up to date")) {
            bail!("make did not run sparse: {}", skipped.trim());
        }
        let steps = steps(&text, &folder.tree, self.check);
        for (object, said) in &mut said {
            said.extend(steps.iter().filter(|step| step.object == *object).flat_map(|step| step.said.iter().cloned()));
        }
        let error = |object: &str| said[object].iter().any(|complaint| complaint.error);
        let ran = |object: &str, check: &str| steps.iter().any(|step| step.object == object && step.check == check);
        let read = |object: &str| !self.sparse || ran(object, "sparse") || error(object);
        let silent = present.iter().find(|object| !ran(object, self.check) || !read(object));
        if silent.is_some() || !output.status.success() && !present.iter().any(|object| error(object)) {
            let (what, log) = (silent.copied().unwrap_or("make"), log.display());
            let read = if self.sparse { " and read by sparse" } else { "" };
            bail!("{what} was not compiled by {}{read}: see {log}:\n{}", self.rule, process::last_lines(&text, 15));
        }
        Ok(said)
    }
}

/// What a compiler did in make's log.
pub(super) struct Step {
    object: String,
    check: &'static str,
    pub(super) said: Said,
}

/// The steps in make's log: a line with the compiler and the file, then lines `FILE:LINE:COLUMN: warning: TEXT`, and
/// errors alike.
pub(super) fn steps(log: &str, tree: &Path, compiler: &'static str) -> Vec<Step> {
    let mut steps = Vec::<Step>::new();
    for line in log.lines() {
        let words = line.split_whitespace().collect::<Vec<_>>();
        match words.as_slice() {
            [step, .., file] if line.starts_with("  ") && step.chars().all(|c| c.is_ascii_uppercase()) => {
                let object = Path::new(file).with_extension("o").to_string_lossy().into_owned();
                let check = if *step == "CHECK" { "sparse" } else { compiler };
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

pub(super) fn complaint(line: &str, tree: &Path, check: &str) -> Option<Complaint> {
    let line = in_tree(line, tree);
    let marks = [(": warning: ", false), (": error: ", true), (": fatal error: ", true)];
    let (mark, error) = marks.into_iter().find(|(mark, _)| line.contains(mark))?;
    let (place, text) = line.split_once(mark)?;
    let mut place = place.split(':');
    let (file, number) = (place.next()?, place.next()?.parse().ok()?);
    let file = file.trim_start_matches("./").to_owned();
    Some(Complaint { check: check.to_owned(), error, file, line: number, text: text.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Step, steps};

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
        let step = |step: &Step| {
            let texts = step.said.iter().map(|complaint| complaint.text.as_str()).collect::<Vec<_>>();
            format!("{} {} {}", step.object, step.check, texts.join(","))
        };
        let found = steps(log, Path::new("/c/tree"), "build").iter().map(step).collect::<Vec<_>>();
        assert_eq!(found, ["net/core/dev.o build a", "net/core/dev.o sparse b", "net/xfrm/xfrm_iptfs.o build a,c"]);
    }
}

// SPDX-License-Identifier: GPL-2.0
//! What clippy says of the kernel's Rust that a patch touches, before and after it.
//!
//! Needs Rust for the kernel, and only for a patch that touches Rust: other series do without.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::check::build::added;
use crate::check::compile::{Complaint, Said};
use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Scope};
use crate::files;
use crate::kernel::build::{Folder, in_tree};
use crate::kernel::config::{self, Config};
use crate::kernel::rust::Rust;
use crate::process;
use crate::proof;

pub(super) const CHECK: Check = Check {
    name: "clippy",
    shows: "warnings of rustc and clippy (make CLIPPY=1) that a patch brings to the .rs files it touches",
    needs: "rustc with the sources of its library, clippy-driver, bindgen, where there is a .rs file",
    version: 1,
    tools,
    scope: Scope::Checkout(check),
};

/// The kind of the records, and the version of what they hold.
const KIND: &str = "clippy-1";
/// The configuration with Rust.
const CONFIG: &str = "rust";
/// The build folder.
const FOLDER: &str = "clippy";
/// What `make prepare` builds: the crates that all others use.
const CRATES: &str = "rust/";
/// Files of a crate in the build folder: without them make compiles it again, and clippy speaks.
const OF_CRATE: &[&str] = &["rust/kernel.o", "rust/libkernel.rmeta", "rust/pin_init.o", "rust/libpin_init.rmeta"];

/// Rust that is not here is missed only where there is a file for it.
fn tools(source: &Source<'_>) -> Result<String> {
    source.asked_once(CHECK.name, || {
        let config = config(source)?;
        match Rust::of(source.project, &config.text) {
            Ok(Some(rust)) => Ok(rust.versions()?.join("\n") + &config.text),
            Ok(None) | Err(_) => Ok(String::from("no Rust")),
        }
    })
}

fn config(source: &Source<'_>) -> Result<Config> {
    config::load(source.project, CONFIG, &source.stack())
}

fn check(source: &Source<'_>, patch: &Patch) -> Result<Vec<Finding>> {
    let touched = source.diff(patch)?.into_iter().filter(|file| file.has_ending(&["rs"]) && !file.removed);
    let targets = touched.map(|file| target(&file.path)).collect::<BTreeSet<_>>();
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let old = said(source, (&patch.parent, &patch.parent_tree), &targets)?;
    let new = said(source, (&patch.commit, &patch.tree), &targets)?;
    if let Some(error) = old.iter().find(|said| said.error).filter(|_| patch.parent == source.base) {
        let Complaint { file, line, text, .. } = error;
        bail!("{file}:{line} does not compile before patch {}: {text}", patch.name);
    }
    Ok(added(&old, &new).into_iter().map(|complaint| complaint.finding(CHECK.name, "")).collect())
}

/// What make is to build for a file.
fn target(path: &str) -> String {
    match path.strip_suffix(".rs") {
        Some(stem) if !path.starts_with(CRATES) => format!("{stem}.o"),
        _ => "prepare".to_owned(),
    }
}

/// What is said when `targets` of a commit are built, from the record where there is one.
fn said(source: &Source<'_>, (commit, tree): (&str, &str), targets: &BTreeSet<String>) -> Result<Said> {
    let list = targets.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let key = proof::key(&[tree, &tools(source)?, &list].map(str::as_bytes));
    if let Some(known) = proof::load(source.project, KIND, &key)? {
        return Ok(known);
    }
    let config = config(source)?;
    let rust = Rust::of(source.project, &config.text)?;
    let worktree = source.tree_at(commit)?;
    let folder = Folder::open(source.project, &worktree, FOLDER)?.with_rust(rust.as_ref());
    source.configured_at(FOLDER, commit, || folder.configure(&config))?;
    let said = compile(&folder, targets)?;
    proof::store(source.project, KIND, &key, &said)?;
    Ok(said)
}

fn compile(folder: &Folder, targets: &BTreeSet<String>) -> Result<Said> {
    let here = |target: &&str| *target == "prepare" || folder.tree.join(target).with_extension("rs").is_file();
    let present = targets.iter().map(String::as_str).filter(here).collect::<Vec<_>>();
    let stale = OF_CRATE.iter().copied().filter(|_| present.contains(&"prepare"));
    for object in stale.chain(present.iter().copied().filter(|target| *target != "prepare")) {
        files::remove_file(&folder.dir.join(object))?;
    }
    if present.is_empty() {
        return Ok(Said::new());
    }
    let log = folder.dir.join("clippy.log");
    let args = ["-k", "--output-sync=target", "CLIPPY=1"].into_iter().chain(present.iter().copied());
    let output = folder.make(&args.collect::<Vec<_>>()).log(&log).output()?;
    let text = files::read_lossy(&log)?;
    let said = read(&text.lines().map(|line| in_tree(line, &folder.tree)).collect::<Vec<_>>());
    let spoke = text.lines().any(|line| line.trim_start().starts_with("CLIPPY "));
    if !output.status.success() && !said.iter().any(|complaint| complaint.error) || !spoke {
        bail!("make CLIPPY=1 did not run clippy: see {}:\n{}", log.display(), process::last_lines(&text, 15));
    }
    Ok(said)
}

/// The complaints in rustc's output: `warning: TEXT`, then `--> FILE:LINE:COLUMN`.
fn read(lines: &[String]) -> Said {
    let pairs = lines.windows(2).filter_map(|pair| Some((head(&pair[0])?, place(&pair[1])?)));
    let complaint = |((error, text), (file, line)): ((bool, &str), (&str, u32))| Complaint {
        check: CHECK.name.to_owned(),
        error,
        file: file.to_owned(),
        line,
        text: text.to_owned(),
    };
    pairs.map(complaint).collect()
}

/// Whether it is an error, and what it is.
fn head(line: &str) -> Option<(bool, &str)> {
    if let Some(text) = line.strip_prefix("warning: ") {
        return Some((false, text));
    }
    let rest = line.strip_prefix("error")?;
    let rest = rest.strip_prefix('[').map_or(Some(rest), |code| code.split_once(']').map(|(_, rest)| rest))?;
    Some((true, rest.strip_prefix(": ")?))
}

fn place(line: &str) -> Option<(&str, u32)> {
    let mut parts = line.trim_start().strip_prefix("--> ")?.rsplitn(3, ':');
    let _column = parts.next()?;
    let number = parts.next()?.parse().ok()?;
    Some((parts.next()?, number))
}

#[cfg(test)]
mod tests {
    use super::{read, target};

    const LOG: &str = "\
  CLIPPY L rust/kernel.o
warning: this returns a `Result<_, ()>`
   --> rust/kernel/net/socket.rs:12:5
    |
12  |     fn f() -> Result<(), ()> {
    |
error[E0425]: cannot find value `x` in this scope
 --> samples/rust/a.rs:3:9
error: aborting due to 1 previous error; 1 warning emitted

";

    #[test]
    fn warnings_and_errors_are_read_with_their_places() {
        let lines = LOG.lines().map(str::to_owned).collect::<Vec<_>>();
        let told = read(&lines);
        let told = told.iter().map(|c| format!("{} {}:{}: {}", c.error, c.file, c.line, c.text)).collect::<Vec<_>>();
        let expected = [
            "false rust/kernel/net/socket.rs:12: this returns a `Result<_, ()>`",
            "true samples/rust/a.rs:3: cannot find value `x` in this scope",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn crates_of_the_kernel_come_with_prepare_and_others_by_themselves() {
        let told = ["rust/kernel/net/socket.rs", "samples/rust/rust_txbuf.rs", "drivers/net/phy/a.rs"].map(target);
        assert_eq!(told, ["prepare", "samples/rust/rust_txbuf.o", "drivers/net/phy/a.o"]);
    }
}

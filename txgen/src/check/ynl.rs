// SPDX-License-Identifier: GPL-2.0
//! Code that is generated from netlink specifications is what the tree's own generator makes of them.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::check::diff::FileDiff;
use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope, no_tools};
use crate::error::MissingTool;
use crate::git::program;
use crate::process::{self, Run};
use crate::proof;

pub(super) const CHECK: Check = Check {
    name: "ynl",
    shows: "files generated from netlink specs are fresh, where the patch touches specs, generator or such a file",
    needs: "python3 with yaml and jsonschema, tools/net/ynl, where there is a file for it",
    version: 1,
    tools: no_tools,
    scope: Scope::Checkout(check),
};

/// The kind of the records, and the version of what they hold.
const KIND: &str = "ynl-1";
const SPECS: &str = "Documentation/netlink/specs/";
const GENERATOR: &str = "tools/net/ynl/pyynl/";
const REGENERATE: &str = "tools/net/ynl/ynl-regen.sh";
/// What the generator writes into what it makes.
const MARK: &str = "/* YNL-GEN ";

fn check(source: &Source<'_>, patch: &Patch) -> Result<Vec<Finding>> {
    let mut touched = false;
    for file in source.diff(patch)? {
        touched |= is_touched(source, patch, &file)?;
    }
    if !touched {
        return Ok(Vec::new());
    }
    let old = stale(source, &patch.parent, &patch.parent_tree)?;
    let new = stale(source, &patch.commit, &patch.tree)?;
    let what = format!("it is not what {REGENERATE} makes of its specification");
    Ok(new.difference(&old).map(|file| Finding::new(Level::Fail, "stale", &what).at(file, None)).collect())
}

fn is_touched(source: &Source<'_>, patch: &Patch, file: &FileDiff) -> Result<bool> {
    if file.path.starts_with(SPECS) || file.path.starts_with(GENERATOR) {
        return Ok(true);
    }
    if !file.has_ending(&["c", "h"]) {
        return Ok(false);
    }
    let text = source.file(&patch.commit, &file.path)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&text).lines().take(20).any(|line| line.starts_with(MARK)))
}

/// The files of a commit that the generator would write otherwise.
fn stale(source: &Source<'_>, commit: &str, tree: &str) -> Result<BTreeSet<String>> {
    let key = proof::key(&[tree.as_bytes()]);
    if let Some(known) = proof::load(source.project, KIND, &key)? {
        return Ok(known);
    }
    let worktree = source.tree_at(commit)?;
    if !worktree.dir.join(REGENERATE).is_file() {
        bail!("the base has no {REGENERATE}, which makes the code of netlink specifications");
    }
    let modules = Run::new("python3", ["-c", "import yaml, jsonschema"]).output()?;
    if !modules.status.success() {
        let tool = "yaml or jsonschema of python3".to_owned();
        return Err(MissingTool { tool, install: "apt-get install python3-yaml python3-jsonschema".to_owned() }.into());
    }
    let run = Run::new("bash", [REGENERATE, "-f"]).dir(&worktree.dir).env("LC_ALL", "C.UTF-8");
    let output = run.output()?;
    let said = output.text() + &output.errors();
    // The script goes on after a generator that failed.
    if !output.status.success() || said.contains("Traceback") {
        bail!("{REGENERATE} failed ({}): {}", process::describe(output.status), process::last_lines(&said, 5));
    }
    let git = |args: &[&str]| program::in_own_tree(&worktree.dir).args(args).check();
    let changed = git(&["diff", "--name-only", "-z"])?.text();
    let stale = changed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    git(&["checkout", "--quiet", "--force", "HEAD"])?;
    proof::store(source.project, KIND, &key, &stale)?;
    Ok(stale)
}

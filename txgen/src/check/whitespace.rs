// SPDX-License-Identifier: GPL-2.0
//! What `git am` warns of where a maintainer takes the patch: checkpatch does not look at the end of a file.

use anyhow::{Result, bail};

use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope, no_tools};

pub(super) const CHECK: Check = Check {
    name: "whitespace",
    shows: "no line that git am warns of: a blank one at the end of a file, blanks at the end of a line",
    needs: "",
    version: 1,
    tools: no_tools,
    scope: Scope::Patch(check),
};

fn check(source: &Source<'_>, patch: &Patch) -> Result<Vec<Finding>> {
    let said = source.git(["diff-tree", "--check", "--no-renames", &patch.parent, &patch.commit]).output()?;
    match said.status.code() {
        Some(0 | 2) => Ok(findings(&said.text())),
        _ => bail!("look for whitespace errors: {}", said.errors().trim()),
    }
}

/// `FILE:LINE: what.`, each with the line it is about below it where there is one.
fn findings(text: &str) -> Vec<Finding> {
    let told = text.lines().filter(|line| !line.starts_with('+'));
    told.filter_map(|line| {
        let (place, what) = line.split_once(": ")?;
        let (file, number) = place.rsplit_once(':')?;
        Some(Finding::new(Level::Warn, "git-am", what.trim_end_matches('.')).at(file, number.parse().ok()))
    })
    .collect()
}

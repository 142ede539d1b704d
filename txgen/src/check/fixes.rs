// SPDX-License-Identifier: GPL-2.0
//! What `Fixes:` names is a commit of the base, with that subject; a base without history can not tell.

use anyhow::Result;

use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope, trailers};

pub(super) const CHECK: Check = Check {
    name: "fixes",
    shows: "Fixes names a commit of the base by its subject (on a base with history: not one of a source package)",
    needs: "",
    version: 1,
    tools: |source| Ok(if has_history(source)? { source.base.clone() } else { String::new() }),
    scope: Scope::Patch(check),
};

/// A base that was imported from a source package is one commit.
fn has_history(source: &Source<'_>) -> Result<bool> {
    let parent = format!("{}^1^{{commit}}", source.base);
    Ok(source.git(["rev-parse", "--quiet", "--verify", &parent]).output()?.status.success())
}

fn check(source: &Source<'_>, patch: &Patch) -> Result<Vec<Finding>> {
    if !has_history(source)? {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (_, value) in trailers::in_message(&patch.message).into_iter().filter(|(name, _)| *name == "Fixes") {
        let (id, told) = value.split_once(' ').unwrap_or((value, ""));
        found.extend(wrong(source, id, told)?.map(|(rule, what)| Finding::new(Level::Fail, rule, what)));
    }
    Ok(found)
}

/// What is wrong with `Fixes: id told`, if anything is.
fn wrong(source: &Source<'_>, id: &str, told: &str) -> Result<Option<(&'static str, String)>> {
    let commit = format!("{}^{{commit}}", id.trim_start_matches('-'));
    let known = source.git(["log", "-1", "--format=%s", &commit, "--"]).output()?;
    if !known.status.success() {
        return Ok(Some(("fixes-unknown", format!("the repository has no commit {id}"))));
    }
    let subject = known.text().trim_end().to_owned();
    if told != format!("(\"{subject}\")") {
        return Ok(Some(("fixes-subject", format!("the subject of {id} is \"{subject}\""))));
    }
    let inside = source.git(["merge-base", "--is-ancestor", &commit, &source.base]).output()?;
    Ok((!inside.status.success()).then(|| ("fixes-elsewhere", format!("{id} is not in the history of the base"))))
}

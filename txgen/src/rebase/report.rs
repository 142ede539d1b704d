// SPDX-License-Identifier: GPL-2.0
//! What a rebase did, patch by patch, as text and as JSON.

use std::fmt::Write;

use anyhow::Result;
use serde_json::{Value, json};

use super::Rebased;
use super::cause::{Causes, causes};
use crate::series::carry::{CarriedFile, State};
use crate::series::onto::OntoPatch;

/// A state in a word or three.
pub fn word(state: State) -> &'static str {
    match state {
        State::Clean => "clean",
        State::Regenerated => "regenerated",
        State::Merged => "merged by item",
        State::Resolution => "resolution",
        State::Upstream => "already upstream",
        State::Dropped => "dropped",
        State::Conflict => "conflict",
    }
}

/// The report as text.
pub fn text(rebased: &Rebased) -> Result<String> {
    let Causes { causes, no_commits } = causes(rebased)?;
    let mut out = String::new();
    for patch in &rebased.patches {
        let _ = writeln!(out, "{:<17} {}  {}", word(patch.carried.state), patch.name, patch.subject);
        for line in details(patch) {
            let _ = writeln!(out, "    {line}");
        }
        for cause in causes.iter().filter(|cause| cause.patch == patch.name) {
            let kind = if cause.device_memory { " (a device-memory change)" } else { "" };
            let _ = writeln!(out, "    {}: {} was changed upstream{kind}", cause.file, cause.item);
            for line in cause.commits.iter().map(String::as_str) {
                let _ = writeln!(out, "        {line}");
            }
            for line in cause.diff.lines().filter(|_| cause.commits.is_empty()) {
                let _ = writeln!(out, "        {line}");
            }
        }
    }
    if let Some(why) = no_commits.filter(|_| !causes.is_empty()) {
        let _ = writeln!(out, "no upstream commits are named: {why}");
    }
    Ok(out)
}

/// What is to be said of a patch beside the causes.
fn details(patch: &OntoPatch) -> Vec<String> {
    let mut lines = patch.carried.notes.clone();
    for file in &patch.carried.files {
        if let Some(to) = file.to.as_ref().filter(|to| **to != file.path) {
            lines.push(format!("{} is {to} there", file.path));
        }
        if let Some(why) = &file.dropped {
            lines.push(format!("{}: nothing to do: {why}", file.path));
        }
        for (item, why) in &file.left_out {
            lines.push(format!("{}: {item}: nothing to do: {why}", file.path));
        }
        if let Some(why) = &file.by_lines {
            lines.push(format!("{}: merged by lines, not by items: {why}", file.path));
        }
    }
    lines
}

/// The report as JSON.
pub fn json(rebased: &Rebased) -> Result<Value> {
    let Causes { causes, no_commits } = causes(rebased)?;
    let file = |file: &CarriedFile| {
        let merged = file.touched.iter().filter(|t| t.clash.is_none()).map(|t| &t.item).collect::<Vec<_>>();
        json!({"path": file.path, "to": file.to, "differs": file.differs, "merged": merged,
            "conflicts": file.conflicts(), "by_lines": file.by_lines, "dropped": file.dropped,
            "left_out": file.left_out})
    };
    let patches = rebased.patches.iter().map(|patch| {
        json!({"name": patch.name, "subject": patch.subject, "state": patch.carried.state, "commit": patch.commit,
            "notes": patch.carried.notes, "files": patch.carried.files.iter().map(file).collect::<Vec<_>>(),
            "causes": causes.iter().filter(|cause| cause.patch == patch.name).collect::<Vec<_>>()})
    });
    Ok(json!({"from": rebased.from.name, "onto": rebased.onto.name, "onto_commit": rebased.onto.commit,
        "patches": patches.collect::<Vec<_>>(), "no_commits": no_commits}))
}

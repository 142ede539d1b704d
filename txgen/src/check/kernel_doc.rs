// SPDX-License-Identifier: GPL-2.0
//! The kernel's own kernel-doc on the files a patch touches, before and after: only new warnings count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope};
use crate::files;
use crate::process::{self, Run};

pub(super) const CHECK: Check = Check {
    name: "kernel-doc",
    shows: "no new warning of kernel-doc -Wall in the .c and .h files of the patch",
    needs: "python3, scripts/kernel-doc",
    version: 1,
    tools,
    scope: Scope::Patch(check),
};

/// Where the script is: since 6.19 or so in tools/docs (Python), before that in scripts (Perl or Python).
const SCRIPTS: &[&str] = &["tools/docs/kernel-doc", "scripts/kernel-doc.py", "scripts/kernel-doc"];

/// Files of the tree that decide what kernel-doc reports.
const PARTS: &[&str] = &["tools/lib/python/kdoc", "scripts/lib/kdoc"];

fn tools(source: &Source<'_>) -> Result<String> {
    let mut identity = script(source)?.1;
    for part in PARTS {
        identity.push(' ');
        identity.push_str(&source.id(part)?.unwrap_or_default());
    }
    let python = Run::new("python3", ["--version"]).check()?;
    Ok(format!("{identity} {}", python.text().trim()))
}

/// Path and blob id of the script.
pub(super) fn script(source: &Source<'_>) -> Result<(&'static str, String)> {
    for path in SCRIPTS {
        if let Some(id) = source.id(path)? {
            return Ok((path, id));
        }
    }
    bail!("the base has none of {}: it is no kernel tree", SCRIPTS.join(", "))
}

/// A warning without its line: what is compared between before and after.
type Warning = (String, String);

fn check(source: &Source<'_>, patch: &Patch) -> Result<Vec<Finding>> {
    let diffs = source.diff(patch)?;
    let paths = diffs.iter().filter(|file| file.has_ending(&["c", "h"])).map(|file| &file.path).collect::<Vec<_>>();
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let script = source.tree()?.join(script(source)?.0);
    let before = warnings(source, &script, &patch.parent, &paths)?;
    let after = warnings(source, &script, &patch.commit, &paths)?;
    let mut found = Vec::new();
    for ((file, what), lines) in after {
        let known = before.get(&(file.clone(), what.clone())).map_or(0, BTreeSet::len);
        let new = lines.iter().skip(known);
        found.extend(new.map(|line| Finding::new(Level::Fail, "kernel-doc", &what).at(&file, *line)));
    }
    found.sort_by(|a, b| (&a.file, a.line, &a.message).cmp(&(&b.file, b.line, &b.message)));
    Ok(found)
}

/// The warnings about `paths` as `commit` has them, each with its lines (the script repeats itself).
fn warnings(
    source: &Source<'_>,
    script: &Path,
    commit: &str,
    paths: &[&String],
) -> Result<BTreeMap<Warning, BTreeSet<Option<u32>>>> {
    let dir = TempDir::new().context("make a folder for kernel-doc's input")?;
    let mut present = Vec::new();
    for path in paths {
        if let Some(bytes) = source.file(commit, path)? {
            files::write_atomic(&dir.path().join(path), &bytes)?;
            present.push(PathBuf::from(path));
        }
    }
    if present.is_empty() {
        return Ok(BTreeMap::new());
    }
    let output = Run::new(script, ["-Wall", "-none"]).args(&present).dir(dir.path()).env("LC_ALL", "C").output()?;
    let text = output.errors();
    let mut found: BTreeMap<Warning, BTreeSet<Option<u32>>> = BTreeMap::new();
    for (file, line, what) in text.lines().filter_map(warning) {
        found.entry((file, what)).or_default().insert(line);
    }
    if !output.status.success() && found.is_empty() {
        let ended = process::describe(output.status);
        bail!("{} failed ({ended}): {}", script.display(), process::last_lines(&text, 10));
    }
    Ok(found)
}

/// Reads `Warning: FILE:LINE what` (Python) and `FILE:LINE: warning: what` (Perl).
fn warning(line: &str) -> Option<(String, Option<u32>, String)> {
    let (place, what) = match line.strip_prefix("Warning: ").or_else(|| line.strip_prefix("Error: ")) {
        Some(rest) => rest.split_once(' ')?,
        None => line.split_once(": warning: ").or_else(|| line.split_once(": error: "))?,
    };
    let (file, number) = place.rsplit_once(':')?;
    Some((file.trim_start_matches("./").to_owned(), number.parse().ok(), what.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::warning;

    #[test]
    fn warnings_of_both_scripts_are_read() {
        let expected = Some(("net/a.c".to_owned(), Some(7), "no structured comments found".to_owned()));
        assert_eq!(warning("Warning: net/a.c:7 no structured comments found"), expected);
        assert_eq!(warning("net/a.c:7: warning: no structured comments found"), expected);
        assert_eq!(warning("3 warnings"), None);
    }
}

// SPDX-License-Identifier: GPL-2.0
//! The tree's own semantic patches (`make coccicheck MODE=report`) on the .c files a patch touches, before and after.
//!
//! Those that are about what network code does and that take about a second for a long file: all of them take minutes.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope};
use crate::cocci::spatch;
use crate::files;
use crate::process;
use crate::proof;

pub(super) const CHECK: Check = Check {
    name: "coccicheck",
    shows: "no new report of the tree's semantic patches for frees, locks and iterators in the .c files of the patch",
    needs: "coccinelle, scripts/coccinelle",
    version: 1,
    tools,
    scope: Scope::Patch(check),
};

/// The kind of the records, and the version of what they hold.
const KIND: &str = "coccicheck-1";
const FOLDER: &str = "scripts/coccinelle";
const SCRIPTS: &[&str] = &[
    "free/kfree.cocci",
    "free/ifnullfree.cocci",
    "iterators/itnull.cocci",
    "iterators/use_after_iter.cocci",
    "locks/double_lock.cocci",
    "api/memdup.cocci",
];

fn tools(source: &Source<'_>) -> Result<String> {
    source.asked_once(CHECK.name, || {
        let mut identity = spatch::version()?;
        for script in SCRIPTS {
            identity.push_str(&source.id(&format!("{FOLDER}/{script}"))?.unwrap_or_default());
        }
        Ok(identity)
    })
}

/// The lines of each report about a file.
type Reports = BTreeMap<String, Vec<u32>>;

fn check(source: &Source<'_>, patch: &Patch) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for file in source.diff(patch)?.into_iter().filter(|file| file.has_ending(&["c"])) {
        let before = reports(source, &patch.parent, &file.path)?;
        for (what, lines) in reports(source, &patch.commit, &file.path)? {
            let known = before.get(&what).map_or(0, Vec::len);
            let new = file.old_first(lines).into_iter().skip(known);
            found.extend(new.map(|line| Finding::new(Level::Warn, "cocci", &what).at(&file.path, Some(line))));
        }
    }
    Ok(found)
}

/// What the scripts report about a file as a commit has it, from the record where it was asked before.
fn reports(source: &Source<'_>, commit: &str, path: &str) -> Result<Reports> {
    let Some(text) = source.file(commit, path)? else { return Ok(Reports::new()) };
    let tools = tools(source)?;
    let key = proof::key(&[path.as_bytes(), &text, tools.as_bytes()]);
    if let Some(known) = proof::load(source.project, KIND, &key)? {
        return Ok(known);
    }
    let dir = TempDir::new().context("make a folder for spatch's input")?;
    files::write_atomic(&dir.path().join(path), &text)?;
    let mut reports = Reports::new();
    for script in SCRIPTS {
        let Some(rules) = source.file(&source.tip, &format!("{FOLDER}/{script}"))? else { continue };
        files::write_atomic(&dir.path().join("rules.cocci"), &rules)?;
        let rules = String::from_utf8_lossy(&rules);
        let options = rules.lines().find_map(|line| line.strip_prefix("// Options:")).unwrap_or_default();
        let run = spatch::in_folder(dir.path(), ["-D", "report", "--very-quiet", "--no-show-diff"])
            .args(["--cocci-file", "rules.cocci"])
            .args(options.split_whitespace())
            .arg(path)
            .env("LC_ALL", "C");
        let output = run.output()?;
        if !output.status.success() {
            let said = process::last_lines(&output.errors(), 10);
            bail!("{script} on {path} ({}): {said}", process::describe(output.status));
        }
        for (line, what) in output.text().lines().filter_map(|line| report(line, path)) {
            reports.entry(what).or_default().push(line);
        }
    }
    proof::store(source.project, KIND, &key, &reports)?;
    Ok(reports)
}

/// Reads `FILE:LINE:COLUMNS: what`; the line of another place in what it says is left out, as it moves.
fn report(line: &str, path: &str) -> Option<(u32, String)> {
    let (place, what) =
        line.strip_prefix("./").unwrap_or(line).strip_prefix(path)?.strip_prefix(':')?.split_once(": ")?;
    let number = place.split(':').next()?.parse().ok()?;
    let words = what.split_whitespace().collect::<Vec<_>>();
    let is_place = |at: &[&str]| matches!(at, ["on", "line", n] if n.bytes().all(|b| b.is_ascii_digit()));
    let of_place =
        |at: usize| (at.saturating_sub(2)..=at).any(|start| words.get(start..start + 3).is_some_and(is_place));
    let kept = words.iter().enumerate().filter(|(at, _)| !of_place(*at)).map(|(_, word)| *word);
    Some((number, kept.collect::<Vec<_>>().join(" ")))
}

#[cfg(test)]
mod tests {
    use super::report;

    #[test]
    fn a_report_is_read_with_its_line_and_without_those_that_move() {
        let line = "net/core/a.c:12:1-2: ERROR: reference preceded by free on line 9";
        assert_eq!(report(line, "net/core/a.c"), Some((12, "ERROR: reference preceded by free".to_owned())));
        let line = "./net/core/a.c:7:8-15: WARNING opportunity for kmemdup";
        assert_eq!(report(line, "net/core/a.c"), Some((7, "WARNING opportunity for kmemdup".to_owned())));
        let line = "net/core/a.c:7:8-15: ERROR: iterator variable bound on line 70 cannot be NULL";
        assert_eq!(report(line, "net/core/a.c"), Some((7, "ERROR: iterator variable bound cannot be NULL".to_owned())));
        assert_eq!(report("init_defs_builtins: /usr/lib/coccinelle/standard.h", "net/core/a.c"), None);
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Linters of scripts and data on the files a patch touches, before and after: only new complaints count.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope};
use crate::kernel::build::in_tree;
use crate::process::{self, Run};

pub(super) const CHECK: Check = Check {
    name: "lint",
    shows: "no new complaint of shellcheck, pylint, yamllint and rustfmt about scripts, .yaml and .rs files of the patch",
    needs: "shellcheck, pylint, yamllint, rustfmt, each where there is a file for it",
    version: 2,
    tools,
    scope: Scope::Checkout(check),
};

/// A program that reads files and prints `FILE:LINE:COLUMN: what`, or as rustfmt does `Diff in FILE:LINE:`.
struct Linter {
    program: &'static str,
    args: &'static [&'static str],
    endings: &'static [&'static str],
}

const LINTERS: &[Linter] = &[
    Linter { program: "shellcheck", args: &["--format=gcc", "--norc"], endings: &["sh"] },
    Linter {
        program: "pylint",
        args: &["--score=n", "--msg-template={path}:{line}:{column}: {msg_id}: {msg} ({symbol})"],
        endings: &["py"],
    },
    Linter { program: "yamllint", args: &["--format=parsable"], endings: &["yaml", "yml"] },
    Linter { program: "rustfmt", args: &["--check", "--edition=2021"], endings: &["rs"] },
];

/// Whose files have a checker of their own.
const OTHERS: &str = "Documentation/devicetree/";

/// A linter that is not here is missed only where there is a file for it.
fn tools(source: &Source<'_>) -> Result<String> {
    source.asked_once(CHECK.name, || {
        let version = |linter: &Linter| match process::require(linter.program) {
            Ok(_) => Ok(Run::new(linter.program, ["--version"]).check()?.text()),
            Err(_) => Ok(format!("no {}\n", linter.program)),
        };
        let versions = LINTERS.iter().map(version).collect::<Result<String>>()?;
        Ok(versions + &source.id(".pylintrc")?.unwrap_or_default())
    })
}

/// A complaint without its line: what is compared between before and after.
type Complaint = (String, String);

fn check(source: &Source<'_>, patch: &Patch) -> Result<Vec<Finding>> {
    let diffs = source.diff(patch)?;
    let mut found = Vec::new();
    for linter in LINTERS {
        let files = diffs.iter().filter(|file| file.has_ending(linter.endings) && !file.path.starts_with(OTHERS));
        let files = files.map(|file| (file.path.as_str(), file)).collect::<BTreeMap<_, _>>();
        if files.is_empty() {
            continue;
        }
        let paths = files.keys().copied().collect::<Vec<_>>();
        let before = linter.complaints(source, &patch.parent, &paths)?;
        for (complaint, lines) in linter.complaints(source, &patch.commit, &paths)? {
            let known = before.get(&complaint).map_or(0, Vec::len);
            let (file, what) = complaint;
            let lines = files.get(file.as_str()).map_or(lines.clone(), |diff| diff.old_first(lines));
            let new = lines.into_iter().skip(known);
            found.extend(new.map(|line| Finding::new(Level::Warn, linter.program, &what).at(&file, Some(line))));
        }
    }
    Ok(found)
}

impl Linter {
    /// What it says of `files` as a commit has them, each with its lines.
    fn complaints(&self, source: &Source<'_>, commit: &str, files: &[&str]) -> Result<BTreeMap<Complaint, Vec<u32>>> {
        let worktree = source.tree_at(commit)?;
        let present = files.iter().filter(|file| worktree.dir.join(file).is_file()).collect::<Vec<_>>();
        let mut said = BTreeMap::<_, Vec<_>>::new();
        if present.is_empty() {
            return Ok(said);
        }
        let run = Run::new(self.program, self.args).args(present).dir(&worktree.dir).env("LC_ALL", "C.UTF-8");
        let output = run.output()?;
        let text = output.text();
        for (complaint, line) in text.lines().filter_map(|line| complaint(&in_tree(line, &worktree.dir))) {
            said.entry(complaint).or_default().push(line);
        }
        if !output.status.success() && said.is_empty() {
            let ended = process::describe(output.status);
            bail!("`{}` failed ({ended}): {}", run.display(), process::last_lines(&(text + &output.errors()), 10));
        }
        Ok(said)
    }
}

/// Reads `FILE:LINE:COLUMN: what`, or `Diff in FILE:LINE:`.
fn complaint(line: &str) -> Option<(Complaint, u32)> {
    if let Some(place) = line.strip_prefix("Diff in ") {
        let (file, number) = place.strip_suffix(':')?.rsplit_once(':')?;
        return Some(((file.to_owned(), "it is not as rustfmt would have it".to_owned()), number.parse().ok()?));
    }
    let (place, what) = line.split_once(": ")?;
    let mut place = place.rsplitn(3, ':');
    place.next()?.parse::<u32>().ok()?;
    let number = place.next()?.parse().ok()?;
    Some(((place.next()?.to_owned(), what.trim().to_owned()), number))
}

#[cfg(test)]
mod tests {
    use super::complaint;

    #[test]
    fn a_complaint_is_read_with_its_line() {
        let told = |file: &str, what: &str| Some(((file.to_owned(), what.to_owned()), 3));
        let shell = "a/b.sh:3:6: note: Double quote to prevent globbing and word splitting. [SC2086]";
        let what = "note: Double quote to prevent globbing and word splitting. [SC2086]";
        assert_eq!(complaint(shell), told("a/b.sh", what));
        assert_eq!(
            complaint("b.yaml:3:1: [error] too many blank lines"),
            told("b.yaml", "[error] too many blank lines")
        );
        assert_eq!(complaint("Diff in a/b.rs:3:"), told("a/b.rs", "it is not as rustfmt would have it"));
        assert_eq!(complaint("************* Module b"), None);
    }
}

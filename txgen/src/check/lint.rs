// SPDX-License-Identifier: GPL-2.0
//! Linters of scripts and data on the files a patch touches, before and after: only new complaints count.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::check::diff::FileDiff;
use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope};
use crate::error::MissingTool;
use crate::kernel::build::in_tree;
use crate::process::{self, Run};
use crate::project::Project;

pub(super) const CHECK: Check = Check {
    name: "lint",
    shows: "no new complaint of shellcheck, pylint, ruff, yamllint, dt-doc-validate and rustfmt about files of the patch",
    needs: "shellcheck, pylint, ruff, yamllint, dtschema, rustfmt, each where there is a file for it",
    version: 3,
    tools,
    scope: Scope::Checkout(check),
};

/// A program that reads files and prints `FILE:LINE:COLUMN: what`, or as rustfmt does `Diff in FILE:LINE:`, or as
/// dt-doc-validate does `FILE: what`.
struct Linter {
    program: &'static str,
    args: &'static [&'static str],
    endings: &'static [&'static str],
    /// Whether it is for device tree bindings, which have rules of their own.
    bindings: bool,
}

const LINTERS: &[Linter] = &[
    Linter { program: "shellcheck", args: &["--format=gcc", "--norc"], endings: &["sh"], bindings: false },
    Linter {
        program: "pylint",
        args: &["--score=n", "--msg-template={path}:{line}:{column}: {msg_id}: {msg} ({symbol})"],
        endings: &["py"],
        bindings: false,
    },
    Linter {
        program: "ruff",
        args: &["check", "--quiet", "--no-cache", "--output-format=concise"],
        endings: &["py"],
        bindings: false,
    },
    Linter { program: "yamllint", args: &["--format=parsable"], endings: &["yaml", "yml"], bindings: false },
    Linter {
        program: "yamllint",
        args: &["--format=parsable", "-c", "Documentation/devicetree/bindings/.yamllint"],
        endings: &["yaml"],
        bindings: true,
    },
    Linter {
        program: "dt-doc-validate",
        args: &["-u", "Documentation/devicetree/bindings"],
        endings: &["yaml"],
        bindings: true,
    },
    Linter { program: "rustfmt", args: &["--check", "--edition=2021"], endings: &["rs"], bindings: false },
];

/// Where device tree bindings are.
const BINDINGS: &str = "Documentation/devicetree/bindings/";
/// The environment of vm-tests/venv.sh with linters that Debian has not, or not new enough.
const ENVIRONMENT: &str = "venv-lint";
/// The linters in it.
const IN_ENVIRONMENT: &[&str] = &["ruff", "dt-doc-validate"];

/// A linter that is not here is missed only where there is a file for it.
fn tools(source: &Source<'_>) -> Result<String> {
    source.asked_once(CHECK.name, || {
        let version = |linter: &Linter| match linter.find(source.project) {
            Ok(program) => Ok(format!("{} {}", linter.program, Run::new(program, ["--version"]).check()?.text())),
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
        let files = diffs.iter().filter(|file| linter.is_for(file));
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
    fn is_for(&self, file: &FileDiff) -> bool {
        file.has_ending(self.endings) && file.path.starts_with(BINDINGS) == self.bindings
    }

    /// The program, or the error that says how to install it.
    fn find(&self, project: &Project) -> Result<PathBuf> {
        if !IN_ENVIRONMENT.contains(&self.program) {
            return process::require(self.program);
        }
        let program = project.cache.join(ENVIRONMENT).join("bin").join(self.program);
        if program.is_file() {
            return Ok(program);
        }
        let install = format!("{} lint", project.vm_tests().join("venv.sh").display());
        Err(MissingTool { tool: self.program.to_owned(), install }.into())
    }

    /// What it says of `files` as a commit has them, each with its lines.
    fn complaints(&self, source: &Source<'_>, commit: &str, files: &[&str]) -> Result<BTreeMap<Complaint, Vec<u32>>> {
        let worktree = source.tree_at(commit)?;
        let present = files.iter().filter(|file| worktree.dir.join(file).is_file()).collect::<Vec<_>>();
        let mut said = BTreeMap::<_, Vec<_>>::new();
        if present.is_empty() {
            return Ok(said);
        }
        let program = self.find(source.project)?;
        let run = Run::new(program, self.args).args(present).dir(&worktree.dir).env("LC_ALL", "C.UTF-8");
        let output = run.output()?;
        // dt-doc-validate complains on standard error.
        let text = if self.program == "dt-doc-validate" { output.errors() } else { output.text() };
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

/// Reads `FILE:LINE:COLUMN: what`, or `Diff in FILE:LINE:`, or `FILE: what`.
fn complaint(line: &str) -> Option<(Complaint, u32)> {
    if let Some(place) = line.strip_prefix("Diff in ") {
        let (file, number) = place.strip_suffix(':')?.rsplit_once(':')?;
        return Some(((file.to_owned(), "it is not as rustfmt would have it".to_owned()), number.parse().ok()?));
    }
    let (place, what) = line.split_once(": ")?;
    if place.starts_with(BINDINGS) && place.ends_with(".yaml") {
        return Some(((place.to_owned(), what.trim().to_owned()), 1));
    }
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
        let binding = "Documentation/devicetree/bindings/net/a.yaml: 'maintainers' is a required property";
        let what = "'maintainers' is a required property".to_owned();
        let expected = (("Documentation/devicetree/bindings/net/a.yaml".to_owned(), what), 1);
        assert_eq!(complaint(binding), Some(expected));
        assert_eq!(complaint("************* Module b"), None);
    }
}

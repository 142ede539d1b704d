// SPDX-License-Identifier: GPL-2.0
//! spatch, run in a folder that has the files of the tree it is to change and nothing else.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process::{self, Run};

/// How many lines of what spatch printed an error quotes, and how much of each.
const LINES: usize = 10;
const WIDTH: usize = 200;

/// A run of spatch in `dir` and with nothing of the user's configuration: it looks for options, which can name programs to
/// run, in a file .cocciconfig in $HOME and in the folder it runs in.
pub fn in_folder<S: AsRef<OsStr>>(dir: &Path, args: impl IntoIterator<Item = S>) -> Run {
    Run::new("spatch", args).dir(dir).env("HOME", dir)
}

/// What `spatch --version` prints.
pub fn version() -> Result<String> {
    process::require("spatch")?;
    let dir = tempfile::tempdir().context("make a folder for spatch to run in")?;
    Ok(in_folder(dir.path(), ["--version"]).check()?.text())
}

/// Runs spatch in folder `tree`; `script` and `macros` are relative to it, so that messages hold no temporary path.
pub(super) fn spatch(script: &Path, macros: Option<&Path>, tree: &Path) -> Result<()> {
    let mut run = in_folder(tree, ["--sp-file"]).arg(script);
    if let Some(macros) = macros {
        run = run.arg("--macro-file").arg(macros);
    }
    let run = run
        .args(["--no-includes", "--include-headers", "--in-place", "--no-show-diff", "--quiet", "--dir", "."])
        .timeout(Duration::from_secs(1800));
    let output = run.output()?;
    let errors = output.errors();
    if !output.status.success() {
        let status = process::describe(output.status);
        bail!("`{}` failed ({status}): {}", run.display(), excerpt(&(errors + &output.text())));
    }
    // It goes on after an exception in one file, and exits 0.
    if let Some(line) = errors.lines().find(|line| line.starts_with("EXN:")) {
        bail!("spatch gave a file up: {}", excerpt(line));
    }
    Ok(())
}

/// The last lines of what spatch printed, which dumps whole syntax trees into a line.
fn excerpt(printed: &str) -> String {
    let cut = |line: &str| match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{} ...", &line[..end]),
        None => line.to_owned(),
    };
    let last = process::last_lines(printed, LINES);
    last.lines().map(cut).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn a_failure_of_spatch_is_quoted_in_ten_lines_of_a_readable_length() {
        let printed = format!("{}{}\n", "line\n".repeat(40), "x".repeat(30_000));
        let quoted = excerpt(&printed);
        assert_eq!(quoted.lines().count(), 10);
        assert_eq!(quoted.lines().last().map(str::len), Some(204));
        assert_eq!(excerpt("one\ntwo\n"), "one\ntwo");
    }
}

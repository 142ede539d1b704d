// SPDX-License-Identifier: GPL-2.0
//! The workflow for GitHub is one that GitHub takes: the real actionlint reads it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn workflow() -> String {
    std::fs::read_to_string(root().join(".github/workflows/series.yml")).unwrap()
}

/// actionlint's exit code and findings.
fn actionlint(text: &str) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("series.yml");
    std::fs::write(&file, text).unwrap();
    let output = Command::new(root().join("vm-tests/actionlint.sh")).arg(&file).output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout).replace(&*file.to_string_lossy(), "series.yml");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), if output.status.code() == Some(2) { errors } else { out })
}

#[test]
fn git_leaves_the_line_ends_of_this_project_alone() {
    let paths = ["series/zerocopy/series.toml", "kernel-overlay/x.c", "vm-tests/guest.sh", "README.md"];
    let git = Command::new("git").args(["check-attr", "text", "--"]).args(paths).current_dir(root()).output().unwrap();
    let said = String::from_utf8_lossy(&git.stdout).into_owned();
    assert_eq!(said, paths.map(|path| format!("{path}: text: unset\n")).concat());
}

#[test]
fn actionlint_finds_nothing_in_the_workflow() {
    assert_eq!(actionlint(&workflow()), (Some(0), String::new()));
}

#[test]
fn actionlint_finds_a_job_that_is_not_there() {
    let (code, found) = actionlint(&workflow().replace("needs: plan\n", "needs: plans\n"));
    assert_eq!(code, Some(1), "{found}");
    assert!(found.contains("job \"test\" needs job \"plans\" which does not exist"), "{found}");
}

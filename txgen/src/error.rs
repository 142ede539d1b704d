// SPDX-License-Identifier: GPL-2.0
//! Exit codes, and which error leads to which of them.

use std::io::ErrorKind;
use std::process::ExitCode;

/// How a command ended; the public exit codes of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, nothing to complain about.
    Good = 0,
    /// 1: it ran and found something: findings, failed tests, a stale file.
    Findings = 1,
    /// 2: it could not run: bad input, a missing tool, no disk space.
    Failed = 2,
    /// 3: a change does not go onto the tree it was given.
    Conflict = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A change that does not go onto the tree it was given (exit 3).
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Conflict {
    /// Patch, file and line, and what to do.
    pub what: String,
}

/// A program that is not installed (exit 2), with the package that brings it.
#[derive(Debug, thiserror::Error)]
#[error("{tool} is not installed: {install}")]
pub struct MissingTool {
    /// Name of the program, or path of a script expected in the kernel tree.
    pub tool: String,
    /// The command that installs it.
    pub install: String,
}

/// The error with its causes. One about a full disk, or a quota that is used up, begins with that.
pub fn message(error: &anyhow::Error) -> String {
    const FULL: &str = "no space left on device";
    let text = format!("{error:#}");
    let is_full = |kind| matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge);
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    if causes.any(|cause| is_full(cause.kind())) || text.to_lowercase().contains(FULL) {
        return format!("{FULL}: {text}");
    }
    text
}

/// The exit code an error stands for.
pub fn classify(error: &anyhow::Error) -> Exit {
    if error.chain().any(<dyn std::error::Error>::is::<Conflict>) { Exit::Conflict } else { Exit::Failed }
}

// SPDX-License-Identifier: GPL-2.0
//! What is wrong with a series, found before its readers find it.

pub mod build;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A warning.
    Warn,
    /// The series would be sent back.
    Fail,
}

/// One thing that is wrong with a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The patch.
    pub patch: String,
    /// The check that found it.
    pub check: String,
    /// How bad it is.
    pub level: Level,
    /// The file, where it is about one.
    pub file: Option<String>,
    /// The line of that file as the patch leaves it.
    pub line: Option<u32>,
    /// What is wrong.
    pub message: String,
}

// SPDX-License-Identifier: GPL-2.0
//! What is wrong with a series, found before netdev's CI or its readers find it.
//!
//! Owns the table of checks and what a finding is. Each file of check/ is one check: a function from
//! a patch (or all patches) to findings. A check that can not run is an error that names the missing
//! package, never a pass. Booting is not here: see vm.

use std::fmt;

use anyhow::Result;
use serde::{Deserialize, Serialize};

pub mod build;
pub mod checkpatch;
mod clippy;
mod coccicheck;
mod compile;
pub mod deprecated;
pub mod diff;
mod docs;
pub mod exceptions;
mod fixes;
pub mod inline;
pub mod invisible;
pub mod kernel_doc;
pub mod limits;
mod lint;
pub mod locals;
pub mod maintainers;
pub mod message;
pub mod posting;
pub mod run;
mod selftest;
pub mod source;
pub mod table;
mod tools;
pub mod trailers;
mod users;
mod whitespace;
mod ynl;

use source::{Patch, Source};

/// The patch that a finding about the whole series names.
pub const SERIES: &str = "(series)";

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// netdev's CI shows it as a warning.
    Warn,
    /// netdev's CI or a maintainer would send the series back.
    Fail,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

/// One thing that is wrong with a patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The patch, or [`SERIES`].
    pub patch: String,
    /// The check that found it.
    pub check: String,
    /// How bad it is.
    pub level: Level,
    /// The file, where it is about one.
    pub file: Option<String>,
    /// The line of that file as the patch leaves it, or of the message where there is no file.
    pub line: Option<u32>,
    /// `rule: what is wrong`.
    pub message: String,
}

impl Finding {
    /// A finding about rule `rule`; [`run::run`] fills in the patch and the check.
    pub fn new(level: Level, rule: &str, message: impl fmt::Display) -> Self {
        let message = format!("{rule}: {message}");
        Self { patch: String::new(), check: String::new(), level, file: None, line: None, message }
    }

    /// Places it in a file.
    pub fn at(mut self, file: &str, line: Option<u32>) -> Self {
        self.file = Some(file.to_owned());
        self.line = line;
        self
    }

    /// Places it in a line of the commit message, counted from 1.
    pub fn at_line(mut self, index: usize) -> Self {
        self.line = u32::try_from(index + 1).ok();
        self
    }

    /// Names its patch.
    pub fn of(mut self, patch: &str) -> Self {
        patch.clone_into(&mut self.patch);
        self
    }

    /// The rule it is about: the word before the first colon.
    pub fn rule(&self) -> &str {
        self.message.split_once(": ").map_or(&self.message, |(rule, _)| rule)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: ", self.patch, self.check)?;
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{file}:{line}: ")?,
            (Some(file), None) => write!(f, "{file}: ")?,
            (None, Some(line)) => write!(f, "message line {line}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.message)
    }
}

/// What a check looks at.
#[derive(Clone, Copy)]
pub enum Scope {
    /// One patch at a time, in any order and side by side.
    Patch(fn(&Source<'_>, &Patch) -> Result<Vec<Finding>>),
    /// One patch at a time, first to last: it moves the checkout that the others read.
    Checkout(fn(&Source<'_>, &Patch) -> Result<Vec<Finding>>),
    /// All patches together.
    Series(fn(&Source<'_>, &[Patch]) -> Result<Vec<Finding>>),
}

/// A row of the table of checks.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its name on the command line and in exceptions.
    pub name: &'static str,
    /// What it shows, in one line.
    pub shows: &'static str,
    /// Programs and scripts it runs, empty where it needs none.
    pub needs: &'static str,
    /// To be raised with every change of what it reports: results of the version before are not reused.
    pub version: u32,
    /// Identity of the programs it runs (versions, blob ids): part of the key its results are kept under.
    pub tools: fn(&Source<'_>) -> Result<String>,
    /// The function.
    pub scope: Scope,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All checks, in the order of the table that `txgen check` prints.
pub const CHECKS: &[Check] = &[
    message::CHECK,
    trailers::CHECK,
    fixes::CHECK,
    limits::CHECK,
    posting::CHECK,
    checkpatch::CHECK,
    whitespace::CHECK,
    invisible::CHECK,
    kernel_doc::CHECK,
    docs::CHECK,
    build::BUILD,
    build::SPARSE,
    build::CLANG_BUILD,
    build::BUILD_32,
    tools::CHECK,
    clippy::CHECK,
    coccicheck::CHECK,
    inline::CHECK,
    deprecated::CHECK,
    locals::CHECK,
    lint::CHECK,
    selftest::CHECK,
    ynl::CHECK,
    maintainers::CHECK,
];

/// `tools` of a check that runs no program.
pub(crate) fn no_tools(_: &Source<'_>) -> Result<String> {
    Ok(String::new())
}

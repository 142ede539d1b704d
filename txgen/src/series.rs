// SPDX-License-Identifier: GPL-2.0
//! Series on disk (series/NAME/), and what they become.

mod ahead;
pub mod apply;
pub mod carry;
pub mod claims;
pub mod history;
pub mod home;
pub mod lacking;
pub mod load;
pub mod meaning;
pub mod message;
pub mod onto;
pub mod overlay_files;
pub mod path;
pub mod plan;
pub mod resolution;
pub mod stack;
pub mod steps;

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use regex::Regex;

use crate::base::Base;

pub use apply::apply_series;
pub use history::History;
pub use load::load;
pub use message::Message;

/// A series as it is on disk, validated.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its name: series/NAME/.
    pub name: String,
    /// Subject of the cover letter.
    pub title: String,
    /// The tree it is posted for: `[PATCH net-next ...]`.
    pub tree: String,
    /// Its version, from 1.
    pub version: u32,
    /// b4's change id.
    pub change_id: String,
    /// The recorded base, the one its .diff files apply to.
    pub base: String,
    /// The series it stands on.
    pub depends: Option<String>,
    /// The date of every commit and mail.
    pub date: Timestamp,
    /// Recipients beside those of get_maintainer.pl.
    pub to: Vec<String>,
    /// Recipients of copies.
    pub cc: Vec<String>,
    /// Addresses that get no mail, whoever names them.
    pub exclude: Vec<String>,
    /// What each version changed, what was posted, and who said what of it.
    pub history: History,
    /// Text of cover.md, if there is one.
    pub cover: Option<String>,
    /// Text of bench.md, the counts that `txgen bench` wrote, if there is one.
    pub counts: Option<String>,
    /// What makes no sense on some bases.
    pub drops: Vec<Dropped>,
    /// Findings of checks that stay.
    pub exceptions: Vec<Exception>,
    /// The patches, first to last.
    pub patches: Vec<Patch>,
}

/// A patch, or a part of its edits, that makes no sense on some bases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The patch.
    pub patch: String,
    /// The file of the kernel tree; the whole patch otherwise.
    pub file: Option<String>,
    /// The item of that file, which is dropped where the base lacks it; the whole file otherwise.
    pub item: Option<String>,
    /// What the base has or lacks; always, for an item without.
    pub when: Option<Condition>,
    /// Why.
    pub reason: String,
}

/// A capability that a base has, or lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// A key of [`crate::facts::FACTS`].
    pub fact: String,
    /// Whether it holds where the base has it, or where it lacks it.
    pub with: bool,
}

/// A finding of a check that stays, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The patch, or `(series)`.
    pub patch: String,
    /// The check.
    pub check: String,
    /// Text that the finding, as it is printed, contains.
    pub contains: String,
    /// Why the finding stays.
    pub reason: String,
    /// Where it is in series.toml: `file:line:column`.
    pub place: String,
}

/// A patch of a series.
#[derive(Debug, Clone)]
pub struct Patch {
    /// Its name: that of its files, without numbers.
    pub name: String,
    /// Where it is in series.toml: `file:line:column`.
    pub place: String,
    /// Its message.
    pub message: Message,
    /// Overlay files and items that are born in it.
    pub adds: Vec<Add>,
    /// Its semantic patch.
    pub cocci: Option<Cocci>,
    /// Its edits.
    pub diff: Option<Text>,
    /// Edits in place of those, by the base they are for.
    pub resolutions: BTreeMap<String, Text>,
}

/// An overlay file, or one item of it, that is born in a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Add {
    /// Path in the kernel tree.
    pub path: String,
    /// The item; the file itself, with all that no other patch claims, otherwise.
    pub item: Option<String>,
    /// Where it is in series.toml: `file:line:column`.
    pub place: String,
}

/// A semantic patch and where it runs.
#[derive(Debug, Clone)]
pub struct Cocci {
    /// The .cocci file.
    pub script: Text,
    /// Files and folders of the kernel tree it runs on.
    pub paths: Vec<String>,
    /// What must not be left there afterwards.
    pub residue: Vec<Regex>,
}

/// A text file of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Its path, relative to the project.
    pub file: PathBuf,
    /// What it holds.
    pub text: String,
}

/// A series as commits on a base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The series' name.
    pub name: String,
    /// What it stands on: the base, with the commit and tree of the last patch beneath where it depends on a series.
    pub base: Base,
    /// The git directory that holds the commits.
    pub git_dir: PathBuf,
    /// The branch that points at the last commit: txgen/NAME.
    pub branch: String,
    /// The patches, first to last.
    pub patches: Vec<AppliedPatch>,
    /// The series it depends on, the lowest first.
    pub beneath: Vec<Applied>,
}

impl Applied {
    /// The names of what it depends on, the lowest first, and its own.
    pub fn stack(&self) -> Vec<&str> {
        self.beneath.iter().map(|lower| lower.name.as_str()).chain([self.name.as_str()]).collect()
    }
}

/// A patch as a commit.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AppliedPatch {
    /// Its name in series.toml.
    pub name: String,
    /// First line of its message.
    pub subject: String,
    /// Its commit, 40 hex digits.
    pub commit: String,
    /// Its tree, 40 hex digits.
    pub tree: String,
    /// Paths it adds or changes, sorted.
    pub files: Vec<String>,
}

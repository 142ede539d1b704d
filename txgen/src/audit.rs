// SPDX-License-Identifier: GPL-2.0
//! Every place in a tree that references the memory of skb frags or uses a frag by its page, and what the series
//! makes of it.
//!
//! series/NAME/audit.toml says which names are watched, and why a place is right that no patch changes. What the
//! patches change is not written there but found in their trees. A place that nobody classified, and a rule that
//! is about no place, are findings.

pub mod classify;
pub mod find;
pub mod rules;
pub mod show;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::base::record;
use crate::git::Repo;
use crate::project::Project;
use crate::series::{Applied, Series};

/// A function that uses a watched name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The function or macro; empty outside of all.
    pub function: String,
    /// The watched name.
    pub name: String,
}

/// What became of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is right as it is.
    Untouched,
    /// A patch changes the function, or takes the use away.
    Converted,
    /// A patch changes another function so that no frag it can not deal with gets here.
    Guarded,
    /// The function is new with the series.
    Added,
    /// It is known to be wrong, or not known to be right.
    Open,
    /// Nobody said anything about it.
    Unclassified,
}

/// The states, in the order they are told.
pub const STATES: [(State, &str); 6] = [
    (State::Untouched, "untouched"),
    (State::Converted, "converted"),
    (State::Guarded, "guarded"),
    (State::Added, "added"),
    (State::Open, "open"),
    (State::Unclassified, "unclassified"),
];

/// A place with its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Site {
    /// Where it is.
    #[serde(flatten)]
    pub place: Place,
    /// The lines of its uses: in the last patch's tree, or in the base where the series leaves none.
    pub lines: Vec<u32>,
    /// How many uses the base has.
    pub before: usize,
    /// How many uses are left after the last patch.
    pub after: usize,
    /// The verdict.
    pub state: State,
    /// The patches that did it, first to last.
    pub by: Vec<String>,
    /// Why the verdict is right; empty where the patches say it.
    pub reason: String,
}

/// Watched names that have something in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Watched {
    /// What they have in common.
    pub about: String,
    /// The names, each with the patches that change or bring its definition.
    pub names: Vec<(String, Vec<String>)>,
}

/// What an audit came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// The series.
    pub series: String,
    /// Its base.
    pub base: String,
    /// The base's commit.
    pub base_commit: String,
    /// The patches, first to last.
    pub patches: Vec<String>,
    /// The watched names, in groups, in the order of the file.
    pub watched: Vec<Watched>,
    /// All places, sorted.
    pub sites: Vec<Site>,
    /// What has to be done before it is complete: a line each.
    pub findings: Vec<String>,
}

/// Audits a series as it is applied; `None` where it has no audit.toml.
pub fn run(project: &Project, series: &Series, applied: &Applied) -> Result<Option<Audit>> {
    let Some(rules) = rules::load(project, series)? else { return Ok(None) };
    let repo = Repo::open(&applied.git_dir)?;
    let names = rules.names();
    let before = find::in_tree(project, &repo, &applied.base.tree, &names, &rules.skip)?;
    let after = find::after_patches(project, &repo, applied, before.clone(), (&names, &rules.skip))?;
    let recorded = record::find(project, &series.base).with_context(|| format!("find base {}", series.base))?;
    let recorded = recorded.tree.map_or(applied.base.name == series.base, |tree| tree == applied.base.tree);
    let steps = find::steps(project, &repo, applied)?;
    Ok(Some(classify::classify(&rules, applied, &find::Found { before, after, steps }, recorded)))
}

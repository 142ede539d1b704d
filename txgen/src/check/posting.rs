// SPDX-License-Identifier: GPL-2.0
//! Rules about where a series goes: the tree that it is for, and what is under review there already.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::base::record;
use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope, trailers};
use crate::project::Project;
use crate::series::{self, Series};

pub(super) const CHECK: Check = Check {
    name: "posting",
    shows: "the base stands for the tree, a series for net fixes something, at most 15 patches are under review",
    needs: "",
    version: 1,
    tools: |source| Ok(format!("{:?}", source.destination()?)),
    scope: Scope::Series(check),
};

/// Patches that netdev has under review from one person at a time, for one tree.
const MOST_OUTSTANDING: usize = 15;

/// Where a series goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The tree that it is for.
    pub tree: String,
    /// The base that it is made for.
    pub base: String,
    /// The trees that this base stands for; `None` where series/bases.toml does not tell.
    pub trees: Option<Vec<String>>,
    /// Patches of other series that are under review for the same tree, by series.
    pub outstanding: BTreeMap<String, usize>,
}

impl Destination {
    /// Where `series` goes, by its series.toml, those of the others, and series/bases.toml.
    pub fn of(project: &Project, series: &Series) -> Result<Self> {
        let base = record::load(project)?.into_iter().find(|record| record.name == series.base);
        Ok(Self {
            tree: series.tree.clone(),
            base: series.base.clone(),
            trees: base.and_then(|record| record.trees),
            outstanding: outstanding(project, series)?,
        })
    }
}

/// The patches of each other series' last posting for the same tree, unless it has a result.
fn outstanding(project: &Project, series: &Series) -> Result<BTreeMap<String, usize>> {
    let mut found = BTreeMap::new();
    for name in series::apply::names(project)?.into_iter().filter(|name| *name != series.name) {
        let other = match series::load(project, &name) {
            Ok(other) => other,
            Err(error) => {
                series::stack::warn_unread(&name, &error);
                continue;
            }
        };
        if let Some(last) = other.history.last().filter(|last| last.result.is_none() && other.tree == series.tree) {
            found.insert(name, last.patches.len());
        }
    }
    Ok(found)
}

fn check(source: &Source<'_>, patches: &[Patch]) -> Result<Vec<Finding>> {
    let destination = source.destination().context("check where the series goes")?;
    Ok(findings(destination, patches))
}

/// All that speaks against sending `patches` there.
pub fn findings(destination: &Destination, patches: &[Patch]) -> Vec<Finding> {
    let Destination { tree, base, trees, outstanding } = destination;
    let mut found = Vec::new();
    let mut broken = |rule: &str, what: String| found.push(Finding::new(Level::Fail, rule, what));
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if tree.is_empty() || !tree.chars().all(good) {
        broken("tree-prefix", format!("`{tree}` is no name of a tree as [PATCH net-next] has one"));
    }
    if let Some(trees) = trees.as_ref().filter(|trees| !trees.contains(tree)) {
        let those = if trees.is_empty() { "no tree that takes patches".to_owned() } else { trees.join(", ") };
        broken("tree-base", format!("the series is for {tree}, and its base {base} stands for {those}"));
    }
    let fixes = |patch: &Patch| trailers::in_message(&patch.message).iter().any(|(name, _)| *name == "Fixes");
    if tree == "net" && !patches.iter().any(fixes) {
        broken("no-fixes", "the series is for net, and no patch has a `Fixes:`".to_owned());
    }
    let others = outstanding.values().sum::<usize>();
    // A series that is too large alone breaks another rule.
    if others > 0 && others + patches.len() > MOST_OUTSTANDING {
        let list = outstanding.iter().map(|(name, count)| format!("{name}: {count}")).collect::<Vec<_>>();
        let what = format!(
            "{others} patches for {tree} are under review ({}), with these {} they are more than {MOST_OUTSTANDING}; \
             what was applied or given up has a `result` in its [[posted]]",
            list.join(", "),
            patches.len()
        );
        broken("outstanding", what);
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Destination, findings};
    use crate::check::source::Patch;

    fn rules(tree: &str, trees: Option<&[&str]>, others: usize, message: &str) -> Vec<String> {
        let none = String::new;
        let message = message.to_owned();
        let patch = Patch {
            name: "p".to_owned(),
            commit: none(),
            parent: none(),
            tree: none(),
            parent_tree: none(),
            author: none(),
            message,
        };
        let destination = Destination {
            tree: tree.to_owned(),
            base: "b".to_owned(),
            trees: trees.map(|trees| trees.iter().map(|tree| (*tree).to_owned()).collect()),
            outstanding: BTreeMap::from([("other".to_owned(), others)]),
        };
        findings(&destination, &[patch]).iter().map(|finding| finding.rule().to_owned()).collect()
    }

    const WHY: &str = "net: add\n\nWhy.\n";
    const FIXES: &str = "net: add\n\nWhy.\n\nFixes: 0123456789ab (\"net: add more\")\n";

    #[test]
    fn a_tree_has_a_name_in_lower_case_and_a_base_that_stands_for_it() {
        assert_eq!(rules("net-next", None, 0, WHY), [""; 0]);
        assert_eq!(rules("Net Next", None, 0, WHY), ["tree-prefix"]);
        assert_eq!(rules("net-next", Some(&["net", "net-next"]), 0, WHY), [""; 0]);
        assert_eq!(rules("net-next", Some(&["mm"]), 0, WHY), ["tree-base"]);
        assert_eq!(rules("net-next", Some(&[]), 0, WHY), ["tree-base"]);
    }

    #[test]
    fn a_series_for_net_fixes_something() {
        assert_eq!(rules("net", None, 0, WHY), ["no-fixes"]);
        assert_eq!(rules("net", None, 0, FIXES), [""; 0]);
    }

    #[test]
    fn fifteen_patches_are_under_review_at_most() {
        assert_eq!(rules("net-next", None, 14, WHY), [""; 0]);
        assert_eq!(rules("net-next", None, 15, WHY), ["outstanding"]);
    }
}

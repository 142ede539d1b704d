// SPDX-License-Identifier: GPL-2.0
//! Places to verdicts.
//!
//! In this order: a function that the series brings is `added`; a use that it takes away is `converted`; then the
//! first rule that names the function counts; then a patch that changes the function; then the first other rule.

use std::collections::{BTreeMap, BTreeSet};

use super::find::{Found, Places, Step};
use super::rules::{Rule, Rules};
use super::{Audit, Place, Site, State, Watched};
use crate::series::Applied;

/// Gives every place of base and last tree its verdict; `recorded` is whether the base is the one the rules are for.
pub fn classify(rules: &Rules, applied: &Applied, found: &Found, recorded: bool) -> Audit {
    let classifier = Classifier { rules, found };
    let mut used = BTreeSet::new();
    let places = found.before.keys().chain(found.after.keys()).collect::<BTreeSet<_>>();
    let sites = places.into_iter().map(|place| classifier.site(place, &mut used)).collect::<Vec<_>>();
    let mut findings = sites.iter().filter_map(finding).collect::<Vec<_>>();
    for (index, rule) in rules.rules.iter().enumerate() {
        findings.extend(classifier.rule_finding(rule, recorded && !used.contains(&index)));
    }
    let watched = rules.watches.iter().map(|watch| Watched {
        about: watch.about.clone(),
        names: watch.names.iter().map(|name| (name.clone(), classifier.definers(name))).collect(),
    });
    Audit {
        series: applied.name.clone(),
        base: applied.base.name.clone(),
        base_commit: applied.base.commit.clone(),
        patches: applied.patches.iter().map(|patch| patch.name.clone()).collect(),
        watched: watched.collect(),
        sites,
        findings,
    }
}

struct Classifier<'a> {
    rules: &'a Rules,
    found: &'a Found,
}

impl Classifier<'_> {
    fn site(&self, place: &Place, used: &mut BTreeSet<usize>) -> Site {
        let count = |places: &Places| places.get(place).map_or(0, Vec::len);
        let lines = self.found.after.get(place).or_else(|| self.found.before.get(place)).cloned().unwrap_or_default();
        let (before, after) = (count(&self.found.before), count(&self.found.after));
        let (state, by, reason) = self.verdict(place, after, used);
        Site { place: place.clone(), lines, before, after, state, by, reason }
    }

    fn verdict(&self, place: &Place, after: usize, used: &mut BTreeSet<usize>) -> (State, Vec<String>, String) {
        let function = (place.file.clone(), place.function.clone());
        let patches = |is_by: &dyn Fn(&Step) -> bool| {
            self.found.steps.iter().filter(|step| is_by(step)).map(|step| step.patch.clone()).collect::<Vec<_>>()
        };
        let born = patches(&|step| step.born.contains(&function));
        if !born.is_empty() {
            return (State::Added, born, String::new());
        }
        let changed = patches(&|step| step.changed.contains(&function));
        let mut fitting = self.rules.rules.iter().enumerate().filter(|(_, rule)| rule.fits(place));
        let special = fitting.clone().find(|(_, rule)| !rule.functions.is_empty()).filter(|_| after > 0);
        let chosen = match special {
            None if !changed.is_empty() => None,
            None => fitting.next(),
            special => special,
        };
        let Some((index, rule)) = chosen else {
            let state = if changed.is_empty() { State::Unclassified } else { State::Converted };
            return (state, changed, String::new());
        };
        used.insert(index);
        let by = match &rule.guard {
            Some(guard) => self.changers(guard),
            None if rule.state == State::Open => changed,
            None => Vec::new(),
        };
        (rule.state, by, rule.reason.clone())
    }

    /// The patches that change or bring a function.
    fn changers(&self, function: &(String, String)) -> Vec<String> {
        let is_by = |step: &&Step| step.changed.contains(function) || step.born.contains(function);
        self.found.steps.iter().filter(is_by).map(|step| step.patch.clone()).collect()
    }

    /// The patches that change or bring the function of this name, wherever it is.
    fn definers(&self, name: &str) -> Vec<String> {
        let is_by = |step: &&Step| step.changed.iter().chain(&step.born).any(|(_, function)| function == name);
        self.found.steps.iter().filter(is_by).map(|step| step.patch.clone()).collect()
    }

    fn rule_finding(&self, rule: &Rule, stale: bool) -> Option<String> {
        if stale {
            return Some(format!(
                "{}: the rule is about no place, or patches convert all of them: remove it",
                rule.place
            ));
        }
        let (file, function) = rule.guard.as_ref()?;
        let unguarded = self.changers(&(file.clone(), function.clone())).is_empty();
        unguarded.then(|| format!("{}: no patch changes {function}() of {file}, the guard", rule.place))
    }
}

fn finding(site: &Site) -> Option<String> {
    let (file, line) = (&site.place.file, site.lines.first()?);
    let at = format!("{file}:{line}: {}() uses {}", site.place.function, site.place.name);
    match site.state {
        State::Open if site.by.is_empty() => Some(format!("{at}: open: {}", site.reason)),
        State::Open => {
            let by = site.by.join(", ");
            Some(format!("{at}: still called open, but {by} changes it: remove the rule if that settles it"))
        }
        State::Unclassified => Some(format!("{at}: nobody classified it")),
        _ => None,
    }
}

/// How many uses are in each state: those that are left, or, where a patch took all away, those that were there.
pub fn count(sites: &[&Site]) -> BTreeMap<State, usize> {
    let mut counts = BTreeMap::new();
    for site in sites {
        *counts.entry(site.state).or_default() += if site.after > 0 { site.after } else { site.before };
    }
    counts
}

#[cfg(test)]
mod tests;

// SPDX-License-Identifier: GPL-2.0
//! Runs checks over patches, reusing what was found before for the same input.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use rayon::prelude::*;
use serde::Serialize;

use crate::check::exceptions::{self, Excused};
use crate::check::source::{Patch, Source};
use crate::check::{CHECKS, Check, Finding, SERIES, Scope};
use crate::progress::Progress;
use crate::proof;
use crate::series::Exception;

/// The kind of the records.
const KIND: &str = "check";

/// Which checks to run on which patch.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only this patch; checks of the whole series are left out then.
    pub patch: Option<String>,
    /// Only these checks; all where it is empty.
    pub only: Vec<String>,
}

/// What the checks of a series found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The checks that ran.
    pub checks: Vec<String>,
    /// The patches they ran on, first to last.
    pub patches: Vec<String>,
    /// What counts.
    pub findings: Vec<Finding>,
    /// What an exception excuses.
    pub excused: Vec<Excused>,
    /// How many results were there from an earlier run.
    #[serde(skip)]
    pub reused: usize,
}

/// Runs the selected checks; the worktree is touched only for results that are not there yet.
pub fn run(source: &Source<'_>, patches: &[Patch], selection: &Selection, except: &[Exception]) -> Result<Report> {
    let checks = select_checks(&selection.only)?;
    let chosen = select_patches(patches, selection.patch.as_deref())?;
    for exception in except {
        known_exception(exception)?;
    }
    let mut tools = BTreeMap::new();
    for check in &checks {
        tools.insert(check.name, (check.tools)(source)?);
    }
    let jobs = jobs(&checks, &chosen, selection.patch.is_none());
    let done = Done { progress: Progress::start("check", jobs.len() as u64), count: AtomicU64::new(0) };
    let find = |(check, patch): &(&Check, Option<&Patch>)| {
        done.one_more(&format!("{}: {}", patch.map_or(SERIES, |patch| &patch.name), check.name));
        let key = key(source, check, &tools[check.name], patch.map_or(patches, std::slice::from_ref));
        let (found, from_record) = findings_of(source, check, *patch, patches, &key)?;
        Ok((found.into_iter().map(|found| named(found, check, *patch)).collect::<Vec<_>>(), from_record))
    };
    let moves = |(check, _): &&(&Check, _)| matches!(check.scope, Scope::Checkout(_));
    let mut results = jobs.par_iter().filter(|job| !moves(job)).map(find).collect::<Result<Vec<_>>>()?.into_iter();
    let mut moved = jobs.iter().filter(moves).map(find).collect::<Result<Vec<_>>>()?.into_iter();
    let (mut findings, mut reused) = (Vec::new(), 0);
    for job in &jobs {
        let next = if moves(&job) { moved.next() } else { results.next() };
        let (found, from_record) = next.context("each job has a result")?;
        reused += usize::from(from_record);
        findings.extend(found);
    }
    done.progress.done(&format!("{} results, {reused} of them from earlier runs", jobs.len()));
    let ran = |patch: &str, check: &str| {
        let patch_ran = chosen.iter().any(|chosen| chosen.name == patch) || patch == SERIES;
        let whole = checks.iter().find(|c| c.name == check).map(|c| matches!(c.scope, Scope::Series(_)));
        patch_ran && whole.is_some_and(|series| !series || selection.patch.is_none())
    };
    let (findings, excused) = exceptions::apply(findings, except, ran);
    let checks = checks.iter().map(|check| check.name.to_owned()).collect();
    Ok(Report { checks, patches: chosen.iter().map(|patch| patch.name.clone()).collect(), findings, excused, reused })
}

/// What is on record about the patches, without running anything: the report on the checks that ran on every patch
/// they apply to, and how many results each patch lacks.
pub fn recorded(
    source: &Source<'_>,
    patches: &[Patch],
    except: &[Exception],
) -> Result<(Report, BTreeMap<String, usize>)> {
    let checks = select_checks(&[])?;
    let chosen = patches.iter().collect::<Vec<_>>();
    let (mut findings, mut reused, mut missing) = (Vec::new(), 0, BTreeMap::new());
    let mut tools: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for (check, patch) in jobs(&checks, &chosen, true) {
        let name = patch.map_or(SERIES, |patch| &patch.name);
        // A check whose tool is not there has nothing on record for it: `txgen check` names the tool.
        let tools = tools.entry(check.name).or_insert_with(|| (check.tools)(source).ok());
        let key = tools.as_ref().map(|tools| key(source, check, tools, patch.map_or(patches, std::slice::from_ref)));
        let record = key.map(|key| proof::load::<Vec<Finding>>(source.project, KIND, &key)).transpose()?;
        match record.flatten() {
            Some(found) => {
                reused += 1;
                findings.extend(found.into_iter().map(|found| named(found, check, patch)));
            }
            None => *missing.entry(name.to_owned()).or_default() += 1,
        }
    }
    let ran = |patch: &str, _: &str| !missing.contains_key(patch);
    let (findings, excused) = exceptions::apply(findings, except, ran);
    let checks = checks.iter().map(|check| check.name.to_owned()).collect();
    let patches = patches.iter().map(|patch| patch.name.clone()).collect();
    Ok((Report { checks, patches, findings, excused, reused }, missing))
}

/// A finding with the check that found it, and the patch where the check did not name one.
fn named(mut finding: Finding, check: &Check, patch: Option<&Patch>) -> Finding {
    check.name.clone_into(&mut finding.check);
    match patch {
        Some(patch) => patch.name.clone_into(&mut finding.patch),
        None if finding.patch.is_empty() => SERIES.clone_into(&mut finding.patch),
        None => {}
    }
    finding
}

/// How far a run is.
struct Done {
    progress: Progress,
    count: AtomicU64,
}

impl Done {
    fn one_more(&self, now: &str) {
        self.progress.at(self.count.fetch_add(1, Ordering::Relaxed), now);
    }
}

/// All pairs of check and patch, patch by patch; checks of the series come last.
fn jobs<'a>(checks: &[&'a Check], patches: &[&'a Patch], whole: bool) -> Vec<(&'a Check, Option<&'a Patch>)> {
    let (each, series): (Vec<&Check>, Vec<&Check>) = checks.iter().partition(|c| !matches!(c.scope, Scope::Series(_)));
    let mut jobs = Vec::new();
    for patch in patches {
        jobs.extend(each.iter().map(|check| (*check, Some(*patch))));
    }
    jobs.extend(series.into_iter().filter(|_| whole).map(|check| (check, None)));
    jobs
}

/// The findings of one check, and whether they come from a record.
fn findings_of(
    source: &Source<'_>,
    check: &Check,
    patch: Option<&Patch>,
    all: &[Patch],
    key: &str,
) -> Result<(Vec<Finding>, bool)> {
    if let Some(found) = proof::load(source.project, KIND, key)? {
        return Ok((found, true));
    }
    let found = match (check.scope, patch) {
        (Scope::Patch(function) | Scope::Checkout(function), Some(patch)) => function(source, patch)?,
        (Scope::Series(function), _) => function(source, all)?,
        (Scope::Patch(_) | Scope::Checkout(_), None) => Vec::new(),
    };
    proof::store(source.project, KIND, key, &found)?;
    Ok((found, false))
}

/// A key over all that a check's findings depend on.
fn key(source: &Source<'_>, check: &Check, tools: &str, patches: &[Patch]) -> String {
    let version = check.version.to_le_bytes();
    let mut parts: Vec<&[u8]> = vec![check.name.as_bytes(), &version, tools.as_bytes()];
    if matches!(check.scope, Scope::Series(_)) {
        parts.push(source.cover.as_deref().unwrap_or_default().as_bytes());
    }
    for patch in patches {
        let fields = [&patch.name, &patch.parent_tree, &patch.tree, &patch.author, &patch.message];
        parts.extend(fields.map(String::as_bytes));
    }
    proof::key(&parts)
}

fn select_checks(only: &[String]) -> Result<Vec<&'static Check>> {
    if let Some(unknown) = only.iter().find(|name| !CHECKS.iter().any(|check| check.name == *name)) {
        let names = CHECKS.iter().map(|check| check.name).collect::<Vec<_>>().join(", ");
        bail!("there is no check `{unknown}`; there are {names}");
    }
    Ok(CHECKS.iter().filter(|check| only.is_empty() || only.iter().any(|name| name == check.name)).collect())
}

fn select_patches<'a>(patches: &'a [Patch], only: Option<&str>) -> Result<Vec<&'a Patch>> {
    let chosen = patches.iter().filter(|patch| only.is_none_or(|name| name == patch.name)).collect::<Vec<_>>();
    if let (true, Some(name)) = (chosen.is_empty(), only) {
        let names = patches.iter().map(|patch| patch.name.as_str()).collect::<Vec<_>>().join(", ");
        bail!("the series has no patch `{name}`; it has {names}");
    }
    Ok(chosen)
}

fn known_exception(exception: &Exception) -> Result<()> {
    if CHECKS.iter().any(|check| check.name == exception.check) {
        return Ok(());
    }
    bail!("{}: there is no check `{}`; `txgen check --list` names them", exception.place, exception.check);
}

// SPDX-License-Identifier: GPL-2.0
//! The plan of each patch: which overlay files it writes, and how they look at that patch.
//!
//! It is also the proof of the partition: each overlay file and item is born in exactly one patch.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, anyhow, bail};

use super::overlay_files::Overlay;
use super::stack::Others;
use super::{Add, Patch, Series};
use crate::git::Blob;
use crate::slice::{self, Item, Sliced};

/// What a patch does beside its edits.
#[derive(Debug, Clone)]
pub struct PatchPlan<'a> {
    /// The patch.
    pub patch: &'a Patch,
    /// Overlay files as they are after it, where it adds to them.
    pub files: BTreeMap<String, Blob>,
    /// Those of them that it brings into being.
    pub born: BTreeSet<String>,
}

/// Who claims what of one overlay file: patches by their index.
struct Claims<'a> {
    file: Option<(usize, &'a Add)>,
    items: Vec<(usize, &'a str, &'a Add)>,
}

/// When an item is born: before all patches, in one of them (by its index), or never in this series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Birth {
    Before,
    In(usize),
    Never,
}

/// Plans every patch of `series`.
pub fn plan<'a>(series: &'a Series, overlay: &Overlay, others: &Others) -> Result<Vec<PatchPlan<'a>>> {
    let claims = claims(series, overlay)?;
    let is_claimed = |path: &&String| claims.contains_key(path.as_str()) || others.files.contains(*path);
    if let Some(path) = overlay.keys().find(|path| !is_claimed(path)) {
        bail!("kernel-overlay/{path}: no patch of series {} claims it in `adds`", series.name);
    }
    let mut plans = series
        .patches
        .iter()
        .map(|patch| PatchPlan { patch, files: BTreeMap::new(), born: BTreeSet::new() })
        .collect::<Vec<_>>();
    for (path, claims) in claims {
        let blob = overlay.get(path).with_context(|| format!("kernel-overlay/{path} is gone"))?;
        plan_file((path, blob), &claims, others, &mut plans)?;
    }
    Ok(plans)
}

fn claims<'a>(series: &'a Series, overlay: &Overlay) -> Result<BTreeMap<&'a str, Claims<'a>>> {
    let mut all = BTreeMap::<&str, Claims<'a>>::new();
    for (index, patch) in series.patches.iter().enumerate() {
        for add in &patch.adds {
            if !overlay.contains_key(&add.path) {
                bail!("{}: there is no kernel-overlay/{}", add.place, add.path);
            }
            let claims = all.entry(&add.path).or_insert(Claims { file: None, items: Vec::new() });
            match (&add.item, claims.file) {
                (None, Some((_, twin))) => {
                    bail!("{}: {} is claimed before, at {}", add.place, add.path, twin.place);
                }
                (None, None) => claims.file = Some((index, add)),
                (Some(item), _) => claims.items.push((index, item, add)),
            }
        }
    }
    Ok(all)
}

fn plan_file(
    (path, blob): (&str, &Blob),
    claims: &Claims<'_>,
    others: &Others,
    plans: &mut [PatchPlan<'_>],
) -> Result<()> {
    let birth = match claims.file {
        Some((index, add)) if others.files.contains(path) => {
            bail!("{}: {path} is born in another series, before patch {}", add.place, plans[index].patch.name)
        }
        Some((index, _)) => Birth::In(index),
        None if others.beneath.contains(path) => Birth::Before,
        None => {
            let place = claims.items.first().map_or("", |(_, _, add)| add.place.as_str());
            bail!("{place}: an item of {path} is claimed, but no patch claims the file itself (`adds = [{path:?}]`)");
        }
    };
    let later = others.later.get(path);
    if let Birth::In(birth) = birth {
        if let Some((_, item, add)) = claims.items.iter().find(|(index, ..)| *index < birth) {
            bail!("{}: {item} is born before its file, which {} adds", add.place, plans[birth].patch.name);
        }
        plans[birth].born.insert(path.to_owned());
        if claims.items.is_empty() && later.is_none() {
            plans[birth].files.insert(path.to_owned(), blob.clone());
            return Ok(());
        }
    }
    if let Some((_, _, add)) = claims.items.first().filter(|_| !slice::has_items(path)) {
        bail!("{}: only .c and .h files have items; {path} is born whole", add.place);
    }
    let text = std::str::from_utf8(&blob.bytes).with_context(|| format!("kernel-overlay/{path}"))?;
    let sliced = slice::slice(text).with_context(|| format!("kernel-overlay/{path}"))?;
    let mut births = births(path, &sliced, claims, birth)?;
    for item in sliced.items() {
        if later.is_some_and(|later| !item.names.is_disjoint(later)) {
            births.insert(item.lines.start, Birth::Never);
        }
    }
    let steps = births.values().copied().chain([birth]);
    let steps = steps.filter_map(|birth| if let Birth::In(step) = birth { Some(step) } else { None });
    for step in steps.collect::<BTreeSet<_>>() {
        let is_born = |item: &Item| births.get(&item.lines.start).is_none_or(|birth| *birth <= Birth::In(step));
        let bytes = sliced.keep(is_born).into_bytes();
        plans[step].files.insert(path.to_owned(), Blob { mode: blob.mode, bytes });
    }
    Ok(())
}

/// When each item is born, by the item's first line.
fn births(path: &str, sliced: &Sliced<'_>, claims: &Claims<'_>, birth: Birth) -> Result<BTreeMap<usize, Birth>> {
    let items = sliced.items();
    let mut births = BTreeMap::new();
    let mut by = BTreeMap::<usize, &Add>::new();
    for (index, name, add) in &claims.items {
        let claimed = items.iter().filter(|item| item.names.contains(*name)).collect::<Vec<_>>();
        if claimed.is_empty() {
            return Err(unknown_item(path, name, add, &items));
        }
        for item in claimed {
            if let Some(twin) = by.insert(item.lines.start, add) {
                bail!("{}: {name} of {path} is claimed before, at {}", add.place, twin.place);
            }
            births.insert(item.lines.start, Birth::In(*index));
        }
    }
    for item in items {
        births.entry(item.lines.start).or_insert(birth);
    }
    Ok(births)
}

fn unknown_item(path: &str, name: &str, add: &Add, items: &[&Item]) -> anyhow::Error {
    let names = items.iter().filter_map(|item| item.names.iter().find(|n| !n.contains('('))).cloned();
    let names = names.collect::<Vec<_>>().join(", ");
    anyhow!("{}: kernel-overlay/{path} has no item {name} (it has: {names})", add.place)
}

// SPDX-License-Identifier: GPL-2.0
//! The patches of a series in another order, or some of them: each carried to its new place as a rebase would carry it.

use std::collections::BTreeSet;
use std::rc::Rc;

use anyhow::{Context, Result};

use crate::base::Base;
use crate::error::Conflict;
use crate::git::Repo;
use crate::project::Project;
use crate::series::carry::State;
use crate::series::home::home;
use crate::series::onto::{Planned, carry_series};
use crate::series::overlay_files::{self, Overlay};
use crate::series::plan::plan;
use crate::series::{Patch, Series, stack};
use crate::slice;

/// The tip of the commits that the patches named in `order` make on `base`, all that the series depends on beneath;
/// no ref points at it. A conflict where one does not go to its new place.
pub fn reorder(project: &Project, series: &Series, base: &Base, order: &[String]) -> Result<String> {
    let others = stack::others(project, series)?;
    let overlay = stack::own(overlay_files::read(project)?, series, &others);
    let repo = Rc::new(Repo::open(&base.git_dir)?);
    let foot = stack::foot(project, series, base, false)?.base;
    let plans = plan(series, &overlay, &others)?;
    let mut home = home(project, series, &overlay, &plans, (base, &repo))?;
    let place = |name: &String| series.patches.iter().position(|patch| patch.name == *name);
    let places = order.iter().map(|name| place(name).with_context(|| format!("there is no patch {name}")));
    let places = places.collect::<Result<Vec<_>>>()?;
    let patches = places.iter().map(|place| series.patches[*place].clone()).collect::<Vec<_>>();
    home.patches = places.iter().map(|place| home.patches[*place].clone()).collect();
    let gone = series.patches.iter().filter(|patch| !order.contains(&patch.name)).collect::<Vec<_>>();
    let overlay = without(overlay, &gone)?;
    let wanted = Series { patches, ..series.clone() };
    let plans = plan(&wanted, &overlay, &others)?;
    let planned = Planned { series: &wanted, overlay: &overlay, plans: &plans };
    let carried = carry_series(project, &planned, &home, (&foot, &repo), false, false)?;
    if let Some(stopped) = carried.iter().find(|patch| patch.carried.state == State::Conflict) {
        let (why, name) = (stopped.carried.notes.join("; "), &series.name);
        let what = format!(
            "patch {} does not go there: {why}. Nothing was changed: `git rebase -i` on branch txgen/{name} and \
             `txgen refresh {name}` do it by hand",
            stopped.name
        );
        return Err(Conflict { what }.into());
    }
    let tip = carried.iter().rev().find_map(|patch| patch.commit.clone());
    Ok(tip.unwrap_or(foot.commit))
}

/// The overlay without what some patches add to it.
fn without(mut overlay: Overlay, gone: &[&Patch]) -> Result<Overlay> {
    let adds = gone.iter().flat_map(|patch| &patch.adds).collect::<Vec<_>>();
    for path in adds.iter().filter(|add| add.item.is_none()).map(|add| &add.path) {
        overlay.remove(path);
    }
    for path in adds.iter().map(|add| &add.path).collect::<BTreeSet<_>>() {
        let Some(blob) = overlay.get_mut(path) else { continue };
        let text = String::from_utf8(std::mem::take(&mut blob.bytes)).with_context(|| path.clone())?;
        let items = adds.iter().filter(|add| add.path == *path).filter_map(|add| add.item.as_ref());
        let items = items.cloned().collect::<BTreeSet<_>>();
        let sliced = slice::slice(&text).with_context(|| path.clone())?;
        blob.bytes = sliced.keep(|item| item.names.is_disjoint(&items)).into_bytes();
    }
    Ok(overlay)
}

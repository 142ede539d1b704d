// SPDX-License-Identifier: GPL-2.0
//! Series that depend on another: what each stands on, and what of kernel-overlay/ is whose.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};

use super::apply::{branch, build_on, names};
use super::overlay_files::Overlay;
use super::{Applied, Series, claims, load};
use crate::base::Base;
use crate::plain::visible_lines;
use crate::progress::printing;
use crate::project::Project;

/// What a series stands on.
#[derive(Debug, Clone)]
pub struct Foot {
    /// The base, with commit and tree of the last patch beneath the series.
    pub base: Base,
    /// The series beneath it, the lowest first.
    pub beneath: Vec<Applied>,
}

/// Puts all that `series` depends on onto `base`; no ref points at it.
pub fn foot(project: &Project, series: &Series, base: &Base, signoff: bool) -> Result<Foot> {
    let mut foot = Foot { base: base.clone(), beneath: Vec::new() };
    for lower in chain(project, series)? {
        let patches = build_on(project, &lower, base, &foot.base, signoff)
            .with_context(|| format!("{} depends on {}", series.name, lower.name))?;
        let stood = foot.base.clone();
        if let Some(last) = patches.last() {
            (foot.base.commit, foot.base.tree) = (last.commit.clone(), last.tree.clone());
        }
        let (git_dir, branch) = (base.git_dir.clone(), branch(&lower.name));
        foot.beneath.push(Applied { name: lower.name, base: stood, git_dir, branch, patches, beneath: Vec::new() });
    }
    Ok(foot)
}

/// All that `series` depends on, the lowest first.
pub fn chain(project: &Project, series: &Series) -> Result<Vec<Series>> {
    let mut chain = Vec::<Series>::new();
    let mut next = series.depends.clone();
    while let Some(name) = next.take() {
        if name == series.name || chain.iter().any(|known| known.name == name) {
            bail!("series {} depends on itself: by way of {name}", series.name);
        }
        let lower = load(project, &name).with_context(|| format!("series {} depends on {name}", series.name))?;
        next.clone_from(&lower.depends);
        chain.push(lower);
    }
    chain.reverse();
    Ok(chain)
}

/// Tells, once, that another series than the one at work can not be read: it is in nobody's way.
pub fn warn_unread(name: &str, error: &anyhow::Error) {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if TOLD.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned()) {
        printing(|| {
            crate::output::eprintln!(
                "txgen: warning: series {name} can not be read, others go on without it: {}",
                visible_lines(&format!("{error:#}"))
            );
        });
    }
}

/// What other series claim of kernel-overlay/.
#[derive(Debug, Clone, Default)]
pub struct Others {
    /// Files that are born in another series.
    pub files: BTreeSet<String>,
    /// Those of them that are there when this series comes.
    pub beneath: BTreeSet<String>,
    /// Items that come with series which are not beneath this one, by file.
    pub later: BTreeMap<String, BTreeSet<String>>,
}

/// The overlay as `series` sees it: a file that a series beneath adds, and of which this one adds nothing, is a file of
/// what it stands on, to be edited like any other.
pub fn own(mut overlay: Overlay, series: &Series, others: &Others) -> Overlay {
    let claims = |path: &String| series.patches.iter().flat_map(|patch| &patch.adds).any(|add| add.path == *path);
    overlay.retain(|path, _| !others.beneath.contains(path) || claims(path));
    overlay
}

/// What series other than `series` claim of kernel-overlay/.
pub fn others(project: &Project, series: &Series) -> Result<Others> {
    let below = chain(project, series)?.into_iter().map(|lower| lower.name).collect::<BTreeSet<_>>();
    let mut others = Others::default();
    for name in names(project)?.into_iter().filter(|name| *name != series.name) {
        let is_below = below.contains(&name);
        let (claims, error) = claims::claims(project, &name);
        if let Some(error) = error {
            warn_unread(&name, &error);
        }
        for (path, item) in claims {
            match item {
                Some(item) if !is_below => drop(others.later.entry(path).or_default().insert(item)),
                Some(_) => {}
                None => {
                    if is_below {
                        others.beneath.insert(path.clone());
                    }
                    others.files.insert(path);
                }
            }
        }
    }
    Ok(others)
}

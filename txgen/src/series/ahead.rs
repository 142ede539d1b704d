// SPDX-License-Identifier: GPL-2.0
//! The files that a series edits, parsed on other cores while the series itself is read.

use std::collections::BTreeSet;

use anyhow::Result;

use super::plan::PatchPlan;
use crate::base::Base;
use crate::git::Repo;
use crate::slice;

/// Begins to parse what differs between two bases in the files that `plans` edit: merges will ask for it, and what was
/// parsed once is kept.
pub(super) fn parse(plans: &[PatchPlan<'_>], (from, there): (&Base, &Repo), (to, here): (&Base, &Repo)) -> Result<()> {
    let diffs = plans.iter().filter_map(|plan| plan.patch.diff.as_ref());
    let paths = diffs.flat_map(|diff| diff.text.lines().filter_map(|line| line.strip_prefix("--- a/")));
    for path in paths.map(str::trim_end).filter(|path| slice::has_items(path)).collect::<BTreeSet<_>>() {
        let (Some(old), Some(new)) = (there.file(&from.tree, path)?, here.file(&to.tree, path)?) else { continue };
        let (Ok(old), Ok(new)) = (String::from_utf8(old.bytes), String::from_utf8(new.bytes)) else { continue };
        if old != new {
            rayon::spawn(move || drop(slice::segments([&old, &new])));
        }
    }
    Ok(())
}

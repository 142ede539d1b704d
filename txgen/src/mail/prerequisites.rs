// SPDX-License-Identifier: GPL-2.0
//! What a series stands on beside its base, as `git format-patch --base` and b4 tell it.

use anyhow::Result;

use super::patch_id;
use crate::project::Project;
use crate::series::{self, Applied};

/// The commit of the base beneath all, where the series stands on others, and the trailers that tell of those: a
/// change-id for each series, and a patch id for each of its patches, the lowest first.
pub fn of(project: &Project, applied: &Applied) -> Result<(Option<String>, Vec<String>)> {
    let mut trailers = Vec::new();
    for lower in &applied.beneath {
        let series = series::load(project, &lower.name)?;
        trailers.push(format!("prerequisite-change-id: {}:v{}", series.change_id, series.version));
        let ids = patch_id::of_commits(project, &lower.git_dir, &lower.base.commit, &lower.patches)?;
        trailers.extend(ids.into_iter().map(|id| format!("prerequisite-patch-id: {id}")));
    }
    Ok((applied.beneath.first().map(|lowest| lowest.base.commit.clone()), trailers))
}

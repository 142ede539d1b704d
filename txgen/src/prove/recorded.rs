// SPDX-License-Identifier: GPL-2.0
//! Which patches are on record as built and booted, as they are.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Proof, Records};
use crate::kernel::config;
use crate::project::Project;
use crate::series::Applied;

/// By configuration: the patches that passed in it, in the order of the series, and their proofs.
pub type Proofs = BTreeMap<&'static str, Vec<(String, Proof)>>;

/// What is on record for the patches of `applied`.
pub fn find(project: &Project, applied: &Applied) -> Result<Proofs> {
    let mut found = Proofs::new();
    let Some(records) = Records::open(project)? else { return Ok(found) };
    for name in config::names() {
        let config = config::load(project, name, &applied.stack())?;
        for patch in &applied.patches {
            if let Some(proof) = records.find(&config, &patch.tree)? {
                found.entry(name).or_default().push((patch.name.clone(), proof));
            }
        }
    }
    Ok(found)
}

/// The patches that are on record in no configuration.
pub fn missing(proofs: &Proofs, applied: &Applied) -> Vec<String> {
    let proved = |name: &str| proofs.values().flatten().any(|(patch, _)| patch == name);
    applied.patches.iter().map(|patch| patch.name.clone()).filter(|name| !proved(name)).collect()
}

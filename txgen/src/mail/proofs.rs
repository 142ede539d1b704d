// SPDX-License-Identifier: GPL-2.0
//! Which patches are on record as built and booted, as they are.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::kernel::config;
use crate::project::Project;
use crate::prove::{Proof, Records};
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

/// What a cover letter tells of it; `None` where there is nothing to tell.
pub fn summary(proofs: &Proofs, applied: &Applied) -> Option<String> {
    let last = &applied.patches.last()?.name;
    let mut lines = Vec::new();
    for (config, passed) in proofs {
        let what = match passed.len() {
            count if count == applied.patches.len() && count > 1 => "every patch".to_owned(),
            count => format!("{count} of {} patches", applied.patches.len()),
        };
        let tip = passed.iter().find(|(patch, _)| patch == last);
        let cases = tip.and_then(|(_, proof)| proof.boot.as_ref()).map(|boot| boot.counts().passed);
        let cases = cases.map_or_else(String::new, |count| format!(", {count} KUnit cases on the last one"));
        lines.push(format!(" - configuration {config}: {what} built and booted{cases}"));
    }
    (!lines.is_empty()).then(|| format!("Built, booted in virtme-ng, and passed (txgen test):\n\n{}", lines.join("\n")))
}

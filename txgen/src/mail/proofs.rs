// SPDX-License-Identifier: GPL-2.0
//! What a cover letter tells of the proofs on record.

use crate::prove::recorded::Proofs;
use crate::series::Applied;

/// A line for each configuration; `None` where there is nothing to tell.
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

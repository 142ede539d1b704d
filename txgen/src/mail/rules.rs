// SPDX-License-Identifier: GPL-2.0
//! What netdev would send a series back for, as far as the mails alone show it.

use crate::check::exceptions;
use crate::check::source::Patch;
use crate::check::{Finding, Level, SERIES, limits, message, trailers};
use crate::mail::Envelope;

/// Every broken rule that is neither excused in series.toml nor named in `force`.
pub fn findings(patches: &[Patch], envelope: &Envelope, force: &[String]) -> Vec<Finding> {
    let mut found = Vec::new();
    for patch in patches {
        found.extend(named("message", &patch.name, message::findings(&patch.message)));
        found.extend(named("trailers", &patch.name, trailers::findings(&patch.message, &patch.author)));
        let note = envelope.notes.get(&patch.name).map(String::as_str).unwrap_or_default();
        found.extend(named("note", &patch.name, like_a_patch(note)));
    }
    found.extend(named("limits", SERIES, limits::findings(patches, envelope.cover.as_deref())));
    if let Some(cover) = &envelope.cover {
        found.extend(named("cover", SERIES, message::subject_findings(&envelope.title)));
        found.extend(named("cover", SERIES, like_a_patch(cover)));
    }
    let (counting, _) = exceptions::apply(found, &envelope.exceptions, |_, _| false);
    let fail = counting.into_iter().filter(|finding| finding.level == Level::Fail);
    fail.filter(|finding| !force.iter().any(|rule| rule == finding.rule())).collect()
}

fn named(check: &str, patch: &str, found: Vec<Finding>) -> Vec<Finding> {
    let name = |mut finding: Finding| {
        check.clone_into(&mut finding.check);
        if finding.patch.is_empty() {
            patch.clone_into(&mut finding.patch);
        }
        finding
    };
    found.into_iter().map(name).collect()
}

/// Lines that git am or a bot takes for the start of a patch; indented they are text.
fn like_a_patch(text: &str) -> Vec<Finding> {
    let starts = ["diff -", "@@ ", "--- ", "+++ ", "Index: "];
    let lines = text.lines().enumerate().filter(|(_, line)| starts.iter().any(|start| line.starts_with(start)));
    let what = "the line looks like the start of a patch: indent it";
    lines.map(|(index, _)| Finding::new(Level::Fail, "like-a-patch", what).at_line(index)).collect()
}

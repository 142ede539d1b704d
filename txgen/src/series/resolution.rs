// SPDX-License-Identifier: GPL-2.0
//! What is recorded for a patch on another base, in bases/BASE/PATCH.diff, and what it is good for.
//!
//! `Form-of:` starts the whole form of its edits there. `Rest-of:` starts what is left to do once a merge has done what
//! it can and left the lines in conflict as the base has them: it stays good as long as the same is in conflict,
//! whatever else becomes of the patch.

use anyhow::{Result, bail};

use super::carry::CarriedFile;
use super::{Patch, Text};
use crate::proof;

const FORM_OF: &str = "Form-of: ";
const REST_OF: &str = "Rest-of: ";

/// What is recorded for a patch on a base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record<'a> {
    /// All of its edits.
    Whole(&'a Text),
    /// What a merge leaves to do, and of which conflict.
    Rest(&'a Text, &'a str),
}

/// The first 64 bits of a key, in hexadecimal digits.
fn mark(parts: &[&[u8]]) -> String {
    let mut key = proof::key(parts);
    key.truncate(16);
    key
}

/// What is in conflict in some files, told apart from all else: each item as it was and as the patch makes it.
pub fn mark_of_conflict(files: &[CarriedFile]) -> String {
    let mut parts = Vec::new();
    for file in files {
        for touched in file.touched.iter().filter(|touched| touched.clash.is_some()) {
            let to = file.to.as_deref().unwrap_or_default();
            parts.extend([to, &touched.item, &touched.base, &touched.theirs].map(str::as_bytes));
        }
    }
    mark(&parts)
}

/// The text of bases/BASE/PATCH.diff: `diff`, as a form of `edits`, the text of PATCH.diff.
pub fn text(diff: &str, edits: &str) -> String {
    format!("{FORM_OF}{}\n{diff}", mark(&[edits.as_bytes()]))
}

/// The text of bases/BASE/PATCH.diff: `diff`, as what the merge leaves to do that is in conflict in `files`.
pub fn rest(diff: &str, files: &[CarriedFile]) -> String {
    format!("{REST_OF}{}\n{diff}", mark_of_conflict(files))
}

/// The .diff in the text of bases/BASE/PATCH.diff.
pub fn diff(text: &str) -> &str {
    match text.split_once('\n') {
        Some((first, rest)) if first.starts_with(FORM_OF) || first.starts_with(REST_OF) => rest,
        _ => text,
    }
}

/// What is recorded of `patch` on `base`, if anything; an error where it is of other edits than the patch has now.
pub fn find<'a>(patch: &'a Patch, base: &str) -> Result<Option<Record<'a>>> {
    let Some(record) = patch.resolutions.get(base) else { return Ok(None) };
    let first = record.text.lines().next().unwrap_or_default();
    if let Some(of) = first.strip_prefix(REST_OF) {
        return Ok(Some(Record::Rest(record, of)));
    }
    let edits = patch.diff.as_ref().map_or("", |diff| &diff.text);
    if first.strip_prefix(FORM_OF).is_some_and(|of| of != mark(&[edits.as_bytes()])) {
        bail!(
            "{} is a form of other edits than {}.diff has now: `txgen rebase` the series onto {base}, or correct and \
             delete its first line",
            record.file.display(),
            patch.name
        );
    }
    Ok(Some(Record::Whole(record)))
}

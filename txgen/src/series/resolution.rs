// SPDX-License-Identifier: GPL-2.0
//! The form that a patch's edits have on another base: bases/BASE/PATCH.diff, and which edits it is a form of.

use anyhow::{Result, bail};

use super::{Patch, Text};
use crate::proof;

/// What starts the line above the first `diff --git` that says which edits it is a form of.
const FORM_OF: &str = "Form-of: ";

/// The edits of a patch, told apart from all others.
fn mark(edits: &str) -> String {
    let mut key = proof::key(&[edits.as_bytes()]);
    key.truncate(16);
    key
}

/// The text of bases/BASE/PATCH.diff: `diff`, as a form of `edits`, the text of PATCH.diff.
pub fn text(diff: &str, edits: &str) -> String {
    format!("{FORM_OF}{}\n{diff}", mark(edits))
}

/// The .diff in the text of bases/BASE/PATCH.diff.
pub fn diff(text: &str) -> &str {
    match text.split_once('\n') {
        Some((first, rest)) if first.starts_with(FORM_OF) => rest,
        _ => text,
    }
}

/// The form of `patch` on `base`, where there is one; an error where it is of other edits than the patch has now.
pub fn find<'a>(patch: &'a Patch, base: &str) -> Result<Option<&'a Text>> {
    let Some(form) = patch.resolutions.get(base) else { return Ok(None) };
    let of = form.text.lines().next().and_then(|line| line.strip_prefix(FORM_OF));
    let edits = patch.diff.as_ref().map_or("", |diff| &diff.text);
    if of.is_some_and(|of| of != mark(edits)) {
        bail!(
            "{} is a form of other edits than {}.diff has now: `txgen rebase` the series onto {base}, or correct and \
             delete its first line",
            form.file.display(),
            patch.name
        );
    }
    Ok(Some(form))
}

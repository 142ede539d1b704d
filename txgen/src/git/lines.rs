// SPDX-License-Identifier: GPL-2.0
//! Three versions of some lines merged by libgit2, with diff3 markers where both sides changed the same ones.

use anyhow::{Context, Result};
use git2::{Buf, FileFavor, MergeFileInput, MergeFileOptions};

/// What a merge of lines came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineMerge {
    /// The merged lines, with markers where they conflict.
    pub bytes: Vec<u8>,
    /// Where they conflict: merged with those in conflict as the side has them that is carried to.
    pub ours: Option<Vec<u8>>,
}

/// What the three sides are called beside the markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// What both sides come from.
    pub base: String,
    /// The side that is carried to.
    pub ours: String,
    /// The side that is carried.
    pub theirs: String,
}

/// Merges the lines of `ours` and `theirs`, both of which come from `base`.
pub fn merge_lines(base: &[u8], ours: &[u8], theirs: &[u8], labels: &Labels) -> Result<LineMerge> {
    if ours == theirs || theirs == base {
        return Ok(LineMerge { bytes: ours.to_vec(), ours: None });
    }
    if ours == base {
        return Ok(LineMerge { bytes: theirs.to_vec(), ours: None });
    }
    // What has no lines at all was removed, and the other side changed it: libgit2 has nothing to say on that.
    if ours.is_empty() || theirs.is_empty() {
        return Ok(LineMerge { bytes: marked(base, ours, theirs, labels), ours: Some(ours.to_vec()) });
    }
    let (bytes, clean) = merge_file([base, ours, theirs], labels, FileFavor::Normal)?;
    let ours = match clean {
        true => None,
        false => Some(merge_file([base, ours, theirs], labels, FileFavor::Ours)?.0),
    };
    Ok(LineMerge { bytes, ours })
}

/// What libgit2 makes of base, ours and theirs, and whether nothing is in conflict.
fn merge_file(sides: [&[u8]; 3], labels: &Labels, favor: FileFavor) -> Result<(Vec<u8>, bool)> {
    // Merging allocates, which libgit2 can only after some call that sets it up; this one does.
    drop(Buf::new());
    let mut options = MergeFileOptions::new();
    options
        .style_diff3(true)
        .favor(favor)
        .ancestor_label(labels.base.as_str())
        .our_label(labels.ours.as_str())
        .their_label(labels.theirs.as_str());
    let [base, ours, theirs] = sides.map(|side| {
        let mut input = MergeFileInput::new();
        input.content(side);
        input
    });
    let merged = git2::merge_file(&base, &ours, &theirs, Some(&mut options)).context("merge lines")?;
    Ok((merged.content().to_vec(), merged.is_automergeable()))
}

/// The three versions side by side, in the form of a conflict.
pub fn marked(base: &[u8], ours: &[u8], theirs: &[u8], labels: &Labels) -> Vec<u8> {
    let mut bytes = format!("<<<<<<< {}\n", labels.ours).into_bytes();
    let mut add = |part: &[u8], closing: String| {
        bytes.extend_from_slice(part);
        if !part.is_empty() && !part.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(closing.as_bytes());
    };
    add(ours, format!("||||||| {}\n", labels.base));
    add(base, "=======\n".to_owned());
    add(theirs, format!(">>>>>>> {}\n", labels.theirs));
    bytes
}

/// The first line, from 1, that a conflict left in `bytes`.
pub fn first_marker(bytes: &[u8]) -> Option<usize> {
    let marks: [&[u8]; 3] = [b"<<<<<<< ", b"||||||| ", b">>>>>>> "];
    bytes.split(|b| *b == b'\n').position(|line| marks.iter().any(|m| line.starts_with(m))).map(|line| line + 1)
}

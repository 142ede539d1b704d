// SPDX-License-Identifier: GPL-2.0
//! Three versions of some lines merged by libgit2, with diff3 markers where both sides changed the same ones.

use anyhow::{Context, Result};
use git2::{Buf, FileFavor, MergeFileInput, MergeFileOptions};

/// What a merge of lines came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineMerge {
    /// The merged lines, with markers where they conflict.
    pub bytes: Vec<u8>,
    /// Whether there are no markers.
    pub clean: bool,
}

/// What the three sides are called beside the markers, if there are to be any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// What both sides come from.
    pub base: String,
    /// The side that is carried to.
    pub ours: String,
    /// The side that is carried.
    pub theirs: String,
    /// What becomes of a conflict.
    pub clash: Clash,
}

/// What becomes of lines in conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clash {
    /// They are marked.
    Mark,
    /// They are as the side has them that is carried to.
    Ours,
}

/// Merges the lines of `ours` and `theirs`, both of which come from `base`.
pub fn merge_lines(base: &[u8], ours: &[u8], theirs: &[u8], labels: &Labels) -> Result<LineMerge> {
    if ours == theirs || theirs == base {
        return Ok(LineMerge { bytes: ours.to_vec(), clean: true });
    }
    if ours == base {
        return Ok(LineMerge { bytes: theirs.to_vec(), clean: true });
    }
    // What has no lines at all was removed, and the other side changed it: libgit2 has nothing to say on that.
    if ours.is_empty() || theirs.is_empty() {
        return Ok(LineMerge { bytes: marked(base, ours, theirs, labels), clean: false });
    }
    // Merging allocates, which libgit2 can only after some call that sets it up; this one does.
    drop(Buf::new());
    let mut options = MergeFileOptions::new();
    options
        .style_diff3(true)
        .ancestor_label(labels.base.as_str())
        .our_label(labels.ours.as_str())
        .their_label(labels.theirs.as_str());
    if labels.clash == Clash::Ours {
        options.favor(FileFavor::Ours);
    }
    let [mut old, mut one, mut two] = [MergeFileInput::new(), MergeFileInput::new(), MergeFileInput::new()];
    old.content(base);
    one.content(ours);
    two.content(theirs);
    let merged = git2::merge_file(&old, &one, &two, Some(&mut options)).context("merge lines")?;
    Ok(LineMerge { bytes: merged.content().to_vec(), clean: merged.is_automergeable() })
}

/// The three versions side by side, in the form of a conflict, or what else becomes of one.
pub fn marked(base: &[u8], ours: &[u8], theirs: &[u8], labels: &Labels) -> Vec<u8> {
    if labels.clash == Clash::Ours {
        return ours.to_vec();
    }
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

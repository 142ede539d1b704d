// SPDX-License-Identifier: GPL-2.0
//! What the slots of the merged file hold: each item merged, with the blank lines before it.

use anyhow::Result;

use super::order::Slot;
use super::split::Piece;
use super::{Merged, Part, Sides, Touched, part};
use crate::git::lines::{Labels, marked};

const REMOVED: &str = "one side removes what the other changes";
const ADDED: &str = "both sides add it, each in its way";

/// One slot's piece in each version.
#[derive(Clone, Copy)]
struct Three<'a> {
    base: Option<&'a Piece<'a>>,
    ours: Option<&'a Piece<'a>>,
    theirs: Option<&'a Piece<'a>>,
}

/// Writes the merged file.
pub(super) fn write(sides: Sides<&[Piece<'_>]>, order: &[Slot], labels: &Labels) -> Result<Merged> {
    let mut merged = Merged::default();
    for slot in order {
        let three = Three {
            base: slot.base.map(|i| &sides.base[i]),
            ours: slot.ours.map(|i| &sides.ours[i]),
            theirs: slot.theirs.map(|i| &sides.theirs[i]),
        };
        let first = slot.base == Some(0) || slot.ours == Some(0) || slot.theirs == Some(0);
        if !merged.bytes.is_empty() || slot.base == Some(0) {
            let gap = gap(three);
            let parted = !gap.is_empty() || merged.bytes.is_empty() || !first;
            push(&mut merged, if parted { gap } else { "\n" }.as_bytes(), None);
        }
        text(three, labels, &mut merged)?;
    }
    Ok(merged)
}

/// Adds to the merged file, and to what it is without `theirs` where that is something else.
fn push(merged: &mut Merged, bytes: &[u8], without: Option<&[u8]>) {
    if without.is_some() && merged.ours.is_none() {
        merged.ours = Some(merged.bytes.clone());
    }
    if let Some(ours) = &mut merged.ours {
        ours.extend_from_slice(without.unwrap_or(bytes));
    }
    merged.bytes.extend_from_slice(bytes);
}

fn text(three: Three<'_>, labels: &Labels, merged: &mut Merged) -> Result<()> {
    let text = |piece: Option<&Piece<'_>>| piece.map_or("", |piece| piece.text).to_owned();
    let (base, ours, theirs) = (text(three.base), text(three.ours), text(three.theirs));
    let is_one_sided = three.base.is_none() && (three.ours.is_none() || three.theirs.is_none());
    if is_one_sided || ours == theirs || theirs == base || ours == base {
        let is_theirs = if is_one_sided { three.ours.is_none() } else { ours == base };
        push(merged, if is_theirs { &theirs } else { &ours }.as_bytes(), None);
        return Ok(());
    }
    let part = match three {
        Three { base: Some(_), ours: Some(_), theirs: Some(_) } => {
            part(Sides { base: &base, ours: &ours, theirs: &theirs }, labels)?
        }
        _ => Part {
            bytes: marked(base.as_bytes(), ours.as_bytes(), theirs.as_bytes(), labels),
            ours: Some(ours.clone().into_bytes()),
            clash: Some(if three.base.is_none() { ADDED } else { REMOVED }),
        },
    };
    push(merged, &part.bytes, part.ours.as_deref());
    let item = three.base.or(three.ours).or(three.theirs).map(Piece::name).unwrap_or_default();
    merged.touched.push(Touched { item, base, ours, theirs, clash: part.clash });
    Ok(())
}

/// The blank lines before a piece: those of the side that changed them, else the more.
fn gap<'a>(three: Three<'a>) -> &'a str {
    let gap = |piece: Option<&'a Piece<'a>>| piece.map(|piece| piece.gap);
    match (gap(three.base), gap(three.ours), gap(three.theirs)) {
        (Some(base), Some(ours), Some(theirs)) if ours == base => theirs,
        (Some(base), Some(ours), Some(theirs)) if theirs == base => ours,
        (_, Some(ours), Some(theirs)) => std::cmp::max_by_key(ours, theirs, |gap| gap.len()),
        (_, one, other) => one.or(other).unwrap_or_default(),
    }
}

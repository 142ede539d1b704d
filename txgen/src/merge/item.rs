// SPDX-License-Identifier: GPL-2.0
//! What the slots of the merged file hold: each item merged, with the blank lines before it.

use anyhow::Result;

use super::order::Slot;
use super::split::Piece;
use super::{Merged, Sides, Touched, part};
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
    let mut merged = Merged { bytes: Vec::new(), touched: Vec::new(), by_lines: None, left_out: Vec::new() };
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
            merged.bytes.extend_from_slice(if parted { gap } else { "\n" }.as_bytes());
        }
        let text = text(three, labels, &mut merged)?;
        merged.bytes.extend_from_slice(&text);
    }
    Ok(merged)
}

fn text(three: Three<'_>, labels: &Labels, merged: &mut Merged) -> Result<Vec<u8>> {
    let text = |piece: Option<&Piece<'_>>| piece.map_or("", |piece| piece.text).to_owned();
    let (base, ours, theirs) = (text(three.base), text(three.ours), text(three.theirs));
    let name = || three.base.or(three.ours).or(three.theirs).map(Piece::name).unwrap_or_default();
    let clash = match (three.base, three.ours, three.theirs) {
        (None, Some(_), None) => return Ok(ours.into_bytes()),
        (None, None, Some(_)) => return Ok(theirs.into_bytes()),
        _ if ours == theirs || theirs == base => return Ok(ours.into_bytes()),
        _ if ours == base => return Ok(theirs.into_bytes()),
        (Some(_), Some(_), Some(_)) => {
            let part = part(Sides { base: &base, ours: &ours, theirs: &theirs }, labels)?;
            merged.touched.push(Touched { item: name(), base, ours, theirs, clash: part.clash });
            return Ok(part.bytes);
        }
        (None, ..) => ADDED,
        (Some(_), ..) => REMOVED,
    };
    let bytes = marked(base.as_bytes(), ours.as_bytes(), theirs.as_bytes(), labels);
    merged.touched.push(Touched { item: name(), base, ours, theirs, clash: Some(clash) });
    Ok(bytes)
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

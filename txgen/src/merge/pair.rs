// SPDX-License-Identifier: GPL-2.0
//! Which piece of a side is which piece of the base: by name in order, by name elsewhere, by likeness.

use std::collections::BTreeMap;

use similar::{Algorithm, DiffTag, TextDiff, capture_diff_slices};

use super::split::Piece;
use crate::slice::DIRECTIVE;

/// How like a piece that was renamed has to be to what it was.
const LIKE: f32 = 0.6;
/// Beyond this many comparisons of text nothing is taken for renamed.
const MOST: usize = 2_000;

/// For each piece of `base` the index of the same one in `side`, if it is there.
pub(super) fn pair(base: &[Piece<'_>], side: &[Piece<'_>]) -> Vec<Option<usize>> {
    let mut pairs = vec![None; base.len()];
    let mut taken = vec![false; side.len()];
    let (old, new) = (base.iter().map(Piece::key).collect::<Vec<_>>(), side.iter().map(Piece::key).collect::<Vec<_>>());
    for op in capture_diff_slices(Algorithm::Patience, &old, &new) {
        let (from, to) = (op.old_range(), op.new_range());
        if op.tag() == DiffTag::Equal {
            for (i, j) in from.zip(to) {
                (pairs[i], taken[j]) = (Some(j), true);
            }
        } else {
            changed_condition(base, side, from, to, &mut pairs, &mut taken);
        }
    }
    moved(base, side, &mut pairs, &mut taken);
    renamed(base, side, &mut pairs, &mut taken);
    pairs
}

/// Pairs the one directive that went with the one that came at its place: its condition changed.
fn changed_condition(
    base: &[Piece<'_>],
    side: &[Piece<'_>],
    from: std::ops::Range<usize>,
    to: std::ops::Range<usize>,
    pairs: &mut [Option<usize>],
    taken: &mut [bool],
) {
    let old = from.filter(|i| base[*i].kind == DIRECTIVE).collect::<Vec<_>>();
    let new = to.filter(|j| side[*j].kind == DIRECTIVE).collect::<Vec<_>>();
    if let ([i], [j]) = (old.as_slice(), new.as_slice()) {
        (pairs[*i], taken[*j]) = (Some(*j), true);
    }
}

fn moved(base: &[Piece<'_>], side: &[Piece<'_>], pairs: &mut [Option<usize>], taken: &mut [bool]) {
    for i in 0..base.len() {
        if pairs[i].is_none() && base[i].kind != DIRECTIVE {
            let at = (0..side.len()).find(|j| !taken[*j] && side[*j].key() == base[i].key());
            if let Some(j) = at {
                (pairs[i], taken[j]) = (Some(j), true);
            }
        }
    }
}

fn renamed(base: &[Piece<'_>], side: &[Piece<'_>], pairs: &mut [Option<usize>], taken: &mut [bool]) {
    let old = (0..base.len()).filter(|i| pairs[*i].is_none() && base[*i].kind != DIRECTIVE).collect::<Vec<_>>();
    let new = (0..side.len()).filter(|j| !taken[*j] && side[*j].kind != DIRECTIVE).collect::<Vec<_>>();
    if old.len() * new.len() > MOST {
        return;
    }
    let mut candidates = Vec::new();
    for i in old {
        for j in new.iter().copied() {
            if let Some(ratio) = likeness(&base[i], &side[j]) {
                candidates.push((ratio, i, j));
            }
        }
    }
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    for (_, i, j) in candidates {
        if pairs[i].is_none() && !taken[j] {
            (pairs[i], taken[j]) = (Some(j), true);
        }
    }
}

/// How like two pieces are, where they may be the same one: of one kind and alike, or with a name in common.
fn likeness(old: &Piece<'_>, new: &Piece<'_>) -> Option<f32> {
    let (short, long) = (old.text.len().min(new.text.len()), old.text.len().max(new.text.len()));
    if old.kind != new.kind || old.kind == "preproc_include" || short * 4 < long {
        return None;
    }
    // EXPORT_SYMBOL and its like are in many pieces.
    let common = old.names.intersection(&new.names).any(|name| name.contains(|c: char| c.is_ascii_lowercase()));
    let least = if common { LIKE / 2.0 } else { LIKE };
    if most_like(old.text, new.text) < least {
        return None;
    }
    let ratio = TextDiff::from_lines(old.text, new.text).ratio();
    (ratio >= least).then_some(ratio)
}

/// What the ratio of two texts is at most: that of the same lines in the best order.
fn most_like(old: &str, new: &str) -> f32 {
    let mut counts = BTreeMap::<&str, [usize; 2]>::new();
    for (side, text) in [old, new].into_iter().enumerate() {
        text.lines().for_each(|line| counts.entry(line).or_default()[side] += 1);
    }
    let common = counts.values().map(|[old, new]| old.min(new)).sum::<usize>();
    let all = counts.values().flatten().sum::<usize>();
    2.0 * common as f32 / all.max(1) as f32
}

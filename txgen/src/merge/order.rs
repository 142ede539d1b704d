// SPDX-License-Identifier: GPL-2.0
//! Which pieces the merged file has, and in which order; not what is in them.

use std::collections::{BTreeMap, BTreeSet};

use super::Sides;
use super::pair::pair;
use super::split::Piece;
use crate::slice::DIRECTIVE;

/// A place in the merged file: the piece that each version has for it, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) base: Option<usize>,
    pub(super) ours: Option<usize>,
    pub(super) theirs: Option<usize>,
}

type Pairs = Vec<Option<usize>>;

/// What the merged file is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    /// Its places, first to last.
    pub(super) slots: Vec<Slot>,
    /// Optional items that `theirs` changes and that have no place, as `ours` lacks them.
    pub(super) left_out: Vec<String>,
}

/// The slots in order; `None` where both sides moved pieces about, and not to the same order.
pub(super) fn merge_order(sides: Sides<&[Piece<'_>]>, optional: &[&str]) -> Option<Order> {
    let (ours, theirs) = (pair(sides.base, sides.ours), pair(sides.base, sides.theirs));
    let named = |i: usize| optional.iter().find(|name| sides.base[i].names.contains(**name));
    let mut kept = (0..sides.base.len()).filter(|i| survives(*i, sides, &ours, &theirs)).collect::<Vec<_>>();
    let without = kept.iter().filter(|i| ours[**i].is_none()).filter_map(|i| named(*i)).map(|name| (*name).to_owned());
    let left_out = without.collect();
    kept.retain(|i| ours[*i].is_some() || named(*i).is_none());
    let sequence = sequence(&kept, &ours, &theirs)?;
    let place = sequence.iter().enumerate().map(|(at, i)| (*i, at)).collect::<BTreeMap<_, _>>();
    let mut groups = Groups::new(sides, &place, &ours, &theirs);
    let mut slots = groups.take(None);
    for i in sequence {
        slots.push(Slot { base: Some(i), ours: ours[i], theirs: theirs[i] });
        slots.extend(groups.take(Some(place[&i])));
    }
    Some(Order { slots, left_out })
}

/// Whether a piece stays: one that a side removed does where the other changed it, to be in conflict.
fn survives(i: usize, sides: Sides<&[Piece<'_>]>, ours: &Pairs, theirs: &Pairs) -> bool {
    let text = sides.base[i].text;
    match (ours[i], theirs[i]) {
        (Some(_), Some(_)) => true,
        (Some(j), None) => sides.ours[j].text != text,
        (None, Some(j)) => sides.theirs[j].text != text,
        (None, None) => false,
    }
}

/// The pieces that stay, in the order of the side that has another one than the base.
fn sequence(kept: &[usize], ours: &Pairs, theirs: &Pairs) -> Option<Vec<usize>> {
    let (ours, theirs) = (reordered(kept, ours), reordered(kept, theirs));
    match (ours == kept, theirs == kept) {
        (_, true) => Some(ours),
        (true, false) => Some(theirs),
        (false, false) => (ours == theirs).then_some(ours),
    }
}

fn reordered(kept: &[usize], pairs: &Pairs) -> Vec<usize> {
    let mut present = kept.iter().copied().filter(|i| pairs[*i].is_some()).collect::<Vec<_>>();
    present.sort_by_key(|i| pairs[*i]);
    // What the side removed stays behind the piece it was behind.
    let mut before = None;
    for i in kept {
        if pairs[*i].is_none() {
            let at = before.and_then(|b| present.iter().position(|p| *p == b)).map_or(0, |at| at + 1);
            present.insert(at, *i);
        }
        before = Some(*i);
    }
    present
}

/// Pieces that a side adds, by the place of the piece they follow.
struct Groups<'a> {
    sides: Sides<&'a [Piece<'a>]>,
    ours: BTreeMap<Option<usize>, Vec<usize>>,
    theirs: BTreeMap<Option<usize>, Vec<usize>>,
    /// What both sides add: of theirs, by the index of ours.
    twins: BTreeMap<usize, usize>,
}

impl<'a> Groups<'a> {
    fn new(sides: Sides<&'a [Piece<'a>]>, place: &BTreeMap<usize, usize>, ours: &Pairs, theirs: &Pairs) -> Self {
        let (mut ours, mut theirs) = (added(sides.ours, ours, place), added(sides.theirs, theirs, place));
        let mut twins = BTreeMap::new();
        let mut used = BTreeSet::new();
        for (at, i) in flat(&ours) {
            let same = |j: &usize| sides.ours[i].key() == sides.theirs[*j].key() && !used.contains(j);
            let is_named = sides.ours[i].kind != DIRECTIVE;
            let Some((their_at, j)) = flat(&theirs).into_iter().find(|(_, j)| is_named && same(j)) else { continue };
            used.insert(j);
            twins.insert(i, j);
            // Added at two places, it goes to the first of them.
            if at < their_at {
                theirs.entry(their_at).or_default().retain(|k| *k != j);
                theirs.entry(at).or_default().push(j);
            } else if their_at < at {
                ours.entry(at).or_default().retain(|k| *k != i);
                ours.entry(their_at).or_default().push(i);
            }
        }
        Self { sides, ours, theirs, twins }
    }

    /// What is added at a place: common pieces in their order, and between them those of both sides by name.
    fn take(&mut self, at: Option<usize>) -> Vec<Slot> {
        let ours = self.ours.remove(&at).unwrap_or_default();
        let mut theirs = self.theirs.remove(&at).unwrap_or_default();
        let mut slots = Vec::new();
        let mut waiting = Vec::new();
        for i in ours {
            let twin = self.twins.get(&i).copied();
            if let Some(cut) = twin.and_then(|j| theirs.iter().position(|k| *k == j)) {
                let rest = theirs.split_off(cut + 1);
                theirs.pop();
                self.side_by_side(&waiting, &theirs, &mut slots);
                slots.push(Slot { base: None, ours: Some(i), theirs: twin });
                (waiting, theirs) = (Vec::new(), rest);
            } else if twin.is_none() {
                waiting.push(i);
            }
        }
        let is_twin = |j: &usize| self.twins.values().any(|twin| twin == j);
        theirs.retain(|j| !is_twin(j));
        self.side_by_side(&waiting, &theirs, &mut slots);
        slots
    }

    fn side_by_side(&self, ours: &[usize], theirs: &[usize], to: &mut Vec<Slot>) {
        let ours_first = match (ours.first(), theirs.first()) {
            (Some(i), Some(j)) => rank(&self.sides.ours[*i]) <= rank(&self.sides.theirs[*j]),
            _ => true,
        };
        let ours = ours.iter().map(|i| Slot { base: None, ours: Some(*i), theirs: None });
        let theirs = theirs.iter().map(|j| Slot { base: None, ours: None, theirs: Some(*j) });
        if ours_first { to.extend(ours.chain(theirs)) } else { to.extend(theirs.chain(ours)) }
    }
}

/// What decides which of two sides' additions comes first: an #endif closes what is before it, the end is last.
fn rank<'a>(piece: &'a Piece<'_>) -> (u8, &'a str) {
    let closes = piece.kind == DIRECTIVE && piece.names.iter().any(|name| name.contains(" of "));
    let class = if closes { 0 } else { 1 + u8::from(piece.kind == "end") };
    (class, piece.text)
}

/// The pieces of a side that the base does not have, by the place of the last one before that it has.
fn added(side: &[Piece<'_>], pairs: &Pairs, place: &BTreeMap<usize, usize>) -> BTreeMap<Option<usize>, Vec<usize>> {
    let of = pairs.iter().enumerate().filter_map(|(i, j)| Some(((*j)?, i))).collect::<BTreeMap<_, _>>();
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    let mut anchor = None;
    for j in 0..side.len() {
        match of.get(&j) {
            Some(i) => anchor = place.get(i).copied().or(anchor),
            None => groups.entry(anchor).or_default().push(j),
        }
    }
    groups
}

fn flat(groups: &BTreeMap<Option<usize>, Vec<usize>>) -> Vec<(Option<usize>, usize)> {
    groups.iter().flat_map(|(at, list)| list.iter().map(move |i| (*at, *i))).collect()
}

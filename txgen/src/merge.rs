// SPDX-License-Identifier: GPL-2.0
//! Three versions of a C file merged item by item.
//!
//! An item that one side changed is taken from that side, wherever the other side moved it. The lines of an item
//! that both sides changed are merged, except that two changes of the same struct, union or enum body always stop:
//! the order of its lines is an interface. A file that is no C is merged by its lines alone. Owns no line merge: that
//! is [`crate::git::lines`].

mod item;
mod order;
mod pair;
mod split;

use anyhow::{Context, Result};

use self::order::Order;
use crate::git::lines::{Labels, LineMerge, marked, merge_lines};
use crate::slice;

/// The three versions of a file, or of a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sides<T> {
    /// What both sides come from.
    pub base: T,
    /// The side that is carried to.
    pub ours: T,
    /// The side that is carried.
    pub theirs: T,
}

/// A file that was merged, or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// What came of it, with diff3 markers where it is in conflict.
    pub bytes: Vec<u8>,
    /// Where it is in conflict: merged with what is in conflict as the side has it that is carried to.
    pub ours: Option<Vec<u8>>,
    /// The items that both sides changed.
    pub touched: Vec<Touched>,
    /// Why the file was merged by its lines alone, where it was.
    pub by_lines: Option<String>,
    /// Items that `ours` lacks, of which what `theirs` changes was left out.
    pub left_out: Vec<String>,
}

/// An item that both sides changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Its name.
    pub item: String,
    /// What both sides come from.
    pub base: String,
    /// What it is where it is carried to.
    pub ours: String,
    /// What the side that is carried makes of it.
    pub theirs: String,
    /// Why it has to be merged by hand, where it was not merged.
    pub clash: Option<&'static str>,
}

impl Touched {
    /// A whole file of which the one side can not go with the other.
    pub fn whole(path: &str, clash: &'static str) -> Self {
        let nothing = String::new;
        Self { item: path.to_owned(), base: nothing(), ours: nothing(), theirs: nothing(), clash: Some(clash) }
    }
}

impl Merged {
    /// What has to be merged by hand.
    pub fn conflicts(&self) -> impl Iterator<Item = &Touched> {
        self.touched.iter().filter(|touched| touched.clash.is_some())
    }
}

const SAME_LINES: &str = "both sides change the same lines";
const BODY: &str = "both sides change the body of a type, whose order is an interface";

/// Merges the file at `path`. What `theirs` changes in items of `optional` is left out where `ours` has no such item.
pub fn merge(path: &str, sides: Sides<&[u8]>, labels: &Labels, optional: &[&str]) -> Result<Merged> {
    let taken = |bytes: &[u8]| Merged { bytes: bytes.to_vec(), ..Merged::default() };
    if sides.ours == sides.theirs || sides.theirs == sides.base {
        return Ok(taken(sides.ours));
    }
    if sides.ours == sides.base {
        return Ok(taken(sides.theirs));
    }
    if [sides.base, sides.ours, sides.theirs].iter().any(|side| side.contains(&0)) {
        let touched = vec![Touched::whole(path, "both sides change a binary file")];
        return Ok(Merged { touched, ours: Some(sides.ours.to_vec()), ..taken(sides.ours) });
    }
    let text = Text::of(sides);
    let texts = Sides { base: text.sides[0].as_str(), ours: &text.sides[1], theirs: &text.sides[2] };
    let mut merged = if slice::has_items(path) {
        match by_items(texts, labels, optional)? {
            Ok(merged) => merged,
            Err(why) => by_lines(path, texts, labels, Some(why))?,
        }
    } else {
        by_lines(path, texts, labels, None)?
    };
    merged.bytes = text.restore(&merged.bytes)?;
    merged.ours = merged.ours.map(|bytes| text.restore(&bytes)).transpose()?;
    Ok(merged)
}

/// Merges item by item; the reason where the items can not be told apart or put in order.
fn by_items(sides: Sides<&str>, labels: &Labels, optional: &[&str]) -> Result<std::result::Result<Merged, String>> {
    let mut split = Vec::new();
    let all = split::split([sides.base, sides.ours, sides.theirs]);
    for (label, pieces) in [&labels.base, &labels.ours, &labels.theirs].into_iter().zip(all) {
        match pieces {
            Ok(pieces) => split.push(pieces),
            Err(why) => return Ok(Err(format!("{label}: {why:#}"))),
        }
    }
    let [base, ours, theirs] = split.as_slice() else { unreachable!("there are three sides") };
    let lists = Sides { base: base.as_slice(), ours, theirs };
    let Some(Order { slots, left_out }) = order::merge_order(lists, optional) else {
        return Ok(Err("both sides put its items in another order".to_owned()));
    };
    let merged = item::write(lists, &slots, labels)?;
    Ok(Ok(Merged { left_out, ..merged }))
}

fn by_lines(path: &str, sides: Sides<&str>, labels: &Labels, why: Option<String>) -> Result<Merged> {
    let Part { bytes, ours: without, clash } = match why {
        Some(_) => part(sides, labels)?,
        // What is no C at all has no types.
        None => lines(sides, labels)?,
    };
    let [base, ours, theirs] = [sides.base, sides.ours, sides.theirs].map(str::to_owned);
    let touched = Touched { item: path.to_owned(), base, ours, theirs, clash };
    Ok(Merged { bytes, ours: without, touched: vec![touched], by_lines: why, left_out: vec![] })
}

/// Some lines that were merged, or why they were not, and what they are then without `theirs`.
struct Part {
    bytes: Vec<u8>,
    ours: Option<Vec<u8>>,
    clash: Option<&'static str>,
}

/// Merges lines; stops at the body of a type that both sides changed.
fn part(sides: Sides<&str>, labels: &Labels) -> Result<Part> {
    let [base, ours, theirs] = [sides.base, sides.ours, sides.theirs].map(str::as_bytes);
    if changes_a_body_twice(sides)? {
        let bytes = marked(base, ours, theirs, labels);
        return Ok(Part { bytes, ours: Some(ours.to_vec()), clash: Some(BODY) });
    }
    lines(sides, labels)
}

fn lines(sides: Sides<&str>, labels: &Labels) -> Result<Part> {
    let [base, ours, theirs] = [sides.base, sides.ours, sides.theirs].map(str::as_bytes);
    let LineMerge { bytes, ours } = merge_lines(base, ours, theirs, labels)?;
    let clash = ours.is_some().then_some(SAME_LINES);
    Ok(Part { bytes, ours, clash })
}

fn changes_a_body_twice(sides: Sides<&str>) -> Result<bool> {
    let texts = [sides.base, sides.ours, sides.theirs];
    // What is the same everywhere can not differ, and need not be parsed to know.
    let texts = slice::unshared(texts).unwrap_or_else(|| texts.map(str::to_owned));
    let [base, ours, theirs] = texts.each_ref().map(|text| slice::bodies(text));
    let (base, ours, theirs) = (base?, ours?, theirs?);
    Ok(base.iter().any(|(tag, body)| {
        let (ours, theirs) = (ours.get(tag), theirs.get(tag));
        ours != Some(body) && theirs != Some(body) && ours != theirs
    }))
}

/// The three sides as text with `\n` line ends, and what it takes to get the bytes back.
struct Text {
    sides: [String; 3],
    utf8: bool,
    crlf: bool,
    last_line_open: bool,
}

impl Text {
    fn of(sides: Sides<&[u8]>) -> Self {
        let all = [sides.base, sides.ours, sides.theirs];
        let utf8 = all.iter().all(|side| std::str::from_utf8(side).is_ok());
        let texts = all.map(|side| match std::str::from_utf8(side) {
            Ok(text) if utf8 => text.to_owned(),
            // Any byte stands for a character and comes back as the same byte.
            _ => side.iter().map(|b| char::from(*b)).collect(),
        });
        let crlf = three_way(texts.each_ref().map(|t| t.contains("\r\n") && !t.replace("\r\n", "").contains('\n')));
        let one_kind = texts.iter().all(|text| text.contains("\r\n")) || texts.iter().all(|t| !t.contains("\r\n"));
        let last_line_open = three_way(texts.each_ref().map(|text| !text.ends_with('\n')));
        let sides = texts.map(|text| {
            let text = if one_kind { text } else { text.replace("\r\n", "\n") };
            if text.ends_with('\n') || text.is_empty() { text } else { text + "\n" }
        });
        Self { sides, utf8, crlf: crlf && !one_kind, last_line_open }
    }

    fn restore(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        let mut text = std::str::from_utf8(bytes).context("a merge of text is text")?.to_owned();
        if self.last_line_open {
            text.truncate(text.trim_end_matches('\n').len());
        }
        if self.crlf {
            text = text.replace('\n', "\r\n");
        }
        if self.utf8 {
            return Ok(text.into_bytes());
        }
        text.chars().map(|c| u8::try_from(u32::from(c)).context("a byte became another")).collect()
    }
}

/// What becomes of a yes or no that each side may have changed.
fn three_way([base, ours, theirs]: [bool; 3]) -> bool {
    if ours == base { theirs } else { ours }
}

#[cfg(test)]
mod tests;

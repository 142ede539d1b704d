// SPDX-License-Identifier: GPL-2.0
//! A C file as a flat list of segments: items, and the directives of conditional blocks on their own.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, bail};

use super::{Block, Node, parse};
use crate::proof;

/// An item, or a directive of a conditional block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// What the grammar calls it; [`DIRECTIVE`] for a directive.
    pub kind: String,
    /// What it can be called by.
    pub names: BTreeSet<String>,
    /// Its lines, from 0, comments before it included.
    pub lines: Range<usize>,
}

/// The kind of `#if`, `#else`, `#endif` and the like.
pub const DIRECTIVE: &str = "directive";

/// Splits C source into segments with nothing but blank lines between them; an error where it is no C.
///
/// What was split once is kept: from patch to patch most versions of a file come again, and parsing a large one takes
/// longer than all the rest of a merge.
pub fn segments(text: &str) -> Result<Arc<Vec<Segment>>> {
    static KNOWN: Mutex<BTreeMap<String, Arc<Vec<Segment>>>> = Mutex::new(BTreeMap::new());
    let key = proof::key(&[text.as_bytes()]);
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(segments) = known().get(&key) {
        return Ok(Arc::clone(segments));
    }
    let segments = Arc::new(split(text)?);
    known().insert(key, Arc::clone(&segments));
    Ok(segments)
}

fn split(text: &str) -> Result<Vec<Segment>> {
    let lines = text.split_inclusive('\n').collect::<Vec<_>>();
    let nodes = parse::nodes(text, &lines)?;
    let mut list = Vec::new();
    flatten(&nodes, &lines, &mut list);
    let mut end = 0;
    for segment in &list {
        let gap = lines.get(end..segment.lines.start);
        let Some(gap) = gap.filter(|_| segment.lines.start < segment.lines.end) else {
            bail!("line {} belongs to two items", segment.lines.start + 1);
        };
        if let Some(stray) = gap.iter().position(|line| !line.trim().is_empty()) {
            bail!("line {} belongs to no item", end + stray + 1);
        }
        // Macros leave a line or two that the grammar has no word for; they are merged as they are.
        if segment.kind == "ERROR" && segment.lines.len() > lines.len() / 4 {
            bail!("lines {} to {} are no C", segment.lines.start + 1, segment.lines.end);
        }
        end = segment.lines.end;
    }
    if let Some(stray) = lines.get(end..).unwrap_or_default().iter().position(|line| !line.trim().is_empty()) {
        bail!("line {} belongs to no item", end + stray + 1);
    }
    Ok(list)
}

fn flatten(nodes: &[Node], lines: &[&str], to: &mut Vec<Segment>) {
    for node in nodes {
        match node {
            Node::Item(item) => {
                to.push(Segment { kind: item.kind.clone(), names: item.names.clone(), lines: item.lines.clone() });
            }
            Node::Block(block) => directives(block, lines, to),
        }
    }
}

fn directives(block: &Block, lines: &[&str], to: &mut Vec<Segment>) {
    let mut condition = String::new();
    for (index, (range, nodes)) in block.branches.iter().enumerate() {
        let text = directive_text(range, lines);
        let name = if index == 0 { text.clone() } else { format!("{text} of {condition}") };
        if index == 0 {
            condition = text;
        }
        to.push(directive(name, range));
        flatten(nodes, lines, to);
    }
    to.push(directive(format!("#endif of {condition}"), &block.close));
}

fn directive(name: String, lines: &Range<usize>) -> Segment {
    Segment { kind: DIRECTIVE.to_owned(), names: BTreeSet::from([name]), lines: lines.clone() }
}

/// The directive without the comments before it, in one line.
fn directive_text(range: &Range<usize>, lines: &[&str]) -> String {
    let lines = lines.get(range.clone()).unwrap_or_default();
    let from = lines.iter().position(|line| line.trim_start().starts_with('#')).unwrap_or(0);
    lines[from..].concat().split_whitespace().collect::<Vec<_>>().join(" ")
}

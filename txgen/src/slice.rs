// SPDX-License-Identifier: GPL-2.0
//! Which top-level items a C file has, and the file as it is while some of them are not born yet.
//!
//! An item is a function, type, variable, macro, include or macro call with the comment before it and the
//! EXPORT_SYMBOL after it. Conditional blocks are no items: their lines stay as long as something in them does.
//! So one readable final file stands for all its steps.

pub mod calls;
mod chunks;
mod parse;
mod segments;
pub mod uses;

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::{Result, bail};

pub use parse::bodies::bodies;
pub use segments::{DIRECTIVE, Segment, segments, unshared};

/// A top-level item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What the grammar calls it, such as `function_definition`.
    pub kind: String,
    /// What it can be called by; an item without names is always there.
    pub names: BTreeSet<String>,
    /// Its lines, from 0, comments before it included.
    pub lines: Range<usize>,
    /// The entries of its initialiser that have lines of their own.
    entries: Vec<Entry>,
}

/// An entry of a table, such as `KUNIT_CASE(test_foo),`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    lines: Range<usize>,
    mentions: BTreeSet<String>,
}

/// An item, or a conditional block with items in it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Item(Item),
    Block(Block),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    /// `#if`, `#elif` and `#else` lines (a comment before the first included), and what is below each.
    branches: Vec<(Range<usize>, Vec<Node>)>,
    /// The `#endif` line.
    close: Range<usize>,
}

impl Node {
    fn lines(&self) -> Range<usize> {
        match self {
            Self::Item(item) => item.lines.clone(),
            Self::Block(block) => {
                let start = block.branches.first().map_or(block.close.start, |(lines, _)| lines.start);
                start..block.close.end
            }
        }
    }
}

/// A C file split into its items.
#[derive(Debug)]
pub struct Sliced<'a> {
    lines: Vec<&'a str>,
    nodes: Vec<Node>,
}

/// Whether the file at `path` can be split into items; any other file is born whole.
pub fn has_items(path: &str) -> bool {
    path.ends_with(".c") || path.ends_with(".h")
}

/// The items of C source `text`, in their order.
pub fn items(text: &str) -> Result<Vec<Item>> {
    Ok(slice(text)?.items().into_iter().cloned().collect())
}

/// Splits C source into its items; an error where not every line is accounted for.
pub fn slice(text: &str) -> Result<Sliced<'_>> {
    let lines = text.split_inclusive('\n').collect::<Vec<_>>();
    let nodes = parse::nodes(text, &lines, true)?;
    let sliced = Sliced { lines, nodes };
    if let Some(line) = sliced.first_difference() {
        bail!("line {line} belongs to no item: the C parser does not understand the code around it");
    }
    Ok(sliced)
}

impl<'a> Sliced<'a> {
    /// The items, in their order.
    pub fn items(&self) -> Vec<&Item> {
        fn collect<'n>(nodes: &'n [Node], to: &mut Vec<&'n Item>) {
            for node in nodes {
                match node {
                    Node::Item(item) => to.push(item),
                    Node::Block(block) => block.branches.iter().for_each(|(_, nodes)| collect(nodes, to)),
                }
            }
        }
        let mut all = Vec::new();
        collect(&self.nodes, &mut all);
        all
    }

    /// The first line, from 1, that is lost when every item is kept.
    fn first_difference(&self) -> Option<usize> {
        let kept = self.keep(|_| true);
        let kept = kept.split_inclusive('\n').collect::<Vec<_>>();
        let same = self.lines.iter().zip(&kept).take_while(|(a, b)| a == b).count();
        (same < self.lines.len().max(kept.len())).then_some(same + 1)
    }

    /// The file with just the items for which `born` is true, and the tables' entries that mention no other item.
    pub fn keep(&self, born: impl Fn(&Item) -> bool) -> String {
        let (kept, cut) = self.items().into_iter().partition::<Vec<_>, _>(|item| born(item));
        let here = kept.iter().flat_map(|item| &item.names).collect::<BTreeSet<_>>();
        let missing = cut.iter().flat_map(|item| &item.names).filter(|name| !here.contains(name)).cloned().collect();
        let keeper = Keeper { sliced: self, born: &born, missing };
        let mut text = String::new();
        keeper.list(&self.nodes, 0..self.lines.len(), &mut text);
        text
    }
}

struct Keeper<'s, 'a, F: Fn(&Item) -> bool> {
    sliced: &'s Sliced<'a>,
    born: &'s F,
    missing: BTreeSet<String>,
}

impl<F: Fn(&Item) -> bool> Keeper<'_, '_, F> {
    fn alive(&self, node: &Node) -> bool {
        match node {
            Node::Item(item) => (self.born)(item),
            Node::Block(block) => block.branches.iter().flat_map(|(_, nodes)| nodes).any(|node| self.alive(node)),
        }
    }

    /// Writes the nodes that are alive, with the blank lines a hand would leave: after the opening line as many
    /// as the first node had, before the closing one as many as the last had, and the most there were in between.
    fn list(&self, nodes: &[Node], within: Range<usize>, to: &mut String) {
        let mut gaps = Vec::new();
        let mut end = within.start;
        for node in nodes {
            gaps.push(end..node.lines().start);
            end = node.lines().end;
        }
        let mut last = None;
        for (index, node) in nodes.iter().enumerate().filter(|(_, node)| self.alive(node)) {
            let candidates = match last {
                None => &gaps[..1],
                Some(last) => &gaps[last + 1..=index],
            };
            if let Some(gap) = candidates.iter().max_by_key(|gap| gap.len()) {
                self.lines(gap.clone(), to);
            }
            self.node(node, to);
            last = Some(index);
        }
        self.lines(end..within.end, to);
    }

    fn node(&self, node: &Node, to: &mut String) {
        match node {
            Node::Item(item) => self.item(item, to),
            Node::Block(block) => {
                for (index, (directive, nodes)) in block.branches.iter().enumerate() {
                    let end = block.branches.get(index + 1).map_or(block.close.start, |(next, _)| next.start);
                    if index == 0 || nodes.is_empty() || nodes.iter().any(|node| self.alive(node)) {
                        self.lines(directive.clone(), to);
                        self.list(nodes, directive.end..end, to);
                    }
                }
                self.lines(block.close.clone(), to);
            }
        }
    }

    fn item(&self, item: &Item, to: &mut String) {
        let mut next = item.lines.start;
        for entry in item.entries.iter().filter(|entry| !entry.mentions.is_disjoint(&self.missing)) {
            self.lines(next..entry.lines.start, to);
            next = entry.lines.end;
        }
        self.lines(next..item.lines.end, to);
    }

    fn lines(&self, range: Range<usize>, to: &mut String) {
        self.sliced.lines.get(range).unwrap_or_default().iter().for_each(|line| to.push_str(line));
    }
}

#[cfg(test)]
mod tests;

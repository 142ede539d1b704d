// SPDX-License-Identifier: GPL-2.0
//! C source to syntax tree and to items; with its sibling `uses` the only user of tree-sitter.

pub(super) mod bodies;

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::{Context, Result};
use tree_sitter::{Node as Syntax, Parser, Tree};

use super::{Block, Entry, Item, Node};

/// The syntax tree of C source.
pub(super) fn tree(text: &str) -> Result<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_c::LANGUAGE.into()).context("load the C grammar")?;
    parser.parse(text, None).context("parse C source")
}

/// Splits C source into items and conditional blocks; `is_file` says whether it is the start of a file.
pub(super) fn nodes(text: &str, lines: &[&str], is_file: bool) -> Result<Vec<Node>> {
    let tree = tree(text)?;
    let root = tree.root_node();
    let mut builder = Builder { text, lines, nodes: Vec::new(), comments: None, is_file };
    builder.add_all(&mut root.children(&mut root.walk()));
    Ok(builder.finish())
}

/// The lines of a syntax node.
fn lines_of(syntax: Syntax<'_>) -> Range<usize> {
    let (start, end) = (syntax.start_position(), syntax.end_position());
    // A directive ends where the next line begins.
    let last = if end.column == 0 && end.row > start.row { end.row } else { end.row + 1 };
    start.row..last
}

struct Builder<'a> {
    text: &'a str,
    lines: &'a [&'a str],
    nodes: Vec<Node>,
    /// Comments that wait for the item they belong to.
    comments: Option<Range<usize>>,
    is_file: bool,
}

impl<'a> Builder<'a> {
    fn below(&self) -> Self {
        Self { text: self.text, lines: self.lines, nodes: Vec::new(), comments: None, is_file: false }
    }

    fn add_all(&mut self, children: &mut dyn Iterator<Item = Syntax<'_>>) {
        for child in children {
            self.add(child);
        }
    }

    fn add(&mut self, syntax: Syntax<'_>) {
        let lines = lines_of(syntax);
        if syntax.kind().starts_with("preproc_if") {
            return self.block(syntax, lines);
        }
        if syntax.kind() == "comment" && self.last_end() <= lines.start {
            return self.comment(lines);
        }
        let mut names = BTreeSet::new();
        collect_names(syntax, self.text, &mut names);
        let mut entries = Vec::new();
        collect_entries(syntax, self.text, &mut entries);
        self.item(Item { kind: syntax.kind().to_owned(), names, lines, entries });
    }

    fn last_end(&self) -> usize {
        self.nodes.last().map_or(0, |node| node.lines().end)
    }

    fn comment(&mut self, lines: Range<usize>) {
        let first = self.nodes.is_empty() && self.is_file;
        match self.comments.take() {
            // What stands at the top of the file, apart from the first item, is about the file.
            Some(before) if first && before.end < lines.start => {
                self.push(before);
                self.comments = Some(lines);
            }
            Some(before) => self.comments = Some(before.start..lines.end),
            None => self.comments = Some(lines),
        }
    }

    fn push(&mut self, lines: Range<usize>) {
        let (names, entries) = (BTreeSet::new(), Vec::new());
        self.nodes.push(Node::Item(Item { kind: "comment".to_owned(), names, lines, entries }));
    }

    /// Takes the waiting comments for what starts at line `start`; returns where it starts with them.
    fn take_comments(&mut self, start: usize) -> usize {
        let first = self.nodes.is_empty() && self.is_file;
        match self.comments.take() {
            Some(before) if first && before.end < start => {
                self.push(before);
                start
            }
            Some(before) => before.start,
            None => start,
        }
    }

    fn item(&mut self, mut item: Item) {
        let start = item.lines.start;
        let follows = self.comments.is_none() && (start < self.last_end() || self.is_about_last(&item));
        if let Some(Node::Item(last)) = self.nodes.last_mut().filter(|_| follows) {
            last.lines.end = last.lines.end.max(item.lines.end);
            last.names.append(&mut item.names);
            last.entries.append(&mut item.entries);
            return;
        }
        if let Some(Node::Block(last)) = self.nodes.last_mut().filter(|_| start < item.lines.end && follows) {
            // A comment after #endif.
            last.close.end = last.close.end.max(item.lines.end);
            return;
        }
        item.lines.start = self.take_comments(start);
        self.nodes.push(Node::Item(item));
    }

    /// Whether a macro call is about the item right before it: `EXPORT_SYMBOL(f);`, `module_init(f);`.
    fn is_about_last(&self, item: &Item) -> bool {
        let Some(Node::Item(last)) = self.nodes.last() else { return false };
        let Some(argument) = item.names.iter().find_map(|n| n.split_once('(')?.1.strip_suffix(')')) else {
            return false;
        };
        last.lines.end == item.lines.start && last.names.contains(argument)
    }

    fn block(&mut self, syntax: Syntax<'_>, lines: Range<usize>) {
        let start = self.take_comments(lines.start);
        // The last line is that of #endif, whatever the node's end says about the line break after it.
        let end = (lines.start..lines.end)
            .rev()
            .find(|n| self.lines.get(*n).is_some_and(|line| line.trim_start().starts_with('#')))
            .unwrap_or(lines.end - 1);
        let mut block = Block { branches: Vec::new(), close: end..lines.end };
        self.branch(syntax, start, &mut block);
        self.nodes.push(Node::Block(block));
    }

    /// Adds the branch of directive `syntax` and, after it, its #elif and #else.
    fn branch(&self, syntax: Syntax<'_>, start: usize, block: &mut Block) {
        let mut below = self.below();
        let mut first = syntax.start_position().row;
        // A condition can go over several lines.
        while self.lines.get(first).is_some_and(|line| line.trim_end().ends_with('\\')) {
            first += 1;
        }
        let directive = start..first + 1;
        let mut alternative = None;
        for child in syntax.children(&mut syntax.walk()) {
            match child.kind() {
                "preproc_else" | "preproc_elif" | "preproc_elifdef" => alternative = Some(child),
                "comment" if child.start_position().row < directive.end => {}
                _ if child.start_position().row < directive.end || child.kind().starts_with('#') => {}
                _ => below.add(child),
            }
        }
        block.branches.push((directive, below.finish()));
        if let Some(next) = alternative {
            self.branch(next, next.start_position().row, block);
        }
    }

    fn finish(mut self) -> Vec<Node> {
        if let Some(lines) = self.comments.take() {
            self.push(lines);
        }
        self.nodes
    }
}

/// Parts of an item that say nothing about its name.
const INNER: &[&str] = &[
    "argument_list",
    "comment",
    "compound_statement",
    "field_declaration_list",
    "initializer_list",
    "parameter_list",
    "preproc_arg",
    "preproc_params",
];

/// Collects what an item can be called by.
fn collect_names(syntax: Syntax<'_>, text: &str, names: &mut BTreeSet<String>) {
    let word = |node: Syntax<'_>| text[node.byte_range()].split_whitespace().collect::<Vec<_>>().join(" ");
    match syntax.kind() {
        kind if INNER.contains(&kind) => return,
        "identifier" => drop(names.insert(word(syntax))),
        "type_identifier" if defines_type(syntax) => drop(names.insert(word(syntax))),
        "preproc_include" => {
            let path = syntax.child_by_field_name("path").map(word);
            names.extend(path);
            return;
        }
        "call_expression" | "macro_type_specifier" => drop(names.insert(word(syntax))),
        _ => {}
    }
    for child in syntax.children(&mut syntax.walk()) {
        let is_value = syntax.kind() == "init_declarator" && syntax.child_by_field_name("value") == Some(child);
        let is_size = syntax.child_by_field_name("size") == Some(child);
        if !is_value && !is_size {
            collect_names(child, text, names);
        }
    }
}

/// Whether a type's name is here because the type is defined, not used.
fn defines_type(name: Syntax<'_>) -> bool {
    let Some(parent) = name.parent() else { return false };
    match parent.kind() {
        "struct_specifier" | "union_specifier" | "enum_specifier" => parent.child_by_field_name("body").is_some(),
        "type_definition" => parent.child_by_field_name("declarator") == Some(name),
        kind => kind.ends_with("_declarator"),
    }
}

/// Collects the entries of the outermost initialiser that have lines of their own.
fn collect_entries(syntax: Syntax<'_>, text: &str, entries: &mut Vec<Entry>) {
    if syntax.kind() == "compound_statement" {
        return;
    }
    if syntax.kind() != "initializer_list" {
        for child in syntax.children(&mut syntax.walk()) {
            collect_entries(child, text, entries);
        }
        return;
    }
    let brace = lines_of(syntax);
    for child in syntax.named_children(&mut syntax.walk()) {
        let lines = lines_of(child);
        let alone = lines.start > brace.start && lines.end < brace.end;
        let shared = entries.last().is_some_and(|last: &Entry| last.lines.end > lines.start);
        let mut mentions = BTreeSet::new();
        collect_words(child, text, &mut mentions);
        match entries.last_mut().filter(|_| shared) {
            Some(last) => {
                last.lines.end = last.lines.end.max(lines.end);
                last.mentions.append(&mut mentions);
            }
            None if alone && child.kind() != "comment" => entries.push(Entry { lines, mentions }),
            None => {}
        }
    }
}

fn collect_words(syntax: Syntax<'_>, text: &str, words: &mut BTreeSet<String>) {
    if syntax.kind().ends_with("identifier") && syntax.kind() != "field_identifier" {
        words.insert(text[syntax.byte_range()].to_owned());
    }
    for child in syntax.children(&mut syntax.walk()) {
        collect_words(child, text, words);
    }
}

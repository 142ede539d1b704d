// SPDX-License-Identifier: GPL-2.0
//! Where C source uses certain names, and in which function each use is.
//!
//! A use is looked for by its bytes and then judged by the syntax around it, so code that the parser does not
//! understand (a macro that opens a block, the body of a `#define`) hides none.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::Result;
use tree_sitter::Node as Syntax;

use super::parse;

/// A name to look for, and where it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The identifier.
    pub word: String,
    /// What it has to be.
    pub role: Role,
    /// If not empty: the function around it mentions one of these words.
    pub beside: Vec<String>,
}

/// What a name has to be in order to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// A function or macro: called, or named in order to be called.
    Call,
    /// A member of an object that goes by one of these names: `frag->netmem`, `frags[i].netmem`.
    MemberOf(Vec<String>),
    /// A type that something with one of these words in it is cast to.
    CastOf(Vec<String>),
}

/// One use of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Which name: an index into those asked for.
    pub name: usize,
    /// The function or macro around it; empty outside of all.
    pub function: String,
    /// Its line, from 1.
    pub line: u32,
}

/// A C file with the functions and macros it defines.
#[derive(Debug)]
struct Source<'a> {
    text: &'a str,
    /// By where they start.
    functions: BTreeMap<usize, (Range<usize>, String)>,
}

/// The uses of `names` in C source, in their order.
pub fn uses(text: &str, names: &[Name]) -> Result<Vec<Use>> {
    let tree = parse::tree(text)?;
    let root = tree.root_node();
    let source = Source::new(text, root);
    let mut found = Vec::new();
    for (at, word) in words(text, 0..text.len()) {
        for (index, name) in names.iter().enumerate().filter(|(_, name)| name.word == word) {
            let Some(syntax) = root.descendant_for_byte_range(at, at + word.len()) else { continue };
            if !counts(syntax, text, name) {
                continue;
            }
            let around = source.around(at);
            let beside = |range: &Range<usize>| words(text, range.clone()).any(|(_, w)| is_one_of(w, &name.beside));
            if name.beside.is_empty() || around.as_ref().is_some_and(|(range, _)| beside(range)) {
                let function = around.map_or_else(String::new, |(_, function)| function);
                found.push(Use { name: index, function, line: line_of(text, at) });
            }
        }
    }
    Ok(found)
}

/// The text of each function and macro; of those that are there twice (`#ifdef`), one after the other.
pub fn functions(text: &str) -> Result<BTreeMap<String, String>> {
    let tree = parse::tree(text)?;
    let mut all = BTreeMap::<String, String>::new();
    for (range, name) in Source::new(text, tree.root_node()).functions.into_values() {
        all.entry(name).or_default().push_str(&text[range]);
    }
    Ok(all)
}

/// The identifiers, keywords and numbers in `range`, comments and strings included.
fn words(text: &str, range: Range<usize>) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let base = text.as_ptr().addr();
    let words = text[range].split(move |c: char| !is_word(c)).filter(|word| !word.is_empty());
    words.map(move |word| (word.as_ptr().addr() - base, word))
}

fn is_one_of(word: &str, list: &[String]) -> bool {
    list.iter().any(|entry| entry == word)
}

fn line_of(text: &str, at: usize) -> u32 {
    let before = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
    u32::try_from(before + 1).unwrap_or(u32::MAX)
}

/// What is no code: the name is only talked about.
const PROSE: &[&str] = &["comment", "string_literal", "string_content", "char_literal", "system_lib_string"];

fn counts(syntax: Syntax<'_>, text: &str, name: &Name) -> bool {
    let mut chain = std::iter::successors(Some(syntax), Syntax::parent);
    if chain.any(|around| PROSE.contains(&around.kind())) {
        return false;
    }
    match &name.role {
        Role::Call => is_use(syntax, text),
        Role::MemberOf(objects) => member_object(syntax, text).is_some_and(|object| is_one_of(object, objects)),
        Role::CastOf(things) => {
            let mut chain = std::iter::successors(Some(syntax), Syntax::parent);
            let cast = chain.find(|around| around.kind() == "cast_expression");
            let value = cast.and_then(|cast| cast.child_by_field_name("value"));
            let value = value.filter(|value| !value.byte_range().contains(&syntax.start_byte()));
            value.is_some_and(|value| words(text, value.byte_range()).any(|(_, word)| is_one_of(word, things)))
        }
    }
}

/// Whether a function's name is there for the function to be called, not to be declared, defined or exported.
fn is_use(syntax: Syntax<'_>, text: &str) -> bool {
    if syntax.kind() == "field_identifier" || syntax.kind() == "type_identifier" {
        return false;
    }
    let Some(parent) = syntax.parent() else { return true };
    match parent.kind() {
        "function_declarator" => parent.child_by_field_name("declarator") != Some(syntax),
        "preproc_def" | "preproc_function_def" => parent.child_by_field_name("name") != Some(syntax),
        "preproc_ifdef" | "preproc_defined" => false,
        "argument_list" => {
            let callee = parent.parent().and_then(|call| call.child_by_field_name("function"));
            callee.is_none_or(|callee| !text[callee.byte_range()].starts_with("EXPORT_SYMBOL"))
        }
        _ => true,
    }
}

/// The last name of the object that a member is taken from: `frags` of `shinfo->frags[i].netmem`.
fn member_object<'t>(syntax: Syntax<'_>, text: &'t str) -> Option<&'t str> {
    let parent = syntax.parent().filter(|parent| parent.kind() == "field_expression")?;
    let mut object = parent.child_by_field_name("argument")?;
    while let Some(inner) = match object.kind() {
        "subscript_expression" | "pointer_expression" => object.child_by_field_name("argument"),
        "parenthesized_expression" => object.named_child(0),
        "field_expression" => object.child_by_field_name("field"),
        _ => None,
    } {
        object = inner;
    }
    Some(&text[object.byte_range()])
}

impl<'a> Source<'a> {
    fn new(text: &'a str, root: Syntax<'_>) -> Self {
        let mut source = Self { text, functions: BTreeMap::new() };
        source.collect(root);
        source.add_unparsed();
        source
    }

    /// Adds the definitions that the parser sees; one that is indented is a macro with a block after it.
    fn collect(&mut self, syntax: Syntax<'_>) {
        let name = match syntax.kind() {
            "function_definition" if syntax.start_position().column == 0 => {
                declared_name(syntax).map(|name| self.told(name.start_byte(), &self.text[name.byte_range()]))
            }
            "preproc_def" | "preproc_function_def" => {
                syntax.child_by_field_name("name").map(|name| self.text[name.byte_range()].to_owned())
            }
            _ => None,
        };
        if let Some(name) = name {
            self.functions.insert(syntax.start_byte(), (syntax.byte_range(), name));
        }
        for child in syntax.children(&mut syntax.walk()) {
            self.collect(child);
        }
    }

    /// Adds what only the layout shows: a line `int f(...`, then `{` and `}` in the first column; and a macro that is
    /// called in the first column and goes over several lines, `TRACE_EVENT(f, ...`.
    fn add_unparsed(&mut self) {
        let (mut head, mut is_open, mut at) = (None, false, 0);
        for line in self.text.split_inclusive('\n') {
            if line.starts_with('}') {
                if let Some((start, name)) = head.take().filter(|_| is_open) {
                    self.add(start..at + 1, name);
                }
                is_open = false;
            } else if line.starts_with('{') {
                is_open = true;
            } else if !is_open && let Some(name) = head_name(line) {
                head = Some((at, name));
                let end = end_of_call(&self.text[at..]).filter(|_| is_macro(name)).map(|length| at + length);
                if let Some(end) = end.filter(|end| !self.text[*end..].trim_start().starts_with('{')) {
                    self.add(at..end, name);
                }
            } else if !is_open && line.trim_end().ends_with(';') {
                head = None;
            }
            at += line.len();
        }
    }

    fn add(&mut self, range: Range<usize>, name: &str) {
        let at = self.text[range.clone()].find(name).map_or(range.start, |at| range.start + at);
        let name = self.told(at, name);
        let known = self.functions.values().any(|(known, is)| *is == name && known.contains(&range.start));
        if !known {
            self.functions.insert(range.start, (range, name));
        }
    }

    /// What the function named at byte `at` is called; one that a macro defines by the macro's first argument.
    fn told(&self, at: usize, name: &str) -> String {
        let argument = self.text[at + name.len()..].strip_prefix('(').filter(|_| is_macro(name));
        let argument = argument.and_then(|rest| rest.split([',', ')']).next()).map(str::trim);
        argument.filter(|argument| !is_macro(argument)).unwrap_or(name).to_owned()
    }

    /// The function around a byte: the one that starts last.
    fn around(&self, at: usize) -> Option<(Range<usize>, String)> {
        let mut before = self.functions.range(..=at).rev().map(|(_, known)| known);
        before.find(|(range, _)| range.contains(&at)).cloned()
    }
}

/// Where the parenthesis is closed that `text` opens first; parentheses in strings do not count.
fn end_of_call(text: &str) -> Option<usize> {
    let (mut depth, mut is_string, mut escaped) = (0_u32, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => is_string = !is_string,
            '(' if !is_string => depth += 1,
            ')' if !is_string && depth == 1 => return Some(at + 1),
            ')' if !is_string => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

/// Whether it is written as macros are: without lower case.
fn is_macro(name: &str) -> bool {
    !name.contains(|c: char| c.is_ascii_lowercase())
}

/// The name a definition gives to its function.
fn declared_name(definition: Syntax<'_>) -> Option<Syntax<'_>> {
    let mut inner = definition.child_by_field_name("declarator")?;
    while let Some(next) = inner.child_by_field_name("declarator") {
        inner = next;
    }
    (inner.kind() == "identifier").then_some(inner)
}

/// The name in a line that starts a function: `static ATTRIBUTE(x) int f(struct sk_buff *skb, int (*g)(int))`.
fn head_name(line: &str) -> Option<&str> {
    if !line.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') || line.trim_end().ends_with(';') {
        return None;
    }
    let (mut depth, mut found) = (0_u32, None);
    for (at, c) in line.char_indices() {
        if c == '(' && depth == 0 {
            let name = line[..at].rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next()?;
            // What follows the parameters is an attribute.
            let follows = line[..at - name.len()].trim_end().ends_with(')');
            found = if name.is_empty() || follows { found } else { Some(name) };
        }
        depth = match c {
            '(' => depth + 1,
            ')' => depth.saturating_sub(1),
            _ => depth,
        };
    }
    found
}

#[cfg(test)]
mod tests;

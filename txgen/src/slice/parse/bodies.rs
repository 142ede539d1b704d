// SPDX-License-Identifier: GPL-2.0
//! The bodies of structs, unions and enums: where the order of lines is an interface.

use std::collections::BTreeMap;

use anyhow::Result;
use tree_sitter::Node as Syntax;

/// The text between the braces of every struct, union and enum in C source, by its tag and how many of that tag
/// came before; those inside another are part of it.
pub fn bodies(text: &str) -> Result<BTreeMap<(String, usize), String>> {
    if !may_have_bodies(text) {
        return Ok(BTreeMap::new());
    }
    let tree = super::tree(text)?;
    let mut found = Vec::new();
    collect(tree.root_node(), text, &mut found);
    let mut bodies = BTreeMap::new();
    let mut seen = BTreeMap::<String, usize>::new();
    for (tag, body) in found {
        let count = seen.entry(tag.clone()).or_default();
        bodies.insert((tag, *count), body);
        *count += 1;
    }
    Ok(bodies)
}

/// Whether a brace may open the body of a type: parsing to find that none does takes a hundred times as long.
fn may_have_bodies(text: &str) -> bool {
    ["struct", "union", "enum"].iter().flat_map(|word| text.match_indices(word)).any(|(at, _)| {
        let rest = &text[at..];
        let Some(brace) = rest.find('{') else { return false };
        let before = &rest[..brace];
        let is_function = before.ends_with(")\n");
        !before.contains(';') && !is_function
    })
}

fn collect(syntax: Syntax<'_>, text: &str, found: &mut Vec<(String, String)>) {
    if let "struct_specifier" | "union_specifier" | "enum_specifier" = syntax.kind()
        && let Some(body) = syntax.child_by_field_name("body")
    {
        let tag = syntax.child_by_field_name("name").map_or("", |name| &text[name.byte_range()]);
        found.push((tag.to_owned(), text[body.byte_range()].to_owned()));
        return;
    }
    for child in syntax.children(&mut syntax.walk()) {
        collect(child, text, found);
    }
}

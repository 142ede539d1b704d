// SPDX-License-Identifier: GPL-2.0
//! What a semantic patch was to replace everywhere, and is still there.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use regex::Regex;

use crate::git::Blob;
use crate::series::Cocci;

/// Finds what was to go, and is still there.
pub(super) fn residue(
    cocci: &Cocci,
    before: &BTreeMap<String, Blob>,
    changed: &BTreeMap<String, String>,
) -> Option<String> {
    let mut left = Vec::new();
    for (path, blob) in before {
        let text = changed.get(path).map_or_else(|| String::from_utf8_lossy(&blob.bytes), |t| t.as_str().into());
        for pattern in &cocci.residue {
            let lines = text.lines().enumerate().filter(|(_, line)| pattern.is_match(line));
            left.extend(lines.map(|(number, line)| format!("{path}:{}: {}", number + 1, line.trim())));
        }
    }
    (!left.is_empty()).then(|| {
        format!(
            "what was to go is left in {} places, which spatch may not have understood (series/macros.h can help):\n{}",
            left.len(),
            left.join("\n")
        )
    })
}

/// What must not be left: an identifier as a whole word, anything else as a regular expression.
pub fn residue_pattern(text: &str) -> Result<Regex> {
    let is_word = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let pattern = if is_word { format!(r"\b{text}\b") } else { text.to_owned() };
    Regex::new(&pattern).with_context(|| format!("{text:?} is no regular expression"))
}

#[cfg(test)]
mod tests {
    use super::residue_pattern;

    #[test]
    fn a_longer_identifier_is_no_residue() {
        let page = residue_pattern("skb_frag_page").expect("it is an identifier");
        assert!(page.is_match("\tskb_frag_page(x)"));
        assert!(!page.is_match("\t__skb_frag_page(x)"));
        assert!(!page.is_match("\tskb_frag_pages(x)"));
    }

    #[test]
    fn a_regular_expression_is_taken_as_it_is() {
        assert!(residue_pattern(r"== skb_frag_page\(").expect("it is one").is_match("a == skb_frag_page(x)"));
        assert!(residue_pattern("(").is_err());
    }
}

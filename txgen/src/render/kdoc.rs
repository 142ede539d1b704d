// SPDX-License-Identifier: GPL-2.0
//! Comments of the kernel: kernel-doc, networking's block comments, and text filled to a width.

use crate::model::{Docs, Model};

/// Columns of kernel C.
pub(super) const WIDTH: usize = 80;

/// A member of a kernel-doc comment.
pub(super) struct Member<'a> {
    /// Field or enumerator.
    pub(super) name: &'a str,
    /// Arguments of a field that is a function.
    pub(super) args: Vec<&'a str>,
    /// Its prose.
    pub(super) docs: &'a Docs,
}

/// Columns that `text` takes, with tabs to every eighth column.
pub(super) fn columns(text: &str) -> usize {
    text.chars().fold(0, |at, c| if c == '\t' { (at / 8 + 1) * 8 } else { at + 1 })
}

/// Fills `text` into lines of at most `width` columns; a longer word stands alone.
pub(super) fn fill(text: &str, first: &str, next: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && columns(&line) + 1 + columns(word) > width {
            lines.push(std::mem::replace(&mut line, next.to_owned()));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push(line);
    lines
}

/// A block comment in the style of networking: text from the first line on.
pub(super) fn comment(docs: &Docs) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in docs {
        let first = if lines.is_empty() { "/* " } else { " * " };
        if !lines.is_empty() {
            lines.push(" *".to_owned());
        }
        lines.extend(fill(paragraph, first, " * ", WIDTH));
    }
    match lines.as_mut_slice() {
        [] => {}
        [only] if columns(only) + 3 <= WIDTH => only.push_str(" */"),
        _ => lines.push(" */".to_owned()),
    }
    lines
}

/// A kernel-doc comment on `what` (`struct x`): the first paragraph of `docs` is its brief description.
pub(super) fn kernel_doc(model: &Model, what: &str, docs: &Docs, members: &[Member<'_>]) -> Vec<String> {
    let names: Vec<&str> = members.iter().flat_map(|m| m.args.iter().copied().chain([m.name])).collect();
    let mut lines = vec!["/**".to_owned()];
    let (brief, rest) = docs.split_first().map_or(("", docs.as_slice()), |(brief, rest)| (brief.as_str(), rest));
    lines.extend(fill(&markup(model, &phrase(brief), &names), &format!(" * {what} - "), " *\t", WIDTH));
    for member in members {
        let text = markup(model, &phrase(&member.docs.join(" ")), &names);
        lines.extend(fill(&text, &format!(" * @{}: ", member.name), " *\t", WIDTH));
    }
    for paragraph in rest {
        lines.push(" *".to_owned());
        lines.extend(fill(&markup(model, paragraph, &names), " * ", " * ", WIDTH));
    }
    lines.push(" */".to_owned());
    lines
}

/// A sentence as kernel-doc's phrase: lower case at the start, no full stop, unless it is several sentences.
pub(super) fn phrase(sentence: &str) -> String {
    let mut chars = sentence.chars();
    let (first, second) = (chars.next(), chars.clone().next());
    let is_word = second.is_none_or(|c| !c.is_uppercase());
    let start = match first {
        Some(first) if is_word => first.to_lowercase().to_string(),
        first => first.map(String::from).unwrap_or_default(),
    };
    let text = start + chars.as_str();
    if text.contains(". ") { text } else { text.strip_suffix('.').map_or(text.clone(), str::to_owned) }
}

/// Turns `` `name` `` into kernel-doc's reference to a member, argument, constant or type.
fn markup(model: &Model, text: &str, members: &[&str]) -> String {
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 0 {
            out.push_str(part);
            continue;
        }
        if members.contains(&part) {
            out.push('@');
        } else if model.find_struct(part).is_some() {
            out.push_str("&struct ");
        } else if model.enums().any(|e| e.name == part) {
            out.push_str("&enum ");
        } else if !part.ends_with("()") {
            out.push('%');
        }
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fill_breaks_before_the_column_and_leaves_long_words_alone() {
        assert_eq!(fill("aa bb cc", "* ", "\t", 7), ["* aa bb", "\tcc"]);
        assert_eq!(fill("a bbbbbbbbbbbb c", "", "", 5), ["a", "bbbbbbbbbbbb", "c"]);
    }

    #[test]
    fn phrase_keeps_acronyms_and_the_stops_of_several_sentences() {
        assert_eq!(phrase("Slots that fit."), "slots that fit");
        assert_eq!(phrase("GUP pins."), "GUP pins");
        assert_eq!(phrase("One. Two."), "one. Two.");
    }

    #[test]
    fn comment_is_one_line_where_it_fits() {
        assert_eq!(comment(&vec!["Short.".to_owned()]), ["/* Short. */"]);
        assert_eq!(comment(&vec!["a".repeat(76)]), [format!("/* {}", "a".repeat(76)), " */".to_owned()]);
        assert!(comment(&Vec::new()).is_empty());
    }
}

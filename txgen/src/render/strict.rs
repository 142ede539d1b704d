// SPDX-License-Identifier: GPL-2.0
//! What tera lets pass: a name in a condition that is not defined is false to it.

use anyhow::{Error, Result, anyhow, bail};

/// Refuses conditions on a field (`{% if a.b %}`), which is false where the field does not exist; `loop.` is fine.
pub(super) fn fields_in_conditions(file: &str, text: &str) -> Result<()> {
    for (at, tag) in tags(text) {
        let tag = without_strings(tag);
        let mut words = tag.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'));
        if !matches!(words.find(|word| !word.is_empty()), Some("if" | "elif")) {
            continue;
        }
        let is_field = |word: &&str| word.contains('.') && word.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if let Some(field) = words.find(|word| is_field(word) && !word.starts_with("loop.")) {
            bail!("{file}:{}: condition on `{field}`: loop over a list, or pass a name of its own", line(text, at));
        }
    }
    Ok(())
}

fn without_strings(tag: &str) -> String {
    tag.split(['"', '\'']).step_by(2).collect::<Vec<_>>().join(" ")
}

/// The error for a name that the view does not have, at the tag that uses it.
pub(super) fn undefined(file: &str, text: &str, name: &str) -> Error {
    let is_word = |word: &str| word == name;
    let uses = |tag: &str| tag.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(is_word);
    let at = tags(text).into_iter().find(|(_, tag)| uses(tag)).map(|(at, _)| line(text, at));
    let at = at.map(|line| format!(":{line}")).unwrap_or_default();
    anyhow!("{file}{at}: `{name}` is not defined")
}

/// The tags and outputs of a template: where each starts, and what is in it.
fn tags(text: &str) -> Vec<(usize, &str)> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find("{%").into_iter().chain(text[at..].find("{{")).min() {
        let start = at + open + 2;
        let close = if text[at + open..].starts_with("{%") { "%}" } else { "}}" };
        let end = text[start..].find(close).map_or(text.len(), |end| start + end);
        tags.push((at + open, &text[start..end]));
        at = end;
    }
    tags
}

fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn condition_on_a_field_is_refused_with_its_line() {
        let error = fields_in_conditions("templates/t", "a\n{% if x %}b{% endif %}\n{%- if not p.q -%}").unwrap_err();
        let expected = "templates/t:3: condition on `p.q`: loop over a list, or pass a name of its own";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn condition_on_the_loop_and_fields_in_outputs_pass() {
        fields_in_conditions("t", "{% for a in b.c %}{{ a.d }}{% if not loop.last %},{% endif %}{% endfor %}").unwrap();
    }
}

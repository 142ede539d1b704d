// SPDX-License-Identifier: GPL-2.0
//! What a semantic patch has besides patterns: code that spatch runs, options, and other files that it reads.

use std::path::Path;

use anyhow::{Result, bail};

use super::words::{Kind, Token, words};

/// A place in a semantic patch that is more than a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its line, from 1.
    pub line: usize,
    /// What happens there, as a sentence that begins with `it`.
    pub what: String,
}

/// The places of `text` that run code or may do so, in the order of their lines.
///
/// A regular expression (`=~`) is no code. What can not be told for certain counts as code.
pub fn code(text: &str) -> Vec<Place> {
    let (tokens, unclear) = words(text);
    let mut found = options(text);
    for (index, token) in tokens.iter().enumerate() {
        let kinds = [index, index + 1, index + 2].map(|at| tokens.get(at).map(|token| token.kind));
        let what = match kinds {
            [
                Some(Kind::Word(word @ ("script" | "initialize" | "finalize"))),
                Some(Kind::Mark(b':')),
                Some(Kind::Word(language @ ("python" | "ocaml"))),
            ] => format!("it runs {language} code (`{word}:{language}`)"),
            [Some(Kind::Word("analysis")), Some(Kind::Mark(b'(')), _] => "it runs ocaml code (`analysis`)".to_owned(),
            _ => continue,
        };
        found.push(Place { line: token.line, what });
    }
    let may_hide = ["script", "initialize", "finalize", "analysis", "using"].iter().any(|word| text.contains(word))
        || (text.contains("include") && !tokens.iter().any(is_rule));
    if let Some(unclear) = unclear.filter(|_| may_hide && found.is_empty()) {
        found.push(Place { line: unclear.line, what: format!("it may run code: {}", unclear.why) });
    }
    found.sort_by_key(|place| place.line);
    found
}

/// Lines of options for spatch, which it takes wherever they are, also in a comment, and also behind other text.
fn options(text: &str) -> Vec<Place> {
    let is_option = |line: &str| line.split('#').skip(1).any(|rest| rest.trim_start().starts_with("spatch"));
    let lines = text.split('\n').enumerate().filter(|(_, line)| is_option(line));
    lines
        .map(|(index, _)| Place { line: index + 1, what: "it sets options of spatch (`#spatch`)".to_owned() })
        .collect()
}

fn is_rule(token: &Token<'_>) -> bool {
    token.kind == Kind::Mark(b'@')
}

/// Refuses a semantic patch that reads other files: `#include` above its first rule, and `using`.
pub(super) fn refuse_other_files(file: &Path, text: &str) -> Result<()> {
    let (tokens, _) = words(text);
    let head = tokens.iter().take_while(|token| !is_rule(token)).find(|token| token.kind == Kind::Include);
    let kind = |at: usize| tokens.get(at).map(|token: &Token<'_>| token.kind);
    let is_name = |at: usize| matches!(kind(at), Some(Kind::Quoted | Kind::Mark(b'<')));
    // A string may have a prefix.
    let has_prefix = |at: usize| matches!(kind(at), Some(Kind::Word("L" | "u" | "U" | "u8" | "R")));
    let is_using = |at: &usize| {
        kind(*at) == Some(Kind::Word("using")) && (is_name(at + 1) || has_prefix(at + 1) && is_name(at + 2))
    };
    let using = (0..tokens.len()).find(is_using).map(|at| (tokens[at], "using"));
    if let Some((token, word)) = head.map(|token| (*token, "#include")).or(using) {
        let file = file.display();
        bail!(
            "{file}:{}: `{word}` reads another file: a semantic patch is one file, copy the rules into it",
            token.line
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;

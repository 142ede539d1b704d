// SPDX-License-Identifier: GPL-2.0
//! `inline` where netdev does not want it (.c files), and its lack where it is needed (headers).

use anyhow::Result;

use crate::check::diff::FileDiff;
use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope, no_tools};

pub(super) const CHECK: Check = Check {
    name: "inline",
    shows: "no `inline` added to .c files, no static function without it added to headers",
    needs: "",
    version: 1,
    tools: no_tools,
    scope: Scope::Patch(check),
};

fn check(source: &Source<'_>, patch: &Patch) -> Result<Vec<Finding>> {
    Ok(source.diff(patch)?.iter().flat_map(findings).collect())
}

fn findings(file: &FileDiff) -> Vec<Finding> {
    let lines = file.added_lines();
    if file.has_ending(&["c"]) {
        let added = lines.filter(|(_, text)| is_code(text) && has_word(text, "inline"));
        let what = "the compiler decides on inlining in a .c file";
        added.map(|(n, _)| Finding::new(Level::Fail, "source-inline", what).at(&file.path, Some(n))).collect()
    } else if file.has_ending(&["h"]) {
        let what = "a static function in a header without `inline` is copied into every user";
        let added = lines.filter(|(_, text)| is_plain_static(text));
        added.map(|(n, _)| Finding::new(Level::Fail, "header-inline", what).at(&file.path, Some(n))).collect()
    } else {
        Vec::new()
    }
}

/// The line is no comment; `inline` is also a word of prose.
fn is_code(text: &str) -> bool {
    let text = text.trim_start();
    !(text.starts_with("/*") || text.starts_with("* ") || text == "*" || text.starts_with("//"))
}

fn has_word(text: &str, word: &str) -> bool {
    let code = text.split("/*").next().unwrap_or_default();
    code.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .any(|w| w == word || w == format!("__{word}") || w == format!("__always_{word}"))
}

/// `static int f(` at the start of a line; a table (`static int t[] = {`) and an assertion are none.
fn is_plain_static(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("static ") else { return false };
    let Some((head, _)) = rest.split_once('(') else { return false };
    !has_word(head, "inline") && !head.contains(['=', '[', '"'])
}

#[cfg(test)]
mod tests {
    use super::findings;
    use crate::check::diff::parse;

    fn rules(path: &str, line: &str) -> Vec<String> {
        let text = format!("diff --git a/{path} b/{path}\n@@ -1,0 +2 @@\n+{line}\n");
        let files = parse(&text).unwrap();
        findings(&files[0]).iter().map(|finding| finding.rule().to_owned()).collect()
    }

    #[test]
    fn inline_added_to_a_source_file_is_found() {
        for line in ["static inline int f(void)", "static __always_inline int f(void)"] {
            assert_eq!(rules("net/a.c", line), ["source-inline"], "{line}");
        }
    }

    #[test]
    fn inline_in_headers_comments_and_names_passes() {
        assert_eq!(rules("net/a.h", "static inline int f(void)"), [""; 0]);
        for line in
            [" * the inline data of the skb", "\tint inline_size;", "\tf();\t/* inline */", "noinline int g(void)"]
        {
            assert_eq!(rules("net/a.c", line), [""; 0], "{line}");
        }
    }

    #[test]
    fn a_static_function_of_a_header_without_inline_is_found() {
        assert_eq!(rules("net/a.h", "static int f(void)"), ["header-inline"]);
        for line in
            ["static const int t[] = { (1) };", "static_assert(sizeof(int) == 4);", "static __always_inline int f("]
        {
            assert_eq!(rules("net/a.h", line), [""; 0], "{line}");
        }
    }
}

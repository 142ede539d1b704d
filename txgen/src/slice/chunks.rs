// SPDX-License-Identifier: GPL-2.0
//! C source cut into chunks that can be parsed one by one: some items each, and the directives between them.
//!
//! From version to version of a file most chunks stay the same, so that hardly anything has to be parsed again. The
//! cuts go by the layout of kernel code: what starts in the first column, and ends there with a brace or semicolon.

use std::borrow::Cow;
use std::ops::Range;

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chunk {
    /// Items; whether they are the first of the file.
    Code {
        /// Its lines, from 0.
        lines: Range<usize>,
        /// Whether nothing is before it.
        is_first: bool,
    },
    /// `#if`, `#else`, `#endif` and the like, around items.
    Directive {
        /// What it says, and for the later ones of a block what the first says.
        name: String,
        /// Its lines, comments before it included.
        lines: Range<usize>,
    },
}

/// The chunks of some lines, with nothing but blank lines between them; `None` where the layout is not understood.
pub(super) fn chunks(lines: &[&str]) -> Option<Vec<Chunk>> {
    let mut cutter = Cutter { lines, chunks: Vec::new(), conditions: Vec::new(), start: 0, comment: None };
    let (mut is_inside, mut in_comment, mut ends_item) = (false, false, false);
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        let (code, next_in_comment) = without_comments(line, in_comment);
        let code = code.trim_end();
        let is_comment = (in_comment || line.contains("/*") || line.contains("//")) && code.trim().is_empty();
        let (first, mut end) = (at, at + 1);
        in_comment = next_in_comment;
        at = end;
        if line.trim().is_empty() {
            continue;
        }
        if is_comment {
            if cutter.comment.is_none() {
                if ends_item && !is_inside && !is_indented(line) {
                    cutter.cut(first);
                }
                cutter.comment = Some(first);
            }
            continue;
        }
        while !in_comment && lines[end - 1].trim_end().ends_with('\\') && end < lines.len() {
            end += 1;
        }
        at = end;
        if is_inside {
            is_inside = !line.starts_with('}');
            ends_item = !is_inside;
        } else if let Some(directive) = conditional(code) {
            cutter.directive(directive, first..end)?;
            ends_item = true;
        } else {
            let follows_blank = first == 0 || lines[first - 1].trim().is_empty();
            if ends_item && follows_blank && cutter.comment.is_none() && !is_indented(line) {
                cutter.cut(first);
            }
            let is_directive = code.trim_start().starts_with('#');
            is_inside = !is_directive && code.ends_with('{');
            ends_item = is_directive || code.ends_with([';', '}']);
        }
        cutter.comment = None;
    }
    cutter.cut(lines.len());
    (cutter.conditions.is_empty() && !in_comment && !is_inside).then_some(cutter.chunks)
}

/// Whether a line is indented, as what continues something is.
fn is_indented(line: &str) -> bool {
    line.starts_with([' ', '\t'])
}

/// The word of a directive of a conditional block.
fn conditional(code: &str) -> Option<&str> {
    let word = code.trim_start().strip_prefix('#')?.trim_start();
    let word = &word[..word.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word.len())];
    ["if", "ifdef", "ifndef", "elif", "elifdef", "elifndef", "else", "endif"].contains(&word).then_some(word)
}

struct Cutter<'a> {
    lines: &'a [&'a str],
    chunks: Vec<Chunk>,
    /// What the first directives of the open blocks say.
    conditions: Vec<String>,
    /// Where the chunk under way starts.
    start: usize,
    /// Where the comments start that nothing but blank lines follows so far.
    comment: Option<usize>,
}

impl Cutter<'_> {
    /// Ends the chunk under way before line `at`.
    fn cut(&mut self, at: usize) {
        let is_blank = |line: &&str| line.trim().is_empty();
        let lines = &self.lines[self.start..at];
        let blank = lines.iter().take_while(|line| is_blank(line)).count();
        if blank < lines.len() {
            let end = at - lines.iter().rev().take_while(|line| is_blank(line)).count();
            let is_first = self.chunks.is_empty();
            self.chunks.push(Chunk::Code { lines: self.start + blank..end, is_first });
        }
        self.start = at;
    }

    fn directive(&mut self, word: &str, lines: Range<usize>) -> Option<()> {
        let text = self.lines[lines.clone()].concat().split_whitespace().collect::<Vec<_>>().join(" ");
        let opens = word.starts_with("if");
        let start = self.comment.filter(|_| opens).unwrap_or(lines.start);
        // At the top of the file, apart from what follows, a comment is about the file.
        let is_about_file = self.chunks.is_empty() && self.start == 0 && {
            let before = &self.lines[..start];
            before.iter().all(|line| line.trim().is_empty())
                && lines.start > 0
                && self.lines[lines.start - 1].trim().is_empty()
        };
        let start = if is_about_file { lines.start } else { start };
        self.cut(start);
        let name = if opens { text.clone() } else { format!("{text} of {}", self.conditions.last()?) };
        match word {
            "endif" => drop(self.conditions.pop()),
            _ if opens => self.conditions.push(text),
            _ => {}
        }
        let name = if word == "endif" { format!("#endif of {}", name.split_once(" of ")?.1) } else { name };
        self.chunks.push(Chunk::Directive { name, lines: start..lines.end });
        self.start = lines.end;
        Some(())
    }
}

/// A line without its comments, and whether one goes on after it; `in_comment` says whether one did before it.
fn without_comments(line: &str, mut in_comment: bool) -> (Cow<'_, str>, bool) {
    if !in_comment && !line.contains('/') {
        return (Cow::Borrowed(line), false);
    }
    let mut code = String::new();
    let (mut rest, mut quote) = (line, None);
    while let Some(c) = rest.chars().next() {
        let step = c.len_utf8();
        if in_comment {
            let end = rest.find("*/");
            in_comment = end.is_none();
            rest = end.map_or("", |end| &rest[end + 2..]);
        } else if quote.is_some() {
            let skipped = if c == '\\' { rest.chars().take(2).map(char::len_utf8).sum() } else { step };
            quote = quote.filter(|quote| *quote != c);
            code.push_str(&rest[..skipped]);
            rest = &rest[skipped..];
        } else if rest.starts_with("/*") {
            in_comment = true;
            rest = &rest[2..];
        } else if rest.starts_with("//") {
            break;
        } else {
            quote = Some(c).filter(|c| matches!(c, '"' | '\''));
            code.push(c);
            rest = &rest[step..];
        }
    }
    (Cow::Owned(code), in_comment)
}

#[cfg(test)]
mod tests {
    use super::{Chunk, chunks};

    /// Each chunk as its first line, and directives by their name.
    fn cut(text: &str) -> Option<Vec<String>> {
        let lines = text.split_inclusive('\n').collect::<Vec<_>>();
        let told = |chunk: &Chunk| match chunk {
            Chunk::Code { lines: range, .. } => {
                format!("{}..{} {}", range.start, range.end, lines[range.start].trim_end())
            }
            Chunk::Directive { name, lines } => format!("{}..{} = {name}", lines.start, lines.end),
        };
        Some(chunks(&lines)?.iter().map(told).collect())
    }

    #[test]
    fn items_are_apart_and_their_comments_and_exports_stay_with_them() {
        let text = "// SPDX\n#include <a.h>\n\n/* One. */\n\n/* More. */\nint one(void)\n{\n\tint a;\n\n\treturn a;\n}\n\
                    EXPORT_SYMBOL(one);\n\nstatic int two;\nstruct three {\n\tint a;\n\n#ifdef A\n\tint b;\n#endif\n};\n";
        assert_eq!(cut(text).unwrap(), ["0..2 // SPDX", "3..13 /* One. */", "14..22 static int two;"]);
    }

    #[test]
    fn directives_around_items_are_chunks_and_comments_go_with_the_first() {
        let text = "/* SPDX */\n\n#ifndef _A_H\n#define _A_H\n\nint a;\n\n/* B. */\n#ifdef B \\\n\t|| C\nint b;\n#else /* B */\n\
                    int c;\n#endif\n#endif /* _A_H */\n";
        let expected = [
            "0..1 /* SPDX */",
            "2..3 = #ifndef _A_H",
            "3..4 #define _A_H",
            "5..6 int a;",
            "7..10 = #ifdef B \\ || C",
            "10..11 int b;",
            "11..12 = #else /* B */ of #ifdef B \\ || C",
            "12..13 int c;",
            "13..14 = #endif of #ifdef B \\ || C",
            "14..15 = #endif of #ifndef _A_H",
        ];
        assert_eq!(cut(text).unwrap(), expected);
    }

    #[test]
    fn a_layout_that_does_not_close_is_not_cut() {
        assert_eq!(cut("#endif\n"), None);
        assert_eq!(cut("#if A\n"), None);
        assert_eq!(cut("int a(void) {\n"), None);
        assert_eq!(cut("/* a\n"), None);
    }

    #[test]
    fn braces_and_directives_in_comments_and_strings_do_not_count() {
        let text = "/*\n#if A\n*/\nchar *a = \"/* {\";\n\n#define B \\\n{\n\nint c; // {\n";
        assert_eq!(cut(text).unwrap(), ["0..4 /*", "5..7 #define B \\", "8..9 int c; // {"]);
    }
}

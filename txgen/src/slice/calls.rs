// SPDX-License-Identifier: GPL-2.0
//! What C source declares and what it calls, by the look of its lines: fast enough for every header of a kernel.

use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What is followed by a parenthesis and is no call.
const NO_CALLS: &[&str] = &[
    "if",
    "while",
    "for",
    "switch",
    "return",
    "sizeof",
    "typeof",
    "__typeof__",
    "defined",
    "alignof",
    "_Alignof",
    "offsetof",
    "__attribute__",
    "asm",
    "__asm__",
    "_Generic",
    "case",
    "static_assert",
    "void",
    "int",
    "char",
    "long",
    "unsigned",
    "bool",
];

/// The functions and macros that C source declares or defines. What is said may be too much: attributes and the
/// macros that make declarations are among it.
pub fn declared(text: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let mut in_comment = false;
    for line in text.lines() {
        let starts_in_comment = in_comment;
        in_comment = is_in_comment_after(line, in_comment);
        if starts_in_comment {
            continue;
        }
        if let Some(definition) =
            line.trim_start().strip_prefix('#').and_then(|d| d.trim_start().strip_prefix("define"))
        {
            names.extend(words(definition).next().map(|(_, word)| word));
        } else if line.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            names.extend(called(line).map(|(_, word)| word).filter(|word| !NO_CALLS.contains(word)));
        }
    }
    names
}

/// The functions and macros that C source calls, each with the first line, from 1, where it does, in lines that are
/// not in `known`.
pub fn calls<'a>(text: &'a str, known: &HashSet<&str>) -> BTreeMap<&'a str, usize> {
    let mut names = BTreeMap::new();
    let mut in_comment = false;
    for (number, line) in text.lines().enumerate() {
        let starts_in_comment = in_comment;
        in_comment = is_in_comment_after(line, in_comment);
        if starts_in_comment || !line.starts_with([' ', '\t']) || known.contains(line) {
            continue;
        }
        let code = line.split("//").next().unwrap_or(line);
        let code = code.split("/*").next().unwrap_or(code);
        for (at, word) in called(code) {
            let before = code[..at].trim_end();
            let is_member = before.ends_with('.') || before.ends_with("->");
            let in_string = code[..at].matches('"').count() % 2 == 1;
            if !is_member && !in_string && !NO_CALLS.contains(&word) {
                names.entry(word).or_insert(number + 1);
            }
        }
    }
    names
}

/// Whether `name` stands somewhere in C source as a word.
pub fn mentions(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let is_part = |c: Option<char>| c.is_some_and(is_word);
        !is_part(text[..at].chars().next_back()) && !is_part(text[at + name.len()..].chars().next())
    })
}

fn is_in_comment_after(line: &str, in_comment: bool) -> bool {
    if !line.contains('*') {
        return in_comment;
    }
    match (line.rfind("/*"), line.rfind("*/")) {
        (Some(open), Some(close)) => open > close,
        (Some(_), None) => true,
        (None, Some(_)) => false,
        (None, None) => in_comment,
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let base = text.as_ptr().addr();
    let words = text.split(|c: char| !is_word(c)).filter(|word| !word.is_empty());
    words.map(move |word| (word.as_ptr().addr() - base, word))
}

/// The words that a parenthesis follows, and where they are.
fn called(line: &str) -> impl Iterator<Item = (usize, &str)> {
    words(line).filter(|(at, word)| {
        line[at + word.len()..].trim_start().starts_with('(') && !word.starts_with(|c: char| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{calls, declared, mentions};

    #[test]
    fn declarations_are_found_in_the_first_column_and_in_defines() {
        let text = "/* int no(void)\nint no2(int)\n */\nstatic inline bool\nyes(struct a *b, int c)\n{\n\tno3(c);\n}\n\
                    #define YES2(x) no4(x)\n#  define yes3 no5\nextern int (*no6)(int), yes4 (int);\n";
        assert_eq!(declared(text).into_iter().collect::<Vec<_>>(), ["YES2", "yes", "yes3", "yes4"]);
    }

    #[test]
    fn calls_are_neither_members_nor_words_in_comments_and_strings() {
        let text = "int a(int b)\n{\n\tif (b && yes(b))\n\t\top->no(b);\n\treturn ops.no2 (yes2(\"no3()\")); /* no4() */\n}\n\
                    \t/* no5() and\n\t * no6()\n\t */\n\t// no7()\n";
        let none = HashSet::new();
        assert_eq!(calls(text, &none).into_iter().collect::<Vec<_>>(), [("yes", 3), ("yes2", 5)]);
        let known = HashSet::from(["\tif (b && yes(b))"]);
        assert_eq!(calls(text, &known).into_iter().collect::<Vec<_>>(), [("yes2", 5)]);
    }

    #[test]
    fn a_part_of_a_word_is_no_mention() {
        assert!(mentions("#define x\\\n\tget_netmem", "get_netmem"));
        assert!(!mentions("__get_netmem(a); get_netmem_x", "get_netmem"));
    }
}

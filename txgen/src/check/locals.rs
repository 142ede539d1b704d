// SPDX-License-Identifier: GPL-2.0
//! Reverse christmas tree: local variables from the longest line to the shortest.
//!
//! Speaks only of declaration blocks that the patch adds whole, and only where it is sure: a
//! declaration over several lines, a `static` one, a macro, a preprocessor line or a type it does not
//! know ends the comparison with its neighbours. A declaration whose initialiser uses a variable
//! declared above it has to stand below, and is left alone.

use anyhow::Result;

use crate::check::diff::{FileDiff, Side};
use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope, no_tools};

pub(super) const CHECK: Check = Check {
    name: "locals",
    shows: "added local variables are in reverse christmas tree order (net code)",
    needs: "",
    version: 2,
    tools: no_tools,
    scope: Scope::Patch(check),
};

fn check(source: &Source<'_>, patch: &Patch) -> Result<Vec<Finding>> {
    Ok(source.diff(patch)?.iter().filter(|file| file.has_ending(&["c", "h"])).flat_map(findings).collect())
}

/// A local variable's line.
#[derive(Debug)]
struct Local<'a> {
    number: u32,
    width: usize,
    names: Vec<&'a str>,
    initialisers: &'a str,
}

fn findings(file: &FileDiff) -> Vec<Finding> {
    let kept = file.lines.iter().filter(|line| line.side != Side::Old).collect::<Vec<_>>();
    let mut found = Vec::new();
    for (index, line) in kept.iter().enumerate() {
        let head = index.checked_sub(1).map_or("", |above| kept[above].text.as_str());
        if !line.text.ends_with('{') || !is_block(&line.text) || is_fixture(head) {
            continue;
        }
        // The hunk may end within the block, or jump: lines must be added and follow one another.
        let next = kept[index + 1..].iter().enumerate();
        let block = next.take_while(|(offset, l)| {
            l.side == Side::New && usize::try_from(l.number - line.number).is_ok_and(|gap| gap == offset + 1)
        });
        let lines = block.map(|(_, l)| (l.number, l.text.as_str())).take_while(|(_, text)| !text.trim().is_empty());
        found.extend(out_of_order(&lines.collect::<Vec<_>>(), &file.path));
    }
    found
}

/// The `{` opens a function or a block of statements, not a struct, an initialiser or a macro.
fn is_block(text: &str) -> bool {
    let text = text.trim();
    text == "{" || text.ends_with(") {") || text.ends_with("else {") || text == "do {"
}

/// The harness of the selftests declares structures in the form of functions.
fn is_fixture(head: &str) -> bool {
    head.starts_with("FIXTURE(") || head.starts_with("FIXTURE_VARIANT(")
}

fn out_of_order(lines: &[(u32, &str)], path: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    let mut above: Option<Local<'_>> = None;
    for (number, text) in lines {
        let Some(local) = local(*number, text) else {
            if text.trim_start().starts_with("/*") {
                continue;
            }
            if !is_declaration(text) {
                break;
            }
            above = None;
            continue;
        };
        let dependent = names.iter().any(|name| words(local.initialisers).any(|word| word == *name));
        names.extend(&local.names);
        if dependent {
            above = None;
            continue;
        }
        if let Some(above) = above.filter(|above| above.width < local.width) {
            let what = format!("the line is longer than the declaration in line {} above it", above.number);
            found.push(Finding::new(Level::Warn, "reverse-christmas-tree", what).at(path, Some(local.number)));
        }
        above = Some(local);
    }
    found
}

/// Reads a plain declaration on one line.
fn local(number: u32, text: &str) -> Option<Local<'_>> {
    let code = text.split("/*").next().unwrap_or_default().trim_end();
    let body = code.trim_start().strip_suffix(';')?;
    if !is_declaration(code) || body.starts_with("static ") || body.contains('{') {
        return None;
    }
    let initialisers = body.split_once('=').map_or("", |(_, value)| value);
    let names = body.split(',').filter_map(|part| words(part.split('=').next().unwrap_or_default()).last());
    let width = code.chars().fold(0, |at, c| if c == '\t' { (at / 8 + 1) * 8 } else { at + 1 });
    Some(Local { number, width, names: names.collect(), initialisers })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// The line starts with a type; an expression such as `a * b;` does not look like one.
fn is_declaration(text: &str) -> bool {
    const BASIC: &[&str] = &[
        "int", "unsigned", "long", "short", "char", "bool", "void", "u8", "u16", "u32", "u64", "s8", "s16", "s32",
        "s64",
    ];
    const MORE: &[&str] = &["const", "static", "struct", "union", "enum", "netmem_ref", "__be16", "__be32", "__wsum"];
    let mut words = text.split_whitespace();
    let Some(first) = words.next() else { return false };
    let is_type = BASIC.contains(&first) || MORE.contains(&first) || (first.ends_with("_t") && !first.contains('('));
    let second = words.next().unwrap_or_default();
    is_type && second.trim_start_matches('*').starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::findings;
    use crate::check::diff::parse;

    fn lines(body: &str) -> Vec<Option<u32>> {
        lines_of(&format!("int f(void)\n{{\n{body}\n\n\treturn 0;\n}}\n"))
    }

    fn lines_of(body: &str) -> Vec<Option<u32>> {
        let added = body.lines().map(|line| format!("+{line}\n")).collect::<String>();
        let count = body.lines().count();
        let text = format!("diff --git a/net/a.c b/net/a.c\nnew file mode 100644\n@@ -0,0 +1,{count} @@\n{added}");
        findings(&parse(&text).unwrap()[0]).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_longer_declaration_below_a_shorter_one_is_found() {
        assert_eq!(lines("\tint i;\n\tstruct sk_buff *skb;"), [Some(4)]);
        assert_eq!(lines("\tstruct sk_buff *skb;\n\tint i;\n\tu64 longer;"), [Some(5)]);
    }

    #[test]
    fn declarations_in_order_pass() {
        assert_eq!(lines("\tconst struct net_txbuf *tb;\n\tstruct sk_buff *skb;\n\tint i, n;\n\tint j;"), []);
    }

    #[test]
    fn a_dependent_initialiser_may_stand_below() {
        assert_eq!(lines("\tstruct sock *sk;\n\tint i;\n\tstruct net *net = sock_net(sk);"), []);
    }

    #[test]
    fn what_is_not_sure_passes() {
        assert_eq!(lines("\tint i;\n\tstatic const char long_name[] = \"x\";"), []);
        assert_eq!(lines("\tint i;\n\tstruct msghdr msg = {\n\t\t.msg_flags = 0,\n\t};"), []);
        assert_eq!(lines("\tint i;\n\ti = a_call_with_a_long_name();"), []);
        assert_eq!(lines("\tint i; /* short with a long comment */\n\tu8 x;"), []);
        assert_eq!(lines("\tint i;\n#ifdef CONFIG_X\n\tstruct sk_buff *skb;\n#endif"), []);
    }

    #[test]
    fn fields_of_a_fixture_are_no_locals() {
        let fields = "{\n\tint i;\n\tstruct sk_buff *skb;\n}\n";
        assert_eq!(lines_of(&format!("FIXTURE(path)\n{fields}")), []);
        assert_eq!(lines_of(&format!("FIXTURE_VARIANT(path)\n{fields}")), []);
        assert_eq!(lines_of(&format!("FIXTURE_SETUP(path)\n{fields}")), [Some(4)]);
    }

    #[test]
    fn a_block_that_was_there_before_passes() {
        let text = "diff --git a/net/a.c b/net/a.c\n@@ -1,4 +1,5 @@\n int f(void)\n {\n \tint i;\n+\tstruct sk_buff *skb;\n \n";
        assert_eq!(findings(&parse(text).unwrap()[0]), []);
    }
}

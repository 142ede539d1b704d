// SPDX-License-Identifier: GPL-2.0
//! A C file as a flat list of segments: items, and the directives of conditional blocks on their own.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, bail};
use rayon::prelude::*;

use super::chunks::{self, Chunk};
use super::{Block, Node, parse};

/// An item, or a directive of a conditional block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// What the grammar calls it; [`DIRECTIVE`] for a directive.
    pub kind: String,
    /// What it can be called by.
    pub names: BTreeSet<String>,
    /// Its lines, from 0, comments before it included.
    pub lines: Range<usize>,
}

/// The kind of `#if`, `#else`, `#endif` and the like.
pub const DIRECTIVE: &str = "directive";

/// The kind of a chunk of items that all versions of a file have.
const SAME: &str = "same";

/// Splits versions of a C file into segments with nothing but blank lines between them; an error for each that is no C.
///
/// What all of them have once, word for word, is one segment, whatever items are in it: parsing takes longer than all
/// the rest of a merge, and from base to base and patch to patch most of a file stays the same.
pub fn segments<const N: usize>(texts: [&str; N]) -> [Result<Vec<Segment>>; N] {
    let lines = texts.map(lines_of);
    by_chunks(&lines).map_or_else(|| whole(&lines), |split| split.map(Ok))
}

/// By chunks; `None` where the layout of a version does not tell them apart.
fn by_chunks<const N: usize>(lines: &[Vec<&str>; N]) -> Option<[Vec<Segment>; N]> {
    let cut = cut(lines)?;
    let shared = shared(lines, &cut);
    let all = cut.iter().zip(lines).flat_map(|(chunks, lines)| codes(chunks, lines));
    let own = all.filter(|(_, code)| !shared.contains_key(code)).map(|(_, code)| code).collect::<BTreeSet<_>>();
    let parsed = own.into_par_iter().map(|code| Some((code, parsed_once(code).ok()?)));
    let parsed = parsed.collect::<Option<BTreeMap<_, _>>>()?;
    let mut split = Vec::new();
    for (lines, chunks) in lines.iter().zip(&cut) {
        let segments = join(chunks, lines, &shared, &parsed);
        check(&segments, lines).ok()?;
        split.push(segments);
    }
    split.try_into().ok()
}

/// The text of each version without what all of them have once, and without directives; `None` where the layout of a
/// version does not tell what that is.
pub fn unshared<const N: usize>(texts: [&str; N]) -> Option<[String; N]> {
    let lines = texts.map(lines_of);
    let cut = cut(&lines)?;
    let shared = shared(&lines, &cut);
    Some(std::array::from_fn(|i| {
        let own = codes(&cut[i], &lines[i]).filter(|(_, code)| !shared.contains_key(code));
        own.flat_map(|(_, (lines, _))| lines.iter().copied()).collect()
    }))
}

fn lines_of(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// The chunks of each version.
fn cut<const N: usize>(lines: &[Vec<&str>; N]) -> Option<Vec<Vec<Chunk>>> {
    lines.iter().map(|lines| chunks::chunks(lines)).collect()
}

/// The chunks of code, each with its place among all.
fn codes<'a>(chunks: &'a [Chunk], lines: &'a [&'a str]) -> impl Iterator<Item = (usize, Code<'a>)> {
    chunks.iter().enumerate().filter_map(|(place, chunk)| match chunk {
        Chunk::Code { lines: range, is_first } => Some((place, (&lines[range.clone()], *is_first))),
        Chunk::Directive { .. } => None,
    })
}

/// What the layout does not tell, the parser may find out from the whole file.
fn whole<const N: usize>(lines: &[Vec<&str>; N]) -> [Result<Vec<Segment>>; N] {
    std::array::from_fn(|i| {
        let segments = parsed(&lines[i], true)?;
        check(&segments, &lines[i])?;
        Ok(segments)
    })
}

/// The lines of a chunk, and whether it is the first of its file.
type Code<'a> = (&'a [&'a str], bool);

/// The chunks that each version has once, each with its place among those of the first version.
fn shared<'a, const N: usize>(lines: &'a [Vec<&'a str>; N], cut: &'a [Vec<Chunk>]) -> BTreeMap<Code<'a>, usize> {
    let mut seen = BTreeMap::<Code<'a>, (usize, [usize; N])>::new();
    for (i, (lines, chunks)) in lines.iter().zip(cut).enumerate() {
        for (place, code) in codes(chunks, lines) {
            seen.entry(code).or_insert((place, [0; N])).1[i] += 1;
        }
    }
    let everywhere = seen.into_iter().filter(|(_, (_, counts))| N > 1 && *counts == [1; N]);
    everywhere.map(|(code, (place, _))| (code, place)).collect()
}

/// The segments of a chunk by itself.
///
/// What was parsed once is kept: the versions that one patch is merged from are like those of the next one.
fn parsed_once((lines, is_first): Code<'_>) -> Result<Arc<Vec<Segment>>> {
    type Known = BTreeMap<(String, bool), Arc<Vec<Segment>>>;
    static KNOWN: Mutex<Known> = Mutex::new(Known::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (lines.concat(), is_first);
    if let Some(segments) = known().get(&key) {
        return Ok(Arc::clone(segments));
    }
    let segments = Arc::new(parsed(lines, is_first)?);
    known().insert(key, Arc::clone(&segments));
    Ok(segments)
}

/// The segments of all chunks of a version.
fn join<'a>(
    chunks: &[Chunk],
    lines: &'a [&'a str],
    shared: &BTreeMap<Code<'a>, usize>,
    parsed: &BTreeMap<Code<'a>, Arc<Vec<Segment>>>,
) -> Vec<Segment> {
    let mut list = Vec::new();
    for chunk in chunks {
        let (range, is_first) = match chunk {
            Chunk::Directive { name, lines } => {
                list.push(directive(name.clone(), lines));
                continue;
            }
            Chunk::Code { lines, is_first } => (lines, *is_first),
        };
        let code = (&lines[range.clone()], is_first);
        if let Some(place) = shared.get(&code) {
            let names = BTreeSet::from([place.to_string()]);
            list.push(Segment { kind: SAME.to_owned(), names, lines: range.clone() });
        }
        list.extend(parsed.get(&code).into_iter().flat_map(|segments| segments.iter()).map(|segment| {
            let lines = segment.lines.start + range.start..segment.lines.end + range.start;
            Segment { lines, ..segment.clone() }
        }));
    }
    list
}

fn parsed(lines: &[&str], is_file: bool) -> Result<Vec<Segment>> {
    let mut list = Vec::new();
    flatten(&parse::nodes(&without_bodies(lines), lines, is_file)?, lines, &mut list);
    Ok(list)
}

/// The text with empty lines for those in the bodies of functions: they are most of it, and neither what a segment is
/// called nor where it ends is in them.
fn without_bodies(lines: &[&str]) -> String {
    let mut text = String::new();
    let mut body = 0..0;
    for (number, line) in lines.iter().enumerate() {
        if *line == "{\n" && body.end <= number {
            let rest = &lines[number + 1..];
            // A directive may have its other half outside.
            let end = rest.iter().position(|line| line.starts_with(['}', '#', '{']));
            let ends = end.filter(|end| rest[*end].trim_end() == "}");
            body = ends.map_or(0..0, |end| number + 1..number + 1 + end);
        }
        text += if body.contains(&number) { "\n" } else { line };
    }
    text
}

/// Makes sure that every line is in one segment or blank.
fn check(list: &[Segment], lines: &[&str]) -> Result<()> {
    let mut end = 0;
    for segment in list {
        let gap = lines.get(end..segment.lines.start);
        let Some(gap) = gap.filter(|_| segment.lines.start < segment.lines.end) else {
            bail!("line {} belongs to two items", segment.lines.start + 1);
        };
        if let Some(stray) = gap.iter().position(|line| !line.trim().is_empty()) {
            bail!("line {} belongs to no item", end + stray + 1);
        }
        // Macros leave a line or two that the grammar has no word for; they are merged as they are.
        if segment.kind == "ERROR" && segment.lines.len() > lines.len() / 4 {
            bail!("lines {} to {} are no C", segment.lines.start + 1, segment.lines.end);
        }
        end = segment.lines.end;
    }
    if let Some(stray) = lines.get(end..).unwrap_or_default().iter().position(|line| !line.trim().is_empty()) {
        bail!("line {} belongs to no item", end + stray + 1);
    }
    Ok(())
}

fn flatten(nodes: &[Node], lines: &[&str], to: &mut Vec<Segment>) {
    for node in nodes {
        match node {
            Node::Item(item) => {
                to.push(Segment { kind: item.kind.clone(), names: item.names.clone(), lines: item.lines.clone() });
            }
            Node::Block(block) => directives(block, lines, to),
        }
    }
}

fn directives(block: &Block, lines: &[&str], to: &mut Vec<Segment>) {
    let mut condition = String::new();
    for (index, (range, nodes)) in block.branches.iter().enumerate() {
        let text = directive_text(range, lines);
        let name = if index == 0 { text.clone() } else { format!("{text} of {condition}") };
        if index == 0 {
            condition = text;
        }
        to.push(directive(name, range));
        flatten(nodes, lines, to);
    }
    to.push(directive(format!("#endif of {condition}"), &block.close));
}

fn directive(name: String, lines: &Range<usize>) -> Segment {
    Segment { kind: DIRECTIVE.to_owned(), names: BTreeSet::from([name]), lines: lines.clone() }
}

/// The directive without the comments before it, in one line.
fn directive_text(range: &Range<usize>, lines: &[&str]) -> String {
    let lines = lines.get(range.clone()).unwrap_or_default();
    let from = lines.iter().position(|line| line.trim_start().starts_with('#')).unwrap_or(0);
    lines[from..].concat().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{DIRECTIVE, SAME, Segment, by_chunks, chunks, lines_of, parsed, segments, unshared, without_bodies};

    const TEXT: &str = "// SPDX-License-Identifier: GPL-2.0
/* About the file. */

#ifndef _A_H
#define _A_H

#include <linux/mm.h>
#include <linux/slab.h>

struct one {
	int a;

#ifdef CONFIG_B
	int b;
#endif
};

/* Says two.
 *
 * #if it does
 */

static inline int
two(struct one *one)
{
	if (one->a) {
		return 1;
	}

	return 0;
}
EXPORT_SYMBOL(two);

/* Only there. */
#if IS_ENABLED(CONFIG_C) && \\
    defined(D)
int three(void);
#else
static inline int three(void) { return 3; }
#endif

#define FOUR(x) do {	\\
	five(x);	\\
							\\
} while (0)

static const struct one six = {
	.a = 1,
};
#endif /* _A_H */
";

    #[test]
    fn bodies_of_functions_are_left_out_and_nothing_else() {
        let of = |text: &str| without_bodies(&lines_of(text));
        assert_eq!(
            of("int a(void)\n{\n\tx();\nout:\n\treturn 1;\n}\nEXPORT_SYMBOL(a);\nint b(void)\n{\n}\n"),
            "int a(void)\n{\n\n\n\n}\nEXPORT_SYMBOL(a);\nint b(void)\n{\n}\n"
        );
        let kept = [
            "struct a {\n\tint b;\n};\n",
            "static int a[] =\n{\n\t1,\n};\n",
            "int a(void)\n{\n#ifdef B\n\tx();\n}\n#endif\n",
            "int a(void)\n{\n\tx();\n",
        ];
        for text in kept {
            assert_eq!(of(text), text);
        }
    }

    #[test]
    fn chunks_give_the_segments_of_the_whole_file() {
        let lines = TEXT.split_inclusive('\n').collect::<Vec<_>>();
        let cut = chunks::chunks(&lines).unwrap();
        assert!(cut.len() > 10, "{cut:?}");
        let whole = parsed(&lines, true).unwrap();
        let [split] = by_chunks(&[lines]).unwrap();
        assert_eq!(split, whole);
    }

    #[test]
    fn what_all_versions_have_once_is_one_segment_in_each() {
        let changed = TEXT.replace("return 0;", "return 2;").replace("int three", "long three");
        let [old, new] = segments([TEXT, &changed]).map(Result::unwrap);
        let same = |list: &[Segment]| list.iter().filter(|segment| segment.kind == SAME).cloned().collect::<Vec<_>>();
        assert_eq!(same(&old), same(&new));
        let names = |list: &[Segment]| {
            let rest = list.iter().filter(|segment| ![SAME, DIRECTIVE].contains(&segment.kind.as_str()));
            rest.flat_map(|segment| segment.names.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&old), ["EXPORT_SYMBOL", "EXPORT_SYMBOL(two)", "two", "three", "three"]);
        assert_eq!(names(&old), names(&new));
        assert!(!same(&old).is_empty());
    }

    #[test]
    fn what_not_all_versions_have_is_left_of_them() {
        let [old, new] = unshared([TEXT, &TEXT.replace("return 0;", "return 2;")]).unwrap();
        assert!(old.starts_with("/* Says two.") && old.ends_with("EXPORT_SYMBOL(two);\n"), "{old}");
        assert_eq!(new, old.replace("return 0;", "return 2;"));
    }

    #[test]
    fn a_layout_that_can_not_be_cut_is_parsed_whole() {
        let text = "int one(void) {\n\treturn 1; }\n\nint two(void) {\n\treturn 2; }\n";
        let lines = text.split_inclusive('\n').collect::<Vec<_>>();
        assert_eq!(chunks::chunks(&lines), None);
        let [alone] = segments([text]);
        assert_eq!(alone.unwrap().len(), 2);
    }
}

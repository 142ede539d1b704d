// SPDX-License-Identifier: GPL-2.0
//! A C file as a flat list of segments: items, and the directives of conditional blocks on their own.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, bail};

use super::chunks::{self, Chunk};
use super::{Block, Node, parse};
use crate::proof;

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

/// Splits C source into segments with nothing but blank lines between them; an error where it is no C.
///
/// What was split once is kept, whole files and their chunks: from patch to patch and from base to base most of it
/// comes again, and parsing takes longer than all the rest of a merge.
pub fn segments(text: &str) -> Result<Arc<Vec<Segment>>> {
    static KNOWN: Known = Mutex::new(BTreeMap::new());
    kept(&KNOWN, proof::key(&[text.as_bytes()]), || split(text))
}

/// Segments by a key over the text they are of.
type Known = Mutex<BTreeMap<String, Arc<Vec<Segment>>>>;

fn kept(known: &Known, key: String, make: impl FnOnce() -> Result<Vec<Segment>>) -> Result<Arc<Vec<Segment>>> {
    let lock = || known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(segments) = lock().get(&key) {
        return Ok(Arc::clone(segments));
    }
    let segments = Arc::new(make()?);
    lock().insert(key, Arc::clone(&segments));
    Ok(segments)
}

fn split(text: &str) -> Result<Vec<Segment>> {
    let lines = text.split_inclusive('\n').collect::<Vec<_>>();
    let by_chunks = match chunks::chunks(&lines) {
        Some(chunks) => join(&chunks, &lines)?,
        None => Vec::new(),
    };
    // What the layout does not tell, the parser may find out from the whole file.
    if !by_chunks.is_empty() && check(&by_chunks, &lines).is_ok() {
        return Ok(by_chunks);
    }
    let whole = parsed(text, &lines, true)?;
    check(&whole, &lines)?;
    Ok(whole)
}

/// The segments of each chunk, parsed by itself.
fn join(chunks: &[Chunk], lines: &[&str]) -> Result<Vec<Segment>> {
    static KNOWN: Known = Mutex::new(BTreeMap::new());
    let mut list = Vec::new();
    for chunk in chunks {
        match chunk {
            Chunk::Directive { name, lines } => list.push(directive(name.clone(), lines)),
            Chunk::Code { lines: range, is_first } => {
                let own = &lines[range.clone()];
                let text = own.concat();
                let key = proof::key(&[text.as_bytes(), &[u8::from(*is_first)]]);
                let segments = kept(&KNOWN, key, || parsed(&text, own, *is_first))?;
                list.extend(segments.iter().map(|segment| {
                    let lines = segment.lines.start + range.start..segment.lines.end + range.start;
                    Segment { lines, ..segment.clone() }
                }));
            }
        }
    }
    Ok(list)
}

fn parsed(text: &str, lines: &[&str], is_file: bool) -> Result<Vec<Segment>> {
    let mut list = Vec::new();
    flatten(&parse::nodes(text, lines, is_file)?, lines, &mut list);
    Ok(list)
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
    use super::{chunks, join, parsed, segments};

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
    fn chunks_give_the_segments_of_the_whole_file() {
        let lines = TEXT.split_inclusive('\n').collect::<Vec<_>>();
        let cut = chunks::chunks(&lines).unwrap();
        assert!(cut.len() > 10, "{cut:?}");
        assert_eq!(join(&cut, &lines).unwrap(), parsed(TEXT, &lines, true).unwrap());
    }

    #[test]
    fn a_layout_that_can_not_be_cut_is_parsed_whole() {
        let text = "int one(void) {\n\treturn 1; }\n\nint two(void) {\n\treturn 2; }\n";
        let lines = text.split_inclusive('\n').collect::<Vec<_>>();
        assert_eq!(chunks::chunks(&lines), None);
        assert_eq!(segments(text).unwrap().len(), 2);
    }
}

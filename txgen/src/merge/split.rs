// SPDX-License-Identifier: GPL-2.0
//! A file as pieces: its items and directives, each with the blank lines before it.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::slice::{self, Segment};

/// An item or a directive of one version of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// What the grammar calls it.
    pub(super) kind: String,
    /// What it can be called by; its text, where it has no name.
    pub(super) names: BTreeSet<String>,
    /// The blank lines before it.
    pub(super) gap: &'a str,
    /// Its lines.
    pub(super) text: &'a str,
}

impl Piece<'_> {
    /// What it is called in a report.
    pub(super) fn name(&self) -> String {
        let plain = self.names.iter().filter(|name| !name.contains('('));
        // `static void name(...)`: what is called or declared with brackets is the name, whatever stands before it.
        let place = |name: &&String| (self.text.find(&format!("{name}(")).unwrap_or(usize::MAX), self.text.find(*name));
        let name = plain.min_by_key(place).or_else(|| self.names.first()).map_or("", String::as_str);
        name.lines().next().unwrap_or_default().trim_end().to_owned()
    }

    /// What tells it apart from the others of its file, unless there are twins.
    pub(super) fn key(&self) -> (&str, &BTreeSet<String>) {
        (&self.kind, &self.names)
    }
}

/// Splits versions of C source into their pieces; blank lines at the end are a piece of their own.
pub(super) fn split<const N: usize>(texts: [&str; N]) -> [Result<Vec<Piece<'_>>>; N] {
    let mut segments = slice::segments(texts).into_iter();
    texts.map(|text| segments.next().expect("there is one for each").map(|segments| pieces(text, segments)))
}

fn pieces(text: &str, segments: Vec<Segment>) -> Vec<Piece<'_>> {
    let mut starts = vec![0];
    starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
    let offset = |line: usize| starts.get(line).copied().unwrap_or(text.len());
    let mut pieces = Vec::new();
    let mut end = 0;
    for Segment { kind, mut names, lines } in segments {
        let (from, to) = (offset(lines.start), offset(lines.end));
        let own = &text[from..to];
        if names.is_empty() {
            names.insert(own.to_owned());
        }
        pieces.push(Piece { kind, names, gap: &text[end..from], text: own });
        end = to;
    }
    if end < text.len() {
        pieces.push(Piece { kind: "end".to_owned(), names: BTreeSet::new(), gap: "", text: &text[end..] });
    }
    pieces
}

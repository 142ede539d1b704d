// SPDX-License-Identifier: GPL-2.0
//! Every new file is covered by a section of MAINTAINERS that is about it, not about half the kernel.
//!
//! netdev's CI wants a section that covers fewer than 75 files. Sections are matched by their `F:`,
//! `X:` and `N:` lines (an `N:` expression as far as it is plain text), counted in the tip's tree.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope, no_tools};

pub(super) const CHECK: Check = Check {
    name: "maintainers",
    shows: "each new file is covered by a MAINTAINERS section of fewer than 75 files",
    needs: "",
    version: 1,
    tools: no_tools,
    scope: Scope::Series(check),
};

/// A section that covers this many files is about no file in particular.
const BROAD: usize = 75;

/// A section of MAINTAINERS.
#[derive(Debug, Default, PartialEq, Eq)]
struct Section {
    title: String,
    covers: Vec<String>,
    excludes: Vec<String>,
    names: Vec<String>,
}

impl Section {
    fn covers(&self, path: &str) -> bool {
        let hit = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, path));
        (hit(&self.covers) || self.names.iter().any(|name| path.contains(name))) && !hit(&self.excludes)
    }
}

fn check(source: &Source<'_>, patches: &[Patch]) -> Result<Vec<Finding>> {
    let mut added = BTreeMap::new();
    for patch in patches {
        for file in source.diff(patch)? {
            if file.added {
                added.insert(file.path, &patch.name);
            }
        }
    }
    if added.is_empty() {
        return Ok(Vec::new());
    }
    let text = source.file(&source.tip, "MAINTAINERS")?.context("the tree has no MAINTAINERS file")?;
    let sections = parse(&String::from_utf8_lossy(&text));
    let listing = source.git(["ls-tree", "-r", "-z", "--name-only", &source.tip]).check()?.text();
    let tree = listing.split('\0').filter(|path| !path.is_empty()).collect::<Vec<_>>();
    let mut found = Vec::new();
    for (path, patch) in added.iter().filter(|(path, _)| tree.binary_search(&path.as_str()).is_ok()) {
        found.extend(finding(path, &sections, &tree).map(|finding| finding.at(path, None).of(patch)));
    }
    Ok(found)
}

/// What is wrong with the coverage of `path`.
fn finding(path: &str, sections: &[Section], tree: &[&str]) -> Option<Finding> {
    let covering = sections.iter().filter(|section| section.title != "THE REST" && section.covers(path));
    let counted = covering.map(|section| (section, tree.iter().filter(|other| section.covers(other)).count()));
    let Some((section, count)) = counted.min_by_key(|(_, count)| *count) else {
        return Some(Finding::new(Level::Fail, "no-section", "no section of MAINTAINERS covers the new file"));
    };
    let what = format!("the narrowest section of MAINTAINERS, {}, covers {count} files", section.title);
    (count >= BROAD).then(|| Finding::new(Level::Warn, "broad-section", what))
}

/// Reads MAINTAINERS: a section is a title and the lines `X:<tab>value` below it.
fn parse(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines() {
        let tagged = line.split_once(':').filter(|(tag, _)| tag.len() == 1);
        match (tagged, sections.last_mut()) {
            (Some(("F", value)), Some(section)) => section.covers.push(value.trim().to_owned()),
            (Some(("X", value)), Some(section)) => section.excludes.push(value.trim().to_owned()),
            (Some(("N", value)), Some(section)) => section.names.push(value.trim().to_owned()),
            (Some(_), _) => {}
            (None, _) if !line.trim().is_empty() => {
                sections.push(Section { title: line.trim().to_owned(), ..Section::default() });
            }
            (None, _) => {}
        }
    }
    sections
}

/// A pattern of an `F:` line: `dir/` covers all below, `*` and `?` match as in get_maintainer.pl.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    if let Some(dir) = pattern.strip_suffix('/') {
        let depth = dir.split('/').count();
        let mut cuts = path.match_indices('/').map(|(at, _)| at);
        return cuts.nth(depth - 1).is_some_and(|at| wildcard(dir.as_bytes(), &path.as_bytes()[..at]));
    }
    let depth = |text: &str| text.matches('/').count();
    let inside = path.strip_prefix(pattern).is_some_and(|rest| rest.starts_with('/'));
    inside || (depth(pattern) == depth(path) && wildcard(pattern.as_bytes(), path.as_bytes()))
}

/// `*` for any bytes, `?` for one.
fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.first(), text.first()) {
        (None, None) => true,
        (Some(b'*'), _) => {
            wildcard(&pattern[1..], text) || (!text.is_empty() && text[0] != b'/' && wildcard(pattern, &text[1..]))
        }
        (Some(b'?'), Some(c)) if *c != b'/' => wildcard(&pattern[1..], &text[1..]),
        (Some(p), Some(c)) if p == c => wildcard(&pattern[1..], &text[1..]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{finding, matches, parse};

    const TEXT: &str = "List of maintainers\n\nNETWORKING [GENERAL]\nM:\tA <a@b.org>\nF:\tnet/\nX:\tnet/mac80211/\n\n\
TXBUF\nM:\tA <a@b.org>\nF:\tinclude/net/txbuf/\nF:\tnet/core/txbuf*\n\nTHE REST\nF:\t*\nF:\t*/\n";

    fn rule(path: &str, tree: &[&str]) -> Option<String> {
        finding(path, &parse(TEXT), tree).map(|finding| finding.rule().to_owned())
    }

    #[test]
    fn patterns_match_as_get_maintainer_does() {
        assert!(matches("net/core/txbuf*", "net/core/txbuf.c"));
        assert!(!matches("net/core/txbuf*", "net/core/txbuf/a.c"));
        assert!(matches("net/", "net/core/a.c") && !matches("net/", "network/a.c"));
        assert!(matches("*/", "net/core/a.c") && !matches("*", "net/core/a.c"));
        assert!(matches("drivers/*/net/", "drivers/x/net/a.c"));
    }

    #[test]
    fn a_file_of_a_narrow_section_passes() {
        assert_eq!(rule("net/core/txbuf.c", &["net/core/txbuf.c"]), None);
    }

    #[test]
    fn a_file_of_a_broad_section_is_found() {
        let names = (0..80).map(|n| format!("net/{n}.c")).collect::<Vec<_>>();
        let mut tree = names.iter().map(String::as_str).collect::<Vec<_>>();
        tree.push("net/core/new.c");
        assert_eq!(rule("net/core/new.c", &tree), Some("broad-section".to_owned()));
    }

    #[test]
    fn a_file_that_only_the_rest_covers_is_found() {
        assert_eq!(rule("samples/new.c", &["samples/new.c"]), Some("no-section".to_owned()));
    }
}

// SPDX-License-Identifier: GPL-2.0
//! What an audit looks like.

use super::{cover, markdown, text};
use crate::audit::{Audit, Place, Site, State, Watched};

fn site(file: &str, function: &str, name: &str, uses: (usize, usize), verdict: (State, &str, &str)) -> Site {
    let [file, function, name] = [file, function, name].map(str::to_owned);
    let (before, after) = uses;
    let lines = (1..).take(before.max(after)).collect();
    let (state, by, reason) = verdict;
    let by = by.split_whitespace().map(str::to_owned).collect();
    Site { place: Place { file, function, name }, lines, before, after, state, by, reason: reason.to_owned() }
}

fn audit() -> Audit {
    let names = |list: &[(&str, &str)]| {
        let name = |(name, by): &(&str, &str)| ((*name).to_owned(), by.split_whitespace().map(str::to_owned).collect());
        list.iter().map(name).collect()
    };
    let group = |about: &str, list: &[(&str, &str)]| Watched { about: about.to_owned(), names: names(list) };
    Audit {
        series: "demo".to_owned(),
        base: "tiny".to_owned(),
        base_commit: "c".to_owned(),
        patches: vec!["one".to_owned(), "two".to_owned()],
        watched: vec![group("references", &[("ref", ""), ("unused", "")]), group("by page", &[("page", "two")])],
        sites: vec![
            site("drivers/a.c", "xmit", "page", (1, 1), (State::Untouched, "", "maps it | sends it")),
            site("net/b.c", "clone", "ref", (2, 0), (State::Converted, "one two", "")),
            site("net/b.c", "map", "page", (1, 1), (State::Guarded, "two", "refused before")),
            site("net/b.c", "splice", "page", (1, 3), (State::Open, "", "takes a page reference")),
        ],
        findings: vec![],
    }
}

#[test]
fn the_text_groups_places_by_reason() {
    insta::assert_snapshot!(text(&audit()), @r#"
          untouched  converted  guarded  open  definition changed by
    ref                      2
    page          1                   1     3  two
    all           1          2        1     3

    untouched

      maps it | sends it
          drivers/a.c: xmit 1

    converted

      by one, two
          net/b.c: clone 1,2 of the base

    guarded

      by two: refused before
          net/b.c: map 1

    open

      takes a page reference
          net/b.c: splice 1,2,3
    "#);
}

#[test]
fn the_cover_says_who_converts_what_and_what_is_open() {
    insta::assert_snapshot!(cover(&audit()), @r#"
    Uses of frags in the tree, by what becomes of them (txgen audit):

                untouched  converted  guarded  open
    references                     2
    by page             1                   1     3
    all                 1          2        1     3

    one converts clone
    two converts clone
    two guards map
    Open: net/b.c (splice)
    "#);
}

#[test]
fn the_markdown_has_a_row_for_each_place() {
    insta::assert_snapshot!(markdown(&audit()), @r#"
    | uses of | untouched | converted | guarded | added | open | unclassified |
    |---|--:|--:|--:|--:|--:|--:|
    | `ref` |  | 2 |  |  |  |  |
    | `page` | 1 |  | 1 |  | 3 |  |
    | `all` | 1 | 2 | 1 |  | 3 |  |

    | place | uses | state | why |
    |---|---|---|---|
    | drivers/a.c:1 xmit | `page` | untouched | maps it \| sends it |
    | net/b.c:1 clone | `ref` | converted | by one, two. |
    | net/b.c:1 map | `page` | guarded | by two. refused before |
    | net/b.c:1 splice | `page` | open | takes a page reference |
    "#);
}

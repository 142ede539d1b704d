// SPDX-License-Identifier: GPL-2.0
//! series.toml with other patches: everything else in it, comments too, as it was.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, anyhow};
use jiff::Timestamp;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value};

use crate::proof;

/// A patch as series.toml names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it adds.
    pub adds: Vec<String>,
}

/// What a series starts with.
#[derive(Debug, Clone, Copy)]
pub struct Begin<'a> {
    /// Its name.
    pub name: &'a str,
    /// Subject of the cover letter.
    pub title: &'a str,
    /// The tree it is posted for.
    pub tree: &'a str,
    /// Its base.
    pub base: &'a str,
    /// The series it stands on.
    pub depends: Option<&'a str>,
    /// When it was begun: the date of its commits and mails, until another is written.
    pub date: Timestamp,
}

/// A series.toml without patches, with a change-id of b4's form.
pub fn begin(begin: &Begin<'_>) -> Result<String> {
    let id = proof::key(&[begin.name, begin.title, &begin.date.to_string()].map(str::as_bytes));
    let mut document = DocumentMut::new();
    document.insert("title", toml_edit::value(begin.title));
    document.insert("tree", toml_edit::value(begin.tree));
    document.insert("version", toml_edit::value(1));
    let day = begin.date.strftime("%Y%m%d");
    document.insert("change-id", toml_edit::value(format!("{day}-{}-{}", begin.name, &id[..12])));
    document.insert("base", toml_edit::value(begin.base));
    if let Some(depends) = begin.depends {
        document.insert("depends", toml_edit::value(depends));
    }
    let date = Timestamp::from_second(begin.date.as_second()).context("a date in seconds")?;
    document.insert("date", toml_edit::value(date.to_string()));
    document.insert("to", toml_edit::value(Array::new()));
    document.insert("cc", toml_edit::value(Array::new()));
    Ok(document.to_string())
}

/// `text`, a series.toml, with `patches`. Tables that tell of other patches go.
pub fn with_patches(text: &str, patches: &[Entry]) -> Result<String> {
    let mut document = text.parse::<DocumentMut>().map_err(|e| anyhow!("{e}"))?;
    let old = match document.get("patch") {
        Some(Item::ArrayOfTables(tables)) => tables.clone(),
        _ => ArrayOfTables::new(),
    };
    if old.iter().map(entry).eq(patches.iter().cloned()) {
        return Ok(text.to_owned());
    }
    let places = old.iter().filter_map(Table::position).collect::<Vec<_>>();
    let mut by_name = old.iter().map(|table| (entry(table).name, table.clone())).collect::<BTreeMap<_, _>>();
    let mut tables = ArrayOfTables::new();
    for (index, patch) in patches.iter().enumerate() {
        let mut table = by_name.remove(&patch.name).unwrap_or_else(|| fresh(&patch.name));
        if entry(&table).adds != patch.adds {
            set_adds(&mut table, &patch.adds);
        }
        // The tables of a document are written by their place; those that are new follow the last.
        table.set_position(places.get(index).or(places.last()).copied());
        tables.push(table);
    }
    match tables.is_empty() {
        true => drop(document.remove("patch")),
        false => drop(document.insert("patch", Item::ArrayOfTables(tables))),
    }
    let known = patches.iter().map(|patch| patch.name.as_str()).collect::<BTreeSet<_>>();
    if let Some(Item::ArrayOfTables(tables)) = document.get_mut("changelog") {
        tables.iter_mut().for_each(|table| tell_of_series(table, &known));
    }
    for key in ["drop", "exception", "tag"] {
        if let Some(Item::ArrayOfTables(tables)) = document.get_mut(key) {
            tables.retain(|table| {
                let patch = table.get("patch").and_then(Item::as_str);
                patch.is_none_or(|patch| patch.starts_with('(') || known.contains(patch))
            });
        }
    }
    Ok(document.to_string())
}

/// What a version changed in a patch that is gone is told of the series: the patch's name goes before each change.
fn tell_of_series(table: &mut Table, known: &BTreeSet<&str>) {
    let patch = table.get("patch").and_then(Item::as_str).filter(|patch| !known.contains(patch)).map(str::to_owned);
    let Some(patch) = patch else { return };
    table.remove("patch");
    if let Some(changes) = table.get_mut("changes").and_then(Item::as_array_mut) {
        for change in changes.iter_mut() {
            let decor = change.decor().clone();
            *change = Value::from(format!("{patch}: {}", change.as_str().unwrap_or_default()));
            *change.decor_mut() = decor;
        }
    }
}

fn entry(table: &Table) -> Entry {
    let adds = table.get("adds").and_then(Item::as_array);
    let adds = adds.map(|adds| adds.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    let name = table.get("name").and_then(Item::as_str).unwrap_or_default().to_owned();
    Entry { name, adds: adds.unwrap_or_default() }
}

fn fresh(name: &str) -> Table {
    let mut table = Table::new();
    table.decor_mut().set_prefix("\n");
    table.insert("name", toml_edit::value(name));
    table
}

/// One entry stays on the line of its key, more get a line each.
fn set_adds(table: &mut Table, adds: &[String]) {
    if adds.is_empty() {
        table.remove("adds");
        return;
    }
    let mut array = Array::from_iter(adds);
    if adds.len() > 1 {
        array.iter_mut().for_each(|value| value.decor_mut().set_prefix("\n    "));
        array.set_trailing("\n");
        array.set_trailing_comma(true);
    }
    match table.get_mut("adds") {
        Some(item) => *item = toml_edit::value(array),
        None => drop(table.insert("adds", toml_edit::value(array))),
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, with_patches};

    const TEXT: &str = "\
# The series.
title = \"x\" # stays

# About a.
[[patch]]
name = \"a\"

[[patch]]
name = \"b\"
adds = [
    \"net/x.c#two\", # why
    \"net/x.c#three\",
]

# An excuse.
[[exception]]
patch = \"a\"
check = \"c\"

[[exception]]
patch = \"(series)\"
check = \"d\"
";

    fn entry(name: &str, adds: &[&str]) -> Entry {
        Entry { name: name.to_owned(), adds: adds.iter().map(|add| (*add).to_owned()).collect() }
    }

    fn rewritten(patches: &[Entry]) -> String {
        with_patches(TEXT, patches).unwrap()
    }

    #[test]
    fn the_same_patches_leave_every_byte() {
        assert_eq!(rewritten(&[entry("a", &[]), entry("b", &["net/x.c#two", "net/x.c#three"])]), TEXT);
    }

    #[test]
    fn patches_change_places_come_and_go_with_their_comments() {
        let text = rewritten(&[entry("b", &["net/x.c#two", "net/x.c#three"]), entry("new", &["net/y.c"])]);
        insta::assert_snapshot!(text, @r#"
        # The series.
        title = "x" # stays

        [[patch]]
        name = "b"
        adds = [
            "net/x.c#two", # why
            "net/x.c#three",
        ]

        [[patch]]
        name = "new"
        adds = ["net/y.c"]

        [[exception]]
        patch = "(series)"
        check = "d"
        "#);
        let text = rewritten(&[entry("b", &["net/x.c#two", "net/x.c#three"]), entry("a", &["net/y.c", "net/z.c"])]);
        insta::assert_snapshot!(text, @r#"
        # The series.
        title = "x" # stays

        [[patch]]
        name = "b"
        adds = [
            "net/x.c#two", # why
            "net/x.c#three",
        ]

        # About a.
        [[patch]]
        name = "a"
        adds = [
            "net/y.c",
            "net/z.c",
        ]

        # An excuse.
        [[exception]]
        patch = "a"
        check = "c"

        [[exception]]
        patch = "(series)"
        check = "d"
        "#);
    }

    #[test]
    fn what_a_version_changed_in_a_patch_that_is_gone_is_still_told() {
        let history = "\n[[changelog]]\nversion = 2\npatch = \"a\"\nchanges = [\"more\", \"less\"]\n\n\
                       [[tag]]\npatch = \"a\"\ntrailer = \"x\"\n";
        let text = with_patches(&format!("{TEXT}{history}"), &[entry("b", &["net/x.c#two", "net/x.c#three"])]).unwrap();
        let rest = text.split_once("[[changelog]]").unwrap().1;
        assert_eq!(rest, "\nversion = 2\nchanges = [\"a: more\", \"a: less\"]\n");
    }

    #[test]
    fn a_series_without_patches_gets_its_first() {
        let text = with_patches("title = \"x\"\n", &[entry("a", &[]), entry("b", &[])]).unwrap();
        assert_eq!(text, "title = \"x\"\n\n[[patch]]\nname = \"a\"\n\n[[patch]]\nname = \"b\"\n");
    }
}

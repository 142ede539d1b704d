// SPDX-License-Identifier: GPL-2.0
//! An audit as text, as Markdown, and as the table of a cover letter.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::classify::count;
use super::{Audit, STATES, Site, State, Watched};

/// Everything: the table of names and states, each place grouped by what is said about it, and the findings.
pub fn text(audit: &Audit) -> String {
    let mut text = table(&rows_by_name(audit));
    for (state, title) in STATES {
        let groups = groups(audit, state);
        if !groups.is_empty() {
            write!(text, "\n{title}\n").expect(WRITES);
        }
        for ((by, reason), sites) in groups {
            let by = if by.is_empty() { String::new() } else { format!("by {by}") };
            let said = [by, reason].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
            text.push('\n');
            if !said.is_empty() {
                text.push_str(&wrapped(&said, "  "));
            }
            for (file, places) in by_file(&sites) {
                text.push_str(&wrapped(&format!("{file}: {}", places.join(", ")), "      "));
            }
        }
    }
    text
}

/// A place and state table, for people who read it on a web page.
pub fn markdown(audit: &Audit) -> String {
    let header = STATES.map(|(_, title)| title).join(" | ");
    let mut text = format!("| uses of | {header} |\n|---|{}\n", "--:|".repeat(STATES.len()));
    for row in rows_by_name(audit) {
        let cells = row.cells.iter().map(|n| if *n == 0 { String::new() } else { n.to_string() }).collect::<Vec<_>>();
        writeln!(text, "| `{}` | {} |", row.what, cells.join(" | ")).expect(WRITES);
    }
    text.push_str("\n| place | uses | state | why |\n|---|---|---|---|\n");
    for site in &audit.sites {
        let title = STATES.iter().find(|(state, _)| *state == site.state).map_or("", |(_, title)| title);
        let why = if site.by.is_empty() { String::new() } else { format!("by {}. ", site.by.join(", ")) };
        let why = format!("{why}{}", site.reason.replace('|', "\\|"));
        let (place, name) = (&site.place, &site.place.name);
        writeln!(text, "| {}:{} {} | `{name}` | {title} | {} |", place.file, site.lines[0], function(site), why.trim())
            .expect(WRITES);
    }
    text
}

/// The table of a cover letter, and by patch what it converts and guards; a list of what is open.
pub fn cover(audit: &Audit) -> String {
    let mut text = String::from("Uses of frags in the tree, by what becomes of them (txgen audit):\n\n");
    text.push_str(&table(&rows_by_group(audit)));
    text.push('\n');
    for patch in &audit.patches {
        for (state, verb) in [(State::Converted, "converts"), (State::Guarded, "guards")] {
            let by = |site: &&Site| site.state == state && site.by.contains(patch);
            let functions = audit.sites.iter().filter(by).map(function).collect::<BTreeSet<_>>();
            if !functions.is_empty() {
                text.push_str(&wrapped(&format!("{patch} {verb} {}", list(functions)), ""));
            }
        }
    }
    for (state, title) in [(State::Open, "Open"), (State::Unclassified, "Not looked at")] {
        let mut files = BTreeMap::<_, BTreeSet<_>>::new();
        for site in audit.sites.iter().filter(|site| site.state == state) {
            files.entry(site.place.file.as_str()).or_default().insert(function(site));
        }
        let files = files.into_iter().map(|(file, functions)| format!("{file} ({})", list(functions)));
        let files = files.collect::<Vec<_>>().join("; ");
        if !files.is_empty() {
            text.push_str(&wrapped(&format!("{title}: {files}"), ""));
        }
    }
    text
}

fn list(names: BTreeSet<&str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

const WRITES: &str = "writing to a string does not fail";

/// A row of the table of states.
struct Row<'a> {
    what: &'a str,
    cells: [usize; STATES.len()],
    /// The patches that change what it is about.
    by: String,
}

fn row<'a>(audit: &Audit, what: &'a str, by: &[String], is_in: impl Fn(&str) -> bool) -> Row<'a> {
    let counts = count(&audit.sites.iter().filter(|site| is_in(&site.place.name)).collect::<Vec<_>>());
    let cells = STATES.map(|(state, _)| counts.get(&state).copied().unwrap_or_default());
    Row { what, cells, by: by.join(", ") }
}

/// A row for each name that is used, and the sum.
fn rows_by_name(audit: &Audit) -> Vec<Row<'_>> {
    let names = audit.watched.iter().flat_map(|watched| &watched.names);
    let mut rows = names.map(|(name, by)| row(audit, name, by, |used| used == name)).collect::<Vec<_>>();
    rows.retain(|row| row.cells.iter().any(|cell| *cell > 0));
    rows.push(row(audit, "all", &[], |_| true));
    rows
}

/// A row for each group of names, and the sum.
fn rows_by_group(audit: &Audit) -> Vec<Row<'_>> {
    let groups = audit.watched.iter();
    let is_in = |watched: &Watched, used: &str| watched.names.iter().any(|(name, _)| name == used);
    let mut rows = groups.map(|group| row(audit, &group.about, &[], |used| is_in(group, used))).collect::<Vec<_>>();
    rows.push(row(audit, "all", &[], |_| true));
    rows
}

/// A table as text; a state that nothing is in has no column.
fn table(rows: &[Row<'_>]) -> String {
    let columns = (0..STATES.len()).filter(|column| rows.iter().any(|row| row.cells[*column] > 0)).collect::<Vec<_>>();
    let first = rows.iter().map(|row| row.what.len()).max().unwrap_or_default();
    let mut text = format!("{:first$}", "");
    for column in &columns {
        write!(text, "  {}", STATES[*column].1).expect(WRITES);
    }
    if rows.iter().any(|row| !row.by.is_empty()) {
        text.push_str("  definition changed by");
    }
    text.push('\n');
    for row in rows {
        let mut line = format!("{:first$}", row.what);
        for column in &columns {
            let cell = row.cells[*column];
            let cell = if cell == 0 { String::new() } else { cell.to_string() };
            write!(line, "  {cell:>width$}", width = STATES[*column].1.len()).expect(WRITES);
        }
        write!(line, "  {}", row.by).expect(WRITES);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The sites of a state by who did it and why.
fn groups(audit: &Audit, state: State) -> BTreeMap<(String, String), Vec<&Site>> {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for site in audit.sites.iter().filter(|site| site.state == state) {
        groups.entry((site.by.join(", "), site.reason.clone())).or_default().push(site);
    }
    groups
}

/// `function:line` of the sites, by file.
fn by_file<'a>(sites: &[&'a Site]) -> BTreeMap<&'a str, Vec<String>> {
    let mut files = BTreeMap::<_, Vec<_>>::new();
    for site in sites {
        let lines = site.lines.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let gone = if site.after == 0 { " of the base" } else { "" };
        files.entry(site.place.file.as_str()).or_default().push(format!("{} {lines}{gone}", function(site)));
    }
    files
}

fn function(site: &Site) -> &str {
    if site.place.function.is_empty() { "(file)" } else { &site.place.function }
}

/// `text` in lines of at most 72 columns, each after `indent` and the second and later further in.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && indent.len() + line.len() + 1 + word.len() > 72 {
            lines.push(std::mem::take(&mut line));
        }
        line = match (line.is_empty(), lines.is_empty()) {
            (true, true) => word.to_owned(),
            (true, false) => format!("  {word}"),
            _ => format!("{line} {word}"),
        };
    }
    lines.push(line);
    lines.iter().map(|line| format!("{indent}{line}\n")).collect()
}

#[cfg(test)]
mod tests;

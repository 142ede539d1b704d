// SPDX-License-Identifier: GPL-2.0
//! What people said of a series in mails, taken into its messages; and taken out again where the code is another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use crate::files;
use crate::mail::patch_id;
use crate::mail::posting::is_about_code;
use crate::project::Project;
use crate::rebase::write;
use crate::series::history::Tag;
use crate::series::load::record;
use crate::series::{Applied, Series};
use collect::{Fate, Found, Posted, Targets};
use mailbox::Letter;

pub mod collect;
pub mod mailbox;
pub mod place;

/// The mails that an answer may be to: those that were posted, and those in `letters` with the code of a patch.
pub fn targets(
    project: &Project,
    series: &Series,
    letters: &[Letter],
    now: &BTreeMap<String, String>,
) -> Result<Targets> {
    let mut targets = Targets::new();
    for posted in &series.history.posted {
        let path = project.series(&series.name).join(record(posted.version, posted.resend));
        let mut names = posted.patches.iter();
        let (mut cover, mut all) = (None, Vec::new());
        for letter in if path.exists() { mailbox::read(&path)? } else { Vec::new() } {
            match patch_id::of_mail(letter.text.as_bytes())? {
                None => cover = Some(letter.id),
                patch_id => {
                    let Some(patch) = names.next().cloned() else { continue };
                    all.push(Posted { patch, patch_id });
                    targets.insert(letter.id, all[all.len() - 1..].to_vec());
                }
            }
        }
        targets.extend(cover.map(|id| (id, all)));
    }
    for letter in letters.iter().filter(|letter| letter.text.contains("\ndiff --git ")) {
        let Some(id) = patch_id::of_mail(letter.text.as_bytes())? else { continue };
        if let Some((patch, _)) = now.iter().find(|(_, now)| **now == id) {
            let posted = Posted { patch: patch.clone(), patch_id: Some(id) };
            targets.entry(letter.id.clone()).or_insert_with(|| vec![posted]);
        }
    }
    Ok(targets)
}

/// Tags that were given for other code than the patch has now.
pub fn stale(series: &Series, now: &BTreeMap<String, String>) -> Vec<Tag> {
    let is_stale = |tag: &&Tag| {
        let name = tag.trailer.split(':').next().unwrap_or_default();
        let then = tag.patch_id.as_ref();
        is_about_code(name) && then.is_some_and(|then| now.get(&tag.patch).is_some_and(|now| now != then))
    };
    series.history.tags.iter().filter(is_stale).cloned().collect()
}

/// Writes what is taken and takes out what is stale, in one step; the names of the patches whose message changes.
pub fn apply(
    project: &Project,
    series: &Series,
    applied: &Applied,
    found: &[Found],
    stale: &[Tag],
    now: &BTreeMap<String, String>,
) -> Result<BTreeSet<String>> {
    let taken = found.iter().filter(|found| found.fate == Fate::Taken).collect::<Vec<_>>();
    let dir = project.series(&series.name);
    let mut changes = BTreeMap::new();
    let mut changed = BTreeSet::new();
    for patch in &series.patches {
        let file = format!("{}.msg", patch.name);
        let old = files::read(&dir.join(&file))?;
        let gone = stale.iter().filter(|tag| tag.patch == patch.name);
        let text = gone.fold(old.clone(), |text, tag| place::remove(&text, &tag.trailer));
        let of = taken.iter().filter(|found| found.patch == patch.name);
        let new = of.flat_map(|found| [Some(found.trailer.clone()), found.closes.clone()]).flatten();
        let new = new.collect::<Vec<_>>();
        let text = if new.is_empty() { text } else { place::insert(&text, &new) };
        if text != old {
            changed.insert(patch.name.clone());
            changes.insert(file, Some(text));
        }
    }
    let old = files::read(&dir.join("series.toml"))?;
    let toml = edited(&old, series, &taken, stale, now)?;
    if toml != old {
        changes.insert("series.toml".to_owned(), Some(toml));
    }
    if !changes.is_empty() {
        let (git_dir, why) = (applied.git_dir.clone(), format!("txgen trailers {}", series.name));
        let journal =
            write::Journal { series: String::new(), bases: None, overlay: BTreeMap::new(), git_dir, refs: vec![], why };
        write::write(project, &series.name, &changes, journal)?;
    }
    Ok(changed)
}

fn edited(
    text: &str,
    series: &Series,
    taken: &[&Found],
    stale: &[Tag],
    now: &BTreeMap<String, String>,
) -> Result<String> {
    let mut doc = text.parse::<DocumentMut>().context("read series.toml")?;
    for tag in stale {
        let is_it = |table: &Table| {
            let has = |key: &str, text: &str| table.get(key).and_then(Item::as_str) == Some(text);
            has("patch", &tag.patch) && has("trailer", &tag.trailer)
        };
        tables(&mut doc, "tag")?.retain(|table| !is_it(table));
        let what = tag.trailer.replacen(": ", " of ", 1);
        add_change(&mut doc, series.version, &tag.patch, &format!("drop {what}: the code changed"))?;
    }
    let known = |found: &Found| {
        let same = |tag: &&Tag| tag.patch == found.patch && tag.trailer == found.trailer;
        series.history.tags.iter().filter(same).any(|tag| !stale.contains(tag))
    };
    for found in taken.iter().filter(|found| !known(found)) {
        let mut table = Table::new();
        table["patch"] = value(&found.patch);
        table["trailer"] = value(&found.trailer);
        table["message-id"] = value(&found.message_id);
        if let Some(id) = now.get(&found.patch) {
            table["patch-id"] = value(id);
        }
        tables(&mut doc, "tag")?.push(table);
    }
    if doc.get("tag").and_then(Item::as_array_of_tables).is_some_and(ArrayOfTables::is_empty) {
        doc.remove("tag");
    }
    Ok(doc.to_string())
}

fn tables<'a>(doc: &'a mut DocumentMut, key: &str) -> Result<&'a mut ArrayOfTables> {
    let item = doc.entry(key).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    item.as_array_of_tables_mut().with_context(|| format!("`{key}` of series.toml is no [[{key}]]"))
}

/// Adds a line to the changelog of a patch.
fn add_change(doc: &mut DocumentMut, version: u32, patch: &str, what: &str) -> Result<()> {
    let all = tables(doc, "changelog")?;
    let is_it = |table: &&mut Table| {
        table.get("patch").and_then(Item::as_str) == Some(patch)
            && table.get("version").and_then(Item::as_integer) == Some(i64::from(version))
    };
    if let Some(changes) = all.iter_mut().find(is_it).and_then(|table| table.get_mut("changes")?.as_array_mut()) {
        changes.push(what);
        return Ok(());
    }
    let mut table = Table::new();
    table["version"] = value(i64::from(version));
    table["patch"] = value(patch);
    table["changes"] = value(Array::from_iter([what]));
    all.push(table);
    Ok(())
}

/// The mails of several files.
pub fn read(files: &[PathBuf]) -> Result<Vec<Letter>> {
    let mut letters = Vec::new();
    for file in files {
        letters.extend(mailbox::read(Path::new(file))?);
    }
    Ok(letters)
}

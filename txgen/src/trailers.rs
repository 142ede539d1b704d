// SPDX-License-Identifier: GPL-2.0
//! What people said of a series in mails, taken into its messages; and taken out again where the code is another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use crate::files;
use crate::mail::patch_id;
use crate::mail::posting::is_about_code;
use crate::project::Project;
use crate::rebase::write;
use crate::series::history::Tag;
use crate::series::load::record;
use crate::series::{Applied, Series};
use crate::value::check_message_id;
use collect::{Fate, Found, Posted, Targets};
use mailbox::Letter;

pub mod collect;
pub mod given;
pub mod mailbox;
pub mod place;
pub mod thread;

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
        let new = taken.iter().filter(|found| found.patch == patch.name && !found.present);
        let new = new.flat_map(|found| [Some(lines(found)), found.closes.clone()]).flatten();
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

/// The trailer with the line that explains it.
fn lines(found: &Found) -> String {
    [Some(&found.trailer), found.note.as_ref()].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("\n")
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
    let known = series.history.tags.iter().filter(|tag| !stale.contains(tag));
    let known = known.map(|tag| ((tag.patch.as_str(), tag.trailer.as_str()), tag)).collect::<BTreeMap<_, _>>();
    let mut again = BTreeMap::new();
    for found in taken {
        let id = now.get(&found.patch);
        match known.get(&(found.patch.as_str(), found.trailer.as_str())) {
            // Somebody who said it of the code of then has said it again.
            Some(tag) if tag.patch_id.is_some() && tag.patch_id.as_ref() != id => {
                again.insert((found.patch.as_str(), found.trailer.as_str()), (&found.message_id, id));
            }
            Some(_) => {}
            None => tables(&mut doc, "tag")?.push(tag(found, id)),
        }
    }
    for table in tables_if_any(&mut doc, "tag") {
        let text = |key: &str| table.get(key).and_then(Item::as_str).unwrap_or_default();
        let said = again.get(&(text("patch"), text("trailer"))).copied();
        if let Some((message_id, Some(id))) = said {
            say_where_from(table, message_id);
            table["patch-id"] = value(id);
        }
    }
    if doc.get("tag").and_then(Item::as_array_of_tables).is_some_and(ArrayOfTables::is_empty) {
        doc.remove("tag");
    }
    Ok(doc.to_string())
}

fn tag(found: &Found, patch_id: Option<&String>) -> Table {
    let mut table = Table::new();
    table["patch"] = value(&found.patch);
    table["trailer"] = value(&found.trailer);
    say_where_from(&mut table, &found.message_id);
    if let Some(id) = patch_id {
        table["patch-id"] = value(id);
    }
    table
}

/// Names the mail that gave a trailer; series.toml takes no Message-ID that is none.
fn say_where_from(table: &mut Table, message_id: &str) {
    match check_message_id(message_id) {
        Ok(()) => table["message-id"] = value(message_id),
        Err(_) => table["reason"] = value("a mail without a Message-ID of the form that mails have"),
    }
}

fn tables_if_any<'a>(doc: &'a mut DocumentMut, key: &str) -> impl Iterator<Item = &'a mut Table> {
    doc.get_mut(key).and_then(Item::as_array_of_tables_mut).into_iter().flat_map(ArrayOfTables::iter_mut)
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

/// Takes out of `stale` what somebody said again of the code of now; what is dropped is not there any more.
pub fn settle(stale: &mut Vec<Tag>, found: &mut [Found]) {
    let again = found.iter().filter(|found| found.fate == Fate::Taken);
    let again = again.map(|found| (found.patch.clone(), found.trailer.clone())).collect::<BTreeSet<_>>();
    stale.retain(|tag| !again.contains(&(tag.patch.clone(), tag.trailer.clone())));
    let dropped = stale.iter().map(|tag| (&tag.patch, &tag.trailer)).collect::<BTreeSet<_>>();
    for found in found {
        found.present &= !dropped.contains(&(&found.patch, &found.trailer));
    }
}

/// The mails of several files.
pub fn read(files: &[PathBuf]) -> Result<Vec<Letter>> {
    let mut letters = Vec::new();
    for file in files {
        let found = mailbox::read(file)?;
        ensure!(!found.is_empty(), "there is no mail with a sender and a Message-ID in {}", file.display());
        letters.extend(found);
    }
    Ok(letters)
}

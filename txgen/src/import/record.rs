// SPDX-License-Identifier: GPL-2.0
//! What mails say beside their patches, written into the files of the series that they become.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value, value};

use super::Imported;
use super::note::Changelog;
use crate::series::Message;

/// Adds cover letter, notes, changelog and what the posting says of itself to the files of a new series, whose patches
/// are `names`, first to last.
pub fn complete(files: &mut BTreeMap<String, Option<String>>, names: &[&str], imported: &Imported) -> Result<()> {
    if let Some((title, text)) = &imported.cover {
        files.insert("cover.md".to_owned(), Some(format!("{title}\n\n{text}\n")));
    }
    for (name, note) in names.iter().zip(&imported.notes).filter(|(_, note)| !note.text.is_empty()) {
        let file = format!("{name}.msg");
        let text = files.get(&file).cloned().flatten().with_context(|| format!("there is no {file}"))?;
        let message = Message::parse(&text).map_err(|error| anyhow!("{file}:{error}"))?;
        files.insert(file, Some(Message { note: Some(note.text.clone()), ..message }.text()));
    }
    let toml = files.get("series.toml").cloned().flatten().context("there is no series.toml")?;
    files.insert("series.toml".to_owned(), Some(manifest(&toml, names, imported)?));
    Ok(())
}

/// series.toml with what the mails say.
fn manifest(text: &str, names: &[&str], imported: &Imported) -> Result<String> {
    let mut document = text.parse::<DocumentMut>().map_err(|error| anyhow!("series.toml: {error}"))?;
    let posting = &imported.posting;
    let values = [
        ("tree", posting.tree.clone().map(Value::from)),
        ("version", posting.version.map(|version| Value::from(i64::from(version)))),
        ("change-id", posting.change_id.clone().map(Value::from)),
        ("to", (!posting.to.is_empty()).then(|| list(&posting.to))),
        ("cc", (!posting.cc.is_empty()).then(|| list(&posting.cc))),
    ];
    for (key, new) in values.into_iter().filter_map(|(key, new)| Some((key, new?))) {
        document.insert(key, value(new));
    }
    let mut changelog = ArrayOfTables::new();
    add(&mut changelog, None, &imported.changelog);
    for (name, note) in names.iter().zip(&imported.notes) {
        add(&mut changelog, Some(name), &note.changelog);
    }
    if !changelog.is_empty() {
        document.insert("changelog", Item::ArrayOfTables(changelog));
    }
    Ok(document.to_string())
}

fn add(tables: &mut ArrayOfTables, patch: Option<&str>, changelog: &Changelog) {
    for (version, changes) in changelog {
        let mut table = Table::new();
        table.decor_mut().set_prefix("\n");
        table.insert("version", value(i64::from(*version)));
        if let Some(patch) = patch {
            table.insert("patch", value(patch));
        }
        table.insert("changes", value(list(changes)));
        tables.push(table);
    }
}

/// One entry stays on the line of its key, more get a line each.
fn list(texts: &[String]) -> Value {
    let mut array = texts.iter().collect::<Array>();
    if array.len() > 1 {
        array.iter_mut().for_each(|value| value.decor_mut().set_prefix("\n    "));
        array.set_trailing("\n");
        array.set_trailing_comma(true);
    }
    Value::Array(array)
}

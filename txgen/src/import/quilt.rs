// SPDX-License-Identifier: GPL-2.0
//! A quilt folder: patches with a description each, and a file that lists them.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{Imported, Onto, mail, note, onto};
use crate::files;
use crate::mailbox::RawMail;

/// How the first line of a patch begins that has headers of its own.
const HEADERS: &[&[u8]] = &[b"From ", b"From:", b"Subject:", b"Date:"];

/// What to do about a file of the folder that is none.
const RULE: &str = "a quilt folder has plain files only";

/// The patches that the file `series` of a quilt folder lists.
pub fn quilt(place: Onto<'_>, folder: &Path) -> Result<Imported> {
    let list = folder.join("series");
    let text = files::plain::plain_text(&list, &list, RULE);
    let text = text.with_context(|| format!("{} is no quilt folder", folder.display()))?;
    let mut patches = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(name) = words.next() else { continue };
        if let Some(option) = words.find(|option| *option != "-p1") {
            bail!("{}:{}: {name} needs option {option}: only -p1 is known", list.display(), number + 1);
        }
        if name.starts_with('/') || name.split('/').any(|part| part == "..") {
            bail!("{}:{}: {name} is not in that folder", list.display(), number + 1);
        }
        let from = folder.join(name);
        let text = files::plain::plain_bytes(&from, &from, RULE)?;
        let patch = mail::read_any(&RawMail { bytes: as_mail(&text, &from)?, place: from.display().to_string() })?;
        if !patch.has_patch() {
            bail!("{} has no patch", from.display());
        }
        patches.push(patch);
    }
    if patches.is_empty() {
        bail!("there is no patch in {}", list.display());
    }
    let notes = patches.iter().map(note::of_patch).collect::<Result<Vec<_>>>()?;
    Ok(Imported { tip: onto::commit(place, &patches)?, notes, ..Imported::default() })
}

/// A patch with the headers of a mail: its own, or its first line as the subject.
fn as_mail(text: &[u8], from: &Path) -> Result<Vec<u8>> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let (first, rest) = text.split_at(end);
    if first.is_empty() || [&b"diff "[..], b"--- ", b"Index: "].iter().any(|key| first.starts_with(key)) {
        bail!("{}:1: the patch has no description: its first line is to be the subject", from.display());
    }
    if HEADERS.iter().any(|key| first.starts_with(key)) {
        return Ok(text.to_owned());
    }
    Ok([b"Subject: ", first.trim_ascii(), b"\n", rest].concat())
}

// SPDX-License-Identifier: GPL-2.0
//! Work that is not a series yet, as commits: mails, and a quilt folder. No work tree is touched, no ref is set.
//!
//! git's own mailinfo and apply read a mail, so that what `git am` takes is taken, and what it refuses is refused.

use std::path::Path;

use anyhow::{Result, bail};

use crate::base::Base;
use crate::mailbox;
use crate::plain;

mod info;
mod mail;
mod note;
mod onto;
mod posting;
mod quilt;
mod record;

pub use note::{Changelog, Note};
pub use posting::Posting;
pub use quilt::quilt;
pub use record::complete;

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// The last commit.
    pub tip: String,
    /// Subject and text of a cover letter, if there was one.
    pub cover: Option<(String, String)>,
    /// The changelog of the cover letter.
    pub changelog: Changelog,
    /// What the first mail says of the series.
    pub posting: Posting,
    /// By patch: what is below its `---`, which is for the mail alone.
    pub notes: Vec<Note>,
}

/// Where the patches go.
#[derive(Debug, Clone, Copy)]
pub struct Onto<'a> {
    /// What the first patch goes onto.
    pub base: &'a Base,
    /// txgen's cache, with the view of the repository.
    pub cache: &'a Path,
    /// The date of the commits, since 1970.
    pub seconds: i64,
}

/// The patches of `source`, a mailbox in any form that [`mailbox::read`] knows.
pub fn mbox(onto: Onto<'_>, source: &Path) -> Result<Imported> {
    let mails = mailbox::read(source)?;
    let (mut imported, mut patches) = (Imported::default(), Vec::new());
    for raw in &mails {
        let mail = mail::read(raw)?;
        if mail.is_folder_data() {
            continue;
        }
        if patches.is_empty() && imported.cover.is_none() {
            imported.posting = posting::read(raw)?;
        }
        if mail.has_patch() {
            patches.push(mail);
        } else if patches.is_empty() && imported.cover.is_none() {
            let (prose, note) = note::of_cover(&mail)?;
            let texts = if note.text.is_empty() { prose } else { format!("{prose}\n\n---\n{}", note.text) };
            imported.cover = Some((mail.subject().to_owned(), texts.trim().to_owned()));
            imported.changelog = note.changelog;
        } else {
            bail!("{} (\"{}\") has no patch: take it out of the mailbox", mail.place, plain::shown(mail.subject()));
        }
    }
    if patches.is_empty() {
        bail!("there is no patch in {}", source.display());
    }
    imported.notes = patches.iter().map(note::of_patch).collect::<Result<_>>()?;
    imported.tip = onto::commit(onto, &patches)?;
    Ok(imported)
}

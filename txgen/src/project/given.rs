// SPDX-License-Identifier: GPL-2.0
//! Files of the project, which may be anybody's: only plain files that are in the project itself are read.

use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path};

use anyhow::{Context, Result, bail};

use super::Project;
use crate::files::plain;

impl Project {
    /// The text of a file of the project, by its path or its path in the project.
    pub fn text(&self, path: &Path) -> Result<String> {
        let shown = self.relative(path);
        self.refuse_links(&shown, false)?;
        plain::plain_text(&self.root.join(&shown), &shown, rule(&shown))
    }

    /// The same of a file that need not be there.
    pub fn text_if_there(&self, path: &Path) -> Result<Option<String>> {
        self.refuse_links(&self.relative(path), false)?;
        if self.has(path)? { self.text(path).map(Some) } else { Ok(None) }
    }

    /// The bytes of a file of the project.
    pub fn bytes(&self, path: &Path) -> Result<Vec<u8>> {
        let shown = self.relative(path);
        self.refuse_links(&shown, false)?;
        plain::plain_bytes(&self.root.join(&shown), &shown, rule(&shown))
    }

    /// Whether the project has something under this name, of whatever kind it is.
    pub fn has(&self, path: &Path) -> Result<bool> {
        let shown = self.relative(path);
        match fs::symlink_metadata(self.root.join(&shown)) {
            Ok(_) => Ok(true),
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
            Err(e) => Err(e).with_context(|| format!("look at {}", shown.display())),
        }
    }

    /// Whether the project has the folder `path`; a link to one, or a file of this name, is refused.
    pub fn has_folder(&self, path: &Path) -> Result<bool> {
        let shown = self.relative(path);
        if !self.has(&shown)? {
            return Ok(false);
        }
        self.refuse_links(&shown, true)?;
        let found =
            fs::symlink_metadata(self.root.join(&shown)).with_context(|| format!("look at {}", shown.display()))?;
        if !found.is_dir() {
            bail!("{} is {}: it has to be a folder", shown.display(), plain::kind(found.file_type()));
        }
        Ok(true)
    }

    /// Refuses a path that goes through a symbolic link, or, with `whole`, ends in one.
    fn refuse_links(&self, shown: &Path, whole: bool) -> Result<()> {
        if shown.is_absolute() {
            return Ok(());
        }
        let mut path = self.root.clone();
        let parts = shown.components().count();
        for (index, part) in shown.components().enumerate() {
            let Component::Normal(part) = part else { bail!("{} leaves the project", shown.display()) };
            path.push(part);
            if (index + 1 < parts || whole) && fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink()) {
                let link = self.relative(&path);
                bail!("{} is a symbolic link: a project has folders of its own, put the files there", link.display());
            }
        }
        Ok(())
    }
}

fn rule(shown: &Path) -> &'static str {
    if shown.starts_with("series") { "a series has plain files only" } else { "a project has plain files only" }
}

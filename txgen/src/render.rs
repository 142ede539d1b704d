// SPDX-License-Identifier: GPL-2.0
//! Renders the templates of templates/ (this module is the only user of tera).

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use serde::Serialize;
use tera::Tera;

use crate::files;

/// The templates of a folder.
pub struct Templates {
    dir: PathBuf,
}

impl Templates {
    /// The templates of `dir`.
    pub fn load(dir: &Path) -> Result<Self> {
        Ok(Self { dir: dir.to_owned() })
    }

    /// Renders template `name` with the fields of `view` as its names.
    pub fn render(&self, name: &str, view: &impl Serialize) -> Result<String> {
        let text = files::read(&self.dir.join(name))?;
        let context = tera::Context::from_serialize(view).map_err(|e| anyhow!("templates/{name}: {e}"))?;
        Tera::one_off(&text, &context, false).map_err(|e| anyhow!("templates/{name}: {e}"))
    }
}

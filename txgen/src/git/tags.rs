// SPDX-License-Identifier: GPL-2.0
//! Annotated tags: the object alone, so that its ref can be set together with others.

use anyhow::{Context, Result};

use super::{Identity, Repo, oid, signature};

impl Repo {
    /// Writes a tag of commit `target`; no ref points at it.
    pub fn tag(&self, name: &str, target: &str, by: &Identity, seconds: i64, message: &str) -> Result<String> {
        let object = self.repo.find_object(oid(target)?, None).with_context(|| format!("read commit {target}"))?;
        let tagger = signature(by, seconds)?;
        let id = self.repo.tag_annotation_create(name, &object, &tagger, message);
        Ok(id.with_context(|| format!("write tag {name}"))?.to_string())
    }
}

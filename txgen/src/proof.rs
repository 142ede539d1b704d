// SPDX-License-Identifier: GPL-2.0
//! Records of what was shown for exactly these inputs, in `$TXGEN_CACHE/proofs`.
//!
//! A record is found by a key over everything that could change the result (tree id, config,
//! toolchain, test set). It is written atomically, so several processes may share the folder.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::files;
use crate::project::Project;

/// A key over `parts`, each of which changes the result; unambiguous whatever the parts hold.
pub fn key(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

fn record(project: &Project, kind: &str, key: &str) -> PathBuf {
    project.cache.join("proofs").join(kind).join(format!("{key}.json"))
}

/// The record of `kind` under `key`, if there is one. A record that does not parse is an error that names the file.
pub fn load<T: DeserializeOwned>(project: &Project, kind: &str, key: &str) -> Result<Option<T>> {
    let path = record(project, kind, key);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e).with_context(|| format!("read {}", path.display())),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .with_context(|| format!("{} is no {kind} record: delete it and run again", path.display()))
}

/// Stores `value` as the record of `kind` under `key`.
pub fn store<T: Serialize>(project: &Project, kind: &str, key: &str, value: &T) -> Result<()> {
    let text = serde_json::to_vec_pretty(value).context("serialise a record")?;
    files::write_atomic(&record(project, kind, key), &text)
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn key_tells_apart_parts_that_join_to_the_same_bytes() {
        assert_ne!(key(&[b"ab", b"c"]), key(&[b"a", b"bc"]));
    }
}

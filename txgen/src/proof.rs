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
use crate::progress::printing;
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

/// Whether there is a record of `kind`.
pub fn has_any(project: &Project, kind: &str) -> bool {
    project.cache.join("proofs").join(kind).is_dir()
}

/// The record of `kind` under `key`, if there is one. One that was cut, or that another version wrote, counts as none:
/// what it stands for is shown anew.
pub fn load<T: DeserializeOwned>(project: &Project, kind: &str, key: &str) -> Result<Option<T>> {
    load_where(project, kind, key, |_| true)
}

/// The same of a record that `fits`.
pub fn load_where<T: DeserializeOwned>(
    project: &Project,
    kind: &str,
    key: &str,
    fits: impl FnOnce(&T) -> bool,
) -> Result<Option<T>> {
    let path = record(project, kind, key);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e).with_context(|| format!("read {}", path.display())),
    };
    let why = match serde_json::from_slice(&text) {
        Ok(value) if fits(&value) => return Ok(Some(value)),
        Ok(_) => "it is about something else".to_owned(),
        Err(error) => error.to_string(),
    };
    printing(|| crate::output::eprintln!("ignored: {} is no record of {kind}: {why}", path.display()));
    Ok(None)
}

/// Stores `value` as the record of `kind` under `key`.
pub fn store<T: Serialize>(project: &Project, kind: &str, key: &str, value: &T) -> Result<()> {
    let text = serde_json::to_vec_pretty(value).context("serialise a record")?;
    files::write_atomic(&record(project, kind, key), &text)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{key, load, load_where, record, store};
    use crate::project::Project;

    const KIND: &str = "word";

    fn project(dir: &Path) -> Project {
        Project { root: dir.to_owned(), cache: dir.to_owned() }
    }

    #[test]
    fn key_tells_apart_parts_that_join_to_the_same_bytes() {
        assert_ne!(key(&[b"ab", b"c"]), key(&[b"a", b"bc"]));
    }

    #[test]
    fn a_record_that_is_cut_or_of_another_version_counts_as_none_and_is_written_anew() {
        let dir = tempfile::tempdir().unwrap();
        let project = project(dir.path());
        let value = vec!["one".to_owned(), "two".to_owned()];
        store(&project, KIND, "a", &value).unwrap();
        let whole = fs::read(record(&project, KIND, "a")).unwrap();
        let cuts = (0..whole.len()).map(|end| whole[..end].to_vec());
        let others = [&b"{\"words\": []}"[..], b"[1, 2]", b"\xff\x00", b"[\"one\"] [\"two\"]"].map(<[u8]>::to_vec);
        for bytes in cuts.chain(others) {
            fs::write(record(&project, KIND, "a"), &bytes).unwrap();
            let found = load::<Vec<String>>(&project, KIND, "a").unwrap();
            assert_eq!(found, None, "{}", String::from_utf8_lossy(&bytes));
        }
        store(&project, KIND, "a", &value).unwrap();
        assert_eq!(load(&project, KIND, "a").unwrap(), Some(value));
    }

    #[test]
    fn a_record_about_something_else_counts_as_none() {
        let dir = tempfile::tempdir().unwrap();
        let project = project(dir.path());
        store(&project, KIND, "a", &"one".to_owned()).unwrap();
        let load = |word: &str| load_where::<String>(&project, KIND, "a", |found| found == word).unwrap();
        assert_eq!((load("one"), load("two")), (Some("one".to_owned()), None));
    }
}

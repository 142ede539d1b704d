// SPDX-License-Identifier: GPL-2.0
//! What the sources of txgen keep to.

use std::fs;
use std::path::Path;

#[test]
fn git_is_started_in_one_place() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut left = vec![src.clone()];
    let mut found = Vec::new();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if fs::read_to_string(&path).unwrap().split("#[cfg(test)]").next().unwrap().contains("Run::new(\"git\"")
        {
            found.push(path.strip_prefix(&src).unwrap().display().to_string());
        }
    }
    assert_eq!(found, ["git/program.rs"]);
}

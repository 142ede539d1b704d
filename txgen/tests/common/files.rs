// SPDX-License-Identifier: GPL-2.0
//! The files of a folder, to compare what it was with what it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every file below a folder, by its path in it; none where there is no folder.
pub fn files_below(dir: &Path) -> BTreeMap<String, String> {
    fn walk(dir: &Path, top: &Path, to: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, top, to);
            } else {
                let name = path.strip_prefix(top).unwrap().to_str().unwrap().to_owned();
                to.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut all = BTreeMap::new();
    if dir.is_dir() {
        walk(dir, dir, &mut all);
    }
    all
}

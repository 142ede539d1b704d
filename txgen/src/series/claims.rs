// SPDX-License-Identifier: GPL-2.0
//! What a series claims of kernel-overlay/, read without the rest of it.

use anyhow::Error;
use serde::Deserialize;

use crate::files;
use crate::project::Project;

/// A path, and an item of it where not the whole file is meant.
pub type Claim = (String, Option<String>);

/// What a series claims of kernel-overlay/: paths, and the items of them.
///
/// It is asked of series other than the one at work, and one that is broken is to stop nobody but itself: then what looks
/// like a claim counts, and the error comes with it.
pub fn claims(project: &Project, name: &str) -> (Vec<Claim>, Option<Error>) {
    let file = project.series(name).join("series.toml");
    let bytes = match project.bytes(&file) {
        Ok(bytes) => bytes,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let text = String::from_utf8_lossy(&bytes);
    match toml::from_str::<ClaimsOnly>(&text) {
        Ok(table) => (table.patch.iter().flat_map(|patch| &patch.adds).map(|add| claim(add)).collect(), None),
        Err(error) => {
            let error = files::at(&project.relative(&file), &text, error.span(), error.message());
            (guessed_claims(&text), Some(error))
        }
    }
}

fn claim(add: &str) -> Claim {
    match add.split_once('#') {
        Some((path, item)) => (path.to_owned(), Some(item.split_whitespace().collect::<Vec<_>>().join(" "))),
        None => (add.to_owned(), None),
    }
}

/// Every text in quotes behind `adds = [`.
fn guessed_claims(text: &str) -> Vec<Claim> {
    let lists = text.split("adds").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('='));
    let lists = lists.filter_map(|rest| rest.trim_start().strip_prefix('[')).filter_map(|rest| rest.split(']').next());
    lists.flat_map(|list| list.split(['"', '\'']).skip(1).step_by(2)).map(claim).collect()
}

#[derive(Deserialize)]
struct ClaimsOnly {
    #[serde(default)]
    patch: Vec<AddsOnly>,
}

#[derive(Deserialize)]
struct AddsOnly {
    #[serde(default)]
    adds: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::{claim, guessed_claims};

    #[test]
    fn what_looks_like_a_claim_of_a_broken_series_counts() {
        let text =
            "<<<<<<< HEAD\n[[patch]]\nname = \"a\"\nadds = [\"net/a.c\",\n  'net/a.c#struct  a']\n=======\nadds=[]\n";
        assert_eq!(guessed_claims(text), ["net/a.c", "net/a.c#struct a"].map(claim));
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Which trees take no patches now: series/trees.toml, kept by hand, as netdev tells it on its list.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::project::Project;

/// The file.
pub const FILE: &str = "series/trees.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tree {
    state: State,
    /// The first day on which it is in the other state.
    until: Option<String>,
}

#[derive(Deserialize, PartialEq, Eq, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum State {
    Open,
    Closed,
}

/// Whether `tree` is closed at `now`; open where nothing is known of it.
pub fn is_closed(project: &Project, tree: &str, now: Timestamp) -> Result<bool> {
    let path = project.root.join(FILE);
    let Some(text) = project.text_if_there(&path)? else { return Ok(false) };
    closed_in(&text, tree, now).with_context(|| format!("read {FILE}"))
}

fn closed_in(text: &str, tree: &str, now: Timestamp) -> Result<bool> {
    let trees = toml::from_str::<BTreeMap<String, Tree>>(text)?;
    let Some(tree) = trees.get(tree) else { return Ok(false) };
    let closed = tree.state == State::Closed;
    let Some(until) = &tree.until else { return Ok(closed) };
    let until = until.parse::<Date>().with_context(|| format!("`until = \"{until}\"` is no day"))?;
    Ok(closed == (now.to_zoned(TimeZone::UTC).date() < until))
}

#[cfg(test)]
mod tests {
    use super::closed_in;

    #[test]
    fn a_tree_is_closed_until_the_day_that_the_file_names() {
        let closed = |text: &str, now: &str| closed_in(text, "net-next", now.parse().expect("a time")).expect("good");
        let text = "[net-next]\nstate = \"closed\"\nuntil = \"2026-12-14\"\n";
        assert!(closed(text, "2026-12-13T23:59:00Z") && !closed(text, "2026-12-14T00:00:00Z"));
        assert!(closed("[net-next]\nstate = \"closed\"\n", "2030-01-01T00:00:00Z"));
        assert!(!closed("[net]\nstate = \"closed\"\n", "2026-12-01T00:00:00Z"));
        let now = "2026-12-13T00:00:00Z".parse().expect("a time");
        let error = closed_in("[net-next]\nstate = \"closed\"\nuntil = \"soon\"\n", "net-next", now);
        assert!(error.expect_err("no day").to_string().contains("`until = \"soon\"` is no day"));
    }
}

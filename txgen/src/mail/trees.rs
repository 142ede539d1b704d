// SPDX-License-Identifier: GPL-2.0
//! Which trees take no patches now: series/trees.toml, kept by hand, as netdev tells it on its list.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use toml::Spanned;

use crate::files;
use crate::project::Project;
use crate::value;

/// The file.
pub const FILE: &str = "series/trees.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tree {
    state: State,
    /// The first day on which it is in the other state.
    until: Option<Spanned<String>>,
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
    let wrong = |span, what: &str| files::at(Path::new(FILE), text, span, what);
    let trees = toml::from_str::<BTreeMap<Spanned<String>, Tree>>(text)
        .map_err(|error| wrong(error.span(), error.message()))?;
    for name in trees.keys() {
        value::check_tree(name.get_ref()).map_err(|what| wrong(Some(name.span()), &what))?;
    }
    let Some((_, tree)) = trees.iter().find(|(name, _)| name.get_ref() == tree) else { return Ok(false) };
    let closed = tree.state == State::Closed;
    let Some(until) = &tree.until else { return Ok(closed) };
    let no_day = |_| wrong(Some(until.span()), &format!("`until = \"{}\"` is no day", until.get_ref().escape_debug()));
    let until = until.get_ref().parse::<Date>().map_err(no_day)?;
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

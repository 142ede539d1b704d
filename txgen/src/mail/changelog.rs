// SPDX-License-Identifier: GPL-2.0
//! The changelog below `---`: what each version changed, newest first, with links to what was posted.

use crate::series::History;

/// The changelog of the cover letter of version `version`: changes of the series as a whole, and links.
pub fn of_series(history: &History, version: u32) -> String {
    let mut parts = Vec::new();
    for number in (1..=version).rev() {
        let changes = changes(history, number, None);
        let posted = history.posted.iter().rev().find(|posted| posted.version == number && number < version);
        let rfc = if posted.is_some_and(|posted| posted.rfc) { "RFC " } else { "" };
        let head = match posted {
            Some(posted) => format!("{rfc}v{number}: {}\n", posted.link),
            None if changes.is_empty() => continue,
            None => format!("v{number}:\n"),
        };
        parts.push(head + &changes);
    }
    parts.concat().trim_end().to_owned()
}

/// The changelog of one patch up to version `version`.
pub fn of_patch(history: &History, version: u32, patch: &str) -> String {
    let mut text = String::new();
    for number in (1..=version).rev() {
        let changes = changes(history, number, Some(patch));
        if !changes.is_empty() {
            text += &format!("v{number}:\n{changes}");
        }
    }
    text.trim_end().to_owned()
}

/// Whether anything is told of what version `version` changed.
pub fn tells_of(history: &History, version: u32) -> bool {
    history.changelog.iter().any(|change| change.version == version && !change.changes.is_empty())
}

fn changes(history: &History, version: u32, patch: Option<&str>) -> String {
    let of = history.changelog.iter().filter(|change| change.version == version && change.patch.as_deref() == patch);
    of.flat_map(|change| &change.changes).map(|text| format!(" - {}\n", text.trim().replace('\n', "\n   "))).collect()
}

#[cfg(test)]
mod tests {
    use super::{of_patch, of_series, tells_of};
    use crate::series::History;
    use crate::series::history::{Change, Posted};

    fn history() -> History {
        let change = |version, patch: Option<&str>, changes: &[&str]| {
            let changes = changes.iter().map(|text| (*text).to_owned()).collect();
            Change { version, patch: patch.map(str::to_owned), changes }
        };
        let posted = Posted {
            version: 1,
            resend: 0,
            rfc: true,
            date: "2026-11-01T00:00:00Z".parse().expect("a date"),
            message_id: "1@example.org".into(),
            link: "https://lore.example.org/1".into(),
            base: String::new(),
            commit: String::new(),
            patches: vec![],
            result: None,
        };
        let changelog = vec![
            change(2, None, &["rebase", "rename,\nas asked"]),
            change(2, Some("core"), &["take a lock"]),
            change(3, None, &["fix"]),
        ];
        History { changelog, posted: vec![posted], tags: vec![] }
    }

    #[test]
    fn versions_come_newest_first_with_links_to_those_that_were_posted() {
        insta::assert_snapshot!(of_series(&history(), 3), @r"
        v3:
         - fix
        v2:
         - rebase
         - rename,
           as asked
        RFC v1: https://lore.example.org/1
        ");
        assert_eq!(of_series(&history(), 1), "");
        insta::assert_snapshot!(of_patch(&history(), 3, "core"), @r"
        v2:
         - take a lock
        ");
        assert!(tells_of(&history(), 2) && !tells_of(&history(), 4));
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Interfaces that netdev's CI does not want to see more of.

use anyhow::Result;

use crate::check::diff::FileDiff;
use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope, no_tools};

pub(super) const CHECK: Check = Check {
    name: "deprecated",
    shows: "no more uses of dev_hold(), get_net(), module_param() and the like than before",
    needs: "",
    version: 1,
    tools: no_tools,
    scope: Scope::Patch(check),
};

/// Function or macro, how bad a new use is, and what to use.
const DEPRECATED: &[(&str, Level, &str)] = &[
    ("module_param", Level::Fail, "netlink or devlink"),
    ("module_param_named", Level::Fail, "netlink or devlink"),
    ("module_param_array", Level::Fail, "netlink or devlink"),
    ("dev_hold", Level::Warn, "netdev_hold()"),
    ("dev_put", Level::Warn, "netdev_put()"),
    ("get_net", Level::Warn, "get_net_track()"),
    ("put_net", Level::Warn, "put_net_track()"),
    ("init_dummy_netdev", Level::Warn, "alloc_netdev_dummy()"),
];

fn check(source: &Source<'_>, patch: &Patch) -> Result<Vec<Finding>> {
    Ok(findings(&source.diff(patch)?))
}

/// A use counts where the patch as a whole adds more of them than it removes: moved code passes.
fn findings(files: &[FileDiff]) -> Vec<Finding> {
    let files = files.iter().filter(|file| file.has_ending(&["c", "h"])).collect::<Vec<_>>();
    let mut found = Vec::new();
    for (name, level, instead) in DEPRECATED {
        let new = files.iter().flat_map(|file| file.added_lines().map(move |(n, text)| (file, n, text)));
        let new = new.filter(|(_, _, text)| calls(text, name)).collect::<Vec<_>>();
        let old = files.iter().flat_map(|file| file.removed_lines()).filter(|text| calls(text, name)).count();
        for (file, number, _) in new.iter().skip(old) {
            let what = format!("`{name}()` is deprecated: use {instead}");
            found.push(Finding::new(*level, "deprecated-api", what).at(&file.path, Some(*number)));
        }
    }
    found
}

/// The line calls exactly `name`, not a name that ends in it.
fn calls(text: &str, name: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let comment = text.trim_start().starts_with(['*', '/']);
    let call = format!("{name}(");
    !comment && text.match_indices(&call).any(|(at, _)| !text[..at].ends_with(is_name))
}

#[cfg(test)]
mod tests {
    use super::findings;
    use crate::check::diff::parse;

    fn count(hunk: &str) -> usize {
        let lines = hunk.lines().collect::<Vec<_>>();
        let [old, new] = ['-', '+'].map(|sign| lines.iter().filter(|line| line.starts_with(sign)).count());
        let text = format!("diff --git a/net/a.c b/net/a.c\n@@ -1,{old} +1,{new} @@\n{hunk}\n");
        findings(&parse(&text).unwrap()).len()
    }

    #[test]
    fn a_new_use_is_found() {
        assert_eq!(count("+\tdev_hold(dev);"), 1);
        assert_eq!(count("+module_param(x, int, 0);"), 1);
    }

    #[test]
    fn a_moved_use_and_longer_names_pass() {
        assert_eq!(count("-\tdev_hold(dev);\n+\tif (dev)\n+\t\tdev_hold(dev);"), 0);
        assert_eq!(count("+\tnetdev_put(dev, &tracker);\n+\t__dev_put(dev);\n+\t * dev_put() drops it"), 0);
    }
}

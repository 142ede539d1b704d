// SPDX-License-Identifier: GPL-2.0
//! New selftests are built, run and ignored by git, and the lists that say so stay sorted.

use anyhow::Result;

use crate::check::diff::FileDiff;
use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope, maintainers, no_tools};

pub(super) const CHECK: Check = Check {
    name: "selftest",
    shows: "new selftests are in Makefile and .gitignore; Makefile and config of selftests stay sorted",
    needs: "",
    version: 1,
    tools: no_tools,
    scope: Scope::Patch(check),
};

/// Where selftests are.
pub(super) const FOLDER: &str = "tools/testing/selftests/";

fn check(source: &Source<'_>, patch: &Patch) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for file in source.diff(patch)?.iter().filter(|file| file.path.starts_with(FOLDER) && !file.removed) {
        let read = |path: &str| -> Result<Option<String>> {
            let bytes = source.file(&patch.commit, path)?;
            Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
        };
        if file.added {
            found.extend(unlisted(&file.path, read)?);
        }
        let text = read(&file.path)?.unwrap_or_default();
        found.extend(
            unsorted(file, &text)
                .into_iter()
                .map(|(line, what)| Finding::new(Level::Fail, "order", what).at(&file.path, Some(line))),
        );
    }
    Ok(found)
}

/// What is wrong with the place of a new file in the lists of its folder, or of one above it.
fn unlisted(path: &str, read: impl Fn(&str) -> Result<Option<String>>) -> Result<Vec<Finding>> {
    let is_source = path.ends_with(".c") && !path.ends_with(".bpf.c");
    if !is_source && !path.ends_with(".sh") && !path.ends_with(".py") {
        return Ok(Vec::new());
    }
    let (own, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = file.split('.').next().unwrap_or(file);
    let wanted = if is_source { stem } else { file };
    let missing = |rule: &str, what: String| Ok(vec![Finding::new(Level::Fail, rule, what).at(path, None)]);
    let Some((folder, built)) = lister(path, wanted, &read)? else {
        return missing("makefile", format!("no Makefile of the selftests in or above {own}/ has {wanted}"));
    };
    // A source that is a part of a program is no program itself.
    let ignored = read(&format!("{folder}/.gitignore"))?.unwrap_or_default();
    let is_ignored = ignored.lines().any(|line| line.trim_start_matches('/').trim_end() == built);
    if is_source && file.strip_suffix(".c") == built.rsplit('/').next() && !is_ignored {
        return missing("gitignore", format!("{folder}/.gitignore does not have {built}, which is built of it"));
    }
    Ok(Vec::new())
}

/// The nearest folder with a Makefile that names the file, and as what.
fn lister(path: &str, wanted: &str, read: impl Fn(&str) -> Result<Option<String>>) -> Result<Option<(String, String)>> {
    let mut folder = path;
    while let Some((above, _)) = folder.rsplit_once('/').filter(|(above, _)| above.len() >= FOLDER.len() - 1) {
        folder = above;
        let Some(makefile) = read(&format!("{folder}/Makefile"))? else { continue };
        let below = &path[folder.len() + 1..];
        let place = below.rsplit_once('/').map_or(String::new(), |(place, _)| format!("{place}/"));
        let name = format!("{place}{wanted}");
        let words = makefile.split(|c: char| c.is_whitespace() || "()=:,".contains(c));
        let words = words.map(|word| word.rsplit_once("$(OUTPUT)/").map_or(word, |(_, word)| word)).collect::<Vec<_>>();
        let fits = |word: &&str| word.contains('*') && maintainers::matches(word, below);
        if words.contains(&name.as_str()) || words.iter().any(fits) {
            return Ok(Some((folder.to_owned(), name)));
        }
        let part = |word: &&str| word.strip_prefix(&name).is_some_and(|ending| [".c", ".o"].contains(&ending));
        if let Some(word) = words.iter().find(|word| part(word)) {
            return Ok(Some((folder.to_owned(), (*word).to_owned())));
        }
    }
    Ok(None)
}

/// The lines that a patch adds in the wrong place of a sorted list, and which.
fn unsorted(file: &FileDiff, text: &str) -> Vec<(u32, String)> {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let lists = match name {
        "Makefile" => makefile_lists(text),
        "config" => vec![config_list(text)],
        _ => return Vec::new(),
    };
    let is_new = |line: u32| file.added_lines().any(|(number, _)| number == line);
    let mut found = Vec::new();
    for pair in lists.iter().flat_map(|list| list.windows(2)) {
        let [(first, before), (second, after)] = pair else { continue };
        if in_order(name, before, after) {
            continue;
        }
        if is_new(*second) {
            found.push((*second, format!("{after} belongs above {before}")));
        } else if is_new(*first) {
            found.push((*first, format!("{before} belongs below {after}")));
        }
    }
    found
}

fn in_order(name: &str, before: &str, after: &str) -> bool {
    if name == "config" {
        let key = |line: &str| line.split('=').next().unwrap_or(line).replace('_', "");
        return key(before) <= key(after);
    }
    // What is in folders comes after what is not.
    let key = |item: &str| (item.matches('/').count(), item.to_lowercase());
    before <= after || key(before) <= key(after)
}

/// The options of a config fragment with their lines.
fn config_list(text: &str) -> Vec<(u32, String)> {
    let lines = (1..).zip(text.lines().map(str::trim));
    lines.filter(|(_, line)| line.contains('=') && !line.starts_with('#')).map(|(n, l)| (n, l.to_owned())).collect()
}

/// The lists of a Makefile that have an item a line, with their lines; flags and libraries have an order of their own.
fn makefile_lists(text: &str) -> Vec<Vec<(u32, String)>> {
    let mut lists = Vec::<Vec<_>>::new();
    let mut open = false;
    for (number, line) in (1..).zip(text.lines()) {
        let more = line.trim_end().ends_with('\\');
        let item = line.trim().trim_end_matches('\\').trim();
        if open && line.starts_with('\t') {
            let is_item = !item.is_empty() && !item.contains(['$', ' ']);
            lists.last_mut().into_iter().for_each(|list| list.extend(is_item.then(|| (number, item.to_owned()))));
        } else if let Some((variable, "")) = item.split_once('=').map(|(name, rest)| (name, rest.trim())) {
            let sorted = !["FLAGS", "LIBS"].iter().any(|odd| variable.contains(odd));
            open = more && sorted;
            lists.push(Vec::new());
            continue;
        }
        open = open && more;
    }
    lists
}

#[cfg(test)]
mod tests {
    use anyhow::Result;

    use super::{unlisted, unsorted};
    use crate::check::diff::parse;

    const MAKEFILE: &str = "CFLAGS += -Wall \\\n\t-Aa\nTEST_PROGS := \\\n\ta.sh \\\n\tc.sh \\\n# end of TEST_PROGS\n\
        TEST_GEN_PROGS := tap tls\n\ninclude ../lib.mk\nTEST_FILES := $(wildcard lib/*.py)\n\
        $(OUTPUT)/tls: tls_more.c\n";

    fn rules(path: &str) -> Vec<String> {
        let read = |name: &str| -> Result<Option<String>> {
            Ok(match name {
                "tools/testing/selftests/net/Makefile" => Some(MAKEFILE.to_owned()),
                "tools/testing/selftests/net/.gitignore" => Some("tls\n".to_owned()),
                _ => None,
            })
        };
        let found = unlisted(&format!("tools/testing/selftests/net/{path}"), read).unwrap();
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_new_test_that_no_makefile_has_is_found() {
        for path in ["b.sh", "t.c", "tl.c", "other/b.py"] {
            assert!(rules(path)[0].contains("makefile: no Makefile of the selftests in or above"), "{path}");
        }
    }

    #[test]
    fn a_new_program_that_git_does_not_ignore_is_found() {
        assert_eq!(rules("tls.c"), [""; 0]);
        let what = "tools/testing/selftests/net/.gitignore does not have tap, which is built of it";
        assert!(rules("tap.c")[0].ends_with(what), "{:?}", rules("tap.c"));
    }

    #[test]
    fn parts_of_programs_wildcards_and_other_files_pass() {
        for path in ["a.sh", "tls_more.c", "lib/x.py", "x.bpf.c", "README", "x.h"] {
            assert_eq!(rules(path), [""; 0], "{path}");
        }
    }

    fn added(path: &str, text: &str, line: usize) -> Vec<(u32, String)> {
        let new = text.lines().nth(line - 1).unwrap();
        let file = parse(&format!("diff --git a/{path} b/{path}\n@@ -{line},0 +{line} @@\n+{new}\n")).unwrap();
        unsorted(&file[0], text)
    }

    #[test]
    fn an_item_in_the_wrong_place_of_a_makefile_is_found_where_the_patch_adds_it() {
        let text = "TEST_PROGS := \\\n\ta.sh \\\n\tc.sh \\\n\tb.sh \\\n\tsub/a.sh \\\n# end\n";
        assert_eq!(added("x/Makefile", text, 4), [(4, "b.sh belongs above c.sh".to_owned())]);
        assert_eq!(added("x/Makefile", text, 3), [(3, "c.sh belongs below b.sh".to_owned())]);
        assert_eq!((added("x/Makefile", text, 5), added("x/Makefile", text, 2)), (Vec::new(), Vec::new()));
        assert_eq!(added("x/Makefile", &text.replace("TEST_PROGS", "LDLIBS"), 4), Vec::new());
    }

    #[test]
    fn an_option_in_the_wrong_place_of_a_config_is_found() {
        let text = "CONFIG_A=y\nCONFIG_C=m\n# CONFIG_BB is not needed\nCONFIG_B=y\nCONFIG_C_A=y\n";
        assert_eq!(added("x/config", text, 4), [(4, "CONFIG_B=y belongs above CONFIG_C=m".to_owned())]);
        assert_eq!(added("x/config", text, 5), Vec::new());
        assert_eq!(added("x/other", text, 4), Vec::new());
    }
}

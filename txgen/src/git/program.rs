// SPDX-License-Identifier: GPL-2.0
//! Every command line of the git program begins here: on which repository it runs, and whose configuration it reads.
//!
//! The environment is the business of [`crate::process`]: no program gets the variables that lead git elsewhere.

use std::path::Path;

use crate::process::Run;

/// Settings that no repository may change: they run programs of the user's, or touch files that are not asked for.
const HARMLESS: &[(&str, &str)] =
    &[("core.hooksPath", "/dev/null"), ("core.fsmonitor", "false"), ("gc.auto", "0"), ("maintenance.auto", "false")];

/// The settings for output in git's default form, so that no configuration changes what is read of it.
const FORM: &[(&str, &str)] = &[
    ("color.ui", "false"),
    ("core.abbrev", "12"),
    ("core.attributesFile", "/dev/null"),
    ("core.quotePath", "true"),
    ("core.whitespace", ""),
    ("diff.algorithm", "histogram"),
    ("diff.colorMoved", "no"),
    ("diff.context", "3"),
    ("diff.dstPrefix", "b/"),
    ("diff.ignoreSubmodules", "none"),
    ("diff.indentHeuristic", "true"),
    ("diff.interHunkContext", "0"),
    ("diff.mnemonicPrefix", "false"),
    ("diff.noprefix", "false"),
    ("diff.orderFile", "/dev/null"),
    ("diff.relative", "false"),
    ("diff.renameLimit", "1000"),
    ("diff.renames", "true"),
    ("diff.srcPrefix", "a/"),
    ("diff.statGraphWidth", "40"),
    ("diff.submodule", "short"),
    ("diff.suppressBlankEmpty", "false"),
    ("i18n.commitEncoding", "UTF-8"),
    ("i18n.logOutputEncoding", "UTF-8"),
    ("log.abbrevCommit", "false"),
    ("log.date", "default"),
    ("log.follow", "false"),
    ("log.mailmap", "false"),
    ("log.showRoot", "true"),
    ("log.showSignature", "false"),
    ("mailmap.blob", ""),
    ("mailmap.file", "/dev/null"),
];

/// git with settings that stand over those of all files; in the environment, as command lines are quoted in errors.
fn configured(settings: &[&[(&str, &str)]]) -> Run {
    let mut run = Run::new("git", [""; 0]).env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0");
    let mut count = 0;
    for (key, value) in settings.iter().copied().flatten() {
        run = run.env(format!("GIT_CONFIG_KEY_{count}"), key).env(format!("GIT_CONFIG_VALUE_{count}"), value);
        count += 1;
    }
    run.env("GIT_CONFIG_COUNT", count.to_string())
}

/// Leaves the user's and the system's configuration out.
fn without_users(run: Run) -> Run {
    run.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_ATTR_NOSYSTEM", "1")
}

/// git on the repository `git_dir` with the user's configuration, for what is the user's: identities, refs, work trees,
/// remotes. No hook runs.
pub fn with_users_settings(git_dir: &Path) -> Run {
    configured(&[HARMLESS]).arg("--git-dir").arg(git_dir)
}

/// git in a work tree of the user's, with the user's configuration; no hook runs and no lock is taken.
pub fn in_users_tree(dir: &Path) -> Run {
    configured(&[HARMLESS]).dir(dir).env("GIT_OPTIONAL_LOCKS", "0")
}

/// git on the repository `git_dir` with the user's configuration and hooks, for sending mails.
pub fn with_users_hooks(git_dir: &Path) -> Run {
    configured(&[]).arg("--git-dir").arg(git_dir)
}

/// git on the repository `git_dir` with output in a form of its own, whatever anybody has configured. What the
/// repository itself says of its files (attributes, replaced commits) counts: where that matters use a
/// [`super::view`].
pub fn fixed(git_dir: &Path) -> Run {
    without_users(configured(&[HARMLESS, FORM])).args(["--no-replace-objects", "--git-dir"]).arg(git_dir)
}

/// git in a work tree of txgen's own.
pub fn in_own_tree(dir: &Path) -> Run {
    without_users(configured(&[HARMLESS, FORM])).dir(dir)
}

/// git without any repository, for what it does to text alone; nobody's configuration is read.
pub fn without_repository() -> Run {
    without_users(configured(&[HARMLESS, FORM])).env("GIT_DIR", "/dev/null")
}

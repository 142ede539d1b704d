// SPDX-License-Identifier: GPL-2.0
//! Which verdict a place gets, and what is a finding.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{Found, Place, Places, Step, classify};
use crate::audit::rules::parse;
use crate::audit::{Audit, State};
use crate::base::Base;
use crate::series::{Applied, AppliedPatch};

const WATCH: &str = "[[watch]]\nnames = [\"ref\", \"page\"]\nabout = \"refs\"\n";

fn place(function: &str, name: &str) -> Place {
    Place { file: "net/a.c".to_owned(), function: function.to_owned(), name: name.to_owned() }
}

fn places(list: &[(&str, &str)]) -> Places {
    list.iter().map(|(function, name)| (place(function, name), vec![7])).collect()
}

fn functions(list: &[&str]) -> BTreeSet<(String, String)> {
    list.iter().map(|function| ("net/a.c".to_owned(), (*function).to_owned())).collect()
}

/// An audit of a series with one patch, `one`, on the base that the rules are for.
fn audit(rules: &str, before: &[(&str, &str)], after: &[(&str, &str)], changed: &[&str], born: &[&str]) -> Audit {
    let rules = parse(PathBuf::from("audit.toml"), &format!("{WATCH}{rules}")).unwrap();
    let step = Step { patch: "one".to_owned(), changed: functions(changed), born: functions(born) };
    let found = Found { before: places(before), after: places(after), steps: vec![step] };
    let [name, git_dir, commit, tree] = ["base", "git", "c", "t"].map(str::to_owned);
    let base = Base { name, git_dir: PathBuf::from(&git_dir), commit: commit.clone(), tree: tree.clone() };
    let [name, branch, subject] = ["demo", "txgen/demo", "net: one"].map(str::to_owned);
    let patch = AppliedPatch { name: "one".to_owned(), subject, commit, tree, files: vec!["net/a.c".to_owned()] };
    let applied =
        Applied { name, base, git_dir: PathBuf::from(git_dir), branch, patches: vec![patch], beneath: vec![] };
    classify(&rules, &applied, &found, true)
}

fn verdicts(audit: &Audit) -> Vec<(&str, &str, State, &[String])> {
    let verdict = |site: &'_ crate::audit::Site| site.state;
    let sites = audit.sites.iter();
    sites.map(|s| (s.place.function.as_str(), s.place.name.as_str(), verdict(s), s.by.as_slice())).collect()
}

const GENERAL: &str = "[[rule]]\nnames = [\"ref\"]\nstate = \"untouched\"\nreason = \"it counts\"\n";

#[test]
fn a_place_that_nobody_classified_is_a_finding() {
    let audit = audit("", &[("f", "ref")], &[("f", "ref")], &[], &[]);
    assert_eq!(verdicts(&audit), [("f", "ref", State::Unclassified, &[][..])]);
    assert_eq!(audit.findings, ["net/a.c:7: f() uses ref: nobody classified it"]);
}

#[test]
fn what_patches_do_is_found_and_comes_before_general_rules() {
    let one = &["one".to_owned()][..];
    let before = [("f", "page"), ("f", "ref"), ("g", "ref")];
    let after = [("f", "ref"), ("g", "ref"), ("new", "ref")];
    let audit = audit(GENERAL, &before, &after, &["f"], &["new"]);
    assert_eq!(
        verdicts(&audit),
        [
            ("f", "page", State::Converted, one),
            ("f", "ref", State::Converted, one),
            ("g", "ref", State::Untouched, &[]),
            ("new", "ref", State::Added, one),
        ]
    );
    assert_eq!(audit.findings, Vec::<String>::new());
}

#[test]
fn a_rule_that_names_the_function_comes_first_and_stays_until_it_is_removed() {
    let open = "[[rule]]\nnames = [\"ref\"]\nfunctions = [\"f\"]\nstate = \"open\"\nreason = \"it leaks\"\n";
    let untouched = audit(&format!("{GENERAL}{open}"), &[("f", "ref"), ("g", "ref")], &[("f", "ref")], &[], &[]);
    assert_eq!(untouched.findings, ["net/a.c:7: f() uses ref: open: it leaks"]);
    let changed = audit(open, &[("f", "ref")], &[("f", "ref")], &["f"], &[]);
    assert_eq!(
        changed.findings,
        ["net/a.c:7: f() uses ref: still called open, but one changes it: remove the rule if that settles it"]
    );
}

#[test]
fn a_guard_is_proved_by_the_patch_that_changes_it() {
    let rule = "[[rule]]\nnames = [\"ref\"]\nstate = \"guarded\"\nguard = \"net/a.c#guard\"\nreason = \"refused\"\n";
    let guarded = audit(rule, &[("f", "ref")], &[("f", "ref")], &["guard"], &[]);
    assert_eq!(verdicts(&guarded), [("f", "ref", State::Guarded, &["one".to_owned()][..])]);
    assert_eq!(guarded.findings, Vec::<String>::new());
    let unguarded = audit(rule, &[("f", "ref")], &[("f", "ref")], &["other"], &[]);
    assert_eq!(unguarded.findings, ["audit.toml:4:1: no patch changes guard() of net/a.c, the guard"]);
}

#[test]
fn a_rule_that_is_about_no_place_is_a_finding() {
    let audit = audit(GENERAL, &[("f", "ref")], &[], &["f"], &[]);
    assert_eq!(
        audit.findings,
        ["audit.toml:4:1: the rule is about no place, or patches convert all of them: remove it"]
    );
}

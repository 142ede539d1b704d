// SPDX-License-Identifier: GPL-2.0
//! Rebases that stop, and what becomes of them.

use super::common::TestProject;
use super::linux::{Change, at_tip, files, project, refs};

const SKBUFF: &str = "net/core/skbuff.c";
const UPSTREAM: &[Change<'_>] = &[(SKBUFF, "b = a", "b = 3 * netmem(a)")];

fn in_conflict() -> TestProject {
    project(
        UPSTREAM,
        &[("more", &[(SKBUFF, "b = a", "b = 2 * a")]), ("last", &[(SKBUFF, "\treturn a;", "\treturn -a;")])],
    )
}

/// Makes the conflict's branch a work tree, fixes it there and commits.
fn fix(project: &TestProject, text: &str) {
    project.git("cache/linux.git", &["worktree", "add", "--quiet", "../../fix", "txgen/demo-conflict"]);
    project.write(&format!("fix/{SKBUFF}"), text);
    project.git("fix", &["commit", "--quiet", "--all", "--amend", "--no-edit"]);
    project.git("fix", &["switch", "--quiet", "--detach"]);
}

#[test]
fn rebase_reports_a_conflict_and_leaves_the_series_untouched() {
    let project = in_conflict();
    let before = files(&project, "p/series");
    let ran = project.txgen(&["rebase", "demo", "--onto", "new"]).expect(3);
    insta::assert_snapshot!(ran.stderr, @"txgen: more does not go onto new: fix it on branch txgen/demo-conflict, commit, and `txgen rebase demo --continue`; or `txgen rebase demo --abort`");
    assert!(ran.stdout.contains("skb_twice was changed upstream (a device-memory change)"), "{}", ran.stdout);
    assert_eq!(files(&project, "p/series"), before);
    let marked = project.git("cache/linux.git", &["show", &format!("txgen/demo-conflict:{SKBUFF}")]);
    insta::assert_snapshot!(marked.split_once("skb_twice(int a)\n").unwrap().1.split_once("int skb_last").unwrap().0, @r"
    {
    <<<<<<< new
    	int b = 3 * netmem(a);
    ||||||| old
    	int b = a;
    =======
    	int b = 2 * a;
    >>>>>>> more

    	return b + a;
    }
    ");
}

#[test]
fn a_fixed_conflict_is_recorded_and_no_rebase_needs_a_hand_again() {
    let project = in_conflict();
    let before = files(&project, "p/series");
    project.txgen(&["rebase", "demo", "--onto", "new"]).expect(3);
    let unfixed = project.txgen(&["rebase", "demo", "--continue"]).expect(2).stderr;
    assert!(unfixed.contains("net/core/skbuff.c:11 still has a conflict marker"), "{unfixed}");
    let fixed = project.git(
        "cache/linux.git",
        &["show", &format!("new:{SKBUFF}")]
            .map(|a| a.replace("new:", "refs/txgen/bases/new:"))
            .each_ref()
            .map(String::as_str),
    );
    let fixed = fixed.replace("b = 3 * netmem(a)", "b = 6 * netmem(a)");
    fix(&project, &fixed);
    let ran = project.txgen(&["rebase", "demo", "--continue"]).expect(0);
    assert!(ran.stdout.starts_with("resolution        more  net: more\n"), "{}", ran.stdout);
    assert!(at_tip(&project, SKBUFF).contains("b = 6 * netmem(a)"));
    assert!(at_tip(&project, SKBUFF).contains("return -a;"));
    assert!(!refs(&project).contains("demo-conflict"));
    let there = files(&project, "p/series");
    project.txgen(&["rebase", "demo", "--onto", "old"]).expect(0);
    let mut back = files(&project, "p/series");
    let form = back.remove("demo/bases/new/more.diff").unwrap();
    assert!(form.starts_with("Rest-of: "), "{form}");
    assert!(form.contains("-\tint b = 3 * netmem(a);\n+\tint b = 6 * netmem(a);\n"), "{form}");
    assert_eq!(back, before);
    let again = project.txgen(&["rebase", "demo", "--onto", "new"]).expect(0);
    assert!(again.stdout.contains("resolution        more"), "{}", again.stdout);
    assert_eq!(files(&project, "p/series"), there);
}

#[test]
fn a_recorded_form_of_other_edits_is_not_taken() {
    let project = in_conflict();
    project.write("p/series/demo/bases/new/more.diff", "Form-of: 0123456789abcdef\n");
    let ran = project.txgen(&["rebase", "demo", "--onto", "new"]).expect(3);
    assert!(
        ran.stdout.contains("bases/new/more.diff is a form of other edits than more.diff has now"),
        "{}",
        ran.stdout
    );
}

#[test]
fn what_is_left_of_a_merge_stays_good_while_the_same_is_in_conflict() {
    let twice = (SKBUFF, "b = a", "b = 2 * a");
    let record = |changes: &[Change<'_>]| {
        let project = project(UPSTREAM, &[("more", changes)]);
        project.txgen(&["rebase", "demo", "--onto", "new"]).expect(3);
        project.git("cache/linux.git", &["worktree", "add", "--quiet", "../../fix", "txgen/demo-conflict"]);
        let marked = project.read(&format!("fix/{SKBUFF}"));
        let (before, rest) = marked.split_once("<<<<<<< ").unwrap();
        let after = rest.split_once(">>>>>>> more\n").unwrap().1;
        project.write(&format!("fix/{SKBUFF}"), &format!("{before}\tint b = 6 * netmem(a);\n{after}"));
        project.git("fix", &["commit", "--quiet", "--all", "--amend", "--no-edit"]);
        project.git("fix", &["switch", "--quiet", "--detach"]);
        project.txgen(&["rebase", "demo", "--continue"]).expect(0);
        project.txgen(&["rebase", "demo", "--onto", "old"]).expect(0);
        project.read("p/series/demo/bases/new/more.diff")
    };
    let alone = record(&[twice]);
    let with_more = [twice, (SKBUFF, "\treturn a;", "\treturn -a;")];
    assert_eq!(alone, record(&with_more), "the record says no more than what is in conflict");
    assert_eq!(alone.lines().filter(|line| line.starts_with(['+', '-'])).count(), 4, "{alone}");

    let changed = project(UPSTREAM, &[("more", &with_more)]);
    changed.write("p/series/demo/bases/new/more.diff", &alone);
    changed.txgen(&["apply", "demo", "--base", "new"]).expect(0);
    assert!(at_tip(&changed, SKBUFF).contains("b = 6 * netmem(a)") && at_tip(&changed, SKBUFF).contains("return -a;"));

    let moved =
        project(UPSTREAM, &[("more", &[twice, (SKBUFF, "int skb_len(", "/*\n * Plus one.\n */\nint skb_len(")])]);
    moved.write("p/series/demo/bases/new/more.diff", &alone);
    moved.txgen(&["apply", "demo", "--base", "new"]).expect(0);
    assert!(at_tip(&moved, SKBUFF).contains("b = 6 * netmem(a)"));

    let other = project(UPSTREAM, &[("more", &[(SKBUFF, "b = a", "b = 4 * a")])]);
    other.write("p/series/demo/bases/new/more.diff", &alone);
    let said = other.txgen(&["rebase", "demo", "--onto", "new"]).expect(3).stdout;
    assert!(said.contains("bases/new/more.diff is of another conflict than there is now"), "{said}");
}

#[test]
fn abort_leaves_no_trace() {
    let project = in_conflict();
    let nothing = project.txgen(&["rebase", "demo", "--abort"]).expect(2).stderr;
    assert_eq!(nothing, "txgen: no rebase of demo is under way\n");
    project.txgen(&["apply", "demo"]).expect(0);
    let before = (files(&project, "p"), refs(&project));
    project.txgen(&["rebase", "demo", "--onto", "new"]).expect(3);
    let twice = project.txgen(&["rebase", "demo", "--onto", "new"]).expect(2).stderr;
    assert!(twice.contains("a rebase of demo onto new is under way"), "{twice}");
    project.txgen(&["rebase", "demo", "--abort"]).expect(0);
    assert_eq!((files(&project, "p"), refs(&project)), before);
}

#[test]
fn a_branch_that_is_in_use_or_was_moved_is_not_lost() {
    let project = in_conflict();
    project.txgen(&["apply", "demo"]).expect(0);
    let managed = |args: &[&str]| project.git("cache/linux.git", args);
    managed(&["worktree", "add", "--quiet", "../../work", "txgen/demo"]);
    project.write("work/Kbuild", "changed\n");
    let before = (files(&project, "p"), refs(&project));
    let used = project.txgen(&["rebase", "demo", "--onto", "old"]).expect(2).stderr;
    assert!(used.contains("work, with changes that are not committed: rebasing would move it"), "{used}");
    project.git("work", &["checkout", "--quiet", "--detach", "--force"]);
    assert_eq!((files(&project, "p"), refs(&project)), before);
    managed(&["branch", "--force", "txgen/demo", "refs/txgen/bases/new"]);
    let moved = project.txgen(&["rebase", "demo", "--onto", "old"]).expect(2).stderr;
    assert!(moved.contains("where txgen did not put it"), "{moved}");
}

#[test]
fn a_conflict_branch_that_was_moved_away_is_refused() {
    let project = in_conflict();
    project.txgen(&["rebase", "demo", "--onto", "new"]).expect(3);
    project.git("cache/linux.git", &["branch", "--force", "txgen/demo-conflict", "refs/txgen/bases/old"]);
    let moved = project.txgen(&["rebase", "demo", "--continue"]).expect(2).stderr;
    assert!(moved.contains("branch txgen/demo-conflict was moved to"), "{moved}");
}

#[test]
fn a_semantic_patch_that_matches_nothing_there_changes_nothing() {
    let project = in_conflict();
    let toml =
        project.read("p/series/demo/series.toml") + "\n[[patch]]\nname = \"rename\"\ncocci = { paths = [\"net\"] }\n";
    project.write("p/series/demo/series.toml", &toml.replace("[[patch]]\nname = \"more\"\n", ""));
    std::fs::remove_file(project.path("p/series/demo/more.diff")).unwrap();
    std::fs::remove_file(project.path("p/series/demo/more.msg")).unwrap();
    project.write("p/series/demo/rename.msg", "net: rename\n\nIt is needed.\n");
    project.write("p/series/demo/rename.cocci", "@@\nidentifier b;\n@@\n- int b = a;\n+ int b = -a;\n");
    let before = (files(&project, "p"), refs(&project));
    let ran = project.txgen(&["rebase", "demo", "--onto", "new"]).expect(3);
    assert!(ran.stderr.contains("txgen: series/demo/rename.cocci: it matches nothing (base new)"), "{}", ran.stderr);
    assert_eq!((files(&project, "p"), refs(&project)), before);
}

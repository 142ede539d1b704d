// SPDX-License-Identifier: GPL-2.0
//! Branches that txgen did not put there, and names that are taken.

use super::commands::{assert_all_refuse, import, ready, refs};
use super::common::TestProject;
use super::linux::{files, sh};

fn apply(project: &TestProject, more: &[&str]) -> super::common::Ran {
    project.txgen(&[&["apply", "demo", "--tree", "../linux", "--base", "main"], more].concat())
}

#[test]
fn another_name_of_another_branch_moves_neither() {
    let project = ready();
    sh(&project, "git symbolic-ref refs/heads/txgen/demo refs/heads/other");
    let git = format!(
        "`git --git-dir {} symbolic-ref --delete refs/heads/txgen/demo`",
        project.path("linux/.git/").display()
    );
    assert_all_refuse(&project, &["branch txgen/demo is a symbolic ref to refs/heads/other", &git]);
    sh(&project, "git symbolic-ref --delete refs/heads/txgen/demo");
    apply(&project, &[]).expect(0);
}

#[test]
fn another_name_of_a_branch_that_is_not_there_makes_none() {
    let project = ready();
    sh(&project, "git symbolic-ref refs/heads/txgen/demo refs/heads/none");
    assert_all_refuse(&project, &["branch txgen/demo is a symbolic ref to refs/heads/none"]);
}

#[test]
fn a_ref_of_txgens_that_was_made_another_name_of_a_branch_moves_alone() {
    let project = ready();
    sh(&project, "git symbolic-ref refs/txgen/series/demo refs/heads/txgen/demo\ngit branch victim other");
    sh(&project, "git symbolic-ref refs/txgen/read/demo refs/heads/victim");
    let victim = project.git("linux", &["rev-parse", "victim"]);
    apply(&project, &["--discard"]).expect(0);
    let head = project.git("linux", &["rev-parse", "txgen/demo"]);
    assert_eq!(project.git("linux", &["rev-parse", "refs/txgen/series/demo"]), head);
    project.txgen(&["refresh", "demo", "--tree", "../linux", "--base", "main", "--branch", "other"]).expect(0);
    assert_eq!(project.git("linux", &["rev-parse", "victim"]), victim);
}

#[test]
fn a_branch_that_blocks_the_name_is_told_before_anything_is_written() {
    for (branch, blocking) in [("txgen", "txgen"), ("txgen/demo/mine", "txgen/demo/mine")] {
        let project = ready();
        sh(&project, &format!("git branch --quiet -D txgen/demo\ngit branch {branch} main"));
        let git = format!("(`git -C {} branch -m {blocking} NEW`)", project.path("linux/.git/").display());
        let text = format!("refs/heads/{blocking} of ");
        assert_all_refuse(&project, &[&text, &git]);
        sh(&project, &format!("git branch -m {branch} elsewhere"));
        apply(&project, &[]).expect(0);
    }
}

#[test]
fn a_branch_that_somebody_else_put_there_stays() {
    for script in [
        "git branch --quiet --force txgen/demo side",
        "git branch --quiet --force txgen/demo side\ngit update-ref -d refs/txgen/series/demo",
    ] {
        let project = ready();
        sh(&project, script);
        let before = (files(&project), refs(&project));
        let run = |args: &[&str]| project.txgen(&[args, &["--tree", "../linux", "--base", "main"]].concat());
        let rebase = ["rebase", "demo", "--onto", "other", "--tree", "../linux"];
        for ran in [
            run(&["apply", "demo"]),
            run(&["drop", "demo", "two"]),
            run(&["move", "demo", "two", "--first"]),
            project.txgen(&rebase),
            import(&project),
        ] {
            let text = ran.expect(2).stderr;
            assert!(text.contains("branch txgen/demo is at ") && text.contains("where txgen did not put it"), "{text}");
            assert_eq!((files(&project), refs(&project)), before);
        }
        // Its name is free once it has another.
        sh(&project, "git branch -m txgen/demo mine");
        import(&project).expect(0);
        assert_eq!(project.git("linux", &["rev-parse", "mine"]), project.git("linux", &["rev-parse", "side"]));
    }
}

#[test]
fn an_import_of_the_branch_itself_leaves_it_where_it_is() {
    let project = ready();
    sh(&project, "git branch --quiet --force txgen/demo other\ngit checkout --quiet txgen/demo");
    let before = refs(&project);
    import(&project).expect(0);
    let own =
        |refs: &str| refs.lines().filter(|line| line.contains("refs/heads")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(own(&refs(&project)), own(&before));
}

#[test]
fn a_branch_for_conflicts_that_is_somebody_elses_is_neither_set_nor_deleted() {
    let project = ready();
    sh(&project, "git branch txgen/demo-conflict other");
    let branch = || project.git("linux", &["rev-parse", "txgen/demo-conflict"]);
    let before = (files(&project), refs(&project), branch());
    let rebase = |onto: &str| project.txgen(&["rebase", "demo", "--onto", onto, "--tree", "../linux"]);
    let text = rebase("side").expect(2).stderr;
    assert!(
        text.contains("branch txgen/demo-conflict is at ") && text.contains("is no branch of this rebase"),
        "{text}"
    );
    assert_eq!((files(&project), refs(&project), branch()), before);
    rebase("other").expect(0);
    assert_eq!(branch(), before.2);
}

#[test]
fn a_branch_for_conflicts_that_is_in_use_is_neither_set_nor_deleted() {
    let project = ready();
    let rebase = ["rebase", "demo", "--onto", "side", "--tree", "../linux"];
    project.txgen(&rebase).expect(3);
    sh(&project, "git checkout --quiet txgen/demo-conflict");
    let before = (files(&project), refs(&project));
    let text = project.txgen(&["rebase", "demo", "--abort"]).expect(2).stderr;
    assert!(text.contains("branch txgen/demo-conflict is checked out at "), "{text}");
    sh(&project, "git add --all\ngit bisect start >/dev/null\ngit checkout --quiet --detach");
    let text = project.txgen(&["rebase", "demo", "--abort"]).expect(2).stderr;
    assert!(text.contains("branch txgen/demo-conflict is where a `git bisect` at "), "{text}");
    assert_eq!((files(&project), refs(&project)), before);
    sh(&project, "git bisect reset HEAD >/dev/null 2>&1");
    project.txgen(&["rebase", "demo", "--abort"]).expect(0);
}

#[test]
fn an_abort_does_not_delete_a_branch_that_is_another_by_now() {
    let project = ready();
    project.txgen(&["rebase", "demo", "--onto", "side", "--tree", "../linux"]).expect(3);
    sh(&project, "git branch --quiet --force txgen/demo-conflict other");
    let text = project.txgen(&["rebase", "demo", "--abort"]).expect(2).stderr;
    assert!(text.contains("Rename it (`git branch -m txgen/demo-conflict NEW`), and try again"), "{text}");
    sh(&project, "git branch -m txgen/demo-conflict mine");
    project.txgen(&["rebase", "demo", "--abort"]).expect(0);
}

#[test]
fn a_bare_repository_has_nothing_checked_out() {
    let project = ready();
    sh(&project, "git symbolic-ref HEAD refs/heads/txgen/demo\ngit config core.bare true");
    let tree = project.path("linux/.git").display().to_string();
    project.txgen(&["apply", "demo", "--tree", &tree, "--base", "main"]).expect(0);
}

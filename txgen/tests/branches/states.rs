// SPDX-License-Identifier: GPL-2.0
//! What the user's git may be in the middle of with the branch.

use super::commands::{assert_all_refuse, ready};
use super::linux::sh;

/// Stops a rebase at its first commit.
const STOP: &str = "GIT_SEQUENCE_EDITOR=\"sed -i 1s/pick/edit/\" git";

/// Brings the clone into a state in which the branch is in use, asserts that no command moves it and that all say `texts`,
/// does what they advise, and asserts that it can be moved then.
fn in_use(state: &str, texts: &[&str], advised: &str) {
    let project = ready();
    sh(&project, state);
    let dirs = ["linux", "linked"].map(|dir| project.path(dir).display().to_string());
    let texts =
        texts.iter().map(|text| text.replace("LINUX", &dirs[0]).replace("LINKED", &dirs[1])).collect::<Vec<_>>();
    let texts = texts.iter().map(String::as_str).chain(["branch txgen/demo "]).collect::<Vec<_>>();
    assert_all_refuse(&project, &texts);
    sh(&project, advised);
    project.txgen(&["apply", "demo", "--tree", "../linux", "--base", "main"]).expect(0);
}

#[test]
fn checked_out_in_the_clone() {
    in_use(
        "git checkout --quiet txgen/demo",
        &["is checked out at LINUX", "would move it under that work tree", "LINUX switch --detach`"],
        "git switch --quiet --detach",
    );
}

#[test]
fn checked_out_in_a_linked_work_tree() {
    in_use(
        "git worktree add --quiet ../linked txgen/demo",
        &["is checked out at LINKED", "git -C LINKED switch --detach"],
        "git -C ../linked switch --quiet --detach",
    );
}

#[test]
fn checked_out_in_a_linked_work_tree_that_is_gone() {
    in_use(
        "git worktree add --quiet ../linked txgen/demo\nrm -r ../linked",
        &["is checked out at LINKED, which is not there", "worktree prune`"],
        "git worktree prune",
    );
}

#[test]
fn checked_out_in_a_locked_work_tree_that_is_gone() {
    in_use(
        "git worktree add --quiet --lock ../linked txgen/demo\nrm -r ../linked",
        &["is checked out at LINKED, which is not there", "worktree unlock LINKED`, and `"],
        "git worktree unlock ../linked\ngit worktree prune",
    );
}

#[test]
fn the_branch_of_a_head_that_has_no_commit_yet() {
    in_use(
        "git branch --quiet -D txgen/demo\ngit update-ref -d refs/txgen/series/demo\ngit switch --quiet --orphan txgen/demo",
        &["is checked out at LINUX"],
        "git switch --quiet main",
    );
}

#[test]
fn in_the_middle_of_an_interactive_rebase() {
    in_use(
        &format!("git checkout --quiet txgen/demo\n{STOP} rebase --quiet -i main 2>/dev/null"),
        &["is in the middle of a `git rebase` at LINUX", "`git -C LINUX rebase --abort`", "LINUX switch --detach`"],
        "git rebase --abort\ngit switch --quiet --detach",
    );
}

#[test]
fn in_the_middle_of_a_rebase_in_a_linked_work_tree() {
    in_use(
        &format!(
            "git worktree add --quiet ../linked txgen/demo\n{STOP} -C ../linked rebase --quiet -i main 2>/dev/null"
        ),
        &["is in the middle of a `git rebase` at LINKED", "`git -C LINKED rebase --abort`"],
        "git -C ../linked rebase --abort\ngit -C ../linked switch --quiet --detach",
    );
}

#[test]
fn in_the_middle_of_a_rebase_by_patches() {
    in_use(
        "git checkout --quiet txgen/demo\ngit rebase --quiet --apply side >/dev/null 2>&1 || true",
        &["is in the middle of a `git rebase` at LINUX", "`git -C LINUX rebase --abort`"],
        "git rebase --abort\ngit switch --quiet --detach",
    );
}

#[test]
fn set_at_the_end_of_the_rebase_of_another_branch() {
    in_use(
        &format!(
            "git checkout --quiet -b top txgen/demo\necho 'x = 1' >> Makefile\ngit commit --quiet --all -m 'net: top'\n\
             {STOP} rebase --quiet -i --update-refs main 2>/dev/null"
        ),
        &["`git rebase --update-refs` that is under way at LINUX", "`git -C LINUX rebase --abort`"],
        "git rebase --abort",
    );
}

#[test]
fn where_a_bisect_began() {
    in_use(
        concat!(
            "git checkout --quiet txgen/demo\ngit bisect start >/dev/null\ngit bisect bad >/dev/null\n",
            "git bisect good HEAD~3 >/dev/null"
        ),
        &["is where a `git bisect` at LINUX began", "`git -C LINUX bisect reset`", "LINUX switch --detach`"],
        "git bisect reset >/dev/null 2>&1\ngit switch --quiet --detach",
    );
}

#[test]
fn in_the_middle_of_an_am() {
    in_use(
        concat!(
            "git checkout --quiet txgen/demo\ngit format-patch --quiet -1 --stdout side > ../side.mbox\n",
            "git am --quiet ../side.mbox >/dev/null 2>&1 || true"
        ),
        &["is in the middle of a `git am` at LINUX", "`git -C LINUX am --continue`", "`git -C LINUX am --abort`"],
        "git am --abort\ngit switch --quiet --detach",
    );
}

#[test]
fn in_the_middle_of_a_merge() {
    in_use(
        "git checkout --quiet txgen/demo\ngit merge --quiet side >/dev/null 2>&1 || true",
        &["is in the middle of a `git merge` at LINUX", "`git -C LINUX merge --abort`", "LINUX switch --detach`"],
        "git merge --abort\ngit switch --quiet --detach",
    );
}

#[test]
fn in_the_middle_of_a_cherry_pick() {
    in_use(
        "git checkout --quiet txgen/demo\ngit cherry-pick side >/dev/null 2>&1 || true",
        &["is in the middle of a `git cherry-pick` at LINUX", "`git -C LINUX cherry-pick --abort`"],
        "git cherry-pick --abort\ngit switch --quiet --detach",
    );
}

#[test]
fn between_two_commits_of_a_cherry_pick() {
    in_use(
        concat!(
            "git checkout --quiet txgen/demo\ngit cherry-pick side other >/dev/null 2>&1 || true\n",
            "git checkout --quiet HEAD -- .\ngit commit --quiet --allow-empty -m 'net: empty'\ngit reset --quiet --soft HEAD~1"
        ),
        &["is in the middle of a `git cherry-pick` at LINUX", "`git -C LINUX cherry-pick --abort`"],
        "git cherry-pick --abort 2>/dev/null || git cherry-pick --quit\ngit switch --quiet --detach",
    );
}

#[test]
fn in_the_middle_of_a_revert() {
    in_use(
        "git checkout --quiet txgen/demo\ngit revert --no-edit side >/dev/null 2>&1 || true",
        &["is in the middle of a `git revert` at LINUX", "`git -C LINUX revert --abort`"],
        "git revert --abort\ngit switch --quiet --detach",
    );
}

#[test]
fn a_head_that_is_a_symbolic_ref_to_it() {
    in_use(
        "git symbolic-ref refs/heads/mine refs/heads/txgen/demo\ngit checkout --quiet mine",
        &["is checked out at LINUX"],
        "git switch --quiet --detach",
    );
}

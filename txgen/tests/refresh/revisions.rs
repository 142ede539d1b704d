// SPDX-License-Identifier: GPL-2.0
//! `--branch` takes any revision that git knows, and errors name it.

use super::common::TestProject;
use super::linux::{files, project, refresh, sh};

/// A commit on a branch of the user's own, `mine`, above the four of the series.
fn edited() -> TestProject {
    let project = project();
    sh(
        &project,
        concat!(
            "git checkout --quiet -b mine\nsed -i 's/a + 4/a + 40/' net/core/skbuff.c\n",
            "git commit --quiet --all -m 'net: add forty' -m 'It is more.'"
        ),
    );
    project
}

#[test]
fn any_revision_is_read() {
    for (setup, rev) in [
        ("", "HEAD"),
        ("", "mine"),
        ("", "refs/heads/mine"),
        ("", ":/net: add forty"),
        ("", "HEAD^{/forty}"),
        ("git tag v1", "v1"),
        ("git tag -a -m v2 v2", "v2"),
        ("git update-ref refs/remotes/origin/mine HEAD", "origin/mine"),
        ("git checkout --quiet txgen/demo", "@{-1}"),
        ("git checkout --quiet --detach\ngit branch --quiet -D mine", "HEAD"),
        ("git commit --quiet --allow-empty -m later\ngit commit --quiet --allow-empty -m later", "HEAD~2"),
        ("git commit --quiet --allow-empty -m later", "mine^"),
        ("git tag -a -m v3 v3", "v3^{}"),
    ] {
        let project = edited();
        sh(&project, setup);
        let ran = refresh(&project, &["--branch", rev]);
        assert_eq!(ran.code, 0, "{rev}: {}", ran.stderr);
        assert!(ran.stdout.contains("new                  add-forty "), "{rev}: {}", ran.stdout);
        assert!(project.path("p/series/demo/add-forty.diff").exists(), "{rev}");
    }
    let project = edited();
    let head = project.git("linux", &["rev-parse", "mine"]);
    refresh(&project, &["--branch", &head[..8]]).expect(0);
}

#[test]
fn the_head_of_a_linked_work_tree_is_its_own() {
    let project = edited();
    sh(&project, "git worktree add --quiet --detach ../linked mine\ngit checkout --quiet main");
    let refresh = ["refresh", "demo", "--tree", "../linked", "--base", "main", "--branch", "HEAD"];
    let ran = project.txgen(&refresh).expect(0);
    assert!(ran.stdout.contains("new                  add-forty "), "{}", ran.stdout);
    let import = ["import", "linked", "--tree", "../linked", "--base", "txgen/demo", "branch", "HEAD"];
    let ran = project.txgen(&import);
    assert!(!ran.stderr.contains("does not stand on"), "{}", ran.stderr);
}

#[test]
fn what_is_no_revision_is_told_with_its_name() {
    let project = edited();
    let before = files(&project);
    let dir = project.dir().display().to_string();
    let refused = |rev: &str| refresh(&project, &[&format!("--branch={rev}")]).expect(2).stderr.replace(&dir, "DIR");
    insta::assert_snapshot!(refused("none"), @r#"
    txgen: --branch: "none" names no commit in ../linux: `git log --all` shows what is there
    "#);
    insta::assert_snapshot!(refused("mine~99"), @r#"
    txgen: --branch: "mine~99" names no commit in ../linux: `git log --all` shows what is there
    "#);
    insta::assert_snapshot!(refused("main..mine"), @r#"
    txgen: --branch: "main..mine" names no commit in ../linux: `git log --all` shows what is there
    "#);
    insta::assert_snapshot!(refused("--all"), @r#"
    txgen: --branch: "--all" names no commit in ../linux: `git log --all` shows what is there
    "#);
    insta::assert_snapshot!(refused("mine:Makefile"), @r#"
    txgen: --branch: "mine:Makefile" is a file or a folder in ../linux, and no commit
    "#);
    insta::assert_snapshot!(refused(""), @r#"
    txgen: --branch: "" names no commit in ../linux: `git log --all` shows what is there
    "#);
    let base = project.git("linux", &["rev-parse", "main"]);
    sh(&project, "git checkout --quiet --orphan lone\ngit commit --quiet -m lone");
    let lone = project.git("linux", &["rev-parse", "lone"]);
    let text = refused("lone").replace(&lone[..12], "LONE").replace(&base[..12], "BASE");
    insta::assert_snapshot!(text, @r#"
    txgen: lone (commit LONE) does not stand on main (BASE): `txgen rebase demo --onto` moves a series to another base
    "#);
    assert_eq!(files(&project), before);
}

#[test]
fn a_branch_of_the_users_own_can_be_read_again_and_again_and_the_series_applied() {
    let project = edited();
    let mine = ["--branch", "mine"];
    refresh(&project, &mine).expect(0);
    sh(&project, "sed -i 's/a + 40/a + 41/' net/core/skbuff.c\ngit commit --quiet --all --amend --no-edit");
    let ran = refresh(&project, &mine).expect(0);
    assert!(ran.stdout.contains("edits                add-forty "), "{}", ran.stdout);
    let ran = refresh(&project, &mine).expect(0);
    assert!(ran.stdout.ends_with("series/demo/ has all of it already\n"), "{}", ran.stdout);
    // The series' own branch was not edited: it is not read back over what is newer, and apply moves it.
    let text = refresh(&project, &[]).expect(3).stderr;
    assert!(text.contains("there is nothing to read back. `txgen apply demo` sets the branch anew"), "{text}");
    project.txgen(&["apply", "demo", "--tree", "../linux", "--base", "main"]).expect(0);
    let trees =
        ["txgen/demo", "mine"].map(|branch| project.git("linux", &["rev-parse", &format!("{branch}^{{tree}}")]));
    assert_eq!(trees[0], trees[1]);
    refresh(&project, &[]).expect(0);
    refresh(&project, &mine).expect(0);
}

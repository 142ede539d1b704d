// SPDX-License-Identifier: GPL-2.0
//! What was stopped between the files and the refs, and what came in its way before the next command.

use std::fs::{self, Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use super::common::TestProject;
use super::linux::sh;
use super::state::{State, args, project, txgen};

const MOVE: &[&str] = &["move", "demo", "two", "--first"];

/// Stands for a txgen that is killed when it is about to move the refs.
const KILLED: &str = "#!/bin/sh
case \" $* \" in
*' update-ref '*)
	kill -9 $PPID
	exit 1
	;;
esac
exec env PATH=\"${PATH#*:}\" git \"$@\"
";

/// A project in which `move` was killed when the series was in its place and the branch was not.
pub fn stopped() -> TestProject {
    let project = project();
    stop(&project, MOVE);
    project
}

/// Kills a command when the series and the files beside it are in their place, and the branch is not.
pub fn stop(project: &TestProject, command: &'static [&'static str]) {
    let mut txgen = with_git(project, KILLED, command);
    assert!(!txgen.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    assert!(project.path("p/.txgen/demo.journal").exists(), "it was killed before there was a journal");
}

/// A run of txgen that finds `script` where git is to be.
pub fn with_git(project: &TestProject, script: &str, command: &'static [&'static str]) -> Command {
    project.write("killed/git", script);
    set_permissions(project.path("killed/git"), Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", project.path("killed").display(), std::env::var("PATH").unwrap());
    let mut txgen = project.command(env!("CARGO_BIN_EXE_txgen"));
    txgen.args(args(command)).current_dir(project.path("p")).env("PATH", path);
    txgen
}

pub fn is_moved(project: &TestProject) -> bool {
    project.git("linux", &["log", "--reverse", "--format=%s", "main..txgen/demo"]).starts_with("net: subtract in two\n")
}

/// Another series than the one that was stopped can be begun.
fn expect_others_go_on(project: &TestProject) {
    let ran = txgen(project, &["new", "other", "--title", "net: other"]).expect(0);
    assert!(ran.stdout.starts_with("series/other/ has no patches yet"), "{}", ran.stdout);
    let _ = project.txgen(&["base", "list"]).expect(0);
}

#[test]
fn the_next_command_finishes_what_was_stopped() {
    let project = stopped();
    assert!(!is_moved(&project));
    let ran = project.txgen(&["base", "list"]).expect(0);
    assert_eq!(ran.stderr, "");
    assert!(is_moved(&project) && !project.path("p/.txgen/demo.journal").exists());
}

#[test]
fn a_branch_that_is_in_the_way_stops_its_series_only() {
    let project = stopped();
    sh(
        &project,
        "git update-ref -d refs/heads/txgen/demo\ngit pack-refs --all\nrmdir .git/refs/heads/txgen || true\n\
         git branch txgen main",
    );
    let ran = project.txgen(&["base", "list"]).expect(0);
    assert!(ran.stderr.starts_with("txgen: warning: what was begun with series demo and stopped"), "{}", ran.stderr);
    assert!(ran.stderr.contains("refs/heads/txgen of "), "{}", ran.stderr);
    assert!(ran.stderr.contains(" branch -m txgen NEW`)"), "{}", ran.stderr);
    expect_others_go_on(&project);
    let ran = txgen(&project, MOVE).expect(2);
    assert!(ran.stderr.contains("is in the way of refs/heads/txgen/demo"), "{}", ran.stderr);
    let _ = txgen(&project, &["status", "demo"]).expect(0);
    sh(&project, "git branch -m txgen elsewhere");
    let _ = project.txgen(&["base", "list"]).expect(0);
    assert!(is_moved(&project));
}

#[test]
fn a_branch_that_is_in_the_way_is_named_before_anything_is_written() {
    let project = project();
    sh(
        &project,
        "git update-ref -d refs/heads/txgen/demo\ngit pack-refs --all\nrmdir .git/refs/heads/txgen || true\n\
         git branch txgen main",
    );
    let before = State::of(&project);
    for command in [MOVE, &["apply", "demo"], &["drop", "demo", "more"]] {
        let ran = txgen(&project, command).expect(2);
        assert!(ran.stderr.contains("is in the way of refs/heads/txgen/demo: rename it (`git -C "), "{}", ran.stderr);
    }
    assert_eq!(State::of(&project), before);
    assert!(!project.path("p/.txgen/demo.journal").exists());
}

#[test]
fn a_clone_that_is_gone_stops_nobody() {
    let project = stopped();
    fs::rename(project.path("linux"), project.path("away")).unwrap();
    let ran = project.txgen(&["base", "list"]).expect(0);
    assert!(ran.stderr.contains("is not there any more: series demo is as it was to be"), "{}", ran.stderr);
    assert_eq!(project.txgen(&["base", "list"]).expect(0).stderr, "");
    fs::rename(project.path("away"), project.path("linux")).unwrap();
    expect_others_go_on(&project);
    let _ = txgen(&project, &["apply", "demo"]).expect(0);
    assert!(is_moved(&project));
}

#[test]
fn a_series_that_was_removed_by_hand_stops_nobody() {
    let project = stopped();
    fs::remove_dir_all(project.path("p/series/demo")).unwrap();
    fs::remove_dir_all(project.path("p/kernel-overlay")).unwrap();
    let ran = project.txgen(&["base", "list"]).expect(0);
    assert_eq!(ran.stderr, "txgen: series/demo/ was removed: what was begun with it is forgotten\n");
    assert_eq!(project.txgen(&["base", "list"]).expect(0).stderr, "");
    assert!(!project.path("p/series/demo").exists());
    expect_others_go_on(&project);
}

#[test]
fn commits_that_came_to_the_branch_meanwhile_are_left_and_stop_their_series_only() {
    let project = stopped();
    sh(
        &project,
        "git checkout --quiet txgen/demo\nsed -i 's/a + 4/a + 44/' net/core/skbuff.c\n\
         git commit --quiet --all -m 'net: mine'\ngit checkout --quiet --detach",
    );
    let mine = project.git("linux", &["rev-parse", "txgen/demo"]);
    let ran = project.txgen(&["base", "list"]).expect(0);
    assert!(ran.stderr.contains("refs/heads/txgen/demo was moved meanwhile: it is left as it is"), "{}", ran.stderr);
    assert!(ran.stderr.contains("remove .txgen/demo.journal"), "{}", ran.stderr);
    assert_eq!(project.git("linux", &["rev-parse", "txgen/demo"]), mine);
    expect_others_go_on(&project);
}

#[test]
fn a_series_that_was_edited_after_the_kill_keeps_the_edit_and_gets_its_branch() {
    let project = stopped();
    let text = project.read("p/series/demo/two.msg") + "\nMore.\n";
    project.write("p/series/demo/two.msg", &text);
    let _ = project.txgen(&["base", "list"]).expect(0);
    assert_eq!(project.read("p/series/demo/two.msg"), text);
    assert!(is_moved(&project));
}

// SPDX-License-Identifier: GPL-2.0
//! What was stopped is not finished under a work tree that uses the branch, and what can not be done is taken back.

use super::linux::sh;
use super::state::{State, project, txgen};
use super::stopped::{is_moved, stopped, with_git};

const MOVE: &[&str] = &["move", "demo", "two", "--first"];
const DROP: &[&str] = &["drop", "demo", "more"];

/// Stands for a git that can not set refs.
const FAILING: &str = "#!/bin/sh
case \" $* \" in
*' update-ref '*) exit 1 ;;
esac
exec env PATH=\"${PATH#*:}\" git \"$@\"
";

#[test]
fn a_branch_that_was_checked_out_after_the_kill_is_not_moved() {
    let project = stopped();
    sh(&project, "git checkout --quiet txgen/demo");
    let head = || project.git("linux", &["rev-parse", "HEAD"]);
    let before = head();
    for _ in 0..2 {
        let ran = project.txgen(&["base", "list"]).expect(0);
        assert!(ran.stderr.contains("branch txgen/demo is checked out at "), "{}", ran.stderr);
        assert!(ran.stderr.contains("Switch it to another branch, or detach it"), "{}", ran.stderr);
        assert_eq!((head(), project.git("linux", &["status", "--short"])), (before.clone(), String::new()));
    }
    let ran = txgen(&project, MOVE).expect(2);
    assert!(ran.stderr.contains("branch txgen/demo is checked out at "), "{}", ran.stderr);
    let _ = txgen(&project, &["new", "other", "--title", "net: other"]).expect(0);
    sh(&project, "git checkout --quiet --detach");
    assert_eq!(project.txgen(&["base", "list"]).expect(0).stderr, "");
    assert!(is_moved(&project) && !project.path("p/.txgen/demo.journal").exists());
}

#[test]
fn a_branch_in_the_middle_of_a_rebase_that_was_begun_after_the_kill_is_not_moved() {
    let project = stopped();
    let edit = "GIT_SEQUENCE_EDITOR=\"sed -i '1s/pick/edit/'\" git rebase --quiet -i main 2>/dev/null";
    sh(&project, &format!("git checkout --quiet txgen/demo\n{edit}"));
    let branch = || project.git("linux", &["rev-parse", "txgen/demo"]);
    let before = branch();
    let ran = project.txgen(&["base", "list"]).expect(0);
    assert!(ran.stderr.contains("branch txgen/demo is in the middle of a `git rebase` at "), "{}", ran.stderr);
    assert_eq!(branch(), before);
    sh(&project, "git rebase --abort\ngit checkout --quiet --detach");
    assert_eq!(project.txgen(&["base", "list"]).expect(0).stderr, "");
    assert!(is_moved(&project));
}

#[test]
fn a_change_whose_refs_can_not_be_set_is_taken_back() {
    let project = project();
    let before = State::of(&project);
    for command in [MOVE, DROP] {
        let ran = super::common::ran(&mut with_git(&project, FAILING, command)).expect(2);
        assert!(ran.stderr.contains("nothing was written, run it again: set refs/heads/txgen/demo"), "{}", ran.stderr);
        assert_eq!(State::of(&project), before, "{command:?}");
        assert_eq!(project.txgen(&["base", "list"]).expect(0).stderr, "");
        assert_eq!(State::of(&project), before, "{command:?}");
        assert_eq!(super::files::files_below(&project.path("p/.txgen")).len(), 0);
    }
}

#[test]
fn an_import_whose_refs_can_not_be_set_is_taken_back() {
    let project = super::killed::imported();
    let before = State::of(&project);
    let import = &["import", "mine", "branch", "mine"];
    let ran = super::common::ran(&mut with_git(&project, FAILING, import)).expect(2);
    assert!(ran.stderr.contains("nothing was written, run it again"), "{}", ran.stderr);
    assert_eq!(State::of(&project), before);
    assert!(!project.path("p/series/mine").exists());
    let _ = txgen(&project, import).expect(0);
}

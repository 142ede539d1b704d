// SPDX-License-Identifier: GPL-2.0
//! Commands that are killed show as not begun or as done.

use std::thread::sleep;
use std::time::Duration;

use super::common::TestProject;
use super::files::files_below;
use super::linux::sh;
use super::state::{Saved, State, end, kills, made, moment, project, start, txgen};

/// Kills `command` at many moments, and looks at what is there after the next command.
fn kill(project: &TestProject, command: &'static [&'static str]) {
    let (saved, before) = (Saved::new(project), State::of(project));
    let (after, takes) = made(project, &saved, &[command]);
    assert_ne!(before, after, "{command:?} changes something");
    let mut seen = [0, 0];
    for kill in 0..kills(12) {
        let mut child = start(project, command);
        sleep(moment(kill, takes));
        child.kill().unwrap();
        child.wait().unwrap();
        // A git that it had started may still be at work.
        sleep(Duration::from_millis(50));
        let next = project.txgen(&["base", "list"]).expect(0);
        let now = State::of(project);
        assert!(now == before || now == after, "kill {kill} of {command:?}: {}\n{now:#?}", next.stderr);
        assert_eq!(files_below(&project.path("p/.txgen")).len(), 0, "kill {kill} of {command:?}");
        seen[usize::from(now == after)] += 1;
        saved.restore(project);
    }
    assert!(seen[0] > 0, "no kill came before the end: {seen:?}");
}

/// A branch to import, with a file that is new.
pub fn imported() -> TestProject {
    let project = project();
    sh(
        &project,
        "git checkout --quiet -b mine main\nsed -i 's/a + 4/a + 40/' net/core/skbuff.c\n\
         printf 'int mine;\\n' > net/core/mine.c\ngit add net\ngit commit --quiet -m 'net: mine' -m 'Why not.'\n\
         git checkout --quiet --detach main",
    );
    project
}

#[test]
fn a_killed_import_is_not_begun_or_done() {
    kill(&imported(), &["import", "mine", "branch", "mine"]);
}

#[test]
fn a_killed_new_is_not_begun_or_done() {
    kill(&project(), &["new", "fresh", "--title", "net: fresh"]);
}

#[test]
fn a_killed_drop_is_not_begun_or_done() {
    kill(&project(), &["drop", "demo", "more"]);
}

#[test]
fn a_killed_move_is_not_begun_or_done() {
    kill(&project(), &["move", "demo", "two", "--first"]);
}

#[test]
fn a_killed_apply_is_not_begun_or_done() {
    let project = project();
    sh(&project, "git update-ref -d refs/heads/txgen/demo\ngit update-ref -d refs/txgen/series/demo");
    kill(&project, &["apply", "demo"]);
}

#[test]
fn of_two_at_once_of_which_one_is_killed_each_is_done_or_not_begun() {
    const MOVE: &[&str] = &["move", "demo", "two", "--first"];
    const DROP: &[&str] = &["drop", "demo", "more"];
    let project = project();
    let (saved, before) = (Saved::new(&project), State::of(&project));
    let (moved, takes) = made(&project, &saved, &[MOVE]);
    let good = [
        before,
        moved,
        made(&project, &saved, &[DROP]).0,
        made(&project, &saved, &[MOVE, DROP]).0,
        made(&project, &saved, &[DROP, MOVE]).0,
    ];
    for kill in 0..kills(12) {
        let (killed, other) = if kill % 2 == 0 { (MOVE, DROP) } else { (DROP, MOVE) };
        let (mut killed, other) = (start(&project, killed), start(&project, other));
        sleep(moment(kill, 2 * takes));
        killed.kill().unwrap();
        killed.wait().unwrap();
        let other = end(other);
        sleep(Duration::from_millis(50));
        let _ = project.txgen(&["base", "list"]).expect(0);
        let now = State::of(&project);
        assert!(good.contains(&now), "kill {kill}: {}\n{now:#?}", other.stderr);
        assert_eq!(other.code, 0, "kill {kill}: {}", other.stderr);
        assert_eq!(files_below(&project.path("p/.txgen")).len(), 0, "kill {kill}");
        saved.restore(&project);
    }
    let _ = txgen(&project, MOVE).expect(0);
}

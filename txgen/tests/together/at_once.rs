// SPDX-License-Identifier: GPL-2.0
//! Two txgen at once, and an editor beside one.

use std::fs::{self, File};
use std::thread::{sleep, spawn};
use std::time::Duration;

use super::killed::imported;
use super::state::{Saved, State, copy, end, kills, made, moment, project, start, txgen};

const MOVE: &[&str] = &["move", "demo", "two", "--first"];
const DROP: &[&str] = &["drop", "demo", "more"];

#[test]
fn of_two_imports_of_one_name_one_is_taken_and_the_other_refused() {
    const IMPORT: &[&str] = &["import", "mine", "branch", "mine"];
    let project = imported();
    let saved = Saved::new(&project);
    let (after, _) = made(&project, &saved, &[IMPORT]);
    for attempt in 0..kills(8).min(50) {
        let both = [start(&project, IMPORT), start(&project, IMPORT)].map(end);
        let mut codes = both.each_ref().map(|ran| ran.code);
        codes.sort_unstable();
        assert_eq!(codes, [0, 2], "try {attempt}: {} {}", both[0].stderr, both[1].stderr);
        let refused = both.iter().find(|ran| ran.code == 2).unwrap();
        assert_eq!(refused.stderr.lines().last(), Some("txgen: series/mine/ is there already"));
        assert_eq!(State::of(&project), after, "try {attempt}");
        saved.restore(&project);
    }
}

#[test]
fn a_move_and_a_drop_at_once_end_as_one_after_the_other() {
    let project = project();
    let saved = Saved::new(&project);
    let good = [made(&project, &saved, &[MOVE, DROP]).0, made(&project, &saved, &[DROP, MOVE]).0];
    for attempt in 0..kills(8).min(50) {
        let both = [start(&project, MOVE), start(&project, DROP)].map(end);
        assert_eq!(both.each_ref().map(|ran| ran.code), [0, 0], "{} {}", both[0].stderr, both[1].stderr);
        let now = State::of(&project);
        assert!(good.contains(&now), "try {attempt}: {now:#?}");
        saved.restore(&project);
    }
}

#[test]
fn what_an_editor_saves_while_a_patch_is_moved_is_kept() {
    const MARK: &str = "# A thought.\n";
    let project = project();
    let saved = Saved::new(&project);
    let (_, takes) = made(&project, &saved, &[MOVE]);
    let mut refused = 0;
    for attempt in 0..kills(20) {
        let (file, beside) = (project.path("p/series/demo/series.toml"), project.path("p/series/demo/4913"));
        let text = fs::read_to_string(&file).unwrap() + MARK;
        let moved = start(&project, MOVE);
        sleep(moment(attempt, takes));
        // As editors do it: a new file, put in the place of the old one.
        while fs::write(&beside, &text).and_then(|()| fs::rename(&beside, &file)).is_err() {
            sleep(Duration::from_millis(1));
        }
        let ran = end(moved);
        let now = fs::read_to_string(&file).unwrap();
        assert!(now.contains(MARK), "try {attempt}, {}: {}\n{now}", ran.code, ran.stderr);
        if ran.code != 0 {
            assert!(
                ran.stderr.contains(" changed on disk meanwhile: nothing was written, run it again"),
                "{}",
                ran.stderr
            );
            assert_eq!(now, text, "try {attempt}");
            refused += 1;
        }
        saved.restore(&project);
    }
    assert!(refused > 0, "no save came while the series was read and written");
}

#[test]
fn a_change_waits_for_another_and_says_so() {
    let project = project();
    let series = File::open(project.path("p/series")).unwrap();
    series.lock().unwrap();
    let other = spawn(move || {
        sleep(Duration::from_millis(1500));
        drop(series);
    });
    let ran = txgen(&project, MOVE).expect(0);
    other.join().unwrap();
    assert!(ran.stderr.contains("txgen: waiting for another txgen that changes "), "{}", ran.stderr);
}

#[test]
fn reading_does_not_wait_for_a_change() {
    let project = project();
    let series = File::open(project.path("p/series")).unwrap();
    series.lock().unwrap();
    for command in [&["status", "demo"][..], &["refresh", "demo", "--dry-run"]] {
        let ran = project.txgen(&[&command[..2], &["--tree", "../linux", "--base", "main"], &command[2..]].concat());
        assert_eq!(ran.expect(0).stderr, "");
    }
}

#[test]
fn two_projects_that_set_one_branch_end_with_the_branch_of_one_of_them() {
    let project = project();
    copy(&project.path("p"), &project.path("q"));
    let old = fs::read_to_string(project.path("q/series/demo/two.msg")).unwrap();
    let get = |name: &str| project.git("linux", &["rev-parse", name]);
    for attempt in 0..kills(8).min(50) {
        fs::write(project.path("p/series/demo/two.msg"), format!("{old}\nHere {attempt}.\n")).unwrap();
        fs::write(project.path("q/series/demo/two.msg"), format!("{old}\nThere {attempt}.\n")).unwrap();
        let here = start(&project, &["apply", "demo"]);
        let mut there = project.command(env!("CARGO_BIN_EXE_txgen"));
        there.args(["apply", "demo", "--tree", "../linux", "--base", "main"]).current_dir(project.path("q"));
        let there = super::common::ran(&mut there);
        let here = end(here);
        for ran in [&here, &there] {
            // Whoever looks between the one ref and the other sees a branch that is another's.
            let says = ["moved meanwhile", "where txgen did not put it"].iter().any(|what| ran.stderr.contains(what));
            let is_refused = ran.code == 2 && says;
            assert!(ran.code == 0 || is_refused, "try {attempt}: {}", ran.stderr);
        }
        assert!(here.code == 0 || there.code == 0, "try {attempt}: {} {}", here.stderr, there.stderr);
        assert_eq!(get("refs/heads/txgen/demo"), get("refs/txgen/series/demo"), "try {attempt}");
        let message = project.git("linux", &["log", "-1", "--format=%b", "txgen/demo"]);
        assert!(message.contains(&format!("ere {attempt}.")), "try {attempt}: {message}");
    }
}

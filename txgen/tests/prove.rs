// SPDX-License-Identifier: GPL-2.0
//! `txgen prove`: every series, newest first, until the time is over.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]

#[path = "common/boots.rs"]
mod boots;
mod common;

use boots::{project_of, stable};
use common::TestProject;
use serde_json::Value;

const ONE: [(&str, &str); 1] = [("net/core/a.c", "/* play:good */\nint one;\n")];
const TWO: [(&str, &str); 1] = [("net/core/a.c", "/* play:good */\nint two;\n")];
const BAD: [(&str, &str); 1] = [("net/core/a.c", "/* play:panic */\nint two;\n")];

fn prove(project: &TestProject, exit: i32, more: &[&str]) -> String {
    let args = [&["prove", "--tree", "../k", "--base", "base"], more].concat();
    stable(project, &project.txgen(&args).expect(exit).stdout)
}

#[test]
fn the_last_patch_comes_first_and_what_is_on_record_is_not_run_again() {
    let project = project_of(&[], &[("one", &ONE), ("two", &TWO)]);
    insta::assert_snapshot!(prove(&project, 0, &[]), @r"
    ok   two [net]: built, booted under TCG in [N] s, 17 suites: 104 passed, 1 skipped
    ok   one [net]: built, booted under TCG in [N] s, 17 suites: 104 passed, 1 skipped
    x: 0 on record, 2 passed now, 0 failed; left unproved: nothing
    ");
    assert_eq!(prove(&project, 0, &["x"]), "x: 2 on record, 0 passed now, 0 failed; left unproved: nothing");
}

#[test]
fn a_patch_that_fails_is_a_failure_and_is_tried_again() {
    let project = project_of(&[], &[("one", &BAD), ("two", &TWO)]);
    let first = prove(&project, 1, &[]);
    assert!(first.ends_with("x: 0 on record, 1 passed now, 1 failed; left unproved: nothing"), "{first}");
    let json = project.txgen(&["prove", "--tree", "../k", "--base", "base", "--json"]).expect(1).stdout;
    let again = serde_json::from_str::<Value>(&json).unwrap();
    assert_eq!((&again[0]["on_record"], &again[0]["proved"][0]["patch"]), (&Value::from(1), &Value::from("one")));
}

#[test]
fn no_build_begins_after_the_time_and_what_is_left_is_named() {
    let project = project_of(&[], &[("one", &ONE), ("two", &TWO)]);
    let out = prove(&project, 0, &["--minutes", "0"]);
    assert_eq!(out, "x: 0 on record, 0 passed now, 0 failed; left unproved: two, one");
}

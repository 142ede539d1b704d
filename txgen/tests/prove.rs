// SPDX-License-Identifier: GPL-2.0
//! `txgen prove`: every series, newest first, until the time is over.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]

#[path = "common/boots.rs"]
mod boots;
mod common;

use std::time::{Duration, Instant};

use boots::{project_of, stable};
use common::{TestProject, ran};
use serde_json::Value;
use txgen::kernel::builder::Builder;
use txgen::kernel::config;
use txgen::kernel::worktree::Purpose;
use txgen::process::TimedOut;
use txgen::project::Project;

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
    x [net]: 0 on record, 2 passed now, 0 failed; left unproved: nothing
    x [debug]: the last patch is not on record, and not run here
    ");
    let net = prove(&project, 0, &["x", "--config", "net"]);
    assert_eq!(net, "x [net]: 2 on record, 0 passed now, 0 failed; left unproved: nothing");
}

#[test]
fn a_patch_that_fails_is_a_failure_and_is_tried_again() {
    let project = project_of(&[], &[("one", &BAD), ("two", &TWO)]);
    let first = prove(&project, 1, &[]);
    assert!(first.contains("\nx [net]: 0 on record, 1 passed now, 1 failed; left unproved: nothing\n"), "{first}");
    let json = project.txgen(&["prove", "--tree", "../k", "--base", "base", "--json"]).expect(1).stdout;
    let again = serde_json::from_str::<Value>(&json).unwrap();
    assert_eq!((&again[0]["on_record"], &again[0]["proved"][0]["patch"]), (&Value::from(1), &Value::from("one")));
}

#[test]
fn no_build_begins_after_the_time_and_what_is_left_is_named() {
    let project = project_of(&[], &[("one", &ONE), ("two", &TWO)]);
    let out = prove(&project, 0, &["--minutes", "0"]);
    assert!(out.starts_with("x [net]: 0 on record, 0 passed now, 0 failed; left unproved: two, one\n"), "{out}");
}

#[test]
fn a_build_that_goes_on_after_its_time_is_given_up() {
    let slow = "allnoconfig:\n\tcp $(KCONFIG_ALLCONFIG) $(O)/.config\nbzImage:\n\techo half >$(O)/a.o; sleep 100\n";
    let project = project_of(&[("Makefile", slow)], &[("one", &ONE)]);
    let own = Project { root: project.path("p"), cache: project.path("cache") };
    let config = config::load(&own, "net", &[]).unwrap();
    let commit = project.git("k", &["rev-parse", "base"]);
    let mut builder = Builder::new(&own, &project.path("k/.git"), config, Purpose::Build);
    let start = Instant::now();
    builder.deadline = Some(start + Duration::from_secs(2));
    let error = builder.build("base", commit.trim(), &project.path("log")).unwrap_err();
    assert!(error.is::<TimedOut>(), "{error:#}");
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

/// A series with the last of its patches on record, beside a configuration with Rust.
fn tip_on_record() -> TestProject {
    let project = project_of(&[], &[("one", &ONE), ("two", &TWO)]);
    project.write("p/vm-tests/rust.config", "CONFIG_RUST=y\n");
    project.txgen(&["test", "x", "--tip", "--tree", "../k", "--base", "base"]).expect(0);
    project
}

#[test]
fn status_tells_what_is_on_record_where_nothing_builds_rust() {
    let project = tip_on_record();
    let mut status = project.command(env!("CARGO_BIN_EXE_txgen"));
    status.args(["status", "x", "--tree", "../k", "--base", "base"]).env("TXGEN_RUST", project.path("nowhere"));
    let told = ran(status.current_dir(project.path("p"))).expect(0).stdout;
    let booted = told.lines().filter(|line| line.contains(" net 104 tests ")).collect::<Vec<_>>();
    assert!(matches!(booted[..], [row] if row.starts_with("two ")), "{told}");
}

#[test]
fn status_takes_no_record_that_is_about_another_tree() {
    let project = tip_on_record();
    let record = std::fs::read_dir(project.path("cache/proofs/boot-2")).unwrap().next().unwrap().unwrap().path();
    let mut proof = serde_json::from_slice::<Value>(&std::fs::read(&record).unwrap()).unwrap();
    proof["tree"] = Value::from("0".repeat(40));
    std::fs::write(&record, proof.to_string()).unwrap();
    let status = project.txgen(&["status", "x", "--tree", "../k", "--base", "base"]).expect(0);
    assert!(!status.stdout.contains("104 tests"), "{}", status.stdout);
    assert!(status.stderr.contains("it is about something else"), "{}", status.stderr);
}

#[test]
fn a_series_that_touches_rust_is_left_unproved_with_rust_where_that_is_not_here() {
    let rust = [("rust/kernel/a.rs", "//! A.\n"), ("net/core/a.c", "/* play:good */\nint one;\n")];
    let project = project_of(&[("rust/kernel/a.rs", "//!\n")], &[("one", &rust)]);
    project.write("p/vm-tests/rust.config", "CONFIG_RUST=y\n");
    let out = prove(&project, 0, &[]);
    assert!(out.contains("\nx [net]: 0 on record, 1 passed now, 0 failed; left unproved: nothing\n"), "{out}");
    let why = "[DIR]/cache/rust/bin/bindgen is missing, which builds Rust for the kernel: vm-tests/rust.sh installs it";
    let left = out.lines().find_map(|line| line.strip_prefix("x [rust]: 0 on record, 0 passed now, 0 failed; "));
    let left = left.unwrap_or_default();
    assert!(left.starts_with("left unproved: one (") && left.contains("which builds Rust for the kernel: "), "{out}");
    assert!(left.contains("/rustc is missing") || left.ends_with(&format!("({why})")), "{out}");
}

// SPDX-License-Identifier: GPL-2.0
//! What txgen makes of console logs of real boots (tests/logs/), with the kernel's own kunit.py beside it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use txgen::proof::key;
use txgen::vm::ktap::{self, Outcome, Test};
use txgen::vm::{Evidence, JUDGED, judge};

const END: &str = "kernel: 7.3.4+\ntxgen guest: done\n";

fn log(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("read {}: {e}", path.display()))
}

fn problems(console: &str, result: Option<&str>, killed: Option<&str>) -> Vec<String> {
    judge(Evidence { console, result, leaks: None, killed }).1
}

#[test]
fn a_good_boot_is_good_and_all_its_suites_are_found() {
    let console = log("good.log");
    let (suites, problems) = judge(Evidence { console: &console, result: Some(END), leaks: None, killed: None });
    assert_eq!(problems, Vec::<String>::new());
    let names = suites.iter().map(|suite| format!("{} {}", suite.name, suite.counts.passed)).collect::<Vec<_>>();
    insta::assert_snapshot!(names.join("\n"), @r"
    kunit_executor_test 8
    kunit-try-catch-test 2
    kunit-resource-test 12
    kunit-log-test 2
    kunit_status 2
    kunit_current 2
    kunit_device 3
    kunit_fault 0
    kunit_stub 1
    kunit_platform_device 4
    kunit_platform_driver 2
    backtrace-suppression-test 9
    string-stream-test 12
    kunit-assert 11
    checksum 5
    iov_iter 17
    net_core 12
    ");
}

#[test]
fn a_boot_that_panics_is_a_failure_that_quotes_the_panic() {
    insta::assert_snapshot!(problems(&log("panic.log"), None, None).join("\n"), @r"
    console line 628: Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled [out_of_memory < __alloc_pages_slowpath.constprop.0 < __alloc_frozen_pages_noprof < __folio_alloc_noprof < __handle_mm_fault]
    the guest wrote no result
    ");
}

#[test]
fn a_boot_that_warns_is_a_failure_that_quotes_the_warning_before_the_failed_cases() {
    let found = problems(&log("warning.log"), Some(END), None);
    insta::assert_snapshot!(found[..3].join("\n"), @r"
    console line 545: WARNING: lib/refcount.c:28 at refcount_warn_saturate+0x1f/0x70, CPU#0: kunit_try_catch/300 [net_txbuf_put_run < skb_release_data < sk_skb_reason_drop < txm_drain < op_run_at]
    console line 946: Kernel panic - not syncing: No working init found.  Try passing init= option to kernel. See Linux Documentation/admin-guide/init.rst for guidance. [kernel_init < ret_from_fork < ret_from_fork_asm]
    failed: net_txbuf_skb.op_counts_every_ref_and_keeps_every_byte.clone (op_counts_every_ref_and_keeps_every_byte: EXPECTATION FAILED at net/core/tests/txbuf_model.c:334)
    ");
}

#[test]
fn a_boot_that_hangs_in_the_guest_is_a_failure_although_all_suites_passed() {
    insta::assert_snapshot!(problems(&log("hang.log"), None, Some("did not end within 40 s")).join("\n"), @r"
    the guest did not end within 40 s and was killed
    the guest wrote no result
    ");
}

#[test]
fn a_boot_that_stalls_is_a_failure_that_names_who_does_not_get_on() {
    insta::assert_snapshot!(problems(&log("stall.log"), None, Some("did not end within 60 s of a stall")).join("\n"), @r"
    console line 772: watchdog: BUG: soft lockup - CPU#0 stuck for 5s! [sh:483] [lkdtm_SOFTLOCKUP < direct_entry < full_proxy_write < vfs_write < ksys_write] (and 13 more like it)
    the guest did not end within 60 s of a stall and was killed
    the guest wrote no result
    ");
}

#[test]
fn a_boot_that_stops_inside_kunit_is_a_failure_that_names_the_suite() {
    insta::assert_snapshot!(problems(&log("truncated.log"), None, Some("did not end within 5 s")).join("\n"), @r"
    the guest did not end within 5 s and was killed
    the guest wrote no result
    console line 450: string-stream-test (begun in line 440) has no result
    console line 450: string-stream-test planned 12 tests and ran 7
    console line 450: the log planned 17 tests and ran 13
    failed: string-stream-test
    ");
}

#[test]
fn a_boot_that_never_prints_its_plan_is_a_failure() {
    let console = log("good.log");
    let before = &console[..console.find("KTAP version").expect("the log has KTAP")];
    let expected = ["console no test results: the log has no KTAP header with a plan"];
    assert_eq!(problems(before, Some(END), None), expected);
}

#[test]
fn a_report_of_kasan_is_told_with_who_used_the_memory() {
    let expected = "console line 360: BUG: KASAN: slab-use-after-free in __net_txbuf_release+0xcd/0x160 \
                    [__net_txbuf_release < net_txbuf_put_run < skb_copy_ubufs < ip_local_deliver < ip_rcv]";
    assert_eq!(problems(&log("kasan.log"), Some(END), None)[0], expected);
}

#[test]
fn a_report_of_kmemleak_is_told_with_who_allocated_the_memory() {
    let (console, report) = (log("good.log"), log("kmemleak.txt"));
    let leaky = Evidence { console: &console, result: Some(END), leaks: Some(&report), killed: None };
    let expected = "kmemleak: 1 leaks, the first: unreferenced object 0xff1100000b8ba860 (size 32): [__kmalloc_noprof \
                    < tm_new < message_is_held_while_a_packet_is_under_way < kunit_try_run_case < \
                    kunit_generic_run_threadfn_adapter]";
    assert_eq!(judge(leaky).1, [expected]);
}

#[test]
fn what_selftests_said_is_read_with_the_cases_inside() {
    let read = ktap::parse(&log("selftests.ktap"));
    assert_eq!(read.problems, [""; 0]);
    let [test] = read.tests.as_slice() else { panic!("one test ran: {:?}", read.tests) };
    assert_eq!((test.name.as_str(), test.outcome, test.counts().passed), ("rxrpc_calls", Outcome::Passed, 17));
    assert_eq!(test.notes, ["txgen: took 144 s"]);
}

/// All logs.
fn logs() -> Vec<(String, String)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs");
    let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut all = names.map(|name| (name.clone(), log(&name))).collect::<Vec<_>>();
    all.sort();
    all
}

#[test]
fn who_changes_what_a_boot_is_judged_by_raises_its_version() {
    let verdicts = logs().into_iter().map(|(name, text)| {
        let (suites, problems) =
            judge(Evidence { console: &text, result: Some(END), leaks: Some(&text), killed: None });
        let suites = suites.iter().map(|suite| format!("{suite:?}\n")).collect::<String>();
        format!("{name}\n{suites}{}\n", problems.join("\n"))
    });
    let verdicts = verdicts.collect::<String>();
    let digest = key(&[verdicts.as_bytes()])[..16].to_owned();
    // After a change of the code: raise vm::JUDGED, so that records of before are not taken, and write both here.
    assert_eq!((JUDGED, digest.as_str()), (2, "a1f1901329f08213"), "of\n{verdicts}");
}

/// tools/testing/kunit of the net-next base, from the managed repository.
fn kunit_py() -> (TempDir, PathBuf) {
    let cache = std::env::var_os("TXGEN_CACHE").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/txgen"),
        PathBuf::from,
    );
    let dir = TempDir::new().unwrap();
    let repository = cache.join("linux.git");
    let tar = dir.path().join("kunit.tar");
    let wanted = ["COPYING", "CREDITS", "Kbuild", "MAINTAINERS", "Makefile", "README", "tools/testing/kunit"];
    let git = Command::new("git")
        .arg("--git-dir")
        .arg(&repository)
        .args(["archive", "refs/txgen/bases/net-next", "-o"])
        .arg(&tar)
        .args(wanted)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&git.stderr).into_owned();
    assert!(git.status.success(), "no net-next base, run `txgen base fetch net-next`: {said}");
    assert!(Command::new("tar").arg("-xf").arg(&tar).arg("-C").arg(dir.path()).status().unwrap().success());
    for folder in ["arch", "Documentation", "drivers", "fs", "include", "init", "ipc", "kernel", "lib", "scripts"] {
        std::fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    let script = dir.path().join("tools/testing/kunit/kunit.py");
    (dir, script)
}

/// Every leaf and its status, as kunit.py reads `console`, sorted.
fn oracle(console: &str) -> Vec<String> {
    let (dir, script) = kunit_py();
    let (input, output) = (dir.path().join("console.log"), dir.path().join("result.json"));
    std::fs::write(&input, console).unwrap();
    let run = Command::new("/usr/bin/python3")
        .arg(script)
        .arg("parse")
        .arg(format!("--json={}", output.display()))
        .arg(&input)
        .output()
        .unwrap();
    let text = std::fs::read_to_string(&output)
        .unwrap_or_else(|e| panic!("kunit.py wrote no result: {e}: {}", String::from_utf8_lossy(&run.stderr)));
    let mut leaves = Vec::new();
    flatten(&serde_json::from_str(&text).unwrap(), "", &mut leaves);
    leaves.sort();
    leaves
}

fn flatten(group: &Value, path: &str, leaves: &mut Vec<String>) {
    for case in group["test_cases"].as_array().expect("a group has cases") {
        leaves.push(format!("{path}{} {}", case["name"].as_str().unwrap(), case["status"].as_str().unwrap()));
    }
    for inner in group["sub_groups"].as_array().expect("a group has groups") {
        flatten(inner, &format!("{path}{}.", inner["name"].as_str().unwrap()), leaves);
    }
}

/// The same of txgen's own parser.
fn ours(console: &str) -> Vec<String> {
    let mut leaves = Vec::new();
    for test in ktap::parse(console).tests {
        leaf(&test, "", &mut leaves);
    }
    leaves.sort();
    leaves
}

fn leaf(test: &Test, path: &str, leaves: &mut Vec<String>) {
    for inner in &test.subtests {
        leaf(inner, &format!("{path}{}.", test.name), leaves);
    }
    if test.subtests.is_empty() {
        let status = match test.outcome {
            Outcome::Passed => "PASS",
            Outcome::Failed => "FAIL",
            Outcome::Skipped => "SKIP",
            Outcome::ExpectedFailure => "XFAIL",
        };
        leaves.push(format!("{path}{} {status}", test.name));
    }
}

#[test]
fn a_real_log_is_read_as_the_kernels_own_parser_reads_it() {
    let console = log("good.log");
    let expected = oracle(&console);
    assert_eq!(expected.len(), 105, "kunit.py counts 105 tests in this log");
    assert_eq!(ours(&console), expected);
}

#[test]
fn a_real_log_with_failures_is_read_as_the_kernels_own_parser_reads_it() {
    let console = log("warning.log");
    let expected = oracle(&console);
    assert_eq!(expected.iter().filter(|leaf| leaf.ends_with(" FAIL")).count(), 38);
    assert_eq!(ours(&console), expected);
}

#[test]
fn a_real_log_that_has_each_line_twice_is_read_as_if_it_had_it_once() {
    let console = log("doubled.log");
    let mut lines = console.lines().collect::<Vec<_>>();
    let doubled = lines.len();
    lines.dedup();
    assert!(doubled > lines.len() * 3 / 2, "{doubled} lines, {} without repetitions", lines.len());
    let expected = oracle(&lines.join("\n"));
    assert_eq!((ktap::parse(&console).problems, ours(&console)), (Vec::new(), expected));
}

// SPDX-License-Identifier: GPL-2.0
//! What the KTAP parser makes of whole, failed, cut and odd logs.

use super::{Counts, Outcome, parse};

const GOOD: &str = "\
[    0.000000] Linux version 7.3.4
[    1.000000] KTAP version 1
[    1.000001] 1..2
[    1.000002]     KTAP version 1
[    1.000003]     # Subtest: first
[    1.000004]     # module: first_test
[    1.000005]     1..2
[    1.000006]     ok 1 plain
[    1.000007] some driver says something here
[    1.000008]         KTAP version 1
[    1.000009]         # Subtest: with_params
[    1.000010]         ok 1 - small
[    1.000011]         ok 2 large # SKIP too large
[    1.000012]     # with_params: pass:1 fail:0 skip:1 total:2
[    1.000013]     ok 2 with_params
[    1.000014] # first: pass:2 fail:0 skip:0 total:2
[    1.000015] ok 1 first
[    1.000016]     KTAP version 1
[    1.000017]     # Subtest: second
[    1.000018]     1..1
[    1.000019]     ok 1 only
[    1.000020] ok 2 second
[    2.000000] ok that was it
";

fn counts(passed: u32, failed: u32, skipped: u32, expected_failures: u32) -> Counts {
    Counts { passed, failed, skipped, expected_failures }
}

#[test]
fn suites_cases_and_parameters_nest() {
    let ktap = parse(GOOD);
    assert_eq!(ktap.problems, Vec::<String>::new());
    let names = ktap.tests.iter().map(|test| (test.name.as_str(), test.counts())).collect::<Vec<_>>();
    assert_eq!(names, [("first", counts(2, 0, 1, 0)), ("second", counts(1, 0, 0, 0))]);
    assert_eq!(ktap.tests[0].subtests[1].subtests[1].outcome, Outcome::Skipped);
}

#[test]
fn a_failed_case_is_named_with_its_suite_and_reason() {
    let log =
        GOOD.replace("[    1.000019]     ok 1 only", "    # only: EXPECTATION FAILED at x.c:3\n    not ok 1 only");
    let log = log.replace("ok 2 second", "not ok 2 second");
    let ktap = parse(&log);
    assert_eq!(ktap.problems, Vec::<String>::new());
    assert_eq!(ktap.tests[1].failures(), ["second.only (only: EXPECTATION FAILED at x.c:3)"]);
    assert_eq!(ktap.tests[1].counts(), counts(0, 1, 0, 0));
}

#[test]
fn a_log_without_results_is_a_problem() {
    let expected = ["no test results: the log has no KTAP header with a plan"];
    assert_eq!(parse("[    0.000000] Linux version 7.3.4\n").problems, expected);
}

#[test]
fn a_log_that_stops_inside_a_suite_is_a_problem() {
    let at = GOOD.find("[    1.000013]").expect("it is there");
    let ktap = parse(&GOOD[..at]);
    assert_eq!(
        ktap.problems,
        [
            "line 14: with_params (begun in line 10) has no result",
            "line 14: first (begun in line 4) has no result",
            "line 14: the log planned 2 tests and ran 1",
        ]
    );
    assert_eq!(ktap.tests[0].outcome, Outcome::Failed);
}

#[test]
fn a_suite_that_never_ran_is_a_problem() {
    let log = GOOD.replace("1..2\n[    1.000002]", "1..3\n[    1.000002]");
    assert_eq!(parse(&log).problems, ["line 23: the log planned 3 tests and ran 2"]);
}

#[test]
fn a_missing_plan_is_a_problem() {
    let log = GOOD.replacen("1..2", "", 1);
    assert_eq!(parse(&log).problems, ["line 2: the log has no plan"]);
    let log = GOOD.replace("[    1.000018]     1..1\n", "");
    assert_eq!(parse(&log).problems, ["line 18: second has no plan"]);
}

#[test]
fn a_number_out_of_order_is_a_problem() {
    let log = GOOD.replace("ok 2 second", "ok 3 second");
    assert_eq!(parse(&log).problems, ["line 22: test second has number 3 where 2 was due"]);
}

#[test]
fn a_suite_that_hides_a_failed_case_fails() {
    let log = GOOD.replace("    ok 1 only", "    not ok 1 only");
    let ktap = parse(&log);
    assert_eq!(ktap.problems, ["line 22: second is ok although a subtest of it failed"]);
    assert_eq!(ktap.tests[1].outcome, Outcome::Failed);
}

#[test]
fn kselftest_inner_lines_nest_by_their_mark() {
    let ktap = parse(
        "TAP version 13\n1..3\n# selftests: net: tls\n# TAP version 13\n# 1..3\n# ok 1 one\n# ok 2 two # SKIP no such cipher\n\
         # ok 3 three # XFAIL known\n# # Totals: pass:1\nok 1 selftests: net: tls\n\
         ok 2 selftests: net: big.sh # SKIP\nnot ok 3 selftests: net: slow.sh # TIMEOUT 45 seconds\n",
    );
    assert_eq!(ktap.problems, Vec::<String>::new());
    let all = ktap.tests.iter().map(super::Test::counts).collect::<Vec<_>>();
    assert_eq!(all, [counts(1, 0, 1, 1), counts(0, 0, 1, 0), counts(0, 1, 0, 0)]);
    assert_eq!(ktap.tests[2].name, "selftests: net: slow.sh");
}

#[test]
fn two_documents_in_one_log_add_up() {
    let log = format!("{GOOD}KTAP version 1\n1..1\nok 1 late\n");
    let ktap = parse(&log);
    assert_eq!(ktap.problems, Vec::<String>::new());
    assert_eq!(ktap.tests.len(), 3);
}

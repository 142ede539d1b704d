// SPDX-License-Identifier: GPL-2.0
//! `txgen test --selftests`: real programs of a tiny kernel tree, run by the real script of the guest.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]

#[path = "common/boots.rs"]
mod boots;
mod common;

use boots::{Changes, project_of, stable};
use common::{Ran, TestProject};
use serde_json::Value;

const LIB_MK: &str = "$(CURDIR)/%: %.c\n\t$(CC) -I../../usr/include $< -o $@\n";
const CASES: &str =
    "#include <stdio.h>\nint main(void) { puts(\"TAP version 13\\n1..2\\nok 1 a.b\\nok 2 a.c\"); return 0; }\n";
const LOST: &str =
    "#include <stdio.h>\nint main(void) { puts(\"TAP version 13\\n1..2\\nok 1 a.b\\nnot ok 2 a.c\"); return 1; }\n";
const EXITS: &str = "#include <stdlib.h>\nint main(int n, char **v) { return atoi(v[n - 1]); }\n";

/// The kernel's own tests.
const FILES: Changes<'_> = &[
    ("tools/lib.mk", LIB_MK),
    ("tools/net/Makefile", "include ../lib.mk\n"),
    ("tools/net/cases.c", CASES),
    ("tools/net/exits.c", EXITS),
    ("tools/net/how.sh", "exit 0\n"),
    ("tools/net/twice.sh", "#!/bin/sh\n[ -f ran ] || { touch ran; echo too slow; exit 1; }\n"),
    ("tools/vsock/Makefile", "test: exits\n"),
    ("tools/vsock/exits.c", EXITS),
];

/// A change that is not about them.
const OTHER: Changes<'_> = &[("net/core/a.c", "/* play:good */\nint b;\n")];

const TABLE: &str = r#"
sources = ["tools"]

[[folder]]
path = "tools/net"

[[folder.test]]
name = "cases"
builds = ["cases"]
run = "./cases"
seconds = 20

[[folder.test]]
name = "skips"
builds = ["exits"]
run = "echo no such device; ./exits 4"
seconds = 20

[[folder.test]]
name = "twice"
scripts = ["twice.sh"]
run = "sh ./twice.sh"
seconds = 20
tries = 2

[[folder]]
path = "tools/vsock"

[[folder.test]]
name = "pair"
builds = ["exits"]
server = { run = "./exits 0", port = 1234 }
run = "./exits 0"
seconds = 20
"#;

fn project(patch: Changes<'_>) -> TestProject {
    let project = project_of(FILES, &[("one", patch)]);
    project.write("p/vm-tests/selftests.toml", TABLE);
    project
}

fn test(project: &TestProject, more: &[&str], code: i32) -> Ran {
    project.txgen(&[&["test", "x", "--tree", "../k", "--base", "base"], more].concat()).expect(code)
}

/// The part of the output that is about selftests, without times.
fn told(project: &TestProject, ran: &Ran) -> String {
    let from = ran.stdout.find("selftests:").and_then(|at| ran.stdout[..at].rfind('\n')).map_or(0, |at| at + 1);
    let text = stable(project, &ran.stdout[from..]);
    (0..30).fold(text, |text, seconds| text.replace(&format!(" ({seconds} s)"), ""))
}

#[test]
fn each_test_runs_in_the_guest_and_is_told_with_its_cases() {
    let project = project(OTHER);
    let ran = test(&project, &["--base-only", "--selftests"], 0);
    insta::assert_snapshot!(told(&project, &ran), @r"
    ok   base [net] selftests: under TCG in [N] s, 3 passed, 1 skipped
         ok     cases: 2 passed
         skip   skips
              last line: no such device
         ok     twice
              run 1 failed: not ok 3 twice # exit=1: too slow
         ok     pair
    ");
    assert_eq!(project.git("k", &["status", "--porcelain"]), "");
}

/// The table with `cases` and `twice` as tests of each boot.
fn quick() -> String {
    let mark = |table: String, name: &str| {
        let row = format!("name = \"{name}\"\n");
        table.replacen(&row, &format!("{row}quick = true\n"), 1)
    };
    mark(mark(TABLE.to_owned(), "cases"), "twice")
}

#[test]
fn a_full_test_is_every_patch_and_then_the_last_with_selftests_and_in_the_debug_configuration() {
    let second = [("net/core/a.c", "/* play:good */\nint b;\nint c;\n")];
    let project = project_of(FILES, &[("one", OTHER), ("two", &second)]);
    project.write("p/vm-tests/selftests.toml", TABLE);
    let missing = test(&project, &["--full"], 2);
    assert!(missing.stderr.contains("configuration debug lost"), "{}", missing.stderr);
    project.write("p/vm-tests/debug.config", "CONFIG_KASAN=y\nCONFIG_CMDLINE=\"no5lvl\"\n");
    let heads = |text: &str| {
        let heads = text.lines().filter(|line| !line.starts_with(' ')).map(|line| line.split(": ").next().unwrap());
        heads.map(str::to_owned).collect::<Vec<_>>()
    };
    let ran = test(&project, &["--full", "--against-base"], 0);
    let expected = [
        "ok   base [net]",
        "ok   one [net]",
        "ok   two [net]",
        "ok   base [net]",
        "ok   base [net] selftests",
        "ok   two [net]",
        "ok   two [net] selftests",
        "ok   base [debug]",
        "ok   two [debug]",
    ];
    assert_eq!(heads(&ran.stdout), expected, "{}", ran.stdout);
    let args = std::fs::read_to_string(project.path("logs.args")).unwrap();
    assert_eq!(args.matches(" --append no5lvl ").count(), 2, "of the two boots with it: {args}");
    let refused = test(&project, &["--full", "--config", "net"], 2);
    assert!(refused.stderr.contains("cannot be used with"), "{}", refused.stderr);
}

#[test]
fn a_quick_test_runs_in_each_boot_and_counts_as_a_suite() {
    let project = project(OTHER);
    let boot = |more: &[&str], code| stable(&project, &test(&project, &[&["--tip"], more].concat(), code).stdout);
    assert!(boot(&[], 0).ends_with("17 suites: 104 passed, 1 skipped"));
    project.write("p/vm-tests/selftests.toml", &quick());
    assert!(boot(&[], 0).ends_with("19 suites: 107 passed, 1 skipped"), "the record is of other tests");
    assert!(boot(&[], 0).ends_with("(recorded)"));
    let other = quick().replacen("quick = true", "quick = true\nconfigs = [\"debug\"]", 1);
    project.write("p/vm-tests/selftests.toml", &other);
    assert!(boot(&[], 0).ends_with("18 suites: 105 passed, 1 skipped"));
    let ran = test(&project, &["--tip", "--json"], 0);
    let shown = serde_json::from_str::<Value>(&ran.stdout).unwrap();
    let suites = shown[0]["proof"]["boot"]["suites"].as_array().unwrap();
    assert_eq!(suites.last().unwrap()["name"], "selftest twice");
}

#[test]
fn a_quick_test_that_fails_or_does_not_build_fails_the_patch_and_one_that_the_tree_lacks_is_left_out() {
    let shown = |change: Changes<'_>, code| {
        let project = project(change);
        project.write("p/vm-tests/selftests.toml", &quick());
        let ran = test(&project, &["--tip"], code);
        let again = test(&project, &["--tip"], code);
        assert_eq!(again.stdout.contains("(recorded)"), code == 0, "what failed is not on record");
        ran.stdout
    };
    let failed = shown(&[("tools/net/cases.c", LOST)], 1);
    assert!(failed.contains("19 suites: 106 passed, 1 failed, 1 skipped"), "{failed}");
    assert!(failed.contains("failed: selftest cases: last line: not ok 2 a.c"), "{failed}");
    let broken = shown(&[("tools/net/cases.c", "int main(void) { return undeclared; }\n")], 1);
    assert!(broken.contains("does not build: tools/net: cases.c:1:"), "{broken}");
    let hangs = quick().replace("seconds = 20", "seconds = 1");
    let project = project(&[("tools/net/cases.c", "int main(void) { for (;;) ; }\n")]);
    project.write("p/vm-tests/selftests.toml", &hangs);
    let ran = test(&project, &["--tip"], 1);
    assert!(ran.stdout.contains("failed: selftest cases:"), "{}", ran.stdout);
    project.write("p/vm-tests/selftests.toml", &quick().replace("\"cases\"]", "\"gone\"]"));
    let ran = test(&project, &["--tip"], 0);
    assert!(ran.stdout.contains("18 suites: 105 passed"), "{}", ran.stdout);
}

#[test]
fn quick_tests_are_built_again_where_what_they_are_built_from_differs() {
    let second = [("net/core/a.c", "/* play:good */\nint c;\n")];
    let project = project_of(FILES, &[("one", OTHER), ("two", &second), ("three", &[("tools/net/cases.c", LOST)])]);
    project.write("p/vm-tests/selftests.toml", &quick());
    let ran = test(&project, &["--all"], 1);
    let verdicts = ran.stdout.lines().filter_map(|line| line.split_once(" [net]")).map(|(verdict, _)| verdict);
    assert_eq!(verdicts.collect::<Vec<_>>(), ["ok   one", "ok   two", "FAIL three"], "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("19 suites: 107 passed").count(), 2, "{}", ran.stdout);
    assert_eq!(ran.stderr.matches("build selftests: built").count(), 2, "{}", ran.stderr);
}

#[test]
fn a_mutation_may_be_for_a_selftest_to_notice() {
    let project = project(OTHER);
    let main = |text: &str| text.lines().nth(1).unwrap().to_owned();
    let mutation = |suites: &str| {
        let (old, new) = (main(CASES), main(LOST));
        let text = format!(
            "# A case fails.\n# selftests: cases, pair\n# must fail: {suites}\ndiff --git a/tools/net/cases.c \
             b/tools/net/cases.c\n--- a/tools/net/cases.c\n+++ b/tools/net/cases.c\n@@ -1,2 +1,2 @@\n \
             #include <stdio.h>\n-{old}\n+{new}\n"
        );
        project.write("p/vm-tests/mutations/x/case.diff", &text);
    };
    let mutate = |code| project.txgen(&["mutate", "x", "--tree", "../k", "--base", "base"]).expect(code).stdout;
    mutation("cases");
    let caught = mutate(0);
    assert!(caught.starts_with("caught     case                       by cases "), "{caught}");
    mutation("cases, pair");
    let missed = mutate(1);
    assert!(missed.starts_with("NOT CAUGHT case                       by pair "), "{missed}");
}

#[test]
fn what_passed_is_found_until_the_tests_change() {
    let project = project(OTHER);
    let recorded = |ran: &Ran| told(&project, ran).lines().next().unwrap().ends_with("(recorded)");
    assert!(!recorded(&test(&project, &["--base-only", "--selftests"], 0)));
    assert!(recorded(&test(&project, &["--base-only", "--selftests"], 0)));
    assert!(!recorded(&test(&project, &["--base-only", "--selftests=cases"], 0)));
    project.write("p/vm-tests/selftests.toml", &TABLE.replacen("seconds = 20", "seconds = 21", 1));
    assert!(!recorded(&test(&project, &["--base-only", "--selftests"], 0)));
    let script = project.read("p/vm-tests/selftests.sh");
    project.write("p/vm-tests/selftests.sh", &format!("{script}\n# other\n"));
    assert!(!recorded(&test(&project, &["--base-only", "--selftests"], 0)));
}

#[test]
fn a_case_that_passes_on_the_base_and_fails_on_the_patch_is_a_failure() {
    let project = project(&[("tools/net/cases.c", LOST)]);
    let ran = test(&project, &["--tip", "--against-base", "--selftests=cases"], 1);
    let told = told(&project, &ran);
    let at = told.find("FAIL").unwrap();
    insta::assert_snapshot!(&told[at..], @r"
    FAIL one [net] selftests: under TCG in [N] s, 0 passed, 1 failed
         FAIL   cases: 1 passed, 1 failed; failed: a.c
              last line: not ok 2 a.c
         selftest cases passes on the base, here it fails
         selftest cases: case a.c passes on the base, here it fails
         output of each test: [DIR]/cache/runs/[ID]/guest/logs
    ");
}

#[test]
fn a_test_that_ends_otherwise_than_on_the_base_is_a_failure() {
    let table = TABLE.replace("./cases", "sh ./how.sh").replacen("seconds = 20", "seconds = 2", 1);
    let ends = [("exit 7", "fails", "exit=7"), ("exit 4", "is skipped", "SKIP"), ("sleep 9", "fails", "TIMEOUT 2 s")];
    for (run, outcome, said) in ends {
        let project = project(&[("tools/net/how.sh", run)]);
        project.write("p/vm-tests/selftests.toml", &table);
        let ran = test(&project, &["--tip", "--against-base", "--selftests=cases"], 1);
        let expected = format!("selftest cases passes on the base, here it {outcome}");
        assert!(ran.stdout.contains(&expected), "{}", ran.stdout);
        let run = ran.stdout.lines().find_map(|line| line.trim().strip_prefix("output of each test: ")).unwrap();
        let ktap = std::fs::read_to_string(format!("{run}/../selftests.ktap")).unwrap();
        assert!(ktap.contains(said), "{ktap}");
    }
}

#[test]
fn a_program_that_does_not_build_is_told_and_the_others_run() {
    let project = project(&[("tools/net/cases.c", "int main(void) { return undeclared; }\n")]);
    let ran = test(&project, &["--tip", "--selftests"], 1);
    insta::assert_snapshot!(told(&project, &ran).split("     last lines").next().unwrap(), @r"
    FAIL one [net] selftests: under TCG in [N] s, 2 passed, 1 failed, 1 skipped
         FAIL   cases
              last line: sh: 1: ./cases: not found
         skip   skips
              last line: no such device
         ok     twice
              run 1 failed: not ok 3 twice # exit=1: too slow
         ok     pair
         does not build: tools/net: cases.c:1:25: error: 'undeclared' undeclared (first use in this function)
    ");
}

#[test]
fn a_test_that_a_tree_lacks_is_a_failure_unless_a_series_brings_it() {
    let own = "\n[[folder.test]]\nname = \"own\"\nbuilds = [\"own\"]\nrun = \"./own 0\"\nseconds = 20\n";
    let project = project(OTHER);
    project.write("p/kernel-overlay/tools/vsock/own.c", EXITS);
    let series = project.read("p/series/x/series.toml");
    project.write("p/series/x/series.toml", &format!("{series}adds = [\"tools/vsock/own.c\"]\n"));
    project.write("p/vm-tests/selftests.toml", &format!("{TABLE}{own}"));
    let base = test(&project, &["--base-only", "--selftests=own,pair"], 1);
    assert!(base.stdout.contains("FAIL   own: not in this tree"), "{}", base.stdout);
    project.write("p/vm-tests/selftests.toml", &format!("{TABLE}{own}series = \"x\"\n"));
    let both = test(&project, &["--tip", "--against-base", "--selftests=own,pair"], 0);
    insta::assert_snapshot!(told(&project, &both), @r"
    ok   base [net] selftests: under TCG in [N] s, 1 passed, 1 not in this tree
         ok     pair
         absent own: not in this tree, not compared
    ok   one [net]: built, booted under TCG in [N] s, 17 suites: 104 passed, 1 skipped
    ok   one [net] selftests: under TCG in [N] s, 2 passed
         ok     pair
         ok     own
    ");
    project.write("p/vm-tests/selftests.toml", &format!("{TABLE}{}series = \"x\"\n", own.replace("own", "other")));
    let tip = test(&project, &["--tip", "--selftests=other,pair"], 1);
    assert!(tip.stdout.contains("selftest other: series x does not bring it"), "{}", tip.stdout);
}

#[test]
fn a_test_of_the_project_runs_on_every_tree_and_is_compared_case_for_case() {
    let own = "\n[[folder]]\npath = \"tools/own\"\nproject = \"vm-tests/own\"\n\n[[folder.test]]\nname = \"own\"\n\
               builds = [\"own\"]\nrun = \"./own ../net\"\nseconds = 20\n";
    // Its only case has the name of what the tree's file says.
    let source = "#include <stdio.h>\nint main(void) { char said[9] = \"\"; FILE *f = fopen(\"../net/how.sh\", \"r\");\n\
                  if (fscanf(f, \"%*s %8s\", said) != 1) return 1;\n\
                  printf(\"TAP version 13\\n1..1\\nok 1 says.%s\\n\", said); return 0; }\n";
    let project = project(&[("tools/net/how.sh", "exit 7\n")]);
    project.write("p/vm-tests/selftests.toml", &format!("{TABLE}{own}"));
    project.write("p/vm-tests/own/Makefile", "own: own.c\n");
    project.write("p/vm-tests/own/own.c", source);
    let ran = test(&project, &["--tip", "--against-base", "--selftests=own,cases"], 1);
    let lost = "selftest own: case says.0 passes on the base, here it did not run";
    assert!(ran.stdout.contains(lost), "{}", ran.stdout);
    let recorded = |ran: &Ran| told(&project, ran).lines().next().unwrap().ends_with("(recorded)");
    assert!(recorded(&test(&project, &["--base-only", "--selftests=own,cases"], 0)));
    project.write("p/vm-tests/own/own.c", &source.replace("says", "tells"));
    assert!(!recorded(&test(&project, &["--base-only", "--selftests=own,cases"], 0)));
}

/// A test that asks its module what it is made of.
const LOADS: &str = "\n[[folder.test]]\nname = \"loads\"\nscripts = [\"../net/how.sh\"]\n\
                     modules = [\"samples/m.ko\"]\nrun = \"grep -q made_by_the_patch m.ko\"\nseconds = 20\n";

fn project_with_module(source: &str) -> TestProject {
    let project = project(OTHER);
    project.write("p/kernel-overlay/samples/m.c", source);
    let series = project.read("p/series/x/series.toml");
    project.write("p/series/x/series.toml", &format!("{series}adds = [\"samples/m.c\"]\n"));
    project.write("p/vm-tests/net.config", "CONFIG_NET=y\nCONFIG_MODULES=y\n");
    project
}

#[test]
fn a_module_of_the_kernel_is_built_and_put_into_the_folder_of_its_test() {
    let project = project_with_module("int made_by_the_patch;\n");
    project.write("p/vm-tests/selftests.toml", &format!("{TABLE}{LOADS}series = \"x\"\n"));
    let both = test(&project, &["--tip", "--against-base", "--selftests=loads,pair"], 0);
    insta::assert_snapshot!(told(&project, &both), @r"
    ok   base [net] selftests: under TCG in [N] s, 1 passed, 1 not in this tree
         ok     pair
         absent loads: not in this tree, not compared
    ok   one [net]: built, booted under TCG in [N] s, 17 suites: 104 passed, 1 skipped
    ok   one [net] selftests: under TCG in [N] s, 2 passed
         ok     pair
         ok     loads
    ");
    project.write("p/vm-tests/net.config", "CONFIG_NET=y\n");
    let none = test(&project, &["--tip", "--selftests=loads"], 1);
    let missing = "does not build: samples/m.ko: the configuration has no such module";
    assert!(none.stdout.contains(missing), "{}", none.stdout);
}

#[test]
fn a_module_that_does_not_compile_fails_the_build() {
    let project = project_with_module("int made_by_the_patch = undeclared;\n");
    let ran = test(&project, &["--tip"], 1);
    assert!(ran.stdout.contains("samples/m.c:1:25: error: 'undeclared' undeclared"), "{}", ran.stdout);
}

#[test]
fn a_test_for_one_configuration_does_not_run_in_another() {
    let project = project(OTHER);
    project
        .write("p/vm-tests/selftests.toml", &TABLE.replacen("seconds = 20", "seconds = 20\nconfigs = [\"debug\"]", 1));
    let ran = test(&project, &["--tip", "--selftests=cases,pair"], 0);
    assert!(ran.stdout.contains("pair") && !ran.stdout.contains("cases"), "{}", ran.stdout);
    let none = test(&project, &["--tip", "--selftests=cases"], 2);
    let reason = "none of these selftests is for base base in configuration net";
    assert!(none.stderr.contains(reason), "{}", none.stderr);
}

#[test]
fn the_results_are_there_for_a_machine() {
    let project = project(OTHER);
    let ran = test(&project, &["--tip", "--selftests=cases,twice", "--json"], 0);
    let all = serde_json::from_str::<Value>(&ran.stdout).unwrap();
    let tests = &all["selftests"][0]["proof"]["tests"];
    assert_eq!(tests[0]["cases"], serde_json::json!({"a.b": "passed", "a.c": "passed"}));
    assert_eq!(tests[1]["notes"], serde_json::json!(["run 1 failed: not ok 2 twice # exit=1: too slow"]));
}

#[test]
fn a_program_that_the_guest_needs_and_an_unknown_test_are_errors() {
    let project = project(OTHER);
    let unknown = test(&project, &["--tip", "--selftests=nope"], 2);
    assert!(unknown.stderr.contains("no selftest starts with \"nope\""), "{}", unknown.stderr);
    let table = TABLE.replacen("seconds = 20", "seconds = 20\nneeds = [\"no-such-program\"]", 1);
    project.write("p/vm-tests/selftests.toml", &table);
    let missing = test(&project, &["--tip", "--selftests"], 2);
    assert!(missing.stderr.contains("no-such-program is not installed"), "{}", missing.stderr);
}

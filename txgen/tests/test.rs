// SPDX-License-Identifier: GPL-2.0
//! `txgen test` on a tiny kernel tree, built by the real make and gcc, with real console logs played back as its boot.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]

#[path = "common/boots.rs"]
mod boots;
mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use boots::{project_of, stable};
use common::{Ran, TestProject};
use serde_json::Value;

/// A project with a kernel and series x, which has one patch for each of `plays`, named after its log.
fn project(plays: &[&str]) -> TestProject {
    let texts = plays.iter().map(|play| match *play {
        "broken" => "int broken(void) { return undeclared; }\n".to_owned(),
        play => format!("/* play:{play} */\nint patched_{play};\n"),
    });
    let texts = texts.collect::<Vec<_>>();
    let changes = texts.iter().map(|text| [("net/core/a.c", text.as_str())]).collect::<Vec<_>>();
    let patches = plays.iter().zip(&changes).map(|(play, change)| (*play, change.as_slice())).collect::<Vec<_>>();
    project_of(&[], &patches)
}

fn test<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["test", "x", "--tree", "../k", "--base", "base"], more].concat()
}

fn boots(project: &TestProject) -> usize {
    fs::read_to_string(project.path("logs.boots")).map_or(0, |text| text.lines().count())
}

#[test]
fn the_tip_is_built_and_booted_and_its_suites_counted() {
    let project = project(&["good"]);
    let ran = project.txgen(&test(&["--tip"])).expect(0);
    insta::assert_snapshot!(stable(&project, &ran.stdout), @"ok   good [net]: built, booted under TCG in [N] s, 17 suites: 104 passed, 1 skipped");
    assert_eq!(boots(&project), 1);
}

#[test]
fn what_passed_is_not_run_again_unless_forced() {
    let project = project(&["good"]);
    let _first = project.txgen(&test(&["--tip"])).expect(0);
    let second = project.txgen(&test(&["--tip"])).expect(0);
    assert!(second.stdout.contains("(recorded)"), "{}", second.stdout);
    assert_eq!(boots(&project), 1);
    let forced = project.txgen(&test(&["--tip", "--force"])).expect(0);
    assert!(!forced.stdout.contains("(recorded)"), "{}", forced.stdout);
    assert_eq!(boots(&project), 2);
    project.write("p/vm-tests/net.config", "CONFIG_NET=y\nCONFIG_INET=y\n");
    let other = project.txgen(&test(&["--tip"])).expect(0);
    assert!(!other.stdout.contains("(recorded)"), "{}", other.stdout);
    assert_eq!(boots(&project), 3);
}

#[test]
fn a_guest_that_is_gone_without_a_word_is_started_once_more() {
    let text = "/* play:gone built:1 */\n";
    let project = project_of(&[], &[("gone", &[("net/core/a.c", text)])]);
    let ran = project.txgen(&test(&["--tip"])).expect(0);
    assert!(ran.stderr.contains("boot: the guest was gone without a word: once more"), "{}", ran.stderr);
    assert!(ran.stdout.contains("17 suites: 104 passed"), "{}", ran.stdout);
    assert_eq!(boots(&project), 2);
}

#[test]
fn a_guest_that_is_gone_twice_is_a_failure() {
    let project = project(&["truncated"]);
    let ran = project.txgen(&test(&["--tip"])).expect(1);
    assert!(ran.stdout.contains("the guest wrote no result"), "{}", ran.stdout);
    assert_eq!(boots(&project), 2);
}

#[test]
fn a_patch_that_does_not_build_is_a_failure_with_its_errors() {
    let project = project(&["broken"]);
    let ran = project.txgen(&test(&["--tip"])).expect(1);
    insta::assert_snapshot!(stable(&project, &ran.stdout), @r"
    FAIL broken [net]: does not build
         net/core/a.c:1:27: error: 'undeclared' undeclared (first use in this function)
         whole log: [DIR]/cache/runs/[ID]/build.log
    ");
    assert_eq!(boots(&project), 0);
}

#[test]
fn a_boot_that_panics_is_a_failure_with_the_end_of_its_log_and_is_not_recorded() {
    let project = project(&["panic"]);
    let ran = project.txgen(&test(&["--tip"])).expect(1);
    assert!(ran.stdout.contains("Kernel panic - not syncing: Out of memory"), "{}", ran.stdout);
    assert!(ran.stdout.contains("       | [   38.768288] Kernel Offset: disabled"), "{}", ran.stdout);
    let log = ran.stdout.lines().find_map(|line| line.trim().strip_prefix("whole log: ")).unwrap();
    let expected = fs::read_to_string(project.path("logs/panic.log")).unwrap();
    assert_eq!(fs::read_to_string(log).unwrap(), expected);
    let again = project.txgen(&test(&["--tip"])).expect(1);
    assert!(!again.stdout.contains("(recorded)"), "{}", again.stdout);
    assert_eq!(boots(&project), 2);
}

#[test]
fn a_boot_that_hangs_is_killed_with_all_that_it_started() {
    let project = project(&["hang"]);
    let ran = project.txgen(&test(&["--tip", "--timeout", "6"])).expect(1);
    assert!(ran.stdout.contains("     the guest said nothing for 3 s and was killed\n"), "{}", ran.stdout);
    assert_gone(&project);
}

#[test]
fn a_boot_that_goes_on_and_on_is_killed_when_its_time_is_over() {
    let project = project(&["chat"]);
    let ran = project.txgen(&test(&["--tip", "--timeout", "4"])).expect(1);
    assert!(ran.stdout.contains("     the guest did not end within 4 s and was killed\n"), "{}", ran.stdout);
}

/// Asserts that the process the played guest had started does not run any more.
fn assert_gone(project: &TestProject) {
    let pid = project.read("logs.sleeper");
    let end = Instant::now() + Duration::from_secs(10);
    while runs(pid.trim()) {
        assert!(Instant::now() < end, "process {pid} outlives its boot");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn runs(pid: &str) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !state.is_empty() && !state.contains(") Z ")
}

#[test]
fn ctrl_c_leaves_no_guest_and_no_record() {
    let project = project(&["hang"]);
    let mut command = project.command(env!("CARGO_BIN_EXE_txgen"));
    let mut child = command.args(test(&["--tip"])).current_dir(project.path("p")).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while !project.path("logs.sleeper").exists() {
        assert!(Instant::now() < end, "the boot did not begin");
        std::thread::sleep(Duration::from_millis(50));
    }
    let kill = project.command("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_gone(&project);
    assert!(!project.path("cache/proofs").exists());
}

#[test]
fn a_kernel_that_boots_and_is_not_the_one_built_is_an_error_and_is_not_recorded() {
    let project = project_of(&[], &[("other", &[("net/core/a.c", "/* play:good built:7 */\n")])]);
    let ran = project.txgen(&test(&["--tip"])).expect(2);
    let expected = "txgen: test other: the kernel that booted is not the one built: the console says #1, make said #7: \
                    see [DIR]/cache/runs/[ID]/console.log";
    assert_eq!(stable(&project, &ran.stderr).lines().last(), Some(expected));
    assert!(!project.path("cache/proofs/boot-2").exists());
}

#[test]
fn what_ccache_stores_remotely_another_machine_takes() {
    let remote = tempfile::tempdir().unwrap();
    let storage = format!("file:{}", remote.path().display());
    // The folder is a part of what is hashed where the compiler tells of it: here it does not.
    for (first, hits) in [(true, "0"), (false, "1")] {
        let project = project(&["good"]);
        let mut command = project.command(env!("CARGO_BIN_EXE_txgen"));
        command.args(test(&["--tip", "--jobs", "3"])).env("CCACHE_REMOTE_STORAGE", &storage);
        let output = command.current_dir(project.path("p")).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let mut ccache = project.command("ccache");
        let stats = ccache.arg("--print-stats").env("CCACHE_DIR", project.path("cache/ccache")).output().unwrap();
        let stats = String::from_utf8_lossy(&stats.stdout).into_owned();
        let found = stats.lines().find_map(|line| line.strip_prefix("remote_storage_hit\t"));
        assert_eq!(found, Some(hits), "{first}: {stats}");
    }
}

/// The most memory that any program had which this test started and which ended, in MiB.
fn peak() -> i64 {
    nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).unwrap().max_rss() / 1024
}

#[test]
fn a_guest_that_floods_its_console_is_killed_and_told_within_bounded_time_and_memory() {
    let project = project(&["flood"]);
    let start = Instant::now();
    let ran = project.txgen(&test(&["--tip"])).expect(1);
    assert!(ran.stdout.contains("     the guest said more than 8 MiB and was killed\n"), "{}", ran.stdout);
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    assert!(peak() < 400, "{} MiB", peak());
}

#[test]
fn what_a_guest_says_does_not_reach_the_terminal_as_control_characters() {
    let project = project(&["good"]);
    let good = fs::read_to_string(project.path("logs/good.log")).unwrap();
    let bad = "\u{1b}]0;title\n[    1.000000] \u{1b}[31mBUG: \u{1b}[2Jwrong \u{202e}\u{7}\n";
    fs::remove_file(project.path("logs")).unwrap();
    project.write("logs/good.log", &good.replacen("[    1.", &format!("{bad}[    1."), 1));
    let ran = project.txgen(&test(&["--tip"])).expect(1);
    assert!(ran.stdout.contains(": BUG: wrong\n"), "{}", ran.stdout);
    let controls = |text: &str| text.chars().filter(|c| c.is_control() && *c != '\n').collect::<String>();
    assert_eq!((controls(&ran.stdout), controls(&ran.stderr)), (String::new(), String::new()));
}

#[test]
fn every_patch_is_tested_and_each_failure_is_told() {
    let project = project(&["good", "panic"]);
    let ran = project.txgen(&test(&["--all", "--json"])).expect(1);
    let all = serde_json::from_str::<Value>(&ran.stdout).unwrap();
    let row = |index: usize| {
        let patch = &all[index];
        let problems = patch["proof"]["boot"]["problems"].as_array().unwrap().len();
        (patch["patch"].as_str().unwrap().to_owned(), problems)
    };
    assert_eq!((row(0), row(1)), (("good".to_owned(), 0), ("panic".to_owned(), 2)));
}

#[test]
fn a_suite_of_the_base_that_does_not_run_on_the_patch_is_a_failure() {
    let project = project(&["fewer"]);
    let good = fs::read_to_string(project.path("logs/good.log")).unwrap();
    let mut fewer = good.replacen("] 1..17", "] 1..16", 1);
    let at = fewer.find("    # Subtest: net_core").unwrap();
    let start = fewer[..at].rfind("    KTAP version 1").unwrap();
    let end = fewer.find("ok 17 net_core").unwrap();
    fewer.replace_range(start..end, "said: ");
    fs::remove_file(project.path("logs")).unwrap();
    project.write("logs/good.log", &good);
    project.write("logs/fewer.log", &fewer);
    let player = project.read("cache/venv/bin/vng").replace("good)", "*)");
    project.write("cache/venv/bin/vng", &player);
    let _alone = project.txgen(&test(&["--tip"])).expect(0);
    let ran = project.txgen(&test(&["--tip", "--against-base"])).expect(1);
    assert!(ran.stdout.contains("suite net_core passes on the base and did not run"), "{}", ran.stdout);
}

#[test]
fn a_configuration_that_loses_an_option_is_an_error_that_names_it() {
    let project = project(&["good"]);
    let ran = project.txgen(&test(&["--tip", "--config", "debug"])).expect(2);
    let expected = "configuration debug lost 1 of its options: CONFIG_GONE (asked for y, got nothing)";
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
}

#[test]
fn an_option_that_a_later_patch_brings_is_asked_for_from_there_on() {
    let brings = "config NET\nconfig GONE\n";
    let patches: [(&str, boots::Changes<'_>); 2] =
        [("one", &[("net/core/a.c", "/* play:good */\nint one;\n")]), ("two", &[("net/Kconfig", brings)])];
    let project = project_of(&[("net/Kconfig", "config NET\n")], &patches);
    project.write("p/series/x/kernel.config", "CONFIG_GONE=y\n");
    let _one = project.txgen(&test(&["--patch", "one"])).expect(0);
    let two = project.txgen(&test(&["--patch", "two"])).expect(2);
    assert!(two.stderr.contains("lost 1 of its options: CONFIG_GONE"), "{}", two.stderr);
    // Also where the folder is configured already.
    let all = project.txgen(&test(&["--all", "--force"])).expect(2);
    assert!(all.stderr.contains("lost 1 of its options: CONFIG_GONE"), "{}", all.stderr);
    assert!(all.stdout.starts_with("ok   one"), "{}", all.stdout);
}

/// Runs the test of a project whose overlay has a Rust file of the crate `kernel`, compiled by the toolchain of this test.
fn test_rust(source: &str) -> Ran {
    let root = "#![no_std]\n#[path = \"kernel/one.rs\"]\npub mod one;\n";
    let project =
        project_of(&[("rust/kernel.rs", root)], &[("one", &[("net/core/a.c", "/* play:good */\nint one;\n")])]);
    let series = project.read("p/series/x/series.toml");
    project.write("p/series/x/series.toml", &format!("{series}adds = [\"rust/kernel/one.rs\"]\n"));
    project.write("p/kernel-overlay/rust/kernel/one.rs", source);
    project.write("p/vm-tests/rust.config", "CONFIG_RUST=y\n");
    let sysroot = std::process::Command::new("rustc").args(["--print", "sysroot"]).output().unwrap();
    let programs = Path::new(String::from_utf8(sysroot.stdout).unwrap().trim()).join("bin");
    fs::create_dir_all(project.path("cache/rust/bin")).unwrap();
    // The tiny kernel has no bindings.
    symlink(find("true"), project.path("cache/rust/bin/bindgen")).unwrap();
    let mut command = project.command(env!("CARGO_BIN_EXE_txgen"));
    command.args(test(&["--tip", "--config", "rust"])).env("TXGEN_RUST", programs).current_dir(project.path("p"));
    common::ran(&mut command)
}

#[test]
fn rust_code_of_the_series_that_can_panic_fails_the_build() {
    let good = test_rust("#[inline(never)]\npub fn at(of: &[u8], at: usize) -> Option<u8> { of.get(at).copied() }\n");
    assert_eq!(good.code, 0, "{}{}", good.stdout, good.stderr);
    let bad = test_rust("#[inline(never)]\npub fn at(of: &[u8], at: usize) -> u8 { of[at] }\n").expect(1);
    let found = "rust/kernel.o: kernel::one::at can panic: it calls core::panicking::panic_bounds_check";
    assert!(bad.stdout.contains(found), "{}", bad.stdout);
}

#[test]
fn missing_virtme_ng_is_an_error_that_names_its_installer() {
    let project = project(&["good"]);
    fs::remove_dir_all(project.path("cache/venv")).unwrap();
    let ran = project.txgen(&test(&["--tip"])).expect(2);
    let stderr = stable(&project, &ran.stderr);
    insta::assert_snapshot!(stderr, @"txgen: vng (virtme-ng) is not installed: [DIR]/p/vm-tests/venv.sh");
}

#[test]
fn another_virtme_ng_than_the_pinned_one_is_refused() {
    let project = project(&["good"]);
    project.write("cache/venv/requirements.txt", "virtme-ng==1.0\n");
    let ran = project.txgen(&test(&["--tip"])).expect(2);
    assert!(ran.stderr.contains("is not the one that vm-tests/requirements.txt pins"), "{}", ran.stderr);
}

#[test]
fn a_missing_program_is_an_error_that_names_its_package() {
    for (tool, package) in [("qemu-system-x86_64", "qemu-system-x86"), ("ccache", "ccache"), ("flex", "flex")] {
        let project = project(&["good"]);
        let bin = project.path("bin");
        fs::create_dir(&bin).unwrap();
        let tools = ["git", "sh", "make", "gcc", "ld", "ccache", "flex", "bison", "bc", "perl", "qemu-system-x86_64"];
        for have in tools.into_iter().filter(|have| *have != tool) {
            symlink(find(have), bin.join(have)).unwrap();
        }
        let mut command = project.command(env!("CARGO_BIN_EXE_txgen"));
        let output = command.args(test(&["--tip"])).env("PATH", &bin).current_dir(project.path("p")).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        let expected = format!("{tool} is not installed: apt-get install {package}");
        assert!(stderr.contains(&expected), "{stderr}");
        assert_eq!(boots(&project), 0);
    }
}

fn find(tool: &str) -> std::path::PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let found = std::env::split_paths(&path).map(|dir| dir.join(tool)).find(|candidate| candidate.is_file());
    found.unwrap_or_else(|| panic!("{tool} is not installed: `make setup-test` installs it"))
}

#[test]
fn an_unknown_patch_series_or_selection_is_an_error() {
    let project = project(&["good"]);
    let patch = project.txgen(&test(&["--patch", "nope"])).expect(2);
    assert!(patch.stderr.contains("series x has no patch nope; it has good"), "{}", patch.stderr);
    let series = project.txgen(&["test", "y", "--tip", "--tree", "../k", "--base", "base"]).expect(2);
    assert!(series.stderr.contains("series/y/series.toml"), "{}", series.stderr);
    let nothing = project.txgen(&test(&[])).expect(2);
    assert!(nothing.stderr.contains("--tip|--all|--full|--patch <PATCH>"), "{}", nothing.stderr);
    let config = project.txgen(&test(&["--tip", "--config", "other"])).expect(2);
    assert!(config.stderr.contains("[possible values: net, debug, rust]"), "{}", config.stderr);
}

/// A mutation of the tip that makes it `play:` something else and that `suites` have to notice.
fn mutation(project: &TestProject, play: &str, suites: &str) {
    mutation_with(project, play, &format!("must fail: {suites}"));
}

fn mutation_with(project: &TestProject, play: &str, note: &str) {
    let text = format!(
        "# It plays another log.\n# {note}\ndiff --git a/net/core/a.c b/net/core/a.c\n--- a/net/core/a.c\n\
         +++ b/net/core/a.c\n@@ -1,2 +1,2 @@\n-/* play:good */\n+/* play:{play} */\n int patched_good;\n"
    );
    project.write("p/vm-tests/mutations/x/other-log.diff", &text);
}

fn mutate(project: &TestProject, code: i32) -> Ran {
    project.txgen(&["mutate", "x", "--tree", "../k", "--base", "base"]).expect(code)
}

#[test]
fn a_mutation_is_caught_where_its_suites_fail_and_told_where_they_pass() {
    let project = project(&["good"]);
    mutation(&project, "warning", "net_txbuf_skb, net_txbuf_runs");
    let caught = mutate(&project, 0).stdout;
    assert!(caught.starts_with("caught     other-log"), "{caught}");
    mutation(&project, "warning", "net_txbuf_skb, net_txbuf");
    let missed = mutate(&project, 1).stdout;
    assert!(missed.starts_with("NOT CAUGHT other-log                  by net_txbuf "), "{missed}");
}

#[test]
fn a_mutation_is_caught_where_the_kernel_complains_about_it() {
    let project = project(&["good"]);
    mutation_with(&project, "warning", "must say: WARNING:");
    let caught = mutate(&project, 0).stdout;
    assert!(caught.starts_with("caught     other-log                  by \"WARNING:\" "), "{caught}");
    mutation_with(&project, "warning", "must say: BUG: KASAN");
    let missed = mutate(&project, 1).stdout;
    assert!(missed.starts_with("NOT CAUGHT other-log                  by \"BUG: KASAN\" "), "{missed}");
}

#[test]
fn some_mutations_are_chosen_by_name_and_an_unknown_name_is_refused() {
    let project = project(&["good"]);
    mutation(&project, "warning", "net_txbuf_skb");
    let text = project.read("p/vm-tests/mutations/x/other-log.diff");
    project.write("p/vm-tests/mutations/x/another.diff", &text.replace("net_txbuf_skb", "net_txbuf_runs"));
    let only = |names: &str, code| {
        project.txgen(&["mutate", "x", "--tree", "../k", "--base", "base", "--only", names]).expect(code)
    };
    let ran = only("another", 0);
    assert!(ran.stdout.starts_with("caught     another ") && ran.stdout.lines().count() == 1, "{}", ran.stdout);
    assert_eq!(only("other-log,another", 0).stdout.lines().count(), 2);
    let stderr = only("another,none", 2).stderr;
    assert!(stderr.contains("there is no mutation none; there are another, other-log"), "{stderr}");
}

#[test]
fn a_mutation_may_be_for_some_suites_alone_and_is_on_record_as_that() {
    let project = project(&["good"]);
    mutation_with(&project, "good */ /* too", "suites: iov_iter*\n# must fail: iov_iter");
    let _ = mutate(&project, 1);
    let args = fs::read_to_string(project.path("logs.args")).unwrap();
    assert!(args.ends_with(" --append kunit.filter_glob=iov_iter* --exec sh /run/txgen/guest.sh\n"), "{args}");
    mutation(&project, "good */ /* too", "iov_iter");
    let _ = mutate(&project, 1);
    let args = fs::read_to_string(project.path("logs.args")).unwrap();
    assert_eq!(args.matches("filter_glob").count(), 1, "{args}");
    assert_eq!(boots(&project), 2, "what some suites show is not what all of them do");
}

#[test]
fn a_boot_without_a_suite_shows_something_only_where_the_kernel_said_what_it_had_to() {
    let project = project(&["good"]);
    mutation_with(&project, "kasan", "must say: slab-use-after-free");
    let caught = mutate(&project, 0).stdout;
    assert!(caught.starts_with("caught     other-log                  by \"slab-use-after-free\" "), "{caught}");
    mutation_with(&project, "kasan", "must say: scheduling while atomic");
    let stderr = mutate(&project, 2).stderr;
    assert!(stderr.contains("no suite passed at all, which shows nothing"), "{stderr}");
}

#[test]
fn a_series_has_its_own_mutations_and_none_is_an_error() {
    let project = project(&["good"]);
    mutation(&project, "warning", "net_txbuf_skb");
    fs::rename(project.path("p/vm-tests/mutations/x"), project.path("p/vm-tests/mutations/y")).unwrap();
    let stderr = mutate(&project, 2).stderr;
    assert!(stderr.contains("series x has no mutations: there is no folder vm-tests/mutations/x"), "{stderr}");
    fs::create_dir(project.path("p/vm-tests/mutations/x")).unwrap();
    let stderr = mutate(&project, 2).stderr;
    assert!(stderr.contains("series x has no mutations: vm-tests/mutations/x has no .diff"), "{stderr}");
}

#[test]
fn a_mutation_that_does_not_build_or_apply_is_an_error_with_its_file() {
    let project = project(&["good"]);
    mutation(&project, "broken */ int b(void) { return no; } /*", "net_txbuf");
    let stderr = mutate(&project, 2).stderr;
    assert!(stderr.contains("it does not build, which shows nothing"), "{stderr}");
    project.write(
        "p/vm-tests/mutations/x/gone.diff",
        "# x\n# must fail: net_txbuf\ndiff --git a/b.c b/b.c\n--- a/b.c\n+++ b/b.c\n@@ -1 +1 @@\n-x\n+y\n",
    );
    let stderr = mutate(&project, 2).stderr;
    assert!(stderr.contains("gone.diff:4: b.c is not in the tree"), "{stderr}");
}

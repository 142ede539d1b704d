// SPDX-License-Identifier: GPL-2.0
//! Records of what was shown: killed at any moment, on a full disk, by two runs at once.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]
#![expect(dead_code, reason = "tests/common is shared by the tests of all commands")]

#[path = "common/boots.rs"]
mod boots;
mod common;
#[path = "common/kernel.rs"]
mod kernel;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use boots::project_of;
use common::TestProject;
use kernel::{Kernel, SKBUFF};
use serde_json::Value;

const TEXTS: [&str; 3] = ["play:good */\nint one;\n", "play:panic */\nint two;\n", "play:good */\nint three;\n"];

/// A series of a good patch, one that panics, and one more good one.
fn project() -> TestProject {
    let texts = TEXTS.map(|text| format!("/* {text}"));
    let [one, two, three] = texts.each_ref().map(|text| [("net/core/a.c", text.as_str())]);
    project_of(&[], &[("one", &one), ("two", &two), ("three", &three)])
}

fn records(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let inner = paths.iter().filter(|path| path.is_dir()).flat_map(|path| records(path));
    let own = paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    inner.chain(own.cloned()).collect()
}

/// Asserts that each record is whole; their number.
fn whole_records(dir: &Path) -> usize {
    let records = records(dir);
    for record in &records {
        let text = fs::read(record).unwrap();
        assert!(serde_json::from_slice::<Value>(&text).is_ok(), "{}: {text:?}", record.display());
    }
    records.len()
}

fn start(project: &TestProject, args: &[&str]) -> Child {
    let mut command = project.command(env!("CARGO_BIN_EXE_txgen"));
    command.args(args).current_dir(project.path("p")).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Starts txgen and kills it after a part of the time that it takes.
fn kill(project: &TestProject, args: &[&str], takes: Duration, number: u32) {
    let mut child = start(project, args);
    std::thread::sleep(takes.mul_f64(f64::from((number * 37) % 100) / 100.0));
    child.kill().unwrap();
    child.wait().unwrap();
}

const TEST: [&str; 7] = ["test", "x", "--tree", "../k", "--base", "base", "--all"];

#[test]
fn a_test_that_is_killed_at_any_moment_records_nothing_wrong_and_the_next_run_goes_on() {
    let project = project();
    let started = Instant::now();
    let first = project.txgen(&TEST).expect(1);
    let takes = started.elapsed();
    let heads = |text: &str| {
        let heads = text.lines().filter(|line| !line.starts_with(' ')).map(|line| line[..8].to_owned());
        heads.collect::<Vec<_>>()
    };
    assert_eq!(heads(&first.stdout), ["ok   one", "FAIL two", "ok   thr"]);
    for number in 0..12 {
        if number % 4 == 0 {
            fs::remove_dir_all(project.path("cache/proofs/boot-2")).ok();
        }
        kill(&project, &TEST, takes, number);
        let proofs = project.path("cache/proofs/boot-2");
        assert!(whole_records(&proofs) <= 2, "the patch that panics is on record as passed");
    }
    assert_eq!(heads(&project.txgen(&TEST).expect(1).stdout), heads(&first.stdout));
}

/// A series of five patches, and the arguments that check it.
fn checked() -> (Kernel, Vec<String>) {
    let mut kernel = Kernel::new();
    for number in 1..6 {
        let code = format!("{SKBUFF}\nstatic inline int f{number}(void)\n{{\n\treturn {number};\n}}\n");
        kernel.patch(&format!("p{number}"), "net: add more\n\nWhy.\n", &[("net/core/skbuff.c", &code)]);
    }
    kernel.store("");
    let base = kernel.applied().base.commit;
    let only = "message,trailers,limits,inline,deprecated,locals";
    let args = ["check", "tiny", "--tree", "../k", "--base", &base, "--only", only, "--json"].map(str::to_owned);
    (kernel, args.to_vec())
}

#[test]
fn a_check_that_is_killed_while_it_stores_leaves_whole_records_only() {
    let (kernel, args) = checked();
    let args = args.iter().map(String::as_str).collect::<Vec<_>>();
    let started = Instant::now();
    let expected = kernel.project.txgen(&args).expect(1).stdout;
    let takes = started.elapsed();
    let proofs = kernel.project.path("cache/proofs");
    let all = whole_records(&proofs);
    let mut between = 0;
    for number in 0..30 {
        fs::remove_dir_all(&proofs).unwrap();
        kill(&kernel.project, &args, takes, number);
        let stored = whole_records(&proofs);
        between += usize::from(stored > 0 && stored < all);
        assert_eq!(kernel.project.txgen(&args).expect(1).stdout, expected, "kill {number}, {stored} stored");
    }
    assert!(between > 0, "no kill came while records were stored");
}

/// Runs a command in a cache that has 40 KiB, then again with more.
const FULL: &str = "mount -t tmpfs -o size=40k full \"$1\" || exit 99
cache=$1 out=$2
shift 2
\"$@\" >\"$out/first\" 2>\"$out/said\"
echo $? >\"$out/code\"
cp -r \"$cache/proofs\" \"$out\"
mount -o remount,size=8m \"$cache\" || exit 99
exec \"$@\"
";

#[test]
fn a_full_disk_is_told_and_leaves_whole_records_only() {
    let (kernel, args) = checked();
    let project = &kernel.project;
    let args = args.iter().map(String::as_str).collect::<Vec<_>>();
    let expected = project.txgen(&args).expect(1).stdout;
    fs::remove_dir_all(project.path("cache/proofs")).unwrap();
    fs::create_dir(project.path("out")).unwrap();
    let mut command = project.command("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", FULL, "sh"]);
    command.arg(project.path("cache")).arg(project.path("out")).arg(env!("CARGO_BIN_EXE_txgen")).args(&args);
    let output = command.current_dir(project.path("p")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(project.read("out/code"), "2\n", "{}", project.read("out/said"));
    assert!(project.read("out/said").contains("No space left on device"), "{}", project.read("out/said"));
    assert!(whole_records(&project.path("out/proofs")) > 0);
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

/// What two runs print, begun at the same time.
fn at_once(project: &TestProject, both: [&[&str]; 2]) -> [String; 2] {
    both.map(|args| start(project, args)).map(|child| {
        let output = child.wait_with_output().unwrap();
        let (said, error) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{said}{error}");
        said
    })
}

#[test]
fn two_runs_over_one_cache_build_and_boot_each_patch_once() {
    let good = |text: &str| format!("/* play:good */\n{text}");
    let texts = ["int one;\n", "int two;\n", "int three;\n"].map(good);
    let [one, two, three] = texts.each_ref().map(|text| [("net/core/a.c", text.as_str())]);
    let patches: [(&str, boots::Changes<'_>); 3] = [("one", &one), ("two", &two), ("three", &three)];
    let other = ["test", "x", "--tree", "../other", "--base", "base", "--all"];
    for second in [TEST, other] {
        let project = project_of(&[], &patches);
        let mut clone = Command::new("cp");
        assert!(clone.arg("-r").arg(project.path("k")).arg(project.path("other")).status().unwrap().success());
        let said = at_once(&project, [&TEST, &second]);
        let shown = said.iter().flat_map(|text| text.lines()).filter(|line| line.starts_with("ok ")).count();
        let recorded = said.iter().flat_map(|text| text.lines()).filter(|line| line.ends_with("(recorded)")).count();
        assert_eq!((shown, recorded), (6, 3), "{said:?}");
        assert_eq!(project.read("logs.boots").lines().count(), 3);
    }
}

#[test]
fn a_record_that_was_cut_is_ignored_and_done_again() {
    let project = project();
    let tip = [&TEST[..6], &["--tip"]].concat();
    let first = project.txgen(&tip).expect(0);
    let record = records(&project.path("cache/proofs/boot-2")).remove(0);
    let whole = fs::read(&record).unwrap();
    fs::write(&record, &whole[..whole.len() / 2]).unwrap();
    let again = project.txgen(&tip).expect(0);
    assert!(again.stderr.contains(&format!("ignored: {} is no record of boot-2: EOF", record.display())));
    assert!(!again.stdout.contains("(recorded)"), "{}", again.stdout);
    assert_eq!(again.stdout.split(" TCG ").next(), first.stdout.split(" TCG ").next());
    assert!(project.txgen(&tip).expect(0).stdout.contains("(recorded)"));
}

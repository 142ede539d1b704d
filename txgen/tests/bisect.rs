// SPDX-License-Identifier: GPL-2.0
//! `txgen bisect` on a tiny kernel tree; the script that it runs looks into the "image".

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]

#[path = "common/boots.rs"]
mod boots;
mod common;

use boots::{project_of, stable};
use common::{Ran, TestProject};

/// A project whose series x has patches p1 to p6, of which each leaves what `texts` say in the kernel.
fn project(texts: [&str; 6]) -> TestProject {
    let sources = [0, 1, 2, 3, 4, 5].map(|i| format!("/* play:good {} */\nint p{i};\n", texts[i]));
    let sources = texts.iter().zip(sources).map(|(text, source)| match *text {
        "broken" => "/* play:good */ int broken(void) { return undeclared; }\n".to_owned(),
        _ => source,
    });
    let sources = sources.collect::<Vec<_>>();
    let changes = sources.iter().map(|source| [("net/core/a.c", source.as_str())]).collect::<Vec<_>>();
    let names = ["p1", "p2", "p3", "p4", "p5", "p6"];
    let patches = names.iter().zip(&changes).map(|(name, change)| (*name, change.as_slice())).collect::<Vec<_>>();
    let project = project_of(&[("net/core/a.c", "/* play:good */\nint a;\n")], &patches);
    project.write("p/t.sh", "! grep -q bad \"$IMAGE\"\n");
    project
}

fn bisect(project: &TestProject) -> Ran {
    project.txgen(&["bisect", "x", "--tree", "../k", "--base", "base", "--test", "t.sh"])
}

fn tried(ran: &Ran) -> Vec<&str> {
    ran.stderr.lines().filter_map(|line| line.strip_prefix("bisect: ")).collect()
}

#[test]
fn the_first_patch_on_which_the_script_fails_is_found() {
    let project = project(["good", "good", "good", "bad", "bad", "bad"]);
    let ran = bisect(&project).expect(1);
    let said = stable(&project, &ran.stdout);
    let (first, why) = said.split_once('\n').unwrap();
    assert!(first.starts_with("first bad: p4 (") && first.ends_with("), after p3"), "{first}");
    assert_eq!(why, "     the script exits with 1\n     whole log: [DIR]/cache/runs/[ID]/console.log");
    assert_eq!(tried(&ran), ["base is good", "p6 is bad", "p3 is good", "p4 is bad"]);
    let boots = || project.read("logs.boots").lines().count();
    assert_eq!(boots(), 4);
    let again = bisect(&project).expect(1);
    assert_eq!((again.stdout, boots()), (ran.stdout, 6), "what passed is on record");
}

#[test]
fn a_patch_that_does_not_build_is_bad_and_the_first_one_can_be() {
    let ran = bisect(&project(["bad", "bad", "bad", "bad", "bad", "broken"])).expect(1);
    assert!(ran.stdout.starts_with("first bad: p1 "), "{}", ran.stdout);
}

#[test]
fn a_script_that_speaks_ktap_without_a_plan_fails_although_it_exits_with_0() {
    let project = project(["good", "good", "bad", "bad", "bad", "bad"]);
    project.write("p/t.sh", "echo KTAP version 1\ngrep -q bad \"$IMAGE\" || echo 1..1\necho ok 1 send\n");
    let ran = bisect(&project).expect(1);
    assert!(ran.stdout.starts_with("first bad: p3 "), "{}", ran.stdout);
    let why = "     the script's output: line 2: the log has no plan\n";
    assert!(ran.stdout.contains(why), "{}", ran.stdout);
}

#[test]
fn git_bisect_run_works_on_the_branch_too() {
    let project = project(["good", "good", "good", "bad", "bad", "bad"]);
    let _applied = project.txgen(&["apply", "x", "--tree", "../k", "--base", "base"]).expect(0);
    project.git("k", &["bisect", "start", "txgen/x", "base"]);
    let said = project.git("k", &["bisect", "run", "sh", "-c", "! grep -q bad net/core/a.c"]);
    let bad = project.git("k", &["log", "-1", "--format=%s", "refs/bisect/bad"]);
    assert_eq!(bad, "net: play p4\n", "{said}");
}

#[test]
fn where_nothing_is_bad_or_all_is_it_says_so() {
    let ran = bisect(&project(["good"; 6])).expect(0);
    assert_eq!(ran.stdout, "no patch of x breaks t.sh\n");
    let project = project(["bad"; 6]);
    project.write("p/t.sh", "exit 3\n");
    let ran = bisect(&project).expect(2);
    assert!(
        ran.stderr.contains("base fails already, so no patch breaks it: the script exits with 3"),
        "{}",
        ran.stderr
    );
    let missing = project.txgen(&["bisect", "x", "--tree", "../k", "--base", "base", "--test", "none.sh"]).expect(2);
    assert!(missing.stderr.contains("none.sh"), "{}", missing.stderr);
}

// SPDX-License-Identifier: GPL-2.0
//! Commits that come to a branch between the look at it and the write stay on it.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use txgen::project::Project;
use txgen::rebase::write::{self, Journal};

use super::common::TestProject;
use super::linux::sh;
use super::state::{State, args, end, project};

/// A file of the series' folder that takes a while to be copied.
const LONG: &str = "p/series/demo/long~";

/// The branch's file of a ref, which can be set at once.
fn file(project: &TestProject, branch: &str) -> PathBuf {
    project.path(&format!("linux/.git/refs/heads/{branch}"))
}

/// Makes a commit on top of `branch` that is on no branch, and names it.
fn precious(project: &TestProject, branch: &str) -> String {
    let commit =
        project.git("linux", &["commit-tree", "-p", branch, "-m", "net: precious", &format!("{branch}^{{tree}}")]);
    commit.trim().to_owned()
}

/// Runs txgen, and puts `commit` on `branch` when it has looked at the branch and not begun to write.
fn run(project: &TestProject, arguments: &[&str], (branch, commit): (&str, &str)) -> super::common::Ran {
    let mut txgen = project.command(env!("CARGO_BIN_EXE_txgen"));
    txgen.args(arguments).current_dir(project.path("p")).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = txgen.spawn().unwrap();
    while !project.path("p/.txgen/demo.next/long~").exists() {
        assert!(child.try_wait().unwrap().is_none(), "{}", end(child).stderr);
        sleep(Duration::from_millis(1));
    }
    fs::write(file(project, branch), format!("{commit}\n")).unwrap();
    assert!(!project.path("p/.txgen/demo.journal").exists(), "it came too late");
    end(child)
}

/// The project, whose series takes a while to be copied.
fn slow() -> TestProject {
    let project = project();
    project.write(LONG, &"x".repeat(24 << 20));
    project
}

#[test]
fn a_commit_that_comes_to_the_branch_after_it_was_looked_at_is_not_moved_off() {
    let project = slow();
    sh(
        &project,
        "git checkout --quiet -b other main\nsed -i 's/a + 4/a + 5/' net/core/skbuff.c\n\
         git commit --quiet --all -m 'net: other'\ngit checkout --quiet --detach main",
    );
    let first = project.git("linux", &["rev-parse", "txgen/demo"]);
    let commit = precious(&project, "txgen/demo");
    let (moved, dropped) = (args(&["move", "demo", "two", "--first"]), args(&["drop", "demo", "more"]));
    let rebase = ["rebase", "demo", "--onto", "other", "--tree", "../linux"];
    for command in [&moved[..], &dropped, &rebase] {
        let before = State::of(&project);
        let ran = run(&project, command, ("txgen/demo", &commit)).expect(2);
        let text = "refs/heads/txgen/demo was moved meanwhile: nothing was written, run it again";
        assert!(ran.stderr.contains(text), "{command:?}: {}", ran.stderr);
        assert_eq!(project.git("linux", &["rev-parse", "txgen/demo"]).trim(), commit, "{command:?}");
        fs::write(file(&project, "txgen/demo"), &first).unwrap();
        assert_eq!(State::of(&project), before, "{command:?}");
        assert!(!project.path("p/.txgen/demo.journal").exists());
    }
}

/// A rebase of demo that stopped in a conflict, which was fixed.
fn fixed() -> TestProject {
    let project = slow();
    sh(
        &project,
        "git checkout --quiet -b side main\nsed -i 's/a + 1/a + 2/' net/core/skbuff.c\n\
         git commit --quiet --all -m 'net: another two'\ngit checkout --quiet --detach main",
    );
    let _ = project.txgen(&["rebase", "demo", "--onto", "side", "--tree", "../linux"]).expect(3);
    sh(
        &project,
        "git checkout --quiet txgen/demo-conflict\nsed -i '/^<<<<<<</d; /^|||||||/,/^=======/d' net/core/skbuff.c\n\
         sed -i '/a + 2;/d; /^>>>>>>>/d' net/core/skbuff.c\n\
         git commit --quiet --all --amend --no-edit\ngit checkout --quiet --detach",
    );
    project
}

#[test]
fn a_better_fix_that_comes_after_the_fix_was_read_is_not_deleted() {
    let project = fixed();
    let first = project.git("linux", &["rev-parse", "txgen/demo-conflict"]);
    let commit = precious(&project, "txgen/demo-conflict");
    let before = State::of(&project);
    let ran = run(&project, &["rebase", "demo", "--continue"], ("txgen/demo-conflict", &commit)).expect(2);
    let text = "refs/heads/txgen/demo-conflict was moved meanwhile: nothing was written, run it again";
    assert!(ran.stderr.contains(text), "{}", ran.stderr);
    assert_eq!(project.git("linux", &["rev-parse", "txgen/demo-conflict"]).trim(), commit);
    fs::write(file(&project, "txgen/demo-conflict"), &first).unwrap();
    assert_eq!(State::of(&project), before);
    let _ = project.txgen(&["rebase", "demo", "--continue"]).expect(0);
    assert!(!file(&project, "txgen/demo-conflict").exists());
}

#[test]
fn the_record_of_a_posting_does_not_forget_a_rebase_that_waits() {
    let project = fixed();
    let head = project.git("linux", &["rev-parse", "txgen/demo"]).trim().to_owned();
    let in_lib = Project { root: project.path("p"), cache: project.path("cache") };
    let refs = vec![("refs/tags/sent/demo-v1".to_owned(), Some(head))];
    let journal = Journal {
        series: String::new(),
        bases: None,
        overlay: std::collections::BTreeMap::new(),
        git_dir: project.path("linux/.git"),
        refs,
        why: "txgen send demo".to_owned(),
    };
    let changes = [("v1.mbox".to_owned(), Some("From x\n".to_owned()))].into();
    write::write(&in_lib, "demo", &changes, journal).unwrap();
    let _ = project.txgen(&["rebase", "demo", "--abort"]).expect(0);
    assert!(!file(&project, "txgen/demo-conflict").exists());
}

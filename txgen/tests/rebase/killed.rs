// SPDX-License-Identifier: GPL-2.0
//! A rebase that is killed shows as not begun or as done.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::linux::{files, project, refs};

const SKBUFF: &str = "net/core/skbuff.c";

/// How often it is killed; `TXGEN_KILLS=200 cargo test killed` takes longer.
fn kills() -> u32 {
    std::env::var("TXGEN_KILLS").map_or(20, |text| text.parse().unwrap())
}

#[test]
fn a_rebase_killed_at_any_moment_is_not_begun_or_done() {
    let project = project(
        &[(SKBUFF, "a + 1;", "a + 11;")],
        &[("twice", &[(SKBUFF, "b = a", "b = 2 * a")]), ("last", &[(SKBUFF, "\treturn a;", "\treturn -a;")])],
    );
    let state = || {
        project.txgen(&["base", "list"]).expect(0);
        (files(&project, "p/series"), refs(&project))
    };
    project.txgen(&["rebase", "demo", "--onto", "new"]).expect(0);
    let there = state();
    let started = Instant::now();
    project.txgen(&["rebase", "demo", "--onto", "old"]).expect(0);
    let takes = started.elapsed();
    let back = state();
    let mut seen = [0, 0];
    for kill in 0..kills() {
        let (onto, from) = if state() == back { ("new", &back) } else { ("old", &there) };
        let to = if onto == "new" { &there } else { &back };
        let mut command = project.command(env!("CARGO_BIN_EXE_txgen"));
        command.args(["rebase", "demo", "--onto", onto]).current_dir(project.path("p"));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Most moments lie where the files and refs are written, near the end.
        let part = f64::from((kill * 37) % 100) / 100.0;
        sleep(takes.mul_f64(0.2 + 0.9 * part).max(Duration::from_millis(1)));
        child.kill().unwrap();
        child.wait().unwrap();
        // A git that it had started may still be at work.
        sleep(Duration::from_millis(50));
        let now = state();
        assert!(now == *from || now == *to, "kill {kill}: {now:?}");
        seen[usize::from(now == *to)] += 1;
    }
    assert!(seen[0] > 0, "no kill came before the end: {seen:?}");
    assert_eq!(files(&project, "p/.txgen").len(), 0, "{:?}", files(&project, "p/.txgen"));
}

/// Stands for a git that is killed, and txgen with it, when it has locked the branch and not moved it yet.
const KILLED_GIT: &str = "#!/bin/sh
case \" $* \" in
*' update-ref '*)
	touch LOCK
	kill -9 $PPID
	exit 1
	;;
esac
exec env PATH=\"${PATH#*:}\" git \"$@\"
";

#[test]
fn a_git_that_is_killed_with_a_lock_on_the_branch_keeps_nobody_from_finishing() {
    let project = project(&[(SKBUFF, "a + 1;", "a + 11;")], &[("twice", &[(SKBUFF, "b = a", "b = 2 * a")])]);
    let state = || (files(&project, "p/series"), refs(&project));
    let rebase = |onto| project.txgen(&["rebase", "demo", "--onto", onto]).expect(0);
    rebase("new");
    let there = state();
    rebase("old");
    let lock = project.path("cache/linux.git/refs/heads/txgen/demo.lock");
    project.write("killed/git", &KILLED_GIT.replace("LOCK", &lock.display().to_string()));
    set_permissions(project.path("killed/git"), Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", project.path("killed").display(), std::env::var("PATH").unwrap());
    let mut command = project.command(env!("CARGO_BIN_EXE_txgen"));
    command.args(["rebase", "demo", "--onto", "new"]).current_dir(project.path("p")).env("PATH", path);
    assert!(!command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    assert!(lock.exists(), "git was killed before the branch was to be moved");
    let next = project.txgen(&["base", "list"]).expect(0);
    assert!(next.stderr.contains("demo.lock was left by a git that was killed: it is removed"), "{}", next.stderr);
    assert_eq!(state(), there);
    assert!(!lock.exists());
}

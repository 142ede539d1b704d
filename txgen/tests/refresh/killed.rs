// SPDX-License-Identifier: GPL-2.0
//! A refresh that is killed shows as not begun or as done.

use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::linux::{content, files, project, refresh, sh};

/// How often it is killed; `TXGEN_KILLS=200 cargo nextest run killed` takes longer.
fn kills() -> u32 {
    std::env::var("TXGEN_KILLS").map_or(20, |text| text.parse().unwrap())
}

const FORTH: &str = "git reset --quiet --hard one";
const BACK: &str = "git reset --quiet --hard other";

#[test]
fn a_refresh_killed_at_any_moment_is_not_begun_or_done() {
    let project = project();
    sh(
        &project,
        concat!(
            "git branch one\nsed -i 's/a + 4/a + 40/' net/core/skbuff.c\nprintf '#!/bin/sh\\n' > net/core/x.sh\n",
            "chmod +x net/core/x.sh\ngit add net\ngit commit --quiet -m 'net: four' -m 'Why not.'\n",
            "GIT_SEQUENCE_EDITOR=\"sed -i '3s/pick/reword/'\" GIT_EDITOR=\"sed -i 's/More/Much/'\" ",
            "git rebase --quiet -i main\ngit branch other"
        ),
    );
    let state = || {
        project.txgen(&["base", "list"]).expect(0);
        files(&project)
    };
    let first = state();
    let started = Instant::now();
    refresh(&project, &[]).expect(0);
    let takes = started.elapsed();
    let second = state();
    assert_ne!(first, second);
    let mut seen = [0, 0];
    for kill in 0..kills() {
        let is_second = state() == second;
        sh(&project, if is_second { FORTH } else { BACK });
        let (from, to) = if is_second { (&second, &first) } else { (&first, &second) };
        let mut command = project.command(env!("CARGO_BIN_EXE_txgen"));
        command.args(["refresh", "demo", "--tree", "../linux", "--base", "main"]).current_dir(project.path("p"));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
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
    refresh(&project, &[]).expect(0);
    assert!(content(&project, "txgen/demo").contains("net: "));
}

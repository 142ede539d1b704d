// SPDX-License-Identifier: GPL-2.0
//! `txgen format-series` killed at any time: the mails are all there or none, and nothing else is left.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::kernel::Kernel;

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>();
    names.sort();
    names
}

#[test]
fn a_killed_run_leaves_no_folder_behind() {
    let mut kernel = Kernel::new();
    kernel.patch("third", "net: tell the third byte\n\nWhy.\n", &[("net/core/third.c", "int third;\n")]);
    kernel.store("");
    kernel.project.write("p/series/tiny/cover.md", "Why.\n");
    kernel.project.write("temporary/here", "");
    let base = kernel.applied().base.commit;
    let run = || {
        let mut command = kernel.project.command(env!("CARGO_BIN_EXE_txgen"));
        command
            .args(["format-series", "tiny", "--tree", "../k", "--base", &base])
            .current_dir(kernel.project.path("p"));
        command.env("TMPDIR", kernel.project.path("temporary")).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let start = std::time::Instant::now();
    assert!(run().status().unwrap().success());
    let whole = start.elapsed();
    let mails = ["0000-cover-letter.patch", "0001-net-tell-the-third-byte.patch"];
    for number in 0..40_u32 {
        let is_new = number % 2 == 0;
        if is_new && kernel.project.path("p/out").exists() {
            fs::remove_dir_all(kernel.project.path("p/out")).unwrap();
        }
        let mut child = run().spawn().unwrap();
        std::thread::sleep(whole * number / 40 + Duration::from_millis(1));
        child.kill().unwrap();
        child.wait().unwrap();
        let out = names(&kernel.project.path("p/out"));
        assert!(out.is_empty() || out == ["tiny"], "{out:?}");
        assert!(out.is_empty() || names(&kernel.project.path("p/out/tiny")) == mails);
        let top = names(&kernel.project.path("p"));
        assert!(
            top.iter().all(|name| ["kernel-overlay", "out", "series", "templates"].contains(&name.as_str())),
            "{top:?}"
        );
        assert_eq!(names(&kernel.project.path("temporary")), ["here"]);
    }
    assert!(run().status().unwrap().success());
    assert_eq!(names(&kernel.project.path("cache/tmp")), [""; 0]);
}

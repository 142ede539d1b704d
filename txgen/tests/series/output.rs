// SPDX-License-Identifier: GPL-2.0
//! A standard output or error that is closed, full, or not read, and a disk that is full.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use super::common::{Ran, TestProject, ran};
use super::files::files_below;
use super::linux::{TXBUF, demo_project};

/// Runs txgen with the redirections of a shell.
fn shell(project: &TestProject, args: &str, redirections: &str) -> Ran {
    let mut command = project.command("sh");
    let txgen = env!("CARGO_BIN_EXE_txgen");
    ran(command.arg("-c").arg(format!("exec {txgen} {args} {redirections}")).current_dir(project.path("p")))
}

const PRINTING: &[&str] =
    &["--help", "apply --help", "status demo", "status demo --json", "log demo", "base list", "completions bash"];

#[test]
fn a_full_standard_output_is_said_and_exits_2() {
    let project = demo_project();
    for args in PRINTING {
        let ran = shell(&project, args, ">/dev/full").expect(2);
        let expected =
            "txgen: no space left on device: write to standard output: No space left on device (os error 28)\n";
        assert_eq!(ran.stderr.lines().last().map(|line| format!("{line}\n")).as_deref(), Some(expected), "{args}");
        assert!(!ran.stderr.contains("panicked"), "{args}: {}", ran.stderr);
    }
}

#[test]
fn a_standard_output_that_nobody_reads_ends_quietly_as_sigpipe_does() {
    let project = demo_project();
    for args in PRINTING {
        let mut command = project.command(env!("CARGO_BIN_EXE_txgen"));
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut child = command
            .args(args.split(' '))
            .current_dir(project.path("p"))
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((child.wait().unwrap().code(), stderr.contains("panicked")), (Some(141), false), "{args}: {stderr}");
    }
}

#[test]
fn a_command_whose_output_is_not_read_does_its_work() {
    let project = demo_project();
    shell(&project, "apply demo", ">/dev/full").expect(2);
    project.git("cache/linux.git", &["rev-parse", "--verify", "txgen/demo"]);
}

#[test]
fn a_standard_error_that_is_full_or_closed_changes_no_exit_code() {
    let project = demo_project();
    for redirection in ["2>/dev/full", "2>&-", "2>&- >&- <&-"] {
        assert_eq!(shell(&project, "status nope", redirection).code, 2, "{redirection}");
        assert_eq!(shell(&project, "--nope", redirection).code, 2, "{redirection}");
        assert_eq!(shell(&project, "apply demo", redirection).code, 0, "{redirection}");
    }
}

#[test]
fn a_closed_standard_output_is_written_into_no_file_of_ours() {
    let closed = demo_project();
    shell(&closed, "new other --title 'net: other' --base tiny", "<&- >&- 2>&-").expect(0);
    shell(&closed, "apply demo", "<&- >&- 2>&-").expect(0);
    let open = demo_project();
    open.txgen(&["new", "other", "--title", "net: other", "--base", "tiny"]).expect(0);
    open.txgen(&["apply", "demo"]).expect(0);
    let names = |project: &TestProject| files_below(&project.path("p")).into_keys().collect::<Vec<_>>();
    assert_eq!(names(&closed), names(&open));
    let tip = |project: &TestProject| project.git("cache/linux.git", &["rev-parse", "txgen/demo"]);
    assert_eq!(tip(&closed), tip(&open));
    closed.git("cache/linux.git", &["fsck", "--strict"]);
}

/// Runs txgen so that no file may grow beyond `blocks` of 512 bytes, as on a full disk.
fn limited(project: &TestProject, blocks: u64, args: &[&str]) -> Ran {
    let mut command = project.command(env!("CARGO_BIN_EXE_txgen"));
    command.args(args).current_dir(project.path("p"));
    // SAFETY: setrlimit may be called between fork and exec.
    unsafe {
        command.pre_exec(move || {
            nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_FSIZE, blocks * 512, blocks * 512)
                .map_err(Into::into)
        });
    }
    ran(&mut command)
}

#[test]
fn a_disk_that_is_full_leaves_the_old_state_and_says_so() {
    let project = demo_project();
    project.txgen(&["apply", "demo"]).expect(0);
    let long = "A line of a cover letter that goes on and on.\n".repeat(200);
    project.write("p/series/demo/cover.md", &long);
    let before = files_below(&project.path("p"));
    let commands: &[&[&str]] = &[
        &["format-series", "demo", "-o", "../out"],
        &["move", "demo", "more", "--first"],
        &["drop", "demo", "more"],
        &["new", "other", "--title", "net: other", "--base", "tiny"],
        &["generate"],
    ];
    for args in commands {
        let ran = limited(&project, 0, args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{args:?}: {}", ran.stderr);
        assert!(files_below(&project.path("p")) == before, "{args:?} changed the project");
    }
    let said = limited(&project, 0, &["new", "other", "--title", "net: other", "--base", "tiny"]).expect(2).stderr;
    assert!(said.starts_with("txgen: no space left on device: "), "{said}");
    assert!(OpenOptions::new().read(true).open(project.path("out")).is_err());
    project.txgen(&["status", "demo"]).expect(0);
}

#[test]
fn the_exit_code_of_an_error_is_that_of_the_error_whoever_reads() {
    let project = demo_project();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_txgen"));
    let status = command.args(["status", "nope"]).current_dir(project.path("p")).stdout(writer).stderr(Stdio::null());
    assert_eq!(status.status().unwrap().code(), Some(2));
}

#[test]
fn exported_mails_keep_their_bytes() {
    let project = demo_project();
    project.write("p/kernel-overlay/net/core/txbuf.c", &TXBUF.replace("One more.", "One \u{1b}[31mmore\u{1b}[0m."));
    let text = project.txgen(&["export", "demo", "mbox", "-"]).expect(0).stdout;
    assert!(text.contains("+/* One \u{1b}[31mmore\u{1b}[0m. */\n"), "{text}");
    assert_eq!(shell(&project, "export demo mbox -", ">/dev/full").code, 2);
}

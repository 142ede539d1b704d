// SPDX-License-Identifier: GPL-2.0
//! The project's own series on the real kernel: sent to a mail server, and what it got given back to git and b4.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use txgen::files;

use super::common::TestProject;
use super::kernel::managed;
use super::received::{mbox, run, text, thread};
use super::smtp::Sink;

/// The two series, the second of which stands on the first.
const SERIES: [&str; 2] = ["zerocopy", "messages"];

/// A copy of the project, and a clone `k` of the managed repository that has no files checked out.
fn project() -> TestProject {
    let project = TestProject::new("");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for folder in ["series", "kernel-overlay", "templates", "vm-tests"] {
        fs::remove_dir_all(project.path("p").join(folder)).ok();
        files::copy_folder(&root.join(folder), &project.path("p").join(folder)).unwrap();
    }
    // What spatch, the search of the tree and get_maintainer.pl come to takes minutes.
    fs::create_dir_all(project.path("cache/proofs")).unwrap();
    for kind in ["cocci", "audit", "audit-step", "maintainers"] {
        let known = managed().with_file_name("proofs").join(kind);
        if known.is_dir() {
            files::copy_folder(&known, &project.path("cache/proofs").join(kind)).unwrap();
        }
    }
    symlink(managed(), project.path("cache/linux.git")).unwrap();
    project.git(".", &["clone", "-q", "--shared", "--no-checkout", managed().to_str().unwrap(), "k"]);
    let base = project.git("cache/linux.git", &["rev-parse", "refs/txgen/bases/net-next"]);
    project.git("k", &["update-ref", "refs/heads/base", base.trim()]);
    project
}

fn command(project: &TestProject, series: &str, args: &[&str]) -> super::common::Ran {
    project.txgen(&[&[args[0], series, "--tree", "../k", "--base", "base"], &args[1..]].concat())
}

/// Checks `at` out in the clone: of its files only those that the series touches.
fn check_out(project: &TestProject, at: &str, touched: &str) {
    let files = touched.lines().map(|path| format!("/{path}\n")).collect::<String>();
    project.write("k/.git/info/sparse-checkout", &files);
    project.git("k", &["config", "core.sparseCheckout", "true"]);
    project.git("k", &["checkout", "-q", "-f", "-B", "again", at]);
}

#[test]
fn both_series_come_back_from_a_mail_server_to_the_same_trees() {
    let project = project();
    let mut foot = "base".to_owned();
    for name in SERIES {
        let sink = Sink::start();
        let port = sink.port.to_string();
        for (key, value) in [("smtpServer", "127.0.0.1"), ("smtpServerPort", &port), ("smtpEncryption", "none")] {
            project.git("k", &["config", &format!("sendemail.{key}"), value]);
        }
        let force = ["--force", "unproved", "--force", "outstanding"];
        let _ = command(&project, name, &[&["send", "--sign", "--yes"][..], &force].concat()).expect(0);
        project.write("all.mbox", &mbox(&sink.kept()));
        let tip = format!("sent/{name}-v1");
        let tree = |rev: &str| project.git("k", &["rev-parse", &format!("{rev}^{{tree}}")]);
        let touched = project.git("k", &["diff", "--name-only", &foot, &tip]);
        let patches = project.git("k", &["rev-list", "--count", &format!("{foot}..{tip}")]);
        let count = patches.trim().parse::<usize>().unwrap();
        assert_eq!(sink.kept().len(), count + 1, "{name}");

        check_out(&project, &foot, &touched);
        fs::create_dir_all(project.path("mails").join(name)).unwrap();
        project.git("k", &["mailsplit", "--mboxrd", &format!("-o../mails/{name}"), "../all.mbox"]);
        let mails = (2..=count + 1).map(|number| format!("../mails/{name}/{number:04}")).collect::<Vec<_>>();
        project.git("k", &[&["am", "-q"][..], &mails.iter().map(String::as_str).collect::<Vec<_>>()].concat());
        assert_eq!(tree("HEAD"), tree(&tip), "{name}");

        check_out(&project, &foot, &touched);
        let said = text(&run(&project, &["am", "-m", "../all.mbox", "-o", "../am"]));
        for expected in [&format!("Total patches: {count}"), "Cover: ", "Base: applies clean to current tree"] {
            assert!(said.contains(expected), "{name}: {expected} in {said}");
        }
        let base = project.git("k", &["rev-parse", "base"]);
        let toml = project.read(&format!("p/series/{name}/series.toml"));
        let id = toml.lines().find_map(|line| line.strip_prefix("change-id = ")).unwrap().trim_matches('"');
        assert_eq!(thread(&project), format!("True True {} {id}\n", base.trim()), "{name}");
        let output = run(&project, &["shazam", "-m", "../all.mbox"]);
        assert!(output.status.success(), "{name}: {}", text(&output));
        assert_eq!(tree("HEAD"), tree(&tip), "{name}");
        foot = tip;
    }
}

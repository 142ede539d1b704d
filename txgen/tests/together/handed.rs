// SPDX-License-Identifier: GPL-2.0
//! A project that somebody handed over, with files in .txgen/: nothing of them is done.

use std::fs;
use std::os::unix::fs::symlink;

use super::common::{Ran, TestProject, ran};
use super::state::{State, copy, project, txgen};
use super::stopped::stopped;

const MOVE: &[&str] = &["move", "demo", "two", "--first"];

fn in_copy(project: &TestProject, args: &[&str]) -> Ran {
    let mut command = project.command(env!("CARGO_BIN_EXE_txgen"));
    ran(command.args(args).current_dir(project.path("q")))
}

fn expect_refused(ran: &Ran, file: &str) {
    assert!(ran.stderr.contains(&format!("{file} was not written by this project on this machine")), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("remove it here with `rm -r {file}`")), "{}", ran.stderr);
}

#[test]
fn a_journal_that_writes_anywhere_and_deletes_refs_does_nothing() {
    let project = project();
    let key = |text: &str| format!("\"{text}\"");
    let outside = project.path("outside");
    let journal = format!(
        "{{\"series\": {}, \"bases\": \"[x]\\n\", \"overlay\": {{{}: {{\"executable\": true, \"text\": \"x\"}}, \
         \"../../climbed\": {{\"executable\": false, \"text\": \"x\"}}}}, \"git_dir\": {}, \
         \"refs\": [[\"refs/heads/main\", null]], \"why\": \"x\"}}",
        key(&txgen::rebase::write::key(&project.path("p/series/demo")).unwrap()),
        key(outside.to_str().unwrap()),
        key(project.path("linux/.git").to_str().unwrap()),
    );
    project.write("p/.txgen/demo.journal", &journal);
    let before = State::of(&project);
    let ran = project.txgen(&["base", "list"]).expect(0);
    assert!(ran.stderr.starts_with("txgen: warning: .txgen/demo.journal was not written by"), "{}", ran.stderr);
    expect_refused(&ran, ".txgen/demo.journal");
    expect_refused(&txgen(&project, &["status", "demo"]).expect(0), ".txgen/demo.journal");
    expect_refused(&txgen(&project, MOVE).expect(2), ".txgen/demo.journal");
    assert_eq!(State::of(&project), before);
    assert!(!outside.exists() && !project.path("climbed").exists() && !project.path("p/climbed").exists());
    let _ = txgen(&project, &["new", "other", "--title", "net: other"]).expect(0);
    fs::remove_file(project.path("p/.txgen/demo.journal")).unwrap();
    assert_eq!(txgen(&project, MOVE).expect(0).stderr, "");
}

#[test]
fn the_journal_of_a_copied_project_counts_where_it_was_written() {
    let project = stopped();
    copy(&project.path("p"), &project.path("q"));
    let before = State::of(&project);
    expect_refused(&in_copy(&project, &["base", "list"]).expect(0), ".txgen/demo.journal");
    assert_eq!(State::of(&project), before);
    assert_eq!(project.txgen(&["base", "list"]).expect(0).stderr, "");
    assert_ne!(State::of(&project), before);
}

#[test]
fn the_journal_of_one_series_is_none_of_another() {
    let project = stopped();
    fs::rename(project.path("p/.txgen/demo.journal"), project.path("p/.txgen/other.journal")).unwrap();
    expect_refused(&project.txgen(&["base", "list"]).expect(0), ".txgen/other.journal");
}

#[test]
fn a_rebase_that_somebody_else_left_deletes_no_branch() {
    let project = project();
    let git_dir = project.path("linux/.git");
    project.git("linux", &["branch", "txgen/demo-conflict", "main"]);
    let pending = format!(
        "{{\"onto\": \"old\", \"tree\": null, \"git_dir\": \"{}\", \"base_commit\": \"\", \"patch\": \"one\", \
         \"parent\": \"\", \"conflict\": \"\", \"spatched\": \"\", \"forms\": {{}}, \"series\": \"\"}}",
        git_dir.display()
    );
    project.write("p/.txgen/demo.rebase", &pending);
    for args in [&["rebase", "demo", "--abort"][..], &["rebase", "demo", "--continue"]] {
        expect_refused(&project.txgen(args).expect(2), ".txgen/demo.rebase");
    }
    expect_refused(&txgen(&project, MOVE).expect(2), ".txgen/demo.rebase");
    project.git("linux", &["rev-parse", "--verify", "txgen/demo-conflict"]);
    let _ = txgen(&project, &["status", "demo"]).expect(0);
}

#[test]
fn a_folder_that_is_a_link_is_neither_emptied_nor_written_to() {
    let project = project();
    for file in ["notes", "demo.next/mine", "demo.journal", "other.gone/mine"] {
        project.write(&format!("elsewhere/{file}"), "mine\n");
    }
    symlink(project.path("elsewhere"), project.path("p/.txgen")).unwrap();
    let before = super::files::files_below(&project.path("elsewhere"));
    let ran = project.txgen(&["base", "list"]).expect(0);
    assert!(ran.stderr.contains(".txgen is a symbolic link or a file: txgen keeps a folder there"), "{}", ran.stderr);
    let _ = txgen(&project, &["status", "demo"]).expect(0);
    let ran = txgen(&project, MOVE).expect(2);
    assert!(ran.stderr.contains(".txgen is a symbolic link or a file"), "{}", ran.stderr);
    assert_eq!(super::files::files_below(&project.path("elsewhere")), before);
}

#[test]
fn what_txgen_did_not_put_there_stays() {
    let project = project();
    project.write("p/.txgen/notes.txt", "mine\n");
    let _ = txgen(&project, MOVE).expect(0);
    let _ = project.txgen(&["base", "list"]).expect(0);
    assert_eq!(project.read("p/.txgen/notes.txt"), "mine\n");
}

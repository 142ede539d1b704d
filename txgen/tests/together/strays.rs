// SPDX-License-Identifier: GPL-2.0
//! Files that an editor left, and series that are broken: they stop nobody, or nobody but themselves.

use std::fs;
use std::os::unix::fs::symlink;

use super::killed::imported;
use super::linux::sh;
use super::state::{State, project, txgen};

const MOVE: &[&str] = &["move", "demo", "two", "--first"];
const EDITORS: &[&str] =
    &["x.toml~", ".x.swp", "#x#", "4913", "x.orig", "x.rej", ".DS_Store", "x.c.orig", ".txgen-abc"];

#[test]
fn an_editors_files_are_in_nobodys_way_and_stay() {
    let (project, plain) = (project(), project());
    let folders = ["p/series", "p/series/demo", "p/kernel-overlay", "p/kernel-overlay/net/core"];
    for folder in folders {
        for name in EDITORS {
            project.write(&format!("{folder}/{name}"), "half a thought\n");
        }
        symlink("user@host.1:2", project.path(&format!("{folder}/.#one.diff"))).unwrap();
    }
    for command in [&["apply", "demo", "--discard"][..], &["status", "demo"], MOVE, &["drop", "demo", "more"]] {
        let _ = txgen(&project, command).expect(0);
        let _ = txgen(&plain, command).expect(0);
    }
    let branch = |project: &super::common::TestProject| project.git("linux", &["log", "--format=%T %s", "txgen/demo"]);
    assert_eq!(branch(&project), branch(&plain));
    for name in ["x.toml~", ".x.swp", "#x#", "x.orig", ".DS_Store"] {
        assert_eq!(project.read(&format!("p/series/demo/{name}")), "half a thought\n");
        assert_eq!(project.read(&format!("p/kernel-overlay/{name}")), "half a thought\n");
    }
    assert!(project.path("p/series/demo/.#one.diff").is_symlink());
}

#[test]
fn a_stray_file_stops_its_own_series_and_no_other() {
    let project = imported();
    let _ = txgen(&project, &["import", "mine", "branch", "mine"]).expect(0);
    project.write("p/series/mine/notes.txt", "a stray\n");
    project.write("p/series/notes.txt", "a stray\n");
    fs::create_dir_all(project.path("p/series/demo~")).unwrap();
    fs::copy(project.path("p/series/demo/series.toml"), project.path("p/series/demo~/series.toml")).unwrap();
    let ran = txgen(&project, MOVE).expect(0);
    assert!(!ran.stderr.contains("demo~"), "{}", ran.stderr);
    let ran = txgen(&project, &["status", "mine"]).expect(2);
    assert!(
        ran.stderr.contains("series/mine/notes.txt: nothing in series/mine/series.toml refers to it"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_broken_series_stops_no_other_and_keeps_its_files() {
    let project = imported();
    let _ = txgen(&project, &["import", "mine", "branch", "mine"]).expect(0);
    let file = "p/series/mine/series.toml";
    let text = project.read(file);
    for broken in [
        format!("<<<<<<< HEAD\n{text}"),
        text.replace("[[patch]]\n", "[[patch]]\nunknown = 1\n"),
        format!("{text}= 3\n"),
    ] {
        project.write(file, &broken);
        for command in [MOVE, &["apply", "demo"], &["status", "demo"], &["move", "demo", "two", "--last"]] {
            let _ = txgen(&project, command).expect(0);
        }
        sh(
            &project,
            "git checkout --quiet txgen/demo\ngit commit --quiet --amend -m 'net: another' -m 'Why.'\ngit checkout --quiet --detach",
        );
        let _ = txgen(&project, &["refresh", "demo"]).expect(0);
        let _ = txgen(&project, &["import", "again", "branch", "txgen/demo~3"]).expect(0);
        let _ = txgen(&project, &["status", "mine"]).expect(2);
        assert_eq!(project.read(file), broken);
        assert_eq!(project.read("p/kernel-overlay/net/core/mine.c"), "int mine;\n");
        fs::remove_dir_all(project.path("p/series/again")).unwrap();
        sh(&project, "git update-ref -d refs/heads/txgen/again\ngit update-ref -d refs/txgen/series/again");
    }
    let before = State::of(&project);
    project.write(file, &text);
    let _ = txgen(&project, &["status", "mine"]).expect(0);
    assert_ne!(State::of(&project), before);
}

// SPDX-License-Identifier: GPL-2.0
//! A change that was stopped is finished onto what is there by then, and loses nothing of the user's.

use std::fs;

use super::common::TestProject;
use super::linux::sh;
use super::state::{project, txgen};
use super::stopped::stop;

const REFRESH: &[&str] = &["refresh", "demo"];
const ONE: &str = "net/core/aa.c";
const TWO: &str = "net/core/zz.c";

fn overlay(path: &str) -> String {
    format!("p/kernel-overlay/{path}")
}

/// Two new files of the branch, the second edition of which is in its commits only.
fn of_two_files() -> TestProject {
    let project = project();
    let commit = "git add net\ngit commit --quiet --amend --no-edit\ngit checkout --quiet --detach";
    sh(
        &project,
        "git checkout --quiet txgen/demo\nprintf 'int a;\\n' > net/core/aa.c\nprintf 'int z;\\n' > net/core/zz.c\n\
         git add net\ngit commit --quiet -m 'net: add two files' -m 'They are new.'\ngit checkout --quiet --detach",
    );
    let _ = txgen(&project, REFRESH).expect(0);
    let edit = "sed -i 's/int /long /' net/core/aa.c net/core/zz.c";
    sh(&project, &format!("git checkout --quiet txgen/demo\n{edit}\n{commit}"));
    project
}

#[test]
fn a_refresh_of_the_overlay_alone_that_is_killed_between_two_files_writes_both() {
    let project = of_two_files();
    stop(&project, REFRESH);
    assert_eq!(project.read(&overlay(ONE)), "long a;\n");
    // It was killed a moment earlier.
    project.write(&overlay(TWO), "int z;\n");
    assert_eq!(project.txgen(&["base", "list"]).expect(0).stderr, "");
    assert_eq!([ONE, TWO].map(|path| project.read(&overlay(path))), ["long a;\n", "long z;\n"]);
    assert!(!project.path("p/.txgen/demo.journal").exists());
    assert!(txgen(&project, REFRESH).expect(0).stdout.contains("has all of it already"));
}

#[test]
fn what_an_editor_saved_while_a_file_was_written_is_kept_and_named() {
    let project = of_two_files();
    stop(&project, REFRESH);
    let kept = overlay("net/core/.txgen-saved");
    project.write(&kept, "int mine;\n");
    for (left, text) in [("old", "int z;\n"), ("new", "long z;\n"), ("part", "lon"), ("none", "")] {
        project.write(&overlay(&format!("net/core/.txgen-{left}")), text);
    }
    let ran = project.txgen(&["base", "list"]).expect(0);
    let text = "txgen: kernel-overlay/net/core/.txgen-saved has what somebody saved while txgen wrote: it is kept; ";
    assert!(ran.stderr.starts_with(text), "{}", ran.stderr);
    assert_eq!(project.read(&kept), "int mine;\n");
    let all = fs::read_dir(project.path("p/kernel-overlay/net/core")).unwrap();
    let staged = all.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().starts_with(".txgen-"));
    assert_eq!(staged.count(), 1);
    assert_eq!(project.txgen(&["base", "list"]).expect(0).stderr, "");
    assert!(project.path(&kept).exists());
}

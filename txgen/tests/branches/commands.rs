// SPDX-License-Identifier: GPL-2.0
//! The commands that set refs/heads/txgen/demo, each of which wants to move it.

use std::fs;

use super::common::{Ran, TestProject};
use super::linux::{files, project, sh};

/// The series demo on its branch, which is not checked out, with a message that was changed on disk since; branch `side` has
/// a commit in conflict with it, branch `other` one of its own.
pub fn ready() -> TestProject {
    let project = project();
    sh(
        &project,
        concat!(
            "git checkout --quiet -b side main\nsed -i 's/a + 1/a + 2/' net/core/skbuff.c\n",
            "git commit --quiet --all -m 'net: another two'\n",
            "git checkout --quiet -b other main\nsed -i 's/a + 4/a + 5/' net/core/skbuff.c\n",
            "git commit --quiet --all -m 'net: five' -m 'It is more.'\n",
            "git checkout --quiet --detach main"
        ),
    );
    project.write("p/series/demo/two.msg", "net: subtract in two\n\nIt is wrong otherwise, as all know.\n");
    project
}

/// Every ref of the clone but those of the work trees.
pub fn refs(project: &TestProject) -> String {
    project.git("linux", &["for-each-ref", "--format=%(refname) %(objectname) %(symref)"])
}

/// The commands by name, each run once.
pub fn all(project: &TestProject) -> Vec<(&'static str, Ran)> {
    let run = |args: &[&str]| project.txgen(&[args, &["--tree", "../linux", "--base", "main"]].concat());
    vec![
        ("apply", run(&["apply", "demo"])),
        ("apply --discard", run(&["apply", "demo", "--discard"])),
        ("drop", run(&["drop", "demo", "two"])),
        ("move", run(&["move", "demo", "two", "--first"])),
        ("rebase", project.txgen(&["rebase", "demo", "--onto", "other", "--tree", "../linux"])),
        ("import", import(project)),
    ]
}

/// Imports branch `other` as series demo, which is not in the project meanwhile.
pub fn import(project: &TestProject) -> Ran {
    let kept = project.path("kept");
    fs::create_dir(&kept).unwrap();
    let places = ["p/series/demo", "p/kernel-overlay"].map(|path| project.path(path));
    for (place, keep) in places.iter().zip(["demo", "overlay"]) {
        fs::rename(place, kept.join(keep)).unwrap();
    }
    let ran = project.txgen(&["import", "demo", "--tree", "../linux", "--base", "main", "branch", "other"]);
    for (place, keep) in places.iter().zip(["demo", "overlay"]) {
        assert!(ran.code == 0 || !place.exists(), "{} was begun", place.display());
        if place.exists() {
            fs::remove_dir_all(place).unwrap();
        }
        fs::rename(kept.join(keep), place).unwrap();
    }
    fs::remove_dir(kept).unwrap();
    ran
}

/// Asserts that every command refuses to move the branch, says each of `texts`, and changes nothing.
pub fn assert_all_refuse(project: &TestProject, texts: &[&str]) {
    let before = (files(project), refs(project));
    for (name, ran) in all(project) {
        assert_eq!(ran.code, 2, "{name}\n{}\n{}", ran.stdout, ran.stderr);
        for text in texts {
            assert!(ran.stderr.contains(text), "{name} does not say {text:?}: {}", ran.stderr);
        }
        assert_eq!((files(project), refs(project)), before, "{name}");
    }
}

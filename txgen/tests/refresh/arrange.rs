// SPDX-License-Identifier: GPL-2.0
//! Patches dropped and moved without a branch, series begun, imported and exported.

use super::common::TestProject;
use super::linux::{assert_same_again, content, files, project, sh};

fn txgen(project: &TestProject, args: &[&str]) -> super::common::Ran {
    project.txgen(&[args, &["--tree", "../linux", "--base", "main"]].concat())
}

fn subjects(project: &TestProject, branch: &str) -> String {
    project.git("linux", &["log", "--reverse", "--format=%s", &format!("main..{branch}")])
}

#[test]
fn a_patch_moves_and_its_branch_with_it() {
    let project = project();
    sh(&project, "git checkout --quiet --detach");
    let ran = txgen(&project, &["move", "demo", "two", "--first"]).expect(0);
    assert!(ran.stdout.starts_with("moved                two "), "{}", ran.stdout);
    assert!(subjects(&project, "txgen/demo").starts_with("net: subtract in two\nnet: add ten to one\n"));
    txgen(&project, &["move", "demo", "two", "--after", "more"]).expect(0);
    txgen(&project, &["move", "demo", "one", "--before", "more"]).expect(0);
    assert!(subjects(&project, "txgen/demo").starts_with("net: add txbuf\nnet: add ten to one\n"));
    assert_same_again(&project);
}

#[test]
fn a_patch_that_can_not_stand_there_is_a_conflict_and_nothing_changes() {
    let project = project();
    sh(
        &project,
        "sed -i 's/a + 10/a + 11/' net/core/skbuff.c\ngit commit --quiet --all -m 'net: eleven' -m 'Why not.'",
    );
    txgen(&project, &["refresh", "demo"]).expect(0);
    sh(&project, "git checkout --quiet --detach");
    let before = (files(&project), content(&project, "txgen/demo"));
    let ran = txgen(&project, &["move", "demo", "eleven", "--first"]).expect(3);
    assert!(ran.stderr.contains("patch eleven does not go there: "), "{}", ran.stderr);
    let ran = txgen(&project, &["drop", "demo", "one"]).expect(3);
    assert!(ran.stderr.contains("patch eleven does not go there: "), "{}", ran.stderr);
    let ran = txgen(&project, &["move", "demo", "more", "--first"]).expect(2);
    assert!(ran.stderr.contains("net_txbuf_more is born before its file"), "{}", ran.stderr);
    assert_eq!((files(&project), content(&project, "txgen/demo")), before);
}

#[test]
fn dropped_patches_go_with_what_they_add() {
    let project = project();
    sh(&project, "git checkout --quiet --detach");
    txgen(&project, &["drop", "demo", "more"]).expect(0);
    assert!(!project.read("p/kernel-overlay/net/core/txbuf.c").contains("net_txbuf_more"));
    txgen(&project, &["drop", "demo", "txbuf", "one"]).expect(0);
    assert!(!project.path("p/kernel-overlay/net").exists());
    assert_eq!(subjects(&project, "txgen/demo"), "net: subtract in two\n");
    assert_same_again(&project);
    let ran = txgen(&project, &["drop", "demo", "one"]).expect(2);
    assert_eq!(ran.stderr, "txgen: series demo has no patch one (it has: two)\n");
}

#[test]
fn a_dropped_patch_that_a_rule_leaves_out_elsewhere_goes_with_what_it_adds() {
    let project = project();
    sh(&project, "git checkout --quiet --detach");
    let toml = project.read("p/series/demo/series.toml");
    let rule = "\n[[drop]]\npatch = \"txbuf\"\nwith = \"iptfs\"\nreason = \"it is there\"\n";
    project.write("p/series/demo/series.toml", &format!("{toml}{rule}"));
    txgen(&project, &["drop", "demo", "more", "txbuf"]).expect(0);
    assert!(!project.path("p/kernel-overlay/net").exists());
    assert!(!project.read("p/series/demo/series.toml").contains("txbuf"), "the rule is about a patch that is gone");
    assert_same_again(&project);
}

#[test]
fn a_branch_that_was_edited_or_is_checked_out_stays() {
    let project = project();
    let ran = txgen(&project, &["move", "demo", "two", "--first"]).expect(2);
    assert!(ran.stderr.contains("is checked out"), "{}", ran.stderr);
    sh(&project, "git commit --quiet --amend -m 'net: edited'\ngit checkout --quiet --detach");
    let ran = txgen(&project, &["move", "demo", "two", "--first"]).expect(2);
    assert!(ran.stderr.contains("`txgen refresh demo` takes it in"), "{}", ran.stderr);
}

#[test]
fn a_new_series_gets_its_patches_from_git() {
    let project = project();
    let start = ["new", "fresh", "--title", "net: fresh", "--base", "old"];
    project.txgen(&start).expect(0);
    let ran = project.txgen(&start).expect(2);
    assert_eq!(ran.stderr, "txgen: series/fresh/ is there already\n");
    txgen(&project, &["apply", "fresh"]).expect(0);
    sh(
        &project,
        concat!(
            "git checkout --quiet txgen/fresh\nsed -i 's/a + 4/a + 40/' net/core/skbuff.c\n",
            "git commit --quiet --all -m 'net: four' -m 'It is more.'"
        ),
    );
    let ran = txgen(&project, &["refresh", "fresh"]).expect(0);
    assert!(ran.stdout.starts_with("new                  four "), "{}", ran.stdout);
    assert!(project.read("p/series/fresh/series.toml").contains("[[patch]]\nname = \"four\"\n"));
}

#[test]
fn a_series_goes_out_and_comes_in_as_mailbox_quilt_folder_and_branch() {
    let project = project();
    sh(
        &project,
        concat!(
            "sed -i 's/a + 4/a + 40/' net/core/skbuff.c\n",
            "git commit --quiet --all --author 'Élise Example <elise@example.org>' -m 'net: four [really]' -m 'Ünd.'"
        ),
    );
    txgen(&project, &["refresh", "demo"]).expect(0);
    let branch = content(&project, "txgen/demo");
    let export = ["export", "demo", "--tree", "../linux", "--base", "main"];
    project.txgen(&[&export[..], &["mbox", "../demo.mbox"]].concat()).expect(0);
    project.txgen(&[&export[..], &["quilt", "../quilt"]].concat()).expect(0);
    assert_eq!(project.read("quilt/series"), "one.patch\ntxbuf.patch\nmore.patch\ntwo.patch\nfour-really.patch\n");
    // Only one series may add the files.
    project.git(".", &["init", "--quiet", "kept"]);
    std::fs::rename(project.path("p/series/demo"), project.path("kept/demo")).unwrap();
    std::fs::rename(project.path("p/kernel-overlay"), project.path("kept/overlay")).unwrap();
    let sources: [(&str, &[&str]); 3] = [
        ("mails", &["mbox", "../demo.mbox"]),
        ("quilted", &["quilt", "../quilt"]),
        ("other", &["branch", "txgen/demo"]),
    ];
    for (name, from) in sources {
        let start = ["import", name, "--tree", "../linux", "--base", "main"];
        project.txgen(&[&start, from].concat()).expect(0);
        assert_eq!(content(&project, &format!("txgen/{name}")), branch, "{name}");
        let toml = project.read(&format!("p/series/{name}/series.toml"));
        assert!(toml.contains("title = \"net: add ten to one\"") && toml.contains("base = \"old\""), "{toml}");
        assert!(project.read(&format!("p/series/{name}/four-really.msg")).starts_with("From: Élise Example <"));
        project.git("linux", &["update-ref", "-d", &format!("refs/heads/txgen/{name}")]);
        project.txgen(&["apply", name, "--tree", "../linux", "--base", "main"]).expect(0);
        assert_eq!(content(&project, &format!("txgen/{name}")), branch, "{name}");
        std::fs::remove_dir_all(project.path(&format!("p/series/{name}"))).unwrap();
        std::fs::remove_dir_all(project.path("p/kernel-overlay")).unwrap();
    }
}

#[test]
fn what_is_no_series_is_not_imported() {
    let project = project();
    let import = |from: &[&str]| {
        let before = files(&project);
        let start = ["import", "bad", "--tree", "../linux", "--base", "main"];
        let ran = project.txgen(&[&start, from].concat());
        assert_eq!(files(&project), before);
        (ran.code, ran.stderr.replace(project.dir().to_str().unwrap(), "DIR"))
    };
    project.write("quilt/series", "x.patch -p0\n");
    insta::assert_snapshot!(import(&["quilt", "../quilt"]).1, @r#"
    txgen: ../quilt/series:1: x.patch needs option -p0: only -p1 is known
    "#);
    project.write("quilt/series", "# a comment\n\nx.patch # why\n");
    project.write("quilt/x.patch", "--- a/Kbuild\n+++ b/Kbuild\n");
    insta::assert_snapshot!(import(&["quilt", "../quilt"]).1, @r#"
    txgen: ../quilt/x.patch:1: the patch has no description: its first line is to be the subject
    "#);
    project.write("quilt/x.patch", "net: x\n\n--- a/Kbuild\n+++ b/Kbuild\n@@ -1 +1 @@\n-obj-n\n+obj-m\n");
    let (code, text) = import(&["quilt", "../quilt"]);
    insta::assert_snapshot!(format!("{code} {text}"), @r#"
    3 txgen: ../quilt/x.patch ("net: x") does not apply to old: patch failed: Kbuild:1: Kbuild: patch does not apply
    "#);
    project.write(
        "empty.mbox",
        "From a@example.org Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\nSubject: hello\n\nHi.\n",
    );
    insta::assert_snapshot!(import(&["mbox", "../empty.mbox"]).1, @r#"
    txgen: there is no patch in ../empty.mbox
    "#);
    insta::assert_snapshot!(import(&["mbox", "../none.mbox"]).1, @r#"
    txgen: there is no mailbox ../none.mbox
    "#);
}

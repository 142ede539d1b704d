// SPDX-License-Identifier: GPL-2.0
//! Rebases in a clone of one's own, with history.

use super::linux::{files, project};

const SKBUFF: &str = "net/core/skbuff.c";

#[test]
fn a_clone_with_history_names_the_commit_behind_a_conflict_and_records_the_base() {
    let project = project(&[], &[("more", &[(SKBUFF, "b = a", "b = 2 * a")])]);
    let text = project.read(&format!("linux/{SKBUFF}")).replace("int b = a;", "int b = a;\n\tint netmem;");
    project.write(&format!("linux/{SKBUFF}"), &text);
    project.git("linux", &["commit", "--quiet", "--all", "-m", "net: netmem everywhere"]);
    let old = project.git("linux", &["rev-parse", "old"]);
    let bases = project.read("p/series/bases.toml");
    let recorded = bases.lines().find(|line| line.starts_with("commit")).unwrap().to_owned();
    // The series is for a commit of that clone.
    project.write("p/series/bases.toml", &bases.replacen(&recorded, &format!("commit = \"{}\"", old.trim()), 1));
    std::fs::remove_dir_all(project.path("cache/linux.git")).unwrap();
    let ran = project.txgen(&["rebase", "demo", "--onto", "main", "--tree", "../linux"]).expect(3);
    let commit = project.git("linux", &["log", "-1", "--format=%h %s", "main"]);
    assert!(ran.stdout.contains(commit.trim()), "{} {commit}", ran.stdout);
    assert!(ran.stdout.contains("(a device-memory change)"), "{}", ran.stdout);
    project.txgen(&["rebase", "demo", "--abort"]).expect(0);
    project.write("p/series/demo/more.diff", &project.read("p/series/demo/more.diff").replace("2 * a;", "a; /**/"));
    let before = files(&project, "p/series");
    project.txgen(&["rebase", "demo", "--onto", "main~1", "--tree", "../linux"]).expect(0);
    assert_ne!(files(&project, "p/series"), before);
    assert!(project.read("p/series/demo/series.toml").contains("base = \"new\""));
}

#[test]
fn a_shallow_clone_is_told_what_is_missing_and_the_rebase_still_runs() {
    let project = project(
        &[(SKBUFF, "\tint b = a;\n", "\tint b = a;\n\tint c;\n")],
        &[("more", &[(SKBUFF, "int skb_twice(int a)", "long skb_twice(int a)")])],
    );
    let url = format!("file://{}", project.path("linux").display());
    project.git(".", &["clone", "--quiet", "--depth=1", &url, "shallow"]);
    let ran = project.txgen(&["rebase", "demo", "--onto", "main", "--tree", "../shallow"]).expect(0);
    assert!(ran.stdout.contains("no upstream commits are named: the clone is shallow"), "{}", ran.stdout);
    assert!(project.git("shallow", &["show", &format!("txgen/demo:{SKBUFF}")]).contains("long skb_twice(int a)"));
}

#[test]
fn a_ref_that_is_no_base_yet_is_recorded_as_one() {
    let project = project(&[], &[("more", &[(SKBUFF, "b = a", "b = 2 * a")])]);
    project.write("linux/Kbuild", "obj-y += net/ lib/\n");
    project.git("linux", &["commit", "--quiet", "--all", "-m", "more"]);
    project.git("linux", &["tag", "Next-1"]);
    project.txgen(&["rebase", "demo", "--onto", "Next-1", "--tree", "../linux"]).expect(0);
    assert!(project.read("p/series/demo/series.toml").contains("base = \"next-1\""));
    let bases = project.read("p/series/bases.toml");
    assert!(bases.contains("[next-1]\ngit = ") && bases.contains("ref = \"Next-1\"\n"), "{bases}");
    project.txgen(&["base", "fetch", "next-1"]).expect(0);
    project.txgen(&["apply", "demo"]).expect(0);
}

#[test]
fn a_patch_that_upstream_took_and_changed_again_is_dropped_and_named() {
    let project = project(
        &[],
        &[("more", &[(SKBUFF, "b = a", "b = 2 * a")]), ("last", &[(SKBUFF, "\treturn a;", "\treturn -a;")])],
    );
    project.git("linux", &["cherry-pick", "edits~1"]);
    let taken = project.git("linux", &["log", "-1", "--format=%h %s"]);
    let text = project.read(&format!("linux/{SKBUFF}")).replace("b = 2 * a", "b = 4 * a");
    project.write(&format!("linux/{SKBUFF}"), &text);
    project.git("linux", &["commit", "--quiet", "--all", "-m", "net: change it again"]);
    // The series is for the same tree in that clone.
    let bases = project.read("p/series/bases.toml");
    let recorded = bases.lines().find(|line| line.starts_with("commit")).unwrap().to_owned();
    let old = project.git("linux", &["rev-parse", "old"]);
    project.write("p/series/bases.toml", &bases.replacen(&recorded, &format!("commit = \"{}\"", old.trim()), 1));
    std::fs::remove_dir_all(project.path("cache/linux.git")).unwrap();
    let ran = project.txgen(&["rebase", "demo", "--onto", "main", "--tree", "../linux"]).expect(0);
    let expected = format!("already upstream  more  net: more\n    the base has it as {taken}merged by item");
    assert!(ran.stdout.starts_with(&expected), "{}", ran.stdout);
    assert_eq!(project.git("linux", &["log", "--format=%s", "main..txgen/demo"]), "net: last\n");
}

// SPDX-License-Identifier: GPL-2.0
//! A series that depends on another: applied above it, and read back from its own branch.

use txgen::mail::prerequisites;
use txgen::project::Project;

use super::common::TestProject;
use super::linux::{content, files, project, sh};

const UPPER: &str = "title = \"net: upper\"
tree = \"net-next\"
version = 1
change-id = \"20261123-upper-0123456789ab\"
base = \"old\"
depends = \"demo\"
date = \"2026-11-23T12:00:00Z\"

[[patch]]
name = \"third\"
adds = [\"net/core/txbuf.c#net_txbuf_third\", \"net/core/upper.c\"]
";

const THIRD: &str = "diff --git a/net/core/skbuff.c b/net/core/skbuff.c
--- a/net/core/skbuff.c
+++ b/net/core/skbuff.c
@@ -2,7 +2,7 @@
 
 int skb_one(int a)
 {
-\treturn a + 10;
+\treturn a + 20;
 }
 
 int skb_two(int a)
";

fn stacked() -> TestProject {
    let project = project();
    let txbuf = project.read("p/kernel-overlay/net/core/txbuf.c");
    let third = "\nint net_txbuf_third(void)\n{\n\treturn 3;\n}\n";
    project.write("p/kernel-overlay/net/core/txbuf.c", &format!("{txbuf}{third}"));
    project.write("p/kernel-overlay/net/core/upper.c", "int upper;\n");
    project.write("p/series/upper/series.toml", UPPER);
    project.write("p/series/upper/third.msg", "net: add the third\n\nIt builds on one.\n");
    project.write("p/series/upper/third.diff", THIRD);
    project.txgen(&["apply", "upper", "--tree", "../linux", "--base", "main"]).expect(0);
    project
}

fn show(project: &TestProject, spec: &str) -> String {
    project.git("linux", &["show", spec])
}

#[test]
fn a_series_stands_on_the_one_it_depends_on() {
    let project = stacked();
    let log = project.git("linux", &["log", "--reverse", "--format=%s", "main..txgen/upper"]);
    assert_eq!(log.lines().count(), 5, "{log}");
    assert_eq!(content(&project, "txgen/upper~1"), content(&project, "txgen/demo"));
    // What the upper one adds to a file of the lower one is not in the lower one.
    assert!(!show(&project, "txgen/demo:net/core/txbuf.c").contains("third"));
    assert!(show(&project, "txgen/upper:net/core/txbuf.c").contains("net_txbuf_third"));
    assert!(show(&project, "txgen/upper:net/core/skbuff.c").contains("a + 20"));
    let before = files(&project);
    for name in ["demo", "upper"] {
        let ran = project.txgen(&["refresh", name, "--tree", "../linux", "--base", "main"]).expect(0);
        assert!(ran.stdout.contains("has all of it already"), "{}", ran.stdout);
    }
    assert_eq!(files(&project), before);
}

#[test]
fn edits_of_the_upper_branch_come_back_to_the_upper_series() {
    let project = stacked();
    let lower = project.read("p/series/demo/series.toml");
    sh(
        &project,
        concat!(
            "git checkout --quiet txgen/upper\nprintf '\\nint net_txbuf_fourth(void)\\n{\\n\\treturn 4;\\n}\\n' >> net/core/txbuf.c\n",
            "sed -i 's/a + 4/a + 40/' net/core/skbuff.c\ngit commit --quiet --all -m 'net: fourth' -m 'Why not.'"
        ),
    );
    let ran = project.txgen(&["refresh", "upper", "--tree", "../linux", "--base", "main"]).expect(0);
    insta::assert_snapshot!(ran.stdout, @r#"
    as it was            third                        net: add the third
    new                  fourth                       net: fourth
    changed: 3 files of series/upper/, 1 of kernel-overlay/
    "#);
    assert!(project.read("p/series/upper/series.toml").contains("adds = [\"net/core/txbuf.c#net_txbuf_fourth\"]"));
    assert_eq!(project.read("p/series/demo/series.toml"), lower);
    let branch = content(&project, "txgen/upper");
    sh(
        &project,
        "git checkout --quiet --detach\ngit branch --quiet -D txgen/upper\ngit update-ref -d refs/txgen/series/upper",
    );
    project.txgen(&["apply", "upper", "--tree", "../linux", "--base", "main"]).expect(0);
    assert_eq!(content(&project, "txgen/upper"), branch);
}

#[test]
fn an_upper_series_may_edit_what_the_lower_one_added() {
    let project = stacked();
    let lower = (project.read("p/series/demo/series.toml"), content(&project, "txgen/demo"));
    sh(
        &project,
        concat!(
            "git checkout --quiet txgen/upper\nsed -i 's/return 1;/return 100;/' net/core/txbuf.c\n",
            "git commit --quiet --all -m 'net: a hundred' -m 'Why not.'"
        ),
    );
    project.txgen(&["refresh", "upper", "--tree", "../linux", "--base", "main"]).expect(0);
    // The file of the lower one is what it was, and all that the upper one does to it is edits.
    assert!(!project.read("p/kernel-overlay/net/core/txbuf.c").contains("third"));
    assert!(project.read("p/series/upper/a-hundred.diff").contains("+\treturn 100;\n"));
    assert!(project.read("p/series/upper/third.diff").contains("+int net_txbuf_third(void)\n"));
    let branch = content(&project, "txgen/upper");
    sh(
        &project,
        "git checkout --quiet --detach\ngit branch --quiet -D txgen/upper\ngit update-ref -d refs/txgen/series/upper",
    );
    project.txgen(&["apply", "upper", "--tree", "../linux", "--base", "main"]).expect(0);
    assert_eq!(content(&project, "txgen/upper"), branch);
    assert_eq!((project.read("p/series/demo/series.toml"), content(&project, "txgen/demo")), lower);
}

#[test]
fn a_lower_series_that_the_upper_one_no_longer_goes_onto_is_told() {
    let project = stacked();
    sh(
        &project,
        concat!(
            "git checkout --quiet txgen/demo\nsed -i 's/a + 10/a + 11/' net/core/skbuff.c\n",
            "git commit --quiet --all --fixup ':/net: add ten'\ngit rebase --quiet -i --autosquash main"
        ),
    );
    let ran = project.txgen(&["refresh", "demo", "--tree", "../linux", "--base", "main"]).expect(0);
    let note = ran.stdout.lines().find(|line| line.starts_with("note: ")).unwrap_or_default();
    insta::assert_snapshot!(note, @r#"
    note: series upper, which depends on it, does not go onto it any more: series/upper/third.diff:8: net/core/skbuff.c:5: it expects "\treturn a + 10;", the tree has "\treturn a + 11;"
    "#);
}

#[test]
fn a_series_can_not_depend_on_itself_or_on_none() {
    let project = stacked();
    project.write("p/series/upper/series.toml", &UPPER.replace("\"demo\"", "\"nobody\""));
    insta::assert_snapshot!(project.txgen(&["apply", "upper"]).expect(2).stderr, @r#"
    txgen: series/upper/series.toml:6:11: there is no series "nobody" to depend on
    "#);
    project.write("p/series/upper/series.toml", UPPER);
    let lower = project.read("p/series/demo/series.toml");
    project.write("p/series/demo/series.toml", &lower.replace("base = ", "depends = \"upper\"\nbase = "));
    insta::assert_snapshot!(project.txgen(&["apply", "upper"]).expect(2).stderr, @r#"
    txgen: series upper depends on itself: by way of upper
    "#);
}

#[test]
fn mails_name_the_base_and_each_patch_beneath_as_git_does() {
    let test = stacked();
    test.git("linux", &["config", "user.name", "Test Author"]);
    test.git("linux", &["config", "user.email", "author@example.org"]);
    let project = Project { root: test.path("p"), cache: test.path("cache") };
    let base = txgen::base::resolve(&project, "main", Some(&test.path("linux"))).unwrap();
    let series = txgen::series::load(&project, "upper").unwrap();
    let applied = txgen::series::apply_series(&project, &series, &base, false, false).unwrap();
    let (root, trailers) = prerequisites::of(&project, &applied).unwrap();
    assert_eq!(root.as_ref(), Some(&base.commit));
    assert_eq!(trailers[0], "prerequisite-change-id: 20261123-demo-0123456789ab:v1");
    let git = test.git("linux", &["format-patch", "--base=main", "--stdout", "txgen/demo..txgen/upper"]);
    let of_git = git.lines().filter(|line| line.starts_with("prerequisite-patch-id: ")).collect::<Vec<_>>();
    assert_eq!(of_git.len(), 4);
    assert_eq!(trailers[1..], of_git);
}

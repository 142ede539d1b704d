// SPDX-License-Identifier: GPL-2.0
//! Rebases of series that stand on another.

use super::linux::{files, project};
use crate::common::TestProject;

const SKBUFF: &str = "net/core/skbuff.c";

const UPPER: &str = "title = \"net: upper\"
tree = \"net-next\"
version = 1
change-id = \"20261123-upper-0123456789ab\"
base = \"old\"
depends = \"demo\"
date = \"2026-11-23T12:00:00Z\"

[[patch]]
name = \"third\"
";

const THIRD: &str = "diff --git a/net/core/skbuff.c b/net/core/skbuff.c
--- a/net/core/skbuff.c
+++ b/net/core/skbuff.c
@@ -8,7 +8,7 @@ int skb_len(int a)
 
 int skb_twice(int a)
 {
-\tint b = 2 * a;
+\tint b = 3 * a;
 
 \treturn b + a;
 }
";

/// Series `demo`, and `upper` that changes the same line again, on a base where upstream changed what is around it.
fn stacked() -> TestProject {
    let upstream = [(SKBUFF, "a + 1;\n}\n", "a + 11;\n}\n"), (SKBUFF, "int skb_last(int a)", "int skb_last(long a)")];
    let project = project(&upstream, &[("more", &[(SKBUFF, "b = a", "b = 2 * a")])]);
    project.write("p/series/upper/series.toml", UPPER);
    project.write("p/series/upper/third.msg", "net: third\n\nIt builds on more.\n");
    project.write("p/series/upper/third.diff", THIRD);
    project
}

/// A file of the branch of a series.
fn at_tip(project: &TestProject, name: &str) -> String {
    project.git("cache/linux.git", &["show", &format!("txgen/{name}:{SKBUFF}")])
}

#[test]
fn a_stack_goes_to_another_base_series_by_series_and_back_to_the_same_bytes() {
    let project = stacked();
    let before = files(&project, "p/series");
    // The upper one first: what is beneath it is carried along, and stays where it is.
    let ran = project.txgen(&["rebase", "upper", "--onto", "new"]).expect(0);
    insta::assert_snapshot!(ran.stdout.split_once(" (").unwrap().0, @r"
    merged by item    third  net: third
    upper is on new
    ");
    let demo = |all: &std::collections::BTreeMap<String, String>| {
        all.iter()
            .filter(|(file, _)| file.starts_with("demo/"))
            .map(|(f, t)| (f.clone(), t.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(demo(&files(&project, "p/series")), demo(&before));
    project.txgen(&["rebase", "demo", "--onto", "new"]).expect(0);
    for name in ["demo", "upper"] {
        project.txgen(&["apply", name]).expect(0);
    }
    for text in ["a + 11;", "int skb_last(long a)", "b = 3 * a"] {
        assert!(at_tip(&project, "upper").contains(text), "{text}");
    }
    assert!(at_tip(&project, "demo").contains("b = 2 * a"));
    let parent = project.git("cache/linux.git", &["rev-parse", "txgen/upper~1", "txgen/demo"]);
    assert_eq!(parent.lines().next(), parent.lines().nth(1));
    project.txgen(&["rebase", "demo", "--onto", "old"]).expect(0);
    project.txgen(&["rebase", "upper", "--onto", "old"]).expect(0);
    assert_eq!(files(&project, "p/series"), before);
}

#[test]
fn a_conflict_beneath_a_series_is_told_with_the_series_that_it_is_in() {
    let project = project(&[(SKBUFF, "b = a", "b = 5 * a")], &[("more", &[(SKBUFF, "b = a", "b = 2 * a")])]);
    project.write("p/series/upper/series.toml", UPPER);
    project.write("p/series/upper/third.msg", "net: third\n\nIt builds on more.\n");
    project.write("p/series/upper/third.diff", THIRD);
    let before = files(&project, "p/series");
    let ran = project.txgen(&["rebase", "upper", "--onto", "new"]).expect(3);
    insta::assert_snapshot!(ran.stderr, @"txgen: upper depends on demo: patch more: net/core/skbuff.c: skb_twice: both sides change the same lines (base new): `txgen rebase demo` stops at it to be fixed");
    assert_eq!(files(&project, "p/series"), before);
}

// SPDX-License-Identifier: GPL-2.0
//! Rebases that need no hand.

use super::linux::{at_tip, files, project, refs};

const SKBUFF: &str = "net/core/skbuff.c";

#[test]
fn neighbouring_changes_merge_by_item_and_the_way_back_gives_the_same_bytes() {
    let project = project(
        &[
            (SKBUFF, "a + 1;\n}\n", "a + 11;\n}\n"),
            ("net/core/skbuff.c", "int skb_last(int a)", "int skb_last(long a)"),
        ],
        &[
            ("twice", &[(SKBUFF, "int skb_twice(int a)", "long skb_twice(int a)")]),
            ("more", &[(SKBUFF, "b = a", "b = 2 * a")]),
        ],
    );
    let before = files(&project, "p/series");
    let ran = project.txgen(&["rebase", "demo", "--onto", "new"]).expect(0);
    insta::assert_snapshot!(ran.stdout.split_once(" (").unwrap().0, @r"
    merged by item    twice  net: twice
    merged by item    more  net: more
    demo is on new
    ");
    assert!(project.read("p/series/demo/series.toml").contains("base = \"new\" # kept"));
    let merged = at_tip(&project, SKBUFF);
    for text in ["a + 11;", "int skb_last(long a)", "long skb_twice(int a)", "b = 2 * a"] {
        assert!(merged.contains(text), "{text}");
    }
    project.txgen(&["apply", "demo"]).expect(0);
    project.txgen(&["rebase", "demo", "--onto", "old"]).expect(0);
    assert_eq!(files(&project, "p/series"), before);
}

#[test]
fn a_dry_run_and_a_check_change_nothing() {
    let project = project(&[(SKBUFF, "b = a", "b = 3 * a")], &[("more", &[(SKBUFF, "b = a", "b = 2 * a")])]);
    let before = (files(&project, "p"), refs(&project));
    let dry = project.txgen(&["rebase", "demo", "--onto", "new", "--dry-run"]).expect(3);
    let check = project.txgen(&["rebase", "demo", "--check", "new", "old"]).expect(3);
    insta::assert_snapshot!(check.stdout, @r"
    demo onto new:
    conflict          more  net: more
        net/core/skbuff.c: skb_twice: both sides change the same lines
        net/core/skbuff.c: skb_twice was changed upstream
            @@ -1,6 +1,6 @@
             int skb_twice(int a)
             {
            -	int b = a;
            +	int b = 3 * a;
             
             	return b + a;
             }
    no upstream commits are named: old and new have no history in common
    demo onto old:
    clean             more  net: more
    ");
    assert!(dry.stdout.contains("conflict"));
    assert_eq!((files(&project, "p"), refs(&project)), before);
}

#[test]
fn a_file_that_moved_is_followed() {
    let moved = "net/core/tests/skbuff.c";
    let project = project(&[(SKBUFF, "", moved)], &[("more", &[(SKBUFF, "b = a", "b = 2 * a")])]);
    let before = files(&project, "p/series");
    let ran = project.txgen(&["rebase", "demo", "--onto", "new"]).expect(0);
    assert!(ran.stdout.contains("net/core/skbuff.c is net/core/tests/skbuff.c there"), "{}", ran.stdout);
    assert!(project.read("p/series/demo/more.diff").contains("--- a/net/core/tests/skbuff.c"));
    assert!(at_tip(&project, moved).contains("b = 2 * a"));
    project.txgen(&["rebase", "demo", "--onto", "old"]).expect(0);
    assert_eq!(files(&project, "p/series"), before);
}

#[test]
fn what_the_base_has_is_dropped_and_comes_back() {
    let project = project(
        &[(SKBUFF, "b = a", "b = 2 * a")],
        &[("more", &[(SKBUFF, "b = a", "b = 2 * a")]), ("last", &[(SKBUFF, "\treturn a;", "\treturn -a;")])],
    );
    let before = files(&project, "p/series");
    let ran = project.txgen(&["rebase", "demo", "--onto", "new"]).expect(0);
    assert!(ran.stdout.starts_with("already upstream  more  net: more\n"), "{}", ran.stdout);
    let applied = project.txgen(&["apply", "demo"]).expect(0).stdout;
    assert_eq!(applied.lines().count(), 2, "{applied}");
    project.txgen(&["rebase", "demo", "--onto", "old"]).expect(0);
    assert_eq!(files(&project, "p/series"), before);
}

#[test]
fn what_makes_no_sense_on_a_base_is_dropped_by_its_facts() {
    let iptfs = "net/xfrm/xfrm_iptfs.c";
    let project = project(
        &[],
        &[("more", &[(SKBUFF, "b = a", "b = 2 * a")]), ("last", &[(SKBUFF, "\treturn a;", "\treturn -a;")])],
    );
    let rule = format!(
        "{}\n[[drop]]\npatch = \"more\"\nwithout = \"iptfs\"\nreason = \"there is no IP-TFS\"\n",
        project.read("p/series/demo/series.toml")
    );
    project.write("p/series/demo/series.toml", &rule);
    let ran = project.txgen(&["rebase", "demo", "--onto", "new", "--dry-run"]).expect(0);
    assert!(ran.stdout.contains("dropped           more  net: more\n    there is no IP-TFS\n"), "{}", ran.stdout);
    let wrong = rule.replace("\"iptfs\"", "\"no-such\"");
    project.write("p/series/demo/series.toml", &wrong);
    let said = project.txgen(&["rebase", "demo", "--onto", "new"]).expect(2).stderr;
    assert!(said.contains("there is no capability \"no-such\""), "{said} {iptfs}");
}

#[test]
fn an_item_that_the_base_lacks_is_left_out_where_the_series_says_so() {
    let project = project(
        &[(SKBUFF, "int skb_twice(int a)\n{\n\tint b = a;\n\n\treturn b + a;\n}\n\n", "")],
        &[("more", &[(SKBUFF, "b = a", "b = 2 * a"), (SKBUFF, "\treturn a;", "\treturn -a;")])],
    );
    let toml = project.read("p/series/demo/series.toml");
    let ran = project.txgen(&["rebase", "demo", "--onto", "new", "--dry-run"]).expect(3);
    assert!(ran.stdout.contains("skb_twice: one side removes what the other changes"), "{}", ran.stdout);
    let rule =
        format!("{toml}\n[[drop]]\npatch = \"more\"\nfile = \"{SKBUFF}\"\nitem = \"skb_twice\"\nreason = \"gone\"\n");
    project.write("p/series/demo/series.toml", &rule.replace(&format!("file = \"{SKBUFF}\"\n"), ""));
    let said = project.txgen(&["rebase", "demo", "--onto", "new"]).expect(2).stderr;
    assert!(said.contains("an item needs the `file` it is in"), "{said}");
    project.write("p/series/demo/series.toml", &rule);
    let before = files(&project, "p/series");
    let ran = project.txgen(&["rebase", "demo", "--onto", "new"]).expect(0);
    assert!(ran.stdout.contains("    net/core/skbuff.c: skb_twice: nothing to do: gone\n"), "{}", ran.stdout);
    let tip = at_tip(&project, SKBUFF);
    assert!(!tip.contains("skb_twice") && tip.contains("\treturn -a;"), "{tip}");
    project.txgen(&["rebase", "demo", "--onto", "old"]).expect(0);
    assert_eq!(files(&project, "p/series"), before);
}

#[test]
fn a_diff_that_another_program_wrote_comes_back_byte_for_byte() {
    let project = project(&[(SKBUFF, "a + 1;", "a + 11;")], &[("more", &[(SKBUFF, "b = a", "b = 2 * a")])]);
    let diff = project.read("p/series/demo/more.diff");
    let (head, rest) = diff.split_once(" @@").unwrap();
    let rest = rest.split_once('\n').unwrap().1;
    project.write("p/series/demo/more.diff", &format!("{head} @@ what git does not say\n{rest}"));
    let before = files(&project, "p/series");
    project.txgen(&["rebase", "demo", "--onto", "new"]).expect(0);
    project.txgen(&["rebase", "demo", "--onto", "old"]).expect(0);
    assert_eq!(files(&project, "p/series"), before);
}

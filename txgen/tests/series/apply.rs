// SPDX-License-Identifier: GPL-2.0
//! `txgen apply` and `txgen status` on a tiny kernel, with real git and real spatch.

use std::os::unix::fs::symlink;

use super::common::TestProject;
use super::linux::{DIFF, SERIES, SKBUFF, TXBUF, demo_project};

fn managed(project: &TestProject, args: &[&str]) -> String {
    project.git("cache/linux.git", args)
}

/// Applies series `demo`, which must fail with exit 2, and returns the error's first line; nothing may be written.
fn refused(project: &TestProject) -> String {
    refused_whole(project).lines().next().unwrap_or_default().to_owned()
}

/// The same, with every line of the error.
fn refused_whole(project: &TestProject) -> String {
    let ran = project.txgen(&["apply", "demo"]).expect(2);
    assert_eq!(ran.stdout, "");
    assert_eq!(managed(project, &["for-each-ref", "--format=%(refname)"]), "refs/txgen/bases/tiny\n");
    ran.stderr[ran.stderr.find("txgen:").unwrap()..].trim_end().to_owned()
}

#[test]
fn apply_makes_a_branch_whose_commits_hold_what_the_series_says() {
    let project = demo_project();
    let ran = project.txgen(&["apply", "demo"]).expect(0);
    insta::assert_snapshot!(ran.stdout, @r#"
    c4b759bd21a5 net: rename skb_old()
    3a9649ed6462 net: add txbuf
    114084ecac75 net: add more
    branch txgen/demo: 3 on tiny (5fd7cd22a0e3)
    "#);
    insta::assert_snapshot!(managed(&project, &["log", "--reverse", "--format=%an <%ae> %aI %cI%n%B", "--stat", "refs/txgen/bases/tiny..txgen/demo"]), @r#"
    Test Author <author@example.org> 2026-11-23T12:00:00Z 2026-11-23T12:00:00Z
    net: rename skb_old()

    The name was old.


     net/core/skbuff.c | 4 ++--
     1 file changed, 2 insertions(+), 2 deletions(-)
    Test Author <author@example.org> 2026-11-23T12:00:00Z 2026-11-23T12:00:00Z
    net: add txbuf

    It is needed.


     net/core/Makefile | 1 +
     net/core/txbuf.c  | 7 +++++++
     2 files changed, 8 insertions(+)
    Test Author <author@example.org> 2026-11-23T12:00:00Z 2026-11-23T12:00:00Z
    net: add more

    More is needed.


     net/core/txbuf.c | 6 ++++++
     1 file changed, 6 insertions(+)
    "#);
    assert_eq!(managed(&project, &["show", "txgen/demo:net/core/txbuf.c"]), TXBUF);
    assert_eq!(managed(&project, &["show", "txgen/demo:net/core/skbuff.c"]), SKBUFF.replace("skb_old", "skb_new"));
    let first = TXBUF.split("\n/* One more. */").next().unwrap();
    assert_eq!(managed(&project, &["show", "txgen/demo~1:net/core/txbuf.c"]), first);
    managed(&project, &["fsck", "--strict"]);
}

#[test]
fn apply_twice_gives_the_same_commits_and_one_reflog_entry() {
    let project = demo_project();
    let first = project.txgen(&["apply", "demo", "--json"]).expect(0).stdout;
    let second = project.txgen(&["apply", "demo", "--json"]).expect(0).stdout;
    assert_eq!(first, second);
    assert_eq!(managed(&project, &["reflog", "show", "refs/txgen/series/demo"]).lines().count(), 1);
}

#[test]
fn the_old_state_of_a_branch_stays_in_the_reflog() {
    let project = demo_project();
    project.txgen(&["apply", "demo"]).expect(0);
    let old = managed(&project, &["rev-parse", "txgen/demo"]);
    project.write("p/series/demo/more.msg", "net: add even more\n\nMore is needed.\n");
    let status = project.txgen(&["status", "demo"]).expect(0).stdout;
    assert!(status.contains("branch txgen/demo: applied with other messages"), "{status}");
    project.txgen(&["apply", "demo"]).expect(0);
    assert_eq!(managed(&project, &["rev-parse", "refs/txgen/series/demo@{1}"]), old);
}

#[test]
fn sign_off_comes_from_the_option_or_from_git_configuration() {
    let project = demo_project();
    let last = |args: &[&str]| {
        project.txgen(args).expect(0);
        managed(&project, &["log", "-1", "--format=%B", "txgen/demo"])
    };
    let signed = "net: add more\n\nMore is needed.\n\nSigned-off-by: Test Author <author@example.org>\n\n";
    assert_eq!(last(&["apply", "demo"]), "net: add more\n\nMore is needed.\n\n");
    assert_eq!(last(&["apply", "demo", "--signoff"]), signed);
    assert_eq!(last(&["apply", "demo"]), "net: add more\n\nMore is needed.\n\n");
    managed(&project, &["config", "format.signOff", "true"]);
    assert_eq!(last(&["apply", "demo"]), signed);
}

#[test]
fn an_author_that_git_does_not_know_is_an_error_that_says_what_to_set() {
    let project = demo_project();
    let mut command = project.command(env!("CARGO_BIN_EXE_txgen"));
    for name in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"] {
        command.env_remove(name);
    }
    let output = command.args(["apply", "demo"]).current_dir(project.path("p")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @"txgen: git knows no name and address for commits: set them with `git config --global user.name NAME` and `git config --global user.email ADDRESS`");
}

#[test]
fn a_clone_is_applied_to_without_touching_its_work_tree() {
    let project = demo_project();
    project.git("linux", &["commit", "--quiet", "--allow-empty", "-m", "newer"]);
    project.txgen(&["apply", "demo", "--tree", "../linux"]).expect(0);
    assert_eq!(project.git("linux", &["status", "--porcelain"]), "");
    assert_eq!(project.git("linux", &["rev-parse", "txgen/demo~3"]), project.git("linux", &["rev-parse", "main"]));
}

#[test]
fn a_branch_that_is_checked_out_is_not_moved() {
    let project = demo_project();
    project.txgen(&["apply", "demo", "--tree", "../linux"]).expect(0);
    project.git("linux", &["checkout", "--quiet", "txgen/demo"]);
    let before = project.git("linux", &["rev-parse", "HEAD"]);
    project.write("p/series/demo/more.msg", "net: add even more\n\nMore is needed.\n");
    let ran = project.txgen(&["apply", "demo", "--tree", "../linux", "--base", "main"]).expect(2);
    assert!(ran.stderr.contains("branch txgen/demo is checked out at"), "{}", ran.stderr);
    assert_eq!(project.git("linux", &["rev-parse", "HEAD"]), before);
}

#[test]
fn a_dirty_or_missing_clone_is_refused() {
    let project = demo_project();
    project.write("linux/Kbuild", "changed\n");
    let dirty = project.txgen(&["apply", "demo", "--tree", "../linux"]).expect(2).stderr;
    assert!(dirty.contains("../linux has changes that are not committed"), "{dirty}");
    project.txgen(&["apply", "demo", "--tree", "../linux", "--base", "main"]).expect(0);
    let missing = project.txgen(&["apply", "demo", "--tree", "../no"]).expect(2).stderr;
    assert_eq!(missing, "txgen: there is no kernel tree ../no\n");
}

#[test]
fn a_diff_that_does_not_apply_is_bad_input_on_the_recorded_base_and_a_conflict_on_another() {
    let project = demo_project();
    project.write("p/series/demo/txbuf.diff", &DIFF.replace("skbuff.o\n", "other.o\n"));
    insta::assert_snapshot!(refused(&project), @r#"txgen: series/demo/txbuf.diff:5: net/core/Makefile:1: it expects "obj-y += other.o", the tree has "obj-y += skbuff.o""#);
    project.write("linux/net/core/Makefile", "obj-y += other.o\n");
    project.git("linux", &["commit", "--quiet", "-a", "-m", "change"]);
    project.txgen(&["apply", "demo", "--tree", "../linux"]).expect(0);
    project.write("p/series/demo/txbuf.diff", DIFF);
    let ran = project.txgen(&["apply", "demo", "--tree", "../linux"]).expect(3);
    let said = ran.stderr.lines().filter(|line| line.starts_with("txgen:")).collect::<String>();
    insta::assert_snapshot!(said, @"txgen: patch txbuf: net/core/Makefile: net/core/Makefile: both sides change the same lines (base HEAD): `txgen rebase demo` stops at it to be fixed");
}

#[test]
fn a_resolution_takes_the_place_of_the_edits_on_its_base() {
    let project = demo_project();
    project.write("p/series/demo/txbuf.diff", &DIFF.replace("skbuff.o\n", "other.o\n"));
    project.write("p/series/demo/bases/tiny/txbuf.diff", DIFF);
    project.txgen(&["apply", "demo"]).expect(0);
}

#[test]
fn a_diff_that_is_none_or_leaves_the_tree_is_refused_with_its_line() {
    let project = demo_project();
    let mut said = String::new();
    for diff in [
        "nonsense\n".to_owned(),
        DIFF.replace("+1,2", "+1,3"),
        DIFF.replace("net/core/Makefile", "../Makefile"),
        DIFF.split_once('\n').unwrap().1.to_owned(),
        DIFF.replace("--- a/net/core/Makefile", "new file mode 100644\n--- /dev/null")
            .replace("-1 ", "-0,0 ")
            .replace(" obj", "+obj"),
        DIFF.replace("net/core/Makefile", "net/gone/Makefile"),
        DIFF.replace("net/core/Makefile", "net/gone away/Makefile"),
        format!("{DIFF}{DIFF}"),
        DIFF.replace("txbuf.o", "txbuf.o\0"),
    ] {
        project.write("p/series/demo/txbuf.diff", &diff);
        said += &format!("{}\n", refused(&project));
    }
    insta::assert_snapshot!(said, @r#"
    txgen: series/demo/txbuf.diff:1: it is no git diff (no `diff --git` line): write it with `git diff`
    txgen: series/demo/txbuf.diff: it is no diff: invalid patch hunk, expected 1 old lines and 3 new lines
    txgen: series/demo/txbuf.diff:2: path "../Makefile" has a `.` or `..` in it
    txgen: series/demo/txbuf.diff:1: it is no git diff (no `diff --git` line): write it with `git diff`
    txgen: series/demo/txbuf.diff:4: it adds net/core/Makefile: a new file belongs in kernel-overlay/, claimed by `adds`
    txgen: series/demo/txbuf.diff:2: net/gone/Makefile is not in the tree
    txgen: series/demo/txbuf.diff:2: net/gone away/Makefile is not in the tree
    txgen: series/demo/txbuf.diff:8: it changes net/core/Makefile twice: put both into one
    txgen: series/demo/txbuf.diff:6: it has a NUL byte: a series has text files only
    "#);
}

#[test]
fn a_semantic_patch_that_misses_something_is_refused() {
    let project = demo_project();
    let mut said = String::new();
    project.write("p/series/demo/rename.cocci", "@@\nexpression A;\n@@\n- skb_gone(A)\n+ skb_new(A)\n");
    said += &format!("{}\n", refused(&project));
    project.write("p/series/demo/rename.cocci", "@@\n@@\n- b + skb_old(a)\n+ b + skb_new(a)\n");
    said += &format!("{}\n", refused_whole(&project));
    project
        .write("p/series/demo/rename.cocci", "@@\nidentifier a;\n@@\n- int skb_len(int a);\n+ int skb_size(int a);\n");
    said += &format!("{}\n", refused(&project));
    project.write("p/series/demo/rename.cocci", "@@\nexpression A;\n@@\n- skb_old(A)\n+ skb_old(A + 0)\n");
    said += &format!("{}\n", refused(&project));
    project.write("p/series/demo/rename.cocci", "@@ expression A\n");
    said += &format!("{}\n", refused(&project).lines().next().unwrap());
    insta::assert_snapshot!(said, @r#"
    txgen: series/demo/rename.cocci: it matches nothing
    txgen: series/demo/rename.cocci: what was to go is left in 1 places, which spatch may not have understood (series/macros.h can help):
    net/core/skbuff.c:6: return skb_old(a) + 1;
    txgen: series/demo/rename.cocci: spatch gave a file up: EXN: Failure("SP line 5: Not found a value in env for: a") in ./include/linux/skbuff.h
    txgen: series/demo/rename.cocci: a second run changes net/core/skbuff.c:6 again: it does not come to an end
    txgen: series/demo/rename.cocci: `spatch --sp-file ../rename.cocci --no-includes --include-headers --in-place --no-show-diff --quiet --dir .` failed (exit 255): init_defs_builtins: /usr/lib/coccinelle/standard.h
    "#);
}

#[test]
fn a_missing_spatch_is_named_with_its_package() {
    let project = demo_project();
    let mut command = project.command(env!("CARGO_BIN_EXE_txgen"));
    let git = txgen::process::require("git").unwrap();
    let bin = project.path("bin");
    std::fs::create_dir(&bin).unwrap();
    symlink(git, bin.join("git")).unwrap();
    let output = command.args(["apply", "demo"]).env("PATH", bin).current_dir(project.path("p")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "txgen: spatch is not installed: apt-get install coccinelle\n");
}

/// Changes one text of series.toml and returns what is said of it.
fn with(project: &TestProject, from: &str, to: &str) -> String {
    assert!(SERIES.contains(from), "{from}");
    project.write("p/series/demo/series.toml", &SERIES.replacen(from, to, 1));
    let said = refused(project);
    project.write("p/series/demo/series.toml", SERIES);
    said + "\n"
}

#[test]
fn a_wrong_series_file_is_refused_with_file_line_and_column() {
    let project = demo_project();
    let adds = "\"net/core/txbuf.c\"]";
    let said = [
        with(&project, "version = 1", "version = 1\nversoin = 2"),
        with(&project, "version = 1", "version = 0"),
        with(&project, "2026-11-23T12", "2026-11-33T12"),
        with(&project, "name = \"more\"", "name = \"txbuf\""),
        with(&project, "name = \"more\"", "name = \"none\""),
        with(&project, "name = \"more\"", "name = \"../more\""),
        with(&project, adds, "\"net/../txbuf.c\"]"),
        with(&project, adds, "\"/net/core/txbuf.c\"]"),
        with(&project, adds, "\"net/core/gone.c\"]"),
        with(&project, adds, "\"net/core/txbuf.c\", \"net/core/txbuf.c\"]"),
        with(&project, adds, "\"net/core/txbuf.c\", \"net/core/txbuf.c#net_txbuf_more\"]"),
        with(&project, "#net_txbuf_more", "#net_txbuf_less"),
        with(&project, "adds = [\"net/core/txbuf.c\"]", ""),
        with(&project, "[\"net\", \"include\"]", "[\"net\", \"../include\"]"),
        with(&project, "[\"net\", \"include\"]", "[\"net\", \"gone\"]"),
        with(&project, "cocci = {", "# cocci = {"),
        with(&project, "base = \"tiny\"", "base = \"huge\""),
    ];
    insta::assert_snapshot!(said.concat(), @r#"
    txgen: series/demo/series.toml:4:1: unknown field `versoin`, expected one of `title`, `tree`, `version`, `change-id`, `base`, `depends`, `date`, `to`, `cc`, `exclude`, `changelog`, `posted`, `tag`, `drop`, `exception`, `patch`
    txgen: series/demo/series.toml:3:11: versions count from 1
    txgen: series/demo/series.toml:6:8: no date: failed to parse two digit integer as day: parameter 'day' is not in the required range of 1..=31
    txgen: series/demo/series.toml:17:8: there is a patch of this name at series/demo/series.toml:13:8
    txgen: series/demo/series.toml:17:8: patch none needs series/demo/none.msg
    txgen: series/demo/series.toml:17:8: a name has lower case letters, digits, `-`, `_` and `.` only
    txgen: series/demo/series.toml:14:9: path "net/../txbuf.c" has a `.` or `..` in it
    txgen: series/demo/series.toml:14:9: path "/net/core/txbuf.c" is absolute: give it from the top of the kernel tree
    txgen: series/demo/series.toml:14:9: there is no kernel-overlay/net/core/gone.c
    txgen: series/demo/series.toml:14:29: net/core/txbuf.c is claimed before, at series/demo/series.toml:14:9
    txgen: series/demo/series.toml:18:9: net_txbuf_more of net/core/txbuf.c is claimed before, at series/demo/series.toml:14:29
    txgen: series/demo/series.toml:18:9: kernel-overlay/net/core/txbuf.c has no item net_txbuf_less (it has: <linux/skbuff.h>, net_txbuf_alloc, net_txbuf_more)
    txgen: series/demo/series.toml:18:9: an item of net/core/txbuf.c is claimed, but no patch claims the file itself (`adds = ["net/core/txbuf.c"]`)
    txgen: series/demo/series.toml:10:27: path "../include" has a `.` or `..` in it
    txgen: series/demo/rename.cocci: it is to run on gone, which the tree does not have
    txgen: series/demo/series.toml:9:8: series/demo/rename.cocci needs a key `cocci` that says where it runs
    txgen: series/bases.toml has no base "huge" (it has: tiny)
    "#);
}

#[test]
fn files_that_do_not_belong_are_refused() {
    let project = demo_project();
    project.write("p/series/demo/stray.diff", DIFF);
    let mut said = refused(&project) + "\n";
    std::fs::remove_file(project.path("p/series/demo/stray.diff")).unwrap();
    project.write("p/kernel-overlay/net/core/unclaimed.c", TXBUF);
    said += &(refused(&project) + "\n");
    std::fs::remove_file(project.path("p/kernel-overlay/net/core/unclaimed.c")).unwrap();
    symlink("txbuf.c", project.path("p/kernel-overlay/net/core/link.c")).unwrap();
    said += &(refused(&project) + "\n");
    std::fs::remove_file(project.path("p/kernel-overlay/net/core/link.c")).unwrap();
    std::fs::remove_file(project.path("p/series/demo/more.msg")).unwrap();
    said += &(refused(&project) + "\n");
    symlink("txbuf.msg", project.path("p/series/demo/more.msg")).unwrap();
    said += &(refused(&project) + "\n");
    insta::assert_snapshot!(said, @r#"
    txgen: series/demo/stray.diff: nothing in series/demo/series.toml refers to it
    txgen: kernel-overlay/net/core/unclaimed.c: no patch of series demo claims it in `adds`
    txgen: kernel-overlay/net/core/link.c is a symbolic link or a special file: the overlay has plain files only
    txgen: series/demo/series.toml:17:8: patch more needs series/demo/more.msg
    txgen: series/demo/more.msg is a symbolic link: a series has plain files only
    "#);
}

#[test]
fn a_new_file_that_the_base_has_is_refused() {
    let project = demo_project();
    project.write("p/kernel-overlay/Kbuild/x.c", TXBUF);
    project.write(
        "p/series/demo/series.toml",
        &SERIES.replace("[\"net/core/txbuf.c\"]", "[\"net/core/txbuf.c\", \"Kbuild/x.c\"]"),
    );
    insta::assert_snapshot!(refused(&project), @"txgen: kernel-overlay/Kbuild/x.c: Kbuild is a file or a link in the base");
}

#[test]
fn status_lists_patches_and_tells_a_stale_branch() {
    let project = demo_project();
    insta::assert_snapshot!(project.txgen(&["status", "demo"]).expect(0).stdout, @r#"
    demo v1 on tiny: net: demo
    branch txgen/demo: not applied

    patch     checks      build  boot  subject
    rename    21 not run  -      -     net: rename skb_old()
    txbuf     21 not run  -      -     net: add txbuf
    more      21 not run  -      -     net: add more
    (series)  3 not run   -      -
    "#);
    project.txgen(&["apply", "demo"]).expect(0);
    let applied = project.txgen(&["status", "demo", "--json"]).expect(0).stdout;
    assert!(applied.contains("\"state\": \"applied\""), "{applied}");
    project.write("p/kernel-overlay/net/core/txbuf.c", &TXBUF.replace("return 1", "return 3"));
    let stale = project.txgen(&["status", "demo"]).expect(0).stdout;
    assert!(stale.contains("branch txgen/demo: stale"), "{stale}");
}

// SPDX-License-Identifier: GPL-2.0
//! Branches that no series can hold: refused with the commit and what to do, and nothing is changed.

use super::linux::{content, files, project, refresh, sh};

/// Edits the branch, and returns how refresh refuses it.
fn refusal(script: &str) -> String {
    let project = project();
    sh(&project, script);
    let before = (files(&project), content(&project, "txgen/demo"));
    let ran = refresh(&project, &[]).expect(2);
    assert_eq!((files(&project), content(&project, "txgen/demo")), before);
    assert_eq!(ran.stdout, "");
    let mut text = ran.stderr[ran.stderr.find("txgen:").unwrap()..].trim_end().to_owned();
    for commit in project.git("linux", &["log", "--format=%H", "--all"]).lines() {
        text = text.replace(&commit[..12], "COMMIT");
    }
    text
}

#[test]
fn a_merge() {
    let text = refusal(concat!(
        "git checkout --quiet -b side main\necho 'x = 1' >> Makefile\ngit commit --quiet --all -m side\n",
        "git checkout --quiet txgen/demo\ngit merge --quiet --no-edit side"
    ));
    insta::assert_snapshot!(text, @r#"
    txgen: commit COMMIT ("Merge branch 'side' into txgen/demo") is a merge: a series is a line of commits, `git rebase COMMIT` makes one
    "#);
}

#[test]
fn another_base() {
    let text = refusal(concat!(
        "git checkout --quiet --orphan other\ngit commit --quiet -m 'net: another beginning'\n",
        "git branch --quiet -f txgen/demo other\ngit checkout --quiet txgen/demo"
    ));
    insta::assert_snapshot!(text, @r#"
    txgen: refs/heads/txgen/demo does not stand on main (COMMIT): `txgen rebase demo --onto` moves a series to another base
    "#);
}

#[test]
fn an_empty_commit() {
    insta::assert_snapshot!(refusal("git commit --quiet --allow-empty -m 'net: nothing'"), @r#"
    txgen: commit COMMIT ("net: nothing") changes nothing: drop it, or squash it into the commit it belongs to
    "#);
}

#[test]
fn a_fixup_that_waits() {
    let text = refusal("echo 'x = 1' >> Makefile\ngit commit --quiet --all --fixup HEAD");
    insta::assert_snapshot!(text, @r#"
    txgen: commit COMMIT ("fixup! net: subtract in two") waits to be squashed: `git rebase -i --autosquash COMMIT`
    "#);
}

#[test]
fn a_binary_file_a_link_a_mode_and_a_submodule() {
    let binary = refusal("printf 'a\\0b' > net/core/x.bin\ngit add -f net\ngit commit --quiet -m 'net: x'");
    insta::assert_snapshot!(binary, @r#"
    txgen: commit COMMIT ("net: x"): net/core/x.bin is binary: a series has text files only
    "#);
    let link = refusal("ln -s skbuff.c net/core/x.c\ngit add net\ngit commit --quiet -m 'net: x'");
    insta::assert_snapshot!(link, @r#"
    txgen: commit COMMIT ("net: x"): net/core/x.c is a symbolic link: a series has text files only
    "#);
    let mode = refusal("chmod +x net/core/skbuff.c\ngit commit --quiet --all -m 'net: x'");
    insta::assert_snapshot!(mode, @r#"
    txgen: commit COMMIT ("net: x"): net/core/skbuff.c changes its mode from 100644 to 100755, which a .diff can not hold
    "#);
    let submodule = refusal(
        "git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),net/sub\ngit commit --quiet -m 'net: x'",
    );
    insta::assert_snapshot!(submodule, @r#"
    txgen: commit COMMIT ("net: x"): net/sub is a submodule: a series has text files only
    "#);
}

#[test]
fn messages_that_do_not_fit() {
    insta::assert_snapshot!(refusal("git commit --quiet --amend -m '[PATCH] net: x'"), @r#"
    txgen: commit COMMIT ("[PATCH] net: x"): its message does not fit into a .msg file: 1: the subject has a tag: `[PATCH ...]` is added to the mail
    "#);
    insta::assert_snapshot!(refusal("printf 'net: x\\nmore\\n' | git commit --quiet --amend -F -"), @r#"
    txgen: commit COMMIT ("net: x"): its message does not fit into a .msg file: 2: there is no blank line after the subject
    "#);
    // git itself names the encoding of what it commits; another program may not.
    let undecodable = concat!(
        "git cat-file commit HEAD | sed 's/^net: .*/net: \\xe9/' > ../commit\n",
        "git update-ref HEAD $(git hash-object -t commit -w --stdin --literally < ../commit)"
    );
    insta::assert_snapshot!(refusal(undecodable), @r#"
    txgen: commit COMMIT: its message is no UTF-8, nor anything that an encoding named there makes of it: write it anew (`git rebase -i`, and `git commit --amend` there): invalid utf-8 sequence of 1 bytes from index 5
    "#);
    let misnamed = concat!(
        "git cat-file commit HEAD | sed 's/^net: .*/net: \\xe9/;s/^\\(committer .*\\)/\\1\\nencoding x-unknown/' > ../commit\n",
        "git update-ref HEAD $(git hash-object -t commit -w --stdin --literally < ../commit)"
    );
    assert!(refusal(misnamed).starts_with("txgen: commit COMMIT: its message is no UTF-8"));
}

#[test]
fn a_file_that_comes_and_goes() {
    let text = refusal(concat!(
        "printf 'int x;\\n' > net/core/x.c\ngit add net\ngit commit --quiet -m 'net: add x'\n",
        "git rm --quiet net/core/x.c\ngit commit --quiet -m 'net: drop x'"
    ));
    insta::assert_snapshot!(text, @r#"
    txgen: net/core/x.c is added by commit COMMIT ("net: add x") and removed by a later one, COMMIT ("net: drop x"): squash them, or leave it out with `--fold net/core/x.c`
    "#);
}

#[test]
fn a_new_file_that_two_patches_change_needs_a_flag() {
    let project = project();
    sh(&project, "sed -i 's/return 1;/return 100;/' net/core/txbuf.c\ngit commit --quiet --all --amend --no-edit");
    let before = files(&project);
    let ran = refresh(&project, &[]).expect(2);
    insta::assert_snapshot!(ran.stderr.replace(&project.git("linux", &["rev-parse", "HEAD~2"])[..12], "COMMIT"), @r#"
    txgen: net/core/txbuf.c:5: in commit COMMIT ("net: add txbuf") the file has "\treturn 1;", and its last form without what later patches add has "\treturn 100;": a new file is kept in its last form alone. Squash the later change into the commit that adds these lines, or let it come there with `--fold net/core/txbuf.c`
    "#);
    assert_eq!(files(&project), before);
    refresh(&project, &["--fold", "net/core/txbuf.c"]).expect(0);
    assert!(project.read("p/kernel-overlay/net/core/txbuf.c").contains("return 100;"));
}

#[test]
fn a_series_that_was_edited_on_both_sides_is_a_conflict() {
    let project = project();
    sh(&project, "git commit --quiet --amend -m 'net: subtract b' -m 'It is better.'");
    project.write("p/series/demo/one.msg", "net: add ten to one\n\nIt is needed, too.\n");
    let before = files(&project);
    let ran = refresh(&project, &[]).expect(3);
    insta::assert_snapshot!(ran.stderr, @r#"
    txgen: series demo was changed on disk after its branch was set (first at patch one), and the branch was edited, too: take one of them back. `txgen apply demo --discard` drops the edits of the branch, its commits stay in the branch's reflog
    "#);
    assert_eq!(files(&project), before);
}

#[test]
fn another_base_than_the_recorded_one() {
    let project = project();
    project.git("linux", &["checkout", "--quiet", "main"]);
    sh(&project, "echo 'x = 1' >> Makefile\ngit commit --quiet --all -m upstream");
    let ran = refresh(&project, &[]).expect(2);
    insta::assert_snapshot!(ran.stderr, @r#"
    txgen: series demo is for base old, and main is another: `txgen rebase demo --onto main` moves the series there first, so that what the branch has can be told from what the bases differ in
    "#);
}

#[test]
fn names_that_are_wrong() {
    let project = project();
    let wrong = |name: &str| refresh(&project, &["--name", name]).expect(2).stderr;
    insta::assert_snapshot!(wrong("x"), @r#"
    txgen: --name x: it is COMMIT=NAME
    "#);
    insta::assert_snapshot!(wrong("abcdef=x"), @r#"
    txgen: the branch has no commit abcdef
    "#);
    let head = project.git("linux", &["rev-parse", "HEAD"]);
    insta::assert_snapshot!(wrong(&format!("{}=Not This", &head[..12])), @r#"
    txgen: "Not This" is no name of a patch: lower case letters, digits, `-`, `_` and `.` only
    "#);
}

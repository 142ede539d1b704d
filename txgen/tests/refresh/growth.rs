// SPDX-License-Identifier: GPL-2.0
//! New files that later commits change: an error that names commit, file and line, and ways out that work.

use super::common::{Ran, TestProject};
use super::linux::{assert_same_again, content, files, project, refresh, sh};

/// Two commits on top of the branch: one adds a Makefile, one lets it grow.
const GROWS: &str = concat!(
    "mkdir net/x\necho 'obj-y := a.o' > net/x/Makefile\ngit add -f net/x\ngit commit --quiet -m 'net: new' -m 'Why.'\n",
    "echo 'obj-y += b.o' >> net/x/Makefile\ngit commit --quiet --all -m 'net: grow' -m 'Why not.'"
);

/// The standard error of a run, with commits in place of their ids.
fn said(project: &TestProject, ran: &Ran) -> String {
    let mut text = ran.stderr.clone();
    for commit in project.git("linux", &["log", "--format=%H", "--all"]).lines() {
        text = text.replace(&commit[..12], "COMMIT");
    }
    text
}

/// How refresh refuses a branch; nothing is changed.
fn refused(project: &TestProject) -> String {
    let before = files(project);
    let ran = refresh(project, &[]).expect(2);
    assert_eq!(files(project), before);
    said(project, &ran)
}

#[test]
fn a_file_without_items_that_grows_names_commit_file_and_line_and_squashing_helps() {
    let project = project();
    sh(&project, GROWS);
    insta::assert_snapshot!(refused(&project), @r#"
    txgen: net/x/Makefile:2: in commit COMMIT ("net: new") the file has ended, and its last form without what later patches add has "obj-y += b.o": a new file is kept in its last form alone. Squash the later change into the commit that adds these lines, or let it come there with `--fold net/x/Makefile`
    "#);
    sh(&project, "git reset --quiet --soft HEAD~1\ngit commit --quiet --amend --no-edit");
    refresh(&project, &[]).expect(0);
    assert_same_again(&project);
}

#[test]
fn a_commit_of_which_folding_leaves_nothing_is_no_patch_and_its_message_is_shown() {
    let project = project();
    sh(&project, GROWS);
    let fold = ["--fold", "net/x/Makefile"];
    let ran = refresh(&project, &fold).expect(0);
    let commit = project.git("linux", &["rev-parse", "HEAD"]);
    insta::assert_snapshot!(ran.stdout.replace(&commit[..12], "COMMIT"), @r#"
    as it was            one                          net: add ten to one
    as it was            txbuf                        net: add txbuf
    as it was            more                         net: add more of txbuf
    as it was            two                          net: subtract in two
    new                  new                          net: new
    note: commit COMMIT ("net: grow") changes net/x/Makefile alone, which --fold lets come earlier: it is no patch, and its message is not in the series:
        net: grow

        Why not.
    changed: 2 files of series/demo/, 1 of kernel-overlay/
    "#);
    assert_eq!(project.read("p/kernel-overlay/net/x/Makefile"), "obj-y := a.o\nobj-y += b.o\n");
    // The branch still has both, and can be read and edited further.
    let again = refresh(&project, &fold).expect(0);
    assert!(again.stdout.ends_with("series/demo/ has all of it already\n"), "{}", again.stdout);
    sh(&project, "echo 'obj-y += c.o' >> net/x/Makefile\ngit commit --quiet --all --amend --no-edit");
    assert!(refused(&project).contains("`--fold net/x/Makefile`"));
    refresh(&project, &fold).expect(0);
    // Once it is applied it has what the series says.
    sh(&project, "git checkout --quiet --detach");
    project.txgen(&["apply", "demo", "--tree", "../linux", "--base", "main"]).expect(0);
    sh(&project, "git checkout --quiet txgen/demo");
    assert_eq!(project.git("linux", &["rev-list", "--count", "main..txgen/demo"]), "5\n");
    let again = refresh(&project, &[]).expect(0);
    assert!(again.stdout.ends_with("series/demo/ has all of it already\n"), "{}", again.stdout);
    assert_same_again(&project);
}

#[test]
fn a_commit_with_more_than_the_growth_stays_when_it_is_folded() {
    let project = project();
    sh(&project, &GROWS.replace("git commit --quiet --all", "echo 'x = 1' >> Makefile\ngit commit --quiet --all"));
    refresh(&project, &["--fold", "net/x/Makefile"]).expect(0);
    assert!(project.read("p/series/demo/grow.diff").contains("+x = 1"));
    let again = refresh(&project, &["--fold", "net/x/Makefile"]).expect(0);
    assert!(again.stdout.ends_with("series/demo/ has all of it already\n"), "{}", again.stdout);
}

#[test]
fn an_item_that_a_commit_changes_and_nothing_more_names_the_commit_that_adds_it() {
    let project = project();
    sh(
        &project,
        concat!(
            "sed -i 's/return 1;/return 100;/' net/core/txbuf.c\n",
            "git commit --quiet --all -m 'net: a hundred' -m 'It is more.'"
        ),
    );
    insta::assert_snapshot!(refused(&project), @r#"
    txgen: net/core/txbuf.c:5: in commit COMMIT ("net: add txbuf") the file has "\treturn 1;", and its last form without what later patches add has "\treturn 100;": a new file is kept in its last form alone. Squash the later change into the commit that adds these lines, or let it come there with `--fold net/core/txbuf.c`
    "#);
    let ran = refresh(&project, &["--fold", "net/core/txbuf.c"]).expect(0);
    assert!(ran.stdout.contains("(\"net: a hundred\") changes net/core/txbuf.c alone"), "{}", ran.stdout);
    assert!(project.read("p/series/demo/series.toml").contains("net_txbuf_more\"]"), "items still come one by one");
    project.git("linux", &["checkout", "--quiet", "--detach"]);
    project.txgen(&["apply", "demo", "--tree", "../linux", "--base", "main"]).expect(0);
    assert!(content(&project, "txgen/demo").lines().all(|line| line != "net: a hundred"));
}

#[test]
fn a_file_that_comes_and_goes_is_left_out_by_folding() {
    let project = project();
    sh(
        &project,
        concat!(
            "echo x > net/core/x.rst\ngit add -f net\ngit commit --quiet -m 'net: add x' -m 'Why.'\n",
            "git rm --quiet net/core/x.rst\necho 'x = 1' >> Makefile\ngit commit --quiet --all -m 'net: drop x' -m 'Why.'"
        ),
    );
    assert!(refused(&project).contains("or leave it out with `--fold net/core/x.rst`"));
    let ran = refresh(&project, &["--fold", "net/core/x.rst"]).expect(0);
    assert!(ran.stdout.contains("(\"net: add x\") changes net/core/x.rst alone"), "{}", ran.stdout);
    assert!(!project.path("p/kernel-overlay/net/core/x.rst").exists());
    assert!(project.read("p/series/demo/drop-x.diff").contains("+x = 1"));
}

#[test]
fn a_file_that_comes_goes_and_comes_again_names_its_commits_and_folds() {
    let project = project();
    sh(
        &project,
        concat!(
            "printf 'int x;\\n' > net/core/x.c\ngit add -f net\ngit commit --quiet -m 'net: add x' -m 'Why.'\n",
            "git rm --quiet net/core/x.c\ngit commit --quiet -m 'net: drop x' -m 'Why.'\n",
            "printf 'int x;\\nint y;\\n' > net/core/x.c\ngit add -f net\ngit commit --quiet -m 'net: again' -m 'Why.'"
        ),
    );
    insta::assert_snapshot!(refused(&project), @r#"
    txgen: net/core/x.c is added by commit COMMIT ("net: add x"), removed by commit COMMIT ("net: drop x"), and added again by commit COMMIT ("net: again"): squash these commits into one, or let it come with the first of them with `--fold net/core/x.c`
    "#);
    let ran = refresh(&project, &["--fold", "net/core/x.c"]).expect(0);
    assert!(ran.stdout.contains("(\"net: drop x\") changes net/core/x.c alone"), "{}", ran.stdout);
    assert_eq!(project.read("p/kernel-overlay/net/core/x.c"), "int x;\nint y;\n");
    sh(&project, "git reset --quiet --soft HEAD~3\ngit commit --quiet -m 'net: add x' -m 'Why.'");
    refresh(&project, &[]).expect(0);
    assert_same_again(&project);
}

#[test]
fn a_name_of_items_of_two_commits_names_both_and_folds() {
    let project = project();
    sh(
        &project,
        concat!(
            "printf '#ifdef B\\n#define A 1\\n#endif\\n' > net/core/x.h\ngit add -f net\n",
            "git commit --quiet -m 'net: add x' -m 'Why.'\n",
            "printf '#ifdef B\\n#define A 1\\n#else\\n#define A 2\\n#endif\\n' > net/core/x.h\n",
            "git commit --quiet --all -m 'net: more' -m 'Why.'"
        ),
    );
    insta::assert_snapshot!(refused(&project), @r#"
    txgen: net/core/x.h:4: A is a name of items that come in different patches, commit COMMIT ("net: more") and commit COMMIT ("net: add x"): squash these, or let them all come with `--fold net/core/x.h`
    "#);
    refresh(&project, &["--fold", "net/core/x.h"]).expect(0);
    sh(&project, "git reset --quiet --soft HEAD~2\ngit commit --quiet -m 'net: add x' -m 'Why.'");
    refresh(&project, &[]).expect(0);
    assert_same_again(&project);
}

#[test]
fn a_file_that_is_no_c_to_the_parser_comes_as_a_whole() {
    let project = project();
    sh(
        &project,
        concat!(
            "printf 'int f(void)\\n{\\n' > net/core/x.c\ngit add -f net\n",
            "git commit --quiet -m 'net: add x' -m 'Why.'\nprintf 'int a;\\n' >> net/core/x.c\n",
            "git commit --quiet --all -m 'net: more' -m 'Why.'"
        ),
    );
    let text = refused(&project);
    assert!(text.starts_with("txgen: net/core/x.c:3: in commit COMMIT (\"net: add x\") the file has ended"), "{text}");
    refresh(&project, &["--fold", "net/core/x.c"]).expect(0);
    assert!(project.read("p/kernel-overlay/net/core/x.c").ends_with("int a;\n"));
}

#[test]
fn a_new_file_of_another_series_names_the_commit_and_another_name_helps() {
    let project = project();
    sh(&project, "git checkout --quiet --detach main");
    let new = ["new", "fresh", "--title", "net: fresh", "--base", "old"];
    project.txgen(&new).expect(0);
    let fresh = |command: &str| project.txgen(&[command, "fresh", "--tree", "../linux", "--base", "main"]);
    fresh("apply").expect(0);
    sh(
        &project,
        concat!(
            "git checkout --quiet txgen/fresh\nprintf 'int x;\\n' > net/core/txbuf.c\ngit add -f net\n",
            "git commit --quiet -m 'net: txbuf, too' -m 'Why.'"
        ),
    );
    let ran = fresh("refresh").expect(2);
    insta::assert_snapshot!(said(&project, &ran), @r#"
    txgen: net/core/txbuf.c is new in commit COMMIT ("net: txbuf, too"), and is a file of another series: kernel-overlay/ has one of a name. Call it otherwise, or let this series stand on that one (`depends`)
    "#);
    sh(&project, "git mv net/core/txbuf.c net/core/other.c\ngit commit --quiet --amend --no-edit");
    fresh("refresh").expect(0);
}

#[test]
fn only_new_files_of_the_branch_fold() {
    let project = project();
    sh(&project, GROWS);
    let text = |path: &str| refresh(&project, &["--fold", path]).expect(2).stderr;
    insta::assert_snapshot!(text("net/y/Makefile"), @"txgen: --fold net/y/Makefile: no commit of the branch changes a file of this name");
    insta::assert_snapshot!(text("net/core/skbuff.c"), @"txgen: --fold net/core/skbuff.c: it is a file of the base, and only new files fold");
}

#[test]
fn an_import_folds_as_a_refresh_does() {
    let project = project();
    sh(
        &project,
        &format!("git checkout --quiet -b work main\n{GROWS}\ngit format-patch --quiet --stdout main > ../work.mbox"),
    );
    let before = files(&project);
    let import =
        |args: &[&str]| project.txgen(&[&["import", "grown", "--tree", "../linux", "--base", "main"], args].concat());
    for from in [["branch", "work"], ["mbox", "../work.mbox"]] {
        let ran = import(&from).expect(2);
        let text = ran.stderr.lines().last().unwrap_or_default();
        assert!(text.starts_with("txgen: net/x/Makefile:2: in commit ") && text.contains("(\"net: new\")"), "{text}");
        assert!(text.ends_with("`--fold net/x/Makefile`"), "{text}");
        assert_eq!(files(&project), before);
        let ran = import(&[&from[..], &["--fold", "net/x/Makefile"]].concat()).expect(0);
        assert!(ran.stdout.contains("(\"net: grow\") changes net/x/Makefile alone"), "{}", ran.stdout);
        // The branch has what the series makes.
        assert_eq!(project.git("linux", &["rev-list", "--count", "main..txgen/grown"]), "1\n");
        let ran = project.txgen(&["refresh", "grown", "--tree", "../linux", "--base", "main"]).expect(0);
        assert!(ran.stdout.ends_with("series/grown/ has all of it already\n"), "{}", ran.stdout);
        project.txgen(&["apply", "grown", "--tree", "../linux", "--base", "main"]).expect(0);
        std::fs::remove_dir_all(project.path("p/series/grown")).unwrap();
        std::fs::remove_dir_all(project.path("p/kernel-overlay/net/x")).unwrap();
        // The branch would be somebody else's for a series that is not there.
        project.git("linux", &["branch", "-q", "-D", "txgen/grown"]);
    }
    let help = project.txgen(&["import", "--help"]).expect(0).stdout;
    assert!(help.contains("--fold <PATH>") && help.contains("squash these commits, or give --fold"), "{help}");
}

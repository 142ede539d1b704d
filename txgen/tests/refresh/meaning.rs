// SPDX-License-Identifier: GPL-2.0
//! Branch and series are the same where they say the same: no way to write a message down locks a series up.

use super::common::TestProject;
use super::linux::{assert_same_again, content, project, refresh, sh};

/// The last commit with another message, as `printf` makes it, kept byte by byte.
fn verbatim(message: &str) -> String {
    format!("printf '{message}' | git commit --quiet --amend --cleanup=verbatim --file=-")
}

/// Ways to write the last commit anew, and whether that is an edit.
fn ways() -> Vec<(&'static str, String, bool)> {
    let text = "net: subtract in two\\n\\nIt is wrong otherwise.";
    let edited = "net: subtract in two\\n\\nIt is wrong.";
    vec![
        ("a note below ---", verbatim(&format!("{text}\\n---\\nv2: better\\n")), true),
        ("a note below --- with a blank", verbatim(&format!("{text}\\n--- \\nv2: better\\n\\n\\nmore\\n")), true),
        ("an empty note", verbatim(&format!("{text}\\n---\\n")), false),
        ("no newline at the end", verbatim(text), false),
        ("newlines at the end", verbatim(&format!("{text}\\n\\n\\n")), false),
        ("blank lines at the beginning", verbatim(&format!("\\n\\n{text}\\n")), false),
        ("two blank lines below the subject", verbatim(&text.replace("\\n\\n", "\\n\\n\\n")), false),
        ("blanks in the line below the subject", verbatim(&text.replace("\\n\\n", "\\n \\t\\n")), false),
        ("blanks at the end of lines", verbatim(&format!("{} \\t\\n", text.replace("\\n\\n", "  \\n\\n"))), false),
        ("carriage returns", verbatim(&format!("{}\\r\\n", text.replace("\\n", "\\r\\n"))), false),
        ("an edit with blanks at the end of lines", verbatim(&format!("{edited}  \\nMore. \\n")), true),
        ("an edit with two blank lines", verbatim(&format!("{edited}\\n\\n\\nMore.\\n\\n\\n")), true),
        ("lines like comments", verbatim(&format!("{edited}\\n# a comment\\n\\n#define A\\n")), true),
        ("a line of dashes", verbatim(&format!("{edited}\\n----\\nMore.\\n")), true),
        ("StGit's editor", "stg init\nstg uncommit one\nprintf 'From: Test Author <author@example.org>\\n\\n' > ../m\n\
            stg edit --save-template=../m\nstg edit --file=../m".to_owned(), false),
        ("another committer", "GIT_COMMITTER_NAME=Other GIT_COMMITTER_EMAIL=other@example.org git rebase --quiet --force-rebase main"
            .to_owned(), false),
        ("Latin-1", "printf 'net: gr\\303\\266\\303\\237e\\n\\nCaf\\303\\251.\\n' | iconv -f UTF-8 -t latin1 | \
            git -c i18n.commitEncoding=ISO-8859-1 commit --quiet --amend --file=- --author='Jos\u{e9} <jose@example.org>'"
            .to_owned(), true),
        ("Shift-JIS", "printf 'net: \\343\\203\\206\\343\\202\\271\\343\\203\\210\\n\\nWhy.\\n' | iconv -f UTF-8 -t SHIFT-JIS | \
            git -c i18n.commitEncoding=SHIFT-JIS commit --quiet --amend --file=-".to_owned(), true),
        ("ISO-2022-JP, which is ASCII to the eye", "printf 'net: \\343\\203\\206\\343\\202\\271\\343\\203\\210\\n\\nWhy.\\n' | \
            iconv -f UTF-8 -t ISO-2022-JP | git -c i18n.commitEncoding=ISO-2022-JP commit --quiet --amend --file=-".to_owned(), true),
    ]
}

fn txgen(project: &TestProject, args: &[&str]) -> super::common::Ran {
    project.txgen(&[args, &["--tree", "../linux", "--base", "main"]].concat())
}

/// Each third of the ways, from `first` on.
fn no_way_locks_up(first: usize) {
    for (title, script, is_edit) in ways().into_iter().skip(first).step_by(3) {
        let project = project();
        sh(&project, &script);
        let head = project.git("linux", &["rev-parse", "txgen/demo"]);
        if !is_edit {
            // It is what the series says, before a refresh, too.
            let ran = txgen(&project, &["apply", "demo"]);
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{title}");
        }
        let first = refresh(&project, &[]);
        assert_eq!(first.code, 0, "{title}: {}", first.stderr);
        assert_eq!(first.stdout.ends_with("has all of it already\n"), !is_edit, "{title}: {}", first.stdout);
        let again = refresh(&project, &[]);
        assert_eq!((again.code, again.stderr.as_str()), (0, ""), "{title}");
        assert!(again.stdout.ends_with("has all of it already\n"), "{title}: {}", again.stdout);
        txgen(&project, &["apply", "demo"]).expect(0);
        assert_eq!(project.git("linux", &["rev-parse", "txgen/demo"]), head, "{title}");
        sh(&project, "sed -i 's/b - a/b - 2 * a/' net/core/skbuff.c\ngit commit --quiet --all --amend --no-edit");
        let amended = refresh(&project, &[]);
        assert_eq!(amended.code, 0, "{title}: {}", amended.stderr);
        assert!(project.read("p/series/demo/two.diff").contains("b - 2 * a"), "{title}");
        sh(&project, "git checkout --quiet --detach");
        txgen(&project, &["move", "demo", "two", "--first"]).expect(0);
        txgen(&project, &["drop", "demo", "more"]).expect(0);
        let rebased = project.txgen(&["rebase", "demo", "--onto", "old"]);
        assert_eq!(rebased.code, 0, "{title}: {}", rebased.stderr);
        project.git("linux", &["show", "txgen/demo"]);
    }
}

#[test]
fn no_way_to_write_a_message_locks_a_series_up_first_third() {
    no_way_locks_up(0);
}

#[test]
fn no_way_to_write_a_message_locks_a_series_up_second_third() {
    no_way_locks_up(1);
}

#[test]
fn no_way_to_write_a_message_locks_a_series_up_last_third() {
    no_way_locks_up(2);
}

#[test]
fn commits_in_other_encodings_come_as_utf_8() {
    let project = project();
    sh(
        &project,
        "printf 'net: gr\\303\\266\\303\\237e\\n\\nCaf\\303\\251.\\n' | iconv -f UTF-8 -t latin1 > ../m\n\
         git -c i18n.commitEncoding=ISO-8859-1 commit --quiet --amend --file=../m --author=\"$(printf 'Jos\\351') <jose@example.org>\"",
    );
    refresh(&project, &[]).expect(0);
    let text = project.read("p/series/demo/two.msg");
    assert_eq!(text, "From: José <jose@example.org>\n\nnet: größe\n\nCafé.\n");
    let first = content(&project, "txgen/demo");
    assert_same_again(&project);
    assert_eq!(content(&project, "txgen/demo"), first);
}

#[test]
fn a_branch_that_was_made_anew_by_git_is_the_series_for_all_commands() {
    let project = project();
    sh(&project, "git rebase --quiet --force-rebase main\ngit checkout --quiet --detach");
    let head = project.git("linux", &["rev-parse", "txgen/demo"]);
    let state = txgen(&project, &["status", "demo"]).expect(0).stdout;
    assert!(state.contains("branch txgen/demo: applied\n"), "{state}");
    // It is moved, as nothing is on it that the series does not have.
    txgen(&project, &["move", "demo", "two", "--first"]).expect(0);
    assert_ne!(project.git("linux", &["rev-parse", "txgen/demo"]), head);
    // A rebase names `txgen apply` as the way out, which is one.
    sh(
        &project,
        "git checkout --quiet txgen/demo\ngit rebase --quiet --force-rebase main\ngit checkout --quiet --detach",
    );
    let rebase = ["rebase", "demo", "--onto", "main", "--tree", "../linux"];
    let text = project.txgen(&rebase).expect(2).stderr;
    assert!(text.contains("or set it with `txgen apply demo`"), "{text}");
    txgen(&project, &["apply", "demo"]).expect(0);
    project.txgen(&rebase).expect(0);
}

#[test]
fn a_note_in_the_branch_alone_is_not_lost_by_a_move() {
    let project = project();
    sh(&project, &verbatim("net: subtract in two\\n\\nIt is wrong otherwise.\\n---\\nv2: better\\n"));
    sh(&project, "git checkout --quiet --detach");
    txgen(&project, &["apply", "demo"]).expect(0);
    let text = txgen(&project, &["move", "demo", "two", "--first"]).expect(2).stderr;
    assert!(text.contains("`txgen refresh demo` takes it in"), "{text}");
    refresh(&project, &[]).expect(0);
    txgen(&project, &["move", "demo", "two", "--first"]).expect(0);
    assert!(project.read("p/series/demo/two.msg").ends_with("---\nv2: better\n"));
}

#[test]
fn a_note_of_the_series_that_was_changed_on_disk_stays() {
    let project = project();
    let two = "net: subtract in two\\n\\nIt is wrong otherwise.\\n---\\nv2: better\\n";
    sh(&project, &verbatim(two));
    refresh(&project, &[]).expect(0);
    let msg = project.read("p/series/demo/two.msg").replace("v2: better", "v3: best");
    project.write("p/series/demo/two.msg", &msg);
    sh(&project, "sed -i 's/b - a/b - 2 * a/' net/core/skbuff.c\ngit commit --quiet --all --amend --no-edit");
    refresh(&project, &[]).expect(0);
    assert_eq!(project.read("p/series/demo/two.msg"), msg);
    // Both sides changed it.
    project.write("p/series/demo/two.msg", &msg.replace("v3: best", "v4: the end"));
    sh(&project, &verbatim(&two.replace("v2", "v5")));
    let text = refresh(&project, &[]).expect(3).stderr;
    assert!(text.contains("in the text below --- of patch two"), "{text}");
}

#[test]
fn what_apply_signs_off_is_none_of_the_series_beside_a_note_either() {
    let project = project();
    sh(&project, "git checkout --quiet --detach");
    txgen(&project, &["apply", "demo", "--signoff"]).expect(0);
    sh(&project, "git checkout --quiet txgen/demo\ngit log -1 --format=%B > ../m\nprintf -- '---\\nv2\\n' >> ../m");
    sh(&project, "git commit --quiet --amend --cleanup=verbatim --file=../m");
    for _ in 0..2 {
        refresh(&project, &[]).expect(0);
        let two = project.read("p/series/demo/two.msg");
        assert_eq!(two, "net: subtract in two\n\nIt is wrong otherwise.\n---\nv2\n");
        sh(&project, "git commit --quiet --amend --no-edit --date=2026-11-24T00:00:00Z");
    }
}

#[test]
fn a_series_changed_on_disk_alone_has_nothing_to_read_back() {
    let project = project();
    project.write("p/series/demo/one.msg", "net: add ten to one\n\nIt is needed, too.\n");
    let text = refresh(&project, &[]).expect(3).stderr;
    insta::assert_snapshot!(text, @r#"
    txgen: series demo was changed on disk after its branch was set (first at patch one), and the branch was not edited since: there is nothing to read back. `txgen apply demo` sets the branch anew
    "#);
    sh(&project, "git checkout --quiet --detach");
    txgen(&project, &["move", "demo", "two", "--first"]).expect(0);
}

#[test]
fn edits_made_on_both_sides_alike_are_no_conflict() {
    let project = project();
    sh(&project, "git commit --quiet --amend -m 'net: subtract b' -m 'It is better.'");
    project.write("p/series/demo/two.msg", "net: subtract b\n\nIt is better.\n");
    let ran = refresh(&project, &[]).expect(0);
    assert!(ran.stdout.ends_with("has all of it already\n"), "{}", ran.stdout);
}

#[test]
fn a_series_that_lost_patches_on_disk_is_a_conflict_that_names_the_commit() {
    let project = project();
    sh(&project, "git commit --quiet --amend -m 'net: subtract b'");
    let toml = project.read("p/series/demo/series.toml");
    let (head, _) = toml.split_once("\n[[patch]]").unwrap();
    project.write("p/series/demo/series.toml", head);
    for file in ["one.diff", "one.msg", "txbuf.diff", "txbuf.msg", "more.msg", "two.diff", "two.msg"] {
        std::fs::remove_file(project.path(&format!("p/series/demo/{file}"))).unwrap();
    }
    std::fs::remove_dir_all(project.path("p/kernel-overlay")).unwrap();
    let text = refresh(&project, &[]).expect(3).stderr;
    assert!(text.contains("it has no patch of commit ") && text.contains("(\"net: add ten to one\")"), "{text}");
}

// SPDX-License-Identifier: GPL-2.0
//! Edits of a branch with git, each read back: what refresh tells of them, and that applying gives the branch again.

use super::linux::{assert_same_again, content, files, project, refresh, sh};

/// What is done to the branch, and what refresh says of each patch that is not as it was.
struct Scenario {
    title: &'static str,
    script: &'static str,
    told: &'static [&'static str],
}

/// `git rebase -i` with a list that sed makes of the one git offers; the commits are on lines 1 to 4.
macro_rules! todo {
    ($sed:literal) => {
        concat!("GIT_SEQUENCE_EDITOR=\"sed -i '", $sed, "'\" git rebase --quiet -i main 2>/dev/null\n")
    };
}

const SCENARIOS: &[Scenario] = &[
    Scenario { title: "nothing", script: "", told: &[] },
    Scenario { title: "new dates alone", script: "git rebase --quiet --force-rebase main", told: &[] },
    Scenario {
        title: "reword the last",
        script: "git commit --quiet --amend -m 'net: subtract b' -m 'It is better.'",
        told: &["message two"],
    },
    Scenario {
        title: "a message with only a subject",
        script: "git commit --quiet --amend -m 'net: subtract b'",
        told: &["message two"],
    },
    Scenario {
        title: "reword the subject of the first",
        script: concat!(
            "GIT_SEQUENCE_EDITOR=\"sed -i '1s/pick/reword/'\" GIT_EDITOR=\"sed -i '1s/ten/10/'\" ",
            "git rebase --quiet -i main 2>/dev/null"
        ),
        told: &["message one"],
    },
    Scenario {
        title: "amend the last",
        script: "sed -i 's/b - a/b - 2 * a/' net/core/skbuff.c\ngit commit --quiet --all --amend --no-edit",
        told: &["edits two"],
    },
    Scenario {
        title: "amend and reword the last",
        script: "sed -i 's/b - a/b - 2 * a/' net/core/skbuff.c\ngit commit --quiet --all --amend -m 'net: twice'",
        told: &["message, edits two"],
    },
    Scenario {
        title: "fixup of the first",
        script: concat!(
            "sed -i 's/a + 10/a + 11/' net/core/skbuff.c\n",
            "git commit --quiet --all --fixup ':/net: add ten'\ngit rebase --quiet -i --autosquash main"
        ),
        told: &["edits one"],
    },
    Scenario {
        title: "fixup of a new file's first patch",
        script: concat!(
            "sed -i 's/return 1;/return 100;/' net/core/txbuf.c\n",
            "git commit --quiet --all --fixup ':/net: add txbuf'\ngit rebase --quiet -i --autosquash main"
        ),
        // What is around the item of the next one is another text, too.
        told: &["edits txbuf", "edits more"],
    },
    Scenario {
        title: "fixup of an item that comes later",
        script: concat!(
            "sed -i 's/return 2;/return 22;/' net/core/txbuf.c\n",
            "git commit --quiet --all --fixup ':/net: add more'\ngit rebase --quiet -i --autosquash main"
        ),
        told: &["edits more"],
    },
    Scenario {
        title: "squash with both messages",
        script: concat!(
            "sed -i 's/a + 10/a + 11/' net/core/skbuff.c\n",
            "git commit --quiet --all --squash ':/net: add ten' -m 'And one.'\n",
            "git rebase --quiet -i --autosquash main 2>/dev/null"
        ),
        told: &["message, edits one"],
    },
    Scenario { title: "drop the first", script: todo!("1d"), told: &["dropped one"] },
    Scenario { title: "drop the last", script: "git reset --quiet --hard HEAD~1", told: &["dropped two"] },
    Scenario { title: "drop the one with an item", script: todo!("3d"), told: &["dropped more"] },
    Scenario { title: "drop all that has a new file", script: todo!("2,3d"), told: &["dropped txbuf", "dropped more"] },
    Scenario {
        title: "move the last to the front",
        script: concat!(
            "cat > ../order <<'END'\n#!/bin/sh\nsed -n 4p \"$1\" > \"$1.new\"\nsed -n 1,3p \"$1\" >> \"$1.new\"\n",
            "mv \"$1.new\" \"$1\"\nEND\nchmod +x ../order\n",
            "GIT_SEQUENCE_EDITOR=../order git rebase --quiet -i main"
        ),
        told: &["moved two"],
    },
    Scenario {
        title: "move the first to the end",
        script: concat!(
            "cat > ../order <<'END'\n#!/bin/sh\nsed -n 2,4p \"$1\" > \"$1.new\"\nsed -n 1p \"$1\" >> \"$1.new\"\n",
            "mv \"$1.new\" \"$1\"\nEND\nchmod +x ../order\n",
            "GIT_SEQUENCE_EDITOR=../order git rebase --quiet -i main"
        ),
        told: &["moved one"],
    },
    Scenario {
        title: "squash two patches into one",
        script: todo!("3s/pick/fixup/"),
        told: &["edits txbuf", "dropped more"],
    },
    Scenario {
        title: "squash the edits of the last into the first",
        script: concat!(
            "cat > ../order <<'END'\n#!/bin/sh\nsed -n 1p \"$1\" > \"$1.new\"\n",
            "sed -n '4s/pick/fixup/p' \"$1\" >> \"$1.new\"\nsed -n 2,3p \"$1\" >> \"$1.new\"\n",
            "mv \"$1.new\" \"$1\"\nEND\nchmod +x ../order\n",
            "GIT_SEQUENCE_EDITOR=../order git rebase --quiet -i main"
        ),
        told: &["edits one", "dropped two"],
    },
    Scenario {
        title: "a new patch at the end",
        script: concat!(
            "sed -i 's/a + 4/a + 40/' net/core/skbuff.c\n",
            "git commit --quiet --all -m 'net: add forty to four' -m 'It is more.'"
        ),
        told: &["new add-forty-to-four"],
    },
    Scenario {
        title: "a new patch in the middle",
        script: concat!(
            "git checkout --quiet --detach HEAD~2\nsed -i 's/a + 4/a + 40/' net/core/skbuff.c\n",
            "git commit --quiet --all -m 'net: add forty to four' -m 'It is more.'\n",
            "git cherry-pick txgen/demo~1 txgen/demo >/dev/null\ngit branch --quiet -f txgen/demo HEAD\n",
            "git checkout --quiet txgen/demo"
        ),
        told: &["new add-forty-to-four"],
    },
    Scenario {
        title: "a new file of a new patch",
        script: concat!(
            "printf 'int x;\\n' > net/core/x.c\ngit add net/core/x.c\n",
            "git commit --quiet -m 'net: add x' -m 'It is new.'"
        ),
        told: &["new add-x"],
    },
    Scenario {
        title: "a new file of a patch that is there",
        script: concat!(
            "printf '* Words\\n' > net/core/words.rst\ngit add net/core/words.rst\n",
            "git commit --quiet --amend --no-edit"
        ),
        told: &["edits two"],
    },
    Scenario {
        title: "an executable new file",
        script: concat!(
            "printf '#!/bin/sh\\n' > net/core/x.sh\nchmod +x net/core/x.sh\ngit add net/core/x.sh\n",
            "git commit --quiet --amend --no-edit"
        ),
        told: &["edits two"],
    },
    Scenario {
        title: "a new item of a new file in a patch that had nothing of it",
        script: concat!(
            "printf '\\nint net_txbuf_third(void)\\n{\\n\\treturn 3;\\n}\\n' >> net/core/txbuf.c\n",
            "git commit --quiet --all --amend --no-edit"
        ),
        told: &["edits two"],
    },
    Scenario {
        title: "an item moves to the patch that adds the file",
        script: todo!("3s/pick/fixup/"),
        told: &["edits txbuf", "dropped more"],
    },
    Scenario {
        title: "split the patch that adds the file",
        script: concat!(
            "git checkout --quiet --detach txgen/demo~2\ngit reset --quiet HEAD~1\ngit add net/core/txbuf.c\n",
            "git commit --quiet -m 'net: add txbuf' -m 'It is new.'\n",
            "git commit --quiet --all -m 'net: build txbuf' -m 'It is used.'\n",
            "git cherry-pick txgen/demo~1 txgen/demo >/dev/null\ngit branch --quiet -f txgen/demo HEAD\n",
            "git checkout --quiet txgen/demo"
        ),
        told: &["edits txbuf", "new build-txbuf"],
    },
    Scenario {
        title: "a file of the base goes away",
        script: "git rm --quiet net/core/skbuff.c\ngit commit --quiet -m 'net: drop skbuff' -m 'Nobody uses it.'",
        told: &["new drop-skbuff"],
    },
    Scenario {
        title: "a file without a last newline",
        script: "printf 'obj-y += y.o' >> net/core/Makefile\ngit commit --quiet --all --amend --no-edit",
        told: &["edits two"],
    },
    Scenario {
        title: "lines with a carriage return",
        script: "printf 'obj-y += y.o\\r\\n' >> net/core/Makefile\ngit commit --quiet --all --amend --no-edit",
        told: &["edits two"],
    },
    Scenario {
        title: "a new name in git keeps the patch",
        script: "git commit --quiet --amend -m 'net: call it otherwise' -m 'It is wrong otherwise.'",
        told: &["message two"],
    },
    Scenario {
        title: "the patch of another author",
        script: concat!(
            "sed -i 's/a + 4/a + 40/' net/core/skbuff.c\n",
            "git commit --quiet --all --author 'Élise Example <elise@example.org>' -m 'net: four' -m 'It is more.'"
        ),
        told: &["new four"],
    },
    Scenario {
        title: "a sign-off by hand",
        script: "git commit --quiet --amend --no-edit --signoff",
        told: &["message two"],
    },
    Scenario {
        title: "trailers of others",
        script: concat!(
            "git commit --quiet --amend --no-edit --trailer 'Reviewed-by: A Reviewer <a@example.org>' ",
            "--trailer 'Link: https://example.org/x'"
        ),
        told: &["message two"],
    },
    Scenario {
        title: "two patches of one subject",
        script: concat!(
            "sed -i 's/a + 4/a + 40/' net/core/skbuff.c\ngit commit --quiet --all -m 'net: four' -m 'First.'\n",
            "sed -i 's/a + 40/a + 400/' net/core/skbuff.c\ngit commit --quiet --all -m 'net: four' -m 'Second.'"
        ),
        told: &["new four", "new four-2"],
    },
    Scenario {
        title: "all of them anew",
        script: concat!(
            "git reset --quiet --hard main\nsed -i 's/a + 4/a + 40/' net/core/skbuff.c\n",
            "git commit --quiet --all -m 'tcp: nothing is as it was' -m 'It is more.'"
        ),
        told: &["new nothing-is-as-it-was", "dropped one", "dropped txbuf", "dropped more", "dropped two"],
    },
];

/// The patches that are not as they were, as refresh tells them.
fn told(stdout: &str) -> Vec<String> {
    let line = |line: &str| {
        let name = line.get(21..)?.split_whitespace().next()?;
        let changed = line.get(..21)?.trim();
        (!["as it was", ""].contains(&changed)).then(|| format!("{changed} {name}"))
    };
    stdout.lines().filter(|line| !line.contains("series/demo/")).filter_map(line).collect()
}

/// Each fourth of the scenarios, from `first` on: they take their time, and tests run side by side.
fn edits_come_back(first: usize) {
    let mut failed = Vec::new();
    for Scenario { title, script, told: wanted } in SCENARIOS.iter().skip(first).step_by(4) {
        let project = project();
        let before = files(&project);
        sh(&project, script);
        let ran = refresh(&project, &[]);
        if ran.code != 0 {
            failed.push(format!("{title}: exit {}: {}", ran.code, ran.stderr));
            continue;
        }
        if told(&ran.stdout) != *wanted {
            failed.push(format!("{title}: {:?}", told(&ran.stdout)));
        }
        assert_eq!(wanted.is_empty(), files(&project) == before, "{title}");
        let branch = content(&project, "txgen/demo");
        let again = refresh(&project, &[]).expect(0);
        assert!(again.stdout.ends_with("series/demo/ has all of it already\n"), "{title}: {}", again.stdout);
        assert_same_again(&project);
        assert_eq!(content(&project, "txgen/demo"), branch, "{title}");
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn edits_in_git_come_back_first_fourth() {
    edits_come_back(0);
}

#[test]
fn edits_in_git_come_back_second_fourth() {
    edits_come_back(1);
}

#[test]
fn edits_in_git_come_back_third_fourth() {
    edits_come_back(2);
}

#[test]
fn edits_in_git_come_back_last_fourth() {
    edits_come_back(3);
}

#[test]
fn an_edited_branch_is_not_lost_by_an_apply() {
    let project = project();
    sh(&project, "sed -i 's/b - a/b - 2 * a/' net/core/skbuff.c\ngit commit --quiet --all --amend --no-edit");
    let head = project.git("linux", &["rev-parse", "HEAD"]);
    let apply = ["apply", "demo", "--tree", "../linux", "--base", "main"];
    let ran = project.txgen(&apply).expect(2);
    assert!(ran.stderr.contains("`txgen refresh demo` takes it in"), "{}", ran.stderr);
    assert_eq!(project.git("linux", &["rev-parse", "txgen/demo"]), head);
    refresh(&project, &[]).expect(0);
    // What was made in git stays, as it is what the series says, though it is checked out.
    project.txgen(&apply).expect(0);
    assert_eq!(project.git("linux", &["rev-parse", "txgen/demo"]), head);
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let project = project();
    sh(&project, "git commit --quiet --amend -m 'net: subtract b' -m 'It is better.'");
    let before = files(&project);
    let ran = refresh(&project, &["--dry-run"]).expect(0);
    insta::assert_snapshot!(ran.stdout, @r#"
    as it was            one                          net: add ten to one
    as it was            txbuf                        net: add txbuf
    as it was            more                         net: add more of txbuf
    message              two                          net: subtract b
    would change: 1 files of series/demo/, 0 of kernel-overlay/
    "#);
    assert_eq!(files(&project), before);
}

#[test]
fn what_a_series_says_in_files_is_what_was_done_in_git() {
    let project = project();
    sh(
        &project,
        concat!(
            "sed -i 's/a + 4/a + 40/' net/core/skbuff.c\nprintf '\\nint net_txbuf_third(void)\\n{\\n}\\n' >> net/core/txbuf.c\n",
            "git commit --quiet --all -m 'net: four and third' -m 'Why not.'\n",
            "GIT_SEQUENCE_EDITOR=\"sed -i '1d;3s/pick/fixup/'\" git rebase --quiet -i main"
        ),
    );
    let commit = project.git("linux", &["rev-parse", "HEAD"]);
    let ran = refresh(&project, &["--name", &format!("{}=third", &commit[..12])]).expect(0);
    insta::assert_snapshot!(ran.stdout, @r#"
    edits                txbuf                        net: add txbuf
    as it was            two                          net: subtract in two
    new                  third                        net: four and third
    dropped              one
    dropped              more
    changed: 6 files of series/demo/, 1 of kernel-overlay/
    "#);
    insta::assert_snapshot!(project.read("p/series/demo/series.toml"), @r#"
    # The demo series.
    title = "net: demo"
    tree = "net-next"
    version = 1
    change-id = "20261123-demo-0123456789ab"
    base = "old"
    date = "2026-11-23T12:00:00Z"

    # The first new file.
    [[patch]]
    name = "txbuf"
    adds = ["net/core/txbuf.c"]

    [[patch]]
    name = "two"

    [[patch]]
    name = "third"
    adds = ["net/core/txbuf.c#net_txbuf_third"]

    [[exception]]
    patch = "two"
    check = "checkpatch"
    contains = "nothing"
    reason = "an example"
    "#);
    insta::assert_snapshot!(project.read("p/series/demo/third.diff"), @r#"
    diff --git a/net/core/skbuff.c b/net/core/skbuff.c
    --- a/net/core/skbuff.c
    +++ b/net/core/skbuff.c
    @@ -19,5 +19,5 @@ int skb_three(int a)
     
     int skb_four(int a)
     {
    -	return a + 4;
    +	return a + 40;
     }
    "#);
    insta::assert_snapshot!(project.read("p/series/demo/third.msg"), @r#"
    net: four and third

    Why not.
    "#);
    assert!(!project.path("p/series/demo/one.msg").exists());
}

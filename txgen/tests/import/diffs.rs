// SPDX-License-Identifier: GPL-2.0
//! Diffs of many kinds, compared with what `git am` makes of them.

use super::clone::{DIFF, Want, compare, mail};

fn case(name: &'static str, diff: &str, want: Want) -> (&'static str, Vec<u8>, Want) {
    (name, mail("", &format!("Why.\n---\n{diff}")).into_bytes(), want)
}

const NEW: &str =
    "diff --git a/net/n.c b/net/n.c\nnew file mode 100644\n--- /dev/null\n+++ b/net/n.c\n@@ -0,0 +1 @@\n+int n;\n";

const RENAME: &str = "diff --git a/net/b.c b/net/c.c\nsimilarity index 100%\nrename from net/b.c\nrename to net/c.c\n";

#[test]
fn changes_that_a_series_can_hold_are_those_of_git_am() {
    let lines = |diff: &str| diff.replace("@@ -1,4 +1,4 @@", "@@ -3,4 +3,4 @@");
    let twice = format!(
        "{DIFF}diff --git a/net/a.c b/net/a.c\n--- a/net/a.c\n+++ b/net/a.c\n@@ -1,4 +1,5 @@\n int a(void)\n {{\n+\t/* more */\n \treturn 10;\n }}\n"
    );
    let edited = RENAME.replace("100%", "80%")
        + "--- a/net/b.c\n+++ b/net/c.c\n@@ -1,4 +1,4 @@\n-int b(void)\n+int d(void)\n {\n \treturn 2;\n }\n";
    compare(&[
        case("moved lines", &lines(DIFF), Want::Same),
        case(
            "new file",
            "diff --git a/net/n.c b/net/n.c\nnew file mode 100644\n--- /dev/null\n+++ b/net/n.c\n@@ -0,0 +1 @@\n+int n;\n",
            Want::Same,
        ),
        case(
            "new program",
            "diff --git a/scripts/n.sh b/scripts/n.sh\nnew file mode 100755\n--- /dev/null\n+++ b/scripts/n.sh\n@@ -0,0 +1 @@\n+#!/bin/sh\n",
            Want::Same,
        ),
        case(
            "no newline at the end",
            "diff --git a/net/n.c b/net/n.c\nnew file mode 100644\n--- /dev/null\n+++ b/net/n.c\n@@ -0,0 +1 @@\n+int n;\n\\ No newline at end of file\n",
            Want::Same,
        ),
        case(
            "removed file",
            "diff --git a/net/a.c b/net/a.c\ndeleted file mode 100644\n--- a/net/a.c\n+++ /dev/null\n@@ -1,4 +0,0 @@\n-int a(void)\n-{\n-\treturn 1;\n-}\n",
            Want::Same,
        ),
        case("rename", RENAME, Want::Same),
        case("rename with changes", &edited, Want::Same),
        case(
            "rename headers without a rename",
            &DIFF.replace("--- a/net", "similarity index 90%\nrename from net/a.c\nrename to net/a.c\n--- a/net"),
            Want::Same,
        ),
        case(
            "a path with spaces",
            "diff --git a/net/old name.c b/net/old name.c\n--- a/net/old name.c\t\n+++ b/net/old name.c\t\n@@ -1 +1 @@\n-int spaced(void);\n+int named(void);\n",
            Want::Same,
        ),
        case("one file twice", &twice, Want::Same),
        case("no git headers", &DIFF[DIFF.find("--- a").unwrap()..], Want::Same),
        case("spaces at the ends of lines", &DIFF.replace("10;", "10; "), Want::Same),
        case("text around the diffs", &format!("{DIFF}\nAnd so on.\n"), Want::Same),
        case("carriage returns", &DIFF.replace("10;", "10;\r"), Want::Same),
    ]);
}

#[test]
fn what_git_am_or_a_series_refuses_is_refused_with_the_mail_and_the_file() {
    let binary = "diff --git a/net/x.bin b/net/x.bin\nnew file mode 100644\nindex 0000000000000000000000000000000000000000..f76dd238ade08917e6712764a16a22005a50573d\nGIT binary patch\nliteral 1\nIcmZPo000310RR91\n\nliteral 0\nHcmV?d00001\n\n";
    compare(&[
        case(
            "other lines",
            &DIFF.replace("return 1;", "return 7;"),
            Want::Refused(
                "case.mbox (\"net: change a\") does not apply to old: patch failed: net/a.c:1: net/a.c: patch does not apply",
            ),
        ),
        case("no such file", &DIFF.replace("net/a.c", "net/z.c"), Want::Refused("net/z.c: does not exist in index")),
        case("cut off", &DIFF[..DIFF.len() - 4], Want::Refused("corrupt patch at line")),
        case(
            "mangled",
            &DIFF.replace("\n }\n", "\n}\n"),
            Want::Refused("corrupt patch at line 10 of its diff (\"}\")"),
        ),
        case("out of the tree", &NEW.replace("/net/n.c", "/../a.c"), Want::Refused("invalid path '../a.c'")),
        case("git's own", &NEW.replace("/net/n.c", "/.git/config"), Want::Refused("invalid path '.git/config'")),
        case(
            "a file that is there",
            "diff --git a/net/a.c b/net/a.c\nnew file mode 100644\n--- /dev/null\n+++ b/net/a.c\n@@ -0,0 +1 @@\n+int n;\n",
            Want::Refused("net/a.c: already exists in index"),
        ),
        case(
            "mode",
            "diff --git a/net/a.c b/net/a.c\nold mode 100644\nnew mode 100755\n",
            Want::NoSeries("net/a.c changes its mode from 100644 to 100755"),
        ),
        case(
            "link",
            "diff --git a/net/l b/net/l\nnew file mode 120000\n--- /dev/null\n+++ b/net/l\n@@ -0,0 +1 @@\n+a.c\n\\ No newline at end of file\n",
            Want::NoSeries("net/l is a symbolic link"),
        ),
        case("binary", binary, Want::NoSeries("net/x.bin is binary")),
        case("NUL in a line", &DIFF.replace("10;", "10;\0"), Want::NoSeries("net/a.c is binary")),
    ]);
}

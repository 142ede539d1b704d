// SPDX-License-Identifier: GPL-2.0
//! A tiny kernel in a clone, `git am` as the oracle, and mails made of parts.

use super::common::{Ran, TestProject, ran};

pub const FILES: &[(&str, &str)] = &[
    ("Makefile", "VERSION = 9\nPATCHLEVEL = 1\nSUBLEVEL = 0\nEXTRAVERSION =\n"),
    ("Kbuild", "obj-y += net/\n"),
    ("Kconfig", "mainmenu \"Linux\"\n"),
    ("MAINTAINERS", "NETWORKING\nF:\tnet/\n"),
    ("net/a.c", "int a(void)\n{\n\treturn 1;\n}\n"),
    ("net/b.c", "int b(void)\n{\n\treturn 2;\n}\n\nint c(void)\n{\n\treturn 3;\n}\n"),
    ("net/old name.c", "int spaced(void);\n"),
    ("net/latin.c", "/* caf\u{e9} */\nint latin;\n"),
    ("scripts/run.sh", "#!/bin/sh\ntrue\n"),
];

/// Changes net/a.c.
pub const DIFF: &str = "diff --git a/net/a.c b/net/a.c\n--- a/net/a.c\n+++ b/net/a.c\n@@ -1,4 +1,4 @@\n int a(void)\n {\n-\treturn 1;\n+\treturn 10;\n }\n";

/// Changes net/b.c.
pub const OTHER: &str = "diff --git a/net/b.c b/net/b.c\n--- a/net/b.c\n+++ b/net/b.c\n@@ -1,4 +1,4 @@\n int b(void)\n {\n-\treturn 2;\n+\treturn 20;\n }\n";

pub const STAT: &str = " net/a.c | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n\n";

/// The line with which git begins a mail in a mailbox.
pub const FROM: &str = "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n";

/// A mail of Ann's, with more headers, or others.
pub fn mail(headers: &str, body: &str) -> String {
    let mut head = FROM.to_owned();
    for (name, value) in [
        ("From", "Ann Author <ann@example.org>"),
        ("Date", "Mon, 23 Nov 2026 12:00:00 +0000"),
        ("Subject", "[PATCH] net: change a"),
    ] {
        if !headers.lines().any(|line| line.starts_with(&format!("{name}:"))) {
            head += &format!("{name}: {value}\n");
        }
    }
    format!("{head}{headers}\n{body}")
}

/// The body of a patch mail.
pub fn body(text: &str) -> String {
    format!("{text}\n---\n{STAT}{DIFF}-- \n2.47.3\n\n")
}

/// The project, and the clone `linux` with another, `am`, for `git am`.
pub fn project() -> TestProject {
    let project = TestProject::new("[old]\ntarball = \"../old.tar\"\n");
    for (path, text) in FILES {
        project.write(&format!("linux/{path}"), text);
    }
    project.git("linux", &["init", "--quiet", "--initial-branch=main"]);
    project.git("linux", &["add", "--all", "--force", "."]);
    project.git("linux", &["commit", "--quiet", "-m", "upstream"]);
    project.git("linux", &["archive", "--prefix=linux/", "-o", "../old.tar", "main"]);
    project.git("linux", &["checkout", "--quiet", "--detach"]);
    project.git(".", &["clone", "--quiet", "linux", "am"]);
    project.txgen(&["base", "fetch", "old", "--record"]).expect(0);
    project
}

/// Imports `source` as series s.
#[must_use]
pub fn import(project: &TestProject, source: &str) -> Ran {
    project.txgen(&["import", "s", "--tree", "../linux", "--base", "main", "mbox", source])
}

/// Takes series s away again.
pub fn forget(project: &TestProject) {
    for folder in ["p/series/s", "p/kernel-overlay"] {
        if project.path(folder).exists() {
            std::fs::remove_dir_all(project.path(folder)).unwrap();
        }
    }
    for name in ["refs/heads/txgen/s", "refs/txgen/series/s"] {
        project.git("linux", &["update-ref", "-d", name]);
    }
}

/// Trees, authors and messages of the commits above `main`.
pub fn content(project: &TestProject, dir: &str, tip: &str) -> String {
    project.git(dir, &["log", "--reverse", "--format=%T %an <%ae>%n%B", &format!("main..{tip}")])
}

/// What `git am` makes of a mailbox; `None` where it refuses it.
pub fn am(project: &TestProject, source: &str) -> Option<String> {
    project.git("am", &["checkout", "--quiet", "-B", "work", "origin/main"]);
    let am = |args: &[&str]| ran(project.command("git").args(["am"]).args(args).current_dir(project.path("am")));
    if am(&["--quiet", source]).code == 0 {
        return Some(project.git("am", &["log", "--reverse", "--format=%T %an <%ae>%n%B", "origin/main..work"]));
    }
    am(&["--abort"]);
    project.git("am", &["reset", "--quiet", "--hard", "origin/main"]);
    None
}

/// How txgen and git am see a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// They make the same of it.
    Same,
    /// Both refuse it; the text is in txgen's error.
    Refused(&'static str),
    /// git am takes it, and it is what no series can hold; the text is in txgen's error.
    NoSeries(&'static str),
    /// git am refuses it, and txgen reads it; the text is in the commits.
    More(&'static str),
}

/// Asserts of each mailbox that it is wanted so.
pub fn compare(cases: &[(&str, Vec<u8>, Want)]) {
    let project = project();
    let mut wrong = Vec::new();
    for (name, bytes, want) in cases {
        std::fs::write(project.path("case.mbox"), bytes).unwrap();
        let (am, ran) = (am(&project, "../case.mbox"), import(&project, "../case.mbox"));
        let ours = (ran.code == 0).then(|| content(&project, "linux", "txgen/s"));
        forget(&project);
        let is_good = match want {
            Want::Same => am.is_some() && am == ours,
            Want::Refused(text) => am.is_none() && ours.is_none() && ran.stderr.contains(text),
            Want::NoSeries(text) => am.is_some() && ours.is_none() && ran.stderr.contains(text),
            Want::More(text) => am.is_none() && ours.as_ref().is_some_and(|ours| ours.contains(text)),
        };
        if !is_good || ran.stderr.contains("case.mbox: case.mbox") || ours.is_some_and(|ours| ours.contains('\u{fffd}'))
        {
            wrong.push(format!("{name}: {want:?}\ngit am: {am:#?}\ntxgen: {} {}", ran.code, ran.stderr));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

// SPDX-License-Identifier: GPL-2.0
//! A tiny kernel in a clone, and a series on its branch txgen/demo, checked out.

use std::collections::BTreeMap;
use std::process::Command;

use super::common::{Ran, TestProject};
use super::files::files_below;

pub const SKBUFF: &str = "net/core/skbuff.c";
pub const TXBUF: &str = "net/core/txbuf.c";

const FILES: &[(&str, &str)] = &[
    ("Makefile", "VERSION = 9\nPATCHLEVEL = 1\nSUBLEVEL = 0\nEXTRAVERSION =\n"),
    ("Kbuild", "obj-y += net/\n"),
    ("Kconfig", "mainmenu \"Linux\"\n"),
    ("MAINTAINERS", "NETWORKING\nF:\tnet/\n"),
    ("net/core/Makefile", "obj-y += skbuff.o\n"),
    (
        SKBUFF,
        "// SPDX-License-Identifier: GPL-2.0\n\nint skb_one(int a)\n{\n\treturn a + 1;\n}\n\n\
        int skb_two(int a)\n{\n\tint b = a;\n\n\treturn b + a;\n}\n\nint skb_three(int a)\n{\n\treturn a;\n}\n\n\
        int skb_four(int a)\n{\n\treturn a + 4;\n}\n",
    ),
];

const SERIES: &str = "# The demo series.
title = \"net: demo\"
tree = \"net-next\"
version = 1
change-id = \"20261123-demo-0123456789ab\"
base = \"old\"
date = \"2026-11-23T12:00:00Z\"

[[patch]]
name = \"one\"

# The first new file.
[[patch]]
name = \"txbuf\"
adds = [\"net/core/txbuf.c\"]

[[patch]]
name = \"more\"
adds = [\"net/core/txbuf.c#net_txbuf_more\"]

[[patch]]
name = \"two\"

[[exception]]
patch = \"two\"
check = \"checkpatch\"
contains = \"nothing\"
reason = \"an example\"
";

/// The overlay's net/core/txbuf.c.
const TXBUF_TEXT: &str = "// SPDX-License-Identifier: GPL-2.0

int net_txbuf_alloc(void)
{
	return 1;
}

/* One more. */
int net_txbuf_more(void)
{
	return 2;
}
";

fn diff(path: &str, hunk: &str) -> String {
    format!("diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n{hunk}")
}

/// The project, with the series applied to the clone `linux`, where its branch is checked out.
pub fn project() -> TestProject {
    let project = TestProject::new("[old]\ntarball = \"../old.tar\"\n");
    for (path, text) in FILES {
        project.write(&format!("linux/{path}"), text);
    }
    project.git("linux", &["init", "--quiet", "--initial-branch=main"]);
    project.git("linux", &["add", "--all", "--force", "."]);
    project.git("linux", &["commit", "--quiet", "-m", "upstream"]);
    project.git("linux", &["archive", "--prefix=linux/", "-o", "../old.tar", "main"]);
    project.txgen(&["base", "fetch", "old", "--record"]).expect(0);
    let of = |name: &str| format!("p/series/demo/{name}");
    project.write(&of("series.toml"), SERIES);
    project.write("p/kernel-overlay/net/core/txbuf.c", TXBUF_TEXT);
    let one = "@@ -2,7 +2,7 @@\n \n int skb_one(int a)\n {\n-\treturn a + 1;\n+\treturn a + 10;\n }\n \n int skb_two(int a)\n";
    project.write(&of("one.diff"), &diff(SKBUFF, one));
    project.write(&of("one.msg"), "net: add ten to one\n\nIt is needed.\n---\nA note for the mail.\n");
    let makefile = "@@ -1 +1,2 @@\n obj-y += skbuff.o\n+obj-y += txbuf.o\n";
    project.write(&of("txbuf.diff"), &diff("net/core/Makefile", makefile));
    project.write(&of("txbuf.msg"), "net: add txbuf\n\nIt is new.\n");
    project.write(&of("more.msg"), "net: add more of txbuf\n\nMore is needed.\n");
    let two = "@@ -9,7 +9,7 @@ int skb_two(int a)\n {\n \tint b = a;\n \n-\treturn b + a;\n+\treturn b - a;\n }\n \n int skb_three(int a)\n";
    project.write(&of("two.diff"), &diff(SKBUFF, two));
    project.write(&of("two.msg"), "net: subtract in two\n\nIt is wrong otherwise.\n");
    project.txgen(&["apply", "demo", "--tree", "../linux", "--base", "main"]).expect(0);
    project.git("linux", &["checkout", "--quiet", "txgen/demo"]);
    project
}

/// Runs shell commands in the clone; `git rebase -i` takes its list from $GIT_SEQUENCE_EDITOR, which they may set.
pub fn sh(project: &TestProject, script: &str) {
    let ran = shell(project, script);
    assert_eq!(ran.code, 0, "{script}\n{}\n{}", ran.stdout, ran.stderr);
}

fn shell(project: &TestProject, script: &str) -> Ran {
    let mut command: Command = project.command("sh");
    command.args(["-euc", script]).current_dir(project.path("linux"));
    command.env("GIT_EDITOR", "true").env("GIT_SEQUENCE_EDITOR", "true");
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs `txgen refresh demo` with more arguments.
#[must_use]
pub fn refresh(project: &TestProject, more: &[&str]) -> Ran {
    project.txgen(&[&["refresh", "demo", "--tree", "../linux", "--base", "main"], more].concat())
}

/// Trees and messages of the branch, as git has them; some programs leave no newline at a message's end.
pub fn content(project: &TestProject, branch: &str) -> String {
    let log = project.git("linux", &["log", "--reverse", "--format=%T %an%n%s%n%b", &format!("main..{branch}")]);
    log.lines().filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

/// Applies the series anew, and asserts that it gives the trees and messages of the branch as it was edited.
pub fn assert_same_again(project: &TestProject) {
    project.git("linux", &["branch", "--force", "edited", "txgen/demo"]);
    project.git("linux", &["checkout", "--quiet", "--detach"]);
    project.git("linux", &["update-ref", "-d", "refs/heads/txgen/demo"]);
    project.git("linux", &["update-ref", "-d", "refs/txgen/series/demo"]);
    project.txgen(&["apply", "demo", "--tree", "../linux", "--base", "main"]).expect(0);
    assert_eq!(content(project, "txgen/demo"), content(project, "edited"));
}

/// Every file of the series and the overlay.
pub fn files(project: &TestProject) -> [BTreeMap<String, String>; 2] {
    ["p/series", "p/kernel-overlay"].map(|folder| files_below(&project.path(folder)))
}

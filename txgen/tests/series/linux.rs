// SPDX-License-Identifier: GPL-2.0
//! A tiny kernel tree made with real git, a project whose bases come from it, and a series on it.

use super::common::TestProject;

/// Files of the tiny kernel.
pub const FILES: &[(&str, &str)] = &[
    ("Makefile", "VERSION = 9\nPATCHLEVEL = 9\nSUBLEVEL = 1\nEXTRAVERSION =\n"),
    ("Kbuild", "obj-y += net/\n"),
    ("Kconfig", "mainmenu \"Linux\"\n"),
    ("MAINTAINERS", "NETWORKING\nL:\tnetdev@example.org\nF:\tnet/\n"),
    (".gitignore", "/*\n!/keep\n"),
    ("include/linux/skbuff.h", "int skb_len(int a);\n"),
    ("net/core/Makefile", "obj-y += skbuff.o\n"),
    ("net/core/skbuff.c", SKBUFF),
    ("scripts/tool.sh", "#!/bin/sh\n"),
];

/// net/core/skbuff.c of the tiny kernel.
pub const SKBUFF: &str = "// SPDX-License-Identifier: GPL-2.0
#include <linux/skbuff.h>

int skb_len(int a)
{
	return skb_old(a) + 1;
}

int skb_twice(int a)
{
	int b = a;

	return b + skb_old(a);
}
";

/// A change of net/core/Makefile.
pub const DIFF: &str = "diff --git a/net/core/Makefile b/net/core/Makefile
--- a/net/core/Makefile
+++ b/net/core/Makefile
@@ -1 +1,2 @@
 obj-y += skbuff.o
+obj-y += txbuf.o
";

/// The series `demo`: one patch with a semantic patch, one with a new file and edits, one with a further item.
pub const SERIES: &str = r#"title = "net: demo"
tree = "net-next"
version = 1
change-id = "20261123-demo-0123456789ab"
base = "tiny"
date = "2026-11-23T12:00:00Z"

[[patch]]
name = "rename"
cocci = { paths = ["net", "include"], residue = ["skb_old"] }

[[patch]]
name = "txbuf"
adds = ["net/core/txbuf.c"]

[[patch]]
name = "more"
adds = ["net/core/txbuf.c#net_txbuf_more"]
"#;

/// The overlay's net/core/txbuf.c in its final form.
pub const TXBUF: &str = "// SPDX-License-Identifier: GPL-2.0
#include <linux/skbuff.h>

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

const COCCI: &str = "@@\nexpression A;\n@@\n- skb_old(A)\n+ skb_new(A)\n";

/// A project with base `tiny`, a tarball of the tiny kernel, not fetched and without a record.
pub fn tiny_project() -> TestProject {
    let project = TestProject::new("[tiny]\ntarball = \"../tiny.tar\"\n");
    for (path, text) in FILES {
        project.write(&format!("linux/{path}"), text);
    }
    project.git("linux", &["init", "--quiet", "--initial-branch=main"]);
    project.git("linux", &["add", "--force", "."]);
    project.git("linux", &["update-index", "--chmod=+x", "scripts/tool.sh"]);
    let mut commit = project.command("git");
    commit.env("GIT_AUTHOR_DATE", "@1700000000 +0000").env("GIT_COMMITTER_DATE", "@1700000000 +0000");
    let commit = commit.args(["commit", "--quiet", "-m", "tiny kernel"]).current_dir(project.path("linux"));
    assert!(commit.status().unwrap().success());
    project.git("linux", &["reset", "--quiet", "--hard"]);
    project.git("linux", &["archive", "--prefix=linux-9.9/", "-o", "../tiny.tar", "HEAD"]);
    project
}

/// A project with base `tiny` fetched and recorded, and series `demo`.
pub fn demo_project() -> TestProject {
    let project = tiny_project();
    project.txgen(&["base", "fetch", "tiny", "--record"]).expect(0);
    project.write("p/series/demo/series.toml", SERIES);
    project.write("p/series/demo/rename.msg", "net: rename skb_old()\n\nThe name was old.\n");
    project.write("p/series/demo/rename.cocci", COCCI);
    project.write("p/series/demo/txbuf.msg", "net: add txbuf\n\nIt is needed.\n---\nA note.\n");
    project.write("p/series/demo/txbuf.diff", DIFF);
    project.write("p/series/demo/more.msg", "net: add more\n\nMore is needed.\n");
    project.write("p/kernel-overlay/net/core/txbuf.c", TXBUF);
    for (file, text) in [
        ("net.config", ""),
        ("debug.config", ""),
        ("rust.config", ""),
        ("guest.sh", "true\n"),
        ("requirements.txt", ""),
        ("selftests.toml", "sources = []\nfolder = []\n"),
    ] {
        project.write(&format!("p/vm-tests/{file}"), text);
    }
    project
}

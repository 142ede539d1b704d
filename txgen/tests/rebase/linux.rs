// SPDX-License-Identifier: GPL-2.0
//! Two tiny kernels, `old` and `new`, and a series on the old one.

use std::collections::BTreeMap;

use super::common::TestProject;
use super::files::files_below;

const SKBUFF: &str = "// SPDX-License-Identifier: GPL-2.0
#include <linux/skbuff.h>

int skb_len(int a)
{
	return a + 1;
}

int skb_twice(int a)
{
	int b = a;

	return b + a;
}

int skb_last(int a)
{
	return a;
}
";

const FILES: &[(&str, &str)] = &[
    ("Makefile", "VERSION = 9\nPATCHLEVEL = 1\nSUBLEVEL = 0\nEXTRAVERSION =\n"),
    ("Kbuild", "obj-y += net/\n"),
    ("Kconfig", "mainmenu \"Linux\"\n"),
    ("MAINTAINERS", "NETWORKING\nF:\tnet/\n"),
    ("include/linux/skbuff.h", "struct sk_buff {\n\tint len;\n\tint data;\n};\n\nint skb_len(int a);\n"),
    ("net/core/skbuff.c", SKBUFF),
];

/// What upstream does: a text of a file and what becomes of it.
pub type Change<'a> = (&'a str, &'a str, &'a str);

/// A project with base `old`, base `new` made by `upstream` of it, and series `demo` on `old`: one patch for each of
/// `patches`, a name and what it changes.
pub fn project(upstream: &[Change<'_>], patches: &[(&str, &[Change<'_>])]) -> TestProject {
    let project = TestProject::new("[old]\ntarball = \"../old.tar\"\n\n[new]\ntarball = \"../new.tar\"\n");
    for (path, text) in FILES {
        project.write(&format!("linux/{path}"), text);
    }
    project.git("linux", &["init", "--quiet", "--initial-branch=main"]);
    base(&project, "old");
    project.git("linux", &["checkout", "--quiet", "-b", "edits"]);
    let mut toml =
        "title = \"net: demo\"\ntree = \"net-next\"\nversion = 1\nchange-id = \"20261123-demo-0123456789ab\"\n\
                    base = \"old\" # kept\ndate = \"2026-11-23T12:00:00Z\"\n"
            .to_owned();
    for (name, changes) in patches {
        changes.iter().for_each(|change| edit(&project, change));
        let diff = project.git("linux", &["diff"]);
        let diff = diff.split_inclusive('\n').filter(|line| !line.starts_with("index ")).collect::<String>();
        project.git("linux", &["commit", "--quiet", "--all", "-m", name]);
        project.write(&format!("p/series/demo/{name}.diff"), &diff);
        project.write(&format!("p/series/demo/{name}.msg"), &format!("net: {name}\n\nIt is needed.\n"));
        toml += &format!("\n[[patch]]\nname = \"{name}\"\n");
    }
    project.write("p/series/demo/series.toml", &toml);
    project.git("linux", &["checkout", "--quiet", "main"]);
    edit(&project, &("Makefile", "PATCHLEVEL = 1", "PATCHLEVEL = 2"));
    for change in upstream {
        edit(&project, change);
    }
    base(&project, "new");
    project.txgen(&["base", "fetch", "old", "--record"]).expect(0);
    project.txgen(&["base", "fetch", "new", "--record"]).expect(0);
    project
}

/// Replaces a text of a file; a new path as the text to replace moves the file there.
fn edit(project: &TestProject, (path, from, to): &Change<'_>) {
    if from.is_empty() {
        project.write(&format!("linux/{to}"), "");
        project.git("linux", &["mv", "--force", path, to]);
        return;
    }
    let text = project.read(&format!("linux/{path}"));
    assert!(text.contains(from), "{path} has no {from:?}");
    project.write(&format!("linux/{path}"), &text.replace(from, to));
}

/// Commits what is in the clone, tags it, and makes the tarball.
fn base(project: &TestProject, name: &str) {
    project.git("linux", &["add", "--all", "--force", "."]);
    project.git("linux", &["commit", "--quiet", "-m", &format!("upstream: {name}")]);
    project.git("linux", &["tag", name]);
    project.git("linux", &["archive", &format!("--prefix=linux-{name}/"), "-o", &format!("../{name}.tar"), name]);
}

/// Every file of a folder of the project.
pub fn files(project: &TestProject, folder: &str) -> BTreeMap<String, String> {
    files_below(&project.path(folder))
}

/// Refs and what they point at, in the managed repository.
pub fn refs(project: &TestProject) -> String {
    project.git("cache/linux.git", &["for-each-ref", "--format=%(refname) %(objectname)"])
}

/// A file of the branch of the series in the managed repository.
pub fn at_tip(project: &TestProject, path: &str) -> String {
    project.git("cache/linux.git", &["show", &format!("txgen/demo:{path}")])
}

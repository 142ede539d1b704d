// SPDX-License-Identifier: GPL-2.0
//! Trees that were made by hand, with names that lead out of them or that a shell takes for more than names.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use crate::clones::series;
use crate::kernel::Kernel;

/// Writes an object with git as it is given, whatever git thinks of it; its id.
fn object(kernel: &Kernel, kind: &str, bytes: &[u8]) -> String {
    let mut git = kernel.project.command("git");
    git.args(["hash-object", "-t", kind, "-w", "--literally", "--stdin"]).current_dir(kernel.project.path("k"));
    let mut git = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    git.stdin.take().unwrap().write_all(bytes).unwrap();
    String::from_utf8(git.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
}

fn tree(kernel: &Kernel, mode: &str, name: &str, id: &str) -> String {
    let mut bytes = format!("{mode} {name}\0").into_bytes();
    bytes.extend((0..20).map(|at| u8::from_str_radix(&id[2 * at..2 * at + 2], 16).unwrap()));
    object(kernel, "tree", &bytes)
}

/// A commit on `parent` with folder net2/ of which the entry `up` leads to the test's own folder.
fn commit_that_leads_out(kernel: &Kernel, parent: &str, up: &str) -> String {
    let blob = object(kernel, "blob", b"int skb_out;\n");
    let file = tree(kernel, "100755", "planted.c", &blob);
    let one = tree(kernel, "40000", up, &file);
    let two = tree(kernel, "40000", up, &one);
    let top = kernel.project.git("k", &["ls-tree", parent]);
    kernel.project.write("k/list", &format!("{top}040000 tree {two}\tnet2\n"));
    let mut git = kernel.project.command("git");
    git.arg("mktree").current_dir(kernel.project.path("k"));
    let made = git.stdin(fs::File::open(kernel.project.path("k/list")).unwrap()).output().unwrap();
    let top = String::from_utf8(made.stdout).unwrap();
    fs::remove_file(kernel.project.path("k/list")).unwrap();
    let args = ["commit-tree", top.trim(), "-p", parent, "-m", "net: out"];
    kernel.project.git("k", &args).trim().to_owned()
}

#[test]
fn a_name_that_leads_out_of_a_tree_is_refused_and_nothing_is_written() {
    for up in ["..", ".", ".git", ".GIT"] {
        let kernel = series();
        kernel.txgen("apply", &[]).expect(0);
        let evil = commit_that_leads_out(&kernel, "main", up);
        let args = ["import", "evil", "--title", "net: x", "--tree", "../k", "--base", "main", "branch", &evil];
        let ran = kernel.project.txgen(&args).expect(2);
        assert!(ran.stderr.contains(&format!("has an entry named {up:?}")), "{}", ran.stderr);
        let above = commit_that_leads_out(&kernel, "txgen/tiny", up);
        let ran = kernel.txgen("refresh", &["--dry-run", "--branch", &above]).expect(2);
        assert!(ran.stderr.contains(&format!("has an entry named {up:?}")), "{}", ran.stderr);
        let mut find = kernel.project.command("find");
        let found = find.arg(kernel.project.dir()).args(["-name", "planted.c"]).output().unwrap();
        assert_eq!(String::from_utf8(found.stdout).unwrap(), "");
    }
}

#[test]
fn a_name_that_a_shell_reads_runs_nothing() {
    for name in ["a$(touch PWNED).c", "a`touch PWNED`.c", "b;touch PWNED;.c", "-o.c", "d'e.c"] {
        let mut kernel = Kernel::with(&[(&format!("net/evil/{name}"), "void f(void)\n{\n\tfoo(1);\n}\n")]);
        let message = "net: tell it\n\nWhy.\n\nSigned-off-by: Ann Author <ann@example.org>\n";
        kernel.patch("second", message, &[("net/core/second.c", "int second;\n")]);
        kernel.store("");
        let toml = kernel.project.read("p/series/tiny/series.toml");
        let more = "\n[[patch]]\nname = \"swap\"\ncocci = { paths = [\"net/evil\"] }\n";
        kernel.project.write("p/series/tiny/series.toml", &(toml + more));
        kernel.project.write("p/series/tiny/swap.msg", "net: swap\n\nWhy.\n");
        kernel.project.write("p/series/tiny/swap.cocci", "@@ @@\n- foo(1);\n+ bar(1);\n");
        let ran = kernel.txgen("apply", &[]).expect(2);
        assert!(ran.stderr.contains("spatch gives names of files to a shell"), "{name}: {}", ran.stderr);
    }
}

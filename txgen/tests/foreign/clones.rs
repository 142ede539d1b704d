// SPDX-License-Identifier: GPL-2.0
//! Clones of every kind: sparse, partial, shallow, borrowed from another, with hooks and attributes of their own.

use txgen::git::view;

use crate::kernel::{Kernel, SKBUFF};

/// Series tiny of one patch, stored and not applied.
pub fn series() -> Kernel {
    let mut kernel = Kernel::new();
    let second = format!("{SKBUFF}\nint skb_second(struct sk_buff *skb)\n{{\n\treturn skb->first + 1;\n}}\n");
    let message = "net: tell the second byte\n\nReaders need it.\n\nSigned-off-by: Ann Author <ann@example.org>\n";
    kernel.patch("second", message, &[("net/core/skbuff.c", &second)]);
    kernel.store("");
    kernel.project.git("k", &["branch", "-q", "work"]);
    kernel.project.git("k", &["reset", "-q", "--hard", &kernel.applied().base.commit]);
    kernel
}

/// Runs the commands that read trees, on the clone in folder `clone`; the base is its ref `base`.
fn works(kernel: &Kernel, clone: &str, base: &str) {
    let (project, tree) = (&kernel.project, format!("../{clone}"));
    let on = |args: &[&str]| project.txgen(&[args, &["--tree", &tree, "--base", base]].concat()).expect(0);
    on(&["apply", "tiny"]);
    assert_eq!(project.git(clone, &["show", "-s", "--format=%s", "txgen/tiny"]), "net: tell the second byte\n");
    on(&["check", "tiny", "--only", "checkpatch"]);
    on(&["refresh", "tiny"]);
    let export = ["export", "tiny", "--tree", &tree, "--base", base, "mbox", "-"];
    assert!(project.txgen(&export).expect(0).stdout.contains("+int skb_second(struct sk_buff *skb)\n"));
    let import = ["import", "copy", "--title", "net: x", "--tree", &tree, "--base", base, "branch", "txgen/tiny"];
    project.txgen(&import).expect(0);
    assert!(project.read("p/series/copy/tell-the-second-byte.diff").contains("skb_second"));
}

#[test]
fn a_sparse_checkout_leaves_nothing_out_of_the_trees_that_are_checked() {
    let kernel = series();
    kernel.project.git("k", &["sparse-checkout", "set", "--cone", "net"]);
    assert!(!kernel.project.path("k/scripts").exists());
    works(&kernel, "k", "main");
    assert!(!kernel.project.path("k/scripts").exists(), "the user's own work tree is as sparse as it was");
}

#[test]
fn an_index_of_any_kind_is_no_hindrance() {
    for how in [
        &["update-index", "--split-index"][..],
        &["update-index", "--index-version", "4"],
        &["sparse-checkout", "set", "--cone", "--sparse-index", "net"],
    ] {
        let kernel = series();
        kernel.project.git("k", how);
        works(&kernel, "k", "main");
    }
}

#[test]
fn what_a_partial_clone_lacks_is_fetched() {
    for filter in ["blob:none", "tree:0"] {
        let kernel = series();
        kernel.project.git("k", &["config", "uploadpack.allowFilter", "true"]);
        let url = format!("file://{}", kernel.project.path("k").display());
        let filter = format!("--filter={filter}");
        kernel.project.git(".", &["clone", "-q", "--no-checkout", &filter, &url, "part"]);
        works(&kernel, "part", "origin/main");
    }
}

#[test]
fn a_partial_clone_whose_remote_is_gone_says_that_it_is_partial() {
    let kernel = series();
    kernel.project.git("k", &["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", kernel.project.path("k").display());
    kernel.project.git(".", &["clone", "-q", "--no-checkout", "--filter=blob:none", &url, "part"]);
    std::fs::rename(kernel.project.path("k"), kernel.project.path("gone")).unwrap();
    let ran = kernel.project.txgen(&["apply", "tiny", "--tree", "../part", "--base", "origin/main"]).expect(2);
    assert!(ran.stderr.contains("is a partial clone, and remote origin did not give"), "{}", ran.stderr);
}

#[test]
fn shallow_clones_borrowed_objects_and_linked_work_trees_are_as_good_as_others() {
    let kernel = series();
    let url = format!("file://{}", kernel.project.path("k").display());
    kernel.project.git(".", &["clone", "-q", "--depth=1", "--branch=work", &url, "shallow"]);
    kernel.project.git("shallow", &["fetch", "-q", "--depth=1", "origin", "main:refs/remotes/origin/main"]);
    works(&kernel, "shallow", "origin/main");
    for (clone, alternates) in [("absolute", None), ("relative", Some("../../../k/.git/objects\n"))] {
        std::fs::remove_dir_all(kernel.project.path("p/series/copy")).unwrap();
        kernel.project.git(".", &["clone", "-q", "--shared", "k", clone]);
        if let Some(text) = alternates {
            kernel.project.write(&format!("{clone}/.git/objects/info/alternates"), text);
        }
        works(&kernel, clone, "origin/main");
    }
    std::fs::remove_dir_all(kernel.project.path("p/series/copy")).unwrap();
    kernel.project.git("absolute", &["worktree", "add", "-q", "--detach", "../linked", "origin/main"]);
    kernel.project.git("absolute", &["branch", "-q", "-D", "txgen/tiny", "txgen/copy"]);
    kernel.project.git("absolute", &["update-ref", "-d", "refs/txgen/series/tiny"]);
    kernel.project.git("absolute", &["update-ref", "-d", "refs/txgen/series/copy"]);
    works(&kernel, "linked", "origin/main");
}

#[test]
fn hooks_and_attributes_of_a_clone_reach_no_tree_of_txgens_own() {
    let kernel = series();
    let hooks = kernel.project.path("hostile/hooks").display().to_string();
    kernel.txgen("apply", &[]).expect(0);
    kernel.project.write("k/.git/info/attributes", "* text eol=crlf diff=worst filter=worst\n*.c binary\n");
    for (key, value) in [("core.hooksPath", hooks.as_str()), ("core.autocrlf", "true"), ("core.eol", "crlf")] {
        kernel.project.git("k", &["config", key, value]);
    }
    let before = kernel.project.git("k", &["worktree", "list"]);
    works(&kernel, "k", "main");
    assert_eq!(kernel.project.git("k", &["worktree", "list"]), before);
    let made = view::folder(&kernel.txgen_project().cache, &kernel.project.path("k/.git")).unwrap();
    let file = std::fs::read_to_string(made.join("check/tree/net/core/skbuff.c")).unwrap();
    assert!(file.contains("skb_second") && !file.contains('\r'), "{file}");
}

#[test]
fn replaced_commits_are_not_what_is_exported() {
    let kernel = series();
    kernel.txgen("apply", &[]).expect(0);
    let want = kernel.txgen("export", &["mbox", "-"]).expect(0).stdout;
    kernel.project.git("k", &["replace", "txgen/tiny", "main"]);
    assert_eq!(kernel.txgen("export", &["mbox", "-"]).expect(0).stdout, want);
}

#[test]
fn a_clone_that_can_not_be_read_is_refused_by_what_it_is() {
    let kernel = series();
    let refused =
        |clone: &str| kernel.project.txgen(&["apply", "tiny", "--tree", clone, "--base", "main"]).expect(2).stderr;
    kernel.project.git(".", &["init", "-q", "--object-format=sha256", "long"]);
    assert!(refused("../long").contains("names its objects by SHA-256, which txgen does not support"));
    // Git before 2.45 makes none itself.
    kernel.project.git(".", &["init", "-q", "tables"]);
    kernel.project.git("tables", &["config", "core.repositoryFormatVersion", "1"]);
    kernel
        .project
        .write("tables/.git/config", "[core]\n\trepositoryformatversion = 1\n[extensions]\n\trefStorage = reftable\n");
    let said = refused("../tables");
    assert!(said.contains("keeps its refs in reftables, which txgen does not support"), "{said}");
    kernel.project.write("folder/file", "");
    assert!(refused("../folder").contains("is no git repository"));
}

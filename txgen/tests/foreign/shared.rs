// SPDX-License-Identifier: GPL-2.0
//! A clone that two projects share, that went away, or that is not quite as most are.

use std::fs;

use crate::clones::series;
use crate::kernel::Kernel;

fn git(kernel: &Kernel, args: &[&str]) -> String {
    kernel.project.git("k", args).trim().to_owned()
}

/// A second project, p2, on the same clone, whose series tiny is not there yet.
fn second_project(kernel: &Kernel) {
    let bases = kernel.project.read("p/series/bases.toml");
    kernel.project.write("p2/series/bases.toml", &bases);
}

#[test]
fn an_import_moves_no_branch_that_another_project_has_read() {
    let kernel = series();
    kernel.txgen("apply", &[]).expect(0);
    git(&kernel, &["switch", "-q", "txgen/tiny"]);
    kernel.project.write("k/net/core/mine.c", "int mine;\n");
    git(&kernel, &["add", "-A"]);
    git(&kernel, &["commit", "-qm", "net: mine"]);
    git(&kernel, &["switch", "-q", "main"]);
    kernel.txgen("refresh", &[]).expect(0);
    let mine = git(&kernel, &["rev-parse", "txgen/tiny"]);
    second_project(&kernel);
    let project = kernel.project.path("p2").display().to_string();
    let args = ["--project", &project, "import", "tiny", "--title", "net: x", "--tree", "../k", "--base", "main"];
    let ran = kernel.project.txgen(&[&args[..], &["branch", "work"]].concat()).expect(2);
    assert!(ran.stderr.contains("branch txgen/tiny is at"), "{}", ran.stderr);
    assert_eq!(git(&kernel, &["rev-parse", "txgen/tiny"]), mine);
    assert!(!kernel.project.path("p2/series/tiny").exists());
}

#[test]
fn apply_names_the_commits_that_are_on_the_branch() {
    let kernel = series();
    kernel.txgen("apply", &[]).expect(0);
    git(&kernel, &["switch", "-q", "txgen/tiny"]);
    git(&kernel, &["commit", "-q", "--amend", "--no-edit", "--date=2026-11-30T12:00:00Z"]);
    git(&kernel, &["switch", "-q", "main"]);
    let head = git(&kernel, &["rev-parse", "txgen/tiny"]);
    let ran = kernel.txgen("apply", &["--json"]).expect(0);
    assert!(ran.stdout.contains(&head), "{} {head}", ran.stdout);
    assert_eq!(git(&kernel, &["rev-parse", "txgen/tiny"]), head);
}

#[test]
fn a_rebase_whose_clone_is_gone_is_given_up() {
    let kernel = series();
    git(&kernel, &["switch", "-qc", "other"]);
    let text = kernel.project.read("k/net/core/skbuff.c").replace("return skb->first;", "return 7;");
    kernel.project.write("k/net/core/skbuff.c", &format!("{text}\nint skb_second(void)\n{{\n\treturn 8;\n}}\n"));
    git(&kernel, &["commit", "-qam", "other"]);
    git(&kernel, &["switch", "-q", "main"]);
    let rebase = ["rebase", "tiny", "--onto", "other", "--tree", "../k"];
    kernel.project.txgen(&rebase).expect(3);
    fs::rename(kernel.project.path("k"), kernel.project.path("gone")).unwrap();
    let ran = kernel.project.txgen(&["rebase", "tiny", "--abort"]).expect(0);
    assert!(ran.stderr.contains("is gone: the rebase is forgotten"), "{}", ran.stderr);
    assert!(!kernel.project.path("p/.txgen/tiny.rebase").exists());
}

#[test]
fn a_series_on_a_broken_one_stops_no_other() {
    let kernel = series();
    kernel.txgen("apply", &[]).expect(0);
    let toml = kernel.project.read("p/series/tiny/series.toml");
    let toml = toml.split("[[patch]]").next().unwrap();
    kernel.project.write("p/series/low/series.toml", &format!("{toml}<<<<<<< HEAD\n"));
    kernel.project.write("p/series/high/series.toml", &format!("{toml}depends = \"low\"\n"));
    git(&kernel, &["switch", "-q", "txgen/tiny"]);
    git(&kernel, &["commit", "-q", "--amend", "-m", "net: tell another byte"]);
    git(&kernel, &["switch", "-q", "main"]);
    let ran = kernel.txgen("refresh", &[]).expect(0);
    assert!(ran.stderr.contains("warning: series low can not be read"), "{}", ran.stderr);
    assert!(kernel.project.read("p/series/tiny/second.msg").starts_with("net: tell another byte"));
}

#[test]
fn a_bare_clone_that_git_does_not_discover_is_read_by_its_name() {
    let kernel = series();
    kernel.project.git(".", &["clone", "-q", "--bare", "k", "bare.git"]);
    kernel.project.write(".gitconfig", "[safe]\n\tbareRepository = explicit\n");
    let args = ["import", "more", "--title", "net: x", "--tree", "../bare.git", "--base", "main", "branch", "work"];
    kernel.project.txgen(&args).expect(0);
}

#[test]
fn a_branch_that_is_checked_out_elsewhere_than_its_git_folder_is_in_use() {
    let kernel = series();
    fs::create_dir(kernel.project.path("folder")).unwrap();
    kernel.project.git(".", &["clone", "-q", "--separate-git-dir=folder/repo", "k", "apart"]);
    kernel.project.git("apart", &["switch", "-qc", "txgen/tiny", "origin/work"]);
    kernel.project.git("apart", &["commit", "-q", "--allow-empty", "-m", "mine"]);
    let args = ["apply", "tiny", "--tree", "../apart", "--base", "origin/main", "--discard"];
    let ran = kernel.project.txgen(&args).expect(2);
    assert!(ran.stderr.contains("branch txgen/tiny is checked out at"), "{}", ran.stderr);
}

#[test]
fn a_partial_clone_that_is_reached_with_the_users_settings_is_checked() {
    let kernel = series();
    for key in ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"] {
        git(&kernel, &["config", key, "true"]);
    }
    kernel.project.write("ssh", "#!/bin/sh\nfor last; do :; done\nexec sh -c \"$last\"\n");
    let ssh = kernel.project.path("ssh");
    fs::set_permissions(&ssh, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    kernel.project.write(".gitconfig", &format!("[core]\n\tsshCommand = {}\n", ssh.display()));
    let url = format!("ssh://nowhere{}", kernel.project.path("k").display());
    kernel.project.git(".", &["clone", "-q", "--no-checkout", "--filter=blob:none", &url, "part"]);
    let check = ["check", "tiny", "--tree", "../part", "--base", "origin/main", "--only", "checkpatch"];
    kernel.project.txgen(&check).expect(0);
}

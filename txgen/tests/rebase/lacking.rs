// SPDX-License-Identifier: GPL-2.0
//! Merges without conflict that call what the new base does not have.

use super::linux::{Change, at_tip, files, project, refs};

const SKBUFF: &str = "net/core/skbuff.c";
const HEADER: &str = "include/linux/skbuff.h";
const CALL: &[Change<'_>] = &[(SKBUFF, "\treturn a;", "\treturn skb_len(a);")];
const RENAMED: &[Change<'_>] = &[
    (HEADER, "int skb_len(int a);", "int skb_length(int a);"),
    (SKBUFF, "int skb_len(int a)", "int skb_length(int a)"),
];

#[test]
fn a_merged_call_of_what_the_base_lacks_is_a_conflict() {
    let project = project(RENAMED, &[("call", CALL)]);
    let before = files(&project, "p/series");
    let ran = project.txgen(&["rebase", "demo", "--onto", "new"]).expect(3);
    insta::assert_snapshot!(ran.stdout.lines().take(2).collect::<Vec<_>>().join("\n"), @r"
    conflict          call  net: call
        net/core/skbuff.c:18: it calls skb_len(), which new lacks
    ");
    assert_eq!(files(&project, "p/series"), before);
    let unfixed = project.txgen(&["rebase", "demo", "--continue"]).expect(2).stderr;
    assert_eq!(unfixed, "txgen: branch txgen/demo-conflict is as txgen left it: fix the conflict there and commit\n");
    project.git("cache/linux.git", &["worktree", "add", "--quiet", "../../fix", "txgen/demo-conflict"]);
    let text = project.read(&format!("fix/{SKBUFF}"));
    project.write(&format!("fix/{SKBUFF}"), &text.replace("skb_len(a)", "skb_length(a)"));
    project.git("fix", &["commit", "--quiet", "--all", "--amend", "--no-edit"]);
    project.git("fix", &["switch", "--quiet", "--detach"]);
    let ran = project.txgen(&["rebase", "demo", "--continue"]).expect(0);
    assert!(ran.stdout.starts_with("resolution        call  net: call\n"), "{}", ran.stdout);
    assert!(at_tip(&project, SKBUFF).contains("\treturn skb_length(a);"));
    project.txgen(&["rebase", "demo", "--onto", "old"]).expect(0);
    let mut back = files(&project, "p/series");
    assert!(back.remove("demo/bases/new/call.diff").unwrap().contains("+\treturn skb_length(a);"));
    assert_eq!(back, before);
}

#[test]
fn apply_does_not_take_a_call_of_what_the_base_lacks_either() {
    let project = project(RENAMED, &[("call", CALL)]);
    let before = refs(&project);
    let said = project.txgen(&["apply", "demo", "--base", "new"]).expect(3).stderr;
    assert!(
        said.contains("patch call: net/core/skbuff.c:18: it calls skb_len(), which new lacks (base new)"),
        "{said}"
    );
    assert_eq!(refs(&project), before);
}

#[test]
fn what_a_macro_declares_or_an_earlier_patch_adds_is_there() {
    let macros: &[Change<'_>] = &[
        (HEADER, "int skb_len(int a);", "#define DECLARE(f) int f(int a)\nDECLARE(skb_len);"),
        (SKBUFF, "int skb_len(int a)\n{\n\treturn a + 1;\n}\n\n", ""),
    ];
    let added: &[Change<'_>] = &[(SKBUFF, "int skb_last", "int skb_new(int a)\n{\n\treturn a;\n}\n\nint skb_last")];
    let used: &[Change<'_>] = &[(SKBUFF, "b = a", "b = skb_new(skb_len(a) + this->skb_gone(a))")];
    let project = project(macros, &[("added", added), ("used", used)]);
    project.txgen(&["rebase", "demo", "--onto", "new"]).expect(0);
}

// SPDX-License-Identifier: GPL-2.0
//! Semantic patches that run code or read other files, with real spatch.

use std::path::Path;
use std::process::Command;

use txgen::cocci::code::code;

use super::common::TestProject;
use super::linux::demo_project;

const FILE: &str = "series/demo/rename.cocci";

/// A semantic patch that does what the series needs, and makes file `ran` beside the project.
fn script(project: &TestProject) -> String {
    let ran = project.path("ran").display().to_string();
    format!(
        "@r@\nexpression A;\n@@\n- skb_old(A)\n+ skb_new(A)\n\n@script:python@\n@@\nopen('{ran}', 'w').write('code ran')\n"
    )
}

fn has_run(project: &TestProject) -> bool {
    project.path("ran").exists()
}

#[test]
fn a_script_runs_on_no_command_before_it_is_allowed() {
    let project = demo_project();
    // A branch that came of an allowed text: then nothing else is wrong with the commands.
    project.write(&format!("p/{FILE}"), &script(&project));
    let _ = project.txgen(&["allow", FILE, "--yes"]).expect(0);
    let _ = project.txgen(&["apply", "demo"]).expect(0);
    std::fs::remove_file(project.path("ran")).unwrap();
    project.write(&format!("p/{FILE}"), &format!("{}// another text\n", script(&project)));
    let commands: &[&[&str]] = &[
        &["apply", "demo"],
        &["status", "demo"],
        &["log", "demo"],
        &["format-series", "demo"],
        &["refresh", "demo", "--dry-run"],
        &["check", "demo"],
        &["audit", "demo"],
        &["rebase", "demo", "--onto", "tiny"],
    ];
    for args in commands {
        let ran = project.txgen(args).expect(2);
        assert!(ran.stderr.contains("and you did not allow it: `txgen allow"), "{args:?}: {}", ran.stderr);
        assert!(!has_run(&project), "{args:?}");
    }
    let refused = project.txgen(&["apply", "demo"]).expect(2).stderr;
    insta::assert_snapshot!(refused, @"txgen: series/demo/rename.cocci:7: it runs python code (`script:python`), and you did not allow it: `txgen allow series/demo/rename.cocci` shows it, `txgen allow series/demo/rename.cocci --yes` allows it");
}

#[test]
fn a_script_that_was_allowed_runs_until_its_text_changes() {
    let project = demo_project();
    let text = script(&project);
    project.write(&format!("p/{FILE}"), &text);
    let shown = project.txgen(&["allow", FILE]).expect(1).stdout;
    assert!(shown.contains("\n>    7 @script:python@\n") && shown.contains("code ran"), "{shown}");
    assert!(
        shown.ends_with("is not allowed to run this code: `txgen allow series/demo/rename.cocci --yes` allows it\n")
    );
    project.txgen(&["apply", "demo"]).expect(2);
    let allowed = project.txgen(&["allow", FILE, "--yes"]).expect(0).stdout;
    assert!(allowed.ends_with("series/demo/rename.cocci is allowed to run this code\n"), "{allowed}");
    project.txgen(&["apply", "demo"]).expect(0);
    assert!(has_run(&project));
    std::fs::remove_file(project.path("ran")).unwrap();
    project.write(&format!("p/{FILE}"), &format!("{text}\n"));
    project.txgen(&["apply", "demo"]).expect(2);
    assert!(!has_run(&project));
    project.write(&format!("p/{FILE}"), &text);
    project.txgen(&["allow", FILE, "--forget"]).expect(0);
    project.txgen(&["allow", FILE]).expect(1);
    // What it came to is on record: nothing has to run.
    project.txgen(&["apply", "demo"]).expect(0);
    assert!(!has_run(&project));
}

#[test]
fn the_list_of_what_is_allowed_is_not_in_the_project() {
    let project = demo_project();
    let before = super::files::files_below(&project.path("p")).len();
    project.write(&format!("p/{FILE}"), &script(&project));
    project.txgen(&["allow", FILE, "--yes"]).expect(0);
    assert_eq!(super::files::files_below(&project.path("p")).len(), before);
    let value = project.txgen(&["allow", FILE, "--json"]).expect(0).stdout;
    let value = serde_json::from_str::<serde_json::Value>(&value).unwrap();
    assert_eq!(value[0]["allowed"], true);
    assert_eq!(value[0]["code"][0]["line"], 7);
    let digest = value[0]["digest"].as_str().unwrap();
    assert_eq!(project.read(&format!("cache/allowed/{digest}.cocci")), script(&project));
}

#[test]
fn what_is_shown_before_it_is_allowed_hides_nothing() {
    let project = demo_project();
    project.write(&format!("p/{FILE}"), "@script:python@\n@@\nx = '\u{202e}\u{1b}[2J'\n");
    let shown = project.txgen(&["allow", FILE]).expect(1).stdout;
    assert!(shown.contains("     3 x = '<U+202E><U+001B>[2J'\n"), "{shown}");
    let refused = project.txgen(&["allow", "series/demo/series.toml"]).expect(2).stderr;
    assert_eq!(refused, "txgen: series/demo/series.toml is no semantic patch: its name does not end in .cocci\n");
}

#[test]
fn a_semantic_patch_that_reads_another_file_is_refused_even_if_it_was_allowed() {
    let project = demo_project();
    project.write("other.cocci", &script(&project));
    let other = project.path("other.cocci").display().to_string();
    for (text, word) in [
        (format!("#include \"{other}\"\n@@ @@\n- skb_old\n+ skb_new\n"), "#include"),
        ("#include \"../../../../other.cocci\"\n@@ @@\n- skb_old\n+ skb_new\n".to_owned(), "#include"),
        ("using \"x.iso\"\n@@ @@\n- skb_old\n+ skb_new\n".to_owned(), "using"),
    ] {
        project.write(&format!("p/{FILE}"), &text);
        project.txgen(&["allow", FILE, "--yes"]).expect(0);
        let refused = project.txgen(&["apply", "demo"]).expect(2).stderr;
        assert_eq!(
            refused,
            format!(
                "txgen: {FILE}:1: `{word}` reads another file: a semantic patch is one file, copy the rules into it\n"
            )
        );
        assert!(!has_run(&project));
    }
}

#[test]
fn options_in_the_home_and_in_the_project_do_not_reach_spatch() {
    let project = demo_project();
    let options = "[spatch]\n\toptions = --no-such-option\n";
    project.write(".cocciconfig", options);
    project.txgen(&["apply", "demo"]).expect(0);
    project.write("p/.cocciconfig", options);
    project.write(&format!("p/{FILE}"), "@@\nexpression E;\n@@\n- skb_old(E)\n+ skb_new(E)\n");
    project.txgen(&["apply", "demo"]).expect(0);
}

#[test]
fn a_failure_of_spatch_is_told_in_ten_lines() {
    let project = demo_project();
    project.write(&format!("p/{FILE}"), &"int one, more;\n".repeat(2000));
    let said = project.txgen(&["apply", "demo"]).expect(2).stderr;
    assert!(said.contains("failed (exit"), "{said}");
    let told = &said[said.find("txgen:").unwrap()..];
    assert!(told.lines().count() <= 10 && told.len() < 2500, "{} bytes: {told}", told.len());
}

#[test]
fn macros_that_are_a_link_are_refused() {
    let project = demo_project();
    std::os::unix::fs::symlink("/etc/passwd", project.path("p/series/macros.h")).unwrap();
    let refused = project.txgen(&["apply", "demo"]).expect(2).stderr;
    assert_eq!(refused, "txgen: series/macros.h is a symbolic link: a series has plain files only\n");
}

/// What spatch itself runs of a text, in a folder of its own.
fn spatch_runs(text: &str) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::create_dir(path("tree")).unwrap();
    std::fs::write(path("tree/a.c"), "int f(void)\n{\n\treturn old(1);\n}\n").unwrap();
    std::fs::write(path("x.cocci"), text.replace("CODE", &code_of(&path("ran")))).unwrap();
    let args = ["--sp-file", "../x.cocci", "--no-includes", "--in-place", "--quiet", "--dir", "."];
    Command::new("spatch").args(args).current_dir(path("tree")).output().unwrap();
    path("ran").exists()
}

/// Code without single quotes, which spatch takes for those of a character in declarations.
fn code_of(ran: &Path) -> String {
    format!("open(\"{}\", \"w\")", ran.display())
}

/// Each of these is run by spatch 1.1.1, though it is written so that a search for `@script:python@` misses it.
const HIDDEN: &[&str] = &[
    "@script:python@\n@@\nCODE\n",
    "@  script : python @\n@@\nCODE\n",
    "@\nscript\n:\npython\n@\n@@\nCODE\n",
    "@ script /* x */ : // y\npython@\n@@\nCODE\n",
    "@script:python@\r\n@@\r\nCODE\n",
    "@script\u{b}:\u{c}python@\n@@\nCODE\n",
    "@ script #! x\n : python@\n@@\nCODE\n",
    "@ script # spatch\n : python@\n@@\nCODE\n",
    "@@ @@\n- old(1)\n+ old(1)\n\n@finalize:python@\n@@\nCODE\n",
    "@initialize:python@\n@@\nCODE\n\n@@ @@\n- old(1)\n+ new(1)\n",
    "@r@ identifier x =~ \"o\n/*\"; @@\n x(1)\n@script:python@\n@@\nCODE\n",
    "@@ @@\n- old(1)\n+ new(1)\n+#error don't /*\n@script:python@\n@@\nCODE\n#*/\n",
    "@script\n- :\n+ python@\n@@\nCODE\n",
    "@r@ identifier f : script:python() { CODE == 1 }; @@\n- f(1)\n+ y(1)\n",
    "@r@ expression e; position p : script:python(e) { CODE == 1 }; @@\n- old@p(e)\n+ y(1)\n",
    "@r@ identifier f; fresh identifier y = script:python(f) { CODE }; @@\n- f(1)\n+ y(1)\n",
    "@#spatchinitialize:python@\n@@\nCODE\n\n@@ @@\n- old(1)\n+ new(1)\n",
    "@initialize#spatch:python@\n@@\nCODE\n\n@@ @@\n- old(1)\n+ new(1)\n",
];

#[test]
fn whatever_spatch_runs_is_found() {
    for text in HIDDEN {
        assert!(spatch_runs(text), "spatch does not run it: {text:?}");
        assert!(!code(text).is_empty(), "{text:?}");
    }
}

// SPDX-License-Identifier: GPL-2.0
//! The checks on a tiny kernel with the kernel's real scripts.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]

mod common;
#[path = "common/kernel.rs"]
mod kernel;

use std::collections::BTreeMap;

use kernel::{Kernel, MAINTAINERS, SKBUFF};
use txgen::check::posting::Destination;
use txgen::check::run::{Report, Selection, run};
use txgen::check::source::{Source, patches};
use txgen::check::{CHECKS, table};
use txgen::series::Exception;

const GOOD: &str = "net: tell the second byte\n\nReaders of the first byte also need the second one.\n";

/// Runs `only` on the series.
fn check(kernel: &Kernel, only: &[&str]) -> anyhow::Result<Report> {
    check_with(kernel, only, &[])
}

fn check_with(kernel: &Kernel, only: &[&str], exceptions: &[Exception]) -> anyhow::Result<Report> {
    let (project, applied) = (kernel.txgen_project(), kernel.applied());
    let source = Source::new(&project, &applied, None).unwrap().to(destination());
    let only = only.iter().map(|name| (*name).to_owned()).collect();
    run(&source, &patches(&applied)?, &Selection { patch: None, only }, exceptions)
}

fn destination() -> Destination {
    let (tree, base) = ("net-next".to_owned(), "tiny".to_owned());
    Destination { tree, base, trees: None, outstanding: BTreeMap::new() }
}

/// A series of one patch that puts `text` into skbuff.c.
fn one_patch(message: &str, text: &str) -> Kernel {
    let mut kernel = Kernel::new();
    kernel.patch("second", message, &[("net/core/skbuff.c", text)]);
    kernel
}

fn found(report: &Report) -> Vec<String> {
    report.findings.iter().map(ToString::to_string).collect()
}

fn with_function(code: &str) -> String {
    format!("{SKBUFF}\n{code}")
}

#[test]
fn a_good_patch_passes_every_check_that_needs_no_build() {
    let code = with_function("int skb_second(struct sk_buff *skb)\n{\n\treturn skb->first + 1;\n}\n");
    // A tiny kernel can not be built.
    let builds = ["build", "sparse", "clang", "32-bit"];
    let names = CHECKS.iter().map(|check| check.name).filter(|name| !builds.contains(name));
    let kernel = one_patch(GOOD, &code);
    for file in ["net.config", "rust.config"] {
        kernel.project.write(&format!("p/vm-tests/{file}"), "CONFIG_RUST=y\n");
    }
    let report = check(&kernel, &names.collect::<Vec<_>>()).unwrap();
    insta::assert_snapshot!(anstream::adapter::strip_str(&table::table(&report)).to_string(), @r#"
    patch     message  trailers  fixes    limits   posting  checkpatch  whitespace  invisible  kernel-doc  docs     tools    clippy   coccicheck  inline   deprecated  locals   lint     selftest  ynl      maintainers
    second    ok       ok        ok       -        -        ok          ok          ok         ok          ok       ok       ok       ok          ok       ok          ok       ok       ok        ok       -
    (series)  -        -         -        ok       ok       -           -           -          -           -        -        -        -           -        -           -        -        -         -        ok
    "#);
    assert_eq!(found(&report), [""; 0]);
}

#[test]
fn checkpatch_reports_style_and_spelling_with_file_and_line() {
    let code =
        with_function("/* This is abandonning teh byte */\nint skb_second(struct sk_buff *skb){\n\treturn 1;\n}\n");
    let report = check(&one_patch(GOOD, &code), &["checkpatch"]).unwrap();
    insta::assert_snapshot!(found(&report).join("\n"), @r#"
    second: checkpatch: net/core/skbuff.c:9: TYPO_SPELLING: 'abandonning' may be misspelled - perhaps 'abandoning'?
    second: checkpatch: net/core/skbuff.c:10: OPEN_BRACE: open brace '{' following function definitions go on the next line
    second: checkpatch: net/core/skbuff.c:10: SPACING: space required before the open brace '{'
    "#);
}

#[test]
fn checkpatch_uses_the_dictionary_of_codespell() {
    let report =
        check(&one_patch(&GOOD.replace("need", "juducial"), &with_function("int x;\n")), &["checkpatch"]).unwrap();
    insta::assert_snapshot!(found(&report).join("\n"), @"second: checkpatch: TYPO_SPELLING: 'juducial' may be misspelled - perhaps 'judicial'?");
}

#[test]
fn characters_that_turn_text_around_are_found_in_what_a_patch_adds() {
    let has_old = with_function("/* \u{202e}old */\nint y;\n");
    let mut kernel = one_patch(GOOD, &has_old);
    let report = check(&kernel, &["invisible"]).unwrap();
    insta::assert_snapshot!(found(&report).join("\n"), @"second: invisible: net/core/skbuff.c:9: invisible-character: there is U+202E, which turns the direction of the text in `/* <U+202E>old */`");
    let new = has_old.replace("int y;\n", "int y;\nint z;\n");
    kernel.patch("third", &GOOD.replace("\n\n", "\n\nAnd \u{200b}more.\n\n"), &[("net/core/skbuff.c", &new)]);
    let name = "net/core/a\u{2066}.c";
    kernel.patch("fourth", GOOD, &[(name, "// SPDX-License-Identifier: GPL-2.0\n")]);
    let report = check(&kernel, &["invisible"]).unwrap();
    insta::assert_snapshot!(found(&report)[1..].join("\n"), @r"
    third: invisible: message line 3: invisible-character: there is U+200B, which is invisible in `And <U+200B>more.`
    fourth: invisible: net/core/a<U+2066>.c: invisible-character: there is U+2066, which turns the direction of the text in `net/core/a<U+2066>.c`
    ");
}

#[test]
fn whitespace_reports_what_git_am_warns_of() {
    let report = check(&one_patch(GOOD, &with_function("int x; \nint y;\n\n")), &["whitespace"]).unwrap();
    insta::assert_snapshot!(found(&report).join("\n"), @r"
    second: whitespace: net/core/skbuff.c:9: git-am: trailing whitespace
    second: whitespace: net/core/skbuff.c:11: git-am: new blank line at EOF
    ");
}

#[test]
fn kernel_doc_reports_only_what_the_patch_adds() {
    let old = "/**\n * skb_old() - old\n * @gone: not there\n * Return: nothing\n */\nint skb_old(int a)\n{\n\treturn a;\n}\n";
    let new =
        "/**\n * skb_new() - new\n * @a: the a\n * Return: it\n */\nint skb_new(int a, int b)\n{\n\treturn a;\n}\n";
    let mut kernel = one_patch(GOOD, &with_function(old));
    kernel.patch("new", GOOD, &[("net/core/skbuff.c", &format!("{new}{}", with_function(old)))]);
    kernel.patch("same", GOOD, &[("net/core/skbuff.c", &format!("\n\n{new}{}", with_function(old)))]);
    let report = check(&kernel, &["kernel-doc"]).unwrap();
    insta::assert_snapshot!(found(&report).join("\n"), @r#"
    second: kernel-doc: net/core/skbuff.c:14: kernel-doc: Excess function parameter 'gone' description in 'skb_old'
    second: kernel-doc: net/core/skbuff.c:14: kernel-doc: function parameter 'a' not described in 'skb_old'
    new: kernel-doc: net/core/skbuff.c:6: kernel-doc: function parameter 'b' not described in 'skb_new'
    "#);
}

/// A document of the tiny kernel.
const GUIDE: &str = "Documentation/networking/guide.rst";
const GUIDE_TEXT: &str = "=====\nGuide\n=====\n\nSee :ref:`the rest <rest>` and :doc:`/process/more`.\n\n- a\n b\n";

fn documented() -> Kernel {
    Kernel::with(&[
        (GUIDE, GUIDE_TEXT),
        ("Documentation/networking/index.rst", "Networking\n==========\n\n.. toctree::\n\n   guide\n"),
        ("Documentation/networking/kapi.rst", "API\n===\n\n.. kernel-doc:: net/core/skbuff.c\n   :identifiers:\n"),
        ("Documentation/process/more.rst", ".. _rest:\n\nMore\n====\n"),
    ])
}

#[test]
fn sphinx_reports_only_what_the_patch_adds_to_documents_and_kernel_doc() {
    let mut kernel = documented();
    let odd = "See :ref:`rest`, :doc:`../process/more`, :ref:`none` and :doc:`gone`.\n\n.. kernel-doc:: net/none.c\n";
    kernel.patch("text", GOOD, &[(GUIDE, &format!("{GUIDE_TEXT}\n{odd}"))]);
    let doc = "/**\n * skb_new() - new\n * @a: the a\n *\n * It does::\n *   this\n *  that\n *\n * Return: it\n */\n";
    let code = with_function(&format!("{doc}int skb_new(int a)\n{{\n\treturn a;\n}}\n"));
    kernel.patch("code", GOOD, &[("net/core/skbuff.c", &code)]);
    kernel.patch("new", GOOD, &[("Documentation/networking/new.rst", "New\n===\n\nText.\n")]);
    let report = check(&kernel, &["docs"]).unwrap();
    insta::assert_snapshot!(found(&report).join("\n"), @r"
    text: docs: sphinx: Cannot find file net/none.c
    text: docs: Documentation/networking/guide.rst:10: sphinx: undefined label: 'none'
    text: docs: Documentation/networking/guide.rst:10: sphinx: unknown document: 'gone'
    code: docs: net/core/skbuff.c:14: sphinx: Block quote ends without a blank line; unexpected unindent.
    new: docs: Documentation/networking/new.rst: toctree: no table of contents lists this document
    ");
}

#[test]
fn documents_without_a_fault_pass() {
    let mut kernel = documented();
    kernel.patch("text", GOOD, &[(GUIDE, &format!("{GUIDE_TEXT}\nSee :ref:`rest` and :doc:`index`.\n"))]);
    let doc = "/**\n * skb_new() - new\n * @a: the a\n *\n * It does\n *\n * Return: it\n */\n";
    let code = with_function(&format!("{doc}int skb_new(int a)\n{{\n\treturn a;\n}}\n"));
    kernel.patch("code", GOOD, &[("net/core/skbuff.c", &code)]);
    let index = "Networking\n==========\n\n.. toctree::\n\n   guide\n   new\n";
    let new =
        [("Documentation/networking/new.rst", "New\n===\n\nText.\n"), ("Documentation/networking/index.rst", index)];
    kernel.patch("new", GOOD, &new);
    assert_eq!(found(&check(&kernel, &["docs"]).unwrap()), [""; 0]);
}

#[test]
fn semantic_patches_of_the_tree_report_only_what_the_patch_adds() {
    let body = |name: &str| format!("void {name}(struct sk_buff *skb)\n{{\n\tkfree(skb);\n\tskb->first = 1;\n}}\n");
    let mut kernel = one_patch(GOOD, &with_function(&body("skb_old")));
    let good = "void skb_free(struct sk_buff *skb)\n{\n\tskb->first = 1;\n\tkfree(skb);\n}\n";
    let moved = with_function(&format!("{good}\n{}", body("skb_old")));
    kernel.patch("moved", GOOD, &[("net/core/skbuff.c", &moved)]);
    kernel.patch("bad", GOOD, &[("net/core/skbuff.c", &format!("{moved}\n{}", body("skb_new")))]);
    let report = check(&kernel, &["coccicheck"]).unwrap();
    insta::assert_snapshot!(found(&report).join("\n"), @r"
    second: coccicheck: net/core/skbuff.c:12: cocci: ERROR: reference preceded by free
    bad: coccicheck: net/core/skbuff.c:24: cocci: ERROR: reference preceded by free
    ");
}

/// A file of this machine's cache, at the same place of the project's.
fn borrow(kernel: &Kernel, name: &str, how: &str) {
    let real = kernel::managed().with_file_name(name);
    assert!(real.exists(), "{} is not there: {how}", real.display());
    let place = kernel.project.path("cache").join(name);
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(real, place).unwrap();
}

#[test]
fn linters_report_only_what_the_patch_adds() {
    let [shell, python, yaml] = ["tools/a.sh", "tools/a.py", "Documentation/netlink/specs/a.yaml"];
    let old = ["#!/bin/sh\necho $1\n", "\"\"\"A.\"\"\"\nimport os\n", "---\na:  1\n"];
    let files = [(shell, old[0]), (python, old[1]), (yaml, old[2])];
    let mut kernel = Kernel::with(&files);
    borrow(&kernel, "venv-lint", "vm-tests/venv.sh lint makes it");
    let good = format!("{}\necho \"$2\"\n", old[0]);
    kernel.patch(
        "good",
        GOOD,
        &[(shell, &good), (python, "\"\"\"A.\"\"\"\n\nimport os\n"), (yaml, "---\nb: 1\na:  1\n")],
    );
    let bad = format!("{good}echo $3\n");
    let code = "\"\"\"A.\"\"\"\n\nimport os\nimport sys\n";
    kernel.patch("bad", GOOD, &[(shell, &bad), (python, code), (yaml, "---\nb: 1\na:  1\na: 2\n")]);
    let report = check(&kernel, &["lint"]).unwrap();
    insta::assert_snapshot!(found(&report).join("\n"), @r#"
    bad: lint: tools/a.sh:5: shellcheck: note: Double quote to prevent globbing and word splitting. [SC2086]
    bad: lint: tools/a.py:4: pylint: W0611: Unused import sys (unused-import)
    bad: lint: tools/a.py:4: ruff: F401 [*] `sys` imported but unused
    bad: lint: Documentation/netlink/specs/a.yaml:4: yamllint: [error] duplication of key "a" in mapping (key-duplicates)
    "#);
}

const BINDING: &str = "Documentation/devicetree/bindings/net/adi,adin.yaml";

#[test]
fn a_device_tree_binding_is_checked_by_its_own_linters() {
    let bindings = "Documentation/devicetree/bindings/";
    let mut kernel = Kernel::with_real(&[], &[BINDING, &format!("{bindings}.yamllint")]);
    borrow(&kernel, "venv-lint", "vm-tests/venv.sh lint makes it");
    let text = kernel.project.read(&format!("k/{BINDING}"));
    let good = text.replacen("description:", "description: |\n  More.\nold:", 1).replacen("old: |\n", "", 1);
    kernel.patch("good", GOOD, &[(BINDING, &good)]);
    let at = good.find("maintainers:").unwrap();
    let bad = format!("{}{}", &good[..at], &good[at + good[at..].find("\n\n").unwrap() + 1..]);
    kernel.patch("bad", GOOD, &[(BINDING, &bad)]);
    let report = check(&kernel, &["lint"]).unwrap();
    insta::assert_snapshot!(found(&report).join("\n"), @r"
    bad: lint: Documentation/devicetree/bindings/net/adi,adin.yaml:9: yamllint: [warning] too many blank lines (2 > 1) (empty-lines)
    bad: lint: Documentation/devicetree/bindings/net/adi,adin.yaml:1: dt-doc-validate: 'maintainers' is a required property
    ");
}

#[test]
fn a_linter_that_is_missing_is_an_error_only_where_there_is_a_file_for_it() {
    let mut kernel = Kernel::with(&[]);
    kernel.patch("shell", GOOD, &[("tools/a.sh", "#!/bin/sh\necho\n")]);
    assert_eq!(found(&check(&kernel, &["lint"]).unwrap()), [""; 0]);
    kernel.patch("python", GOOD, &[("tools/a.py", "\"\"\"A.\"\"\"\n")]);
    let error = format!("{:#}", check(&kernel, &["lint"]).unwrap_err());
    let expected = format!("ruff is not installed: {} lint", kernel.project.path("p/vm-tests/venv.sh").display());
    assert_eq!(error, expected);
}

#[test]
fn what_fixes_names_is_looked_up_in_the_history_of_the_base() {
    let mut kernel = Kernel::new();
    kernel.patch("old", "net: break it\n\nWhy.\n", &[("net/core/skbuff.c", &with_function("int a;\n"))]);
    let broken = kernel.applied().patches[0].commit.clone();
    let texts = ["int b;\n", "int c;\n", "int d;\n", "int e;\n"].map(with_function);
    let message = |id: &str, subject: &str| format!("net: mend\n\nWhy.\n\nFixes: {id} (\"{subject}\")\n");
    let id = &broken[..12];
    kernel.patch("good", &message(id, "net: break it"), &[("net/core/skbuff.c", &texts[0])]);
    let own = kernel.applied().patches[1].commit[..12].to_owned();
    kernel.patch("subject", &message(id, "net: break"), &[("net/core/skbuff.c", &texts[1])]);
    kernel.patch("unknown", &message("0123456789ab", "net: break it"), &[("net/core/skbuff.c", &texts[2])]);
    kernel.patch("elsewhere", &message(&own, "net: mend"), &[("net/core/skbuff.c", &texts[3])]);
    let (project, mut applied) = (kernel.txgen_project(), kernel.applied());
    let old = applied.patches.remove(0);
    (applied.base.commit, applied.base.tree) = (old.commit, old.tree);
    let source = Source::new(&project, &applied, None).unwrap();
    let selection = Selection { patch: None, only: vec!["fixes".to_owned()] };
    let report = run(&source, &patches(&applied).unwrap(), &selection, &[]).unwrap();
    let told = found(&report).join("\n").replace(id, "[ID]").replace(&own, "[OWN]");
    insta::assert_snapshot!(told, @r#"
    subject: fixes: fixes-subject: the subject of [ID] is "net: break it"
    unknown: fixes: fixes-unknown: the repository has no commit 0123456789ab
    elsewhere: fixes: fixes-elsewhere: [OWN] is not in the history of the base
    "#);
    let mut imported = Kernel::new();
    imported.patch("mend", &message("0123456789ab", "net: x"), &[("net/core/skbuff.c", &texts[0])]);
    assert_eq!(found(&check(&imported, &["fixes"]).unwrap()), [""; 0], "the base has no history");
}

#[test]
fn a_new_selftest_has_to_be_in_the_lists_of_its_folder() {
    let net = "tools/testing/selftests/net";
    let [makefile, ignored] = ["Makefile", ".gitignore"].map(|name| format!("{net}/{name}"));
    let list = "TEST_PROGS := \\\n\ta.sh \\\n# end of TEST_PROGS\nTEST_GEN_PROGS := tap\n";
    let mut kernel = Kernel::with(&[(&makefile, list), (&ignored, "tap\n")]);
    let [script, program] = ["b.sh", "tls.c"].map(|name| format!("{net}/{name}"));
    kernel.patch("bad", GOOD, &[(&script, "#!/bin/sh\n"), (&program, "int main(void)\n{\n}\n")]);
    let listed = list.replace("\ta.sh", "\tb.sh \\\n\ta.sh").replace("tap", "tap tls");
    let [other, more] = ["c.sh", "tun.c"].map(|name| format!("{net}/{name}"));
    kernel.patch("order", GOOD, &[(&makefile, &listed)]);
    let sorted = list.replace("\ta.sh", "\ta.sh \\\n\tb.sh \\\n\tc.sh").replace("tap", "tap tls tun");
    let all = "tap\ntls\ntun\n";
    let files = [(other.as_str(), "#!/bin/sh\n"), (&more, "int main(void)\n{\n}\n"), (&makefile, &sorted)];
    kernel.patch("good", GOOD, &[&files[..], &[(ignored.as_str(), all)]].concat());
    insta::assert_snapshot!(found(&check(&kernel, &["selftest"]).unwrap()).join("\n"), @r"
    bad: selftest: tools/testing/selftests/net/b.sh: makefile: no Makefile of the selftests in or above tools/testing/selftests/net/ has b.sh
    bad: selftest: tools/testing/selftests/net/tls.c: makefile: no Makefile of the selftests in or above tools/testing/selftests/net/ has tls
    order: selftest: tools/testing/selftests/net/Makefile:2: order: b.sh belongs below a.sh
    ");
}

#[test]
fn code_that_is_generated_from_a_specification_has_to_be_fresh() {
    let [spec, code] = ["Documentation/netlink/specs/fou.yaml", "net/ipv4/fou_nl.c"];
    let real = [spec, code, "net/ipv4/fou_nl.h", "include/uapi/linux/fou.h", "tools/net/ynl/pyynl"];
    let schemas =
        ["genetlink-c", "genetlink-legacy", "genetlink"].map(|name| format!("Documentation/netlink/{name}.yaml"));
    let more = schemas.iter().map(String::as_str).chain(["tools/net/ynl/ynl-regen.sh"]).collect::<Vec<_>>();
    let mut kernel = Kernel::with_real(&[], &[&real[..], &more].concat());
    let specified = kernel.project.read(&format!("k/{spec}")).replace("Foo-over-UDP.", "Foo over UDP.");
    kernel.patch("text", GOOD, &[(spec, &specified)]);
    let other = kernel.project.read(&format!("k/{code}")).replace("NLA_U8, 1", "NLA_U8, 2");
    kernel.patch("by-hand", GOOD, &[(code, &other)]);
    kernel.patch("unrelated", GOOD, &[("net/core/skbuff.c", &with_function("int a;\n"))]);
    let expected = "by-hand: ynl: net/ipv4/fou_nl.c: stale: it is not what tools/net/ynl/ynl-regen.sh makes of its \
                    specification";
    assert_eq!(found(&check(&kernel, &["ynl"]).unwrap()), [expected]);
}

#[test]
fn a_new_file_needs_a_section_of_its_own() {
    let many = (0..80).map(|n| format!("net/many/{n}.c")).collect::<Vec<_>>();
    let mut files = many.iter().map(|path| (path.as_str(), "int x;\n")).collect::<Vec<_>>();
    let mut kernel = Kernel::new();
    kernel.patch("many", GOOD, &files);
    files.clear();
    kernel.patch("txbuf", GOOD, &[("net/core/txbuf.c", "int y;\n"), ("samples/s.c", "int z;\n")]);
    let report = check(&kernel, &["maintainers"]).unwrap();
    let mine = found(&report).into_iter().filter(|text| text.starts_with("txbuf")).collect::<Vec<_>>();
    insta::assert_snapshot!(mine.join("\n"), @r#"
    txbuf: maintainers: net/core/txbuf.c: broad-section: the narrowest section of MAINTAINERS, NETWORKING [GENERAL], covers 83 files
    txbuf: maintainers: samples/s.c: no-section: no section of MAINTAINERS covers the new file
    "#);

    let section = "TXBUF\nM:\tA <a@example.org>\nF:\tnet/core/txbuf*\nF:\tsamples/s.c\n\nTHE REST\n";
    kernel.patch("maintain", GOOD, &[("MAINTAINERS", &MAINTAINERS.replace("THE REST\n", section))]);
    let report = check(&kernel, &["maintainers"]).unwrap();
    assert!(!found(&report).iter().any(|text| text.starts_with("txbuf")), "{:?}", found(&report));
}

#[test]
fn an_unchanged_series_is_checked_from_records() {
    let kernel = one_patch(GOOD, &with_function("int y;\n"));
    let first = check(&kernel, &["checkpatch", "message"]).unwrap();
    let second = check(&kernel, &["checkpatch", "message"]).unwrap();
    assert_eq!((first.reused, second.reused), (0, 2));
    assert_eq!(first.findings, second.findings);
}

#[test]
fn a_record_is_reused_for_the_same_message_and_tree_only() {
    let [text, other] = ["int y;\n", "int z;\n"].map(with_function);
    let kernel = one_patch(GOOD, &text);
    let project = kernel.txgen_project();
    let reused = |kernel: &Kernel| {
        let applied = kernel.applied();
        let source = Source::new(&project, &applied, None).unwrap();
        let selection = Selection { patch: None, only: vec!["inline".to_owned()] };
        run(&source, &patches(&applied).unwrap(), &selection, &[]).unwrap().reused
    };
    assert_eq!(reused(&kernel), 0);
    assert_eq!(reused(&one_patch(GOOD, &text)), 1);
    assert_eq!(reused(&one_patch(&GOOD.replace("also", "often"), &text)), 0);
    assert_eq!(reused(&one_patch(GOOD, &other)), 0);
}

#[test]
fn a_changed_message_is_checked_again() {
    let mut kernel = one_patch(GOOD, &with_function("int y;\n"));
    check(&kernel, &["message"]).unwrap();
    kernel.patch("more", "Bad subject.\n\nWhy.\n", &[("net/core/skbuff.c", SKBUFF)]);
    let report = check(&kernel, &["message"]).unwrap();
    assert_eq!(report.reused, 1);
    insta::assert_snapshot!(found(&report).join("\n"), @r#"
    more: message: message line 1: subject-prefix: the subject does not start with `subsystem: `
    more: message: message line 1: subject-period: the subject ends with a period
    "#);
}

#[test]
fn an_exception_excuses_its_finding_and_an_idle_one_is_a_finding() {
    let kernel = one_patch(GOOD, &with_function("static inline int y(void)\n{\n\treturn 1;\n}\n"));
    let exception = |contains: &str| {
        let [patch, check, reason] = ["second", "inline", "measured"].map(str::to_owned);
        Exception { patch, check, contains: contains.to_owned(), reason, place: "series.toml:9:9".to_owned() }
    };
    let report = check_with(&kernel, &["inline"], &[exception("source-inline"), exception("other")]).unwrap();
    insta::assert_snapshot!(anstream::adapter::strip_str(&table::findings(&report)).to_string(), @r#"
    fail: second: inline: unused-exception: series.toml:9:9: no finding contains `other`: remove the [[exception]]
    excused: second: inline: net/core/skbuff.c:9: source-inline: the compiler decides on inlining in a .c file (measured)
    "#);
}

#[test]
fn unknown_checks_and_exceptions_are_refused_by_name() {
    let kernel = one_patch(GOOD, SKBUFF.replace("first;", "first + 0;").as_str());
    let error = check(&kernel, &["spelling"]).unwrap_err();
    assert!(error.to_string().starts_with("there is no check `spelling`; there are message, "), "{error}");
    let [patch, check_name, contains, reason] = ["second", "spelling", "x", "y"].map(str::to_owned);
    let exception = Exception { patch, check: check_name, contains, reason, place: "series.toml:9:9".to_owned() };
    let error = check_with(&kernel, &["inline"], &[exception]).unwrap_err();
    insta::assert_snapshot!(error, @"series.toml:9:9: there is no check `spelling`; `txgen check --list` names them");
}

#[test]
fn a_tree_without_checkpatch_is_an_error_that_names_it() {
    let mut kernel = Kernel::new();
    std::fs::remove_file(kernel.project.path("k/scripts/checkpatch.pl")).unwrap();
    kernel.patch("gone", GOOD, &[]);
    let error = check(&kernel, &["checkpatch"]).unwrap_err();
    insta::assert_snapshot!(format!("{error:#}"), @"the base has no scripts/checkpatch.pl: it is no kernel tree, or one without this script");
}

#[test]
fn the_command_prints_findings_and_a_table_and_exits_1() {
    let kernel = one_patch("Bad subject\n\nWhy.\n", &with_function("static inline int y(void)\n{\n\treturn 1;\n}\n"));
    kernel.store("");
    let only = ["--only", "message,inline,limits"];
    let ran = kernel.txgen("check", &only).expect(1);
    insta::assert_snapshot!(ran.stdout, @r#"
    fail: second: message: message line 1: subject-prefix: the subject does not start with `subsystem: `
    fail: second: inline: net/core/skbuff.c:9: source-inline: the compiler decides on inlining in a .c file
    patch     message  limits   inline
    second    1 FAIL   -        1 FAIL
    (series)  -        ok       -
    1 patches, 3 checks: 2 failures, 0 warnings, 0 excused
    "#);
    assert!(ran.stderr.contains("check: 0/3 second: message"), "{}", ran.stderr);
    let json: serde_json::Value =
        serde_json::from_str(&kernel.txgen("check", &[&only[..], &["--json"]].concat()).expect(1).stdout).unwrap();
    assert_eq!(json["findings"][1]["file"], "net/core/skbuff.c");
    assert_eq!(json["findings"][1]["line"], 9);
    assert_eq!(json["findings"][1]["level"], "fail");
    let b4: serde_json::Value =
        serde_json::from_str(&kernel.txgen("check", &[&only[..], &["--b4"]].concat()).expect(1).stdout).unwrap();
    let entries = b4.as_array().unwrap().iter().map(|e| format!("{} {}", e["tool"], e["status"])).collect::<Vec<_>>();
    assert_eq!(entries, ["\"txgen-message\" \"fail\"", "\"txgen-limits\" \"pass\"", "\"txgen-inline\" \"fail\""]);
    assert!(b4[2]["summary"].as_str().unwrap().contains("skbuff.c:9: source-inline"), "{b4}");
}

#[test]
fn the_command_exits_0_on_a_clean_or_excused_series_and_moves_no_branch() {
    let kernel = one_patch(GOOD, &with_function("static inline int y(void)\n{\n\treturn 1;\n}\n"));
    kernel.store(
        "[[exception]]\npatch = \"second\"\ncheck = \"inline\"\ncontains = \"source-inline\"\nreason = \"measured\"\n",
    );
    let ran = kernel.txgen("check", &["--only", "message,inline"]).expect(0);
    insta::assert_snapshot!(ran.stdout, @r#"
    excused: second: inline: net/core/skbuff.c:9: source-inline: the compiler decides on inlining in a .c file (measured)
    patch     message  inline
    second    ok       ok
    1 patches, 2 checks: 0 failures, 0 warnings, 1 excused
    "#);
    assert!(!kernel.project.git("k", &["branch", "--list", "--all"]).contains("txgen"));
    assert!(kernel.project.read("k/net/core/skbuff.c").contains("static inline int y"));
}

#[test]
fn a_bad_exception_is_refused_with_its_line() {
    let kernel = one_patch(GOOD, &with_function("int y;\n"));
    let refused = |exception: &str| {
        kernel.store(&format!("[[exception]]\n{exception}\n"));
        kernel.txgen("check", &["--only", "message"]).expect(2).stderr.replace("check ...\n", "")
    };
    let [patch, check, rest] = ["patch = \"second\"", "check = \"inline\"", "contains = \"x\"\nreason = \"y\""];
    insta::assert_snapshot!(refused(&format!("patch = \"nope\"\n{check}\n{rest}")), @"txgen: series/tiny/series.toml:8:9: the series has no patch `nope`");
    insta::assert_snapshot!(refused(&format!("{patch}\ncheck = \"nope\"\n{rest}")), @"txgen: series/tiny/series.toml:8:9: there is no check `nope`; `txgen check --list` names them");
    insta::assert_snapshot!(refused(&format!("{patch}\n{check}\ncontains = \"x\"\nreason = \" \"")), @"txgen: series/tiny/series.toml:11:10: `reason` is empty");
    insta::assert_snapshot!(refused(&format!("{patch}\n{check}\n{rest}\nwhy = \"z\"")), @"txgen: series/tiny/series.toml:12:1: unknown field `why`, expected one of `patch`, `check`, `contains`, `reason`");
}

#[test]
fn unknown_names_on_the_command_line_exit_2() {
    let kernel = one_patch(GOOD, &with_function("int y;\n"));
    kernel.store("");
    insta::assert_snapshot!(kernel.txgen("check", &["--patch", "nope"]).expect(2).stderr, @"txgen: the series has no patch `nope`; it has second");
    insta::assert_snapshot!(kernel.txgen("check", &["--only", "nope"]).expect(2).stderr, @"txgen: there is no check `nope`; there are message, trailers, fixes, limits, posting, checkpatch, whitespace, invisible, kernel-doc, docs, build, sparse, clang, 32-bit, tools, clippy, coccicheck, inline, deprecated, locals, lint, selftest, ynl, maintainers");
}

#[test]
fn the_list_names_every_check() {
    let project = common::TestProject::new("");
    let listed = project.txgen(&["check", "--list"]).expect(0).stdout;
    let names = listed.lines().map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>();
    assert_eq!(names, CHECKS.iter().map(|check| check.name).collect::<Vec<_>>());
}

#[test]
fn a_missing_codespell_is_an_error_that_names_its_package() {
    let kernel = one_patch(GOOD, &with_function("int y;\n"));
    kernel.store("");
    for program in ["git", "perl", "python3"] {
        let path = std::env::var_os("PATH").unwrap();
        let found = std::env::split_paths(&path).map(|dir| dir.join(program)).find(|path| path.is_file()).unwrap();
        std::fs::create_dir_all(kernel.project.path("bin")).unwrap();
        std::os::unix::fs::symlink(found, kernel.project.path("bin").join(program)).unwrap();
    }
    let mut command = kernel.project.command(env!("CARGO_BIN_EXE_txgen"));
    let base = kernel.applied().base.commit;
    command.args(["check", "tiny", "--tree", "../k", "--base", &base, "--only", "checkpatch"]);
    let output =
        command.env("PATH", kernel.project.path("bin")).current_dir(kernel.project.path("p")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    insta::assert_snapshot!(text, @"txgen: codespell is not installed: apt-get install codespell");
}

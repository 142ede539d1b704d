// SPDX-License-Identifier: GPL-2.0
use std::path::Path;

use super::{code, refuse_other_files};

/// The line and the start of what is found first.
fn first(text: &str) -> Option<(usize, String)> {
    let place = code(text).into_iter().next()?;
    Some((place.line, place.what))
}

fn runs(text: &str) -> Option<usize> {
    first(text).filter(|(_, what)| what.starts_with("it runs")).map(|(line, _)| line)
}

#[test]
fn a_script_is_found_however_its_header_is_written() {
    for (line, text) in [
        (1, "@script:python@\n@@\npass\n"),
        (1, "@initialize:python@\n@@\npass\n"),
        (1, "@initialize:ocaml@\n@@\n"),
        (3, "@@ @@\n- a\n@finalize:python@\n@@\n"),
        (1, "@  script : python @\n"),
        (2, "@\nscript\n:\npython\n@\n"),
        (1, "@script:python r depends on p@\n"),
        (1, "@ script /* x */ : // y\npython@\n"),
        (1, "@script:python@\r\n@@\r\n"),
        (1, "@script\u{b}:\u{c}python@\n"),
        (1, "@ script #! x\n : python@\n"),
        (1, "@script\n- :\n+ python@\n"),
        (1, "@ script // it's\n : python@\n"),
        (4, "virtual a, b\n\n/* c */\n@script:ocaml@\n"),
    ] {
        assert_eq!(runs(text), Some(line), "{text:?}");
    }
}

#[test]
fn a_script_in_a_declaration_is_found() {
    for (line, text) in [
        (1, "@r@ identifier x : script:python() { True }; @@\n- x\n"),
        (3, "@r@\nposition p1;\nposition p : script:python(p1) { True };\n@@\n old@p(1)\n"),
        (1, "@r@ identifier x; fresh identifier y = script:python(x) { 'a' }; @@\n- x\n+ y\n"),
        (2, "@r@ identifier x =~ \"//\"\n : script:ocaml() { true }; @@\n- x\n"),
        (1, "@r@ analysis (f ()) a; @@\n- x\n"),
    ] {
        assert_eq!(runs(text), Some(line), "{text:?}");
    }
}

#[test]
fn options_are_found_wherever_spatch_takes_them() {
    for (line, text) in [
        (1, "#spatch --python /tmp/x\n@@ @@\n- a\n"),
        (2, "@@ @@\n \t# \tspatch --iso-file /x\n- a\n"),
        (2, "/*\n#spatch --in-place\n*/\n@@ @@\n- a\n"),
        (1, "#spatch --python /tmp/x\r\n@@ @@\n- a\n"),
    ] {
        assert_eq!(first(text), Some((line, "it sets options of spatch (`#spatch`)".to_owned())), "{text:?}");
    }
}

#[test]
fn what_would_hide_a_script_is_refused_as_unclear() {
    for (line, text) in [
        (1, "@r@ identifier x =~ \"o\n/*\"; @@\n x(1)\n@script:python@\n@@\npass\n"),
        (1, "@r@ identifier x =~ \"o\\\n/*\"; @@\n x(1)\n@script:python@\n"),
        (3, "@@ @@\n- old(1)\n+#error don't /*\n@script:python@\n"),
        (2, "@@ @@\n- --- /* x\n@script:python@\n"),
        (3, "@@ @@\n- old(1)\n+++ /* x\n@script:python@\n*/\n"),
        (2, "@@ @@\n- a = '\n'; /* x\n@script:python@\n"),
        (1, "/* no end @script:python@\n"),
        (2, "@@ @@\n#pragma x \"\n@script:python@\n"),
        (1, "#include \"a\n@script:python@\n"),
    ] {
        let (at, what) = first(text).expect(text);
        assert_eq!((at, what.starts_with("it may run code: ")), (line, true), "{text:?}: {what}");
    }
}

#[test]
fn patterns_comments_and_strings_run_nothing() {
    for text in [
        "@@\nexpression A;\n@@\n- f(A)\n+ g(A)\n",
        "// see script:python\n/* @script:python@ */\n@@ @@\n- a\n",
        "@@ @@\n- f(\"@script:python@\")\n+ g('\\'', \"\\\"script:python\")\n",
        "@@\nidentifier script, python;\n@@\n- script(python)\n+ initialize(python)\n",
        "@@ @@\n script:\n- a\n+ x = b ? script : other;\n",
        "@r@\nidentifier x =~ \"^script:\";\n@@\n- x\n",
        "@r depends on !script_rule && file in \"a\"@\n@@\n- a\n+#include <linux/script.h>\n+#include \"script.h\"\n+b\n",
        "@@ @@\n- /* don't */ a\n+ --b;\n",
        "@@ @@\n#ifdef A // script\n- a\n#endif\n",
        "@@ @@\n- description:python\n- xscript:python\n- script1:python\n",
        "",
    ] {
        assert_eq!(first(text), None, "{text:?}");
    }
}

#[test]
fn what_cannot_hide_anything_is_not_looked_at_more_closely() {
    assert_eq!(first("@@ @@\n- f(\"a\n b\")\n#error don't\n"), None);
}

#[test]
fn another_file_is_refused_with_its_line() {
    let refused = |text: &str| refuse_other_files(Path::new("series/s/p.cocci"), text).map_err(|e| e.to_string());
    let other = |line, word| {
        Err(format!(
            "series/s/p.cocci:{line}: `{word}` reads another file: a semantic patch is one file, copy the rules into it"
        ))
    };
    assert_eq!(refused("#include \"/etc/passwd\"\n@@ @@\n- a\n"), other(1, "#include"));
    assert_eq!(refused("virtual a\n# \tinclude\t\"x.cocci\"\n@@ @@\n- a\n"), other(2, "#include"));
    assert_eq!(refused("// @\n#include \"../x.cocci\"\n@@ @@\n- a\n"), other(2, "#include"));
    assert_eq!(refused("using \"x.iso\"\n@@ @@\n- a\n"), other(1, "using"));
    assert_eq!(refused("using <x.iso>\n@@ @@\n- a\n"), other(1, "using"));
    assert_eq!(refused("@@ @@\n- a\n\n@r\nusing \"x.iso\"@\n@@\n- a\n"), other(5, "using"));
    assert_eq!(refused("@@ @@\n- #include \"a.h\"\n+ #include \"b.h\"\n+ using(x);\n"), Ok(()));
}

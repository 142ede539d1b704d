// SPDX-License-Identifier: GPL-2.0
//! The checks `build` and `sparse` on a tiny kernel that the real make, gcc and sparse compile.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]
#![expect(dead_code, reason = "tests/common is shared by the tests of all commands")]

mod common;
#[path = "common/kernel.rs"]
mod kernel;

use kernel::{Kernel, SKBUFF};
use txgen::check::run::{Selection, run};
use txgen::check::source::{Source, patches};

const MAKEFILE: &str = "\
VERSION = 7
PATCHLEVEL = 3
allnoconfig:
\tcp $(KCONFIG_ALLCONFIG) $(O)/.config
%.o: %.c
\t@mkdir -p $(O)/$(dir $@)
\t@echo '  CC      $@'
\t@$(CC) -Wall $(if $(W),-Wextra) -Iinclude -c $< -o $(O)/$@
\t@$(if $(C),echo '  CHECK   $<'; SPARSE -Iinclude $(CF) $<)
";

/// What the checks find in a patch that puts `code` behind `before` into skbuff.c; make calls `sparse` as it says.
fn found(before: &str, code: &str, sparse: &str) -> anyhow::Result<Vec<String>> {
    found_with(&MAKEFILE.replace("SPARSE", sparse), before, code)
}

fn found_with(makefile: &str, before: &str, code: &str) -> anyhow::Result<Vec<String>> {
    let mut kernel = Kernel::new();
    for file in ["net.config", "compile.config"] {
        kernel.project.write(&format!("p/vm-tests/{file}"), "CONFIG_NET=y\n");
    }
    let old = format!("{SKBUFF}{before}");
    kernel.patch("setup", "net: set up\n", &[("Makefile", makefile), ("net/core/skbuff.c", &old)]);
    kernel.patch("new", "net: new\n", &[("net/core/skbuff.c", &format!("{old}{code}"))]);
    let (project, applied) = (kernel.txgen_project(), kernel.applied());
    let source = Source::new(&project, &applied, None);
    let only = ["build", "sparse"].map(str::to_owned).to_vec();
    let report = run(&source, &patches(&applied)?, &Selection { patch: Some("new".to_owned()), only }, &[])?;
    Ok(report.findings.iter().map(ToString::to_string).collect())
}

const CLEAN: &str = "static int second(void)\n{\n\treturn 2;\n}\nint skb_second(void);\nint skb_second(void)\n{\n\treturn second();\n}\n";
const UNUSED: &str = "int skb_third(int unused);\nint skb_third(int unused)\n{\n\treturn 3;\n}\n";

#[test]
fn a_patch_without_new_warnings_has_no_findings_whatever_was_there_before() {
    assert_eq!(found(UNUSED, CLEAN, "sparse").unwrap(), [""; 0]);
}

#[test]
fn a_new_warning_of_gcc_is_found_with_its_line() {
    let found = found("", UNUSED, "sparse").unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("new: build: net/core/skbuff.c:9: gcc: unused parameter"), "{found:?}");
}

#[test]
fn a_new_warning_of_sparse_is_found_with_its_line() {
    let found = found("", "int skb_third(void)\n{\n\treturn 3;\n}\n", "sparse").unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("new: sparse: net/core/skbuff.c:8: sparse: symbol 'skb_third' was not"), "{found:?}");
}

#[test]
fn a_patch_that_does_not_compile_is_a_finding() {
    let found = found("", "int third(void) { return undeclared; }\n", "sparse").unwrap();
    let undeclared = |text: &String| text.starts_with("new: build: net/core/skbuff.c:8: gcc: 'undeclared' undeclared");
    assert!(found.iter().any(undeclared), "{found:?}");
    assert_eq!(found.last().unwrap(), "new: sparse: sparse: did not run: see what gcc says of this patch");
}

#[test]
fn a_tree_that_does_not_compile_before_the_patch_can_not_be_checked() {
    let error = found("int third(void) { return undeclared; }\n", CLEAN, "sparse").unwrap_err().to_string();
    assert!(error.starts_with("net/core/skbuff.c:8 does not compile before patch new"), "{error}");
}

#[test]
fn a_make_that_skips_sparse_is_an_error_and_no_pass() {
    let skips = "echo 'Makefile:1311: sparse is not available or not up to date';true";
    let error = found("", CLEAN, skips).unwrap_err().to_string();
    assert!(error.starts_with("make did not run sparse"), "{error}");
}

#[test]
fn a_make_that_does_not_say_what_it_compiles_is_an_error_and_no_pass() {
    let silent = MAKEFILE.replace("CHECK", "checked");
    let error = found_with(&silent, "", UNUSED).unwrap_err().to_string();
    assert!(error.starts_with("net/core/skbuff.o was not compiled and read by sparse"), "{error}");
}

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
\t@$(CC) -Wall $(if $(filter i386,$(ARCH)),-m32) $(if $(W),-Wextra) -Iinclude -c $< -o $(O)/$@
\t@$(if $(C),echo '  CHECK   $<'; SPARSE -Iinclude $(CF) $<)
";

/// What `build` and `sparse` find in a patch that puts `code` behind `before` into skbuff.c; make calls `sparse` as it
/// says.
fn found(before: &str, code: &str, sparse: &str) -> anyhow::Result<Vec<String>> {
    found_with(&MAKEFILE.replace("SPARSE", sparse), before, &format!("{before}{code}"), &["build", "sparse"])
}

/// What `checks` find in a patch that has `after` at the end of skbuff.c where there was `before`.
fn found_with(makefile: &str, before: &str, after: &str, checks: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut kernel = Kernel::new();
    let before = format!("{SKBUFF}{before}");
    kernel.patch("setup", "net: set up\n", &[("Makefile", makefile), ("net/core/skbuff.c", &before)]);
    found_in(kernel, after, checks)
}

/// What `checks` find in a patch that puts `after` at the end of skbuff.c.
fn found_in(mut kernel: Kernel, after: &str, checks: &[&str]) -> anyhow::Result<Vec<String>> {
    for file in ["net.config", "compile.config", "32bit.config"] {
        kernel.project.write(&format!("p/vm-tests/{file}"), "CONFIG_NET=y\n");
    }
    kernel.patch("new", "net: new\n", &[("net/core/skbuff.c", &format!("{SKBUFF}{after}"))]);
    let (project, applied) = (kernel.txgen_project(), kernel.applied());
    let source = Source::new(&project, &applied, None);
    let only = checks.iter().map(|&check| check.to_owned()).collect();
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

const BROKEN: &str = "int third(void) { return undeclared; }\n";

#[test]
fn what_an_earlier_patch_broke_is_said_of_each_patch_until_it_is_mended() {
    let still = found(BROKEN, CLEAN, "sparse").unwrap();
    assert!(still[0].starts_with("new: build: net/core/skbuff.c:8: gcc: still does not compile"), "{still:?}");
    assert_eq!(still[1..], ["new: sparse: sparse: did not run: see what gcc says of this patch"]);
    let mended = found_with(&MAKEFILE.replace("SPARSE", "sparse"), BROKEN, CLEAN, &["build"]).unwrap();
    assert_eq!(mended, [""; 0]);
}

#[test]
fn a_base_that_does_not_compile_is_an_error_and_no_finding() {
    let makefile = MAKEFILE.replace("SPARSE", "sparse");
    let broken = format!("{SKBUFF}{BROKEN}");
    let kernel = Kernel::with(&[("Makefile", &makefile), ("net/core/skbuff.c", &broken)]);
    let error = found_in(kernel, CLEAN, &["build"]).unwrap_err().to_string();
    assert!(error.starts_with("net/core/skbuff.c:8 does not compile with gcc before patch new"), "{error}");
}

#[test]
fn a_warning_that_only_clang_has_is_found_by_the_check_of_this_name() {
    let code = "int skb_third(int a);\nint skb_third(int a)\n{\n\ta = a;\n\treturn a;\n}\n";
    let found = found_with(&MAKEFILE.replace("SPARSE", "sparse"), "", code, &["build", "clang", "32-bit"]).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("new: clang: net/core/skbuff.c:11: clang: explicitly assigning value"), "{found:?}");
}

#[test]
fn a_warning_for_32_bit_is_found_by_the_check_of_this_name() {
    let code = "unsigned long skb_third(void);\nunsigned long skb_third(void)\n{\n\treturn 1UL << 40;\n}\n";
    let found = found_with(&MAKEFILE.replace("SPARSE", "sparse"), "", code, &["build", "clang", "32-bit"]).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("new: 32-bit: net/core/skbuff.c:11: gcc -m32: left shift count"), "{found:?}");
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
    let error = found_with(&silent, "", UNUSED, &["build"]).unwrap_err().to_string();
    assert!(error.starts_with("net/core/skbuff.o was not compiled by gcc and read by sparse"), "{error}");
}

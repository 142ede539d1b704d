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
use txgen::kernel::worktree::{Purpose, build_folder};

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

/// What `build` finds in a patch with a careless function in a header of which a built kernel has `users`, and what of
/// the tree was compiled.
fn found_in_header(users: &[&str]) -> (Vec<String>, Vec<String>) {
    let makefile = MAKEFILE.replace("SPARSE", "sparse");
    let names = ["net/a/a.c", "net/a/b.c", "net/b/c.c"];
    let text = "#include <linux/skbuff.h>\nint NAME;\n";
    let texts = names.map(|name| text.replace("NAME", &name[6..7]));
    let mut files = names.iter().zip(&texts).map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>();
    files.push(("Makefile", &makefile));
    let mut kernel = Kernel::with(&files);
    for file in ["net.config", "compile.config", "32bit.config"] {
        kernel.project.write(&format!("p/vm-tests/{file}"), "CONFIG_NET=y\n");
    }
    let careless = "static inline int skb_third(int unused)\n{\n\treturn 3;\n}\n";
    let header = format!("{}{careless}", kernel.project.read("k/include/linux/skbuff.h"));
    kernel.patch("new", "net: new\n", &[("include/linux/skbuff.h", &header)]);
    let (project, applied) = (kernel.txgen_project(), kernel.applied());
    let folder = build_folder(&project, &applied.git_dir, Purpose::Build, "net").unwrap();
    for user in users {
        let path = folder.join(user);
        let record = path.with_file_name(format!(".{}.cmd", path.file_name().unwrap().to_str().unwrap()));
        let text = format!("deps_{user} := \\\n  ../../tree/include/linux/skbuff.h \\\n\n{user}: $(deps_{user})\n");
        std::fs::create_dir_all(record.parent().unwrap()).unwrap();
        std::fs::write(record, text).unwrap();
    }
    let source = Source::new(&project, &applied, None);
    let selection = Selection { patch: None, only: vec!["build".to_owned(), "clang".to_owned()] };
    let report = run(&source, &patches(&applied).unwrap(), &selection, &[]).unwrap();
    let compiled = build_folder(&project, &applied.git_dir, Purpose::Check, "w1").unwrap();
    let compiled =
        ["net/a/a.o", "net/a/b.o", "net/b/c.o", "net/core/skbuff.o"].into_iter().filter(|o| compiled.join(o).exists());
    (report.findings.iter().map(ToString::to_string).collect(), compiled.map(str::to_owned).collect())
}

#[test]
fn a_touched_header_is_compiled_through_the_objects_that_a_built_kernel_shows_to_include_it() {
    let (found, compiled) = found_in_header(&["net/a/b.o", "net/b/c.o"]);
    assert_eq!(compiled, ["net/a/b.o", "net/b/c.o"]);
    let expected = "include/linux/skbuff.h:5: gcc: unused parameter 'unused' [-Wunused-parameter]";
    assert_eq!(found[0], format!("new: build: {expected}"), "{found:?}");
    let (_, usual) = found_in_header(&[]);
    assert_eq!(usual, ["net/core/skbuff.o"]);
}

#[test]
fn a_finding_in_a_header_says_how_many_of_its_users_were_compiled() {
    let many = (0..20).map(|n| format!("net/gone/{n}.o")).collect::<Vec<_>>();
    let users = many.iter().map(String::as_str).chain(["net/a/a.o", "net/a/b.o", "net/b/c.o"]).collect::<Vec<_>>();
    let (found, compiled) = found_in_header(&users);
    assert_eq!(compiled, ["net/a/a.o", "net/a/b.o", "net/b/c.o"]);
    let told = |check: &str| found.iter().find(|text| text.starts_with(&format!("new: {check}: "))).unwrap();
    assert!(told("build").ends_with(" (compiled: 9 of 23 objects with the headers)"), "{found:?}");
    assert!(told("clang").ends_with(" (compiled: 3 of 23 objects with the headers)"), "{found:?}");
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

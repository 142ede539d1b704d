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
headers_install:
\t@mkdir -p $(INSTALL_HDR_PATH)/include && echo '#define ANSWER 42' >$(INSTALL_HDR_PATH)/include/answer.h
prepare:
\t@mkdir -p $(O)/rust && echo '  CLIPPY L rust/kernel.o'
\t@$(CLIPPY_DRIVER) --edition=2021 --crate-type lib -Wclippy::all --emit=metadata \\
\t\t-o $(O)/rust/libkernel.rmeta rust/kernel/lib.rs
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
    let source = Source::new(&project, &applied, None).unwrap();
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
    let source = Source::new(&project, &applied, None).unwrap();
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

const SELFTESTS: &str = "tools/testing/selftests";
const PROGRAM: &str = "#include <answer.h>\n#include \"more.h\"\nint main(void)\n{\n\treturn ANSWER - MORE;\n}\n";

/// What `tools` finds in a patch that writes `files` of the folder x of selftests, which the kernel's own lib.mk builds.
fn found_in_selftests(files: &[(&str, &str)]) -> Vec<String> {
    let x = |name: &str| format!("{SELFTESTS}/x/{name}");
    let names = ["Makefile", "one.c", "more.h"].map(x);
    let makefile = "CFLAGS += -Wall $(KHDR_INCLUDES)\nTEST_GEN_PROGS := one two\n\ninclude ../lib.mk\n";
    let texts = [makefile, PROGRAM, "#define MORE 0\n"];
    let top = MAKEFILE.replace("SPARSE", "sparse");
    let mut all = names.iter().map(String::as_str).zip(texts).collect::<Vec<_>>();
    all.push(("Makefile", &top));
    let headers = ["kselftest_harness.h", "kselftest.h"].map(|name| format!("{SELFTESTS}/{name}"));
    let lib = format!("{SELFTESTS}/lib.mk");
    let mut kernel = Kernel::with_real(&all, &[&lib, &headers[0], &headers[1]]);
    let files = files.iter().map(|(name, text)| (x(name), *text)).collect::<Vec<_>>();
    let files = files.iter().map(|(path, text)| (path.as_str(), *text)).collect::<Vec<_>>();
    kernel.patch("new", "net: new\n", &files);
    let (project, applied) = (kernel.txgen_project(), kernel.applied());
    let source = Source::new(&project, &applied, None).unwrap();
    let selection = Selection { patch: None, only: vec!["tools".to_owned()] };
    let report = run(&source, &patches(&applied).unwrap(), &selection, &[]).unwrap();
    assert_eq!(kernel.project.git("k", &["status", "--porcelain"]), "");
    report.findings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_selftest_is_built_with_the_headers_of_its_tree() {
    assert_eq!(found_in_selftests(&[("one.c", &PROGRAM.replace("- MORE", "+ MORE")), ("two.c", PROGRAM)]), [""; 0]);
}

#[test]
fn a_new_warning_in_a_selftest_or_in_its_header_is_found() {
    let unused = found_in_selftests(&[("one.c", &PROGRAM.replace("return", "int unused;\n\treturn"))]);
    assert_eq!(unused.len(), 1, "{unused:?}");
    assert!(unused[0].starts_with("new: tools: tools/testing/selftests/x/one.c:5: gcc: unused variable"), "{unused:?}");
    let header = found_in_selftests(&[("more.h", "static int more(void)\n{\n\treturn 1;\n}\n#define MORE 0\n")]);
    assert!(header[0].starts_with("new: tools: tools/testing/selftests/x/more.h:1: gcc: 'more' defined"), "{header:?}");
}

#[test]
fn a_selftest_that_does_not_build_is_found_whoever_says_so() {
    let compiler = found_in_selftests(&[("two.c", "int main(void)\n{\n\treturn undeclared;\n}\n")]);
    assert!(
        compiler[0].starts_with("new: tools: tools/testing/selftests/x/two.c:3: gcc: 'undeclared'"),
        "{compiler:?}"
    );
    let linker = found_in_selftests(&[("two.c", "int away(void);\nint main(void)\n{\n\treturn away();\n}\n")]);
    assert!(linker[0].contains("two does not build: ") && linker[0].contains("undefined reference"), "{linker:?}");
}

/// A kernel with a crate of its own and a patch that changes it; what clippy says of it, by the program.
fn clippy(lib: &str, rust: &std::path::Path) -> (Option<i32>, String) {
    let makefile = MAKEFILE.replace("SPARSE", "sparse");
    let old = "//! A crate.\n\n/// Old.\npub fn old(a: u32) -> u32 {\n    return a;\n}\n";
    let mut kernel = Kernel::with(&[("Makefile", &makefile), ("rust/kernel/lib.rs", old)]);
    for file in ["net.config", "rust.config"] {
        kernel.project.write(&format!("p/vm-tests/{file}"), "CONFIG_RUST=y\n");
    }
    let bindgen = kernel::managed().with_file_name("rust/bin/bindgen");
    assert!(bindgen.exists(), "{} is not there: vm-tests/rust.sh installs it", bindgen.display());
    std::fs::create_dir_all(kernel.project.path("cache/rust/bin")).unwrap();
    std::os::unix::fs::symlink(bindgen, kernel.project.path("cache/rust/bin/bindgen")).unwrap();
    let c = format!("{SKBUFF}int added;\n");
    let files = [("rust/kernel/lib.rs", format!("{old}{lib}")), ("net/core/skbuff.c", c)];
    let files = files
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .filter(|(path, _)| !lib.is_empty() || path.ends_with('c'));
    kernel.patch("new", "rust: new\n\nWhy.\n", &files.collect::<Vec<_>>());
    kernel.store("");
    let base = kernel.applied().base.commit;
    let mut command = kernel.project.command(env!("CARGO_BIN_EXE_txgen"));
    command.args(["check", "tiny", "--tree", "../k", "--base", &base, "--only", "clippy"]).env("TXGEN_RUST", rust);
    let output = command.current_dir(kernel.project.path("p")).output().unwrap();
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (output.status.code(), said.concat())
}

/// The folder of the toolchain that compiles this test.
fn toolchain() -> std::path::PathBuf {
    let output = std::process::Command::new("rustc").args(["--print", "sysroot"]).output().unwrap();
    std::path::Path::new(String::from_utf8_lossy(&output.stdout).trim()).join("bin")
}

#[test]
fn what_clippy_says_of_a_patch_is_found_and_what_it_said_before_is_not() {
    let careless = "\n/// New.\npub fn new(a: u32) -> bool {\n    a == a\n}\n";
    let (code, said) = clippy(careless, &toolchain());
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("warn: new: clippy: rust/kernel/lib.rs:10: clippy: equal expressions as operands"), "{said}");
    assert!(said.contains("0 failures, 1 warnings"), "{said}");
    let (code, said) = clippy("\n/// New.\npub fn new(a: u32) -> bool {\n    a == 1\n}\n", &toolchain());
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn rust_is_missed_only_where_a_patch_touches_it() {
    let none = std::path::Path::new("/nonexistent");
    let (code, said) = clippy("\n/// New.\npub fn new() {}\n", none);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("apt-get install rustc-web rust-web-src rustfmt-web rust-web-clippy"), "{said}");
    let (code, said) = clippy("", none);
    assert_eq!(code, Some(0), "{said}");
}

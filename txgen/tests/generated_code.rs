// SPDX-License-Identifier: GPL-2.0
//! What is generated, given to gcc and rustc: it compiles, and their layout is that of the model.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write;
use std::fs;
use std::mem::{offset_of, size_of};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use txgen::design::msg::net_txmsg;
use txgen::design::{NET_TXBUF_MAX_SLOTS, NET_TXBUF_SIZE, net_txbuf, net_txbuf_ops};
use txgen::model::layout::{self, Abi, Layout};
use txgen::model::{Model, parse};

/// What generated C includes, with the kernel's sizes.
const STUBS: [(&str, &str); 9] = [
    ("linux/build_bug.h", "#define static_assert(expr, ...) _Static_assert(expr, \"\" __VA_ARGS__ #expr)\n"),
    ("linux/bvec.h", "struct page;\nstruct bio_vec { struct page *p; unsigned int bv_len, bv_offset; };\n"),
    (
        "linux/lockdep_types.h",
        "#ifdef CONFIG_LOCKDEP\nstruct lockdep_map { void *key[4]; unsigned char type[3]; };\n#else\n\
         struct lockdep_map { };\n#endif\n",
    ),
    (
        "linux/skbuff.h",
        "#include <linux/refcount.h>\nstruct ubuf_info { const void *ops; refcount_t refcnt; unsigned char flags; };\n",
    ),
    (
        "linux/workqueue.h",
        "#include <linux/lockdep_types.h>\nstruct workqueue_struct;\n\
         struct work_struct {\n\tlong data;\n\tvoid *entry[2];\n\tvoid (*func)(struct work_struct *work);\n\
         #ifdef CONFIG_LOCKDEP\n\tstruct lockdep_map lockdep_map;\n#endif\n};\n",
    ),
    ("kunit/test.h", KUNIT),
    ("linux/refcount.h", "typedef struct { int refs; } refcount_t;\n"),
    (
        "linux/stddef.h",
        "#define offsetof(type, member) __builtin_offsetof(type, member)\n\
         #define sizeof_field(type, member) sizeof(((type *)0)->member)\n",
    ),
    (
        "linux/types.h",
        "typedef unsigned char u8;\ntypedef unsigned short u16;\ntypedef unsigned int u32;\n\
         typedef __SIZE_TYPE__ size_t;\n#define bool _Bool\n#define __counted_by(member)\n",
    ),
];

/// As much of KUnit as the layout test needs, as a program whose exit status is the number of failures.
const KUNIT: &str = "#include <linux/types.h>
struct kunit { int failed; };
struct kunit_case { void (*run)(struct kunit *test); };
struct kunit_suite { const char *name; struct kunit_case *test_cases; };
#ifdef CONFIG_64BIT
#define IS_ENABLED(option) 1
#else
#define IS_ENABLED(option) 0
#endif
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define KUNIT_CASE(function) { function }
#define KUNIT_EXPECT_EQ_MSG(test, left, right, ...) ((test)->failed += (left) != (right))
#define kunit_skip(test, why) return
#define kunit_test_suite(suite) \\
int main(void) \\
{ \\
	struct kunit test = { 0 }; \\
	for (struct kunit_case *one = (suite).test_cases; one->run; one++) \\
		one->run(&test); \\
	return test.failed; \\
}
";

const LAYOUT_TEST: &str = "kernel-overlay/net/core/tests/txmsg_layout_test.c";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The model that declares struct `name`.
fn model_of(name: &str) -> Model {
    let models =
        ["txgen/src/design.rs", "txgen/src/design/msg.rs"].map(|file| parse::parse(file, &read(file)).unwrap());
    models.into_iter().find(|model| model.find_struct(name).is_some()).unwrap()
}

/// Runs a compiler; what it prints if it fails.
fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Compiles `source` against the stubs (one of them replaced) as freestanding C11.
fn gcc(abi: Abi, source: &str, replaced: Option<(&str, &str)>) -> Result<(), String> {
    gcc_with(abi, source, replaced, &[]).map(drop)
}

/// The same with more arguments; the folder that it was compiled in.
fn gcc_with(abi: Abi, source: &str, replaced: Option<(&str, &str)>, args: &[&str]) -> Result<TempDir, String> {
    let dir = TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for (name, text) in STUBS.iter().chain(&replaced) {
        write(name, &format!("#pragma once\n{text}"));
    }
    for header in ["net/txbuf/types.h", "net/txbuf/msg-types.h"] {
        write(header, &read(&format!("kernel-overlay/include/{header}")));
    }
    write("test.c", source);
    let bits: &[&str] = if abi == Abi::Lp64 { &["-m64", "-DCONFIG_64BIT"] } else { &["-m32"] };
    let strict = ["-std=c11", "-ffreestanding", "-nostdinc", "-Wall", "-Wextra", "-Werror", "-I.", "-c", "test.c"];
    run(Command::new("gcc").args(bits).args(strict).args(args).current_dir(dir.path()))?;
    Ok(dir)
}

const USER: &str = "#include <net/txbuf/msg-types.h>
#include <net/txbuf/msg-types.h>
#include <net/txbuf/types.h>
#include <net/txbuf/types.h>
bool is_copied(const struct net_txmsg *txm);
bool is_copied(const struct net_txmsg *txm)
{
	return txm->state & 1UL << NET_TXMSG_COPIED;
}
unsigned int slots(const struct net_txbuf *tb);
unsigned int slots(const struct net_txbuf *tb)
{
	return tb->type == NET_TXBUF_PIPE ? 0 : tb->max_slots;
}
";

#[test]
fn headers_compile_without_warnings_on_64_and_32_bit() {
    for abi in Abi::ALL {
        gcc(abi, USER, None).unwrap();
    }
}

#[test]
fn header_refuses_a_kernel_whose_types_have_other_sizes() {
    let wide = "struct page;\nstruct bio_vec { struct page *p; unsigned int bv_len, bv_offset, more[2]; };\n";
    for abi in Abi::ALL {
        let error = gcc(abi, USER, Some(("linux/bvec.h", wide))).unwrap_err();
        assert!(error.contains("static assertion failed"), "{error}");
    }
    let wide = "struct ubuf_info { const void *ops; long refcnt, flags; };\n";
    let error = gcc(Abi::Lp64, USER, Some(("linux/skbuff.h", wide))).unwrap_err();
    assert!(error.contains("static assertion failed: \"offsetof(struct net_txmsg, release) == 16"), "{error}");
}

/// Name and offset of every field, by rustc.
macro_rules! offsets {
    ($of:ident: $($field:ident)*) => {
        vec![$((stringify!($field).trim_start_matches("r#").to_owned(), offset_of!($of, $field) as u64)),*]
    };
}

fn rustc_offsets() -> Vec<(String, u64)> {
    offsets!(net_txbuf: r#ref nr_slots max_slots next ubuf ops r#priv r#type flags spare bv)
}

fn rustc_msg_offsets() -> Vec<(String, u64)> {
    offsets!(net_txmsg: ubuf release wq state work)
}

#[test]
fn offsets_and_sizes_of_the_model_are_those_of_rustc() {
    let computed = |name: &str| {
        let model = model_of(name);
        layout::of(&model, model.find_struct(name).unwrap(), Abi::Lp64).unwrap()
    };
    let places = |layout: &Layout| layout.fields.iter().map(|p| (p.name.clone(), p.offset)).collect::<Vec<_>>();
    let txbuf = computed("net_txbuf");
    assert_eq!(txbuf.extent.size, size_of::<net_txbuf>() as u64);
    assert_eq!(txbuf.extent.align, align_of::<net_txbuf>() as u64);
    assert_eq!(places(&txbuf), rustc_offsets());
    let ops = computed("net_txbuf_ops");
    assert_eq!(ops.extent.size, size_of::<net_txbuf_ops>() as u64);
    assert_eq!(ops.fields[0].offset, offset_of!(net_txbuf_ops, release) as u64);
    let txmsg = computed("net_txmsg");
    assert_eq!(txmsg.extent.size, size_of::<net_txmsg>() as u64);
    assert_eq!(txmsg.extent.align, align_of::<net_txmsg>() as u64);
    assert_eq!(places(&txmsg), rustc_msg_offsets());
}

/// Field and offset of the assertions on `name` in `text`.
fn asserted(text: &str, name: &str) -> Vec<(String, u64)> {
    let start = format!("offsetof(struct {name}, ");
    let asserted = text.lines().filter_map(|line| line.split_once(&start)?.1.strip_suffix(");")?.split_once(") == "));
    asserted.map(|(field, offset)| (field.to_owned(), offset.parse().unwrap())).collect()
}

#[test]
fn figures_asserted_in_the_header_are_those_of_rustc() {
    let header = read("kernel-overlay/include/net/txbuf/types.h");
    let (wide, rest) = header.split_once("#ifdef CONFIG_64BIT\nstatic_assert").unwrap().1.split_once("#endif").unwrap();
    assert_eq!(asserted(wide, "net_txbuf"), rustc_offsets());
    assert!(wide.contains(&format!("static_assert(sizeof(struct net_txbuf) == {});", size_of::<net_txbuf>())));
    assert!(rest.contains("sizeof(struct bio_vec) == NET_TXBUF_MAX_SLOTS);"));
    assert!(header.contains(&format!("#ifdef CONFIG_64BIT\n#define NET_TXBUF_SIZE\t{NET_TXBUF_SIZE}\n")));
    assert!(header.contains(&format!("#ifdef CONFIG_64BIT\n#define NET_TXBUF_MAX_SLOTS\t{NET_TXBUF_MAX_SLOTS}\n")));
    let header = read("kernel-overlay/include/net/txbuf/msg-types.h");
    let wide = header.split_once("#ifdef CONFIG_64BIT\n").unwrap().1.split_once("#endif").unwrap().0;
    assert_eq!(asserted(wide, "net_txmsg"), rustc_msg_offsets());
}

/// The figures of the layout test as assertions of what `pick`s one of the two numbers.
fn figures_as_assertions() -> String {
    let text = read(LAYOUT_TEST);
    let mut source = "#include <kunit/test.h>\n#include <linux/build_bug.h>\n#include <linux/lockdep_types.h>\n\
                      #include <linux/stddef.h>\n#include <net/txbuf/msg-types.h>\n#include <net/txbuf/types.h>\n\
                      #define FIGURE(is, wide, narrow) static_assert((is) == (IS_ENABLED(CONFIG_64BIT) ? wide : narrow))\n"
        .to_owned();
    for figure in text.split("\tFIGURE(").skip(1) {
        let figure = figure.split("};").next().unwrap().trim_end();
        writeln!(source, "FIGURE({});", figure.strip_suffix("),").unwrap()).unwrap();
    }
    source
}

#[test]
fn figures_of_the_layout_test_are_those_of_gcc_on_64_and_32_bit() {
    let source = figures_as_assertions();
    let members = 11 + 1 + 5;
    assert_eq!(source.matches("\nFIGURE(").count(), 2 * members + 2 * 3 + 2 + 4 + 1 + 3, "{source}");
    for abi in Abi::ALL {
        gcc(abi, &source, None).unwrap();
        gcc_with(abi, &source, None, &["-DCONFIG_LOCKDEP"]).unwrap();
        let wrong =
            source.replace("FIGURE(sizeof(struct net_txbuf_ops), 8, 4)", "FIGURE(sizeof(struct net_txbuf_ops), 4, 8)");
        assert!(gcc(abi, &wrong, None).unwrap_err().contains("static assertion failed"));
    }
}

/// Compiles the layout test and runs it; how many expectations failed.
fn run_layout_test(source: &str) -> i32 {
    gcc(Abi::Ilp32, source, None).unwrap();
    let dir = gcc_with(Abi::Lp64, source, None, &[]).unwrap();
    run(Command::new("gcc").args(["-o", "test", "test.o"]).current_dir(dir.path())).unwrap();
    Command::new(dir.path().join("test")).status().unwrap().code().unwrap()
}

#[test]
fn layout_test_runs_and_counts_each_wrong_figure() {
    let source = read(LAYOUT_TEST);
    assert_eq!(run_layout_test(&source), 0);
    let wrong = source
        .replace(
            "FIGURE(sizeof_field(struct net_txbuf, type), 1, 1)",
            "FIGURE(sizeof_field(struct net_txbuf, type), 2, 2)",
        )
        .replace("FIGURE(NET_TXMSG_COPIED, 2, 2)", "FIGURE(NET_TXMSG_COPIED, 3, 3)");
    assert_eq!(run_layout_test(&wrong), 2);
}

/// `count` structs of scalars, pointers, kernel types and each other, drawn from a fixed sequence.
fn assorted_structs(count: usize) -> String {
    let types = ["u8", "u16", "u32", "i32", "usize", "bool", "refcount_t", "bio_vec", "*mut c_void", "*const page"];
    let mut state = 2_463_534_242_u32;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % below
    };
    let mut text = "//! Assorted.\n".to_owned();
    for number in 0..count {
        write!(text, "/// One.\n#[repr(C)]\npub struct s{number} {{\n").unwrap();
        for field in 0..=next(9) {
            let pick = next(types.len() + usize::from(number > 0));
            let ty = types.get(pick).map_or_else(|| format!("s{}", next(number.max(1))), ToString::to_string);
            writeln!(text, "/// One.\npub f{field}: {ty},").unwrap();
        }
        text += if next(4) == 0 { "/// Tail.\npub tail: Flex<u16>,\n}\n" } else { "}\n" };
    }
    text
}

#[test]
fn layouts_of_assorted_structs_are_those_of_gcc() {
    let model = parse::parse("assorted.rs", &assorted_structs(150)).unwrap();
    for abi in Abi::ALL {
        let mut source = "#include <linux/types.h>\n#include <linux/stddef.h>\n#include <linux/build_bug.h>\n\
                          #include <linux/refcount.h>\n#include <linux/bvec.h>\n"
            .to_owned();
        for s in model.structs() {
            let layout = layout::of(&model, s, abi).unwrap();
            writeln!(source, "struct {} {{", s.name).unwrap();
            for field in &s.fields {
                writeln!(source, "\t{};", txgen::render::declare(&field.ty, &field.name)).unwrap();
            }
            writeln!(source, "}};\nstatic_assert(sizeof(struct {}) == {});", s.name, layout.extent.size).unwrap();
            writeln!(source, "static_assert(_Alignof(struct {}) == {});", s.name, layout.extent.align).unwrap();
            for place in &layout.fields {
                writeln!(source, "static_assert(offsetof(struct {}, {}) == {});", s.name, place.name, place.offset)
                    .unwrap();
            }
        }
        gcc(abi, &source, None).unwrap();
    }
}

#[test]
fn rust_side_is_formatted_as_the_kernel_formats() {
    let config = "max_width=100,use_small_heuristics=Default,newline_style=Unix";
    let file = root().join("kernel-overlay/rust/kernel/net/txbuf/types.rs");
    run(Command::new("rustfmt").args(["--check", "--edition", "2021", "--config", config]).arg(file)).unwrap();
}

/// A crate for the Rust side, with stand-ins for what bindgen makes of the C headers.
const CRATE: &str = "#![no_std]
//! The Rust side in a crate of its own.
/// Stand-ins.
#[allow(non_camel_case_types, non_upper_case_globals, missing_docs)]
pub mod bindings {
    #[repr(C)] pub struct refcount_t(i32);
    #[repr(C)] pub struct bio_vec { bv_page: *mut u8, bv_len: u32, bv_offset: u32 }
    #[repr(C)] pub struct ubuf_info { ops: *const u8, refcnt: refcount_t, flags: u8 }
    #[repr(C)] pub struct work_struct([usize; 4]);
    #[repr(C)] pub struct workqueue_struct([u8; 0]);
    #[repr(C)] pub struct net_txbuf_ops { pub release: usize }
    #[repr(C)] pub struct net_txbuf {
        pub ref_: refcount_t, pub nr_slots: u16, pub max_slots: u16, pub next: usize, pub ubuf: usize,
        pub ops: usize, pub priv_: usize, pub type_: u8, pub flags: u8, pub spare: u16, pub bv: [bio_vec; 0],
    }
    #[repr(C)] pub struct net_txmsg {
        pub ubuf: ubuf_info, pub release: usize, pub wq: usize, pub state: usize, pub work: work_struct,
    }
    pub const net_txbuf_type_NET_TXBUF_BUFFERED: u32 = 0;
    pub const net_txbuf_type_NET_TXBUF_ZCOPY_USER: u32 = 1;
    pub const net_txbuf_type_NET_TXBUF_ZCOPY_KERNEL: u32 = 2;
    pub const net_txbuf_type_NET_TXBUF_PIPE: u32 = 3;
    pub const net_txbuf_flags_NET_TXBUF_COPIED: u32 = 1;
    pub const net_txmsg_state_NET_TXMSG_SENDING: u32 = 0;
    pub const net_txmsg_state_NET_TXMSG_IN_PLACE: u32 = 1;
    pub const net_txmsg_state_NET_TXMSG_COPIED: u32 = 2;
}
/// Types of C.
#[allow(non_camel_case_types, missing_docs)]
pub mod ffi {
    pub type c_ulong = usize;
}
pub mod txbuf_types;
";

/// Compiles the Rust side and its crate after `edit`.
fn rustc(edit: impl Fn(&str) -> String) -> Result<(), String> {
    let dir = TempDir::new().unwrap();
    let types = read("kernel-overlay/rust/kernel/net/txbuf/types.rs");
    fs::write(dir.path().join("lib.rs"), edit(CRATE)).unwrap();
    fs::write(dir.path().join("txbuf_types.rs"), edit(&types)).unwrap();
    let args = ["--edition=2021", "--crate-type=lib", "--emit=metadata", "-Dwarnings", "-Dmissing_docs", "lib.rs"];
    let cfg = ["--cfg", "CONFIG_64BIT", "--check-cfg", "cfg(CONFIG_64BIT)"];
    run(Command::new("rustc").args(args).args(cfg).current_dir(dir.path()))
}

#[test]
fn rust_side_compiles_without_warnings() {
    rustc(str::to_owned).unwrap();
}

#[test]
fn rust_side_refuses_another_layout_than_declared_or_than_that_of_c() {
    let cases = [
        ("pub spare: u16,\n", "pub spare: [u32; 2],\n", "offset_of!(NetTxbuf, spare) == 42"),
        ("pub wq: usize", "pub w: u8, pub wq: usize", "size_of::<NetTxmsg>() == size_of::<bindings::net_txmsg>()"),
        (
            "pub ops: usize, pub priv_: usize",
            "pub priv_: usize, pub ops: usize",
            "offset_of!(bindings::net_txbuf, ops)",
        ),
        ("pub flags: u8, pub spare", "pub spare: u8, pub flags", "offset_of!(bindings::net_txbuf, flags)"),
        ("IN_PLACE: u32 = 1", "IN_PLACE: u32 = 3", "bindings::net_txmsg_state_NET_TXMSG_IN_PLACE"),
    ];
    for (from, to, expected) in cases {
        let error = rustc(|text| text.replace(from, to)).unwrap_err();
        assert!(error.contains("evaluation panicked: assertion failed") && error.contains(expected), "{error}");
    }
}

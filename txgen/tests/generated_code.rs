// SPDX-License-Identifier: GPL-2.0
//! What is generated, given to gcc and rustc: it compiles, and their layout is that of the model.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write;
use std::fs;
use std::mem::{offset_of, size_of};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use txgen::design::{NET_TXBUF_MAX_SLOTS, NET_TXBUF_SIZE, net_txbuf, net_txbuf_ops};
use txgen::model::layout::{self, Abi};
use txgen::model::{Model, parse};

/// What the generated header includes, with the kernel's sizes.
const STUBS: [(&str, &str); 5] = [
    ("linux/build_bug.h", "#define static_assert(expr, ...) _Static_assert(expr, \"\" __VA_ARGS__ #expr)\n"),
    ("linux/bvec.h", "struct page;\nstruct bio_vec { struct page *p; unsigned int bv_len, bv_offset; };\n"),
    ("linux/refcount.h", "typedef struct { int refs; } refcount_t;\n"),
    ("linux/stddef.h", "#define offsetof(type, member) __builtin_offsetof(type, member)\n"),
    (
        "linux/types.h",
        "typedef unsigned char u8;\ntypedef unsigned short u16;\ntypedef unsigned int u32;\n\
         typedef __SIZE_TYPE__ size_t;\n#define bool _Bool\n#define __counted_by(member)\n",
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn model() -> Model {
    parse::parse("design.rs", &read("txgen/src/design.rs")).unwrap()
}

/// Runs a compiler; what it prints if it fails.
fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Compiles `source` against the stubs (one of them replaced) as freestanding C11.
fn gcc(abi: Abi, source: &str, replaced: Option<(&str, &str)>) -> Result<(), String> {
    let dir = TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    STUBS.iter().for_each(|(name, text)| write(name, text));
    replaced.iter().for_each(|(name, text)| write(name, text));
    write("net/txbuf/types.h", &read("kernel-overlay/include/net/txbuf/types.h"));
    write("test.c", source);
    let bits: &[&str] = if abi == Abi::Lp64 { &["-m64", "-DCONFIG_64BIT"] } else { &["-m32"] };
    let strict = ["-std=c11", "-ffreestanding", "-nostdinc", "-Wall", "-Wextra", "-Werror", "-I.", "-c", "test.c"];
    run(Command::new("gcc").args(bits).args(strict).current_dir(dir.path()))
}

const USER: &str = "#include <net/txbuf/types.h>
#include <net/txbuf/types.h>
unsigned int slots(const struct net_txbuf *tb);
unsigned int slots(const struct net_txbuf *tb)
{
	return tb->type == NET_TXBUF_PIPE ? 0 : tb->max_slots;
}
";

#[test]
fn header_compiles_without_warnings_on_64_and_32_bit() {
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

#[test]
fn offsets_and_sizes_of_the_model_are_those_of_rustc() {
    let model = model();
    let computed = |name: &str| layout::of(&model, model.find_struct(name).unwrap(), Abi::Lp64).unwrap();
    let txbuf = computed("net_txbuf");
    assert_eq!(txbuf.extent.size, size_of::<net_txbuf>() as u64);
    assert_eq!(txbuf.extent.align, align_of::<net_txbuf>() as u64);
    let places: Vec<_> = txbuf.fields.iter().map(|place| (place.name.clone(), place.offset)).collect();
    assert_eq!(places, rustc_offsets());
    let ops = computed("net_txbuf_ops");
    assert_eq!(ops.extent.size, size_of::<net_txbuf_ops>() as u64);
    assert_eq!(ops.fields[0].offset, offset_of!(net_txbuf_ops, release) as u64);
}

#[test]
fn figures_asserted_in_the_header_are_those_of_rustc() {
    let header = read("kernel-overlay/include/net/txbuf/types.h");
    let (wide, rest) = header.split_once("#ifdef CONFIG_64BIT\nstatic_assert").unwrap().1.split_once("#endif").unwrap();
    let mut asserted: Vec<_> = wide
        .lines()
        .filter_map(|line| line.split_once("offsetof(struct net_txbuf, ")?.1.strip_suffix(");")?.split_once(") == "))
        .map(|(name, offset)| (name.to_owned(), offset.parse().unwrap()))
        .collect();
    let mut expected = rustc_offsets();
    asserted.sort();
    expected.sort();
    assert_eq!(asserted, expected);
    assert!(wide.contains(&format!("static_assert(sizeof(struct net_txbuf) == {});", size_of::<net_txbuf>())));
    assert!(rest.contains("sizeof(struct bio_vec) == NET_TXBUF_MAX_SLOTS);"));
    assert!(header.contains(&format!("#ifdef CONFIG_64BIT\n#define NET_TXBUF_SIZE\t{NET_TXBUF_SIZE}\n")));
    assert!(header.contains(&format!("#ifdef CONFIG_64BIT\n#define NET_TXBUF_MAX_SLOTS\t{NET_TXBUF_MAX_SLOTS}\n")));
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

/// Compiles the Rust side, `edit`ed, in a crate with stand-ins for the kernel's bindings.
fn rustc(edit: impl Fn(String) -> String) -> Result<(), String> {
    let dir = TempDir::new().unwrap();
    let bindings = "#![no_std]
//! The Rust side in a crate of its own.
/// Stand-ins.
#[allow(non_camel_case_types, missing_docs)]
pub mod bindings {
    #[repr(C)] pub struct refcount_t(i32);
    #[repr(C)] pub struct bio_vec { bv_page: *mut u8, bv_len: u32, bv_offset: u32 }
    #[repr(C)] pub struct ubuf_info([u8; 0]);
}
pub mod txbuf_types;
";
    fs::write(dir.path().join("lib.rs"), bindings).unwrap();
    fs::write(dir.path().join("txbuf_types.rs"), edit(read("kernel-overlay/rust/kernel/net/txbuf/types.rs"))).unwrap();
    let args = ["--edition=2021", "--crate-type=lib", "--emit=metadata", "-Dwarnings", "-Dmissing_docs", "lib.rs"];
    let cfg = ["--cfg", "CONFIG_64BIT", "--check-cfg", "cfg(CONFIG_64BIT)"];
    run(Command::new("rustc").args(args).args(cfg).current_dir(dir.path()))
}

#[test]
fn rust_side_compiles_without_warnings() {
    rustc(|text| text).unwrap();
}

#[test]
fn rust_side_refuses_another_layout() {
    let error = rustc(|text| text.replace("pub spare: u16", "pub spare: [u32; 2]")).unwrap_err();
    assert!(error.contains("evaluation panicked: assertion failed: offset_of!(NetTxbuf, spare) == 42"), "{error}");
}

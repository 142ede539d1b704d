// SPDX-License-Identifier: GPL-2.0
//! Designs that the model does not take: each is refused with file, line and column.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use txgen::model::layout;
use txgen::model::parse::parse;

/// What reading and proving `text` fails with.
fn refused(text: &str) -> String {
    let error = parse("d.rs", text).and_then(|model| layout::prove(&model)).unwrap_err();
    format!("{error:#}")
}

/// A struct with this one field.
fn with_field(field: &str) -> String {
    refused(&format!("/// A.\n#[repr(C)]\npub struct a {{\n    /// B.\n    {field},\n}}\n"))
}

#[test]
fn types_that_c_can_not_have_in_that_place() {
    let known = "bool, u8, u16, u32, i32, usize, c_ulong, bio_vec, page, refcount_t, ubuf_info, work_struct, \
                 workqueue_struct";
    let cases = [
        ("pub b: u64", format!("d.rs:5:12: the model does not know type `u64`; it knows {known}")),
        ("pub b: *mut wrong", format!("d.rs:5:17: the model does not know type `wrong`; it knows {known}")),
        ("pub b: page", "d.rs:5:12: `page` may only be used behind a pointer".to_owned()),
        ("pub b: c_void", "d.rs:5:12: `c_void` may only be used behind a pointer".to_owned()),
        ("pub b: Flex<u8>, /** C. */ pub c: u8", "d.rs:5:12: a flexible array may only be the last field".to_owned()),
        ("pub b: &'static u8", "d.rs:5:12: the model does not know this kind of type".to_owned()),
        ("pub b: core::ffi::c_int", "d.rs:5:12: the model does not know this kind of type".to_owned()),
        ("pub b: Option<fn()>", "d.rs:5:19: a function pointer is `unsafe extern \"C\" fn`".to_owned()),
        ("pub b: Option<unsafe extern \"C\" fn(u8)>", "d.rs:5:40: an argument of a function pointer".to_owned()),
    ];
    for (field, expected) in cases {
        let error = with_field(field);
        assert!(error.starts_with(&expected), "{field}: {error}");
    }
}

#[test]
fn fields_without_documentation_or_with_attributes_that_change_the_layout() {
    let cases = [
        ("#[doc(hidden)] pub b: u8", "d.rs:5:5: documentation is plain text"),
        ("#[align(8)] pub b: u8", "d.rs:5:5: the model does not know this attribute"),
        ("#[cfg(unix)] pub b: u8", "d.rs:5:5: the model knows target_pointer_width"),
        ("#[cfg_attr(any(), counted_by(n))] pub b: Flex<u8>", "d.rs:5:43: no field `n` before this one counts it"),
        ("#[cfg_attr(all(), counted_by(n))] pub b: Flex<u8>", "d.rs:5:5: the model knows cfg_attr(any(), counted_by"),
    ];
    for (field, expected) in cases {
        let error = with_field(field);
        assert!(error.starts_with(expected), "{field}: {error}");
    }
    let bare = refused("/// A.\n#[repr(C)]\npub struct a {\n    pub b: u8,\n}\n");
    assert_eq!(bare, "d.rs:4:9: field `b` has no documentation");
}

#[test]
fn items_without_a_c_layout() {
    let cases = [
        ("pub struct a { x: u8 }", "d.rs:1:12: this type lacks #[repr(C)]"),
        ("#[repr(u8)] pub enum a { B }", "d.rs:1:8: the model knows repr(C), not repr(u8)"),
        ("#[repr(C)] pub enum a { B(u8) }", "d.rs:1:25: a variant of a C enum has no fields"),
        ("#[repr(C)] pub struct a(u8);", "d.rs:1:23: a C struct has named fields"),
        ("#[repr(C)] pub struct a<T> { x: T }", "d.rs:1:24: a C struct has no parameters"),
        ("pub fn f() {}", "d.rs:1:1: the model knows consts, enums and structs, not this item"),
        ("pub struct 5 {}", "d.rs:1:12: expected identifier"),
        ("const A: u8 = 1;\npub struct", "d.rs:2: unexpected end of input"),
    ];
    for (text, expected) in cases {
        let error = refused(text);
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}

#[test]
fn struct_that_contains_itself() {
    let text = "#[repr(C)]\npub struct a {\n/// B.\npub b: c,\n}\n#[repr(C)]\npub struct c {\n/// D.\npub d: a,\n}\n";
    let error = refused(text);
    assert!(error.starts_with("d.rs: ") && error.ends_with("contains itself"), "{error}");
}

#[test]
fn size_that_depends_on_the_configuration_anywhere_but_at_the_end_or_in_a_promise() {
    let work = "#[repr(C)]\npub struct a {\n/// B.\npub b: work_struct,\n}\n";
    let after = "#[repr(C)]\npub struct c {\n/// D.\npub d: a,\n/// E.\npub e: u8,\n}\n";
    let expected = "d.rs: field `d` of struct `c` has to be the last: CONFIG_LOCKDEP makes it larger";
    assert_eq!(refused(&format!("{work}{after}")), expected);
    let promise = "const _: () = assert!(size_of::<a>() == 32);";
    let expected = "d.rs:6: CONFIG_LOCKDEP makes the type larger: it has no size to promise";
    assert_eq!(refused(&format!("{work}{promise}")), expected);
    let pointer = "#[repr(C)]\npub struct c {\n/// D.\npub d: *mut a,\n/// E.\npub e: u8,\n/// F.\npub f: a,\n}\n";
    let offset = "#[cfg(target_pointer_width = \"64\")]\nconst _: () = assert!(offset_of!(c, f) == 16);";
    layout::prove(&parse("d.rs", &format!("{work}{pointer}{offset}")).unwrap()).unwrap();
}

#[test]
fn constants_and_promises_without_a_value() {
    let cases = [
        ("pub const A: usize = B;", "d.rs:1:22: the design declares no such constant"),
        ("pub const A: usize = f(1);", "d.rs:1:22: the model does not know this expression"),
        ("pub const A: usize = 1.5 as usize;", "d.rs:1:22: the model does not know this expression"),
        ("#[cfg(target_pointer_width = \"16\")] const A: u8 = 1;", "d.rs:1:1: the model knows target_pointer_width"),
        (
            "#[cfg(target_pointer_width = \"64\")] const A: u8 = 1;",
            "d.rs:1:43: this constant has a value on 64-bit only",
        ),
        ("const A: u8 = A;\nconst _: () = assert!(A == 1);", "d.rs:2: constant `A` refers to itself"),
        ("const _: () = assert!(1 / 0 == 1);", "d.rs:1: 1 / 0 has no value"),
        ("const _: () = assert!(1 - 2 == 1);", "d.rs:1: 1 - 2 has no value"),
        ("const _: () = assert!(1 << 64 == 1);", "d.rs:1: 1 << 64 has no value"),
        ("const _: () = assert!(1 + 1);", "d.rs:1:15: a promise is"),
        ("const _: () = assert!(offset_of!(a, b) == 1);", "d.rs:1:34: the design declares no struct `a`"),
        ("const _: () = assert!(size_of::<c_void>() == 1);", "d.rs:1:33: `c_void` may only be used behind a pointer"),
    ];
    for (text, expected) in cases {
        let error = refused(text);
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}

#[test]
fn constant_with_two_values_for_one_abi_or_with_different_words() {
    let gated = |width: &str, words: &str| {
        format!("/// {words}\n#[cfg(target_pointer_width = \"{width}\")]\npub const A: usize = 1;\n")
    };
    let expected = "d.rs:6:11: constant `A` is one per ABI, of one type and with the same words";
    assert_eq!(refused(&(gated("64", "One.") + &gated("64", "One."))), expected);
    assert_eq!(refused(&(gated("64", "One.") + &gated("32", "Two."))), expected);
    let model = parse("d.rs", &(gated("64", "One.") + &gated("32", "One."))).unwrap();
    assert_eq!(model.items.len(), 1);
}

#[test]
fn rules_that_are_no_list() {
    assert_eq!(refused("//! # Rules\n//!\n//! Prose."), "d.rs: `Prose.` is no rule: write `- ID: TEXT`");
}

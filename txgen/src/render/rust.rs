// SPDX-License-Identifier: GPL-2.0
//! The Rust side of the types: quote for the items, prettyplease for the layout of the text.
//!
//! Types of the design get Rust's names (`net_txbuf` is `NetTxbuf`), kernel types come from `crate::bindings`.

use anyhow::{Context, Result, anyhow};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::Part;
use super::kdoc::fill;
use crate::model::expr::Expr;
use crate::model::layout::Abi;
use crate::model::parse::{ident, pretty};
use crate::model::types::{Declared, Type};
use crate::model::{Const, Docs, Enum, Item, Promise, Struct, Value};

const WIDTH: usize = 100;

/// Renders the whole file: the types of all designs, each with its promises.
pub(super) fn render(parts: &[Part]) -> Result<String> {
    let mut blocks = vec![file_docs(parts), IMPORTS.to_owned()];
    for Part { model, .. } in parts {
        for item in &model.items {
            let tokens = match item {
                Item::Const(c) => constants(c)?,
                Item::Enum(e) if e.is_bits() => vec![bits(e)?],
                Item::Enum(e) => vec![enumeration(e)?],
                Item::Struct(s) => vec![structure(s)],
            };
            blocks.push(formatted(tokens)?);
        }
        blocks.extend(model.promise_groups().map(promises));
    }
    blocks.push(comparisons(parts));
    Ok(blocks.join("\n"))
}

fn formatted(items: Vec<TokenStream>) -> Result<String> {
    items.into_iter().map(pretty).collect::<Result<String>>().context("format the Rust side of the types")
}

fn file_docs(parts: &[Part]) -> String {
    let mut lines = vec!["// SPDX-License-Identifier: GPL-2.0".to_owned(), String::new()];
    for paragraph in parts.iter().flat_map(|part| &part.model.docs) {
        lines.extend(fill(paragraph, "//! ", "//! ", WIDTH));
        lines.push("//!".to_owned());
    }
    let link = |part: &Part| format!("[`{0}`](srctree/{0})", part.design.header);
    let links = parts.iter().map(link).collect::<Vec<_>>().join(",\n//! ");
    lines.push(format!("//! C header{}: {links}", if parts.len() == 1 { "" } else { "s" }));
    lines.join("\n") + "\n"
}

/// In the kernel's vertical style, the standard library's first.
const IMPORTS: &str = "\
use core::mem::{
    align_of,
    offset_of,
    size_of, //
};

use crate::bindings;
";

/// `#[doc]` lines, filled so that `///` and the text fit at `indent`.
fn docs(docs: &Docs, indent: usize) -> TokenStream {
    let mut out = TokenStream::new();
    for (at, paragraph) in docs.iter().enumerate() {
        if at > 0 {
            out.extend(quote! { #[doc = ""] });
        }
        for line in fill(paragraph, " ", " ", WIDTH - 3 - indent) {
            out.extend(quote! { #[doc = #line] });
        }
    }
    out
}

fn cfg(abi: Option<Abi>) -> TokenStream {
    match abi {
        None => TokenStream::new(),
        Some(Abi::Lp64) => quote! { #[cfg(CONFIG_64BIT)] },
        Some(Abi::Ilp32) => quote! { #[cfg(not(CONFIG_64BIT))] },
    }
}

fn constants(c: &Const) -> Result<Vec<TokenStream>> {
    let one = |abi: Option<Abi>, value: &Expr| -> Result<TokenStream> {
        let (cfg, docs, name) = (cfg(abi), docs(&c.docs, 0), ident(&c.name));
        let (ty, value) = (ty(&c.ty), expression(value)?);
        Ok(quote! { #docs #cfg pub const #name: #ty = #value; })
    };
    match &c.value {
        Value::Same(value) => Ok(vec![one(None, value)?]),
        Value::PerAbi { lp64, ilp32 } => Ok(vec![one(Some(Abi::Lp64), lp64)?, one(Some(Abi::Ilp32), ilp32)?]),
    }
}

fn enumeration(e: &Enum) -> Result<TokenStream> {
    let mut variants = TokenStream::new();
    for variant in &e.variants {
        let (docs, name) = (docs(&variant.docs, 4), ident(&camel(short(e, &variant.name))));
        let value = variant.value.as_ref().map(expression).transpose()?.map(|value| quote! { = #value });
        variants.extend(quote! { #docs #name #value, });
    }
    let (docs, name) = (docs(&e.docs, 0), ident(&camel(&e.name)));
    Ok(quote! { #docs #[derive(Clone, Copy, Debug, PartialEq, Eq)] #[repr(C)] pub enum #name { #variants } })
}

/// Bits are no values of a Rust enum, since they combine: constants in a module.
fn bits(e: &Enum) -> Result<TokenStream> {
    let mut consts = TokenStream::new();
    for variant in &e.variants {
        let Some(value) = variant.value.as_ref().map(expression).transpose()? else { continue };
        let (docs, name) = (docs(&variant.docs, 4), ident(short(e, &variant.name)));
        consts.extend(quote! { #docs pub const #name: u32 = #value; });
    }
    let (docs, name) = (docs(&e.docs, 0), ident(&e.name));
    Ok(quote! { #docs pub mod #name { #consts } })
}

fn structure(s: &Struct) -> TokenStream {
    let mut fields = TokenStream::new();
    for field in &s.fields {
        let (docs, name, ty) = (docs(&field.docs, 4), ident(&field.name), ty(&field.ty));
        fields.extend(quote! { #docs pub #name: #ty, });
    }
    let (docs, name) = (docs(&s.docs, 0), ident(&camel(&s.name)));
    quote! { #docs #[repr(C)] pub struct #name { #fields } }
}

fn promises(group: &[Promise]) -> String {
    let mut text = String::new();
    for promise in group {
        for paragraph in &promise.docs {
            text += &(fill(paragraph, "// ", "// ", WIDTH).join("\n") + "\n");
        }
        text += match promise.abi {
            None => "",
            Some(Abi::Lp64) => "#[cfg(CONFIG_64BIT)]\n",
            Some(Abi::Ilp32) => "#[cfg(not(CONFIG_64BIT))]\n",
        };
        text += &assertion(&promise.expr);
    }
    text
}

/// Holds sizes, alignments, fields and values of all types against what bindgen makes of the C headers.
fn comparisons(parts: &[Part]) -> String {
    let mut text = "// C has the last word.\n".to_owned();
    for item in parts.iter().flat_map(|part| &part.model.items) {
        match item {
            Item::Struct(s) => {
                let (own, c) = (camel(&s.name), &s.name);
                text += &equal(&format!("size_of::<{own}>()"), &format!("size_of::<bindings::{c}>()"));
                text += &equal(&format!("align_of::<{own}>()"), &format!("align_of::<bindings::{c}>()"));
                for field in s.fields.iter().map(|field| ident(&field.name)) {
                    let theirs = format!("offset_of!(bindings::{c}, {})", in_bindings(&field));
                    text += &equal(&format!("offset_of!({own}, {field})"), &theirs);
                }
            }
            Item::Enum(e) => {
                for variant in &e.variants {
                    let theirs = format!("bindings::{}_{}", e.name, variant.name);
                    text += &equal(&value(e, short(e, &variant.name)), &theirs);
                }
            }
            Item::Const(_) => {}
        }
    }
    text
}

/// A variant, by its short name, as a number.
fn value(e: &Enum, short: &str) -> String {
    if e.is_bits() { format!("{}::{short}", e.name) } else { format!("{}::{} as u32", camel(&e.name), camel(short)) }
}

/// bindgen puts `_` behind a keyword.
fn in_bindings(field: &Ident) -> String {
    let name = field.to_string();
    name.strip_prefix("r#").map_or(name.clone(), |keyword| format!("{keyword}_"))
}

fn equal(own: &str, c: &str) -> String {
    wrapped(&format!("{own} == {c}"), &format!("{own}\n        == {c}"))
}

fn assertion(comparison: &Expr) -> String {
    let whole = expression_text(comparison);
    let broken = match comparison {
        Expr::Binary { op, left, right } => {
            format!("{}\n        {} {}", expression_text(left), op.symbol(), expression_text(right))
        }
        _ => whole.clone(),
    };
    wrapped(&whole, &broken)
}

/// prettyplease leaves what is inside a macro call as it is, so this breaks it where rustfmt does.
fn wrapped(whole: &str, broken: &str) -> String {
    let (line, second) = (format!("const _: () = assert!({whole});\n"), format!("    assert!({whole});\n"));
    if line.len() <= WIDTH + 1 {
        return line;
    }
    if second.len() <= WIDTH + 1 {
        return format!("const _: () =\n{second}");
    }
    let inner = if whole.len() + 4 > WIDTH { broken } else { whole };
    format!("const _: () = assert!(\n    {inner}\n);\n")
}

fn ty(ty: &Type) -> TokenStream {
    match ty {
        Type::Scalar(scalar) if scalar.name.starts_with("c_") => {
            let name = ident(scalar.name);
            quote! { crate::ffi::#name }
        }
        Type::Scalar(scalar) => path(scalar.name),
        Type::Kernel(known) => {
            let name = ident(known.name);
            quote! { bindings::#name }
        }
        Type::Declared(Declared::Enum(name) | Declared::Struct(name)) => path(&camel(name)),
        Type::Void => quote! { core::ffi::c_void },
        Type::Pointer { is_const, to } => {
            let to = self::ty(to);
            if *is_const {
                quote! { *const #to }
            } else {
                quote! { *mut #to }
            }
        }
        Type::Flex(element) => {
            let element = self::ty(element);
            quote! { [#element; 0] }
        }
        Type::Function { args, returns } => {
            let (names, types): (Vec<_>, Vec<_>) = args.iter().map(|(name, arg)| (ident(name), self::ty(arg))).unzip();
            let returns = returns.as_ref().map(|ty| self::ty(ty)).map(|ty| quote! { -> #ty });
            quote! { Option<unsafe extern "C" fn(#(#names: #types),*) #returns> }
        }
    }
}

fn path(name: &str) -> TokenStream {
    let name = ident(name);
    quote! { #name }
}

fn expression(expr: &Expr) -> Result<TokenStream> {
    let text = expression_text(expr);
    text.parse().map_err(|e| anyhow!("`{text}` is no Rust: {e}"))
}

fn expression_text(expr: &Expr) -> String {
    expr.write(&|leaf| match leaf {
        Expr::Number { text, .. } => text.clone(),
        Expr::Name(name) => name.clone(),
        Expr::SizeOf(Type::Kernel(known)) => format!("size_of::<bindings::{}>()", known.name),
        Expr::SizeOf(ty) => format!("size_of::<{}>()", self::ty(ty)),
        Expr::OffsetOf { of, field } => format!("offset_of!({}, {})", camel(of), ident(field)),
        Expr::Binary { .. } => String::new(),
    })
}

/// `net_txbuf` as `NetTxbuf`, `ZCOPY_USER` as `ZcopyUser`.
fn camel(name: &str) -> String {
    let mut out = String::new();
    for part in name.split('_') {
        let mut chars = part.chars();
        out.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        out.push_str(&chars.as_str().to_ascii_lowercase());
    }
    out
}

/// The name of a variant without the words that the enum and all its variants begin with.
fn short<'a>(e: &Enum, name: &'a str) -> &'a str {
    let words: Vec<String> = e.name.split('_').map(str::to_ascii_uppercase).collect();
    let prefix =
        (0..=words.len()).rev().map(|count| words[..count].iter().map(|w| format!("{w}_")).collect::<String>());
    let fits = |prefix: &String| {
        e.variants.iter().all(|v| {
            v.name.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
        })
    };
    let found = prefix.into_iter().find(fits).unwrap_or_default();
    name.strip_prefix(found.as_str()).unwrap_or(name)
}

// SPDX-License-Identifier: GPL-2.0
//! Reads a [`Model`] from the text of a design; with its submodules the only user of syn.
//!
//! Whatever the model does not know is refused with file, line and column: a design that parses
//! is rendered in full or not at all.

mod attrs;
mod expr;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Error, Result, anyhow, bail};
use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use self::attrs::Attrs;
use super::layout::Abi;
use super::{Const, Enum, Field, Item, Model, Promise, Rule, Struct, Value, Variant};

/// Names that the file declares, and the way to say where something is.
struct Scope {
    file: String,
    structs: BTreeMap<String, BTreeSet<String>>,
    enums: BTreeSet<String>,
    consts: BTreeSet<String>,
}

impl Scope {
    fn of(file: &str, items: &[syn::Item]) -> Self {
        let (mut structs, mut enums, mut consts) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        for item in items {
            match item {
                syn::Item::Struct(s) => {
                    let fields = s.fields.iter().filter_map(|f| f.ident.as_ref()).map(name_of).collect();
                    structs.insert(name_of(&s.ident), fields);
                }
                syn::Item::Enum(e) => drop(enums.insert(name_of(&e.ident))),
                syn::Item::Const(c) => drop(consts.insert(name_of(&c.ident))),
                _ => {}
            }
        }
        Self { file: file.to_owned(), structs, enums, consts }
    }

    fn error(&self, span: Span, message: impl std::fmt::Display) -> Error {
        error_at(&self.file, span, message)
    }

    /// Where syn says so.
    fn syn_error(&self, error: &syn::Error) -> Error {
        self.error(error.span(), error)
    }
}

fn error_at(file: &str, span: Span, message: impl std::fmt::Display) -> Error {
    let start = span.start();
    anyhow!("{file}:{}:{}: {message}", start.line, start.column + 1)
}

/// syn places an early end of the file at its first line.
fn syntax_error(file: &str, text: &str, error: &syn::Error) -> Error {
    let message = error.to_string();
    if message.starts_with("unexpected end of input") {
        return anyhow!("{file}:{}: {message}", text.lines().count());
    }
    error_at(file, error.span(), message)
}

fn name_of(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// Reads the model from `text`, which errors call `file`.
pub fn parse(file: &str, text: &str) -> Result<Model> {
    let parsed = syn::parse_file(text).map_err(|e| syntax_error(file, text, &e))?;
    let scope = Scope::of(file, &parsed.items);
    let attrs = Attrs::read(&scope, &parsed.attrs)?;
    let (docs, rules) = split_rules(file, attrs.docs)?;
    let mut reader = Reader { scope: &scope, items: Vec::new(), promises: Vec::new(), halves: Vec::new() };
    for item in &parsed.items {
        reader.item(item)?;
    }
    reader.finish_consts()?;
    Ok(Model { file: file.to_owned(), docs, rules, items: reader.items, promises: reader.promises })
}

/// Formats Rust tokens; of use to whoever renders Rust without a dependency on syn.
pub fn pretty(tokens: TokenStream) -> Result<String> {
    let file: syn::File = syn::parse2(tokens)?;
    Ok(prettyplease::unparse(&file))
}

/// `name` as a Rust identifier, raw where it is a keyword.
pub fn ident(name: &str) -> Ident {
    syn::parse_str(name).unwrap_or_else(|_| Ident::new_raw(name, Span::call_site()))
}

fn split_rules(file: &str, mut docs: Vec<String>) -> Result<(Vec<String>, Vec<Rule>)> {
    let Some(heading) = docs.iter().position(|p| p == "# Rules") else { return Ok((docs, Vec::new())) };
    let mut rules = Vec::new();
    for paragraph in docs.drain(heading..).skip(1) {
        let item = paragraph.strip_prefix("- ").and_then(|p| p.split_once(": "));
        let Some((id, text)) = item else { bail!("{file}: `{paragraph}` is no rule: write `- ID: TEXT`") };
        rules.push(Rule { id: id.to_owned(), text: text.to_owned() });
    }
    Ok((docs, rules))
}

/// A constant that has a value on one ABI so far.
struct Half {
    name: String,
    abi: Abi,
    span: Span,
}

struct Reader<'a> {
    scope: &'a Scope,
    items: Vec<Item>,
    promises: Vec<Promise>,
    halves: Vec<Half>,
}

impl Reader<'_> {
    fn item(&mut self, item: &syn::Item) -> Result<()> {
        match item {
            syn::Item::Use(_) => Ok(()),
            syn::Item::Mod(m) if m.content.is_none() => Ok(()),
            syn::Item::Const(c) if c.ident == "_" => self.promise(c),
            syn::Item::Const(c) => self.constant(c),
            syn::Item::Enum(e) => {
                self.items.push(Item::Enum(enumeration(self.scope, e)?));
                Ok(())
            }
            syn::Item::Struct(s) => {
                self.items.push(Item::Struct(structure(self.scope, s)?));
                Ok(())
            }
            other => Err(self.scope.error(other.span(), "the model knows consts, enums and structs, not this item")),
        }
    }

    fn promise(&mut self, c: &syn::ItemConst) -> Result<()> {
        let attrs = Attrs::read(self.scope, &c.attrs)?;
        let expr = expr::assertion(self.scope, &c.expr)?;
        self.promises.push(Promise { docs: attrs.docs, abi: attrs.abi, expr, line: c.const_token.span.start().line });
        Ok(())
    }

    fn constant(&mut self, c: &syn::ItemConst) -> Result<()> {
        let attrs = Attrs::read(self.scope, &c.attrs)?;
        let (name, value) = (name_of(&c.ident), expr::read(self.scope, &c.expr)?);
        let ty = types::value(self.scope, &c.ty)?;
        let Some(abi) = attrs.abi else {
            self.items.push(Item::Const(Const { name, docs: attrs.docs, ty, value: Value::Same(value) }));
            return Ok(());
        };
        let mut known = self.items.iter_mut().filter_map(|item| match item {
            Item::Const(c) if c.name == name => Some(c),
            _ => None,
        });
        let Some(other) = known.next() else {
            let value = Value::PerAbi { lp64: value.clone(), ilp32: value };
            self.halves.push(Half { name: name.clone(), abi, span: c.ident.span() });
            self.items.push(Item::Const(Const { name, docs: attrs.docs, ty, value }));
            return Ok(());
        };
        let half = self.halves.iter().position(|half| half.name == name && half.abi != abi);
        match (half, &mut other.value) {
            (Some(half), Value::PerAbi { lp64, ilp32 }) if other.docs == attrs.docs && other.ty == ty => {
                *(if abi == Abi::Lp64 { lp64 } else { ilp32 }) = value;
                self.halves.remove(half);
                Ok(())
            }
            _ => {
                let message = format!("constant `{name}` is one per ABI, of one type and with the same words");
                Err(self.scope.error(c.ident.span(), message))
            }
        }
    }

    fn finish_consts(&self) -> Result<()> {
        let Some(half) = self.halves.first() else { return Ok(()) };
        Err(self.scope.error(half.span, format!("this constant has a value on {}-bit only", half.abi.bits())))
    }
}

fn enumeration(scope: &Scope, e: &syn::ItemEnum) -> Result<Enum> {
    let attrs = Attrs::read(scope, &e.attrs)?;
    attrs.require_repr_c(scope, e.ident.span())?;
    let mut variants = Vec::new();
    for variant in &e.variants {
        if !variant.fields.is_empty() {
            return Err(scope.error(variant.span(), "a variant of a C enum has no fields"));
        }
        let value = variant.discriminant.as_ref().map(|(_, value)| expr::read(scope, value)).transpose()?;
        let docs = Attrs::read(scope, &variant.attrs)?.docs;
        variants.push(Variant { name: name_of(&variant.ident), docs, value });
    }
    Ok(Enum { name: name_of(&e.ident), docs: attrs.docs, variants })
}

fn structure(scope: &Scope, s: &syn::ItemStruct) -> Result<Struct> {
    let attrs = Attrs::read(scope, &s.attrs)?;
    attrs.require_repr_c(scope, s.ident.span())?;
    if !s.generics.params.is_empty() {
        return Err(scope.error(s.generics.span(), "a C struct has no parameters"));
    }
    let syn::Fields::Named(named) = &s.fields else {
        return Err(scope.error(s.ident.span(), "a C struct has named fields"));
    };
    let mut fields: Vec<Field> = Vec::new();
    for (at, field) in named.named.iter().enumerate() {
        let read = self::field(scope, field, at + 1 == named.named.len())?;
        let counter = |name: &String| fields.iter().any(|f| f.name == *name);
        if let Some(missing) = read.counted_by.as_ref().filter(|name| !counter(name)) {
            return Err(scope.error(field.ident.span(), format!("no field `{missing}` before this one counts it")));
        }
        fields.push(read);
    }
    Ok(Struct { name: name_of(&s.ident), docs: attrs.docs, fields })
}

fn field(scope: &Scope, field: &syn::Field, is_last: bool) -> Result<Field> {
    let Some(ident) = &field.ident else { return Err(scope.error(field.span(), "a field has a name")) };
    let attrs = Attrs::read(scope, &field.attrs)?;
    if attrs.docs.is_empty() {
        return Err(scope.error(ident.span(), format!("field `{ident}` has no documentation")));
    }
    let ty = types::field(scope, &field.ty, is_last)?;
    Ok(Field { name: name_of(ident), docs: attrs.docs, ty, counted_by: attrs.counted_by })
}

// SPDX-License-Identifier: GPL-2.0
//! The C header, as the view that its template loops over.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Part;
use super::kdoc::{self, Member, columns};
use crate::model::expr::Expr;
use crate::model::layout::Abi;
use crate::model::types::{Declared, Type};
use crate::model::{Const, Enum, Item, Model, Promise, Struct, Value};

/// What templates/txbuf-types.h.tera gets.
#[derive(Debug, Serialize)]
pub(super) struct Header {
    guard: String,
    /// Includes, declarations and constants.
    groups: Vec<Lines>,
    enums: Vec<Block>,
    structs: Vec<Block>,
    promises: Vec<Lines>,
}

/// Lines under a comment.
#[derive(Debug, Serialize)]
struct Lines {
    comment: Vec<String>,
    lines: Vec<String>,
}

/// An enum or struct with its kernel-doc.
#[derive(Debug, Serialize)]
struct Block {
    kdoc: Vec<String>,
    name: String,
    members: Vec<String>,
}

/// Lowers the model to C.
pub(super) fn header(part: &Part) -> Header {
    let model = &part.model;
    let mut names = Names::default();
    let (mut consts, mut enums, mut structs) = (Vec::new(), Vec::new(), Vec::new());
    for item in &model.items {
        match item {
            Item::Const(c) => {
                names.ty(&c.ty);
                consts.push(constant(c));
            }
            Item::Enum(e) => enums.push(enumeration(model, e)),
            Item::Struct(s) => {
                names.defined.insert(format!("struct {}", s.name));
                s.fields.iter().for_each(|field| names.ty(&field.ty));
                structs.push(structure(model, s));
            }
        }
    }
    model.promises.iter().for_each(|promise| names.promise(&promise.expr));
    let mut groups = names.groups();
    groups.append(&mut consts);
    let promises = model.promise_groups().map(promise_group).collect();
    Header { guard: guard(part.include()), groups, enums, structs, promises }
}

/// `net/txbuf/types.h` as `_NET_TXBUF_TYPES_H`.
fn guard(include: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("_{}", include.chars().map(word).collect::<String>())
}

/// What the header needs from elsewhere, gathered in the order of its items.
#[derive(Default)]
struct Names {
    includes: BTreeSet<&'static str>,
    /// Structs that are used behind a pointer, and the header of those of the kernel.
    forwards: BTreeMap<String, Option<&'static str>>,
    defined: BTreeSet<String>,
}

impl Names {
    /// Includes, and declarations of what no included header declares.
    fn groups(self) -> Vec<Lines> {
        let includes = self.includes.iter().map(|header| format!("#include <{header}>")).collect();
        let is_declared = |header: &Option<&str>| header.is_some_and(|header| self.includes.contains(header));
        let forwards = self.forwards.iter().filter(|entry| !is_declared(entry.1));
        let forwards = forwards.map(|(name, _)| format!("{name};")).collect();
        let groups: [Vec<String>; 2] = [includes, forwards];
        let filled = groups.into_iter().filter(|lines| !lines.is_empty());
        filled.map(|lines| Lines { comment: Vec::new(), lines }).collect()
    }

    fn ty(&mut self, ty: &Type) {
        match ty {
            Type::Scalar(_) => drop(self.includes.insert("linux/types.h")),
            Type::Kernel(known) => drop(self.includes.insert(known.header)),
            Type::Declared(_) | Type::Void => {}
            Type::Flex(element) => self.ty(element),
            Type::Pointer { to, .. } => self.target(to),
            Type::Function { args, returns } => {
                args.iter().for_each(|(_, ty)| self.ty(ty));
                returns.iter().for_each(|ty| self.ty(ty));
            }
        }
    }

    fn target(&mut self, ty: &Type) {
        let name = base(ty);
        match ty {
            Type::Kernel(known) if name.starts_with("struct ") => {
                self.forwards.insert(name, Some(known.header));
            }
            Type::Declared(Declared::Struct(_)) if !self.defined.contains(&name) => {
                self.forwards.insert(name, None);
            }
            _ => self.ty(ty),
        }
    }

    fn promise(&mut self, expr: &Expr) {
        self.includes.insert("linux/build_bug.h");
        match expr {
            Expr::OffsetOf { .. } => drop(self.includes.insert("linux/stddef.h")),
            Expr::SizeOf(ty) => self.ty(ty),
            Expr::Binary { left, right, .. } => {
                self.promise(left);
                self.promise(right);
            }
            Expr::Number { .. } | Expr::Name(_) => {}
        }
    }
}

fn base(ty: &Type) -> String {
    match ty {
        Type::Scalar(scalar) => scalar.c.to_owned(),
        Type::Kernel(known) => known.c.to_owned(),
        Type::Declared(Declared::Enum(name)) => format!("enum {name}"),
        Type::Declared(Declared::Struct(name)) => format!("struct {name}"),
        Type::Void => "void".to_owned(),
        Type::Pointer { .. } | Type::Flex(_) | Type::Function { .. } => declare(ty, "").trim_end().to_owned(),
    }
}

/// Declares `name` with type `ty`, without the semicolon.
pub fn declare(ty: &Type, name: &str) -> String {
    match ty {
        Type::Pointer { is_const, to } => match &**to {
            Type::Pointer { .. } | Type::Function { .. } => {
                declare(to, &format!("*{}{name}", if *is_const { "const " } else { "" }))
            }
            target => format!("{}{} *{name}", if *is_const { "const " } else { "" }, base(target)),
        },
        Type::Flex(element) => declare(element, &format!("{name}[]")),
        Type::Function { args, returns } => {
            let args: Vec<_> = args.iter().map(|(name, ty)| declare(ty, name)).collect();
            let args = if args.is_empty() { "void".to_owned() } else { args.join(", ") };
            let head = format!("(*{name})({args})");
            returns.as_ref().map_or_else(|| format!("void {head}"), |ty| declare(ty, &head))
        }
        _ => format!("{} {name}", base(ty)),
    }
}

/// An expression in C.
pub(super) fn constant_text(expr: &Expr) -> String {
    expr.write(&|leaf| match leaf {
        Expr::Number { text, .. } => text.clone(),
        Expr::Name(name) => name.clone(),
        Expr::SizeOf(ty) => format!("sizeof({})", base(ty)),
        Expr::OffsetOf { of, field } => format!("offsetof(struct {of}, {field})"),
        Expr::Binary { .. } => String::new(),
    })
}

fn constant(c: &Const) -> Lines {
    let define = |value: &Expr| {
        let text = constant_text(value);
        let text = if matches!(value, Expr::Binary { .. }) { format!("({text})") } else { text };
        format!("#define {}\t{text}", c.name)
    };
    let lines = match &c.value {
        Value::Same(value) => vec![define(value)],
        Value::PerAbi { lp64, ilp32 } => {
            vec!["#ifdef CONFIG_64BIT".to_owned(), define(lp64), "#else".to_owned(), define(ilp32), "#endif".to_owned()]
        }
    };
    Lines { comment: kdoc::comment(&c.docs), lines }
}

fn enumeration(model: &Model, e: &Enum) -> Block {
    let members: Vec<_> =
        e.variants.iter().map(|v| Member { name: &v.name, args: Vec::new(), docs: &v.docs }).collect();
    let value_at = e.variants.iter().map(|v| columns(&v.name) / 8 + 1).max().unwrap_or(0) * 8;
    let line = |name: &str, value: &Option<Expr>| match value {
        Some(value) => {
            let tabs = (value_at - columns(name)).div_ceil(8);
            format!("{name}{}= {}", "\t".repeat(tabs), constant_text(value))
        }
        None => name.to_owned(),
    };
    Block {
        kdoc: kdoc::kernel_doc(model, &format!("enum {}", e.name), &e.docs, &members),
        name: e.name.clone(),
        members: e.variants.iter().map(|v| line(&v.name, &v.value)).collect(),
    }
}

fn structure(model: &Model, s: &Struct) -> Block {
    let members: Vec<_> =
        s.fields.iter().map(|f| Member { name: &f.name, args: arguments(&f.ty), docs: &f.docs }).collect();
    let counted = |by: &Option<String>| by.as_ref().map(|by| format!(" __counted_by({by})")).unwrap_or_default();
    Block {
        kdoc: kdoc::kernel_doc(model, &format!("struct {}", s.name), &s.docs, &members),
        name: s.name.clone(),
        members: s.fields.iter().map(|f| declare(&f.ty, &f.name) + &counted(&f.counted_by)).collect(),
    }
}

/// Names of the arguments, if it is a function.
fn arguments(ty: &Type) -> Vec<&str> {
    match ty {
        Type::Function { args, .. } => args.iter().map(|(name, _)| name.as_str()).collect(),
        _ => Vec::new(),
    }
}

/// The assertions of a group, under the ABI that they are about.
fn promise_group(group: &[Promise]) -> Lines {
    let first = group.first();
    let guard = first.and_then(|promise| promise.abi).map(|abi| match abi {
        Abi::Lp64 => "#ifdef CONFIG_64BIT".to_owned(),
        Abi::Ilp32 => "#ifndef CONFIG_64BIT".to_owned(),
    });
    let end = guard.as_ref().map(|_| "#endif".to_owned());
    let asserts = group.iter().flat_map(|promise| static_assert(&constant_text(&promise.expr)));
    Lines {
        comment: first.map(|promise| kdoc::comment(&promise.docs)).unwrap_or_default(),
        lines: guard.into_iter().chain(asserts).chain(end).collect(),
    }
}

/// Breaks after operators where the line is too long.
fn static_assert(comparison: &str) -> Vec<String> {
    let is_operator = |word: &str| !word.is_empty() && word.chars().all(|c| "*/%+-<>&|=!".contains(c));
    let (mut lines, mut line, mut part) = (Vec::new(), "static_assert(".to_owned(), String::new());
    let whole = format!("{comparison});");
    let words: Vec<&str> = whole.split(' ').collect();
    let mut is_empty = true;
    for (at, word) in words.iter().enumerate() {
        if !part.is_empty() {
            part.push(' ');
        }
        part.push_str(word);
        if !is_operator(word) && at + 1 != words.len() {
            continue;
        }
        if !is_empty && columns(&line) + 1 + columns(&part) > kdoc::WIDTH {
            lines.push(std::mem::replace(&mut line, "\t      ".to_owned()));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(&std::mem::take(&mut part));
        is_empty = false;
    }
    lines.push(line);
    lines
}

// SPDX-License-Identifier: GPL-2.0
//! Attributes: documentation, the ABI a thing is for, `repr(C)`, and which field counts an array.

use anyhow::Result;
use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Ident, Lit, Meta, MetaNameValue, Token};

use super::{Scope, name_of};
use crate::model::Docs;
use crate::model::layout::Abi;

/// What the attributes of one thing say.
#[derive(Default)]
pub(super) struct Attrs {
    pub(super) docs: Docs,
    pub(super) abi: Option<Abi>,
    pub(super) counted_by: Option<String>,
    repr_c: bool,
}

impl Attrs {
    /// Reads them; one that the model does not know is refused, since it might change the layout.
    pub(super) fn read(scope: &Scope, attrs: &[Attribute]) -> Result<Self> {
        let mut read = Self::default();
        let mut lines = Vec::new();
        for attr in attrs {
            let path = attr.path();
            if path.is_ident("doc") {
                lines.push(doc_line(scope, attr)?);
            } else if path.is_ident("cfg") {
                read.abi = Some(abi(scope, attr)?);
            } else if path.is_ident("cfg_attr") {
                read.counted_by = Some(counted_by(scope, attr)?);
            } else if path.is_ident("repr") {
                let repr: Ident = attr.parse_args().map_err(|e| scope.syn_error(&e))?;
                if repr != "C" {
                    return Err(scope.error(repr.span(), format!("the model knows repr(C), not repr({repr})")));
                }
                read.repr_c = true;
            } else if !path.is_ident("derive") && !path.is_ident("expect") {
                return Err(scope.error(attr.pound_token.span, "the model does not know this attribute"));
            }
        }
        read.docs = paragraphs(&lines);
        Ok(read)
    }

    /// An enum or struct without `repr(C)` has no layout to promise.
    pub(super) fn require_repr_c(&self, scope: &Scope, span: Span) -> Result<()> {
        if self.repr_c { Ok(()) } else { Err(scope.error(span, "this type lacks #[repr(C)]")) }
    }
}

fn doc_line(scope: &Scope, attr: &Attribute) -> Result<String> {
    if let Meta::NameValue(MetaNameValue { value: Expr::Lit(lit), .. }) = &attr.meta
        && let Lit::Str(text) = &lit.lit
    {
        return Ok(text.value().trim().to_owned());
    }
    Err(scope.error(attr.pound_token.span, "documentation is plain text"))
}

fn abi(scope: &Scope, attr: &Attribute) -> Result<Abi> {
    if let Ok(cfg) = attr.parse_args::<MetaNameValue>()
        && cfg.path.is_ident("target_pointer_width")
        && let Expr::Lit(lit) = &cfg.value
        && let Lit::Str(width) = &lit.lit
    {
        match width.value().as_str() {
            "64" => return Ok(Abi::Lp64),
            "32" => return Ok(Abi::Ilp32),
            _ => {}
        }
    }
    Err(scope.error(attr.pound_token.span, "the model knows target_pointer_width = \"64\" or \"32\", not this cfg"))
}

/// `#[cfg_attr(any(), counted_by(FIELD))]`: rustc never sees it, C gets `__counted_by(FIELD)`.
fn counted_by(scope: &Scope, attr: &Attribute) -> Result<String> {
    let parser = Punctuated::<Meta, Token![,]>::parse_terminated;
    let metas = attr.parse_args_with(parser).map_err(|e| scope.syn_error(&e))?;
    let metas: Vec<_> = metas.iter().collect();
    if let [Meta::List(condition), Meta::List(counted)] = metas.as_slice()
        && condition.path.is_ident("any")
        && condition.tokens.is_empty()
        && counted.path.is_ident("counted_by")
    {
        let field: Ident = counted.parse_args().map_err(|e| scope.syn_error(&e))?;
        return Ok(name_of(&field));
    }
    Err(scope.error(attr.pound_token.span, "the model knows cfg_attr(any(), counted_by(FIELD)), not this"))
}

/// Joins lines to paragraphs; list items and headings are paragraphs of their own.
fn paragraphs(lines: &[String]) -> Docs {
    let mut docs: Docs = Vec::new();
    let mut open = false;
    for line in lines {
        let starts = line.starts_with("- ") || line.starts_with("# ");
        if line.is_empty() {
            open = false;
        } else if let Some(last) = docs.last_mut().filter(|_| open && !starts) {
            last.push(' ');
            last.push_str(line);
        } else {
            docs.push(line.clone());
            open = true;
        }
    }
    docs
}

// SPDX-License-Identifier: GPL-2.0
//! Constant expressions as syn sees them, turned into those of the model.

use anyhow::Result;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{BinOp, GenericArgument, Ident, Lit, Macro, PathArguments, Token};

use super::{Scope, name_of, types};
use crate::model::expr::{Expr, Op};

/// The comparison in `assert!(COMPARISON)`.
pub(super) fn assertion(scope: &Scope, expr: &syn::Expr) -> Result<Expr> {
    if let syn::Expr::Macro(call) = expr
        && call.mac.path.is_ident("assert")
    {
        let inner: syn::Expr = call.mac.parse_body().map_err(|e| scope.syn_error(&e))?;
        let read = read(scope, &inner)?;
        if matches!(&read, Expr::Binary { op, .. } if op.is_comparison()) {
            return Ok(read);
        }
    }
    Err(scope.error(expr.span(), "a promise is `const _: () = assert!(A == B);` or another comparison"))
}

/// An expression.
pub(super) fn read(scope: &Scope, expr: &syn::Expr) -> Result<Expr> {
    match expr {
        syn::Expr::Paren(paren) => read(scope, &paren.expr),
        syn::Expr::Lit(lit) => match &lit.lit {
            Lit::Int(number) => {
                let value = number.base10_parse().map_err(|e| scope.syn_error(&e))?;
                let text = number.to_string().replace('_', "");
                Ok(Expr::Number { value, text: text.trim_end_matches(number.suffix()).to_owned() })
            }
            other => Err(scope.error(other.span(), "the model knows whole numbers, not this literal")),
        },
        syn::Expr::Path(path) => match path.path.get_ident() {
            Some(ident) if scope.consts.contains(&name_of(ident)) => Ok(Expr::Name(name_of(ident))),
            _ => Err(scope.error(path.span(), "the design declares no such constant")),
        },
        syn::Expr::Binary(binary) => {
            let (left, right) = (read(scope, &binary.left)?, read(scope, &binary.right)?);
            Ok(Expr::Binary { op: operator(scope, &binary.op)?, left: Box::new(left), right: Box::new(right) })
        }
        syn::Expr::Call(call) if call.args.is_empty() => size_of(scope, &call.func),
        syn::Expr::Macro(call) if call.mac.path.is_ident("offset_of") => offset_of(scope, &call.mac),
        other => Err(scope.error(other.span(), "the model does not know this expression")),
    }
}

fn operator(scope: &Scope, op: &BinOp) -> Result<Op> {
    Ok(match op {
        BinOp::Mul(_) => Op::Mul,
        BinOp::Div(_) => Op::Div,
        BinOp::Rem(_) => Op::Rem,
        BinOp::Add(_) => Op::Add,
        BinOp::Sub(_) => Op::Sub,
        BinOp::Shl(_) => Op::Shl,
        BinOp::BitAnd(_) => Op::And,
        BinOp::BitOr(_) => Op::Or,
        BinOp::Eq(_) => Op::Eq,
        BinOp::Ne(_) => Op::Ne,
        BinOp::Le(_) => Op::Le,
        BinOp::Lt(_) => Op::Lt,
        BinOp::Ge(_) => Op::Ge,
        BinOp::Gt(_) => Op::Gt,
        other => return Err(scope.error(other.span(), "the model does not know this operator")),
    })
}

fn size_of(scope: &Scope, func: &syn::Expr) -> Result<Expr> {
    if let syn::Expr::Path(path) = func
        && let Some(segment) = path.path.segments.last().filter(|s| s.ident == "size_of")
        && let PathArguments::AngleBracketed(args) = &segment.arguments
        && let Some(GenericArgument::Type(ty)) = args.args.first()
    {
        return Ok(Expr::SizeOf(types::value(scope, ty)?));
    }
    Err(scope.error(func.span(), "the model knows size_of::<T>(), no other call"))
}

fn offset_of(scope: &Scope, mac: &Macro) -> Result<Expr> {
    let parser = Punctuated::<Ident, Token![,]>::parse_terminated;
    let args = mac.parse_body_with(parser).map_err(|e| scope.syn_error(&e))?;
    let args: Vec<_> = args.iter().collect();
    let [of, field] = args.as_slice() else {
        return Err(scope.error(mac.span(), "write offset_of!(STRUCT, FIELD)"));
    };
    let (struct_name, field_name) = (name_of(of), name_of(field));
    let Some(fields) = scope.structs.get(&struct_name) else {
        return Err(scope.error(of.span(), format!("the design declares no struct `{struct_name}`")));
    };
    if !fields.contains(&field_name) {
        return Err(scope.error(field.span(), format!("struct `{struct_name}` has no field `{field_name}`")));
    }
    Ok(Expr::OffsetOf { of: struct_name, field: field_name })
}

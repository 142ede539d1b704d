// SPDX-License-Identifier: GPL-2.0
//! Types as syn sees them, turned into those of the model.

use anyhow::Result;
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, PointerMutability, ReturnType, TypeFnPtr};

use super::{Scope, name_of};
use crate::model::layout::Abi;
use crate::model::types::{self, Declared, Type};

/// A type that a constant or an argument may have: anything of known size but a flexible array.
pub(super) fn value(scope: &Scope, ty: &syn::Type) -> Result<Type> {
    let read = any(scope, ty)?;
    match &read {
        Type::Void => Err(scope.error(ty.span(), "`c_void` may only be used behind a pointer")),
        Type::Kernel(known) if known.extent(Abi::Lp64).is_none() => {
            Err(scope.error(ty.span(), format!("`{}` may only be used behind a pointer", known.name)))
        }
        Type::Flex(_) => Err(scope.error(ty.span(), "a flexible array may only be the last field of a struct")),
        _ => Ok(read),
    }
}

/// A type that a field may have.
pub(super) fn field(scope: &Scope, ty: &syn::Type, is_last: bool) -> Result<Type> {
    if is_last && let Some(element) = generic(ty, "Flex") {
        return Ok(Type::Flex(Box::new(value(scope, element)?)));
    }
    value(scope, ty)
}

/// `T` of `NAME<T>`.
fn generic<'a>(ty: &'a syn::Type, name: &str) -> Option<&'a syn::Type> {
    let syn::Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last().filter(|s| path.path.segments.len() == 1 && s.ident == name)?;
    let PathArguments::AngleBracketed(args) = &segment.arguments else { return None };
    match args.args.first() {
        Some(GenericArgument::Type(inner)) if args.args.len() == 1 => Some(inner),
        _ => None,
    }
}

fn any(scope: &Scope, ty: &syn::Type) -> Result<Type> {
    if let Some(element) = generic(ty, "Flex") {
        return Ok(Type::Flex(Box::new(value(scope, element)?)));
    }
    if let Some(syn::Type::FnPtr(pointer)) = generic(ty, "Option") {
        return function(scope, pointer);
    }
    match ty {
        syn::Type::Ptr(pointer) => {
            let is_const = matches!(pointer.mutability, PointerMutability::Const(_));
            Ok(Type::Pointer { is_const, to: Box::new(any(scope, &pointer.elem)?) })
        }
        syn::Type::Path(path) => match path.path.get_ident() {
            Some(ident) => named(scope, ident),
            None => Err(unknown(scope, ty)),
        },
        _ => Err(unknown(scope, ty)),
    }
}

fn named(scope: &Scope, ident: &syn::Ident) -> Result<Type> {
    let name = name_of(ident);
    if name == "c_void" {
        return Ok(Type::Void);
    }
    if scope.structs.contains_key(&name) {
        return Ok(Type::Declared(Declared::Struct(name)));
    }
    if scope.enums.contains(&name) {
        return Ok(Type::Declared(Declared::Enum(name)));
    }
    let found = types::find(&name);
    found.ok_or_else(|| {
        scope.error(ident.span(), format!("the model does not know type `{name}`; it knows {}", types::known()))
    })
}

fn unknown(scope: &Scope, ty: &syn::Type) -> anyhow::Error {
    let help = "it knows names, pointers, Option of a function pointer, and Flex";
    scope.error(ty.span(), format!("the model does not know this kind of type; {help}"))
}

fn function(scope: &Scope, pointer: &TypeFnPtr) -> Result<Type> {
    let is_c = pointer.abi.as_ref().and_then(|abi| abi.name.as_ref()).is_some_and(|name| name.value() == "C");
    if !is_c || pointer.unsafety.is_none() || pointer.variadic.is_some() {
        return Err(scope.error(pointer.span(), "a function pointer is `unsafe extern \"C\" fn`, without `...`"));
    }
    let mut args = Vec::new();
    for arg in &pointer.inputs {
        let Some((ident, _)) = &arg.name else {
            return Err(scope.error(arg.span(), "an argument of a function pointer has a name"));
        };
        args.push((name_of(ident), value(scope, &arg.ty)?));
    }
    let returns = match &pointer.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(Box::new(value(scope, ty)?)),
    };
    Ok(Type::Function { args, returns })
}

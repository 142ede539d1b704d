// SPDX-License-Identifier: GPL-2.0
//! Where C puts each field, by our own arithmetic, and whether the design's promises hold.

use anyhow::{Context, Result, bail};

use super::types::{Declared, Extent, More, Type};
use super::{Model, Promise, Struct, expr};

/// A structure may hold structures; more levels than this are a circle.
const MAX_DEPTH: u32 = 32;

/// The two families of ABIs that Linux runs on, as far as the types of a design can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Abi {
    /// 64-bit: long and pointers have 8 bytes.
    Lp64,
    /// 32-bit: long and pointers have 4 bytes.
    Ilp32,
}

impl Abi {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Lp64, Self::Ilp32];

    /// Bits of a pointer.
    pub fn bits(self) -> u64 {
        self.pointer().size * 8
    }

    fn pointer(self) -> Extent {
        match self {
            Self::Lp64 => Extent { size: 8, align: 8 },
            Self::Ilp32 => Extent { size: 4, align: 4 },
        }
    }
}

/// A struct laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Size and alignment of the whole, flexible array excluded.
    pub extent: Extent,
    /// Its fields in order.
    pub fields: Vec<Place>,
}

/// Where a field is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name of the field.
    pub name: String,
    /// Bytes before it.
    pub offset: u64,
    /// Bytes it takes; none for a flexible array.
    pub size: u64,
}

/// Lays `s` out on `abi`.
pub fn of(model: &Model, s: &Struct, abi: Abi) -> Result<Layout> {
    struct_at(model, s, abi, 0)
}

/// Size and alignment of `ty` on `abi`.
pub fn extent(model: &Model, ty: &Type, abi: Abi) -> Result<Extent> {
    extent_at(model, ty, abi, 0)
}

/// What makes `ty`, which has an extent, larger than that in some configurations.
pub fn more(model: &Model, ty: &Type) -> Option<&'static More> {
    match ty {
        Type::Kernel(known) => known.more.as_ref(),
        Type::Declared(Declared::Struct(name)) => {
            model.find_struct(name)?.fields.last().and_then(|last| more(model, &last.ty))
        }
        _ => None,
    }
}

fn struct_at(model: &Model, s: &Struct, abi: Abi, depth: u32) -> Result<Layout> {
    if depth == MAX_DEPTH {
        bail!("struct `{}` contains itself", s.name);
    }
    let (mut end, mut align, mut fields) = (0_u64, 1, Vec::new());
    for (at, field) in s.fields.iter().enumerate() {
        let which = || format!("field `{}` of struct `{}`", field.name, s.name);
        let one = extent_at(model, &field.ty, abi, depth).with_context(which)?;
        if at + 1 < s.fields.len()
            && let Some(more) = more(model, &field.ty)
        {
            bail!("{} has to be the last: {} makes it larger", which(), more.option);
        }
        let offset = end.next_multiple_of(one.align);
        end = offset.checked_add(one.size).with_context(|| format!("struct `{}` is too large", s.name))?;
        align = align.max(one.align);
        fields.push(Place { name: field.name.clone(), offset, size: one.size });
    }
    Ok(Layout { extent: Extent { size: end.next_multiple_of(align), align }, fields })
}

fn extent_at(model: &Model, ty: &Type, abi: Abi, depth: u32) -> Result<Extent> {
    match ty {
        Type::Scalar(scalar) => Ok(scalar.extent(abi)),
        Type::Kernel(known) => {
            known.extent(abi).with_context(|| format!("`{}` may only be used behind a pointer", known.c))
        }
        Type::Declared(Declared::Enum(_)) => Ok(Extent { size: 4, align: 4 }),
        Type::Declared(Declared::Struct(name)) => {
            let found = model.find_struct(name).with_context(|| format!("no struct `{name}`"))?;
            Ok(struct_at(model, found, abi, depth + 1)?.extent)
        }
        Type::Void => bail!("`void` may only be used behind a pointer"),
        Type::Pointer { .. } | Type::Function { .. } => Ok(abi.pointer()),
        Type::Flex(element) => Ok(Extent { size: 0, align: extent_at(model, element, abi, depth)?.align }),
    }
}

/// Proves every promise of the design; the first false one is an error that names its line.
pub fn prove(model: &Model) -> Result<()> {
    for s in model.structs() {
        for abi in Abi::ALL {
            of(model, s, abi).with_context(|| model.file.clone())?;
        }
    }
    for promise in &model.promises {
        for abi in Abi::ALL.into_iter().filter(|abi| promise.abi.is_none_or(|only| only == *abi)) {
            prove_one(model, promise, abi).with_context(|| format!("{}:{}", model.file, promise.line))?;
        }
    }
    Ok(())
}

fn prove_one(model: &Model, promise: &Promise, abi: Abi) -> Result<()> {
    if expr::eval(model, &promise.expr, abi)? != 0 {
        return Ok(());
    }
    let expr::Expr::Binary { op, left, right } = &promise.expr else { bail!("a promise is a comparison") };
    let (left, right) = (expr::eval(model, left, abi)?, expr::eval(model, right, abi)?);
    bail!("this layout promise is false on {}-bit: it says {left} {} {right}", abi.bits(), op.symbol())
}

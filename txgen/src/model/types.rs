// SPDX-License-Identifier: GPL-2.0
//! The types that a design may use: scalars, pointers, and the kernel types in a table here.

use super::layout::Abi;

/// Size and alignment in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Bytes it takes.
    pub size: u64,
    /// What its address is a multiple of.
    pub align: u64,
}

/// A type of a field, a constant or an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// A number.
    Scalar(&'static Scalar),
    /// A type of the kernel.
    Kernel(&'static KernelType),
    /// An enum or struct of the design.
    Declared(Declared),
    /// `void`, behind a pointer only.
    Void,
    /// A pointer.
    Pointer {
        /// Whether what it points to is const.
        is_const: bool,
        /// What it points to.
        to: Box<Type>,
    },
    /// A flexible array member.
    Flex(Box<Type>),
    /// A pointer to a function, which may be NULL.
    Function {
        /// Names and types of the arguments.
        args: Vec<(String, Type)>,
        /// What it returns; nothing is void.
        returns: Option<Box<Type>>,
    },
}

/// A type that the design declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declared {
    /// `enum NAME`.
    Enum(String),
    /// `struct NAME`.
    Struct(String),
}

/// A number type. 64-bit integers are missing on purpose: 32-bit ABIs disagree on their alignment.
#[derive(Debug, PartialEq, Eq)]
pub struct Scalar {
    /// Name in the design and in Rust.
    pub name: &'static str,
    /// Name in C.
    pub c: &'static str,
    lp64: Extent,
    ilp32: Extent,
}

/// A type that a kernel header declares.
#[derive(Debug, PartialEq, Eq)]
pub struct KernelType {
    /// Name in the design and in the kernel's Rust bindings.
    pub name: &'static str,
    /// Name in C.
    pub c: &'static str,
    /// The header that declares it; a type without one is only forward-declared.
    pub header: Option<&'static str>,
    extents: Option<(Extent, Extent)>,
}

const fn scalar(name: &'static str, c: &'static str, lp64: u64, ilp32: u64) -> Scalar {
    Scalar { name, c, lp64: Extent { size: lp64, align: lp64 }, ilp32: Extent { size: ilp32, align: ilp32 } }
}

/// Numbers.
pub static SCALARS: &[Scalar] = &[
    scalar("bool", "bool", 1, 1),
    scalar("u8", "u8", 1, 1),
    scalar("u16", "u16", 2, 2),
    scalar("u32", "u32", 4, 4),
    scalar("i32", "int", 4, 4),
    scalar("usize", "size_t", 8, 4),
];

/// Kernel types.
pub static KERNEL_TYPES: &[KernelType] = &[
    KernelType {
        name: "bio_vec",
        c: "struct bio_vec",
        header: Some("linux/bvec.h"),
        extents: Some((Extent { size: 16, align: 8 }, Extent { size: 12, align: 4 })),
    },
    KernelType { name: "page", c: "struct page", header: None, extents: None },
    KernelType {
        name: "refcount_t",
        c: "refcount_t",
        header: Some("linux/refcount.h"),
        extents: Some((Extent { size: 4, align: 4 }, Extent { size: 4, align: 4 })),
    },
    KernelType { name: "ubuf_info", c: "struct ubuf_info", header: None, extents: None },
];

impl Scalar {
    /// Size and alignment on `abi`.
    pub fn extent(&self, abi: Abi) -> Extent {
        match abi {
            Abi::Lp64 => self.lp64,
            Abi::Ilp32 => self.ilp32,
        }
    }
}

impl KernelType {
    /// Size and alignment on `abi`; none where the type is only ever behind a pointer.
    pub fn extent(&self, abi: Abi) -> Option<Extent> {
        let (lp64, ilp32) = self.extents?;
        Some(match abi {
            Abi::Lp64 => lp64,
            Abi::Ilp32 => ilp32,
        })
    }
}

/// The scalar or kernel type of this name.
pub fn find(name: &str) -> Option<Type> {
    let scalar = SCALARS.iter().find(|s| s.name == name).map(Type::Scalar);
    scalar.or_else(|| KERNEL_TYPES.iter().find(|t| t.name == name).map(Type::Kernel))
}

/// The names that [`find`] knows, for messages.
pub fn known() -> String {
    let names = SCALARS.iter().map(|s| s.name).chain(KERNEL_TYPES.iter().map(|t| t.name));
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::kernel;

    #[test]
    fn table_has_the_size_and_alignment_that_rustc_gives_the_stand_ins() {
        let extent = |name: &str| match find(name) {
            Some(Type::Kernel(t)) => t.extent(Abi::Lp64).unwrap(),
            other => panic!("{name}: {other:?}"),
        };
        let rustc = |size, align| Extent { size: size as u64, align: align as u64 };
        assert_eq!(extent("bio_vec"), rustc(size_of::<kernel::bio_vec>(), align_of::<kernel::bio_vec>()));
        assert_eq!(extent("refcount_t"), rustc(size_of::<kernel::refcount_t>(), align_of::<kernel::refcount_t>()));
    }
}

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
    /// Name in the design, and in Rust unless it is one of C's.
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
    /// The header that declares it.
    pub header: &'static str,
    /// What it has behind these extents in some configurations.
    pub more: Option<More>,
    extents: Option<(Extent, Extent)>,
}

/// What makes a type larger in some configurations.
#[derive(Debug, PartialEq, Eq)]
pub struct More {
    /// The option that brings it.
    pub option: &'static str,
    /// Its type in C, which has no size without the option.
    pub c: &'static str,
    /// The header that declares it.
    pub header: &'static str,
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
    scalar("c_ulong", "unsigned long", 8, 4),
];

const fn kernel(name: &'static str, c: &'static str, header: &'static str) -> KernelType {
    KernelType { name, c, header, more: None, extents: None }
}

impl KernelType {
    /// Gives it size and alignment on both ABIs.
    const fn of(mut self, (size, align): (u64, u64), (narrow_size, narrow_align): (u64, u64)) -> Self {
        self.extents = Some((Extent { size, align }, Extent { size: narrow_size, align: narrow_align }));
        self
    }

    const fn and(mut self, more: More) -> Self {
        self.more = Some(more);
        self
    }

    /// Size and alignment on `abi`; none where the type is only ever behind a pointer.
    pub fn extent(&self, abi: Abi) -> Option<Extent> {
        let (lp64, ilp32) = self.extents?;
        Some(match abi {
            Abi::Lp64 => lp64,
            Abi::Ilp32 => ilp32,
        })
    }
}

const LOCKDEP: More = More { option: "CONFIG_LOCKDEP", c: "struct lockdep_map", header: "linux/lockdep_types.h" };

/// Kernel types; those without extents are only ever behind a pointer.
pub static KERNEL_TYPES: &[KernelType] = &[
    kernel("bio_vec", "struct bio_vec", "linux/bvec.h").of((16, 8), (12, 4)),
    kernel("page", "struct page", "linux/mm_types.h"),
    kernel("refcount_t", "refcount_t", "linux/refcount.h").of((4, 4), (4, 4)),
    kernel("ubuf_info", "struct ubuf_info", "linux/skbuff.h").of((16, 8), (12, 4)),
    kernel("work_struct", "struct work_struct", "linux/workqueue.h").of((32, 8), (16, 4)).and(LOCKDEP),
    kernel("workqueue_struct", "struct workqueue_struct", "linux/workqueue.h"),
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
        assert_eq!(extent("ubuf_info"), rustc(size_of::<kernel::ubuf_info>(), align_of::<kernel::ubuf_info>()));
        assert_eq!(extent("work_struct"), rustc(size_of::<kernel::work_struct>(), align_of::<kernel::work_struct>()));
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Stand-ins for the kernel types that the design uses, of the kernel's size and alignment.
//!
//! They exist so that rustc lays the design out as the C compiler lays out the header. The model
//! has the same figures in its table of kernel types; a test compares the two.

/// `refcount_t` of linux/refcount.h.
#[derive(Debug)]
#[repr(C)]
pub struct refcount_t(i32);

/// `struct page` of linux/mm_types.h: only ever behind a pointer.
#[derive(Debug)]
#[repr(C)]
pub struct page([u8; 0]);

/// `struct bio_vec` of linux/bvec.h.
#[derive(Debug)]
#[repr(C)]
pub struct bio_vec {
    /// First page of the range.
    pub bv_page: *mut page,
    /// Bytes in the range.
    pub bv_len: u32,
    /// Where it starts, relative to the page.
    pub bv_offset: u32,
}

/// `struct ubuf_info` of linux/skbuff.h: only ever behind a pointer.
#[derive(Debug)]
#[repr(C)]
pub struct ubuf_info([u8; 0]);

/// A C flexible array member: as many `T` as were allocated behind the struct.
#[derive(Debug)]
#[repr(C)]
pub struct Flex<T>([T; 0]);

// SPDX-License-Identifier: GPL-2.0
//! Stand-ins for the kernel types that the design uses, of the kernel's size and alignment.
//!
//! They exist so that rustc lays the design out as the C compiler lays out the header. The model
//! has the same figures in its table of kernel types; a test compares the two.

use core::ffi::{c_ulong, c_void};

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

/// `struct ubuf_info_ops` of linux/skbuff.h: only ever behind a pointer.
#[derive(Debug)]
#[repr(C)]
pub struct ubuf_info_ops([u8; 0]);

/// `struct ubuf_info` of linux/skbuff.h.
#[derive(Debug)]
#[repr(C)]
pub struct ubuf_info {
    /// What to do when it is completed.
    pub ops: *const ubuf_info_ops,
    /// References on it.
    pub refcnt: refcount_t,
    /// SKBFL_* of the skbs that it is for.
    pub flags: u8,
}

/// `struct list_head` of linux/types.h.
#[derive(Debug)]
#[repr(C)]
pub struct list_head([*mut list_head; 2]);

/// `struct work_struct` of linux/workqueue.h, as it is without CONFIG_LOCKDEP.
#[derive(Debug)]
#[repr(C)]
pub struct work_struct {
    data: c_ulong,
    entry: list_head,
    func: Option<unsafe extern "C" fn(work: *mut c_void)>,
}

/// `struct workqueue_struct` of linux/workqueue.h: only ever behind a pointer.
#[derive(Debug)]
#[repr(C)]
pub struct workqueue_struct([u8; 0]);

/// A C flexible array member: as many `T` as were allocated behind the struct.
#[derive(Debug)]
#[repr(C)]
pub struct Flex<T>([T; 0]);

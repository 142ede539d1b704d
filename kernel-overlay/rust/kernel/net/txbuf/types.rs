// SPDX-License-Identifier: GPL-2.0

//! The types behind zerocopy fragments: who owns the memory of a fragment, and until when.
//!
//! A fragment whose netmem carries the txbuf tag points at a slot of a txbuf. The txbuf owns the
//! memory, whatever it is made of: pinned user pages, memory of a kernel service that has no page
//! reference, or pages of the stack. Fragments reference the txbuf and never the pages.
//!
//! C header: [`include/net/txbuf/types.h`](srctree/include/net/txbuf/types.h)

use core::mem::{
    offset_of,
    size_of, //
};

use crate::bindings;

/// A txbuf is aligned to its size, so that masking the address of a slot gives the txbuf that the
/// slot belongs to.
#[cfg(CONFIG_64BIT)]
pub const NET_TXBUF_SIZE: usize = 512;
/// A txbuf is aligned to its size, so that masking the address of a slot gives the txbuf that the
/// slot belongs to.
#[cfg(not(CONFIG_64BIT))]
pub const NET_TXBUF_SIZE: usize = 256;

/// Slots that fit into a txbuf.
#[cfg(CONFIG_64BIT)]
pub const NET_TXBUF_MAX_SLOTS: usize = 29;
/// Slots that fit into a txbuf.
#[cfg(not(CONFIG_64BIT))]
pub const NET_TXBUF_MAX_SLOTS: usize = 19;

/// Where the memory of a txbuf comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum NetTxbufType {
    /// Pages that the stack allocated and copied data into.
    Buffered,
    /// User memory, one GUP pin per page of each slot.
    ZcopyUser,
    /// Kernel memory that the sender of a message keeps alive, without any page reference; may be
    /// slab memory.
    ZcopyKernel,
    /// Pipe buffers, released through their own operations.
    Pipe,
}

/// What happened to the memory of a txbuf.
pub mod net_txbuf_flags {
    /// Some skb copied the data instead of sending it in place, the completion reports that
    /// zerocopy failed.
    pub const COPIED: u32 = 1 << 0;
}

/// What depends on the origin of the memory.
#[repr(C)]
pub struct NetTxbufOps {
    /// Give the memory of all slots back; called once, after the last reference is gone, from any
    /// context in which an skb may be freed, so it must not sleep; may be NULL when there is
    /// nothing to give back.
    pub release: Option<unsafe extern "C" fn(tb: *mut NetTxbuf)>,
}

/// Owner of the memory behind skb fragments.
#[repr(C)]
pub struct NetTxbuf {
    /// One reference for each fragment that points at a slot, counted once in each distinct
    /// skb_shared_info; one for whoever fills the txbuf, until it stops; one for each txbuf whose
    /// `next` this is.
    pub r#ref: bindings::refcount_t,
    /// Slots in use; only the filler changes it, slots are appended only.
    pub nr_slots: u16,
    /// Slots that fit.
    pub max_slots: u16,
    /// The txbuf that follows in the same sendmsg(), or NULL; referenced from the moment it is
    /// linked until this txbuf is released.
    pub next: *mut NetTxbuf,
    /// The completion that waits for this memory, or NULL; referenced from allocation until this
    /// txbuf is released, never the other way round.
    pub ubuf: *mut bindings::ubuf_info,
    /// How to give the memory back.
    pub ops: *const NetTxbufOps,
    /// For use by `ops`.
    pub r#priv: *mut core::ffi::c_void,
    /// Origin of the memory, one of enum net_txbuf_type.
    pub r#type: u8,
    /// A set of enum net_txbuf_flags.
    pub flags: u8,
    /// Unused; keeps the slots aligned where the ABI aligns to two bytes only.
    pub spare: u16,
    /// The slots; memory stays valid until the last reference is gone; once a fragment points at a
    /// slot it does not change, except that the length of the last one may grow.
    pub bv: [bindings::bio_vec; 0],
}

#[cfg(CONFIG_64BIT)]
const _: () = assert!(offset_of!(NetTxbuf, r#ref) == 0);
#[cfg(CONFIG_64BIT)]
const _: () = assert!(offset_of!(NetTxbuf, nr_slots) == 4);
#[cfg(CONFIG_64BIT)]
const _: () = assert!(offset_of!(NetTxbuf, max_slots) == 6);
#[cfg(CONFIG_64BIT)]
const _: () = assert!(offset_of!(NetTxbuf, next) == 8);
#[cfg(CONFIG_64BIT)]
const _: () = assert!(offset_of!(NetTxbuf, ubuf) == 16);
#[cfg(CONFIG_64BIT)]
const _: () = assert!(offset_of!(NetTxbuf, ops) == 24);
#[cfg(CONFIG_64BIT)]
const _: () = assert!(offset_of!(NetTxbuf, r#priv) == 32);
#[cfg(CONFIG_64BIT)]
const _: () = assert!(offset_of!(NetTxbuf, r#type) == 40);
#[cfg(CONFIG_64BIT)]
const _: () = assert!(offset_of!(NetTxbuf, flags) == 41);
#[cfg(CONFIG_64BIT)]
const _: () = assert!(offset_of!(NetTxbuf, spare) == 42);
#[cfg(CONFIG_64BIT)]
const _: () = assert!(offset_of!(NetTxbuf, bv) == 48);
#[cfg(CONFIG_64BIT)]
const _: () = assert!(size_of::<NetTxbuf>() == 48);

// Slots leave the two low bits of their address to the netmem tag.
const _: () = assert!(offset_of!(NetTxbuf, bv) % 4 == 0);
const _: () = assert!(size_of::<bindings::bio_vec>() % 4 == 0);

// The slots fill the txbuf.
const _: () = assert!(
    (NET_TXBUF_SIZE - offset_of!(NetTxbuf, bv)) / size_of::<bindings::bio_vec>()
        == NET_TXBUF_MAX_SLOTS
);

// The header, which each send touches, fits into one cache line of 64 bytes.
const _: () = assert!(size_of::<NetTxbuf>() <= 64);

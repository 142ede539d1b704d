// SPDX-License-Identifier: GPL-2.0
//! The types behind zerocopy fragments: who owns the memory of a fragment, and until when.
//!
//! A fragment whose netmem carries the txbuf tag points at a slot of a txbuf. The txbuf owns the
//! memory, whatever it is made of: pinned user pages, memory of a kernel service that has no page
//! reference, or pages of the stack. Fragments reference the txbuf and never the pages.
//!
//! # Rules
//!
//! - I1: Each tagged fragment holds one reference on its txbuf, counted once in each distinct
//!   skb_shared_info.
//! - I2: A slot does not change once a fragment points at it, except that the length of the last
//!   slot may grow while its fragment ends where the slot ends.
//! - I3: Nobody takes or drops a page reference on a tagged fragment.
//! - I4: Two fragments merge only if their netmem is equal.
//! - I5: The txbuf holds the completion (ubuf_info), never the other way round.
//! - I6: The memory is released exactly once, after the last reference is gone.
//! - I7: A tagged fragment is never writable.
//! - I8: The memory is never mapped into a process and never handed to a pipe by page.
//! - I9: Page pool recycling has no effect on tagged fragments.
//! - I10: Cloning and segmentation never pin memory again.
//! - I11: `next` never leads from one sendmsg() to another.
//! - I12: What a notification says is produced by the code that produced it without txbufs.

// This file is compiled, so rustc checks it, and it is read as text by model::parse, which renders
// everything else from it. Prose is refilled; the order of items is kept.

#![expect(non_camel_case_types, reason = "the names are those of the kernel header")]
#![expect(clippy::manual_is_multiple_of, reason = "an expression that C has too")]

pub mod kernel;
pub mod msg;

use core::ffi::c_void;
use core::mem::{offset_of, size_of};

use kernel::{Flex, bio_vec, refcount_t, ubuf_info};

/// A txbuf is aligned to its size, so that masking the address of a slot gives the txbuf that the
/// slot belongs to.
#[cfg(target_pointer_width = "64")]
pub const NET_TXBUF_SIZE: usize = 512;
/// A txbuf is aligned to its size, so that masking the address of a slot gives the txbuf that the
/// slot belongs to.
#[cfg(target_pointer_width = "32")]
pub const NET_TXBUF_SIZE: usize = 256;

/// Slots that fit into a txbuf.
#[cfg(target_pointer_width = "64")]
pub const NET_TXBUF_MAX_SLOTS: usize = 29;
/// Slots that fit into a txbuf.
#[cfg(target_pointer_width = "32")]
pub const NET_TXBUF_MAX_SLOTS: usize = 19;

/// Where the memory of a txbuf comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum net_txbuf_type {
    /// Pages that the stack allocated and copied data into.
    NET_TXBUF_BUFFERED,
    /// User memory, one GUP pin per page of each slot.
    NET_TXBUF_ZCOPY_USER,
    /// Kernel memory that the sender of a message keeps alive, without any page reference; may be
    /// slab memory.
    NET_TXBUF_ZCOPY_KERNEL,
    /// Pipe buffers, released through their own operations.
    NET_TXBUF_PIPE,
}

/// What happened to the memory of a txbuf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum net_txbuf_flags {
    /// Some skb copied the data instead of sending it in place, the completion reports that
    /// zerocopy failed.
    NET_TXBUF_COPIED = 1 << 0,
}

/// What depends on the origin of the memory.
#[derive(Debug)]
#[repr(C)]
pub struct net_txbuf_ops {
    /// Give the memory of all slots back; called once, after the last reference is gone, from any
    /// context in which an skb may be freed, so it must not sleep; may be NULL when there is
    /// nothing to give back.
    pub release: Option<unsafe extern "C" fn(tb: *mut net_txbuf)>,
}

/// Owner of the memory behind skb fragments.
#[derive(Debug)]
#[repr(C)]
pub struct net_txbuf {
    /// One reference for each fragment that points at a slot, counted once in each distinct
    /// skb_shared_info; one for whoever fills the txbuf, until it stops; one for each txbuf whose
    /// `next` this is.
    pub r#ref: refcount_t,
    /// Slots in use; only the filler changes it, slots are appended only.
    pub nr_slots: u16,
    /// Slots that fit.
    pub max_slots: u16,
    /// The txbuf that follows in the same sendmsg(), or NULL; referenced from the moment it is
    /// linked until this txbuf is released.
    pub next: *mut net_txbuf,
    /// The completion that waits for this memory, or NULL; referenced from allocation until this
    /// txbuf is released, never the other way round.
    pub ubuf: *mut ubuf_info,
    /// How to give the memory back.
    pub ops: *const net_txbuf_ops,
    /// For use by `ops`.
    pub r#priv: *mut c_void,
    /// Origin of the memory, one of enum net_txbuf_type.
    pub r#type: u8,
    /// A set of enum net_txbuf_flags.
    pub flags: u8,
    /// Unused; keeps the slots aligned where the ABI aligns to two bytes only.
    pub spare: u16,
    /// The slots; memory stays valid until the last reference is gone; once a fragment points at a
    /// slot it does not change, except that the length of the last one may grow.
    #[cfg_attr(any(), counted_by(max_slots))]
    pub bv: Flex<bio_vec>,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(offset_of!(net_txbuf, r#ref) == 0);
#[cfg(target_pointer_width = "64")]
const _: () = assert!(offset_of!(net_txbuf, nr_slots) == 4);
#[cfg(target_pointer_width = "64")]
const _: () = assert!(offset_of!(net_txbuf, max_slots) == 6);
#[cfg(target_pointer_width = "64")]
const _: () = assert!(offset_of!(net_txbuf, next) == 8);
#[cfg(target_pointer_width = "64")]
const _: () = assert!(offset_of!(net_txbuf, ubuf) == 16);
#[cfg(target_pointer_width = "64")]
const _: () = assert!(offset_of!(net_txbuf, ops) == 24);
#[cfg(target_pointer_width = "64")]
const _: () = assert!(offset_of!(net_txbuf, r#priv) == 32);
#[cfg(target_pointer_width = "64")]
const _: () = assert!(offset_of!(net_txbuf, r#type) == 40);
#[cfg(target_pointer_width = "64")]
const _: () = assert!(offset_of!(net_txbuf, flags) == 41);
#[cfg(target_pointer_width = "64")]
const _: () = assert!(offset_of!(net_txbuf, spare) == 42);
#[cfg(target_pointer_width = "64")]
const _: () = assert!(offset_of!(net_txbuf, bv) == 48);
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<net_txbuf>() == 48);

/// Slots leave the two low bits of their address to the netmem tag.
const _: () = assert!(offset_of!(net_txbuf, bv) % 4 == 0);
const _: () = assert!(size_of::<bio_vec>() % 4 == 0);

/// The slots fill the txbuf.
const _: () = assert!((NET_TXBUF_SIZE - offset_of!(net_txbuf, bv)) / size_of::<bio_vec>() == NET_TXBUF_MAX_SLOTS);

/// The header, which each send touches, fits into one cache line of 64 bytes.
const _: () = assert!(size_of::<net_txbuf>() <= 64);

// SPDX-License-Identifier: GPL-2.0

//! The types behind zerocopy fragments: who owns the memory of a fragment, and until when.
//!
//! A fragment whose netmem carries the txbuf tag points at a slot of a txbuf. The txbuf owns the
//! memory, whatever it is made of: pinned user pages, memory of a kernel service that has no page
//! reference, or pages of the stack. Fragments reference the txbuf and never the pages.
//!
//! Messages of the kernel: the promise of a sender to leave memory alone until it is told.
//!
//! A message is embedded in a structure of its sender. Fragments of its memory point at slots of
//! txbufs, which hold the message by its completion, and so do skbs that were made for it.
//!
//! C headers: [`include/net/txbuf/types.h`](srctree/include/net/txbuf/types.h),
//! [`include/net/txbuf/msg-types.h`](srctree/include/net/txbuf/msg-types.h)

use core::mem::{
    align_of,
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

/// Bits of the state of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum NetTxmsgState {
    /// Some call is sending the message.
    Sending,
    /// The call that is sending the message, or was the last to do so, gave memory of the message
    /// to an skb without copying it.
    InPlace,
    /// Some of the data was copied instead of sent in place.
    Copied,
}

/// A message of the kernel that is sent from where it lies.
#[repr(C)]
pub struct NetTxmsg {
    /// What skbs and txbufs refer to; one reference for whoever initialised the message, until
    /// net_txmsg_put(); one for each txbuf with memory of the message; one for each distinct
    /// skb_shared_info that was made for the message first.
    pub ubuf: bindings::ubuf_info,
    /// Take the memory of the message back, and that of the message itself; called once, after the
    /// last reference is gone; `copied` says that some of the data was copied instead of sent in
    /// place.
    pub release: Option<unsafe extern "C" fn(txm: *mut NetTxmsg, copied: bool)>,
    /// Where `release` is called from, so that it may sleep; or NULL to call it in the context of
    /// whoever drops the last reference.
    pub wq: *mut bindings::workqueue_struct,
    /// Bits of enum net_txmsg_state.
    pub state: crate::ffi::c_ulong,
    /// The call of `release` on `wq`.
    pub work: bindings::work_struct,
}

#[cfg(CONFIG_64BIT)]
const _: () = assert!(offset_of!(NetTxmsg, ubuf) == 0);
#[cfg(CONFIG_64BIT)]
const _: () = assert!(offset_of!(NetTxmsg, release) == 16);
#[cfg(CONFIG_64BIT)]
const _: () = assert!(offset_of!(NetTxmsg, wq) == 24);
#[cfg(CONFIG_64BIT)]
const _: () = assert!(offset_of!(NetTxmsg, state) == 32);
#[cfg(CONFIG_64BIT)]
const _: () = assert!(offset_of!(NetTxmsg, work) == 40);

// C has the last word.
const _: () = assert!(NetTxbufType::Buffered as u32 == bindings::net_txbuf_type_NET_TXBUF_BUFFERED);
const _: () =
    assert!(NetTxbufType::ZcopyUser as u32 == bindings::net_txbuf_type_NET_TXBUF_ZCOPY_USER);
const _: () =
    assert!(NetTxbufType::ZcopyKernel as u32 == bindings::net_txbuf_type_NET_TXBUF_ZCOPY_KERNEL);
const _: () = assert!(NetTxbufType::Pipe as u32 == bindings::net_txbuf_type_NET_TXBUF_PIPE);
const _: () = assert!(net_txbuf_flags::COPIED == bindings::net_txbuf_flags_NET_TXBUF_COPIED);
const _: () = assert!(size_of::<NetTxbufOps>() == size_of::<bindings::net_txbuf_ops>());
const _: () = assert!(align_of::<NetTxbufOps>() == align_of::<bindings::net_txbuf_ops>());
const _: () =
    assert!(offset_of!(NetTxbufOps, release) == offset_of!(bindings::net_txbuf_ops, release));
const _: () = assert!(size_of::<NetTxbuf>() == size_of::<bindings::net_txbuf>());
const _: () = assert!(align_of::<NetTxbuf>() == align_of::<bindings::net_txbuf>());
const _: () = assert!(offset_of!(NetTxbuf, r#ref) == offset_of!(bindings::net_txbuf, ref_));
const _: () = assert!(offset_of!(NetTxbuf, nr_slots) == offset_of!(bindings::net_txbuf, nr_slots));
const _: () =
    assert!(offset_of!(NetTxbuf, max_slots) == offset_of!(bindings::net_txbuf, max_slots));
const _: () = assert!(offset_of!(NetTxbuf, next) == offset_of!(bindings::net_txbuf, next));
const _: () = assert!(offset_of!(NetTxbuf, ubuf) == offset_of!(bindings::net_txbuf, ubuf));
const _: () = assert!(offset_of!(NetTxbuf, ops) == offset_of!(bindings::net_txbuf, ops));
const _: () = assert!(offset_of!(NetTxbuf, r#priv) == offset_of!(bindings::net_txbuf, priv_));
const _: () = assert!(offset_of!(NetTxbuf, r#type) == offset_of!(bindings::net_txbuf, type_));
const _: () = assert!(offset_of!(NetTxbuf, flags) == offset_of!(bindings::net_txbuf, flags));
const _: () = assert!(offset_of!(NetTxbuf, spare) == offset_of!(bindings::net_txbuf, spare));
const _: () = assert!(offset_of!(NetTxbuf, bv) == offset_of!(bindings::net_txbuf, bv));
const _: () = assert!(NetTxmsgState::Sending as u32 == bindings::net_txmsg_state_NET_TXMSG_SENDING);
const _: () =
    assert!(NetTxmsgState::InPlace as u32 == bindings::net_txmsg_state_NET_TXMSG_IN_PLACE);
const _: () = assert!(NetTxmsgState::Copied as u32 == bindings::net_txmsg_state_NET_TXMSG_COPIED);
const _: () = assert!(size_of::<NetTxmsg>() == size_of::<bindings::net_txmsg>());
const _: () = assert!(align_of::<NetTxmsg>() == align_of::<bindings::net_txmsg>());
const _: () = assert!(offset_of!(NetTxmsg, ubuf) == offset_of!(bindings::net_txmsg, ubuf));
const _: () = assert!(offset_of!(NetTxmsg, release) == offset_of!(bindings::net_txmsg, release));
const _: () = assert!(offset_of!(NetTxmsg, wq) == offset_of!(bindings::net_txmsg, wq));
const _: () = assert!(offset_of!(NetTxmsg, state) == offset_of!(bindings::net_txmsg, state));
const _: () = assert!(offset_of!(NetTxmsg, work) == offset_of!(bindings::net_txmsg, work));

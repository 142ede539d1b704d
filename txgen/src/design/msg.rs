// SPDX-License-Identifier: GPL-2.0
//! Messages of the kernel: the promise of a sender to leave memory alone until it is told.
//!
//! A message is embedded in a structure of its sender. Fragments of its memory point at slots of
//! txbufs, which hold the message by its completion, and so do skbs that were made for it.
//!
//! # Rules
//!
//! - M1: The sender neither changes nor frees the memory of a message from the first call that
//!   sends it until `release` is called.
//! - M2: `release` is called exactly once, after the last reference is gone.
//! - M3: Nobody takes or drops a reference on the pages of a message.
//! - M4: One call at a time sends a message; it may be sent again.
//! - M5: Without a workqueue `release` must not sleep, and is called in an RCU read-side critical
//!   section.

// Compiled and read as text, as the file above it. It has its own header, since patches that come
// after those with the txbuf bring it.

use core::ffi::c_ulong;
use core::mem::offset_of;

use super::kernel::{ubuf_info, work_struct, workqueue_struct};

/// Bits of the state of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum net_txmsg_state {
    /// Some call is sending the message.
    NET_TXMSG_SENDING,
    /// The call that is sending the message, or was the last to do so, gave memory of the message
    /// to an skb without copying it.
    NET_TXMSG_IN_PLACE,
    /// Some of the data was copied instead of sent in place.
    NET_TXMSG_COPIED,
}

/// A message of the kernel that is sent from where it lies.
#[derive(Debug)]
#[repr(C)]
pub struct net_txmsg {
    /// What skbs and txbufs refer to; one reference for whoever initialised the message, until
    /// net_txmsg_put(); one for each txbuf with memory of the message; one for each distinct
    /// skb_shared_info that was made for the message first.
    pub ubuf: ubuf_info,
    /// Take the memory of the message back, and that of the message itself; called once, after the
    /// last reference is gone; `copied` says that some of the data was copied instead of sent in
    /// place.
    pub release: Option<unsafe extern "C" fn(txm: *mut net_txmsg, copied: bool)>,
    /// Where `release` is called from, so that it may sleep; or NULL to call it in the context of
    /// whoever drops the last reference.
    pub wq: *mut workqueue_struct,
    /// Bits of enum net_txmsg_state.
    pub state: c_ulong,
    /// The call of `release` on `wq`.
    pub work: work_struct,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(offset_of!(net_txmsg, ubuf) == 0);
#[cfg(target_pointer_width = "64")]
const _: () = assert!(offset_of!(net_txmsg, release) == 16);
#[cfg(target_pointer_width = "64")]
const _: () = assert!(offset_of!(net_txmsg, wq) == 24);
#[cfg(target_pointer_width = "64")]
const _: () = assert!(offset_of!(net_txmsg, state) == 32);
#[cfg(target_pointer_width = "64")]
const _: () = assert!(offset_of!(net_txmsg, work) == 40);

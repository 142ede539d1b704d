// SPDX-License-Identifier: GPL-2.0

//! Messages of the kernel that are sent from where they lie.
//!
//! A [`TxMsg`] owns memory, and gives it to a [`Socket`] without a copy and without a reference on
//! any page. When the network does not need it any more, it goes to the message's [`TxOwner`].
//!
//! C headers: [`include/net/txbuf/msg.h`](srctree/include/net/txbuf/msg.h),
//! [`include/net/txbuf/types.h`](srctree/include/net/txbuf/types.h)

use core::{
    marker::PhantomData,
    ptr::NonNull, //
};

use crate::{
    alloc::Flags,
    bindings,
    module::this_module,
    net::socket::Socket,
    page::{
        Page,
        PAGE_MASK,
        PAGE_SIZE, //
    },
    prelude::*,
    types::Opaque,
    workqueue::Queue, //
};

#[cfg(CONFIG_RUST_NET_TXBUF_KUNIT_TEST)]
mod tests;
pub mod types;

/// The most bytes of a message, which is what one call of `sendmsg()` takes.
const MAX_LEN: usize = i32::MAX as usize & PAGE_MASK;

/// Memory of a message.
///
/// The network reads it at any time until the message is released, and finds its pages by its
/// address. So it has to be in the direct mapping. That of a [`VVec`] is not, and neither is a
/// `static`, as modules are in memory of their own and so is the kernel on many architectures:
/// copy it.
pub enum Segment {
    /// Slab memory.
    Bytes(KVec<u8>),
    /// The first bytes of a page.
    Page(Page, usize),
}

impl Segment {
    fn len(&self) -> usize {
        match self {
            Segment::Bytes(bytes) => bytes.len(),
            Segment::Page(_, len) => *len,
        }
    }

    fn as_bvec(&self) -> Result<bindings::bio_vec> {
        let len = u32::try_from(self.len())?;
        let mut bvec = bindings::bio_vec::default();

        match self {
            // SAFETY: A `KVec` has its memory from kmalloc(), in the direct mapping.
            Segment::Bytes(bytes) => unsafe {
                bindings::bvec_set_virt(&mut bvec, bytes.as_ptr().cast_mut().cast(), len)
            },
            Segment::Page(page, _) => {
                bvec.bv_page = page.as_ptr();
                bvec.bv_len = len;
            }
        }
        Ok(bvec)
    }
}

/// How a message came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Released {
    copied: bool,
}

impl Released {
    /// Whether some of the data was copied instead of sent in place.
    pub fn copied(self) -> bool {
        self.copied
    }
}

/// Who wants to know when the network does not need a message any more.
#[vtable]
pub trait TxOwner: Send + 'static {
    /// Called once, after the last packet with memory of the message is gone.
    ///
    /// The memory is free by then. For a message of [`TxMsg::new`] this is mostly called from a
    /// softirq that frees a packet, and always in an RCU read-side critical section: it must not
    /// sleep, and neither must what it drops. For one of [`TxMsg::new_on`] it is called from the
    /// queue, and may sleep if that runs its work in threads.
    fn released(self, how: Released);
}

/// What does not depend on the owner.
#[repr(C)]
struct Head {
    msg: Opaque<bindings::net_txmsg>,
    /// Whose code `release` is.
    module: *mut bindings::module,
    release: unsafe fn(NonNull<Head>, Released),
}

/// A message in memory of its own.
#[repr(C)]
struct Message<T: TxOwner> {
    head: Head,
    owner: T,
    /// Neither moved nor changed until the message is released.
    segments: KVec<Segment>,
}

/// Takes a message back.
///
/// This is no code of a module, so it may go on after it dropped the reference on the module that
/// kept the code of the owner there.
///
/// # Safety
///
/// Nobody else refers to the message, which is in a [`Head`].
unsafe extern "C" fn release(txm: *mut bindings::net_txmsg, copied: bool) {
    let head = txm.cast::<Head>();
    // SAFETY: The message is the first in its `Head`, which is valid until it is released.
    let (module, release) = unsafe { ((*head).module, (*head).release) };

    // SAFETY: Nobody else refers to it any more, and `release` is the function of its type.
    unsafe { release(NonNull::new_unchecked(head), Released { copied }) };
    // SAFETY: [`TxMsg::new`] took the reference.
    unsafe { bindings::module_put(module) };
}

/// Frees a message and tells its owner.
///
/// # Safety
///
/// `head` is the first in a [`Message<T>`] that came from [`KBox::into_raw`], and nobody else
/// refers to it.
unsafe fn release_to<T: TxOwner>(head: NonNull<Head>, how: Released) {
    // SAFETY: By the requirements of this function.
    let message = unsafe { KBox::from_raw(head.cast::<Message<T>>().as_ptr()) };
    let Message {
        owner, segments, ..
    } = KBox::into_inner(message);

    drop(segments);
    owner.released(how);
}

/// A message that is sent from where it lies.
///
/// Dropping it drops the sender's reference: what was sent of it stays until the network does not
/// need it any more, and then [`TxOwner::released`] is called. So it is where nothing was sent.
///
/// # Invariants
///
/// - `head` is the first in a `Message<T>`, on which `self` has a reference.
/// - `bvecs` describe memory of that message, `len` bytes.
/// - The last `left` of them were not sent yet.
///
/// # Examples
///
/// ```
/// use kernel::net::txbuf::{
///     Released,
///     Segment,
///     TxMsg,
///     TxOwner, //
/// };
///
/// struct Nobody;
///
/// #[vtable]
/// impl TxOwner for Nobody {
///     fn released(self, _how: Released) {}
/// }
///
/// let mut segments = KVec::new();
/// segments.push(Segment::Bytes(KVec::from_elem(1, 100, GFP_KERNEL)?), GFP_KERNEL)?;
/// let message = TxMsg::new(segments, Nobody, GFP_KERNEL)?;
/// assert_eq!(message.left(), 100);
/// # Ok::<(), Error>(())
/// ```
pub struct TxMsg<T: TxOwner> {
    head: NonNull<Head>,
    bvecs: KVec<bindings::bio_vec>,
    len: usize,
    left: usize,
    _owner: PhantomData<T>,
}

// SAFETY: A message belongs to no thread, and neither does its owner.
unsafe impl<T: TxOwner> Send for TxMsg<T> {}

/// The length of a message of `len` bytes with a segment of `more`.
fn longer(len: usize, more: usize) -> Result<usize> {
    len.checked_add(more)
        .filter(|len| *len <= MAX_LEN)
        .ok_or(EMSGSIZE)
}

impl<T: TxOwner> TxMsg<T> {
    /// Makes a message of `segments`, which is released where the last reference is dropped.
    ///
    /// Fails with [`EINVAL`] if there is nothing to send, or more of a page than it has, and with
    /// [`EMSGSIZE`] if it is more than 2 GB; then the owner is not told.
    ///
    /// The module of the owner's type stays until the message is released. Only a module that
    /// fails to load goes away whoever holds it: one that sends messages while it is loaded has
    /// to wait for their release before it fails.
    pub fn new(segments: KVec<Segment>, owner: T, flags: Flags) -> Result<Self> {
        Self::with_queue(None, segments, owner, flags)
    }

    /// Makes a message of `segments`, which is released from `queue`.
    ///
    /// Otherwise it is one of [`TxMsg::new`].
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     net::txbuf::{
    ///         Released,
    ///         Segment,
    ///         TxMsg,
    ///         TxOwner, //
    ///     },
    ///     task::might_sleep,
    ///     workqueue, //
    /// };
    ///
    /// struct Sleeper;
    ///
    /// #[vtable]
    /// impl TxOwner for Sleeper {
    ///     fn released(self, _how: Released) {
    ///         might_sleep();
    ///     }
    /// }
    ///
    /// let mut segments = KVec::new();
    /// segments.push(Segment::Bytes(KVec::from_elem(1, 100, GFP_KERNEL)?), GFP_KERNEL)?;
    /// let _message = TxMsg::new_on(workqueue::system_long(), segments, Sleeper, GFP_KERNEL)?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn new_on(
        queue: &'static Queue,
        segments: KVec<Segment>,
        owner: T,
        flags: Flags,
    ) -> Result<Self> {
        Self::with_queue(Some(queue), segments, owner, flags)
    }

    fn with_queue(
        queue: Option<&'static Queue>,
        segments: KVec<Segment>,
        owner: T,
        flags: Flags,
    ) -> Result<Self> {
        let mut bvecs = KVec::with_capacity(segments.len(), flags)?;
        let mut len = 0;

        for segment in segments.iter() {
            if matches!(segment, Segment::Page(_, bytes) if *bytes > PAGE_SIZE) {
                return Err(EINVAL);
            }
            len = longer(len, segment.len())?;
            // iov_iter passes over no more than one that is empty.
            if segment.len() > 0 {
                bvecs.push_within_capacity(segment.as_bvec()?)?;
            }
        }
        if len == 0 {
            return Err(EINVAL);
        }

        let module = this_module::<T::OwnerModule>();
        let head = Head {
            msg: Opaque::uninit(),
            module: module.as_ptr(),
            release: release_to::<T>,
        };
        let message = KBox::new(
            Message {
                head,
                owner,
                segments,
            },
            flags,
        )?;
        let head = NonNull::from(KBox::leak(message)).cast::<Head>();
        let queue = queue.map_or(core::ptr::null_mut(), Queue::as_raw);

        // SAFETY: The message is new, stays where it is until it is released, and what is
        // called then is of its type. The queue is there for good.
        unsafe { bindings::net_txmsg_init(head.cast().as_ptr(), Some(release), queue) };
        // SAFETY: There is an owner of the module's type, so it is there.
        unsafe { bindings::__module_get(module.as_ptr()) };
        // INVARIANT: net_txmsg_init() gave us the reference, `bvecs` were made of the segments,
        // and nothing was sent yet.
        Ok(Self {
            head,
            bvecs,
            len,
            left: len,
            _owner: PhantomData,
        })
    }

    /// How many bytes were not sent yet.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Sends what was not sent yet, or a part of it; returns how many bytes.
    ///
    /// Waits for room if `wait` is set; otherwise fails with [`EAGAIN`] if there is none. Fails
    /// with [`EINVAL`] if nothing is left, or as `sock_sendmsg()` does. What was not sent can be
    /// sent later, to the same socket or another one.
    ///
    /// No two threads can send a message at once, as that takes a mutable reference, and none can
    /// close the socket meanwhile, as it is borrowed.
    ///
    /// May sleep.
    pub fn send(&mut self, socket: &Socket, wait: bool) -> Result<usize> {
        let mut msg = bindings::msghdr {
            msg_flags: bindings::MSG_NOSIGNAL,
            ..Default::default()
        };
        if !wait {
            msg.msg_flags |= bindings::MSG_DONTWAIT;
        }

        // SAFETY: `bvecs` are valid, have `len` bytes, and stay where they are for the call.
        unsafe {
            bindings::iov_iter_bvec(
                &mut msg.msg_iter,
                bindings::ITER_SOURCE,
                self.bvecs.as_ptr(),
                self.bvecs.len(),
                self.len,
            )
        };
        // SAFETY: It is over all of the message, of which as much was sent as is not left.
        unsafe {
            bindings::iov_iter_advance(&mut msg.msg_iter, self.len.saturating_sub(self.left))
        };
        // SAFETY: By the invariants we have a reference on the message, `msg_iter` is over memory
        // of it, and nobody changes that. By `&mut self` no other call is sending it.
        let sent = unsafe {
            bindings::sock_sendmsg_txmsg(socket.as_raw(), &mut msg, self.head.cast().as_ptr())
        };
        let sent = usize::try_from(sent).map_err(|_| Error::from_errno(sent))?;
        // INVARIANT: These were the next bytes, and no more than were left.
        self.left = self.left.saturating_sub(sent);
        Ok(sent)
    }

    /// Sends all that is left, waiting for room.
    ///
    /// Fails as [`TxMsg::send`] does; what was not sent by then is still left.
    ///
    /// Sleeps.
    pub fn send_all(&mut self, socket: &Socket) -> Result {
        while self.left() > 0 {
            self.send(socket, true)?;
        }
        Ok(())
    }
}

impl<T: TxOwner> Drop for TxMsg<T> {
    fn drop(&mut self) {
        // SAFETY: By the invariant we have a reference, which is not used any more.
        unsafe { bindings::net_txmsg_put(self.head.cast().as_ptr()) };
    }
}

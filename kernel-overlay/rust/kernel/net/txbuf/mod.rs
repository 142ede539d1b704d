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
        PAGE_SIZE, //
    },
    prelude::*,
    types::Opaque, //
};

pub mod types;

/// Memory of a message.
///
/// The network reads it at any time until the message is released.
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

    fn as_bvec(&self) -> bindings::bio_vec {
        let mut bvec = bindings::bio_vec::default();

        match self {
            // SAFETY: A `KVec` has its memory from kmalloc(), in the direct mapping.
            Segment::Bytes(bytes) => unsafe {
                bindings::bvec_set_virt(
                    &mut bvec,
                    bytes.as_ptr().cast_mut().cast(),
                    bytes.len() as u32,
                )
            },
            Segment::Page(page, len) => {
                bvec.bv_page = page.as_ptr();
                bvec.bv_len = *len as u32;
            }
        }
        bvec
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
    /// The memory is free by then. This is mostly called from a softirq that frees a packet, so
    /// it must not sleep, and neither must what it drops.
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
/// `head` is the first in a [`Message<T>`], on which `self` has a reference. `bvecs` are its
/// segments, and have `len` bytes, of which `sent` were sent.
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
    sent: usize,
    _owner: PhantomData<T>,
}

// SAFETY: A message belongs to no thread, and neither does its owner.
unsafe impl<T: TxOwner> Send for TxMsg<T> {}

impl<T: TxOwner> TxMsg<T> {
    /// Makes a message of `segments`.
    ///
    /// The module of the owner's type stays until the message is released. Fails with [`EINVAL`]
    /// if there is nothing to send, or more of a page than it has, and with [`EMSGSIZE`] if a
    /// segment is too large; then the owner is not told.
    pub fn new(segments: KVec<Segment>, owner: T, flags: Flags) -> Result<Self> {
        let mut bvecs = KVec::with_capacity(segments.len(), flags)?;
        let mut len = 0usize;

        for segment in segments.iter() {
            if matches!(segment, Segment::Page(_, bytes) if *bytes > PAGE_SIZE) {
                return Err(EINVAL);
            }
            if segment.len() > i32::MAX as usize {
                return Err(EMSGSIZE);
            }
            len = len.checked_add(segment.len()).ok_or(EMSGSIZE)?;
            // iov_iter passes over no more than one that is empty.
            if segment.len() > 0 {
                bvecs.push(segment.as_bvec(), flags)?;
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

        // SAFETY: The message is new, stays where it is until it is released, and what is
        // called then is of its type.
        unsafe {
            bindings::net_txmsg_init(head.cast().as_ptr(), Some(release), core::ptr::null_mut())
        };
        // SAFETY: There is an owner of the module's type, so it is there.
        unsafe { bindings::__module_get(module.as_ptr()) };
        // INVARIANT: net_txmsg_init() gave us the reference.
        Ok(Self {
            head,
            bvecs,
            len,
            sent: 0,
            _owner: PhantomData,
        })
    }

    /// How many bytes were not sent yet.
    pub fn left(&self) -> usize {
        self.len - self.sent
    }

    /// Sends what was not sent yet, or a part of it; returns how many bytes.
    ///
    /// Waits for room if `wait` is set; otherwise fails with [`EAGAIN`] if there is none. Fails
    /// with [`EINVAL`] if nothing is left, with [`EMSGSIZE`] if it is more than a socket takes at
    /// once, or as `sock_sendmsg()` does. What was not sent can be sent later.
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

        // SAFETY: `bvecs` are valid, and stay where they are for the call.
        unsafe {
            bindings::iov_iter_bvec(
                &mut msg.msg_iter,
                bindings::ITER_SOURCE,
                self.bvecs.as_ptr(),
                self.bvecs.len(),
                self.len,
            );
            bindings::iov_iter_advance(&mut msg.msg_iter, self.sent);
        }
        // SAFETY: We have a reference on the message, whose memory nobody changes. By `&mut self`
        // no other call is sending it.
        let sent = unsafe {
            bindings::sock_sendmsg_txmsg(socket.as_raw(), &mut msg, self.head.cast().as_ptr())
        };
        if sent < 0 {
            return Err(Error::from_errno(sent));
        }
        self.sent += sent as usize;
        Ok(sent as usize)
    }

    /// Sends all that is left, waiting for room.
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

#[macros::kunit_tests(rust_net_txbuf)]
mod tests {
    use super::*;
    use crate::{
        error::to_result,
        net::socket::Kind,
        sync::{
            atomic::{
                Atomic,
                Relaxed, //
            },
            Arc,
            Completion, //
        },
    };
    use core::net::{
        Ipv4Addr,
        SocketAddrV4, //
    };

    #[pin_data]
    struct Done {
        times: Atomic<i32>,
        #[pin]
        completion: Completion,
    }

    impl Done {
        fn new() -> Result<Arc<Self>> {
            Arc::pin_init(
                pin_init!(Done {
                    times: Atomic::new(0),
                    completion <- Completion::new(),
                }),
                GFP_KERNEL,
            )
        }
    }

    struct Owner(Arc<Done>);

    #[vtable]
    impl TxOwner for Owner {
        fn released(self, _how: Released) {
            self.0.times.fetch_add(1, Relaxed);
            self.0.completion.complete_all();
        }
    }

    /// Drops another message when it is released.
    struct Nested(#[expect(dead_code)] TxMsg<Owner>);

    #[vtable]
    impl TxOwner for Nested {
        fn released(self, _how: Released) {}
    }

    fn bytes(from: u8, len: usize) -> Result<Segment> {
        let mut bytes = KVec::with_capacity(len, GFP_KERNEL)?;
        for i in 0..len {
            bytes.push(from.wrapping_add(i as u8), GFP_KERNEL)?;
        }
        Ok(Segment::Bytes(bytes))
    }

    fn one(segment: Segment) -> Result<KVec<Segment>> {
        let mut segments = KVec::new();
        segments.push(segment, GFP_KERNEL)?;
        Ok(segments)
    }

    /// The loopback device is down when tests run at boot.
    fn raise_loopback() -> Result {
        // SAFETY: Each namespace has a loopback device for as long as it is there, and the lock is
        // what changing its flags takes.
        to_result(unsafe {
            bindings::rtnl_lock();
            let dev = bindings::init_net.loopback_dev;
            let flags = bindings::netif_get_flags(dev) | bindings::net_device_flags_IFF_UP;
            let ret = bindings::dev_change_flags(dev, flags, core::ptr::null_mut());
            bindings::rtnl_unlock();
            ret
        })
    }

    fn pair() -> Result<(Socket, Socket)> {
        raise_loopback()?;
        let listener = Socket::new(Kind::Stream)?;
        listener.bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
        listener.listen(1)?;
        let from = Socket::new(Kind::Stream)?;
        from.connect(listener.local_address()?)?;
        let to = listener.accept()?;
        Ok((from, to))
    }

    #[test]
    fn a_message_arrives_whole_and_is_released_once() -> Result {
        let (from, to) = pair()?;
        let done = Done::new()?;
        let page = Page::alloc_page(GFP_KERNEL | __GFP_ZERO)?;
        let mut segments = one(bytes(7, 100)?)?;
        segments.push(Segment::Page(page, PAGE_SIZE), GFP_KERNEL)?;
        segments.push(bytes(9, 3000)?, GFP_KERNEL)?;
        let mut message = TxMsg::new(segments, Owner(done.clone()), GFP_KERNEL)?;

        message.send_all(&from)?;
        assert_eq!(message.left(), 0);
        drop(message);

        let total = 100 + PAGE_SIZE + 3000;
        let mut got = KVec::from_elem(0u8, total, GFP_KERNEL)?;
        let mut len = 0;
        while len < total {
            let part = to.receive(&mut got[len..])?;
            assert!(part > 0);
            len += part;
        }
        for (i, byte) in got.iter().enumerate() {
            let expected = match i {
                0..100 => 7u8.wrapping_add(i as u8),
                i if i < 100 + PAGE_SIZE => 0,
                i => 9u8.wrapping_add((i - 100 - PAGE_SIZE) as u8),
            };
            assert_eq!(*byte, expected);
        }
        done.completion.wait_for_completion();
        assert_eq!(done.times.load(Relaxed), 1);
        Ok(())
    }

    #[test]
    fn a_message_that_is_not_sent_is_released_when_it_is_dropped() -> Result {
        let done = Done::new()?;
        let message = TxMsg::new(one(bytes(0, 1)?)?, Owner(done.clone()), GFP_KERNEL)?;
        assert_eq!(done.times.load(Relaxed), 0);
        drop(message);
        assert_eq!(done.times.load(Relaxed), 1);
        Ok(())
    }

    #[test]
    fn a_message_may_be_dropped_where_another_is_released() -> Result {
        let done = Done::new()?;
        let inner = TxMsg::new(one(bytes(0, 1)?)?, Owner(done.clone()), GFP_KERNEL)?;
        let outer = TxMsg::new(one(bytes(0, 1)?)?, Nested(inner), GFP_KERNEL)?;
        assert_eq!(done.times.load(Relaxed), 0);
        drop(outer);
        assert_eq!(done.times.load(Relaxed), 1);
        Ok(())
    }

    #[test]
    fn a_message_of_nothing_is_refused_and_its_owner_is_not_told() -> Result {
        let done = Done::new()?;
        let new = |segments| TxMsg::new(segments, Owner(done.clone()), GFP_KERNEL);
        let page = Page::alloc_page(GFP_KERNEL)?;

        assert_eq!(new(KVec::new()).err(), Some(EINVAL));
        assert_eq!(new(one(Segment::Bytes(KVec::new()))?).err(), Some(EINVAL));
        assert_eq!(
            new(one(Segment::Page(page, PAGE_SIZE + 1))?).err(),
            Some(EINVAL)
        );
        assert_eq!(done.times.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn each_of_many_messages_is_released_after_it_arrived() -> Result {
        let (from, to) = pair()?;
        let mut got = KVec::from_elem(0u8, 32 + PAGE_SIZE, GFP_KERNEL)?;

        for round in 0..10_000u32 {
            let done = Done::new()?;
            let page = Page::alloc_page(GFP_KERNEL | __GFP_ZERO)?;
            let mut segments = one(bytes(round as u8, 32)?)?;
            segments.push(Segment::Page(page, PAGE_SIZE), GFP_KERNEL)?;
            let mut message = TxMsg::new(segments, Owner(done.clone()), GFP_KERNEL)?;
            message.send_all(&from)?;
            assert_eq!(done.times.load(Relaxed), 0);
            drop(message);

            let mut len = 0;
            while len < got.len() {
                let part = to.receive(&mut got[len..])?;
                assert!(part > 0);
                len += part;
            }
            assert_eq!(got[0], round as u8);
            assert_eq!(got[31], (round as u8).wrapping_add(31));
            assert!(got[32..].iter().all(|byte| *byte == 0));
            done.completion.wait_for_completion();
            assert_eq!(done.times.load(Relaxed), 1);
        }
        Ok(())
    }

    #[test]
    fn what_a_full_socket_does_not_take_is_sent_later() -> Result {
        let (from, to) = pair()?;
        let done = Done::new()?;
        let mut segments = KVec::new();
        for i in 0..64 {
            segments.push(bytes(i, 65536)?, GFP_KERNEL)?;
        }
        let mut message = TxMsg::new(segments, Owner(done.clone()), GFP_KERNEL)?;
        let mut got = KVec::from_elem(0u8, 65536, GFP_KERNEL)?;
        let (mut len, mut full) = (0, 0);

        while len < 64 * 65536 {
            if message.left() > 0 {
                match message.send(&from, false) {
                    Ok(_) => continue,
                    Err(error) => assert_eq!(error, EAGAIN),
                }
                full += 1;
            }
            let part = to.receive(&mut got)?;
            assert!(part > 0);
            for byte in &got[..part] {
                let expected = ((len / 65536) as u8).wrapping_add((len % 65536) as u8);
                assert_eq!(*byte, expected);
                len += 1;
            }
        }
        assert!(full > 0);
        assert_eq!(message.send(&from, false), Err(EINVAL));
        assert_eq!(done.times.load(Relaxed), 0);
        drop(message);
        done.completion.wait_for_completion();
        assert_eq!(done.times.load(Relaxed), 1);
        Ok(())
    }
}

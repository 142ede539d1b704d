// SPDX-License-Identifier: GPL-2.0

//! Sockets of the kernel, as far as those need them who send messages.
//!
//! C header: [`include/linux/net.h`](srctree/include/linux/net.h)

use core::{
    net::{
        Ipv4Addr,
        SocketAddrV4, //
    },
    ptr::NonNull,
};

use crate::{
    bindings,
    error::to_result,
    prelude::*, //
};

/// What a [`Socket`] speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// TCP over IPv4.
    Stream,
    /// UDP over IPv4.
    Datagram,
}

/// An IPv4 socket of the kernel in the initial network namespace.
///
/// It holds its namespace, as a socket of user space does: what is queued when it is closed is
/// sent, and acknowledged or given up.
///
/// # Invariants
///
/// `socket` is valid until [`Drop`] releases it, and nobody else releases it.
///
/// # Examples
///
/// ```
/// use core::net::{
///     Ipv4Addr,
///     SocketAddrV4, //
/// };
/// use kernel::net::socket::{
///     Kind,
///     Socket, //
/// };
///
/// let socket = Socket::new(Kind::Datagram)?;
/// socket.bind(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0))?;
/// assert_ne!(socket.local_address()?.port(), 0);
/// # Ok::<(), Error>(())
/// ```
pub struct Socket {
    socket: NonNull<bindings::socket>,
}

// SAFETY: A socket belongs to no thread.
unsafe impl Send for Socket {}

// SAFETY: The functions of a socket lock it.
unsafe impl Sync for Socket {}

fn to_raw(address: SocketAddrV4) -> bindings::sockaddr_in {
    bindings::sockaddr_in {
        sin_family: bindings::AF_INET as u16,
        sin_port: address.port().to_be(),
        sin_addr: bindings::in_addr {
            s_addr: u32::from_ne_bytes(address.ip().octets()),
        },
        ..Default::default()
    }
}

fn from_raw(address: &bindings::sockaddr_in) -> SocketAddrV4 {
    let ip = Ipv4Addr::from(address.sin_addr.s_addr.to_ne_bytes());
    SocketAddrV4::new(ip, u16::from_be(address.sin_port))
}

impl Socket {
    /// Creates a socket.
    ///
    /// May sleep.
    pub fn new(kind: Kind) -> Result<Self> {
        let (kind, protocol) = match kind {
            Kind::Stream => (bindings::sock_type_SOCK_STREAM, bindings::IPPROTO_TCP),
            Kind::Datagram => (bindings::sock_type_SOCK_DGRAM, bindings::IPPROTO_UDP),
        };
        let mut socket = core::ptr::null_mut();

        // SAFETY: The initial namespace is always there, and `socket` may be written to.
        to_result(unsafe {
            bindings::sock_create_kern(
                &raw mut bindings::init_net,
                bindings::AF_INET as i32,
                kind as i32,
                protocol as i32,
                &mut socket,
            )
        })?;
        // INVARIANT: Nobody else knows of the new socket.
        let socket = Self {
            socket: NonNull::new(socket).ok_or(ENOMEM)?,
        };
        // SAFETY: The socket is new, and has a `struct sock` of the initial namespace.
        unsafe { bindings::sk_net_refcnt_upgrade((*socket.as_raw()).sk) };
        Ok(socket)
    }

    /// The socket itself; valid as long as `self` is.
    pub(super) fn as_raw(&self) -> *mut bindings::socket {
        self.socket.as_ptr()
    }

    /// Gives the socket a local address.
    pub fn bind(&self, address: SocketAddrV4) -> Result {
        let mut raw = to_raw(address);
        let len = size_of_val(&raw);

        // SAFETY: The socket is valid, and the address is of that length.
        to_result(unsafe {
            bindings::kernel_bind(self.as_raw(), (&raw mut raw).cast(), len as i32)
        })
    }

    /// The local address.
    pub fn local_address(&self) -> Result<SocketAddrV4> {
        // Room for an address of any family.
        let mut raw = bindings::__kernel_sockaddr_storage::default();

        // SAFETY: The socket is valid, and any address fits.
        let len = unsafe { bindings::kernel_getsockname(self.as_raw(), (&raw mut raw).cast()) };
        if len < 0 {
            return Err(Error::from_errno(len));
        }
        // SAFETY: An IPv4 socket has written a `sockaddr_in`, which has no invalid values.
        Ok(from_raw(unsafe { &*(&raw const raw).cast() }))
    }

    /// Lets others connect to it.
    pub fn listen(&self, backlog: u16) -> Result {
        // SAFETY: The socket is valid.
        to_result(unsafe { bindings::kernel_listen(self.as_raw(), backlog.into()) })
    }

    /// Waits for the next one who connects.
    ///
    /// Sleeps.
    pub fn accept(&self) -> Result<Self> {
        let mut socket = core::ptr::null_mut();

        // SAFETY: The socket is valid, and `socket` may be written to.
        to_result(unsafe { bindings::kernel_accept(self.as_raw(), &mut socket, 0) })?;
        // INVARIANT: Nobody else knows of the new socket.
        Ok(Self {
            socket: NonNull::new(socket).ok_or(ENOMEM)?,
        })
    }

    /// Connects to `address`.
    ///
    /// Sleeps.
    pub fn connect(&self, address: SocketAddrV4) -> Result {
        let mut raw = to_raw(address);
        let len = size_of_val(&raw);

        // SAFETY: The socket is valid, and the address is of that length.
        to_result(unsafe {
            bindings::kernel_connect(self.as_raw(), (&raw mut raw).cast(), len as i32, 0)
        })
    }

    /// Waits for data; returns how many bytes of `to` were filled, 0 at the end of a stream.
    ///
    /// Sleeps.
    pub fn receive(&self, to: &mut [u8]) -> Result<usize> {
        let mut msg = bindings::msghdr::default();
        let mut kvec = bindings::kvec {
            iov_base: to.as_mut_ptr().cast(),
            iov_len: to.len(),
        };

        // SAFETY: The socket is valid, and `kvec` describes memory that may be written to.
        let got =
            unsafe { bindings::kernel_recvmsg(self.as_raw(), &mut msg, &mut kvec, 1, to.len(), 0) };
        if got < 0 {
            return Err(Error::from_errno(got));
        }
        Ok(got as usize)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: By the invariant, it is valid and nobody else releases it.
        unsafe { bindings::sock_release(self.as_raw()) };
    }
}

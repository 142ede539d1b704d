// SPDX-License-Identifier: GPL-2.0

//! Rust sample that sends messages of the kernel from where they lie.
//!
//! A message has a header from slab and a payload in a page. It goes over a TCP connection on the
//! loopback device. The module receives what it sends, compares it, and waits until the owner of
//! each message is told that it is not needed any more; or it leaves the messages with somebody
//! else, and stays until the last of them is released.

use core::net::{
    Ipv4Addr,
    SocketAddrV4, //
};

use kernel::{
    kvec,
    net::{
        socket::{
            Kind,
            Socket, //
        },
        txbuf::{
            Released,
            Segment,
            TxMsg,
            TxOwner, //
        },
    },
    page::{
        Page,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Completion, //
    },
};

module! {
    type: RustTxbuf,
    name: "rust_txbuf",
    authors: ["Rust for Linux Contributors"],
    description: "Rust sample that sends messages from where they lie",
    license: "GPL",
    params: {
        rounds: u32 {
            default: 100,
            description: "How many messages to send",
        },
        port: u16 {
            default: 0,
            description: "Who listens to this TCP port of 127.0.0.1 gets the messages",
        },
    },
}

const HEADER: usize = 32;

/// Messages that were released.
type Count = Arc<Atomic<u32>>;

#[pin_data]
struct Done {
    #[pin]
    completion: Completion,
}

impl Done {
    fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Done {
                completion <- Completion::new(),
            }),
            GFP_KERNEL,
        )
    }
}

struct Owner {
    count: Count,
    done: Arc<Done>,
}

#[vtable]
impl TxOwner for Owner {
    fn released(self, _how: Released) {
        self.count.fetch_add(1, Relaxed);
        self.done.completion.complete_all();
    }
}

struct RustTxbuf {
    count: Count,
}

fn connection() -> Result<(Socket, Socket)> {
    let listener = Socket::new(Kind::Stream)?;
    listener.bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
    listener.listen(1)?;
    let from = Socket::new(Kind::Stream)?;
    from.connect(listener.local_address()?)?;
    let to = listener.accept()?;
    Ok((from, to))
}

/// Message `number`.
fn message(number: u32, owner: Owner) -> Result<TxMsg<Owner>> {
    let header = KVec::from_elem(number as u8, HEADER, GFP_KERNEL)?;
    let page = Page::alloc_page(GFP_KERNEL)?;
    let payload = KVec::from_elem(!number as u8, PAGE_SIZE, GFP_KERNEL)?;
    // SAFETY: `payload` is as large as the page, which nobody else knows.
    unsafe { page.write_raw(payload.as_ptr(), 0, PAGE_SIZE)? };

    let segments = kvec![Segment::Bytes(header), Segment::Page(page, PAGE_SIZE)]?;
    TxMsg::new(segments, owner, GFP_KERNEL)
}

/// Receives as many bytes as `got` has.
fn receive(from: &Socket, mut got: &mut [u8]) -> Result {
    while !got.is_empty() {
        match from.receive(got)? {
            0 => return Err(EPIPE),
            part => got = got.get_mut(part..).ok_or(EIO)?,
        }
    }
    Ok(())
}

/// Whether message `number` looks like this.
fn is_message(number: u32, header: &[u8], payload: &[u8]) -> bool {
    header.iter().all(|byte| *byte == number as u8)
        && payload.iter().all(|byte| *byte == !number as u8)
}

/// Sends message `number` and receives it.
fn exchange(mut message: TxMsg<Owner>, number: u32, from: &Socket, to: &Socket) -> Result {
    message.send_all(from)?;
    drop(message);

    let mut header = KVec::from_elem(0u8, HEADER, GFP_KERNEL)?;
    let mut payload = KVec::from_elem(0u8, PAGE_SIZE, GFP_KERNEL)?;
    receive(to, &mut header)?;
    receive(to, &mut payload)?;
    if !is_message(number, &header, &payload) {
        pr_err!("message {} arrived with other bytes\n", number);
        return Err(EBADMSG);
    }
    Ok(())
}

/// Sends messages and receives them; returns when all are released.
fn send_to_itself(rounds: u32, count: &Count) -> Result {
    let (from, to) = connection()?;

    for number in 0..rounds {
        let done = Done::new()?;
        let owner = Owner {
            count: count.clone(),
            done: done.clone(),
        };
        let message = message(number, owner)?;

        if let Err(error) = exchange(message, number, &from, &to) {
            // The module goes without asking who holds it, so nothing of the message may stay.
            drop((from, to));
            done.completion.wait_for_completion();
            return Err(error);
        }
        done.completion.wait_for_completion();
    }
    pr_info!("{} messages arrived and were released\n", rounds);
    Ok(())
}

/// Sends messages to whoever listens to `port`, and does not wait for anything.
fn send_to(port: u16, rounds: u32, count: &Count) -> Result {
    let socket = Socket::new(Kind::Stream)?;
    socket.connect(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;

    for number in 0..rounds {
        let send = || {
            let owner = Owner {
                count: count.clone(),
                done: Done::new()?,
            };
            message(number, owner)?.send_all(&socket)
        };
        // With messages on their way the module may not fail.
        if let Err(error) = send() {
            pr_err!("message {} was not sent: {:?}\n", number, error);
            break;
        }
    }
    Ok(())
}

impl kernel::Module for RustTxbuf {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let rounds = module_parameters::rounds.value();
        let count = Arc::new(Atomic::new(0), GFP_KERNEL)?;

        match module_parameters::port.value() {
            0 => send_to_itself(rounds, &count)?,
            port => send_to(port, rounds, &count)?,
        }
        Ok(RustTxbuf { count })
    }
}

impl Drop for RustTxbuf {
    fn drop(&mut self) {
        pr_info!("{} messages were released\n", self.count.load(Relaxed));
    }
}

// SPDX-License-Identifier: GPL-2.0

//! Rust sample that sends messages of the kernel from where they lie.
//!
//! A message has a header from slab and a payload in a page. It goes over a TCP connection on the
//! loopback device, what arrives is compared, and its owner has to be told when it is not needed
//! any more. The module stays until the last of its messages is released.

use core::net::{
    Ipv4Addr,
    SocketAddrV4, //
};

use kernel::{
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
    },
}

const HEADER: usize = 32;

#[pin_data]
struct Done {
    #[pin]
    completion: Completion,
}

struct Owner(Arc<Done>);

#[vtable]
impl TxOwner for Owner {
    fn released(self, _how: Released) {
        self.0.completion.complete_all();
    }
}

struct RustTxbuf;

fn connection() -> Result<(Socket, Socket)> {
    let listener = Socket::new(Kind::Stream)?;
    listener.bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
    listener.listen(1)?;
    let from = Socket::new(Kind::Stream)?;
    from.connect(listener.local_address()?)?;
    let to = listener.accept()?;
    Ok((from, to))
}

/// Sends message `number`; returns once its owner was told.
fn send(from: &Socket, to: &Socket, number: u32, got: &mut [u8]) -> Result {
    let done = Arc::pin_init(
        pin_init!(Done {
            completion <- Completion::new(),
        }),
        GFP_KERNEL,
    )?;
    let header = KVec::from_elem(number as u8, HEADER, GFP_KERNEL)?;
    let page = Page::alloc_page(GFP_KERNEL)?;
    let payload = KVec::from_elem(!number as u8, PAGE_SIZE, GFP_KERNEL)?;
    // SAFETY: `payload` is as large as the page, which nobody else knows.
    unsafe { page.write_raw(payload.as_ptr(), 0, PAGE_SIZE)? };

    let mut segments = KVec::with_capacity(2, GFP_KERNEL)?;
    segments.push(Segment::Bytes(header), GFP_KERNEL)?;
    segments.push(Segment::Page(page, PAGE_SIZE), GFP_KERNEL)?;
    let mut message = TxMsg::new(segments, Owner(done.clone()), GFP_KERNEL)?;
    message.send_all(from)?;
    drop(message);

    let mut len = 0;
    while len < HEADER + PAGE_SIZE {
        match to.receive(&mut got[len..])? {
            0 => return Err(EPIPE),
            part => len += part,
        }
    }
    let (header, payload) = got.split_at(HEADER);
    if header.iter().any(|byte| *byte != number as u8)
        || payload.iter().any(|byte| *byte != !number as u8)
    {
        pr_err!("message {} arrived with other bytes\n", number);
        return Err(EBADMSG);
    }
    done.completion.wait_for_completion();
    Ok(())
}

impl kernel::Module for RustTxbuf {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let rounds = module_parameters::rounds.value();
        let (from, to) = connection()?;
        let mut got = KVec::from_elem(0u8, HEADER + PAGE_SIZE, GFP_KERNEL)?;

        for number in 0..rounds {
            send(&from, &to, number, &mut got)?;
        }
        pr_info!("{} messages arrived and were released\n", rounds);
        Ok(RustTxbuf)
    }
}

// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of messages.

#[macros::kunit_tests(rust_net_txbuf)]
mod cases {
    use crate::{
        error::to_result,
        net::{
            socket::Kind,
            txbuf::*, //
        },
        sync::{
            atomic::{
                Atomic,
                Relaxed, //
            },
            rcu,
            Arc,
            Completion, //
        },
        task::might_sleep,
        time::{
            delay::fsleep,
            Delta, //
        },
        workqueue,
    };
    use core::net::{
        Ipv4Addr,
        SocketAddrV4, //
    };

    /// The end of a message, or of something else that may come to it in another thread.
    #[pin_data]
    struct Done {
        times: Atomic<i32>,
        copied: Atomic<i32>,
        error: Atomic<i32>,
        #[pin]
        completion: Completion,
    }

    impl Done {
        fn new() -> Result<Arc<Self>> {
            Arc::pin_init(
                pin_init!(Done {
                    times: Atomic::new(0),
                    copied: Atomic::new(0),
                    error: Atomic::new(0),
                    completion <- Completion::new(),
                }),
                GFP_KERNEL,
            )
        }

        fn times(&self) -> i32 {
            self.times.load(Relaxed)
        }

        fn released(&self, how: Released) {
            self.times.fetch_add(1, Relaxed);
            self.copied.fetch_add(i32::from(how.copied()), Relaxed);
            self.completion.complete_all();
        }

        fn ended(&self, how: Result) {
            self.error.store(errno(how), Relaxed);
            self.completion.complete_all();
        }

        fn wait(&self) {
            self.completion.wait_for_completion();
        }
    }

    struct Owner(Arc<Done>);

    #[vtable]
    impl TxOwner for Owner {
        fn released(self, how: Released) {
            self.0.released(how);
        }
    }

    /// Drops another message when it is released.
    struct Nested(#[expect(dead_code)] TxMsg<Owner>);

    #[vtable]
    impl TxOwner for Nested {
        fn released(self, _how: Released) {}
    }

    /// Sleeps when it is released.
    struct Sleeper(Arc<Done>);

    #[vtable]
    impl TxOwner for Sleeper {
        fn released(self, how: Released) {
            might_sleep();
            fsleep(Delta::from_millis(2));
            self.0.released(how);
        }
    }

    /// Sends another message when it is released.
    struct Again {
        next: TxMsg<Owner>,
        to: Socket,
        sent: Arc<Done>,
    }

    #[vtable]
    impl TxOwner for Again {
        fn released(mut self, _how: Released) {
            self.sent.ended(self.next.send_all(&self.to));
        }
    }

    fn errno(how: Result) -> i32 {
        how.err().map_or(0, Error::to_errno)
    }

    /// Whether the other end of a connection is, for an error of a sender.
    fn is_gone(errno: i32) -> bool {
        [EPIPE, ECONNRESET].iter().any(|e| e.to_errno() == errno)
    }

    /// Bytes that count up from `from`.
    fn bytes(from: u8, len: usize) -> Result<Segment> {
        let mut bytes = KVec::with_capacity(len, GFP_KERNEL)?;
        for i in 0..len {
            bytes.push(from.wrapping_add(i as u8), GFP_KERNEL)?;
        }
        Ok(Segment::Bytes(bytes))
    }

    fn zeroes() -> Result<Segment> {
        let page = Page::alloc_page(GFP_KERNEL | __GFP_ZERO)?;
        Ok(Segment::Page(page, PAGE_SIZE))
    }

    fn one(segment: Segment) -> Result<KVec<Segment>> {
        let mut segments = KVec::new();
        segments.push(segment, GFP_KERNEL)?;
        Ok(segments)
    }

    const PART: usize = 65536;
    const PARTS: usize = 64;

    /// More than a socket takes before anybody receives of it.
    fn many() -> Result<KVec<Segment>> {
        let mut segments = KVec::new();
        for i in 0..PARTS {
            segments.push(bytes(i as u8, PART)?, GFP_KERNEL)?;
        }
        Ok(segments)
    }

    /// Byte `at` of [`many()`].
    fn byte_of_many(at: usize) -> u8 {
        ((at / PART) as u8).wrapping_add((at % PART) as u8)
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

    fn datagram_pair() -> Result<(Socket, Socket)> {
        raise_loopback()?;
        let to = Socket::new(Kind::Datagram)?;
        to.bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
        let from = Socket::new(Kind::Datagram)?;
        from.connect(to.local_address()?)?;
        Ok((from, to))
    }

    /// Receives the next `len` bytes.
    fn receive(from: &Socket, len: usize) -> Result<KVec<u8>> {
        let mut got = KVec::from_elem(0u8, len, GFP_KERNEL)?;
        let mut done = 0;
        while done < len {
            match from.receive(&mut got[done..])? {
                0 => return Err(EPIPE),
                part => done += part,
            }
        }
        Ok(got)
    }

    fn counts_up(bytes: &[u8], from: u8) -> bool {
        let mut expected = from;
        bytes.iter().all(|byte| {
            let same = *byte == expected;
            expected = expected.wrapping_add(1);
            same
        })
    }

    /// Receives all of [`many()`]; whether it is that.
    fn receive_many(from: &Socket) -> Result<bool> {
        for part in 0..PARTS {
            if !counts_up(&receive(from, PART)?, part as u8) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    #[test]
    fn a_message_arrives_whole_and_is_released_once() -> Result {
        let (from, to) = pair()?;
        let done = Done::new()?;
        let mut segments = one(bytes(7, 100)?)?;
        segments.push(zeroes()?, GFP_KERNEL)?;
        segments.push(bytes(9, 3000)?, GFP_KERNEL)?;
        let mut message = TxMsg::new(segments, Owner(done.clone()), GFP_KERNEL)?;

        message.send_all(&from)?;
        assert_eq!(message.left(), 0);
        drop(message);

        assert!(counts_up(&receive(&to, 100)?, 7));
        assert!(receive(&to, PAGE_SIZE)?.iter().all(|byte| *byte == 0));
        assert!(counts_up(&receive(&to, 3000)?, 9));
        done.wait();
        assert_eq!(done.times(), 1);
        // What comes over the loopback device is copied when it is received.
        assert_eq!(done.copied.load(Relaxed), 1);
        Ok(())
    }

    #[test]
    fn each_of_many_messages_is_released_after_it_arrived() -> Result {
        let (from, to) = pair()?;

        for round in 0..10_000u32 {
            let done = Done::new()?;
            let mut segments = one(bytes(round as u8, 32)?)?;
            segments.push(zeroes()?, GFP_KERNEL)?;
            let mut message = TxMsg::new(segments, Owner(done.clone()), GFP_KERNEL)?;
            message.send_all(&from)?;
            assert_eq!(done.times(), 0);
            drop(message);

            let got = receive(&to, 32 + PAGE_SIZE)?;
            assert!(counts_up(&got[..32], round as u8));
            assert!(got[32..].iter().all(|byte| *byte == 0));
            done.wait();
            assert_eq!(done.times(), 1);
        }
        Ok(())
    }

    #[test]
    fn a_datagram_arrives_whole_and_is_released_once() -> Result {
        let (from, to) = datagram_pair()?;
        let done = Done::new()?;
        let mut segments = one(bytes(7, 100)?)?;
        segments.push(zeroes()?, GFP_KERNEL)?;
        let mut message = TxMsg::new(segments, Owner(done.clone()), GFP_KERNEL)?;

        message.send_all(&from)?;
        drop(message);
        let mut got = KVec::from_elem(0u8, 2 * PAGE_SIZE, GFP_KERNEL)?;
        assert_eq!(to.receive(&mut got)?, 100 + PAGE_SIZE);
        assert!(counts_up(&got[..100], 7));
        assert!(got[100..].iter().all(|byte| *byte == 0));
        done.wait();
        assert_eq!(done.times(), 1);
        // What comes over the loopback device is copied when it is received.
        assert_eq!(done.copied.load(Relaxed), 1);
        Ok(())
    }

    #[test]
    fn a_datagram_of_more_pieces_than_an_skb_has_is_copied() -> Result {
        let (from, to) = datagram_pair()?;
        let done = Done::new()?;
        let mut segments = KVec::new();
        for i in 0..40usize {
            segments.push(bytes((i * 10) as u8, 10)?, GFP_KERNEL)?;
        }
        let mut message = TxMsg::new(segments, Owner(done.clone()), GFP_KERNEL)?;

        message.send_all(&from)?;
        drop(message);
        done.wait();
        assert_eq!(done.copied.load(Relaxed), 1);
        let mut got = KVec::from_elem(0u8, PAGE_SIZE, GFP_KERNEL)?;
        assert_eq!(to.receive(&mut got)?, 400);
        assert!(counts_up(&got[..400], 0));
        Ok(())
    }

    #[test]
    fn a_message_that_is_not_sent_is_released_when_it_is_dropped() -> Result {
        let done = Done::new()?;
        let message = TxMsg::new(one(bytes(0, 1)?)?, Owner(done.clone()), GFP_KERNEL)?;

        assert_eq!(done.times(), 0);
        drop(message);
        assert_eq!(done.times(), 1);
        assert_eq!(done.copied.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn a_message_may_be_dropped_where_another_is_released() -> Result {
        let done = Done::new()?;
        let inner = TxMsg::new(one(bytes(0, 1)?)?, Owner(done.clone()), GFP_KERNEL)?;
        let outer = TxMsg::new(one(bytes(0, 1)?)?, Nested(inner), GFP_KERNEL)?;

        assert_eq!(done.times(), 0);
        drop(outer);
        assert_eq!(done.times(), 1);
        Ok(())
    }

    #[test]
    fn a_release_on_a_queue_may_sleep() -> Result {
        let (from, to) = pair()?;
        let done = Done::new()?;
        let mut message = TxMsg::new_on(
            workqueue::system_long(),
            one(bytes(3, 5000)?)?,
            Sleeper(done.clone()),
            GFP_KERNEL,
        )?;

        message.send_all(&from)?;
        drop(message);
        assert!(counts_up(&receive(&to, 5000)?, 3));
        done.wait();
        assert_eq!(done.times(), 1);
        Ok(())
    }

    #[test]
    fn a_release_on_a_queue_may_sleep_where_the_message_is_dropped_in_atomic_context() -> Result {
        let done = Done::new()?;
        let message = TxMsg::new_on(
            workqueue::system_long(),
            one(bytes(0, 1)?)?,
            Sleeper(done.clone()),
            GFP_KERNEL,
        )?;

        let guard = rcu::read_lock();
        drop(message);
        drop(guard);
        done.wait();
        assert_eq!(done.times(), 1);
        Ok(())
    }

    #[test]
    fn a_release_on_a_queue_may_send_another_message() -> Result {
        let (from, to) = pair()?;
        let (next_from, next_to) = pair()?;
        let (sent, done) = (Done::new()?, Done::new()?);
        let next = TxMsg::new(one(bytes(4, 200)?)?, Owner(done.clone()), GFP_KERNEL)?;
        let again = Again {
            next,
            to: next_from,
            sent: sent.clone(),
        };
        let first = one(bytes(3, 100)?)?;
        let mut message = TxMsg::new_on(workqueue::system_long(), first, again, GFP_KERNEL)?;

        message.send_all(&from)?;
        drop(message);
        assert!(counts_up(&receive(&to, 100)?, 3));
        sent.wait();
        assert_eq!(sent.error.load(Relaxed), 0);
        assert!(counts_up(&receive(&next_to, 200)?, 4));
        done.wait();
        assert_eq!(done.times(), 1);
        Ok(())
    }

    #[test]
    fn a_message_without_segments_is_refused_and_its_owner_is_not_told() -> Result {
        let done = Done::new()?;
        let message = TxMsg::new(KVec::new(), Owner(done.clone()), GFP_KERNEL);

        assert_eq!(message.err(), Some(EINVAL));
        assert_eq!(done.times(), 0);
        Ok(())
    }

    #[test]
    fn a_message_of_0_bytes_is_refused_and_its_owner_is_not_told() -> Result {
        let done = Done::new()?;
        let mut segments = one(Segment::Bytes(KVec::new()))?;
        segments.push(Segment::Page(Page::alloc_page(GFP_KERNEL)?, 0), GFP_KERNEL)?;
        let message = TxMsg::new(segments, Owner(done.clone()), GFP_KERNEL);

        assert_eq!(message.err(), Some(EINVAL));
        assert_eq!(done.times(), 0);
        Ok(())
    }

    #[test]
    fn empty_segments_of_a_message_are_passed_over() -> Result {
        let (from, to) = pair()?;
        let done = Done::new()?;
        let mut segments = KVec::new();
        for len in [0, 0, 10, 0, 0, 0, 10, 0] {
            segments.push(bytes(5, len)?, GFP_KERNEL)?;
        }
        let mut message = TxMsg::new(segments, Owner(done.clone()), GFP_KERNEL)?;

        message.send_all(&from)?;
        drop(message);
        let got = receive(&to, 20)?;
        assert!(counts_up(&got[..10], 5) && counts_up(&got[10..], 5));
        done.wait();
        assert_eq!(done.times(), 1);
        Ok(())
    }

    #[test]
    fn more_of_a_page_than_it_has_is_refused_and_the_owner_is_not_told() -> Result {
        let done = Done::new()?;
        let page = Segment::Page(Page::alloc_page(GFP_KERNEL)?, PAGE_SIZE + 1);
        let message = TxMsg::new(one(page)?, Owner(done.clone()), GFP_KERNEL);

        assert_eq!(message.err(), Some(EINVAL));
        assert_eq!(done.times(), 0);
        Ok(())
    }

    #[test]
    fn a_message_over_2_gb_is_refused_be_it_for_one_segment_or_their_sum() -> Result {
        assert_eq!(longer(0, MAX_LEN), Ok(MAX_LEN));
        assert_eq!(longer(0, MAX_LEN + 1), Err(EMSGSIZE));
        assert_eq!(longer(0, 1 << 31), Err(EMSGSIZE));
        assert_eq!(longer(0, usize::MAX), Err(EMSGSIZE));
        assert_eq!(longer(MAX_LEN - 5, 5), Ok(MAX_LEN));
        assert_eq!(longer(MAX_LEN - 5, 6), Err(EMSGSIZE));
        assert_eq!(longer(MAX_LEN, usize::MAX), Err(EMSGSIZE));
        Ok(())
    }

    #[test]
    fn more_than_one_call_takes_is_not_sent_and_released_when_it_is_dropped() -> Result {
        let (from, _to) = pair()?;
        let done = Done::new()?;
        let mut message = TxMsg::new(one(bytes(0, PART)?)?, Owner(done.clone()), GFP_KERNEL)?;

        // The same memory so often that it is 2 GB.
        let bvec = message.bvecs[0];
        while message.bvecs.len() < (1 << 31) / PART {
            message.bvecs.push(bvec, GFP_KERNEL)?;
        }
        (message.len, message.left) = (1 << 31, 1 << 31);

        assert_eq!(message.send(&from, true), Err(EMSGSIZE));
        assert_eq!(message.left(), 1 << 31);
        assert_eq!(done.times(), 0);
        drop(message);
        assert_eq!(done.times(), 1);
        Ok(())
    }

    #[test]
    fn what_a_full_socket_does_not_take_is_sent_later() -> Result {
        let (from, to) = pair()?;
        let done = Done::new()?;
        let mut message = TxMsg::new(many()?, Owner(done.clone()), GFP_KERNEL)?;
        let mut got = KVec::from_elem(0u8, PART, GFP_KERNEL)?;
        let (mut len, mut full) = (0, 0);

        while len < PARTS * PART {
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
                assert_eq!(*byte, byte_of_many(len));
                len += 1;
            }
        }
        assert!(full > 0);
        assert_eq!(message.send(&from, false), Err(EINVAL));
        assert_eq!(done.times(), 0);
        drop(message);
        done.wait();
        assert_eq!(done.times(), 1);
        Ok(())
    }

    /// Sends [`many()`] from another thread; what it returns ends with it.
    fn send_many(from: Arc<Socket>, done: &Arc<Done>) -> Result<Arc<Done>> {
        let mut message = TxMsg::new(many()?, Owner(done.clone()), GFP_KERNEL)?;
        let ended = Done::new()?;
        let end = ended.clone();

        workqueue::system_long().try_spawn(GFP_KERNEL, move || {
            let sent = message.send_all(&from);
            drop(message);
            end.ended(sent);
        })?;
        Ok(ended)
    }

    #[test]
    fn a_socket_that_is_dropped_while_another_thread_sends_stays_until_all_is_sent() -> Result {
        let (from, to) = pair()?;
        let from = Arc::new(from, GFP_KERNEL)?;
        let done = Done::new()?;
        let ended = send_many(from.clone(), &done)?;

        drop(from);
        assert!(receive_many(&to)?);
        ended.wait();
        assert_eq!(ended.error.load(Relaxed), 0);
        done.wait();
        assert_eq!(done.times(), 1);
        Ok(())
    }

    #[test]
    fn a_receiver_that_goes_while_another_thread_sends_ends_that() -> Result {
        let (from, to) = pair()?;
        let done = Done::new()?;
        let ended = send_many(Arc::new(from, GFP_KERNEL)?, &done)?;

        assert!(counts_up(&receive(&to, PART)?, 0));
        drop(to);
        ended.wait();
        assert!(is_gone(ended.error.load(Relaxed)));
        done.wait();
        assert_eq!(done.times(), 1);
        Ok(())
    }

    #[test]
    fn messages_to_a_receiver_that_is_gone_are_released() -> Result {
        let (from, to) = pair()?;
        let mut error = Ok(());
        drop(to);

        // The first one is what the other end answers that it is gone.
        for _ in 0..1000 {
            let done = Done::new()?;
            let mut message = TxMsg::new(one(bytes(0, 100)?)?, Owner(done.clone()), GFP_KERNEL)?;
            error = message.send_all(&from);
            drop(message);
            done.wait();
            assert_eq!(done.times(), 1);
            if error.is_err() {
                break;
            }
            fsleep(Delta::from_millis(1));
        }
        assert!(is_gone(errno(error)));
        Ok(())
    }

    #[test]
    fn what_is_queued_when_its_socket_is_dropped_still_arrives() -> Result {
        let (from, to) = pair()?;
        let done = Done::new()?;
        let mut message = TxMsg::new(one(bytes(6, 60000)?)?, Owner(done.clone()), GFP_KERNEL)?;

        message.send_all(&from)?;
        drop(message);
        drop(from);
        assert!(counts_up(&receive(&to, 60000)?, 6));
        assert_eq!(to.receive(&mut [0])?, 0);
        done.wait();
        assert_eq!(done.times(), 1);
        Ok(())
    }
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Messages that the kernel sends from where they lie
 *
 * A struct net_txmsg stands for memory that a kernel service hands to a
 * socket, slab memory for instance, and for the promise to leave it alone
 * until the release function is called.  Fragments refer to the memory by way
 * of a struct net_txbuf, which in turn holds the message.
 *
 * Copyright the respective authors of the commits to this file.
 */

#include <linux/export.h>
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/rcupdate.h>
#include <linux/socket.h>
#include <linux/uio.h>
#include <net/sock.h>
#include <net/txbuf/msg.h>

static void net_txmsg_release(struct net_txmsg *txm)
{
	txm->release(txm, test_bit(NET_TXMSG_COPIED, &txm->state));
}

static void net_txmsg_work(struct work_struct *work)
{
	net_txmsg_release(container_of(work, struct net_txmsg, work));
}

static void net_txmsg_complete(struct sk_buff *skb, struct ubuf_info *ubuf,
			       bool success)
{
	struct net_txmsg *txm = ubuf_to_txmsg(ubuf);

	if (!success && !test_bit(NET_TXMSG_COPIED, &txm->state))
		set_bit(NET_TXMSG_COPIED, &txm->state);
	if (!refcount_dec_and_test(&ubuf->refcnt))
		return;

	if (txm->wq) {
		queue_work(txm->wq, &txm->work);
		return;
	}

	rcu_read_lock();
	net_txmsg_release(txm);
	rcu_read_unlock();
}

/* Operations of the completion that is part of each message. */
const struct ubuf_info_ops net_txmsg_ubuf_ops = {
	.complete = net_txmsg_complete,
};
EXPORT_SYMBOL_GPL(net_txmsg_ubuf_ops);

/**
 * net_txmsg_init - initialise a message
 * @txm: the message, part of a structure of its sender
 * @release: called once, when nobody refers to the message any more
 * @wq: workqueue to call @release from, or NULL
 *
 * The caller holds the only reference and drops it with net_txmsg_put().
 *
 * Without @wq, the message is released by whoever drops the last reference,
 * which mostly is a softirq that frees an skb: @release must not sleep.  It
 * runs in an RCU read-side critical section.  So a module that knows that
 * @release was entered for all its messages waits for the last one to return
 * with synchronize_rcu().
 *
 * With @wq, @release may sleep.  Whether it may be waited for when memory is
 * short is a property of @wq, and flushing @wq waits for all releases that are
 * due.
 *
 * @release may free the message, or initialise it anew.
 *
 * Context: Any context.
 */
void net_txmsg_init(struct net_txmsg *txm,
		    void (*release)(struct net_txmsg *txm, bool copied),
		    struct workqueue_struct *wq)
{
	txm->ubuf.ops = &net_txmsg_ubuf_ops;
	txm->ubuf.flags = SKBFL_ZEROCOPY_FRAG | SKBFL_DONT_ORPHAN;
	refcount_set(&txm->ubuf.refcnt, 1);
	txm->release = release;
	txm->wq = wq;
	txm->state = 0;
	INIT_WORK(&txm->work, net_txmsg_work);
}
EXPORT_SYMBOL_GPL(net_txmsg_init);

/* Memory that is not in the direct mapping has aliases, or goes away with the
 * stack or module that it belongs to, or is no memory of the kernel.
 */
static bool net_txmsg_is_direct(const void *addr, size_t len)
{
	const void *last = addr + len - 1;

	return !is_vmalloc_or_module_addr(addr) && virt_addr_valid(addr) &&
	       virt_addr_valid(last) && last >= addr;
}

static bool net_txmsg_check_kvec(const struct iov_iter *from)
{
	size_t skip = from->iov_offset, left = from->count;
	const struct kvec *kv = from->kvec;
	unsigned long i;

	for (i = 0; i < from->nr_segs && left; i++) {
		size_t len = min(kv[i].iov_len - skip, left);

		if (len && !net_txmsg_is_direct(kv[i].iov_base + skip, len))
			return false;
		left -= len;
		skip = 0;
	}

	return !left;
}

static bool net_txmsg_check_bvec(const struct iov_iter *from)
{
	size_t skip = from->iov_offset, left = from->count;
	const struct bio_vec *bv = from->bvec;
	unsigned long i;

	for (i = 0; i < from->nr_segs && left; i++) {
		/* iov_iter does not pass over more than one in a row. */
		if (!bv[i].bv_len || !bv[i].bv_page)
			return false;
		left -= min(bv[i].bv_len - skip, left);
		skip = 0;
	}

	return !left;
}

static int net_txmsg_check_iter(const struct iov_iter *from)
{
	if (iov_iter_count(from) > MAX_RW_COUNT)
		return -EMSGSIZE;
	if (!iov_iter_count(from) || iov_iter_rw(from) != ITER_SOURCE)
		return -EINVAL;

	switch (iov_iter_type(from)) {
	case ITER_KVEC:
		return net_txmsg_check_kvec(from) ? 0 : -EFAULT;
	case ITER_BVEC:
		return net_txmsg_check_bvec(from) ? 0 : -EFAULT;
	case ITER_FOLIOQ:
	case ITER_XARRAY:
		return 0;
	default:
		return -EINVAL;
	}
}

/* Whether the protocol of a socket makes fragments of a message.  Where it can
 * not after all, for the device that a packet leaves by, it copies.
 */
static bool net_txmsg_can_place(const struct socket *sock,
				const struct iov_iter *from)
{
	const struct sock *sk = sock->sk;

	/* Cleared when TLS or sockmap take over. */
	if (!test_bit(SOCK_SUPPORT_ZC, &sock->flags))
		return false;
	if (sk_is_tcp(sk))
		return true;

	/* A datagram is one skb: more pieces than fit there make one packet
	 * only if they are copied.
	 */
	return sk_is_udp(sk) &&
	       iov_iter_npages(from, MAX_SKB_FRAGS + 1) <= MAX_SKB_FRAGS;
}

/**
 * sock_sendmsg_txmsg - send a message from where it lies
 * @sock: the socket
 * @msg: where to, flags, and in msg_iter the memory; advanced
 * @txm: what to release when the memory is not needed any more
 *
 * All of a compound message, headers and payload of any origin, can go in one
 * call.  The memory is given by kvecs of the direct mapping (slab memory is
 * what they are for), or by bio_vecs, a folio queue or an xarray.  No reference
 * is taken on any page.  The caller leaves the contents alone and keeps the
 * memory valid until the release function of @txm is called, or copies are made
 * on its behalf: of messages to other sockets than TCP and UDP, to sockets with
 * TLS or in a sockmap, and to devices without scatter-gather or checksum
 * offload.  Slab memory is from kmalloc(), or from a cache whose objects may be
 * copied to user space.
 *
 * A call that sends only a part, for MSG_DONTWAIT or a signal, leaves msg_iter
 * behind that part: call again with the same @msg and @txm.  A message may be
 * sent any number of times, to several sockets too, but not by two calls at
 * once.
 *
 * The caller holds a reference on @txm, and does so also after an error.
 *
 * TCP needs the message until all of it is acknowledged.  A socket of the
 * kernel that does not hold its network namespace stops its timers when it is
 * closed, see sk_net_refcnt_upgrade(), so one whose peer does not answer keeps
 * what is queued: make it linger, or disconnect it first.
 *
 * Context: Process context, may sleep.
 * Return: how many bytes were sent; -EMSGSIZE if the message has more bytes
 * than any call can take; -EINVAL if it has none, if it is in user memory, if
 * flags say how to send it, or if @txm is released already; -EFAULT if it is in
 * vmalloc() memory or the like; -EBUSY if @txm is being sent; or an error of
 * sock_sendmsg().
 */
int sock_sendmsg_txmsg(struct socket *sock, struct msghdr *msg,
		       struct net_txmsg *txm)
{
	unsigned int flags = msg->msg_flags;
	int ret;

	if (flags & (MSG_ZEROCOPY | MSG_SPLICE_PAGES))
		return -EINVAL;
	ret = net_txmsg_check_iter(&msg->msg_iter);
	if (ret)
		return ret;
	if (WARN_ON_ONCE(!refcount_read(&txm->ubuf.refcnt)))
		return -EINVAL;
	if (test_and_set_bit_lock(NET_TXMSG_SENDING, &txm->state))
		return -EBUSY;

	clear_bit(NET_TXMSG_IN_PLACE, &txm->state);
	msg->msg_ubuf = NULL;
	msg->sg_from_iter = NULL;
	if (net_txmsg_can_place(sock, &msg->msg_iter)) {
		msg->msg_ubuf = &txm->ubuf;
		msg->msg_flags |= MSG_ZEROCOPY;
	}

	ret = sock_sendmsg(sock, msg);

	msg->msg_ubuf = NULL;
	msg->msg_flags = flags;
	if (ret > 0 && !test_bit(NET_TXMSG_IN_PLACE, &txm->state))
		set_bit(NET_TXMSG_COPIED, &txm->state);
	clear_bit_unlock(NET_TXMSG_SENDING, &txm->state);

	return ret;
}
EXPORT_SYMBOL_GPL(sock_sendmsg_txmsg);

// SPDX-License-Identifier: GPL-2.0
/* What the tests of messages on sockets share
 *
 * They run over the loopback device, which a gate stands before that sees each
 * packet, drops some or keeps them for a while.
 */

#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/file.h>
#include <linux/in.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/txbuf/helpers.h>
#include "txmsg_model.h"

struct tm_gate tm_gate;

u8 tm_byte(unsigned int pos)
{
	return pos + pos / 251;
}

static netdev_tx_t tm_gate_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	struct net_txbuf *owner = NULL;
	bool mixed = false, hold, drop;
	unsigned int i;

	/* More than headers and options of TCP. */
	if (skb->len <= ETH_HLEN + 20 + 60)
		return tm_gate.ops->ndo_start_xmit(skb, dev);

	spin_lock_bh(&tm_gate.lock);
	for (i = 0; i < shinfo->nr_frags; i++) {
		netmem_ref netmem = skb_frag_netmem(&shinfo->frags[i]);
		struct net_txbuf *tb;

		if (!netmem_is_txbuf(netmem)) {
			/* No slab page goes out as a page. */
			if (PageSlab(skb_frag_page(&shinfo->frags[i])))
				tm_gate.wrong++;
			continue;
		}
		tb = netmem_to_txbuf(netmem);
		if (tb->type != NET_TXBUF_ZCOPY_KERNEL)
			continue;
		if (owner && owner->ubuf != tb->ubuf)
			mixed = true;
		owner = tb;
		tm_gate.in_place += skb_frag_size(&shinfo->frags[i]);
		if (!skb_has_shared_frag(skb))
			tm_gate.wrong++;
	}
	tm_gate.packets++;
	tm_gate.mixed += mixed;
	drop = tm_gate.drop_every && tm_gate.packets % tm_gate.drop_every == 0;
	hold = tm_gate.hold;
	if (hold)
		__skb_queue_tail(&tm_gate.held, skb);
	spin_unlock_bh(&tm_gate.lock);

	if (hold)
		return NETDEV_TX_OK;
	if (drop) {
		kfree_skb(skb);
		return NETDEV_TX_OK;
	}

	return tm_gate.ops->ndo_start_xmit(skb, dev);
}

static const struct net_device_ops tm_gate_ops = {
	.ndo_start_xmit = tm_gate_xmit,
};

void tm_gate_open(bool deliver)
{
	struct sk_buff *skb;

	spin_lock_bh(&tm_gate.lock);
	tm_gate.hold = false;
	spin_unlock_bh(&tm_gate.lock);
	while ((skb = skb_dequeue(&tm_gate.held))) {
		local_bh_disable();
		if (deliver)
			tm_gate.ops->ndo_start_xmit(skb, tm_gate.dev);
		else
			kfree_skb(skb);
		local_bh_enable();
	}
}

static void tm_gate_remove(void *unused)
{
	tm_gate_open(false);
	rtnl_lock();
	tm_gate.dev->netdev_ops = tm_gate.ops;
	tm_gate.dev->features = tm_gate.features;
	dev_set_mtu(tm_gate.dev, tm_gate.mtu);
	synchronize_net();
	if (!tm_gate.was_up)
		dev_change_flags(tm_gate.dev, tm_gate.dev->flags & ~IFF_UP,
				 NULL);
	rtnl_unlock();
}

int tm_init(struct kunit *test)
{
	memset(&tm_gate, 0, sizeof(tm_gate));
	spin_lock_init(&tm_gate.lock);
	skb_queue_head_init(&tm_gate.held);
	tm_gate.dev = init_net.loopback_dev;
	tm_gate.ops = tm_gate.dev->netdev_ops;
	tm_gate.features = tm_gate.dev->features;
	tm_gate.mtu = tm_gate.dev->mtu;

	rtnl_lock();
	tm_gate.was_up = tm_gate.dev->flags & IFF_UP;
	tm_gate.dev->netdev_ops = &tm_gate_ops;
	synchronize_net();
	if (!tm_gate.was_up)
		dev_change_flags(tm_gate.dev, tm_gate.dev->flags | IFF_UP,
				 NULL);
	rtnl_unlock();

	return kunit_add_action_or_reset(test, tm_gate_remove, NULL);
}

/* A device that can not, for sockets that are connected from here on. */
void tm_gate_without(netdev_features_t features)
{
	rtnl_lock();
	tm_gate.dev->features &= ~features;
	rtnl_unlock();
}

static void tm_sock_free(void *sock)
{
	sock_release(sock);
}

void tm_close(struct kunit *test, struct socket *sock)
{
	kunit_release_action(test, tm_sock_free, sock);
}

struct socket *tm_own(struct kunit *test, struct socket *sock)
{
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, tm_sock_free, sock));
	if (sock->sk)
		sock->sk->sk_rcvtimeo = 10 * HZ;

	return sock;
}

/* The caller sees to it that the socket is released. */
void tm_disown(struct kunit *test, struct socket *sock)
{
	kunit_remove_action(test, tm_sock_free, sock);
}

static struct socket *tm_sock(struct kunit *test, int type)
{
	struct socket *sock;
	int err;

	err = sock_create_kern(&init_net, PF_INET, type, 0, &sock);
	if (err)
		kunit_skip(test, "no such socket: %d", err);

	/* Else it does not send again what is lost after it was closed. */
	sk_net_refcnt_upgrade(sock->sk);

	return tm_own(test, sock);
}

void tm_pair(struct kunit *test, int type, struct socket **from,
	     struct socket **to)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_unsized *addr = (struct sockaddr_unsized *)&sin;
	struct socket *listener = tm_sock(test, type);

	KUNIT_ASSERT_EQ(test, 0, kernel_bind(listener, addr, sizeof(sin)));
	KUNIT_ASSERT_LT(test, 0,
			kernel_getsockname(listener, (struct sockaddr *)&sin));
	if (type == SOCK_STREAM)
		KUNIT_ASSERT_EQ(test, 0, kernel_listen(listener, 1));
	*from = tm_sock(test, type);
	KUNIT_ASSERT_EQ(test, 0, kernel_connect(*from, addr, sizeof(sin), 0));
	*to = listener;
	if (type == SOCK_STREAM) {
		KUNIT_ASSERT_EQ(test, 0, kernel_accept(listener, to, 0));
		tm_own(test, *to);
		tm_close(test, listener);
	}
}

/* Overwrites the memory first: data that is still to be sent would change. */
static void tm_release(struct net_txmsg *txm, bool copied)
{
	struct tm_msg *m = container_of(txm, struct tm_msg, txm);
	unsigned int i;

	if (m->again) {
		m->again--;
		net_txmsg_init(txm, tm_release, txm->wq);
		tm_send(m->again_on, m, 0);
		net_txmsg_put(txm);
		return;
	}
	if (atomic_inc_return(&m->released) > 1)
		return;
	m->copied = copied;
	for (i = 0; i < m->nr; i++) {
		if (!m->slab[i])
			continue;
		memset(m->slab[i], 0xdd, m->len_of[i]);
		kfree(m->slab[i]);
	}
	for (i = 0; i < m->nr_pages; i++) {
		memset(page_address(m->pages[i]), 0xdd, PAGE_SIZE);
		__free_page(m->pages[i]);
	}
	complete(&m->done);
}

void tm_fill(u8 *to, unsigned int pos, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		to[i] = tm_byte(pos + i);
}

/* A message whose first byte is that at @pos of the whole stream. */
struct tm_msg *tm_new(struct kunit *test, const struct tm_part *part,
		      unsigned int pos)
{
	struct tm_msg *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	unsigned int left;

	KUNIT_ASSERT_NOT_NULL(test, m);
	init_completion(&m->done);
	for (; part->kind != TM_END; part++) {
		m->len_of[m->nr] = part->len;
		if (part->kind == TM_SLAB) {
			u8 *data = kmalloc(part->len, GFP_KERNEL);

			KUNIT_ASSERT_NOT_NULL(test, data);
			m->slab[m->nr] = data;
			tm_fill(data, pos, part->len);
			bvec_set_virt(&m->bv[m->nr_bv++], data, part->len);
			pos += part->len;
		}
		for (left = part->len; left && part->kind == TM_PAGES;) {
			unsigned int len = min_t(unsigned int, left, PAGE_SIZE);
			struct page *page = alloc_page(GFP_KERNEL);

			KUNIT_ASSERT_NOT_NULL(test, page);
			tm_fill(page_address(page), pos, len);
			m->pages[m->nr_pages++] = page;
			bvec_set_page(&m->bv[m->nr_bv++], page, len, 0);
			left -= len;
			pos += len;
		}
		m->len += part->len;
		m->nr++;
	}
	net_txmsg_init(&m->txm, tm_release, NULL);

	return m;
}

struct tm_msg *tm_new_slab(struct kunit *test, unsigned int len,
			   unsigned int pos)
{
	const struct tm_part part[] = { { TM_SLAB, len }, {} };

	return tm_new(test, part, pos);
}

void tm_hdr(const struct tm_msg *m, struct msghdr *msg, int flags)
{
	*msg = (struct msghdr) { .msg_flags = flags | MSG_NOSIGNAL };
	iov_iter_bvec(&msg->msg_iter, ITER_SOURCE, m->bv, m->nr_bv, m->len);
}

int tm_send(struct socket *sock, struct tm_msg *m, int flags)
{
	struct msghdr msg;

	tm_hdr(m, &msg, flags);

	return sock_sendmsg_txmsg(sock, &msg, &m->txm);
}

/* Receives up to @len bytes and returns how many of them are those that the
 * stream has from @pos on.
 */
int tm_recv(struct kunit *test, struct socket *sock, unsigned int pos,
	    unsigned int len, int flags)
{
	struct msghdr msg = {};
	struct kvec kv;
	int i, n;
	u8 *buf;

	buf = kmalloc(len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	kv.iov_base = buf;
	kv.iov_len = len;
	n = kernel_recvmsg(sock, &msg, &kv, 1, len, flags);
	for (i = 0; i < n; i++)
		if (buf[i] != tm_byte(pos + i))
			break;
	kfree(buf);

	return n < 0 ? n : i;
}

void tm_recv_all(struct kunit *test, struct socket *sock, unsigned int len)
{
	unsigned int got = 0;

	while (got < len) {
		int n = tm_recv(test, sock, got, len - got, 0);

		KUNIT_ASSERT_GT(test, n, 0);
		got += n;
	}
}

/* Sends and receives in turns, so that neither side waits for the other: where
 * packets are lost, there may be space for a part of the message only.
 */
void tm_transfer(struct kunit *test, struct socket *from, struct socket *to,
		 struct tm_msg *m)
{
	unsigned long end = jiffies + 60 * HZ;
	unsigned int sent = 0, got = 0;
	struct msghdr msg;
	int n;

	tm_hdr(m, &msg, MSG_DONTWAIT);
	while (got < m->len) {
		KUNIT_ASSERT_TRUE(test, time_before(jiffies, end));
		if (sent < m->len) {
			n = sock_sendmsg_txmsg(from, &msg, &m->txm);
			KUNIT_ASSERT_TRUE(test, n > 0 || n == -EAGAIN);
			sent += max(n, 0);
		}
		n = tm_recv(test, to, got, m->len - got, MSG_DONTWAIT);
		KUNIT_ASSERT_TRUE(test, n > 0 || n == -EAGAIN);
		got += max(n, 0);
		if (n < 0)
			usleep_range(500, 2000);
	}
}

/* From here on a message of that many bytes as a stream takes, or a second
 * datagram, has to wait until the gate is open.
 */
void tm_clog(struct kunit *test, int type, struct socket *from)
{
	from->sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
	WRITE_ONCE(from->sk->sk_sndbuf, 30000);
	tm_gate.hold = true;
	if (type == SOCK_DGRAM) {
		struct tm_msg *m = tm_new_slab(test, TM_CLOG, 0);

		KUNIT_ASSERT_EQ(test, m->len, tm_send(from, m, 0));
		net_txmsg_put(&m->txm);
	}
}

static int tm_sender_thread(void *data)
{
	struct tm_sender *s = data;

	s->ret = tm_send(s->sock, s->m, 0);
	if (s->file)
		fput(s->file);
	complete(&s->done);

	return 0;
}

/* Sends in a thread, and returns when that waits for space. */
void tm_start(struct kunit *test, struct tm_sender *s)
{
	struct task_struct *task;
	unsigned int i;

	init_completion(&s->done);
	task = kthread_run(tm_sender_thread, s, "txmsg_test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (i = 0; i < 1000; i++) {
		if (test_bit(NET_TXMSG_SENDING, &s->m->txm.state))
			break;
		usleep_range(500, 2000);
	}
	msleep(50);
	KUNIT_EXPECT_TRUE(test, test_bit(NET_TXMSG_SENDING, &s->m->txm.state));
	KUNIT_EXPECT_FALSE(test, completion_done(&s->done));
}

void tm_expect_released(struct kunit *test, struct tm_msg *m)
{
	KUNIT_EXPECT_NE(test, 0,
			wait_for_completion_timeout(&m->done, 10 * HZ));
	/* Not later either: see tm_expect_sane(). */
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&m->released));
}

void tm_expect_sane(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0, tm_gate.wrong);
}

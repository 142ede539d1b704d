// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of messages of the kernel on sockets
 *
 * They run over the loopback device, which a gate stands before that sees each
 * packet, drops some or keeps them for a while.
 */

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/in.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/sched/task_stack.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/vmalloc.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/txbuf/helpers.h>
#include <net/txbuf/msg.h>

#define MSG_MAX_PARTS	4
#define MSG_MAX_PAGES	16

enum part_kind { PART_END, PART_SLAB, PART_PAGES };

struct part {
	enum part_kind kind;
	unsigned int len;
};

/* A message of the test, of bytes that depend on their position only. */
struct msg {
	struct net_txmsg txm;
	struct completion done;
	atomic_t released;
	bool copied;
	unsigned int nr;
	unsigned int len;
	void *slab[MSG_MAX_PARTS];
	struct page *pages[MSG_MAX_PAGES];
	unsigned int nr_pages;
	struct bio_vec bv[MSG_MAX_PARTS + MSG_MAX_PAGES];
	unsigned int nr_bv;
	unsigned int len_of[MSG_MAX_PARTS];
};

/* What stands before the loopback device. */
static struct gate {
	struct net_device *dev;
	const struct net_device_ops *ops;
	netdev_features_t features;
	unsigned int mtu;
	bool was_up;
	spinlock_t lock;	/* protects what follows */
	struct sk_buff_head held;
	bool hold;
	unsigned int drop_every;
	/* Packets with data, and of these, how many have more than one owner;
	 * bytes in fragments of messages.
	 */
	unsigned int packets;
	unsigned int mixed;
	unsigned int in_place;
	unsigned int wrong;
} gate;

static u8 msg_byte(unsigned int pos)
{
	return pos + pos / 251;
}

static netdev_tx_t gate_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	struct net_txbuf *owner = NULL;
	bool mixed = false, drop;
	unsigned int i;

	/* More than headers and options of TCP. */
	if (skb->len <= ETH_HLEN + 20 + 60)
		return gate.ops->ndo_start_xmit(skb, dev);

	spin_lock_bh(&gate.lock);
	for (i = 0; i < shinfo->nr_frags; i++) {
		netmem_ref netmem = skb_frag_netmem(&shinfo->frags[i]);
		struct net_txbuf *tb;

		if (!netmem_is_txbuf(netmem)) {
			/* No slab page goes out as a page. */
			if (PageSlab(skb_frag_page(&shinfo->frags[i])))
				gate.wrong++;
			continue;
		}
		tb = netmem_to_txbuf(netmem);
		if (tb->type != NET_TXBUF_ZCOPY_KERNEL)
			continue;
		if (owner && owner->ubuf != tb->ubuf)
			mixed = true;
		owner = tb;
		gate.in_place += skb_frag_size(&shinfo->frags[i]);
		if (!skb_has_shared_frag(skb))
			gate.wrong++;
	}
	gate.packets++;
	gate.mixed += mixed;
	drop = gate.drop_every && gate.packets % gate.drop_every == 0;
	if (gate.hold)
		__skb_queue_tail(&gate.held, skb);
	spin_unlock_bh(&gate.lock);

	if (gate.hold)
		return NETDEV_TX_OK;
	if (drop) {
		kfree_skb(skb);
		return NETDEV_TX_OK;
	}

	return gate.ops->ndo_start_xmit(skb, dev);
}

static const struct net_device_ops gate_ops = {
	.ndo_start_xmit = gate_xmit,
};

static void gate_open(bool deliver)
{
	struct sk_buff *skb;

	spin_lock_bh(&gate.lock);
	gate.hold = false;
	spin_unlock_bh(&gate.lock);
	while ((skb = skb_dequeue(&gate.held))) {
		local_bh_disable();
		if (deliver)
			gate.ops->ndo_start_xmit(skb, gate.dev);
		else
			kfree_skb(skb);
		local_bh_enable();
	}
}

static void gate_remove(void *unused)
{
	gate_open(false);
	rtnl_lock();
	gate.dev->netdev_ops = gate.ops;
	gate.dev->features = gate.features;
	dev_set_mtu(gate.dev, gate.mtu);
	synchronize_net();
	if (!gate.was_up)
		dev_change_flags(gate.dev, gate.dev->flags & ~IFF_UP, NULL);
	rtnl_unlock();
}

static int sock_test_init(struct kunit *test)
{
	memset(&gate, 0, sizeof(gate));
	spin_lock_init(&gate.lock);
	skb_queue_head_init(&gate.held);
	gate.dev = init_net.loopback_dev;
	gate.ops = gate.dev->netdev_ops;
	gate.features = gate.dev->features;
	gate.mtu = gate.dev->mtu;

	rtnl_lock();
	gate.was_up = gate.dev->flags & IFF_UP;
	gate.dev->netdev_ops = &gate_ops;
	synchronize_net();
	if (!gate.was_up)
		dev_change_flags(gate.dev, gate.dev->flags | IFF_UP, NULL);
	rtnl_unlock();

	return kunit_add_action_or_reset(test, gate_remove, NULL);
}

/* A device that can not, for sockets that are connected from here on. */
static void gate_without(netdev_features_t features)
{
	rtnl_lock();
	gate.dev->features &= ~features;
	rtnl_unlock();
}

static void sock_free(void *sock)
{
	sock_release(sock);
}

static void sock_close(struct kunit *test, struct socket *sock)
{
	kunit_release_action(test, sock_free, sock);
}

static struct socket *sock_own(struct kunit *test, struct socket *sock)
{
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, sock_free, sock));
	if (sock->sk)
		sock->sk->sk_rcvtimeo = 10 * HZ;

	return sock;
}

static struct socket *sock_new(struct kunit *test, int type)
{
	struct socket *sock;
	int err;

	err = sock_create_kern(&init_net, PF_INET, type, 0, &sock);
	if (err)
		kunit_skip(test, "no such socket: %d", err);

	/* Else it does not send again what is lost after it was closed. */
	sk_net_refcnt_upgrade(sock->sk);

	return sock_own(test, sock);
}

static void sock_pair(struct kunit *test, int type, struct socket **from,
		      struct socket **to)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_unsized *addr = (struct sockaddr_unsized *)&sin;
	struct socket *listener = sock_new(test, type);

	KUNIT_ASSERT_EQ(test, 0, kernel_bind(listener, addr, sizeof(sin)));
	KUNIT_ASSERT_LT(test, 0,
			kernel_getsockname(listener, (struct sockaddr *)&sin));
	if (type == SOCK_STREAM)
		KUNIT_ASSERT_EQ(test, 0, kernel_listen(listener, 1));
	*from = sock_new(test, type);
	KUNIT_ASSERT_EQ(test, 0, kernel_connect(*from, addr, sizeof(sin), 0));
	*to = listener;
	if (type == SOCK_STREAM) {
		KUNIT_ASSERT_EQ(test, 0, kernel_accept(listener, to, 0));
		sock_own(test, *to);
		sock_close(test, listener);
	}
}

/* Overwrites the memory first: data that is still to be sent would change. */
static void msg_release(struct net_txmsg *txm, bool copied)
{
	struct msg *m = container_of(txm, struct msg, txm);
	unsigned int i;

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

static void msg_fill(u8 *to, unsigned int pos, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		to[i] = msg_byte(pos + i);
}

/* A message whose first byte is that at @pos of the whole stream. */
static struct msg *msg_new(struct kunit *test, const struct part *part,
			   unsigned int pos)
{
	struct msg *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	unsigned int left;

	KUNIT_ASSERT_NOT_NULL(test, m);
	init_completion(&m->done);
	for (; part->kind != PART_END; part++) {
		m->len_of[m->nr] = part->len;
		if (part->kind == PART_SLAB) {
			u8 *data = kmalloc(part->len, GFP_KERNEL);

			KUNIT_ASSERT_NOT_NULL(test, data);
			m->slab[m->nr] = data;
			msg_fill(data, pos, part->len);
			bvec_set_virt(&m->bv[m->nr_bv++], data, part->len);
			pos += part->len;
		}
		for (left = part->len; left && part->kind == PART_PAGES;) {
			unsigned int len = min_t(unsigned int, left, PAGE_SIZE);
			struct page *page = alloc_page(GFP_KERNEL);

			KUNIT_ASSERT_NOT_NULL(test, page);
			msg_fill(page_address(page), pos, len);
			m->pages[m->nr_pages++] = page;
			bvec_set_page(&m->bv[m->nr_bv++], page, len, 0);
			left -= len;
			pos += len;
		}
		m->len += part->len;
		m->nr++;
	}
	net_txmsg_init(&m->txm, msg_release, NULL);

	return m;
}

static struct msg *msg_new_slab(struct kunit *test, unsigned int len,
				unsigned int pos)
{
	const struct part part[] = { { PART_SLAB, len }, {} };

	return msg_new(test, part, pos);
}

static void msg_hdr(const struct msg *m, struct msghdr *msg, int flags)
{
	*msg = (struct msghdr) { .msg_flags = flags | MSG_NOSIGNAL };
	iov_iter_bvec(&msg->msg_iter, ITER_SOURCE, m->bv, m->nr_bv, m->len);
}

static int msg_send(struct socket *sock, struct msg *m, int flags)
{
	struct msghdr msg;

	msg_hdr(m, &msg, flags);

	return sock_sendmsg_txmsg(sock, &msg, &m->txm);
}

/* Receives up to @len bytes and returns how many of them are those that the
 * stream has from @pos on.
 */
static int msg_recv(struct kunit *test, struct socket *sock, unsigned int pos,
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
		if (buf[i] != msg_byte(pos + i))
			break;
	kfree(buf);

	return n < 0 ? n : i;
}

static void expect_released(struct kunit *test, struct msg *m)
{
	KUNIT_EXPECT_NE(test, 0,
			wait_for_completion_timeout(&m->done, 10 * HZ));
	/* Not later either: see expect_sane(). */
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&m->released));
}

static void expect_sane(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0, gate.wrong);
}

static const struct send_case {
	const char *name;
	int type;
	struct part parts[MSG_MAX_PARTS];
} send_cases[] = {
	{ "tcp, a header of slab", SOCK_STREAM, { { PART_SLAB, 28 } } },
	{ "tcp, one byte", SOCK_STREAM, { { PART_SLAB, 100 } } },
	{ "tcp, slab", SOCK_STREAM, { { PART_SLAB, 5000 } } },
	{ "tcp, large slab", SOCK_STREAM, { { PART_SLAB, 300000 } } },
	{ "tcp, pages", SOCK_STREAM, { { PART_PAGES, 50000 } } },
	{ "tcp, slab, pages, slab", SOCK_STREAM,
	  { { PART_SLAB, 100 }, { PART_PAGES, 40000 }, { PART_SLAB, 7000 } } },
	{ "udp, a header of slab", SOCK_DGRAM, { { PART_SLAB, 128 } } },
	{ "udp, slab", SOCK_DGRAM, { { PART_SLAB, 5000 } } },
	{ "udp, large slab", SOCK_DGRAM, { { PART_SLAB, 60000 } } },
	{ "udp, pages", SOCK_DGRAM, { { PART_PAGES, 50000 } } },
	{ "udp, slab, pages, slab", SOCK_DGRAM,
	  { { PART_SLAB, 100 }, { PART_PAGES, 40000 }, { PART_SLAB, 7000 } } },
};

static void send_desc(const struct send_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(send, send_cases, send_desc);

static void message_arrives_from_where_it_lies(struct kunit *test)
{
	const struct send_case *c = test->param_value;
	struct msg *m = msg_new(test, c->parts, 0);
	struct socket *from, *to;
	unsigned int got = 0;

	sock_pair(test, c->type, &from, &to);
	KUNIT_EXPECT_EQ(test, m->len, msg_send(from, m, 0));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&m->released));
	net_txmsg_put(&m->txm);
	while (got < m->len) {
		int n = msg_recv(test, to, got, m->len - got, 0);

		KUNIT_ASSERT_GT(test, n, 0);
		got += n;
	}
	expect_released(test, m);
	/* A packet this small passes the gate without being looked at, and
	 * a slow machine may send again.
	 */
	if (m->len >= 100)
		KUNIT_EXPECT_GE(test, gate.in_place, m->len);
	expect_sane(test);
}

static void message_is_held_while_a_packet_is_under_way(struct kunit *test)
{
	const struct send_case *c = test->param_value;
	struct msg *m = msg_new(test, c->parts, 0);
	struct socket *from, *to;

	if (m->len < 100)
		kunit_skip(test, "the gate lets it pass");
	sock_pair(test, c->type, &from, &to);
	gate.hold = true;
	KUNIT_EXPECT_EQ(test, m->len, msg_send(from, m, MSG_DONTWAIT));
	net_txmsg_put(&m->txm);
	msleep(20);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&m->released));
	gate.drop_every = 1;
	gate_open(false);
	/* A datagram is gone then, a stream will send it again. */
	KUNIT_EXPECT_EQ(test, c->type == SOCK_DGRAM,
			atomic_read(&m->released));
	gate.drop_every = 0;
	sock_close(test, to);
	sock_close(test, from);
	expect_released(test, m);
	expect_sane(test);
}

static void lost_packets_are_sent_again_from_the_message(struct kunit *test)
{
	const struct part parts[] = {
		{ PART_SLAB, 100 }, { PART_PAGES, 60000 },
		{ PART_SLAB, 200000 }, {}
	};
	struct msg *m = msg_new(test, parts, 0);
	struct socket *from, *to;
	unsigned int got = 0;

	sock_pair(test, SOCK_STREAM, &from, &to);
	gate.drop_every = 3;
	KUNIT_EXPECT_EQ(test, m->len, msg_send(from, m, 0));
	net_txmsg_put(&m->txm);
	while (got < m->len) {
		int n = msg_recv(test, to, got, m->len - got, 0);

		KUNIT_ASSERT_GT(test, n, 0);
		got += n;
	}
	expect_released(test, m);
	KUNIT_EXPECT_GT(test, gate.in_place, m->len);
	expect_sane(test);
}

static void partial_sends_go_on_with_the_same_message(struct kunit *test)
{
	struct msg *m = msg_new_slab(test, 900000, 0);
	unsigned int sent = 0, got = 0, calls = 0;
	struct socket *from, *to;
	struct msghdr msg;

	sock_pair(test, SOCK_STREAM, &from, &to);
	from->sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
	WRITE_ONCE(from->sk->sk_sndbuf, 30000);
	msg_hdr(m, &msg, MSG_DONTWAIT);
	while (got < m->len) {
		int n = -EAGAIN;

		if (sent < m->len) {
			n = sock_sendmsg_txmsg(from, &msg, &m->txm);
			KUNIT_ASSERT_TRUE(test, n > 0 || n == -EAGAIN);
		}
		if (n > 0) {
			sent += n;
			calls++;
		}
		KUNIT_EXPECT_EQ(test, m->len - sent, msg_data_left(&msg));
		n = msg_recv(test, to, got, m->len - got,
			     n > 0 ? MSG_DONTWAIT : 0);
		KUNIT_ASSERT_TRUE(test, n > 0 || n == -EAGAIN);
		if (n > 0)
			got += n;
	}
	KUNIT_EXPECT_GT(test, calls, 3);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&m->released));
	net_txmsg_put(&m->txm);
	expect_released(test, m);
	KUNIT_EXPECT_GE(test, gate.in_place, m->len);
	expect_sane(test);
}

static void one_message_goes_to_several_sockets(struct kunit *test)
{
	struct msg *m = msg_new_slab(test, 3000, 0);
	struct socket *from[3], *to[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(to); i++)
		sock_pair(test, i ? SOCK_DGRAM : SOCK_STREAM, &from[i], &to[i]);
	gate.hold = true;
	for (i = 0; i < ARRAY_SIZE(to); i++)
		KUNIT_EXPECT_EQ(test, m->len, msg_send(from[i], m, 0));
	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&m->released));
	gate_open(true);
	for (i = 0; i < ARRAY_SIZE(to); i++)
		KUNIT_EXPECT_EQ(test, m->len,
				msg_recv(test, to[i], 0, m->len, 0));
	expect_released(test, m);
	expect_sane(test);
}

static void receiver_that_is_gone_lets_the_message_go(struct kunit *test)
{
	struct msg *m = msg_new_slab(test, 200000, 0);
	struct msg *late = msg_new_slab(test, 1000, 0);
	struct socket *from, *to;
	int n;

	sock_pair(test, SOCK_STREAM, &from, &to);
	KUNIT_EXPECT_GT(test, msg_send(from, m, MSG_DONTWAIT), 0);
	net_txmsg_put(&m->txm);
	/* With unread data: that is a reset. */
	sock_close(test, to);
	expect_released(test, m);

	n = msg_send(from, late, 0);
	KUNIT_EXPECT_TRUE(test, n == -EPIPE || n == -ECONNRESET);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&late->released));
	net_txmsg_put(&late->txm);
	expect_released(test, late);
	expect_sane(test);
}

static void sender_may_close_with_data_in_its_queue(struct kunit *test)
{
	struct msg *m = msg_new_slab(test, 100000, 0);
	struct socket *from, *to;
	unsigned int got = 0;

	sock_pair(test, SOCK_STREAM, &from, &to);
	gate.hold = true;
	KUNIT_EXPECT_EQ(test, m->len, msg_send(from, m, MSG_DONTWAIT));
	net_txmsg_put(&m->txm);
	sock_close(test, from);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&m->released));
	gate_open(true);
	while (got < m->len) {
		int n = msg_recv(test, to, got, m->len - got, 0);

		KUNIT_ASSERT_GT(test, n, 0);
		got += n;
	}
	expect_released(test, m);
	expect_sane(test);
}

static void messages_and_copied_data_mix_in_a_stream(struct kunit *test)
{
	unsigned int pos = 0, got = 0, i;
	struct socket *from, *to;
	struct msg *m[20], *all;

	all = msg_new_slab(test, 60000, 0);
	sock_pair(test, SOCK_STREAM, &from, &to);
	for (i = 0; i < ARRAY_SIZE(m); i++) {
		struct kvec kv = { all->slab[0] + pos, 77 };
		struct msghdr msg = { .msg_flags = MSG_MORE };

		KUNIT_EXPECT_EQ(test, 77, kernel_sendmsg(from, &msg, &kv, 1,
							 77));
		pos += 77;
		m[i] = msg_new_slab(test, 1000 + 100 * i, pos);
		KUNIT_EXPECT_EQ(test, m[i]->len,
				msg_send(from, m[i], i % 3 ? MSG_MORE : 0));
		net_txmsg_put(&m[i]->txm);
		pos += m[i]->len;
	}
	while (got < pos) {
		int n = msg_recv(test, to, got, pos - got, 0);

		KUNIT_ASSERT_GT(test, n, 0);
		got += n;
	}
	for (i = 0; i < ARRAY_SIZE(m); i++)
		expect_released(test, m[i]);
	net_txmsg_put(&all->txm);
	expect_sane(test);
}

static void small_messages_share_a_packet(struct kunit *test)
{
	struct socket *from, *to;
	unsigned int pos = 0, i;
	struct msg *m[10];

	sock_pair(test, SOCK_STREAM, &from, &to);
	gate.hold = true;
	for (i = 0; i < ARRAY_SIZE(m); i++) {
		int more = i + 1 < ARRAY_SIZE(m) ? MSG_MORE : 0;

		m[i] = msg_new_slab(test, 28 + 50 * i, pos);
		KUNIT_EXPECT_EQ(test, m[i]->len, msg_send(from, m[i], more));
		net_txmsg_put(&m[i]->txm);
		pos += m[i]->len;
	}
	KUNIT_EXPECT_EQ(test, 1, gate.packets);
	KUNIT_EXPECT_EQ(test, 1, gate.mixed);
	KUNIT_EXPECT_EQ(test, pos, gate.in_place);

	/* And again from the same memory. */
	gate.drop_every = 1;
	gate_open(false);
	gate.drop_every = 0;
	for (i = 0; i < ARRAY_SIZE(m); i++)
		KUNIT_EXPECT_EQ(test, 0, atomic_read(&m[i]->released));
	KUNIT_EXPECT_EQ(test, pos, msg_recv(test, to, 0, pos, MSG_WAITALL));
	for (i = 0; i < ARRAY_SIZE(m); i++)
		expect_released(test, m[i]);
	expect_sane(test);
}

static const struct copy_case {
	const char *name;
	int type;
	unsigned int len;
	netdev_features_t without;
} copy_cases[] = {
	{ "tcp, no scatter-gather", SOCK_STREAM, 50000, NETIF_F_SG },
	{ "tcp, no checksum", SOCK_STREAM, 50000, NETIF_F_CSUM_MASK },
	{ "udp, no scatter-gather", SOCK_DGRAM, 50000, NETIF_F_SG },
	{ "udp, no checksum", SOCK_DGRAM, 50000, NETIF_F_CSUM_MASK },
	{ "udp, more than the MTU", SOCK_DGRAM, 65507, 0 },
};

static void copy_desc(const struct copy_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(copy, copy_cases, copy_desc);

static void device_that_can_not_gets_a_copy(struct kunit *test)
{
	const struct copy_case *c = test->param_value;
	struct msg *m = msg_new_slab(test, c->len, 0);
	struct socket *from, *to;
	unsigned int got = 0;

	gate_without(c->without);
	if (c->len > 65000) {
		rtnl_lock();
		KUNIT_EXPECT_EQ(test, 0, dev_set_mtu(gate.dev, 20000));
		rtnl_unlock();
	}
	sock_pair(test, c->type, &from, &to);
	gate.hold = true;
	KUNIT_EXPECT_EQ(test, m->len, msg_send(from, m, 0));
	/* While all the packets are there.  TCP sends in place to any device,
	 * it is the packet that is copied: it may be needed again.
	 */
	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, c->type == SOCK_DGRAM,
			atomic_read(&m->released));
	KUNIT_EXPECT_EQ(test, c->type == SOCK_DGRAM, m->copied);
	gate_open(true);
	while (got < m->len) {
		int n = msg_recv(test, to, got, m->len - got, 0);

		KUNIT_ASSERT_GT(test, n, 0);
		got += n;
	}
	expect_released(test, m);
	KUNIT_EXPECT_EQ(test, 0, gate.in_place);
	expect_sane(test);
}

/* As nfnetlink_queue and Open vSwitch do. */
static void queue_for_user_space_gets_a_copy(struct kunit *test)
{
	struct msg *m = msg_new_slab(test, 3000, 0);
	struct sk_buff *skb, *queued;
	struct socket *from, *to;
	unsigned int hlen, i;
	u8 *got;

	sock_pair(test, SOCK_DGRAM, &from, &to);
	gate.hold = true;
	KUNIT_EXPECT_EQ(test, m->len, msg_send(from, m, 0));
	net_txmsg_put(&m->txm);
	skb = skb_dequeue(&gate.held);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	hlen = skb_zerocopy_headlen(skb);
	KUNIT_EXPECT_LT(test, hlen, 100);
	queued = alloc_skb(hlen, GFP_KERNEL);
	got = kunit_kmalloc(test, m->len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, queued);
	KUNIT_ASSERT_NOT_NULL(test, got);

	KUNIT_EXPECT_EQ(test, 0, atomic_read(&m->released));
	KUNIT_EXPECT_EQ(test, 0, skb_zerocopy(queued, skb, skb->len, hlen));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&m->released));
	KUNIT_EXPECT_TRUE(test, m->copied);
	KUNIT_EXPECT_EQ(test, skb->len, queued->len);
	KUNIT_EXPECT_EQ(test, 0, skb_copy_bits(queued, queued->len - m->len,
					       got, m->len));
	for (i = 0; i < m->len; i++)
		if (got[i] != msg_byte(i))
			break;
	KUNIT_EXPECT_EQ(test, m->len, i);
	kfree_skb(skb);
	kfree_skb(queued);
}

static void datagram_of_many_pieces_is_copied(struct kunit *test)
{
	struct msg *m = msg_new_slab(test, 4000, 0);
	struct socket *from, *to;
	struct msghdr msg = {};
	struct kvec kv[40];
	unsigned int i;

	/* Pieces next to each other would do with one fragment. */
	for (i = 0; i < ARRAY_SIZE(kv); i++) {
		kv[i].iov_base = m->slab[0] + 100 * i;
		kv[i].iov_len = 100;
	}
	swap(kv[0], kv[39]);
	msg_fill(kv[0].iov_base, 0, 100);
	msg_fill(kv[39].iov_base, 3900, 100);
	sock_pair(test, SOCK_DGRAM, &from, &to);
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, kv, ARRAY_SIZE(kv), 4000);
	KUNIT_EXPECT_EQ(test, 4000, sock_sendmsg_txmsg(from, &msg, &m->txm));
	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&m->released));
	KUNIT_EXPECT_TRUE(test, m->copied);
	KUNIT_EXPECT_EQ(test, 4000, msg_recv(test, to, 0, 4000, 0));
	expect_sane(test);
}

static void socket_of_another_family_gets_a_copy(struct kunit *test)
{
	struct msg *m = msg_new_slab(test, 3000, 0);
	struct socket *from, *to;

	if (sock_create_kern(&init_net, PF_UNIX, SOCK_STREAM, 0, &from))
		kunit_skip(test, "no AF_UNIX");
	sock_own(test, from);
	KUNIT_ASSERT_EQ(test, 0, sock_create_kern(&init_net, PF_UNIX,
						  SOCK_STREAM, 0, &to));
	sock_own(test, to);
	KUNIT_ASSERT_EQ(test, 0, from->ops->socketpair(from, to));

	KUNIT_EXPECT_EQ(test, m->len, msg_send(from, m, 0));
	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&m->released));
	KUNIT_EXPECT_TRUE(test, m->copied);
	KUNIT_EXPECT_EQ(test, m->len, msg_recv(test, to, 0, m->len, 0));
}

static void socket_with_tls_gets_a_copy(struct kunit *test)
{
	struct msg *m = msg_new_slab(test, 50000, 0);
	struct socket *from, *to;
	unsigned int got = 0;

	sock_pair(test, SOCK_STREAM, &from, &to);
	if (from->ops->setsockopt(from, SOL_TCP, TCP_ULP,
				  KERNEL_SOCKPTR("tls"), 4))
		kunit_skip(test, "no TLS");
	KUNIT_EXPECT_EQ(test, m->len, msg_send(from, m, 0));
	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&m->released));
	KUNIT_EXPECT_TRUE(test, m->copied);
	while (got < m->len) {
		int n = msg_recv(test, to, got, m->len - got, 0);

		KUNIT_ASSERT_GT(test, n, 0);
		got += n;
	}
	KUNIT_EXPECT_EQ(test, 0, gate.in_place);
}

enum refuse {
	REFUSE_VMALLOC, REFUSE_USER_ADDRESS, REFUSE_USER_ITER, REFUSE_STACK,
	REFUSE_EMPTY, REFUSE_NO_SEGMENTS, REFUSE_HUGE, REFUSE_SHORT,
	REFUSE_EMPTY_BVEC, REFUSE_DEST, REFUSE_DISCARD, REFUSE_ZEROCOPY,
	REFUSE_SPLICE,
};

static const struct refuse_case {
	const char *name;
	enum refuse what;
	int err;
} refuse_cases[] = {
	{ "vmalloc memory", REFUSE_VMALLOC, -EFAULT },
	{ "a user address", REFUSE_USER_ADDRESS, -EFAULT },
	{ "a user iterator", REFUSE_USER_ITER, -EINVAL },
	{ "the stack", REFUSE_STACK, -EFAULT },
	{ "no bytes", REFUSE_EMPTY, -EINVAL },
	{ "no segments", REFUSE_NO_SEGMENTS, -EINVAL },
	{ "more than 2 GB", REFUSE_HUGE, -EMSGSIZE },
	{ "more bytes than segments", REFUSE_SHORT, -EFAULT },
	{ "an empty bio_vec", REFUSE_EMPTY_BVEC, -EFAULT },
	{ "the wrong direction", REFUSE_DEST, -EINVAL },
	{ "nothing at all", REFUSE_DISCARD, -EINVAL },
	{ "MSG_ZEROCOPY", REFUSE_ZEROCOPY, -EINVAL },
	{ "MSG_SPLICE_PAGES", REFUSE_SPLICE, -EINVAL },
};

static void refuse_desc(const struct refuse_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(refuse, refuse_cases, refuse_desc);

static void what_is_no_message_is_refused(struct kunit *test)
{
	const struct refuse_case *c = test->param_value;
	struct msg *m = msg_new_slab(test, 3000, 0);
	struct kvec kv = { m->slab[0], 3000 };
	struct socket *from, *to;
	struct msghdr msg = {};
	struct bio_vec bv[2];
	u8 on_stack[200] = {};
	void *vm = NULL;

	if (c->what == REFUSE_STACK && !IS_ENABLED(CONFIG_VMAP_STACK))
		kunit_skip(test, "the stack is direct memory");
	sock_pair(test, SOCK_STREAM, &from, &to);
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &kv, 1, 3000);
	switch (c->what) {
	case REFUSE_VMALLOC:
		vm = vzalloc(3000);
		KUNIT_ASSERT_NOT_NULL(test, vm);
		kv.iov_base = vm;
		break;
	case REFUSE_USER_ADDRESS:
		kv.iov_base = (void *)PAGE_SIZE;
		break;
	case REFUSE_USER_ITER:
		iov_iter_ubuf(&msg.msg_iter, ITER_SOURCE,
			      (void __user *)PAGE_SIZE, 100);
		break;
	case REFUSE_STACK:
		kv.iov_base = on_stack;
		iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &kv, 1,
			      sizeof(on_stack));
		break;
	case REFUSE_EMPTY:
		iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &kv, 1, 0);
		break;
	case REFUSE_NO_SEGMENTS:
		iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, NULL, 0, 0);
		break;
	case REFUSE_HUGE:
		iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &kv, 1,
			      (size_t)MAX_RW_COUNT + 1);
		break;
	case REFUSE_SHORT:
		iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &kv, 1, 3001);
		break;
	case REFUSE_EMPTY_BVEC:
		bvec_set_virt(&bv[0], m->slab[0], 0);
		bvec_set_virt(&bv[1], m->slab[0], 3000);
		iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, bv, 2, 3000);
		break;
	case REFUSE_DEST:
		iov_iter_kvec(&msg.msg_iter, ITER_DEST, &kv, 1, 3000);
		break;
	case REFUSE_DISCARD:
		iov_iter_discard(&msg.msg_iter, ITER_DEST, 3000);
		break;
	case REFUSE_ZEROCOPY:
		msg.msg_flags = MSG_ZEROCOPY;
		break;
	case REFUSE_SPLICE:
		msg.msg_flags = MSG_SPLICE_PAGES;
		break;
	}

	KUNIT_EXPECT_EQ(test, c->err, sock_sendmsg_txmsg(from, &msg, &m->txm));
	KUNIT_EXPECT_EQ(test, 0, gate.packets);
	KUNIT_EXPECT_EQ(test, 1, refcount_read(&m->txm.ubuf.refcnt));
	vfree(vm);

	/* It is as good as before. */
	KUNIT_EXPECT_EQ(test, m->len, msg_send(from, m, 0));
	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, m->len,
			msg_recv(test, to, 0, m->len, MSG_WAITALL));
	expect_released(test, m);
}

struct sender {
	struct socket *sock;
	struct msg *m;
	struct completion done;
	int ret;
};

static int sender_thread(void *data)
{
	struct sender *s = data;

	s->ret = msg_send(s->sock, s->m, 0);
	complete(&s->done);

	return 0;
}

static void second_call_at_once_is_refused(struct kunit *test)
{
	struct msg *m = msg_new_slab(test, 900000, 0);
	struct socket *from, *to, *other, *other_to;
	struct sender s = { .m = m };
	struct task_struct *task;
	unsigned int got = 0, i;

	sock_pair(test, SOCK_STREAM, &from, &to);
	sock_pair(test, SOCK_STREAM, &other, &other_to);
	from->sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
	WRITE_ONCE(from->sk->sk_sndbuf, 30000);
	gate.hold = true;
	s.sock = from;
	init_completion(&s.done);
	task = kthread_run(sender_thread, &s, "txmsg_test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (i = 0; i < 1000; i++) {
		if (test_bit(NET_TXMSG_IN_PLACE, &m->txm.state))
			break;
		usleep_range(500, 2000);
	}
	KUNIT_EXPECT_FALSE(test, completion_done(&s.done));
	KUNIT_EXPECT_EQ(test, -EBUSY, msg_send(other, m, 0));
	gate_open(true);
	while (got < m->len) {
		int n = msg_recv(test, to, got, m->len - got, 0);

		KUNIT_ASSERT_GT(test, n, 0);
		got += n;
	}
	KUNIT_EXPECT_NE(test, 0,
			wait_for_completion_timeout(&s.done, 10 * HZ));
	KUNIT_EXPECT_EQ(test, m->len, s.ret);
	net_txmsg_put(&m->txm);
	expect_released(test, m);
	expect_sane(test);
}

#ifdef CONFIG_FAULT_INJECTION
/* Sends with the @n-th allocation failing, and whether there was such. */
static bool fail_send(struct kunit *test, struct socket *sock, struct msg *m,
		      struct msghdr *msg, unsigned int n, int *ret)
{
	struct net_txbuf *spare;
	bool failed;

	/* The one that is kept ready would not have to be allocated. */
	spare = net_txbuf_alloc(NET_TXBUF_ZCOPY_KERNEL, NULL, NULL, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, spare);
	current->fail_nth = n;
	*ret = sock_sendmsg_txmsg(sock, msg, &m->txm);
	failed = !current->fail_nth;
	current->fail_nth = 0;
	net_txbuf_put(spare);

	return failed;
}

/* Each allocation that a send makes fails in turn. */
static void failed_allocation_releases_once(struct kunit *test)
{
	const struct part parts[] = {
		{ PART_SLAB, 100 }, { PART_PAGES, 30000 },
		{ PART_SLAB, 20000 }, {}
	};
	const struct send_case *c = test->param_value;
	bool stream = c->type == SOCK_STREAM;
	unsigned int n, failed = 0;
	struct socket *from, *to;

	sock_pair(test, c->type, &from, &to);
	from->sk->sk_allocation = GFP_ATOMIC | __GFP_NOWARN;
	for (n = 1; n < 40; n++) {
		struct msg *m = msg_new(test, parts, 0);
		unsigned int got = 0, sent = 0, tries = 0;
		struct msghdr msg;
		int ret;

		msg_hdr(m, &msg, MSG_DONTWAIT);
		failed += fail_send(test, from, m, &msg, n, &ret);
		if (ret > 0)
			sent = ret;
		KUNIT_EXPECT_EQ(test, m->len - sent, msg_data_left(&msg));
		while (stream ? got < m->len : got < sent) {
			if (stream && sent < m->len) {
				ret = sock_sendmsg_txmsg(from, &msg, &m->txm);
				KUNIT_ASSERT_TRUE(test, ret > 0 ||
						  ret == -EAGAIN);
				sent += max(ret, 0);
			}
			ret = msg_recv(test, to, got, m->len - got,
				       MSG_DONTWAIT);
			if (ret == -EAGAIN && !stream)
				break;	/* lost on the way up */
			KUNIT_ASSERT_TRUE(test, ret > 0 || ret == -EAGAIN);
			if (ret > 0)
				got += ret;
			else
				msleep(20);
			KUNIT_ASSERT_LT(test, tries++, 500);
		}
		net_txmsg_put(&m->txm);
		expect_released(test, m);
	}
	kunit_info(test, "%u of them failed\n", failed);
	KUNIT_EXPECT_GE(test, failed, 3);
	KUNIT_EXPECT_LT(test, failed, 39);
	expect_sane(test);
}
#else
static void failed_allocation_releases_once(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_FAULT_INJECTION");
}
#endif

static const struct send_case fail_cases[] = {
	{ "tcp", SOCK_STREAM }, { "udp", SOCK_DGRAM },
};

KUNIT_ARRAY_PARAM(fail, fail_cases, send_desc);

static struct kunit_case sock_cases[] = {
	KUNIT_CASE_PARAM(message_arrives_from_where_it_lies, send_gen_params),
	KUNIT_CASE_PARAM(message_is_held_while_a_packet_is_under_way,
			 send_gen_params),
	KUNIT_CASE(lost_packets_are_sent_again_from_the_message),
	KUNIT_CASE(partial_sends_go_on_with_the_same_message),
	KUNIT_CASE(one_message_goes_to_several_sockets),
	KUNIT_CASE(receiver_that_is_gone_lets_the_message_go),
	KUNIT_CASE(sender_may_close_with_data_in_its_queue),
	KUNIT_CASE(messages_and_copied_data_mix_in_a_stream),
	KUNIT_CASE(small_messages_share_a_packet),
	KUNIT_CASE_PARAM(device_that_can_not_gets_a_copy, copy_gen_params),
	KUNIT_CASE(queue_for_user_space_gets_a_copy),
	KUNIT_CASE(datagram_of_many_pieces_is_copied),
	KUNIT_CASE(socket_of_another_family_gets_a_copy),
	KUNIT_CASE(socket_with_tls_gets_a_copy),
	KUNIT_CASE_PARAM(what_is_no_message_is_refused, refuse_gen_params),
	KUNIT_CASE(second_call_at_once_is_refused),
	KUNIT_CASE_PARAM(failed_allocation_releases_once, fail_gen_params),
	{}
};

static struct kunit_suite sock_suite = {
	.name = "net_txmsg_sock",
	.init = sock_test_init,
	.test_cases = sock_cases,
};

kunit_test_suite(sock_suite);

// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of messages of the kernel on sockets that send them in place */

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tcp.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <net/sock.h>
#include "txmsg_model.h"

static const struct send_case {
	const char *name;
	int type;
	struct tm_part parts[TM_MAX_PARTS];
} send_cases[] = {
	{ "tcp, a header of slab", SOCK_STREAM, { { TM_SLAB, 28 } } },
	{ "tcp, one byte", SOCK_STREAM, { { TM_SLAB, 100 } } },
	{ "tcp, slab", SOCK_STREAM, { { TM_SLAB, 5000 } } },
	{ "tcp, large slab", SOCK_STREAM, { { TM_SLAB, 300000 } } },
	{ "tcp, pages", SOCK_STREAM, { { TM_PAGES, 50000 } } },
	{ "tcp, slab, pages, slab", SOCK_STREAM,
	  { { TM_SLAB, 100 }, { TM_PAGES, 40000 }, { TM_SLAB, 7000 } } },
	{ "udp, a header of slab", SOCK_DGRAM, { { TM_SLAB, 128 } } },
	{ "udp, slab", SOCK_DGRAM, { { TM_SLAB, 5000 } } },
	{ "udp, large slab", SOCK_DGRAM, { { TM_SLAB, 60000 } } },
	{ "udp, pages", SOCK_DGRAM, { { TM_PAGES, 50000 } } },
	{ "udp, slab, pages, slab", SOCK_DGRAM,
	  { { TM_SLAB, 100 }, { TM_PAGES, 40000 }, { TM_SLAB, 7000 } } },
};

static void send_desc(const struct send_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(send, send_cases, send_desc);

static void message_arrives_from_where_it_lies(struct kunit *test)
{
	const struct send_case *c = test->param_value;
	struct tm_msg *m = tm_new(test, c->parts, 0);
	struct socket *from, *to;

	tm_pair(test, c->type, &from, &to);
	KUNIT_EXPECT_EQ(test, m->len, tm_send(from, m, 0));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&m->released));
	net_txmsg_put(&m->txm);
	tm_recv_all(test, to, m->len);
	tm_expect_released(test, m);
	/* A packet this small passes the gate without being looked at, and
	 * a slow machine may send again.
	 */
	if (m->len >= 100)
		KUNIT_EXPECT_GE(test, tm_gate.in_place, m->len);
	tm_expect_sane(test);
}

static void message_is_held_while_a_packet_is_under_way(struct kunit *test)
{
	const struct send_case *c = test->param_value;
	struct tm_msg *m = tm_new(test, c->parts, 0);
	struct socket *from, *to;

	if (m->len < 100) {
		net_txmsg_put(&m->txm);
		kunit_skip(test, "the gate lets it pass");
	}
	tm_pair(test, c->type, &from, &to);
	tm_gate.hold = true;
	KUNIT_EXPECT_EQ(test, m->len, tm_send(from, m, MSG_DONTWAIT));
	net_txmsg_put(&m->txm);
	msleep(20);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&m->released));
	tm_gate.drop_every = 1;
	tm_gate_open(false);
	/* A datagram is gone then, a stream will send it again. */
	KUNIT_EXPECT_EQ(test, c->type == SOCK_DGRAM,
			atomic_read(&m->released));
	tm_gate.drop_every = 0;
	tm_close(test, to);
	tm_close(test, from);
	tm_expect_released(test, m);
	/* Nobody was given a copy of a datagram that was lost. */
	if (c->type == SOCK_DGRAM)
		KUNIT_EXPECT_FALSE(test, m->copied);
	tm_expect_sane(test);
}

static void lost_packets_are_sent_again_from_the_message(struct kunit *test)
{
	const struct tm_part parts[] = {
		{ TM_SLAB, 100 }, { TM_PAGES, 60000 },
		{ TM_SLAB, 200000 }, {}
	};
	struct tm_msg *m = tm_new(test, parts, 0);
	struct socket *from, *to;

	tm_pair(test, SOCK_STREAM, &from, &to);
	tm_gate.drop_every = 3;
	tm_transfer(test, from, to, m);
	net_txmsg_put(&m->txm);
	tm_expect_released(test, m);
	KUNIT_EXPECT_GT(test, tm_gate.in_place, m->len);
	tm_expect_sane(test);
}

static void partial_sends_go_on_with_the_same_message(struct kunit *test)
{
	struct tm_msg *m = tm_new_slab(test, 900000, 0);
	unsigned int sent = 0, got = 0, calls = 0;
	struct socket *from, *to;
	struct msghdr msg;

	tm_pair(test, SOCK_STREAM, &from, &to);
	from->sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
	WRITE_ONCE(from->sk->sk_sndbuf, 30000);
	tm_hdr(m, &msg, MSG_DONTWAIT);
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
		n = tm_recv(test, to, got, m->len - got,
			    n > 0 ? MSG_DONTWAIT : 0);
		KUNIT_ASSERT_TRUE(test, n > 0 || n == -EAGAIN);
		if (n > 0)
			got += n;
	}
	KUNIT_EXPECT_GT(test, calls, 3);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&m->released));
	net_txmsg_put(&m->txm);
	tm_expect_released(test, m);
	KUNIT_EXPECT_GE(test, tm_gate.in_place, m->len);
	tm_expect_sane(test);
}

static void one_message_goes_to_several_sockets(struct kunit *test)
{
	struct tm_msg *m = tm_new_slab(test, 3000, 0);
	struct socket *from[3], *to[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(to); i++)
		tm_pair(test, i ? SOCK_DGRAM : SOCK_STREAM, &from[i], &to[i]);
	tm_gate.hold = true;
	for (i = 0; i < ARRAY_SIZE(to); i++)
		KUNIT_EXPECT_EQ(test, m->len, tm_send(from[i], m, 0));
	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&m->released));
	tm_gate_open(true);
	for (i = 0; i < ARRAY_SIZE(to); i++)
		KUNIT_EXPECT_EQ(test, m->len,
				tm_recv(test, to[i], 0, m->len, 0));
	tm_expect_released(test, m);
	tm_expect_sane(test);
}

/* Loss of the kernel's own making, on the way there and back. */
static int netem_set(struct socket *nl, int what, int flags, u32 loss)
{
	struct tc_netem_qopt opt = { .limit = 1000, .loss = loss };
	struct tcmsg tcm = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = tm_gate.dev->ifindex,
		.tcm_parent = TC_H_ROOT,
	};
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
	} ack = {};
	struct msghdr msg = {};
	struct nlmsghdr *nlh;
	struct sk_buff *skb;
	struct kvec kv;
	int err;

	skb = nlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	nlh = nlmsg_put(skb, 0, 0, what, sizeof(tcm),
			NLM_F_REQUEST | NLM_F_ACK | flags);
	memcpy(nlmsg_data(nlh), &tcm, sizeof(tcm));
	nla_put_string(skb, TCA_KIND, "netem");
	nla_put(skb, TCA_OPTIONS, sizeof(opt), &opt);
	nlmsg_end(skb, nlh);
	kv.iov_base = skb->data;
	kv.iov_len = skb->len;
	err = kernel_sendmsg(nl, &msg, &kv, 1, skb->len);
	kfree_skb(skb);
	if (err < 0)
		return err;
	kv.iov_base = &ack;
	kv.iov_len = sizeof(ack);
	memset(&msg, 0, sizeof(msg));
	err = kernel_recvmsg(nl, &msg, &kv, 1, sizeof(ack), 0);

	return err < 0 ? err : ack.err.error;
}

static void netem_remove(void *file)
{
	WARN_ON(netem_set(sock_from_file(file), RTM_DELQDISC, 0, 0));
}

static void netem_close(void *file)
{
	fput(file);
	flush_delayed_fput();
}

static void netem_loses(struct kunit *test, u32 loss)
{
	struct socket *nl;
	struct file *file;
	int err;

	KUNIT_ASSERT_EQ(test, 0, sock_create_kern(&init_net, PF_NETLINK,
						  SOCK_RAW, NETLINK_ROUTE,
						  &nl));
	/* rtnetlink asks who opened it. */
	file = sock_alloc_file(nl, 0, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, netem_close, file));
	err = netem_set(nl, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, loss);
	if (err == -ENOENT)
		kunit_skip(test, "no netem");
	KUNIT_ASSERT_EQ(test, 0, err);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, netem_remove, file));
}

static void netem_loses_packets_and_the_stream_is_whole(struct kunit *test)
{
	const struct tm_part parts[] = {
		{ TM_SLAB, 100 }, { TM_PAGES, 60000 },
		{ TM_SLAB, 200000 }, {}
	};
	struct socket *from, *to;
	struct tm_msg *m;
	int left = 50;

	/* Many packets, of which one in ten is lost. */
	tm_gate_without(NETIF_F_ALL_TSO | NETIF_F_GSO);
	rtnl_lock();
	KUNIT_EXPECT_EQ(test, 0, dev_set_mtu(tm_gate.dev, 1500));
	rtnl_unlock();
	tm_pair(test, SOCK_STREAM, &from, &to);
	netem_loses(test, U32_MAX / 10);
	/* As many messages as it takes to lose a packet. */
	do {
		m = tm_new(test, parts, 0);
		tm_transfer(test, from, to, m);
		net_txmsg_put(&m->txm);
		tm_expect_released(test, m);
	} while (!tcp_sk(from->sk)->total_retrans && --left);
	KUNIT_EXPECT_GT(test, tcp_sk(from->sk)->total_retrans, 0);
	KUNIT_EXPECT_GE(test, tm_gate.in_place, m->len);
	tm_expect_sane(test);
}

static void full_socket_leaves_the_datagram_to_be_sent(struct kunit *test)
{
	struct tm_msg *m = tm_new_slab(test, 5000, 0);
	struct socket *from, *to;
	struct msghdr msg;

	tm_pair(test, SOCK_DGRAM, &from, &to);
	tm_clog(test, SOCK_DGRAM, from);
	tm_hdr(m, &msg, MSG_DONTWAIT);
	KUNIT_EXPECT_EQ(test, -EAGAIN, sock_sendmsg_txmsg(from, &msg, &m->txm));
	KUNIT_EXPECT_EQ(test, m->len, msg_data_left(&msg));
	KUNIT_EXPECT_EQ(test, 1, refcount_read(&m->txm.ubuf.refcnt));
	tm_gate_open(true);
	KUNIT_EXPECT_EQ(test, TM_CLOG, tm_recv(test, to, 0, TM_CLOG, 0));
	KUNIT_EXPECT_EQ(test, m->len, sock_sendmsg_txmsg(from, &msg, &m->txm));
	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, m->len, tm_recv(test, to, 0, m->len, 0));
	tm_expect_released(test, m);
	tm_expect_sane(test);
}

static void receiver_that_is_gone_lets_the_message_go(struct kunit *test)
{
	struct tm_msg *m = tm_new_slab(test, 200000, 0);
	struct tm_msg *late = tm_new_slab(test, 1000, 0);
	struct socket *from, *to;
	int n;

	tm_pair(test, SOCK_STREAM, &from, &to);
	KUNIT_EXPECT_GT(test, tm_send(from, m, MSG_DONTWAIT), 0);
	net_txmsg_put(&m->txm);
	/* With unread data: that is a reset. */
	tm_close(test, to);
	tm_expect_released(test, m);

	n = tm_send(from, late, 0);
	KUNIT_EXPECT_TRUE(test, n == -EPIPE || n == -ECONNRESET);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&late->released));
	net_txmsg_put(&late->txm);
	tm_expect_released(test, late);
	tm_expect_sane(test);
}

static void datagram_to_nobody_lets_the_message_go(struct kunit *test)
{
	struct tm_msg *m = tm_new_slab(test, 5000, 0);
	struct socket *from, *to;

	tm_pair(test, SOCK_DGRAM, &from, &to);
	tm_gate.hold = true;
	KUNIT_EXPECT_EQ(test, m->len, tm_send(from, m, 0));
	tm_close(test, to);
	KUNIT_EXPECT_GT(test, refcount_read(&m->txm.ubuf.refcnt), 1);
	tm_gate_open(true);
	/* What comes back has a copy of the headers only. */
	KUNIT_EXPECT_EQ(test, 1, refcount_read(&m->txm.ubuf.refcnt));
	KUNIT_EXPECT_EQ(test, -ECONNREFUSED, tm_send(from, m, 0));
	net_txmsg_put(&m->txm);
	tm_expect_released(test, m);
	tm_expect_sane(test);
}

static void sender_may_close_with_data_in_its_queue(struct kunit *test)
{
	struct tm_msg *m = tm_new_slab(test, 100000, 0);
	struct socket *from, *to;

	tm_pair(test, SOCK_STREAM, &from, &to);
	tm_gate.hold = true;
	KUNIT_EXPECT_EQ(test, m->len, tm_send(from, m, MSG_DONTWAIT));
	net_txmsg_put(&m->txm);
	tm_close(test, from);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&m->released));
	tm_gate_open(true);
	tm_recv_all(test, to, m->len);
	tm_expect_released(test, m);
	tm_expect_sane(test);
}

static void sender_may_close_with_datagrams_under_way(struct kunit *test)
{
	struct tm_msg *m = tm_new_slab(test, 5000, 0);
	struct socket *from, *to;

	tm_pair(test, SOCK_DGRAM, &from, &to);
	tm_gate.hold = true;
	KUNIT_EXPECT_EQ(test, m->len, tm_send(from, m, 0));
	net_txmsg_put(&m->txm);
	tm_close(test, from);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&m->released));
	tm_gate_open(true);
	KUNIT_EXPECT_EQ(test, m->len, tm_recv(test, to, 0, m->len, 0));
	tm_expect_released(test, m);
	tm_expect_sane(test);
}

/* A datagram of several calls gets a copy: it has no checksum by the device. */
static void corked_datagram_takes_several_messages(struct kunit *test)
{
	struct socket *from, *to;
	struct tm_msg *m[3];
	unsigned int i;

	tm_pair(test, SOCK_DGRAM, &from, &to);
	for (i = 0; i < ARRAY_SIZE(m); i++) {
		m[i] = tm_new_slab(test, 1000, 1000 * i);
		KUNIT_EXPECT_EQ(test, m[i]->len,
				tm_send(from, m[i], i < 2 ? MSG_MORE : 0));
		net_txmsg_put(&m[i]->txm);
		tm_expect_released(test, m[i]);
		KUNIT_EXPECT_TRUE(test, m[i]->copied);
	}
	KUNIT_EXPECT_EQ(test, 3000, tm_recv(test, to, 0, 3000, 0));
	tm_expect_sane(test);
}

static void messages_and_copied_data_mix_in_a_stream(struct kunit *test)
{
	unsigned int pos = 0, got = 0, i;
	struct tm_msg *m[20], *all;
	struct socket *from, *to;

	all = tm_new_slab(test, 60000, 0);
	tm_pair(test, SOCK_STREAM, &from, &to);
	for (i = 0; i < ARRAY_SIZE(m); i++) {
		struct kvec kv = { all->slab[0] + pos, 77 };
		struct msghdr msg = { .msg_flags = MSG_MORE };

		KUNIT_EXPECT_EQ(test, 77, kernel_sendmsg(from, &msg, &kv, 1,
							 77));
		pos += 77;
		m[i] = tm_new_slab(test, 1000 + 100 * i, pos);
		KUNIT_EXPECT_EQ(test, m[i]->len,
				tm_send(from, m[i], i % 3 ? MSG_MORE : 0));
		net_txmsg_put(&m[i]->txm);
		pos += m[i]->len;
	}
	while (got < pos) {
		int n = tm_recv(test, to, got, pos - got, 0);

		KUNIT_ASSERT_GT(test, n, 0);
		got += n;
	}
	for (i = 0; i < ARRAY_SIZE(m); i++)
		tm_expect_released(test, m[i]);
	net_txmsg_put(&all->txm);
	tm_expect_sane(test);
}

static void small_messages_share_a_packet(struct kunit *test)
{
	struct socket *from, *to;
	unsigned int pos = 0, i;
	struct tm_msg *m[10];

	tm_pair(test, SOCK_STREAM, &from, &to);
	tm_gate.hold = true;
	for (i = 0; i < ARRAY_SIZE(m); i++) {
		int more = i + 1 < ARRAY_SIZE(m) ? MSG_MORE : 0;

		m[i] = tm_new_slab(test, 28 + 50 * i, pos);
		KUNIT_EXPECT_EQ(test, m[i]->len, tm_send(from, m[i], more));
		net_txmsg_put(&m[i]->txm);
		pos += m[i]->len;
	}
	KUNIT_EXPECT_EQ(test, 1, tm_gate.packets);
	KUNIT_EXPECT_EQ(test, 1, tm_gate.mixed);
	KUNIT_EXPECT_EQ(test, pos, tm_gate.in_place);

	/* And again from the same memory. */
	tm_gate.drop_every = 1;
	tm_gate_open(false);
	tm_gate.drop_every = 0;
	for (i = 0; i < ARRAY_SIZE(m); i++)
		KUNIT_EXPECT_EQ(test, 0, atomic_read(&m[i]->released));
	KUNIT_EXPECT_EQ(test, pos, tm_recv(test, to, 0, pos, MSG_WAITALL));
	for (i = 0; i < ARRAY_SIZE(m); i++)
		tm_expect_released(test, m[i]);
	tm_expect_sane(test);
}

static struct kunit_case sock_cases[] = {
	KUNIT_CASE_PARAM(message_arrives_from_where_it_lies, send_gen_params),
	KUNIT_CASE_PARAM(message_is_held_while_a_packet_is_under_way,
			 send_gen_params),
	KUNIT_CASE(lost_packets_are_sent_again_from_the_message),
	KUNIT_CASE(netem_loses_packets_and_the_stream_is_whole),
	KUNIT_CASE(partial_sends_go_on_with_the_same_message),
	KUNIT_CASE(full_socket_leaves_the_datagram_to_be_sent),
	KUNIT_CASE(one_message_goes_to_several_sockets),
	KUNIT_CASE(receiver_that_is_gone_lets_the_message_go),
	KUNIT_CASE(datagram_to_nobody_lets_the_message_go),
	KUNIT_CASE(sender_may_close_with_data_in_its_queue),
	KUNIT_CASE(sender_may_close_with_datagrams_under_way),
	KUNIT_CASE(messages_and_copied_data_mix_in_a_stream),
	KUNIT_CASE(small_messages_share_a_packet),
	KUNIT_CASE(corked_datagram_takes_several_messages),
	{}
};

static struct kunit_suite sock_suite = {
	.name = "net_txmsg_sock",
	.init = tm_init,
	.test_cases = sock_cases,
};

kunit_test_suite(sock_suite);

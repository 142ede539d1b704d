// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of messages of the kernel where they have to be copied */

#include <kunit/test.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <uapi/linux/vm_sockets.h>
#include "txmsg_model.h"

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
	struct tm_msg *m = tm_new_slab(test, c->len, 0);
	struct socket *from, *to;

	tm_gate_without(c->without);
	if (c->len > 65000) {
		rtnl_lock();
		KUNIT_EXPECT_EQ(test, 0, dev_set_mtu(tm_gate.dev, 20000));
		rtnl_unlock();
	}
	tm_pair(test, c->type, &from, &to);
	tm_gate.hold = true;
	KUNIT_EXPECT_EQ(test, m->len, tm_send(from, m, 0));
	/* While all the packets are there.  TCP sends in place to any device,
	 * it is the packet that is copied: it may be needed again.
	 */
	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, c->type == SOCK_DGRAM,
			atomic_read(&m->released));
	KUNIT_EXPECT_EQ(test, c->type == SOCK_DGRAM, m->copied);
	tm_gate_open(true);
	tm_recv_all(test, to, m->len);
	tm_expect_released(test, m);
	KUNIT_EXPECT_EQ(test, 0, tm_gate.in_place);
	tm_expect_sane(test);
}

/* As nfnetlink_queue and Open vSwitch do. */
static void queue_for_user_space_gets_a_copy(struct kunit *test)
{
	struct tm_msg *m = tm_new_slab(test, 3000, 0);
	struct sk_buff *skb, *queued;
	struct socket *from, *to;
	unsigned int hlen, i;
	u8 *got;

	tm_pair(test, SOCK_DGRAM, &from, &to);
	tm_gate.hold = true;
	KUNIT_EXPECT_EQ(test, m->len, tm_send(from, m, 0));
	net_txmsg_put(&m->txm);
	skb = skb_dequeue(&tm_gate.held);
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
		if (got[i] != tm_byte(i))
			break;
	KUNIT_EXPECT_EQ(test, m->len, i);
	kfree_skb(skb);
	kfree_skb(queued);
}

static void datagram_of_many_pieces_is_copied(struct kunit *test)
{
	struct tm_msg *m = tm_new_slab(test, 4000, 0);
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
	tm_fill(kv[0].iov_base, 0, 100);
	tm_fill(kv[39].iov_base, 3900, 100);
	tm_pair(test, SOCK_DGRAM, &from, &to);
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, kv, ARRAY_SIZE(kv), 4000);
	KUNIT_EXPECT_EQ(test, 4000, sock_sendmsg_txmsg(from, &msg, &m->txm));
	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&m->released));
	KUNIT_EXPECT_TRUE(test, m->copied);
	KUNIT_EXPECT_EQ(test, 4000, tm_recv(test, to, 0, 4000, 0));
	tm_expect_sane(test);
}

static void unix_pair(struct kunit *test, struct socket **from,
		      struct socket **to)
{
	if (sock_create_kern(&init_net, PF_UNIX, SOCK_STREAM, 0, from))
		kunit_skip(test, "no AF_UNIX");
	tm_own(test, *from);
	KUNIT_ASSERT_EQ(test, 0, sock_create_kern(&init_net, PF_UNIX,
						  SOCK_STREAM, 0, to));
	tm_own(test, *to);
	KUNIT_ASSERT_EQ(test, 0, (*from)->ops->socketpair(*from, *to));
}

/* Its loopback would hand the memory to the receiver as it is. */
static void vsock_pair(struct kunit *test, struct socket **from,
		       struct socket **to)
{
	struct sockaddr_vm vm = {
		.svm_family = AF_VSOCK,
		.svm_cid = VMADDR_CID_LOCAL,
		.svm_port = VMADDR_PORT_ANY,
	};
	struct sockaddr_unsized *addr = (struct sockaddr_unsized *)&vm;
	struct socket *listener;

	if (sock_create_kern(&init_net, PF_VSOCK, SOCK_STREAM, 0, &listener))
		kunit_skip(test, "no AF_VSOCK");
	tm_own(test, listener);
	KUNIT_ASSERT_EQ(test, 0, kernel_bind(listener, addr, sizeof(vm)));
	KUNIT_ASSERT_LT(test, 0,
			kernel_getsockname(listener, (struct sockaddr *)&vm));
	KUNIT_ASSERT_EQ(test, 0, kernel_listen(listener, 1));
	vm.svm_cid = VMADDR_CID_LOCAL;
	KUNIT_ASSERT_EQ(test, 0, sock_create_kern(&init_net, PF_VSOCK,
						  SOCK_STREAM, 0, from));
	tm_own(test, *from);
	if (kernel_connect(*from, addr, sizeof(vm), 0))
		kunit_skip(test, "no loopback of AF_VSOCK");
	KUNIT_ASSERT_EQ(test, 0, kernel_accept(listener, to, 0));
	tm_own(test, *to);
}

static const struct family_case {
	const char *name;
	void (*pair)(struct kunit *test, struct socket **from,
		     struct socket **to);
} family_cases[] = {
	{ "unix", unix_pair },
	{ "vsock", vsock_pair },
};

static void family_desc(const struct family_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(family, family_cases, family_desc);

static void socket_of_another_family_gets_a_copy(struct kunit *test)
{
	const struct family_case *c = test->param_value;
	struct socket *from, *to;
	struct tm_msg *m;

	c->pair(test, &from, &to);
	m = tm_new_slab(test, 3000, 0);
	KUNIT_EXPECT_EQ(test, m->len, tm_send(from, m, 0));
	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&m->released));
	KUNIT_EXPECT_TRUE(test, m->copied);
	KUNIT_EXPECT_EQ(test, m->len, tm_recv(test, to, 0, m->len, 0));
}

/* What a sockmap does to a socket that is put into it. */
static void socket_of_another_protocol_gets_a_copy(struct kunit *test)
{
	struct tm_msg *m = tm_new_slab(test, 3000, 0);
	struct socket *from, *to;

	tm_pair(test, SOCK_STREAM, &from, &to);
	sock_replace_proto(from->sk, READ_ONCE(from->sk->sk_prot));
	KUNIT_EXPECT_EQ(test, m->len, tm_send(from, m, 0));
	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&m->released));
	KUNIT_EXPECT_TRUE(test, m->copied);
	KUNIT_EXPECT_EQ(test, m->len,
			tm_recv(test, to, 0, m->len, MSG_WAITALL));
	KUNIT_EXPECT_EQ(test, 0, tm_gate.in_place);
}

static void socket_with_tls_gets_a_copy(struct kunit *test)
{
	struct socket *from, *to;
	struct tm_msg *m;

	tm_pair(test, SOCK_STREAM, &from, &to);
	if (from->ops->setsockopt(from, SOL_TCP, TCP_ULP,
				  KERNEL_SOCKPTR("tls"), 4))
		kunit_skip(test, "no TLS");
	m = tm_new_slab(test, 50000, 0);
	KUNIT_EXPECT_EQ(test, m->len, tm_send(from, m, 0));
	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&m->released));
	KUNIT_EXPECT_TRUE(test, m->copied);
	tm_recv_all(test, to, m->len);
	KUNIT_EXPECT_EQ(test, 0, tm_gate.in_place);
}

static struct kunit_case copy_test_cases[] = {
	KUNIT_CASE_PARAM(device_that_can_not_gets_a_copy, copy_gen_params),
	KUNIT_CASE(queue_for_user_space_gets_a_copy),
	KUNIT_CASE(datagram_of_many_pieces_is_copied),
	KUNIT_CASE_PARAM(socket_of_another_family_gets_a_copy,
			 family_gen_params),
	KUNIT_CASE(socket_of_another_protocol_gets_a_copy),
	KUNIT_CASE(socket_with_tls_gets_a_copy),
	{}
};

static struct kunit_suite copy_suite = {
	.name = "net_txmsg_copy",
	.init = tm_init,
	.test_cases = copy_test_cases,
};

kunit_test_suite(copy_suite);

// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of messages of the kernel that are sent in the wrong way, or when
 * something goes wrong
 */

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <net/sock.h>
#include <net/txbuf/helpers.h>
#include "txmsg_model.h"

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

static void refuse_on(struct kunit *test, const struct refuse_case *c, int type)
{
	struct tm_msg *m = tm_new_slab(test, 3000, 0);
	unsigned int packets = tm_gate.packets;
	struct kvec kv = { m->slab[0], 3000 };
	struct socket *from, *to;
	struct msghdr msg = {};
	struct bio_vec bv[2];
	u8 on_stack[200] = {};
	void *vm = NULL;
	size_t left;

	tm_pair(test, type, &from, &to);
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

	left = iov_iter_count(&msg.msg_iter);
	KUNIT_EXPECT_EQ(test, c->err, sock_sendmsg_txmsg(from, &msg, &m->txm));
	KUNIT_EXPECT_EQ(test, packets, tm_gate.packets);
	KUNIT_EXPECT_EQ(test, left, iov_iter_count(&msg.msg_iter));
	KUNIT_EXPECT_EQ(test, 1, refcount_read(&m->txm.ubuf.refcnt));
	vfree(vm);

	/* It is as good as before. */
	KUNIT_EXPECT_EQ(test, m->len, tm_send(from, m, 0));
	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, m->len,
			tm_recv(test, to, 0, m->len, MSG_WAITALL));
	tm_expect_released(test, m);
}

static void what_is_no_message_is_refused(struct kunit *test)
{
	const struct refuse_case *c = test->param_value;

	if (c->what == REFUSE_STACK && !IS_ENABLED(CONFIG_VMAP_STACK))
		kunit_skip(test, "the stack is direct memory");
	refuse_on(test, c, SOCK_STREAM);
	refuse_on(test, c, SOCK_DGRAM);
}

static const struct type_case {
	const char *name;
	int type;
	unsigned int len;	/* of a message that has to wait: tm_clog() */
} type_cases[] = {
	{ "tcp", SOCK_STREAM, 900000 },
	{ "udp", SOCK_DGRAM, 50000 },
};

static void type_desc(const struct type_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(type, type_cases, type_desc);

/* What tm_clog() sent, and the message.  Of two datagrams that two processors
 * send, either may come first.
 */
static void recv_clogged(struct kunit *test, const struct type_case *c,
			 struct socket *to)
{
	int first, second;

	if (c->type == SOCK_STREAM) {
		tm_recv_all(test, to, c->len);
		return;
	}

	first = tm_recv(test, to, 0, c->len, 0);
	second = tm_recv(test, to, 0, c->len, 0);
	KUNIT_EXPECT_EQ(test, c->len, max(first, second));
	KUNIT_EXPECT_EQ(test, TM_CLOG, min(first, second));
}

static void second_call_at_once_is_refused(struct kunit *test)
{
	const struct type_case *c = test->param_value;
	struct socket *from, *to, *other, *other_to;
	struct tm_sender s = {};

	s.m = tm_new_slab(test, c->len, 0);
	tm_pair(test, c->type, &from, &to);
	tm_pair(test, c->type, &other, &other_to);
	tm_clog(test, c->type, from);
	s.sock = from;
	tm_start(test, &s);
	KUNIT_EXPECT_EQ(test, -EBUSY, tm_send(other, s.m, MSG_DONTWAIT));
	KUNIT_EXPECT_EQ(test, -EBUSY, tm_send(from, s.m, MSG_DONTWAIT));
	tm_gate_open(true);
	recv_clogged(test, c, to);
	KUNIT_EXPECT_NE(test, 0,
			wait_for_completion_timeout(&s.done, 10 * HZ));
	KUNIT_EXPECT_EQ(test, c->len, s.ret);
	net_txmsg_put(&s.m->txm);
	tm_expect_released(test, s.m);
	tm_expect_sane(test);
}

static void shutdown_by_another_thread_ends_the_call(struct kunit *test)
{
	const struct type_case *c = test->param_value;
	struct tm_sender s = {};
	struct socket *to;

	s.m = tm_new_slab(test, c->len, 0);
	tm_pair(test, c->type, &s.sock, &to);
	tm_clog(test, c->type, s.sock);
	tm_start(test, &s);
	KUNIT_EXPECT_EQ(test, 0, kernel_sock_shutdown(s.sock, SHUT_RDWR));
	KUNIT_EXPECT_NE(test, 0,
			wait_for_completion_timeout(&s.done, 10 * HZ));
	/* A stream has taken some of it. */
	if (c->type == SOCK_STREAM)
		KUNIT_EXPECT_TRUE(test, s.ret > 0 && s.ret < s.m->len);
	else
		KUNIT_EXPECT_EQ(test, -EPIPE, s.ret);
	KUNIT_EXPECT_EQ(test, -EPIPE, tm_send(s.sock, s.m, 0));
	net_txmsg_put(&s.m->txm);
	KUNIT_EXPECT_EQ(test, c->type == SOCK_DGRAM,
			atomic_read(&s.m->released));
	tm_close(test, to);
	tm_close(test, s.sock);
	tm_gate_open(true);
	tm_expect_released(test, s.m);
	tm_expect_sane(test);
}

/* As close() does while another thread is in sendmsg(): that one is the last
 * to hold the file, and closes the socket with data in its queue.
 */
static void socket_closed_by_another_thread_sends_it_all(struct kunit *test)
{
	const struct type_case *c = test->param_value;
	struct tm_sender s = {};
	struct socket *to;

	s.m = tm_new_slab(test, c->len, 0);
	tm_pair(test, c->type, &s.sock, &to);
	tm_clog(test, c->type, s.sock);
	tm_disown(test, s.sock);
	s.file = sock_alloc_file(s.sock, 0, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(s.file));
	get_file(s.file);
	tm_start(test, &s);
	fput(s.file);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&s.m->released));
	tm_gate_open(true);
	recv_clogged(test, c, to);
	KUNIT_EXPECT_NE(test, 0,
			wait_for_completion_timeout(&s.done, 10 * HZ));
	KUNIT_EXPECT_EQ(test, c->len, s.ret);
	net_txmsg_put(&s.m->txm);
	flush_delayed_fput();
	tm_expect_released(test, s.m);
	tm_expect_sane(test);
}

static void receiver_may_close_while_a_call_waits(struct kunit *test)
{
	const struct type_case *c = test->param_value;
	struct tm_sender s = {};
	struct socket *to;

	s.m = tm_new_slab(test, c->len, 0);
	tm_pair(test, c->type, &s.sock, &to);
	tm_clog(test, c->type, s.sock);
	tm_start(test, &s);
	tm_close(test, to);
	tm_gate_open(true);
	KUNIT_EXPECT_NE(test, 0,
			wait_for_completion_timeout(&s.done, 10 * HZ));
	/* A stream is reset, a datagram may be refused, or sent in vain. */
	KUNIT_EXPECT_NE(test, c->type == SOCK_STREAM ? c->len : 0, s.ret);
	net_txmsg_put(&s.m->txm);
	tm_close(test, s.sock);
	tm_expect_released(test, s.m);
	tm_expect_sane(test);
}

static void destroy_wq(void *wq)
{
	destroy_workqueue(wq);
}

static void release_on_a_workqueue_may_send_again(struct kunit *test)
{
	const struct type_case *c = test->param_value;
	struct tm_msg *m = tm_new_slab(test, 5000, 0);
	struct workqueue_struct *wq;
	struct socket *from, *to;
	unsigned int i;

	wq = alloc_workqueue("txmsg_test", WQ_UNBOUND, 0);
	KUNIT_ASSERT_NOT_NULL(test, wq);
	tm_pair(test, c->type, &from, &to);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, destroy_wq, wq));
	net_txmsg_init(&m->txm, m->txm.release, wq);
	m->again = 3;
	m->again_on = from;
	KUNIT_EXPECT_EQ(test, m->len, tm_send(from, m, 0));
	net_txmsg_put(&m->txm);
	for (i = 0; i < 4; i++)
		tm_recv_all(test, to, m->len);
	tm_expect_released(test, m);
	KUNIT_EXPECT_EQ(test, 0, m->again);
	KUNIT_EXPECT_GE(test, tm_gate.in_place, 4 * m->len);
	tm_expect_sane(test);
}

static void message_that_is_released_is_refused(struct kunit *test)
{
	const struct type_case *c = test->param_value;
	struct tm_msg *m = tm_new_slab(test, 3000, 0);
	struct kvec kv = { kunit_kzalloc(test, 3000, GFP_KERNEL), 3000 };
	struct socket *from, *to;
	struct msghdr msg = {};

	KUNIT_ASSERT_NOT_NULL(test, kv.iov_base);
	tm_pair(test, c->type, &from, &to);
	net_txmsg_put(&m->txm);
	tm_expect_released(test, m);
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &kv, 1, 3000);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, -EINVAL,
				sock_sendmsg_txmsg(from, &msg, &m->txm));
	}
	KUNIT_EXPECT_EQ(test, 0, tm_gate.packets);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&m->released));
}

#ifdef CONFIG_FAULT_INJECTION
/* Sends with the @n-th allocation failing, and whether there was such. */
static bool fail_send(struct kunit *test, struct socket *sock, struct tm_msg *m,
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
	const struct tm_part parts[] = {
		{ TM_SLAB, 100 }, { TM_PAGES, 30000 },
		{ TM_SLAB, 20000 }, {}
	};
	const struct type_case *c = test->param_value;
	bool stream = c->type == SOCK_STREAM;
	unsigned int n, failed = 0;
	struct socket *from, *to;

	tm_pair(test, c->type, &from, &to);
	from->sk->sk_allocation = GFP_ATOMIC | __GFP_NOWARN;
	for (n = 1; n < 40; n++) {
		struct tm_msg *m = tm_new(test, parts, 0);
		unsigned int got = 0, sent = 0, tries = 0;
		struct msghdr msg;
		int ret;

		tm_hdr(m, &msg, MSG_DONTWAIT);
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
			ret = tm_recv(test, to, got, m->len - got,
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
		tm_expect_released(test, m);
	}
	kunit_info(test, "%u of them failed\n", failed);
	KUNIT_EXPECT_GE(test, failed, 3);
	KUNIT_EXPECT_LT(test, failed, 39);
	tm_expect_sane(test);
}
#else
static void failed_allocation_releases_once(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_FAULT_INJECTION");
}
#endif

static struct kunit_case misuse_cases[] = {
	KUNIT_CASE_PARAM(what_is_no_message_is_refused, refuse_gen_params),
	KUNIT_CASE_PARAM(message_that_is_released_is_refused, type_gen_params),
	KUNIT_CASE_PARAM(second_call_at_once_is_refused, type_gen_params),
	KUNIT_CASE_PARAM(shutdown_by_another_thread_ends_the_call,
			 type_gen_params),
	KUNIT_CASE_PARAM(socket_closed_by_another_thread_sends_it_all,
			 type_gen_params),
	KUNIT_CASE_PARAM(receiver_may_close_while_a_call_waits,
			 type_gen_params),
	KUNIT_CASE_PARAM(release_on_a_workqueue_may_send_again,
			 type_gen_params),
	KUNIT_CASE_PARAM(failed_allocation_releases_once, type_gen_params),
	{}
};

static struct kunit_suite misuse_suite = {
	.name = "net_txmsg_misuse",
	.init = tm_init,
	.test_cases = misuse_cases,
};

kunit_test_suite(misuse_suite);

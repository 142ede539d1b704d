// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of what is handed out of an skb whose memory has an owner */

#include <linux/highmem.h>
#include <linux/net.h>
#include <linux/pipe_fs_i.h>
#include <net/sock.h>

#include "txbuf_model.h"

#define PLAIN		-1
#define PIPE_BUFS	32

/* The last frag of each crosses a page boundary. */
static const struct txm_frag owned[] = {
	{ 0, 100 }, { 0, 300 }, { 1, 1 }, { 1, 70 }, { 0, 5000 },
};

static const struct txm_frag plain[] = {
	{ PLAIN, 100 }, { PLAIN, 300 }, { PLAIN, 5000 },
};

static const struct txm_frag both[] = {
	{ 0, 100 }, { PLAIN, 300 }, { PLAIN, 10 }, { 1, 5000 }, { PLAIN, 9 },
};

static const struct splice_case {
	const char *name;
	const struct txm_frag *frags;
	unsigned int nr_frags, headlen;
} splice_cases[] = {
	{ "owned", owned, ARRAY_SIZE(owned), 0 },
	{ "owned and head", owned, ARRAY_SIZE(owned), 40 },
	{ "plain", plain, ARRAY_SIZE(plain), 0 },
	{ "plain and head", plain, ARRAY_SIZE(plain), 40 },
	{ "both", both, ARRAY_SIZE(both), 40 },
};

static void splice_desc(const struct splice_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(splice, splice_cases, splice_desc);

static void splice_release_sock(void *sock)
{
	sock_release(sock);
}

/* skb_splice_bits() takes the pages to copy into from a socket. */
static struct sock *splice_sock(struct kunit *test)
{
	struct socket *sock;

	KUNIT_ASSERT_EQ(test, 0, sock_create_kern(&init_net, PF_INET,
						  SOCK_DGRAM, 0, &sock));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, splice_release_sock,
						  sock));
	return sock->sk;
}

static struct pipe_inode_info *splice_pipe(struct kunit *test)
{
	struct pipe_inode_info *pipe;

	pipe = kunit_kzalloc(test, sizeof(*pipe), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pipe);
	pipe->bufs = kunit_kcalloc(test, PIPE_BUFS, sizeof(*pipe->bufs),
				   GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pipe->bufs);
	pipe->max_usage = PIPE_BUFS;
	pipe->ring_size = PIPE_BUFS;
	pipe->readers = 1;

	return pipe;
}

/* Is the byte at @pos in a plain page that the skb refers to? */
static bool splice_is_plain(const struct splice_case *c, unsigned int pos)
{
	unsigned int edge = c->headlen, i;

	if (pos < edge)
		return false;
	for (i = 0; i < c->nr_frags; i++) {
		edge += c->frags[i].len;
		if (pos < edge)
			return c->frags[i].owner == PLAIN;
	}

	return false;
}

static bool splice_page_is_of(struct txm *m, struct page *page)
{
	unsigned int i;

	for (i = 0; i < TXM_PAGES; i++)
		if (page_folio(page) == page_folio(m->pages[i]))
			return true;

	return false;
}

/* Compare what came into the pipe, and empty it. */
static void splice_check(struct txm *m, const struct splice_case *c,
			 struct pipe_inode_info *pipe, unsigned int pos,
			 unsigned int len)
{
	const u8 *want = m->skb[0].bytes;
	unsigned int end = pos + len;

	for (; pipe->tail != pipe->head; pipe->tail++) {
		struct pipe_buffer *buf = pipe_buf(pipe, pipe->tail);
		struct page *page = buf->page + (buf->offset >> PAGE_SHIFT);
		unsigned int left = buf->len, off = offset_in_page(buf->offset);

		KUNIT_EXPECT_EQ(m->test, splice_is_plain(c, pos),
				splice_page_is_of(m, buf->page));
		while (left) {
			unsigned int n = min_t(unsigned int, left,
					       PAGE_SIZE - off);

			KUNIT_EXPECT_MEMEQ(m->test, page_address(page) + off,
					   want + pos, n);
			pos += n;
			left -= n;
			off = 0;
			page++;
		}
		put_page(buf->page);
	}
	KUNIT_EXPECT_EQ(m->test, end, pos);
}

static void pipe_gets_owned_memory_only_as_a_copy(struct kunit *test)
{
	struct pipe_inode_info *pipe = splice_pipe(test);
	const struct splice_case *c = test->param_value;
	struct sock *sk = splice_sock(test);
	struct txm *m = txm_create(test, 1);
	unsigned int pos, len;
	int got;

	txm_build(m, c->headlen, c->frags, c->nr_frags, false);
	len = m->skb[0].len;
	for (pos = 0; pos < len; pos += 33) {
		got = skb_splice_bits(m->skb[0].skb, sk, pos, pipe, len - pos,
				      0);
		KUNIT_EXPECT_EQ(test, len - pos, got);
		splice_check(m, c, pipe, pos, got);
		got = skb_splice_bits(m->skb[0].skb, sk, pos, pipe, 1, 0);
		KUNIT_EXPECT_EQ(test, 1, got);
		splice_check(m, c, pipe, pos, got);
		if (!txm_check(m))
			return;
	}
	txm_drain(m);
}

static void owned_memory_is_shared_without_any_flag(struct kunit *test)
{
	const struct splice_case *c = test->param_value;
	struct txm *m = txm_create(test, 1);
	struct skb_shared_info *shinfo;
	bool any_owned = false;
	struct sk_buff *skb;
	unsigned int i;

	for (i = 0; i < c->nr_frags; i++)
		if (c->frags[i].owner != PLAIN)
			any_owned = true;

	skb = m->skb[txm_build(m, c->headlen, c->frags, c->nr_frags,
			       false)].skb;
	shinfo = skb_shinfo(skb);
	KUNIT_EXPECT_EQ(test, any_owned, skb_has_txbuf_frag(skb));
	KUNIT_EXPECT_EQ(test, any_owned, skb_has_shared_frag(skb));
	shinfo->flags |= SKBFL_SHARED_FRAG;
	KUNIT_EXPECT_TRUE(test, skb_has_shared_frag(skb));
	shinfo->flags &= ~SKBFL_SHARED_FRAG;

	/* In the head it belongs to the skb. */
	txm_linearize(m, 0);
	KUNIT_EXPECT_FALSE(test, skb_has_shared_frag(skb));
	if (txm_check(m))
		txm_drain(m);
}

static struct kunit_case splice_cases_list[] = {
	KUNIT_CASE_PARAM(pipe_gets_owned_memory_only_as_a_copy,
			 splice_gen_params),
	KUNIT_CASE_PARAM(owned_memory_is_shared_without_any_flag,
			 splice_gen_params),
	{}
};

static struct kunit_suite splice_suite = {
	.name = "net_txbuf_splice",
	.test_cases = splice_cases_list,
};

kunit_test_suite(splice_suite);

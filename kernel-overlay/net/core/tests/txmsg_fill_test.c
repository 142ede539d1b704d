// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of attaching memory of a message to an skb */

#include <kunit/test.h>
#include <linux/bvec.h>
#include <linux/folio_queue.h>
#include <linux/mm.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <net/txbuf/helpers.h>
#include <net/txbuf/msg.h>

#define FILL_BYTES	(24 * PAGE_SIZE)
#define PG		PAGE_SIZE

/* Kernel memory of several kinds with known bytes, and a message. */
struct fill {
	struct net_txmsg txm[2];
	unsigned int released[2];
	struct sk_buff *skb;
	u8 *small;
	u8 *big;
	struct page *pages[4];
	u8 *expect;
	unsigned int len;
};

static struct fill *current_fill;

static void fill_release(struct net_txmsg *txm, bool copied)
{
	current_fill->released[txm - current_fill->txm]++;
}

static void fill_free_page(void *page)
{
	__free_page(page);
}

static int fill_init(struct kunit *test)
{
	struct fill *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	current_fill = f;
	f->small = kunit_kmalloc(test, 1000, GFP_KERNEL);
	f->big = kunit_kmalloc(test, FILL_BYTES, GFP_KERNEL);
	f->expect = kunit_kzalloc(test, FILL_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->small);
	KUNIT_ASSERT_NOT_NULL(test, f->big);
	KUNIT_ASSERT_NOT_NULL(test, f->expect);
	for (i = 0; i < 1000; i++)
		f->small[i] = 7 * i;
	for (i = 0; i < FILL_BYTES; i++)
		f->big[i] = i + i / 251;
	for (i = 0; i < ARRAY_SIZE(f->pages); i++) {
		f->pages[i] = alloc_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, f->pages[i]);
		memset(page_address(f->pages[i]), 0x50 + i, PG);
		KUNIT_ASSERT_EQ(test, 0,
				kunit_add_action_or_reset(test, fill_free_page,
							  f->pages[i]));
	}
	for (i = 0; i < ARRAY_SIZE(f->txm); i++)
		net_txmsg_init(&f->txm[i], fill_release, NULL);
	f->skb = alloc_skb(64, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->skb);

	return 0;
}

static int fill_from(struct fill *f, struct iov_iter *from,
		     struct net_txmsg *txm)
{
	return net_txmsg_fill_skb(f->skb, from, iov_iter_count(from), txm,
				  GFP_KERNEL);
}

static int fill_virt(struct fill *f, const void *addr, size_t len,
		     struct net_txmsg *txm)
{
	struct kvec kv = { .iov_base = (void *)addr, .iov_len = len };
	struct iov_iter from;

	memcpy(f->expect + f->len, addr, len);
	f->len += len;
	iov_iter_kvec(&from, ITER_SOURCE, &kv, 1, len);

	return fill_from(f, &from, txm);
}

/* The data of the skb is what was put there, in slots and not in pages. */
static void fill_expect(struct kunit *test, unsigned int nr_frags)
{
	struct fill *f = test->priv;
	unsigned int i;
	u8 *got;

	got = kunit_kzalloc(test, FILL_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, got);
	KUNIT_ASSERT_EQ(test, f->len, f->skb->len);
	KUNIT_EXPECT_EQ(test, f->len, f->skb->data_len);
	KUNIT_EXPECT_EQ(test, 0, skb_copy_bits(f->skb, 0, got, f->len));
	KUNIT_EXPECT_MEMEQ(test, got, f->expect, f->len);
	KUNIT_EXPECT_EQ(test, nr_frags, skb_shinfo(f->skb)->nr_frags);
	for (i = 0; i < skb_shinfo(f->skb)->nr_frags; i++) {
		skb_frag_t *frag = &skb_shinfo(f->skb)->frags[i];
		netmem_ref netmem = skb_frag_netmem(frag);

		KUNIT_ASSERT_TRUE(test, netmem_is_txbuf(netmem));
		KUNIT_EXPECT_EQ(test, NET_TXBUF_ZCOPY_KERNEL,
				netmem_to_txbuf(netmem)->type);
	}
}

static void fill_done(struct kunit *test)
{
	struct fill *f = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(f->txm); i++) {
		net_txmsg_put(&f->txm[i]);
		f->released[i] += 10;
	}
	kfree_skb(f->skb);
	for (i = 0; i < ARRAY_SIZE(f->txm); i++)
		KUNIT_EXPECT_EQ(test, 11, f->released[i]);
	for (i = 0; i < ARRAY_SIZE(f->pages); i++)
		KUNIT_EXPECT_EQ(test, 1, page_ref_count(f->pages[i]));
}

static const struct range_case {
	const char *name;
	unsigned long start, len;
} range_cases[] = {
	{ "one byte", 0, 1 },
	{ "two bytes in two pages", PG - 1, 2 },
	{ "inside a page", 100, 200 },
	{ "one page, not aligned", 1, PG },
	{ "17 pages, cut at both ends", 5, 17 * PG - 10 },
	{ "all", 0, FILL_BYTES },
};

static void range_desc(const struct range_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(range, range_cases, range_desc);

static void memory_of_one_allocation_is_one_slot(struct kunit *test)
{
	const struct range_case *c = test->param_value;
	struct fill *f = test->priv;
	unsigned int truesize;

	truesize = f->skb->truesize;
	KUNIT_EXPECT_EQ(test, 0, fill_virt(f, f->big + c->start, c->len,
					   &f->txm[0]));
	fill_expect(test, 1);
	KUNIT_EXPECT_EQ(test, c->len, f->skb->truesize - truesize);
	KUNIT_EXPECT_EQ(test, 2, refcount_read(&f->txm[0].ubuf.refcnt));
	fill_done(test);
}

static void pieces_continue_the_slot_before_them(struct kunit *test)
{
	struct fill *f = test->priv;
	unsigned int pos;

	for (pos = 0; pos < 3 * PG; pos += PG / 8)
		KUNIT_EXPECT_EQ(test, 0, fill_virt(f, f->big + pos, PG / 8,
						   &f->txm[0]));
	fill_expect(test, 1);
	KUNIT_EXPECT_EQ(test, 2, refcount_read(&f->txm[0].ubuf.refcnt));
	fill_done(test);
}

static void pieces_of_a_page_leave_its_references_alone(struct kunit *test)
{
	struct fill *f = test->priv;
	const u8 *bytes = page_address(f->pages[0]);
	unsigned int pos;

	for (pos = 0; pos < PG; pos += PG / 8) {
		KUNIT_EXPECT_EQ(test, 0, fill_virt(f, bytes + pos, PG / 8,
						   &f->txm[0]));
		KUNIT_EXPECT_EQ(test, 1, page_ref_count(f->pages[0]));
	}
	fill_expect(test, 1);
	fill_done(test);
}

static void messages_do_not_share_an_owner(struct kunit *test)
{
	struct fill *f = test->priv;

	KUNIT_EXPECT_EQ(test, 0, fill_virt(f, f->big, 100, &f->txm[0]));
	KUNIT_EXPECT_EQ(test, 0, fill_virt(f, f->big + 100, 100, &f->txm[1]));
	KUNIT_EXPECT_EQ(test, 0, fill_virt(f, f->big + 200, 100, &f->txm[0]));
	fill_expect(test, 3);
	KUNIT_EXPECT_EQ(test, 3, refcount_read(&f->txm[0].ubuf.refcnt));
	KUNIT_EXPECT_EQ(test, 2, refcount_read(&f->txm[1].ubuf.refcnt));
	fill_done(test);
}

static void empty_parts_of_a_vector_are_passed_over(struct kunit *test)
{
	struct fill *f = test->priv;
	struct kvec kv[] = {
		{ NULL, 0 }, { f->small, 10 }, { NULL, 0 }, { NULL, 0 },
		{ f->big + 5, 20 }, { f->small + 500, 1 }, { NULL, 0 },
	};
	struct iov_iter from;

	memcpy(f->expect, f->small, 10);
	memcpy(f->expect + 10, f->big + 5, 20);
	f->expect[30] = f->small[500];
	f->len = 31;
	iov_iter_kvec(&from, ITER_SOURCE, kv, ARRAY_SIZE(kv), 31);
	KUNIT_EXPECT_EQ(test, 0, fill_from(f, &from, &f->txm[0]));
	KUNIT_EXPECT_EQ(test, 0, iov_iter_count(&from));
	fill_expect(test, 3);
	fill_done(test);
}

static void pages_and_slab_mix_in_a_bvec(struct kunit *test)
{
	struct fill *f = test->priv;
	struct bio_vec bv[5];
	struct iov_iter from;

	bvec_set_virt(&bv[0], f->small, 1000);
	bvec_set_page(&bv[1], f->pages[0], PG, 0);
	bvec_set_page(&bv[2], f->pages[1], 100, PG - 100);
	bvec_set_virt(&bv[3], f->big, 2 * PG);
	bvec_set_page(&bv[4], f->pages[2], 10, 20);
	memcpy(f->expect, f->small, 1000);
	memset(f->expect + 1000, 0x50, PG);
	memset(f->expect + 1000 + PG, 0x51, 100);
	memcpy(f->expect + 1100 + PG, f->big, 2 * PG);
	memset(f->expect + 1100 + 3 * PG, 0x52, 10);
	f->len = 1110 + 3 * PG;

	iov_iter_bvec(&from, ITER_SOURCE, bv, ARRAY_SIZE(bv), f->len);
	KUNIT_EXPECT_EQ(test, 0, fill_from(f, &from, &f->txm[0]));
	fill_expect(test, 5);
	fill_done(test);
}

static void folio_queues_are_taken(struct kunit *test)
{
	struct folio_queue *fq = kunit_kzalloc(test, sizeof(*fq), GFP_KERNEL);
	struct fill *f = test->priv;
	struct iov_iter from;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, fq);
	folioq_init(fq, 0);
	for (i = 0; i < ARRAY_SIZE(f->pages); i++) {
		folioq_append(fq, page_folio(f->pages[i]));
		memset(f->expect + i * PG, 0x50 + i, PG);
	}
	f->len = 4 * PG;
	iov_iter_folio_queue(&from, ITER_SOURCE, fq, 0, 0, f->len);
	KUNIT_EXPECT_EQ(test, 0, fill_from(f, &from, &f->txm[0]));
	/* Single pages follow each other by chance only. */
	fill_expect(test, skb_shinfo(f->skb)->nr_frags);
	fill_done(test);
}

static void full_skb_leaves_the_rest(struct kunit *test)
{
	struct fill *f = test->priv;
	struct iov_iter from;
	struct kvec kv[24];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kv); i++) {
		kv[i].iov_base = f->big + i * PG;
		kv[i].iov_len = 10;
		if (i < MAX_SKB_FRAGS)
			memcpy(f->expect + i * 10, kv[i].iov_base, 10);
	}
	f->len = MAX_SKB_FRAGS * 10;
	iov_iter_kvec(&from, ITER_SOURCE, kv, ARRAY_SIZE(kv), 240);
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, fill_from(f, &from, &f->txm[0]));
	KUNIT_EXPECT_EQ(test, 240 - f->len, iov_iter_count(&from));
	fill_expect(test, MAX_SKB_FRAGS);
	fill_done(test);
}

static void user_memory_is_not_for_messages(struct kunit *test)
{
	struct fill *f = test->priv;
	struct iov_iter from;

	iov_iter_ubuf(&from, ITER_SOURCE, (void __user *)PG, 10);
	KUNIT_EXPECT_EQ(test, -EFAULT, fill_from(f, &from, &f->txm[0]));
	fill_expect(test, 0);
	fill_done(test);
}

static struct kunit_case fill_cases[] = {
	KUNIT_CASE_PARAM(memory_of_one_allocation_is_one_slot,
			 range_gen_params),
	KUNIT_CASE(pieces_continue_the_slot_before_them),
	KUNIT_CASE(pieces_of_a_page_leave_its_references_alone),
	KUNIT_CASE(messages_do_not_share_an_owner),
	KUNIT_CASE(empty_parts_of_a_vector_are_passed_over),
	KUNIT_CASE(pages_and_slab_mix_in_a_bvec),
	KUNIT_CASE(folio_queues_are_taken),
	KUNIT_CASE(full_skb_leaves_the_rest),
	KUNIT_CASE(user_memory_is_not_for_messages),
	{}
};

static struct kunit_suite fill_suite = {
	.name = "net_txmsg_fill",
	.init = fill_init,
	.test_cases = fill_cases,
};

kunit_test_suite(fill_suite);

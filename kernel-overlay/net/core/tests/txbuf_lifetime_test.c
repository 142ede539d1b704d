// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of the lifetime of struct net_txbuf */

#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/skbuff_ref.h>
#include <net/txbuf/helpers.h>

/* What a test txbuf and its completion went through. */
struct life {
	struct ubuf_info ubuf;
	struct net_txbuf *last;
	unsigned int released;
	unsigned int completed;
	bool success;
	bool wrong_order;
};

static void life_release(struct net_txbuf *tb)
{
	struct life *l = tb->priv;

	l->last = tb;
	l->released++;
	if (l->completed)
		l->wrong_order = true;
}

static const struct net_txbuf_ops life_ops = {
	.release = life_release,
};

static void life_complete(struct sk_buff *skb, struct ubuf_info *ubuf,
			  bool success)
{
	struct life *l = container_of(ubuf, struct life, ubuf);

	if (!success)
		l->success = false;
	if (refcount_dec_and_test(&ubuf->refcnt))
		l->completed++;
}

static const struct ubuf_info_ops life_ubuf_ops = {
	.complete = life_complete,
};

static struct net_txbuf *life_alloc(struct kunit *test)
{
	struct life *l = test->priv;
	struct net_txbuf *tb;

	tb = net_txbuf_alloc(NET_TXBUF_ZCOPY_KERNEL, &life_ops, &l->ubuf,
			     GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tb);
	tb->priv = l;

	return tb;
}

static int life_init(struct kunit *test)
{
	struct life *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);

	if (!l)
		return -ENOMEM;
	l->ubuf.ops = &life_ubuf_ops;
	refcount_set(&l->ubuf.refcnt, 1);
	l->success = true;
	test->priv = l;

	return 0;
}

static void life_free_page(void *page)
{
	__free_pages(page, 1);
}

/* Two pages that form one folio. */
static struct page *life_page(struct kunit *test)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 1);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, life_free_page, page));

	return page;
}

static void alloc_holds_completion_until_release(struct kunit *test)
{
	struct net_txbuf *tb = life_alloc(test);
	struct life *l = test->priv;

	KUNIT_EXPECT_EQ(test, 0, (unsigned long)tb % NET_TXBUF_SIZE);
	KUNIT_EXPECT_EQ(test, 1, refcount_read(&tb->ref));
	KUNIT_EXPECT_EQ(test, 2, refcount_read(&l->ubuf.refcnt));
	KUNIT_EXPECT_EQ(test, 0, tb->nr_slots);
	KUNIT_EXPECT_EQ(test, NET_TXBUF_MAX_SLOTS, tb->max_slots);
	KUNIT_EXPECT_EQ(test, NET_TXBUF_ZCOPY_KERNEL, tb->type);

	net_zcopy_put(&l->ubuf);
	KUNIT_EXPECT_EQ(test, 0, l->completed);
	net_txbuf_put(tb);
	KUNIT_EXPECT_EQ(test, 1, l->released);
	KUNIT_EXPECT_EQ(test, 1, l->completed);
	KUNIT_EXPECT_TRUE(test, l->success);
	KUNIT_EXPECT_FALSE(test, l->wrong_order);
}

static void alloc_needs_neither_ops_nor_completion(struct kunit *test)
{
	struct net_txbuf *tb;

	tb = net_txbuf_alloc(NET_TXBUF_ZCOPY_KERNEL, NULL, NULL, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tb);
	net_txbuf_put(tb);
}

static void tag_leads_from_every_slot_to_its_txbuf(struct kunit *test)
{
	struct net_txbuf *tb = life_alloc(test);
	struct page *page = life_page(test);
	unsigned int i;

	KUNIT_EXPECT_TRUE(test, netmem_is_page(page_to_netmem(page)));
	KUNIT_EXPECT_FALSE(test, netmem_is_txbuf(page_to_netmem(page)));

	for (i = 0; i < NET_TXBUF_MAX_SLOTS; i++) {
		netmem_ref netmem = net_txbuf_append(tb, page, i, i + 1);

		KUNIT_EXPECT_TRUE(test, netmem_is_txbuf(netmem));
		KUNIT_EXPECT_FALSE(test, netmem_is_page(netmem));
		KUNIT_EXPECT_FALSE(test, netmem_is_net_iov(netmem));
		KUNIT_EXPECT_PTR_EQ(test, tb, netmem_to_txbuf(netmem));
		KUNIT_EXPECT_PTR_EQ(test, &tb->bv[i],
				    netmem_to_txbuf_slot(netmem));
		KUNIT_EXPECT_EQ(test, i, tb->bv[i].bv_offset);
		KUNIT_EXPECT_EQ(test, i + 1, tb->bv[i].bv_len);
	}
	KUNIT_EXPECT_FALSE(test, netmem_is_txbuf(net_txbuf_append(tb, page, 0,
								  1)));
	KUNIT_EXPECT_EQ(test, NET_TXBUF_MAX_SLOTS, tb->nr_slots);
	KUNIT_EXPECT_EQ(test, 1, page_ref_count(page));
	net_txbuf_put(tb);
}

static void frag_refs_count_on_txbuf_and_not_on_page(struct kunit *test)
{
	struct net_txbuf *tb = life_alloc(test);
	struct page *page = life_page(test);
	struct life *l = test->priv;
	skb_frag_t frag;

	skb_frag_fill_netmem_desc(&frag, net_txbuf_append(tb, page, 0, 100),
				  0, 100);
	__skb_frag_ref(&frag);
	KUNIT_EXPECT_EQ(test, 2, refcount_read(&tb->ref));
	__skb_frag_ref(&frag);
	KUNIT_EXPECT_EQ(test, 3, refcount_read(&tb->ref));
	KUNIT_EXPECT_EQ(test, 1, page_ref_count(page));

	net_txbuf_put(tb);
	__skb_frag_unref(&frag, false);
	KUNIT_EXPECT_EQ(test, 0, l->released);
	KUNIT_EXPECT_EQ(test, 1, refcount_read(&tb->ref));
	__skb_frag_unref(&frag, false);
	KUNIT_EXPECT_EQ(test, 1, l->released);
	KUNIT_EXPECT_PTR_EQ(test, tb, l->last);
	KUNIT_EXPECT_EQ(test, 1, page_ref_count(page));
}

static void copied_data_completes_without_success(struct kunit *test)
{
	struct net_txbuf *one = life_alloc(test), *two = life_alloc(test);
	struct life *l = test->priv;

	net_zcopy_put(&l->ubuf);
	net_txbuf_mark_copied(one);
	net_txbuf_mark_copied(one);
	net_txbuf_put(two);
	KUNIT_EXPECT_TRUE(test, l->success);
	net_txbuf_put(one);
	KUNIT_EXPECT_FALSE(test, l->success);
	KUNIT_EXPECT_EQ(test, 1, l->completed);
}

static void successors_are_released_up_to_one_in_use(struct kunit *test)
{
	struct net_txbuf *first, *stuck = NULL, *tb;
	const unsigned int n = 20000, hold = 12345;
	struct life *l = test->priv;
	unsigned int i;

	first = life_alloc(test);
	for (tb = first, i = 1; i < n; i++) {
		struct net_txbuf *next = life_alloc(test);

		net_txbuf_link(tb, next);
		if (i == hold)
			stuck = next;
		else
			net_txbuf_put(next);
		tb = next;
	}
	net_zcopy_put(&l->ubuf);

	net_txbuf_put(first);
	KUNIT_EXPECT_EQ(test, hold, l->released);
	KUNIT_EXPECT_EQ(test, 1, refcount_read(&stuck->ref));
	KUNIT_EXPECT_EQ(test, 0, l->completed);
	net_txbuf_put(stuck);
	KUNIT_EXPECT_EQ(test, n, l->released);
	KUNIT_EXPECT_PTR_EQ(test, tb, l->last);
	KUNIT_EXPECT_EQ(test, 1, l->completed);
}

/* A slot [100, 200) of page 0; a fragment of it; more memory. */
static const struct extend_case {
	const char *name;
	unsigned int frag_off, frag_len;
	unsigned int page, off;
	bool newer_slot, other_folio, expect;
} extend_cases[] = {
	{ "continues slot and frag", 100, 100, 0, 200, .expect = true },
	{ "continues the end of the frag", 150, 50, 0, 200, .expect = true },
	{ "gap after the slot", 100, 100, 0, 201 },
	{ "overlaps the slot", 100, 100, 0, 199 },
	{ "before the slot", 100, 100, 0, 0 },
	{ "frag ends inside the slot", 100, 99, 0, 199 },
	{ "frag ends inside, memory after the slot", 100, 99, 0, 200 },
	{ "next page", 100, 100, 1, 0 },
	{ "other folio, same offset", 100, 100, 0, 200, .other_folio = true },
	{ "not the last slot", 100, 100, 0, 200, .newer_slot = true },
};

static void extend_desc(const struct extend_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(extend, extend_cases, extend_desc);

static void only_last_slot_grows_and_only_at_its_end(struct kunit *test)
{
	const struct extend_case *c = test->param_value;
	struct net_txbuf *tb = life_alloc(test);
	struct page *page = life_page(test);
	struct page *more = c->other_folio ? life_page(test) : page;
	unsigned int grown = c->expect ? 50 : 0;
	skb_frag_t frag;

	skb_frag_fill_netmem_desc(&frag, net_txbuf_append(tb, page, 100, 100),
				  c->frag_off, c->frag_len);
	if (c->newer_slot)
		net_txbuf_append(tb, page, 300, 100);

	KUNIT_EXPECT_EQ(test, c->expect,
			net_txbuf_extend(tb, &frag, more + c->page, c->off,
					 50));
	KUNIT_EXPECT_EQ(test, 100 + grown, tb->bv[0].bv_len);
	KUNIT_EXPECT_EQ(test, 100, tb->bv[0].bv_offset);
	KUNIT_EXPECT_PTR_EQ(test, page, tb->bv[0].bv_page);
	KUNIT_EXPECT_EQ(test, c->frag_len + grown, skb_frag_size(&frag));
	KUNIT_EXPECT_EQ(test, c->frag_off, skb_frag_off(&frag));
	net_txbuf_put(tb);
}

static void slot_grows_across_pages_of_a_folio(struct kunit *test)
{
	struct net_txbuf *tb = life_alloc(test);
	struct page *page = life_page(test);
	skb_frag_t frag;

	skb_frag_fill_netmem_desc(&frag,
				  net_txbuf_append(tb, page, 0, PAGE_SIZE),
				  0, PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, net_txbuf_extend(tb, &frag, page + 1, 0, 10));
	KUNIT_EXPECT_TRUE(test, net_txbuf_extend(tb, &frag, page + 1, 10, 1));
	KUNIT_EXPECT_EQ(test, PAGE_SIZE + 11, tb->bv[0].bv_len);
	KUNIT_EXPECT_EQ(test, 1, tb->nr_slots);
	net_txbuf_put(tb);
}

static void empty_txbuf_does_not_grow(struct kunit *test)
{
	struct net_txbuf *tb = life_alloc(test);
	struct page *page = life_page(test);
	skb_frag_t frag = {};

	KUNIT_EXPECT_FALSE(test, net_txbuf_extend(tb, &frag, page, 0, 1));
	net_txbuf_put(tb);
}

/* Ranges of an 8-page user mapping, in bytes. */
static const struct pin_case {
	const char *name;
	unsigned int start, len;
} pin_cases[] = {
	{ "one byte", 5, 1 },
	{ "one page", 0, PAGE_SIZE },
	{ "end of one page", PAGE_SIZE - 1, 1 },
	{ "across a boundary", PAGE_SIZE - 1, 2 },
	{ "all pages", 0, 8 * PAGE_SIZE },
	{ "all pages but the ends", 1, 8 * PAGE_SIZE - 2 },
};

static void pin_desc(const struct pin_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(pin, pin_cases, pin_desc);

static void user_pages_are_unpinned_at_release(struct kunit *test)
{
	const struct pin_case *c = test->param_value;
	unsigned int off = offset_in_page(c->start), i, left = c->len;
	struct page *pages[8];
	int refs[8], nr, want;
	struct net_txbuf *tb;
	struct folio *folio;
	unsigned long uaddr;

	uaddr = kunit_vm_mmap(test, NULL, 0, 8 * PAGE_SIZE,
			      PROT_READ | PROT_WRITE,
			      MAP_ANONYMOUS | MAP_PRIVATE | MAP_POPULATE, 0);
	KUNIT_ASSERT_NE(test, 0, uaddr);
	tb = net_txbuf_alloc(NET_TXBUF_ZCOPY_USER, &net_txbuf_user_ops, NULL,
			     GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tb);

	want = DIV_ROUND_UP(off + c->len, PAGE_SIZE);
	nr = pin_user_pages_fast(uaddr + c->start - off, want, 0, pages);
	KUNIT_ASSERT_EQ(test, want, nr);
	for (i = 0; i < nr; i++) {
		unsigned int len = min_t(unsigned int, left, PAGE_SIZE - off);

		KUNIT_EXPECT_TRUE(test,
				  netmem_is_txbuf(net_txbuf_append(tb, pages[i],
								   off, len)));
		folio = page_folio(pages[i]);
		KUNIT_EXPECT_TRUE(test, folio_maybe_dma_pinned(folio));
		/* Keep the page while its count is looked at. */
		get_page(pages[i]);
		refs[i] = page_ref_count(pages[i]);
		left -= len;
		off = 0;
	}

	net_txbuf_put(tb);
	for (i = 0; i < nr; i++) {
		folio = page_folio(pages[i]);
		KUNIT_EXPECT_FALSE(test, folio_maybe_dma_pinned(folio));
		KUNIT_EXPECT_LT(test, page_ref_count(pages[i]), refs[i]);
		put_page(pages[i]);
	}
}

static struct kunit_case life_cases[] = {
	KUNIT_CASE(alloc_holds_completion_until_release),
	KUNIT_CASE(alloc_needs_neither_ops_nor_completion),
	KUNIT_CASE(tag_leads_from_every_slot_to_its_txbuf),
	KUNIT_CASE(frag_refs_count_on_txbuf_and_not_on_page),
	KUNIT_CASE(copied_data_completes_without_success),
	KUNIT_CASE(successors_are_released_up_to_one_in_use),
	KUNIT_CASE_PARAM(only_last_slot_grows_and_only_at_its_end,
			 extend_gen_params),
	KUNIT_CASE(slot_grows_across_pages_of_a_folio),
	KUNIT_CASE(empty_txbuf_does_not_grow),
	KUNIT_CASE_PARAM(user_pages_are_unpinned_at_release, pin_gen_params),
	{}
};

static struct kunit_suite life_suite = {
	.name = "net_txbuf",
	.init = life_init,
	.test_cases = life_cases,
};

kunit_test_suite(life_suite);

MODULE_DESCRIPTION("KUnit tests for skb fragments that have an owner");
MODULE_LICENSE("GPL");

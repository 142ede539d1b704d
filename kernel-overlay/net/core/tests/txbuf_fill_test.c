// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of attaching user memory to an skb */

#include <kunit/test-bug.h>
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/skbuff.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <net/txbuf/helpers.h>

#define FILL_PAGES	24
#define FILL_BYTES	(FILL_PAGES * PAGE_SIZE)
#define PG		PAGE_SIZE

/* User memory, all of whose pages the test holds, and a completion. */
struct fill {
	struct ubuf_info ubuf[2];
	unsigned int completed[2];
	unsigned long uaddr;
	u8 *bytes;
	struct page *pages[FILL_PAGES];
	int refs[FILL_PAGES];
	struct sk_buff *skb;
};

static void fill_complete(struct sk_buff *skb, struct ubuf_info *ubuf,
			  bool success)
{
	struct kunit *test = kunit_get_current_test();
	struct fill *f = test->priv;

	if (refcount_dec_and_test(&ubuf->refcnt))
		f->completed[ubuf - f->ubuf]++;
}

static const struct ubuf_info_ops fill_ubuf_ops = {
	.complete = fill_complete,
};

static void fill_put_page(void *page)
{
	put_page(page);
}

static int fill_init(struct kunit *test)
{
	struct fill *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	for (i = 0; i < ARRAY_SIZE(f->ubuf); i++) {
		f->ubuf[i].ops = &fill_ubuf_ops;
		refcount_set(&f->ubuf[i].refcnt, 1);
	}

	f->bytes = kunit_kmalloc(test, FILL_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->bytes);
	for (i = 0; i < FILL_BYTES; i++)
		f->bytes[i] = i + i / 251;

	/* Followed by a page that is not mapped. */
	f->uaddr = kunit_vm_mmap(test, NULL, 0, FILL_BYTES + PG,
				 PROT_READ | PROT_WRITE,
				 MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, 0, f->uaddr);
	KUNIT_ASSERT_EQ(test, 0, vm_munmap(f->uaddr + FILL_BYTES, PG));
	KUNIT_ASSERT_EQ(test, 0, copy_to_user((void __user *)f->uaddr,
					      f->bytes, FILL_BYTES));
	KUNIT_ASSERT_EQ(test, FILL_PAGES,
			get_user_pages_fast(f->uaddr, FILL_PAGES, 0, f->pages));
	for (i = 0; i < FILL_PAGES; i++) {
		KUNIT_ASSERT_EQ(test, 0,
				kunit_add_action_or_reset(test, fill_put_page,
							  f->pages[i]));
		/* Pins of a larger folio do not show in its references. */
		if (PageCompound(f->pages[i]))
			kunit_skip(test, "user memory is in large folios");
		f->refs[i] = page_ref_count(f->pages[i]);
	}
	f->skb = alloc_skb(64, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->skb);

	return 0;
}

/* How often GUP pinned the page: it takes no other reference for that. */
static unsigned int fill_pins(const struct fill *f, unsigned int i)
{
	return (page_ref_count(f->pages[i]) - f->refs[i]) /
	       GUP_PIN_COUNTING_BIAS;
}

/* Pages [@first, @last) are pinned once, all others are not. */
static void fill_expect_pins(struct kunit *test, unsigned int first,
			     unsigned int last)
{
	struct fill *f = test->priv;
	unsigned int i;

	for (i = 0; i < FILL_PAGES; i++)
		KUNIT_EXPECT_EQ_MSG(test, i >= first && i < last,
				    fill_pins(f, i), "page %u", i);
}

static int fill_from(struct fill *f, struct sk_buff *skb, unsigned long start,
		     size_t len, struct ubuf_info *ubuf)
{
	struct iov_iter from;

	iov_iter_ubuf(&from, ITER_SOURCE, (void __user *)f->uaddr + start, len);

	return net_txbuf_fill_skb(skb, &from, len, ubuf);
}

/* The data of the skb is that of user memory from @start on. */
static void fill_expect_bytes(struct kunit *test, struct sk_buff *skb,
			      unsigned long start, unsigned int len)
{
	struct fill *f = test->priv;
	u8 *got;

	got = kunit_kzalloc(test, FILL_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, got);
	KUNIT_EXPECT_EQ(test, len, skb->len);
	KUNIT_EXPECT_EQ(test, len, skb->data_len);
	KUNIT_EXPECT_EQ(test, 0, skb_copy_bits(skb, 0, got, skb->len));
	KUNIT_EXPECT_MEMEQ(test, got, f->bytes + start, len);
}

static void fill_done(struct kunit *test)
{
	struct fill *f = test->priv;

	kfree_skb(f->skb);
	fill_expect_pins(test, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, f->completed[0]);
	KUNIT_EXPECT_EQ(test, 1, refcount_read(&f->ubuf[0].refcnt));
	KUNIT_EXPECT_EQ(test, 1, refcount_read(&f->ubuf[1].refcnt));
}

static const struct range_case {
	const char *name;
	unsigned long start, len;
} range_cases[] = {
	{ "one byte", 0, 1 },
	{ "last byte of a page", PG - 1, 1 },
	{ "two bytes in two pages", PG - 1, 2 },
	{ "inside a page", 100, 200 },
	{ "one page", PG, PG },
	{ "one page, not aligned", 1, PG },
	{ "three pages", 3 * PG, 3 * PG },
	{ "17 pages", 0, 17 * PG },
	{ "17 pages, cut at both ends", 5, 17 * PG - 10 },
};

static void range_desc(const struct range_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(range, range_cases, range_desc);

static void pages_are_pinned_once_until_no_skb_is_left(struct kunit *test)
{
	const struct range_case *c = test->param_value;
	unsigned int last = DIV_ROUND_UP(c->start + c->len, PG);
	unsigned int first = c->start / PG, truesize;
	struct sk_buff *clone, *copy;
	struct fill *f = test->priv;

	truesize = f->skb->truesize;
	KUNIT_EXPECT_EQ(test, 0, fill_from(f, f->skb, c->start, c->len,
					   &f->ubuf[0]));
	fill_expect_pins(test, first, last);
	fill_expect_bytes(test, f->skb, c->start, c->len);
	KUNIT_EXPECT_EQ(test, (last - first) * PG, f->skb->truesize - truesize);
	/* One reference for the one owner, however many pages. */
	KUNIT_EXPECT_EQ(test, 2, refcount_read(&f->ubuf[0].refcnt));

	clone = skb_clone(f->skb, GFP_KERNEL);
	copy = pskb_copy(f->skb, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, clone);
	KUNIT_EXPECT_NOT_NULL(test, copy);
	fill_expect_pins(test, first, last);
	consume_skb(clone);
	fill_expect_pins(test, first, last);
	swap(f->skb, copy);
	consume_skb(copy);
	fill_expect_pins(test, first, last);
	KUNIT_EXPECT_EQ(test, 2, refcount_read(&f->ubuf[0].refcnt));
	fill_expect_bytes(test, f->skb, c->start, c->len);
	fill_done(test);
}

static void pieces_continue_the_slot_before_them(struct kunit *test)
{
	struct skb_shared_info *shinfo;
	struct fill *f = test->priv;
	unsigned int pos;

	for (pos = 0; pos < 2 * PG; pos += PG / 8) {
		KUNIT_EXPECT_EQ(test, 0, fill_from(f, f->skb, pos, PG / 8,
						   &f->ubuf[0]));
		fill_expect_pins(test, 0, pos / PG + 1);
	}
	shinfo = skb_shinfo(f->skb);
	KUNIT_EXPECT_LE(test, shinfo->nr_frags, 2);
	fill_expect_bytes(test, f->skb, 0, 2 * PG);
	KUNIT_EXPECT_EQ(test, 2, refcount_read(&f->ubuf[0].refcnt));

	/* The same bytes again do not follow on themselves. */
	KUNIT_EXPECT_EQ(test, 0, fill_from(f, f->skb, 0, 10, &f->ubuf[0]));
	KUNIT_EXPECT_EQ(test, 2, fill_pins(f, 0));
	KUNIT_EXPECT_EQ(test, 2 * PG + 10, f->skb->len);
	fill_done(test);
}

static void trimmed_fragment_is_not_continued(struct kunit *test)
{
	struct fill *f = test->priv;
	u8 got[1000];

	KUNIT_EXPECT_EQ(test, 0, fill_from(f, f->skb, 0, 3000, &f->ubuf[0]));
	KUNIT_EXPECT_EQ(test, 0, pskb_trim(f->skb, 2000));

	/* It follows the slot, and not what is left of the fragment. */
	KUNIT_EXPECT_EQ(test, 0,
			fill_from(f, f->skb, 3000, 1000, &f->ubuf[0]));
	KUNIT_EXPECT_EQ(test, 2, skb_shinfo(f->skb)->nr_frags);
	KUNIT_EXPECT_EQ(test, 0, skb_copy_bits(f->skb, 2000, got, 1000));
	KUNIT_EXPECT_MEMEQ(test, got, f->bytes + 3000, 1000);
	KUNIT_EXPECT_EQ(test, 0, pskb_trim(f->skb, 2000));
	fill_expect_bytes(test, f->skb, 0, 2000);
	fill_done(test);
}

static void each_completion_has_owners_of_its_own(struct kunit *test)
{
	struct fill *f = test->priv;
	skb_frag_t *frags;

	KUNIT_EXPECT_EQ(test, 0, fill_from(f, f->skb, 0, 10, &f->ubuf[0]));
	KUNIT_EXPECT_EQ(test, 0, fill_from(f, f->skb, 10, 10, &f->ubuf[1]));
	KUNIT_EXPECT_EQ(test, 0, fill_from(f, f->skb, 20, 10, NULL));
	KUNIT_ASSERT_EQ(test, 3, skb_shinfo(f->skb)->nr_frags);
	KUNIT_EXPECT_EQ(test, 3, fill_pins(f, 0));
	frags = skb_shinfo(f->skb)->frags;
	KUNIT_EXPECT_PTR_NE(test, netmem_to_txbuf(skb_frag_netmem(&frags[0])),
			    netmem_to_txbuf(skb_frag_netmem(&frags[1])));
	KUNIT_EXPECT_PTR_NE(test, netmem_to_txbuf(skb_frag_netmem(&frags[1])),
			    netmem_to_txbuf(skb_frag_netmem(&frags[2])));
	fill_expect_bytes(test, f->skb, 0, 30);
	fill_done(test);
}

static void full_skb_leaves_the_rest_to_the_next(struct kunit *test)
{
	size_t len = FILL_BYTES - 200;
	struct fill *f = test->priv;
	struct sk_buff *second;
	struct iov_iter from;
	unsigned int done;

	second = alloc_skb(64, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, second);
	iov_iter_ubuf(&from, ITER_SOURCE, (void __user *)f->uaddr + 100, len);
	KUNIT_EXPECT_EQ(test, -EMSGSIZE,
			net_txbuf_fill_skb(f->skb, &from, len, &f->ubuf[0]));
	done = f->skb->len;
	KUNIT_EXPECT_EQ(test, len - done, iov_iter_count(&from));
	KUNIT_EXPECT_EQ(test, MAX_SKB_FRAGS, skb_shinfo(f->skb)->nr_frags);
	fill_expect_bytes(test, f->skb, 100, done);
	KUNIT_EXPECT_EQ(test, 0, net_txbuf_fill_skb(second, &from, len,
						    &f->ubuf[0]));
	fill_expect_bytes(test, second, 100 + done, len - done);
	kfree_skb(second);
	fill_done(test);
}

static void unmapped_memory_fails_behind_what_is_mapped(struct kunit *test)
{
	struct fill *f = test->priv;

	KUNIT_EXPECT_EQ(test, -EFAULT,
			fill_from(f, f->skb, FILL_BYTES - 2 * PG, 3 * PG,
				  &f->ubuf[0]));
	fill_expect_pins(test, FILL_PAGES - 2, FILL_PAGES);
	fill_expect_bytes(test, f->skb, FILL_BYTES - 2 * PG, 2 * PG);
	KUNIT_EXPECT_EQ(test, 0, pskb_trim(f->skb, 0));
	fill_expect_pins(test, 0, 0);

	KUNIT_EXPECT_EQ(test, -EFAULT,
			fill_from(f, f->skb, FILL_BYTES, PG, &f->ubuf[0]));
	KUNIT_EXPECT_EQ(test, 0, f->skb->len);
	KUNIT_EXPECT_EQ(test, 0, skb_shinfo(f->skb)->nr_frags);
	fill_done(test);
}

static void empty_segments_are_passed_over(struct kunit *test)
{
	struct fill *f = test->priv;
	void __user *base = (void __user *)f->uaddr;
	struct iovec iov[] = {
		{ base, 0 }, { base + 50, 100 }, { base, 0 }, { NULL, 0 },
		{ base + 150, PG }, { base + PG + 150, 1 }, { base, 0 },
	};
	struct iov_iter from;

	iov_iter_init(&from, ITER_SOURCE, iov, ARRAY_SIZE(iov), PG + 101);
	KUNIT_EXPECT_EQ(test, 0, net_txbuf_fill_skb(f->skb, &from, PG + 101,
						    &f->ubuf[0]));
	KUNIT_EXPECT_EQ(test, 0, iov_iter_count(&from));
	fill_expect_pins(test, 0, 2);
	fill_expect_bytes(test, f->skb, 50, PG + 101);
	fill_done(test);
}

static struct kunit_case fill_cases[] = {
	KUNIT_CASE_PARAM(pages_are_pinned_once_until_no_skb_is_left,
			 range_gen_params),
	KUNIT_CASE(pieces_continue_the_slot_before_them),
	KUNIT_CASE(trimmed_fragment_is_not_continued),
	KUNIT_CASE(each_completion_has_owners_of_its_own),
	KUNIT_CASE(full_skb_leaves_the_rest_to_the_next),
	KUNIT_CASE(unmapped_memory_fails_behind_what_is_mapped),
	KUNIT_CASE(empty_segments_are_passed_over),
	{}
};

static struct kunit_suite fill_suite = {
	.name = "net_txbuf_fill",
	.init = fill_init,
	.test_cases = fill_cases,
};

kunit_test_suite(fill_suite);

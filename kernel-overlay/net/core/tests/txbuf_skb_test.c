// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of what skb operations do to fragments that have an owner */

#include <linux/scatterlist.h>
#include <net/checksum.h>

#include "txbuf_model.h"

#define PLAIN	-1

static const struct txm_frag one_owner[] = {
	{ 0, 100 }, { 0, 300 }, { 0, 1 },
};

/* The last slot crosses a page boundary. */
static const struct txm_frag mixed[] = {
	{ 0, 100 }, { 0, 300 }, { PLAIN, 200 }, { 1, 50 }, { PLAIN, 70 },
	{ 0, 30 }, { 2, 5000 },
};

static const struct txm_frag alternating[] = {
	{ 0, 60 }, { 1, 60 }, { 0, 60 }, { PLAIN, 60 }, { 1, 60 },
	{ PLAIN, 60 }, { 0, 60 },
};

static const struct txm_frag full[] = {
	{ 0, 10 }, { 0, 10 }, { 0, 10 }, { 1, 10 }, { 1, 10 }, { 1, 10 },
	{ PLAIN, 10 }, { PLAIN, 10 }, { 1, 10 }, { 2, 10 }, { 3, 10 },
	{ 3, 10 }, { 0, 10 }, { 0, 10 }, { 0, 10 }, { 0, 10 }, { 0, 10 },
};

static_assert(ARRAY_SIZE(full) <= MAX_SKB_FRAGS);

static const struct skb_layout {
	const struct txm_frag *frags;
	unsigned int nr_frags, headlen;
} layouts[] = {
	{ one_owner, ARRAY_SIZE(one_owner), 0 },
	{ one_owner, ARRAY_SIZE(one_owner), 40 },
	{ mixed, ARRAY_SIZE(mixed), 0 },
	{ mixed, ARRAY_SIZE(mixed), 40 },
	{ alternating, ARRAY_SIZE(alternating), 40 },
	{ full, ARRAY_SIZE(full), 40 },
};

static unsigned int layout_len(const struct skb_layout *l)
{
	unsigned int i, len = l->headlen;

	for (i = 0; i < l->nr_frags; i++)
		len += l->frags[i].len;

	return len;
}

/* How the skb that an operation runs on is prepared. */
#define PREP_ZCOPY	BIT(0)	/* it has a completion */
#define PREP_CLONED	BIT(1)	/* a clone exists */
#define PREP_RECYCLE	BIT(2)	/* pp_recycle is set */
#define PREP_CHAIN	BIT(3)	/* a second skb is in its frag_list */
#define PREP_ALL	16

/* skb 0 is the subject; @pos runs over the bytes next to all boundaries. */
struct skb_op {
	const char *name;
	void (*run)(struct txm *m, unsigned int pos);
	bool no_pos;		/* does not depend on @pos */
	bool no_chain;		/* not defined for a frag_list */
};

static void op_clone(struct txm *m, unsigned int pos)
{
	txm_clone(m, 0);
}

static void op_pskb_copy(struct txm *m, unsigned int pos)
{
	txm_pskb_copy(m, 0, 30);
}

static void op_copy(struct txm *m, unsigned int pos)
{
	txm_copy(m, 0);
}

static void op_expand_head(struct txm *m, unsigned int pos)
{
	txm_expand_head(m, 0, 200, 100);
}

static void op_linearize(struct txm *m, unsigned int pos)
{
	txm_linearize(m, 0);
}

static void op_copy_ubufs(struct txm *m, unsigned int pos)
{
	txm_copy_ubufs(m, 0);
}

static void op_zerocopy(struct txm *m, unsigned int pos)
{
	txm_zerocopy(m, 0, pos);
}

static void op_pull(struct txm *m, unsigned int pos)
{
	txm_pull(m, 0, pos);
}

static void op_trim(struct txm *m, unsigned int pos)
{
	txm_trim(m, 0, pos);
}

static void op_carve(struct txm *m, unsigned int pos)
{
	unsigned int rest = m->skb[0].len - pos;

	if (!rest)
		return;
	txm_extract(m, 0, pos, rest);
	if (txm_check(m))
		txm_extract(m, 0, pos, (rest + 1) / 2);
}

/* The three positions around an edge take one set of features each. */
static void op_segment(struct txm *m, unsigned int pos)
{
	static const netdev_features_t features[] = {
		NETIF_F_SG | NETIF_F_HW_CSUM, NETIF_F_SG, NETIF_F_HW_CSUM,
	};
	unsigned int mss = max(pos, m->skb[0].len / 4 + 1);

	txm_segment(m, 0, mss, features[pos % ARRAY_SIZE(features)]);
}

/* Leave room for the splitting point: both parts have bytes. */
static int op_do_split(struct txm *m, unsigned int pos)
{
	if (!pos || pos == m->skb[0].len)
		return -1;

	return txm_split(m, 0, pos);
}

static void op_split(struct txm *m, unsigned int pos)
{
	op_do_split(m, pos);
}

/* Split at @pos and move the parts together again. */
static void op_shift(struct txm *m, unsigned int pos)
{
	static const unsigned int part[] = { 1, 7, 60, 61, 300 };
	int second = op_do_split(m, pos);
	unsigned int i;

	for (i = 0; second > 0 && i <= ARRAY_SIZE(part); i++) {
		unsigned int len = m->skb[second].len;

		if (!len || !txm_check(m))
			break;
		if (i < ARRAY_SIZE(part))
			len = min(len, part[i]);
		txm_shift(m, 0, second, len);
	}
}

static void op_coalesce(struct txm *m, unsigned int pos)
{
	int second = op_do_split(m, pos);

	if (second <= 0 || !txm_check(m))
		return;
	txm_coalesce(m, 0, second);
}

static void op_coalesce_cloned(struct txm *m, unsigned int pos)
{
	int second = op_do_split(m, pos);

	if (second <= 0)
		return;
	txm_clone(m, second);
	if (txm_check(m))
		txm_coalesce(m, 0, second);
}

static const struct skb_op skb_ops[] = {
	{ "clone", op_clone, .no_pos = true },
	{ "pskb_copy", op_pskb_copy, .no_pos = true },
	{ "skb_copy", op_copy, .no_pos = true },
	{ "expand_head", op_expand_head, .no_pos = true },
	{ "linearize", op_linearize, .no_pos = true },
	{ "copy_ubufs", op_copy_ubufs, .no_pos = true, .no_chain = true },
	{ "zerocopy", op_zerocopy, .no_chain = true },
	{ "pull", op_pull },
	{ "trim", op_trim },
	{ "carve", op_carve },
	{ "segment", op_segment },
	{ "split", op_split, .no_chain = true },
	{ "shift", op_shift, .no_chain = true },
	{ "coalesce", op_coalesce, .no_chain = true },
	{ "coalesce_cloned", op_coalesce_cloned, .no_chain = true },
};

static void op_desc(const struct skb_op *op, char *desc)
{
	strscpy(desc, op->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(op, skb_ops, op_desc);

static bool op_run_at(struct txm *m, const struct skb_op *op,
		      const struct skb_layout *l, unsigned int prep,
		      unsigned int pos)
{
	txm_restart(m);
	txm_build(m, l->headlen, l->frags, l->nr_frags, prep & PREP_ZCOPY);
	m->skb[0].skb->pp_recycle = !!(prep & PREP_RECYCLE);
	if (prep & PREP_CHAIN) {
		txm_build(m, 0, one_owner, ARRAY_SIZE(one_owner), false);
		txm_chain(m, 0, 1);
	}
	if (prep & PREP_CLONED)
		txm_clone(m, 0);
	if (txm_check(m))
		op->run(m, pos);

	return txm_check(m) && txm_drain(m);
}

static bool op_run(struct txm *m, const struct skb_op *op,
		   const struct skb_layout *l, unsigned int prep)
{
	unsigned int len = layout_len(l), edge = l->headlen, i;

	if (op->no_pos)
		return op_run_at(m, op, l, prep, 0);

	for (i = 0; i <= l->nr_frags; i++) {
		unsigned int pos = edge ? edge - 1 : 0;

		for (; pos <= edge + 1 && pos <= len; pos++)
			if (!op_run_at(m, op, l, prep, pos))
				return false;
		if (i < l->nr_frags)
			edge += l->frags[i].len;
	}

	return true;
}

static void op_counts_every_ref_and_keeps_every_byte(struct kunit *test)
{
	const struct skb_op *op = test->param_value;
	struct txm *m = txm_create(test, 1);
	unsigned int i, prep;

	for (i = 0; i < ARRAY_SIZE(layouts); i++)
		for (prep = 0; prep < PREP_ALL; prep++) {
			if ((prep & PREP_CHAIN) && op->no_chain)
				continue;
			if (op_run(m, op, &layouts[i], prep))
				continue;
			kunit_info(test, "layout %u, preparation %#x\n", i,
				   prep);
			return;
		}
}

/* Owners of memory that is contiguous, in one page. */
static const struct neighbour_case {
	const char *name;
	struct txm_frag first, second;
} neighbour_cases[] = {
	{ "two owners", { 0, 100 }, { 0, 100 } },
	{ "owner and page", { 0, 100 }, { PLAIN, 100 } },
	{ "page and owner", { PLAIN, 100 }, { 0, 100 } },
	{ "page and page", { PLAIN, 100 }, { PLAIN, 100 } },
};

static void neighbour_desc(const struct neighbour_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(neighbour, neighbour_cases, neighbour_desc);

static void contiguous_memory_merges_only_within_a_page_ref(struct kunit *test)
{
	const struct neighbour_case *c = test->param_value;
	bool merge = c->first.owner == PLAIN && c->second.owner == PLAIN;
	struct txm *m = txm_create(test, 2);
	unsigned int len;

	for (len = 1; len <= 100; len += 33) {
		txm_restart(m);
		txm_build(m, 20, &c->first, 1, false);
		txm_build(m, 0, &c->second, 1, false);
		txm_shift(m, 0, 1, len);
		if (!txm_check(m))
			return;
		KUNIT_EXPECT_EQ(test, 20 + 100 + len, m->skb[0].len);
		KUNIT_EXPECT_EQ(test, merge ? 1 : 2,
				skb_shinfo(m->skb[0].skb)->nr_frags);
		if (!txm_drain(m))
			return;
	}
}

static void splice_source_page_does_not_merge_into_slot(struct kunit *test)
{
	static const struct txm_frag one = { 0, 100 };
	struct txm *m = txm_create(test, 3);
	struct sk_buff *skb;
	struct page *page;

	skb = m->skb[txm_build(m, 0, &one, 1, false)].skb;
	page = skb_frag_page(&skb_shinfo(skb)->frags[0]);
	KUNIT_EXPECT_PTR_EQ(test, m->pages[0], page);
	KUNIT_EXPECT_FALSE(test, skb_can_coalesce(skb, 1, page, 100));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE,
			skb_append_pagefrags(skb, page, 100, 10, 1));
	txm_drain(m);
}

static void accessors_resolve_slots(struct kunit *test)
{
	static const struct txm_frag frags[] = { { 0, 5000 }, { 0, 10 } };
	struct txm *m = txm_create(test, 4);
	struct sk_buff *skb;
	skb_frag_t *frag;
	void *addr;

	skb = m->skb[txm_build(m, 0, frags, 2, false)].skb;
	frag = &skb_shinfo(skb)->frags[1];
	addr = page_address(m->pages[0]) + 5000;

	KUNIT_EXPECT_PTR_EQ(test, virt_to_page(addr), skb_frag_page(frag));
	KUNIT_EXPECT_PTR_EQ(test, addr, skb_frag_address(frag));
	KUNIT_EXPECT_PTR_EQ(test, addr, skb_frag_address_safe(frag));
	KUNIT_EXPECT_EQ(test, virt_to_phys(addr), skb_frag_phys(frag));
	KUNIT_EXPECT_PTR_EQ(test, page_address(virt_to_page(addr)),
			    netmem_address(frag->netmem));
	KUNIT_EXPECT_FALSE(test, skb_frag_is_net_iov(frag));
	KUNIT_EXPECT_NULL(test, skb_frag_net_iov(frag));
	KUNIT_EXPECT_FALSE(test, netmem_is_pfmemalloc(frag->netmem));
	KUNIT_EXPECT_TRUE(test,
			  frag->netmem == netmem_compound_head(frag->netmem));
	KUNIT_EXPECT_EQ(test, page_to_pfn(virt_to_page(addr)),
			netmem_pfn_trace(frag->netmem));
	txm_drain(m);
}

static void fill_does_not_touch_skb_flags(struct kunit *test)
{
	static const struct txm_frag one = { 0, 100 };
	struct txm *m = txm_create(test, 5);
	struct sk_buff *skb;
	skb_frag_t *frag;

	skb = m->skb[txm_build(m, 0, &one, 1, false)].skb;
	frag = &skb_shinfo(skb)->frags[0];
	__skb_fill_netmem_desc(skb, 0, frag->netmem, frag->offset, frag->len);
	KUNIT_EXPECT_FALSE(test, skb->unreadable);
	KUNIT_EXPECT_FALSE(test, skb->pfmemalloc);
	KUNIT_EXPECT_TRUE(test, skb_frags_readable(skb));
	txm_drain(m);
}

static void readers_see_the_bytes(struct kunit *test)
{
	struct txm *m = txm_create(test, 6);
	struct skb_seq_state st;
	unsigned int done, len;
	struct scatterlist *sg;
	struct txm_skb *s;
	const u8 *data;
	u8 *bytes;

	s = &m->skb[txm_build(m, 40, mixed, ARRAY_SIZE(mixed), true)];

	KUNIT_EXPECT_EQ(test, csum_fold(csum_partial(s->bytes, s->len, 0)),
			csum_fold(skb_checksum(s->skb, 0, s->len, 0)));

	skb_prepare_seq_read(s->skb, 0, s->len, &st);
	for (done = 0; (len = skb_seq_read(done, &data, &st)); done += len)
		KUNIT_EXPECT_MEMEQ(test, data, s->bytes + done, len);
	KUNIT_EXPECT_EQ(test, s->len, done);

	sg = kunit_kcalloc(test, MAX_SKB_FRAGS + 1, sizeof(*sg), GFP_KERNEL);
	bytes = kunit_kzalloc(test, s->len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sg);
	KUNIT_ASSERT_NOT_NULL(test, bytes);
	sg_init_table(sg, MAX_SKB_FRAGS + 1);
	len = skb_to_sgvec(s->skb, sg, 0, s->len);
	KUNIT_EXPECT_EQ(test, 1 + ARRAY_SIZE(mixed), len);
	KUNIT_EXPECT_EQ(test, s->len,
			sg_copy_to_buffer(sg, len, bytes, s->len));
	KUNIT_EXPECT_MEMEQ(test, bytes, s->bytes, s->len);

	txm_check(m);
	txm_drain(m);
}

static void orphaning_reports_copied_data(struct kunit *test)
{
	struct txm *m = txm_create(test, 7);
	int i;

	/* No completion on the skb: only the owners can report it. */
	i = txm_build(m, 40, mixed, ARRAY_SIZE(mixed), false);
	txm_clone(m, i);
	txm_copy_ubufs(m, i);
	KUNIT_EXPECT_TRUE(test, m->owner[0].copied);
	KUNIT_EXPECT_TRUE(test, m->all_in_place);
	if (txm_check(m) && txm_drain(m))
		KUNIT_EXPECT_FALSE(test, m->all_in_place);
}

static void clone_without_orphan_leave_is_copied(struct kunit *test)
{
	struct txm *m = txm_create(test, 8);
	struct sk_buff *clone;
	unsigned int o;
	int i;

	m->ubuf.flags = SKBFL_ZEROCOPY_FRAG;
	i = txm_build(m, 40, mixed, ARRAY_SIZE(mixed), true);
	clone = skb_clone(m->skb[i].skb, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, clone);

	/* The first clone copied the data, nothing refers to owners now. */
	for (o = 0; o < m->nr_owners; o++)
		KUNIT_EXPECT_EQ(test, 1, m->owner[o].released);
	KUNIT_EXPECT_FALSE(test, m->all_in_place);
	consume_skb(clone);
	if (txm_check(m))
		txm_drain(m);
}

static struct kunit_case skb_cases[] = {
	KUNIT_CASE_PARAM(op_counts_every_ref_and_keeps_every_byte,
			 op_gen_params),
	KUNIT_CASE_PARAM(contiguous_memory_merges_only_within_a_page_ref,
			 neighbour_gen_params),
	KUNIT_CASE(splice_source_page_does_not_merge_into_slot),
	KUNIT_CASE(accessors_resolve_slots),
	KUNIT_CASE(fill_does_not_touch_skb_flags),
	KUNIT_CASE(readers_see_the_bytes),
	KUNIT_CASE(orphaning_reports_copied_data),
	KUNIT_CASE(clone_without_orphan_leave_is_copied),
	{}
};

static struct kunit_suite skb_suite = {
	.name = "net_txbuf_skb",
	.test_cases = skb_cases,
};

kunit_test_suite(skb_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");

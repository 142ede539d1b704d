// SPDX-License-Identifier: GPL-2.0
/*
 * Random sequences of skb operations on fragments that have an owner
 *
 * A failure names the seed; put that into fuzz_seeds[] to see it again.
 */

#include <linux/random.h>

#include "txbuf_model.h"

#define FUZZ_ROUNDS	40
#define FUZZ_FRESH_ROUNDS	400
#define FUZZ_STEPS	60

static const u64 fuzz_seeds[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static void fuzz_desc(const u64 *seed, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "seed %llu", *seed);
}

KUNIT_ARRAY_PARAM(fuzz, fuzz_seeds, fuzz_desc);

/* An skb whose fragments continue what was built before. */
static void fuzz_build(struct txm *m)
{
	struct txm_frag frags[MAX_SKB_FRAGS];
	unsigned int nr = 1 + txm_below(m, MAX_SKB_FRAGS), i, len = 0;
	bool linear = txm_below(m, 2), iovs = !txm_below(m, 4);

	for (i = 0; i < nr; i++) {
		frags[i].owner = (int)txm_below(m, 4) - 1;
		if (iovs && !txm_below(m, 3))
			frags[i].owner = TXM_IOV;
		frags[i].len = 1 + txm_below(m, 400);
		len += frags[i].len;
	}
	if (!txm_has_room(m, len))
		return;
	i = txm_build(m, linear ? 1 + txm_below(m, 100) : 0, frags, nr,
		      txm_below(m, 2));
	/* These net_iovs are not from a page_pool: no skb that recycles has
	 * such frags, and skb_pp_frag_ref() would take them for pages.
	 */
	m->skb[i].skb->pp_recycle = !iovs && !txm_below(m, 4);
}

/* Put a part of one skb into another one, if the two differ. */
static void fuzz_move(struct txm *m, int i, bool shift)
{
	struct sk_buff *skb = m->skb[i].skb;
	int to = txm_below(m, m->nr_skbs);

	if (to == i || skb->pp_recycle != m->skb[to].skb->pp_recycle ||
	    skb->unreadable != m->skb[to].skb->unreadable)
		return;
	if (shift)
		txm_shift(m, to, i, 1 + txm_below(m, m->skb[i].len));
	else
		txm_coalesce(m, to, i);
}

/* Split, so that there is something to merge, and merge. */
static void fuzz_split(struct txm *m, int i)
{
	int j;

	if (m->skb[i].len < 2)
		return;
	j = txm_split(m, i, 1 + txm_below(m, m->skb[i].len - 1));
	if (!txm_check(m))
		return;
	if (txm_below(m, 2))
		txm_clone(m, txm_below(m, 2) ? i : j);
	if (txm_below(m, 2) && txm_check(m))
		txm_shift(m, i, j, 1 + txm_below(m, m->skb[j].len));
}

static void fuzz_segment(struct txm *m, int i)
{
	unsigned int mss = m->skb[i].len / 4 + 1;
	netdev_features_t features = 0;

	if (m->skb[i].unreadable || txm_below(m, 4))
		features |= NETIF_F_SG;
	if (m->skb[i].unreadable || txm_below(m, 4))
		features |= NETIF_F_HW_CSUM;
	txm_segment(m, i, mss + txm_below(m, mss), features);
}

/* Operations that copy data, and so have to read it. */
static void fuzz_copy(struct txm *m, int i, unsigned int what)
{
	unsigned int len = m->skb[i].len;

	switch (what) {
	case 19:
		len = txm_below(m, len);
		txm_extract(m, i, len,
			    1 + txm_below(m, m->skb[i].len - len));
		break;
	case 20:
		txm_zerocopy(m, i, 1 + txm_below(m, len));
		break;
	case 21:
		txm_linearize(m, i);
		break;
	case 22:
		txm_copy_ubufs(m, i);
		break;
	case 23:
		txm_copy(m, i);
		break;
	}
}

static void fuzz_step(struct txm *m)
{
	unsigned int what = txm_below(m, 24), len;
	int i;

	if (!m->nr_skbs || what < 3) {
		fuzz_build(m);
		return;
	}

	i = txm_below(m, m->nr_skbs);
	len = m->skb[i].len;
	if (!len || what < 6 || !txm_has_room(m, 0)) {
		txm_free(m, i);
		return;
	}

	switch (what) {
	case 6 ... 7:
		txm_clone(m, i);
		break;
	case 8 ... 9:
		txm_pskb_copy(m, i, txm_below(m, 100));
		break;
	case 10:
		txm_expand_head(m, i, txm_below(m, 200), txm_below(m, 200));
		break;
	case 11 ... 12:
		fuzz_split(m, i);
		break;
	case 13 ... 14:
		fuzz_move(m, i, true);
		break;
	case 15:
		fuzz_move(m, i, false);
		break;
	case 16:
		fuzz_segment(m, i);
		break;
	case 17:
		if (m->skb[i].unreadable)
			len = skb_headlen(m->skb[i].skb);
		txm_pull(m, i, txm_below(m, len + 1));
		break;
	case 18:
		txm_trim(m, i, txm_below(m, len + 1));
		break;
	default:
		if (!m->skb[i].unreadable)
			fuzz_copy(m, i, what);
		break;
	}
}

static void fuzz_run(struct kunit *test, u64 seed, unsigned int rounds)
{
	struct txm *m = txm_create(test, seed);
	unsigned int round, step;

	for (round = 0; round < rounds; round++) {
		txm_restart(m);
		for (step = 0; step < FUZZ_STEPS; step++) {
			fuzz_step(m);
			if (!txm_check(m))
				break;
		}
		if (m->failed || !txm_drain(m)) {
			kunit_err(test, "seed %llu, round %u, step %u\n",
				  seed, round, step);
			return;
		}
	}
}

static void random_sequences_keep_counts_and_bytes(struct kunit *test)
{
	const u64 *seed = test->param_value;

	fuzz_run(test, *seed, FUZZ_ROUNDS);
}

static void fresh_random_sequence_keeps_counts_and_bytes(struct kunit *test)
{
	u64 seed = get_random_u64();

	kunit_info(test, "seed %llu\n", seed);
	fuzz_run(test, seed, FUZZ_FRESH_ROUNDS);
}

static struct kunit_case fuzz_cases[] = {
	KUNIT_CASE_PARAM(random_sequences_keep_counts_and_bytes,
			 fuzz_gen_params),
	KUNIT_CASE(fresh_random_sequence_keeps_counts_and_bytes),
	{}
};

static struct kunit_suite fuzz_suite = {
	.name = "net_txbuf_fuzz",
	.test_cases = fuzz_cases,
};

kunit_test_suite(fuzz_suite);

// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of counting the references of several fragments at once */

#include <linux/skbuff_ref.h>

#include "txbuf_model.h"

/* One fragment a letter: a and b are owners, p is a plain page. */
static const struct runs_case {
	const char *frags;
	unsigned int nr;	/* how many of them are looked at */
	unsigned int run;	/* how many belong to the first run */
} runs_cases[] = {
	{ "a", 1, 1 },
	{ "aa", 2, 2 },
	{ "aaaa", 4, 4 },
	{ "aaaa", 2, 2 },
	{ "aaaa", 1, 1 },
	{ "ab", 2, 1 },
	{ "aab", 3, 2 },
	{ "aabaa", 5, 2 },
	{ "ap", 2, 1 },
	{ "aap", 3, 2 },
	{ "apa", 3, 1 },
	{ "bbbaaa", 6, 3 },
	{ "aaaaaaaaaaaaaaaaa", 17, 17 },
	{ "aaaaaaaaaaaaaaaab", 17, 16 },
};

static void runs_desc(const struct runs_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%.*s of %s", (int)c->nr,
		 c->frags, c->frags);
}

KUNIT_ARRAY_PARAM(runs, runs_cases, runs_desc);

struct runs_frags {
	skb_frag_t frag[MAX_SKB_FRAGS];
	unsigned int nr;
	unsigned int of[2];	/* fragments of each owner */
};

static void runs_fill(struct txm *m, const struct runs_case *c,
		      struct runs_frags *f)
{
	unsigned int i;

	txm_restart(m);
	memset(f, 0, sizeof(*f));
	txm_add_owner(m);
	txm_add_owner(m);
	for (i = 0; c->frags[i]; i++) {
		struct txm_owner *o = NULL;

		if (c->frags[i] != 'p')
			o = &m->owner[c->frags[i] - 'a'];
		KUNIT_ASSERT_TRUE(m->test, txm_fill(m, &f->frag[i], o, 10));
		if (o)
			f->of[c->frags[i] - 'a']++;
	}
	f->nr = i;
}

static void runs_expect(struct txm *m, unsigned int a, unsigned int b)
{
	KUNIT_EXPECT_EQ(m->test, a, refcount_read(&m->owner[0].tb->ref));
	KUNIT_EXPECT_EQ(m->test, b, refcount_read(&m->owner[1].tb->ref));
}

static void run_ends_where_the_owner_changes(struct kunit *test)
{
	const struct runs_case *c = test->param_value;
	struct txm *m = txm_create(test, 1);
	unsigned int first, a, b;
	struct runs_frags f;

	runs_fill(m, c, &f);
	first = c->frags[0] - 'a';
	a = 1 + f.of[0];
	b = 1 + f.of[1];
	runs_expect(m, a, b);

	KUNIT_EXPECT_EQ(test, c->run, net_txbuf_get_run(f.frag, c->nr));
	runs_expect(m, a + (first ? 0 : c->run), b + (first ? c->run : 0));
	KUNIT_EXPECT_EQ(test, c->run, net_txbuf_put_run(f.frag, c->nr));
	runs_expect(m, a, b);

	__skb_frags_unref(f.frag, f.nr, false);
	txm_drain(m);
}

static void ranges_count_every_frag(struct kunit *test)
{
	const struct runs_case *c = test->param_value;
	struct txm *m = txm_create(test, 2);
	struct runs_frags f;
	bool recycle = true;

	do {
		recycle = !recycle;
		runs_fill(m, c, &f);
		__skb_frags_ref(f.frag, f.nr);
		runs_expect(m, 1 + 2 * f.of[0], 1 + 2 * f.of[1]);
		__skb_frags_unref(f.frag, f.nr, recycle);
		runs_expect(m, 1 + f.of[0], 1 + f.of[1]);

		txm_drop_owner(&m->owner[0]);
		txm_drop_owner(&m->owner[1]);
		KUNIT_EXPECT_EQ(test, !f.of[0], m->owner[0].released);
		KUNIT_EXPECT_EQ(test, !f.of[1], m->owner[1].released);
		__skb_frags_unref(f.frag, f.nr, recycle);
		KUNIT_EXPECT_EQ(test, 1, m->owner[0].released);
		KUNIT_EXPECT_EQ(test, 1, m->owner[1].released);
	} while (!recycle && txm_drain(m));
}

static struct kunit_case runs_test_cases[] = {
	KUNIT_CASE_PARAM(run_ends_where_the_owner_changes, runs_gen_params),
	KUNIT_CASE_PARAM(ranges_count_every_frag, runs_gen_params),
	{}
};

static struct kunit_suite runs_suite = {
	.name = "net_txbuf_runs",
	.test_cases = runs_test_cases,
};

kunit_test_suite(runs_suite);

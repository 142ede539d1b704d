// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of the layout of txbufs and messages
 *
 * The numbers do not come from a compiler.  They were computed from the
 * declaration that the headers of the types are generated from, as this file
 * is: C has to lay the types out as their documentation and Rust have it.
 */

#include <kunit/test.h>
#include <linux/lockdep_types.h>
#include <linux/stddef.h>
#include <net/txbuf/msg-types.h>
#include <net/txbuf/types.h>

/* An expression, its value, and the one that it has to have. */
struct figure {
	const char *what;
	size_t is;
	size_t wanted;
};

#define FIGURE(expression, on_64_bit, on_32_bit) {			\
	.what = #expression,						\
	.is = (expression),						\
	.wanted = IS_ENABLED(CONFIG_64BIT) ? (on_64_bit) : (on_32_bit),	\
}

static const struct figure net_txbuf_ops_figures[] = {
	FIGURE(offsetof(struct net_txbuf_ops, release), 0, 0),
	FIGURE(sizeof_field(struct net_txbuf_ops, release), 8, 4),
	FIGURE(sizeof(struct net_txbuf_ops), 8, 4),
	FIGURE(__alignof__(struct net_txbuf_ops), 8, 4),
};

static const struct figure net_txbuf_figures[] = {
	FIGURE(offsetof(struct net_txbuf, ref), 0, 0),
	FIGURE(sizeof_field(struct net_txbuf, ref), 4, 4),
	FIGURE(offsetof(struct net_txbuf, nr_slots), 4, 4),
	FIGURE(sizeof_field(struct net_txbuf, nr_slots), 2, 2),
	FIGURE(offsetof(struct net_txbuf, max_slots), 6, 6),
	FIGURE(sizeof_field(struct net_txbuf, max_slots), 2, 2),
	FIGURE(offsetof(struct net_txbuf, next), 8, 8),
	FIGURE(sizeof_field(struct net_txbuf, next), 8, 4),
	FIGURE(offsetof(struct net_txbuf, ubuf), 16, 12),
	FIGURE(sizeof_field(struct net_txbuf, ubuf), 8, 4),
	FIGURE(offsetof(struct net_txbuf, ops), 24, 16),
	FIGURE(sizeof_field(struct net_txbuf, ops), 8, 4),
	FIGURE(offsetof(struct net_txbuf, priv), 32, 20),
	FIGURE(sizeof_field(struct net_txbuf, priv), 8, 4),
	FIGURE(offsetof(struct net_txbuf, type), 40, 24),
	FIGURE(sizeof_field(struct net_txbuf, type), 1, 1),
	FIGURE(offsetof(struct net_txbuf, flags), 41, 25),
	FIGURE(sizeof_field(struct net_txbuf, flags), 1, 1),
	FIGURE(offsetof(struct net_txbuf, spare), 42, 26),
	FIGURE(sizeof_field(struct net_txbuf, spare), 2, 2),
	FIGURE(offsetof(struct net_txbuf, bv), 48, 28),
	FIGURE(sizeof_field(struct net_txbuf, bv[0]), 16, 12),
	FIGURE(sizeof(struct net_txbuf), 48, 28),
	FIGURE(__alignof__(struct net_txbuf), 8, 4),
};

static const struct figure net_txmsg_figures[] = {
	FIGURE(offsetof(struct net_txmsg, ubuf), 0, 0),
	FIGURE(sizeof_field(struct net_txmsg, ubuf), 16, 12),
	FIGURE(offsetof(struct net_txmsg, release), 16, 12),
	FIGURE(sizeof_field(struct net_txmsg, release), 8, 4),
	FIGURE(offsetof(struct net_txmsg, wq), 24, 16),
	FIGURE(sizeof_field(struct net_txmsg, wq), 8, 4),
	FIGURE(offsetof(struct net_txmsg, state), 32, 20),
	FIGURE(sizeof_field(struct net_txmsg, state), 8, 4),
	FIGURE(offsetof(struct net_txmsg, work), 40, 24),
	FIGURE(sizeof_field(struct net_txmsg, work),
	       32 + sizeof(struct lockdep_map),
	       16 + sizeof(struct lockdep_map)),
	FIGURE(sizeof(struct net_txmsg),
	       72 + sizeof(struct lockdep_map),
	       40 + sizeof(struct lockdep_map)),
	FIGURE(__alignof__(struct net_txmsg), 8, 4),
};

static const struct figure value_figures[] = {
	FIGURE(NET_TXBUF_SIZE, 512, 256),
	FIGURE(NET_TXBUF_MAX_SLOTS, 29, 19),
	FIGURE(NET_TXBUF_BUFFERED, 0, 0),
	FIGURE(NET_TXBUF_ZCOPY_USER, 1, 1),
	FIGURE(NET_TXBUF_ZCOPY_KERNEL, 2, 2),
	FIGURE(NET_TXBUF_PIPE, 3, 3),
	FIGURE(NET_TXBUF_COPIED, 1, 1),
	FIGURE(NET_TXMSG_SENDING, 0, 0),
	FIGURE(NET_TXMSG_IN_PLACE, 1, 1),
	FIGURE(NET_TXMSG_COPIED, 2, 2),
};

static void compare(struct kunit *test, const struct figure *figures,
		    unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ_MSG(test, figures[i].is, figures[i].wanted,
				    "%s", figures[i].what);
}

static void compare_layout(struct kunit *test, const struct figure *figures,
			   unsigned int nr)
{
	if (__alignof__(void *) != sizeof(void *))
		kunit_skip(test, "pointers are not aligned to their size");
	compare(test, figures, nr);
}

static void net_txbuf_ops_is_laid_out_as_declared(struct kunit *test)
{
	compare_layout(test, net_txbuf_ops_figures,
		       ARRAY_SIZE(net_txbuf_ops_figures));
}

static void net_txbuf_is_laid_out_as_declared(struct kunit *test)
{
	compare_layout(test, net_txbuf_figures,
		       ARRAY_SIZE(net_txbuf_figures));
}

static void net_txmsg_is_laid_out_as_declared(struct kunit *test)
{
	compare_layout(test, net_txmsg_figures,
		       ARRAY_SIZE(net_txmsg_figures));
}

static void values_are_those_declared(struct kunit *test)
{
	compare(test, value_figures, ARRAY_SIZE(value_figures));
}

static struct kunit_case layout_cases[] = {
	KUNIT_CASE(net_txbuf_ops_is_laid_out_as_declared),
	KUNIT_CASE(net_txbuf_is_laid_out_as_declared),
	KUNIT_CASE(net_txmsg_is_laid_out_as_declared),
	KUNIT_CASE(values_are_those_declared),
	{}
};

static struct kunit_suite layout_suite = {
	.name = "net_txbuf_layout",
	.test_cases = layout_cases,
};

kunit_test_suite(layout_suite);

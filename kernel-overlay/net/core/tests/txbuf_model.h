/* SPDX-License-Identifier: GPL-2.0 */

#ifndef _NET_CORE_TESTS_TXBUF_MODEL_H
#define _NET_CORE_TESTS_TXBUF_MODEL_H

#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/skbuff.h>
#include <net/txbuf/helpers.h>

#define TXM_ORDER	1
#define TXM_PAGES	16
#define TXM_IOVS	4
#define TXM_OWNERS	48
#define TXM_SKBS	24
#define TXM_POISON	0xdb

/* What the model knows about a txbuf, without looking into it. */
struct txm_owner {
	struct net_txbuf *tb;
	struct txm *m;
	struct bio_vec slot[NET_TXBUF_MAX_SLOTS];
	unsigned int nr_slots;
	unsigned int held;	/* references that the test itself holds */
	unsigned int released;	/* how often its memory was given back */
	unsigned int seen;	/* tagged fragments found by the last check */
	bool copied;
};

/* An skb and the bytes that it has to contain. */
struct txm_skb {
	struct sk_buff *skb;
	u8 *bytes;
	unsigned int len;
	bool unreadable;	/* may have fragments that are net_iovs */
};

struct txm {
	struct kunit *test;
	struct rnd_state rnd;
	struct ubuf_info ubuf;
	unsigned int completed;
	bool all_in_place;
	bool failed;
	const char *op;
	unsigned long arg;

	/* Test memory is handed out from the start to the end, so memory that
	 * was attached one after the other is contiguous, whoever owns it.
	 */
	struct page *pages[TXM_PAGES];
	unsigned int pos;
	unsigned int page_seen[TXM_PAGES];

	/* Memory that the CPU can not reach, and what is in it.  Like that of
	 * io_uring, it has no references to count.
	 */
	struct net_iov iov[TXM_IOVS];
	u8 iov_bytes[TXM_IOVS][PAGE_SIZE];

	struct txm_owner owner[TXM_OWNERS];
	unsigned int nr_owners;
	struct txm_skb skb[TXM_SKBS];
	unsigned int nr_skbs;
	const struct skb_shared_info *shinfo[2 * TXM_SKBS];
	unsigned int nr_shinfos;
};

#define TXM_PAGE	-1
#define TXM_IOV		-2

/* What a fragment that the test builds refers to. */
struct txm_frag {
	int owner;		/* index of the owner, TXM_PAGE or TXM_IOV */
	unsigned int len;
};

struct txm *txm_create(struct kunit *test, u64 seed);
void txm_restart(struct txm *m);
bool txm_drain(struct txm *m);
bool txm_check(struct txm *m);
u32 txm_below(struct txm *m, u32 ceil);

struct txm_owner *txm_add_owner(struct txm *m);
void txm_drop_owner(struct txm_owner *o);
bool txm_has_room(const struct txm *m, unsigned int len);
bool txm_fill(struct txm *m, skb_frag_t *frag, struct txm_owner *o,
	      unsigned int len);
int txm_build(struct txm *m, unsigned int headlen,
	      const struct txm_frag *frags, unsigned int nr_frags, bool zcopy);

void txm_chain(struct txm *m, int to, int from);
int txm_clone(struct txm *m, int i);
int txm_pskb_copy(struct txm *m, int i, unsigned int headroom);
int txm_copy(struct txm *m, int i);
int txm_zerocopy(struct txm *m, int i, unsigned int len);
int txm_extract(struct txm *m, int i, unsigned int off, unsigned int len);
int txm_split(struct txm *m, int i, unsigned int len);
int txm_segment(struct txm *m, int i, unsigned int mss,
		netdev_features_t features);
void txm_expand_head(struct txm *m, int i, int nhead, int ntail);
void txm_pull(struct txm *m, int i, unsigned int len);
void txm_trim(struct txm *m, int i, unsigned int len);
void txm_linearize(struct txm *m, int i);
void txm_copy_ubufs(struct txm *m, int i);
void txm_shift(struct txm *m, int to, int from, unsigned int len);
void txm_coalesce(struct txm *m, int to, int from);
void txm_free(struct txm *m, int i);

#endif /* _NET_CORE_TESTS_TXBUF_MODEL_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * A model of skbs whose fragments have owners, for KUnit
 *
 * Every operation runs on real skbs and, as a plain copy of bytes, on the
 * model.  txm_check() then walks the fragments of all skbs, counts what each
 * owner and each page is referred to, and compares that with the reference
 * counts.  When an owner gives its memory back the model overwrites it, so
 * that an skb which still uses the memory has the wrong bytes.
 */

#include <linux/mm.h>
#include <linux/slab.h>
#include <net/gso.h>

#include "txbuf_model.h"

#define TXM_PAGE_SIZE	(PAGE_SIZE << TXM_ORDER)

#define txm_begin(m, arg)	__txm_begin(m, __func__, arg)

static void __txm_begin(struct txm *m, const char *op, unsigned long arg)
{
	m->op = op;
	m->arg = arg;
}

static __printf(2, 3) void txm_fail(struct txm *m, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	KUNIT_FAIL(m->test, "after %s(%lu): %pV", m->op, m->arg, &vaf);
	va_end(args);
	m->failed = true;
}

/* A number in [0, ceil). */
u32 txm_below(struct txm *m, u32 ceil)
{
	return prandom_u32_state(&m->rnd) % ceil;
}

static void *txm_addr(struct bio_vec *bv)
{
	return page_address(bv->bv_page) + bv->bv_offset;
}

static void txm_release(struct net_txbuf *tb)
{
	struct txm_owner *o = tb->priv;
	unsigned int i;

	o->released++;
	if (refcount_read(&tb->ref))
		txm_fail(o->m, "owner %td released with references",
			 o - o->m->owner);
	for (i = 0; i < o->nr_slots; i++)
		memset(txm_addr(&o->slot[i]), TXM_POISON, o->slot[i].bv_len);
}

static const struct net_txbuf_ops txm_ops = {
	.release = txm_release,
};

static void txm_complete(struct sk_buff *skb, struct ubuf_info *ubuf,
			 bool success)
{
	struct txm *m = container_of(ubuf, struct txm, ubuf);

	if (!success)
		m->all_in_place = false;
	if (refcount_dec_and_test(&ubuf->refcnt))
		m->completed++;
}

static const struct ubuf_info_ops txm_ubuf_ops = {
	.complete = txm_complete,
};

/* Forget everything and begin with fresh memory. */
void txm_restart(struct txm *m)
{
	unsigned int i;

	for (i = 0; i * TXM_PAGE_SIZE < m->pos; i++)
		prandom_bytes_state(&m->rnd, page_address(m->pages[i]),
				    min(m->pos - i * TXM_PAGE_SIZE,
					TXM_PAGE_SIZE));
	memset(m->owner, 0, m->nr_owners * sizeof(m->owner[0]));
	m->nr_owners = 0;
	m->nr_skbs = 0;
	m->pos = 0;
	m->completed = 0;
	m->all_in_place = true;
	m->op = "start";
	m->ubuf = (struct ubuf_info) {
		.ops = &txm_ubuf_ops,
		.refcnt = REFCOUNT_INIT(1),
		.flags = SKBFL_ZEROCOPY_FRAG | SKBFL_DONT_ORPHAN,
	};
}

static void txm_free_page(void *page)
{
	__free_pages(page, TXM_ORDER);
}

struct txm *txm_create(struct kunit *test, u64 seed)
{
	unsigned int i;
	struct txm *m;

	m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m);
	m->test = test;
	prandom_seed_state(&m->rnd, seed);

	for (i = 0; i < TXM_PAGES; i++) {
		m->pages[i] = alloc_pages(GFP_KERNEL | __GFP_COMP, TXM_ORDER);
		KUNIT_ASSERT_NOT_NULL(test, m->pages[i]);
		KUNIT_ASSERT_EQ(test, 0,
				kunit_add_action_or_reset(test, txm_free_page,
							  m->pages[i]));
	}
	for (i = 0; i < TXM_IOVS; i++)
		net_iov_init(&m->iov[i], NULL, NET_IOV_IOURING);
	prandom_bytes_state(&m->rnd, m->iov_bytes, sizeof(m->iov_bytes));
	m->pos = TXM_PAGES * TXM_PAGE_SIZE;
	txm_restart(m);

	return m;
}

/* Take the next @len bytes of memory, which do not leave a page. */
static struct bio_vec txm_memory(struct txm *m, unsigned int len)
{
	struct bio_vec bv = {};

	if (m->pos % TXM_PAGE_SIZE + len > TXM_PAGE_SIZE)
		m->pos = round_up(m->pos, TXM_PAGE_SIZE);
	if (m->pos + len <= TXM_PAGES * TXM_PAGE_SIZE) {
		bvec_set_page(&bv, m->pages[m->pos / TXM_PAGE_SIZE], len,
			      m->pos % TXM_PAGE_SIZE);
		m->pos += len;
	}

	return bv;
}

bool txm_has_room(const struct txm *m, unsigned int len)
{
	return m->nr_skbs + 8 < TXM_SKBS && m->nr_owners + 8 < TXM_OWNERS &&
	       m->pos + len + TXM_PAGE_SIZE < TXM_PAGES * TXM_PAGE_SIZE;
}

struct txm_owner *txm_add_owner(struct txm *m)
{
	struct txm_owner *o = &m->owner[m->nr_owners];

	KUNIT_ASSERT_LT(m->test, m->nr_owners, TXM_OWNERS);
	o->tb = net_txbuf_alloc(NET_TXBUF_ZCOPY_KERNEL, &txm_ops, &m->ubuf,
				GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(m->test, o->tb);
	o->tb->priv = o;
	o->m = m;
	o->held = 1;
	m->nr_owners++;

	return o;
}

/* Stop filling. */
void txm_drop_owner(struct txm_owner *o)
{
	if (!o->held)
		return;
	o->held--;
	net_txbuf_put(o->tb);
}

/* Let @frag refer to new memory, of @o or, if that is NULL, of a page. */
bool txm_fill(struct txm *m, skb_frag_t *frag, struct txm_owner *o,
	      unsigned int len)
{
	struct bio_vec bv = txm_memory(m, len);
	struct page *page = bv.bv_page;
	unsigned int off = bv.bv_offset;
	netmem_ref netmem;

	if (!page)
		return false;

	if (!o) {
		get_page(page);
		skb_frag_fill_page_desc(frag, page, off, len);
		return true;
	}

	/* The slot starts in the page that its memory starts in, be it in the
	 * middle of a folio.
	 */
	page += off / PAGE_SIZE;
	off %= PAGE_SIZE;
	netmem = net_txbuf_append(o->tb, page, off, len);
	if (!netmem)
		return false;
	net_txbuf_get(o->tb);
	bvec_set_page(&o->slot[o->nr_slots++], page, len, off);
	skb_frag_fill_netmem_desc(frag, netmem, off, len);

	return true;
}

/* Let @frag refer to memory without a struct page. */
static void txm_fill_iov(struct txm *m, skb_frag_t *frag, unsigned int len)
{
	struct net_iov *iov = &m->iov[txm_below(m, TXM_IOVS)];

	skb_frag_fill_netmem_desc(frag, net_iov_to_netmem(iov),
				  txm_below(m, PAGE_SIZE - len), len);
}

/* The owner, and its slot, that @netmem refers to. */
static struct txm_owner *txm_find_slot(struct txm *m, netmem_ref netmem,
				       unsigned int *slot)
{
	struct txm_owner *o;

	for (o = m->owner; o < m->owner + m->nr_owners; o++)
		for (*slot = 0; !o->released && *slot < o->nr_slots; ++*slot)
			if (netmem == net_txbuf_slot_netmem(o->tb, *slot))
				return o;

	return NULL;
}

/* Where the bytes of @frag have to be, not asking the accessors of frags. */
static const u8 *txm_frag_bytes(struct txm *m, const skb_frag_t *frag)
{
	unsigned long addr = (__force unsigned long)frag->netmem;
	struct txm_owner *o;
	const void *start;
	unsigned int i;

	if (addr & NET_IOV) {
		i = (struct net_iov *)(addr & ~NET_IOV) - m->iov;
		start = m->iov_bytes[i];
	} else if (addr & NET_TXBUF) {
		o = txm_find_slot(m, frag->netmem, &i);
		if (!o)
			return NULL;
		start = page_address(o->slot[i].bv_page);
	} else {
		start = page_address((struct page *)addr);
	}

	return start + frag->offset;
}

/* Copy the bytes of fragments to @to.  Return: how many. */
static unsigned int txm_copy_frags(struct txm *m, u8 *to,
				   const struct skb_shared_info *shinfo)
{
	unsigned int i, len = 0;

	for (i = 0; i < shinfo->nr_frags; i++) {
		const u8 *from = txm_frag_bytes(m, &shinfo->frags[i]);

		if (from)
			memcpy(to + len, from, shinfo->frags[i].len);
		len += shinfo->frags[i].len;
	}

	return len;
}

static int txm_add_skb(struct txm *m, struct sk_buff *skb, bool unreadable,
		       const u8 *bytes, unsigned int len)
{
	struct txm_skb *s = &m->skb[m->nr_skbs];

	KUNIT_ASSERT_LT(m->test, m->nr_skbs, TXM_SKBS);
	s->skb = skb;
	s->unreadable = unreadable;
	s->len = len;
	s->bytes = kmalloc(len + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(m->test, s->bytes);
	memcpy(s->bytes, bytes, len);

	return m->nr_skbs++;
}

/* Add an skb that has @len bytes of skb @i, from @off on. */
static int txm_add_copy(struct txm *m, struct sk_buff *skb, int i,
			unsigned int off, unsigned int len)
{
	const struct txm_skb *s = &m->skb[i];

	return txm_add_skb(m, skb, s->unreadable, s->bytes + off, len);
}

static void txm_del_skb(struct txm *m, int i)
{
	kfree(m->skb[i].bytes);
	m->skb[i] = m->skb[--m->nr_skbs];
}

/* Build an skb.  Owners that do not exist yet come into being. */
int txm_build(struct txm *m, unsigned int headlen,
	      const struct txm_frag *frags, unsigned int nr_frags, bool zcopy)
{
	unsigned int i, base = m->nr_owners, len = headlen;
	struct skb_shared_info *shinfo;
	struct sk_buff *skb;
	u8 *bytes;
	int ret;

	txm_begin(m, nr_frags);
	skb = alloc_skb(64 + headlen + 64, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(m->test, skb);
	skb_reserve(skb, 64);
	prandom_bytes_state(&m->rnd, skb_put(skb, headlen), headlen);
	shinfo = skb_shinfo(skb);

	for (i = 0; i < nr_frags; i++) {
		struct txm_owner *o = NULL;

		while (frags[i].owner >= (int)(m->nr_owners - base))
			txm_add_owner(m);
		if (frags[i].owner >= 0)
			o = &m->owner[base + frags[i].owner];
		if (frags[i].owner == TXM_IOV) {
			txm_fill_iov(m, &shinfo->frags[i], frags[i].len);
			skb->unreadable = 1;
		} else if (!txm_fill(m, &shinfo->frags[i], o, frags[i].len)) {
			break;
		}
		shinfo->nr_frags++;
		skb_len_add(skb, frags[i].len);
		len += frags[i].len;
	}
	if (zcopy)
		skb_zcopy_set(skb, &m->ubuf, NULL);
	while (base < m->nr_owners)
		txm_drop_owner(&m->owner[base++]);

	/* The expected bytes come from the test memory, not from the skb. */
	bytes = kmalloc(len + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(m->test, bytes);
	memcpy(bytes, skb->data, headlen);
	txm_copy_frags(m, bytes + headlen, shinfo);
	ret = txm_add_skb(m, skb, skb->unreadable, bytes, len);
	kfree(bytes);

	return ret;
}

static void txm_check_frag(struct txm *m, const struct sk_buff *skb,
			   const skb_frag_t *frag)
{
	unsigned long addr = (__force unsigned long)frag->netmem;
	struct txm_owner *o;
	unsigned int i;

	if (addr & NET_IOV) {
		if (!skb->unreadable)
			txm_fail(m, "net_iov in a readable skb");
		return;
	}
	if (!(addr & NET_TXBUF)) {
		struct page *page = compound_head((struct page *)addr);

		for (i = 0; i < TXM_PAGES; i++)
			if (page == m->pages[i])
				m->page_seen[i]++;
		return;
	}

	o = txm_find_slot(m, frag->netmem, &i);
	if (!o) {
		txm_fail(m, "fragment of a released owner");
		return;
	}

	o->seen++;
	if (frag->offset < o->slot[i].bv_offset ||
	    frag->offset + frag->len >
	    o->slot[i].bv_offset + o->slot[i].bv_len)
		txm_fail(m, "fragment [%u, +%u) leaves its slot [%u, +%u)",
			 frag->offset, frag->len, o->slot[i].bv_offset,
			 o->slot[i].bv_len);
}

static bool txm_check_owner(struct txm *m, struct txm_owner *o)
{
	unsigned int expect = o->held + o->seen, i;

	if (!expect) {
		if (o->released != 1)
			txm_fail(m, "unused owner %td released %u times",
				 o - m->owner, o->released);
		return !m->failed;
	}
	if (o->released) {
		txm_fail(m, "owner %td released, but used %u times",
			 o - m->owner, expect);
		return false;
	}
	if (refcount_read(&o->tb->ref) != expect)
		txm_fail(m, "owner %td has %u references, used %u times",
			 o - m->owner, refcount_read(&o->tb->ref), expect);
	if (!!(o->tb->flags & NET_TXBUF_COPIED) != o->copied)
		txm_fail(m, "owner %td copied: %u", o - m->owner,
			 o->tb->flags);
	for (i = 0; i < o->nr_slots; i++)
		if (memcmp(&o->slot[i], &o->tb->bv[i], sizeof(o->slot[i])))
			txm_fail(m, "owner %td slot %u changed", o - m->owner,
				 i);

	return !m->failed;
}

/* As skb_copy_bits() does, for skbs with memory that it can not read. */
static void txm_read(struct txm *m, const struct sk_buff *skb, u8 *bytes)
{
	const struct sk_buff *next;

	memcpy(bytes, skb->data, skb_headlen(skb));
	bytes += skb_headlen(skb);
	bytes += txm_copy_frags(m, bytes, skb_shinfo(skb));
	skb_walk_frags(skb, next) {
		txm_read(m, next, bytes);
		bytes += next->len;
	}
}

static void txm_check_skb(struct txm *m, const struct txm_skb *s)
{
	int err = 0;
	u8 *bytes;

	if (s->skb->len != s->len) {
		txm_fail(m, "%u bytes instead of %u", s->skb->len, s->len);
		return;
	}
	if ((s->skb->unreadable && !s->unreadable) || s->skb->pfmemalloc)
		txm_fail(m, "skb flags changed");

	bytes = kmalloc(s->len + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(m->test, bytes);
	if (s->unreadable)
		txm_read(m, s->skb, bytes);
	else
		err = skb_copy_bits(s->skb, 0, bytes, s->len);
	if (err || memcmp(bytes, s->bytes, s->len))
		txm_fail(m, "wrong bytes");
	kfree(bytes);
}

/* Count the references of an skb, once for all its clones. */
static void txm_check_shinfo(struct txm *m, const struct sk_buff *skb)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	unsigned int i;

	for (i = 0; i < m->nr_shinfos; i++)
		if (m->shinfo[i] == shinfo)
			return;
	KUNIT_ASSERT_LT(m->test, i, ARRAY_SIZE(m->shinfo));
	m->shinfo[m->nr_shinfos++] = shinfo;

	for (i = 0; i < shinfo->nr_frags; i++)
		txm_check_frag(m, skb, &shinfo->frags[i]);
}

/* Compare the state with the model.  Return: true if it is as expected. */
bool txm_check(struct txm *m)
{
	struct sk_buff *skb;
	unsigned int i;

	if (m->failed)
		return false;

	memset(m->page_seen, 0, sizeof(m->page_seen));
	m->nr_shinfos = 0;
	for (i = 0; i < m->nr_owners; i++)
		m->owner[i].seen = 0;

	for (i = 0; i < m->nr_skbs; i++) {
		txm_check_shinfo(m, m->skb[i].skb);
		skb_walk_frags(m->skb[i].skb, skb)
			txm_check_shinfo(m, skb);
	}

	for (i = 0; i < m->nr_owners; i++)
		if (!txm_check_owner(m, &m->owner[i]))
			return false;
	for (i = 0; i < TXM_PAGES; i++)
		if (page_ref_count(m->pages[i]) != 1 + m->page_seen[i])
			txm_fail(m, "page %u has %d references, used %u times",
				 i, page_ref_count(m->pages[i]),
				 m->page_seen[i]);
	for (i = 0; i < m->nr_skbs; i++)
		txm_check_skb(m, &m->skb[i]);

	return !m->failed;
}

/* Free all skbs in random order.  Return: true if nothing is left behind. */
bool txm_drain(struct txm *m)
{
	unsigned int i;

	while (m->nr_skbs && !m->failed) {
		txm_free(m, txm_below(m, m->nr_skbs));
		txm_check(m);
	}
	if (m->failed)
		return false;

	for (i = 0; i < m->nr_owners; i++)
		txm_drop_owner(&m->owner[i]);
	if (!txm_check(m))
		return false;
	m->op = __func__;
	if (m->completed || refcount_read(&m->ubuf.refcnt) != 1)
		txm_fail(m, "the completion has %u references",
			 refcount_read(&m->ubuf.refcnt));
	net_zcopy_put(&m->ubuf);
	if (m->completed != 1)
		txm_fail(m, "completed %u times", m->completed);

	return !m->failed;
}

/* Move an skb to the end of the frag_list of another one. */
void txm_chain(struct txm *m, int to, int from)
{
	struct txm_skb *t = &m->skb[to], *f = &m->skb[from];
	struct sk_buff **last;
	u8 *bytes;

	txm_begin(m, from);
	last = &skb_shinfo(t->skb)->frag_list;
	while (*last)
		last = &(*last)->next;
	*last = f->skb;
	skb_len_add(t->skb, f->len);

	bytes = krealloc(t->bytes, t->len + f->len + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(m->test, bytes);
	memcpy(bytes + t->len, f->bytes, f->len);
	t->bytes = bytes;
	t->len += f->len;
	txm_del_skb(m, from);
}

int txm_clone(struct txm *m, int i)
{
	struct sk_buff *skb;

	txm_begin(m, i);
	skb = skb_clone(m->skb[i].skb, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(m->test, skb);

	return txm_add_copy(m, skb, i, 0, m->skb[i].len);
}

int txm_pskb_copy(struct txm *m, int i, unsigned int headroom)
{
	struct sk_buff *skb;

	txm_begin(m, headroom);
	skb = __pskb_copy_fclone(m->skb[i].skb, headroom, GFP_KERNEL, false);
	KUNIT_ASSERT_NOT_NULL(m->test, skb);

	return txm_add_copy(m, skb, i, 0, m->skb[i].len);
}

int txm_copy(struct txm *m, int i)
{
	struct sk_buff *skb;

	txm_begin(m, i);
	skb = skb_copy(m->skb[i].skb, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(m->test, skb);

	return txm_add_copy(m, skb, i, 0, m->skb[i].len);
}

int txm_zerocopy(struct txm *m, int i, unsigned int len)
{
	struct sk_buff *from = m->skb[i].skb, *skb;
	unsigned int hlen = skb_zerocopy_headlen(from);

	txm_begin(m, len);
	len = max(len, hlen);
	if (!hlen)
		return -1;	/* would refer to the head by page */
	skb = alloc_skb(hlen, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(m->test, skb);
	skb->pp_recycle = from->pp_recycle;
	KUNIT_ASSERT_EQ(m->test, 0, skb_zerocopy(skb, from, len, hlen));

	return txm_add_copy(m, skb, i, 0, len);
}

int txm_extract(struct txm *m, int i, unsigned int off, unsigned int len)
{
	struct sk_buff *skb;

	txm_begin(m, off);
	skb = pskb_extract(m->skb[i].skb, off, len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(m->test, skb);

	return txm_add_copy(m, skb, i, off, len);
}

int txm_split(struct txm *m, int i, unsigned int len)
{
	struct txm_skb *s = &m->skb[i];
	unsigned int rest = s->len - len;
	struct sk_buff *skb;

	txm_begin(m, len);
	KUNIT_ASSERT_EQ(m->test, 0, skb_unclone(s->skb, GFP_KERNEL));
	skb = alloc_skb(skb_headlen(s->skb), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(m->test, skb);
	skb->pp_recycle = s->skb->pp_recycle;
	skb_split(s->skb, skb, len);
	s->len = len;

	return txm_add_copy(m, skb, i, len, rest);
}

/* Return: the number of segments that were added. */
int txm_segment(struct txm *m, int i, unsigned int mss,
		netdev_features_t features)
{
	struct sk_buff *skb = m->skb[i].skb, *segs, *next;
	unsigned int off = 0;
	int nr = 0;

	txm_begin(m, mss);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	skb->protocol = htons(ETH_P_ATALK);
	SKB_GSO_CB(skb)->mac_offset = skb_headroom(skb);
	skb_shinfo(skb)->gso_size = mss;
	segs = skb_segment(skb, features);
	skb_shinfo(skb)->gso_size = 0;
	if (IS_ERR_OR_NULL(segs)) {
		txm_fail(m, "no segments: %pe", segs);
		return 0;
	}

	skb_list_walk_safe(segs, segs, next) {
		unsigned int len = min(mss, m->skb[i].len - off);

		skb_mark_not_on_list(segs);
		txm_add_copy(m, segs, i, off, len);
		off += len;
		nr++;
	}
	if (off != m->skb[i].len)
		txm_fail(m, "segments have %u of %u bytes", off,
			 m->skb[i].len);

	return nr;
}

void txm_expand_head(struct txm *m, int i, int nhead, int ntail)
{
	txm_begin(m, nhead);
	KUNIT_ASSERT_EQ(m->test, 0,
			pskb_expand_head(m->skb[i].skb, nhead, ntail,
					 GFP_KERNEL));
}

/* Drop the first @len bytes. */
void txm_pull(struct txm *m, int i, unsigned int len)
{
	struct txm_skb *s = &m->skb[i];

	txm_begin(m, len);
	KUNIT_ASSERT_TRUE(m->test, pskb_may_pull(s->skb, len));
	__skb_pull(s->skb, len);
	s->len -= len;
	memmove(s->bytes, s->bytes + len, s->len);
}

void txm_trim(struct txm *m, int i, unsigned int len)
{
	txm_begin(m, len);
	KUNIT_ASSERT_EQ(m->test, 0, pskb_trim(m->skb[i].skb, len));
	m->skb[i].len = len;
}

void txm_linearize(struct txm *m, int i)
{
	txm_begin(m, i);
	KUNIT_ASSERT_EQ(m->test, 0, skb_linearize(m->skb[i].skb));
}

void txm_copy_ubufs(struct txm *m, int i)
{
	struct skb_shared_info *shinfo = skb_shinfo(m->skb[i].skb);
	struct txm_owner *o;
	unsigned int j, k;

	txm_begin(m, i);
	for (j = 0; j < shinfo->nr_frags; j++)
		for (o = m->owner; o < m->owner + m->nr_owners; o++)
			for (k = 0; k < o->nr_slots; k++)
				if (!o->released && shinfo->frags[j].netmem ==
				    net_txbuf_slot_netmem(o->tb, k))
					o->copied = true;
	KUNIT_ASSERT_EQ(m->test, 0,
			skb_copy_ubufs(m->skb[i].skb, GFP_KERNEL));
}

void txm_shift(struct txm *m, int to, int from, unsigned int len)
{
	struct txm_skb *t = &m->skb[to], *f = &m->skb[from];
	u8 *bytes;
	int n;

	txm_begin(m, len);
	n = skb_shift(t->skb, f->skb, len);
	if (n != 0 && n != len)
		txm_fail(m, "shifted %d bytes", n);

	bytes = krealloc(t->bytes, t->len + n + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(m->test, bytes);
	memcpy(bytes + t->len, f->bytes, n);
	t->bytes = bytes;
	t->len += n;
	f->len -= n;
	memmove(f->bytes, f->bytes + n, f->len);
}

void txm_coalesce(struct txm *m, int to, int from)
{
	struct txm_skb *t = &m->skb[to], *f = &m->skb[from];
	bool stolen;
	u8 *bytes;
	int delta;

	txm_begin(m, from);
	f->skb->truesize = SKB_TRUESIZE(skb_end_offset(f->skb)) +
			   f->skb->data_len;
	if (!skb_try_coalesce(t->skb, f->skb, &stolen, &delta))
		return;

	bytes = krealloc(t->bytes, t->len + f->len + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(m->test, bytes);
	memcpy(bytes + t->len, f->bytes, f->len);
	t->bytes = bytes;
	t->len += f->len;
	kfree_skb_partial(f->skb, stolen);
	txm_del_skb(m, from);
}

void txm_free(struct txm *m, int i)
{
	txm_begin(m, i);
	consume_skb(m->skb[i].skb);
	txm_del_skb(m, i);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Owners of the memory behind skb fragments
 *
 * A fragment whose netmem carries the NET_TXBUF tag points at a slot, a
 * bio_vec, inside a struct net_txbuf.  References to such a fragment are
 * references to the txbuf, never to the page: the memory may be pinned user
 * memory, slab memory, or anything else that has no page reference to take.
 *
 * Copyright the respective authors of the commits to this file.
 */

#include <linux/init.h>
#include <linux/mm.h>
#include <linux/skbuff_ref.h>
#include <linux/slab.h>
#include <net/txbuf/helpers.h>

/* The tag needs two low bits in everything that a netmem_ref may point at. */
static_assert(sizeof(struct page) % (NETMEM_TYPE_MASK + 1) == 0);
static_assert(sizeof(struct net_iov) % (NETMEM_TYPE_MASK + 1) == 0);

static struct kmem_cache *net_txbuf_cache __ro_after_init;

/* Every page of a slot carries one pin, slots never cross a folio. */
static void net_txbuf_unpin(struct net_txbuf *tb)
{
	unsigned int i;

	for (i = 0; i < tb->nr_slots; i++) {
		const struct bio_vec *bv = &tb->bv[i];
		unsigned int start = offset_in_page(bv->bv_offset);

		unpin_user_folio(page_folio(bv->bv_page),
				 DIV_ROUND_UP(start + bv->bv_len, PAGE_SIZE));
	}
}

/* Operations of %NET_TXBUF_ZCOPY_USER. */
const struct net_txbuf_ops net_txbuf_user_ops = {
	.release = net_txbuf_unpin,
};
EXPORT_SYMBOL_GPL(net_txbuf_user_ops);

/**
 * net_txbuf_alloc - allocate a txbuf without slots
 * @type: origin of the memory that will be attached
 * @ops: how to give that memory back, or NULL if there is nothing to do
 * @ubuf: the completion to hold until the txbuf is released, or NULL
 * @gfp: allocation flags
 *
 * Context: Any context, subject to @gfp.
 * Return: a txbuf on which the caller, its filler, holds the only reference,
 * or NULL if there is no memory.
 */
struct net_txbuf *net_txbuf_alloc(enum net_txbuf_type type,
				  const struct net_txbuf_ops *ops,
				  struct ubuf_info *ubuf, gfp_t gfp)
{
	struct net_txbuf *tb;

	tb = kmem_cache_alloc(net_txbuf_cache, gfp);
	if (!tb)
		return NULL;

	*tb = (struct net_txbuf) {
		.ref = REFCOUNT_INIT(1),
		.max_slots = NET_TXBUF_MAX_SLOTS,
		.ubuf = ubuf,
		.ops = ops,
		.type = type,
	};
	if (ubuf)
		net_zcopy_get(ubuf);

	return tb;
}
EXPORT_SYMBOL_GPL(net_txbuf_alloc);

/**
 * net_txbuf_append - attach memory to a txbuf as a new slot
 * @tb: the txbuf, being filled by the caller
 * @page: the page in which the memory starts
 * @offset: where it starts in @page
 * @len: its length in bytes; the memory must not leave the folio of @page
 *
 * What keeps the memory valid (a pin for each page, if @tb is of type
 * %NET_TXBUF_ZCOPY_USER) belongs to @tb from here on.  Takes no reference on
 * @tb: a caller that stores the result in a fragment takes one for it.
 *
 * Return: the reference to store in a fragment whose offset counts from the
 * start of @page, or 0 if @tb is full.
 */
netmem_ref net_txbuf_append(struct net_txbuf *tb, struct page *page,
			    unsigned int offset, unsigned int len)
{
	unsigned int slot = tb->nr_slots;

	DEBUG_NET_WARN_ON_ONCE(offset >= PAGE_SIZE);

	if (slot == tb->max_slots)
		return 0;

	bvec_set_page(&tb->bv[slot], page, len, offset);
	tb->nr_slots++;

	return net_txbuf_slot_netmem(tb, slot);
}
EXPORT_SYMBOL_GPL(net_txbuf_append);

/**
 * net_txbuf_extend - let the last slot and the fragment that uses it grow
 * @tb: the txbuf, being filled by the caller
 * @frag: a fragment of an skb that only the caller can reach
 * @page: the page in which the additional memory starts
 * @offset: where it starts in @page
 * @len: its length in bytes
 *
 * Possible if @frag ends where the last slot of @tb ends, and if the memory
 * continues that slot in the same folio.  Other fragments may refer to the
 * slot, and even to all of it: they keep their own length.  If the memory
 * starts inside a page, that page was pinned for the slot already and the
 * caller has to drop the second pin.
 *
 * Return: true if slot and fragment now include the memory, false if nothing
 * changed.
 */
bool net_txbuf_extend(struct net_txbuf *tb, skb_frag_t *frag,
		      struct page *page, unsigned int offset,
		      unsigned int len)
{
	unsigned int last, end;
	struct bio_vec *bv;

	if (!tb->nr_slots)
		return false;

	last = tb->nr_slots - 1;
	if (skb_frag_netmem(frag) != net_txbuf_slot_netmem(tb, last))
		return false;

	bv = &tb->bv[last];
	end = bv->bv_offset + bv->bv_len;
	if (skb_frag_off(frag) + skb_frag_size(frag) != end)
		return false;
	if (page_folio(page) != page_folio(bv->bv_page))
		return false;
	if (page_to_phys(page) + offset != page_to_phys(bv->bv_page) + end)
		return false;

	bv->bv_len += len;
	skb_frag_size_add(frag, len);

	return true;
}
EXPORT_SYMBOL_GPL(net_txbuf_extend);

/* The last reference to @tb is gone.  A chain of txbufs may be long: walk it
 * instead of recursing.
 */
void __net_txbuf_release(struct net_txbuf *tb)
{
	while (tb) {
		struct net_txbuf *next = tb->next;
		struct ubuf_info *ubuf = tb->ubuf;
		bool copied;

		copied = READ_ONCE(tb->flags) & NET_TXBUF_COPIED;
		if (tb->ops && tb->ops->release)
			tb->ops->release(tb);
		kmem_cache_free(net_txbuf_cache, tb);
		if (ubuf)
			ubuf->ops->complete(NULL, ubuf, !copied);

		if (!next || !refcount_dec_and_test(&next->ref))
			break;
		tb = next;
	}
}
EXPORT_SYMBOL_GPL(__net_txbuf_release);

/* How many fragments from @frags on have the same owner as the first. */
static unsigned int net_txbuf_run(const skb_frag_t *frags, unsigned int nr)
{
	struct net_txbuf *tb = netmem_to_txbuf(skb_frag_netmem(frags));
	unsigned int n;

	for (n = 1; n < nr; n++) {
		netmem_ref netmem = skb_frag_netmem(&frags[n]);

		if (!netmem_is_txbuf(netmem) || netmem_to_txbuf(netmem) != tb)
			break;
	}

	return n;
}

/**
 * net_txbuf_get_run - take a reference on each of a run of fragments
 * @frags: the first fragment, which points at a slot of a txbuf
 * @nr: how many fragments there are
 *
 * Return: how many fragments, all of the same owner, were referenced.
 */
unsigned int net_txbuf_get_run(const skb_frag_t *frags, unsigned int nr)
{
	unsigned int n = net_txbuf_run(frags, nr);

	refcount_add(n, &netmem_to_txbuf(skb_frag_netmem(frags))->ref);

	return n;
}
EXPORT_SYMBOL_GPL(net_txbuf_get_run);

/**
 * net_txbuf_put_run - drop a reference on each of a run of fragments
 * @frags: the first fragment, which points at a slot of a txbuf
 * @nr: how many fragments there are
 *
 * Context: Any context in which an skb may be freed.
 * Return: how many fragments, all of the same owner, were released.
 */
unsigned int net_txbuf_put_run(const skb_frag_t *frags, unsigned int nr)
{
	struct net_txbuf *tb = netmem_to_txbuf(skb_frag_netmem(frags));
	unsigned int n = net_txbuf_run(frags, nr);

	if (refcount_sub_and_test(n, &tb->ref))
		__net_txbuf_release(tb);

	return n;
}
EXPORT_SYMBOL_GPL(net_txbuf_put_run);

static int __init net_txbuf_init(void)
{
	/* No SLAB_ACCOUNT: the memory that a txbuf stands for is charged to
	 * its sender already, and charging objects of this size one by one
	 * costs more than the rest of their allocation.
	 */
	net_txbuf_cache = kmem_cache_create("net_txbuf", NET_TXBUF_SIZE,
					    NET_TXBUF_SIZE, SLAB_PANIC, NULL);
	return 0;
}
core_initcall(net_txbuf_init);

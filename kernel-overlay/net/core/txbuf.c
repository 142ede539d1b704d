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
#include <linux/kasan.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/skbuff_ref.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <net/txbuf/helpers.h>

/* The tag needs two low bits in everything that a netmem_ref may point at. */
static_assert(sizeof(struct page) % (NETMEM_TYPE_MASK + 1) == 0);
static_assert(sizeof(struct net_iov) % (NETMEM_TYPE_MASK + 1) == 0);

static struct kmem_cache *net_txbuf_cache __ro_after_init;

/* The txbuf that was released last, for the next one who needs one.  A send of
 * a few pages would spend as much on the slab as on pinning them.
 */
static DEFINE_PER_CPU(struct net_txbuf *, net_txbuf_spare);

static void net_txbuf_free(struct net_txbuf *tb)
{
	if (!kasan_mempool_poison_object(tb))
		return;

	tb = this_cpu_xchg(net_txbuf_spare, tb);
	if (tb) {
		kasan_mempool_unpoison_object(tb, NET_TXBUF_SIZE);
		kmem_cache_free(net_txbuf_cache, tb);
	}
}

/* Every page of a slot carries one pin, slots never cross a folio. */
static void net_txbuf_unpin(struct net_txbuf *tb)
{
	unpin_user_bvecs(tb->bv, tb->nr_slots);
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

	tb = this_cpu_xchg(net_txbuf_spare, NULL);
	if (tb)
		kasan_mempool_unpoison_object(tb, NET_TXBUF_SIZE);
	else
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
		net_txbuf_free(tb);
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
	unsigned long first = (__force unsigned long)skb_frag_netmem(frags);
	unsigned int n;

	for (n = 1; n < nr; n++) {
		netmem_ref netmem = skb_frag_netmem(&frags[n]);

		if (((__force unsigned long)netmem ^ first) &
		    (~(NET_TXBUF_SIZE - 1UL) | NETMEM_TYPE_MASK))
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

/* The txbuf that holds the memory of the last fragment of @skb, if memory for
 * @ubuf can be added to it.  Nobody else adds to it: it is reached through an
 * skb that only the caller may append to.
 */
static struct net_txbuf *net_txbuf_tail(const struct sk_buff *skb,
					const struct ubuf_info *ubuf)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	struct net_txbuf *tb;
	netmem_ref netmem;

	if (!shinfo->nr_frags)
		return NULL;

	netmem = skb_frag_netmem(&shinfo->frags[shinfo->nr_frags - 1]);
	if (!netmem_is_txbuf(netmem))
		return NULL;

	tb = netmem_to_txbuf(netmem);
	if (tb->type != NET_TXBUF_ZCOPY_USER || tb->ubuf != ubuf ||
	    tb->nr_slots == tb->max_slots)
		return NULL;

	return tb;
}

/* How many pages of its folio are behind @page. */
static long net_txbuf_left_in_folio(struct page *page)
{
	struct folio *folio = page_folio(page);

	return folio_nr_pages(folio) - folio_page_idx(folio, page) - 1;
}

/* Make slots, and frags that use them, of @len bytes from @offset on in pinned
 * @pages.  Pages of a folio that follow each other share a slot.  There is room
 * for as many slots and frags as there are pages.
 *
 * Returns how many frags, each of which owes a reference on @tb, were added.
 */
static unsigned int net_txbuf_add_pages(struct sk_buff *skb,
					struct net_txbuf *tb,
					struct page **pages,
					unsigned int offset, size_t len)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	unsigned int nr_frags = shinfo->nr_frags;
	skb_frag_t *frag = &shinfo->frags[nr_frags];
	size_t size = min(len, PAGE_SIZE - offset);
	struct page *next = NULL;
	struct bio_vec *bv;
	long left = -1;

	if (nr_frags && net_txbuf_extend(tb, frag - 1, *pages, offset, size)) {
		/* The page that holds both the end of the slot and what
		 * follows was pinned twice.
		 */
		if (offset)
			unpin_user_page(*pages);
		next = *pages++ + 1;
		offset = 0;
		len -= size;
		size = min(len, PAGE_SIZE);
	}

	bv = &tb->bv[tb->nr_slots];
	while (len) {
		struct page *page = *pages++;

		/* Small pages hardly ever follow each other. */
		if (page == next && left < 0)
			left = net_txbuf_left_in_folio(page - 1);

		if (page == next && left > 0) {
			bv[-1].bv_len += size;
			skb_frag_size_add(frag - 1, size);
			left--;
		} else {
			left = -1;
			bvec_set_page(bv, page, size, offset);
			skb_frag_fill_netmem_desc(frag++,
						  net_txbuf_bvec_netmem(bv++),
						  offset, size);
		}

		next = page + 1;
		offset = 0;
		len -= size;
		size = min(len, PAGE_SIZE);
	}
	tb->nr_slots = bv - tb->bv;
	shinfo->nr_frags = frag - shinfo->frags;

	return shinfo->nr_frags - nr_frags;
}

/* Pin as much user memory as one txbuf and one call of GUP can take. */
static ssize_t net_txbuf_fill_once(struct sk_buff *skb, struct iov_iter *from,
				   size_t length, struct ubuf_info *ubuf)
{
	unsigned int room = MAX_SKB_FRAGS - skb_shinfo(skb)->nr_frags;
	struct page *pages[MAX_SKB_FRAGS] __uninitialized;
	struct net_txbuf *tb = net_txbuf_tail(skb, ubuf);
	struct page **to = pages;
	bool fresh = !tb;
	unsigned int refs;
	size_t offset;
	ssize_t len;

	if (fresh) {
		tb = net_txbuf_alloc(NET_TXBUF_ZCOPY_USER, &net_txbuf_user_ops,
				     ubuf, GFP_KERNEL);
		if (!tb)
			return -ENOMEM;
	}

	room = min_t(unsigned int, room, tb->max_slots - tb->nr_slots);
	len = iov_iter_extract_pages(from, &to, length, room, 0, &offset);
	if (len <= 0) {
		if (fresh)
			net_txbuf_put(tb);
		return -EFAULT;
	}

	skb->truesize += PAGE_ALIGN(offset + len);
	skb->data_len += len;
	skb->len += len;

	refs = net_txbuf_add_pages(skb, tb, pages, offset, len);
	if (fresh)
		refs--;		/* the filler gives its own away */
	if (refs)
		refcount_add(refs, &tb->ref);

	return len;
}

/**
 * net_txbuf_fill_skb - attach user memory to an skb without copying it
 * @skb: the skb, which only the caller may append to
 * @from: where the memory is, backed by user memory; advanced
 * @length: how many bytes to attach at most
 * @ubuf: the completion to hold as long as the memory is in use, or NULL
 *
 * The memory is pinned.  The pins belong to a txbuf: that of the last fragment
 * of @skb if there is one for the same @ubuf with room for more, else a new
 * one.
 *
 * Context: Process context of the owner of the memory, may sleep.
 * Return: 0 if all bytes were attached, -EMSGSIZE if @skb has no room for more
 * fragments, -EFAULT if there is memory that can not be pinned, -ENOMEM if
 * there is no memory for a txbuf.  Bytes before the error are attached.
 */
int net_txbuf_fill_skb(struct sk_buff *skb, struct iov_iter *from,
		       size_t length, struct ubuf_info *ubuf)
{
	while (length && iov_iter_count(from)) {
		ssize_t len;

		if (skb_shinfo(skb)->nr_frags == MAX_SKB_FRAGS)
			return -EMSGSIZE;

		len = net_txbuf_fill_once(skb, from, length, ubuf);
		if (len < 0)
			return len;
		length -= len;
	}

	return 0;
}
EXPORT_SYMBOL_GPL(net_txbuf_fill_skb);

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

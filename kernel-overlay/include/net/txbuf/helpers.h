/* SPDX-License-Identifier: GPL-2.0 */

#ifndef _NET_TXBUF_HELPERS_H
#define _NET_TXBUF_HELPERS_H

#include <linux/skbuff.h>
#include <net/netmem.h>
#include <net/txbuf/types.h>

extern const struct net_txbuf_ops net_txbuf_user_ops;

struct net_txbuf *net_txbuf_alloc(enum net_txbuf_type type,
				  const struct net_txbuf_ops *ops,
				  struct ubuf_info *ubuf, gfp_t gfp);
netmem_ref net_txbuf_append(struct net_txbuf *tb, struct page *page,
			    unsigned int offset, unsigned int len);
bool net_txbuf_extend(struct net_txbuf *tb, skb_frag_t *frag,
		      struct page *page, unsigned int offset,
		      unsigned int len);
int net_txbuf_fill_skb(struct sk_buff *skb, struct iov_iter *from,
		       size_t length, struct ubuf_info *ubuf);
void __net_txbuf_release(struct net_txbuf *tb);

/**
 * net_txbuf_bvec_netmem - make a reference to the memory of a slot
 * @bv: the slot, inside a txbuf
 *
 * Does not count the reference.
 *
 * Return: the value for the netmem member of a fragment.
 */
static inline netmem_ref net_txbuf_bvec_netmem(const struct bio_vec *bv)
{
	return (__force netmem_ref)((unsigned long)bv | NET_TXBUF);
}

/**
 * net_txbuf_slot_netmem - make a reference to the memory of a slot
 * @tb: the txbuf
 * @slot: index of the slot
 *
 * Does not count the reference.
 *
 * Return: the value for the netmem member of a fragment.
 */
static inline netmem_ref net_txbuf_slot_netmem(const struct net_txbuf *tb,
					       unsigned int slot)
{
	return net_txbuf_bvec_netmem(&tb->bv[slot]);
}

/**
 * netmem_to_txbuf - find the owner of the memory behind a fragment
 * @netmem: a reference for which netmem_is_txbuf() holds
 *
 * Return: the txbuf that @netmem points into.
 */
static inline struct net_txbuf *netmem_to_txbuf(netmem_ref netmem)
{
	DEBUG_NET_WARN_ON_ONCE(!netmem_is_txbuf(netmem));

	return (struct net_txbuf *)((__force unsigned long)netmem &
				    ~(NET_TXBUF_SIZE - 1UL));
}

/**
 * net_txbuf_get - take a reference on a txbuf
 * @tb: the txbuf, on which the caller already holds a reference
 */
static inline void net_txbuf_get(struct net_txbuf *tb)
{
	refcount_inc(&tb->ref);
}

/**
 * net_txbuf_put - drop a reference on a txbuf
 * @tb: the txbuf
 *
 * The last reference gives the memory back and completes the notification.
 *
 * Context: Any context in which an skb may be freed.
 */
static inline void net_txbuf_put(struct net_txbuf *tb)
{
	if (refcount_dec_and_test(&tb->ref))
		__net_txbuf_release(tb);
}

/**
 * net_txbuf_link - put a txbuf behind another one of the same sendmsg()
 * @prev: a txbuf that has no successor yet, being filled by the caller
 * @next: its successor
 *
 * @prev takes a reference on @next and drops it when @prev is released.  Never
 * link across calls of sendmsg(): one skb that is stuck would hold the memory
 * of everything sent after it.
 */
static inline void net_txbuf_link(struct net_txbuf *prev,
				  struct net_txbuf *next)
{
	DEBUG_NET_WARN_ON_ONCE(prev->next);

	net_txbuf_get(next);
	prev->next = next;
}

/**
 * net_txbuf_mark_copied - note that the data was not sent in place
 * @tb: the txbuf
 *
 * The completion of @tb will report that zerocopy failed.  May run on several
 * CPUs at once: no other flag changes while fragments refer to @tb.
 */
static inline void net_txbuf_mark_copied(struct net_txbuf *tb)
{
	u8 flags = READ_ONCE(tb->flags);

	if (!(flags & NET_TXBUF_COPIED))
		WRITE_ONCE(tb->flags, flags | NET_TXBUF_COPIED);
}

#endif /* _NET_TXBUF_HELPERS_H */

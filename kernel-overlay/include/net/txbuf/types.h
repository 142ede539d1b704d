/* SPDX-License-Identifier: GPL-2.0 */

#ifndef _NET_TXBUF_TYPES_H
#define _NET_TXBUF_TYPES_H

#include <linux/build_bug.h>
#include <linux/bvec.h>
#include <linux/refcount.h>
#include <linux/stddef.h>
#include <linux/types.h>

struct net_txbuf;
struct ubuf_info;

/* A txbuf is aligned to its size, so that masking the address of a slot gives
 * the txbuf that the slot belongs to.
 */
#ifdef CONFIG_64BIT
#define NET_TXBUF_SIZE	512
#else
#define NET_TXBUF_SIZE	256
#endif

/* Slots that fit into a txbuf. */
#ifdef CONFIG_64BIT
#define NET_TXBUF_MAX_SLOTS	29
#else
#define NET_TXBUF_MAX_SLOTS	19
#endif

/**
 * enum net_txbuf_type - where the memory of a txbuf comes from
 * @NET_TXBUF_BUFFERED: pages that the stack allocated and copied data into
 * @NET_TXBUF_ZCOPY_USER: user memory, one GUP pin per page of each slot
 * @NET_TXBUF_ZCOPY_KERNEL: kernel memory that the sender of a message keeps
 *	alive, without any page reference; may be slab memory
 * @NET_TXBUF_PIPE: pipe buffers, released through their own operations
 */
enum net_txbuf_type {
	NET_TXBUF_BUFFERED,
	NET_TXBUF_ZCOPY_USER,
	NET_TXBUF_ZCOPY_KERNEL,
	NET_TXBUF_PIPE,
};

/**
 * enum net_txbuf_flags - what happened to the memory of a txbuf
 * @NET_TXBUF_COPIED: some skb copied the data instead of sending it in place,
 *	the completion reports that zerocopy failed
 */
enum net_txbuf_flags {
	NET_TXBUF_COPIED	= 1 << 0,
};

/**
 * struct net_txbuf_ops - what depends on the origin of the memory
 * @release: give the memory of all slots back; called once, after the last
 *	reference is gone, from any context in which an skb may be freed, so it
 *	must not sleep; may be NULL when there is nothing to give back
 */
struct net_txbuf_ops {
	void (*release)(struct net_txbuf *tb);
};

/**
 * struct net_txbuf - owner of the memory behind skb fragments
 * @ref: one reference for each fragment that points at a slot, counted once in
 *	each distinct skb_shared_info; one for whoever fills the txbuf, until it
 *	stops; one for each txbuf whose @next this is
 * @nr_slots: slots in use; only the filler changes it, slots are appended only
 * @max_slots: slots that fit
 * @next: the txbuf that follows in the same sendmsg(), or NULL; referenced from
 *	the moment it is linked until this txbuf is released
 * @ubuf: the completion that waits for this memory, or NULL; referenced from
 *	allocation until this txbuf is released, never the other way round
 * @ops: how to give the memory back
 * @priv: for use by @ops
 * @type: origin of the memory, one of enum net_txbuf_type
 * @flags: a set of enum net_txbuf_flags
 * @spare: unused; keeps the slots aligned where the ABI aligns to two bytes
 *	only
 * @bv: the slots; memory stays valid until the last reference is gone; once a
 *	fragment points at a slot it does not change, except that the length of
 *	the last one may grow
 */
struct net_txbuf {
	refcount_t ref;
	u16 nr_slots;
	u16 max_slots;
	struct net_txbuf *next;
	struct ubuf_info *ubuf;
	const struct net_txbuf_ops *ops;
	void *priv;
	u8 type;
	u8 flags;
	u16 spare;
	struct bio_vec bv[] __counted_by(max_slots);
};

#ifdef CONFIG_64BIT
static_assert(offsetof(struct net_txbuf, ref) == 0);
static_assert(offsetof(struct net_txbuf, nr_slots) == 4);
static_assert(offsetof(struct net_txbuf, max_slots) == 6);
static_assert(offsetof(struct net_txbuf, next) == 8);
static_assert(offsetof(struct net_txbuf, ubuf) == 16);
static_assert(offsetof(struct net_txbuf, ops) == 24);
static_assert(offsetof(struct net_txbuf, priv) == 32);
static_assert(offsetof(struct net_txbuf, type) == 40);
static_assert(offsetof(struct net_txbuf, flags) == 41);
static_assert(offsetof(struct net_txbuf, spare) == 42);
static_assert(offsetof(struct net_txbuf, bv) == 48);
static_assert(sizeof(struct net_txbuf) == 48);
#endif

/* Slots leave the two low bits of their address to the netmem tag. */
static_assert(offsetof(struct net_txbuf, bv) % 4 == 0);
static_assert(sizeof(struct bio_vec) % 4 == 0);

/* The slots fill the txbuf. */
static_assert((NET_TXBUF_SIZE - offsetof(struct net_txbuf, bv)) /
	      sizeof(struct bio_vec) == NET_TXBUF_MAX_SLOTS);

/* The header, which each send touches, fits into one cache line of 64 bytes. */
static_assert(sizeof(struct net_txbuf) <= 64);

#endif /* _NET_TXBUF_TYPES_H */

/* SPDX-License-Identifier: GPL-2.0 */

#ifndef _NET_TXBUF_MSG_TYPES_H
#define _NET_TXBUF_MSG_TYPES_H

#include <linux/build_bug.h>
#include <linux/skbuff.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <linux/workqueue.h>

/**
 * enum net_txmsg_state - bits of the state of a message
 * @NET_TXMSG_SENDING: some call is sending the message
 * @NET_TXMSG_IN_PLACE: the call that is sending the message, or was the last to
 *	do so, gave memory of the message to an skb without copying it
 * @NET_TXMSG_COPIED: some of the data was copied instead of sent in place
 */
enum net_txmsg_state {
	NET_TXMSG_SENDING,
	NET_TXMSG_IN_PLACE,
	NET_TXMSG_COPIED,
};

/**
 * struct net_txmsg - a message of the kernel that is sent from where it lies
 * @ubuf: what skbs and txbufs refer to; one reference for whoever initialised
 *	the message, until net_txmsg_put(); one for each txbuf with memory of
 *	the message; one for each distinct skb_shared_info that was made for the
 *	message first
 * @release: take the memory of the message back, and that of the message
 *	itself; called once, after the last reference is gone; @copied says that
 *	some of the data was copied instead of sent in place
 * @wq: where @release is called from, so that it may sleep; or NULL to call it
 *	in the context of whoever drops the last reference
 * @state: bits of enum net_txmsg_state
 * @work: the call of @release on @wq
 */
struct net_txmsg {
	struct ubuf_info ubuf;
	void (*release)(struct net_txmsg *txm, bool copied);
	struct workqueue_struct *wq;
	unsigned long state;
	struct work_struct work;
};

#ifdef CONFIG_64BIT
static_assert(offsetof(struct net_txmsg, ubuf) == 0);
static_assert(offsetof(struct net_txmsg, release) == 16);
static_assert(offsetof(struct net_txmsg, wq) == 24);
static_assert(offsetof(struct net_txmsg, state) == 32);
static_assert(offsetof(struct net_txmsg, work) == 40);
#endif

#endif /* _NET_TXBUF_MSG_TYPES_H */

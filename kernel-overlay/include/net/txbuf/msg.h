/* SPDX-License-Identifier: GPL-2.0 */

#ifndef _NET_TXBUF_MSG_H
#define _NET_TXBUF_MSG_H

#include <linux/skbuff.h>
#include <net/txbuf/msg-types.h>

struct msghdr;
struct socket;

extern const struct ubuf_info_ops net_txmsg_ubuf_ops;

void net_txmsg_init(struct net_txmsg *txm,
		    void (*release)(struct net_txmsg *txm, bool copied),
		    struct workqueue_struct *wq);
int sock_sendmsg_txmsg(struct socket *sock, struct msghdr *msg,
		       struct net_txmsg *txm);
int net_txmsg_fill_skb(struct sk_buff *skb, struct iov_iter *from,
		       size_t length, struct net_txmsg *txm, gfp_t gfp);

/**
 * net_txmsg_get - take a reference on a message
 * @txm: the message, on which the caller already holds a reference
 */
static inline void net_txmsg_get(struct net_txmsg *txm)
{
	net_zcopy_get(&txm->ubuf);
}

/**
 * net_txmsg_put - drop a reference on a message
 * @txm: the message
 *
 * The last reference releases it.
 *
 * Context: Any context in which an skb may be freed.
 */
static inline void net_txmsg_put(struct net_txmsg *txm)
{
	net_zcopy_put(&txm->ubuf);
}

/**
 * ubuf_is_txmsg - tell the completion of a message from others
 * @ubuf: a completion, or NULL
 *
 * Return: true if @ubuf is part of a struct net_txmsg.
 */
static inline bool ubuf_is_txmsg(const struct ubuf_info *ubuf)
{
	return ubuf && ubuf->ops == &net_txmsg_ubuf_ops;
}

/**
 * ubuf_to_txmsg - find the message that a completion belongs to
 * @ubuf: a completion for which ubuf_is_txmsg() holds
 *
 * Return: the message.
 */
static inline struct net_txmsg *ubuf_to_txmsg(struct ubuf_info *ubuf)
{
	return container_of(ubuf, struct net_txmsg, ubuf);
}

#endif /* _NET_TXBUF_MSG_H */

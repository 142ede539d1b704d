/* SPDX-License-Identifier: GPL-2.0 */

#ifndef _NET_CORE_TESTS_TXMSG_MODEL_H
#define _NET_CORE_TESTS_TXMSG_MODEL_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <net/txbuf/msg.h>

#define TM_MAX_PARTS	4
#define TM_MAX_PAGES	16
#define TM_CLOG		40000	/* bytes of the datagram of tm_clog() */

enum tm_kind { TM_END, TM_SLAB, TM_PAGES };

struct tm_part {
	enum tm_kind kind;
	unsigned int len;
};

/* A message of the test, of bytes that depend on their position only. */
struct tm_msg {
	struct net_txmsg txm;
	struct completion done;
	atomic_t released;
	bool copied;
	unsigned int nr;
	unsigned int len;
	void *slab[TM_MAX_PARTS];
	struct page *pages[TM_MAX_PAGES];
	unsigned int nr_pages;
	struct bio_vec bv[TM_MAX_PARTS + TM_MAX_PAGES];
	unsigned int nr_bv;
	unsigned int len_of[TM_MAX_PARTS];
	/* How often the release function is to send it again, and where to. */
	unsigned int again;
	struct socket *again_on;
};

/* What stands before the loopback device. */
struct tm_gate {
	struct net_device *dev;
	const struct net_device_ops *ops;
	netdev_features_t features;
	unsigned int mtu;
	bool was_up;
	spinlock_t lock;	/* protects what follows */
	struct sk_buff_head held;
	bool hold;
	unsigned int drop_every;
	/* Packets with data, and of these, how many have more than one owner;
	 * bytes in fragments of messages.
	 */
	unsigned int packets;
	unsigned int mixed;
	unsigned int in_place;
	unsigned int wrong;
};

/* A call of tm_send() in a thread of its own. */
struct tm_sender {
	struct socket *sock;
	struct file *file;	/* to be put after the call, or NULL */
	struct tm_msg *m;
	struct completion done;
	int ret;
};

extern struct tm_gate tm_gate;

int tm_init(struct kunit *test);
void tm_gate_open(bool deliver);
void tm_gate_without(netdev_features_t features);

struct socket *tm_own(struct kunit *test, struct socket *sock);
void tm_disown(struct kunit *test, struct socket *sock);
void tm_close(struct kunit *test, struct socket *sock);
void tm_pair(struct kunit *test, int type, struct socket **from,
	     struct socket **to);

u8 tm_byte(unsigned int pos);
void tm_fill(u8 *to, unsigned int pos, unsigned int len);
struct tm_msg *tm_new(struct kunit *test, const struct tm_part *part,
		      unsigned int pos);
struct tm_msg *tm_new_slab(struct kunit *test, unsigned int len,
			   unsigned int pos);
void tm_hdr(const struct tm_msg *m, struct msghdr *msg, int flags);
int tm_send(struct socket *sock, struct tm_msg *m, int flags);
int tm_recv(struct kunit *test, struct socket *sock, unsigned int pos,
	    unsigned int len, int flags);
void tm_recv_all(struct kunit *test, struct socket *sock, unsigned int len);
void tm_transfer(struct kunit *test, struct socket *from, struct socket *to,
		 struct tm_msg *m);
void tm_clog(struct kunit *test, int type, struct socket *from);
void tm_start(struct kunit *test, struct tm_sender *s);
void tm_expect_released(struct kunit *test, struct tm_msg *m);
void tm_expect_sane(struct kunit *test);

#endif /* _NET_CORE_TESTS_TXMSG_MODEL_H */

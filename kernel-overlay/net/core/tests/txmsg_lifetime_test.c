// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of the lifetime of struct net_txmsg */

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <net/txbuf/helpers.h>
#include <net/txbuf/msg.h>

#define MSG_BYTES	3000

/* A message in slab memory, and what became of it. */
struct msg {
	struct net_txmsg txm;
	struct completion done;
	struct timer_list timer;
	struct sk_buff *victim;
	struct msg *next;	/* to be put by the release function */
	unsigned int released;
	unsigned int anew;
	bool copied;
	bool in_softirq;
	bool in_rcu;
	bool may_sleep;
	u8 *data;
};

static u8 msg_byte(unsigned int pos)
{
	return pos + pos / 251;
}

static void msg_release(struct net_txmsg *txm, bool copied)
{
	struct msg *m = container_of(txm, struct msg, txm);

	m->released++;
	m->copied = copied;
	m->in_softirq = in_serving_softirq();
	m->in_rcu = rcu_read_lock_held();
	if (m->may_sleep)
		usleep_range(10, 100);
	kfree(m->data);
	m->data = NULL;
	if (m->anew) {
		m->anew--;
		net_txmsg_init(txm, msg_release, NULL);
	}
	if (m->next)
		net_txmsg_put(&m->next->txm);
	complete(&m->done);
}

static void msg_destroy_wq(void *wq)
{
	destroy_workqueue(wq);
}

static struct msg *msg_alloc(struct kunit *test, bool on_wq)
{
	struct workqueue_struct *wq = NULL;
	unsigned int i;
	struct msg *m;

	m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m);
	init_completion(&m->done);
	m->data = kmalloc(MSG_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m->data);
	for (i = 0; i < MSG_BYTES; i++)
		m->data[i] = msg_byte(i);
	if (on_wq) {
		wq = alloc_workqueue("txmsg_test", WQ_UNBOUND, 0);
		KUNIT_ASSERT_NOT_NULL(test, wq);
		KUNIT_ASSERT_EQ(test, 0,
				kunit_add_action_or_reset(test, msg_destroy_wq,
							  wq));
		m->may_sleep = true;
	}
	net_txmsg_init(&m->txm, msg_release, wq);

	return m;
}

/* An skb whose data is that of the message, in pieces. */
static struct sk_buff *msg_skb(struct kunit *test, struct msg *m)
{
	struct page *page = virt_to_page(m->data);
	unsigned int pos, len, off;
	struct net_txbuf *tb;
	struct sk_buff *skb;

	skb = alloc_skb(128, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	tb = net_txbuf_alloc(NET_TXBUF_ZCOPY_KERNEL, NULL, &m->txm.ubuf,
			     GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tb);
	for (pos = 0; pos < MSG_BYTES; pos += len) {
		netmem_ref netmem;

		len = MSG_BYTES / 3;
		page = virt_to_page(m->data + pos);
		off = offset_in_page(m->data + pos);
		netmem = net_txbuf_append(tb, page, off, len);
		__skb_fill_netmem_desc(skb, skb_shinfo(skb)->nr_frags, netmem,
				       off, len);
		skb_shinfo(skb)->nr_frags++;
		skb_len_add(skb, len);
		net_txbuf_get(tb);
	}
	skb_zcopy_set(skb, &m->txm.ubuf, NULL);
	net_txbuf_put(tb);

	return skb;
}

static void expect_bytes(struct kunit *test, const struct sk_buff *skb,
			 unsigned int start, unsigned int len)
{
	unsigned int i;
	u8 *got;

	got = kunit_kzalloc(test, MSG_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, got);
	KUNIT_ASSERT_EQ(test, len, skb->len);
	KUNIT_EXPECT_EQ(test, 0, skb_copy_bits(skb, 0, got, len));
	for (i = 0; i < len; i++)
		if (got[i] != msg_byte(start + i))
			break;
	KUNIT_EXPECT_EQ(test, len, i);
}

/* The softirq of a timer frees an skb. */
static void msg_timer(struct timer_list *timer)
{
	struct msg *m = timer_container_of(m, timer, timer);

	consume_skb(m->victim);
}

static void msg_free_in_softirq(struct msg *m, struct sk_buff *skb)
{
	m->victim = skb;
	timer_setup(&m->timer, msg_timer, 0);
	mod_timer(&m->timer, jiffies + 1);
}

static void message_not_sent_is_released_by_its_owner(struct kunit *test)
{
	struct msg *m = msg_alloc(test, false);

	net_txmsg_get(&m->txm);
	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, 0, m->released);
	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, 1, m->released);
	KUNIT_EXPECT_FALSE(test, m->copied);
}

static void release_comes_once_and_after_the_last_skb(struct kunit *test)
{
	struct msg *m = msg_alloc(test, false);
	struct sk_buff *skb = msg_skb(test, m), *clone, *copy, *part;

	clone = skb_clone(skb, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, clone);
	copy = pskb_copy(skb, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, copy);
	part = alloc_skb(0, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, part);
	skb_split(copy, part, 1500);
	expect_bytes(test, copy, 0, 1500);

	net_txmsg_put(&m->txm);
	consume_skb(skb);
	consume_skb(copy);
	KUNIT_EXPECT_EQ(test, 0, m->released);
	expect_bytes(test, clone, 0, MSG_BYTES);
	consume_skb(clone);
	KUNIT_EXPECT_EQ(test, 0, m->released);
	expect_bytes(test, part, 1500, MSG_BYTES - 1500);
	kfree_skb(part);
	KUNIT_EXPECT_EQ(test, 1, m->released);
	KUNIT_EXPECT_FALSE(test, m->copied);
}

static void owner_may_be_the_last_to_let_go(struct kunit *test)
{
	struct msg *m = msg_alloc(test, false);

	consume_skb(msg_skb(test, m));
	consume_skb(msg_skb(test, m));
	KUNIT_EXPECT_EQ(test, 0, m->released);
	KUNIT_EXPECT_EQ(test, 1, refcount_read(&m->txm.ubuf.refcnt));
	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, 1, m->released);
}

static void copied_data_is_reported_and_lets_the_message_go(struct kunit *test)
{
	struct msg *m = msg_alloc(test, false);
	struct sk_buff *skb = msg_skb(test, m);

	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, 0, skb_orphan_frags(skb, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 0, m->released);
	KUNIT_EXPECT_EQ(test, 0, skb_orphan_frags_rx(skb, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 1, m->released);
	KUNIT_EXPECT_TRUE(test, m->copied);
	expect_bytes(test, skb, 0, MSG_BYTES);
	consume_skb(skb);
	KUNIT_EXPECT_EQ(test, 1, m->released);
}

static void fragment_without_completion_holds_the_message(struct kunit *test)
{
	struct msg *m = msg_alloc(test, false);
	struct sk_buff *skb = msg_skb(test, m);

	/* As when fragments move to an skb without the completion. */
	skb_zcopy_clear(skb, true);
	net_txmsg_put(&m->txm);
	KUNIT_EXPECT_EQ(test, 0, m->released);
	expect_bytes(test, skb, 0, MSG_BYTES);
	consume_skb(skb);
	KUNIT_EXPECT_EQ(test, 1, m->released);
}

static void release_runs_in_the_softirq_that_frees_the_skb(struct kunit *test)
{
	struct msg *m = msg_alloc(test, false);
	struct sk_buff *skb = msg_skb(test, m);

	net_txmsg_put(&m->txm);
	msg_free_in_softirq(m, skb);
	KUNIT_ASSERT_NE(test, 0,
			wait_for_completion_timeout(&m->done, 10 * HZ));
	timer_delete_sync(&m->timer);
	KUNIT_EXPECT_EQ(test, 1, m->released);
	KUNIT_EXPECT_TRUE(test, m->in_softirq);
	KUNIT_EXPECT_TRUE(test, m->in_rcu);
}

static void release_on_a_workqueue_may_sleep(struct kunit *test)
{
	struct msg *m = msg_alloc(test, true);
	struct sk_buff *skb = msg_skb(test, m);

	net_txmsg_put(&m->txm);
	msg_free_in_softirq(m, skb);
	KUNIT_ASSERT_NE(test, 0,
			wait_for_completion_timeout(&m->done, 10 * HZ));
	timer_delete_sync(&m->timer);
	KUNIT_EXPECT_EQ(test, 1, m->released);
	KUNIT_EXPECT_FALSE(test, m->in_softirq);
	/* Without lockdep nobody knows. */
	if (IS_ENABLED(CONFIG_DEBUG_LOCK_ALLOC))
		KUNIT_EXPECT_FALSE(test, m->in_rcu);
}

static void flushing_the_workqueue_waits_for_release(struct kunit *test)
{
	struct msg *m = msg_alloc(test, true);

	net_txmsg_put(&m->txm);
	flush_workqueue(m->txm.wq);
	KUNIT_EXPECT_EQ(test, 1, m->released);
}

static void release_may_initialise_the_message_anew(struct kunit *test)
{
	struct msg *m = msg_alloc(test, false);
	unsigned int i;

	m->anew = 3;
	for (i = 1; i <= 4; i++) {
		net_txmsg_put(&m->txm);
		KUNIT_EXPECT_EQ(test, i, m->released);
	}
}

static void release_may_drop_other_messages(struct kunit *test)
{
	struct msg *m[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(m); i++)
		m[i] = msg_alloc(test, i == 1);
	m[0]->next = m[1];
	m[1]->next = m[2];
	msg_free_in_softirq(m[0], msg_skb(test, m[0]));
	net_txmsg_put(&m[0]->txm);
	for (i = 0; i < ARRAY_SIZE(m); i++)
		KUNIT_ASSERT_NE(test, 0,
				wait_for_completion_timeout(&m[i]->done,
							    10 * HZ));
	timer_delete_sync(&m[0]->timer);
	for (i = 0; i < ARRAY_SIZE(m); i++)
		KUNIT_EXPECT_EQ(test, 1, m[i]->released);
}

static struct kunit_case txmsg_cases[] = {
	KUNIT_CASE(message_not_sent_is_released_by_its_owner),
	KUNIT_CASE(release_comes_once_and_after_the_last_skb),
	KUNIT_CASE(owner_may_be_the_last_to_let_go),
	KUNIT_CASE(copied_data_is_reported_and_lets_the_message_go),
	KUNIT_CASE(fragment_without_completion_holds_the_message),
	KUNIT_CASE(release_runs_in_the_softirq_that_frees_the_skb),
	KUNIT_CASE(release_on_a_workqueue_may_sleep),
	KUNIT_CASE(flushing_the_workqueue_waits_for_release),
	KUNIT_CASE(release_may_initialise_the_message_anew),
	KUNIT_CASE(release_may_drop_other_messages),
	{}
};

static struct kunit_suite txmsg_suite = {
	.name = "net_txmsg",
	.test_cases = txmsg_cases,
};

kunit_test_suite(txmsg_suite);

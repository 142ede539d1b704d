// SPDX-License-Identifier: GPL-2.0

#include <linux/bvec.h>
#include <net/txbuf/msg.h>

#ifdef CONFIG_NET

__rust_helper void rust_helper_bvec_set_virt(struct bio_vec *bv, void *vaddr,
					     unsigned int len)
{
	bvec_set_virt(bv, vaddr, len);
}

__rust_helper void rust_helper_net_txmsg_put(struct net_txmsg *txm)
{
	net_txmsg_put(txm);
}

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* Network namespaces and what is in them, without a program to start for it:
 * these take seconds on an emulated machine, and the tests need many of them.
 *
 * Functions return 0, or -1 with errno set.  They act on the namespace that
 * the process is in.
 */

#ifndef ZEROCOPY_NET_H
#define ZEROCOPY_NET_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct net_request {
	struct nlmsghdr header;
	char body[512];
};

static inline void *net_add(struct net_request *r, const void *data,
			    size_t len)
{
	void *at = (char *)r + NLMSG_ALIGN(r->header.nlmsg_len);

	if (data)
		memcpy(at, data, len);
	r->header.nlmsg_len = NLMSG_ALIGN(r->header.nlmsg_len) + len;

	return at;
}

static inline struct rtattr *net_attr(struct net_request *r, int type,
				      const void *data, size_t len)
{
	struct rtattr *attr = net_add(r, NULL, RTA_LENGTH(0));

	attr->rta_type = type;
	attr->rta_len = RTA_LENGTH(len);
	if (len)
		net_add(r, data, len);

	return attr;
}

static inline void net_text(struct net_request *r, int type, const char *text)
{
	net_attr(r, type, text, strlen(text) + 1);
}

static inline void net_nest_end(struct net_request *r, struct rtattr *nest)
{
	nest->rta_len = (char *)net_add(r, NULL, 0) - (char *)nest;
}

static inline struct net_request net_request(int type, int flags,
					     const void *data, size_t len)
{
	struct net_request r = {
		.header = {
			.nlmsg_len = NLMSG_LENGTH(0),
			.nlmsg_type = type,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags,
		},
	};

	net_add(&r, data, len);

	return r;
}

static inline int net_do(const struct net_request *r)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr err;
		char rest[1024];
	} reply;
	int fd, ret;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -1;
	ret = send(fd, r, r->header.nlmsg_len, 0);
	if (ret >= 0)
		ret = recv(fd, &reply, sizeof(reply), 0);
	close(fd);
	if (ret < 0)
		return -1;
	if (ret < (int)NLMSG_LENGTH(sizeof(reply.err)) ||
	    reply.header.nlmsg_type != NLMSG_ERROR) {
		errno = EPROTO;
		return -1;
	}
	errno = -reply.err.error;

	return errno ? -1 : 0;
}

static inline int net_up(const char *dev)
{
	struct ifinfomsg link = {
		.ifi_index = if_nametoindex(dev),
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};
	struct net_request r = net_request(RTM_NEWLINK, 0, &link, sizeof(link));

	return net_do(&r);
}

/* Into a new namespace with lo up; returns a descriptor of it. */
static inline int net_new_ns(void)
{
	if (unshare(CLONE_NEWNET) || net_up("lo"))
		return -1;

	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

static inline int net_enter(int ns)
{
	return setns(ns, CLONE_NEWNET);
}

/* @dev here, @peer in namespace @ns. */
static inline int net_add_veth(const char *dev, const char *peer, int ns)
{
	struct rtattr *info, *data, *end;
	struct ifinfomsg link = {};
	struct net_request r;

	r = net_request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link,
			sizeof(link));
	net_text(&r, IFLA_IFNAME, dev);
	info = net_attr(&r, IFLA_LINKINFO, NULL, 0);
	net_text(&r, IFLA_INFO_KIND, "veth");
	data = net_attr(&r, IFLA_INFO_DATA, NULL, 0);
	end = net_attr(&r, VETH_INFO_PEER, &link, sizeof(link));
	net_text(&r, IFLA_IFNAME, peer);
	net_attr(&r, IFLA_NET_NS_FD, &ns, sizeof(ns));
	net_nest_end(&r, end);
	net_nest_end(&r, data);
	net_nest_end(&r, info);

	return net_do(&r);
}

static inline int net_family(const char *addr)
{
	return strchr(addr, ':') ? AF_INET6 : AF_INET;
}

/* A textual address as an attribute. */
static inline void net_addr(struct net_request *r, int type, const char *addr)
{
	struct in6_addr raw = {};

	inet_pton(net_family(addr), addr, &raw);
	net_attr(r, type, &raw, net_family(addr) == AF_INET ? 4 : 16);
}

/* The address and its network, which is a /24 or a /64; the device goes up. */
static inline int net_add_addr(const char *dev, const char *addr)
{
	bool v4 = net_family(addr) == AF_INET;
	struct ifaddrmsg msg = {
		.ifa_family = net_family(addr),
		.ifa_prefixlen = v4 ? 24 : 64,
		.ifa_flags = v4 ? 0 : IFA_F_NODAD,
		.ifa_index = if_nametoindex(dev),
	};
	struct net_request r = net_request(RTM_NEWADDR, NLM_F_CREATE, &msg,
					   sizeof(msg));

	net_addr(&r, IFA_LOCAL, addr);
	net_addr(&r, IFA_ADDRESS, addr);

	return net_do(&r) || net_up(dev) ? -1 : 0;
}

/* A route to a /24 or a /64. */
static inline int net_add_route(const char *to, const char *via)
{
	struct rtmsg msg = {
		.rtm_family = net_family(to),
		.rtm_dst_len = net_family(to) == AF_INET ? 24 : 64,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_type = RTN_UNICAST,
	};
	struct net_request r = net_request(RTM_NEWROUTE, NLM_F_CREATE, &msg,
					   sizeof(msg));

	net_addr(&r, RTA_DST, to);
	net_addr(&r, RTA_GATEWAY, via);

	return net_do(&r);
}

/* Delay, loss, duplicates, reordering and bit errors, in percent and ns. */
static inline int net_add_netem(const char *dev, int percent)
{
	uint32_t share = UINT32_MAX / 100 * percent;
	struct tc_netem_reorder reorder = { .probability = share * 5 };
	struct tc_netem_corrupt corrupt = { .probability = share };
	struct tc_netem_qopt opt = {
		.limit = 1000,
		.loss = share,
		.duplicate = share,
		.gap = 1,
	};
	struct tcmsg msg = {
		.tcm_ifindex = if_nametoindex(dev),
		.tcm_parent = TC_H_ROOT,
	};
	struct net_request r = net_request(RTM_NEWQDISC,
					   NLM_F_CREATE | NLM_F_EXCL, &msg,
					   sizeof(msg));
	int64_t latency = 2000000, jitter = 1000000;
	struct rtattr *options;

	net_text(&r, TCA_KIND, "netem");
	options = net_attr(&r, TCA_OPTIONS, &opt, sizeof(opt));
	net_attr(&r, TCA_NETEM_LATENCY64, &latency, sizeof(latency));
	net_attr(&r, TCA_NETEM_JITTER64, &jitter, sizeof(jitter));
	net_attr(&r, TCA_NETEM_REORDER, &reorder, sizeof(reorder));
	net_attr(&r, TCA_NETEM_CORRUPT, &corrupt, sizeof(corrupt));
	net_nest_end(&r, options);

	return net_do(&r);
}

/* Turn off what ETHTOOL_SSG, ETHTOOL_STXCSUM and their like set. */
static inline int net_turn_off(const char *dev, uint32_t cmd)
{
	struct ethtool_value off = { .cmd = cmd };
	struct ifreq req = { .ifr_data = (void *)&off };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int ret;

	if (fd < 0)
		return -1;
	snprintf(req.ifr_name, IFNAMSIZ, "%s", dev);
	ret = ioctl(fd, SIOCETHTOOL, &req);
	close(fd);

	return ret;
}

/* A tap device whose packets come with a virtio_net_hdr and may be large. */
static inline int net_open_tap(const char *dev, int flags)
{
	struct ifreq req = {
		.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | flags,
	};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	snprintf(req.ifr_name, IFNAMSIZ, "%s", dev);
	if (ioctl(fd, TUNSETIFF, &req) ||
	    ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)) {
		close(fd);
		return -1;
	}

	return fd;
}

#endif

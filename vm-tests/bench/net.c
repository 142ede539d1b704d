// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's network: a dummy device, which drops what it gets, and a pair
 * of veth devices, each in a network namespace of its own. Neighbours are
 * permanent, so that no ARP falls into a measured region.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest.h"

#define PORT		7000
#define DUMMY_MTU	65535
#define BUFFER_BYTES	(8 << 20)

static int home_ns, client_ns, server_ns;
static int dummy_stats, client_stats;

/* rtnetlink: a message that is built in place. */
struct request {
	struct nlmsghdr head;
	struct ifinfomsg info;
	char attrs[512];
};

static struct rtattr *add(struct request *request, int type, const void *data,
			  size_t size)
{
	char *end = (char *)request + NLMSG_ALIGN(request->head.nlmsg_len);
	struct rtattr *attr = (struct rtattr *)end;

	attr->rta_type = type;
	attr->rta_len = RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attr), data, size);
	request->head.nlmsg_len = end + RTA_ALIGN(attr->rta_len) -
				  (char *)request;
	return attr;
}

static void add_text(struct request *request, int type, const char *text)
{
	add(request, type, text, strlen(text) + 1);
}

static void end_nest(struct request *request, struct rtattr *nest)
{
	nest->rta_len = (char *)request + request->head.nlmsg_len -
			(char *)nest;
}

static void new_link(struct request *request, const char *name)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char rest[512];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	if (send(fd, request, request->head.nlmsg_len, 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < (ssize_t)NLMSG_HDRLEN ||
	    answer.head.nlmsg_type != NLMSG_ERROR || answer.error.error) {
		fprintf(stderr, "rtnetlink: error %d\n", answer.error.error);
		fail(name);
	}
	close(fd);
}

static struct request link_request(const char *name)
{
	struct request request = {
		.head.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
		.head.nlmsg_type = RTM_NEWLINK,
		.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE |
				    NLM_F_EXCL,
	};

	add_text(&request, IFLA_IFNAME, name);
	return request;
}

static void make_dummy(void)
{
	struct request request = link_request("sink0");
	struct rtattr *nest = add(&request, IFLA_LINKINFO, NULL, 0);

	add_text(&request, IFLA_INFO_KIND, "dummy");
	end_nest(&request, nest);
	new_link(&request, "make sink0");
}

/* veth0 in the current namespace and veth1 in @peer_ns. */
static void make_veth(int peer_ns)
{
	struct request request = link_request("veth0");
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC };
	struct rtattr *outer, *data, *peer;

	outer = add(&request, IFLA_LINKINFO, NULL, 0);
	add_text(&request, IFLA_INFO_KIND, "veth");
	data = add(&request, IFLA_INFO_DATA, NULL, 0);
	peer = add(&request, VETH_INFO_PEER, &info, sizeof(info));
	add_text(&request, IFLA_IFNAME, "veth1");
	add(&request, IFLA_NET_NS_FD, &peer_ns, sizeof(peer_ns));
	end_nest(&request, peer);
	end_nest(&request, data);
	end_nest(&request, outer);
	new_link(&request, "make veth0");
}

static struct sockaddr_in address_of(const char *text)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
	};

	if (inet_pton(AF_INET, text, &address.sin_addr) != 1)
		fail("read an address");
	return address;
}

static void set_flag(const char *device, int up)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq ifr = { .ifr_flags = up ? IFF_UP : 0 };

	strcpy(ifr.ifr_name, device);
	if (ioctl(fd, SIOCSIFFLAGS, &ifr))
		fail("set a device up or down");
	close(fd);
}

/* Addresses a device, its MAC ends in @mac; the neighbour's in @other_mac. */
static void configure(const char *device, const char *address, int mac,
		      const char *neighbour, int other_mac, int mtu)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in in = address_of(address);
	struct ifreq ifr = { .ifr_mtu = mtu };
	struct arpreq arp = { .arp_flags = ATF_COM | ATF_PERM };
	char own[6] = { 2, 0, 0, 0, 0, mac };

	strcpy(ifr.ifr_name, device);
	if (mtu && ioctl(fd, SIOCSIFMTU, &ifr))
		fail("set a device's MTU");
	ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(ifr.ifr_hwaddr.sa_data, own, sizeof(own));
	if (ioctl(fd, SIOCSIFHWADDR, &ifr))
		fail("set a device's MAC");
	memcpy(&ifr.ifr_addr, &in, sizeof(in));
	if (ioctl(fd, SIOCSIFADDR, &ifr))
		fail("set a device's address");
	in = address_of("255.255.255.0");
	memcpy(&ifr.ifr_netmask, &in, sizeof(in));
	if (ioctl(fd, SIOCSIFNETMASK, &ifr))
		fail("set a device's netmask");
	set_flag(device, 1);
	in = address_of(neighbour);
	memcpy(&arp.arp_pa, &in, sizeof(in));
	arp.arp_ha.sa_family = ARPHRD_ETHER;
	own[5] = other_mac;
	memcpy(arp.arp_ha.sa_data, own, sizeof(own));
	strcpy(arp.arp_dev, device);
	if (ioctl(fd, SIOCSARP, &arp))
		fail("set a neighbour");
	close(fd);
}

static int open_or_fail(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		fail(path);
	return fd;
}

static void enter(int ns)
{
	if (setns(ns, CLONE_NEWNET))
		fail("enter a network namespace");
}

static int new_ns(void)
{
	if (unshare(CLONE_NEWNET))
		fail("make a network namespace");
	return open_or_fail("/proc/self/ns/net");
}

void make_links(void)
{
	home_ns = open_or_fail("/proc/self/ns/net");
	make_dummy();
	configure("sink0", DUMMY_ADDRESS, 1, NOWHERE_ADDRESS, 2, DUMMY_MTU);
	dummy_stats = open_or_fail("/proc/self/net/dev");
	server_ns = new_ns();
	client_ns = new_ns();
	make_veth(server_ns);
	configure("veth0", CLIENT_ADDRESS, 3, SERVER_ADDRESS, 4, 0);
	client_stats = open_or_fail("/proc/self/net/dev");
	enter(server_ns);
	configure("veth1", SERVER_ADDRESS, 4, CLIENT_ADDRESS, 3, 0);
	enter(home_ns);
}

/* A socket in the network namespace of a device. */
int link_socket(enum link link, int domain, int type, int protocol)
{
	int fd;

	enter(link == CLIENT_LINK ? client_ns : server_ns);
	fd = socket(domain, type, protocol);
	if (fd < 0)
		fail("make a socket");
	enter(home_ns);
	return fd;
}

static void set_buffers(int fd)
{
	int size = BUFFER_BYTES, one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)))
		fail("set a socket's options");
}

/* A UDP socket whose datagrams the dummy device drops. */
int dummy_socket(void)
{
	struct sockaddr_in to = address_of(NOWHERE_ADDRESS);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	set_buffers(fd);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		fail("connect a UDP socket");
	return fd;
}

/* A TCP connection over the veth pair; its ends do not block. */
void veth_sockets(int *client, int *server)
{
	struct sockaddr_in at = address_of(SERVER_ADDRESS);
	int listener, one = 1;

	enter(server_ns);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	set_buffers(listener);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(listener, 1))
		fail("listen");
	enter(client_ns);
	*client = socket(AF_INET, SOCK_STREAM, 0);
	set_buffers(*client);
	if (connect(*client, (struct sockaddr *)&at, sizeof(at)))
		fail("connect a TCP socket");
	*server = accept(listener, NULL, NULL);
	if (*server < 0)
		fail("accept");
	close(listener);
	fcntl(*client, F_SETFL, O_NONBLOCK);
	fcntl(*server, F_SETFL, O_NONBLOCK);
	enter(home_ns);
}

/* Lets veth0 take packets larger than the MTU, or not. */
void set_segmentation(int on)
{
	static const int commands[] = { ETHTOOL_STSO, ETHTOOL_SGSO };
	struct ethtool_value value = { .data = on };
	struct ifreq ifr = { .ifr_name = "veth0", .ifr_data = (char *)&value };
	unsigned int i;
	int fd;

	enter(client_ns);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	for (i = 0; i < 2; i++) {
		value.cmd = commands[i];
		if (ioctl(fd, SIOCETHTOOL, &ifr))
			fail("switch segmentation of veth0");
	}
	close(fd);
	enter(home_ns);
}

/* With the peer down everything that veth0 sends is lost. */
void set_peer_up(int up)
{
	enter(server_ns);
	set_flag("veth1", up);
	enter(home_ns);
}

/* The counters of a device in an open /proc/net/dev, whose columns after the
 * name are eight of what was received, then bytes and packets sent.
 */
static struct link_counts counts_of(int stats, const char *device)
{
	struct link_counts counts;
	char text[4096];
	ssize_t size = pread(stats, text, sizeof(text) - 1, 0);
	char *line;

	if (size <= 0)
		fail("read /proc/net/dev");
	text[size] = 0;
	line = strstr(text, device);
	if (!line || sscanf(line + strlen(device),
			    ": %*u %*u %*u %*u %*u %*u %*u %*u %llu %llu",
			    &counts.bytes, &counts.packets) != 2)
		fail("find a device in /proc/net/dev");
	return counts;
}

struct link_counts dummy_counts(void)
{
	return counts_of(dummy_stats, "sink0");
}

struct link_counts client_counts(void)
{
	return counts_of(client_stats, "veth0");
}

// SPDX-License-Identifier: GPL-2.0
/* DATA of rxrpc is sent again until it is acknowledged.
 *
 * The server is a UDP socket of this program.  It takes no notice of the first
 * DATA packets of a call, as if each of them had been lost, but answers what
 * the client asks with PINGs: for the client, the server is there and the call
 * goes on.  Only sending DATA again can ever end it.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rxrpc.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"

#ifndef AF_RXRPC
#define AF_RXRPC	33
#endif
#ifndef SOL_RXRPC
#define SOL_RXRPC	272
#endif

#define SERVICE		1234
#define PATIENCE	40	/* seconds */

/* What goes over the wire: see net/rxrpc/protocol.h. */
enum { DATA = 1, ACK = 2 };
enum { LAST_PACKET = 4 };
enum { ACK_PING = 6, ACK_PING_RESPONSE = 7 };

struct header {
	uint32_t epoch, cid, call, seq, serial;
	uint8_t type, flags, status, security;
	uint16_t cksum, service;
};

struct ack {
	struct header header;
	uint16_t space, skew;
	uint32_t first, previous, serial;
	uint8_t reason, nr, pad[2];
};

struct reply {
	struct header header;
	char data[4];
};

FIXTURE(call)
{
	struct sockaddr_rxrpc to;
	int client, server;
	uint32_t serial;	/* of the server's packets */
};

FIXTURE_VARIANT(call)
{
	int lost;	/* DATA packets */
};

FIXTURE_VARIANT_ADD(call, one_loss)
{
	.lost = 1,
};

FIXTURE_VARIANT_ADD(call, two_losses)
{
	.lost = 2,
};

FIXTURE_VARIANT_ADD(call, four_losses)
{
	.lost = 4,
};

static int loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), ret;

	ret = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);

	return ret;
}

FIXTURE_SETUP(call)
{
	struct sockaddr_in *sin = &self->to.transport.sin;
	struct sockaddr_rxrpc any = {
		.srx_family = AF_RXRPC,
		.transport_type = SOCK_DGRAM,
		.transport_len = sizeof(struct sockaddr_in),
		.transport.sin.sin_family = AF_INET,
	};
	socklen_t len = sizeof(*sin);

	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_EQ(0, loopback_up());
	self->client = socket(AF_RXRPC, SOCK_DGRAM, AF_INET);
	if (self->client < 0 && errno == EAFNOSUPPORT)
		SKIP(return, "CONFIG_AF_RXRPC is off");
	ASSERT_LE(0, self->client);
	ASSERT_EQ(0, bind(self->client, (void *)&any, sizeof(any)));

	self->to = any;
	self->to.srx_service = SERVICE;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	self->server = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_LE(0, self->server);
	ASSERT_EQ(0, bind(self->server, (void *)sin, sizeof(*sin)));
	ASSERT_EQ(0, getsockname(self->server, (void *)sin, &len));
}

FIXTURE_TEARDOWN(call)
{
	close(self->client);
	close(self->server);
}

/* A request of one packet. */
static ssize_t begin_call(int fd, struct sockaddr_rxrpc *to)
{
	unsigned long id = 1;
	char control[CMSG_SPACE(sizeof(id))] = {};
	struct iovec iov = { "ping", 4 };
	struct msghdr msg = {
		.msg_name = to,
		.msg_namelen = sizeof(*to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);

	cm->cmsg_level = SOL_RXRPC;
	cm->cmsg_type = RXRPC_USER_CALL_ID;
	cm->cmsg_len = CMSG_LEN(sizeof(id));
	memcpy(CMSG_DATA(cm), &id, sizeof(id));

	return sendmsg(fd, &msg, 0);
}

/* The header of an answer to a packet. */
static struct header answer(struct header to, uint8_t type, uint8_t flags,
			    uint32_t serial)
{
	to.type = type;
	to.flags = flags;
	to.seq = htonl(type == DATA);
	to.serial = htonl(serial);
	to.cksum = 0;

	return to;
}

/* All is well, but for DATA, of which nothing came yet. */
static struct ack answer_ping(const struct ack *ping, uint32_t serial)
{
	return (struct ack){
		.header = answer(ping->header, ACK, 0, serial),
		.first = htonl(1),
		.serial = ping->header.serial,
		.reason = ACK_PING_RESPONSE,
	};
}

TEST_F_TIMEOUT(call, data_is_sent_until_it_arrives, PATIENCE + 10)
{
	struct pollfd readable = { .fd = self->server, .events = POLLIN };
	time_t end = time(NULL) + PATIENCE;
	char buf[8] = {}, control[256];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct sockaddr_in client;
	struct reply reply;
	int seen = 0;

	ASSERT_EQ(4, begin_call(self->client, &self->to));
	while (seen <= variant->lost && time(NULL) < end) {
		uint8_t packet[65536] = {};
		struct ack *ack = (void *)packet, pong;
		socklen_t len = sizeof(client);

		if (poll(&readable, 1, 1000) != 1)
			continue;
		ASSERT_LE((ssize_t)sizeof(struct header),
			  recvfrom(self->server, packet, sizeof(packet), 0,
				   (void *)&client, &len));
		if (ack->header.type == DATA) {
			seen++;
			reply.header = ack->header;
		} else if (ack->header.type == ACK &&
			   ack->reason == ACK_PING) {
			pong = answer_ping(ack, ++self->serial);
			ASSERT_EQ((ssize_t)sizeof(pong),
				  sendto(self->server, &pong, sizeof(pong), 0,
					 (void *)&client, len));
		}
	}
	ASSERT_EQ(variant->lost + 1, seen);

	reply.header = answer(reply.header, DATA, LAST_PACKET,
			      ++self->serial);
	memcpy(reply.data, "pong", 4);
	ASSERT_EQ((ssize_t)sizeof(reply),
		  sendto(self->server, &reply, sizeof(reply), 0,
			 (void *)&client, sizeof(client)));
	ASSERT_EQ(4, recvmsg(self->client, &msg, 0));
	EXPECT_TRUE(msg.msg_flags & MSG_EOR);
	EXPECT_EQ(0, memcmp(buf, "pong", 4));
}

TEST_HARNESS_MAIN

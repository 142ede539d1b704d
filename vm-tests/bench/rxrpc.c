// SPDX-License-Identifier: GPL-2.0
/*
 * Calls over AF_RXRPC, without security.
 *
 * Over the dummy device nobody answers. A client may send four DATA packets
 * of a call before it has to hear of the server: the first one is sent, and
 * the call set up, before the measured region, the other three in it. What is
 * counted is the sender's part alone.
 *
 * Over veth, requests of 16 DATA packets are answered with one, so all that
 * both sides do is counted, ACKs included.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rxrpc.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest.h"

#ifndef AF_RXRPC
#define AF_RXRPC	33
#endif
#ifndef SOL_RXRPC
#define SOL_RXRPC	272
#endif

#define PORT		7001
#define SERVICE		1234
#define BACKLOG		10
#define PACKET		1412	/* bytes of data in a DATA packet */
#define CALLS		4	/* in a round; as many as a connection has */
#define REST		3	/* packets of a call without an answer */
#define REQUEST		16	/* packets of a call over veth */

static int client, server = -1;
static unsigned long first_call, accepted;
static struct sockaddr_rxrpc to;
static char data[REQUEST * PACKET];

static struct sockaddr_rxrpc address_of(const char *text, int port,
					int service)
{
	struct sockaddr_rxrpc at = {
		.srx_family = AF_RXRPC,
		.srx_service = service,
		.transport_type = SOCK_DGRAM,
		.transport_len = sizeof(at.transport.sin),
		.transport.sin.sin_family = AF_INET,
		.transport.sin.sin_port = htons(port),
	};

	if (inet_pton(AF_INET, text, &at.transport.sin.sin_addr) != 1)
		fail("read an address of rxrpc");
	return at;
}

/* A part of call @id, or a control message of @kind with @code, if any. */
static int send_part(int fd, unsigned long id, size_t size, int more, int kind,
		     unsigned int code)
{
	char control[CMSG_SPACE(sizeof(id)) + CMSG_SPACE(sizeof(code))] = { 0 };
	struct iovec iov = { data, size };
	struct msghdr msg = {
		.msg_name = fd == client ? &to : NULL,
		.msg_namelen = fd == client ? sizeof(to) : 0,
		.msg_iov = &iov,
		.msg_iovlen = kind ? 0 : 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	size_t code_size = kind == RXRPC_ABORT ? sizeof(code) : 0;
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_RXRPC;
	cmsg->cmsg_type = RXRPC_USER_CALL_ID;
	cmsg->cmsg_len = CMSG_LEN(sizeof(id));
	memcpy(CMSG_DATA(cmsg), &id, sizeof(id));
	msg.msg_controllen = CMSG_SPACE(sizeof(id));
	if (kind) {
		msg.msg_controllen += CMSG_SPACE(code_size);
		cmsg = CMSG_NXTHDR(&msg, cmsg);
		cmsg->cmsg_level = SOL_RXRPC;
		cmsg->cmsg_type = kind;
		cmsg->cmsg_len = CMSG_LEN(code_size);
		memcpy(CMSG_DATA(cmsg), &code, code_size);
	}
	return sendmsg(fd, &msg, more ? MSG_MORE : 0) == (ssize_t)size;
}

/* What comes next: bytes of call @id, or of a control message none. */
static size_t receive(int fd, int flags, unsigned long *id, int *end)
{
	static char nowhere[sizeof(data)];
	struct iovec iov = { nowhere, sizeof(nowhere) };
	char control[256];
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	struct cmsghdr *cmsg;
	ssize_t size;

	if (!flags && poll(&poll_fd, 1, 10000) <= 0)
		fail("receive from rxrpc in time");
	size = recvmsg(fd, &msg, flags);
	*id = 0;
	*end = 0;
	if (size < 0) {
		if (flags && (errno == EAGAIN || errno == ENODATA))
			return 0;
		fail("receive from rxrpc");
	}
	*end = !!(msg.msg_flags & MSG_EOR);
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level == SOL_RXRPC &&
		    cmsg->cmsg_type == RXRPC_USER_CALL_ID)
			memcpy(id, CMSG_DATA(cmsg), sizeof(*id));
	}
	return size;
}

static void bind_to(int fd, struct sockaddr_rxrpc at)
{
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
		fail("bind a socket of rxrpc");
}

/* A client on the dummy device, or one with a server over veth. */
void rxrpc_open(int with_server)
{
	client = link_socket(with_server ? CLIENT_LINK : DUMMY_LINK, AF_RXRPC,
			     SOCK_DGRAM, AF_INET);
	bind_to(client, address_of("0.0.0.0", 0, 0));
	to = address_of(with_server ? SERVER_ADDRESS : NOWHERE_ADDRESS, PORT,
			SERVICE);
	if (!with_server)
		return;
	server = link_socket(SERVER_LINK, AF_RXRPC, SOCK_DGRAM, AF_INET);
	bind_to(server, to);
	if (listen(server, BACKLOG))
		fail("listen with rxrpc");
}

/* All that does not belong to the DATA packets of a round. */
void rxrpc_prepare(void)
{
	unsigned int i;

	first_call += CALLS;
	if (server >= 0) {
		while (send_part(server, accepted + 1, 0, 0,
				 RXRPC_CHARGE_ACCEPT, 0))
			accepted++;
		return;
	}
	for (i = 0; i < CALLS; i++) {
		if (!send_part(client, first_call + i, PACKET, 1, 0, 0))
			fail("begin a call");
	}
	usleep(5000);
}

static void call_server(unsigned long call)
{
	unsigned long id = 0, of = 0;
	size_t left = sizeof(data), size;
	int end;

	if (!send_part(client, call, sizeof(data), 0, 0, 0))
		fail("send a request");
	while (left) {
		size = receive(server, 0, &id, &end);
		left -= size;
		if (size)
			of = id;
	}
	if (!send_part(server, of, PACKET, 0, 0, 0))
		fail("send a reply");
	do {
		receive(client, 0, &id, &end);
	} while (!end || id != call);
}

/* The DATA packets of a round; returns how many there are. */
unsigned int rxrpc_send(void)
{
	unsigned int i;

	for (i = 0; i < CALLS; i++) {
		if (server >= 0)
			call_server(first_call + i);
		else if (!send_part(client, first_call + i, REST * PACKET, 0,
				    0, 0))
			fail("send the rest of a call");
	}
	if (server >= 0)
		return CALLS * (REQUEST + 1);
	/* rxrpc sends in a thread of its own. */
	usleep(5000);
	return CALLS * REST;
}

/* Makes room for the next round. */
void rxrpc_finish(void)
{
	unsigned long id;
	unsigned int i;
	int end;

	for (i = 0; server < 0 && i < CALLS; i++) {
		if (!send_part(client, first_call + i, 0, 0, RXRPC_ABORT, 1))
			fail("abort a call");
	}
	usleep(50000);
	do {
		receive(client, MSG_DONTWAIT, &id, &end);
	} while (id);
	if (server < 0)
		return;
	do {
		receive(server, MSG_DONTWAIT, &id, &end);
	} while (id);
}

void rxrpc_close(void)
{
	close(client);
	if (server >= 0)
		close(server);
	server = -1;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Calls over AF_RXRPC, without security.
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
#define REQUEST		16	/* packets */

static int client, server;
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

/* All of a side of call @id, or a control message of @kind. */
static int send_part(int fd, unsigned long id, size_t size, int kind)
{
	char control[CMSG_SPACE(sizeof(id)) + CMSG_SPACE(0)] = { 0 };
	struct iovec iov = { data, size };
	struct msghdr msg = {
		.msg_name = fd == client ? &to : NULL,
		.msg_namelen = fd == client ? sizeof(to) : 0,
		.msg_iov = &iov,
		.msg_iovlen = kind ? 0 : 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_RXRPC;
	cmsg->cmsg_type = RXRPC_USER_CALL_ID;
	cmsg->cmsg_len = CMSG_LEN(sizeof(id));
	memcpy(CMSG_DATA(cmsg), &id, sizeof(id));
	if (kind) {
		cmsg = CMSG_NXTHDR(&msg, cmsg);
		cmsg->cmsg_level = SOL_RXRPC;
		cmsg->cmsg_type = kind;
		cmsg->cmsg_len = CMSG_LEN(0);
	} else {
		msg.msg_controllen = CMSG_SPACE(sizeof(id));
	}
	return sendmsg(fd, &msg, 0) == (ssize_t)size;
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

void rxrpc_open(void)
{
	client = link_socket(CLIENT_LINK, AF_RXRPC, SOCK_DGRAM, AF_INET);
	bind_to(client, address_of("0.0.0.0", 0, 0));
	to = address_of(SERVER_ADDRESS, PORT, SERVICE);
	server = link_socket(SERVER_LINK, AF_RXRPC, SOCK_DGRAM, AF_INET);
	bind_to(server, to);
	if (listen(server, BACKLOG))
		fail("listen with rxrpc");
}

/* Makes calls ready for the server. */
void rxrpc_prepare(void)
{
	first_call += CALLS;
	while (send_part(server, accepted + 1, 0, RXRPC_CHARGE_ACCEPT))
		accepted++;
}

static void call_server(unsigned long call)
{
	unsigned long id = 0, of = 0;
	size_t left = sizeof(data), size;
	int end;

	if (!send_part(client, call, sizeof(data), 0))
		fail("send a request");
	while (left) {
		size = receive(server, 0, &id, &end);
		left -= size;
		if (size)
			of = id;
	}
	if (!send_part(server, of, PACKET, 0))
		fail("send a reply");
	do {
		receive(client, 0, &id, &end);
	} while (!end || id != call);
}

/* The DATA packets of a round; returns how many there are. */
unsigned int rxrpc_send(void)
{
	unsigned int i;

	for (i = 0; i < CALLS; i++)
		call_server(first_call + i);
	return CALLS * (REQUEST + 1);
}

/* Takes what is said of calls that are over. */
void rxrpc_finish(void)
{
	unsigned long id;
	int end;

	usleep(50000);
	do {
		receive(client, MSG_DONTWAIT, &id, &end);
	} while (id);
	do {
		receive(server, MSG_DONTWAIT, &id, &end);
	} while (id);
}

void rxrpc_close(void)
{
	close(client);
	close(server);
}

/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of the guest program that sends. */
#ifndef TXGEN_GUEST_H
#define TXGEN_GUEST_H

#include <stddef.h>
#include <stdint.h>

#define DUMMY_ADDRESS	"10.1.0.1"
#define NOWHERE_ADDRESS	"10.1.0.2"	/* on the dummy device's link */
#define CLIENT_ADDRESS	"10.2.0.1"
#define SERVER_ADDRESS	"10.2.0.2"

/* guest.c: says what failed, with errno, and ends the guest. */
void fail(const char *what) __attribute__((noreturn));
void write_file(const char *path, const char *text);

/* net.c */
struct link_counts {
	unsigned long long packets;	/* sent by the device */
	unsigned long long bytes;	/* the same, with Ethernet headers */
};

enum link { CLIENT_LINK, SERVER_LINK };

void make_links(void);
int link_socket(enum link link, int domain, int type, int protocol);
int dummy_socket(void);
void veth_sockets(int *client, int *server);
void set_segmentation(int on);
void set_peer_up(int up);
struct link_counts dummy_counts(void);
struct link_counts client_counts(void);

/* rxrpc.c */
void rxrpc_open(void);
void rxrpc_prepare(void);
unsigned int rxrpc_send(void);
void rxrpc_finish(void);
void rxrpc_close(void);

/* memory.c */
#define BUFFER_SIZE	(1 << 20)	/* of each buffer; the largest send */

enum memory { SCATTERED, TRANSPARENT, HUGETLB };

char *make_buffer(enum memory kind);
unsigned int contiguous_runs(const char *from, size_t size);

#endif

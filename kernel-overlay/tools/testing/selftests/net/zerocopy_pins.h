/* SPDX-License-Identifier: GPL-2.0 */
/* Send a pattern with MSG_ZEROCOPY, and look after what has to follow:
 * - the receiver has got the bytes that were in memory at the time of the send,
 * - each send has been notified exactly once,
 * - as many pages are pinned as before: nr_foll_pin_acquired and
 *   nr_foll_pin_released in /proc/vmstat moved by the same number.
 */

#ifndef ZEROCOPY_PINS_H
#define ZEROCOPY_PINS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "zerocopy_net.h"

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY	60
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY	0x4000000
#endif
#ifndef SO_EE_ORIGIN_ZEROCOPY
#define SO_EE_ORIGIN_ZEROCOPY	5
#endif

#define MAX_SENDS	4096
#define HUGE_SIZE	(2UL << 20)
#define PORT		8000
/* How long something may take that happens at once on a fast machine. */
#define PATIENCE	60
/* For all of a test: kernels with many checks are slow when emulated. */
#define LIMIT		600

/* The bytes of a job come from memory that starts with the pattern. */
struct job {
	size_t total;
	size_t chunk;
	size_t copied;		/* bytes before each chunk that are copied */
	int more;		/* send this many chunks with MSG_MORE */
	int segment;		/* UDP_SEGMENT */
	bool lossy;		/* datagrams may get lost or come twice */
	bool munmap;		/* unmap memory as soon as it was sent */
};

/* What the sender has been told. */
struct notes {
	unsigned int sends;
	unsigned int partial;	/* of these, sends that took less than asked */
	unsigned char seen[MAX_SENDS];
	unsigned int bad;
};

/* Two sockets that are connected. */
struct ends {
	int tx, rx;
	bool dgram;
};

/* Where the sockets are, and how large their buffers. */
struct path {
	int a, b;		/* namespaces */
	const char *addr;	/* in b */
	int buffers;
};

static inline uint8_t byte_at(size_t pos)
{
	return pos ^ (pos >> 8) ^ (pos >> 16);
}

static inline void pattern(uint8_t *mem, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		mem[i] = byte_at(i);
}

static inline bool matches(const uint8_t *got, size_t pos, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (got[i] != byte_at(pos + i))
			return false;

	return true;
}

static inline void *memory(size_t len, int flags)
{
	void *mem;

	mem = mmap(NULL, len, PROT_READ | PROT_WRITE,
		   (flags & MAP_SHARED ? 0 : MAP_PRIVATE) |
		   MAP_ANONYMOUS | flags, -1, 0);
	if (mem == MAP_FAILED)
		return NULL;
	pattern(mem, len);

	return mem;
}

static inline int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t ret;

	if (fd < 0)
		return -1;
	ret = write(fd, text, strlen(text));
	close(fd);

	return ret < 0 ? -1 : 0;
}

/* Pages pinned by anybody: read after all CPUs have handed in their part. */
static inline long pinned(void)
{
	static const char acq[] = "nr_foll_pin_acquired ";
	static const char rel[] = "nr_foll_pin_released ";
	long acquired = -1, released = 0;
	char line[128];
	FILE *f;

	if (write_file("/proc/sys/vm/stat_refresh", "1"))
		perror("stat_refresh");
	f = fopen("/proc/vmstat", "r");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, acq, strlen(acq)))
			acquired = strtol(line + strlen(acq), NULL, 10);
		if (!strncmp(line, rel, strlen(rel)))
			released = strtol(line + strlen(rel), NULL, 10);
	}
	fclose(f);

	return acquired - released;
}

/* Freeing an skb may wait for RCU, a qdisc, or a timer of TCP. */
static inline long pinned_settled(long want)
{
	long got = pinned();
	int i;

	for (i = 0; i < PATIENCE * 10 && got != want; i++) {
		usleep(100 * 1000);
		got = pinned();
	}

	return got;
}

static inline void note_range(struct notes *n, uint32_t lo, uint32_t hi)
{
	uint32_t id;

	if (lo > hi || hi >= n->sends) {
		n->bad++;
		return;
	}
	for (id = lo; id <= hi; id++)
		if (n->seen[id]++)
			n->bad++;
}

/* Take all notifications that are there. */
static inline void read_notes(int fd, struct notes *n)
{
	while (1) {
		char control[128];
		struct msghdr msg = {
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		struct sock_extended_err *ee;
		struct cmsghdr *cm;

		if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return;
		cm = CMSG_FIRSTHDR(&msg);
		if (!cm) {
			n->bad++;
			continue;
		}
		ee = (void *)CMSG_DATA(cm);
		if (ee->ee_origin != SO_EE_ORIGIN_ZEROCOPY || ee->ee_errno) {
			n->bad++;
			continue;
		}
		note_range(n, ee->ee_info, ee->ee_data);
	}
}

static inline bool all_noted(const struct notes *n)
{
	unsigned int i;

	for (i = 0; i < n->sends; i++)
		if (!n->seen[i])
			return false;

	return true;
}

static inline void await_notes(int fd, struct notes *n)
{
	int i;

	for (i = 0; i < PATIENCE * 10; i++) {
		read_notes(fd, n);
		if (all_noted(n))
			break;
		usleep(100 * 1000);
	}
	/* One too many may come late. */
	usleep(10 * 1000);
	read_notes(fd, n);
}

/* One send of the job from @pos on; 0 if it has to be tried again. */
static inline ssize_t send_some(int fd, const struct job *j, struct notes *n,
				uint8_t *mem, size_t pos, unsigned int nr)
{
	int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	bool copy = j->copied && nr % 2 == 0;
	size_t len = copy ? j->copied : j->chunk;
	ssize_t ret;

	if (len > j->total - pos)
		len = j->total - pos;
	if (!copy)
		flags |= MSG_ZEROCOPY;
	if (j->more && (nr + 1) % j->more && pos + len < j->total)
		flags |= MSG_MORE;

	ret = send(fd, mem + pos, len, flags);
	if (ret < 0)
		return errno == EAGAIN || errno == ENOBUFS ? 0 : -errno;
	if (!copy) {
		n->sends++;
		n->partial += (size_t)ret < len;
	}

	return ret;
}

/* Receive what is there and compare it; returns how much, -1 if it differs. */
static inline ssize_t receive_some(int fd, size_t pos, bool dgram, size_t unit)
{
	static uint8_t got[1 << 16];
	ssize_t ret;

	ret = recv(fd, got, sizeof(got), MSG_DONTWAIT);
	if (ret < 0)
		return errno == EAGAIN ? 0 : -1;
	if (!dgram)
		return matches(got, pos, ret) ? ret : -1;

	/* Which datagram is it? They start at multiples of a unit. */
	for (pos = 0; pos < (8UL << 20); pos += unit)
		if (matches(got, pos, ret))
			return ret;

	return -1;
}

/* Receive @len bytes of a stream. */
static inline int receive_all(int fd, size_t len)
{
	size_t got = 0;

	while (got < len) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t ret;

		if (poll(&p, 1, PATIENCE * 1000) != 1) {
			fprintf(stderr, "got %zu of %zu\n", got, len);
			return -1;
		}
		ret = receive_some(fd, got, false, 0);
		if (ret <= 0) {
			fprintf(stderr, "wrong data or end at %zu\n", got);
			return -1;
		}
		got += ret;
	}

	return 0;
}

/* Send without anybody reading until the socket takes no more for a while. */
static inline size_t stuff_job(int fd, const struct job *j, struct notes *n,
			       uint8_t *mem)
{
	unsigned int nr = 0;
	size_t sent = 0;
	int idle = 0;

	while (idle < 100 && sent < j->total) {
		ssize_t ret = send_some(fd, j, n, mem, sent, nr);

		if (ret < 0)
			break;
		sent += ret;
		nr += !!ret;
		idle = ret ? 0 : idle + 1;
		if (!ret)
			usleep(1000);
	}

	return sent;
}

static inline size_t stuff(int fd, uint8_t *mem, size_t len, struct notes *n)
{
	struct job j = { .total = len, .chunk = 65536 };

	return stuff_job(fd, &j, n, mem);
}

static inline int transfer(struct ends *e, const struct job *j,
			   struct notes *n, uint8_t *mem)
{
	size_t sent = 0, got = 0, unit = j->segment ?: (int)j->chunk;
	unsigned int nr = 0, idle = 0;
	ssize_t ret;

	if (!mem)
		return -1;
	while (sent < j->total || got < j->total) {
		bool moved = false;

		if (sent < j->total) {
			ret = send_some(e->tx, j, n, mem, sent, nr);
			if (ret < 0) {
				fprintf(stderr, "send: %s\n", strerror(-ret));
				return -1;
			}
			if (ret) {
				sent += ret;
				nr++;
				moved = true;
			}
			if (sent == j->total && j->munmap)
				munmap(mem, j->total);
		}
		while ((ret = receive_some(e->rx, got, e->dgram, unit)) > 0) {
			got += ret;
			moved = true;
		}
		if (ret < 0) {
			fprintf(stderr, "wrong data at %zu\n", got);
			return -1;
		}
		read_notes(e->tx, n);
		idle = moved ? 0 : idle + 1;
		if (!moved)
			usleep(1000);
		if (sent == j->total && j->lossy && idle > 500)
			break;
		if (idle > PATIENCE * 1000) {
			fprintf(stderr, "stuck: sent %zu got %zu\n", sent, got);
			return -1;
		}
	}
	await_notes(e->tx, n);

	return 0;
}

static inline int in_netns(int ns, int family, int type)
{
	return net_enter(ns) ? -1 : socket(family, type | SOCK_CLOEXEC, 0);
}

static inline socklen_t address(const char *addr, int port,
				struct sockaddr_in6 *to)
{
	struct sockaddr_in *v4 = (void *)to;

	memset(to, 0, sizeof(*to));
	to->sin6_family = net_family(addr);
	to->sin6_port = htons(port);	/* where sin_port is, too */
	if (to->sin6_family == AF_INET6) {
		inet_pton(AF_INET6, addr, &to->sin6_addr);
		return sizeof(*to);
	}
	inet_pton(AF_INET, addr, &v4->sin_addr);

	return sizeof(*v4);
}

static inline int open_ends(const struct path *p, int type, int port,
			    struct ends *e)
{
	int one = 1, big = p->buffers ?: 4 << 20, fd;
	struct sockaddr_in6 to;
	socklen_t len = address(p->addr, port, &to);

	e->dgram = type == SOCK_DGRAM;
	fd = in_netns(p->b, to.sin6_family, type);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, 4) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, 4) ||
	    bind(fd, (void *)&to, len))
		return -1;
	if (!e->dgram && listen(fd, 1))
		return -1;

	e->tx = in_netns(p->a, to.sin6_family, type);
	if (e->tx < 0 || setsockopt(e->tx, SOL_SOCKET, SO_ZEROCOPY, &one, 4) ||
	    setsockopt(e->tx, SOL_SOCKET, SO_SNDBUFFORCE, &big, 4) ||
	    connect(e->tx, (void *)&to, len))
		return -1;

	e->rx = fd;
	if (!e->dgram) {
		e->rx = accept(fd, NULL, NULL);
		close(fd);
	}

	return e->rx < 0 ? -1 : 0;
}

static inline int open_vsock(struct ends *e)
{
	struct sockaddr_vm to = {
		.svm_family = AF_VSOCK,
		.svm_port = PORT,
		.svm_cid = VMADDR_CID_LOCAL,
	};
	int fd, one = 1;

	fd = socket(AF_VSOCK, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (void *)&to, sizeof(to)) || listen(fd, 1))
		return -1;
	e->tx = socket(AF_VSOCK, SOCK_STREAM, 0);
	if (e->tx < 0 || setsockopt(e->tx, SOL_SOCKET, SO_ZEROCOPY, &one, 4) ||
	    connect(e->tx, (void *)&to, sizeof(to)))
		return -1;
	e->rx = accept(fd, NULL, NULL);
	close(fd);

	return e->rx < 0 ? -1 : 0;
}

static inline void close_ends(struct ends *e)
{
	close(e->tx);
	close(e->rx);
}

#define EXPECT_NOTED()						\
	do {							\
		EXPECT_EQ(0u, self->n.bad);			\
		EXPECT_TRUE(all_noted(&self->n));		\
	} while (0)

#define EXPECT_UNPINNED()					\
	EXPECT_EQ(self->before, pinned_settled(self->before))

#endif

// SPDX-License-Identifier: GPL-2.0
/* Memory that MSG_ZEROCOPY pins is unpinned, and every send is completed.
 *
 * Data goes over different paths, in different ways.  After each of them
 * - the receiver has got the bytes that were in memory at the time of the send,
 * - each send has been notified exactly once,
 * - as many pages are pinned as before: nr_foll_pin_acquired and
 *   nr_foll_pin_released in /proc/vmstat moved by the same number.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/if_ether.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY	60
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY	0x4000000
#endif
#ifndef SO_EE_ORIGIN_ZEROCOPY
#define SO_EE_ORIGIN_ZEROCOPY	5
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif

#define MAX_SENDS	4096
#define HUGE_SIZE	(2UL << 20)
#define PORT		8000

/* A send with these takes the bytes from the same memory. */
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
	unsigned char seen[MAX_SENDS];
	unsigned int bad;
};

static uint8_t byte_at(size_t pos)
{
	return pos ^ (pos >> 8) ^ (pos >> 16);
}

static void pattern(uint8_t *mem, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		mem[i] = byte_at(i);
}

static bool matches(const uint8_t *got, size_t pos, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (got[i] != byte_at(pos + i))
			return false;

	return true;
}

/* Pages pinned by anybody: read after all CPUs have handed in their part. */
static long pinned(void)
{
	static const char acq[] = "nr_foll_pin_acquired ";
	static const char rel[] = "nr_foll_pin_released ";
	long acquired = -1, released = 0;
	char line[128];
	FILE *f;
	int fd;

	fd = open("/proc/sys/vm/stat_refresh", O_WRONLY);
	if (fd >= 0) {
		if (write(fd, "1", 1) < 0)
			perror("stat_refresh");
		close(fd);
	}

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

/* Freeing an skb may wait for RCU or for a qdisc. */
static long pinned_settled(long want)
{
	long got = pinned();
	int i;

	for (i = 0; i < 100 && got != want; i++) {
		usleep(100 * 1000);
		got = pinned();
	}

	return got;
}

static int run(const char *fmt, ...)
{
	char cmd[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);

	return system(cmd);
}

static int enter(const char *ns)
{
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), "/var/run/netns/%s", ns);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	ret = setns(fd, CLONE_NEWNET);
	close(fd);

	return ret;
}

static void note_range(struct notes *n, uint32_t lo, uint32_t hi)
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
static void read_notes(int fd, struct notes *n)
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

static bool all_noted(const struct notes *n)
{
	unsigned int i;

	for (i = 0; i < n->sends; i++)
		if (!n->seen[i])
			return false;

	return true;
}

static void await_notes(int fd, struct notes *n)
{
	int i;

	for (i = 0; i < 100; i++) {
		read_notes(fd, n);
		if (all_noted(n))
			return;
		usleep(100 * 1000);
	}
}

/* One send of the job from @pos on; 0 if it has to be tried again. */
static ssize_t send_some(int fd, const struct job *j, struct notes *n,
			 uint8_t *mem, size_t pos, unsigned int nr)
{
	size_t len = j->chunk < j->total - pos ? j->chunk : j->total - pos;
	bool copy = j->copied && nr % 2 == 0;
	int flags = MSG_DONTWAIT;
	ssize_t ret;

	if (copy)
		len = j->copied < j->total - pos ? j->copied : j->total - pos;
	else
		flags |= MSG_ZEROCOPY;
	if (j->more && (nr + 1) % j->more && pos + len < j->total)
		flags |= MSG_MORE;

	ret = send(fd, mem + pos, len, flags);
	if (ret < 0)
		return errno == EAGAIN || errno == ENOBUFS ? 0 : -errno;
	if (!copy)
		n->sends++;

	return ret;
}

/* Receive what is there and compare it; returns how much, -1 if it differs. */
static ssize_t receive_some(int fd, size_t pos, bool dgram, size_t unit)
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

struct ends {
	int tx, rx;
	bool dgram;
};

static int transfer(struct ends *e, const struct job *j, struct notes *n,
		    uint8_t *mem)
{
	size_t sent = 0, got = 0, unit = j->segment ?: (int)j->chunk;
	unsigned int nr = 0, idle = 0;
	ssize_t ret;

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
		if (idle > 20000) {
			fprintf(stderr, "stuck: sent %zu got %zu\n", sent, got);
			return -1;
		}
	}
	await_notes(e->tx, n);

	return 0;
}

static void *memory(size_t len, int flags)
{
	void *mem;

	mem = mmap(NULL, len, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	if (mem != MAP_FAILED)
		pattern(mem, len);

	return mem;
}

/* The network namespaces of a path, and the address at its end. */
struct path {
	char a[32], b[32], router[32];
	const char *addr;
};

FIXTURE(path)
{
	struct notes n;
	struct path p;
	long before;
};

FIXTURE_VARIANT(path)
{
	const char *extra;	/* run in the sender's namespace */
	bool routed;
	bool lossy;
	bool veth;
};

FIXTURE_VARIANT_ADD(path, loopback)
{
};

FIXTURE_VARIANT_ADD(path, veth)
{
	.veth = true,
};

FIXTURE_VARIANT_ADD(path, no_sg)
{
	.veth = true,
	.extra = "ethtool -K v0 sg off",
};

FIXTURE_VARIANT_ADD(path, no_checksum)
{
	.veth = true,
	.extra = "ethtool -K v0 tx off",
};

#define NETEM	"delay 2ms 1ms loss 2% duplicate 2% reorder 10% corrupt 1%"

FIXTURE_VARIANT_ADD(path, netem)
{
	.veth = true,
	.lossy = true,
	.extra = "tc qdisc add dev v0 root netem " NETEM,
};

FIXTURE_VARIANT_ADD(path, routed)
{
	.veth = true,
	.routed = true,
};

static int add_ns(const char *ns)
{
	return run("ip netns add %s && ip -n %s link set lo up", ns, ns);
}

static int add_pair(const char *ns1, const char *dev1, const char *ns2,
		    const char *dev2)
{
	return run("ip -n %s link add %s type veth peer name %s netns %s",
		   ns1, dev1, dev2, ns2);
}

static int add_addr(const char *ns, const char *dev, const char *addr)
{
	return run("ip -n %s addr add %s/24 dev %s", ns, addr, dev) |
	       run("ip -n %s link set %s up", ns, dev);
}

static int add_router(const struct path *p)
{
	return add_ns(p->router) |
	       add_pair(p->a, "v0", p->router, "r0") |
	       add_pair(p->router, "r1", p->b, "v1") |
	       add_addr(p->a, "v0", "10.9.0.1") |
	       add_addr(p->router, "r0", "10.9.0.9") |
	       add_addr(p->router, "r1", "10.9.1.9") |
	       add_addr(p->b, "v1", "10.9.1.2") |
	       run("ip -n %s route add 10.9.1.0/24 via 10.9.0.9", p->a) |
	       run("ip -n %s route add 10.9.0.0/24 via 10.9.1.9", p->b) |
	       run("ip netns exec %s sysctl -q -w net.ipv4.ip_forward=1",
		   p->router);
}

static int add_veth(const struct path *p)
{
	return add_pair(p->a, "v0", p->b, "v1") |
	       add_addr(p->a, "v0", "10.9.1.1") |
	       add_addr(p->b, "v1", "10.9.1.2");
}

FIXTURE_SETUP(path)
{
	struct path *p = &self->p;

	memset(self, 0, sizeof(*self));
	snprintf(p->a, sizeof(p->a), "zcp-a-%d", getpid());
	snprintf(p->b, sizeof(p->b), "zcp-b-%d", getpid());
	snprintf(p->router, sizeof(p->router), "zcp-r-%d", getpid());
	ASSERT_EQ(0, add_ns(p->a));
	if (variant->veth) {
		p->addr = "10.9.1.2";
		ASSERT_EQ(0, add_ns(p->b));
		ASSERT_EQ(0, variant->routed ? add_router(p) : add_veth(p));
	} else {
		p->addr = "127.0.0.1";
		strcpy(p->b, p->a);
	}
	if (variant->extra) {
		ASSERT_EQ(0, run("ip netns exec %s %s >/dev/null", p->a,
				 variant->extra));
	}
	self->before = pinned();
	ASSERT_LE(0, self->before);
}

FIXTURE_TEARDOWN(path)
{
	run("ip netns del %s 2>/dev/null", self->p.a);
	run("ip netns del %s 2>/dev/null", self->p.b);
	run("ip netns del %s 2>/dev/null", self->p.router);
}

static int in_netns(const char *ns, int type)
{
	return enter(ns) ? -1 : socket(AF_INET, type, 0);
}

static int open_ends(const struct path *p, int type, struct ends *e)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
	};
	int one = 1, big = 4 << 20, fd;

	e->dgram = type == SOCK_DGRAM;
	fd = in_netns(p->b, type);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, 4) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, 4))
		return -1;
	to.sin_addr.s_addr = htonl(INADDR_ANY);
	if (bind(fd, (void *)&to, sizeof(to)))
		return -1;
	if (!e->dgram && listen(fd, 1))
		return -1;

	e->tx = in_netns(p->a, type);
	inet_pton(AF_INET, p->addr, &to.sin_addr);
	if (e->tx < 0 || setsockopt(e->tx, SOL_SOCKET, SO_ZEROCOPY, &one, 4) ||
	    setsockopt(e->tx, SOL_SOCKET, SO_SNDBUFFORCE, &big, 4) ||
	    connect(e->tx, (void *)&to, sizeof(to)))
		return -1;

	e->rx = fd;
	if (!e->dgram) {
		e->rx = accept(fd, NULL, NULL);
		close(fd);
	}

	return e->rx < 0 ? -1 : 0;
}

#define EXPECT_NOTED()						\
	do {							\
		EXPECT_EQ(0u, self->n.bad);			\
		EXPECT_TRUE(all_noted(&self->n));		\
	} while (0)

#define EXPECT_UNPINNED()					\
	EXPECT_EQ(self->before, pinned_settled(self->before))

#define RUN_JOB(type, job, mem)					\
	do {							\
		struct ends e;					\
								\
		ASSERT_EQ(0, open_ends(&self->p, type, &e));	\
		if ((job)->segment) {				\
			ASSERT_EQ(0, setsockopt(e.tx, SOL_UDP,	\
						UDP_SEGMENT,	\
						&(job)->segment,\
						4));		\
		}						\
		EXPECT_EQ(0, transfer(&e, job, &self->n, mem));	\
		EXPECT_NOTED();					\
		close(e.tx);					\
		close(e.rx);					\
		EXPECT_UNPINNED();				\
	} while (0)

TEST_F(path, tcp_stream)
{
	struct job j = { .total = 2 << 20, .chunk = 60000 };

	RUN_JOB(SOCK_STREAM, &j, memory(j.total, 0));
}

TEST_F(path, tcp_small_sends)
{
	struct job j = { .total = 300000, .chunk = 333 };

	RUN_JOB(SOCK_STREAM, &j, memory(j.total, 0));
}

TEST_F(path, tcp_header_copied_payload_not)
{
	struct job j = { .total = 1 << 20, .chunk = 4096, .copied = 60 };

	RUN_JOB(SOCK_STREAM, &j, memory(j.total, 0));
}

TEST_F(path, tcp_more)
{
	struct job j = { .total = 1 << 20, .chunk = 5000, .more = 7 };

	RUN_JOB(SOCK_STREAM, &j, memory(j.total, 0));
}

TEST_F(path, tcp_memory_unmapped_while_queued)
{
	struct job j = { .total = 1 << 20, .chunk = 65536, .munmap = true };

	RUN_JOB(SOCK_STREAM, &j, memory(j.total, 0));
}

TEST_F(path, tcp_transparent_huge_pages)
{
	struct job j = { .total = HUGE_SIZE, .chunk = 200000 };
	uint8_t *mem = memory(2 * HUGE_SIZE, 0), *huge;

	huge = (void *)(((uintptr_t)mem + HUGE_SIZE - 1) & ~(HUGE_SIZE - 1));
	madvise(huge, HUGE_SIZE, MADV_HUGEPAGE);
	pattern(huge, HUGE_SIZE);
	RUN_JOB(SOCK_STREAM, &j, huge);
}

TEST_F(path, udp_small)
{
	struct job j = { .total = 140000, .chunk = 1400,
			 .lossy = true };

	RUN_JOB(SOCK_DGRAM, &j, memory(j.total, 0));
}

TEST_F(path, udp_segmented)
{
	struct job j = { .total = 560000, .chunk = 56000, .segment = 1400,
			 .lossy = true };

	if (variant->extra)
		SKIP(return, "UDP_SEGMENT needs checksum offload");
	RUN_JOB(SOCK_DGRAM, &j, memory(j.total, 0));
}

TEST_F(path, udp_corked)
{
	struct job j = { .total = 140000, .chunk = 350, .more = 4,
			 .lossy = true };

	RUN_JOB(SOCK_DGRAM, &j, memory(j.total, 0));
}

/* A tap on the sender's device sees each packet, and nobody reads it. */
TEST_F(path, tcp_with_a_packet_socket_that_nobody_reads)
{
	struct job j = { .total = 1 << 20, .chunk = 60000 };
	int tap;

	ASSERT_EQ(0, enter(self->p.a));
	tap = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	ASSERT_LE(0, tap);
	RUN_JOB(SOCK_STREAM, &j, memory(j.total, 0));
	close(tap);
	EXPECT_UNPINNED();
}

/* Send without anybody reading until the socket takes no more. */
static size_t stuff(int fd, uint8_t *mem, size_t len, struct notes *n)
{
	struct job j = { .total = len, .chunk = 65536 };
	size_t sent = 0;
	int tries;

	for (tries = 0; tries < 100 && sent < len; tries++) {
		ssize_t ret = send_some(fd, &j, n, mem, sent, 0);

		if (ret < 0)
			break;
		sent += ret;
		if (!ret)
			usleep(1000);
	}

	return sent;
}

TEST_F(path, tcp_receiver_does_not_read)
{
	uint8_t *mem = memory(16 << 20, 0);
	size_t sent, got = 0;
	struct ends e;
	ssize_t ret;

	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, &e));
	sent = stuff(e.tx, mem, 16 << 20, &self->n);
	EXPECT_LT(0, sent);
	if (sent < 16 << 20)
		EXPECT_LT(self->before, pinned());
	while (got < sent) {
		struct pollfd p = { .fd = e.rx, .events = POLLIN };

		ASSERT_EQ(1, poll(&p, 1, 20000));
		ret = receive_some(e.rx, got, false, 0);
		ASSERT_LE(0, ret);
		got += ret;
	}
	await_notes(e.tx, &self->n);
	EXPECT_NOTED();
	close(e.tx);
	close(e.rx);
	EXPECT_UNPINNED();
}

TEST_F(path, tcp_receiver_closes_with_data_unread)
{
	uint8_t *mem = memory(16 << 20, 0);
	struct ends e;

	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, &e));
	EXPECT_LT(0, stuff(e.tx, mem, 16 << 20, &self->n));
	close(e.rx);
	await_notes(e.tx, &self->n);
	EXPECT_NOTED();
	close(e.tx);
	EXPECT_UNPINNED();
}

TEST_F(path, tcp_sender_exits_while_data_is_queued)
{
	size_t got = 0, want = 0;
	int p[2], status;
	struct ends e;
	ssize_t ret;
	pid_t pid;

	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, &e));
	ASSERT_EQ(0, pipe(p));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		uint8_t *mem = memory(1 << 20, 0);

		want = stuff(e.tx, mem, 1 << 20, &self->n);
		/* Whoever writes there gets a page of its own. */
		if (write(p[1], &want, sizeof(want)) != sizeof(want))
			_exit(1);
		_exit(0);
	}
	close(e.tx);
	ASSERT_EQ(sizeof(want), read(p[0], &want, sizeof(want)));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	while (got < want) {
		struct pollfd pf = { .fd = e.rx, .events = POLLIN };

		ASSERT_EQ(1, poll(&pf, 1, 20000));
		ret = receive_some(e.rx, got, false, 0);
		ASSERT_LE(0, ret);
		got += ret;
	}
	close(e.rx);
	EXPECT_UNPINNED();
}

/* The child shares memory that is in flight, and writes to it. */
TEST_F(path, tcp_child_writes_to_memory_in_flight)
{
	size_t len = 1 << 20, sent, got = 0;
	uint8_t *mem = memory(len, 0);
	struct ends e;
	ssize_t ret;
	int status;
	pid_t pid;

	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, &e));
	sent = stuff(e.tx, mem, len, &self->n);
	EXPECT_LT(0, sent);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		memset(mem, 0xee, len);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	while (got < sent) {
		struct pollfd p = { .fd = e.rx, .events = POLLIN };

		ASSERT_EQ(1, poll(&p, 1, 20000));
		ret = receive_some(e.rx, got, false, 0);
		ASSERT_LE(0, ret);
		got += ret;
	}
	await_notes(e.tx, &self->n);
	EXPECT_NOTED();
	close(e.tx);
	close(e.rx);
	EXPECT_UNPINNED();
}

TEST_F(path, tcp_memory_that_is_not_mapped)
{
	size_t len = 16 * 4096, page = 4096;
	uint8_t *mem = memory(len, 0);
	struct ends e;
	ssize_t ret;

	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, &e));
	ASSERT_EQ(0, munmap(mem + len - page, page));
	ret = send(e.tx, mem + len - page, page, MSG_ZEROCOPY);
	EXPECT_EQ(-1, ret);
	EXPECT_EQ(EFAULT, errno);
	ret = send(e.tx, mem, len, MSG_ZEROCOPY);
	if (ret > 0)
		self->n.sends++;
	await_notes(e.tx, &self->n);
	EXPECT_NOTED();
	close(e.tx);
	close(e.rx);
	EXPECT_UNPINNED();
}

TEST(vsock_loopback)
{
	struct sockaddr_vm to = {
		.svm_family = AF_VSOCK,
		.svm_port = PORT,
		.svm_cid = VMADDR_CID_LOCAL,
	};
	struct job j = { .total = 1 << 20, .chunk = 60000 };
	long before = pinned();
	struct notes n = {};
	struct ends e = {};
	int fd, one = 1;

	fd = socket(AF_VSOCK, SOCK_STREAM, 0);
	if (fd < 0 && errno == EAFNOSUPPORT)
		SKIP(return, "no AF_VSOCK");
	ASSERT_LE(0, fd);
	if (bind(fd, (void *)&to, sizeof(to)))
		SKIP(return, "no vsock loopback");
	ASSERT_EQ(0, listen(fd, 1));
	e.tx = socket(AF_VSOCK, SOCK_STREAM, 0);
	ASSERT_LE(0, e.tx);
	ASSERT_EQ(0, setsockopt(e.tx, SOL_SOCKET, SO_ZEROCOPY, &one, 4));
	ASSERT_EQ(0, connect(e.tx, (void *)&to, sizeof(to)));
	e.rx = accept(fd, NULL, NULL);
	ASSERT_LE(0, e.rx);
	EXPECT_EQ(0, transfer(&e, &j, &n, memory(j.total, 0)));
	EXPECT_EQ(0u, n.bad);
	EXPECT_TRUE(all_noted(&n));
	close(e.tx);
	close(e.rx);
	close(fd);
	EXPECT_EQ(before, pinned_settled(before));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* Memory that MSG_ZEROCOPY pins is unpinned, and every send is completed:
 * TCP and UDP, over different paths.  zerocopy_pins.h says what is looked at.
 */

#define _GNU_SOURCE

#include <linux/if_ether.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <signal.h>
#include <sys/prctl.h>

#include "zerocopy_pins.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif

FIXTURE(path)
{
	struct notes n;
	struct path p;
	long before;
	pid_t shuttle;
};

enum route { LOOPBACK, VETH, ROUTED, TAP };

FIXTURE_VARIANT(path)
{
	enum route route;
	const char *addr;
	uint32_t off;		/* an offload of the sender's device */
	bool netem;
};

FIXTURE_VARIANT_ADD(path, loopback)
{
	.addr = "127.0.0.1",
};

FIXTURE_VARIANT_ADD(path, loopback_v6)
{
	.addr = "::1",
};

FIXTURE_VARIANT_ADD(path, veth)
{
	.route = VETH,
	.addr = "10.9.1.2",
};

FIXTURE_VARIANT_ADD(path, veth_v6)
{
	.route = VETH,
	.addr = "fd00:9:1::2",
};

FIXTURE_VARIANT_ADD(path, no_sg)
{
	.route = VETH,
	.addr = "10.9.1.2",
	.off = ETHTOOL_SSG,
};

FIXTURE_VARIANT_ADD(path, no_checksum)
{
	.route = VETH,
	.addr = "10.9.1.2",
	.off = ETHTOOL_STXCSUM,
};

FIXTURE_VARIANT_ADD(path, netem)
{
	.route = VETH,
	.addr = "10.9.1.2",
	.netem = true,
};

FIXTURE_VARIANT_ADD(path, routed)
{
	.route = ROUTED,
	.addr = "10.9.1.2",
};

/* Packets are read from a tap device, and written to another. */
FIXTURE_VARIANT_ADD(path, tap)
{
	.route = TAP,
	.addr = "10.9.1.2",
};

static int add_veth(const struct path *p)
{
	return net_enter(p->a) || net_add_veth("v0", "v1", p->b) ||
	       net_add_addr("v0", "10.9.1.1") ||
	       net_add_addr("v0", "fd00:9:1::1") ||
	       net_enter(p->b) ||
	       net_add_addr("v1", "10.9.1.2") ||
	       net_add_addr("v1", "fd00:9:1::2");
}

static int add_router(const struct path *p)
{
	int router = net_new_ns();

	return router < 0 ||
	       net_add_veth("r0", "v0", p->a) ||
	       net_add_veth("r1", "v1", p->b) ||
	       net_add_addr("r0", "10.9.0.9") ||
	       net_add_addr("r1", "10.9.1.9") ||
	       write_file("/proc/sys/net/ipv4/ip_forward", "1") ||
	       net_enter(p->a) ||
	       net_add_addr("v0", "10.9.0.1") ||
	       net_add_route("10.9.1.0", "10.9.0.9") ||
	       net_enter(p->b) ||
	       net_add_addr("v1", "10.9.1.2") ||
	       net_add_route("10.9.0.0", "10.9.1.9");
}

/* Carry packets between two taps as long as the test lives. */
static void shuttle(int a, int b)
{
	struct pollfd p[2] = {
		{ .fd = a, .events = POLLIN },
		{ .fd = b, .events = POLLIN },
	};
	static uint8_t packet[80000];
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (poll(p, 2, -1) > 0) {
		for (i = 0; i < 2; i++) {
			ssize_t len;

			if (!p[i].revents)
				continue;
			len = read(p[i].fd, packet, sizeof(packet));
			/* What is not taken is lost, as on any wire. */
			if (len > 0 && write(p[!i].fd, packet, len) < 0)
				continue;
		}
	}
	_exit(1);
}

static pid_t add_taps(const struct path *p)
{
	pid_t pid;
	int a, b;

	if (net_enter(p->a))
		return -1;
	a = net_open_tap("v0", 0);
	if (a < 0 || net_add_addr("v0", "10.9.1.1") || net_enter(p->b))
		return -1;
	b = net_open_tap("v1", IFF_NAPI);
	if (b < 0 || net_add_addr("v1", "10.9.1.2"))
		return -1;
	pid = fork();
	if (!pid)
		shuttle(a, b);
	close(a);
	close(b);

	return pid;
}

FIXTURE_SETUP(path)
{
	struct path *p = &self->p;

	p->addr = variant->addr;
	p->a = net_new_ns();
	ASSERT_LE(0, p->a);
	p->b = variant->route == LOOPBACK ? p->a : net_new_ns();
	ASSERT_LE(0, p->b);
	if (variant->route == VETH)
		ASSERT_EQ(0, add_veth(p));
	if (variant->route == ROUTED)
		ASSERT_EQ(0, add_router(p));
	if (variant->route == TAP) {
		if (access("/dev/net/tun", W_OK))
			SKIP(return, "no /dev/net/tun");
		self->shuttle = add_taps(p);
		ASSERT_LT(0, self->shuttle);
	}
	ASSERT_EQ(0, net_enter(p->a));
	if (variant->off)
		ASSERT_EQ(0, net_turn_off("v0", variant->off));
	if (variant->netem && net_add_netem("v0", 2))
		SKIP(return, "no netem: %s", strerror(errno));
	self->before = pinned();
	ASSERT_LE(0, self->before);
}

FIXTURE_TEARDOWN(path)
{
	if (self->shuttle > 0)
		kill(self->shuttle, SIGKILL);
}

static int run_job(const struct path *p, int type, const struct job *j,
		   struct notes *n, uint8_t *mem)
{
	struct ends e;
	int ret;

	if (open_ends(p, type, PORT, &e))
		return -1;
	if (j->segment && setsockopt(e.tx, SOL_UDP, UDP_SEGMENT, &j->segment,
				     sizeof(j->segment)))
		return -1;
	ret = transfer(&e, j, n, mem);
	close_ends(&e);

	return ret;
}

#define RUN_JOB(type, job, mem)						\
	do {								\
		EXPECT_EQ(0, run_job(&self->p, type, job, &self->n,	\
				     mem));				\
		EXPECT_NOTED();						\
		EXPECT_UNPINNED();					\
	} while (0)

TEST_F_TIMEOUT(path, tcp_stream, LIMIT)
{
	struct job j = { .total = 2 << 20, .chunk = 60000 };

	RUN_JOB(SOCK_STREAM, &j, memory(j.total, 0));
}

TEST_F_TIMEOUT(path, tcp_small_sends, LIMIT)
{
	struct job j = { .total = 300000, .chunk = 333 };

	RUN_JOB(SOCK_STREAM, &j, memory(j.total, 0));
}

/* Each send is larger than the socket's buffer. */
TEST_F_TIMEOUT(path, tcp_partial_sends, LIMIT)
{
	struct job j = { .total = 1 << 20, .chunk = 1 << 20 };

	self->p.buffers = 65536;
	RUN_JOB(SOCK_STREAM, &j, memory(j.total, 0));
	EXPECT_LT(0u, self->n.partial);
}

TEST_F_TIMEOUT(path, tcp_header_copied_payload_not, LIMIT)
{
	struct job j = { .total = 1 << 20, .chunk = 4096, .copied = 60 };

	RUN_JOB(SOCK_STREAM, &j, memory(j.total, 0));
}

TEST_F_TIMEOUT(path, tcp_more, LIMIT)
{
	struct job j = { .total = 1 << 20, .chunk = 5000, .more = 7 };

	RUN_JOB(SOCK_STREAM, &j, memory(j.total, 0));
}

TEST_F_TIMEOUT(path, tcp_memory_unmapped_while_queued, LIMIT)
{
	struct job j = { .total = 1 << 20, .chunk = 65536, .munmap = true };

	RUN_JOB(SOCK_STREAM, &j, memory(j.total, 0));
}

TEST_F_TIMEOUT(path, tcp_transparent_huge_pages, LIMIT)
{
	struct job j = { .total = HUGE_SIZE, .chunk = 200000 };
	uint8_t *mem = memory(2 * HUGE_SIZE, 0), *huge;

	huge = (void *)(((uintptr_t)mem + HUGE_SIZE - 1) & ~(HUGE_SIZE - 1));
	madvise(huge, HUGE_SIZE, MADV_HUGEPAGE);
	pattern(huge, HUGE_SIZE);
	RUN_JOB(SOCK_STREAM, &j, huge);
}

TEST_F_TIMEOUT(path, udp_small, LIMIT)
{
	struct job j = { .total = 140000, .chunk = 1400, .lossy = true };

	RUN_JOB(SOCK_DGRAM, &j, memory(j.total, 0));
}

TEST_F_TIMEOUT(path, udp_segmented, LIMIT)
{
	struct job j = { .total = 560000, .chunk = 56000, .segment = 1400,
			 .lossy = true };

	if (variant->off)
		SKIP(return, "UDP_SEGMENT needs checksum offload");
	RUN_JOB(SOCK_DGRAM, &j, memory(j.total, 0));
}

TEST_F_TIMEOUT(path, udp_corked, LIMIT)
{
	struct job j = { .total = 140000, .chunk = 350, .more = 4,
			 .lossy = true };

	RUN_JOB(SOCK_DGRAM, &j, memory(j.total, 0));
}

/* A tap on the sender's device sees each packet, and nobody reads it. */
TEST_F_TIMEOUT(path, tcp_with_a_packet_socket_that_nobody_reads, LIMIT)
{
	struct job j = { .total = 1 << 20, .chunk = 60000 };
	int tap;

	tap = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	ASSERT_LE(0, tap);
	RUN_JOB(SOCK_STREAM, &j, memory(j.total, 0));
	close(tap);
	EXPECT_UNPINNED();
}

/* Two processes pin the same pages at once. */
TEST_F_TIMEOUT(path, two_senders_of_the_same_memory, LIMIT)
{
	struct job j = { .total = 1 << 20, .chunk = 50000 };
	uint8_t *mem = memory(j.total, MAP_SHARED);
	int status, i;
	pid_t pid[2];

	for (i = 0; i < 2; i++) {
		pid[i] = fork();
		ASSERT_LE(0, pid[i]);
		if (!pid[i]) {
			struct ends e;

			if (open_ends(&self->p, SOCK_STREAM, PORT + i, &e) ||
			    transfer(&e, &j, &self->n, mem) ||
			    self->n.bad || !all_noted(&self->n))
				_exit(1);
			_exit(0);
		}
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_UNPINNED();
}

TEST_F_TIMEOUT(path, tcp_receiver_does_not_read, LIMIT)
{
	size_t len = 8 << 20, sent;
	struct ends e;

	self->p.buffers = 1 << 20;
	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, PORT, &e));
	sent = stuff(e.tx, memory(len, 0), len, &self->n);
	EXPECT_LT(0, sent);
	EXPECT_GT(len, sent);
	EXPECT_LT(self->before, pinned());
	EXPECT_EQ(0, receive_all(e.rx, sent));
	await_notes(e.tx, &self->n);
	EXPECT_NOTED();
	close_ends(&e);
	EXPECT_UNPINNED();
}

TEST_F_TIMEOUT(path, tcp_receiver_closes_with_data_unread, LIMIT)
{
	uint8_t *mem = memory(8 << 20, 0);
	struct ends e;

	self->p.buffers = 1 << 20;
	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, PORT, &e));
	EXPECT_LT(0, stuff(e.tx, mem, 8 << 20, &self->n));
	close(e.rx);
	await_notes(e.tx, &self->n);
	EXPECT_NOTED();
	EXPECT_UNPINNED();

	/* A send that fails takes no number and leaves no pin. */
	while (send(e.tx, mem, 65536, MSG_ZEROCOPY | MSG_NOSIGNAL) > 0)
		self->n.sends++;
	EXPECT_TRUE(errno == EPIPE || errno == ECONNRESET);
	await_notes(e.tx, &self->n);
	EXPECT_NOTED();
	close(e.tx);
	EXPECT_UNPINNED();
}

/* Half closed: what was queued before still arrives, and an answer, too. */
TEST_F_TIMEOUT(path, tcp_sender_shuts_down_with_data_queued, LIMIT)
{
	size_t len = 1 << 20, sent;
	struct ends e;
	char c = 0;

	self->p.buffers = 1 << 18;
	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, PORT, &e));
	sent = stuff(e.tx, memory(len, 0), len, &self->n);
	EXPECT_LT(0, sent);
	ASSERT_EQ(0, shutdown(e.tx, SHUT_WR));
	EXPECT_EQ(-1, send(e.tx, &c, 1, MSG_ZEROCOPY | MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(0, receive_all(e.rx, sent));
	EXPECT_EQ(0, recv(e.rx, &c, 1, 0));
	EXPECT_EQ(1, send(e.rx, "x", 1, 0));
	EXPECT_EQ(1, recv(e.tx, &c, 1, 0));
	await_notes(e.tx, &self->n);
	EXPECT_NOTED();
	close_ends(&e);
	EXPECT_UNPINNED();
}

/* Some sends fail because of those before them: these get no number. */
TEST_F_TIMEOUT(path, udp_nobody_listens, LIMIT)
{
	uint8_t *mem = memory(1400, 0);
	struct ends e;
	int i;

	ASSERT_EQ(0, open_ends(&self->p, SOCK_DGRAM, PORT, &e));
	close(e.rx);
	for (i = 0; i < 30; i++) {
		if (send(e.tx, mem, 1400, MSG_ZEROCOPY) == 1400)
			self->n.sends++;
		else
			EXPECT_EQ(ECONNREFUSED, errno);
		usleep(1000);
	}
	EXPECT_LT(0u, self->n.sends);
	await_notes(e.tx, &self->n);
	EXPECT_NOTED();
	close(e.tx);
	EXPECT_UNPINNED();
}

TEST_F_TIMEOUT(path, tcp_sender_exits_while_data_is_queued, LIMIT)
{
	size_t want = 0, len = 1 << 20;
	int p[2], status;
	struct ends e;
	pid_t pid;

	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, PORT, &e));
	ASSERT_EQ(0, pipe(p));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		want = stuff(e.tx, memory(len, 0), len, &self->n);
		if (write(p[1], &want, sizeof(want)) != sizeof(want))
			_exit(1);
		_exit(0);
	}
	close(e.tx);
	ASSERT_EQ(sizeof(want), read(p[0], &want, sizeof(want)));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_LT(0, want);
	EXPECT_EQ(0, receive_all(e.rx, want));
	close(e.rx);
	EXPECT_UNPINNED();
}

/* The child shares memory that is in flight, and writes to it. */
TEST_F_TIMEOUT(path, tcp_child_writes_to_memory_in_flight, LIMIT)
{
	size_t len = 1 << 20, sent;
	uint8_t *mem = memory(len, 0);
	struct ends e;
	int status;
	pid_t pid;

	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, PORT, &e));
	sent = stuff(e.tx, mem, len, &self->n);
	EXPECT_LT(0, sent);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		memset(mem, 0xee, len);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, receive_all(e.rx, sent));
	await_notes(e.tx, &self->n);
	EXPECT_NOTED();
	close_ends(&e);
	EXPECT_UNPINNED();
}

#define RUN_UNMAPPED(type)						\
	do {								\
		size_t len = 8 * 4096, page = 4096;			\
		uint8_t *mem = memory(len, 0);				\
		struct ends e;						\
									\
		ASSERT_EQ(0, open_ends(&self->p, type, PORT, &e));	\
		ASSERT_EQ(0, munmap(mem + len - page, page));		\
		EXPECT_EQ(-1, send(e.tx, mem + len - page, page,	\
				   MSG_ZEROCOPY));			\
		EXPECT_EQ(EFAULT, errno);				\
		if (send(e.tx, mem, len, MSG_ZEROCOPY) > 0)		\
			self->n.sends++;				\
		else							\
			EXPECT_EQ(EFAULT, errno);			\
		await_notes(e.tx, &self->n);				\
		EXPECT_NOTED();						\
		close_ends(&e);						\
		EXPECT_UNPINNED();					\
	} while (0)

TEST_F_TIMEOUT(path, tcp_memory_that_is_not_mapped, LIMIT)
{
	RUN_UNMAPPED(SOCK_STREAM);
}

TEST_F_TIMEOUT(path, udp_memory_that_is_not_mapped, LIMIT)
{
	RUN_UNMAPPED(SOCK_DGRAM);
}

TEST_HARNESS_MAIN

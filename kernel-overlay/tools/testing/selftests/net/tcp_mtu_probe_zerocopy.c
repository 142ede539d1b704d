// SPDX-License-Identifier: GPL-2.0
/* A zerocopy send is not notified before its data was acknowledged.
 *
 * With net.ipv4.tcp_mtu_probing TCP builds a probe from the head of its send
 * queue, and removes the skbs that the probe replaces.  The memory is in use
 * until the probe is acknowledged: the sender must not be told earlier that it
 * may write there.
 *
 * Each skb of the queue is a send of its own here.  Bytes that are copied are
 * followed by bytes that are not, and net.core.max_skb_frags keeps TCP from
 * adding the next copied bytes to the same skb.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY	60
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY	0x4000000
#endif

/* Each has a completion of its own, as many as net.core.optmem_max allows. */
#define SENDS		120
#define PORT		8000

static uint8_t byte_at(size_t pos)
{
	return pos ^ (pos >> 8) ^ (pos >> 16);
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

static int socket_in(const char *ns)
{
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), "/var/run/netns/%s", ns);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	ret = setns(fd, CLONE_NEWNET);
	close(fd);

	return ret ? -1 : socket(AF_INET, SOCK_STREAM, 0);
}

/* net.core.max_skb_frags is one for all namespaces. Returns what it was. */
static int max_frags(int new)
{
	int old = -1;
	FILE *f;

	f = fopen("/proc/sys/net/core/max_skb_frags", "r+");
	if (!f)
		return -1;
	if (fscanf(f, "%d", &old) == 1) {
		rewind(f);
		fprintf(f, "%d", new);
	}

	return fclose(f) ? -1 : old;
}

/* What is sent, and what came of it. */
struct stream {
	uint8_t *mem;
	size_t end[SENDS];	/* where in the stream each send ends */
	size_t queued, received;
	unsigned int noted, early, wrong;
	int tx, rx;
};

FIXTURE(probe)
{
	int max_frags;		/* as it was before */
	struct stream s;
	char a[32], b[32];
	int netns;
};

static int build_path(const char *a, const char *b)
{
	return run("ip netns add %s", a) |
	       run("ip netns add %s", b) |
	       run("ip -n %s link add v0 type veth peer v1 netns %s", a, b) |
	       run("ip -n %s addr add 10.9.1.1/24 dev v0", a) |
	       run("ip -n %s addr add 10.9.1.2/24 dev v1", b) |
	       run("ip -n %s link set v0 up mtu 9000", a) |
	       run("ip -n %s link set v1 up mtu 9000", b) |
	       run("ip netns exec %s sysctl -q -w net.ipv4.tcp_mtu_probing=2",
		   a) |
	       run("tc -n %s qdisc add dev v0 root netem delay 200ms", a);
}

FIXTURE_SETUP(probe)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
	};
	int one = 1, big = 4 << 20, fd;

	memset(self, 0, sizeof(*self));
	self->netns = open("/proc/self/ns/net", O_RDONLY);
	ASSERT_LE(0, self->netns);
	self->max_frags = max_frags(2);
	ASSERT_LT(0, self->max_frags);
	snprintf(self->a, sizeof(self->a), "mtup-a-%d", getpid());
	snprintf(self->b, sizeof(self->b), "mtup-b-%d", getpid());
	ASSERT_EQ(0, build_path(self->a, self->b));

	fd = socket_in(self->b);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, 4));
	to.sin_addr.s_addr = htonl(INADDR_ANY);
	ASSERT_EQ(0, bind(fd, (void *)&to, sizeof(to)));
	ASSERT_EQ(0, listen(fd, 1));
	self->s.tx = socket_in(self->a);
	ASSERT_LE(0, self->s.tx);
	ASSERT_EQ(0, setsockopt(self->s.tx, SOL_SOCKET, SO_ZEROCOPY, &one, 4));
	ASSERT_EQ(0, setsockopt(self->s.tx, SOL_SOCKET, SO_SNDBUFFORCE, &big,
				4));
	inet_pton(AF_INET, "10.9.1.2", &to.sin_addr);
	ASSERT_EQ(0, connect(self->s.tx, (void *)&to, sizeof(to)));
	self->s.rx = accept(fd, NULL, NULL);
	ASSERT_LE(0, self->s.rx);
	close(fd);
}

FIXTURE_TEARDOWN(probe)
{
	run("ip netns del %s 2>/dev/null", self->a);
	run("ip netns del %s 2>/dev/null", self->b);
	setns(self->netns, CLONE_NEWNET);
	max_frags(self->max_frags);
}

/* What the sender does that has been told that it may use memory again. */
static void reuse(struct stream *s, uint32_t lo, uint32_t hi)
{
	size_t start, acked;
	int unacked = 0;
	uint32_t id;

	ioctl(s->tx, SIOCOUTQ, &unacked);
	acked = s->queued - unacked;
	for (id = lo; id <= hi && id < SENDS; id++) {
		start = id ? s->end[id - 1] : 0;
		memset(s->mem + start, 0xee, s->end[id] - start);
		s->noted++;
		if (s->end[id] > acked)
			s->early++;
	}
}

static void read_notes(struct stream *s)
{
	while (1) {
		char control[128];
		struct msghdr msg = {
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		struct sock_extended_err *ee;
		struct cmsghdr *cm;

		if (recvmsg(s->tx, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return;
		cm = CMSG_FIRSTHDR(&msg);
		if (!cm)
			continue;
		ee = (void *)CMSG_DATA(cm);
		if (ee->ee_origin == SO_EE_ORIGIN_ZEROCOPY)
			reuse(s, ee->ee_info, ee->ee_data);
	}
}

static void receive(struct stream *s)
{
	static uint8_t got[1 << 16];
	ssize_t ret, i;

	while ((ret = recv(s->rx, got, sizeof(got), MSG_DONTWAIT)) > 0) {
		for (i = 0; i < ret; i++)
			if (got[i] != byte_at(s->received + i))
				s->wrong++;
		s->received += ret;
	}
}

TEST_F(probe, notification_waits_for_the_acknowledgment)
{
	struct stream *s = &self->s;
	size_t len = 8 << 20, i, n;
	socklen_t optlen = 4;
	int mss, tries;

	s->mem = mmap(NULL, len, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)s->mem);
	for (i = 0; i < len; i++)
		s->mem[i] = byte_at(i);

	for (n = 0; n < SENDS; n++) {
		ASSERT_EQ(0, getsockopt(s->tx, SOL_TCP, TCP_MAXSEG, &mss,
					&optlen));
		ASSERT_EQ(mss / 2, send(s->tx, s->mem + s->queued,
					mss / 2, 0));
		s->queued += mss / 2;
		mss -= mss / 2;
		ASSERT_EQ(mss, send(s->tx, s->mem + s->queued, mss,
				    MSG_ZEROCOPY));
		s->queued += mss;
		s->end[n] = s->queued;
	}

	for (tries = 0; tries < 30000; tries++) {
		read_notes(s);
		receive(s);
		if (s->received == s->queued && s->noted == SENDS)
			break;
		usleep(1000);
	}
	EXPECT_EQ(s->queued, s->received);
	EXPECT_EQ((unsigned int)SENDS, s->noted);
	EXPECT_EQ(0u, s->early);
	EXPECT_EQ(0u, s->wrong);
}

TEST_HARNESS_MAIN

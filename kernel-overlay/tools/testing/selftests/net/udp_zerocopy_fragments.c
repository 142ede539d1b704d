// SPDX-License-Identifier: GPL-2.0
/* A zerocopy send of several fragments is notified once the datagram is read.
 *
 * What is received is freed by the CPU that allocated it, if another one reads
 * it, and that may take until its next softirq.  A completion must not wait for
 * that, nor one of a fragment behind the first one.
 *
 * Loopback with a small MTU fragments and reassembles, on the sender's CPU.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY	60
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY	0x4000000
#endif

#define SENDS		20
#define PATIENCE	500	/* ms */

FIXTURE(fragments)
{
	cpu_set_t cpus;		/* as they were before */
	int cpu[2];
	int tx, rx;
};

FIXTURE_VARIANT(fragments)
{
	int mtu;
	size_t size;
	int reader;		/* which of the CPUs reads */
};

FIXTURE_VARIANT_ADD(fragments, one_fragment)
{
	.mtu = 1500,
	.size = 1000,
	.reader = 1,
};

FIXTURE_VARIANT_ADD(fragments, same_cpu)
{
	.mtu = 1500,
	.size = 4096,
	.reader = 0,
};

FIXTURE_VARIANT_ADD(fragments, other_cpu)
{
	.mtu = 1500,
	.size = 4096,
	.reader = 1,
};

static int run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);

	return sched_setaffinity(0, sizeof(set), &set);
}

static int set_up_loopback(int fd, int mtu)
{
	struct ifreq ifr = { .ifr_name = "lo" };

	ifr.ifr_mtu = mtu;
	if (ioctl(fd, SIOCSIFMTU, &ifr))
		return -1;
	ifr.ifr_flags = IFF_UP;

	return ioctl(fd, SIOCSIFFLAGS, &ifr);
}

/* Read the notification of one send. */
static int read_note(int fd, uint32_t id)
{
	struct pollfd p = { .fd = fd };
	struct sock_extended_err *ee;
	char control[128];
	struct msghdr msg = {
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	if (poll(&p, 1, PATIENCE) != 1 ||
	    recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0 ||
	    !CMSG_FIRSTHDR(&msg))
		return -1;
	ee = (void *)CMSG_DATA(CMSG_FIRSTHDR(&msg));

	return ee->ee_origin == SO_EE_ORIGIN_ZEROCOPY &&
	       ee->ee_info == id && ee->ee_data == id ? 0 : -1;
}

FIXTURE_SETUP(fragments)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	int cpu, n = 0, one = 1;

	self->tx = -1;
	self->rx = -1;
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(self->cpus), &self->cpus));
	for (cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++)
		if (CPU_ISSET(cpu, &self->cpus))
			self->cpu[n++] = cpu;
	if (n < 2)
		SKIP(return, "needs two CPUs");
	if (unshare(CLONE_NEWNET))
		SKIP(return, "needs to be root");

	self->rx = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_LE(0, self->rx);
	ASSERT_EQ(0, set_up_loopback(self->rx, variant->mtu));
	ASSERT_EQ(0, bind(self->rx, (void *)&addr, sizeof(addr)));
	ASSERT_EQ(0, getsockname(self->rx, (void *)&addr, &len));
	self->tx = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_LE(0, self->tx);
	ASSERT_EQ(0, setsockopt(self->tx, SOL_SOCKET, SO_ZEROCOPY, &one,
				sizeof(one)));
	ASSERT_EQ(0, connect(self->tx, (void *)&addr, sizeof(addr)));
}

FIXTURE_TEARDOWN(fragments)
{
	close(self->tx);
	close(self->rx);
	sched_setaffinity(0, sizeof(self->cpus), &self->cpus);
}

TEST_F(fragments, are_notified_once_they_are_read)
{
	static char sent[4096], got[4096];
	ssize_t size = variant->size;
	unsigned int i, late = 0;

	for (i = 0; i < SENDS; i++) {
		memset(sent, i, sizeof(sent));
		ASSERT_EQ(0, run_on(self->cpu[0]));
		ASSERT_EQ(size, send(self->tx, sent, size, MSG_ZEROCOPY));
		ASSERT_EQ(0, run_on(self->cpu[variant->reader]));
		ASSERT_EQ(size, recv(self->rx, got, sizeof(got), 0));
		ASSERT_EQ(0, memcmp(sent, got, size));
		late += read_note(self->tx, i) != 0;
	}
	EXPECT_EQ(0, late);
}

TEST_HARNESS_MAIN

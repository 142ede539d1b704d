// SPDX-License-Identifier: GPL-2.0
/* What the kernel's packetdrill scripts tcp_zerocopy_*.pkt ask of TCP, between
 * two sockets of a machine instead of a socket and a script: who can not have
 * packetdrill has at least this.  The packets themselves are not looked at,
 * but for their number.
 */

#define _GNU_SOURCE

#include <errno.h>
#include <time.h>

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/uio.h>

/* Has tcpi_data_segs_out, and clashes with netinet/tcp.h. */
#include <linux/tcp.h>

#include "zerocopy_net.h"

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY	60
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY	0x4000000
#endif

#define PORT		9900
#define SIZE		4000

static struct sockaddr_in here;
static char mem[1 << 20];

/* A socket that wants zerocopy; not connected. */
static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		return -1;

	return fd;
}

static int open_listener(void)
{
	int fd = open_socket(), queue = 5;

	here.sin_port = htons(ntohs(here.sin_port) + 1);
	if (bind(fd, (void *)&here, sizeof(here)) || listen(fd, 5) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue)))
		return -1;

	return fd;
}

static int open_pair(int *active, int *passive)
{
	int fd = open_listener();

	*active = open_socket();
	if (connect(*active, (void *)&here, sizeof(here)))
		return -1;
	*passive = accept(fd, NULL, NULL);
	close(fd);

	return *passive < 0 ? -1 : 0;
}

static int receive(int fd, size_t len)
{
	static char got[1 << 16];

	while (len) {
		ssize_t ret = recv(fd, got, len < sizeof(got) ? len :
							 sizeof(got), 0);

		if (ret <= 0)
			return -1;
		len -= ret;
	}

	return 0;
}

/* Whether the next notification is of sends @lo to @hi. */
static bool noted(int fd, uint32_t lo, uint32_t hi)
{
	struct pollfd p = { .fd = fd };
	struct sock_extended_err *ee;
	char control[128];
	struct msghdr msg = {
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	if (poll(&p, 1, 30000) != 1 ||
	    recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) ||
	    !CMSG_FIRSTHDR(&msg))
		return false;
	ee = (void *)CMSG_DATA(CMSG_FIRSTHDR(&msg));

	return ee->ee_origin == SO_EE_ORIGIN_ZEROCOPY && !ee->ee_errno &&
	       ee->ee_code == SO_EE_CODE_ZEROCOPY_COPIED &&
	       ee->ee_info == lo && ee->ee_data == hi;
}

/* Whether there is no notification, and none comes soon. */
static bool not_noted(int fd)
{
	struct msghdr msg = {};

	usleep(100 * 1000);

	return recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0 &&
	       errno == EAGAIN;
}

/* One send that was received. */
static bool exchange(int from, int to, size_t len)
{
	return send(from, mem, len, MSG_ZEROCOPY) == (ssize_t)len &&
	       !receive(to, len);
}

static bool basic(int from, int to)
{
	return exchange(from, to, SIZE) && noted(from, 0, 0) &&
	       exchange(from, to, SIZE) && noted(from, 1, 1);
}

static bool run_basic(void)
{
	int a, b;

	return !open_pair(&a, &b) && basic(b, a);
}

static bool run_client(void)
{
	int a, b;

	return !open_pair(&a, &b) && basic(a, b);
}

static bool run_batch(void)
{
	int a, b;

	return !open_pair(&a, &b) && exchange(b, a, SIZE) &&
	       exchange(b, a, SIZE) && usleep(200 * 1000) == 0 &&
	       noted(b, 0, 1) && not_noted(b);
}

static bool run_small(void)
{
	int a, b, i;

	if (open_pair(&a, &b))
		return false;
	for (i = 0; i < 10; i++)
		if (!exchange(b, a, 1 + i) || !noted(b, i, i))
			return false;

	return not_noted(b);
}

/* A send in state CLOSE takes no number. */
static bool run_closed(void)
{
	int fd = open_listener(), a = open_socket(), b;

	if (send(a, mem, SIZE, MSG_ZEROCOPY | MSG_NOSIGNAL) >= 0 ||
	    errno != EPIPE || !not_noted(a))
		return false;
	if (connect(a, (void *)&here, sizeof(here)))
		return false;
	b = accept(fd, NULL, NULL);

	return exchange(a, b, SIZE) && noted(a, 0, 0) && not_noted(a);
}

/* With data in the SYN or without, one notification for each send. */
static bool run_fastopen(bool passive)
{
	int flags = MSG_FASTOPEN | (passive ? 0 : MSG_ZEROCOPY);
	int fd = open_listener(), i;

	/* The first gets the cookie that the second uses. */
	for (i = 0; i < 2; i++) {
		int a = open_socket(), b;

		if (sendto(a, mem, 500, flags, (void *)&here, sizeof(here)) !=
		    500)
			return false;
		b = accept(fd, NULL, NULL);
		if (b < 0 || receive(b, 500))
			return false;
		if (passive ? !basic(b, a) : !noted(a, 0, 0))
			return false;
	}

	return true;
}

static bool run_fastopen_client(void)
{
	return run_fastopen(false);
}

static bool run_fastopen_server(void)
{
	return run_fastopen(true);
}

/* Segments with data that were sent. */
static int segments(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return -1;

	return info.tcpi_data_segs_out;
}

/* Each element of an iovec is a fragment, of which an skb has 17. */
static bool spill(int from, int to, int elements, int flags, int want)
{
	struct iovec v[64];
	struct msghdr msg = { .msg_iov = v, .msg_iovlen = elements };
	int i, before = segments(from);

	for (i = 0; i < elements; i++)
		v[i] = (struct iovec){ mem + i * 32, 1 };

	return sendmsg(from, &msg, flags) == elements &&
	       !receive(to, elements) && segments(from) - before == want;
}

static bool run_maxfrags(void)
{
	int a, b;

	return !open_pair(&a, &b) && spill(b, a, 18, 0, 1) &&
	       spill(b, a, 18, MSG_ZEROCOPY, 2) && noted(b, 0, 0) &&
	       spill(b, a, 64, MSG_ZEROCOPY, 4) && noted(b, 1, 1);
}

static bool epoll_says(int ep, uint32_t want)
{
	struct epoll_event event = {};
	int nr = epoll_wait(ep, &event, 1, 500);

	return want ? nr == 1 && event.events == want : nr == 0;
}

/* Whether what is to be told of sends is told once, and then nothing. */
static bool told_once(int ep)
{
	return epoll_says(ep, EPOLLERR | EPOLLOUT) && epoll_says(ep, 0);
}

/* An error is told once for the sends before it, and again for the next; to
 * who wants to be told once, when he asks anew.
 */
static bool run_epoll(uint32_t flags)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET | flags };
	int a, b, ep = epoll_create(1);
	bool once = flags & EPOLLONESHOT;

	if (open_pair(&a, &b) || epoll_ctl(ep, EPOLL_CTL_ADD, b, &event))
		return false;
	if (!once && !epoll_says(ep, EPOLLOUT))
		return false;
	if (!exchange(b, a, SIZE) || !exchange(b, a, SIZE))
		return false;
	/* Acknowledgements come late where the machine is slow. */
	usleep(300 * 1000);
	if (!told_once(ep) || !exchange(b, a, SIZE))
		return false;
	usleep(300 * 1000);
	event.events = EPOLLOUT | EPOLLONESHOT;
	if (once && (!epoll_says(ep, 0) ||
		     epoll_ctl(ep, EPOLL_CTL_MOD, b, &event)))
		return false;

	return told_once(ep) && noted(b, 0, 2) && not_noted(b);
}

static bool run_epoll_edge(void)
{
	return run_epoll(0);
}

static bool run_epoll_exclusive(void)
{
	return run_epoll(EPOLLEXCLUSIVE);
}

static bool run_epoll_oneshot(void)
{
	return run_epoll(EPOLLONESHOT);
}

int main(void)
{
	static const struct {
		const char *name;
		bool (*run)(void);
	} scripts[] = {
		{ "basic", run_basic },
		{ "batch", run_batch },
		{ "client", run_client },
		{ "closed", run_closed },
		{ "epoll_edge", run_epoll_edge },
		{ "epoll_exclusive", run_epoll_exclusive },
		{ "epoll_oneshot", run_epoll_oneshot },
		{ "fastopen-client", run_fastopen_client },
		{ "fastopen-server", run_fastopen_server },
		{ "maxfrags", run_maxfrags },
		{ "small", run_small },
	};
	unsigned int i, nr = sizeof(scripts) / sizeof(*scripts);
	int fd, failed = 0;

	alarm(250);
	if (net_new_ns() < 0)
		return 1;
	here.sin_family = AF_INET;
	here.sin_port = htons(PORT);
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = open("/proc/sys/net/ipv4/tcp_fastopen", O_WRONLY);
	if (fd < 0 || write(fd, "3", 1) != 1)
		return 1;
	close(fd);
	printf("TAP version 13\n1..%u\n", nr);
	for (i = 0; i < nr; i++) {
		bool good = scripts[i].run();

		failed |= !good;
		printf("%s %u tcp_zerocopy_%s\n", good ? "ok" : "not ok",
		       i + 1, scripts[i].name);
		fflush(stdout);
	}

	return failed;
}

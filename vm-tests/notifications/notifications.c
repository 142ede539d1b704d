// SPDX-License-Identifier: GPL-2.0
/* A record of the notifications that MSG_ZEROCOPY gives: the same bytes on
 * every kernel that notifies in the same way.
 *
 * A scenario sends over a path and is a case of KTAP, whose name is what the
 * sender was told: "lo-hi/code" for each notification, which are ee_info,
 * ee_data and ee_code.  For io_uring it is "result/flags:usage/flags" for each
 * send, of its completion and of its notification.
 *
 * Nothing in it hangs on time: notifications are read after each send
 * ("step"), or after all were received ("all"), when the kernel has merged
 * what it may merge.
 */

#define _GNU_SOURCE

#include <errno.h>
#include <signal.h>

#include <io_uring/mini_liburing.h>
#include <linux/errqueue.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "zerocopy_net.h"

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY	60
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY	0x4000000
#endif

#define SENDS		6
#define PORT		9000
#define PATIENCE	60000	/* ms */

enum protocol { TCP, UDP, VSOCK };

enum mode {
	STEP,		/* one send after the other was notified */
	ALL,		/* all sends, then all notifications */
	MORE,		/* the same with MSG_MORE but for the last */
	MIXED,		/* as STEP, and 60 bytes that are copied before each */
	FAULT,		/* as STEP, after a send of memory that is not there */
	RING,		/* io_uring, as STEP */
	FIXED,		/* io_uring with fixed buffers, as STEP */
	MODES,
};

static const char *const protocols[] = { "tcp", "udp", "vsock" };
static const char *const modes[MODES] = {
	"step", "all", "more", "mixed", "fault", "ring", "fixed",
};

/* Where packets go; without a receiver the device eats them. */
struct path {
	const char *name;
	const char *addr;
	bool far;		/* in the other namespace */
	bool eaten;
	uint32_t off;		/* an offload of the sender's device */
	int a, b;
};

struct scenario {
	const struct path *path;
	enum protocol protocol;
	enum mode mode;
	size_t size;
};

struct ends {
	int tx, rx;
	uint8_t *mem;
};

static char record[4096];
static int cases, failed;

static void add_record(const char *fmt, ...)
{
	size_t len = strlen(record);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(record + len, sizeof(record) - len, fmt, ap);
	va_end(ap);
}

/* Read a notification that is there, or comes within @patience. */
static int read_note(int fd, int patience)
{
	struct pollfd p = { .fd = fd };
	struct sock_extended_err *ee;
	char control[128];
	struct msghdr msg = {
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	if (poll(&p, 1, patience) != 1)
		return -1;
	if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0 ||
	    !CMSG_FIRSTHDR(&msg))
		return -1;
	ee = (void *)CMSG_DATA(CMSG_FIRSTHDR(&msg));
	if (ee->ee_origin != SO_EE_ORIGIN_ZEROCOPY || ee->ee_errno)
		return -1;
	add_record(" %u-%u/%u", ee->ee_info, ee->ee_data, ee->ee_code);

	return 0;
}

static int receive(const struct scenario *s, const struct ends *e, size_t len)
{
	static char got[1 << 16];
	size_t all = 0;

	if (s->path->eaten)
		return 0;
	while (all < len) {
		struct pollfd p = { .fd = e->rx, .events = POLLIN };
		ssize_t ret;

		if (poll(&p, 1, PATIENCE) != 1)
			return -1;
		ret = recv(e->rx, got, sizeof(got), 0);
		if (ret <= 0)
			return -1;
		all += ret;
	}

	return 0;
}

static int send_step(const struct scenario *s, const struct ends *e)
{
	if (s->mode == MIXED && (send(e->tx, e->mem, 60, 0) != 60 ||
				 receive(s, e, 60)))
		return -1;
	if (send(e->tx, e->mem, s->size, MSG_ZEROCOPY) != (ssize_t)s->size)
		return -1;
	if (receive(s, e, s->size))
		return -1;

	return read_note(e->tx, PATIENCE);
}

static int send_all(const struct scenario *s, const struct ends *e)
{
	int i;

	for (i = 0; i < SENDS; i++) {
		int more = s->mode == MORE && i < SENDS - 1 ? MSG_MORE : 0;

		if (send(e->tx, e->mem, s->size, MSG_ZEROCOPY | more) !=
		    (ssize_t)s->size)
			return -1;
	}
	if (receive(s, e, SENDS * s->size))
		return -1;
	/* Acknowledgements may be on their way. */
	usleep(300 * 1000);
	while (!read_note(e->tx, 0))
		;

	return 0;
}

static int ring_step(const struct scenario *s, const struct ends *e,
		     struct io_uring *ring)
{
	unsigned int flags = IORING_SEND_ZC_REPORT_USAGE;
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;
	int i;

	if (!sqe)
		return -1;
	if (s->mode == FIXED)
		flags |= IORING_RECVSEND_FIXED_BUF;
	io_uring_prep_sendzc(sqe, e->tx, e->mem, s->size, MSG_WAITALL, flags);
	if (io_uring_submit(ring) != 1 || receive(s, e, s->size))
		return -1;
	for (i = 0; i < 2; i++) {
		if (io_uring_wait_cqe(ring, &cqe))
			return -1;
		add_record("%c%u/%u", i ? ':' : ' ', cqe->res, cqe->flags);
		io_uring_cqe_seen(ring);
	}

	return 0;
}

static int send_ring(const struct scenario *s, const struct ends *e)
{
	struct iovec v = { e->mem, s->size };
	struct io_uring ring;
	int i, ret = 0;

	if (io_uring_queue_init(16, &ring, 0))
		return -1;
	if (s->mode == FIXED && io_uring_register_buffers(&ring, &v, 1))
		return -1;
	for (i = 0; i < SENDS && !ret; i++)
		ret = ring_step(s, e, &ring);
	io_uring_queue_exit(&ring);

	return ret;
}

static int run_mode(const struct scenario *s, const struct ends *e)
{
	void *gone;
	int i;

	if (s->mode == ALL || s->mode == MORE)
		return send_all(s, e);
	if (s->mode == RING || s->mode == FIXED)
		return send_ring(s, e);
	if (s->mode == FAULT) {
		gone = mmap(NULL, 4096, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (send(e->tx, gone, 4096, MSG_ZEROCOPY) >= 0)
			return -1;
		add_record(" errno=%d", errno);
	}
	for (i = 0; i < SENDS; i++)
		if (send_step(s, e))
			return -1;

	return 0;
}

static socklen_t address(const struct scenario *s, int port, void *to)
{
	struct sockaddr_vm *vm = to;
	struct sockaddr_in *v4 = to;
	struct sockaddr_in6 *v6 = to;

	if (s->protocol == VSOCK) {
		vm->svm_family = AF_VSOCK;
		vm->svm_port = port;
		vm->svm_cid = VMADDR_CID_LOCAL;
		return sizeof(*vm);
	}
	if (net_family(s->path->addr) == AF_INET) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		inet_pton(AF_INET, s->path->addr, &v4->sin_addr);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	inet_pton(AF_INET6, s->path->addr, &v6->sin6_addr);

	return sizeof(*v6);
}

/* A socket with room for all that a scenario sends. */
static int open_socket(int family, int type)
{
	int fd = socket(family, type, 0), big = 4 << 20;
	uint64_t room = big;

	if (family == AF_VSOCK) {
		setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_BUFFER_MAX_SIZE, &room,
			   sizeof(room));
		setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &room,
			   sizeof(room));
	} else {
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
		setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof(big));
	}

	return fd;
}

static int open_receiver(const struct scenario *s, int type,
			 struct sockaddr_storage *to, socklen_t len)
{
	int fd;

	if (s->path->eaten)
		return -1;
	if (net_enter(s->path->b))
		return -1;
	fd = open_socket(to->ss_family, type);
	if (bind(fd, (void *)to, len) || (type == SOCK_STREAM && listen(fd, 1)))
		return -1;

	return fd;
}

static int open_ends(const struct scenario *s, struct ends *e)
{
	int type = s->protocol == UDP ? SOCK_DGRAM : SOCK_STREAM;
	struct sockaddr_storage to = {};
	socklen_t len = address(s, PORT + cases, &to);
	int fd, one = 1;

	fd = open_receiver(s, type, &to, len);
	if ((fd < 0 && !s->path->eaten) || net_enter(s->path->a))
		return -1;
	e->tx = open_socket(to.ss_family, type);
	if (setsockopt(e->tx, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)) ||
	    connect(e->tx, (void *)&to, len))
		return -1;
	e->rx = fd;
	if (type == SOCK_STREAM) {
		e->rx = accept(fd, NULL, NULL);
		close(fd);
	}
	e->mem = mmap(NULL, s->size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return e->mem == MAP_FAILED ? -1 : 0;
}

/* Whether there is such a thing. */
static bool makes_sense(const struct scenario *s)
{
	if (s->protocol == UDP)
		return s->mode != MIXED &&
		       s->size * (s->mode == MORE ? SENDS : 1) < 65000;
	if (s->path->eaten)
		return false;
	if (s->protocol == VSOCK)
		return s->mode == STEP || s->mode == ALL;
	/* GSO copies for a device that can not gather, but without a note of
	 * it: what becomes a GSO packet hangs on time.
	 */
	if (s->path->off)
		return s->size <= 1400 && s->mode != ALL && s->mode != MORE;

	return true;
}

static int run_scenario(const struct scenario *s)
{
	struct ends e = { -1, -1 };
	int ret;

	record[0] = '\0';
	ret = open_ends(s, &e) || run_mode(s, &e);
	close(e.tx);
	close(e.rx);
	printf("%s %d %s.%s.%s.%zu:%s\n", ret ? "not ok" : "ok", ++cases,
	       protocols[s->protocol], s->path->name, modes[s->mode], s->size,
	       record);
	fflush(stdout);

	return ret;
}

/* All scenarios of a path; only counts them without @run. */
static int run_path(const struct path *path, enum protocol first,
		    enum protocol last, bool run)
{
	static const size_t sizes[] = { 1, 1400, 4096, 60000, 300000 };
	struct scenario s = { .path = path };
	unsigned int i;
	int nr = 0;

	for (s.protocol = first; s.protocol <= last; s.protocol++) {
		for (s.mode = STEP; s.mode < MODES; s.mode++) {
			for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
				s.size = sizes[i];
				if (!makes_sense(&s))
					continue;
				nr++;
				if (run)
					failed |= run_scenario(&s);
			}
		}
	}

	return nr;
}

/* A device that eats packets, large ones too. */
static int add_dummy(void)
{
	struct ifinfomsg link = {};
	struct net_request r;
	uint32_t mtu = 65000;
	struct rtattr *info;

	r = net_request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link,
			sizeof(link));
	net_text(&r, IFLA_IFNAME, "d0");
	net_attr(&r, IFLA_MTU, &mtu, sizeof(mtu));
	info = net_attr(&r, IFLA_LINKINFO, NULL, 0);
	net_text(&r, IFLA_INFO_KIND, "dummy");
	net_nest_end(&r, info);

	return net_do(&r) || net_add_addr("d0", "10.9.2.1");
}

static int add_networks(int a, int b)
{
	return a < 0 || b < 0 || net_enter(a) ||
	       net_add_veth("v0", "v1", b) ||
	       net_add_addr("v0", "10.9.1.1") ||
	       net_add_addr("v0", "fd00:9:1::1") ||
	       add_dummy() || net_enter(b) ||
	       net_add_addr("v1", "10.9.1.2") ||
	       net_add_addr("v1", "fd00:9:1::2");
}

static int run_all(int a, int b, bool run)
{
	struct path paths[] = {
		{ "loopback4", "127.0.0.1" },
		{ "loopback6", "::1" },
		{ "veth4", "10.9.1.2", .far = true },
		{ "veth6", "fd00:9:1::2", .far = true },
		{ "dummy", "10.9.2.2", .eaten = true },
		{ "nosg", "10.9.1.2", .far = true, .off = ETHTOOL_SSG },
	};
	unsigned int i;
	int nr;

	paths[0].a = paths[0].b = a;
	nr = run_path(&paths[0], VSOCK, VSOCK, run);
	for (i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		struct path *path = &paths[i];

		path->a = a;
		path->b = path->far ? b : a;
		if (run && path->off &&
		    (net_enter(a) || net_turn_off("v0", path->off)))
			failed = 1;
		nr += run_path(path, TCP, UDP, run);
	}

	return nr;
}

/* A datagram of several fragments that another CPU reads than the one which
 * received it is notified late: that is what series defer-fraglist is about.
 */
static int stay_on_one_cpu(void)
{
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);

	return sched_setaffinity(0, sizeof(cpu), &cpu);
}

int main(void)
{
	int a = net_new_ns(), b = net_new_ns();

	if (stay_on_one_cpu()) {
		perror("stay on one CPU");
		return 1;
	}
	if (add_networks(a, b)) {
		perror("set up the networks");
		return 1;
	}
	/* What is stuck has failed. */
	alarm(900);
	printf("TAP version 13\n1..%d\n", run_all(a, b, false));
	run_all(a, b, true);

	return failed;
}

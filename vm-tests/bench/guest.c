// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's only program: sends in every scenario, with the measured
 * regions marked for the plugin (see mark.h), and turns the guest off.
 *
 *   /init [SCENARIO...]     all scenarios without names
 *   init --list             prints the names of all scenarios
 *
 * What it did goes to the second serial port, a line each:
 *   txgen-guest 1
 *   scenario NAME RUNS      contiguous runs of pages that a send consists of
 *   round NAME SENDS PACKETS BYTES NOTIFIED COPIED
 *                           a region; what the sending device sent in it, and
 *                           the sends that were notified, as copied or not
 *   held NAME WMEM QUEUED   bytes that the socket accounts for one send that
 *                           is still queued (sk_wmem_alloc, sk_wmem_queued)
 *   failed WHAT
 *   done
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "guest.h"
#include "mark.h"

#define ROUNDS		9
#define WARM_UP		3
#define REAP_EVERY	16	/* sends */
#define HEADER_SIZE	64
#define CGROUP		"/cgroup/bench"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

enum protocol { UDP, TCP, TCP_HEADER, TCP_RR, RXRPC };
enum buffer { ORDER0, THP, HUGE, MEMCG, COPIED };

static const char *const buffer_names[] = {
	[ORDER0] = "order0", [THP] = "thp", [HUGE] = "hugetlb",
	[MEMCG] = "memcg", [COPIED] = "copied",
};

struct scenario {
	char name[32];
	enum protocol protocol;
	enum buffer buffer;
	size_t size;		/* of a send, without the header */
	unsigned int sends;	/* in a round */
};

static struct scenario scenarios[64];
static unsigned int nr_scenarios;

/* A socket that sends, and what is known of its sends. */
struct sender {
	int fd;
	int receiver;		/* the other end, or -1 */
	int flags;
	size_t unread;		/* bytes sent and not received */
	unsigned int sends;	/* system calls with MSG_ZEROCOPY */
	unsigned int notified;
	unsigned int copied;	/* of those notified */
};

static FILE *results;

void fail(const char *what)
{
	FILE *to = results ? results : stderr;

	fprintf(to, "failed %s (%s)\n", what, strerror(errno));
	fflush(to);
	tcdrain(fileno(to));
	if (getpid() == 1)
		reboot(RB_POWER_OFF);
	exit(1);
}

void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail(path);
	close(fd);
}

static void add_scenario(const char *name, enum protocol protocol,
			 enum buffer buffer, size_t size, unsigned int sends)
{
	struct scenario *scenario = &scenarios[nr_scenarios++];

	if (nr_scenarios > ARRAY_SIZE(scenarios))
		abort();
	snprintf(scenario->name, sizeof(scenario->name), "%s", name);
	scenario->protocol = protocol;
	scenario->buffer = buffer;
	scenario->size = size;
	scenario->sends = sends;
}

static void add_buffers(const char *protocol_name, enum protocol protocol,
			size_t size, unsigned int sends)
{
	char name[32];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(buffer_names); i++) {
		snprintf(name, sizeof(name), "%s-%zu-%s", protocol_name, size,
			 buffer_names[i]);
		add_scenario(name, protocol, i, size, sends);
	}
}

/* 60,000 is what fits a datagram, in whole pages and a rest. A round is short
 * against the time between two ticks, 4 million instructions at 250 Hz, so
 * that most rounds have none.
 */
static void add_scenarios(void)
{
	add_buffers("udp", UDP, 1400, 64);
	add_buffers("udp", UDP, 4096, 64);
	add_buffers("udp", UDP, 60000, 64);
	add_buffers("tcp", TCP, 1400, 32);
	add_buffers("tcp", TCP, 4096, 32);
	add_buffers("tcp", TCP, 65536, 16);
	add_buffers("tcp", TCP, BUFFER_SIZE, 4);
	add_scenario("tcp-header-4096", TCP_HEADER, ORDER0, 4096, 16);
	add_scenario("tcp-header-65536", TCP_HEADER, ORDER0, 65536, 8);
	add_scenario("tcp-rr-1", TCP_RR, COPIED, 1, 32);
	add_scenario("tcp-rr-1400", TCP_RR, COPIED, 1400, 32);
	add_scenario("rxrpc-call", RXRPC, COPIED, 1412, 0);
}

/* Reads what notifications there are. */
static void reap(struct sender *sender)
{
	char control[256];
	struct msghdr msg;
	struct cmsghdr *cmsg;

	for (;;) {
		msg = (struct msghdr){ .msg_control = control,
				       .msg_controllen = sizeof(control) };
		if (recvmsg(sender->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return;
		for (cmsg = CMSG_FIRSTHDR(&msg); cmsg;
		     cmsg = CMSG_NXTHDR(&msg, cmsg)) {
			struct sock_extended_err *err = (void *)CMSG_DATA(cmsg);
			unsigned int count = err->ee_data - err->ee_info + 1;

			if (err->ee_origin != SO_EE_ORIGIN_ZEROCOPY)
				fail("an error is queued");
			sender->notified += count;
			if (err->ee_code & SO_EE_CODE_ZEROCOPY_COPIED)
				sender->copied += count;
		}
	}
}

/* Takes what has come off the receiver's queue; nothing is copied. */
static void drain(struct sender *sender)
{
	static char nowhere[BUFFER_SIZE];
	ssize_t size;

	if (sender->receiver < 0) {
		sender->unread = 0;
		return;
	}
	while (sender->unread) {
		size = recv(sender->receiver, nowhere, sizeof(nowhere),
			    MSG_TRUNC);
		if (size <= 0)
			return;
		sender->unread -= size;
	}
}

static void wait_for(int fd, short events)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };

	if (poll(&poll_fd, 1, 10000) <= 0)
		fail("nothing happens any more");
}

static void send_all(struct sender *sender, const char *from, size_t size,
		     int flags)
{
	ssize_t sent;

	while (size) {
		sent = send(sender->fd, from, size, flags);
		if (sent < 0 && errno == ENOBUFS && flags & MSG_ZEROCOPY) {
			reap(sender);
			continue;
		}
		if (sent < 0 && errno == EAGAIN) {
			drain(sender);
			wait_for(sender->fd, POLLOUT);
			continue;
		}
		if (sent < 0)
			fail("send");
		sender->sends += !!(flags & MSG_ZEROCOPY);
		sender->unread += sent;
		from += sent;
		size -= sent;
	}
}

static void receive_all(struct sender *sender)
{
	drain(sender);
	while (sender->unread) {
		wait_for(sender->receiver, POLLIN);
		drain(sender);
	}
}

static void reap_all(struct sender *sender)
{
	reap(sender);
	while (sender->notified < sender->sends) {
		wait_for(sender->fd, 0);
		reap(sender);
	}
}

static void answer(const struct sender *sender, const char *buffer, size_t size)
{
	static char nowhere[BUFFER_SIZE];

	if (send(sender->receiver, buffer, size, 0) != (ssize_t)size)
		fail("answer");
	while (size) {
		ssize_t got = recv(sender->fd, nowhere, size, 0);

		if (got < 0 && errno == EAGAIN)
			wait_for(sender->fd, POLLIN);
		else if (got <= 0)
			fail("receive an answer");
		else
			size -= got;
	}
}

static void send_one(const struct scenario *scenario, struct sender *sender,
		     const char *buffer)
{
	if (scenario->protocol == TCP_HEADER)
		send_all(sender, buffer, HEADER_SIZE, MSG_MORE);
	send_all(sender, buffer, scenario->size, sender->flags);
	receive_all(sender);
	if (scenario->protocol == TCP_RR)
		answer(sender, buffer, scenario->size);
}

static struct link_counts counts(const struct scenario *scenario)
{
	return scenario->protocol == UDP ? dummy_counts() : client_counts();
}

static void run_round(const struct scenario *scenario, struct sender *sender,
		      const char *buffer, int measured)
{
	struct link_counts before = counts(scenario), after;
	unsigned int i;

	sender->sends = 0;
	sender->notified = 0;
	sender->copied = 0;
	if (measured)
		mark(MARK_BEGIN);
	for (i = 1; i <= scenario->sends; i++) {
		send_one(scenario, sender, buffer);
		if (sender->flags && i % REAP_EVERY == 0)
			reap(sender);
	}
	if (sender->flags)
		reap_all(sender);
	if (!measured)
		return;
	mark(MARK_END);
	after = counts(scenario);
	fprintf(results, "round %s %u %llu %llu %u %u\n", scenario->name,
		scenario->sends, after.packets - before.packets,
		after.bytes - before.bytes, sender->notified, sender->copied);
}

static struct sender open_sender(const struct scenario *scenario)
{
	struct sender sender = { .receiver = -1 };

	if (scenario->protocol == UDP)
		sender.fd = dummy_socket();
	else
		veth_sockets(&sender.fd, &sender.receiver);
	if (scenario->buffer != COPIED)
		sender.flags = MSG_ZEROCOPY;
	return sender;
}

static void close_sender(const struct sender *sender)
{
	close(sender->fd);
	if (sender->receiver >= 0)
		close(sender->receiver);
}

/* Tells what one send is charged with as long as it can not leave: behind a
 * cork, or with nobody to acknowledge it.
 */
static void hold(const struct scenario *scenario, const char *buffer)
{
	struct sender sender = open_sender(scenario);
	unsigned int info[SK_MEMINFO_VARS] = { 0 };
	socklen_t size = sizeof(info);
	int on = 1, off = 0;

	if (scenario->protocol == UDP)
		setsockopt(sender.fd, SOL_UDP, UDP_CORK, &on, sizeof(on));
	else
		set_peer_up(0);
	if (scenario->protocol == TCP_HEADER)
		send_all(&sender, buffer, HEADER_SIZE, MSG_MORE);
	send_all(&sender, buffer, scenario->size, sender.flags);
	if (getsockopt(sender.fd, SOL_SOCKET, SO_MEMINFO, info, &size))
		fail("read SO_MEMINFO");
	fprintf(results, "held %s %u %u\n", scenario->name,
		info[SK_MEMINFO_WMEM_ALLOC], info[SK_MEMINFO_WMEM_QUEUED]);
	if (scenario->protocol == UDP)
		setsockopt(sender.fd, SOL_UDP, UDP_CORK, &off, sizeof(off));
	else
		set_peer_up(1);
	receive_all(&sender);
	if (sender.flags)
		reap_all(&sender);
	close_sender(&sender);
}

static char *buffer_of(enum buffer buffer)
{
	static const enum memory kinds[] = {
		[ORDER0] = SCATTERED, [THP] = TRANSPARENT, [HUGE] = HUGETLB,
		[MEMCG] = SCATTERED, [COPIED] = SCATTERED,
	};
	static char *buffers[ARRAY_SIZE(kinds)];

	if (!buffers[buffer])
		buffers[buffer] = make_buffer(kinds[buffer]);
	return buffers[buffer];
}

/* A send is a DATA packet of either side; acknowledgements are packets, too. */
static void run_rxrpc(const struct scenario *scenario)
{
	struct link_counts before, after;
	unsigned int sends;
	int i;

	fprintf(results, "scenario %s 1\n", scenario->name);
	rxrpc_open();
	for (i = 0; i < WARM_UP + ROUNDS; i++) {
		rxrpc_prepare();
		before = counts(scenario);
		if (i >= WARM_UP)
			mark(MARK_BEGIN);
		sends = rxrpc_send();
		if (i >= WARM_UP)
			mark(MARK_END);
		after = counts(scenario);
		if (i >= WARM_UP)
			fprintf(results, "round %s %u %llu %llu 0 0\n",
				scenario->name, sends,
				after.packets - before.packets,
				after.bytes - before.bytes);
		rxrpc_finish();
	}
	rxrpc_close();
	fflush(results);
	tcdrain(fileno(results));
}

static void run(const struct scenario *scenario)
{
	struct sender sender;
	const char *buffer;
	int i;

	if (scenario->buffer == MEMCG)
		write_file(CGROUP "/cgroup.procs", "1");
	if (scenario->protocol == TCP_HEADER)
		set_segmentation(0);
	buffer = buffer_of(scenario->buffer);
	fprintf(results, "scenario %s %u\n", scenario->name,
		scenario->buffer == HUGE ?
		1 : contiguous_runs(buffer, scenario->size));
	sender = open_sender(scenario);
	for (i = 0; i < WARM_UP; i++)
		run_round(scenario, &sender, buffer, 0);
	for (i = 0; i < ROUNDS; i++)
		run_round(scenario, &sender, buffer, 1);
	close_sender(&sender);
	if (scenario->protocol != TCP_RR)
		hold(scenario, buffer);
	if (scenario->protocol == TCP_HEADER)
		set_segmentation(1);
	if (scenario->buffer == MEMCG)
		write_file("/cgroup/cgroup.procs", "1");
	/* What the serial port still has to do must not reach a region. */
	fflush(results);
	tcdrain(fileno(results));
}

static void mount_or_fail(const char *type, const char *at)
{
	mkdir(at, 0755);
	if (mount(type, at, type, 0, NULL) && errno != EBUSY)
		fail(at);
}

static void set_up(void)
{
	struct termios raw;

	mount_or_fail("devtmpfs", "/dev");
	results = fopen("/dev/ttyS1", "w");
	if (!results || tcgetattr(fileno(results), &raw))
		fail("open /dev/ttyS1");
	cfmakeraw(&raw);
	tcsetattr(fileno(results), TCSANOW, &raw);
	fprintf(results, "txgen-guest 1\n");
	mount_or_fail("proc", "/proc");
	mount_or_fail("cgroup2", "/cgroup");
	write_file("/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(CGROUP, 0755))
		fail("make " CGROUP);
	write_file("/proc/sys/vm/nr_hugepages", "2");
	make_links();
}

static int is_wanted(const struct scenario *scenario, char **names, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		if (!strcmp(scenario->name, names[i]))
			return 1;
	}
	return !count;
}

int main(int argc, char **argv)
{
	unsigned int i;

	add_scenarios();
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (i = 0; i < nr_scenarios; i++)
			puts(scenarios[i].name);
		return 0;
	}
	if (getpid() != 1) {
		fprintf(stderr, "this is the init of a guest\n");
		return 2;
	}
	set_up();
	for (i = 0; i < nr_scenarios; i++) {
		if (!is_wanted(&scenarios[i], argv + 1, argc - 1))
			continue;
		if (scenarios[i].protocol == RXRPC)
			run_rxrpc(&scenarios[i]);
		else
			run(&scenarios[i]);
	}
	fprintf(results, "done\n");
	fflush(results);
	tcdrain(fileno(results));
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}

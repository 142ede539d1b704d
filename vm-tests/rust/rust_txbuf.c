// SPDX-License-Identifier: GPL-2.0
/* Loads the sample module rust_txbuf.ko, and removes it: after messages that it
 * sent to itself, and with messages of it on their way to a receiver that does
 * not read them, reads them late, or goes without having read them.
 */

#define _GNU_SOURCE

#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>

#include "zerocopy_net.h"

#define FIRST_NS	9	/* see vm-tests/selftests.sh; the module is there */
#define MODULE		"rust_txbuf"
#define REFCNT		"/sys/module/" MODULE "/refcnt"

/* samples/rust/rust_txbuf.rs */
#define HEADER		32
#define MESSAGE		(HEADER + 4096)

#define ROUNDS		10000
#define LEFT		3	/* messages that a socket takes without a receiver */
#define SMALL		1	/* as little room for a receiver as there is */
#define LARGE		1000000
#define PATIENCE	20	/* seconds until what is not needed is released */
#define UNUSED_PORT	9	/* nobody listens there */

static int test, failed;
static int console;

static void die(const char *what)
{
	printf("# %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

static void result(bool good, const char *name)
{
	printf("%sok %d %s\n", good ? "" : "not ", ++test, name);
	fflush(stdout);
	failed += !good;
}

/* A condition of the case that is running; what it was if it does not hold. */
static bool expect(bool good, const char *what, long got)
{
	if (!good)
		printf("# %s: %ld (%s)\n", what, got, strerror(errno));

	return good;
}

/* Loads the module; returns 0 or an errno. */
static int load(unsigned int rounds, unsigned int port)
{
	char params[64];
	int fd, ret;

	/* What the kernel says from here on is of this module. */
	if (lseek(console, 0, SEEK_END) < 0)
		die("lseek /dev/kmsg");
	snprintf(params, sizeof(params), "rounds=%u port=%u", rounds, port);
	fd = open(MODULE ".ko", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(MODULE ".ko");
	ret = syscall(SYS_finit_module, fd, params, 0) ? errno : 0;
	close(fd);

	return ret;
}

/* Removes the module; returns 0 or an errno. */
static int unload(void)
{
	return syscall(SYS_delete_module, MODULE, O_NONBLOCK) ? errno : 0;
}

/* How many hold the module; -1 if it is not there. */
static long holders(void)
{
	char text[32] = "";
	int fd, len;

	fd = open(REFCNT, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);

	return len > 0 ? atol(text) : -1;
}

/* Waits until nobody holds the module. */
static bool is_free(void)
{
	const struct timespec a_while = { .tv_nsec = 10000000 };
	int i;

	for (i = 0; i < PATIENCE * 100 && holders() > 0; i++)
		nanosleep(&a_while, NULL);

	return expect(!holders(), "holders of the module", holders());
}

/* Whether the kernel has said something since the module was loaded. */
static bool __attribute__((format(printf, 1, 2))) said(const char *format, ...)
{
	char what[128], record[8192];
	va_list args;
	int len;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	for (;;) {
		len = read(console, record, sizeof(record) - 1);
		if (len < 0 && errno == EPIPE)
			continue;
		if (len <= 0)
			break;
		record[len] = 0;
		if (strstr(record, MODULE ": ") && strstr(record, what))
			return true;
	}
	printf("# the kernel did not say: %s\n", what);

	return false;
}

static void set_room(int fd, int bytes)
{
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)))
		die("SO_RCVBUF");
}

/* What a receiver takes over loopback is copied and released, so it has not
 * enough room for a message: the rest stays with the sender.
 */
static int listener(unsigned int *port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	int fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	set_room(fd, SMALL);
	if (bind(fd, (void *)&addr, len) || listen(fd, 1) ||
	    getsockname(fd, (void *)&addr, &len))
		die("listen");
	*port = ntohs(addr.sin_port);

	return fd;
}

/* Whether message @number comes next. */
static bool receive(int fd, unsigned int number)
{
	uint8_t got[MESSAGE];
	size_t i;

	if (recv(fd, got, sizeof(got), MSG_WAITALL) != sizeof(got))
		return expect(false, "receive message", number);
	for (i = 0; i < sizeof(got); i++) {
		uint8_t byte = i < HEADER ? number : ~number;

		if (got[i] != byte)
			return expect(false, "other byte at", i);
	}

	return true;
}

static void sends_to_itself(void)
{
	int err = load(ROUNDS, 0);
	bool good;

	good = expect(!err, "load", err) &&
	       said("%d messages arrived and were released", ROUNDS) &&
	       expect(!holders(), "holders of the module", holders());
	err = unload();
	good &= expect(!err, "unload", err);
	good &= said("%d messages were released", ROUNDS);
	result(good, "10000 messages arrive and are released");
}

static bool is_held(void)
{
	int err = unload();

	return expect(err == EWOULDBLOCK, "unload", err) &&
	       expect(holders() > 0, "holders of the module", holders());
}

/* Messages stay until their receiver reads them, or just goes. */
static void stays(bool reads, const char *name)
{
	int fd, err, other, i;
	unsigned int port;
	bool good;

	fd = listener(&port);
	err = load(LEFT, port);
	good = expect(!err, "load", err) && is_held();
	other = accept(fd, NULL, NULL);
	if (other < 0)
		die("accept");
	if (reads)
		set_room(other, LARGE);
	for (i = 0; reads && i < LEFT; i++)
		good &= receive(other, i);
	if (!reads) {
		good &= is_held();
		close(other);
	}
	good &= is_free();
	err = unload();
	good &= expect(!err, "unload", err);
	good &= said("%d messages were released", LEFT);
	if (reads)
		close(other);
	close(fd);
	result(good, name);
}

static void fails_to_load(void)
{
	int err = load(1, UNUSED_PORT);

	result(expect(err == ECONNREFUSED, "load", err) &&
	       expect(holders() == -1, "holders of the module", holders()),
	       "without a receiver the module does not load");
}

int main(void)
{
	console = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (console < 0)
		die("/dev/kmsg");
	if (net_enter(FIRST_NS) || net_up("lo"))
		die("set up the network");

	printf("TAP version 13\n1..4\n");
	sends_to_itself();
	stays(true, "the module stays until its messages are read");
	stays(false, "the module stays until the receiver of its messages goes");
	fails_to_load();

	return failed ? 1 : 0;
}

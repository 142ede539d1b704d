// SPDX-License-Identifier: GPL-2.0
/* Calls over AF_RXRPC: to the kernel's rxperf service, and to a server in this
 * program which verifies each byte of a request, and its client each of the
 * reply.  Security classes none and rxkad; loopback, veth, and a veth that
 * loses 1 % of the packets in either direction.
 *
 * A case of KTAP is a path and a security class.  Its name has a sum over what
 * was sent and received, so that a kernel which gets anything wrong gives
 * another name.  The last case is that no DATA buffer is left.
 *
 * Where packets are lost, rxrpc gives some calls up: a server that missed the
 * first packet of a call takes the next one, a PING, for a protocol error.
 * Such a call is made again.  So is one that is not answered in its time: the
 * kernel does not send a packet again whose repetition was lost, unless it has
 * the series rxrpc-resend.  How many were is in a comment behind the case.
 *
 *   rxrpc_calls [PERCENT]
 *
 * makes so many of the calls of each path, 100 unless given, or 2 where the
 * kernel has kmemleak and so, most likely, KASAN and lockdep.  It says how
 * many.
 */

#define _GNU_SOURCE

#include <netinet/in.h>

#include <linux/if_alg.h>
#include <linux/keyctl.h>
#include <linux/rxrpc.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "zerocopy_net.h"

#ifndef AF_RXRPC
#define AF_RXRPC	33
#endif
#ifndef SOL_RXRPC
#define SOL_RXRPC	272
#endif

/* net/rxrpc/rxperf.c */
#define PERF_PORT	7009
#define PERF_SERVICE	147
#define PERF_VERSION	3
#define PERF_RPC	3
#define PERF_COOKIE	0x4711

#define FIRST_NS	9	/* see vm-tests/selftests.sh */

#define OWN_PORT	7777
#define OWN_SERVICE	1234

/* A server that has no call ready when one comes drops it, and then takes what
 * the client asks about it for a protocol error.
 */
#define BACKLOG		10	/* net.rxrpc.max_backlog; rxperf has it, too */
#define CLIENTS		8	/* calls at a time */
#define PERF_CLIENTS	4	/* rxperf takes its time to make calls ready */
#define SERVED		4096	/* calls that a server keeps in mind */
#define LARGE		70000	/* bytes; each 50th call has up to so many */
#define SMALL		1500
#define CHUNK		20000	/* bytes a sendmsg() */
#define LIFE		60	/* seconds that a call may take */
#define PATIENCE	(2 * LIFE)
#define MOST_LATE	5	/* calls of a path that may take longer */
#define TRIES		20	/* for a call that is given up */
#define DEBUG_PERCENT	2	/* of the calls, on a kernel that is slow */
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

enum security { NONE, PLAIN, AUTH, ENCRYPT };

static const char *const securities[] = {
	"none", "rxkad plain", "rxkad auth", "rxkad encrypt",
};

struct path {
	const char *name;
	const char *addr;	/* of the servers */
	bool far;		/* the client is in the other namespace */
	unsigned int calls;
};

static struct path paths[] = {
	{ "loopback", "127.0.0.1", .calls = 2000 },
	{ "loopback6", "::1", .calls = 2000 },
	{ "veth", "10.8.1.1", true, 4000 },
	{ "veth6", "fd00:8:1::1", true, 4000 },
	{ "lossy", "10.8.2.1", true, 50000 },
};

/* What a request to the own server begins with. */
struct request {
	uint32_t id, len, reply;
};

/* A call as the own server knows it. */
struct served {
	unsigned long id;
	struct request request;
	uint32_t got;
};

struct received {
	unsigned long id;
	int kind;	/* of a control message; 0 for data */
	bool end;	/* the call is over */
};

/* As in net/rxrpc/rxperf.c; nobody keeps it secret. */
static const uint8_t secret[8] = {
	0xa7, 0x83, 0x8a, 0xcb, 0xc7, 0x83, 0xec, 0x94,
};
static const uint8_t session_key[8] = { 1, 2, 4, 7, 8, 11, 13, 14 };

static int test, failed;

static void die(const char *what)
{
	printf("# %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

/* Print what the kernel says about each call there is. */
static void print_calls(void)
{
	FILE *f = fopen("/proc/net/rxrpc/calls", "r");
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		printf("# %s", line);
	if (f)
		fclose(f);
	fflush(stdout);
}

static uint8_t byte_of(uint32_t id, uint32_t pos)
{
	return id * 31 + pos + pos / 251;
}

static void fill(uint8_t *buf, uint32_t id, uint32_t from, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		buf[i] = byte_of(id, from + i);
}

static bool is_filled(const uint8_t *buf, uint32_t id, uint32_t from,
		      uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		if (buf[i] != byte_of(id, from + i))
			return false;
	}

	return true;
}

static struct sockaddr_rxrpc address(const char *addr, int port, int service)
{
	struct sockaddr_rxrpc at = {
		.srx_family = AF_RXRPC,
		.srx_service = service,
		.transport_type = SOCK_DGRAM,
	};

	if (net_family(addr) == AF_INET) {
		at.transport_len = sizeof(at.transport.sin);
		at.transport.sin.sin_family = AF_INET;
		at.transport.sin.sin_port = htons(port);
		inet_pton(AF_INET, addr, &at.transport.sin.sin_addr);
	} else {
		at.transport_len = sizeof(at.transport.sin6);
		at.transport.sin6.sin6_family = AF_INET6;
		at.transport.sin6.sin6_port = htons(port);
		inet_pton(AF_INET6, addr, &at.transport.sin6.sin6_addr);
	}

	return at;
}

static int open_socket(const char *addr)
{
	int fd = socket(AF_RXRPC, SOCK_DGRAM | SOCK_CLOEXEC, net_family(addr));

	if (fd < 0)
		die("socket(AF_RXRPC)");

	return fd;
}

static void bind_to(int fd, struct sockaddr_rxrpc at)
{
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
		die("bind");
}

/* Add a control message to those of @msg, in whose buffer there is room. */
static void add_control(struct msghdr *msg, int type, const void *data,
			size_t len)
{
	struct cmsghdr *c = msg->msg_control + msg->msg_controllen;

	c->cmsg_level = SOL_RXRPC;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	if (len)
		memcpy(CMSG_DATA(c), data, len);
	msg->msg_controllen += CMSG_SPACE(len);
}

/* Send a part of the call @id, or a control message of @kind without data.
 * Where there is @to, the call begins with it, and has LIFE to be answered.
 * Returns false, with errno set, where that can not be done.
 */
static bool send_part(int fd, unsigned long id, struct sockaddr_rxrpc *to,
		      const void *data, size_t len, bool more, int kind)
{
	static const uint32_t life = LIFE;
	char control[CMSG_SPACE(sizeof(id)) + CMSG_SPACE(sizeof(life))] = {};
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = {
		.msg_name = to,
		.msg_namelen = to ? sizeof(*to) : 0,
		.msg_iov = &iov,
		.msg_iovlen = kind ? 0 : 1,
		.msg_control = control,
	};
	ssize_t sent;

	add_control(&msg, RXRPC_USER_CALL_ID, &id, sizeof(id));
	if (kind)
		add_control(&msg, kind, NULL, 0);
	else if (to)
		add_control(&msg, RXRPC_SET_CALL_TIMEOUT, &life, sizeof(life));
	do {
		sent = sendmsg(fd, &msg, more ? MSG_MORE : 0);
	} while (sent < 0 && errno == EINTR);

	return sent == (ssize_t)len;
}

/* Receive what comes next; returns its length. */
static size_t receive(int fd, void *buf, size_t size, struct received *got)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	char control[256];
	struct sockaddr_rxrpc from;
	struct iovec iov = { buf, size };
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	ssize_t len;

	memset(got, 0, sizeof(*got));
	if (poll(&readable, 1, PATIENCE * 1000) != 1) {
		print_calls();
		errno = ETIMEDOUT;
		die("poll");
	}
	len = recvmsg(fd, &msg, 0);
	if (len < 0)
		die("recvmsg");
	got->end = msg.msg_flags & MSG_EOR;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_RXRPC)
			continue;
		if (c->cmsg_type == RXRPC_USER_CALL_ID)
			memcpy(&got->id, CMSG_DATA(c), sizeof(got->id));
		else
			got->kind = c->cmsg_type;
	}

	return len;
}

/* DES, by way of the kernel. */
static void des_block(uint8_t block[8])
{
	struct sockaddr_alg alg = {
		.salg_family = AF_ALG,
		.salg_type = "skcipher",
		.salg_name = "ecb(des)",
	};
	char control[CMSG_SPACE(sizeof(uint32_t))] = {};
	struct iovec iov = { block, 8 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	uint32_t op = ALG_OP_ENCRYPT;
	struct cmsghdr *c;
	int cipher, fd;

	cipher = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (cipher < 0 || bind(cipher, (struct sockaddr *)&alg, sizeof(alg)) ||
	    setsockopt(cipher, SOL_ALG, ALG_SET_KEY, secret, sizeof(secret)))
		die("ecb(des)");
	fd = accept(cipher, NULL, NULL);
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_ALG;
	c->cmsg_type = ALG_SET_OP;
	c->cmsg_len = CMSG_LEN(sizeof(op));
	memcpy(CMSG_DATA(c), &op, sizeof(op));
	if (sendmsg(fd, &msg, 0) != 8 || read(fd, block, 8) != 8)
		die("encrypt with ecb(des)");
	close(fd);
	close(cipher);
}

/* A ticket for the holder of @secret, in PCBC with it as the first vector. */
static size_t make_ticket(uint8_t *ticket)
{
	static const char names[] = "\0txgen\0\0example.org";
	uint32_t addr = 0, now = htonl(time(NULL) - 60);
	uint8_t plain[8], vector[8], *p = ticket;
	size_t len;

	p = mempcpy(p, names, sizeof(names));
	p = mempcpy(p, &addr, sizeof(addr));
	p = mempcpy(p, session_key, sizeof(session_key));
	*p++ = 255;	/* of 5 minutes */
	p = mempcpy(p, &now, sizeof(now));
	p = mempcpy(p, "afs\0", 5);
	len = (p - ticket + 7) / 8 * 8;
	memset(p, 0, ticket + len - p);

	memcpy(vector, secret, sizeof(vector));
	for (p = ticket; p < ticket + len; p += 8) {
		memcpy(plain, p, 8);
		for (int i = 0; i < 8; i++)
			p[i] ^= vector[i];
		des_block(p);
		for (int i = 0; i < 8; i++)
			vector[i] = plain[i] ^ p[i];
	}

	return len;
}

/* A key of the process, in a session of its own. */
static void add_key(const char *type, const char *name, const void *payload,
		    size_t len)
{
	if (syscall(SYS_add_key, type, name, payload, len,
		    KEY_SPEC_SESSION_KEYRING) < 0)
		die("add_key");
}

static void new_session(const char *name)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name) < 0)
		die("join a keyring");
}

/* A client's key, which the socket then looks for by its name. */
static void secure(int fd, enum security security)
{
	struct {
		uint32_t version;
		uint16_t index, ticket_len;
		uint32_t expiry, kvno;
		uint8_t session_key[8];
		uint8_t ticket[256];
	} key = {
		.version = 1,
		.index = RXRPC_SECURITY_RXKAD,
		.expiry = time(NULL) + 3600,
		.kvno = 2,
	};
	static const char name[] = "afs@example.org";
	int level = security - PLAIN;

	if (security == NONE)
		return;
	memcpy(key.session_key, session_key, sizeof(session_key));
	key.ticket_len = make_ticket(key.ticket);
	new_session("client");
	add_key("rxrpc", name, &key,
		offsetof(typeof(key), ticket) + key.ticket_len);
	if (setsockopt(fd, SOL_RXRPC, RXRPC_SECURITY_KEY, name,
		       strlen(name)) ||
	    setsockopt(fd, SOL_RXRPC, RXRPC_MIN_SECURITY_LEVEL, &level,
		       sizeof(level)))
		die("security of the client");
}

static void reply(int fd, unsigned long id, const struct request *to)
{
	static uint8_t buf[CHUNK];
	uint32_t pos, len;

	for (pos = 0; pos < to->reply; pos += len) {
		len = to->reply - pos < CHUNK ? to->reply - pos : CHUNK;
		fill(buf, ~to->id, pos, len);
		if (!send_part(fd, id, NULL, buf, len, pos + len < to->reply,
			       0))
			return;
	}
}

static void take_request(struct served *call, const uint8_t *buf, size_t len)
{
	uint32_t head = sizeof(call->request), skip = 0;

	if (call->got < head) {
		skip = head - call->got < len ? head - call->got : len;
		memcpy((char *)&call->request + call->got, buf, skip);
		call->got += skip;
	}
	if (!is_filled(buf + skip, call->request.id, call->got, len - skip)) {
		errno = EBADMSG;
		die("request of other bytes");
	}
	call->got += len - skip;
}

/* Make as many calls ready as the socket takes; returns the next free id. */
static unsigned long charge(int fd, unsigned long next)
{
	while (send_part(fd, next, NULL, NULL, 0, false, RXRPC_CHARGE_ACCEPT))
		next++;
	if (errno != ENOBUFS)
		die("make calls ready");

	return next;
}

/* Answers calls until it is killed; says on @ready that it listens. */
static void serve(const char *addr, int ready)
{
	static struct served calls[SERVED];
	static uint8_t buf[LARGE];
	struct served *call;
	struct received got;
	unsigned long next;
	size_t len;
	int fd = open_socket(addr);

	new_session("server");
	add_key("rxrpc_s", "1234:2", secret, sizeof(secret));
	if (setsockopt(fd, SOL_RXRPC, RXRPC_SECURITY_KEYRING, "server", 6))
		die("security of the server");
	bind_to(fd, address(addr, OWN_PORT, OWN_SERVICE));
	if (listen(fd, BACKLOG))
		die("listen");
	next = charge(fd, 1);
	if (write(ready, "", 1) != 1)
		die("write");
	for (;;) {
		next = charge(fd, next);
		if (poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1,
			 1000) != 1)
			continue;
		len = receive(fd, buf, sizeof(buf), &got);
		call = &calls[got.id % SERVED];
		if (call->id != got.id)
			*call = (struct served){ .id = got.id };
		if (got.kind)
			continue;
		take_request(call, buf, len);
		if (call->got >= sizeof(call->request) &&
		    call->got == call->request.len)
			reply(fd, got.id, &call->request);
	}
}

/* Receive the reply of call @id; returns its length, or -1 if the call was
 * given up.
 */
static int take_reply(int fd, unsigned long id, uint8_t *buf, size_t size)
{
	struct received got = {};
	uint32_t pos = 0;

	while (!got.end) {
		pos += receive(fd, buf + pos, size - pos, &got);
		if (got.id != id) {
			errno = EBADMSG;
			die("reply of another call");
		}
	}

	return got.kind ? -1 : (int)pos;
}

/* One call; returns how many bytes came back, all of them as they should, or
 * -1 if it was given up.
 */
static int call_own(int fd, unsigned long call, struct sockaddr_rxrpc *to,
		    uint32_t id, uint32_t len, uint32_t want)
{
	struct request request = { id, sizeof(request) + len, want };
	static uint8_t buf[LARGE];
	uint32_t pos, part;
	int got;

	for (pos = 0; pos < request.len; pos += part) {
		part = request.len - pos < CHUNK ? request.len - pos : CHUNK;
		fill(buf, id, pos, part);
		if (!pos)
			memcpy(buf, &request, sizeof(request));
		if (!send_part(fd, call, pos ? NULL : to, buf, part,
			       pos + part < request.len, 0))
			break;
	}
	got = take_reply(fd, call, buf, sizeof(buf));
	if (got >= 0 && ((uint32_t)got != want ||
			 !is_filled(buf, ~id, 0, want))) {
		errno = EBADMSG;
		die("reply of other bytes");
	}

	return got;
}

/* The same with rxperf, which looks at no byte and answers with zeros. */
static int call_perf(int fd, unsigned long call, struct sockaddr_rxrpc *to,
		     uint32_t len, uint32_t want)
{
	uint32_t head[6] = {
		htonl(PERF_VERSION), htonl(PERF_RPC), 0, 0, htonl(len),
		htonl(want),
	};
	uint32_t cookie = htonl(PERF_COOKIE), pos, part;
	static const uint8_t zeros[LARGE];
	static uint8_t buf[LARGE + 4];
	bool good;
	int got;

	good = send_part(fd, call, to, head, sizeof(head), true, 0);
	for (pos = 0; good && pos < len; pos += part) {
		part = len - pos < CHUNK ? len - pos : CHUNK;
		good = send_part(fd, call, NULL, zeros, part, true, 0);
	}
	if (good)
		send_part(fd, call, NULL, &cookie, sizeof(cookie), false, 0);
	got = take_reply(fd, call, buf, sizeof(buf));
	if (got >= 0 && ((uint32_t)got != want + sizeof(cookie) ||
			 memcmp(buf, zeros, want) ||
			 memcmp(buf + want, &cookie, sizeof(cookie)))) {
		errno = EBADMSG;
		die("reply of rxperf");
	}

	return got;
}

static unsigned int clients_of(bool own)
{
	return own ? CLIENTS : PERF_CLIENTS;
}

/* What a client tells. */
struct told {
	uint64_t sum;
	uint32_t again;	/* calls that were given up, and made again */
	uint32_t late;	/* as they had no answer in LIFE */
};

/* The part of client @nr of the calls of a path. */
static struct told run_client(const struct path *path, enum security security,
			      bool own, unsigned int nr)
{
	struct sockaddr_rxrpc to = own ?
		address(path->addr, OWN_PORT, OWN_SERVICE) :
		address(path->addr, PERF_PORT, PERF_SERVICE);
	unsigned int seed = nr + 1, tries;
	time_t began;
	int fd = open_socket(path->addr), got;
	unsigned long call = 0;
	struct told told = {};

	secure(fd, security);
	bind_to(fd, address(net_family(path->addr) == AF_INET ?
			    "0.0.0.0" : "::", 0, 0));
	for (uint32_t id = nr + 1; id <= path->calls; id += clients_of(own)) {
		uint32_t most = id % 50 ? SMALL : LARGE - 100;
		uint32_t len = rand_r(&seed) % most;
		uint32_t want = 1 + rand_r(&seed) % most;

		for (tries = 1; ; tries++) {
			call++;
			began = time(NULL);
			got = own ? call_own(fd, call, &to, id, len, want) :
				call_perf(fd, call, &to, len, want);
			if (got >= 0)
				break;
			told.late += time(NULL) - began >= LIFE;
			if (tries == TRIES) {
				errno = ECONNABORTED;
				die("a call is given up again and again");
			}
		}
		told.sum += got * (uint64_t)id + len;
		told.again += tries - 1;
	}

	return told;
}

static void report(bool good, const char *name)
{
	printf("%sok %d %s\n", good ? "" : "not ", ++test, name);
	fflush(stdout);
	failed |= !good;
}

static void run_case(const struct path *path, enum security security, bool own,
		     int near, int far)
{
	struct told *told = mmap(NULL, CLIENTS * sizeof(*told),
				 PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int clients = clients_of(own), again = 0, late = 0;
	uint64_t sum = 0;
	bool good = true;
	char name[160];
	int status;

	for (unsigned int nr = 0; nr < clients; nr++) {
		if (fork())
			continue;
		if (net_enter(path->far ? far : near))
			die("enter a namespace");
		told[nr] = run_client(path, security, own, nr);
		_exit(0);
	}
	for (unsigned int nr = 0; nr < clients; nr++) {
		if (wait(&status) < 0 || status)
			good = false;
	}
	for (unsigned int nr = 0; nr < clients; nr++) {
		sum += told[nr].sum;
		again += told[nr].again;
		late += told[nr].late;
	}
	snprintf(name, sizeof(name), "%s %s %s: %u calls, sum %016llx",
		 path->name, own ? "bytes" : "rxperf", securities[security],
		 path->calls, (unsigned long long)sum);
	report(good && late <= MOST_LATE, name);
	printf("# made again: %u, after %u s: %u\n", again, LIFE, late);
	fflush(stdout);
	munmap(told, CLIENTS * sizeof(*told));
}

/* Starts a server at @addr in the namespace that the process is in. */
static pid_t start_server(const char *addr)
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe2(ready, O_CLOEXEC))
		die("pipe");
	pid = fork();
	if (!pid) {
		close(ready[0]);
		serve(addr, ready[1]);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		die("start a server");
	close(ready[0]);

	return pid;
}

/* Waits until the kernel has no DATA buffer of rxrpc left. */
static bool buffers_are_gone(void)
{
	for (int i = 0; i < 600; i++) {
		int buffers = -1;
		char line[256];
		FILE *f = fopen("/proc/net/rxrpc/stats", "r");

		while (f && fgets(line, sizeof(line), f))
			sscanf(line, "Buffers : txb=%d", &buffers);
		if (f)
			fclose(f);
		if (!buffers)
			return true;
		usleep(100000);
	}

	return false;
}

/* 1 ms, and in a hundred packets one that is lost. */
static int add_loss(const char *dev)
{
	struct tc_netem_qopt opt = { .limit = 1000, .loss = UINT32_MAX / 100 };
	struct tcmsg msg = {
		.tcm_ifindex = if_nametoindex(dev),
		.tcm_parent = TC_H_ROOT,
	};
	struct net_request r = net_request(RTM_NEWQDISC,
					   NLM_F_CREATE | NLM_F_EXCL, &msg,
					   sizeof(msg));
	int64_t latency = 1000000;
	struct rtattr *options;

	net_text(&r, TCA_KIND, "netem");
	options = net_attr(&r, TCA_OPTIONS, &opt, sizeof(opt));
	net_attr(&r, TCA_NETEM_LATENCY64, &latency, sizeof(latency));
	net_nest_end(&r, options);

	return net_do(&r);
}

static int add_networks(int near, int far)
{
	if (net_enter(near) || net_add_veth("x0", "x1", far) ||
	    net_add_veth("l0", "l1", far) ||
	    net_add_addr("x0", "10.8.1.1") ||
	    net_add_addr("x0", "fd00:8:1::1") ||
	    net_add_addr("l0", "10.8.2.1") || add_loss("l0"))
		return -1;
	if (net_enter(far) || net_add_addr("x1", "10.8.1.2") ||
	    net_add_addr("x1", "fd00:8:1::2") ||
	    net_add_addr("l1", "10.8.2.2") || add_loss("l1"))
		return -1;

	return net_enter(near);
}

/* Set how many calls there are on each path. */
static void set_calls(int argc, char **argv)
{
	bool slow = !access(KMEMLEAK, F_OK);
	unsigned int percent = slow ? DEBUG_PERCENT : 100, i;
	char *end = "";

	if (argc > 1)
		percent = strtoul(argv[1], &end, 10);
	if (argc > 2 || *end || !percent || percent > 100) {
		fprintf(stderr, "usage: rxrpc_calls [PERCENT]\n");
		exit(1);
	}
	for (i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		paths[i].calls = paths[i].calls * percent / 100;
	printf("# %u %% of the calls%s\n", percent,
	       argc < 2 && slow ? ": there is " KMEMLEAK : "");
}

/* rxperf is in the first namespace, so that is one of the two. */
int main(int argc, char **argv)
{
	int near = FIRST_NS, far = net_new_ns(), fd;
	unsigned int i, nr = sizeof(paths) / sizeof(*paths);
	pid_t server;

	fd = socket(AF_RXRPC, SOCK_DGRAM, AF_INET);
	if (fd < 0 && errno == EAFNOSUPPORT) {
		printf("TAP version 13\n1..0 # SKIP CONFIG_AF_RXRPC is off\n");
		return 4;
	}
	close(fd);
	if (add_networks(near, far) || net_up("lo")) {
		perror("set up the networks");
		return 1;
	}
	printf("TAP version 13\n1..%u\n", nr * 2 + 3 * 2 + 1);
	set_calls(argc, argv);
	fflush(stdout);
	for (i = 0; i < nr; i++) {
		server = start_server(paths[i].addr);
		run_case(&paths[i], NONE, true, near, far);
		run_case(&paths[i], NONE, false, near, far);
		for (int s = PLAIN; !i && s <= ENCRYPT; s++) {
			run_case(&paths[i], s, true, near, far);
			run_case(&paths[i], s, false, near, far);
		}
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	report(buffers_are_gone(), "no DATA buffer is left");

	return failed;
}

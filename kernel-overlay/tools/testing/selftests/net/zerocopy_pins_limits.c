// SPDX-License-Identifier: GPL-2.0
/* Memory that MSG_ZEROCOPY pins is unpinned, and every send is completed:
 * memory that is special, limited, or not to be had.  zerocopy_pins.h says
 * what is looked at.
 */

#define _GNU_SOURCE

#include <linux/capability.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "zerocopy_pins.h"

/* All over the loopback of a new namespace. */
FIXTURE(limits)
{
	struct notes n;
	struct path p;
	struct ends e;
	long before;
};

FIXTURE_SETUP(limits)
{
	self->p.addr = "127.0.0.1";
	self->p.a = net_new_ns();
	ASSERT_LE(0, self->p.a);
	self->p.b = self->p.a;
	self->before = pinned();
	ASSERT_LE(0, self->before);
}

FIXTURE_TEARDOWN(limits)
{
}

static long read_number(const char *path)
{
	long number = -1;
	FILE *f;

	f = fopen(path, "r");
	if (!f)
		return -1;
	if (fscanf(f, "%ld", &number) != 1)
		number = -1;
	fclose(f);

	return number;
}

static int write_number(const char *path, long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", number);

	return write_file(path, text);
}

#define NR_HUGEPAGES	"/proc/sys/vm/nr_hugepages"

TEST_F_TIMEOUT(limits, hugetlb, LIMIT)
{
	struct job j = { .total = 2 * HUGE_SIZE, .chunk = 300000 };
	long pages = read_number(NR_HUGEPAGES);
	uint8_t *mem;

	if (pages < 0)
		SKIP(return, "no hugetlb");
	ASSERT_EQ(0, write_number(NR_HUGEPAGES, pages + 2));
	mem = memory(j.total, MAP_HUGETLB);
	if (!mem) {
		write_number(NR_HUGEPAGES, pages);
		SKIP(return, "no huge pages left: %s", strerror(errno));
	}
	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, PORT, &self->e));
	EXPECT_EQ(0, transfer(&self->e, &j, &self->n, mem));
	EXPECT_NOTED();
	close_ends(&self->e);
	EXPECT_UNPINNED();
	munmap(mem, j.total);
	EXPECT_EQ(0, write_number(NR_HUGEPAGES, pages));
	EXPECT_EQ(pages, read_number(NR_HUGEPAGES));
}

static int drop_ipc_lock(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {};

	if (syscall(__NR_capget, &head, data))
		return -1;
	data[0].effective &= ~(1U << CAP_IPC_LOCK);

	return syscall(__NR_capset, &head, data);
}

#define MEMLOCK		1048576UL

/* Sends are accounted from now on, even those of root. */
static int limit_memlock(void)
{
	struct rlimit limit = { MEMLOCK, MEMLOCK };

	return drop_ipc_lock() || setrlimit(RLIMIT_MEMLOCK, &limit);
}

/* A send beyond the limit is refused whole, and takes no number. */
TEST_F_TIMEOUT(limits, memlock_of_one_send, LIMIT)
{
	size_t len = 2 * MEMLOCK, part = 65536;
	uint8_t *mem = memory(len, 0);

	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, PORT, &self->e));
	ASSERT_EQ(0, limit_memlock());
	EXPECT_EQ(-1, send(self->e.tx, mem, len, MSG_ZEROCOPY));
	EXPECT_EQ(ENOBUFS, errno);
	ASSERT_EQ(part, send(self->e.tx, mem, part, MSG_ZEROCOPY));
	self->n.sends++;
	EXPECT_EQ(-1, send(self->e.tx, mem, len, MSG_ZEROCOPY));
	EXPECT_EQ(ENOBUFS, errno);
	EXPECT_EQ(0, receive_all(self->e.rx, part));
	await_notes(self->e.tx, &self->n);
	EXPECT_NOTED();
	close_ends(&self->e);
	EXPECT_UNPINNED();
}

/* What is in flight counts, and what was completed does not any more. */
TEST_F_TIMEOUT(limits, memlock_of_many_sends, LIMIT)
{
	size_t len = 4 * MEMLOCK, part = 65536, sent = 0;
	uint8_t *mem = memory(len, 0);
	int big = 8 << 20;

	self->p.buffers = 65536;
	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, PORT, &self->e));
	ASSERT_EQ(0, setsockopt(self->e.tx, SOL_SOCKET, SO_SNDBUFFORCE, &big,
				4));
	ASSERT_EQ(0, limit_memlock());
	while (sent < len && send(self->e.tx, mem + sent, part,
				  MSG_ZEROCOPY | MSG_DONTWAIT) == (int)part) {
		self->n.sends++;
		sent += part;
	}
	EXPECT_EQ(ENOBUFS, errno);
	EXPECT_GT(2 * MEMLOCK, sent);
	EXPECT_EQ(0, receive_all(self->e.rx, sent));
	await_notes(self->e.tx, &self->n);
	EXPECT_NOTED();
	EXPECT_UNPINNED();

	ASSERT_EQ(part, send(self->e.tx, mem, part, MSG_ZEROCOPY));
	self->n.sends++;
	EXPECT_EQ(0, receive_all(self->e.rx, part));
	await_notes(self->e.tx, &self->n);
	EXPECT_NOTED();
	close_ends(&self->e);
	EXPECT_UNPINNED();
}

/* A memory cgroup below a hierarchy that only this test sees. */
struct cgroup {
	char root[64];
	char dir[80];
};

static int open_cgroup(struct cgroup *c)
{
	char path[128];

	snprintf(c->root, sizeof(c->root), "/tmp/zerocopy-XXXXXX");
	if (unshare(CLONE_NEWNS) || !mkdtemp(c->root) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", c->root, "cgroup2", 0, NULL))
		return -1;
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", c->root);
	if (write_file(path, "+memory"))
		return -1;
	snprintf(c->dir, sizeof(c->dir), "%s/zerocopy", c->root);

	return mkdir(c->dir, 0755);
}

static void close_cgroup(struct cgroup *c)
{
	rmdir(c->dir);
	umount(c->root);
	rmdir(c->root);
}

static int write_cgroup(const struct cgroup *c, const char *file, long number)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", c->dir, file);

	return write_number(path, number);
}

static long read_cgroup(const struct cgroup *c, const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", c->dir, file);

	return read_number(path);
}

/* How often the limit was met. */
static long cgroup_max_events(const struct cgroup *c)
{
	char path[128], line[64];
	long events = -1;
	FILE *f;

	snprintf(path, sizeof(path), "%s/memory.events", c->dir);
	f = fopen(path, "r");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "max %ld", &events) == 1)
			break;
	fclose(f);

	return events;
}

/* In the cgroup: exchange data although there is next to no memory for it. */
static int send_in_cgroup(const struct cgroup *c, struct path *p,
			  struct notes *n)
{
	struct job j = { .total = 4 << 20, .chunk = 16384, .copied = 4096 };
	uint8_t *mem = memory(j.total, 0);
	struct ends e;
	size_t sent;
	int ret;

	if (write_cgroup(c, "cgroup.procs", getpid()) ||
	    open_ends(p, SOCK_STREAM, PORT, &e) ||
	    write_cgroup(c, "memory.max",
			 read_cgroup(c, "memory.current") + (512 << 10)))
		return -1;
	sent = stuff_job(e.tx, &j, n, mem);
	ret = receive_all(e.rx, sent);
	await_notes(e.tx, n);
	close_ends(&e);

	return ret || n->bad || !all_noted(n) ? -1 : 0;
}

TEST_F_TIMEOUT(limits, memory_cgroup, LIMIT)
{
	struct cgroup c;
	int status;
	pid_t pid;

	if (open_cgroup(&c))
		SKIP(return, "no memory cgroup: %s", strerror(errno));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(send_in_cgroup(&c, &self->p, &self->n) ? 1 : 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	/* The kernel may also kill who meets the limit. */
	EXPECT_EQ(WIFSIGNALED(status) ? SIGKILL : 0, status);
	EXPECT_LT(0, cgroup_max_events(&c));
	EXPECT_UNPINNED();
	close_cgroup(&c);
}

#define FAULTS		"/sys/kernel/debug/"
#define FAIL_NTH	"/proc/thread-self/fail-nth"

/* Whether allocations that may wait can fail, too. */
static int set_faults(bool on)
{
	const char *spare = on ? "N" : "Y";

	return write_file(FAULTS "failslab/verbose", "0") ||
	       write_file(FAULTS "failslab/ignore-gfp-wait", spare) ||
	       write_file(FAULTS "fail_page_alloc/verbose", "0") ||
	       write_file(FAULTS "fail_page_alloc/ignore-gfp-wait", spare) ||
	       write_file(FAULTS "fail_page_alloc/ignore-gfp-highmem", spare) ||
	       write_file(FAULTS "fail_page_alloc/min-order", on ? "0" : "1");
}

/* The file stays open, as to open it is to allocate. */
static int set_fail_nth(int fd, int nth)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", nth);

	return write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

static int get_fail_nth(int fd)
{
	char text[16] = "";

	return pread(fd, text, sizeof(text) - 1, 0) < 0 ? -1 : atoi(text);
}

/* Send once with the nth allocation failing; sets @failed if it came to that.
 * The memory is not mapped yet, so that pinning it has to allocate as well.
 */
static ssize_t send_failing(const struct ends *e, int fail, int nth, int file,
			    size_t len, bool *failed)
{
	uint8_t *mem = mmap(NULL, len, PROT_READ, MAP_SHARED, file, 0);
	ssize_t ret;

	set_fail_nth(fail, nth);
	ret = send(e->tx, mem, len, MSG_ZEROCOPY | MSG_DONTWAIT);
	*failed = !get_fail_nth(fail);
	set_fail_nth(fail, 0);
	munmap(mem, len);

	return ret;
}

#define MAX_NTH		300

/* Whether nothing is left of a send that may have failed. */
static bool settled(struct ends *e, struct notes *n, long before)
{
	if (n->sends < MAX_SENDS)
		await_notes(e->tx, n);
	else
		read_notes(e->tx, n);

	return !n->bad && (n->sends == MAX_SENDS || all_noted(n)) &&
	       pinned_settled(before) == before;
}

/* Let each allocation of a send fail, one after the other; returns how many
 * of the sends failed for that.
 */
static int fail_all(struct ends *e, struct notes *n, size_t len, long before)
{
	int nth, file = memfd_create("zerocopy", 0), failures = 0;
	int fail = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	uint8_t *mem = memory(len, 0);

	if (write(file, mem, len) != (ssize_t)len)
		return -1;
	for (nth = 1; nth < MAX_NTH; nth++) {
		bool failed;
		ssize_t ret;

		ret = send_failing(e, fail, nth, file, len, &failed);
		failures += failed && ret < 0;
		n->sends += ret > 0 && n->sends < MAX_SENDS;
		if (ret > 0 && !e->dgram && receive_all(e->rx, ret))
			return -1;
		if (ret > 0 && e->dgram)
			receive_some(e->rx, 0, true, len);
		if (!settled(e, n, before)) {
			fprintf(stderr, "after failure %d\n", nth);
			return -1;
		}
		if (!failed)
			return ret == (ssize_t)len ? failures : -1;
	}

	return -1;
}

/* Whether there is fault injection, then told to reach all allocations. */
static bool can_fail(void)
{
	return !access(FAIL_NTH, W_OK) && !set_faults(true);
}

#define RUN_FAILURES(len)						\
	do {								\
		EXPECT_LT(0, fail_all(&self->e, &self->n, len,		\
				      self->before));			\
		set_faults(false);					\
		close_ends(&self->e);					\
		EXPECT_UNPINNED();					\
	} while (0)

TEST_F_TIMEOUT(limits, tcp_allocation_fails, LIMIT)
{
	if (!can_fail())
		SKIP(return, "no fault injection");
	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, PORT, &self->e));
	RUN_FAILURES(200000);
}

TEST_F_TIMEOUT(limits, udp_allocation_fails, LIMIT)
{
	if (!can_fail())
		SKIP(return, "no fault injection");
	ASSERT_EQ(0, open_ends(&self->p, SOCK_DGRAM, PORT, &self->e));
	RUN_FAILURES(60000);
}

/* A send of vsock that was cut short may have taken a number or not. */
TEST_F_TIMEOUT(limits, vsock_allocation_fails, LIMIT)
{
	self->n.sends = MAX_SENDS;
	if (!can_fail())
		SKIP(return, "no fault injection");
	if (open_vsock(&self->e))
		SKIP(return, "no vsock loopback: %s", strerror(errno));
	RUN_FAILURES(100000);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* Memory that MSG_ZEROCOPY pins is unpinned, and every send is completed:
 * other ways in and out than send() and recv() on an IP socket.
 * zerocopy_pins.h says what is looked at.
 */

#define _GNU_SOURCE

#include <errno.h>
#include <signal.h>

/* What linux/io_uring.h needs, and linux/types.h of tools/include has not. */
#include <linux/stddef.h>
#include <io_uring/mini_liburing.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tls.h>
#include <linux/udp.h>
#include <linux/vhost.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "zerocopy_pins.h"

#ifndef TCP_ULP
#define TCP_ULP		31
#endif
#ifndef SOL_TLS
#define SOL_TLS		282
#endif

/* All over the loopback of a new namespace. */
FIXTURE(io)
{
	struct notes n;
	struct path p;
	struct ends e;
	long before;
};

FIXTURE_SETUP(io)
{
	self->p.addr = "127.0.0.1";
	self->p.a = net_new_ns();
	ASSERT_LE(0, self->p.a);
	self->p.b = self->p.a;
	self->before = pinned();
	ASSERT_LE(0, self->before);
}

FIXTURE_TEARDOWN(io)
{
}

/* Zerocopy data that fits into the buffers. */
static int send_all(struct ends *e, struct notes *n, uint8_t *mem, size_t len)
{
	return stuff(e->tx, mem, len, n) == len ? 0 : -1;
}

/* Splice from @from to @to; returns how much. */
static ssize_t splice_all(int from, int to, size_t len)
{
	size_t done = 0;

	while (done < len) {
		struct pollfd p = { .fd = from, .events = POLLIN };
		ssize_t ret;

		if (poll(&p, 1, PATIENCE * 1000) != 1)
			break;
		ret = splice(from, NULL, to, NULL, len - done,
			     SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		if (ret <= 0)
			break;
		done += ret;
	}

	return done;
}

static int receive_datagram(int fd, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (poll(&p, 1, PATIENCE * 1000) != 1)
		return -1;

	return receive_some(fd, 0, true, len) == (ssize_t)len ? 0 : -1;
}

static bool pipe_matches(int fd, size_t len)
{
	size_t pos = 0;

	while (pos < len) {
		uint8_t got[4096];
		ssize_t ret;

		ret = read(fd, got, sizeof(got));
		if (ret <= 0 || !matches(got, pos, ret))
			return false;
		pos += ret;
	}

	return true;
}

/* What is in a pipe must not hold the memory of whoever sent it. */
TEST_F_TIMEOUT(io, splice_out_and_leave_it_in_the_pipe, LIMIT)
{
	size_t len = 256 << 10;
	uint8_t *mem = memory(len, 0);
	int pipes[2];
	ssize_t got;

	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, PORT, &self->e));
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_LE(0, fcntl(pipes[1], F_SETPIPE_SZ, 1 << 20));
	ASSERT_EQ(0, send_all(&self->e, &self->n, mem, len));
	got = splice_all(self->e.rx, pipes[1], len);
	EXPECT_LT(0, got);
	memset(mem, 0xee, len);
	munmap(mem, len);
	EXPECT_EQ(0, receive_some(self->e.rx, got, false, 0) < 0);
	await_notes(self->e.tx, &self->n);
	EXPECT_NOTED();
	close_ends(&self->e);
	EXPECT_UNPINNED();
	EXPECT_TRUE(pipe_matches(pipes[0], got));
}

TEST_F_TIMEOUT(io, splice_on_to_a_unix_socket, LIMIT)
{
	size_t len = 64 << 10;
	uint8_t *mem = memory(len, 0);
	int pipes[2], un[2];

	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, PORT, &self->e));
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_LE(0, fcntl(pipes[1], F_SETPIPE_SZ, 1 << 20));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, un));
	ASSERT_EQ(0, send_all(&self->e, &self->n, mem, len));
	ASSERT_EQ(len, splice_all(self->e.rx, pipes[1], len));
	munmap(mem, len);
	ASSERT_EQ(len, splice_all(pipes[0], un[0], len));
	await_notes(self->e.tx, &self->n);
	EXPECT_NOTED();
	close_ends(&self->e);
	EXPECT_UNPINNED();
	EXPECT_EQ(0, receive_all(un[1], len));
}

/* AF_UNIX has no zerocopy: the option is refused, and the flag ignored. */
TEST_F_TIMEOUT(io, unix_socket_copies, LIMIT)
{
	size_t len = 64 << 10;
	uint8_t *mem = memory(len, 0);
	int one = 1, un[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, un));
	EXPECT_EQ(-1, setsockopt(un[0], SOL_SOCKET, SO_ZEROCOPY, &one, 4));
	EXPECT_EQ(EOPNOTSUPP, errno);
	ASSERT_EQ(len, send(un[0], mem, len, MSG_ZEROCOPY));
	memset(mem, 0xee, len);
	EXPECT_UNPINNED();
	EXPECT_EQ(0, receive_all(un[1], len));
	read_notes(un[0], &self->n);
	EXPECT_NOTED();
}

/* Pages that splice() refers to, and pins, in the same skb. */
TEST_F_TIMEOUT(io, splice_in_between_zerocopy_sends, LIMIT)
{
	size_t part = 10000, len = 48 * part, pos;
	uint8_t *mem = memory(len, 0);
	int pipes[2], file, nr;

	file = memfd_create("zerocopy", 0);
	ASSERT_LE(0, file);
	ASSERT_EQ(len, write(file, mem, len));
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, PORT, &self->e));
	for (pos = 0, nr = 0; pos < len; pos += part, nr++) {
		struct iovec v = { mem + pos, part };
		off_t at = pos;

		if (nr % 3 == 0) {
			ASSERT_EQ(part, send(self->e.tx, mem + pos, part,
					     MSG_ZEROCOPY | MSG_MORE));
			self->n.sends++;
		} else if (nr % 3 == 1) {
			ASSERT_EQ(part, vmsplice(pipes[1], &v, 1, 0));
			ASSERT_EQ(part, splice(pipes[0], NULL, self->e.tx,
					       NULL, part, SPLICE_F_MORE));
		} else {
			ASSERT_EQ(part, sendfile(self->e.tx, file, &at, part));
		}
	}
	EXPECT_EQ(0, receive_all(self->e.rx, len));
	await_notes(self->e.tx, &self->n);
	EXPECT_NOTED();
	close_ends(&self->e);
	EXPECT_UNPINNED();
}

TEST_F_TIMEOUT(io, vsock, LIMIT)
{
	struct job j = { .total = 1 << 20, .chunk = 60000 };

	if (open_vsock(&self->e))
		SKIP(return, "no vsock loopback: %s", strerror(errno));
	EXPECT_EQ(0, transfer(&self->e, &j, &self->n, memory(j.total, 0)));
	EXPECT_NOTED();
	close_ends(&self->e);
	EXPECT_UNPINNED();
}

/* The receiver's queue has the memory of the sender in it. */
TEST_F_TIMEOUT(io, vsock_memory_unmapped_while_queued, LIMIT)
{
	size_t len = 128 << 10;
	uint8_t *mem = memory(len, 0);

	if (open_vsock(&self->e))
		SKIP(return, "no vsock loopback: %s", strerror(errno));
	ASSERT_EQ(0, send_all(&self->e, &self->n, mem, len));
	EXPECT_LT(self->before, pinned());
	munmap(mem, len);
	EXPECT_EQ(0, receive_all(self->e.rx, len));
	await_notes(self->e.tx, &self->n);
	EXPECT_NOTED();
	close_ends(&self->e);
	EXPECT_UNPINNED();
}

#define RING_SENDS	12
#define RING_SIZE	32000

/* One completion, and then one notification, for each of the sends. */
static int ring_reap(struct io_uring *ring)
{
	unsigned char sent[RING_SENDS] = {}, noted[RING_SENDS] = {};
	struct io_uring_cqe *cqe;
	int i;

	for (i = 0; i < 2 * RING_SENDS; i++) {
		if (io_uring_wait_cqe(ring, &cqe) ||
		    cqe->user_data >= RING_SENDS)
			return -1;
		if (cqe->flags & IORING_CQE_F_NOTIF)
			noted[cqe->user_data]++;
		else if (cqe->res == RING_SIZE &&
			 (cqe->flags & IORING_CQE_F_MORE))
			sent[cqe->user_data]++;
		else
			return -1;
		io_uring_cqe_seen(ring);
	}
	for (i = 0; i < RING_SENDS; i++)
		if (sent[i] != 1 || noted[i] != 1)
			return -1;

	return 0;
}

static int ring_open(struct io_uring *ring)
{
	return io_uring_queue_init(RING_SENDS * 2, ring, 0);
}

/* The ring lives as long as any of it is mapped. */
static void ring_close(struct io_uring *ring)
{
	uintptr_t cq = (uintptr_t)ring->cq.khead & ~(getpagesize() - 1UL);

	munmap((void *)cq, ring->cq.ring_sz);
	io_uring_queue_exit(ring);
}

static int ring_send(struct io_uring *ring, int fd, uint8_t *mem, bool fixed)
{
	struct iovec v = { mem, RING_SENDS * RING_SIZE };
	int i;

	if (fixed && io_uring_register_buffers(ring, &v, 1))
		return -1;
	for (i = 0; i < RING_SENDS; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

		if (!sqe)
			return -1;
		io_uring_prep_sendzc(sqe, fd, mem + i * RING_SIZE, RING_SIZE,
				     MSG_WAITALL,
				     fixed ? IORING_RECVSEND_FIXED_BUF : 0);
		sqe->user_data = i;
		if (io_uring_submit(ring) != 1)
			return -1;
	}

	return 0;
}

static int receive_ring(const struct ends *e)
{
	int i;

	if (!e->dgram)
		return receive_all(e->rx, RING_SENDS * RING_SIZE);
	for (i = 0; i < RING_SENDS; i++)
		if (receive_datagram(e->rx, RING_SIZE))
			return -1;

	return 0;
}

/* Send over a ring, receive, and close all of it. */
static int run_ring(struct io_uring *ring, struct ends *e, bool fixed)
{
	uint8_t *mem = memory(RING_SENDS * RING_SIZE, 0);
	int ret;

	ret = ring_send(ring, e->tx, mem, fixed) || receive_ring(e) ||
	      ring_reap(ring);
	ring_close(ring);
	close_ends(e);

	return ret;
}

TEST_F_TIMEOUT(io, uring_tcp, LIMIT)
{
	struct io_uring ring;

	if (ring_open(&ring))
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, PORT, &self->e));
	EXPECT_EQ(0, run_ring(&ring, &self->e, false));
	EXPECT_UNPINNED();
}

TEST_F_TIMEOUT(io, uring_tcp_fixed, LIMIT)
{
	struct io_uring ring;

	if (ring_open(&ring))
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, PORT, &self->e));
	EXPECT_EQ(0, run_ring(&ring, &self->e, true));
	EXPECT_UNPINNED();
}

TEST_F_TIMEOUT(io, uring_udp, LIMIT)
{
	struct io_uring ring;

	if (ring_open(&ring))
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, open_ends(&self->p, SOCK_DGRAM, PORT, &self->e));
	EXPECT_EQ(0, run_ring(&ring, &self->e, false));
	EXPECT_UNPINNED();
}

TEST_F_TIMEOUT(io, uring_udp_fixed, LIMIT)
{
	struct io_uring ring;

	if (ring_open(&ring))
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, open_ends(&self->p, SOCK_DGRAM, PORT, &self->e));
	EXPECT_EQ(0, run_ring(&ring, &self->e, true));
	EXPECT_UNPINNED();
}

/* Nobody is left to be notified. */
TEST_F_TIMEOUT(io, uring_closed_with_sends_in_flight, LIMIT)
{
	size_t len = RING_SENDS * RING_SIZE;
	uint8_t *mem = memory(len, 0);
	struct io_uring ring;

	if (ring_open(&ring))
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, PORT, &self->e));
	ASSERT_EQ(0, ring_send(&ring, self->e.tx, mem, false));
	ring_close(&ring);
	munmap(mem, len);
	EXPECT_EQ(0, receive_all(self->e.rx, len));
	close_ends(&self->e);
	EXPECT_UNPINNED();
}

static int set_tls(int fd, int direction)
{
	struct tls12_crypto_info_aes_gcm_128 info = {
		.info.version = TLS_1_2_VERSION,
		.info.cipher_type = TLS_CIPHER_AES_GCM_128,
	};

	return setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) ||
	       setsockopt(fd, SOL_TLS, direction, &info, sizeof(info));
}

/* kTLS refuses MSG_ZEROCOPY; what was sent before it is still in flight. */
TEST_F_TIMEOUT(io, tls_refuses_zerocopy, LIMIT)
{
	size_t len = 256 << 10, half = len / 2;
	uint8_t *mem = memory(len, 0);

	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, PORT, &self->e));
	ASSERT_EQ(0, send_all(&self->e, &self->n, mem, half));
	if (set_tls(self->e.tx, TLS_TX))
		SKIP(return, "no kTLS: %s", strerror(errno));
	EXPECT_EQ(-1, send(self->e.tx, mem, half, MSG_ZEROCOPY));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(half, send(self->e.tx, mem, half, 0));
	EXPECT_EQ(0, receive_all(self->e.rx, half));
	ASSERT_EQ(0, set_tls(self->e.rx, TLS_RX));
	EXPECT_EQ(0, receive_all(self->e.rx, half));
	await_notes(self->e.tx, &self->n);
	EXPECT_NOTED();
	close_ends(&self->e);
	EXPECT_UNPINNED();
}

static int sys_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

/* A sockmap that lets pass all that is sent by the sockets in it. */
static int open_sockmap(void)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr map_attr = {
		.map_type = BPF_MAP_TYPE_SOCKMAP,
		.key_size = 4,
		.value_size = 4,
		.max_entries = 1,
	};
	union bpf_attr prog_attr = {
		.prog_type = BPF_PROG_TYPE_SK_MSG,
		.insns = (uintptr_t)insns,
		.insn_cnt = 2,
		.license = (uintptr_t)"GPL",
	};
	union bpf_attr attach_attr = { .attach_type = BPF_SK_MSG_VERDICT };
	int map = sys_bpf(BPF_MAP_CREATE, &map_attr);
	int prog = map < 0 ? -1 : sys_bpf(BPF_PROG_LOAD, &prog_attr);

	if (prog < 0)
		return -1;
	attach_attr.target_fd = map;
	attach_attr.attach_bpf_fd = prog;

	return sys_bpf(BPF_PROG_ATTACH, &attach_attr) ? -1 : map;
}

static int add_to_sockmap(int map, int fd)
{
	int key = 0;
	union bpf_attr attr = {
		.map_fd = map,
		.key = (uintptr_t)&key,
		.value = (uintptr_t)&fd,
	};

	return sys_bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

/* A sockmap copies what is sent, and hands the copy on with the flag: each
 * part of it takes a number.
 */
TEST_F_TIMEOUT(io, sockmap_copies, LIMIT)
{
	size_t len = 64 << 10, half = len / 2;
	int map = open_sockmap();
	uint8_t *mem;
	int i;

	if (map < 0)
		SKIP(return, "no sockmap: %s", strerror(errno));
	mem = memory(len, 0);
	ASSERT_EQ(0, open_ends(&self->p, SOCK_STREAM, PORT, &self->e));
	ASSERT_EQ(0, send_all(&self->e, &self->n, mem, half));
	ASSERT_EQ(0, add_to_sockmap(map, self->e.tx));
	ASSERT_EQ(half, send(self->e.tx, mem + half, half, MSG_ZEROCOPY));
	memset(mem + half, 0xee, half);
	EXPECT_EQ(0, receive_all(self->e.rx, len));
	self->n.sends = MAX_SENDS;
	for (i = 0; i < PATIENCE * 10 && !self->n.seen[0]; i++) {
		usleep(100 * 1000);
		read_notes(self->e.tx, &self->n);
	}
	EXPECT_EQ(0u, self->n.bad);
	EXPECT_EQ(1, self->n.seen[0]);
	close_ends(&self->e);
	EXPECT_UNPINNED();
}

#define VHOST_PACKETS	16
#define VHOST_SIZE	8192	/* of the memory for a packet */
#define VHOST_PAYLOAD	1400

/* What a guest and its hypervisor have of a queue that sends. */
struct queue {
	struct vring vring;
	uint8_t *mem;		/* the guest's, at the same addresses there */
	int vhost, kick;
};

static uint16_t add_up(const void *data, size_t len)
{
	const uint16_t *word = data;
	uint32_t sum = 0;

	for (; len; len -= 2)
		sum += *word++;
	sum = (sum & 0xffff) + (sum >> 16);

	return ~(sum + (sum >> 16));
}

/* A packet from 10.9.1.2, a neighbour at @dev; returns its length. */
static size_t make_packet(uint8_t *at, const uint8_t *mac, int nr)
{
	struct virtio_net_hdr *vnet = (void *)at;
	struct ethhdr *eth = (void *)(vnet + 1);
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);
	uint8_t *payload = (void *)(udp + 1);
	int i;

	memset(at, 0, payload - at);
	memcpy(eth->h_dest, mac, ETH_ALEN);
	eth->h_source[0] = 2;
	eth->h_proto = htons(ETH_P_IP);
	ip->version = 4;
	ip->ihl = 5;
	ip->tot_len = htons(sizeof(*ip) + sizeof(*udp) + VHOST_PAYLOAD);
	ip->ttl = 64;
	ip->protocol = IPPROTO_UDP;
	inet_pton(AF_INET, "10.9.1.2", &ip->saddr);
	inet_pton(AF_INET, "10.9.1.1", &ip->daddr);
	ip->check = add_up(ip, sizeof(*ip));
	udp->source = htons(PORT);
	udp->dest = htons(PORT);
	udp->len = htons(sizeof(*udp) + VHOST_PAYLOAD);
	for (i = 0; i < VHOST_PAYLOAD; i++)
		payload[i] = byte_at(nr * VHOST_PAYLOAD + i);

	return payload + VHOST_PAYLOAD - at;
}

static int set_queue(struct queue *q, int index)
{
	struct vhost_vring_state num = { index, VHOST_PACKETS };
	struct vhost_vring_state base = { index, 0 };
	struct vhost_vring_file kick = { index, eventfd(0, 0) };
	struct vhost_vring_addr addr = {
		.index = index,
		.desc_user_addr = (uintptr_t)q->vring.desc,
		.avail_user_addr = (uintptr_t)q->vring.avail,
		.used_user_addr = (uintptr_t)q->vring.used,
	};

	q->kick = kick.fd;

	return ioctl(q->vhost, VHOST_SET_VRING_NUM, &num) ||
	       ioctl(q->vhost, VHOST_SET_VRING_BASE, &base) ||
	       ioctl(q->vhost, VHOST_SET_VRING_ADDR, &addr) ||
	       ioctl(q->vhost, VHOST_SET_VRING_KICK, &kick);
}

/* The transmit queue of a tap is vhost's second. */
static int open_queue(struct queue *q, int tap)
{
	size_t len = VHOST_PACKETS * VHOST_SIZE;
	struct vhost_vring_file backend = { 1, tap };
	struct {
		struct vhost_memory memory;
		struct vhost_memory_region region;
	} table = { .memory.nregions = 1 };
	uint64_t features = 0;
	void *ring;

	q->mem = memory(len, 0);
	ring = memory(3 * 4096, 0);
	if (!q->mem || !ring)
		return -1;
	memset(ring, 0, 3 * 4096);
	vring_init(&q->vring, VHOST_PACKETS, ring, 4096);
	table.region.guest_phys_addr = (uintptr_t)q->mem;
	table.region.userspace_addr = (uintptr_t)q->mem;
	table.region.memory_size = len;
	q->vhost = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);

	return q->vhost < 0 || ioctl(q->vhost, VHOST_SET_OWNER) ||
	       ioctl(q->vhost, VHOST_SET_FEATURES, &features) ||
	       ioctl(q->vhost, VHOST_SET_MEM_TABLE, &table) ||
	       set_queue(q, 1) ||
	       ioctl(q->vhost, VHOST_NET_SET_BACKEND, &backend);
}

/* Hand all packets over, and wait until they are given back. */
static int run_queue(struct queue *q, const uint8_t *mac)
{
	uint16_t *used = &q->vring.used->idx, got;
	uint64_t one = 1;
	int i;

	for (i = 0; i < VHOST_PACKETS; i++) {
		uint8_t *at = q->mem + i * VHOST_SIZE;

		q->vring.desc[i].addr = (uintptr_t)at;
		q->vring.desc[i].len = make_packet(at, mac, i);
		q->vring.avail->ring[i] = i;
	}
	__sync_synchronize();
	q->vring.avail->idx = VHOST_PACKETS;
	__sync_synchronize();
	if (write(q->kick, &one, sizeof(one)) != sizeof(one))
		return -1;
	for (i = 0; i < PATIENCE * 100; i++) {
		__atomic_load(used, &got, __ATOMIC_ACQUIRE);
		if (got == VHOST_PACKETS)
			return 0;
		usleep(10 * 1000);
	}

	return -1;
}

/* Whether vhost sends from where the guest's memory is. */
static bool vhost_has_zerocopy(void)
{
	char c = '0';
	int fd;

	fd = open("/sys/module/vhost_net/parameters/experimental_zcopytx",
		  O_RDONLY);
	if (fd >= 0 && read(fd, &c, 1) != 1)
		c = '0';
	close(fd);

	return c == '1';
}

/* A guest's packets come out of a tap device, to a socket of the host. */
TEST_F_TIMEOUT(io, vhost_into_a_tap, LIMIT)
{
	struct ifreq req = { .ifr_name = "v0" };
	struct sockaddr_in6 to;
	struct queue q = {};
	int tap, rx, i;

	if (!vhost_has_zerocopy())
		SKIP(return, "needs vhost_net.experimental_zcopytx=1");
	tap = net_open_tap("v0", 0);
	ASSERT_LE(0, tap);
	ASSERT_EQ(0, net_add_addr("v0", "10.9.1.1"));
	rx = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_EQ(0, bind(rx, (void *)&to, address("10.9.1.1", PORT, &to)));
	ASSERT_EQ(0, ioctl(rx, SIOCGIFHWADDR, &req));
	ASSERT_EQ(0, open_queue(&q, tap));
	ASSERT_EQ(0, run_queue(&q, (void *)req.ifr_hwaddr.sa_data));
	for (i = 0; i < VHOST_PACKETS; i++)
		EXPECT_EQ(0, receive_datagram(rx, VHOST_PAYLOAD));
	close(q.vhost);
	close(tap);
	close(rx);
	EXPECT_UNPINNED();
}

TEST_HARNESS_MAIN

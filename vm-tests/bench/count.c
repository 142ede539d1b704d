// SPDX-License-Identifier: GPL-2.0
/*
 * QEMU TCG plugin: what the kernel executes in the regions that the guest
 * marks (see mark.h), for a guest with one CPU.
 *
 *   qemu-system-x86_64 -plugin FILE.so,out=COUNTS,pages=FROM-TO,copy=FROM-TO
 *
 * with any number of copy=.
 *
 * Counted are
 *  - executions of each translation block.  A block is counted when it is
 *    entered, so one that an exception ends early counts as a whole.  A rep
 *    string instruction is a block of its own that is entered once a round.
 *  - stores by each locked instruction (lock prefix, or xchg with memory),
 *    apart by whether they go to the addresses in pages=, the array of
 *    struct page.
 *  - bytes stored by the code at the addresses in each copy=: functions that
 *    copy.
 *
 * COUNTS is text, numbers decimal, addresses hexadecimal, a line each:
 *   txgen-count 1
 *   region N                   regions are numbered from 1
 *   b ADDRESS INSNS TIMES      a block, its instructions, its executions
 *   l ADDRESS PAGE OTHER       a locked instruction, its stores
 *   c ADDRESS BYTES            the start of a copy=, what its code stored
 *   end N KERNEL USER          instructions in kernel and user mode
 *   done N                     the guest is gone; there were N regions
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mark.h"
#include "qemu_plugin.h"

#define BUCKETS 65536
#define COPIES 16
#define COPY UINT64_MAX		/* in place of a number of instructions */

/* A block, a locked instruction (@insns is 0), or a function that copies
 * (@insns is COPY); lives until the end, as translated code adds to its
 * counters.
 */
struct place {
	struct place *next;
	uint64_t vaddr;
	uint64_t insns;
	uint64_t times;		/* executions, stores elsewhere, or bytes */
	uint64_t page;		/* stores to struct pages */
};

static struct place *places[BUCKETS];
static struct place *copies[COPIES];
static uint64_t copies_to[COPIES];
static unsigned int nr_copies;
static uint64_t pages_from, pages_to;
static unsigned int regions;
static bool in_region;
static FILE *out;

QEMU_PLUGIN_EXPORT int qemu_plugin_version = 1;

static void die(const char *what)
{
	fprintf(stderr, "count plugin: %s\n", what);
	exit(1);
}

static bool in_kernel(uint64_t vaddr)
{
	return vaddr >> 63;
}

static struct place *find_place(uint64_t vaddr, uint64_t insns)
{
	uint64_t hash = (vaddr * 31 + insns) * 0x9e3779b97f4a7c15ULL >> 48;
	struct place **bucket = &places[hash % BUCKETS];
	struct place *place;

	for (place = *bucket; place; place = place->next) {
		if (place->vaddr == vaddr && place->insns == insns)
			return place;
	}
	place = calloc(1, sizeof(*place));
	if (!place)
		die("out of memory");
	place->vaddr = vaddr;
	place->insns = insns;
	place->next = *bucket;
	*bucket = place;
	return place;
}

static void begin(void)
{
	struct place *place;
	unsigned int i;

	if (in_region)
		die("the guest began a region inside a region");
	in_region = true;
	for (i = 0; i < BUCKETS; i++) {
		for (place = places[i]; place; place = place->next) {
			place->times = 0;
			place->page = 0;
		}
	}
}

static void print_place(const struct place *place, uint64_t *kernel,
			uint64_t *user)
{
	uint64_t insns = place->insns * place->times;

	if (place->insns == COPY) {
		if (place->times)
			fprintf(out, "c %" PRIx64 " %" PRIu64 "\n",
				place->vaddr, place->times);
	} else if (!in_kernel(place->vaddr)) {
		*user += insns;
	} else if (place->insns && place->times) {
		*kernel += insns;
		fprintf(out, "b %" PRIx64 " %" PRIu64 " %" PRIu64 "\n",
			place->vaddr, place->insns, place->times);
	} else if (place->page || place->times) {
		fprintf(out, "l %" PRIx64 " %" PRIu64 " %" PRIu64 "\n",
			place->vaddr, place->page, place->times);
	}
}

static void end(void)
{
	uint64_t kernel = 0, user = 0;
	struct place *place;
	unsigned int i;

	if (!in_region)
		die("the guest ended a region that it had not begun");
	in_region = false;
	regions++;
	fprintf(out, "region %u\n", regions);
	for (i = 0; i < BUCKETS; i++) {
		for (place = places[i]; place; place = place->next)
			print_place(place, &kernel, &user);
	}
	fprintf(out, "end %u %" PRIu64 " %" PRIu64 "\n", regions, kernel, user);
}

static void on_mark(unsigned int vcpu, void *data)
{
	(void)vcpu;
	if ((uintptr_t)data == MARK_BEGIN)
		begin();
	else
		end();
}

static void on_locked_store(unsigned int vcpu, qemu_plugin_meminfo_t info,
			    uint64_t vaddr, void *data)
{
	struct place *place = data;

	(void)vcpu;
	/* QEMU tells loads, too, although it is asked for stores. */
	if (!qemu_plugin_mem_is_store(info))
		return;
	if (vaddr >= pages_from && vaddr < pages_to)
		place->page++;
	else
		place->times++;
}

/* The mark that an instruction is, or 0. */
static uint32_t mark_of(const uint8_t *bytes, size_t size)
{
	static const uint8_t opcode[] = MARK_OPCODE;
	uint32_t which;

	if (size != MARK_SIZE || memcmp(bytes, opcode, sizeof(opcode)))
		return 0;
	memcpy(&which, bytes + sizeof(opcode), sizeof(which));
	return which == MARK_BEGIN || which == MARK_END ? which : 0;
}

static bool is_prefix(uint8_t byte)
{
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e:	/* segments */
	case 0x64: case 0x65:
	case 0x66: case 0x67:				/* sizes */
	case 0xf0: case 0xf2: case 0xf3:		/* lock, rep */
		return true;
	default:
		return byte >= 0x40 && byte <= 0x4f;	/* REX */
	}
}

/* Whether an x86-64 instruction locks the bus (or the cache line). */
static bool is_locked(const uint8_t *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < size && is_prefix(bytes[i]); i++) {
		if (bytes[i] == 0xf0)
			return true;
	}
	/* xchg is locked even without a prefix, unless both are registers. */
	return i + 1 < size && (bytes[i] == 0x86 || bytes[i] == 0x87) &&
	       bytes[i + 1] >> 6 != 3;
}

static void watch_locked(struct qemu_plugin_insn *insn, struct place *place)
{
	qemu_plugin_register_vcpu_mem_cb(insn, on_locked_store,
					 QEMU_PLUGIN_CB_NO_REGS,
					 QEMU_PLUGIN_MEM_W, place);
}

static void on_copy(unsigned int vcpu, qemu_plugin_meminfo_t info,
		    uint64_t vaddr, void *data)
{
	struct place *place = data;

	(void)vcpu;
	(void)vaddr;
	/* See on_locked_store(). */
	if (qemu_plugin_mem_is_store(info))
		place->times += UINT64_C(1) << qemu_plugin_mem_size_shift(info);
}

static void watch_copy(struct qemu_plugin_insn *insn, uint64_t vaddr)
{
	unsigned int i;

	for (i = 0; i < nr_copies; i++) {
		if (vaddr < copies[i]->vaddr || vaddr >= copies_to[i])
			continue;
		qemu_plugin_register_vcpu_mem_cb(insn, on_copy,
						 QEMU_PLUGIN_CB_NO_REGS,
						 QEMU_PLUGIN_MEM_W, copies[i]);
	}
}

static void on_insn(struct qemu_plugin_insn *insn)
{
	const uint8_t *bytes = qemu_plugin_insn_data(insn);
	size_t size = qemu_plugin_insn_size(insn);
	uint64_t vaddr = qemu_plugin_insn_vaddr(insn);
	uint32_t which;

	if (in_kernel(vaddr)) {
		if (is_locked(bytes, size))
			watch_locked(insn, find_place(vaddr, 0));
		watch_copy(insn, vaddr);
		return;
	}
	which = mark_of(bytes, size);
	if (which)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark,
						       QEMU_PLUGIN_CB_NO_REGS,
						       (void *)(uintptr_t)which);
}

static void on_block(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);
	struct place *place = find_place(qemu_plugin_tb_vaddr(tb), n);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64,
						 &place->times, 1);
	for (i = 0; i < n; i++)
		on_insn(qemu_plugin_tb_get_insn(tb, i));
}

static void on_end(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	if (!in_region)
		fprintf(out, "done %u\n", regions);
	if (fclose(out))
		fprintf(stderr, "count plugin: the counts could not be written\n");
}

static bool parse_arg(const char *arg)
{
	uint64_t from;

	if (!strncmp(arg, "out=", 4)) {
		out = fopen(arg + 4, "w");
		return out;
	}
	if (!strncmp(arg, "copy=", 5)) {
		if (nr_copies == COPIES ||
		    sscanf(arg + 5, "%" SCNx64 "-%" SCNx64, &from,
			   &copies_to[nr_copies]) != 2)
			return false;
		copies[nr_copies++] = find_place(from, COPY);
		return true;
	}
	return sscanf(arg, "pages=%" SCNx64 "-%" SCNx64, &pages_from,
		      &pages_to) == 2;
}

QEMU_PLUGIN_EXPORT
int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info,
			int argc, char **argv)
{
	int i;

	(void)info;
	for (i = 0; i < argc; i++) {
		if (!parse_arg(argv[i])) {
			fprintf(stderr, "count plugin: bad argument %s\n",
				argv[i]);
			return -1;
		}
	}
	if (!out || !pages_to) {
		fprintf(stderr, "count plugin: out= and pages= are needed\n");
		return -1;
	}
	fprintf(out, "txgen-count 1\n");
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_block);
	qemu_plugin_register_atexit_cb(id, on_end, NULL);
	return 0;
}

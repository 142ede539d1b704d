// SPDX-License-Identifier: GPL-2.0
/* Buffers whose physical layout is known, and checked. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define PAGE		4096UL
#define HUGE		(2UL << 20)

/* An entry of /proc/self/pagemap: bits 0 to 54 are the frame's number, bit
 * 63 says that the page is there (Documentation/admin-guide/mm/pagemap.rst).
 */
static uint64_t frame_of(int pagemap, const char *page)
{
	uint64_t entry;
	off_t at = (uintptr_t)page / PAGE * sizeof(entry);

	if (pread(pagemap, &entry, sizeof(entry), at) != sizeof(entry) ||
	    !(entry >> 63))
		fail("read /proc/self/pagemap");
	return entry & ((1ULL << 55) - 1);
}

/* How many runs of physically contiguous pages a range consists of. */
unsigned int contiguous_runs(const char *from, size_t size)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	uint64_t frame, last = 0;
	unsigned int runs = 0;
	size_t at;

	if (pagemap < 0)
		fail("open /proc/self/pagemap");
	for (at = 0; at < size; at += PAGE) {
		frame = frame_of(pagemap, from + at);
		runs += frame != last + 1;
		last = frame;
	}
	close(pagemap);
	return runs;
}

static char *map(size_t size, int flags)
{
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (at == MAP_FAILED)
		fail("map a buffer");
	return at;
}

/* The kernel hands frames out in order: neighbours in the buffer that are
 * touched at different times do not get neighbouring frames.
 */
static char *scattered(void)
{
	char *buffer = map(BUFFER_SIZE, 0);
	size_t first, at;

	/* A kernel that has no transparent huge pages does not know this. */
	if (madvise(buffer, BUFFER_SIZE, MADV_NOHUGEPAGE) && errno != EINVAL)
		fail("keep a buffer from having huge pages");
	for (first = 0; first < 2; first++) {
		for (at = first * PAGE; at < BUFFER_SIZE; at += 2 * PAGE)
			memset(buffer + at, 0x5a, PAGE);
	}
	if (contiguous_runs(buffer, BUFFER_SIZE) != BUFFER_SIZE / PAGE)
		fail("a buffer of single pages has neighbouring ones");
	return buffer;
}

static char *transparent(void)
{
	uintptr_t start = (uintptr_t)map(2 * HUGE, 0);
	char *buffer = (char *)((start + HUGE - 1) / HUGE * HUGE);

	if (madvise(buffer, HUGE, MADV_HUGEPAGE))
		fail("ask for a transparent huge page");
	memset(buffer, 0x5a, HUGE);
	if (contiguous_runs(buffer, HUGE) != 1)
		fail("there is no transparent huge page");
	return buffer;
}

static char *hugetlb(void)
{
	char *buffer = map(HUGE, MAP_HUGETLB);

	memset(buffer, 0x5a, HUGE);
	return buffer;
}

/* A buffer of BUFFER_SIZE, filled; it starts at a page. */
char *make_buffer(enum memory kind)
{
	switch (kind) {
	case TRANSPARENT:
		return transparent();
	case HUGETLB:
		return hugetlb();
	default:
		return scattered();
	}
}

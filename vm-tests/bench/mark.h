/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the guest tells the plugin where a measured region begins and ends: a
 * NOP of seven bytes, "nopl disp32(%rax)", whose displacement says which.
 * It changes nothing in the guest and does not leave user mode.
 */
#ifndef TXGEN_MARK_H
#define TXGEN_MARK_H

#define MARK_BEGIN	0x7c0b6e01
#define MARK_END	0x7c0b6e02

/* The opcode; the displacement follows, little-endian. */
#define MARK_OPCODE	{ 0x0f, 0x1f, 0x80 }
#define MARK_SIZE	7

#define mark(which) \
	asm volatile(".byte 0x0f, 0x1f, 0x80\n\t.long %c0" \
		     : : "i" (which) : "memory")

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* For spatch alone: macros that open a block, which it would take for a syntax error and skip in silence. */
#define scoped_guard(...) if (1)
#define tcp_skb_tsorted_save(x) if (1)

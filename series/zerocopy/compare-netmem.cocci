// SPDX-License-Identifier: GPL-2.0
// Decide whether two fragments may be merged by what they refer to, not by
// the page behind it.

@@
expression A, B;
@@
- skb_frag_page(A) == skb_frag_page(B)
+ skb_frag_netmem(A) == skb_frag_netmem(B)

@@
expression A, P;
@@
(
- skb_frag_page(A) == P
+ skb_frag_netmem(A) == page_to_netmem(P)
|
- P == skb_frag_page(A)
+ page_to_netmem(P) == skb_frag_netmem(A)
)

@@
expression S, I, A, O;
@@
- skb_can_coalesce(S, I, skb_frag_page(A), O)
+ skb_can_coalesce_netmem(S, I, skb_frag_netmem(A), O)

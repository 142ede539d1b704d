// SPDX-License-Identifier: GPL-2.0
// Replace loops that take or drop a reference on each of some consecutive
// fragments by one call.

@@
expression S;
identifier i;
@@
- for (i = 0; i < skb_shinfo(S)->nr_frags; i++)
-	skb_frag_ref(S, i);
+ skb_frags_ref(S, 0, skb_shinfo(S)->nr_frags);

@@
expression S;
identifier i, n;
@@
- for (i = 0; i < n; i++)
-	skb_frag_ref(S, i);
+ skb_frags_ref(S, 0, n);

@@
expression S;
identifier i, n;
@@
- for (i = 0; i < n; i++)
-	skb_frag_unref(S, i);
+ skb_frags_unref(S, 0, n);

@@
expression S;
identifier i, n;
@@
- for (; i < n; i++)
-	skb_frag_unref(S, i);
+ skb_frags_unref(S, i, n - i);

@@
expression P, N;
identifier i;
@@
- for (i = 0; i < N; i++)
-	__skb_frag_ref(&P->frags[i]);
+ __skb_frags_ref(P->frags, N);

@@
expression P, N, R;
identifier i;
@@
- for (i = 0; i < N; i++)
-	__skb_frag_unref(&P->frags[i], R);
+ __skb_frags_unref(P->frags, N, R);

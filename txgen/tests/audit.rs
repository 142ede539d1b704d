// SPDX-License-Identifier: GPL-2.0
//! The audit of a series on a tiny kernel, and its table in the cover letter.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]
#![expect(dead_code, reason = "tests/common is shared by the tests of all commands")]

mod common;
#[path = "common/kernel.rs"]
mod kernel;

use kernel::Kernel;

const CORE: &str = "// SPDX-License-Identifier: GPL-2.0\n#include <linux/skbuff.h>\n\n\
void skb_clone_frags(struct sk_buff *skb)\n{\n\tskb_frag_ref(skb, 0);\n}\n\n\
void skb_splice(struct sk_buff *skb)\n{\n\tget_page(skb_frag_page(skb));\n}\n";
const DRIVER: &str = "// SPDX-License-Identifier: GPL-2.0\n/* skb_frag_page() */\n\n\
int tiny_xmit(struct sk_buff *skb)\n{\n\treturn map(skb_frag_page(skb));\n}\n";
const MESSAGE: &str = "net: reference frags in ranges\n\nOne call for all of them.\n";

const RULES: &str = "[[watch]]\nnames = [\"skb_frag_ref\", \"skb_frags_ref\"]\nabout = \"references\"\n\n\
[[watch]]\nnames = [\"skb_frag_page\"]\nabout = \"by page\"\n\n\
[[rule]]\nnames = [\"skb_frag_page\"]\nfiles = [\"drivers/*\"]\nstate = \"untouched\"\n\
reason = \"maps it for the device\"\n";
const SPLICE: &str = "\n[[rule]]\nnames = [\"skb_frag_page\"]\nfunctions = [\"skb_splice\"]\nstate = \"untouched\"\n\
reason = \"copies it\"\n";

/// Series `tiny`: its patch changes the function that references frags.
fn tiny(rules: &str) -> Kernel {
    let mut kernel = Kernel::with(&[("net/core/frags.c", CORE), ("drivers/net/tiny.c", DRIVER)]);
    let changed = CORE.replace("skb_frag_ref(skb, 0)", "skb_frags_ref(skb, 0, 1)");
    kernel.patch("ranges", MESSAGE, &[("net/core/frags.c", &changed)]);
    kernel.store("");
    kernel.project.write("p/series/tiny/audit.toml", rules);
    kernel.project.write("p/series/tiny/cover.md", "Frags in ranges.\n");
    kernel
}

#[test]
fn a_place_that_nobody_classified_fails_the_audit() {
    let ran = tiny(RULES).txgen("audit", &[]).expect(1);
    insta::assert_snapshot!(ran.stdout, @r#"
                   untouched  converted  unclassified
    skb_frag_ref                      1
    skb_frags_ref                     1
    skb_frag_page          1                        1
    all                    1          2             1

    untouched

      maps it for the device
          drivers/net/tiny.c: tiny_xmit 6

    converted

      by ranges
          net/core/frags.c: skb_clone_frags 6 of the base, skb_clone_frags 6

    unclassified

          net/core/frags.c: skb_splice 11
    "#);
    let findings = ran.stderr.lines().filter(|line| !line.starts_with("search")).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(findings, @r#"
    net/core/frags.c:11: skb_splice() uses skb_frag_page: nobody classified it
    4 places, 3 uses, 1 findings
    "#);
}

#[test]
fn an_audit_that_is_complete_goes_into_the_cover_letter() {
    let kernel = tiny(&format!("{RULES}{SPLICE}"));
    let _ = kernel.txgen("audit", &[]).expect(0);
    let _ = kernel.txgen("format-series", &["--signoff", "-o", "../out"]).expect(0);
    let cover = kernel.project.read("out/0000-cover-letter.patch");
    let table = cover.split("\n---\n").nth(1).unwrap().split("\nTest Author").next().unwrap();
    insta::assert_snapshot!(table, @r#"
    Uses of frags in the tree, by what becomes of them (txgen audit):

                untouched  converted
    references                     2
    by page             2
    all                 2          2

    ranges converts skb_clone_frags
    "#);
}

#[test]
fn a_series_without_rules_has_no_audit() {
    let kernel = tiny(RULES);
    std::fs::remove_file(kernel.project.path("p/series/tiny/audit.toml")).unwrap();
    let ran = kernel.txgen("audit", &[]).expect(2);
    assert_eq!(ran.stderr, "txgen: series tiny has no file series/tiny/audit.toml\n");
}

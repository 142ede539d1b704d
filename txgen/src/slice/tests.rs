// SPDX-License-Identifier: GPL-2.0
use super::{Item, items, slice};

const FILE: &str = r#"// SPDX-License-Identifier: GPL-2.0
/*
 * What the file is about
 */

#include <linux/mm.h>
#include <net/later.h>

#define NOW	1
#define LATER	2

/* --- life --- */

/**
 * now() - here from the start
 */
int now(void)
{
	return NOW;
}
EXPORT_SYMBOL_GPL(now);

/* Comes later. */
static void __net_init later(struct net *net,
			     struct list_head *list __maybe_unused)
{
}
EXPORT_SYMBOL(later);

#ifdef CONFIG_X
static int both(void)
{
	return 1;
}

static int only_x(void) { return 2; }
#else
static inline int both(void) { return 0; }
#endif /* CONFIG_X */

static struct kmem_cache *cache __ro_after_init;
static_assert(sizeof(struct page) == 64);

struct thing {
	int a;
} __packed;

static struct kunit_case cases[] = {
	KUNIT_CASE(now),
	KUNIT_CASE(later),
	{}
};

static const struct ops ops = {
	.now	= now,
	.later	= later,
};

MODULE_LICENSE("GPL");
"#;

fn without(names: &[&str]) -> String {
    let cut = |item: &Item| names.iter().any(|name| item.names.contains(*name));
    slice(FILE).expect("it can be split").keep(|item| !cut(item))
}

#[test]
fn every_item_has_its_names() {
    let names = items(FILE).expect("it can be split");
    let names = names.iter().map(|i| format!("{:>2} {:?}", i.lines.start + 1, i.names)).collect::<Vec<_>>();
    insta::assert_snapshot!(names.join("\n"), @r#"
     1 {}
     6 {"<linux/mm.h>"}
     7 {"<net/later.h>"}
     9 {"NOW"}
    10 {"LATER"}
    12 {"EXPORT_SYMBOL_GPL", "EXPORT_SYMBOL_GPL(now)", "now"}
    23 {"EXPORT_SYMBOL", "EXPORT_SYMBOL(later)", "__net_init", "later"}
    31 {"both"}
    36 {"only_x"}
    38 {"both"}
    41 {"__ro_after_init", "cache"}
    42 {"static_assert", "static_assert(sizeof(struct page) == 64)"}
    44 {"__packed", "thing"}
    48 {"cases"}
    54 {"ops"}
    59 {"MODULE_LICENSE", "MODULE_LICENSE(\"GPL\")"}
    "#);
}

#[test]
fn a_function_is_cut_with_its_comment_its_export_and_its_table_entries() {
    insta::assert_snapshot!(without(&["later", "LATER", "<net/later.h>"]), @r#"
    // SPDX-License-Identifier: GPL-2.0
    /*
     * What the file is about
     */

    #include <linux/mm.h>

    #define NOW	1

    /* --- life --- */

    /**
     * now() - here from the start
     */
    int now(void)
    {
    	return NOW;
    }
    EXPORT_SYMBOL_GPL(now);

    #ifdef CONFIG_X
    static int both(void)
    {
    	return 1;
    }

    static int only_x(void) { return 2; }
    #else
    static inline int both(void) { return 0; }
    #endif /* CONFIG_X */

    static struct kmem_cache *cache __ro_after_init;
    static_assert(sizeof(struct page) == 64);

    struct thing {
    	int a;
    } __packed;

    static struct kunit_case cases[] = {
    	KUNIT_CASE(now),
    	{}
    };

    static const struct ops ops = {
    	.now	= now,
    };

    MODULE_LICENSE("GPL");
    "#);
}

#[test]
fn a_block_goes_with_the_last_item_in_it() {
    let text = without(&["both"]);
    assert!(text.contains("#ifdef CONFIG_X\nstatic int only_x(void) { return 2; }\n#endif /* CONFIG_X */\n"), "{text}");
    let text = without(&["both", "only_x"]);
    assert!(text.contains("EXPORT_SYMBOL(later);\n\nstatic struct kmem_cache"), "{text}");
}

#[test]
fn a_header_guard_is_kept_around_whatever_is_left() {
    let text = "/* SPDX */\n#ifndef A_H\n#define A_H\n\n#include <x.h>\n\nint f(void);\n\nint g(void);\n\n#endif\n";
    let kept = slice(text).expect("it can be split").keep(|item| !item.names.contains("g"));
    assert_eq!(kept, "/* SPDX */\n#ifndef A_H\n#define A_H\n\n#include <x.h>\n\nint f(void);\n\n#endif\n");
}

#[test]
fn a_file_with_every_item_is_the_file() {
    assert_eq!(without(&[]), FILE);
}

proptest::proptest! {
    #[test]
    fn any_choice_of_items_leaves_no_double_blank_lines_and_only_whole_lines(picks in proptest::collection::vec(proptest::bool::ANY, 24)) {
        let sliced = slice(FILE).expect("it can be split");
        let all = sliced.items().into_iter().map(|i| i.lines.start).collect::<Vec<_>>();
        let text = sliced.keep(|item| {
            let index = all.iter().position(|start| *start == item.lines.start).unwrap_or(0);
            item.names.is_empty() || picks[index % picks.len()]
        });
        proptest::prop_assert!(!text.contains("\n\n\n"), "{}", text);
        proptest::prop_assert!(text.lines().all(|line| FILE.lines().any(|l| l == line)));
        proptest::prop_assert_eq!(text.matches("#if").count(), text.matches("#endif").count());
    }
}

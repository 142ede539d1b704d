// SPDX-License-Identifier: GPL-2.0

use proptest::prelude::*;

use super::{Merged, Sides, merge};
use crate::git::lines::Labels;

fn labels() -> Labels {
    Labels { base: "old base".to_owned(), ours: "new base".to_owned(), theirs: "patch".to_owned() }
}

fn run(base: impl AsRef<[u8]>, ours: impl AsRef<[u8]>, theirs: impl AsRef<[u8]>) -> Merged {
    let sides = Sides { base: base.as_ref(), ours: ours.as_ref(), theirs: theirs.as_ref() };
    merge("a.c", sides, &labels(), &[]).unwrap()
}

fn text(merged: &Merged) -> String {
    String::from_utf8(merged.bytes.clone()).unwrap()
}

fn why(merged: &Merged) -> &'static str {
    merged.conflicts().next().unwrap().clash.unwrap()
}

const BASE: &str = "#include <linux/mm.h>

struct one {
	int a;
};

/* Says one. */
int one(void)
{
	int x = 0;

	return x + 1;
}
EXPORT_SYMBOL(one);

#ifdef CONFIG_TWO
int two(void)
{
	return 2;
}
#endif

int three(void)
{
	return 3;
}
";

#[test]
fn neighbouring_items_changed_on_both_sides_merge() {
    let ours = BASE.replace("#endif\n\nint three", "#endif\n\nlong three");
    let theirs = BASE.replace("	return 2;\n}\n#endif", "	return 22;\n}\n#endif /* CONFIG_TWO */");
    let merged = run(BASE, &ours, &theirs);
    assert_eq!(merged.conflicts().count(), 0);
    assert_eq!(text(&merged), theirs.replace("int three", "long three"));
}

#[test]
fn an_item_that_moved_takes_its_change_along() {
    let three = "int three(void)\n{\n	return 3;\n}\n";
    let ours = BASE.replace(&format!("\n{three}"), "").replace("/* Says", &format!("{three}\n/* Says"));
    let theirs = BASE.replace("return 3;", "return 33;");
    let merged = run(BASE, &ours, &theirs);
    assert_eq!((merged.conflicts().count(), text(&merged)), (0, ours.replace("return 3;", "return 33;")));
}

#[test]
fn a_function_that_was_renamed_takes_its_change_along() {
    let ours = BASE.replace("int one(void)", "int first(void)").replace("(one)", "(first)");
    let theirs = BASE.replace("x = 0", "x = 7");
    let merged = run(BASE, &ours, &theirs);
    assert_eq!((merged.conflicts().count(), text(&merged)), (0, ours.replace("x = 0", "x = 7")));
    assert_eq!(merged.touched[0].item, "one");
}

#[test]
fn a_condition_that_changed_keeps_what_it_guards() {
    let ours = BASE.replace("#ifdef CONFIG_TWO", "#if IS_ENABLED(CONFIG_TWO)");
    let theirs = BASE.replace("return 2;", "return 22;");
    let merged = run(BASE, &ours, &theirs);
    assert_eq!((merged.conflicts().count(), text(&merged)), (0, ours.replace("return 2;", "return 22;")));
}

#[test]
fn additions_at_one_place_stand_side_by_side() {
    let add = |name: &str| BASE.replace("/* Says", &format!("int {name}(void)\n{{\n	return 0;\n}}\n\n/* Says"));
    let (ours, theirs) = (add("left"), add("added"));
    let merged = run(BASE, &ours, &theirs);
    assert_eq!(merged.conflicts().count(), 0);
    let both = "int added(void)\n{\n	return 0;\n}\n\nint left(void)\n{\n	return 0;\n}\n\n/* Says";
    assert_eq!(text(&merged), BASE.replace("/* Says", both));
    assert_eq!(merged, run(BASE, &theirs, &ours));
}

#[test]
fn a_change_of_what_was_removed_is_a_conflict_with_all_three_versions() {
    let ours = BASE.replace("\nint three(void)\n{\n	return 3;\n}\n", "");
    let theirs = BASE.replace("return 3;", "return 33;");
    let merged = run(BASE, &ours, &theirs);
    assert_eq!(why(&merged), "one side removes what the other changes");
    insta::assert_snapshot!(text(&merged).split_once("#endif\n").unwrap().1, @r"
    <<<<<<< new base
    ||||||| old base
    int three(void)
    {
    	return 3;
    }
    =======
    int three(void)
    {
    	return 33;
    }
    >>>>>>> patch
    ");
}

#[test]
fn fields_added_at_two_ends_of_a_struct_stop() {
    let body = "struct one {\n	int a;\n	int b;\n	int c;\n	int d;\n};\n";
    let (ours, theirs) = (body.replace("int a;", "int a, e;"), body.replace("int d;", "int d, f;"));
    let merged = run(body, &ours, &theirs);
    assert_eq!(merged.touched[0].item, "one");
    assert_eq!(why(&merged), "both sides change the body of a type, whose order is an interface");
    assert_eq!(run(body, &ours, &ours).touched, []);
}

#[test]
fn a_file_that_is_no_c_is_merged_by_lines_and_that_is_said() {
    let base = "int one(void)\n{{{{ ) ( ]\n\tif x then\n\tyes\n\tno\n\tmaybe\n\tfi\n}\n}\n";
    let (ours, theirs) = (base.replace("yes", "Yes"), base.replace("maybe", "Maybe"));
    let merged = run(base, &ours, &theirs);
    assert_eq!(text(&merged), ours.replace("maybe", "Maybe"));
    assert!(merged.by_lines.unwrap().starts_with("old base: line"));
    let body = "struct one {\n\tint a;\n\n\n\n\tint b;\n};\n";
    let base = format!("{base}{body}");
    let merged = run(&base, base.replace("int a;", "int aa;"), base.replace("int b;", "int bb;"));
    assert_eq!(why(&merged), "both sides change the body of a type, whose order is an interface");
}

#[test]
fn other_line_ends_and_other_encodings_survive() {
    let crlf = BASE.replace('\n', "\r\n");
    let theirs = BASE.replace("return 3;", "return 33;");
    assert_eq!(text(&run(BASE, &crlf, &theirs)), theirs.replace('\n', "\r\n"));
    let latin = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<_>>();
    let base = BASE.replace("Says one", "J\u{f6}rg says one");
    let (ours, theirs) = (base.replace("return 2;", "return 22;"), base.replace("return 3;", "return 33;"));
    let merged = run(latin(&base), latin(&ours), latin(&theirs));
    assert_eq!(merged.bytes, latin(&ours.replace("return 3;", "return 33;")));
    let open = BASE.trim_end();
    let merged = run(open, open.replace("return 2;", "return 22;"), open.replace("return 3;", "return 33;"));
    assert_eq!(text(&merged), open.replace("return 2;", "return 22;").replace("return 3;", "return 33;"));
}

/// Function, line of it, and what it becomes.
type Edit = (usize, usize, u32);

/// Functions with a body of some statements each, by whose index edits are made.
fn source(functions: usize, edits: &[Edit]) -> String {
    let mut text = String::from("#include <linux/mm.h>\n");
    for f in 0..functions {
        text += &format!("\nint fn_{f}(int a)\n{{\n");
        for line in 0..5 {
            let edit = edits.iter().rev().find(|(g, l, _)| (*g, *l) == (f, line));
            text += &format!("\ta += {};\n", edit.map_or(line.to_string(), |(_, _, value)| format!("1{value}")));
        }
        text += "\treturn a;\n}\n";
    }
    text
}

/// Edits of distinct functions: each function's lines go to one side or to the other.
fn edits(functions: usize) -> impl Strategy<Value = (Vec<Edit>, Vec<Edit>)> {
    let one = (0..functions, 0..5_usize, 100..1000_u32);
    proptest::collection::vec(one, 1..20).prop_map(|all| all.into_iter().partition(|(f, ..)| f % 2 == 0))
}

proptest! {
    #[test]
    fn edits_of_distinct_functions_merge_to_the_same_bytes_in_both_orders((left, right) in edits(8)) {
        let (base, ours, theirs) = (source(8, &[]), source(8, &left), source(8, &right));
        let merged = run(&base, &ours, &theirs);
        prop_assert_eq!(merged.conflicts().count(), 0);
        prop_assert_eq!(text(&merged), source(8, &[left, right].concat()));
        prop_assert_eq!(merged.bytes, run(&base, &theirs, &ours).bytes);
    }

    #[test]
    fn different_edits_of_one_line_are_a_conflict(f in 0..8_usize, line in 0..5_usize, value in 100..1000_u32) {
        let (ours, theirs) = (source(8, &[(f, line, value)]), source(8, &[(f, line, value + 1)]));
        let merged = run(source(8, &[]), ours, theirs);
        prop_assert_eq!(why(&merged), "both sides change the same lines");
        prop_assert_eq!(&merged.touched[0].item, &format!("fn_{f}"));
        prop_assert!(crate::git::lines::first_marker(&merged.bytes).is_some());
    }

    #[test]
    fn a_type_changed_on_both_sides_always_stops(kind in 0..3_usize, a in 0..9_usize, b in 0..9_usize) {
        let kind = ["struct", "union", "enum"][kind];
        let end = if kind == "enum" { "," } else { ";" };
        let word = if kind == "enum" { "" } else { "int " };
        let body = |edit: Option<(usize, &str)>| {
            let field = |i: usize| edit.filter(|(at, _)| *at == i).map_or(format!("F{i}"), |(_, s)| format!("F{i}{s}"));
            let fields = (0..9).map(|i| format!("\t{word}{}{end}\n", field(i))).collect::<String>();
            format!("{kind} thing {{\n{fields}}};\n\nint f(void)\n{{\n\treturn 0;\n}}\n")
        };
        let merged = run(body(None), body(Some((a, "_LEFT"))), body(Some((b, "_RIGHT"))));
        prop_assert_eq!(merged.conflicts().count(), 1);
        prop_assert_eq!(&merged.touched[0].item, "thing");
    }
}

/// Files of the kernel overlay that have enough functions and types to edit.
const REAL: [&str; 3] = [
    include_str!("../../../kernel-overlay/net/core/txbuf.c"),
    include_str!("../../../kernel-overlay/net/core/tests/txbuf_model.c"),
    include_str!("../../../kernel-overlay/include/net/txbuf/helpers.h"),
];

/// `text` with a line more in the body of each item of `within`, and a new function after each item of `after`.
fn edited(text: &str, within: &[usize], after: &[usize]) -> String {
    let [pieces] = super::split::split([text]).map(Result::unwrap);
    let mut out = String::new();
    for (i, piece) in pieces.iter().enumerate() {
        out += piece.gap;
        match piece.text.rfind("\n}").filter(|_| within.contains(&i)) {
            Some(at) => out += &format!("{}\n\t/* line {i} */{}", &piece.text[..at], &piece.text[at..]),
            None => out += piece.text,
        }
        if after.contains(&i) {
            out += &format!("\nint added_{i}(void)\n{{\n\treturn {i};\n}}\n");
        }
    }
    out
}

proptest! {
    #[test]
    fn random_edits_of_distinct_items_of_kernel_files_merge(file in 0..3_usize, picks in proptest::collection::vec(0..4_u8, 400)) {
        let base = REAL[file];
        let [pieces] = super::split::split([base]).map(Result::unwrap);
        let of = |kind: u8| -> Vec<usize> {
            (0..pieces.len()).filter(|i| picks[*i] == kind && pieces[*i].text.contains("\n}")).collect()
        };
        let (ours, theirs) = (edited(base, &of(0), &of(1)), edited(base, &of(2), &of(3)));
        let merged = run(base, &ours, &theirs);
        prop_assert_eq!(merged.conflicts().count(), 0);
        prop_assert_eq!(&merged.by_lines, &None);
        prop_assert_eq!(text(&merged), edited(base, &[of(0), of(2)].concat(), &[of(1), of(3)].concat()));
        prop_assert_eq!(merged.bytes, run(base, &theirs, &ours).bytes);
    }
}

#[test]
fn a_function_of_300_kilobytes_merges() {
    let lines = (0..20_000).map(|i| format!("\ta[{i}] = {i};\n")).collect::<String>();
    let base = format!("void big(int *a)\n{{\n{lines}}}\n");
    assert!(base.len() > 300_000);
    let (ours, theirs) = (base.replace("a[7] = 7;", "a[7] = 8;"), base.replace("a[19000] = ", "a[19000] += "));
    let merged = run(&base, &ours, &theirs);
    assert_eq!((merged.conflicts().count(), text(&merged)), (0, ours.replace("a[19000] = ", "a[19000] += ")));
}

// SPDX-License-Identifier: GPL-2.0
//! What is a use and what is not, and in which function it is.

use super::{Name, Role, functions, uses};

fn name(word: &str, role: Role) -> Name {
    Name { word: word.to_owned(), role, beside: Vec::new() }
}

fn found(text: &str, names: &[Name]) -> Vec<String> {
    let uses = uses(text, names).unwrap();
    uses.iter().map(|u| format!("{}:{} {}", u.line, u.function, names[u.name].word)).collect()
}

fn calls(text: &str) -> Vec<String> {
    found(text, &[name("ref", Role::Call)])
}

#[test]
fn a_call_and_a_function_pointer_are_uses() {
    let text = "int f(void)\n{\n\tref(1);\n\treturn call(ref) + g(ref(2));\n}\nstatic struct ops o = { .r = ref };\n";
    assert_eq!(calls(text), ["3:f ref", "4:f ref", "4:f ref", "6: ref"]);
}

#[test]
fn talk_declarations_definitions_and_exports_are_none() {
    let text = "/* ref(1) */\nvoid ref(int a);\nvoid ref(int a)\n{\n\tpr_info(\"ref(%d)\", a.ref);\n}\n\
                EXPORT_SYMBOL_GPL(ref);\n#define ref(x) __ref(x)\n#ifdef ref\n#endif\nint refs(void) { return xref(1); }\n";
    assert_eq!(calls(text), Vec::<String>::new());
}

#[test]
fn a_macro_hides_no_use() {
    let text = "#define EACH(x)\t\\\n\tdo {\t\\\n\t\tref(x);\t\\\n\t} while (0)\n";
    assert_eq!(calls(text), ["3:EACH ref"]);
}

#[test]
fn code_that_does_not_parse_hides_no_use() {
    let text = "static int before(void)\n{\n\treturn 0;\n}\n\nstatic ATTR(x) int odd(struct a *b)\n{\n\
                \tsave(b) {\n\t\tref(b);\n\t} restore(b);\n\tscoped_guard(x, &b) {\n\t\tref(2);\n\t}\n\
                #ifdef A\n\tif (b) {\n#else\n\tif (!b) {\n#endif\n\t\tref(3);\n\t}\n}\n";
    assert_eq!(calls(text), ["9:odd ref", "12:odd ref", "19:odd ref"]);
}

#[test]
fn a_function_is_told_by_its_layout_where_the_parser_is_lost() {
    let text = "#ifdef A\nint odd(int a)\n{\n\tif (a) {\n#else\nint odd(void)\n{\n\t{\n#endif\n\t\tref(1);\n\t}\n}\n\n\
                static int __must_check\nnext(int a) __must_hold(lock)\n{\n\tref(a);\n}\n";
    assert_eq!(calls(text), ["10:odd ref", "17:next ref"]);
}

#[test]
fn a_function_that_a_macro_defines_goes_by_its_own_name() {
    let text = "BPF_CALL_4(bpf_push, struct a *, b, u32, c)\n{\n\tref(b);\n}\n#define EACH(X) ref(X)\n\
                TRACE_EVENT(seen,\n\tTP_fast_assign(\n\t\ta = ref(b);\n\t),\n\tTP_printk(\"(%d\", ref(c)));\n\
                static int x = ref(2);\n";
    assert_eq!(calls(text), ["3:bpf_push ref", "5:EACH ref", "8:seen ref", "10:seen ref", "11: ref"]);
}

#[test]
fn a_member_counts_by_the_name_of_its_object() {
    let text = "int f(void)\n{\n\ta = s->frags[i].netmem;\n\tb = (*frag).netmem + frag->netmem;\n\
                \tc = frag_page->netmem;\n\td = netmem;\n}\n";
    let role = Role::MemberOf(vec!["frag".to_owned(), "frags".to_owned()]);
    assert_eq!(found(text, &[name("netmem", role)]), ["3:f netmem", "4:f netmem", "4:f netmem"]);
}

#[test]
fn a_cast_counts_by_what_is_cast() {
    let text = "int f(void)\n{\n\tg((const struct bio_vec *)info(skb)->frags, 1);\n\
                \th = (struct bio_vec *)x;\n\tstruct bio_vec frags;\n}\n";
    assert_eq!(found(text, &[name("bio_vec", Role::CastOf(vec!["frags".to_owned()]))]), ["3:f bio_vec"]);
}

#[test]
fn a_name_may_count_only_in_functions_that_mention_another() {
    let text = "int f(void)\n{\n\tput(skb->frags);\n}\nint g(void)\n{\n\tput(page);\n}\n";
    let put = Name { beside: vec!["frags".to_owned()], ..name("put", Role::Call) };
    assert_eq!(found(text, &[put]), ["3:f put"]);
}

#[test]
fn functions_that_are_there_twice_are_told_as_one() {
    let text = "#define M 1\n#ifdef A\nint f(void) { return 1; }\n#else\nint *f(void) { return 0; }\n#endif\n";
    let all = functions(text).unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), ["M", "f"]);
    assert_eq!(all["f"], "int f(void) { return 1; }int *f(void) { return 0; }");
}

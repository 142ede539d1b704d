// SPDX-License-Identifier: GPL-2.0
//! `txgen generate` on a copy of the project's design and templates.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::TestProject;

const HEADER: &str = "p/kernel-overlay/include/net/txbuf/types.h";
const MSG_HEADER: &str = "p/kernel-overlay/include/net/txbuf/msg-types.h";
const RUST: &str = "p/kernel-overlay/rust/kernel/net/txbuf/types.rs";
const TABLES: &str = "p/kernel-overlay/Documentation/networking/txbuf-structs.rst";
const MSG_TABLES: &str = "p/kernel-overlay/Documentation/networking/txmsg-structs.rst";
const LAYOUT_TEST: &str = "p/kernel-overlay/net/core/tests/txmsg_layout_test.c";
const DESIGN: &str = "p/txgen/src/design.rs";
const MSG_DESIGN: &str = "p/txgen/src/design/msg.rs";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A project with the designs and the templates of this one, and nothing rendered yet.
fn project() -> TestProject {
    let project = TestProject::new("");
    let copy = |name: &str| project.write(&format!("p/{name}"), &fs::read_to_string(root().join(name)).unwrap());
    copy("txgen/src/design.rs");
    copy("txgen/src/design/msg.rs");
    for entry in fs::read_dir(root().join("templates")).unwrap() {
        copy(&format!("templates/{}", entry.unwrap().file_name().to_str().unwrap()));
    }
    project
}

/// Replaces `from`, which has to be there, in a file of the project.
fn edit(project: &TestProject, file: &str, from: &str, to: &str) {
    let text = project.read(file);
    assert!(text.contains(from), "{file} lacks {from}");
    project.write(file, &text.replace(from, to));
}

/// A project whose generated files are up to date.
fn rendered() -> TestProject {
    let project = project();
    let ran = project.txgen(&["generate"]).expect(0);
    assert!(ran.stdout.ends_with("6 of 6 generated files were stale\n"), "{}", ran.stdout);
    project
}

fn nothing_rendered(project: &TestProject) {
    for file in ["p/kernel-overlay", "p/generated"] {
        assert!(!project.path(file).exists(), "{file} was written");
    }
}

fn line_of(text: &str, part: &str) -> usize {
    text.lines().position(|line| line.contains(part)).unwrap() + 1
}

#[test]
fn committed_files_are_those_that_the_design_gives() {
    let project = TestProject::new("");
    let ran = project.txgen(&["--project", root().to_str().unwrap(), "generate", "--check"]).expect(0);
    assert_eq!(ran.stdout, "all 6 generated files are up to date\n");
}

#[test]
fn stale_files_are_written_and_named_once() {
    let project = project();
    let ran = project.txgen(&["generate"]).expect(0);
    insta::assert_snapshot!(ran.stdout, @r"
    wrote kernel-overlay/include/net/txbuf/types.h
    wrote kernel-overlay/Documentation/networking/txbuf-structs.rst
    wrote kernel-overlay/include/net/txbuf/msg-types.h
    wrote kernel-overlay/Documentation/networking/txmsg-structs.rst
    wrote kernel-overlay/rust/kernel/net/txbuf/types.rs
    wrote kernel-overlay/net/core/tests/txmsg_layout_test.c
    6 of 6 generated files were stale
    ");
    for file in [HEADER, MSG_HEADER, RUST, TABLES, MSG_TABLES, LAYOUT_TEST] {
        let committed = root().join(file.strip_prefix("p/").unwrap());
        assert_eq!(project.read(file), fs::read_to_string(committed).unwrap());
    }
    assert_eq!(project.txgen(&["generate"]).expect(0).stdout, "all 6 generated files are up to date\n");
}

#[test]
fn check_shows_the_diff_and_writes_nothing() {
    let project = rendered();
    edit(&project, HEADER, "#define NET_TXBUF_SIZE\t512", "#define NET_TXBUF_SIZE\t1024");
    let stale = project.read(HEADER);
    let ran = project.txgen(&["generate", "--check"]).expect(1);
    insta::assert_snapshot!(ran.stdout, @r"
    --- a/kernel-overlay/include/net/txbuf/types.h
    +++ b/kernel-overlay/include/net/txbuf/types.h
    @@ -16,7 +16,7 @@
      * the txbuf that the slot belongs to.
      */
     #ifdef CONFIG_64BIT
    -#define NET_TXBUF_SIZE	1024
    +#define NET_TXBUF_SIZE	512
     #else
     #define NET_TXBUF_SIZE	256
     #endif
    1 of 6 generated files stale: run `txgen generate`
    ");
    assert_eq!(project.read(HEADER), stale);
}

#[test]
fn diff_that_check_shows_makes_git_write_the_missing_files() {
    let project = project();
    let diff = project.txgen(&["generate", "--check"]).expect(1).stdout;
    nothing_rendered(&project);
    project.write("p/stale.diff", &diff);
    project.git("p", &["apply", "stale.diff"]);
    let ran = project.txgen(&["generate", "--check"]).expect(0);
    assert_eq!(ran.stdout, "all 6 generated files are up to date\n");
}

#[test]
fn json_tells_what_became_of_each_file() {
    let project = rendered();
    fs::remove_file(project.path(RUST)).unwrap();
    edit(&project, HEADER, "#define NET_TXBUF_SIZE\t512", "#define NET_TXBUF_SIZE\t1024");
    let states = |args: &[&str], code| {
        let out = project.txgen(args).expect(code).stdout;
        let files: serde_json::Value = serde_json::from_str(&out).unwrap();
        let state =
            |file: &serde_json::Value| format!("{} {}", file["state"].as_str().unwrap(), file["diff"].is_string());
        files.as_array().unwrap().iter().map(state).collect::<Vec<_>>()
    };
    assert_eq!(
        states(&["generate", "--check", "--json"], 1),
        ["stale true", "fresh false", "fresh false", "fresh false", "missing true", "fresh false"]
    );
    assert_eq!(
        states(&["generate", "--json"], 0),
        ["written false", "fresh false", "fresh false", "fresh false", "written false", "fresh false"]
    );
}

/// What a new field of each struct adds: to which file, what, and the text.
const NEW_FIELDS: [(&str, &str, &str); 22] = [
    (HEADER, "kernel-doc", "\n * @hops: unused;"),
    (HEADER, "member", "\n\tu8 flags;\n\tu8 hops;\n\tu8 spare;\n"),
    (HEADER, "assertion", "\nstatic_assert(offsetof(struct net_txbuf, spare) == 43);\n"),
    (MSG_HEADER, "kernel-doc", "\n * @cookie: for use by the sender\n"),
    (MSG_HEADER, "member", "\n\tunsigned long state;\n\tsize_t cookie;\n\tstruct work_struct work;\n"),
    (MSG_HEADER, "assertion", "\nstatic_assert(offsetof(struct net_txmsg, work) == 48);\n"),
    (RUST, "field", "\n    pub hops: u8,\n    /// What is left.\n    pub spare: u8,\n"),
    (RUST, "assertion", "\nconst _: () = assert!(offset_of!(NetTxbuf, spare) == 43);\n"),
    (RUST, "bindgen", "assert!(offset_of!(NetTxbuf, hops) == offset_of!(bindings::net_txbuf, hops));\n"),
    (RUST, "field", "\n    /// For use by the sender.\n    pub cookie: usize,\n"),
    (RUST, "assertion", "\nconst _: () = assert!(offset_of!(NetTxmsg, work) == 48);\n"),
    (RUST, "bindgen", "assert!(offset_of!(NetTxmsg, cookie) == offset_of!(bindings::net_txmsg, cookie));\n"),
    (TABLES, "row", "\n   * - ``u8 hops``\n     - 42\n     - 26\n     - Unused;"),
    (TABLES, "diagram", "\n    40 | type  | flags | hops  | spare |"),
    (MSG_TABLES, "row", "\n   * - ``size_t cookie``\n     - 40\n     - 24\n     - For use by the sender.\n"),
    (MSG_TABLES, "diagram", "\n    40 | cookie "),
    (LAYOUT_TEST, "offset", "\n\tFIGURE(offsetof(struct net_txbuf, hops), 42, 26),\n"),
    (LAYOUT_TEST, "size", "\n\tFIGURE(sizeof_field(struct net_txbuf, hops), 1, 1),\n"),
    (LAYOUT_TEST, "size of all", "\n\tFIGURE(sizeof(struct net_txbuf), 48, 28),\n"),
    (LAYOUT_TEST, "offset", "\n\tFIGURE(offsetof(struct net_txmsg, cookie), 40, 24),\n"),
    (LAYOUT_TEST, "size", "\n\tFIGURE(sizeof_field(struct net_txmsg, cookie), 8, 4),\n"),
    (
        LAYOUT_TEST,
        "size of all",
        "\n\tFIGURE(sizeof(struct net_txmsg),\n\t       80 + sizeof(struct lockdep_map),\n\t       44 + sizeof(struct lockdep_map)),\n",
    ),
];

#[test]
fn new_field_of_each_struct_turns_up_in_all_that_is_generated() {
    let project = project();
    let two = "    pub hops: u8,\n    /// What is left.\n    pub spare: u8,\n";
    edit(&project, DESIGN, "    pub spare: u16,\n", two);
    edit(&project, DESIGN, "offset_of!(net_txbuf, spare) == 42", "offset_of!(net_txbuf, spare) == 43");
    let state = "    pub state: c_ulong,\n";
    edit(&project, MSG_DESIGN, state, &format!("{state}    /// For use by the sender.\n    pub cookie: usize,\n"));
    edit(&project, MSG_DESIGN, "offset_of!(net_txmsg, work) == 40", "offset_of!(net_txmsg, work) == 48");
    let ran = project.txgen(&["generate"]).expect(0);
    assert!(ran.stdout.ends_with("6 of 6 generated files were stale\n"), "{}", ran.stdout);
    let missing = NEW_FIELDS.iter().filter(|(file, _, text)| !project.read(file).contains(text));
    let missing: Vec<_> = missing.map(|(file, what, text)| format!("{file}: {what}: {text}")).collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn unknown_type_in_the_design_is_refused_with_its_place() {
    let project = project();
    edit(&project, DESIGN, "pub spare: u16,", "pub spare: spinlock_t,");
    let line = line_of(&project.read(DESIGN), "spinlock_t");
    let ran = project.txgen(&["generate"]).expect(2);
    let known = "bool, u8, u16, u32, i32, usize, c_ulong, bio_vec, page, refcount_t, ubuf_info, work_struct, \
                 workqueue_struct";
    let expected =
        format!("txgen: txgen/src/design.rs:{line}:16: the model does not know type `spinlock_t`; it knows {known}\n");
    assert_eq!(ran.stderr, expected);
    nothing_rendered(&project);
}

#[test]
fn false_layout_promise_is_refused_with_its_line() {
    let project = project();
    edit(&project, DESIGN, "offset_of!(net_txbuf, ops) == 24", "offset_of!(net_txbuf, ops) == 32");
    let line = line_of(&project.read(DESIGN), "offset_of!(net_txbuf, ops) == 32");
    let ran = project.txgen(&["generate"]).expect(2);
    let expected = "this layout promise is false on 64-bit: it says 24 == 32";
    assert_eq!(ran.stderr, format!("txgen: txgen/src/design.rs:{line}: {expected}\n"));
    nothing_rendered(&project);
}

#[test]
fn promise_that_is_false_on_32_bit_only_is_refused() {
    let project = project();
    edit(&project, DESIGN, "NET_TXBUF_MAX_SLOTS: usize = 19", "NET_TXBUF_MAX_SLOTS: usize = 20");
    let ran = project.txgen(&["generate", "--check"]).expect(2);
    let line = line_of(&project.read(DESIGN), "/// The slots fill the txbuf.") + 1;
    let expected = "this layout promise is false on 32-bit: it says 19 == 20";
    assert_eq!(ran.stderr, format!("txgen: txgen/src/design.rs:{line}: {expected}\n"));
}

#[test]
fn template_with_an_undefined_name_or_bad_syntax_is_refused_with_its_line() {
    let template = "p/templates/txbuf-structs.rst.tera";
    let cases = [
        ("{{ line }}", "{{ lime }}", "{{ lime }}", "`lime` is not defined"),
        ("{{ rule.id }}", "{{ rule.number }}", "{{ rule.number }}", "number"),
        ("in rule.lines %}", "in rule.lies %}", "in rule.lies", "Iteration not possible on type `undefined`"),
        ("{{ rule.id }}", "{% fi rule %}", "{% fi rule", ""),
        (
            "{{ rule.id }}",
            "{% if loop.first == \"a.b\" %}{{ rule.no }}{% else %}{{ rule.no }}{% endif %}",
            "loop.first",
            "no",
        ),
        ("{% for rule in rules -%}", "{% for rule in ruled -%}", "{% for rule in ruled", "`ruled` is not defined"),
        ("{{ rule.id }}", "{% if missing %}x{% endif %}", "{% if missing", "`missing` is not defined"),
        ("{{ rule.id }}", "{% if rule.missing %}x{% endif %}", "{% if rule.missing", "condition on `rule.missing`"),
    ];
    for (from, to, part, message) in cases {
        let project = project();
        edit(&project, template, from, to);
        let line = line_of(&project.read(template), part);
        let ran = project.txgen(&["generate"]).expect(2);
        let place = format!("txgen: templates/txbuf-structs.rst.tera:{line}:");
        assert!(ran.stderr.starts_with(&place) && ran.stderr.contains(message), "{to}: {}", ran.stderr);
        nothing_rendered(&project);
    }
}

#[test]
fn missing_design_and_missing_templates_are_named() {
    let project = project();
    fs::remove_file(project.path(DESIGN)).unwrap();
    let ran = project.txgen(&["generate"]).expect(2);
    assert!(ran.stderr.contains("read ") && ran.stderr.contains("txgen/src/design.rs: No such file"), "{}", ran.stderr);
    let project = self::project();
    fs::remove_file(project.path("p/templates/txbuf-types.h.tera")).unwrap();
    let ran = project.txgen(&["generate"]).expect(2);
    assert!(ran.stderr.contains("Template 'txbuf-types.h.tera' not found"), "{}", ran.stderr);
    nothing_rendered(&project);
}

#[test]
fn file_that_can_not_be_written_leaves_the_others_unwritten() {
    let project = project();
    project.write("p/kernel-overlay/Documentation/networking", "a file where a folder should be\n");
    let ran = project.txgen(&["generate"]).expect(2);
    assert!(ran.stderr.contains("kernel-overlay/Documentation/networking"), "{}", ran.stderr);
    assert!(!project.path(HEADER).exists() && !project.path(RUST).exists());
}

#[test]
fn it_writes_through_no_link_and_waits_for_no_pipe() {
    let project = project();
    project.txgen(&["generate"]).expect(0);
    fs::remove_file(project.path(HEADER)).unwrap();
    nix::unistd::mkfifo(&project.path(HEADER), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let said = project.txgen(&["generate"]).expect(2).stderr;
    let what = "is a named pipe: a project has plain files only";
    assert_eq!(said, format!("txgen: kernel-overlay/include/net/txbuf/types.h {what}\n"));
    fs::remove_file(project.path(HEADER)).unwrap();
    fs::rename(project.path("p/kernel-overlay"), project.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(project.path("elsewhere"), project.path("p/kernel-overlay")).unwrap();
    let said = project.txgen(&["generate"]).expect(2).stderr;
    assert!(said.starts_with("txgen: kernel-overlay is a symbolic link: "), "{said}");
    assert!(!project.path("elsewhere/include/net/txbuf/types.h").exists());
}

// SPDX-License-Identifier: GPL-2.0
//! What mails say of their series beside the patches, and mails of txgen's own that come back.

use super::clone::{OTHER, STAT, body, content, forget, import, mail, project};
use super::common::TestProject;
use super::kernel::{Kernel, SKBUFF};

const CHANGELOG: &str = "
[[changelog]]
version = 2
changes = [\"take more bytes,\\nas asked\", \"rebase\"]

[[changelog]]
version = 2
patch = \"second\"
changes = [\"count from one\"]
";

fn kernel() -> Kernel {
    let mut kernel = Kernel::new();
    let second = format!("{SKBUFF}\nint skb_second(struct sk_buff *skb)\n{{\n\treturn skb->first + 1;\n}}\n");
    kernel.patch("second", "net: tell the second byte\n\nFrom here on.\n", &[("net/core/skbuff.c", &second)]);
    kernel.patch("third", "net: tell the third byte\n\nWhy.\n", &[("net/core/third.c", "int third;\n")]);
    kernel.store("");
    let toml = kernel.project.read("p/series/tiny/series.toml").replace("version = 1", "version = 2");
    kernel.project.write("p/series/tiny/series.toml", &format!("{toml}{CHANGELOG}"));
    kernel
        .project
        .write("p/series/tiny/cover.md", "net: tell more bytes\n\nWhy, and\n\n    an example\n\n---\nThanks.\n");
    kernel
        .project
        .write("p/series/tiny/third.msg", "net: tell the third byte\n\nWhy.\n---\nA note,\n\n | with | a table |\n");
    kernel
}

/// The mails that were written, without what is of another day.
fn mails(project: &TestProject, name: &str) -> String {
    let folder = project.path(&format!("p/out/{name}"));
    let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    files.sort();
    let text = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect::<String>();
    let is_dated = |line: &&str| {
        let headers = ["Date: ", "Message-ID: ", "In-Reply-To: ", "References: ", "X-B4-Tracking: ", " "];
        !headers.iter().any(|header| line.starts_with(header))
    };
    // The tracking of b4 goes on over several lines, as do the diffstat and the files, which are compared below.
    text.lines().filter(is_dated).map(|line| format!("{line}\n")).collect()
}

fn import_as(kernel: &Kernel, source: &str) {
    let root = kernel.txgen_project().root;
    for folder in ["series/tiny", "kernel-overlay"] {
        std::fs::remove_dir_all(root.join(folder)).unwrap();
    }
    kernel.project.txgen(&["import", "again", "--tree", "../k", "--base", "main~2", "mbox", source]).expect(0);
}

#[test]
fn mails_of_a_series_come_back_as_the_same_mails() {
    let kernel = kernel();
    kernel.txgen("format-series", &["--signoff"]).expect(0);
    let before = mails(&kernel.project, "tiny");
    import_as(&kernel, "out/tiny");
    let series = |file: &str| kernel.project.read(&format!("p/series/again/{file}"));
    let toml = series("series.toml");
    for text in [
        "title = \"net: tell more bytes\"\ntree = \"net-next\"\nversion = 2\nchange-id = \"20261123-more-bytes-0123456789ab\"\n",
        "\n[[changelog]]\nversion = 2\nchanges = [\n    \"\"\"\ntake more bytes,\nas asked\"\"\",\n    \"rebase\",\n]\n",
        "\n[[changelog]]\nversion = 2\npatch = \"tell-the-second-byte\"\nchanges = [\"count from one\"]\n",
        "    \"J\u{e9}r\u{f4}me Second <second@example.org>\",\n",
    ] {
        assert!(toml.contains(text), "{text}\n{toml}");
    }
    assert_eq!(series("cover.md"), "net: tell more bytes\n\nWhy, and\n\n    an example\n\n---\nThanks.\n");
    assert!(
        series("tell-the-second-byte.msg").starts_with("net: tell the second byte\n\nFrom here on.\n\nSigned-off-by: ")
    );
    assert!(series("tell-the-third-byte.msg").ends_with(">\n---\nA note,\n\n | with | a table |\n"));
    kernel.project.txgen(&["format-series", "again", "--tree", "../k", "--base", "main~2"]).expect(0);
    assert_eq!(mails(&kernel.project, "again"), before);
}

#[test]
fn a_record_of_sent_mails_comes_back_without_its_marks_and_its_range_diff() {
    let project = project();
    let own = "X-Mailer: git-send-email 2.47.3\nX-Change-ID: 20261123-x-0123456789ab\n";
    let range = "Range-diff to v1:\n\n  1:  0d9f66b9c0a7 ! 1:  0550b16e5835 net: one\n      @@ net/a.c\n       -\treturn 1;\n      diff --git a/x b/x\n";
    let cover = format!(
        "Why.\n\n>From me.\n\n---\nv2:\n - more\n\n{range}\nAnn Author (1):\n  net: one\n\n{STAT}---\nbase-commit: x\nchange-id: 20261123-x-0123456789ab\n\n-- \nAnn Author <ann@example.org>\n\n"
    );
    let record = [
        mail(&format!("{own}Subject: [PATCH net v2 0/2] net: both\n"), &cover),
        mail(&format!("{own}Subject: [PATCH net v2 1/2] net: one\n"), &body(">From here on.\n\n>>From there.")),
        mail(&format!("{own}Subject: [PATCH net v2 2/2] net: two\n"), &format!("Why.\n---\n{OTHER}")),
    ];
    project.write("v2.mbox", &record.concat());
    import(&project, "../v2.mbox").expect(0);
    assert_eq!(project.read("p/series/s/cover.md"), "net: both\n\nWhy.\n\nFrom me.\n");
    assert_eq!(
        project.read("p/series/s/one.msg"),
        "From: Ann Author <ann@example.org>\n\nnet: one\n\nFrom here on.\n\n>From there.\n"
    );
    let toml = project.read("p/series/s/series.toml");
    let (head, rest) = toml.split_once("base = ").unwrap();
    assert_eq!(head, "title = \"net: both\"\ntree = \"net\"\nversion = 2\nchange-id = \"20261123-x-0123456789ab\"\n");
    assert!(rest.contains("\n[[changelog]]\nversion = 2\nchanges = [\"more\"]\n"), "{rest}");
}

#[test]
fn what_a_user_says_goes_before_what_mails_say() {
    let project = project();
    project.write("x.mbox", &mail("Subject: [PATCH bpf-next] net: one\nCc: list: a@example.org;\n", &body("Why.")));
    let start = ["import", "s", "--tree", "../linux", "--base", "main", "--prefix", "net", "--title", "net: all"];
    let ran = project.txgen(&[&start[..], &["mbox", "../x.mbox"]].concat()).expect(0);
    assert!(
        ran.stdout.contains("note: the Cc: header of the first mail has more than names and addresses"),
        "{}",
        ran.stdout
    );
    let toml = project.read("p/series/s/series.toml");
    assert!(
        toml.starts_with("title = \"net: all\"\ntree = \"net\"\nversion = 1\n") && toml.contains("cc = []"),
        "{toml}"
    );
}

#[test]
fn carriage_returns_of_files_come_back_where_txgen_wrote_the_mail() {
    let project = project();
    let diff = "diff --git a/net/n.c b/net/n.c\nnew file mode 100644\n--- /dev/null\n+++ b/net/n.c\n@@ -0,0 +1 @@\n+int n;\r\n";
    let text = mail("X-Change-ID: 20261123-x-0123456789ab\n", &format!("Why.\n---\n{diff}"));
    project.write("x.mbox", &text);
    import(&project, "../x.mbox").expect(0);
    assert_eq!(project.git("linux", &["show", "txgen/s:net/n.c"]), "int n;\r\n");
    forget(&project);
    project.write("x.mbox", &text.replace("X-Change-ID", "X-Other").replace('\n', "\r\n").replace("\r\r", "\r"));
    import(&project, "../x.mbox").expect(0);
    assert_eq!(project.git("linux", &["show", "txgen/s:net/n.c"]), "int n;\n", "as git am has it");
}

#[test]
fn quilt_patches_keep_the_charset_of_their_descriptions_and_their_notes() {
    let project = project();
    project.write("q/series", "a.patch\n");
    let start = ["import", "s", "--tree", "../linux", "--base", "main", "quilt", "../q"];
    let patch = body("net: caf\u{e9}\n\nWhy, \u{e9}.");
    project.write("q/a.patch", &patch);
    project.txgen(&start).expect(0);
    assert!(content(&project, "linux", "txgen/s").contains("net: caf\u{e9}\n\nWhy, \u{e9}.\n"));
    forget(&project);
    let latin = patch.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<_>>();
    std::fs::write(project.path("q/a.patch"), latin).unwrap();
    let ran = project.txgen(&start).expect(2);
    insta::assert_snapshot!(ran.stderr, @"txgen: read ../q/a.patch: its text can not be decoded: it is not in charset UTF-8, and names no other");
}

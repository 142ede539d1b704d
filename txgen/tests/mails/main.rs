// SPDX-License-Identifier: GPL-2.0
//! The mails of a series, given to the real git send-email and git am.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]

mod command;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/files.rs"]
mod files;
#[path = "../common/kernel.rs"]
mod kernel;
mod killed;
mod recipients;
mod values;
mod versions;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use kernel::{Kernel, MAINTAINERS, SKBUFF};
use txgen::mail::{Envelope, Outcome, Written, write};

const SECOND: &str = "net: tell the second byte\n\nReaders of the first byte need the second. Thanks to Jérôme.\n\n\
Signed-off-by: Ann Author <ann@example.org>\n";
const THIRD: &str = "net: tell the third byte\n\n  $ indented --code\n\tand a tab\n\nFrom there on it is --- easy.\n\n\
Signed-off-by: Ann Author <ann@example.org>\n";
const COVER: &str = "Bytes beyond the first one are wanted, as Jérôme says.\n\n---\nChanges in v2:\n - more of it\n";

/// A series of two patches.
fn two_patches() -> Kernel {
    let mut kernel = Kernel::new();
    let second = format!("{SKBUFF}\nint skb_second(struct sk_buff *skb)\n{{\n\treturn skb->first + 1;\n}}\n");
    kernel.patch("second", SECOND, &[("net/core/skbuff.c", &second), ("MAINTAINERS", &format!("{MAINTAINERS}\n"))]);
    kernel.patch("third", THIRD, &[("net/core/third.c", "int third;\n")]);
    kernel
}

fn envelope() -> Envelope {
    Envelope {
        title: "net: tell more bytes".to_owned(),
        tree: "net-next".to_owned(),
        version: 1,
        change_id: "20261123-more-bytes-0123456789ab".to_owned(),
        date: "2026-11-23T12:00:00Z".parse().unwrap(),
        cc: vec!["Extra <extra@example.org>".to_owned()],
        cover: Some(COVER.to_owned()),
        notes: BTreeMap::from([("third".to_owned(), "A note, not for the log.\n".to_owned())]),
        ..Envelope::default()
    }
}

fn write_to(kernel: &Kernel, envelope: &Envelope, out: &Path) -> anyhow::Result<Outcome> {
    write(&kernel.txgen_project(), &kernel.applied(), envelope, out, &[])
}

/// Writes the mails into `out/`, which has to work.
fn written(kernel: &Kernel, envelope: &Envelope) -> Written {
    match write_to(kernel, envelope, &kernel.project.path("out")).unwrap() {
        Outcome::Written(written) => written,
        Outcome::Refused(findings) => panic!("{findings:?}"),
    }
}

fn refused(kernel: &Kernel, envelope: &Envelope) -> Vec<String> {
    match write_to(kernel, envelope, &kernel.project.path("out")).unwrap() {
        Outcome::Written(written) => panic!("{written:?}"),
        Outcome::Refused(findings) => findings.iter().map(ToString::to_string).collect(),
    }
}

fn mail(kernel: &Kernel, file: &str) -> String {
    kernel.project.read(&format!("out/{file}"))
}

/// The headers up to the blank line, with the content hash made the same for every run, and without b4's tracking.
fn headers(text: &str, written: &Written) -> String {
    let hash = written.message_ids[0].rsplit_once('@').unwrap().0.rsplit_once('-').unwrap().1;
    let headers = text.split("\n\n").next().unwrap().replace(hash, "HASH");
    match tracking_header(&headers) {
        Some(tracking) => headers.replace(&tracking, ""),
        None => headers,
    }
}

/// The X-B4-Tracking header with its folded lines.
fn tracking_header(headers: &str) -> Option<String> {
    let mut lines = headers.split_inclusive('\n').skip_while(|line| !line.starts_with("X-B4-Tracking: "));
    let first = lines.next()?.to_owned();
    Some(first + &lines.take_while(|line| line.starts_with(' ')).collect::<String>())
}

fn subjects(kernel: &Kernel, written: &Written) -> Vec<String> {
    let subject =
        |file: &String| mail(kernel, file).lines().find(|line| line.starts_with("Subject: ")).unwrap().to_owned();
    written.files.iter().map(subject).collect()
}

#[test]
fn the_cover_letter_has_what_netdev_and_b4_read() {
    let kernel = two_patches();
    let written = written(&kernel, &envelope());
    let text = mail(&kernel, "0000-cover-letter.patch").replace(&kernel.applied().base.commit, "BASE");
    insta::assert_snapshot!(headers(&text, &written), @r#"
    From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
    From: Ann Author <ann@example.org>
    Date: Mon, 23 Nov 2026 12:00:00 +0000
    Subject: [PATCH net-next 0/2] net: tell more bytes
    To: Net Maintainer <net@example.org>,
     =?UTF-8?q?J=C3=A9r=C3=B4me_Second?= <second@example.org>
    Cc: all@example.org,
     Extra <extra@example.org>,
     netdev@example.org,
     The Rest <rest@example.org>,
     "A. Reviewer" <reviewer@example.org>
    Message-ID: <20261123-more-bytes-v1-0-HASH@example.org>
    X-Change-ID: 20261123-more-bytes-0123456789ab
    MIME-Version: 1.0
    Content-Type: text/plain; charset=UTF-8
    Content-Transfer-Encoding: 8bit
    "#);
    insta::assert_snapshot!(text.split_once("\n\n").unwrap().1, @r#"
    Bytes beyond the first one are wanted, as Jérôme says.

    ---
    Changes in v2:
     - more of it

    Ann Author (2):
      net: tell the second byte
      net: tell the third byte

     MAINTAINERS       | 1 +
     net/core/skbuff.c | 5 +++++
     net/core/third.c  | 1 +
     3 files changed, 7 insertions(+)
     create mode 100644 net/core/third.c
    ---
    base-commit: BASE
    change-id: 20261123-more-bytes-0123456789ab

    -- 
    Ann Author <ann@example.org>
    "#);
}

#[test]
fn tables_are_below_the_cut_of_the_cover_letter() {
    let kernel = two_patches();
    let counts = Some("Per send\n(txgen bench x):\n\n| a |\n".to_owned());
    let _ = written(&kernel, &Envelope { counts, audit: Some("Audited:\n\nall\n".to_owned()), ..envelope() });
    let text = mail(&kernel, "0000-cover-letter.patch");
    let expected = " - more of it\n\nPer send\n(txgen bench x):\n\n| a |\n\nAudited:\n\nall\n\nAnn Author (2):\n";
    assert!(text.split_once("\n---\n").unwrap().1.contains(expected), "{text}");
}

#[test]
fn a_patch_mail_answers_the_cover_letter_and_keeps_its_note_below_the_cut() {
    let kernel = two_patches();
    let written = written(&kernel, &envelope());
    let text = mail(&kernel, "0002-net-tell-the-third-byte.patch");
    insta::assert_snapshot!(headers(&text, &written), @r#"
    From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
    From: Ann Author <ann@example.org>
    Date: Mon, 23 Nov 2026 12:00:00 +0000
    Subject: [PATCH net-next 2/2] net: tell the third byte
    To: Net Maintainer <net@example.org>,
     =?UTF-8?q?J=C3=A9r=C3=B4me_Second?= <second@example.org>
    Cc: all@example.org,
     Extra <extra@example.org>,
     netdev@example.org,
     The Rest <rest@example.org>,
     "A. Reviewer" <reviewer@example.org>
    Message-ID: <20261123-more-bytes-v1-2-HASH@example.org>
    In-Reply-To: <20261123-more-bytes-v1-0-HASH@example.org>
    References: <20261123-more-bytes-v1-0-HASH@example.org>
    X-Change-ID: 20261123-more-bytes-0123456789ab
    "#);
    let body = text.split_once("\n\n").unwrap().1.split("diff --git").next().unwrap();
    insta::assert_snapshot!(body, @r#"
      $ indented --code
    	and a tab

    From there on it is --- easy.

    Signed-off-by: Ann Author <ann@example.org>
    ---
    A note, not for the log.

     net/core/third.c | 1 +
     1 file changed, 1 insertion(+)
     create mode 100644 net/core/third.c
    "#);
}

#[test]
fn a_lone_patch_is_not_numbered_unless_it_has_a_cover_letter() {
    let mut kernel = Kernel::new();
    kernel.patch("third", THIRD, &[("net/core/third.c", "int third;\n")]);
    let lone = written(&kernel, &Envelope { cover: None, ..envelope() });
    assert_eq!(subjects(&kernel, &lone), ["Subject: [PATCH net-next] net: tell the third byte"]);
    let text = mail(&kernel, &lone.files[0]);
    assert!(text.contains(&format!("\nbase-commit: {}\nchange-id: 20261123-", kernel.applied().base.commit)), "{text}");
    assert!(!text.contains("In-Reply-To"), "{text}");
    let covered = written(&kernel, &envelope());
    let expected = [
        "Subject: [PATCH net-next 0/1] net: tell more bytes",
        "Subject: [PATCH net-next 1/1] net: tell the third byte",
    ];
    assert_eq!(subjects(&kernel, &covered), expected);
}

#[test]
fn the_same_series_gives_the_same_bytes() {
    let kernel = two_patches();
    let read = |written: &Written| written.files.iter().map(|file| mail(&kernel, file)).collect::<Vec<_>>();
    let first = read(&written(&kernel, &envelope()));
    kernel.project.git("k", &["config", "diff.noprefix", "true"]);
    kernel.project.git("k", &["config", "format.signature", "mine"]);
    kernel.project.git("k", &["config", "diff.context", "9"]);
    assert_eq!(read(&written(&kernel, &envelope())), first);
}

#[test]
fn other_content_gets_other_message_ids() {
    let kernel = two_patches();
    let first = written(&kernel, &envelope()).message_ids;
    let second = written(&kernel, &Envelope { cover: Some("Other.\n".to_owned()), ..envelope() }).message_ids;
    assert!(first.iter().all(|id| !second.contains(id)), "{first:?} {second:?}");
}

#[test]
fn git_am_gives_the_identical_tree_and_messages() {
    let kernel = two_patches();
    let written = written(&kernel, &envelope());
    let applied = kernel.applied();
    kernel.project.git("k", &["checkout", "-q", "-b", "again", &applied.base.commit]);
    for file in &written.files[1..] {
        kernel.project.git("k", &["am", "-q", &format!("../out/{file}")]);
    }
    let tree = kernel.project.git("k", &["rev-parse", "HEAD^{tree}"]);
    assert_eq!(tree.trim(), applied.patches.last().unwrap().tree);
    let log = |range: &str| kernel.project.git("k", &["log", "--format=%an <%ae> %ad%n%B", range]);
    assert_eq!(log(&format!("{}..again", applied.base.commit)), log(&format!("{}..main", applied.base.commit)));
}

/// git send-email with `extra` arguments on all mails of `out/`.
fn send_email(kernel: &Kernel, extra: &[&str]) -> (bool, String) {
    let mut files = fs::read_dir(kernel.project.path("out")).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>();
    files.sort();
    let mut command = kernel.project.command("git");
    command.args(["send-email", "--confirm=never", "--from=Ann Author <ann@example.org>"]).args(extra).args(files);
    let output = command.current_dir(kernel.project.dir()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn git_send_email_takes_the_folder_in_a_dry_run() {
    let kernel = two_patches();
    let written = written(&kernel, &envelope());
    let (good, text) = send_email(&kernel, &["--dry-run"]);
    assert!(good, "{text}");
    assert_eq!(text.matches("Dry-OK. Log says:").count(), 3, "{text}");
    for id in &written.message_ids {
        assert!(text.contains(&format!("Message-ID: <{id}>")), "{id} in {text}");
    }
}

#[test]
fn what_netdev_would_bounce_is_refused_and_nothing_is_written() {
    let mut kernel = two_patches();
    kernel.patch("bad", "Bad subject.\n\nWhy.\n", &[("net/core/bad.c", "int bad;\n")]);
    let bad = Envelope { cover: None, title: "No prefix".to_owned(), ..envelope() };
    insta::assert_snapshot!(refused(&kernel, &bad).join("\n"), @r#"
    bad: message: message line 1: subject-prefix: the subject does not start with `subsystem: `
    bad: message: message line 1: subject-period: the subject ends with a period
    (series): limits: no-cover: a series of 3 patches needs a cover letter: write its cover.md
    bad: limits: sign-off: other patches of the series are signed off, this one is not
    "#);
    assert!(!kernel.project.path("out").exists());
    let cover = Envelope { cover: Some("Range-diff:\n@@ -1 +1 @@\n".to_owned()), ..bad };
    let cover = refused(&kernel, &cover).into_iter().filter(|text| text.contains(": cover: ")).collect::<Vec<_>>();
    insta::assert_snapshot!(cover.join("\n"), @r#"
    (series): cover: message line 1: subject-prefix: the subject does not start with `subsystem: `
    (series): cover: message line 2: like-a-patch: the line looks like the start of a patch: indent it
    "#);
}

#[test]
fn what_deceives_a_reader_is_refused_with_its_place() {
    let mut kernel = two_patches();
    let code = "// SPDX-License-Identifier: GPL-2.0\n/* \u{2067}end */\n";
    kernel.patch("fourth", THIRD, &[("net/core/fourth.c", code)]);
    let good = envelope();
    let said = refused(&kernel, &good);
    let what = "invisible-character: there is U+2067, which turns the direction of the text in `/* <U+2067>end */`";
    assert_eq!(said, [format!("fourth: invisible: net/core/fourth.c:2: {what}")]);
    let kernel = two_patches();
    let notes = [("third".to_owned(), "One\ntwo\u{feff}\n".to_owned())].into();
    let cover = good.cover.as_ref().map(|cover| format!("{cover}\n\u{202a}x\n"));
    let said = refused(&kernel, &Envelope { notes, cover, title: format!("{}\u{ad}", good.title), ..good });
    let places = said.iter().map(|line| line.split(" there is ").next().unwrap()).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(places, @r"
    third: note: message line 2: invisible-character:
    (series): cover: message line 1: subject-text: the subject is not plain ASCII
    (series): cover: message line 1: invisible-character:
    (series): cover: message line 7: invisible-character:
    ");
}

#[test]
fn a_forced_rule_is_not_refused() {
    let mut kernel = Kernel::new();
    kernel.patch("bad", "net: end with a period.\n\nWhy.\n", &[("net/core/bad.c", "int bad;\n")]);
    let out = kernel.project.path("out");
    let force = ["subject-period".to_owned()];
    let outcome = write(&kernel.txgen_project(), &kernel.applied(), &envelope(), &out, &force).unwrap();
    let Outcome::Written(written) = outcome else { panic!("{outcome:?}") };
    assert_eq!(written.unsigned, ["bad"]);
}

#[test]
fn a_folder_with_other_files_is_refused_and_one_of_ours_is_replaced() {
    let kernel = two_patches();
    written(&kernel, &envelope());
    let second = written(&kernel, &Envelope { version: 2, ..envelope() });
    let mut names =
        fs::read_dir(kernel.project.path("out")).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>();
    names.sort();
    assert_eq!(names, second.files.iter().map(std::ffi::OsString::from).collect::<Vec<_>>());
    kernel.project.write("out/notes.txt", "mine");
    let error = write_to(&kernel, &envelope(), &kernel.project.path("out")).unwrap_err();
    let error = error.to_string().replace(kernel.project.dir().to_str().unwrap(), "DIR");
    insta::assert_snapshot!(error, @"DIR/out/notes.txt is no mail of this series: empty the folder or give another with -o");
    assert_eq!(kernel.project.read("out/notes.txt"), "mine");
    assert!(names.iter().all(|name| kernel.project.path("out").join(name).exists()));
}

#[test]
fn bad_input_is_an_error_that_names_it() {
    let kernel = two_patches();
    let error =
        |envelope: Envelope| format!("{:#}", write_to(&kernel, &envelope, &kernel.project.path("out")).unwrap_err());
    insta::assert_snapshot!(error(Envelope { change_id: "bytes".to_owned(), ..envelope() }), @"change-id `bytes` is not of the form YYYYMMDD-slug-12hex");
    kernel.project.write("p/templates/cover.txt.tera", "{{ body }}\n{{ nothing }}\n");
    insta::assert_snapshot!(error(envelope()), @"templates/cover.txt.tera:2: `nothing` is not defined");
    assert!(!kernel.project.path("out").exists());
}

#[test]
fn the_source_of_each_rule_is_a_section_of_the_kernels_documentation() {
    let kernel = Kernel::new();
    for rule in txgen::mail::rules::RULES {
        let file = format!("refs/txgen/bases/net-next:{}", rule.file);
        let text = kernel.project.git("k", &["--git-dir", kernel::managed().to_str().unwrap(), "show", &file]);
        let lines = text.lines().collect::<Vec<_>>();
        let is_heading = |pair: &[&str]| pair[0] == rule.section && pair[1].starts_with(['-', '=', '~']);
        assert!(lines.windows(2).any(is_heading), "{rule:?}");
    }
}

#[test]
fn the_author_is_named_in_the_body_where_another_sends() {
    let kernel = two_patches();
    kernel.project.git("k", &["config", "user.name", "Sender"]);
    kernel.project.git("k", &["config", "user.email", "sender@example.org"]);
    let _ = written(&kernel, &envelope());
    let text = mail(&kernel, "0002-net-tell-the-third-byte.patch");
    assert!(text.contains("\nFrom: Sender <sender@example.org>\n"), "{text}");
    assert!(text.split_once("\n\n").unwrap().1.starts_with("From: Ann Author <ann@example.org>\n\n"), "{text}");
}

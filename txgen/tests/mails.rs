// SPDX-License-Identifier: GPL-2.0
//! The mails of a series, given to the real git send-email and git am.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]

mod common;
#[path = "common/files.rs"]
mod files;
#[path = "common/kernel.rs"]
mod kernel;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use files::files_below;
use kernel::{Kernel, MAINTAINERS, SKBUFF};
use regex::Regex;
use txgen::mail::{Envelope, Outcome, Written, write};
use txgen::series::history::Posted;

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
fn counts_of_another_tree_are_warned_of() {
    let kernel = two_patches();
    kernel.store("");
    kernel.project.write("p/series/tiny/cover.md", COVER);
    let tip = kernel.applied().patches.last().unwrap().tree.clone();
    for (tree, warned) in [(tip, false), ("0".repeat(40), true)] {
        kernel.project.write("p/series/tiny/bench.md", &format!("Per send:\n\n| a |\n\nTrees: tiny {tree}\n"));
        let ran = kernel.txgen("format-series", &["--signoff"]).expect(0);
        assert_eq!(ran.stderr.contains("series/tiny/bench.md, the table"), warned, "{}", ran.stderr);
    }
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
fn versions_and_rfc_are_in_every_subject() {
    let kernel = two_patches();
    let written = written(&kernel, &Envelope { version: 2, rfc: true, ..envelope() });
    insta::assert_snapshot!(subjects(&kernel, &written).join("\n"), @r#"
    Subject: [PATCH RFC net-next v2 0/2] net: tell more bytes
    Subject: [PATCH RFC net-next v2 1/2] net: tell the second byte
    Subject: [PATCH RFC net-next v2 2/2] net: tell the third byte
    "#);
    assert_eq!(written.files[1], "v2-0001-net-tell-the-second-byte.patch");
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
fn a_tree_without_get_maintainer_is_an_error_that_names_it() {
    let mut kernel = two_patches();
    fs::remove_file(kernel.project.path("k/scripts/get_maintainer.pl")).unwrap();
    kernel.patch("gone", THIRD, &[]);
    let error = write_to(&kernel, &envelope(), &kernel.project.path("out")).unwrap_err();
    insta::assert_snapshot!(format!("{error:#}"), @"the base has no scripts/get_maintainer.pl: it is no kernel tree, or one without this script");
}

#[test]
fn the_command_prints_the_files_the_recipients_and_how_to_send() {
    let kernel = two_patches();
    kernel.store("");
    kernel.project.write("p/series/tiny/cover.md", COVER);
    for (name, message) in [("second", SECOND), ("third", THIRD)] {
        let signed = message.replace("Ann Author <ann@", "Test Author <author@");
        kernel.project.write(&format!("p/series/tiny/{name}.msg"), &signed);
    }
    let ran = kernel.txgen("format-series", &["-v", "3"]).expect(0);
    let dir = kernel.project.dir().to_str().unwrap();
    insta::assert_snapshot!(ran.stdout.replace(dir, "DIR"), @r#"
    DIR/p/out/tiny/v3-0000-cover-letter.patch
    DIR/p/out/tiny/v3-0001-net-tell-the-second-byte.patch
    DIR/p/out/tiny/v3-0002-net-tell-the-third-byte.patch
    To: Net Maintainer <net@example.org>
    To: "Jérôme Second" <second@example.org>
    Cc: all@example.org
    Cc: netdev@example.org
    Cc: The Rest <rest@example.org>
    Cc: "A. Reviewer" <reviewer@example.org>

    git send-email --to=netdev@example.org DIR/p/out/tiny/*.patch
    "#);
    assert!(!ran.stderr.contains("Signed-off-by"), "{}", ran.stderr);
    let again = kernel.txgen("format-series", &["-v", "3", "--json"]).expect(0);
    let json: serde_json::Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(json["files"][1], "v3-0001-net-tell-the-second-byte.patch");
    assert!(kernel.project.read("p/out/tiny/v3-0000-cover-letter.patch").contains("[PATCH net-next v3 0/2]"));
}

#[test]
fn the_command_warns_of_unsigned_patches_and_signs_them_on_request() {
    let mut kernel = Kernel::new();
    kernel.patch("third", "net: tell the third byte\n\nWhy.\n", &[("net/core/third.c", "int third;\n")]);
    kernel.store("");
    let ran = kernel.txgen("format-series", &[]).expect(0);
    insta::assert_snapshot!(ran.stderr, @"warning: no Signed-off-by in third: netdev does not take such patches. Sign them with `txgen format-series tiny --sign` or, for good, `git config format.signOff true`");
    let ran = kernel.txgen("format-series", &["--signoff"]).expect(0);
    assert_eq!(ran.stderr, "");
    assert!(
        kernel.project.read("p/out/tiny/0001-net-tell-the-third-byte.patch").contains("\nSigned-off-by: Test Author")
    );
}

#[test]
fn the_command_refuses_with_exit_1_and_says_how_to_force() {
    let mut kernel = Kernel::new();
    kernel.patch("third", "net: tell the third byte.\n\nWhy.\n", &[("net/core/third.c", "int third;\n")]);
    kernel.store("");
    let ran = kernel.txgen("format-series", &[]).expect(1);
    insta::assert_snapshot!(ran.stdout + &ran.stderr, @r#"
    third: message: message line 1: subject-period: the subject ends with a period
        (Documentation/process/submitting-patches.rst, "The canonical patch format")
    netdev would send this back, so it was not done. To do it all the same: --force subject-period
    "#);
    assert!(!kernel.project.path("p/out").exists());
    let _ = kernel.txgen("format-series", &["--force", "subject-period"]).expect(0);
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

/// A series of two patches that was posted once, and has changed since.
fn posted_once() -> (Kernel, Envelope) {
    let kernel = two_patches();
    let applied = kernel.applied();
    let posted = Posted {
        version: 1,
        resend: 0,
        rfc: true,
        date: "2026-11-20T12:00:00Z".parse().unwrap(),
        message_id: "1@example.org".to_owned(),
        link: "https://lore.example.org/1".to_owned(),
        base: applied.base.commit.clone(),
        commit: applied.patches[0].commit.clone(),
        patches: vec!["second".to_owned()],
        result: None,
    };
    let changelog = "v2:\n - a patch more\nRFC v1: https://lore.example.org/1".to_owned();
    let posted_before = vec![(1, "1@example.org".to_owned())];
    let cover = Some("Bytes are wanted.\n".to_owned());
    let envelope = Envelope { version: 2, since: Some(posted), posted: posted_before, changelog, cover, ..envelope() };
    (kernel, envelope)
}

#[test]
fn a_new_version_has_a_changelog_with_links_and_an_indented_range_diff() {
    let (kernel, envelope) = posted_once();
    let tests = Some("Built, booted:\n\n - configuration net: every patch".to_owned());
    let written = written(&kernel, &Envelope { tests, ..envelope });
    let text = mail(&kernel, "v2-0000-cover-letter.patch");
    let below = text.split_once("\n---\n").unwrap().1.split_once("\nAnn Author (2)").unwrap().0;
    let commits = Regex::new("[0-9a-f]{12}").unwrap();
    insta::assert_snapshot!(commits.replace_all(below, "COMMIT"), @r"
    v2:
     - a patch more
    RFC v1: https://lore.example.org/1

    Range-diff to v1:

      1:  COMMIT = 1:  COMMIT net: tell the second byte
      -:  ------------ > 2:  COMMIT net: tell the third byte

    Built, booted:

     - configuration net: every patch
    ");
    assert_eq!(written.lacks, None);
}

#[test]
fn a_posting_that_is_not_in_the_repository_is_told() {
    let (kernel, envelope) = posted_once();
    let since = envelope.since.clone().map(|posted| Posted { commit: "1".repeat(40), ..posted });
    assert_eq!(written(&kernel, &Envelope { since, ..envelope }).lacks, Some("1".repeat(40)));
}

#[test]
fn a_lone_patch_without_a_cover_letter_bears_the_changelog_and_the_tracking() {
    let mut kernel = Kernel::new();
    kernel.patch("third", THIRD, &[("net/core/third.c", "int third;\n")]);
    let prerequisites = vec![format!("prerequisite-patch-id: {}", "2".repeat(40))];
    let changelog = "v2:\n - more".to_owned();
    let lone = Envelope { cover: None, version: 2, changelog, prerequisites, ..envelope() };
    let _ = written(&kernel, &lone);
    let text = mail(&kernel, "v2-0001-net-tell-the-third-byte.patch").replace(&kernel.applied().base.commit, "BASE");
    let below = text.split_once("\n---\n").unwrap().1.split_once("\n net/core").unwrap().0;
    insta::assert_snapshot!(below, @r"
    v2:
     - more

    A note, not for the log.

    base-commit: BASE
    change-id: 20261123-more-bytes-0123456789ab
    prerequisite-patch-id: 2222222222222222222222222222222222222222
    ");
    assert!(tracking_header(&text).is_some());
}

#[test]
fn the_tracking_header_is_gzipped_json_as_b4_reads_it() {
    let (kernel, envelope) = posted_once();
    let _ = written(&kernel, &envelope);
    let header = tracking_header(&mail(&kernel, "v2-0000-cover-letter.patch")).unwrap();
    assert!(header.lines().all(|line| line.len() <= 76), "{header}");
    let value = header.replace(['\n', ' '], "");
    let bytes = STANDARD.decode(value.strip_prefix("X-B4-Tracking:v=1;b=").unwrap()).unwrap();
    let mut json = String::new();
    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut json).unwrap();
    let expected = r#"{"series":{"change-id":"20261123-more-bytes-0123456789ab","history":{"v1":["1@example.org"]},"prefixes":["net-next"],"prerequisites":[],"revision":2}}"#;
    assert_eq!(json, expected);
    assert!(tracking_header(&mail(&kernel, "v2-0001-net-tell-the-second-byte.patch")).is_none());
}

#[test]
fn a_resend_is_marked_and_has_other_message_ids() {
    let kernel = two_patches();
    let first = written(&kernel, &envelope());
    let again = written(&kernel, &Envelope { resend: 1, rfc: true, ..envelope() });
    assert_eq!(subjects(&kernel, &again)[1], "Subject: [PATCH RESEND RFC net-next 1/2] net: tell the second byte");
    assert!(first.message_ids.iter().all(|id| !again.message_ids.contains(id)));
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

#[test]
fn recipients_come_from_trailers_too_and_never_from_the_excludes() {
    let mut kernel = Kernel::new();
    let message = THIRD.replace("Signed-off", "Cc: stable@example.org # 6.1\nAcked-by: B <b@example.org>\nSigned-off");
    kernel.patch("third", &message, &[("net/core/third.c", "int third;\n")]);
    let exclude = vec!["rest@example.org".to_owned(), "Who <NET@example.org>".to_owned()];
    let recipients = written(&kernel, &Envelope { exclude, ..envelope() }).recipients;
    insta::assert_snapshot!(recipients.cc.join("\n"), @r#"
    all@example.org
    B <b@example.org>
    Extra <extra@example.org>
    netdev@example.org
    "A. Reviewer" <reviewer@example.org>
    stable@example.org
    "#);
    assert_eq!(recipients.to, ["\"Jérôme Second\" <second@example.org>"]);
}

#[test]
fn an_address_that_would_be_more_than_one_is_refused() {
    let kernel = two_patches();
    for odd in ["x@example.org\nBcc: spy@example.org", "$(id)@example.org", "--smtp-server=/bin/sh"] {
        let to = vec![odd.to_owned()];
        let out = kernel.project.path("out");
        let error = write_to(&kernel, &Envelope { to, ..envelope() }, &out).unwrap_err();
        let error = format!("{error:#}");
        assert!(error.contains("is no recipient"), "{error}");
        assert!(!out.exists());
    }
}

/// The records of what get_maintainer.pl said.
fn answers(kernel: &Kernel) -> Vec<PathBuf> {
    let folder = fs::read_dir(kernel.project.path("cache/proofs/maintainers")).unwrap();
    folder.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn get_maintainer_is_asked_once_of_each_patch() {
    let mut kernel = two_patches();
    let first = written(&kernel, &envelope());
    assert_eq!(answers(&kernel).len(), 2);
    // Another version and another patch ask nothing anew of those that are as they were.
    let fourth = "net: tell the fourth byte\n\nMore.\n\nSigned-off-by: Ann Author <ann@example.org>\n";
    kernel.patch("fourth", fourth, &[("net/core/fourth.c", "int fourth;\n")]);
    let second = written(&kernel, &Envelope { version: 2, ..envelope() });
    assert_eq!(answers(&kernel).len(), 3);
    assert_eq!(second.recipients, first.recipients);
    // What is on record is what counts.
    for path in answers(&kernel) {
        fs::write(path, "\"Only Her <only@example.org> (maintainer:X)\\n\"").unwrap();
    }
    assert_eq!(written(&kernel, &envelope()).recipients.to, ["Only Her <only@example.org>"]);
    // Another MAINTAINERS is another question.
    kernel.patch("last", fourth, &[("MAINTAINERS", &MAINTAINERS.replace("Net Maintainer", "Other Maintainer"))]);
    assert_eq!(written(&kernel, &envelope()).recipients.to[0], "Other Maintainer <net@example.org>");
}

#[test]
fn the_mails_of_a_stack_are_those_of_each_of_its_series() {
    let kernel = two_patches();
    kernel.store("");
    kernel.project.write("p/series/tiny/cover.md", COVER);
    let lower = kernel.project.read("p/series/tiny/series.toml");
    let upper = lower.split("\n[[patch]]").next().unwrap().replace("0123456789ab", "0123456789ac");
    let upper = format!("{upper}\ndepends = \"tiny\"\n\n[[patch]]\nname = \"upper\"\nadds = [\"net/core/upper.c\"]\n");
    kernel.project.write("p/series/upper/series.toml", &upper);
    kernel.project.write("p/series/upper/upper.msg", "net: tell the upper byte\n\nWhy.\n");
    kernel.project.write("p/kernel-overlay/net/core/upper.c", "int upper;\n");
    let base = kernel.applied().base.commit;
    let format = |name: &str, args: &[&str]| {
        let on = ["format-series", name, "--tree", "../k", "--base", &base, "--sign"];
        kernel.project.txgen(&[&on[..], args].concat())
    };
    for name in ["tiny", "upper"] {
        let _ = format(name, &["-o", &format!("../each/{name}")]).expect(0);
    }
    let ran = format("upper", &["--stack", "-o", "../all"]).expect(0);
    assert_eq!(files_below(&kernel.project.path("all")), files_below(&kernel.project.path("each")));
    assert_eq!(files_below(&kernel.project.path("all")).len(), 4);
    assert_eq!(ran.stdout.matches("\ngit send-email --to=").count(), 2, "{}", ran.stdout);
    let json = format("upper", &["--stack", "-o", "../all", "--json"]).expect(0);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json[1]["files"][0], "0001-net-tell-the-upper-byte.patch");
    // Where one is refused, none is written.
    kernel.project.write("p/series/upper/upper.msg", "net: tell the upper byte.\n\nWhy.\n");
    kernel.project.write("p/series/tiny/cover.md", "Another cover.\n");
    let _ = format("upper", &["--stack", "-o", "../all"]).expect(1);
    assert_eq!(files_below(&kernel.project.path("all")), files_below(&kernel.project.path("each")));
}

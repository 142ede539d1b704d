// SPDX-License-Identifier: GPL-2.0
//! Trailers that come back in mails, among others.

use super::kernel::Kernel;
use super::outgoing::{THIRD_C, send, series, toml, use_server};
use super::smtp::Sink;

/// A series that was sent, and the ids of its mails.
fn sent() -> (Kernel, Vec<String>) {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    let _ = send(&kernel, &["--yes"]).expect(0);
    (kernel, sink.ids())
}

/// A mail of an mbox.
fn mail(id: &str, from: &str, answers: &str, text: &str) -> String {
    let answers = if answers.is_empty() { String::new() } else { format!("In-Reply-To: <{answers}>\n") };
    format!(
        "From mboxrd@z Thu Jan  1 00:00:00 1970\nFrom: {from}\nSubject: Re: bytes\nMessage-ID: <{id}>\n{answers}\n{text}\n\n"
    )
}

fn trailers(kernel: &Kernel, mbox: &str, args: &[&str]) -> super::common::Ran {
    kernel.project.write("replies.mbox", mbox);
    kernel.txgen("trailers", &[args, &["../replies.mbox"]].concat())
}

fn message(kernel: &Kernel, patch: &str) -> String {
    kernel.project.read(&format!("p/series/tiny/{patch}.msg"))
}

#[test]
fn trailers_of_answers_go_into_the_messages_with_where_they_came_from() {
    let (kernel, ids) = sent();
    let third = &ids[2];
    let mbox = [
        mail(
            "r1@example.org",
            "Bob <bob@example.org>",
            third,
            "> Acked-by: Not Me <not@example.org>\nFine.\nReviewed-by: Bob <bob@example.org>",
        ),
        mail(
            "r2@example.org",
            "Cy <cy@example.org>",
            "r1@example.org",
            "Works here, too.\nTested-by: Cy <cy@example.org>",
        ),
        mail("r3@example.org", "Dee <dee@example.org>", &ids[0], "For all of it:\nAcked-by: Dee <dee@example.org>"),
        mail(
            "r4@example.org",
            "robot <robot@example.org>",
            &ids[1],
            "Reported-by: robot <robot@example.org>\nCloses: https://lore.example.org/1",
        ),
    ];
    let ran = trailers(&kernel, &mbox.concat(), &[]).expect(0);
    insta::assert_snapshot!(ran.stdout, @r"
    third: Reviewed-by: Bob <bob@example.org>
    third: Tested-by: Cy <cy@example.org>
    second: Acked-by: Dee <dee@example.org>
    third: Acked-by: Dee <dee@example.org>
    second: Reported-by: robot <robot@example.org>
    ");
    insta::assert_snapshot!(message(&kernel, "third"), @r"
    net: tell the third byte

    From there on it is easy.

    Tested-by: Cy <cy@example.org>
    Reviewed-by: Bob <bob@example.org>
    Acked-by: Dee <dee@example.org>
    ");
    assert!(message(&kernel, "second").ends_with(
        "\n\nReported-by: robot <robot@example.org>\nCloses: https://lore.example.org/1\nAcked-by: Dee <dee@example.org>\n"
    ));
    let text = toml(&kernel);
    assert!(
        text.contains("trailer = \"Tested-by: Cy <cy@example.org>\"\nmessage-id = \"r2@example.org\"\npatch-id = \""),
        "{text}"
    );
    // A second time changes nothing, and what was collected may be sent.
    let _ = trailers(&kernel, &mbox.concat(), &[]).expect(0);
    assert_eq!(toml(&kernel), text);
    let _ = send(&kernel, &["--force", "posted-24h", "--force", "no-changelog"]).expect(0);
}

#[test]
fn what_is_no_answer_or_was_not_said_is_not_taken() {
    let (kernel, ids) = sent();
    let before = (toml(&kernel), message(&kernel, "third"));
    let html = format!(
        "From x Thu Jan  1 00:00:00 1970\nFrom: Bob <bob@example.org>\nMessage-ID: <h@example.org>\nIn-Reply-To: <{}>\n\
         MIME-Version: 1.0\nContent-Type: text/html\n\n<p>Reviewed-by: Bob &lt;bob@example.org&gt;</p>\n\n",
        ids[2]
    );
    let mbox = [
        mail("s1@example.org", "Spam <spam@example.org>", "", "Buy!\nAcked-by: Spam <spam@example.org>"),
        mail("s2@example.org", "Spam <spam@example.org>", "unknown@example.org", "Acked-by: Spam <spam@example.org>"),
        mail(
            "s3@example.org",
            "Bob <bob@example.org>",
            &ids[2],
            "On Monday Cy wrote:\n> Reviewed-by: Cy <cy@example.org>\nNo.",
        ),
        "From x Thu Jan  1 00:00:00 1970\nno headers at all\n\n\u{0}\u{1}\n".to_owned(),
        html,
    ];
    let ran = trailers(&kernel, &mbox.concat(), &[]).expect(0);
    assert!(ran.stdout.starts_with("no trailers for tiny in "), "{}", ran.stdout);
    assert_eq!((toml(&kernel), message(&kernel, "third")), before);
}

#[test]
fn what_looks_like_a_trailer_is_taken_or_shown_with_the_reason() {
    let (kernel, ids) = sent();
    let text = [
        "Tested-by: Bob <bob@example.org> # board X",
        "Reviewed-by: Bob <bob@example.org<mailto:bob@example.org>>",
        "[the lower half]",
        "Suggested-by: Bob <bob@example.org> (part)",
        "Reported-and-tested-by: Bob <bob@example.org>",
        "Closes: https://lore.example.org/1",
        "Acked-by: $(touch x) <bob@example.org;id>",
        "Acked-by: `id` <bob>",
        "Acked-by: Cy <cy@example.org>, Dee <dee@example.org>",
        "Fixes: 123456789abc (\"bytes: \u{202e}begin\")",
        "Signed-off-by: Cy <cy@example.org>",
        "  Acked-by: Cy <cy@example.org>",
        "> Acked-by: Cy <cy@example.org>",
    ];
    let ran = trailers(&kernel, &mail("a@example.org", "Bob <bob@example.org>", &ids[2], &text.join("\n")), &[]);
    let ran = ran.expect(1);
    insta::assert_snapshot!(ran.stdout, @r#"
    third: Tested-by: Bob <bob@example.org> # board X
    third: Reviewed-by: Bob <bob@example.org>
    third: Suggested-by: Bob <bob@example.org>
         as it was written: Suggested-by: Bob <bob@example.org> (part)
    third: Reported-by: Bob <bob@example.org>
    third: NOT TAKEN Acked-by: $(touch x) <bob@example.org;id>: `bob@example.org;id` is no address
    third: NOT TAKEN Acked-by: `id` <bob>: `bob` is no address
    third: NOT TAKEN Acked-by: Cy <cy@example.org>, Dee <dee@example.org>: it names more than one address
    third: NOT TAKEN Fixes: 123456789abc ("bytes: <U+202E>begin"): txgen takes `Fixes` from no mail: add it by hand
    third: NOT TAKEN Signed-off-by: Cy <cy@example.org>: a sign-off comes with a patch, not with an answer
    third: NOT TAKEN Acked-by: Cy <cy@example.org>: it is indented, as what somebody else said may be
    "#);
    insta::assert_snapshot!(message(&kernel, "third"), @r"
    net: tell the third byte

    From there on it is easy.

    Reported-by: Bob <bob@example.org>
    Closes: https://lore.example.org/1
    Suggested-by: Bob <bob@example.org>
    Tested-by: Bob <bob@example.org> # board X
    Reviewed-by: Bob <bob@example.org>
    [the lower half]
    ");
    let _ = send(&kernel, &["--force", "posted-24h", "--force", "no-changelog"]).expect(0);
}

#[test]
fn the_best_of_several_mails_counts() {
    let (kernel, ids) = sent();
    let bob = |id: &str, answers: &str, text: &str| mail(id, "Bob <bob@example.org>", answers, text);
    let first = bob("r1@example.org", &ids[2], "Reviewed-by: Bob <bob@example.org>");
    let _ = trailers(&kernel, &first, &[]).expect(0);
    kernel.project.write("p/kernel-overlay/net/core/third.c", &THIRD_C.replace("int third", "const int third"));
    let sink = Sink::start();
    use_server(&kernel, &sink);
    let force = ["posted-24h", "no-changelog", "stale-tag", "version-posted"].map(|rule| ["--force", rule]).concat();
    let _ = send(&kernel, &[&["--yes"], force.as_slice()].concat()).expect(0);
    let again = sink.ids()[2].clone();
    // The message has it, and of the code of then: that is the business of `txgen send`.
    let ran = trailers(&kernel, &first, &[]).expect(0);
    assert_eq!(ran.stdout, "third: already there: Reviewed-by: Bob <bob@example.org>\n");
    let both = first + &bob("r2@example.org", &again, "Reviewed-by: Bob B <bob@example.org>");
    let ran = trailers(&kernel, &both, &["--drop-stale"]).expect(0);
    assert_eq!(ran.stdout, "third: already there: Reviewed-by: Bob <bob@example.org>\n");
    let text = toml(&kernel);
    assert!(text.contains("message-id = \"r2@example.org\"") && !text.contains("r1@example.org"), "{text}");
    let force = ["posted-24h", "no-changelog", "version-posted"].map(|rule| ["--force", rule]).concat();
    let _ = send(&kernel, &force).expect(0);
}

#[test]
fn a_trailer_that_is_given_well_by_a_later_mail_or_by_hand_is_no_finding() {
    let (kernel, ids) = sent();
    let bob = |id: &str, text: &str| mail(id, "Bob <bob@example.org>", &ids[2], text);
    let odd = bob("r1@example.org", "Reviewed-by: Bob\nFixes: 123456789abc (\"bytes: begin\")");
    let ran = trailers(&kernel, &odd, &["-n"]).expect(1);
    assert!(ran.stdout.starts_with("third: NOT TAKEN Reviewed-by: Bob: it has no address\n"), "{}", ran.stdout);
    let text = message(&kernel, "third");
    kernel.project.write("p/series/tiny/third.msg", &format!("{text}\nFixes: 123456789abc (\"bytes: begin\")\n"));
    let ran = trailers(&kernel, &(odd + &bob("r2@example.org", "reviewed-by: Bob <bob@example.org>")), &[]).expect(0);
    insta::assert_snapshot!(ran.stdout, @r#"
    third: already there: Reviewed-by: Bob
    third: already there: Fixes: 123456789abc ("bytes: begin")
    third: Reviewed-by: Bob <bob@example.org>
    "#);
}

#[test]
fn a_file_without_a_mail_is_an_error() {
    let (kernel, _) = sent();
    for text in ["", "\n\n", "just text\n"] {
        let ran = trailers(&kernel, text, &[]).expect(2);
        assert!(ran.stderr.contains("there is no mail ") && ran.stderr.contains("../replies.mbox"), "{}", ran.stderr);
    }
}

#[test]
fn ten_thousand_answers_take_no_more_than_ten_times_as_long_as_a_thousand() {
    let (kernel, ids) = sent();
    let seconds = |count: usize| {
        let answers = |n: usize| if n == 0 { ids[2].clone() } else { format!("{}@example.org", n - 1) };
        let one = |n: usize| {
            let who = format!("P{n} <p{n}@example.org>");
            mail(&format!("{n}@example.org"), &who, &answers(n), &format!("Reviewed-by: {who}"))
        };
        let mbox = (0..count).map(one).collect::<String>();
        let start = std::time::Instant::now();
        let ran = trailers(&kernel, &mbox, &["-n"]).expect(0);
        assert_eq!(ran.stdout.lines().count(), count);
        start.elapsed().as_secs_f64()
    };
    let (few, many) = (seconds(1_000), seconds(10_000));
    assert!(many < 20.0 * few + 1.0, "{few} s and {many} s");
}

#[test]
fn quoted_printable_is_read_and_another_sender_is_shown() {
    let (kernel, ids) = sent();
    let encoded = format!(
        "From x Thu Jan  1 00:00:00 1970\nFrom: =?UTF-8?q?J=C3=A9r=C3=B4me?= <jerome@example.org>\n\
         Message-ID: <q@example.org>\nReferences: <{}> <{}>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n\
         Content-Transfer-Encoding: quoted-printable\n\nGood=\n.\nReviewed-by: J=C3=A9r=C3=B4me =\n<jerome@example.org>\n\n",
        ids[0], ids[2]
    );
    let other = mail("o@example.org", "Bob <bob@example.org>", &ids[1], "Acked-by: Cy <cy@example.org>");
    let ran = trailers(&kernel, &(encoded + &other), &[]).expect(1);
    insta::assert_snapshot!(ran.stdout, @r"
    third: Reviewed-by: Jérôme <jerome@example.org>
    second: NOT TAKEN Acked-by: Cy <cy@example.org>: Bob <bob@example.org> sent it (--sloppy-trailers)
    ");
    assert!(!message(&kernel, "second").contains("Acked-by"));
    let _ = trailers(&kernel, &other, &["--sloppy-trailers"]).expect(0);
    assert!(message(&kernel, "second").contains("\nAcked-by: Cy <cy@example.org>\n"));
}

#[test]
fn an_answer_to_the_same_code_posted_otherwise_is_found_by_patch_id() {
    let kernel = series();
    let patch = kernel
        .project
        .git("k", &["format-patch", "--stdout", "-1", "main", "--add-header=Message-ID: <own@example.org>"]);
    let answer = mail("a@example.org", "Bob <bob@example.org>", "own@example.org", "Acked-by: Bob <bob@example.org>");
    let ran = trailers(&kernel, &format!("{patch}\n{answer}"), &["--dry-run"]).expect(0);
    assert_eq!(ran.stdout, "third: Acked-by: Bob <bob@example.org>\n");
    assert!(!message(&kernel, "third").contains("Acked-by"));
}

#[test]
fn trailers_of_other_code_are_dropped_with_a_line_in_the_changelog() {
    let (kernel, ids) = sent();
    let review = mail("r@example.org", "Bob <bob@example.org>", &ids[2], "Reviewed-by: Bob <bob@example.org>");
    let _ = trailers(&kernel, &review, &[]).expect(0);
    kernel.project.write("p/kernel-overlay/net/core/third.c", &THIRD_C.replace("int third", "const int third"));
    let ran = send(&kernel, &["--force", "posted-24h", "--force", "no-changelog"]).expect(1);
    assert!(ran.stdout.contains("stale-tag: the code changed since `Reviewed-by: Bob"), "{}", ran.stdout);
    let ran = kernel.txgen("trailers", &["--drop-stale"]).expect(0);
    assert_eq!(ran.stdout, "third: DROPPED Reviewed-by: Bob <bob@example.org>: the code changed\n");
    assert!(!message(&kernel, "third").contains("Reviewed-by"));
    let text = toml(&kernel);
    let change = "[[changelog]]\nversion = 2\npatch = \"third\"\n\
        changes = [\"drop Reviewed-by of Bob <bob@example.org>: the code changed\"]\n";
    assert!(text.contains(change) && !text.contains("[[tag]]"), "{text}");
    let ran = trailers(&kernel, &review, &[]).expect(1);
    assert!(
        ran.stdout.contains("NOT TAKEN Reviewed-by: Bob <bob@example.org>: the code changed since"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_name_with_line_ends_or_control_characters_is_told_as_one_line() {
    let (kernel, ids) = sent();
    let odd = "=?UTF-8?q?Bob=0AX: third: Acked-by=1B[2J?= <bob@example.org>";
    let answer = mail("n@example.org", odd, &ids[1], "Acked-by: Cy <cy@example.org>");
    let ran = trailers(&kernel, &answer, &[]).expect(1);
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("NOT TAKEN Acked-by: Cy <cy@example.org>: Bob"), "{}", ran.stdout);
    assert!(!ran.stdout.contains('\u{1b}'), "{:?}", ran.stdout);
}

/// An answer of Bob's with parts of its own.
fn typed(id: &str, answers: &str, kind: &str, body: &str) -> String {
    let text = format!("Content-Type: {kind}\n\n{body}");
    mail(id, "Bob <bob@example.org>", answers, &text).replace("\n\nContent-Type", "\nMIME-Version: 1.0\nContent-Type")
}

#[test]
fn an_answer_that_has_no_text_is_counted_in_a_warning() {
    let (kernel, ids) = sent();
    let html = "<p>Reviewed-by: Bob &lt;bob@example.org&gt;</p>";
    let mbox = [
        typed("h1@example.org", &ids[2], "text/html", html),
        typed("h2@example.org", "h1@example.org", "text/html; charset=utf-8", html),
        typed("h3@example.org", "unknown@example.org", "text/html", html),
        mail("t@example.org", "Bob <bob@example.org>", &ids[2], "Acked-by: Bob <bob@example.org>"),
    ];
    let ran = trailers(&kernel, &mbox.concat(), &["-n"]).expect(0);
    assert_eq!(ran.stdout, "third: Acked-by: Bob <bob@example.org>\n");
    assert_eq!(
        ran.stderr,
        "warning: 2 answers have no text (HTML alone is not read): <h1@example.org>, <h2@example.org>: read them by hand\n"
    );
    let ran = trailers(&kernel, &mbox[..1].concat(), &["-n"]).expect(0);
    assert_eq!(
        ran.stderr,
        "warning: 1 answer has no text (HTML alone is not read): <h1@example.org>: read it by hand\n"
    );
}

#[test]
fn trailers_in_a_text_attachment_and_below_a_diff_are_shown_and_not_taken() {
    let (kernel, ids) = sent();
    let parts = "--b\nContent-Type: text/plain\n\nSee below.\n--b\nContent-Type: text/plain\n\
        Content-Disposition: attachment; filename=x.txt\n\n\
        Signed-off-by: Bob <bob@example.org>\nReviewed-by: Bob <bob@example.org>\n--b--\n";
    let mbox = [
        typed("a1@example.org", &ids[2], "multipart/mixed; boundary=b", parts),
        mail(
            "a2@example.org",
            "Bob <bob@example.org>",
            &ids[2],
            "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n\nTested-by: Bob <bob@example.org>",
        ),
        mail("a3@example.org", "Bob <bob@example.org>", &ids[1], "Fine! Acked-by: Bob <bob@example.org>"),
    ];
    let ran = trailers(&kernel, &mbox.concat(), &[]).expect(1);
    insta::assert_snapshot!(ran.stdout, @r"
    third: NOT TAKEN Reviewed-by: Bob <bob@example.org>: it stands in an attachment
    third: NOT TAKEN Tested-by: Bob <bob@example.org>: it stands below a diff
    second: NOT TAKEN Fine! Acked-by: Bob <bob@example.org>: text stands before it on its line
    ");
    // Who says the same in a line of its own leaves nothing to look at.
    let well = "Reviewed-by: Bob <bob@example.org>\nTested-by: Bob <bob@example.org>";
    let more = [
        mail("a4@example.org", "Bob <bob@example.org>", &ids[2], well),
        mail("a5@example.org", "Bob <bob@example.org>", &ids[1], "Acked-by: Bob <bob@example.org>"),
    ];
    let _ = trailers(&kernel, &(mbox.concat() + &more.concat()), &["-n"]).expect(0);
}

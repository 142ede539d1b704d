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
        mail("s4@example.org", "Bob <bob@example.org>", &ids[2], "Acked-by: $(touch x) <bob@example.org;id>"),
        mail("s5@example.org", "\"Bob\\\" <x@example.org>", &ids[2], "Acked-by: `id` <bob>"),
        "From x Thu Jan  1 00:00:00 1970\nno headers at all\n\n\u{0}\u{1}\n".to_owned(),
        html,
    ];
    let ran = trailers(&kernel, &mbox.concat(), &[]).expect(0);
    assert!(ran.stdout.starts_with("no trailers for tiny in "), "{}", ran.stdout);
    assert_eq!((toml(&kernel), message(&kernel, "third")), before);
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

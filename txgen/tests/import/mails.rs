// SPDX-License-Identifier: GPL-2.0
//! Mails of many shapes, compared with what `git am` makes of them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::clone::{DIFF, FROM, OTHER, STAT, Want, body, compare, mail};

fn case(name: &'static str, headers: &str, text: &str, want: Want) -> (&'static str, Vec<u8>, Want) {
    (name, mail(headers, text).into_bytes(), want)
}

#[test]
fn subjects_and_authors_are_those_of_git_am() {
    let subject = |text: &str| format!("Subject: {text}\n");
    let from = |text: &str| format!("From: {text}\n");
    let text = body("Why.");
    let long = format!("[PATCH] net: {}", "long ".repeat(200_000));
    let tags = [
        "[PATCH net-next v2 1/2] net: x",
        "[PATCH] [net] net: x",
        "[RFC,PATCH 01/10] net: x",
        "Re: [PATCH] net: x",
        "net: x [not a tag]",
        "[PATCH] net: one\n subject in\n\tthree lines",
        "[PATCH] =?UTF-8?q?net:_=C3=A9?=\n =?UTF-8?q?_and_more?=",
        "[PATCH]",
    ];
    let mut cases = tags.map(|text_of| case("tags", &subject(text_of), &text, Want::Same)).to_vec();
    cases.extend(
        [
            "x@example.org",
            "\"Example, X.\" <x@example.org>",
            "X. Example, Jr. <x@example.org>",
            "\"X \\\"Y\\\" Example\" <x@example.org>",
            "X Example (the one) <x@example.org>",
            "x@example.org (X Example)",
            "\"X Example via list\" <list@example.org>",
            "=?UTF-8?q?=22Quoted=22=2C_X?= <x@example.org>",
            "'X Example' <x@example.org>",
        ]
        .map(|who| case("author", &from(who), &text, Want::Same)),
    );
    cases.push(case("a subject of 1 MB", &subject(&long), &text, Want::Same));
    cases.push(case(
        "two From: headers",
        "From: One <one@example.org>\nFrom: Two <two@example.org>\n",
        &text,
        Want::Same,
    ));
    cases.push(case("no name", &from("<>"), &text, Want::Refused("its From: header names nobody")));
    cases.push(case("no subject", "Subject: \n", &body("net: take it from here\n\nWhy."), Want::Same));
    compare(&cases);
}

#[test]
fn headers_in_the_body_and_what_is_below_it_are_read_as_git_am_reads_them() {
    compare(&[
        case("From:", "", &body("From: B <b@example.org>\n\nWhy."), Want::Same),
        case(
            "Subject:",
            "",
            &body("From: B <b@example.org>\nSubject: [PATCH] net: y\nDate: Tue, 24 Nov 2026 12:00:00 +0000\n\nWhy."),
            Want::Same,
        ),
        case("encoded", "", &body("From: =?UTF-8?q?=C3=89?= <b@example.org>\n\nWhy."), Want::Same),
        case("folded Subject:", "", &body("Subject: net: one\n two\n\nWhy."), Want::Same),
        case("late From:", "", &body("Why.\n\nFrom: B <b@example.org>"), Want::Same),
        case("scissors", "", &body("Hi.\n\n-- >8 --\nSubject: [PATCH] net: y\n\nWhy."), Want::Same),
        case("signature", "", &format!("Why.\n---\n{STAT}{DIFF}-- \nAnn\nExample & Sons\n"), Want::Same),
        case("no ---", "", &format!("Why.\n\n{DIFF}"), Want::Same),
        case("a note", "", &format!("Why.\n---\nv2: more\n\n | a table\n\n{STAT}{DIFF}"), Want::Same),
        case("no text", "", &format!("---\n{STAT}{DIFF}"), Want::Same),
        case("blank lines", "", &body("\n\nWhy.   \n\n\n\nMore.\n\n"), Want::Same),
        case(
            "diff indented in the text",
            "",
            &body("Why:\n\n  diff --git a/x b/x\n  --- a/x\n  +++ b/x\n\nSo."),
            Want::Same,
        ),
        case(
            "diff in the text",
            "",
            &body("Why:\n\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n\nSo."),
            Want::Refused("does not apply to old"),
        ),
        case(
            "Index:",
            "",
            &format!("Why.\n\nIndex: net/a.c\n====\n{}", &DIFF[DIFF.find("--- a").unwrap()..]),
            Want::Same,
        ),
        case(
            "trailers",
            "",
            &body("Why.\n\nSigned-off-by: A <a@example.org>\n[b: changed]\nSigned-off-by: B <b@example.org>"),
            Want::Same,
        ),
    ]);
}

#[test]
fn bodies_in_parts_and_codings_are_read_as_git_am_reads_them() {
    let typed = |kind: &str| format!("MIME-Version: 1.0\nContent-Type: {kind}\n");
    let text = body("Why, é.");
    let parts = |first: &str, second: &str| format!("before\n--b\n{first}\n--b\n{second}\n--b--\nafter\n");
    let coded = |coding: &str| format!("{}Content-Transfer-Encoding: {coding}\n", typed("text/plain; charset=utf-8"));
    let stuff = |line: &str| if line.starts_with(' ') { format!(" {line}\n") } else { format!("{line}\n") };
    let stuffed = text.lines().map(stuff).collect::<String>();
    let crlf = text.replace('\n', "\r\n");
    let lines = |code: &str| {
        code.as_bytes().chunks(76).map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect::<String>()
    };
    let mixed = typed("multipart/mixed; boundary=\"b\"");
    compare(&[
        case("format=flowed", &typed("text/plain; charset=utf-8; format=flowed"), &stuffed, Want::Same),
        case(
            "format=flowed, but not so written",
            &typed("text/plain; charset=utf-8; format=flowed; delsp=yes"),
            &text,
            Want::Refused("corrupt patch"),
        ),
        case("base64", &coded("base64"), &lines(&STANDARD.encode(&text)), Want::Same),
        case(
            "base64 with a footer",
            &coded("base64"),
            &format!("{}\n_____\nlist\n", lines(&STANDARD.encode(&text))),
            Want::Same,
        ),
        case("base64 of CRLF", &coded("base64"), &lines(&STANDARD.encode(&crlf)), Want::Refused("does not apply")),
        case(
            "quoted-printable",
            &coded("quoted-printable"),
            &text.replace('=', "=3D").replace("return 10", "return=\n 10").replace('é', "=C3=A9"),
            Want::Same,
        ),
        case(
            "attachment",
            &mixed,
            &parts(
                "Content-Type: text/plain; charset=utf-8\n\nWhy, é.",
                &format!("Content-Type: text/x-patch; name=\"a.patch\"\nContent-Disposition: attachment\n\n{DIFF}"),
            ),
            Want::Same,
        ),
        case(
            "attachment in base64",
            &mixed,
            &parts(
                "Content-Type: text/plain; charset=utf-8\n\nWhy.",
                &format!("Content-Type: text/x-patch\nContent-Transfer-Encoding: base64\n\n{}", STANDARD.encode(DIFF)),
            ),
            Want::Same,
        ),
        case("inline part", &typed("multipart/mixed; boundary=b"), &parts("\nWhy.", &format!("\n{DIFF}")), Want::Same),
        case(
            "HTML beside it",
            &typed("multipart/alternative; boundary=b"),
            &parts(&format!("Content-Type: text/plain\n\n{text}"), "Content-Type: text/html\n\n<p>Why.</p>"),
            Want::Same,
        ),
        case("unknown coding", &coded("8-bit-ish"), &text, Want::Same),
        case("NUL in the text", "", &body("Why\0."), Want::Refused("NUL byte")),
        case("NUL in a header", "From: A\0B <a@example.org>\n", &text, Want::Refused("NUL byte")),
    ]);
}

#[test]
fn mailboxes_of_many_forms_are_read_as_git_am_reads_them() {
    let one = mail("Subject: [PATCH 1/2] net: one\n", &body("Why."));
    let two = mail("Subject: [PATCH 2/2] net: two\n", &format!("Why.\n---\n{OTHER}"));
    let both = format!("{one}{two}");
    let lone = one.strip_prefix(FROM).unwrap();
    let prose = mail("", &body("From here on 12:30:45 2024\nit works.\n>From there, too."));
    let folder = mail("From: Mail System Internal Data <m@example.org>\nSubject: DO NOT DELETE\n", "internal\n");
    let cover = mail("Subject: [PATCH 0/2] net: cover\n", "What.\n\nAnn Author (2):\n  net: one\n");
    let bytes = |text: &str| text.as_bytes().to_vec();
    compare(&[
        ("two", bytes(&both), Want::Same),
        ("CRLF", bytes(&both.replace('\n', "\r\n")), Want::Same),
        ("CRLF in the body alone", bytes(&mail("", &body("Why.").replace('\n', "\r\n"))), Want::Same),
        ("a lone mail", bytes(lone), Want::Same),
        ("blank lines first", bytes(&format!("\n\n{both}")), Want::Same),
        ("a byte order mark first", bytes(&format!("\u{feff}{both}")), Want::More("net: two")),
        ("prose that begins with From", bytes(&prose), Want::More("\n>From there, too.\n")),
        ("a mail of the folder's own", bytes(&format!("{folder}{both}")), Want::Same),
        ("a cover letter", bytes(&format!("{cover}{both}")), Want::More("net: two")),
        (
            "an answer",
            bytes(&format!("{one}{}", mail("Subject: Re: [PATCH 1/2] net: one\n", "Yes.\n"))),
            Want::Refused("mail 2 of ../case.mbox (\"net: one\") has no patch"),
        ),
        ("no mail", bytes("nothing\n"), Want::Refused("there is no mail in ../case.mbox")),
        ("nothing", bytes(""), Want::Refused("there is no mail in ../case.mbox")),
        ("a diff alone", bytes(DIFF), Want::Refused("there is no mail in ../case.mbox")),
    ]);
}

#[test]
fn patches_of_stgit_and_mercurial_are_read_as_git_am_reads_them() {
    let patch = |name: &'static str, head: &str| (name, format!("{head}---\n{STAT}{DIFF}").into_bytes(), Want::Same);
    let hg = "# HG changeset patch\n# User Bob <bob@example.org>\n";
    compare(&[
        patch("StGit", "net: x\n\nFrom: Bob <bob@example.org>\n\nWhy.\n\nMore.\n"),
        patch("StGit, no colon", "change a\n\nFrom: Bob <bob@example.org>\n\nWhy.\n"),
        patch("StGit, no text", "net: x\n\nFrom: Bob <bob@example.org>\n\n"),
        patch(
            "StGit, more headers",
            "net: x\n\nAuthor: B\u{e9} <bob@example.org>\nDate: Tue, 24 Nov 2026 12:00:00 +0000\n\nWhy.\n",
        ),
        patch("StGit, blank lines first", "\n\nnet: x\n\nFrom: Bob <bob@example.org>\n\nWhy.\n"),
        patch(
            "StGit, nobody from",
            "net: x\n\nDate: Tue, 24 Nov 2026 12:00:00 +0000\nFrom: B <b@example.org>\n\nWhy.\n",
        ),
        patch("Mercurial", &format!("{hg}# Date 1700000000 -3600\n# Node ID 1234\n# Parent  1234\nnet: x\n\nWhy.\n")),
        patch("Mercurial, no date", &format!("{hg}net: x\n\nWhy.\n")),
        patch("a header, and headers in the body", "Subject: net: x\n\nFrom: Bob <bob@example.org>\n\nWhy.\n"),
    ]);
}

#[test]
fn an_author_with_a_character_that_is_not_seen_is_an_error_that_names_it() {
    let text = body("Why.");
    compare(&[
        case(
            "a character that turns others around",
            "From: A \u{202e}nnA <a@example.org>\n",
            &text,
            Want::NoSeries("mail 1 of ../case.mbox: its author holds the character U+202E: "),
        ),
        case(
            "the same in the text",
            "",
            &body("From: A \u{202e}nnA <a@example.org>\n\nWhy."),
            Want::NoSeries("mail 1 of ../case.mbox: its author holds the character U+202E: "),
        ),
        case(
            "a subject with one",
            "Subject: [PATCH] net: \u{202e}x\n",
            &text,
            Want::NoSeries("the subject can not be sent: it holds the character U+202E"),
        ),
    ]);
}

// SPDX-License-Identifier: GPL-2.0
//! Names and text in every charset that mails come in.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::Encoding;

use super::clone::{DIFF, FROM, Want, am, body, compare, content, forget, import, mail, project};

/// Charset, a name in it, and whether git am reads it.
const CHARSETS: &[(&str, &str)] = &[
    ("utf-8", "Élise"),
    ("iso-8859-1", "Jérôme"),
    ("iso-8859-2", "Dvořák"),
    ("iso-8859-15", "Jérôme"),
    ("windows-1250", "Dvořák"),
    ("windows-1251", "Юрий"),
    ("windows-1252", "Jérôme – x"),
    ("koi8-r", "Юрий"),
    ("koi8-u", "Юрій"),
    ("gb2312", "中文"),
    ("gbk", "镕基"),
    ("gb18030", "镕基"),
    ("big5", "電子"),
    ("euc-jp", "日本"),
    ("iso-2022-jp", "日本"),
    ("shift_jis", "日本"),
    ("euc-kr", "한글"),
];

fn bytes(charset: &str, text: &str) -> Vec<u8> {
    let encoding = Encoding::for_label(charset.as_bytes()).unwrap();
    let (bytes, _, failed) = encoding.encode(text);
    assert!(!failed, "{charset}");
    bytes.into_owned()
}

fn quoted(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| if *byte == b'\n' { "\n".to_owned() } else { format!("={byte:02X}") }).collect()
}

/// A mail whose author, subject and text have `name`.
fn encoded(charset: &str, name: &str, coding: &str) -> Vec<u8> {
    let word = match coding {
        "base64" => format!("=?{charset}?B?{}?=", STANDARD.encode(bytes(charset, name))),
        _ => format!("=?{charset}?Q?{}?=", quoted(&bytes(charset, name))),
    };
    let headers = format!(
        "From: {word} <x@example.org>\nSubject: [PATCH] net: {word}\nMIME-Version: 1.0\n\
         Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {coding}\n"
    );
    let text = bytes(charset, &body(&format!("By {name}.\n\nAcked-by: {name} <x@example.org>")));
    let text = match coding {
        "base64" => STANDARD.encode(&text).into_bytes().chunks(76).flat_map(|line| [line, b"\n"].concat()).collect(),
        "quoted-printable" => quoted(&text).into_bytes(),
        _ => text,
    };
    [mail(&headers, "").into_bytes(), text].concat()
}

#[test]
fn every_charset_is_read_as_git_am_reads_it() {
    let mut cases = Vec::new();
    for (charset, name) in CHARSETS {
        for coding in ["8bit", "quoted-printable", "base64"] {
            // Reading all of them in all codings would take long: what is long in one is in the others.
            if coding == "8bit" || charset.len() % 2 == coding.len() % 2 {
                cases.push((*charset, encoded(charset, name, coding), Want::Same));
            }
        }
    }
    compare(&cases);
}

#[test]
fn text_that_its_mail_says_nothing_of_or_something_wrong_is_read_where_it_is_utf_8() {
    let typed = |charset: &str| format!("Content-Type: text/plain; charset={charset}\n");
    let text = body("Von Jérôme.");
    let split = "From: =?gb2312?B?1tDO?= =?gb2312?B?xA==?= <x@example.org>\n";
    let rare = format!("Subject: [PATCH] net: =?gb2312?B?{}?=\n", STANDARD.encode(bytes("gbk", "镕")));
    compare(&[
        ("nothing declared", mail("From: Jérôme <x@example.org>\n", &text).into_bytes(), Want::Same),
        ("us-ascii", mail(&typed("us-ascii"), &text).into_bytes(), Want::More("Jérôme")),
        ("unknown-8bit", mail(&typed("unknown-8bit"), &text).into_bytes(), Want::More("Jérôme")),
        ("gb2312 that is gbk", mail(&rare, &text).into_bytes(), Want::More("net: 镕")),
        ("a character in two words", mail(split, &text).into_bytes(), Want::More("中文 <x@example.org>")),
        (
            "a language in a word",
            mail("Subject: [PATCH] =?utf-8*en?q?net:_=C3=A9?=\n", &text).into_bytes(),
            Want::More("net: é"),
        ),
    ]);
}

#[test]
fn the_diff_of_a_mail_in_latin_1_is_that_of_the_files() {
    let text = body("Von Jérôme.").replace(
        DIFF,
        "diff --git a/net/latin.c b/net/latin.c\n--- a/net/latin.c\n+++ b/net/latin.c\n@@ -1,2 +1,2 @@\n /* caf\u{e9} */\n-int latin;\n+int greek;\n",
    );
    let (head, diff) = text.split_at(text.find("diff --git").unwrap());
    let headers = mail("Content-Type: text/plain; charset=iso-8859-1\n", "").into_bytes();
    compare(&[("latin", [headers, bytes("iso-8859-1", head), diff.as_bytes().to_vec()].concat(), Want::Same)]);
}

#[test]
fn text_that_can_not_be_decoded_is_an_error_that_names_the_mail() {
    let project = project();
    let text = String::from_utf8(vec![b'x'; 3]).unwrap();
    let good = mail("", &body(&text)).into_bytes();
    let error = |bytes: Vec<u8>| {
        std::fs::write(project.path("x.mbox"), [good.clone(), bytes].concat()).unwrap();
        let error = import(&project, "../x.mbox").expect(2).stderr;
        assert!(!project.path("p/series/s").exists());
        forget(&project);
        error
    };
    let raw = |header: &[u8], text: &[u8]| {
        let head = b"From: A <a@example.org>\nSubject: x\n";
        [FROM.as_bytes(), head, header, b"\n", text, b"\n---\n", DIFF.as_bytes()].concat()
    };
    insta::assert_snapshot!(error(raw(b"", b"J\xe9r\xf4me")), @r"txgen: read mail 2 of ../x.mbox: its text can not be decoded: it is not in charset UTF-8, and names no other");
    insta::assert_snapshot!(error(raw(b"Content-Type: text/plain; charset=us-ascii\n", b"J\xe9r\xf4me")), @r"txgen: read mail 2 of ../x.mbox: its text can not be decoded: it is not in charset us-ascii");
    insta::assert_snapshot!(error(raw(b"Content-Type: text/plain; charset=klingon\n", b"J\xe9r\xf4me")), @r"txgen: read mail 2 of ../x.mbox: its text can not be decoded: it is not in charset klingon");
    insta::assert_snapshot!(error(raw(b"From: J\xe9 <x@example.org>\n", b"x")), @r"txgen: read mail 2 of ../x.mbox: its from header can not be decoded: From: J\xe9 <x@example.org>");
    insta::assert_snapshot!(error(raw(b"", b"x\n---\nA note: \xe9\n")), @r"txgen: read mail 2 of ../x.mbox: its text can not be decoded: it is not in charset UTF-8, and names no other");
}

#[test]
fn a_replacement_character_that_a_mail_has_stays_in_its_text_and_nowhere_else() {
    let project = project();
    let text = "A scan finds \u{fffd} and J\u{e9}.\n\nSigned-off-by: A <a@example.org>";
    let latin = mail("Content-Type: text/plain; charset=us-ascii\n", &body(text));
    for (mail, am_takes_it) in [(mail("", &body(text)), true), (latin, false)] {
        project.write("case.mbox", &mail);
        let am = am(&project, "../case.mbox");
        let _ = import(&project, "../case.mbox").expect(0);
        let ours = content(&project, "linux", "txgen/s");
        assert_eq!(am.is_some(), am_takes_it);
        assert!(ours.contains("finds \u{fffd} and"), "{ours}");
        assert!(am.is_none_or(|am| am == ours));
        forget(&project);
    }
    let error = |headers: &str, text: &str| {
        project.write("case.mbox", &mail(headers, &body(text)));
        import(&project, "../case.mbox").expect(2).stderr
    };
    insta::assert_snapshot!(error("From: J\u{fffd} <x@example.org>\n", "x"), @r"txgen: read mail 1 of ../case.mbox: its author has U+FFFD, which stands for what some program could not read: write it anew");
    insta::assert_snapshot!(error("Subject: [PATCH] net: \u{fffd}\n", "x"), @r"txgen: read mail 1 of ../case.mbox: its subject has U+FFFD, which stands for what some program could not read: write it anew");
    insta::assert_snapshot!(error("", "x\n\nAcked-by: J\u{fffd} <x@example.org>"), @r"txgen: read mail 1 of ../case.mbox: its trailer Acked-by has U+FFFD, which stands for what some program could not read: write it anew");
    insta::assert_snapshot!(error("", "x\n---\nA note: \u{fffd}\n"), @r"txgen: read mail 1 of ../case.mbox: its note has U+FFFD, which stands for what some program could not read: write it anew");
}

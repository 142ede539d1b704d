// SPDX-License-Identifier: GPL-2.0
//! Whom the mails go to.

use std::fs;
use std::path::PathBuf;

use txgen::mail::Envelope;

use crate::kernel::{Kernel, MAINTAINERS};
use crate::{THIRD, envelope, two_patches, write_to, written};

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

#[test]
fn a_tree_without_get_maintainer_is_an_error_that_names_it() {
    let mut kernel = two_patches();
    fs::remove_file(kernel.project.path("k/scripts/get_maintainer.pl")).unwrap();
    kernel.patch("gone", THIRD, &[]);
    let error = write_to(&kernel, &envelope(), &kernel.project.path("out")).unwrap_err();
    insta::assert_snapshot!(format!("{error:#}"), @"the base has no scripts/get_maintainer.pl: it is no kernel tree, or one without this script");
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

// SPDX-License-Identifier: GPL-2.0
//! What the mails of a later version say of those before.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use txgen::mail::Envelope;
use txgen::series::history::Posted;

use crate::kernel::Kernel;
use crate::{THIRD, envelope, mail, subjects, tracking_header, two_patches, written};

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

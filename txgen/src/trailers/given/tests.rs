// SPDX-License-Identifier: GPL-2.0
//! Each line as it comes in mails, and what is made of it.

use super::{find, key};

fn lines(text: &str) -> Vec<String> {
    let given = find(text).into_iter().filter_map(|given| given.trailers.ok());
    given.flatten().map(|trailer| trailer.line()).collect()
}

/// Why a text gives no trailer though it looks like one.
fn reason(text: &str) -> String {
    let given = find(text);
    assert_eq!(given.len(), 1, "{text}: {given:?}");
    given[0].trailers.clone().expect_err(text)
}

#[test]
fn only_what_the_sender_says_is_given() {
    assert_eq!(lines("Good.\nreviewed-by: B <b@x.org>\n"), ["Reviewed-by: B <b@x.org>"]);
    assert_eq!(lines("Tested-by: A Long Name\n <b@x.org>\n"), ["Tested-by: A Long Name <b@x.org>"]);
    let none = [
        "> Reviewed-by: C <c@x.org>\n",
        ">> Acked-by: C <c@x.org>\n",
        "  Acked-by: C <c@x.org>\n",
        "I would say Reviewed-by: B <b@x.org> if it were tested\n",
        "-- \nAcked-by: B <b@x.org>\n",
        "-----Original Message-----\nAcked-by: C <c@x.org>\n",
        "Acked-by: $(id) <b@x.org;reboot>\n",
        "Acked-by: B <b@x.org> <c@x.org>\n",
        "Acked-by: nobody\n",
        "Signed-off-by: B <b@x.org>\n",
    ];
    for text in none {
        assert_eq!(lines(text), [""; 0], "{text}");
    }
}

#[test]
fn what_stands_around_an_address_is_kept_or_cut_as_b4_does() {
    let cases = [
        ("Tested-by: B <b@x.org> # board X", "Tested-by: B <b@x.org> # board X"),
        ("Tested-by: b@x.org #board", "Tested-by: b@x.org #board"),
        ("Reviewed-by: C <c@x.org> [net/core]", "Reviewed-by: C <c@x.org> [net/core]"),
        ("Reviewed-by: C <c@x.org> (part)", "Reviewed-by: C <c@x.org>"),
        ("Reviewed-by: C (corp) <c@x.org>", "Reviewed-by: C (corp) <c@x.org>"),
        ("Reviewed-by: E <e@x.org<mailto:e@x.org>>", "Reviewed-by: E <e@x.org>"),
        ("Reviewed-by: E <e@x.org <mailto:e@x.org> >", "Reviewed-by: E <e@x.org>"),
        ("Reviewed-by: E <mailto:e@x.org>", "Reviewed-by: E <e@x.org>"),
        ("Reviewed-by: E <e@x.org[mailto:e@x.org]>", "Reviewed-by: E <e@x.org>"),
        ("Reviewed-by:\u{a0}E\u{a0}<e@x.org>", "Reviewed-by: E <e@x.org>"),
        ("reviewed-BY: C <c@x.org>", "Reviewed-by: C <c@x.org>"),
        ("Acked-by:  A   <a@x.org>.", "Acked-by: A <a@x.org>"),
        ("Suggested-by: A <a@x.org>", "Suggested-by: A <a@x.org>"),
        ("Tested-by: A Long Name\n <b@x.org> # here", "Tested-by: A Long Name <b@x.org> # here"),
    ];
    for (text, expected) in cases {
        assert_eq!(lines(text), [expected], "{text}");
    }
}

#[test]
fn a_combined_trailer_is_split_as_the_kernels_process_wants() {
    let both = ["Reported-by: D <d@x.org>", "Tested-by: D <d@x.org>"];
    assert_eq!(lines("Reported-and-tested-by: D <d@x.org>"), both);
    assert_eq!(lines("Reported-Tested-By: D <d@x.org>"), both);
    let three = ["Reviewed-by: D <d@x.org>", "Acked-by: D <d@x.org>", "Tested-by: D <d@x.org>"];
    assert_eq!(lines("Reviewed-and-acked-and-tested-by: D <d@x.org>"), three);
}

#[test]
fn what_looks_like_a_trailer_and_is_none_has_a_reason() {
    let cases = [
        ("Acked-by: nobody", "it has no address"),
        ("Acked-by:", "it has no address"),
        ("Acked-by: A <a at x.org>", "`a at x.org` is no address"),
        ("Acked-by: $(id) <b@x.org;reboot>", "`b@x.org;reboot` is no address"),
        ("Acked-by: A <a@x.org", "its address has no `>`"),
        ("Acked-by: A <a@x.org>, B <b@x.org>", "it names more than one address"),
        ("Acked-by: A <a@x.org> <b@x.org>", "it names more than one address"),
        ("Acked-by: A <a@x.org> for the net part", "there is text behind its address"),
        ("Acked-by: A\u{202e} <a@x.org>", "it has a character that no name has, U+202E"),
        ("Acked-by: A\u{fffd} <a@x.org>", "it has a character that no name has, U+FFFD"),
        ("  Acked-by: A <a@x.org>", "it is indented, as what somebody else said may be"),
        ("*Acked-by: A <a@x.org>*", "other characters stand before it"),
        ("- Acked-by: A <a@x.org>", "other characters stand before it"),
        ("Reviewed-by A <a@x.org>", "there is no colon behind its name"),
        ("Reviewed by: A <a@x.org>", "its name is not `Reviewed-by`"),
        ("Tested/Acked-by: A <a@x.org>", "its name is not `Tested-by` or `Acked-by`"),
        ("Reviewd-by: A <a@x.org>", "txgen takes `Reviewd-by` from no mail: add it by hand"),
        ("Debugged-by: A <a@x.org>", "txgen takes `Debugged-by` from no mail: add it by hand"),
        ("Fixes: 123456789abc (\"net: x\")", "txgen takes `Fixes` from no mail: add it by hand"),
        ("Link: https://x.org/1", "txgen takes `Link` from no mail: add it by hand"),
        ("Closes: https://x.org/1", "txgen takes `Closes` from no mail: add it by hand"),
        ("Cc: stable@x.org", "txgen takes `Cc` from no mail: add it by hand"),
        ("Signed-off-by: A <a@x.org>", "a sign-off comes with a patch, not with an answer"),
        ("Co-developed-by: A <a@x.org>", "it needs a sign-off below it: add both by hand"),
    ];
    for (text, expected) in cases {
        assert_eq!(reason(text), expected, "{text}");
    }
}

#[test]
fn what_is_quoted_prose_or_below_the_mail_does_not_look_like_a_trailer() {
    let none = [
        "> Reviewed-by: C <c@x.org>",
        ">> Acked-by: C <c@x.org>",
        " > Acked-by: C <c@x.org>",
        "| Acked-by: C <c@x.org>",
        "I would say Reviewed-by: B <b@x.org> if it were tested",
        "Link: below",
        "- Acked-by: collected",
        "It is reviewed by: nobody",
        "Tested by: running it for a day",
        "by: B <b@x.org>",
        "-- \nAcked-by: B <b@x.org>",
        "-----Original Message-----\nAcked-by: C <c@x.org>",
        "No.\n\nFrom: C <c@x.org>\nSent: Monday\nTo: B <b@x.org>\nCc: D <d@x.org>\n\nAcked-by: C <c@x.org>",
        "diff --git a/x b/x\nAcked-by: C <c@x.org>",
    ];
    for text in none {
        assert_eq!(find(text), [], "{text}");
    }
}

#[test]
fn what_stands_below_a_trailer_belongs_to_it() {
    let text =
        "Reported-and-tested-by: R <r@x.org>\n[the second crash]\nCloses: https://x.org/1\nAcked-by: A <a@x.org>\n";
    let given = find(text);
    assert_eq!(given.len(), 2);
    assert_eq!(given[0].note.as_deref(), Some("[the second crash]"));
    assert_eq!(given[0].closes.as_deref(), Some("https://x.org/1"));
    assert_eq!((&given[1].note, &given[1].closes), (&None, &None));
}

#[test]
fn one_person_has_one_key_whatever_the_spelling() {
    assert_eq!(key("Acked-by", "A B <a@x.org> # twice"), key("acked-by", "\"B, A\" <A@x.org>"));
    assert_ne!(key("Acked-by", "A <a@x.org>"), key("Tested-by", "A <a@x.org>"));
    assert_eq!(key("Link", "https://X.org"), "link: https://x.org");
}

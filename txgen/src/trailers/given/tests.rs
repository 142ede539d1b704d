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

#[test]
fn a_trailer_within_a_line_is_shown_with_the_reason() {
    let before = "text stands before it on its line";
    for text in [
        "With that fixed: Reviewed-by: B <b@x.org>",
        "FWIW, Reviewed-by: B <b@x.org>",
        "LGTM. Reviewed-by: B <b@x.org>",
        "Looks good to me, thanks! Acked-by: B <b@x.org>",
        "  So (Acked-by: B <b@x.org>)",
        "feel free to add Reviewed-by: b@x.org",
        "Feel free to add my Reviewed-by: B <b@x.org> to all.",
        "Fine: Reviewed-and-tested-by: B <b@x.org>",
        "You have my Nacked-by: B <b@x.org>",
        "It was reported by B <b@x.org>",
        "Thanks, Reviewed-by: B With A Long Name\n <b@x.org>",
    ] {
        assert_eq!(reason(text), before, "{text}");
    }
    assert_eq!(reason("Acked by B <b@x.org>"), "its name is not `Acked-by`");
    assert_eq!(reason("Tested and reviewed by B <b@x.org>"), "its name is not `Tested-by` or `Reviewed-by`");
    let given = find("LGTM. reviewed-by: B <b@x.org> # x");
    assert_eq!((given[0].kinds.as_slice(), given[0].value.as_str()), (&["Reviewed-by"][..], "B <b@x.org> # x"));
}

#[test]
fn a_line_that_names_nobody_or_is_quoted_holds_no_trailer() {
    for text in [
        "> Thanks! Acked-by: B <b@x.org>",
        " > LGTM. Acked-by: B <b@x.org>",
        "AB> LGTM. Acked-by: B <b@x.org>",
        "| LGTM. Acked-by: B <b@x.org>",
        "It should get a Reviewed-by: of B",
        "Mail b@x.org to have it acked by: whoever",
        "This is tested by hand",
        "On Monday B <b@x.org> wrote:",
        "-- \nLGTM. Acked-by: B <b@x.org>",
    ] {
        assert_eq!(find(text), [], "{text}");
    }
}

#[test]
fn what_stands_below_a_diff_that_is_not_quoted_is_shown_and_what_is_in_it_is_not() {
    let diff = "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@ Acked-by: C <c@x.org>\n \
                Acked-by: C <c@x.org>\n\n-a\n+Acked-by: C <c@x.org>\n";
    let below = "it stands below a diff";
    for rest in
        ["\nTested-by: B <b@x.org>\n", "Tested-by: B <b@x.org>\n", "@@ -9 +9 @@\n-a\n+b\nTested-by: B <b@x.org>\n"]
    {
        assert_eq!(reason(&format!("{diff}{rest}")), below, "{rest}");
    }
    assert_eq!(reason(&format!("Reported-by: B\n{diff}")), "it has no address");
    assert_eq!(lines(&format!("Acked-by: B <b@x.org>\n{diff}{diff}-- \n2.47.3\nAcked-by: B <b@x.org>\n")).len(), 1);
    assert_eq!(find(&format!("{diff}-- \n2.47.3\n")), []);
    // A hunk that somebody cut short ends where a line is none of a hunk.
    assert_eq!(reason("diff --git a/x b/x\n@@ -1,90 +1,90 @@\n-a\n[...]\nAcked-by: B <b@x.org>"), below);
    assert_eq!(reason("diff --git a/x b/x\nrename from x\n\nAcked-by: B <b@x.org>"), below);
}

#[test]
fn a_name_in_encoded_words_is_read_or_shown_with_the_reason() {
    assert_eq!(lines("Reviewed-by: =?UTF-8?q?B=C3=A9_C?= <b@x.org>"), ["Reviewed-by: B\u{e9} C <b@x.org>"]);
    assert_eq!(lines("Acked-by: =?iso-8859-1?B?Qek=?= <b@x.org> # x"), ["Acked-by: A\u{e9} <b@x.org> # x"]);
    let cases = [
        ("Acked-by: =?klingon?q?B?= <b@x.org>", "its name is in encoded words that can not be read"),
        ("Acked-by: =?UTF-8?q?B=C3?= <b@x.org>", "its name is in encoded words that can not be read"),
        ("Acked-by: =?UTF-8?q?B <b@x.org>", "its name is in encoded words that can not be read"),
        ("Acked-by: =?UTF-8?q?B=0AX?= <b@x.org>", "it has a character that no name has, U+000A"),
        ("Acked-by: =?UTF-8?q?B=E2=80=AE?= <b@x.org>", "it has a character that no name has, U+202E"),
    ];
    for (text, expected) in cases {
        assert_eq!(reason(text), expected, "{text}");
    }
    assert_eq!(key("Acked-by", "=?UTF-8?q?B?= <b@x.org>"), key("Acked-by", "B <b@x.org>"));
}

#[test]
fn ten_times_the_links_or_words_take_no_more_than_about_ten_times_as_long() {
    for part in ["<mailto:", "a@x<mailto:>", "[mailto:", "acked by ", "Acked-by: ", "a:", "<"] {
        let seconds = |count: usize| {
            let text = format!("Reviewed-by: {}\nLGTM. {}", part.repeat(count), part.repeat(count));
            let start = std::time::Instant::now();
            find(&text);
            start.elapsed().as_secs_f64()
        };
        let (few, many) = (seconds(2_000), seconds(20_000));
        assert!(many < 20.0 * few + 0.5, "{part:?}: {few} s and {many} s");
    }
}

// SPDX-License-Identifier: GPL-2.0
//! What goes out, what is kept of it, and what happens where the server does not take a mail.

use std::time::Duration;

use super::outgoing::{self, COVER, THIRD_C, send, series, toml, use_server};
use super::smtp::{Manner, Sink};

#[test]
fn without_yes_nothing_is_sent_and_nothing_changes() {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    let before = toml(&kernel);
    let ran = send(&kernel, &[]).expect(0);
    assert_eq!(ran.stdout.matches("Dry-OK. Log says:").count(), 3, "{}", ran.stdout);
    assert!(ran.stdout.ends_with("\nThis was a dry run: --yes sends.\n"), "{}", ran.stdout);
    assert!(!ran.stdout.contains(kernel.project.dir().to_str().unwrap()), "{}", ran.stdout);
    assert_eq!((sink.kept().len(), toml(&kernel)), (0, before));
    assert!(!kernel.project.path("p/.txgen/tiny.send").exists());
}

#[test]
fn what_went_out_is_recorded_and_the_next_version_begins() {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    let ran = send(&kernel, &["--yes"]).expect(0);
    insta::assert_snapshot!(ran.stdout, @r"
    sent 0000-cover-letter.patch
    sent 0001-net-tell-the-second-byte.patch
    sent 0002-net-tell-the-third-byte.patch
    recorded as tag sent/tiny-v1 and in series/tiny/sent/
    ");
    let ids = sink.ids();
    assert_eq!(ids.len(), 3);
    let text = toml(&kernel);
    assert!(text.contains("\nversion = 2\n"), "{text}");
    assert!(text.contains(&format!("message-id = \"{}\"\nlink = \"https://lore.kernel.org/r/{0}\"", ids[0])), "{text}");
    assert!(text.contains("patches = [\"second\", \"third\"]"), "{text}");
    let tag = kernel.project.git("k", &["cat-file", "-p", "sent/tiny-v1"]);
    assert!(
        tag.starts_with("object ") && tag.contains("\ntype commit\ntag sent/tiny-v1\ntagger Test Author "),
        "{tag}"
    );
    assert!(tag.contains(&format!("\n\nnet: tell more bytes\n\nMessage-ID: <{}>\nbase-commit: ", ids[0])), "{tag}");
    assert!(!kernel.project.path("p/.txgen/tiny.send").exists());
    // The record has each mail as the server got it, but for the transport's encoding.
    let record = kernel.project.read("p/series/tiny/sent/v1.mbox");
    for mail in sink.kept() {
        let headers = mail.text.split("\n\n").next().unwrap();
        for line in headers.lines().filter(|line| !line.starts_with("Content-") && !line.starts_with("MIME-")) {
            assert!(record.contains(line), "{line} in {record}");
        }
    }
    assert!(record.contains("\n>From here on") && COVER.contains("\nFrom here on"), "{record}");
    let _ = kernel.txgen("apply", &[]).expect(0);
}

#[test]
fn the_record_applies_to_the_same_tree_and_each_mail_has_its_thread() {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    let _ = send(&kernel, &["--yes"]).expect(0);
    let ids = sink.ids();
    for (number, mail) in sink.kept().iter().enumerate() {
        let answers = format!("\nIn-Reply-To: <{}>\nReferences: <{0}>\n", ids[0]);
        assert_eq!(mail.text.contains(&answers), number > 0, "{}", mail.text);
        let mut recipients = mail.recipients.iter().map(|who| who.split('@').next().unwrap()).collect::<Vec<_>>();
        recipients.sort_unstable();
        assert_eq!(recipients, ["all", "net", "netdev", "rest", "reviewer", "second"]);
    }
    let applied = kernel.applied();
    kernel.project.git("k", &["checkout", "-q", "-b", "again", &applied.base.commit]);
    kernel.project.git("k", &["mailsplit", "--mboxrd", "-o.", "../p/series/tiny/sent/v1.mbox"]);
    kernel.project.git("k", &["am", "-q", "0002", "0003"]);
    let tree = kernel.project.git("k", &["rev-parse", "HEAD^{tree}", "sent/tiny-v1^{tree}"]);
    assert_eq!(tree, format!("{0}\n{0}\n", applied.patches[1].tree));
    let log = |tip: &str| kernel.project.git("k", &["log", "--format=%an <%ae> %B", &format!("main~2..{tip}")]);
    assert_eq!(log("again"), log("sent/tiny-v1"));
}

#[test]
fn the_next_version_has_a_range_diff_to_what_was_sent() {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    let _ = send(&kernel, &["--yes"]).expect(0);
    let changelog = "\n[[changelog]]\nversion = 2\nchanges = [\"another third byte\"]\n\
        \n[[changelog]]\nversion = 2\npatch = \"third\"\nchanges = [\"a constant\"]\n";
    kernel.project.write("p/series/tiny/series.toml", &(toml(&kernel) + changelog));
    kernel.project.write("p/kernel-overlay/net/core/third.c", &THIRD_C.replacen("int", "const int", 1));
    let _ = kernel.txgen("format-series", &["--sign"]).expect(0);
    let cover = kernel.project.read("p/out/tiny/v2-0000-cover-letter.patch");
    let below = cover.split_once("\n---\n").unwrap().1.split_once("\nTest Author (2)").unwrap().0;
    let commits = regex::Regex::new("[0-9a-f]{12}").unwrap();
    insta::assert_snapshot!(commits.replace_all(&below.replace(&sink.ids()[0], "ID"), "COMMIT"), @r"
    v2:
     - another third byte
    v1: https://lore.kernel.org/r/ID

    Range-diff to v1:

      1:  COMMIT = 1:  COMMIT net: tell the second byte
      2:  COMMIT ! 2:  COMMIT net: tell the third byte
          @@ Commit message

            ## net/core/third.c (new) ##
           @@
          -+int third;
          ++const int third;
           +int fourth;
           +int fifth;
           +int sixth;
    ");
    let patch = kernel.project.read("p/out/tiny/v2-0002-net-tell-the-third-byte.patch");
    assert!(patch.contains("\n---\nv2:\n - a constant\n\n"), "{patch}");
}

#[test]
fn a_resend_is_what_was_sent_or_is_refused() {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    let _ = send(&kernel, &["--yes"]).expect(0);
    let _ = send(&kernel, &["--yes", "--resend", "--force", "posted-24h"]).expect(0);
    assert!(sink.kept()[3].text.contains("Subject: [PATCH RESEND net-next 0/2]"), "{}", sink.kept()[3].text);
    assert!(kernel.project.path("p/series/tiny/sent/v1-resend1.mbox").exists());
    assert!(toml(&kernel).contains("\nversion = 2\n"), "{}", toml(&kernel));
    let mut ids = sink.ids();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6);
    kernel.project.write("p/kernel-overlay/net/core/third.c", &THIRD_C.replacen("int", "const int", 1));
    let ran = send(&kernel, &["--yes", "--resend", "--force", "posted-24h"]).expect(1);
    assert!(ran.stdout.contains("resend-modified"), "{}", ran.stdout);
}

#[test]
fn a_mail_that_the_server_refuses_waits_with_those_after_it() {
    let (kernel, sink) = (series(), Sink::with(vec![Manner::Keep, Manner::Refuse], Duration::ZERO));
    use_server(&kernel, &sink);
    let before = toml(&kernel);
    let ran = send(&kernel, &["--yes"]).expect(2);
    assert!(ran.stderr.contains("0001-net-tell-the-second-byte.patch did not go out: 5.7.1"), "{}", ran.stderr);
    assert_eq!((sink.kept().len(), toml(&kernel)), (1, before));
    let ran = send(&kernel, &[]).expect(2);
    insta::assert_snapshot!(ran.stderr, @"txgen: tiny v1 is being sent, 1 of 3 mails are out: go on with `txgen send tiny --yes`, or end it with --abort");
    // What is sent is what was begun, whatever became of the series meanwhile.
    kernel.project.write("p/series/tiny/cover.md", "Another cover.\n");
    let _ = send(&kernel, &["--yes"]).expect(0);
    let numbers = sink.ids().iter().map(|id| id.split('-').nth(4).unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(numbers, ["0", "1", "2"]);
    assert!(toml(&kernel).contains("\nversion = 2\n"));
}

#[test]
fn where_the_answer_is_lost_a_person_decides() {
    for (manner, answer) in [(Manner::KeepSilently, "--was-sent"), (Manner::LoseSilently, "--was-not-sent")] {
        let (kernel, sink) = (series(), Sink::with(vec![Manner::Keep, manner], Duration::ZERO));
        use_server(&kernel, &sink);
        let ran = send(&kernel, &["--yes"]).expect(1);
        assert!(ran.stderr.contains("it is not known whether 0001-net-tell-the-second-byte.patch"), "{}", ran.stderr);
        let out = sink.kept().len();
        let _ = send(&kernel, &["--yes"]).expect(1);
        assert_eq!(sink.kept().len(), out);
        let _ = send(&kernel, &["--yes", answer]).expect(0);
        let numbers = sink.ids().iter().map(|id| id.split('-').nth(4).unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(numbers, ["0", "1", "2"], "{answer}");
        assert_eq!(kernel.project.read("p/series/tiny/sent/v1.mbox").matches("\nMessage-ID: ").count(), 3);
    }
}

#[test]
fn a_sending_that_is_ended_records_what_is_out() {
    let (kernel, sink) = (series(), Sink::with(vec![Manner::Refuse], Duration::ZERO));
    use_server(&kernel, &sink);
    let before = toml(&kernel);
    let _ = send(&kernel, &["--yes"]).expect(2);
    let ran = kernel.txgen("send", &["--abort"]).expect(0);
    assert_eq!((ran.stdout.as_str(), toml(&kernel)), ("no mail of tiny v1 is out: forgotten\n", before));
    let sink = Sink::with(vec![Manner::Keep, Manner::Refuse], Duration::ZERO);
    use_server(&kernel, &sink);
    let _ = send(&kernel, &["--yes"]).expect(2);
    let _ = kernel.txgen("send", &["--abort"]).expect(0);
    assert_eq!(kernel.project.read("p/series/tiny/sent/v1.mbox").matches("\nMessage-ID: ").count(), 1);
    assert!(toml(&kernel).contains("\nversion = 2\n"));
    let _ = kernel.txgen("send", &["--abort"]).expect(2);
}

#[test]
fn to_self_goes_to_the_sender_alone_and_records_nothing() {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    let before = toml(&kernel);
    let _ = send(&kernel, &["--to-self"]).expect(0);
    let kept = sink.kept();
    assert_eq!(kept.len(), 3);
    for mail in &kept {
        assert_eq!(mail.recipients, ["author@example.org"]);
        assert!(mail.text.contains("\nX-Original-Cc: "), "{}", mail.text);
    }
    assert!(sink.ids().iter().all(|id| id.starts_with("self-")));
    assert!(kept[1].text.contains(&format!("In-Reply-To: <{}>", sink.ids()[0])), "{}", kept[1].text);
    assert_eq!(toml(&kernel), before);
}

#[test]
fn a_server_that_is_not_there_stops_at_the_first_mail() {
    let kernel = series();
    kernel.project.git("k", &["config", "sendemail.smtpServer", "127.0.0.1"]);
    kernel.project.git("k", &["config", "sendemail.smtpServerPort", "1"]);
    let ran = send(&kernel, &["--yes"]).expect(2);
    assert!(ran.stderr.contains("Unable to initialize SMTP properly"), "{}", ran.stderr);
    let sink = Sink::start();
    use_server(&kernel, &sink);
    assert!(outgoing::command(&kernel, &["--yes"]).status().unwrap().success());
    assert_eq!(sink.kept().len(), 3);
}

#[test]
fn what_is_not_sent_to_oneself_is_an_error_with_what_git_says() {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    // Nobody is there to be asked for a password.
    kernel.project.git("k", &["config", "sendemail.smtpUser", "ann"]);
    kernel.project.git("k", &["config", "credential.helper", "!f() { echo quit=1; }; f"]);
    let ran = send(&kernel, &["--to-self"]).expect(2);
    assert!(ran.stderr.contains("sent 0 of 3 mails"), "{}", ran.stderr);
    assert_eq!(sink.kept().len(), 0);
}

#[test]
fn a_garbled_answer_is_none() {
    let (kernel, sink) = (series(), Sink::with(vec![Manner::Keep, Manner::Garble], Duration::ZERO));
    use_server(&kernel, &sink);
    let ran = send(&kernel, &["--yes"]).expect(1);
    assert!(ran.stderr.contains("it is not known whether 0001-net-tell-the-second-byte.patch"), "{}", ran.stderr);
    let _ = send(&kernel, &["--yes"]).expect(1);
    assert_eq!(sink.kept().len(), 2);
}

#[test]
fn a_sending_of_unknown_fate_ends_with_an_answer() {
    for (answer, recorded) in [("--was-sent", 2), ("--was-not-sent", 1)] {
        let (kernel, sink) = (series(), Sink::with(vec![Manner::Keep, Manner::KeepSilently], Duration::ZERO));
        use_server(&kernel, &sink);
        let _ = send(&kernel, &["--yes"]).expect(1);
        let ran = kernel.txgen("send", &["--abort"]).expect(1);
        assert!(ran.stderr.contains(&format!("--abort {answer}")), "{}", ran.stderr);
        let _ = kernel.txgen("send", &["--abort", answer]).expect(0);
        assert_eq!(sink.kept().len(), 2);
        let record = kernel.project.read("p/series/tiny/sent/v1.mbox");
        assert_eq!(record.matches("\nMessage-ID: ").count(), recorded, "{record}");
        assert!(!kernel.project.path("p/.txgen/tiny.send").exists());
    }
    let ran = series().txgen("send", &["--was-sent"]);
    assert_eq!(ran.expect(2).stdout, "");
}

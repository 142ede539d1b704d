// SPDX-License-Identifier: GPL-2.0
//! The same Message-ID never goes out twice.

use std::collections::BTreeSet;

use super::outgoing::{send, series, toml, use_server};
use super::smtp::Sink;

#[test]
fn mails_to_oneself_have_other_ids_each_time() {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    let _ = send(&kernel, &["--to-self"]).expect(0);
    let _ = send(&kernel, &["--to-self"]).expect(0);
    let ids = sink.ids();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 6, "{ids:?}");
    let kept = sink.kept();
    assert!(kept[4].text.contains(&format!("\nIn-Reply-To: <{}>\n", ids[3])), "{}", kept[4].text);
}

/// Sends, spoils the record by `lose`, and wants the second sending to be refused.
fn refused_after(lose: impl FnOnce(&super::kernel::Kernel, &str), expected: &str) {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    let before = toml(&kernel);
    let _ = send(&kernel, &["--yes"]).expect(0);
    lose(&kernel, &before);
    let force = ["--force", "posted-24h", "--force", "version-posted", "--force", "no-changelog"];
    for args in [&["--yes", "-v", "1"][..], &["-v", "1"]] {
        let ran = send(&kernel, &[args, &force].concat()).expect(2);
        assert!(ran.stderr.contains(&sink.ids()[0]), "{}", ran.stderr);
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    }
    assert_eq!(sink.kept().len(), 3);
    assert!(!kernel.project.path("p/.txgen/tiny.send").exists());
}

#[test]
fn a_version_that_is_set_back_does_not_go_out_again() {
    refused_after(|_, _| (), "series/tiny/series.toml");
}

#[test]
fn a_posting_of_which_the_mails_alone_are_left_does_not_go_out_again() {
    let lose = |kernel: &super::kernel::Kernel, before: &str| {
        // In a series of another name, as one that was renamed.
        std::fs::create_dir_all(kernel.project.path("p/series/other/sent")).unwrap();
        let [from, to] = ["tiny", "other"].map(|name| kernel.project.path(&format!("p/series/{name}/sent/v1.mbox")));
        std::fs::rename(from, to).unwrap();
        kernel.project.write("p/series/tiny/series.toml", before);
        kernel.project.git("k", &["tag", "-d", "sent/tiny-v1"]);
    };
    refused_after(lose, "series/other/sent/v1.mbox");
}

#[test]
fn a_sending_that_ended_with_some_mails_out_goes_on_as_a_resend() {
    use super::smtp::Manner;
    let kernel = series();
    let sink = Sink::with(vec![Manner::Keep, Manner::Refuse], std::time::Duration::ZERO);
    use_server(&kernel, &sink);
    let _ = send(&kernel, &["--yes"]).expect(2);
    let _ = kernel.txgen("send", &["--abort"]).expect(0);
    let force = ["--force", "posted-24h", "--force", "version-posted", "--force", "no-changelog"];
    let ran = send(&kernel, &[&["--yes", "-v", "1"][..], &force].concat()).expect(2);
    assert!(ran.stderr.contains("--resend"), "{}", ran.stderr);
    let _ = send(&kernel, &[&["--yes", "--resend"][..], &force].concat()).expect(0);
    let ids = sink.ids();
    assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (4, 4), "{ids:?}");
}

#[test]
fn two_sendings_at_once_send_each_mail_once() {
    let kernel = series();
    for _ in 0..3 {
        let sink = Sink::start();
        use_server(&kernel, &sink);
        let before = toml(&kernel);
        let mut both = [0, 1].map(|_| super::outgoing::command(&kernel, &["--yes"]).spawn().unwrap());
        for child in &mut both {
            child.wait().unwrap();
        }
        let ids = sink.ids();
        assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (3, 3), "{ids:?}");
        super::settings::unsend(&kernel, &before);
    }
}

/// The tag of the clone is all that is left of a posting.
fn with_the_tag_alone() -> (super::kernel::Kernel, Sink) {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    let before = toml(&kernel);
    let _ = send(&kernel, &["--yes"]).expect(0);
    kernel.project.write("p/series/tiny/series.toml", &before);
    std::fs::remove_dir_all(kernel.project.path("p/series/tiny/sent")).unwrap();
    (kernel, sink)
}

#[test]
fn a_posting_of_which_the_tag_alone_is_left_does_not_go_out_again() {
    let (kernel, sink) = with_the_tag_alone();
    let tag = kernel.project.git("k", &["rev-parse", "refs/tags/sent/tiny-v1"]);
    kernel.project.write("p/series/tiny/cover.md", "Another cover.\n");
    for args in [&["--yes"][..], &[]] {
        let ran = send(&kernel, args).expect(2);
        for expected in ["sent/tiny-v1", sink.ids()[0].as_str(), "git tag -d sent/tiny-v1"] {
            assert!(ran.stderr.contains(expected), "{expected} in {}", ran.stderr);
        }
    }
    assert_eq!((sink.kept().len(), kernel.project.git("k", &["rev-parse", "refs/tags/sent/tiny-v1"])), (3, tag));
    assert!(!kernel.project.path("p/.txgen/tiny.send").exists());
    // To oneself is no posting.
    let _ = send(&kernel, &["--to-self"]).expect(0);
    kernel.project.git("k", &["tag", "-d", "sent/tiny-v1"]);
    let _ = send(&kernel, &["--yes"]).expect(0);
}

#[test]
fn a_tag_that_was_set_meanwhile_is_not_moved() {
    use super::smtp::Manner;
    let kernel = series();
    let sink = Sink::with(vec![Manner::Keep, Manner::Refuse], std::time::Duration::ZERO);
    use_server(&kernel, &sink);
    let _ = send(&kernel, &["--yes"]).expect(2);
    kernel.project.git("k", &["tag", "sent/tiny-v1", "HEAD"]);
    let tag = kernel.project.git("k", &["rev-parse", "refs/tags/sent/tiny-v1"]);
    let ran = send(&kernel, &["--yes"]).expect(2);
    assert!(ran.stderr.contains("git tag -d sent/tiny-v1"), "{}", ran.stderr);
    assert_eq!(kernel.project.git("k", &["rev-parse", "refs/tags/sent/tiny-v1"]), tag);
    kernel.project.git("k", &["tag", "-d", "sent/tiny-v1"]);
    let _ = send(&kernel, &["--yes"]).expect(0);
    assert_eq!(sink.ids().iter().collect::<BTreeSet<_>>().len(), sink.kept().len());
    assert_eq!(sink.kept().len(), 3);
}

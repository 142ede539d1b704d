// SPDX-License-Identifier: GPL-2.0
//! A sending that waits: one that somebody else left posts nothing, one's own is shown and passes the rules again.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use super::common::{Ran, ran};
use super::kernel::Kernel;
use super::outgoing::{command, send, series, use_server};
use super::smtp::{Manner, Sink};

/// A series of which the cover letter is out, and the server did not take the next mail.
fn stopped() -> (Kernel, Sink) {
    let kernel = series();
    let sink = Sink::with(vec![Manner::Keep, Manner::Refuse], Duration::ZERO);
    use_server(&kernel, &sink);
    let _ = send(&kernel, &["--yes"]).expect(2);
    assert!(kernel.project.path("p/.txgen/tiny.send/journal").exists());
    (kernel, sink)
}

fn expect_foreign(ran: &Ran) {
    let file = ".txgen/tiny.send";
    assert!(ran.stderr.contains(&format!("{file} was not written by this project on this machine")), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("remove it here with `rm -r {file}`")), "{}", ran.stderr);
}

#[test]
fn what_somebody_else_put_there_is_not_posted() {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    let applied = kernel.applied();
    let secret = kernel.project.path("secret");
    fs::write(&secret, "Subject: x\n\nx\n").unwrap();
    let journal = format!(
        "{{\"title\": \"x\", \"tree\": \"net-next\", \"version\": 1, \"resend\": 0, \"rfc\": false, \"change_id\": \"x\", \
         \"git_dir\": \"{}\", \"base\": \"{}\", \"commit\": \"{1}\", \"patches\": [\"second\"], \"sender\": [\"A\", \
         \"a@example.org\"], \"list\": \"list@example.org\", \"mails\": [{{\"file\": \"{}\", \"message_id\": \"x@example.org\", \
         \"digest\": \"\", \"state\": \"unsent\"}}]}}",
        applied.git_dir.display(),
        applied.base.commit,
        secret.display()
    );
    kernel.project.write("p/.txgen/tiny.send/journal", &journal);
    for args in [&["--yes"][..], &[], &["--abort"]] {
        expect_foreign(&send(&kernel, args).expect(2));
    }
    assert_eq!(sink.kept().len(), 0);
    let _ = kernel.txgen("status", &[]).expect(0);
}

#[test]
fn a_sending_of_a_project_that_was_copied_goes_on_where_it_began() {
    let (kernel, _sink) = stopped();
    let copied = std::process::Command::new("cp").arg("-a").args(["p", "q"]).current_dir(kernel.project.dir()).status();
    assert!(copied.unwrap().success());
    let sink = Sink::start();
    use_server(&kernel, &sink);
    let mut there = command(&kernel, &["--yes"]);
    expect_foreign(&ran(there.current_dir(kernel.project.path("q"))).expect(2));
    assert_eq!(sink.kept().len(), 0);
    let _ = send(&kernel, &["--yes"]).expect(0);
    assert_eq!(sink.kept().len(), 2);
}

#[test]
fn of_two_sendings_at_once_each_mail_goes_out_once() {
    for wait in [0, 60, 400] {
        let (kernel, sink) = (series(), Sink::with(vec![], Duration::from_millis(150)));
        use_server(&kernel, &sink);
        let start = || command(&kernel, &["--yes"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let first = start();
        std::thread::sleep(Duration::from_millis(wait));
        let second = start();
        let both = [first, second].map(|child| child.wait_with_output().unwrap());
        let codes = both.each_ref().map(|ran| ran.status.code());
        let said = both.each_ref().map(|ran| String::from_utf8_lossy(&ran.stderr).into_owned());
        assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 1, "{codes:?} {said:?}");
        let mut ids = sink.ids();
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), sink.kept().len()), (3, 3), "{said:?}");
        assert!(!kernel.project.path("p/.txgen/tiny.send").exists());
    }
}

#[test]
fn a_mail_that_was_changed_on_disk_is_not_sent() {
    let (kernel, _sink) = stopped();
    let sink = Sink::start();
    use_server(&kernel, &sink);
    let file = "p/.txgen/tiny.send/0002-net-tell-the-third-byte.patch";
    let text = kernel.project.read(file);
    kernel.project.write(file, &text.replace("To: ", "To: other@example.org, "));
    let ran = send(&kernel, &["--yes"]).expect(2);
    assert!(ran.stderr.contains("0002-net-tell-the-third-byte.patch is not the mail that was made"), "{}", ran.stderr);
    kernel.project.write("p/secret", &text);
    fs::remove_file(kernel.project.path(file)).unwrap();
    std::os::unix::fs::symlink(kernel.project.path("p/secret"), kernel.project.path(file)).unwrap();
    let _ = send(&kernel, &["--yes"]).expect(2);
    assert_eq!(sink.kept().len(), 0);
    fs::remove_file(kernel.project.path(file)).unwrap();
    kernel.project.write(file, &text);
    let _ = send(&kernel, &["--yes"]).expect(0);
    assert_eq!(sink.kept().len(), 2);
}

#[test]
fn what_a_resumed_sending_would_send_is_shown_and_passes_the_rules_again() {
    let (kernel, _sink) = stopped();
    let sink = Sink::start();
    use_server(&kernel, &sink);
    let ran = send(&kernel, &[]).expect(2);
    assert!(!ran.stdout.contains("0000-cover-letter.patch"), "{}", ran.stdout);
    let shown = "0001-net-tell-the-second-byte.patch\n  Subject: [PATCH net-next 1/2] net: tell the second byte\n";
    assert!(ran.stdout.contains(shown), "{}", ran.stdout);
    for line in ["  To: ", "netdev@example.org", "  Cc: "] {
        assert!(ran.stdout.contains(line), "{line} in {}", ran.stdout);
    }
    let ran = send(&kernel, &["--yes", "--net-next", "closed"]).expect(1);
    assert!(format!("{}{}", ran.stdout, ran.stderr).contains("tree-closed: net-next is closed"), "{}", ran.stderr);
    let toml = super::outgoing::toml(&kernel);
    // A part of an address excludes nobody: the fault that is found is another one.
    kernel.project.write("p/series/tiny/series.toml", &format!("exclude = [\"dev@example.org\"]\n{toml}"));
    let ran = send(&kernel, &["--yes", "--net-next", "closed"]).expect(1);
    assert!(ran.stdout.contains("tree-closed"), "{}{}", ran.stdout, ran.stderr);
    kernel.project.write("p/series/tiny/series.toml", &format!("exclude = [\"netdev@example.org\"]\n{toml}"));
    let ran = send(&kernel, &["--yes"]).expect(2);
    assert!(ran.stderr.contains("whom series.toml excludes by now"), "{}", ran.stderr);
    assert_eq!(sink.kept().len(), 0);
    kernel.project.write("p/series/tiny/series.toml", &toml);
    let ran = send(&kernel, &["--yes"]).expect(0);
    assert!(ran.stdout.starts_with("0001-net-tell-the-second-byte.patch\n  Subject: "), "{}", ran.stdout);
    assert_eq!(sink.kept().len(), 2);
}

#[test]
fn a_sending_that_is_put_back_after_its_end_is_not_sent_again() {
    let (kernel, _sink) = stopped();
    let copy = |from: &str, to: &str| {
        let mut command = std::process::Command::new("cp");
        let copied = command.arg("-a").args([from, to]).current_dir(kernel.project.dir()).status();
        assert!(copied.unwrap().success());
    };
    copy("p", "kept");
    let sink = Sink::start();
    use_server(&kernel, &sink);
    let _ = send(&kernel, &["--yes"]).expect(0);
    assert_eq!(sink.kept().len(), 2);
    fs::remove_dir_all(kernel.project.path("p")).unwrap();
    copy("kept", "p");
    let ran = send(&kernel, &["--yes"]).expect(2);
    assert!(ran.stderr.contains("tag sent/tiny-v1 is in"), "{}", ran.stderr);
    assert_eq!(sink.kept().len(), 2);
}

// SPDX-License-Identifier: GPL-2.0
//! What was composed arrives: the headers that a server received are those that txgen wrote.

use super::outgoing::{series, toml, use_server};
use super::settings::{gits, send_with, unsend};
use super::smtp::Sink;

/// Headers that git send-email writes itself: when a mail was sent, by what, and how its text is encoded.
const OWN: &[&str] = &["date", "x-mailer", "mime-version", "content-transfer-encoding"];

/// The headers of a mail, unfolded, in the order of their names, without those that git send-email writes itself.
fn headers(text: &str) -> Vec<(String, String)> {
    let (headers, _) = text.split_once("\n\n").unwrap();
    let mut all = Vec::<(String, String)>::new();
    for line in headers.lines().filter(|line| !line.starts_with("From ")) {
        match line.split_once(':').filter(|_| !line.starts_with([' ', '\t'])) {
            Some((name, value)) => all.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => {
                let (_, value) = all.last_mut().unwrap();
                *value += &format!(" {}", line.trim());
            }
        }
    }
    all.retain(|(name, _)| !OWN.contains(&name.as_str()));
    all.sort();
    all
}

#[test]
fn every_header_of_the_mails_is_received_as_it_was_composed() {
    let kernel = series();
    let cc = "cc = [\"Jérôme «É» Señor-Łukaszewicz of the long name <j@example.org>\", \
              \"\\\"Cee, Ann (x)\\\" <a@example.org>\", \"A. B. <b@example.org>\"]\n";
    let before = toml(&kernel).replacen("\n[[patch]]", &format!("{cc}\n[[patch]]"), 1);
    kernel.project.write("p/series/tiny/series.toml", &before);
    for (version, git) in gits() {
        let _ = kernel.txgen("format-series", &["--sign"]).expect(0);
        let mut files =
            std::fs::read_dir(kernel.project.path("p/out/tiny")).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
        files.sort_by_key(std::fs::DirEntry::path);
        let composed = files.iter().map(|file| std::fs::read_to_string(file.path()).unwrap()).collect::<Vec<_>>();
        let sink = Sink::start();
        use_server(&kernel, &sink);
        let _ = send_with(&kernel, &git, &["--yes"]).expect(0);
        let received = sink.kept();
        assert_eq!(received.len(), 3);
        for (composed, received) in composed.iter().zip(&received) {
            assert_eq!(headers(&received.text), headers(composed), "{version}");
        }
        let first = headers(&received[0].text);
        assert!(first.iter().any(|(name, value)| name == "x-b4-tracking" && value.starts_with("v=1; b=")), "{first:?}");
        let record = kernel.project.read("p/series/tiny/sent/v1.mbox");
        assert_eq!(record.matches("\nX-B4-Tracking: v=1; b=").count(), 1, "{record}");
        unsend(&kernel, &before);
    }
}

#[test]
fn a_lone_patch_arrives_with_what_b4_reads() {
    let kernel = series();
    std::fs::remove_file(kernel.project.path("p/series/tiny/cover.md")).unwrap();
    for (version, git) in gits() {
        let sink = Sink::start();
        use_server(&kernel, &sink);
        let ran = send_with(&kernel, &git, &["--to-self", "--force", "no-cover"]).expect(0);
        let text = &sink.kept()[0].text;
        assert!(text.contains("\nX-B4-Tracking: v=1; b="), "{version}: {text}\n{}", ran.stdout);
        assert!(text.contains("\nSubject: [PATCH net-next 1/2] net: tell the second byte\n"), "{version}: {text}");
    }
}

/// The body of a mail as its reader sees it.
fn body(text: &str) -> Vec<u8> {
    let (headers, body) = text.split_once("\n\n").unwrap();
    if !headers.to_ascii_lowercase().contains("content-transfer-encoding: quoted-printable") {
        return body.as_bytes().to_vec();
    }
    let joined = body.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'=' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&tail[..2]).unwrap(), 16).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    bytes
}

#[test]
fn whoever_sends_bodies_and_headers_arrive_as_they_were_composed() {
    for name in ["Юрий Андреев", "José M. de la Peña, Jr.", "Ann B. Author, Jr.", "Ann Author"] {
        let kernel = series();
        kernel.project.git("k", &["config", "user.name", name]);
        let before = toml(&kernel);
        for (version, git) in gits() {
            let rest = std::env::var_os("PATH").unwrap();
            let path = std::env::join_paths([git.clone()].into_iter().chain(std::env::split_paths(&rest))).unwrap();
            let sink = Sink::start();
            use_server(&kernel, &sink);
            let run = |args: &[&str]| {
                let mut command = super::outgoing::command(&kernel, args);
                for who in ["AUTHOR", "COMMITTER"] {
                    command.env(format!("GIT_{who}_NAME"), name);
                }
                super::common::ran(command.env("PATH", &path))
            };
            let composed = run(&["--to-self"]).expect(0).stdout;
            assert!(composed.contains("Result: 250"), "{name}, {version}: {composed}");
            let _ = run(&["--yes"]).expect(0);
            let received = sink.kept();
            assert_eq!(received.len(), 6, "{name}, {version}");
            let record = kernel.project.read("p/series/tiny/sent/v1.mbox");
            let recorded = record.split("From mboxrd@z Thu Jan  1 00:00:00 1970\n").skip(1).collect::<Vec<_>>();
            assert_eq!(recorded.len(), 3, "{record}");
            for (recorded, received) in recorded.iter().zip(&received[3..]) {
                let unmarked = recorded.split_at(recorded.find("\n\n").unwrap() + 1).1.replace("\n>From ", "\nFrom ");
                let body = body(&received.text);
                let text = String::from_utf8(body).unwrap();
                assert_eq!(text.trim_end_matches('\n'), unmarked[1..].trim_end_matches('\n'), "{name}, {version}");
            }
            unsend(&kernel, &before);
        }
    }
}

#[test]
fn a_name_that_git_would_write_otherwise_sends_nothing() {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    let mut command = super::outgoing::command(&kernel, &["--to-self"]);
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "Ann \"Q\" Author");
    }
    let ran = super::common::ran(&mut command).expect(2);
    assert!(ran.stderr.contains("Ann \"Q\" Author") && ran.stderr.contains("user.name"), "{}", ran.stderr);
    assert_eq!(sink.kept().len(), 0);
}

#[test]
fn the_sender_may_be_named_in_another_case() {
    let kernel = series();
    let before = toml(&kernel).replacen("\n[[patch]]", "cc = [\"Test <Author@Example.org>\"]\n\n[[patch]]", 1);
    kernel.project.write("p/series/tiny/series.toml", &before);
    for (version, git) in gits() {
        let sink = Sink::start();
        use_server(&kernel, &sink);
        let _ = send_with(&kernel, &git, &["--yes"]).expect(0);
        for mail in sink.kept() {
            let copies = mail.recipients.iter().filter(|who| who.eq_ignore_ascii_case("author@example.org")).count();
            assert_eq!(copies, 1, "{version}: {:?}", mail.recipients);
        }
        unsend(&kernel, &before);
    }
}

#[test]
fn what_went_out_with_trace_in_its_subject_or_without_a_mailer_imports_again() {
    let kernel = series();
    kernel.project.git("k", &["config", "sendemail.xmailer", "false"]);
    kernel.project.write("p/series/tiny/third.msg", "net: trace: tell the third byte\n\nFrom there on it is easy.\n");
    let sink = Sink::start();
    use_server(&kernel, &sink);
    let _ = super::outgoing::send(&kernel, &["--yes"]).expect(0);
    let record = "p/series/tiny/sent/v1.mbox";
    let text = kernel.project.read(record);
    assert!(text.contains("\nSubject: [PATCH net-next 2/2] net: trace: tell the third byte\n"), "{text}");
    assert!(
        text.lines().filter(|line| line.starts_with("From ")).all(|line| line.starts_with("From mboxrd@z ")),
        "{text}"
    );
}

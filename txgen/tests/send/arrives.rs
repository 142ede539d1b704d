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

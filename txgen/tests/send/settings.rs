// SPDX-License-Identifier: GPL-2.0
//! Who gets the mails, whatever git's configuration says: what the server received decides, with every git that is here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::common::{Ran, ran};
use super::kernel::Kernel;
use super::outgoing::{command, series, toml, use_server};
use super::smtp::Sink;

/// Who gets the series `tiny` as its mails say.
const EVERYONE: &[&str] = &[
    "all@example.org",
    "net@example.org",
    "netdev@example.org",
    "rest@example.org",
    "reviewer@example.org",
    "second@example.org",
];

/// Settings that name people: whoever is added by one of those that are set together is added all the same.
const PEOPLE: &[&[(&str, &str)]] = &[
    &[
        ("sendemail.to", "maintainer@example.org"),
        ("sendemail.cc", "maintainer@example.org"),
        ("sendemail.bcc", "boss@example.org"),
        ("sendemail.toCmd", "echo maintainer@example.org #"),
        ("sendemail.ccCmd", "echo maintainer@example.org #"),
        ("sendemail.signedOffByCc", "true"),
        ("sendemail.suppressFrom", "false"),
        ("sendemail.from", "Boss <boss@example.org>"),
    ],
    &[
        ("sendemail.headerCmd", "echo Cc: maintainer@example.org #"),
        ("sendemail.toCover", "true"),
        ("sendemail.ccCover", "true"),
        ("format.to", "maintainer@example.org"),
        ("format.cc", "maintainer@example.org"),
        ("format.headers", "Cc: maintainer@example.org\n"),
    ],
    &[("sendemail.headerCmd", "echo Bcc: maintainer@example.org #")],
];

/// Settings that drop people, or write them otherwise.
const FEWER: &[&[(&str, &str)]] = &[
    &[("sendemail.suppressCc", "all")],
    &[("sendemail.suppressCc", "cc")],
    &[("sendemail.suppressCc", "self")],
    &[("sendemail.suppressCc", "no-such-thing")],
    &[("sendemail.aliasesFile", "ALIASES"), ("sendemail.aliasFileType", "mutt")],
    &[("sendemail.mailmap", "true"), ("sendemail.mailmap.file", "MAILMAP")],
    &[("sendemail.mailmap", "true"), ("mailmap.file", "MAILMAP")],
];

/// Settings of an identity, which git prefers to those without.
const IDENTITY: &[&[(&str, &str)]] = &[
    &[
        ("sendemail.identity", "work"),
        ("sendemail.work.to", "maintainer@example.org"),
        ("sendemail.work.cc", "maintainer@example.org"),
        ("sendemail.work.bcc", "boss@example.org"),
        ("sendemail.work.toCmd", "echo maintainer@example.org #"),
        ("sendemail.work.ccCmd", "echo maintainer@example.org #"),
    ],
    &[
        ("sendemail.identity", "work"),
        ("sendemail.work.headerCmd", "echo Cc: maintainer@example.org #"),
        ("sendemail.work.mailmap", "true"),
        ("mailmap.file", "MAILMAP"),
    ],
    &[("sendemail.identity", "work"), ("sendemail.work.suppressCc", "all"), ("sendemail.suppressCc", "cc")],
    // txgen's own identity has no server in it, and what it says of people is seen before the first mail.
    &[("sendemail.identity", "txgen-outgoing"), ("sendemail.txgen-outgoing.bcc", "boss@example.org")],
];

/// Settings that change the mails, or ask somebody.
const FORM: &[&[(&str, &str)]] = &[
    &[
        ("sendemail.confirm", "always"),
        ("sendemail.thread", "true"),
        ("sendemail.chainReplyTo", "true"),
        ("sendemail.xmailer", "false"),
    ],
    &[("sendemail.multiEdit", "false"), ("sendemail.annotate", "true"), ("core.editor", "false")],
    &[("sendemail.transferEncoding", "base64")],
    &[("sendemail.transferEncoding", "7bit"), ("sendemail.assume8bitEncoding", "latin1")],
];

/// The folders of the gits that are here, by their versions.
pub fn gits() -> BTreeMap<String, PathBuf> {
    let path = std::env::var_os("PATH").unwrap();
    let mut found = BTreeMap::new();
    for dir in std::env::split_paths(&path).filter(|dir| dir.join("git").is_file()) {
        let output = std::process::Command::new(dir.join("git")).arg("version").output().unwrap();
        found.entry(String::from_utf8(output.stdout).unwrap()).or_insert(dir);
    }
    assert!(!found.is_empty(), "git is not there");
    eprintln!("with {}", found.keys().map(|version| version.trim()).collect::<Vec<_>>().join(", "));
    found
}

/// `txgen send` with the git of a folder.
pub fn send_with(kernel: &Kernel, git: &std::path::Path, args: &[&str]) -> Ran {
    let rest = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths([git.to_owned()].into_iter().chain(std::env::split_paths(&rest))).unwrap();
    ran(command(kernel, args).env("PATH", path))
}

/// Takes back that the series was sent.
pub fn unsend(kernel: &Kernel, toml: &str) {
    kernel.project.write("p/series/tiny/series.toml", toml);
    std::fs::remove_dir_all(kernel.project.path("p/series/tiny/sent")).unwrap();
    kernel.project.git("k", &["tag", "-d", "sent/tiny-v1"]);
}

fn everybody(sink: &Sink) -> Vec<Vec<String>> {
    let mut all = sink.kept().into_iter().map(|mail| mail.recipients).collect::<Vec<_>>();
    all.iter_mut().for_each(|recipients| recipients.sort());
    all
}

/// Sends with each of the settings, to oneself and to everyone.
fn nobody_else_gets_a_mail(settings: &[&[(&str, &str)]]) {
    let kernel = series();
    kernel.project.write(
        "aliases",
        "alias netdev@example.org maintainer@example.org\nalias author@example.org boss@example.org\n",
    );
    kernel.project.write(
        "mailmap",
        "Other <maintainer@example.org> <net@example.org>\nBoss <boss@example.org> <author@example.org>\n",
    );
    let before = toml(&kernel);
    for setting in settings {
        for (key, value) in *setting {
            let file = |name: &str| kernel.project.path(name).to_str().unwrap().to_owned();
            let value = value.replace("ALIASES", &file("aliases")).replace("MAILMAP", &file("mailmap"));
            kernel.project.git("k", &["config", key, &value]);
        }
        for (version, git) in gits() {
            let case = format!("{setting:?} with {version}");
            let sink = Sink::start();
            use_server(&kernel, &sink);
            let _ = send_with(&kernel, &git, &["--to-self"]).expect(0);
            assert_eq!(everybody(&sink), vec![vec!["author@example.org"]; 3], "--to-self, {case}");
            let sink = Sink::start();
            use_server(&kernel, &sink);
            let _ = send_with(&kernel, &git, &["--yes"]).expect(0);
            assert_eq!(everybody(&sink), vec![EVERYONE; 3], "--yes, {case}");
            unsend(&kernel, &before);
        }
        for (key, _) in *setting {
            kernel.project.git("k", &["config", "--unset-all", key]);
        }
    }
}

#[test]
fn settings_that_name_people_reach_nobody() {
    nobody_else_gets_a_mail(PEOPLE);
}

#[test]
fn settings_that_drop_or_rewrite_people_change_nothing() {
    nobody_else_gets_a_mail(FEWER);
}

#[test]
fn settings_of_an_identity_change_nothing_of_who_gets_the_mails() {
    nobody_else_gets_a_mail(IDENTITY);
}

#[test]
fn settings_that_change_mails_or_ask_change_nothing_of_who_gets_the_mails() {
    nobody_else_gets_a_mail(FORM);
}

#[test]
fn the_server_of_an_identity_and_a_command_of_the_users_are_used() {
    let (kernel, sink) = (series(), Sink::start());
    for (key, value) in [
        ("sendemail.identity", "work"),
        ("sendemail.smtpServer", "unreachable.invalid"),
        ("sendemail.work.smtpServer", "127.0.0.1"),
        ("sendemail.work.smtpServerPort", &sink.port.to_string()),
        ("sendemail.work.envelopeSender", "bounces@example.org"),
    ] {
        kernel.project.git("k", &["config", key, value]);
    }
    for (_, git) in gits() {
        let _ = send_with(&kernel, &git, &["--to-self"]).expect(0);
    }
    assert_eq!(sink.kept().len(), 3 * gits().len());
    kernel
        .project
        .git("k", &["config", "sendemail.work.smtpServer", kernel.project.path("sendmail").to_str().unwrap()]);
    kernel.project.write(
        "sendmail",
        &format!("#!/bin/sh\necho \"$@\" >> {0}/args; cat > {0}/mail\n", kernel.project.dir().display()),
    );
    kernel.project.git(".", &["-c", "alias.x=!chmod +x sendmail", "x"]);
    for (_, git) in gits() {
        let _ = send_with(&kernel, &git, &["--to-self"]).expect(0);
    }
    let args = "-f bounces@example.org -i author@example.org\n".repeat(3 * gits().len());
    assert_eq!(kernel.project.read("args"), args);
}

#[test]
fn the_sender_gets_a_copy_where_the_mails_say_so() {
    let kernel = series();
    let before = toml(&kernel).replacen("\n[[patch]]", "cc = [\"Test Author <author@example.org>\"]\n\n[[patch]]", 1);
    kernel.project.write("p/series/tiny/series.toml", &before);
    for (version, git) in gits() {
        let sink = Sink::start();
        use_server(&kernel, &sink);
        let _ = send_with(&kernel, &git, &["--yes"]).expect(0);
        for mail in sink.kept() {
            assert_eq!(mail.recipients.iter().filter(|who| *who == "author@example.org").count(), 1, "{version}");
            assert_eq!(mail.recipients.len(), EVERYONE.len() + 1, "{version}");
        }
        unsend(&kernel, &before);
    }
}

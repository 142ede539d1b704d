// SPDX-License-Identifier: GPL-2.0
//! The user's hook sendemail-validate: it sees the whole series before the first mail goes out.

use super::kernel::Kernel;
use super::outgoing::{series, toml, use_server};
use super::settings::{gits, send_with, unsend};
use super::smtp::Sink;

const SEEN: &str =
    "echo \"$PWD $GIT_SENDEMAIL_FILE_COUNTER/$GIT_SENDEMAIL_FILE_TOTAL $(grep -c ^Subject: \"$1\") $#\" >> ../seen\n";

fn hook(kernel: &Kernel, folder: &str, text: &str) {
    let hooks = kernel.project.path(folder).display().to_string();
    kernel.project.git("k", &["config", "core.hooksPath", &hooks]);
    let path = format!("{folder}/sendemail-validate");
    kernel.project.write(&path, &format!("#!/bin/sh\n{text}"));
    let path = kernel.project.path(&path);
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn the_hook_runs_at_the_top_of_the_work_tree_with_the_numbers_of_the_series() {
    let kernel = series();
    hook(&kernel, "k/.git/hooks", SEEN);
    let before = toml(&kernel);
    let top = kernel.project.path("k").canonicalize().unwrap();
    let seen = [1, 2, 3].map(|number| format!("{} {number}/3 1 2\n", top.display())).concat();
    for (version, git) in gits() {
        let sink = Sink::start();
        use_server(&kernel, &sink);
        for option in ["--dry", "--to-self", "--yes"] {
            let _ =
                send_with(&kernel, &git, if option == "--dry" { &[] } else { std::slice::from_ref(&option) }).expect(0);
            assert_eq!(kernel.project.read("seen"), seen, "{option}, {version}");
            std::fs::remove_file(kernel.project.path("seen")).unwrap();
        }
        unsend(&kernel, &before);
    }
}

#[test]
fn a_hook_that_refuses_the_last_mail_stops_before_the_first() {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    hook(&kernel, "k/.git/hooks", "test $GIT_SENDEMAIL_FILE_COUNTER != 3 || { echo not this one >&2; exit 1; }\n");
    for option in ["--yes", "--to-self"] {
        for (_, git) in gits() {
            let ran = send_with(&kernel, &git, &[option]).expect(2);
            assert!(ran.stderr.contains("0002-net-tell-the-third-byte.patch"), "{}", ran.stderr);
            assert!(ran.stderr.contains("not this one"), "{}", ran.stderr);
        }
    }
    assert_eq!(sink.kept().len(), 0);
    assert!(!kernel.project.path("p/.txgen/tiny.send").exists());
    // Whoever does not want the hook says so to git.
    kernel.project.git("k", &["config", "sendemail.validate", "false"]);
    let _ = send_with(&kernel, gits().values().next().unwrap(), &["--to-self"]).expect(0);
    assert_eq!(sink.kept().len(), 3);
}

#[test]
fn what_a_hook_adds_goes_out_and_people_it_adds_do_not() {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    hook(&kernel, "hooks", "sed -i '/^Message-ID:/i X-Checked: yes' \"$1\"\n");
    let (_, git) = gits().pop_first().unwrap();
    let _ = send_with(&kernel, &git, &["--to-self"]).expect(0);
    assert!(sink.kept().iter().all(|mail| mail.text.contains("\nX-Checked: yes\n")), "{}", sink.kept()[0].text);
    for line in ["Cc: boss@example.org", "Bcc: boss@example.org", "To: boss@example.org"] {
        hook(&kernel, "hooks", &format!("sed -i '/^Message-ID:/i {line}' \"$1\"\n"));
        for option in ["--to-self", "--yes"] {
            let ran = send_with(&kernel, &git, &[option]).expect(2);
            assert!(ran.stderr.contains("sendemail-validate"), "{line}: {}", ran.stderr);
        }
    }
    assert_eq!(sink.kept().len(), 3);
}

#[test]
fn in_a_linked_work_tree_the_hook_runs_there() {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    hook(&kernel, "k/.git/hooks", &format!("git rev-parse --show-toplevel >> ../top\n{SEEN}"));
    let base = kernel.applied().base.commit;
    kernel.project.git("k", &["worktree", "add", "-q", "--detach", "../wt", &base]);
    let top = kernel.project.path("wt").canonicalize().unwrap();
    for option in [&[][..], &["--to-self"]] {
        let args = ["send", "tiny", "--tree", "../wt", "--base", &base, "--sign", "--force=unproved"];
        let _ = kernel.project.txgen(&[&args[..], option].concat()).expect(0);
        let seen = [1, 2, 3].map(|number| format!("{} {number}/3 1 2\n", top.display())).concat();
        assert_eq!(kernel.project.read("seen"), seen);
        assert_eq!(kernel.project.read("top"), format!("{}\n", top.display()).repeat(3));
        for file in ["seen", "top"] {
            std::fs::remove_file(kernel.project.path(file)).unwrap();
        }
    }
}

// SPDX-License-Identifier: GPL-2.0
//! What a mail server received, given back to git and to the real b4.

use std::path::PathBuf;
use std::process::Output;

use super::common::TestProject;
use super::kernel::{Kernel, SKBUFF};
use super::outgoing::{send, series, use_server};
use super::smtp::{Received, Sink};

/// b4, which `make test` installs into the cache.
fn b4() -> PathBuf {
    let cache = std::env::var_os("TXGEN_CACHE").map(PathBuf::from);
    let cache = cache.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/txgen"));
    let b4 = cache.join("venv-mail/bin/b4");
    assert!(b4.exists(), "{} is not there: vm-tests/venv.sh mail installs it", b4.display());
    b4
}

/// Sends the series and writes what was received into an mbox.
fn received(kernel: &Kernel, args: &[&str]) -> Vec<Received> {
    let sink = Sink::start();
    use_server(kernel, &sink);
    let _ = send(kernel, &[&["--yes"], args].concat()).expect(0);
    let kept = sink.kept();
    kernel.project.write("all.mbox", &mbox(&kept));
    kept
}

/// The mails as an archive has them.
pub fn mbox(mails: &[Received]) -> String {
    let from = regex::Regex::new("(?m)^(>*From )").unwrap();
    let mail = |mail: &Received| {
        let (headers, body) = mail.text.split_once("\n\n").unwrap();
        format!("From mboxrd@z Thu Jan  1 00:00:00 1970\n{headers}\n\n{}\n", from.replace_all(body, ">$1"))
    };
    mails.iter().map(mail).collect()
}

/// b4 in the clone `k/`, without a network.
pub fn run(project: &TestProject, args: &[&str]) -> Output {
    let mut command = project.command(b4().to_str().unwrap());
    command.args(["--no-interactive", "--offline-mode", "--no-stdin"]).args(args);
    command.env("XDG_DATA_HOME", project.path("data")).env("XDG_CACHE_HOME", project.path("data"));
    command.current_dir(project.path("k")).output().unwrap()
}

/// What b4 itself reads of the thread in `all.mbox`.
pub fn thread(project: &TestProject) -> String {
    let script = "import b4, mailbox\nm = b4.LoreMailbox()\n\
        for x in b4.split_and_dedupe_pi_results(open('../all.mbox', 'rb').read()): m.add_message(x)\n\
        s = m.get_series(codereview_trailers=False)\nprint(s.has_cover, s.complete, s.base_commit, s.change_id)";
    let mut python = project.command(b4().with_file_name("python3").to_str().unwrap());
    let output = python.args(["-c", script]).current_dir(project.path("k")).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The base, checked out on a branch of its own.
fn on_base(kernel: &Kernel) {
    kernel.project.git("k", &["checkout", "-q", "-f", "-B", "again", &kernel.applied().base.commit]);
}

#[test]
fn b4_finds_the_cover_letter_the_base_and_the_change_id_and_applies() {
    let kernel = series();
    received(&kernel, &[]);
    on_base(&kernel);
    let output = run(&kernel.project, &["am", "-m", "../all.mbox", "-o", "../am"]);
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    for expected in ["Analyzing 3 messages", "[PATCH 1/2]", "[PATCH 2/2]", "Total patches: 2", "Cover: "] {
        assert!(said.contains(expected), "{expected} in {said}");
    }
    assert!(said.contains("Base: applies clean to current tree"), "{said}");
    let base = kernel.applied().base.commit;
    assert_eq!(thread(&kernel.project), format!("True True {base} 20261123-more-bytes-0123456789ab\n"));
    let output = run(&kernel.project, &["shazam", "-m", "../all.mbox"]);
    assert!(output.status.success(), "{}", text(&output));
    let tree = kernel.project.git("k", &["rev-parse", "HEAD^{tree}"]);
    assert_eq!(tree.trim(), kernel.applied().patches[1].tree);
}

#[test]
fn mails_with_all_that_breaks_mails_apply_to_the_same_tree() {
    let long = "x".repeat(990);
    let dos = "int dos;\r\nint first;\r\nint last;\r\n";
    let mut kernel = Kernel::with(&[("net/core/dos.c", dos)]);
    let message = "net: tell the second byte to everyone who reads a line as long as this is\n\n\
        Jérôme says — in UTF-8 — that lines may start with\nFrom here, or with\n>From there.\n\n\
        \x20 diff --git a/x b/x\n  --- a/x\n  +++ b/x\n  ---\n\nA row of --- is no end.\n.\n..\n";
    let second = format!("{SKBUFF}\n/* Jérôme\nFrom here\n>From there\n.\n---\n{long}\n*/\n");
    let changed = dos.replace("first", "second");
    kernel.patch("second", message, &[("net/core/skbuff.c", &second)]);
    kernel.patch("third", "net: tell the third byte\n\nWhy.\n", &[("net/core/dos.c", &changed)]);
    kernel.store("");
    let cover = "Why — in UTF-8.\n\nFrom here on:\n\n  diff --git a/x b/x\n  @@ -1 +1 @@\n\n.\n";
    kernel.project.write("p/series/tiny/cover.md", cover);
    let toml = super::outgoing::toml(&kernel);
    let named = "cc = [\"Jérôme «É» Señor-Łukaszewicz of the long name <j@example.org>\", \"\\\"Cee, Ann (x)\\\" <a@example.org>\"]\n";
    kernel.project.write("p/series/tiny/series.toml", &toml.replacen("\n[[patch]]", &format!("{named}\n[[patch]]"), 1));
    let kept = received(&kernel, &[]);
    for mail in &kept {
        assert!(mail.text.lines().all(|line| line.len() <= 998), "a line is too long for SMTP");
        let headers = mail.text.split("\n\n").next().unwrap();
        assert!(headers.is_ascii(), "{headers}");
        for who in ["j@example.org", "a@example.org"] {
            assert!(mail.recipients.contains(&who.to_owned()), "{:?}", mail.recipients);
        }
    }
    on_base(&kernel);
    kernel.project.git("k", &["mailsplit", "--mboxrd", "--keep-cr", "-o.", "../all.mbox"]);
    kernel.project.git("k", &["am", "-q", "--keep-cr", "--quoted-cr=nowarn", "0002", "0003"]);
    let tree = kernel.project.git("k", &["rev-parse", "HEAD^{tree}"]);
    assert_eq!(tree.trim(), kernel.applied().patches[1].tree);
    let log = |tip: &str| kernel.project.git("k", &["log", "--format=%an <%ae> %B", &format!("main~2..{tip}")]);
    assert_eq!(log("again"), log("sent/tiny-v1"));
}

#[test]
fn a_lone_patch_with_a_cover_letter_is_found_by_b4() {
    let mut kernel = Kernel::new();
    kernel.patch("third", "net: tell the third byte\n\nWhy.\n", &[("net/core/third.c", "int third;\n")]);
    kernel.store("");
    kernel.project.write("p/series/tiny/cover.md", "Why.\n");
    let kept = received(&kernel, &["--rfc"]);
    assert!(kept[0].text.contains("\nSubject: [PATCH RFC net-next 0/1] "), "{}", kept[0].text);
    assert!(kept[1].text.contains("\nSubject: [PATCH RFC net-next 1/1] "), "{}", kept[1].text);
    on_base(&kernel);
    let output = run(&kernel.project, &["shazam", "-m", "../all.mbox"]);
    assert!(output.status.success(), "{}", text(&output));
    let tree = kernel.project.git("k", &["rev-parse", "HEAD^{tree}"]);
    assert_eq!(tree.trim(), kernel.applied().patches[0].tree);
}

#[test]
fn mails_are_signed_by_patatt_where_a_key_is_configured() {
    let kernel = series();
    // patatt reads an mbox, and takes any `From ` at the start of a line for a mail's.
    kernel.project.write("p/series/tiny/cover.md", "Bytes are wanted.\n");
    let bin = b4().parent().unwrap().to_owned();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let patatt = |args: &[&str]| {
        let mut command = kernel.project.command(bin.join("patatt").to_str().unwrap());
        let output = command.args(args).current_dir(kernel.project.path("k")).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        text(&output)
    };
    let third = "net: tell the third byte\n\nIt is easy.\n";
    kernel.project.write("p/series/tiny/third.msg", third);
    kernel.project.git("k", &["config", "user.email", "author@example.org"]);
    patatt(&["genkey", "-n", "tests"]);
    kernel.project.git("k", &["config", "patatt.signingkey", "ed25519:tests"]);
    kernel.project.git("k", &["config", "patatt.selector", "tests"]);
    let sink = Sink::start();
    use_server(&kernel, &sink);
    assert!(super::outgoing::command(&kernel, &["--yes"]).env("PATH", path).status().unwrap().success());
    for (number, mail) in sink.kept().iter().enumerate() {
        let file = format!("{number}.eml");
        kernel.project.write(&file, &format!("From x Thu Jan  1 00:00:00 1970\n{}", mail.text));
        let said = patatt(&["validate", &format!("../{file}")]);
        assert!(said.contains("PASS") && said.contains("author@example.org"), "{said}\n{}", mail.text);
    }
}

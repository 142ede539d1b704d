// SPDX-License-Identifier: GPL-2.0
//! Where mails come from: standard input, packed archives, Maildirs, folders.

use std::io::Write;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::clone::{DIFF, OTHER, body, content, forget, import, mail, project};

#[test]
fn the_same_series_comes_from_every_kind_of_mailbox() {
    let project = project();
    let mails = [
        mail("Subject: [PATCH net v3 1/2] net: one\n", &body("Why.")),
        mail("Subject: [PATCH net v3 2/2] net: two\n", &format!("Why.\n---\n{OTHER}")),
    ];
    let both = mails.concat();
    project.write("plain.mbox", &both);
    let want = {
        import(&project, "../plain.mbox").expect(0);
        content(&project, "linux", "txgen/s")
    };
    forget(&project);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(both.as_bytes()).unwrap();
    std::fs::write(project.path("t.mbox.gz"), gzip.finish().unwrap()).unwrap();
    for (index, mail) in mails.iter().enumerate() {
        let plain = mail.split_once('\n').unwrap().1;
        project.write(&format!("maildir/new/{}.M1P1.host", 9 + index), plain);
        project.write(&format!("folder/v3-000{}-x.patch", index + 1), mail);
    }
    project.write("maildir/tmp/1", "");
    project.write("folder/README", "none\n");
    for source in ["../t.mbox.gz", "../maildir", "../folder"] {
        import(&project, source).expect(0);
        assert_eq!(content(&project, "linux", "txgen/s"), want, "{source}");
        forget(&project);
    }
    let mut command = project.command(env!("CARGO_BIN_EXE_txgen"));
    command.args(["import", "s", "--tree", "../linux", "--base", "main", "mbox", "-"]).current_dir(project.path("p"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(both.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(content(&project, "linux", "txgen/s"), want, "standard input");
    let toml = project.read("p/series/s/series.toml");
    assert!(toml.contains("tree = \"net\"\nversion = 3\n"), "{toml}");
}

#[test]
fn a_source_without_a_mail_is_an_error() {
    let project = project();
    project.write("empty/README", "none\n");
    insta::assert_snapshot!(import(&project, "../empty").expect(2).stderr, @"txgen: there is no mail in ../empty: give an mbox (also .gz), a Maildir, a folder of .eml or .patch files, or a mail");
    let mut command = project.command(env!("CARGO_BIN_EXE_txgen"));
    command.args(["import", "s", "--tree", "../linux", "--base", "main", "mbox", "-"]).current_dir(project.path("p"));
    insta::assert_snapshot!(super::common::ran(command.stdin(Stdio::null())).expect(2).stderr, @"txgen: there is no mail in standard input: give an mbox (also .gz), a Maildir, a folder of .eml or .patch files, or a mail");
}

#[test]
fn what_the_clone_and_its_user_have_configured_does_not_count() {
    let project = project();
    let diff = DIFF.replace("10;", "10; \t");
    project.write("x.mbox", &mail("", &format!("Why.\n---\n{diff}")));
    import(&project, "../x.mbox").expect(0);
    let want = content(&project, "linux", "txgen/s");
    forget(&project);
    for setting in [
        "apply.whitespace=fix",
        "apply.ignoreWhitespace=change",
        "core.autocrlf=true",
        "core.whitespace=trailing-space",
        "mailinfo.scissors=true",
        "i18n.commitEncoding=latin1",
        "am.threeWay=true",
    ] {
        let (name, value) = setting.split_once('=').unwrap();
        project.git("linux", &["config", name, value]);
        project.git("linux", &["config", "--global", name, value]);
    }
    project.write("linux/.git/info/attributes", "* text eol=crlf whitespace=fix\n");
    import(&project, "../x.mbox").expect(0);
    assert_eq!(content(&project, "linux", "txgen/s"), want);
}

#[test]
fn what_a_server_has_promised_to_a_partial_clone_is_fetched() {
    let project = project();
    project.write("x.mbox", &mail("", &body("Why.")));
    import(&project, "../x.mbox").expect(0);
    let want = content(&project, "linux", "txgen/s");
    forget(&project);
    project.git("linux", &["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", project.path("linux").display());
    project.git(".", &["clone", "--quiet", "--filter=blob:none", "--no-checkout", &url, "part"]);
    // The files by which a kernel is known are there, as after a sparse checkout.
    project.git("part", &["checkout", "--quiet", "main", "--", "Makefile", "Kbuild", "Kconfig", "MAINTAINERS"]);
    project.git("part", &["config", "apply.ignoreWhitespace", "change"]);
    project.txgen(&["import", "s", "--tree", "../part", "--base", "main", "mbox", "../x.mbox"]).expect(0);
    assert_eq!(content(&project, "part", "txgen/s"), want);
}

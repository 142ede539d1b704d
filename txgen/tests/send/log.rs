// SPDX-License-Identifier: GPL-2.0
//! What `txgen log` tells of the versions of a series.

use super::outgoing::{THIRD_C, send, series, toml, use_server};
use super::smtp::Sink;

#[test]
fn versions_are_told_with_what_each_changed_and_what_changed_since() {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    insta::assert_snapshot!(kernel.txgen("log", &[]).expect(0).stdout, @r"
    tiny: net: tell more bytes

    v1    not posted  2 patches
    ");
    let _ = send(&kernel, &["--yes", "--rfc"]).expect(0);
    let changes = "\n[[changelog]]\nversion = 2\nchanges = [\"a rebase\"]\n\n\
        [[changelog]]\nversion = 2\npatch = \"third\"\nchanges = [\"a constant\"]\n";
    kernel.project.write("p/series/tiny/series.toml", &(toml(&kernel) + changes));
    kernel.project.write("p/kernel-overlay/net/core/third.c", &THIRD_C.replacen("int", "const int", 1));
    let told = kernel.txgen("log", &[]).expect(0).stdout;
    let varies = regex::Regex::new("[0-9a-f]{12}|[0-9]{4}-[0-9]{2}-[0-9]{2}").unwrap();
    insta::assert_snapshot!(varies.replace_all(&told.replace(&sink.ids()[0], "ID"), "X"), @r"
    tiny: net: tell more bytes

    v1    X  2 patches  RFC  under review  https://lore.kernel.org/r/ID
    v2    not posted  2 patches
          - a rebase
          - third: a constant

    Range-diff to v1:

      1:  X = 1:  X net: tell the second byte
      2:  X ! 2:  X net: tell the third byte
          @@ Commit message

            ## net/core/third.c (new) ##
           @@
          -+int third;
          ++const int third;
           +int fourth;
           +int fifth;
           +int sixth;
    ");
    let json: serde_json::Value = serde_json::from_str(&kernel.txgen("log", &["--json"]).expect(0).stdout).unwrap();
    assert_eq!(json["posted"][0]["message_id"], sink.ids()[0]);
    assert_eq!(json["posted"][0]["rfc"], true);
    assert_eq!(json["changelog"][1]["patch"], "third");
    assert!(json["since"].as_str().unwrap().contains("++const int third;"), "{json}");
    // A clone that lacks the tag can not tell what changed.
    let gone = toml(&kernel)
        .replace(&kernel.project.git("k", &["rev-parse", "sent/tiny-v1^{commit}"]).trim().to_owned(), &"1".repeat(40));
    kernel.project.write("p/series/tiny/series.toml", &gone);
    let told = kernel.txgen("log", &[]).expect(0).stdout;
    assert!(
        told.ends_with("the commits of v1 are not in this repository: what changed since can not be told\n"),
        "{told}"
    );
}

#[test]
fn a_subject_acts_on_no_terminal() {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    let _ = send(&kernel, &["--yes", "--rfc"]).expect(0);
    let file = "p/series/tiny/third.msg";
    let text = kernel.project.read(file);
    for (odd, shown) in [('\u{202e}', "U+202E"), ('\r', "U+000D"), ('\u{1b}', "U+001B")] {
        let subject = format!("net: tell {odd}[2J the third byte");
        kernel.project.write(file, &text.replacen("net: tell the third byte", &subject, 1));
        for command in ["status", "apply", "log"] {
            let ran = kernel.txgen(command, &[]).expect(2);
            let said = format!("series/tiny/third.msg:1: the subject can not be sent: it holds the character {shown}");
            assert!(ran.stderr.contains(&said), "{command}: {:?}", ran.stderr);
            assert!(!ran.stderr.contains(odd) && !ran.stdout.contains(odd), "{command}: {:?}", ran.stderr);
        }
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Nothing that is written in a series makes a header, a file name or an option of a program.

use super::kernel::Kernel;

/// A series of one patch.
fn series() -> Kernel {
    let mut kernel = Kernel::new();
    kernel.patch("third", "net: tell the third byte\n\nWhy.\n", &[("net/core/third.c", "int third;\n")]);
    kernel.store("");
    kernel.project.write("p/series/tiny/cover.md", "Why.\n");
    kernel
}

const POSTED: &str = "[[posted]]\nversion = 1\ndate = \"2026-01-01T00:00:00Z\"\nmessage-id = \"o@example.org\"\n\
    link = \"https://lore.example.org/o\"\nbase = \"0\"\ncommit = \"1\"\npatches = [\"third\"]\n";
const TAG: &str = "[[tag]]\npatch = \"third\"\ntrailer = \"Acked-by: B <b@example.org>\"\nreason = \"in person\"\n";
const CHANGE: &str = "[[changelog]]\nversion = 1\npatch = \"third\"\nchanges = [\"more\"]\n";
const EXCEPTION: &str =
    "[[exception]]\npatch = \"third\"\ncheck = \"message\"\ncontains = \"body-width\"\nreason = \"so\"\n";
const DROP: &str = "[[drop]]\npatch = \"third\"\nfile = \"net/core/third.c\"\nitem = \"third\"\nreason = \"so\"\n";

#[test]
fn every_value_of_series_toml_is_refused_at_its_place_where_it_would_make_a_header() {
    let kernel = series();
    let plain = kernel.project.read("p/series/tiny/series.toml");
    let lists = "to = [\"a@example.org\"]\ncc = [\"a@example.org\"]\nexclude = [\"c@example.org\"]\n";
    let plain = plain.replacen("\n[[patch]]", &format!("{lists}\n[[patch]]"), 1);
    let plain = [plain.as_str(), POSTED, TAG, CHANGE, EXCEPTION, DROP].join("\n");
    kernel.project.write("p/series/tiny/series.toml", &plain);
    let value = regex::Regex::new("(?m)^([a-z-]+) = (\\[)?\"([^\"\\n]*)\"").unwrap();
    let mut keys = 0;
    for found in value.captures_iter(&plain) {
        let (key, place) = (&found[1], found.get(3).unwrap());
        for bad in ["\\nBcc: x@example.org", "\\r", "\\u001b[2J", "\\u202e"] {
            // An entry of a changelog, and what a person says for a reason, may have several lines.
            if ["changes", "reason", "contains"].contains(&key) && bad.starts_with("\\n") {
                continue;
            }
            let text = format!("{}{bad}{}", &plain[..place.end()], &plain[place.end()..]);
            kernel.project.write("p/series/tiny/series.toml", &text);
            let ran = kernel.txgen("format-series", &[]).expect(2);
            let line = plain[..place.start()].matches('\n').count() + 1;
            let at = format!("series/tiny/series.toml:{line}:");
            assert!(ran.stderr.contains(&at), "{key} {bad}: {at} {}", ran.stderr);
            assert!(ran.stderr.chars().all(|c| c == '\n' || !c.is_control()), "{key} {bad}: {:?}", ran.stderr);
            assert!(!kernel.project.path("p/out").exists(), "{key}");
        }
        keys += 1;
    }
    assert!(keys > 25, "{keys} keys of {plain}");
}

#[test]
fn a_subject_with_characters_that_no_mail_has_is_refused_with_its_line() {
    let kernel = series();
    let long = "x".repeat(1 << 20);
    for odd in ["a\rBcc: x@example.org", "a\u{1b}[2J", "a\u{202e}b", "a\u{0}", &long] {
        kernel.project.write("p/series/tiny/third.msg", &format!("net: tell {odd} byte\n\nWhy.\n"));
        // A commit may have a subject of any length: that is no reason not to check it.
        let commands = ["format-series", "send", "check"];
        for command in &commands[..if odd == long { 1 } else { 3 }] {
            let ran = kernel.txgen(command, &[]).expect(2);
            assert!(ran.stderr.contains("series/tiny/third.msg:1: the subject can not be sent"), "{}", ran.stderr);
            assert!(ran.stderr.len() < 1000 && !ran.stderr.contains('\u{1b}'), "{:?}", ran.stderr);
        }
    }
    for odd in ["a\rb", "a\u{1b}[2J", "a\u{202e}b"] {
        kernel.project.write("p/series/tiny/third.msg", &format!("From: A {odd} <a@example.org>\n\nnet: x\n\nWhy.\n"));
        let ran = kernel.txgen("format-series", &[]).expect(2);
        assert!(ran.stderr.contains("series/tiny/third.msg:1: the author holds the character"), "{}", ran.stderr);
    }
}

#[test]
fn a_branch_with_a_subject_of_a_megabyte_is_held_and_not_sent() {
    let kernel = series();
    let long = "word ".repeat(200_000);
    kernel.project.write("message", &format!("net: {}\n\nWhy.\n", long.trim_end()));
    kernel.project.git("k", &["checkout", "-q", "-b", "long", "main~1"]);
    kernel.project.write("k/net/core/long.c", "int long_;\n");
    kernel.project.git("k", &["add", "-A"]);
    kernel.project.git("k", &["commit", "-q", "-F", "../message"]);
    let ran = kernel
        .project
        .txgen(&["import", "more", "--tree", "../k", "--base", "main~1", "--title", "net: x", "branch", "long"]);
    let ran = ran.expect(0);
    assert!(ran.stdout.len() < 1000 && ran.stderr.len() < 1000, "{:.2000}{:.2000}", ran.stdout, ran.stderr);
    let ran = kernel.project.txgen(&["format-series", "more", "--tree", "../k", "--base", "main~1"]).expect(2);
    assert!(ran.stderr.contains(".msg:1: the subject can not be sent: it has"), "{:.2000}", ran.stderr);
    assert!(ran.stderr.len() < 1000, "{:.2000}", ran.stderr);
}

#[test]
fn a_name_of_the_senders_with_control_characters_is_refused() {
    let kernel = series();
    for (name, email) in
        [("Ann\rBcc: x@example.org", "a@example.org"), ("Ann \u{1b}[2J A", "a@example.org"), ("Ann", "a b")]
    {
        let base = kernel.applied().base.commit;
        let mut command = kernel.project.command(env!("CARGO_BIN_EXE_txgen"));
        command
            .args(["format-series", "tiny", "--tree", "../k", "--base", &base])
            .current_dir(kernel.project.path("p"));
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), name).env(format!("GIT_{role}_EMAIL"), email);
        }
        let ran = super::common::ran(&mut command).expect(2);
        assert!(ran.stderr.contains("user.name"), "{name:?}: {}", ran.stderr);
        assert!(!kernel.project.path("p/out").exists());
    }
}

#[test]
fn the_command_line_is_checked_as_series_toml_is() {
    let kernel = series();
    for args in
        [&["--title", "net: x\nBcc: x@example.org"][..], &["--title", "net: x", "--prefix", "net-next]\nBcc: x"]]
    {
        let ran =
            kernel.project.txgen(&[&["new", "more", "--tree", "../k", "--base", "main~1"], args].concat()).expect(2);
        assert!(ran.stderr.contains("invalid value"), "{}", ran.stderr);
        assert!(!kernel.project.path("p/series/more").exists());
    }
}

#[test]
fn texts_with_characters_that_no_mail_has_are_findings() {
    let kernel = series();
    kernel.project.write("p/series/tiny/cover.md", "Why.\n\nSo \u{1b}[2J.\n");
    kernel.project.write("p/series/tiny/third.msg", "net: tell the third byte\n\nWhy.\n---\na\u{202e}b\n");
    let ran = kernel.txgen("format-series", &[]).expect(1);
    assert!(ran.stdout.contains("third: note: message line 1: invisible-character: there is U+202E"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("(series): cover: message line 3: text: the line holds the character U+001B"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_tree_in_trees_toml_is_refused_at_its_place() {
    let kernel = series();
    kernel.project.write("p/series/trees.toml", "# trees\n[\"net\\nnext\"]\nstate = \"open\"\n");
    let ran = kernel.txgen("send", &[]).expect(2);
    assert!(ran.stderr.contains("series/trees.toml:2:2: "), "{}", ran.stderr);
}

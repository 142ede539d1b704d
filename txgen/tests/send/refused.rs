// SPDX-License-Identifier: GPL-2.0
//! What is not sent, and where it is written that netdev does not want it.

use super::kernel::Kernel;
use super::outgoing::{send, series, toml, use_server};
use super::smtp::Sink;

/// The rules that a run names.
fn rules(stdout: &str) -> Vec<String> {
    let rule = |line: &str| line.split(": posting: ").nth(1)?.split(": ").next().map(str::to_owned);
    stdout.lines().filter_map(rule).collect()
}

#[test]
fn a_series_that_is_not_ready_is_refused_with_the_source_of_each_rule() {
    let kernel = series();
    kernel.project.write("p/series/trees.toml", "[net-next]\nstate = \"closed\"\n");
    let ran = kernel.txgen("send", &["--yes"]).expect(1);
    insta::assert_snapshot!(ran.stdout + &ran.stderr, @r#"
    (series): posting: tree-closed: net-next is closed: it takes bug fixes (net) and RFCs (--rfc) only
        (Documentation/process/maintainer-netdev.rst, "git trees and patch flow")
    second: posting: no-sign-off: the last Signed-off-by is not that of the sender, Test Author <author@example.org>: sign with --sign
        (Documentation/process/submitting-patches.rst, "Sign your work - the Developer's Certificate of Origin")
    second: posting: unproved: it is not on record as built and booted: `txgen test`
        (Documentation/process/maintainer-netdev.rst, "Expected level of testing")
    third: posting: no-sign-off: the last Signed-off-by is not that of the sender, Test Author <author@example.org>: sign with --sign
        (Documentation/process/submitting-patches.rst, "Sign your work - the Developer's Certificate of Origin")
    third: posting: unproved: it is not on record as built and booted: `txgen test`
        (Documentation/process/maintainer-netdev.rst, "Expected level of testing")
    netdev would send this back, so it was not done. To do it all the same: --force tree-closed
    "#);
    assert!(!kernel.project.path("p/.txgen/tiny.send").exists());
}

#[test]
fn a_closed_tree_takes_rfcs_and_the_option_says_more_than_the_file() {
    let kernel = series();
    assert_eq!(rules(&send(&kernel, &["--net-next", "closed"]).expect(1).stdout), ["tree-closed"]);
    let _ = send(&kernel, &["--net-next", "closed", "--rfc"]).expect(0);
    kernel.project.write("p/series/trees.toml", "[net-next]\nstate = \"closed\"\nuntil = \"2020-01-01\"\n");
    let _ = send(&kernel, &[]).expect(0);
    kernel.project.write("p/series/trees.toml", "[net-next]\nstate = \"shut\"\n");
    let ran = send(&kernel, &[]).expect(2);
    assert!(ran.stderr.contains("read series/trees.toml"), "{}", ran.stderr);
}

#[test]
fn a_day_passes_between_postings_and_a_version_is_posted_once() {
    let (kernel, sink) = (series(), Sink::start());
    use_server(&kernel, &sink);
    let _ = send(&kernel, &["--yes"]).expect(0);
    assert_eq!(rules(&send(&kernel, &["--yes"]).expect(1).stdout), ["posted-24h", "no-changelog"]);
    assert_eq!(rules(&send(&kernel, &["--yes", "-v", "1"]).expect(1).stdout), ["posted-24h", "version-posted"]);
    let old = regex::Regex::new("(?s)(posted.*?\ndate = )\"[^\"]*\"").unwrap();
    let text = old.replace(&toml(&kernel), "$1\"2026-01-01T00:00:00Z\"").into_owned();
    let text = text + "\n[[changelog]]\nversion = 2\nchanges = [\"more\"]\n";
    kernel.project.write("p/series/tiny/series.toml", &text);
    let _ = send(&kernel, &[]).expect(0);
    assert_eq!(sink.kept().len(), 3);
}

/// Another series of the project that has `count` patches under review.
fn other(kernel: &Kernel, count: usize, more: &str) {
    let names = (0..count).map(|n| format!("\"p{n}\"")).collect::<Vec<_>>().join(", ");
    let own = toml(kernel);
    let head = own.split("\n[[patch]]").next().unwrap().replace("more-bytes-0123456789ab", "other-0123456789ab");
    let text = format!(
        "{head}\n[[patch]]\nname = \"one\"\n\n[[posted]]\nversion = 1\ndate = \"2026-01-01T00:00:00Z\"\n\
         message-id = \"o@example.org\"\nlink = \"https://lore.example.org/o\"\nbase = \"0\"\ncommit = \"1\"\n\
         patches = [{names}]\n{more}"
    );
    kernel.project.write("p/series/other/series.toml", &text);
    kernel.project.write("p/series/other/one.msg", "net: one\n\nWhy.\n");
    kernel.project.write("p/series/other/one.diff", "diff --git a/x b/x\n");
}

#[test]
fn more_than_fifteen_patches_are_not_outstanding() {
    let kernel = series();
    other(&kernel, 13, "");
    let _ = send(&kernel, &[]).expect(0);
    other(&kernel, 14, "");
    let ran = send(&kernel, &[]).expect(1);
    assert_eq!(rules(&ran.stdout), ["outstanding"]);
    assert!(ran.stdout.contains("14 patches for net-next are under review (other: 14)"), "{}", ran.stdout);
    other(&kernel, 14, "result = \"applied\"\n");
    let _ = send(&kernel, &[]).expect(0);
}

#[test]
fn other_peoples_tags_need_a_source() {
    let kernel = series();
    let tags = "Reported-by: R <r@example.org>\nSuggested-by: S <s@example.org>\nReviewed-by: B <b@example.org>\n";
    kernel.project.write("p/series/tiny/third.msg", &format!("net: tell the third byte\n\nWhy.\n\n{tags}"));
    let ran = send(&kernel, &[]).expect(1);
    assert_eq!(rules(&ran.stdout), ["tag-permission"]);
    assert!(ran.stdout.contains("`Reviewed-by: B <b@example.org>` came by no mail"), "{}", ran.stdout);
    let tag =
        "\n[[tag]]\npatch = \"third\"\ntrailer = \"Reviewed-by: B <b@example.org>\"\nreason = \"said so in person\"\n";
    let plain = toml(&kernel);
    kernel.project.write("p/series/tiny/series.toml", &(plain.clone() + tag));
    let _ = send(&kernel, &[]).expect(0);
    kernel.project.write("p/series/tiny/series.toml", &format!("{plain}{tag}patch-id = \"{}\"\n", "1".repeat(40)));
    assert_eq!(rules(&send(&kernel, &[]).expect(1).stdout), ["stale-tag"]);
}

#[test]
fn the_tree_is_named_in_lower_case_and_net_takes_fixes() {
    let kernel = series();
    let text = toml(&kernel);
    kernel.project.write("p/series/tiny/series.toml", &text.replace("\"net-next\"", "\"NET\""));
    assert_eq!(rules(&send(&kernel, &[]).expect(1).stdout), ["tree-prefix"]);
    kernel.project.write("p/series/tiny/series.toml", &text.replace("\"net-next\"", "\"net\""));
    assert_eq!(rules(&send(&kernel, &[]).expect(1).stdout), ["no-fixes"]);
    let fixed = "net: tell the third byte\n\nWhy.\n\nFixes: 123456789abc (\"net: tell\")\n";
    kernel.project.write("p/series/tiny/third.msg", fixed);
    let _ = send(&kernel, &[]).expect(0);
    let bases = kernel.project.read("p/series/bases.toml");
    kernel.project.write("p/series/bases.toml", &format!("{bases}trees = [\"net-next\"]\n"));
    let ran = send(&kernel, &[]).expect(1);
    assert_eq!(rules(&ran.stdout), ["tree-base"]);
    let why = "the series is for net, and its base tiny stands for net-next";
    assert!(ran.stdout.contains(why), "{}", ran.stdout);
}

// SPDX-License-Identifier: GPL-2.0
//! `txgen format-series`: what it prints, warns of and refuses.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::files::files_below;
use crate::kernel::Kernel;
use crate::{COVER, SECOND, THIRD, two_patches};

#[test]
fn counts_of_another_tree_are_warned_of() {
    let kernel = two_patches();
    kernel.store("");
    kernel.project.write("p/series/tiny/cover.md", COVER);
    let tip = kernel.applied().patches.last().unwrap().tree.clone();
    for (tree, warned) in [(tip, false), ("0".repeat(40), true)] {
        kernel.project.write("p/series/tiny/bench.md", &format!("Per send:\n\n| a |\n\nTrees: tiny {tree}\n"));
        let ran = kernel.txgen("format-series", &["--signoff"]).expect(0);
        assert_eq!(ran.stderr.contains("series/tiny/bench.md, the table"), warned, "{}", ran.stderr);
    }
}

#[test]
fn the_command_prints_the_files_the_recipients_and_how_to_send() {
    let kernel = two_patches();
    kernel.store("");
    kernel.project.write("p/series/tiny/cover.md", COVER);
    for (name, message) in [("second", SECOND), ("third", THIRD)] {
        let signed = message.replace("Ann Author <ann@", "Test Author <author@");
        kernel.project.write(&format!("p/series/tiny/{name}.msg"), &signed);
    }
    let ran = kernel.txgen("format-series", &["-v", "3"]).expect(0);
    let dir = kernel.project.dir().to_str().unwrap();
    insta::assert_snapshot!(ran.stdout.replace(dir, "DIR"), @r#"
    DIR/p/out/tiny/v3-0000-cover-letter.patch
    DIR/p/out/tiny/v3-0001-net-tell-the-second-byte.patch
    DIR/p/out/tiny/v3-0002-net-tell-the-third-byte.patch
    To: Net Maintainer <net@example.org>
    To: "Jérôme Second" <second@example.org>
    Cc: all@example.org
    Cc: netdev@example.org
    Cc: The Rest <rest@example.org>
    Cc: "A. Reviewer" <reviewer@example.org>

    git send-email --to=netdev@example.org DIR/p/out/tiny/*.patch
    "#);
    assert!(!ran.stderr.contains("Signed-off-by"), "{}", ran.stderr);
    let again = kernel.txgen("format-series", &["-v", "3", "--json"]).expect(0);
    let json: serde_json::Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(json["files"][1], "v3-0001-net-tell-the-second-byte.patch");
    assert!(kernel.project.read("p/out/tiny/v3-0000-cover-letter.patch").contains("[PATCH net-next v3 0/2]"));
}

#[test]
fn the_command_warns_of_unsigned_patches_and_signs_them_on_request() {
    let mut kernel = Kernel::new();
    kernel.patch("third", "net: tell the third byte\n\nWhy.\n", &[("net/core/third.c", "int third;\n")]);
    kernel.store("");
    let ran = kernel.txgen("format-series", &[]).expect(0);
    insta::assert_snapshot!(ran.stderr, @"warning: no Signed-off-by in third: netdev does not take such patches. Sign them with `txgen format-series tiny --sign` or, for good, `git config format.signOff true`");
    let ran = kernel.txgen("format-series", &["--signoff"]).expect(0);
    assert_eq!(ran.stderr, "");
    assert!(
        kernel.project.read("p/out/tiny/0001-net-tell-the-third-byte.patch").contains("\nSigned-off-by: Test Author")
    );
}

#[test]
fn the_command_refuses_with_exit_1_and_says_how_to_force() {
    let mut kernel = Kernel::new();
    kernel.patch("third", "net: tell the third byte.\n\nWhy.\n", &[("net/core/third.c", "int third;\n")]);
    kernel.store("");
    let ran = kernel.txgen("format-series", &[]).expect(1);
    insta::assert_snapshot!(ran.stdout + &ran.stderr, @r#"
    third: message: message line 1: subject-period: the subject ends with a period
        (Documentation/process/submitting-patches.rst, "The canonical patch format")
    netdev would send this back, so it was not done. To do it all the same: --force subject-period
    "#);
    assert!(!kernel.project.path("p/out").exists());
    let _ = kernel.txgen("format-series", &["--force", "subject-period"]).expect(0);
}

#[test]
fn the_mails_of_a_stack_are_those_of_each_of_its_series() {
    let kernel = two_patches();
    kernel.store("");
    kernel.project.write("p/series/tiny/cover.md", COVER);
    let lower = kernel.project.read("p/series/tiny/series.toml");
    let upper = lower.split("\n[[patch]]").next().unwrap().replace("0123456789ab", "0123456789ac");
    let upper = format!("{upper}\ndepends = \"tiny\"\n\n[[patch]]\nname = \"upper\"\nadds = [\"net/core/upper.c\"]\n");
    kernel.project.write("p/series/upper/series.toml", &upper);
    kernel.project.write("p/series/upper/upper.msg", "net: tell the upper byte\n\nWhy.\n");
    kernel.project.write("p/kernel-overlay/net/core/upper.c", "int upper;\n");
    let base = kernel.applied().base.commit;
    let format = |name: &str, args: &[&str]| {
        let on = ["format-series", name, "--tree", "../k", "--base", &base, "--sign"];
        kernel.project.txgen(&[&on[..], args].concat())
    };
    for name in ["tiny", "upper"] {
        let _ = format(name, &["-o", &format!("../each/{name}")]).expect(0);
    }
    let ran = format("upper", &["--stack", "-o", "../all"]).expect(0);
    assert_eq!(files_below(&kernel.project.path("all")), files_below(&kernel.project.path("each")));
    assert_eq!(files_below(&kernel.project.path("all")).len(), 4);
    assert_eq!(ran.stdout.matches("\ngit send-email --to=").count(), 2, "{}", ran.stdout);
    let json = format("upper", &["--stack", "-o", "../all", "--json"]).expect(0);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json[1]["files"][0], "0001-net-tell-the-upper-byte.patch");
    // Where one is refused, none is written.
    kernel.project.write("p/series/upper/upper.msg", "net: tell the upper byte.\n\nWhy.\n");
    kernel.project.write("p/series/tiny/cover.md", "Another cover.\n");
    let _ = format("upper", &["--stack", "-o", "../all"]).expect(1);
    assert_eq!(files_below(&kernel.project.path("all")), files_below(&kernel.project.path("each")));
}

/// A get_maintainer.pl that says who it is, and does not end.
const ENDLESS: &str = r#"
open(my $file, '>', "$ENV{TXGEN_CACHE}.new") or die;
print $file $$;
close($file);
rename("$ENV{TXGEN_CACHE}.new", "$ENV{TXGEN_CACHE}.pid") or die;
sleep(600);
"#;

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "not so after a minute: {what}");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_signal_ends_what_the_command_started() {
    let mut kernel = Kernel::new();
    kernel.patch("third", THIRD, &[("scripts/get_maintainer.pl", ENDLESS)]);
    kernel.store("");
    let mut command = kernel.project.command(env!("CARGO_BIN_EXE_txgen"));
    command.args(["format-series", "tiny", "--sign", "--tree", "../k", "--base", &kernel.applied().base.commit]);
    let mut txgen = command.current_dir(kernel.project.path("p")).spawn().unwrap();
    let pid_file = kernel.project.path("cache.pid");
    wait_until("the script runs", || pid_file.exists());
    // Of one that ended and was not waited for it is empty.
    let of_script = format!("/proc/{}/cmdline", kernel.project.read("cache.pid"));
    let runs = || fs::read(&of_script).is_ok_and(|argv| !argv.is_empty());
    assert!(runs());
    kill(Pid::from_raw(txgen.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    assert_eq!(txgen.wait().unwrap().code(), Some(130));
    wait_until("the script has ended", || !runs());
    assert!(!kernel.project.path("p/out").exists());
}

#[test]
fn a_project_whose_out_leads_elsewhere_gets_no_mails_there() {
    let kernel = two_patches();
    kernel.store("");
    kernel.project.write("p/series/tiny/cover.md", "Why.\n");
    fs::create_dir(kernel.project.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", kernel.project.path("p/out")).unwrap();
    let ran = kernel.txgen("format-series", &["--force", "author-sign-off"]).expect(2);
    assert!(ran.stderr.contains("p/out is a symbolic link: give a folder with -o"), "{}", ran.stderr);
    assert_eq!(fs::read_dir(kernel.project.path("elsewhere")).unwrap().count(), 0);
}

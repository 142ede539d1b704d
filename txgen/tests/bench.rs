// SPDX-License-Identifier: GPL-2.0
//! `txgen bench` on a tiny kernel, built by the real make and gcc, with a script in qemu's place that plays counts. Plugin
//! and guest program are the real ones, and are compiled.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]

#[path = "common/boots.rs"]
#[expect(dead_code, reason = "tests/common is shared by the tests of all commands")]
mod boots;
#[expect(dead_code, reason = "tests/common is shared by the tests of all commands")]
mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use boots::project_of;
use common::TestProject;
use serde_json::Value;

const MAKEFILE: &str = "\
VERSION = 7
PATCHLEVEL = 3
allnoconfig:
\tcp $(KCONFIG_ALLCONFIG) $(O)/.config
bzImage:
\t@echo '  CC      net/core/a.o'
\t@$(CC) -c net/core/a.c -o $(O)/vmlinux
\t@mkdir -p $(O)/arch/x86/boot && cp net/core/a.c $(O)/arch/x86/boot/bzImage
\t@echo 'Kernel: arch/x86/boot/bzImage is ready  (#1)'
\t@echo 'ffffffff81000000 T udp_sendmsg' >$(O)/System.map
\t@echo 'ffffffff81000100 t gup_fast_fallback' >>$(O)/System.map
";

/// Tells of two objects what nm does.
const BLOAT: &str = r#"import os, sys
old, new = [len(os.popen("nm " + path).readlines()) for path in sys.argv[1:]]
print("add/remove: %d/0 grow/shrink: 0/0 up/down: 0/0 (0)" % (new - old))
print("Total: Before=%d, After=%d, chg +0.00%%" % (old, new))
"#;

/// Stands for qemu: loads the plugin, or not, and plays a guest of two rounds whose cost the "image" says.
const PLAYER: &str = r#"#!/bin/sh
echo "$*" >>"LOG"
case $* in
--version) echo player 1; exit ;;
*'-machine none'*)
	[ ! -e LOG.old ] && exit 0
	echo 'qemu-system-x86_64: -plugin: plugin interface not enabled in this build' >&2
	exit 1 ;;
esac
for word; do
	case $word in
	file=*,out=*) counts=${word#*,out=}; counts=${counts%%,*} ;;
	file:*results.txt) results=${word#file:} ;;
	*/bzImage) cost=$(sed -n 's/.*cost:\([0-9]*\).*/\1/p' "$word"); cut=$(grep -c cut "$word") ;;
	esac
done
{
	echo txgen-guest 1
	echo scenario udp-60000-order0 15
	echo round udp-60000-order0 10 10 600000 10 0
	echo round udp-60000-order0 10 10 600000 10 0
	echo held udp-60000-order0 60832 0
	echo done
} >"$results"
{
	echo txgen-count 1
	for region in 1 2; do
		printf 'region %d\nb ffffffff81000000 10 %d\n' $region $cost
		printf 'b ffffffff81000100 5 10\nl ffffffff81000104 150 0\n'
		[ $region$cut = 21 ] && exit
		echo end $region $((cost * 10 + 50)) 7
	done
	echo done 2
} >"$counts"
"#;

/// A project with a kernel and series x, which makes x of net/core/a.c, and with it of the kernel's cost.
fn project(x: &str) -> TestProject {
    let base = "/* cost:100 */\nint a;\n";
    let files = [("Makefile", MAKEFILE), ("scripts/bloat-o-meter", BLOAT), ("net/core/a.c", base)];
    let project = project_of(&files, &[("only", &[("net/core/a.c", x)])]);
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vm-tests/bench");
    for entry in fs::read_dir(own).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        project.write(&format!("p/vm-tests/bench/{name}"), &fs::read_to_string(&path).unwrap());
    }
    project.write("p/vm-tests/bench.config", "CONFIG_INET=y\n");
    let log = project.path("qemu.log").display().to_string();
    project.write("bin/qemu-system-x86_64", &PLAYER.replace("LOG", &log));
    let script = project.path("bin/qemu-system-x86_64");
    fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
    project
}

struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn bench(project: &TestProject, more: &[&str]) -> Ran {
    let path = format!("{}:{}", project.path("bin").display(), std::env::var("PATH").unwrap());
    let args = ["bench", "x", "--tree", "../k", "--base", "base", "--scenario", "udp-60000-order0"];
    let mut command = project.command(env!("CARGO_BIN_EXE_txgen"));
    let output = command.args(args).args(more).env("PATH", path).current_dir(project.path("p")).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

fn boots(project: &TestProject) -> usize {
    project.read("qemu.log").lines().filter(|line| line.contains("-kernel")).count()
}

#[test]
fn base_and_series_are_built_counted_and_compared_once() {
    let project = project("/* cost:109 */\nint a, more;\n");
    let ran = bench(&project, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let (tables, size) = ran.stdout.split_once("\nCalls per send").unwrap();
    insta::assert_snapshot!(tables, @r"
    Executed kernel instructions per send: median of the rounds, and the distance
    between their quartiles (txgen bench x --base base --scenario udp-60000-order0):

    | scenario         | base |       x | spread |
    |------------------|-----:|--------:|-------:|
    | udp-60000-order0 |  105 | +8.57 % | 0.00 % |

    Executed kernel instructions per send, and of all rounds

    | scenario         |      base |         x |
    |------------------|----------:|----------:|
    | udp-60000-order0 | 105 (105) | 114 (114) |

    Locked instructions per skb: to struct page / else, in functions of net_txbuf / all

    | scenario         |              base |                 x |
    |------------------|------------------:|------------------:|
    | udp-60000-order0 | 15.0 / 0.0 / 15.0 | 15.0 / 0.0 / 15.0 |
    ");
    assert!(size.contains("x: add/remove: 1/0 grow/shrink: 0/0 up/down: 0/0 (0), all 1 to 2 bytes"), "{size}");
    assert_eq!(boots(&project), 2);
    let again = bench(&project, &["--json", "-o", "../counts.json"]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(0), ""), "{}", again.stderr);
    assert_eq!(boots(&project), 2, "{}", again.stderr);
    let report = serde_json::from_str::<Value>(&project.read("counts.json")).unwrap();
    let kernel = &report["kernels"][1];
    assert_eq!(kernel["kernel"], "x");
    assert_eq!(kernel["scenarios"][0]["functions"]["udp_sendmsg"]["instructions"], 1090);
    assert_eq!(kernel["scenarios"][0]["functions"]["gup_fast_fallback"]["calls"], 10);
    assert_eq!(report["command"], "txgen bench x --base base --scenario udp-60000-order0");
}

#[test]
fn counts_that_are_cut_off_are_an_error_and_not_recorded() {
    let project = project("/* cost:109 cut */\nint a;\n");
    for boots_until_now in [2, 3] {
        let ran = bench(&project, &[]);
        assert_eq!(ran.code, Some(2), "{}", ran.stdout);
        assert!(ran.stderr.contains("counts.txt: it does not end with `done`"), "{}", ran.stderr);
        assert_eq!(boots(&project), boots_until_now);
    }
}

#[test]
fn a_qemu_without_plugins_is_an_error_before_anything_is_built() {
    let project = project("/* cost:109 */\nint a;\n");
    project.write("qemu.log.old", "");
    let ran = bench(&project, &[]);
    assert_eq!(ran.code, Some(2), "{}", ran.stdout);
    for part in ["does not load vm-tests/bench/count.c", "apt-get install qemu-system-x86", "not enabled in this build"]
    {
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
    }
    assert!(!project.path("cache/work").exists(), "something was built");
}

#[test]
fn an_unknown_scenario_is_answered_with_all_there_are() {
    let project = project("/* cost:109 */\nint a;\n");
    let ran = bench(&project, &["nope"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stdout);
    let start = "there is no scenario nope; there are udp-1400-order0, udp-1400-thp, ";
    assert!(ran.stderr.contains(start), "{}", ran.stderr);
}

// SPDX-License-Identifier: GPL-2.0
//! A project whose kernel is built by the real make and gcc, and whose boots a script stands for.
//!
//! The script plays the console log that the booted "image" names. Where the guest would run selftests it runs the real
//! vm-tests/selftests.sh, with stand-ins for what takes root.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::common::TestProject;

/// "Boots" net/core/a.c; has the headers of no kernel, a module of each C file in samples/, and the crate of rust/kernel.rs.
/// Says that it built what the log is of, or what a.c says.
const MAKEFILE: &str = "\
VERSION = 7
PATCHLEVEL = 3
allnoconfig:
\tgrep -v GONE $(KCONFIG_ALLCONFIG) >$(O)/.config
headers_install:
\tmkdir -p $(INSTALL_HDR_PATH)/include
modules:
\t@mkdir -p $(O)/samples
\t@for c in $(wildcard samples/*.c); do $(CC) -c $$c -o $(O)/$${c%.c}.ko || exit; echo $${c%.c}.o; done >$(O)/modules.order
bzImage:
\t@[ ! -f rust/kernel.rs ] || { mkdir -p $(O)/rust && \\
\t$(RUSTC) --crate-type lib --emit obj -O -C symbol-mangling-version=v0 -o $(O)/rust/kernel.o rust/kernel.rs; }
\t@echo '  CC      net/core/a.o'
\t@$(CC) -c net/core/a.c -o $(O)/a.o
\t@mkdir -p $(O)/arch/x86/boot && cp net/core/a.c $(O)/arch/x86/boot/bzImage && touch $(O)/vmlinux
\t@log=LOGS/$$(sed -n 's/.*play:\\([a-z]*\\).*/\\1/p' net/core/a.c).log; \\
\tnumber=$$(sed -n 's/.*built:\\([0-9]*\\).*/\\1/p' net/core/a.c); \\
\t[ \"$$number\" ] || number=$$(sed -n 's/.*Linux version .* #\\([0-9]*\\) .*/\\1/p' \"$$log\"); \\
\techo \"Kernel: arch/x86/boot/bzImage is ready  (#$${number:-1})\"
";

const SERIES: &str = "\
title = \"net: play logs\"
tree = \"net-next\"
version = 1
change-id = \"20261123-play-logs-0123456789ab\"
base = \"tiny\"
date = \"2026-11-23T12:00:00Z\"
to = []
cc = []
";

/// Stands for vng: plays the log that the booted "image" (a.c) names, and hangs where it says so.
const PLAYER: &str = r#"#!/bin/sh
image=$2
for word; do case $word in --rwdir=*) shared=${word##*=} ;; esac; done
echo boot >>"LOGS.boots"
echo "$*" >>"LOGS.args"
log=$(sed -n 's/.*play:\([a-z]*\).*/\1/p' "$image")
if [ "$log" = gone ]; then
	if [ ! -e "LOGS.gone" ]; then
		touch "LOGS.gone"
		head -n 200 "LOGS/good.log"
		exit 255
	fi
	log=good
fi
case $log in
chat) while :; do echo '[    1.000000] still here'; sleep 0.2; done ;;
flood) yes '[    1.000000] a driver that says the same again and again' | head -c 500000000 ;;
*) cat "LOGS/$log.log" ;;
esac
if [ -f "$shared/selftests.sh" ]; then
	export SELFTESTS_TREE="$shared/tree" SELFTESTS_CONSOLE=/dev/null
	export IMAGE="$image"
	said=$(PATH=SHIMS:$PATH sh "$shared/selftests.sh" 2>&1; echo "selftests: exit $?")
fi
case $log in
good) printf 'kernel: 7\n%s\ntxgen guest: done\n' "$said" >"$shared/result.txt" ;;
hang) sleep 1000 & echo $! >LOGS.sleeper; wait ;;
esac
exit 255
"#;

/// Stand-ins for the programs with which the guest's script does what takes root.
const SHIMS: &[(&str, &str)] = &[
    ("ip", "exit 0"),
    ("mount", "exit 0"),
    ("ss", "echo LISTEN"),
    ("unshare", "while :; do case $1 in --*) shift ;; *) exec \"$@\" ;; esac; done"),
];

/// The changes of a patch: paths in the kernel tree and what the files hold then.
pub type Changes<'a> = &'a [(&'a str, &'a str)];

/// A project with a kernel that has `files` besides its own, and series x with `patches`.
pub fn project_of(files: Changes<'_>, patches: &[(&str, Changes<'_>)]) -> TestProject {
    let project = TestProject::new("[tiny]\ngit = \"../k\"\nref = \"base\"\n");
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vm-tests");
    for file in ["guest.sh", "requirements.txt", "selftests.sh", "venv.sh"] {
        project.write(&format!("p/vm-tests/{file}"), &fs::read_to_string(own.join(file)).unwrap());
    }
    project.write("p/vm-tests/net.config", "CONFIG_NET=y\n");
    project.write("p/vm-tests/debug.config", "CONFIG_GONE=y\n");
    project.write("p/vm-tests/selftests.toml", "sources = []\nfolder = []\n");
    kernel(&project, files, patches);
    player(&project);
    project
}

fn kernel(project: &TestProject, files: Changes<'_>, patches: &[(&str, Changes<'_>)]) {
    project.write("k/Makefile", &MAKEFILE.replace("LOGS", &project.path("logs").display().to_string()));
    for file in ["Kbuild", "Kconfig", "MAINTAINERS"] {
        project.write(&format!("k/{file}"), "x\n");
    }
    project.write("k/net/core/a.c", "/* play:good */\n");
    for (path, text) in files {
        project.write(&format!("k/{path}"), text);
    }
    project.git("k", &["init", "-q", "-b", "base"]);
    project.git("k", &["add", "-A"]);
    project.git("k", &["commit", "-qm", "base"]);
    let mut series = SERIES.to_owned();
    for (name, changes) in patches {
        for (path, text) in *changes {
            project.write(&format!("k/{path}"), text);
        }
        project.git("k", &["add", "-A", "-N"]);
        let diff = project.git("k", &["diff"]);
        project.git("k", &["add", "-A"]);
        project.write(&format!("p/series/x/{name}.diff"), &diff);
        project.write(&format!("p/series/x/{name}.msg"), &format!("net: play {name}\n\nFor the test.\n"));
        series.push_str(&format!("\n[[patch]]\nname = \"{name}\"\n"));
    }
    project.write("p/series/x/series.toml", &series);
    project.write("p/series/x/cover.md", "A series for the test.\n");
    project.git("k", &["reset", "-q", "--hard"]);
}

fn player(project: &TestProject) {
    project.write("cache/venv/requirements.txt", &project.read("p/vm-tests/requirements.txt"));
    let logs = project.path("logs");
    symlink(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs"), &logs).unwrap();
    let shims = project.path("shims").display().to_string();
    program(
        project,
        "cache/venv/bin/vng",
        &PLAYER.replace("LOGS", &logs.display().to_string()).replace("SHIMS", &shims),
    );
    for (name, text) in SHIMS {
        program(project, &format!("shims/{name}"), &format!("#!/bin/sh\n{text}\n"));
    }
}

fn program(project: &TestProject, path: &str, text: &str) {
    project.write(path, text);
    fs::set_permissions(project.path(path), fs::Permissions::from_mode(0o755)).unwrap();
}

/// What was printed, without what differs from run to run.
pub fn stable(project: &TestProject, text: &str) -> String {
    let text = text.replace(&project.dir().display().to_string(), "[DIR]");
    let words = |line: &str| {
        let mut line = line.to_owned();
        if let (Some(from), Some(to)) = (line.find("TCG in "), line.find(" s, ")) {
            line.replace_range(from + 7..to, "[N]");
        }
        if let Some(at) = line.find("/runs/") {
            line.replace_range(at + 6..at + 22, "[ID]");
        }
        line
    };
    text.lines().map(words).collect::<Vec<_>>().join("\n")
}

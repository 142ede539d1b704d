// SPDX-License-Identifier: GPL-2.0
//! Manual pages and completions, as `make install` puts them in place.

use std::path::Path;
use std::process::Command;

/// Every command with those below it, as `txgen-base-list`.
fn commands(command: &clap::Command, name: &str, all: &mut Vec<String>) {
    all.push(name.to_owned());
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        commands(below, &format!("{name}-{}", below.get_name()), all);
    }
}

#[test]
fn every_command_has_a_manual_page_and_is_completed_by_every_shell() {
    let dir = tempfile::TempDir::new().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut make = Command::new("make");
    make.args(["-s", "install-files", "PREFIX=/usr"]).current_dir(root);
    make.arg(format!("TXGEN={}", env!("CARGO_BIN_EXE_txgen"))).arg(format!("DESTDIR={}", dir.path().display()));
    // A make that runs the tests must not lend its own settings.
    let output = make.env_remove("MAKEFLAGS").env_remove("MAKELEVEL").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |file: &str| std::fs::read_to_string(dir.path().join("usr/share").join(file)).unwrap();
    let shells =
        ["bash-completion/completions/txgen", "zsh/site-functions/_txgen", "fish/vendor_completions.d/txgen.fish"];
    let completions = shells.map(read);
    let mut names = Vec::new();
    commands(&txgen::cli::command(), "txgen", &mut names);
    assert!(names.contains(&"txgen-send".to_owned()) && names.contains(&"txgen-base-fetch".to_owned()), "{names:?}");
    for name in &names {
        let page = read(&format!("man/man1/{name}.1"));
        assert!(page.contains(&format!(".TH {name} 1")), "{name}: {page}");
        let last = name.rsplit_once("txgen-").map_or("txgen", |(_, command)| command);
        let last = if last == "format-series" { last } else { last.rsplit('-').next().unwrap() };
        for (shell, text) in shells.iter().zip(&completions) {
            assert!(text.contains(last), "{shell} does not know {name}");
        }
    }
    assert!(dir.path().join("usr/bin/txgen").exists());
    let bash = Command::new("bash").arg("-n").arg(dir.path().join("usr/share").join(shells[0])).status().unwrap();
    assert!(bash.success());
}

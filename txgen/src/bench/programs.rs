// SPDX-License-Identifier: GPL-2.0
//! The plugin for qemu and the guest's initrd, built from vm-tests/bench.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::boot;
use crate::error::MissingTool;
use crate::files;
use crate::process::{self, Run, last_lines};
use crate::project::Project;
use crate::proof;

const WARNINGS: &[&str] = &["-O2", "-Wall", "-Wextra", "-Werror"];
const GUEST: &[&str] = &["guest.c", "net.c", "memory.c", "rxrpc.c"];
const PLUGIN: &str = "count.c";
const HEADERS: &[&str] = &["guest.h", "mark.h", "qemu_plugin.h"];

/// What was built.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The plugin.
    pub plugin: PathBuf,
    /// An initrd with nothing but the guest's program.
    pub initrd: PathBuf,
    /// The names of the scenarios that the program has, in the order it runs them.
    pub scenarios: Vec<String>,
    /// A key over the sources.
    pub key: String,
}

/// Builds plugin and guest, and checks that the qemu here loads the plugin.
pub fn build(project: &Project) -> Result<Programs> {
    process::require(boot::QEMU)?;
    let sources = project.vm_tests().join("bench");
    let key = key(&sources)?;
    let dir = project.cache.join("runs").join(format!("bench-{}", &key[..16]));
    files::make_dir(&dir)?;
    let (plugin, init) = (dir.join("count.so"), dir.join("init"));
    compile(&sources, &["-shared", "-fPIC"], &[PLUGIN], &plugin)?;
    compile(&sources, &["-static"], GUEST, &init)?;
    let list = Run::new(&init, ["--list"]).check().context("list the guest's scenarios")?.text();
    let scenarios = list.lines().map(str::to_owned).collect::<Vec<_>>();
    ensure!(!scenarios.is_empty(), "the guest's program has no scenarios");
    let initrd = dir.join("initrd");
    pack(&dir, &initrd)?;
    loads(&plugin, &dir)?;
    Ok(Programs { plugin, initrd, scenarios, key })
}

fn key(sources: &Path) -> Result<String> {
    let names = GUEST.iter().chain([&PLUGIN]).chain(HEADERS);
    let texts = names.map(|name| files::read(&sources.join(name))).collect::<Result<Vec<_>>>()?;
    Ok(proof::key(&texts.iter().map(String::as_bytes).collect::<Vec<_>>()))
}

fn compile(sources: &Path, how: &[&str], names: &[&str], to: &Path) -> Result<()> {
    let run = Run::new("gcc", how).args(WARNINGS).arg("-o").arg(to).args(names).dir(sources);
    let output = run.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = output.errors();
    if said.contains("cannot find -lc") {
        let install = process::install_hint("libc.a");
        return Err(MissingTool { tool: "libc.a (for static programs)".to_owned(), install }.into());
    }
    bail!("`{}` failed: {}", run.display(), last_lines(&said, 15));
}

/// A newc archive with `init` alone: the kernel's own initramfs has /dev and the console.
fn pack(dir: &Path, initrd: &Path) -> Result<()> {
    let run = Run::new("cpio", ["--create", "--format=newc", "--owner=0:0", "--quiet"]).dir(dir).stdin(b"init\n");
    files::write_atomic(initrd, &run.check().context("pack the initrd")?.stdout)
}

/// Has a qemu without a machine load the plugin, and leave.
fn loads(plugin: &Path, dir: &Path) -> Result<()> {
    let out = dir.join("probe.txt");
    let run = Run::new(boot::QEMU, boot::probe(plugin, &out)).stdin(b"quit\n");
    let output = run.output()?;
    if output.status.success() {
        return Ok(());
    }
    let install = process::install_hint(boot::QEMU);
    bail!(
        "{} does not load vm-tests/bench/{PLUGIN}, which needs TCG plugins of interface version 1 (QEMU up to 8.2, \
         configured with --enable-plugins, as Debian 12 has it: {install}): {}",
        boot::QEMU,
        last_lines(&output.errors(), 5)
    );
}

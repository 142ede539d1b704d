// SPDX-License-Identifier: GPL-2.0
//! Command lines of qemu for counting, and boots of the guest that sends.
//!
//! One CPU that is emulated, at the addresses the kernel was linked for. Time in the guest is the number of executed
//! instructions, and the clock starts at a fixed date: a second boot does the same, interrupts included.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::guest::{self, Scenario};
use super::programs::Programs;
use super::symbols::Symbols;
use super::{counts, counts::Region};
use crate::files;
use crate::kernel::build::Image;
use crate::process::{self, Run, last_lines};
use crate::progress::Progress;
use crate::vm::{self, splat};

/// The emulator.
pub const QEMU: &str = "qemu-system-x86_64";
/// The machine and its time.
const MACHINE: &[&str] = &[
    "-nodefaults",
    "-no-user-config",
    "-machine",
    "q35",
    "-accel",
    "tcg,thread=single",
    "-icount",
    "shift=0,sleep=off",
    "-rtc",
    "base=2026-01-01,clock=vm",
    "-cpu",
    "qemu64",
    "-smp",
    "1",
    "-m",
    "1G",
    "-display",
    "none",
    "-no-reboot",
];
/// The kernel's arguments. Locked instructions stay locked with one CPU, too, on kernels that would patch them, and one
/// that has tests does not run them.
const KERNEL_ARGS: &str = "console=ttyS0 nokaslr noreplace-smp panic=-1 oops=panic kunit.enable=0 rdinit=/init";
/// The array of struct page without KASLR, with 4 levels of page tables (Documentation/arch/x86/x86_64/mm.rst).
const PAGES: &str = "0xffffea0000000000-0xffffeb0000000000";

/// What copies on a processor without fast strings, as qemu64 is.
const COPIES: &[&str] =
    &["memcpy_orig", "memmove", "rep_movs_alternative", "csum_partial_copy_generic", "copy_page", "copy_page_regs"];

/// Files of a boot; the names are also those in the folder of a run.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The kernel.
    pub image: PathBuf,
    /// The initrd.
    pub initrd: PathBuf,
    /// The plugin.
    pub plugin: PathBuf,
    /// Where the console goes.
    pub console: PathBuf,
    /// Where the guest's results go.
    pub results: PathBuf,
    /// Where the plugin's counts go.
    pub counts: PathBuf,
}

/// qemu's arguments to boot the guest with some scenarios, all of them for none. `copies` are where the functions are
/// that copy.
pub fn argv(paths: &Paths, scenarios: &[String], copies: &[(u64, u64)]) -> Vec<OsString> {
    let mut argv = MACHINE.iter().map(OsString::from).collect::<Vec<_>>();
    argv.extend(["-kernel".into(), paths.image.clone().into(), "-initrd".into(), paths.initrd.clone().into()]);
    argv.extend(["-serial".into(), joined("file:", &paths.console)]);
    argv.extend(["-serial".into(), joined("file:", &paths.results)]);
    argv.extend(["-plugin".into(), plugin_word(&paths.plugin, &paths.counts, copies)]);
    let chosen = if scenarios.is_empty() { String::new() } else { format!(" -- {}", scenarios.join(" ")) };
    argv.extend(["-append".into(), OsString::from(format!("{KERNEL_ARGS}{chosen}"))]);
    argv
}

/// qemu's arguments to load the plugin without a machine, and do what the standard input says.
pub fn probe(plugin: &Path, out: &Path) -> Vec<OsString> {
    let words = ["-nodefaults", "-no-user-config", "-machine", "none", "-accel", "tcg", "-display", "none"];
    let mut argv = words.map(OsString::from).to_vec();
    argv.extend(["-monitor".into(), "stdio".into(), "-plugin".into(), plugin_word(plugin, out, &[])]);
    argv
}

/// What loads the plugin, to write its counts to `out`.
fn plugin_word(plugin: &Path, out: &Path, copies: &[(u64, u64)]) -> OsString {
    let mut word = joined("file=", plugin);
    word.push(joined(",out=", out));
    word.push(format!(",pages={PAGES}"));
    for (from, to) in copies {
        word.push(format!(",copy={from:#x}-{to:#x}"));
    }
    word
}

fn joined(name: &str, path: &Path) -> OsString {
    let mut word = OsString::from(name);
    word.push(path);
    word
}

/// The command line, with file names in place of paths, and without the addresses of functions that copy.
pub fn told(scenarios: &[String]) -> String {
    let paths = paths(Path::new(""), "bzImage".into(), "initrd".into(), "count.so".into());
    Run::new(QEMU, argv(&paths, scenarios, &[])).display()
}

/// Where the functions are that copy, by name: what the compiler copies by itself, as it does a few bytes of which it
/// knows how many, is not in them.
pub fn copies(symbols: &Symbols) -> Vec<(u64, u64)> {
    COPIES.iter().filter_map(|name| symbols.range(name)).collect()
}

fn paths(run: &Path, image: PathBuf, initrd: PathBuf, plugin: PathBuf) -> Paths {
    let [console, results, counts] = ["console.log", "results.txt", "counts.txt"].map(|name| run.join(name));
    Paths { image, initrd, plugin, console, results, counts }
}

/// Boots `image`, which has `symbols`, with some scenarios; what the guest and the plugin tell. Files go to the folder
/// `run`.
pub fn run(
    name: &str,
    (image, symbols): (&Image, &Symbols),
    programs: &Programs,
    scenarios: &[String],
    run: &Path,
    timeout: Duration,
) -> Result<(Vec<Scenario>, Vec<Region>)> {
    files::make_dir(run)?;
    let paths = paths(run, image.path.clone(), programs.initrd.clone(), programs.plugin.clone());
    for stale in [&paths.console, &paths.results, &paths.counts] {
        files::write_atomic(stale, b"")?;
    }
    let total = if scenarios.is_empty() { programs.scenarios.len() } else { scenarios.len() };
    let mut watch =
        Watch { progress: Progress::start(&format!("count {name}"), total as u64), file: &paths.results, told: 0 };
    let qemu = Run::new(QEMU, argv(&paths, scenarios, &copies(symbols))).log(&run.join("qemu.log")).timeout(timeout);
    let ended = qemu.output_while(|| watch.tick()).with_context(|| format!("count {name}"));
    watch.progress.done(if ended.is_ok() { "ended" } else { "failed" });
    let output = ended?;
    let console = files::read_lossy(&paths.console)?;
    vm::is_booted(image, &console, &paths.console)?;
    if let Some(splat) = splat::find(&console).first() {
        bail!("the kernel of {name} is not well: {}:{}: {splat}", paths.console.display(), splat.line);
    }
    let context = |path: &Path| format!("the boot of {name}: {}", path.display());
    let told = guest::parse(&files::read_lossy(&paths.results)?).with_context(|| context(&paths.results))?;
    let counted = counts::parse(&files::read_lossy(&paths.counts)?).with_context(|| context(&paths.counts))?;
    if !output.status.success() {
        let said = last_lines(&files::read_lossy(&run.join("qemu.log"))?, 5);
        bail!("{QEMU} failed ({}): {said}", process::describe(output.status));
    }
    Ok((told, counted))
}

/// Shows which scenario is run.
struct Watch<'a> {
    progress: Progress,
    file: &'a Path,
    told: usize,
}

impl Watch<'_> {
    fn tick(&mut self) {
        // A file that can not be read now costs one update of the display, nothing else.
        let text = files::read_lossy(self.file).unwrap_or_default();
        let names = text.lines().filter_map(|line| line.strip_prefix("scenario ")).collect::<Vec<_>>();
        if let Some(last) = names.last().filter(|_| names.len() > self.told) {
            self.told = names.len();
            self.progress.at(self.told as u64, last.split(' ').next().unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Symbols, argv, copies, paths, told};
    use std::path::Path;

    #[test]
    fn the_plugin_is_told_where_the_functions_are_that_copy() {
        let map = "1000 t memcpy_orig\n1080 T memmove\n1100 T rep_movs_alternative\n1200 T rest\n";
        let symbols = Symbols::parse(map).unwrap();
        let paths = paths(Path::new(""), "i".into(), "r".into(), "p".into());
        let argv = argv(&paths, &[], &copies(&symbols));
        let word = argv.iter().find(|word| word.to_string_lossy().starts_with("file=p,")).unwrap();
        let word = word.to_string_lossy();
        assert!(word.ends_with(",copy=0x1000-0x1080,copy=0x1080-0x1100,copy=0x1100-0x1200"), "{word}");
    }

    #[test]
    fn the_guest_has_one_cpu_fixed_addresses_and_counted_time() {
        let expected = "qemu-system-x86_64 -nodefaults -no-user-config -machine q35 -accel tcg,thread=single \
                        -icount shift=0,sleep=off -rtc base=2026-01-01,clock=vm -cpu qemu64 -smp 1 -m 1G \
                        -display none -no-reboot -kernel bzImage -initrd initrd -serial file:console.log \
                        -serial file:results.txt -plugin \
                        file=count.so,out=counts.txt,pages=0xffffea0000000000-0xffffeb0000000000 -append \
                        'console=ttyS0 nokaslr noreplace-smp panic=-1 oops=panic kunit.enable=0 rdinit=/init -- udp-1400-thp'";
        let told = told(&["udp-1400-thp".to_owned()]);
        assert_eq!(shlex::split(&told), shlex::split(expected), "{told}");
    }
}

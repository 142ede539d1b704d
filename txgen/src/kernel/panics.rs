// SPDX-License-Identifier: GPL-2.0
//! Whether the project's own Rust code can panic: calls of the functions that do, left in the objects of a build.
//!
//! A panic ends the kernel. The compiler leaves out those that it can tell to be impossible; the others are symbols of
//! the library `core` in what is linked.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};

use super::build::Folder;
use crate::overlay;
use crate::process::Run;
use crate::project::Project;

/// The object of the crate `kernel`, from the files below `rust/kernel/`.
const CRATE: (&str, &str) = ("rust/kernel/", "rust/kernel.o");

/// The functions of the project's Rust code in a build folder that can panic, each with what it calls for that.
pub fn find(project: &Project, folder: &Folder) -> Result<Vec<String>> {
    let mut modules = BTreeMap::<String, BTreeSet<String>>::new();
    for path in overlay::list(&project.overlay())?.iter().filter(|path| folder.tree.join(path).is_file()) {
        if let Some((object, module)) = place(path) {
            modules.entry(object).or_default().insert(module);
        }
    }
    let mut found = Vec::new();
    for (object, modules) in modules {
        let path = folder.dir.join(&object);
        ensure!(path.is_file(), "{object} is not there: configuration has no use of the series' Rust code in it");
        let said = Run::new("objdump", ["-dr", "--demangle=rust", "--no-show-raw-insn"]).arg(&path).check()?;
        let text = said.text();
        ensure!(text.lines().any(|line| function(line).is_some()), "objdump found no function in {object}");
        found.extend(calls(&text, &modules).into_iter().map(|call| format!("{object}: {call}")));
    }
    Ok(found)
}

/// The object that a Rust file of the kernel gets into, and the module that it is there; the root has no name.
fn place(path: &str) -> Option<(String, String)> {
    let stem = path.strip_suffix(".rs")?;
    match stem.strip_prefix(CRATE.0) {
        Some(module) => {
            let module = module.strip_suffix("/mod").unwrap_or(module);
            Some((CRATE.1.to_owned(), format!("kernel::{}::", module.replace('/', "::"))))
        }
        None => Some((format!("{stem}.o"), String::new())),
    }
}

/// The calls of what panics by functions of `modules`, but for their tests, in what objdump says of an object.
fn calls(text: &str, modules: &BTreeSet<String>) -> Vec<String> {
    let mut calls = BTreeSet::new();
    let mut caller = None;
    for line in text.lines() {
        if let Some(name) = function(line) {
            let own = name.trim_start_matches(['<', '&']);
            caller = modules.iter().any(|module| own.starts_with(module) && !is_test(own)).then_some(name);
        } else if let (Some(caller), Some(called)) = (caller, relocation(line))
            && panics(called)
        {
            calls.insert(format!("{caller} can panic: it calls {called}"));
        }
    }
    calls.into_iter().collect()
}

/// The function that begins with a line such as `0000000000000010 <name>:`.
fn function(line: &str) -> Option<&str> {
    let (address, rest) = line.split_once(' ')?;
    let is_address = address.len() == 16 && address.bytes().all(|byte| byte.is_ascii_hexdigit());
    rest.strip_prefix('<')?.strip_suffix(">:").filter(|_| is_address)
}

/// The symbol of a line such as `12: R_X86_64_PLT32 name-0x4`, with a tab in it.
fn relocation(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once(": R_X86_64_")?;
    let (_, value) = rest.split_once('\t')?;
    let addend = value.rfind(['+', '-']).filter(|at| value[at + 1..].starts_with("0x"));
    Some(addend.map_or(value, |at| &value[..at]))
}

/// Whether the path of a function goes through a module of tests; what is generic over a type of tests is none.
fn is_test(own: &str) -> bool {
    own.split(['<', '>', ' ']).next().is_some_and(|path| path.split("::").any(|part| part == "tests"))
}

/// Whether a function does nothing but panic.
fn panics(name: &str) -> bool {
    let path = name.trim_start_matches('<');
    let last = path.rsplit("::").next().unwrap_or_default();
    let fails = last.ends_with("_fail") || last.ends_with("_failed") || path.contains("::panic");
    path.contains("rust_begin_unwind") || (path.starts_with("core::") && fails)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{Run, calls, place};

    const SOURCE: &str = "\
#![no_std]
pub mod net {
    pub struct Socket<T>(pub T);
    impl<T: Copy> Socket<T> {
        #[inline(never)]
        pub fn first(&self, of: Option<T>) -> T { of.unwrap() }
        #[inline(never)]
        pub fn get(&self, of: &[T], at: usize) -> Option<T> { of.get(at).copied() }
    }
    #[inline(never)]
    pub fn at(of: &[u8], at: usize) -> u8 { of[at] }
    #[inline(never)]
    pub fn from(of: &[u8], at: usize) -> &[u8] { &of[at..] }
    #[inline(never)]
    pub fn sum(a: usize, b: usize) -> usize { a + b }
    #[inline(never)]
    pub fn possible(a: u8) -> u8 { [1, 2, 3, 4][usize::from(a & 3)] }
    pub mod tests {
        #[derive(Clone, Copy)]
        pub struct Tested(pub u8);
        #[inline(never)]
        pub fn case(of: Option<Tested>) -> u8 { super::Socket(Tested(1)).first(of).0 }
        #[inline(never)]
        pub fn other(of: &[u8], at: usize) -> u8 { of[at] }
    }
}
pub mod other {
    #[inline(never)]
    pub fn at(of: &[u8], at: usize) -> u8 { of[at] }
}
pub fn keep(of: &[u8], at: usize) -> Option<u8> { net::Socket(1).get(of, at) }
";

    /// What objdump says of the source as rustc compiles it for the kernel.
    fn dump(dir: &Path) -> String {
        std::fs::write(dir.join("kernel.rs"), SOURCE).unwrap();
        let args = ["--edition=2021", "--crate-type=lib", "--emit=obj", "-Copt-level=2", "-Cpanic=abort"];
        let like_the_kernel = ["-Csymbol-mangling-version=v0", "-Coverflow-checks=y", "kernel.rs"];
        Run::new("rustc", args).args(like_the_kernel).dir(dir).check().unwrap();
        let args = ["-dr", "--demangle=rust", "--no-show-raw-insn", "kernel.o"];
        Run::new("objdump", args).dir(dir).check().unwrap().text()
    }

    #[test]
    fn unwrap_an_index_a_slice_and_an_overflow_are_found_where_they_are_not_in_tests() {
        let dir = tempfile::tempdir().unwrap();
        let text = dump(dir.path());
        let of = |module: &str| {
            let calls = calls(&text, &BTreeSet::from([module.to_owned()]));
            calls.into_iter().map(|call| call.split(" can panic").next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let generic = "<kernel::net::Socket<kernel::net::tests::Tested>>::first";
        assert_eq!(of("kernel::net::"), [generic, "kernel::net::at", "kernel::net::from", "kernel::net::sum"]);
        assert_eq!(of("kernel::none::"), [""; 0]);
        assert_eq!(of("").len(), 5);
        let told = calls(&text, &BTreeSet::from(["kernel::other::".to_owned()]));
        assert_eq!(told, ["kernel::other::at can panic: it calls core::panicking::panic_bounds_check"]);
    }

    #[test]
    fn a_file_of_the_kernel_crate_is_a_module_of_its_object_and_another_file_an_object() {
        let placed = |path: &str| place(path).map(|(object, module)| format!("{object} {module}"));
        assert_eq!(placed("rust/kernel/net/socket.rs").as_deref(), Some("rust/kernel.o kernel::net::socket::"));
        assert_eq!(placed("rust/kernel/net/txbuf/mod.rs").as_deref(), Some("rust/kernel.o kernel::net::txbuf::"));
        assert_eq!(placed("samples/rust/rust_txbuf.rs").as_deref(), Some("samples/rust/rust_txbuf.o "));
        assert_eq!(placed("net/core/txmsg.c"), None);
    }
}

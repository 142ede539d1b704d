// SPDX-License-Identifier: GPL-2.0
//! Rust for the kernel: which programs build it, beside those of the user's own toolchain.
//!
//! The kernel needs rustc with the sources of its library, and drops `CONFIG_RUST` without a word where the first one on
//! PATH has none. So make is told which programs to take (Documentation/rust/quick-start.rst).

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::process::Run;
use crate::project::Project;

/// The option that makes a kernel with Rust.
const OPTION: &str = "CONFIG_RUST=y";
/// Where distributions have a rustc with the sources of its library, unless `$TXGEN_RUST` says another folder.
const FOLDER: &str = "/usr/bin";
/// make's variables and the programs.
const PROGRAMS: &[(&str, &str)] = &[
    ("RUSTC", "rustc"),
    ("HOSTRUSTC", "rustc"),
    ("RUSTDOC", "rustdoc"),
    ("RUSTFMT", "rustfmt"),
    ("CLIPPY_DRIVER", "clippy-driver"),
];

/// The programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rust {
    folder: PathBuf,
    bindgen: PathBuf,
}

impl Rust {
    /// The programs, if a configuration with the options `config` needs them; a missing one is an error.
    pub fn of(project: &Project, config: &str) -> Result<Option<Self>> {
        if !config.lines().any(|line| line == OPTION) {
            return Ok(None);
        }
        let folder = std::env::var_os("TXGEN_RUST").filter(|dir| !dir.is_empty());
        let folder = folder.map_or_else(|| FOLDER.into(), PathBuf::from);
        let bindgen = project.cache.join("rust/bin/bindgen");
        for (_, program) in PROGRAMS {
            found(
                &folder.join(program),
                "apt-get install rustc-web rust-web-src rustfmt-web rust-web-clippy (Debian 12), or say with \
                 $TXGEN_RUST which folder has one with the sources of its library",
            )?;
        }
        found(&bindgen, "vm-tests/rust.sh installs it")?;
        Ok(Some(Self { folder, bindgen }))
    }

    /// What make is told.
    pub fn make_args(&self) -> Vec<String> {
        let arg = |(name, program): &(&str, &str)| format!("{name}={}", self.folder.join(program).display());
        PROGRAMS.iter().map(arg).chain([format!("BINDGEN={}", self.bindgen.display())]).collect()
    }

    /// What the programs say of themselves.
    pub fn versions(&self) -> Result<Vec<String>> {
        let version = |program: &Path| Ok(Run::new(program, ["--version"]).check()?.text().trim().to_owned());
        [self.folder.join("rustc"), self.bindgen.clone()].iter().map(|program| version(program)).collect()
    }
}

fn found(program: &Path, how: &str) -> Result<()> {
    if !program.is_file() {
        bail!("{} is missing, which builds Rust for the kernel: {how}", program.display());
    }
    Ok(())
}

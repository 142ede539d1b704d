// SPDX-License-Identifier: GPL-2.0
//! Where a program is, and which of Debian's packages brings it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::error::MissingTool;

/// Debian's package for each program that txgen runs.
const PACKAGES: &[(&str, &str)] = &[
    ("apt-cache", "apt"),
    ("apt-config", "apt"),
    ("apt-get", "apt"),
    ("bash", "bash"),
    ("bison", "bison"),
    ("ccache", "ccache"),
    ("clang-19", "clang-19"),
    ("codespell", "codespell"),
    ("cpio", "cpio"),
    ("dpkg-deb", "dpkg"),
    ("ethtool", "ethtool"),
    ("flex", "flex"),
    ("gcc", "gcc"),
    ("git", "git"),
    ("ip", "iproute2"),
    ("libc.a", "libc6-dev"),
    ("make", "make"),
    ("nm", "binutils"),
    ("nsenter", "util-linux"),
    ("perl", "perl"),
    ("pylint", "pylint"),
    ("python3", "python3"),
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("shellcheck", "shellcheck"),
    ("sparse", "sparse"),
    ("spatch", "coccinelle"),
    ("sphinx-build", "python3-sphinx"),
    ("ss", "iproute2"),
    ("sysctl", "procps"),
    ("tar", "tar"),
    ("tc", "iproute2"),
    ("timeout", "coreutils"),
    ("unshare", "util-linux"),
    ("yamllint", "yamllint"),
];

/// The command that installs `tool`.
pub fn install_hint(tool: &str) -> String {
    let name = Path::new(tool).file_name().map_or_else(|| tool.to_owned(), |n| n.to_string_lossy().into_owned());
    match PACKAGES.iter().find(|(program, _)| *program == name) {
        Some((_, package)) => format!("apt-get install {package}"),
        None => format!("`make setup` installs what txgen needs; {name} should be among it"),
    }
}

/// The path of `tool` in `PATH`, or the error that names its package.
pub fn require(tool: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").context("PATH is not set")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(tool))
        .find(|candidate| nix::unistd::access(candidate, nix::unistd::AccessFlags::X_OK).is_ok() && candidate.is_file())
        .ok_or_else(|| MissingTool { tool: tool.to_owned(), install: install_hint(tool) }.into())
}

// SPDX-License-Identifier: GPL-2.0
//! `txgen man`: manual pages.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::cli;
use crate::error::Exit;
use crate::files;

const EXAMPLES: &str = "Examples:
  txgen man /usr/local/share/man/man1
  txgen man out/man && man -l out/man/txgen-send.1";

/// Writes a manual page for each command into a folder (`make install` does).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The folder
    dir: PathBuf,
}

/// Runs `txgen man`.
pub fn run(args: &Args) -> Result<Exit> {
    files::make_dir(&args.dir)?;
    let write = || format!("write manual pages into {}", args.dir.display());
    clap_mangen::generate_to(cli::command(), &args.dir).with_context(write)?;
    Ok(Exit::Good)
}

// SPDX-License-Identifier: GPL-2.0
//! `txgen completions`: what a shell completes.

use anyhow::{Context, Result};
use clap_complete::Shell;

use crate::cli;
use crate::error::Exit;

const EXAMPLES: &str = "Examples:
  txgen completions bash > ~/.local/share/bash-completion/completions/txgen
  txgen completions zsh > ~/.zfunc/_txgen
  txgen completions fish > ~/.config/fish/completions/txgen.fish";

/// Prints the completions of a shell (`make install` installs those of bash, zsh and fish).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Runs `txgen completions`.
pub fn run(args: &Args) -> Result<Exit> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "txgen", &mut text);
    crate::output::print!("{}", String::from_utf8(text).context("completions are text")?);
    Ok(Exit::Good)
}

// SPDX-License-Identifier: GPL-2.0
//! placeholder

use anyhow::{Result, bail};

use crate::error::Exit;
use crate::project::Project;

/// placeholder
#[derive(Debug, clap::Args)]
pub struct Args {}

/// placeholder
pub fn run(_project: &Project, _args: &Args) -> Result<Exit> {
    bail!("placeholder")
}

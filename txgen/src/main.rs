// SPDX-License-Identifier: GPL-2.0
//! The `txgen` program: parse, dispatch, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    txgen::cli::main()
}

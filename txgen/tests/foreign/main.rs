// SPDX-License-Identifier: GPL-2.0
//! Clones and machines that somebody else has set up, by the binary.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]

mod clones;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/files.rs"]
mod files;
#[path = "../common/kernel.rs"]
mod kernel;
mod settings;
mod shared;
mod sources;
mod trees;

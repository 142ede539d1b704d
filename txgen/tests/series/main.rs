// SPDX-License-Identifier: GPL-2.0
//! Base trees and series, by the binary, on tiny kernels with real git, apt and spatch.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]

mod apply;
mod base;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/files.rs"]
mod files;
mod given;
mod linux;
mod output;
mod scripts;

// SPDX-License-Identifier: GPL-2.0
//! `txgen rebase` on two tiny kernels, with real git and real spatch.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]

mod clone;
#[path = "../common/mod.rs"]
mod common;
mod conflict;
#[path = "../common/files.rs"]
mod files;
mod killed;
mod lacking;
mod linux;
mod moves;
mod stack;

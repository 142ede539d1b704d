// SPDX-License-Identifier: GPL-2.0
//! `txgen import`: mails of every kind become what `git am` makes of them, and what `txgen send` recorded comes back.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]

mod charsets;
mod clone;
#[path = "../common/mod.rs"]
mod common;
mod diffs;
#[path = "../common/kernel.rs"]
mod kernel;
mod mails;
mod series;
mod sources;

// SPDX-License-Identifier: GPL-2.0
//! `txgen refresh` after edits that real git and StGit make on a tiny kernel.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]

mod arrange;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/files.rs"]
mod files;
mod growth;
mod killed;
mod linux;
mod meaning;
mod random;
mod refused;
mod revisions;
mod scenarios;
mod stack;
mod stgit;

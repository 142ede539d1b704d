// SPDX-License-Identifier: GPL-2.0
//! Branches that no command moves: in use by a work tree, somebody else's, or another's name.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]
#![expect(dead_code, reason = "the fixture of the tests of refresh has more than is needed here")]

#[path = "branches/commands.rs"]
mod commands;
#[path = "common/mod.rs"]
mod common;
#[path = "common/files.rs"]
mod files;
#[path = "refresh/linux.rs"]
mod linux;
#[path = "branches/others.rs"]
mod others;
#[path = "branches/states.rs"]
mod states;

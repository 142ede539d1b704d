// SPDX-License-Identifier: GPL-2.0
//! Several txgen at once, an editor beside one, one that is killed, and files that somebody else left.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]
#![expect(dead_code, reason = "the fixture of refresh has more than is needed here")]

mod at_once;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/files.rs"]
mod files;
mod handed;
mod killed;
#[path = "../refresh/linux.rs"]
mod linux;
mod meanwhile;
mod positions;
mod resumed;
mod state;
mod stopped;
mod strays;
mod used;

// SPDX-License-Identifier: GPL-2.0
//! `txgen send` with the real git send-email and a mail server on 127.0.0.1.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/kernel.rs"]
mod kernel;
#[path = "../common/smtp.rs"]
mod smtp;

mod arrives;
mod handed;
mod hook;
mod killed;
mod log;
mod once;
mod outgoing;
mod real;
mod received;
mod refused;
mod server;
mod settings;
mod trailers;

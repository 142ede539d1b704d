// SPDX-License-Identifier: GPL-2.0
//! Standard output and standard error: the only place that writes to them.
//!
//! Where nobody reads standard output any longer (`| head`), or its disk is full, what a command does is done all the
//! same, what it prints is dropped, and [`finish`] tells at its end. What can not be written to standard error is lost:
//! there is no other place to say so. The three standard descriptors are open: where one was closed at the start, Rust's
//! runtime opens /dev/null in its place, so that no file of ours gets its number.

use std::fmt::Arguments;
use std::io::{Error, ErrorKind, Write};
use std::sync::OnceLock;

use anyhow::{Context, Result};
use nix::sys::signal::{SigHandler, Signal, signal};

/// The exit code of a program whose output is not read to its end: as if SIGPIPE had ended it.
pub const CLOSED: u8 = 128 + 13;

static FAILED: OnceLock<Error> = OnceLock::new();

/// Lets a write beyond the limit of a file's size fail as one to a full disk does, in place of ending the program.
///
/// # Safety
///
/// No other thread may change how signals are handled meanwhile.
pub unsafe fn survive_limits() -> Result<()> {
    // SAFETY: the caller holds others off, and no handler of ours runs.
    unsafe { signal(Signal::SIGXFSZ, SigHandler::SigIgn) }.context("ignore SIGXFSZ").map(|_| ())
}

/// Prints to standard output, without colours where they are not wanted.
pub fn to_stdout(text: Arguments<'_>) {
    if FAILED.get().is_none()
        && let Err(error) = anstream::stdout().lock().write_fmt(text)
    {
        FAILED.get_or_init(|| error);
    }
}

/// Writes data to standard output as it is: mails may have escape sequences in them, which text loses.
pub fn bytes(data: &[u8]) {
    if FAILED.get().is_none()
        && let Err(error) = std::io::stdout().lock().write_all(data)
    {
        FAILED.get_or_init(|| error);
    }
}

/// Prints to standard error in the same way as [`to_stdout`].
pub fn to_stderr(text: Arguments<'_>) {
    // Standard error is where a failure would be told.
    anstream::stderr().lock().write_fmt(text).unwrap_or(());
}

/// How standard output fared.
#[derive(Debug, PartialEq, Eq)]
pub enum Fared {
    /// All of it was taken.
    Written,
    /// Nobody reads it to its end.
    Closed,
    /// It could not be written.
    Failed(String),
}

/// Writes what is left of standard output, and says how all of it fared.
pub fn finish() -> Fared {
    if let Err(error) = anstream::stdout().lock().flush() {
        FAILED.get_or_init(|| error);
    }
    match FAILED.get() {
        None => Fared::Written,
        Some(error) if error.kind() == ErrorKind::BrokenPipe => Fared::Closed,
        Some(error) => Fared::Failed(format!("write to standard output: {error}")),
    }
}

macro_rules! print_ {
    ($($text:tt)*) => { $crate::output::to_stdout(format_args!($($text)*)) };
}

macro_rules! println_ {
    ($($text:tt)*) => { $crate::output::to_stdout(format_args!("{}\n", format_args!($($text)*))) };
}

macro_rules! eprint_ {
    ($($text:tt)*) => { $crate::output::to_stderr(format_args!($($text)*)) };
}

macro_rules! eprintln_ {
    ($($text:tt)*) => { $crate::output::to_stderr(format_args!("{}\n", format_args!($($text)*))) };
}

pub(crate) use eprint_ as eprint;
pub(crate) use eprintln_ as eprintln;
pub(crate) use print_ as print;
pub(crate) use println_ as println;

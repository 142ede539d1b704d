// SPDX-License-Identifier: GPL-2.0
//! What was proved, as text: a line for each commit, and for a failure why, where it ended and where the logs are.

use std::fmt::Write;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use anyhow::Result;

use super::Proved;
use crate::files;
use crate::plain::plain;
use crate::vm::Accel;
use crate::vm::ktap::Counts;

pub mod selftests;

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
/// How many of a log's last lines are shown.
const TAIL: usize = 20;
/// How many problems are shown.
const PROBLEMS: usize = 20;

/// The report on one commit.
pub fn text(proved: &Proved) -> Result<String> {
    let mut out = String::new();
    let (style, word) = if proved.passed() { (GOOD, "ok  ") } else { (BAD, "FAIL") };
    let recorded = if proved.recorded { " (recorded)" } else { "" };
    let (on, off) = (style.render(), style.render_reset());
    let name = &proved.patch;
    line(&mut out, &format!("{on}{word}{off} {name} [{}]: {}{recorded}", proved.proof.config, summary(proved)));
    if !proved.proof.build_errors.is_empty() {
        indent(&mut out, &proved.proof.build_errors);
        line(&mut out, &format!("     whole log: {}", proved.proof.build_log.display()));
    }
    if let Some(boot) = proved.proof.boot.as_ref().filter(|boot| !boot.passed()) {
        indent(&mut out, &boot.problems);
        tail(&mut out, &boot.log)?;
    }
    indent(&mut out, &proved.regressions);
    Ok(out)
}

/// In a few words how it went.
pub fn summary(proved: &Proved) -> String {
    let Some(boot) = &proved.proof.boot else {
        return "does not build".to_owned();
    };
    let accel = match boot.accel {
        Accel::Kvm => "KVM",
        Accel::Tcg { .. } => "TCG",
    };
    let booted = if boot.passed() { "booted" } else { "boot failed" };
    let (seconds, suites, counts) = (boot.seconds, boot.suites.len(), counts(boot.counts()));
    format!("built, {booted} under {accel} in {seconds:.0} s, {suites} suites: {counts}")
}

/// Numbers of tests by outcome, in words.
pub fn counts(counts: Counts) -> String {
    let mut text = format!("{} passed", counts.passed);
    for (count, word) in
        [(counts.failed, "failed"), (counts.skipped, "skipped"), (counts.expected_failures, "failed as expected")]
    {
        if count > 0 {
            write!(text, ", {count} {word}").expect("writing to a string does not fail");
        }
    }
    text
}

fn tail(out: &mut String, log: &Path) -> Result<()> {
    line(out, "     last lines of the console:");
    for text in files::last_lines(log, TAIL)?.lines() {
        line(out, &format!("       | {}", plain(text.trim_end())));
    }
    line(out, &format!("     whole log: {}", log.display()));
    Ok(())
}

fn indent(out: &mut String, lines: &[String]) {
    for text in lines.iter().take(PROBLEMS) {
        line(out, &format!("     {}", plain(text)));
    }
    if lines.len() > PROBLEMS {
        line(out, &format!("     and {} more", lines.len() - PROBLEMS));
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

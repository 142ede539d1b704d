// SPDX-License-Identifier: GPL-2.0
//! What selftests showed, as text: a line for each test.

use anyhow::Result;

use super::{BAD, GOOD, indent, line, tail};
use crate::plain::plain;
use crate::prove::selftests::Proved;
use crate::selftests::results::Selftest;
use crate::vm::Accel;
use crate::vm::ktap::Outcome;

/// The report on one commit.
pub fn text(proved: &Proved) -> Result<String> {
    let proof = &proved.proof;
    let mut out = String::new();
    let (style, word) = if proved.passed() { (GOOD, "ok  ") } else { (BAD, "FAIL") };
    let (on, off) = (style.render(), style.render_reset());
    let recorded = if proved.recorded { " (recorded)" } else { "" };
    line(
        &mut out,
        &format!("{on}{word}{off} {} [{}] selftests: {}{recorded}", proved.patch, proof.config, summary(proved)),
    );
    indent(&mut out, &proof.build_errors);
    for test in &proof.tests {
        line(&mut out, &format!("     {}", row(test)));
        for note in &test.notes {
            line(&mut out, &format!("          {}", plain(note)));
        }
    }
    indent(&mut out, &proof.problems);
    indent(&mut out, &proved.regressions);
    if !proof.problems.is_empty() && proof.accel.is_some() {
        tail(&mut out, &proof.run.join("console.log"))?;
    }
    if !proved.passed() {
        line(&mut out, &format!("     output of each test: {}", proof.run.join("guest/logs").display()));
    }
    Ok(out)
}

/// In a few words how it went.
pub fn summary(proved: &Proved) -> String {
    let proof = &proved.proof;
    let Some(accel) = &proof.accel else {
        return "the kernel does not build".to_owned();
    };
    let accel = match accel {
        Accel::Kvm => "KVM",
        Accel::Tcg { .. } => "TCG",
    };
    let count = |outcome| proof.tests.iter().filter(|test| test.outcome == Some(outcome)).count();
    let mut text = format!("under {accel} in {:.0} s, {} passed", proof.seconds, count(Outcome::Passed));
    let absent = proof.tests.iter().filter(|test| test.outcome.is_none()).count();
    for (count, word) in [
        (count(Outcome::Failed), "failed"),
        (count(Outcome::Skipped), "skipped"),
        (count(Outcome::ExpectedFailure), "failed as expected"),
        (absent, "not in this tree"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {word}"));
        }
    }
    text
}

fn row(test: &Selftest) -> String {
    let word = match test.outcome {
        None if test.failed() => return format!("FAIL   {}: not in this tree", test.name),
        None => return format!("absent {}: not in this tree, not compared", test.name),
        Some(Outcome::Passed) => "ok    ",
        Some(Outcome::Failed) => "FAIL  ",
        Some(Outcome::Skipped) => "skip  ",
        Some(Outcome::ExpectedFailure) => "xfail ",
    };
    let mut row = format!("{word} {}", test.name);
    if let Some(seconds) = test.seconds {
        row.push_str(&format!(" ({seconds} s)"));
    }
    let told = cases(test);
    if !told.is_empty() {
        row.push_str(&format!(": {told}"));
    }
    let failed = test.cases.iter().filter(|(_, outcome)| **outcome == Outcome::Failed).map(|(case, _)| case.as_str());
    let failed = failed.take(10).collect::<Vec<_>>();
    if !failed.is_empty() {
        row.push_str(&format!("; failed: {}", failed.join(", ")));
    }
    row
}

/// The cases that it reports, by outcome, in words.
pub fn cases(test: &Selftest) -> String {
    let words = [
        (Outcome::Passed, "passed"),
        (Outcome::Failed, "failed"),
        (Outcome::Skipped, "skipped"),
        (Outcome::ExpectedFailure, "failed as expected"),
    ];
    let told = words.iter().map(|(outcome, word)| (test.count(*outcome), word)).filter(|(count, _)| *count > 0);
    told.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

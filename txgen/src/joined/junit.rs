// SPDX-License-Identifier: GPL-2.0
//! Results as JUnit XML, which every CI service reads: a suite for each commit, a case for each suite of its boot.

use std::time::Duration;

use anyhow::{Context, Result};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Case, Row};
use crate::vm::ktap::Outcome;

/// The whole file.
pub fn xml(rows: &[Row]) -> Result<String> {
    let mut report = Report::new("txgen");
    for row in rows {
        let mut suite = TestSuite::new(format!("{} [{}]", row.patch, row.kind));
        suite.set_time(seconds(row)).add_property(("commit", row.commit.as_str()));
        let class = suite.name.clone();
        let mut add = |mut case: TestCase| {
            case.set_classname(class.clone());
            suite.add_test_case(case);
        };
        add(whole(row));
        row.cases.iter().for_each(|one| add(case(one)));
        report.add_test_suite(suite);
    }
    report.to_string().context("write JUnit XML")
}

/// That it was built and booted and nothing was wrong, as a case of its own: what is wrong may be in no suite.
fn whole(row: &Row) -> TestCase {
    let mut status = TestCaseStatus::success();
    if !row.passed {
        status = failure(&row.summary);
        status.set_description(row.problems.join("\n"));
    }
    let mut case = TestCase::new("build and boot", status);
    case.set_time(seconds(row));
    case
}

fn case(case: &Case) -> TestCase {
    let status = match case.outcome {
        Some(Outcome::Passed | Outcome::ExpectedFailure) => TestCaseStatus::success(),
        Some(Outcome::Failed) => failure(&case.counts),
        Some(Outcome::Skipped) | None => TestCaseStatus::skipped(),
    };
    TestCase::new(case.name.as_str(), status)
}

fn failure(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(message);
    status
}

fn seconds(row: &Row) -> Duration {
    Duration::try_from_secs_f64(row.seconds).unwrap_or_default()
}

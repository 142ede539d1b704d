// SPDX-License-Identifier: GPL-2.0
//! KTAP as KUnit prints it on the console and kselftest's runner prints it: results, nested, and what is wrong with them.
//!
//! A plan that is missing or not kept is a problem, so a run that stops half-way can not pass.

use serde::{Deserialize, Serialize};

use super::messages;

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// `ok`.
    Passed,
    /// `not ok`, or `ok` with a subtest that failed.
    Failed,
    /// `# SKIP`.
    Skipped,
    /// `# XFAIL`: it fails, as expected.
    ExpectedFailure,
}

/// A test with its subtests: for KUnit a suite with its cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What it consists of, in the order it ran.
    pub subtests: Vec<Test>,
    /// Lines with `# ` that were printed since the test before it, without the marker.
    pub notes: Vec<String>,
}

/// Numbers of tests by outcome, leaves counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Passed.
    pub passed: u32,
    /// Failed.
    pub failed: u32,
    /// Skipped.
    pub skipped: u32,
    /// Failed as expected.
    pub expected_failures: u32,
}

/// What a log says in KTAP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ktap {
    /// The tests at the top level: KUnit's suites.
    pub tests: Vec<Test>,
    /// What makes the whole no proof, with the line of the log.
    pub problems: Vec<String>,
}

impl Test {
    /// Its leaves by outcome; a test that failed while all its subtests passed counts as one failure more.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for test in &self.subtests {
            let more = test.counts();
            counts.passed += more.passed;
            counts.failed += more.failed;
            counts.skipped += more.skipped;
            counts.expected_failures += more.expected_failures;
        }
        match self.outcome {
            Outcome::Failed if counts.failed == 0 => counts.failed += 1,
            Outcome::Passed if self.subtests.is_empty() => counts.passed += 1,
            Outcome::Skipped if self.subtests.is_empty() => counts.skipped += 1,
            Outcome::ExpectedFailure if self.subtests.is_empty() => counts.expected_failures += 1,
            _ => {}
        }
        counts
    }

    /// The failed leaves, as `suite.case` with the first note of each.
    pub fn failures(&self) -> Vec<String> {
        if self.outcome != Outcome::Failed {
            return Vec::new();
        }
        let inner = self.subtests.iter().flat_map(Self::failures).collect::<Vec<_>>();
        if !inner.is_empty() {
            return inner.into_iter().map(|name| format!("{}.{name}", self.name)).collect();
        }
        let why = self.notes.iter().find(|note| note.contains("FAILED") || note.contains("timed out"));
        vec![why.map_or_else(|| self.name.clone(), |why| format!("{} ({why})", self.name))]
    }
}

/// What one line says in KTAP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    Version,
    Plan(u32),
    Subtest(&'a str),
    Result { number: u32, name: &'a str, outcome: Outcome },
    Note(&'a str),
}

/// Tests of one nesting depth, open until the result line of the test they make up.
#[derive(Debug)]
struct Level {
    indent: usize,
    line: usize,
    name: Option<String>,
    plan: Option<u32>,
    tests: Vec<Test>,
    notes: Vec<String>,
}

#[derive(Debug, Default)]
struct Parser {
    levels: Vec<Level>,
    ktap: Ktap,
}

/// Reads a console log or the output of kselftest's runner; lines that are no KTAP are passed over.
pub fn parse(log: &str) -> Ktap {
    let mut parser = Parser::default();
    for (number, text) in messages(log) {
        if let Some((indent, said)) = classify(text) {
            parser.take(number, indent, said);
        }
    }
    parser.finish(log.lines().count());
    if parser.ktap.tests.is_empty() && parser.ktap.problems.is_empty() {
        parser.ktap.problems.push("no test results: the log has no KTAP header with a plan".to_owned());
    }
    parser.ktap
}

/// Whether a text means to be KTAP: a line of it is a header or the result of a test.
pub fn is_spoken(text: &str) -> bool {
    let said = text.lines().filter_map(classify);
    said.into_iter().any(|(indent, line)| indent == 0 && matches!(line, Line::Version | Line::Result { .. }))
}

/// The indentation of a line and what it says in KTAP; kselftest's `# ` before an inner line counts as indentation.
fn classify(line: &str) -> Option<(usize, Line<'_>)> {
    let text = line.trim_start_matches(' ');
    let indent = line.len() - text.len();
    let text = text.trim_end();
    if text.starts_with("KTAP version ") || text.starts_with("TAP version ") {
        return Some((indent, Line::Version));
    }
    if let Some(plan) = text.strip_prefix("1..") {
        let number = plan.split(' ').next().unwrap_or(plan);
        return number.parse().ok().map(|count| (indent, Line::Plan(count)));
    }
    if let Some(name) = text.strip_prefix("# Subtest: ") {
        return Some((indent, Line::Subtest(name)));
    }
    if let Some(rest) = text.strip_prefix("# ") {
        return match classify(rest) {
            Some((more, inner)) if !matches!(inner, Line::Note(_)) => Some((indent + 2 + more, inner)),
            _ => Some((indent, Line::Note(rest))),
        };
    }
    result(text).map(|result| (indent, result))
}

fn result(text: &str) -> Option<Line<'_>> {
    let (ok, rest) = match text.strip_prefix("not ok ") {
        Some(rest) => (false, rest),
        None => (true, text.strip_prefix("ok ")?),
    };
    let (number, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let number = number.parse().ok()?;
    let rest = rest.strip_prefix("- ").unwrap_or(rest);
    let plain = if ok { Outcome::Passed } else { Outcome::Failed };
    let marks =
        [("# SKIP", Outcome::Skipped), ("# XFAIL", Outcome::ExpectedFailure), ("# TIMEOUT", plain), ("# exit=", plain)];
    let found = marks.iter().find_map(|(mark, outcome)| rest.find(mark).map(|at| (&rest[..at], *outcome)));
    let (name, outcome) = found.unwrap_or((rest, plain));
    Some(Line::Result { number, name: name.trim(), outcome })
}

impl Parser {
    fn take(&mut self, line: usize, indent: usize, said: Line<'_>) {
        match said {
            Line::Version => self.open(line, indent, None),
            Line::Subtest(name) => match self.levels.last_mut() {
                Some(top) if top.indent == indent && top.name.is_none() && top.tests.is_empty() => {
                    top.name = Some(name.to_owned());
                }
                _ => self.open(line, indent, Some(name.to_owned())),
            },
            Line::Plan(count) => self.plan(line, indent, count),
            Line::Note(note) => {
                if let Some(top) = self.levels.last_mut() {
                    top.notes.push(note.to_owned());
                }
            }
            Line::Result { number, name, outcome } => self.result(line, indent, number, name, outcome),
        }
    }

    fn open(&mut self, line: usize, indent: usize, name: Option<String>) {
        if self.levels.first().is_some_and(|root| indent <= root.indent) {
            self.finish(line);
        }
        self.cut(line, indent);
        self.levels.push(Level { indent, line, name, plan: None, tests: Vec::new(), notes: Vec::new() });
    }

    fn plan(&mut self, line: usize, indent: usize, count: u32) {
        match self.levels.last_mut() {
            Some(top) if top.indent == indent => match top.plan {
                None => top.plan = Some(count),
                Some(first) => {
                    self.ktap
                        .problems
                        .push(format!("line {line}: a second plan, of {count} tests after one of {first}"));
                }
            },
            _ => {}
        }
    }

    fn result(&mut self, line: usize, indent: usize, number: u32, name: &str, outcome: Outcome) {
        let known = self.levels.iter().any(|level| level.indent == indent);
        if !known {
            return;
        }
        let inner = self.levels.iter().position(|level| level.indent > indent);
        let mut test = Test { name: name.to_owned(), outcome, subtests: Vec::new(), notes: Vec::new() };
        if let Some(inner) = inner {
            while self.levels.len() > inner + 1 {
                self.truncated(line);
            }
            if let Some(level) = self.levels.pop() {
                self.adopt(line, level, &mut test);
            }
        }
        let Some(level) = self.levels.last_mut() else { return };
        test.notes.append(&mut level.notes);
        let due = u32::try_from(level.tests.len()).unwrap_or(u32::MAX).saturating_add(1);
        if number != due {
            self.ktap.problems.push(format!("line {line}: test {name} has number {number} where {due} was due"));
        }
        level.tests.push(test);
    }

    /// Makes the tests of a finished level the subtests of `test`.
    fn adopt(&mut self, line: usize, level: Level, test: &mut Test) {
        self.keeps_plan(line, &level, self.levels.len());
        if let Some(begun) = level.name.as_ref().filter(|begun| **begun != test.name) {
            self.ktap.problems.push(format!("line {line}: subtest {begun} ended as {}", test.name));
        }
        test.subtests = level.tests;
        test.notes = level.notes;
        let inner_failed = test.subtests.iter().any(|inner| inner.outcome == Outcome::Failed);
        if test.outcome == Outcome::Passed && inner_failed {
            self.ktap.problems.push(format!("line {line}: {} is ok although a subtest of it failed", test.name));
            test.outcome = Outcome::Failed;
        }
    }

    fn keeps_plan(&mut self, line: usize, level: &Level, depth: usize) {
        let name = level.name.as_deref().unwrap_or("the log");
        let ran = u32::try_from(level.tests.len()).unwrap_or(u32::MAX);
        match level.plan {
            // KUnit prints none for the parameters of a case on some kernels.
            None if depth >= 2 => {}
            None => self.ktap.problems.push(format!("line {}: {name} has no plan", level.line)),
            Some(plan) if plan != ran => {
                self.ktap.problems.push(format!("line {line}: {name} planned {plan} tests and ran {ran}"));
            }
            Some(_) => {}
        }
    }

    /// Ends the innermost level without the result line that should have followed.
    fn truncated(&mut self, line: usize) {
        let Some(level) = self.levels.pop() else { return };
        let name = level.name.clone().unwrap_or_else(|| "a subtest".to_owned());
        self.ktap.problems.push(format!("line {line}: {name} (begun in line {}) has no result", level.line));
        self.keeps_plan(line, &level, self.levels.len());
        if let Some(outer) = self.levels.last_mut() {
            outer.tests.push(Test { name, outcome: Outcome::Failed, subtests: level.tests, notes: level.notes });
        }
    }

    /// Ends all levels that are at least as deep as `indent`.
    fn cut(&mut self, line: usize, indent: usize) {
        while self.levels.len() > 1 && self.levels.last().is_some_and(|level| level.indent >= indent) {
            self.truncated(line);
        }
    }

    /// Ends the document.
    fn finish(&mut self, line: usize) {
        while self.levels.len() > 1 {
            self.truncated(line);
        }
        if let Some(root) = self.levels.pop() {
            self.keeps_plan(line, &root, 0);
            self.ktap.tests.extend(root.tests);
        }
    }
}

#[cfg(test)]
mod tests;

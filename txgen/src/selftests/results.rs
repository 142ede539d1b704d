// SPDX-License-Identifier: GPL-2.0
//! What selftests said: the guest's KTAP as results, and what a tree lost of another's.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Table;
use crate::vm::ktap::{self, Ktap, Outcome, Test};

/// How a selftest went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selftest {
    /// Its name.
    pub name: String,
    /// How it ended; `None` where the tree does not have it.
    pub outcome: Option<Outcome>,
    /// The series that brings it, for a test that other trees need not have.
    pub series: Option<String>,
    /// The seconds it took, of its last run.
    pub seconds: Option<u32>,
    /// What the guest said of the runs that failed before, and of the end of the last.
    pub notes: Vec<String>,
    /// The cases that it reports in KTAP.
    pub cases: BTreeMap<String, Outcome>,
}

impl Selftest {
    /// Whether it makes a tree fail: it did not pass, or is not there though every tree has it.
    pub fn failed(&self) -> bool {
        match self.outcome {
            None => self.series.is_none(),
            Some(outcome) => outcome == Outcome::Failed,
        }
    }

    /// The number of cases with an outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.cases.values().filter(|found| **found == outcome).count()
    }
}

/// The mark of lines that selftests.sh says itself, behind `# `.
const MARK: &str = "txgen: ";

/// The results of the table's tests in the guest's KTAP, and what is wrong with that.
pub fn read(table: &Table, absent: &BTreeSet<String>, ktap: Option<&str>) -> (Vec<Selftest>, Vec<String>) {
    let Some(text) = ktap else {
        return (Vec::new(), vec!["the guest wrote no results of selftests".to_owned()]);
    };
    let expected = table.tests().filter(|(_, test)| !absent.contains(&test.name)).count();
    let Ktap { tests, problems } = if expected > 0 { ktap::parse(text) } else { Ktap::default() };
    let mut problems = problems.into_iter().map(|problem| format!("selftests.ktap {problem}")).collect::<Vec<_>>();
    let mut results = Vec::new();
    for (_, test) in table.tests() {
        let ran = tests.iter().find(|ran| ran.name == test.name);
        let here = !absent.contains(&test.name);
        if here && ran.is_none() {
            problems.push(format!("selftest {} did not run", test.name));
        }
        results.push(result(&test.name, test.series.clone(), ran.filter(|_| here)));
    }
    (results, problems)
}

fn result(name: &str, series: Option<String>, ran: Option<&Test>) -> Selftest {
    let mut cases = BTreeMap::new();
    for test in ran.iter().flat_map(|ran| &ran.subtests) {
        add_cases("", test, &mut cases);
    }
    let own = ran.iter().flat_map(|ran| &ran.notes).filter_map(|note| note.strip_prefix(MARK));
    let (times, notes) = own.partition::<Vec<_>, _>(|note| note.starts_with("took "));
    let took = times.last().and_then(|note| note.strip_prefix("took ")?.strip_suffix(" s")?.parse().ok());
    let notes = notes.into_iter().map(str::to_owned).collect();
    Selftest { name: name.to_owned(), outcome: ran.map(|ran| ran.outcome), series, seconds: took, notes, cases }
}

/// The leaves of `test`, each named by its way from the top.
fn add_cases(above: &str, test: &Test, cases: &mut BTreeMap<String, Outcome>) {
    let name = if above.is_empty() { test.name.clone() } else { format!("{above}/{}", test.name) };
    for inner in &test.subtests {
        add_cases(&name, inner, cases);
    }
    if test.subtests.is_empty() {
        cases.insert(name, test.outcome);
    }
}

/// What passes on `base` and does not on `patch`, test for test and case for case.
pub fn compare(base: &[Selftest], patch: &[Selftest]) -> Vec<String> {
    base.iter().flat_map(|old| lost(old, patch.iter().find(|new| new.name == old.name))).collect()
}

fn lost(old: &Selftest, new: Option<&Selftest>) -> Vec<String> {
    let name = &old.name;
    if old.outcome.is_none() {
        return Vec::new();
    }
    let Some(new) = new.filter(|new| new.outcome.is_some()) else {
        return vec![format!("selftest {name} {} on the base and did not run", word(old.outcome))];
    };
    let mut lost = Vec::new();
    if old.outcome == Some(Outcome::Passed) && new.outcome != old.outcome {
        lost.push(format!("selftest {name} passes on the base, here it {}", word(new.outcome)));
    }
    for (case, _) in old.cases.iter().filter(|(_, outcome)| **outcome == Outcome::Passed) {
        match new.cases.get(case) {
            Some(Outcome::Passed) => {}
            found => {
                lost.push(format!("selftest {name}: case {case} passes on the base, here it {}", word(found.copied())));
            }
        }
    }
    lost
}

/// An outcome as the end of a sentence.
pub fn word(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        None => "did not run",
        Some(Outcome::Passed) => "passes",
        Some(Outcome::Failed) => "fails",
        Some(Outcome::Skipped) => "is skipped",
        Some(Outcome::ExpectedFailure) => "fails as expected",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Outcome, Selftest, Table, compare, read};

    const KTAP: &str = "\
TAP version 13
1..3
# TAP version 13
# 1..3
# ok 1 aead.one
# ok 2 aead.two # SKIP no cipher
# not ok 3 aead.three
# txgen: last line: not ok 3 aead.three
# txgen: took 41 s
not ok 1 tls # exit=1
# nothing to say
# txgen: took 2 s
ok 2 plain
# txgen: took 0 s
ok 3 gone # SKIP
";

    fn table() -> Table {
        let test = |name: &str| format!("{{ name = \"{name}\", builds = [\"x\"], run = \"./x\", seconds = 9 }}");
        let tests = ["tls", "plain", "gone"].map(test).join(", ");
        toml::from_str(&format!("sources = []\nfolder = [{{ path = \"net\", test = [{tests}] }}]"))
            .expect("it is valid")
    }

    fn tests(ktap: &str) -> Vec<Selftest> {
        read(&table(), &BTreeSet::new(), Some(ktap)).0
    }

    #[test]
    fn a_test_has_its_cases_time_and_notes() {
        let (tests, problems) = read(&table(), &BTreeSet::new(), Some(KTAP));
        assert_eq!(problems, Vec::<String>::new());
        let tls = &tests[0];
        let cases = tls.cases.iter().map(|(name, outcome)| (name.as_str(), *outcome)).collect::<Vec<_>>();
        let expected = [("aead.one", Outcome::Passed), ("aead.three", Outcome::Failed), ("aead.two", Outcome::Skipped)];
        assert_eq!(cases, expected);
        assert_eq!((tls.outcome, tls.seconds), (Some(Outcome::Failed), Some(41)));
        assert_eq!(tls.notes, ["last line: not ok 3 aead.three"]);
        let outcomes = tests.iter().map(|test| (test.outcome, test.failed())).collect::<Vec<_>>();
        let failed = (Some(Outcome::Failed), true);
        assert_eq!(outcomes, [failed, (Some(Outcome::Passed), false), (Some(Outcome::Skipped), false)]);
    }

    #[test]
    fn a_guest_that_stopped_half_way_has_no_results_for_the_rest() {
        let cut = KTAP.split("# nothing").next().expect("the first part");
        let (tests, problems) = read(&table(), &BTreeSet::new(), Some(cut));
        let expected = [
            "selftests.ktap line 10: the log planned 3 tests and ran 1",
            "selftest plain did not run",
            "selftest gone did not run",
        ];
        assert_eq!(problems, expected);
        assert_eq!(tests[1].outcome, None);
        assert_eq!(read(&table(), &BTreeSet::new(), None).1, ["the guest wrote no results of selftests"]);
        let silent = read(&table(), &BTreeSet::new(), Some("")).1;
        assert_eq!(silent[0], "selftests.ktap no test results: the log has no KTAP header with a plan");
    }

    #[test]
    fn what_passes_on_the_base_alone_is_lost_test_for_test_and_case_for_case() {
        let base = tests(KTAP);
        assert_eq!(compare(&base, &base), Vec::<String>::new());
        let worse = KTAP.replace("ok 2 plain", "not ok 2 plain # exit=1").replace("ok 1 aead.one", "ok 1 aead.1");
        let expected = [
            "selftest tls: case aead.one passes on the base, here it did not run",
            "selftest plain passes on the base, here it fails",
        ];
        assert_eq!(compare(&base, &tests(&worse)), expected);
        assert_eq!(
            compare(&tests(&worse), &base)[0],
            "selftest tls: case aead.1 passes on the base, here it did not run"
        );
        let gone = "selftest gone is skipped on the base and did not run";
        assert_eq!(compare(&base, &base[..2]), [gone]);
    }

    #[test]
    fn a_test_that_the_base_lacks_is_not_compared() {
        let absent = BTreeSet::from(["plain".to_owned()]);
        let ktap = KTAP.replacen("1..3", "1..2", 1).replace("# nothing to say\n# txgen: took 2 s\nok 2 plain\n", "");
        let (base, problems) = read(&table(), &absent, Some(&ktap.replace("ok 3 gone", "ok 2 gone")));
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(base[1].outcome, None);
        assert_eq!(compare(&base, &tests(KTAP)), Vec::<String>::new());
    }
}

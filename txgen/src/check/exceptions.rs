// SPDX-License-Identifier: GPL-2.0
//! Findings that the series justifies: `[[exception]]` of series.toml.

use serde::Serialize;

use crate::check::{Finding, Level};
use crate::series::Exception;

/// A finding with the reason why it stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Excused {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// Why it stays.
    pub reason: String,
}

/// Splits findings into those that count and those that an exception excuses.
///
/// An exception that `ran(patch, check)` and yet excuses nothing is a finding of its own.
pub fn apply(
    findings: Vec<Finding>,
    exceptions: &[Exception],
    ran: impl Fn(&str, &str) -> bool,
) -> (Vec<Finding>, Vec<Excused>) {
    let mut used = vec![false; exceptions.len()];
    let (mut counting, mut excused) = (Vec::new(), Vec::new());
    for finding in findings {
        match exceptions.iter().position(|exception| excuses(exception, &finding)) {
            Some(index) => {
                used[index] = true;
                excused.push(Excused { finding, reason: exceptions[index].reason.clone() });
            }
            None => counting.push(finding),
        }
    }
    let idle = exceptions.iter().zip(used).filter(|(exception, used)| !used && ran(&exception.patch, &exception.check));
    for (exception, _) in idle {
        let what =
            format!("{}: no finding contains `{}`: remove the [[exception]]", exception.place, exception.contains);
        let mut finding = Finding::new(Level::Fail, "unused-exception", what).of(&exception.patch);
        finding.check.clone_from(&exception.check);
        counting.push(finding);
    }
    (counting, excused)
}

fn excuses(exception: &Exception, finding: &Finding) -> bool {
    let same = exception.patch == finding.patch && exception.check == finding.check;
    same && finding.to_string().contains(&exception.contains)
}

#[cfg(test)]
mod tests {
    use super::apply;
    use crate::check::{Finding, Level};
    use crate::series::Exception;

    fn exception(contains: &str) -> Exception {
        let [patch, check, reason] = ["core", "checkpatch", "the macro is needed"].map(str::to_owned);
        Exception { patch, check, contains: contains.to_owned(), reason, place: "series.toml:9:1".to_owned() }
    }

    fn finding() -> Finding {
        let mut finding = Finding::new(Level::Warn, "MACRO", "odd").at("net/a.c", Some(3)).of("core");
        finding.check = "checkpatch".to_owned();
        finding
    }

    #[test]
    fn an_exception_excuses_the_finding_that_contains_its_text() {
        let (counting, excused) = apply(vec![finding()], &[exception("net/a.c:3: MACRO")], |_, _| true);
        assert_eq!(counting, []);
        assert_eq!(excused[0].reason, "the macro is needed");
    }

    #[test]
    fn an_exception_that_matches_nothing_is_a_finding_where_its_check_ran() {
        let (counting, _) = apply(vec![finding()], &[exception("another")], |_, _| true);
        assert_eq!(counting.iter().map(Finding::rule).collect::<Vec<_>>(), ["MACRO", "unused-exception"]);
        let (counting, _) = apply(vec![finding()], &[exception("another")], |_, _| false);
        assert_eq!(counting.len(), 1);
    }
}

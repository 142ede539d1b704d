// SPDX-License-Identifier: GPL-2.0
//! One row for each patch and kind: where there are several results, the worse counts.

use std::collections::BTreeMap;

use super::{CHECKS, Case, Row, checks_summary};

/// The rows, each patch and kind once, at the place of its first.
pub(super) fn of_each(rows: Vec<Row>) -> Vec<Row> {
    let mut all = Vec::<(Row, usize, bool)>::new();
    let mut places = BTreeMap::new();
    for row in rows {
        let place = *places.entry((row.patch.clone(), row.kind.clone())).or_insert(all.len());
        match all.get_mut(place) {
            None => all.push((row, 1, false)),
            Some((old, count, differ)) => {
                *count += 1;
                *differ |= old.passed != row.passed;
                worsen(old, row);
            }
        }
    }
    let told = |(mut row, count, differ): (Row, usize, bool)| {
        if differ {
            row.summary += &format!(" (the worst of {count} results)");
        }
        row
    };
    all.into_iter().map(told).collect()
}

/// Makes `old` the worse of both: of checks each by itself, of boots as a whole.
fn worsen(old: &mut Row, new: Row) {
    let badness = |row: &Row| (!row.passed, row.problems.len());
    if old.kind != CHECKS {
        if badness(&new) > badness(old) {
            *old = new;
        }
        return;
    }
    if badness(&new) > badness(old) {
        old.commit = new.commit;
    }
    old.passed &= new.passed;
    for case in new.cases {
        match old.cases.iter_mut().find(|known| known.name == case.name) {
            None => old.cases.push(case),
            Some(known) if weight(&case) > weight(known) => *known = case,
            Some(_) => {}
        }
    }
    for problem in new.problems {
        if !old.problems.contains(&problem) {
            old.problems.push(problem);
        }
    }
    old.summary = checks_summary(old.cases.len(), old.problems.len());
}

/// How bad the outcome of a check is: a failure is worse than warnings, and those than nothing.
fn weight(case: &Case) -> (bool, bool) {
    (case.counts.ends_with("fail"), !case.counts.is_empty())
}

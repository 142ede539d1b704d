// SPDX-License-Identifier: GPL-2.0
//! Which commit of an edited branch is which patch of the series.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use crate::git::Repo;
use crate::git::history::Commit;
use crate::git::program;

/// For each commit of `new` the index of the commit of `old` that it comes from, if any.
///
/// A commit that is still there is itself; then the subject tells, where it is there once; then what it changes; and of
/// the others git's own range-diff finds those that are alike.
pub fn pair(repo: &Repo, base: &str, old: &[Commit], new: &[Commit]) -> Result<Vec<Option<usize>>> {
    let mut pairs = vec![None; new.len()];
    match_unique(&mut pairs, old, new, |commit| Ok(commit.id.clone()))?;
    match_unique(&mut pairs, old, new, |commit| Ok(commit.subject().to_owned()))?;
    match_unique(&mut pairs, old, new, |commit| repo.patch_id(&commit.below, &commit.tree))?;
    if pairs.contains(&None) && left(&pairs, old).next().is_some() {
        for (from, to) in range_diff(repo, base, old, new)? {
            if pairs[to].is_none() && !pairs.contains(&Some(from)) {
                pairs[to] = Some(from);
            }
        }
    }
    Ok(pairs)
}

/// The indices of `old` that no pair has.
fn left<'a>(pairs: &'a [Option<usize>], old: &'a [Commit]) -> impl Iterator<Item = usize> + 'a {
    (0..old.len()).filter(|index| !pairs.contains(&Some(*index)))
}

/// Pairs what has the same key, where one of each side has it.
fn match_unique(
    pairs: &mut [Option<usize>],
    old: &[Commit],
    new: &[Commit],
    key: impl Fn(&Commit) -> Result<String>,
) -> Result<()> {
    let waiting = (0..new.len()).filter(|to| pairs[*to].is_none()).collect::<Vec<_>>();
    let from = left(pairs, old).map(|index| Ok((key(&old[index])?, index))).collect::<Result<Vec<_>>>()?;
    let to = waiting.into_iter().map(|index| Ok((key(&new[index])?, index))).collect::<Result<Vec<_>>>()?;
    let keys = to.iter().map(|(key, _)| key).collect::<BTreeSet<_>>();
    for wanted in keys {
        let only = |side: &[(String, usize)]| {
            let mut found = side.iter().filter(|(key, _)| key == wanted);
            found.next().filter(|_| found.next().is_none()).map(|(_, index)| *index)
        };
        if let (Some(from), Some(to)) = (only(&from), only(&to)) {
            pairs[to] = Some(from);
        }
    }
    Ok(())
}

/// What `git range-diff` pairs: indices of `old` and `new`.
fn range_diff(repo: &Repo, base: &str, old: &[Commit], new: &[Commit]) -> Result<Vec<(usize, usize)>> {
    let tip = |commits: &[Commit]| commits.last().map_or(base, |commit| &commit.id).to_owned();
    let [was, is] = [tip(old), tip(new)].map(|tip| format!("{base}..{tip}"));
    let output = program::fixed(repo.git_dir())
        .args(["range-diff", "--no-color", "--no-notes", "--no-patch", "--abbrev=40", &was, &is])
        .check()
        .context("compare the branch with what it was")?;
    Ok(output.text().lines().filter_map(indices).collect())
}

/// The pair of a line such as ` 3:  1f0c... !  4:  77aa... net: subject`.
fn indices(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split_whitespace();
    let mut number = || words.next()?.strip_suffix(':')?.parse::<usize>().ok()?.checked_sub(1);
    let from = number()?;
    let mut words = line.split_whitespace().skip(3);
    let to = words.next()?.strip_suffix(':')?.parse::<usize>().ok()?.checked_sub(1)?;
    Some((from, to))
}

#[cfg(test)]
mod tests {
    use super::indices;

    #[test]
    fn a_line_of_range_diff_is_a_pair_or_none() {
        assert_eq!(indices(" 3:  1f0c2 !  4:  77aa1 net: subject: x"), Some((2, 3)));
        assert_eq!(indices("10:  1f0c2 = 11:  77aa1 net: subject"), Some((9, 10)));
        assert_eq!(indices(" 3:  1f0c2 <  -:  ----- net: subject"), None);
        assert_eq!(indices(" -:  ----- >  4:  77aa1 net: subject"), None);
    }
}

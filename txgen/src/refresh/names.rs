// SPDX-License-Identifier: GPL-2.0
//! What the patches of an edited branch are called, and in which order they are.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use crate::git::history::Commit;

/// The name of each commit's patch: the one it had, the one the user gives, or one made of its subject.
pub(super) fn names(
    kept: &[Option<&str>],
    branch: &[Commit],
    taken: &[&str],
    given: &BTreeMap<String, String>,
) -> Result<Vec<String>> {
    let mut left = given.keys().collect::<BTreeSet<_>>();
    let mut names = kept.iter().map(|name| name.map(str::to_owned)).collect::<Vec<_>>();
    for (index, commit) in branch.iter().enumerate() {
        let Some((key, name)) = given.iter().find(|(key, _)| commit.id.starts_with(key.as_str())) else { continue };
        if !crate::base::record::is_name(name) {
            bail!("{name:?} is no name of a patch: lower case letters, digits, `-`, `_` and `.` only");
        }
        if names
            .iter()
            .flatten()
            .chain(taken.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>().iter())
            .any(|n| n == name)
        {
            bail!("there is a patch {name} already: give commit {} another name", commit.display());
        }
        left.remove(key);
        names[index] = Some(name.clone());
    }
    if let Some(key) = left.first() {
        bail!("the branch has no commit {key}");
    }
    for (index, commit) in branch.iter().enumerate() {
        if names[index].is_none() {
            let is_taken = |name: &str| taken.contains(&name) || names.iter().flatten().any(|known| known == name);
            names[index] = Some(slug(commit.subject(), is_taken));
        }
    }
    Ok(names.into_iter().flatten().collect())
}

/// A name made of a subject: `tcp: pin user memory` becomes `pin-user-memory`.
fn slug(subject: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let phrase = subject.rsplit(": ").next().unwrap_or(subject).to_lowercase();
    let mut name = String::new();
    for word in phrase.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if !name.is_empty() && name.len() + word.len() >= 40 {
            break;
        }
        name += if name.is_empty() { "" } else { "-" };
        name += word.get(..40).unwrap_or(word);
    }
    let name = if name.is_empty() { "patch".to_owned() } else { name };
    let mut candidates = std::iter::once(name.clone()).chain((2..).map(|n| format!("{name}-{n}")));
    candidates.find(|name| !is_taken(name)).expect("there is no end of numbers")
}

/// All patches in their new order.
pub(super) fn order(is: &[&str], on_base: &[String], names: &[String]) -> Vec<String> {
    let mut order = names.to_vec();
    for (place, name) in is.iter().enumerate().filter(|(_, name)| !on_base.iter().any(|known| known == *name)) {
        let before = is[..place].iter().rev().find_map(|name| order.iter().position(|known| known == name));
        order.insert(before.map_or(0, |at| at + 1), (*name).to_owned());
    }
    order
}

/// The commits that are behind one that they used to be before: as few as explain the order.
pub(super) fn moved(pairs: &[Option<usize>]) -> BTreeSet<usize> {
    let known = pairs.iter().enumerate().filter_map(|(new, old)| Some((new, (*old)?))).collect::<Vec<_>>();
    // The longest run of commits in their old order stayed.
    let mut best = vec![(0, None); known.len()];
    for end in 0..known.len() {
        let before =
            (0..end).filter(|i| known[*i].1 < known[end].1).max_by_key(|i| (best[*i].0, std::cmp::Reverse(*i)));
        best[end] = before.map_or((1, None), |i| (best[i].0 + 1, Some(i)));
    }
    let mut stayed = BTreeSet::new();
    let mut at = (0..known.len()).max_by_key(|i| (best[*i].0, std::cmp::Reverse(*i)));
    while let Some(i) = at {
        stayed.insert(known[i].0);
        at = best[i].1;
    }
    known.into_iter().map(|(new, _)| new).filter(|new| !stayed.contains(new)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{moved, order, slug};

    #[test]
    fn a_name_is_made_of_the_phrase_of_a_subject() {
        let free = |_: &str| false;
        assert_eq!(slug("net: tcp: Pin user memory (again)", free), "pin-user-memory-again");
        assert_eq!(slug("???", free), "patch");
        assert_eq!(slug("net: x", |name| ["x", "x-2"].contains(&name)), "x-3");
        assert_eq!(slug(&format!("net: {} and more words", "long ".repeat(9)), free).len(), 39);
    }

    #[test]
    fn as_few_commits_moved_as_explain_the_order() {
        assert_eq!(moved(&[Some(0), Some(1), None, Some(2)]), BTreeSet::new());
        assert_eq!(moved(&[Some(3), Some(0), Some(1), Some(2)]), BTreeSet::from([0]));
        assert_eq!(moved(&[Some(1), Some(0)]).len(), 1);
    }

    #[test]
    fn a_patch_that_is_not_on_this_base_keeps_its_place() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(order(&["a", "off", "b"], &names(&["a", "b"]), &names(&["b", "a"])), ["b", "a", "off"]);
        assert_eq!(order(&["off", "b"], &names(&["b"]), &names(&["b"])), ["off", "b"]);
    }
}

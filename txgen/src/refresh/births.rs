// SPDX-License-Identifier: GPL-2.0
//! In which patch each item of a new file is born, told by the commits of a branch.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, anyhow, bail};

use crate::git::Blob;
use crate::slice::{self, Item};

/// What the patches of a branch add of one file: patches by their index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Born {
    /// The patch that adds the file, if it was not there before.
    pub file: Option<usize>,
    /// Items that come later, by a name.
    pub items: Vec<(usize, String)>,
}

/// A file that a branch adds, or adds to.
#[derive(Debug, Clone, Copy)]
pub struct Grown<'a> {
    /// Its path.
    pub path: &'a str,
    /// As a series beneath adds it, where one does.
    pub before: Option<&'a Blob>,
    /// As each commit leaves it.
    pub steps: &'a [Option<Blob>],
    /// How each commit is shown to people.
    pub commits: &'a [String],
    /// Whether what is changed later comes with the commit that adds it.
    pub fold: bool,
}

/// Finds what each patch adds of a file. Claims of `was` that are still true stay.
pub fn births(grown: &Grown<'_>, was: &[(usize, String)]) -> Result<Born> {
    let Grown { path, before, steps, commits, fold } = *grown;
    let first = steps.iter().position(Option::is_some).with_context(|| format!("{path} is in no patch"))?;
    let file = before.is_none().then_some(first);
    if let Some(gone) = steps.iter().skip(first).position(Option::is_none).filter(|_| !fold) {
        let gone = first + gone;
        let again = steps.iter().skip(gone).position(Option::is_some).map_or(gone, |again| gone + again);
        bail!(
            "{path} is added by commit {}, removed by commit {}, and added again by commit {}: squash these commits into \
             one, or let it come with the first of them with `--fold {path}`",
            commits[first],
            commits[gone],
            commits[again]
        );
    }
    let after = steps.iter().enumerate().skip(first).filter_map(|(index, blob)| Some((Some(index), blob.as_ref()?)));
    let steps = before.map(|blob| (None, blob)).into_iter().chain(after).collect::<Vec<_>>();
    let last = steps.last().map(|(_, blob)| &blob.bytes);
    let is_whole = steps.iter().all(|(_, blob)| Some(&blob.bytes) == last);
    let whole = Born { file, items: Vec::new() };
    if !slice::has_items(path) || is_whole && was.is_empty() {
        return Ok(whole);
    }
    let Ok(items) = items_of(last.context("a file has a last form")?) else { return Ok(whole) };
    if is_whole {
        let is_here = |name: &String| items.iter().any(|item| item.names.contains(name));
        let kept = was.iter().filter(|(index, name)| Some(*index) == file && is_here(name));
        return Ok(Born { file, items: kept.cloned().collect() });
    }
    // What the parser does not understand comes as a whole.
    let Ok(births) = birth_of_each(path, &items, &steps) else { return Ok(whole) };
    let items = claims(grown, &items, (&births, file), was)?;
    Ok(Born { file, items })
}

fn items_of(bytes: &[u8]) -> Result<Vec<Item>> {
    slice::items(std::str::from_utf8(bytes).context("it is no UTF-8")?)
}

/// What tells an item apart: its kind, its names, and how many like it are before it.
type Key = (String, BTreeSet<String>, usize);

fn keys(items: &[Item]) -> Vec<Key> {
    let mut seen = BTreeMap::new();
    let key = |item: &Item| {
        let count = seen.entry((item.kind.clone(), item.names.clone())).or_insert(0);
        *count += 1;
        (item.kind.clone(), item.names.clone(), *count)
    };
    items.iter().map(key).collect()
}

/// The first step that has each item.
fn birth_of_each(path: &str, items: &[Item], steps: &[(Option<usize>, &Blob)]) -> Result<Vec<Option<usize>>> {
    let mut births = BTreeMap::<Key, Option<usize>>::new();
    let mut before = None;
    for (index, blob) in steps {
        if before == Some(&blob.bytes) {
            continue;
        }
        before = Some(&blob.bytes);
        for key in keys(&items_of(&blob.bytes)?) {
            births.entry(key).or_insert(*index);
        }
    }
    let birth = |key: Key| births.get(&key).copied().with_context(|| format!("{path}: an item has no birth"));
    keys(items).into_iter().map(birth).collect()
}

/// Names that claim every item that comes after the file, and nothing else.
fn claims(
    grown: &Grown<'_>,
    items: &[Item],
    (births, file): (&[Option<usize>], Option<usize>),
    was: &[(usize, String)],
) -> Result<Vec<(usize, String)>> {
    let holds = |name: &str, birth: usize| {
        let mut named = items.iter().zip(births).filter(|(item, _)| item.names.contains(name)).peekable();
        named.peek().is_some() && named.all(|(_, at)| *at == Some(birth))
    };
    let mut claims = was.iter().filter(|(birth, name)| holds(name, *birth)).cloned().collect::<Vec<_>>();
    let born = items.iter().zip(births).filter(|(item, birth)| **birth != file && !item.names.is_empty());
    for (item, birth) in born.filter_map(|(item, birth)| Some((item, (*birth)?))) {
        if claims.iter().any(|(_, name)| item.names.contains(name)) {
            continue;
        }
        let mut names = item.names.iter().collect::<Vec<_>>();
        names.sort_by_key(|name| (name.contains('('), name.len(), (*name).clone()));
        match names.into_iter().find(|name| holds(name, birth)) {
            Some(name) => claims.push((birth, name.clone())),
            None if grown.fold => {}
            None => return Err(shared_name(grown, item, (items, births), birth)),
        }
    }
    Ok(claims)
}

/// Says that no name of an item is that of items of one commit alone.
fn shared_name(
    grown: &Grown<'_>,
    item: &Item,
    (items, births): (&[Item], &[Option<usize>]),
    birth: usize,
) -> anyhow::Error {
    let path = grown.path;
    let names = item.names.iter().cloned().collect::<Vec<_>>().join(", ");
    let others =
        items.iter().zip(births).filter(|(other, at)| !other.names.is_disjoint(&item.names) && **at != Some(birth));
    let other = others.filter_map(|(_, at)| *at).map(|at| format!("commit {}", grown.commits[at])).next();
    anyhow!(
        "{path}:{}: {names} is a name of items that come in different patches, commit {} and {}: squash these, or let \
         them all come with `--fold {path}`",
        item.lines.start + 1,
        grown.commits[birth],
        other.unwrap_or_else(|| "a series beneath".to_owned())
    )
}

#[cfg(test)]
mod tests {
    use super::{Born, Grown, births};
    use crate::git::{Blob, Mode};

    const A: &str = "int a(void)\n{\n\treturn 1;\n}\n";
    const B: &str = "\nint b(void)\n{\n\treturn 2;\n}\n";

    fn born(steps: &[Option<String>], was: &[(usize, String)]) -> Result<Born, String> {
        let blob = |text: &Option<String>| {
            text.as_ref().map(|text| Blob { mode: Mode::Plain, bytes: text.clone().into_bytes() })
        };
        let steps = steps.iter().map(blob).collect::<Vec<_>>();
        let commits = (0..steps.len()).map(|index| format!("C{index}")).collect::<Vec<_>>();
        let grown = Grown { path: "net/x.c", before: None, steps: &steps, commits: &commits, fold: false };
        births(&grown, was).map_err(|e| format!("{e:#}"))
    }

    #[test]
    fn an_item_is_born_where_it_is_first_seen() {
        let steps = [None, Some(A.to_owned()), Some(A.to_owned()), Some(format!("{A}{B}"))];
        assert_eq!(born(&steps, &[]).unwrap(), Born { file: Some(1), items: vec![(3, "b".to_owned())] });
    }

    #[test]
    fn a_claim_that_is_still_true_stays_and_one_that_is_not_goes() {
        let steps = [Some(A.to_owned()), Some(format!("{A}{B}"))];
        let was = [(1, "b".to_owned()), (1, "a".to_owned()), (0, "gone".to_owned())];
        assert_eq!(born(&steps, &was).unwrap(), Born { file: Some(0), items: vec![(1, "b".to_owned())] });
    }

    #[test]
    fn where_a_file_comes_whole_a_claim_on_what_is_gone_goes() {
        let was = [(0, "a".to_owned()), (0, "b".to_owned())];
        let born = born(&[Some(A.to_owned())], &was).unwrap();
        assert_eq!(born, Born { file: Some(0), items: vec![(0, "a".to_owned())] });
    }

    #[test]
    fn a_file_that_goes_and_comes_back_is_refused() {
        let steps = [Some(A.to_owned()), None, Some(A.to_owned())];
        assert_eq!(
            born(&steps, &[]).unwrap_err(),
            "net/x.c is added by commit C0, removed by commit C1, and added again by commit C2: squash these commits into \
             one, or let it come with the first of them with `--fold net/x.c`"
        );
    }
}

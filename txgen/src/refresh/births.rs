// SPDX-License-Identifier: GPL-2.0
//! In which patch each item of a new file is born, told by the commits of a branch.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};

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

/// Finds what each patch adds of the file at `path`, which is in `steps` as each of them leaves it, and `before` them all
/// where a series beneath adds it. Claims of `was` that are still true stay.
pub fn births(path: &str, before: Option<&Blob>, steps: &[Option<Blob>], was: &[(usize, String)]) -> Result<Born> {
    let first = steps.iter().position(Option::is_some).with_context(|| format!("{path} is in no patch"))?;
    let file = before.is_none().then_some(first);
    let after = steps.iter().enumerate().skip(first);
    let after = after.map(|(index, blob)| Some((Some(index), blob.as_ref()?)));
    let steps = before.map(|blob| Some((None, blob))).into_iter().chain(after).collect::<Option<Vec<_>>>();
    let Some(steps) = steps else { bail!("{path} is added, removed and added again: squash these commits into one") };
    let last = steps.last().map(|(_, blob)| &blob.bytes);
    let is_whole = steps.iter().all(|(_, blob)| Some(&blob.bytes) == last);
    if !slice::has_items(path) || is_whole && was.is_empty() {
        return Ok(Born { file, items: Vec::new() });
    }
    let final_text = text(path, last.context("a file has a last form")?)?;
    let items = slice::items(final_text).with_context(|| path.to_owned())?;
    if is_whole {
        let is_here = |name: &String| items.iter().any(|item| item.names.contains(name));
        let kept = was.iter().filter(|(index, name)| Some(*index) == file && is_here(name));
        return Ok(Born { file, items: kept.cloned().collect() });
    }
    let births = birth_of_each(path, &items, &steps)?;
    let items = claims(path, &items, &births, file, was)?;
    Ok(Born { file, items })
}

fn text<'a>(path: &str, bytes: &'a [u8]) -> Result<&'a str> {
    std::str::from_utf8(bytes).with_context(|| format!("{path} is no UTF-8"))
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
        let here = slice::items(text(path, &blob.bytes)?).with_context(|| format!("an earlier form of {path}"))?;
        for key in keys(&here) {
            births.entry(key).or_insert(*index);
        }
    }
    let birth = |key: Key| births.get(&key).copied().with_context(|| format!("{path}: an item has no birth"));
    keys(items).into_iter().map(birth).collect()
}

/// Names that claim every item that comes after the file, and nothing else.
fn claims(
    path: &str,
    items: &[Item],
    births: &[Option<usize>],
    file: Option<usize>,
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
        let Some(name) = names.into_iter().find(|name| holds(name, birth)) else {
            let names = item.names.iter().cloned().collect::<Vec<_>>().join(", ");
            bail!(
                "{path}:{}: {names} is a name of items that come in different patches: squash these, or let them all \
                 come with --fold {path}",
                item.lines.start + 1
            );
        };
        claims.push((birth, name.clone()));
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::{Born, births};
    use crate::git::{Blob, Mode};

    const A: &str = "int a(void)\n{\n\treturn 1;\n}\n";
    const B: &str = "\nint b(void)\n{\n\treturn 2;\n}\n";

    fn born(steps: &[Option<String>], was: &[(usize, String)]) -> Result<Born, String> {
        let blob = |text: &Option<String>| {
            text.as_ref().map(|text| Blob { mode: Mode::Plain, bytes: text.clone().into_bytes() })
        };
        births("net/x.c", None, &steps.iter().map(blob).collect::<Vec<_>>(), was).map_err(|e| format!("{e:#}"))
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
            "net/x.c is added, removed and added again: squash these commits into one"
        );
    }
}

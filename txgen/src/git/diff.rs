// SPDX-License-Identifier: GPL-2.0
//! A .diff applied strictly: every hunk at its line, every context line as it is in the tree.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use git2::{Delta, Diff, ObjectType};

use super::{Changes, Repo, mode};
use crate::git::Blob;

/// Why a .diff can not be used: a line of it and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Line of the .diff, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// Whether the .diff itself is wrong, whatever tree it is applied to.
    pub malformed: bool,
}

/// What applying a .diff came to.
pub type Outcome = std::result::Result<Changes, Misfit>;

impl Repo {
    /// What the text of a .diff makes of `tree`. It may change and remove files, not add or rename them.
    pub fn apply_diff(&self, tree: &str, text: &str) -> Result<Outcome> {
        let malformed = |line, what: String| Ok(Err(Misfit { line, what, malformed: true }));
        if !text.lines().any(|line| line.starts_with("diff --git ")) {
            return malformed(1, "it is no git diff (no `diff --git` line): write it with `git diff`".to_owned());
        }
        if let Some(line) = text.lines().position(|line| line.contains('\0')) {
            return malformed(line + 1, "it has a NUL byte: a series has text files only".to_owned());
        }
        let diff = match Diff::from_buffer(text.as_bytes()) {
            Ok(diff) => diff,
            Err(e) => return malformed(0, format!("it is no diff: {}", e.message())),
        };
        if diff.deltas().len() == 0 {
            return malformed(0, "it is no diff: it changes no file".to_owned());
        }
        let mut paths = Vec::new();
        for delta in diff.deltas() {
            let path = delta.old_file().path().and_then(|p| p.to_str()).map(str::to_owned);
            let path = path.context("a .diff names a path that is no UTF-8")?;
            let line = line_of_file(text, &path);
            if let Some(what) = refusal(delta.status(), delta.flags().is_binary(), &path) {
                return malformed(line, what);
            }
            if self.entry(tree, &path)?.is_none_or(|entry| entry.kind() != Some(ObjectType::Blob)) {
                let what = format!("{path} is not in the tree");
                return Ok(Err(Misfit { line, what, malformed: false }));
            }
            if paths.contains(&path) {
                return malformed(
                    second_line_of_file(text, &path),
                    format!("it changes {path} twice: put both into one"),
                );
            }
            paths.push(path);
        }
        self.apply_to(tree, &paths, &diff, text)
    }

    /// Like `apply_diff`, for a .diff whose lines may have moved: a hunk goes where its lines are, if that is one place.
    pub fn apply_diff_moved(&self, tree: &str, text: &str) -> Result<Outcome> {
        let strict = self.apply_diff(tree, text)?;
        if strict.as_ref().map_or_else(|misfit| misfit.malformed, |_| true) {
            return Ok(strict);
        }
        let mut files = BTreeMap::new();
        for path in text.lines().filter_map(|line| line.strip_prefix("--- a/")) {
            if let Some(blob) = self.file(tree, path.trim_end())? {
                files.insert(path.trim_end(), String::from_utf8_lossy(&blob.bytes).into_owned());
            }
        }
        match relocate(text, &files) {
            Some(moved) => self.apply_diff(tree, &moved),
            None => Ok(strict),
        }
    }

    /// Applies `diff` to a tree of just the files it touches: reading the whole one takes most of a second.
    fn apply_to(&self, tree: &str, paths: &[String], diff: &Diff<'_>, text: &str) -> Result<Outcome> {
        let small = self.tree_of(tree, paths)?;
        let index = match self.repo.apply_to_tree(&self.tree(&small)?, diff, None) {
            Ok(index) => index,
            Err(e) => return Ok(Err(self.explain(tree, paths, text, e.message())?)),
        };
        let mut after = paths.iter().map(|path| (path.clone(), None)).collect::<Changes>();
        for entry in index.iter() {
            let path = String::from_utf8(entry.path).context("a path is no UTF-8")?;
            let raw = i32::try_from(entry.mode).context("a file mode out of range")?;
            after.insert(path, Some(Blob { mode: mode(raw), bytes: self.bytes(entry.id)? }));
        }
        Ok(Ok(after))
    }

    /// Finds the first line of the .diff that is not as the tree has it.
    fn explain(&self, tree: &str, paths: &[String], text: &str, said: &str) -> Result<Misfit> {
        let mut files = BTreeMap::new();
        for path in paths {
            let bytes = self.file(tree, path)?.map(|blob| blob.bytes).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            files.insert(path.as_str(), text.lines().map(str::to_owned).collect::<Vec<_>>());
        }
        let misfit = first_misfit(text, &files);
        Ok(misfit.unwrap_or_else(|| Misfit { line: 0, what: said.to_owned(), malformed: false }))
    }
}

fn refusal(status: Delta, binary: bool, path: &str) -> Option<String> {
    if binary {
        return Some(format!("{path} is binary"));
    }
    if let Err(what) = super::super::series::path::check(path) {
        return Some(format!("path {path:?} {what}"));
    }
    match status {
        Delta::Modified | Delta::Deleted => None,
        Delta::Added => Some(format!("it adds {path}: a new file belongs in kernel-overlay/, claimed by `adds`")),
        _ => Some(format!("it renames or copies {path}: write it with `git diff --no-renames`")),
    }
}

/// The line of the `+++` or `---` header of `path`.
fn line_of_file(text: &str, path: &str) -> usize {
    let names = |line: &str| {
        let name = line.strip_prefix("--- a/").or_else(|| line.strip_prefix("+++ b/"));
        name.is_some_and(|name| name.trim_end() == path)
    };
    text.lines().position(names).map_or(1, |i| i + 1)
}

/// The line with which a file begins that the .diff has before: libgit2 would drop what comes first.
fn second_line_of_file(text: &str, path: &str) -> usize {
    let names = |line: &str| line.strip_prefix("--- a/").is_some_and(|name| name.trim_end() == path);
    let mut lines = text.lines().enumerate().filter(|(_, line)| names(line)).map(|(index, _)| index + 1);
    lines.nth(1).unwrap_or(1)
}

/// The first line of the .diff that is not as `files` have it.
fn first_misfit(text: &str, files: &BTreeMap<&str, Vec<String>>) -> Option<Misfit> {
    let mut path = "";
    let mut at = 0;
    let mut left = 0;
    for (number, line) in text.lines().enumerate() {
        if left == 0 {
            path = line.strip_prefix("--- a/").map_or(path, str::trim_end);
            (at, left) = hunk(line).unwrap_or((at, left));
            continue;
        }
        let Some(wanted) = line.strip_prefix([' ', '-']).or_else(|| line.is_empty().then_some("")) else { continue };
        let has = files.get(path).and_then(|lines| lines.get(at - 1));
        if has.is_none_or(|has| has != wanted) {
            let has = has.map_or("has ended".to_owned(), |has| format!("has {has:?}"));
            let what = format!("{path}:{at}: it expects {wanted:?}, the tree {has}");
            return Some(Misfit { line: number + 1, what, malformed: false });
        }
        (at, left) = (at + 1, left - 1);
    }
    None
}

/// `text` with its hunks at the lines where `files` have what they expect; `None` unless that is one place each.
fn relocate(text: &str, files: &BTreeMap<&str, String>) -> Option<String> {
    let lines = text.lines().collect::<Vec<_>>();
    let mut moved = String::new();
    let mut path = "";
    for (number, line) in lines.iter().enumerate() {
        path = line.strip_prefix("--- a/").map_or(path, str::trim_end);
        let Some((start, count)) = hunk(line) else {
            moved += &format!("{line}\n");
            continue;
        };
        let expects = lines[number + 1..]
            .iter()
            .filter_map(|line| line.strip_prefix([' ', '-']).or_else(|| line.is_empty().then_some("")))
            .take(count)
            .collect::<Vec<_>>();
        let has = files.get(path)?.lines().collect::<Vec<_>>();
        let mut places = has.windows(expects.len().max(1)).enumerate().filter(|(_, window)| *window == expects);
        let (found, _) = places.next().filter(|_| places.next().is_none())?;
        let (added, rest) = line.split_once(" +")?.1.split_once(" @@")?;
        let (new, new_count) = added.split_once(',').unwrap_or((added, "1"));
        let new = (found + 1 + new.parse::<usize>().ok()?).checked_sub(start)?;
        moved += &format!("@@ -{},{count} +{new},{new_count} @@{rest}\n", found + 1);
    }
    Some(moved)
}

/// First old line and number of old lines of a `@@ -12,7 +12,9 @@` line.
fn hunk(line: &str) -> Option<(usize, usize)> {
    let old = line.strip_prefix("@@ -")?.split(' ').next()?;
    let (start, count) = old.split_once(',').unwrap_or((old, "1"));
    Some((start.parse::<usize>().ok()?.max(1), count.parse().ok()?))
}

/// An error that tells a misfit with the name of its file.
pub fn tell(file: &std::path::Path, misfit: &Misfit) -> anyhow::Error {
    match misfit.line {
        0 => anyhow!("{}: {}", file.display(), misfit.what),
        line => anyhow!("{}:{line}: {}", file.display(), misfit.what),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::relocate;

    const DIFF: &str = "--- a/f\n+++ b/f\n@@ -2,3 +2,2 @@ f\n b\n-c\n d\n";

    fn moved(file: &str) -> Option<String> {
        relocate(DIFF, &BTreeMap::from([("f", file.to_owned())]))
    }

    #[test]
    fn a_hunk_follows_its_lines() {
        let want = "--- a/f\n+++ b/f\n@@ -4,3 +4,2 @@ f\n b\n-c\n d\n";
        assert_eq!(moved("x\ny\na\nb\nc\nd\n").as_deref(), Some(want));
    }

    #[test]
    fn a_hunk_whose_lines_are_gone_or_in_two_places_does_not_move() {
        assert_eq!(moved("a\nb\nC\nd\n"), None);
        assert_eq!(moved("b\nc\nd\nb\nc\nd\n"), None);
    }
}

// SPDX-License-Identifier: GPL-2.0
//! What the tree's own scripts/get_maintainer.pl says of each patch, on record.
//!
//! It compares each line of a patch with each keyword of MAINTAINERS and each file with each pattern, which takes it
//! seconds for a series. So it is asked of one patch at a time, side by side, and never twice of the same one.

use std::path::Path;

use anyhow::{Context, Result};
use rayon::prelude::*;

use crate::check::source::Source;
use crate::files;
use crate::git::Repo;
use crate::mail::Mail;
use crate::process::Run;
use crate::project::Project;
use crate::proof;
use crate::scratch::Scratch;

/// What the script reads of the tree when it is given patches.
const PARTS: &[&str] = &["scripts/get_maintainer.pl", "MAINTAINERS", ".get_maintainer.ignore", ".mailmap"];

/// History is left out: a managed base has none, and with it the same series would go to others from another clone.
const OPTIONS: &[&str] = &["--no-tree", "--nogit", "--nogit-fallback", "--norolestats", "--roles", "--nosubstatus"];

/// The kind of the records.
const KIND: &str = "maintainers";

/// What the script prints for each of `mails`, by their first files: it goes through files in that order, and of several
/// addresses of a person it takes the first.
pub(super) fn of_each(source: &Source<'_>, mails: &[Mail]) -> Result<Vec<String>> {
    let repo = Repo::open(&source.git_dir)?;
    let tree = repo.resolve(&source.tip)?.tree;
    let mut parts = vec![OPTIONS.join(" ")];
    for (index, path) in PARTS.iter().enumerate() {
        let id = repo.id_of(&tree, path)?;
        if index < 2 && id.is_none() {
            source.require(path)?;
        }
        parts.push(id.unwrap_or_default());
    }
    let questions = mails.iter().map(|mail| question(&mail.text)).collect::<Vec<_>>();
    let key = |text: &String| proof::key(&parts.iter().chain([text]).map(String::as_bytes).collect::<Vec<_>>());
    let keys = questions.iter().map(key).collect::<Vec<_>>();
    let known = keys.iter().map(|key| proof::load::<String>(source.project, KIND, key));
    let mut answers = known.collect::<Result<Vec<_>>>()?;
    let missing = (0..mails.len()).filter(|index| answers[*index].is_none()).collect::<Vec<_>>();
    if !missing.is_empty() {
        let folder = folder(&source.project.cache, &repo, &tree)?;
        let ask = |index: &usize| ask(source.project, &folder, (&questions[*index], &keys[*index]));
        let asked = missing.par_iter().map(ask).collect::<Result<Vec<_>>>()?;
        for (index, answer) in missing.into_iter().zip(asked) {
            answers[index] = Some(answer);
        }
    }
    let first = |text: &String| text.lines().find(|line| line.starts_with("diff --git ")).map(str::to_owned);
    let mut answers = questions.iter().map(first).zip(answers.into_iter().flatten()).collect::<Vec<_>>();
    answers.sort();
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

/// A mail without what says nothing about who is to get it: its place in the series, and the lines around its changes.
fn question(mail: &str) -> String {
    let mut text = String::new();
    let mut in_diff = false;
    for line in mail.split_inclusive('\n') {
        in_diff |= line.starts_with("diff --git ");
        let place = line.strip_prefix("Subject: [").filter(|_| !in_diff).and_then(|rest| rest.split_once("] "));
        match place {
            Some((_, subject)) => text += &format!("Subject: {subject}"),
            None if in_diff && line.starts_with(' ') => {}
            None => text += line,
        }
    }
    text
}

/// A folder with the few files that the script reads, so that writing mails waits for no checkout.
fn folder(cache: &Path, repo: &Repo, tree: &str) -> Result<Scratch> {
    let folder = Scratch::new(cache)?;
    for path in PARTS {
        if let Some(blob) = repo.file(tree, path)? {
            files::write_new(&folder.path().join(path), &blob.bytes)?;
        }
    }
    files::make_dir(&folder.path().join("home"))?;
    Ok(folder)
}

fn ask(project: &Project, folder: &Scratch, (question, key): (&String, &String)) -> Result<String> {
    let file = format!("{key}.patch");
    files::write_new(&folder.path().join(&file), question.as_bytes())?;
    // HOME: its .get_maintainer.conf and .ignore must not decide who gets the series.
    let run = Run::new("perl", [PARTS[0]]).args(OPTIONS).arg(&file).dir(folder.path());
    let run = run.env("HOME", folder.path().join("home")).env("LC_ALL", "C").env("PERL_HASH_SEED", "0");
    let output = run.check().context("ask scripts/get_maintainer.pl for the recipients")?;
    let answer = output.text();
    proof::store(project, KIND, key, &answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::question;

    #[test]
    fn the_place_in_a_series_and_what_is_around_a_change_make_no_other_question() {
        let mail = |prefix: &str, context: &str| {
            format!(
                "From: A <a@example.org>\nSubject: [{prefix}] net: [x] y\n\n Why.\n---\n f | 2 +-\n\ndiff --git a/f b/f\n\
                 --- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n {context}\n-a\n+b\n"
            )
        };
        let asked = question(&mail("PATCH net-next v2 03/15", "around"));
        assert_eq!(asked, question(&mail("PATCH net-next 3/4", "other")));
        assert_eq!(
            asked,
            "From: A <a@example.org>\nSubject: net: [x] y\n\n Why.\n---\n f | 2 +-\n\ndiff --git a/f b/f\n--- a/f\n+++ b/f\n\
             @@ -1,2 +1,2 @@\n-a\n+b\n"
        );
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Work that is not a series yet, as commits: mails, and a quilt folder. No work tree is touched, no ref is set.
//!
//! git's own mailsplit, mailinfo and apply read them, so that what `git am` takes is taken.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::base::Base;
use crate::error::Conflict;
use crate::files;
use crate::git::program;
use crate::git::{Authorship, Identity, Repo, identity};

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The last commit.
    pub tip: String,
    /// Subject and text of a cover letter, if there was one.
    pub cover: Option<(String, String)>,
}

/// A patch before it is applied.
struct Incoming {
    /// Where it is from, for errors.
    from: String,
    author: Option<Identity>,
    subject: String,
    body: String,
    diff: PathBuf,
}

/// The patches of a mailbox, or of a single mail, on `base`; `seconds` since 1970 is the date of the commits.
pub fn mbox(base: &Base, file: &Path, seconds: i64) -> Result<Imported> {
    let dir = TempDir::new().context("make a temporary folder")?;
    if !file.is_file() {
        bail!("there is no mailbox {}", file.display());
    }
    let split = program::without_repository()
        .args(["mailsplit", "--keep-cr", "-b"])
        .arg(format!("-o{}", dir.path().display()))
        .arg(file);
    split.check().with_context(|| format!("split {} into mails", file.display()))?;
    let mut mails = fs::read_dir(dir.path())?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    mails.sort();
    let (mut cover, mut patches) = (None, Vec::new());
    for mail in mails {
        let number = mail.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let patch = read(&mail, format!("mail {number} of {}", file.display()))?;
        if fs::read(&patch.diff)?.windows(5).any(|bytes| bytes == b"diff " || bytes == b"\n--- ") {
            patches.push(patch);
        } else if patches.is_empty() && cover.is_none() {
            cover = Some((patch.subject, prose(&patch.body)));
        } else {
            bail!("{} (\"{}\") has no patch: take it out of the mailbox", patch.from, patch.subject);
        }
    }
    commit(base, patches, seconds).map(|tip| Imported { tip, cover })
}

/// The patches that the file `series` of a quilt folder lists, on `base`.
pub fn quilt(base: &Base, folder: &Path, seconds: i64) -> Result<Imported> {
    let list = folder.join("series");
    let text = files::read(&list).with_context(|| format!("{} is no quilt folder", folder.display()))?;
    let dir = TempDir::new().context("make a temporary folder")?;
    let mut patches = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(name) = words.next() else { continue };
        if let Some(option) = words.find(|option| *option != "-p1") {
            bail!("{}:{}: {name} needs option {option}: only -p1 is known", list.display(), number + 1);
        }
        let from = folder.join(name);
        let text = fs::read(&from).with_context(|| format!("read {}", from.display()))?;
        let mail = dir.path().join(format!("{number:06}"));
        fs::write(&mail, as_mail(&text, &from)?).with_context(|| format!("write {}", mail.display()))?;
        patches.push(read(&mail, from.display().to_string())?);
    }
    commit(base, patches, seconds).map(|tip| Imported { tip, cover: None })
}

/// A patch with the headers of a mail: its own, or its first line as the subject.
fn as_mail(text: &[u8], from: &Path) -> Result<Vec<u8>> {
    let is_header = |line: &str| ["From ", "From:", "Subject:", "Date:"].iter().any(|key| line.starts_with(key));
    let first = text.split(|byte| *byte == b'\n').map(String::from_utf8_lossy).find(|line| !line.trim().is_empty());
    let first = first.unwrap_or_default();
    if first.is_empty() || ["diff ", "--- ", "Index: "].iter().any(|key| first.starts_with(key)) {
        bail!("{}:1: the patch has no description: its first line is to be the subject", from.display());
    }
    if is_header(&first) {
        return Ok(text.to_owned());
    }
    let mut mail = b"Subject: ".to_vec();
    let start = text.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
    mail.extend_from_slice(first.trim().as_bytes());
    mail.extend_from_slice(b"\n\n");
    let rest = text[start..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| start + at + 1);
    mail.extend_from_slice(&text[rest..]);
    Ok(mail)
}

fn read(mail: &Path, from: String) -> Result<Incoming> {
    let (message, diff) = (mail.with_extension("msg"), mail.with_extension("diff"));
    let bytes = fs::read(mail).with_context(|| format!("read {}", mail.display()))?;
    // A quilt folder's author has no date, and a subject no tag: what is missing is left out.
    let info = program::without_repository()
        .args(["mailinfo", "--encoding=UTF-8"])
        .arg(&message)
        .arg(&diff)
        .stdin(&bytes)
        .check();
    let info = info.with_context(|| format!("read {from}"))?.text();
    let field = |key: &str| info.lines().find_map(|line| line.strip_prefix(key)).map(|value| value.trim().to_owned());
    let author = field("Author: ").zip(field("Email: ")).map(|(name, email)| Identity { name, email });
    let Some(subject) = field("Subject: ").filter(|subject| !subject.is_empty()) else {
        bail!("{from} has no subject")
    };
    let body = files::read(&message)?.trim().to_owned();
    Ok(Incoming { from, author: author.filter(|who| !who.email.is_empty()), subject, body, diff })
}

/// What a person wrote of a cover letter: all up to the shortlog that git adds.
fn prose(body: &str) -> String {
    let is_shortlog = |line: &&str| {
        let count = line.trim_end().strip_suffix("):").and_then(|line| line.rsplit_once(" ("));
        count.is_some_and(|(_, count)| count.parse::<u32>().is_ok())
    };
    let lines = body.lines().take_while(|line| !is_shortlog(line)).collect::<Vec<_>>();
    lines.join("\n").trim().to_owned()
}

fn commit(base: &Base, patches: Vec<Incoming>, seconds: i64) -> Result<String> {
    if patches.is_empty() {
        bail!("there is no patch in it");
    }
    let repo = Repo::open(&base.git_dir)?;
    let (author, committer) = identity::identities(&base.git_dir)?;
    let dir = TempDir::new().context("make a temporary folder")?;
    let git = |args: &[&str]| {
        let run = program::fixed(&base.git_dir).args(args);
        run.env("GIT_INDEX_FILE", dir.path().join("index")).dir(dir.path())
    };
    git(&["read-tree", &base.commit]).check().context("read the base")?;
    let mut tip = base.commit.clone();
    for patch in patches {
        let applied = git(&["apply", "--cached", "--3way", "--whitespace=nowarn"]).arg(&patch.diff).output()?;
        if !applied.status.success() {
            let what = format!(
                "{} (\"{}\") does not apply to {}: {}",
                patch.from,
                patch.subject,
                base.name,
                applied.errors().trim().lines().last().unwrap_or_default()
            );
            return Err(Conflict { what }.into());
        }
        let tree = git(&["write-tree"]).check().context("write a tree")?.text().trim().to_owned();
        let message = match patch.body.is_empty() {
            true => format!("{}\n", patch.subject),
            false => format!("{}\n\n{}\n", patch.subject, patch.body),
        };
        let by = Authorship {
            author: patch.author.unwrap_or_else(|| author.clone()),
            committer: committer.clone(),
            seconds,
        };
        tip = repo.commit(&tip, &tree, &message, &by)?;
    }
    Ok(tip)
}

#[cfg(test)]
mod tests {
    use super::prose;

    #[test]
    fn a_cover_letter_ends_where_its_shortlog_begins() {
        let body = "Why.\n\nMore (and so on):\n\nA Person (2):\n  net: one\n  net: two\n\n 1 file changed\n";
        assert_eq!(prose(body), "Why.\n\nMore (and so on):");
    }
}

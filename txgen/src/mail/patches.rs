// SPDX-License-Identifier: GPL-2.0
//! The mails of the patches: git format-patch with options that leave nothing to configuration.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::check::source::{Patch, Source};
use crate::files;
use crate::git::identity::Identity;
use crate::git::{program, view};
use crate::mail::{Envelope, Mail, Placed, header, joined, tracking};
use crate::project::Project;
use crate::scratch::Scratch;

/// What git format-patch is told, whatever the version of git has as a default.
const OPTIONS: &[&str] = &[
    "format-patch",
    "--quiet",
    "--zero-commit",
    "--full-index",
    "--diff-algorithm=histogram",
    "-M",
    "-O/dev/null",
    // No configuration takes format.noprefix back.
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-signature",
    "--no-attach",
    "--no-thread",
    "--no-notes",
    "--no-base",
    "--no-to",
    "--no-cc",
    "--no-add-header",
    "--no-cover-letter",
    "--encode-email-headers",
    "--suffix=.patch",
    "--filename-max-length=64",
];

/// `PATCH net-next`; the version and the numbers are added by git, or by the cover letter.
pub fn prefix(envelope: &Envelope) -> String {
    let rfc = if envelope.rfc { "RFC " } else { "" };
    let resend = if envelope.resend > 0 { "RESEND " } else { "" };
    format!("PATCH {resend}{rfc}{}", envelope.tree)
}

/// The patches as git format-patch writes them.
pub fn format(source: &Source<'_>, patches: &[Patch], envelope: &Envelope, sender: &Identity) -> Result<Vec<Mail>> {
    let dir = Scratch::new(&source.project.cache)?;
    let mut run = source.git(OPTIONS).arg(format!("--from={}", sender.display()));
    run = run.arg(format!("--subject-prefix={}", prefix(envelope)));
    run = run.arg(if envelope.has_cover() || patches.len() > 1 { "--numbered" } else { "--no-numbered" });
    if envelope.version > 1 {
        run = run.arg(format!("-v{}", envelope.version));
    }
    run.arg("-o").arg(dir.path()).arg(format!("{}..{}", source.base, source.tip)).check()?;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir.path()).context("list what git format-patch wrote")? {
        names.push(entry.context("list what git format-patch wrote")?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    if names.len() != patches.len() {
        bail!("git format-patch wrote {} mails for {} patches", names.len(), patches.len());
    }
    names.into_iter().map(|file| Ok(Mail { text: files::read(&dir.path().join(&file))?, file })).collect()
}

/// A commit as a mail without recipients, numbers or notes.
pub fn plain(project: &Project, git_dir: &Path, commit: &str) -> Result<String> {
    let git = program::fixed(&view::open(&project.cache, git_dir)?);
    Ok(git.args(OPTIONS).args(["--no-from", "--no-numbered", "--stdout", "-1", commit]).check()?.text())
}

/// Adds recipients, threading, and what stands below `---`.
pub(super) fn finish(plain: Vec<Mail>, patches: &[Patch], placed: &Placed<'_>, base: &str) -> Result<Vec<Mail>> {
    let (envelope, thread) = (placed.envelope, placed.thread);
    let mut mails = Vec::new();
    for (index, (mail, patch)) in plain.into_iter().zip(patches).enumerate() {
        let (headers, body) = mail.text.split_once("\n\n").with_context(|| format!("{} has no body", mail.file))?;
        let mut below = envelope.notes.get(&patch.name).map(|note| note.trim().to_owned()).unwrap_or_default();
        if index == 0 && !thread.has_cover {
            let tests = envelope.tests.clone().unwrap_or_default();
            let range_diff = placed.below.range_diff.clone();
            below = joined([envelope.changelog.clone(), below, range_diff, tests, envelope.tracking(base)]);
        }
        let body = with_note(body, &below).with_context(|| format!("{} has no `---` line", mail.file))?;
        let added = headers_of(placed, index + 1)?;
        let charset = header::charset(headers, &body);
        mails.push(Mail { text: format!("{headers}\n{added}{charset}\n{body}"), file: mail.file });
    }
    Ok(mails)
}

/// The headers that every mail of the series gets, and those of its first one.
pub(super) fn headers_of(placed: &Placed<'_>, number: usize) -> Result<String> {
    let to = header::addresses("To", &placed.recipients.to);
    let cc = header::addresses("Cc", &placed.recipients.cc);
    let thread = placed.thread.headers(number);
    let is_first = number == 0 || (number == 1 && !placed.thread.has_cover);
    let tracking = if is_first { tracking::header(placed.envelope)? } else { String::new() };
    Ok(format!("{to}{cc}{thread}{tracking}X-Change-ID: {}\n", placed.envelope.change_id))
}

/// Puts `note` between the first `---` line and the diffstat.
fn with_note(body: &str, note: &str) -> Option<String> {
    let cut = "\n---\n";
    let at = body.find(cut)? + cut.len();
    Some(if note.is_empty() { body.to_owned() } else { format!("{}{note}\n\n{}", &body[..at], &body[at..]) })
}

// SPDX-License-Identifier: GPL-2.0
//! `git send-email`, and what its output says of what became of a mail.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::fields::{self, Given};
use super::settings::{self, Settings};
use crate::files;
use crate::git::Identity;
use crate::mail::Mail;
use crate::process::{Run, last_lines};

/// Starts what a dry run says of each mail.
pub const PLANNED: &str = "Dry-OK. Log says:\n";

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A server took it.
    Sent,
    /// No server took it.
    Unsent,
    /// The end of it went to a server whose answer nobody saw.
    Unknown,
}

/// Runs of git send-email for mails in a folder, with what each says.
fn runs(settings: &Settings, git_dir: &Path, sender: &Identity, given: &[(PathBuf, Vec<String>)]) -> Vec<Run> {
    let own = given.iter().filter(|(_, options)| !options.is_empty()).count();
    // An option counts for all mails of a run.
    let size = if own > 1 { 1 } else { given.len().max(1) };
    let run = |mails: &[(PathBuf, Vec<String>)]| {
        let run = settings.send_email(git_dir, &sender.display()).args(mails.iter().flat_map(|(_, options)| options));
        run.args(mails.iter().map(|(path, _)| path))
    };
    given.chunks(size).map(run).collect()
}

/// Sends mails without a trace, or says what would be sent in a `dry_run`; the folder `dir` is not named in the result.
pub fn send_all(git_dir: &Path, sender: &Identity, dir: &Path, mails: &[Mail], dry_run: bool) -> Result<String> {
    let settings = settings::read(git_dir)?;
    let (mut all, mut errors) = (String::new(), String::new());
    for run in runs(&settings, git_dir, sender, &fields::write(dir, mails, sender)?) {
        let output = if dry_run { run.arg("--dry-run").output()? } else { run.output()? };
        if !output.status.success() {
            bail!("git send-email failed: {}", last_lines(&(output.text() + &output.errors()), 15));
        }
        all += &output.text();
        errors += &output.errors();
    }
    let done = if dry_run { all.matches(PLANNED).count() } else { taken(&all) };
    if done < mails.len() {
        let (sent, total) = (if dry_run { "would send" } else { "sent" }, mails.len());
        bail!("git send-email {sent} {done} of {total} mails: {}", last_lines(&(all + &errors), 15));
    }
    Ok(all.replace(&format!("{}/", dir.display()), ""))
}

/// How many mails a server took, from what was said.
fn taken(log: &str) -> usize {
    log.lines().filter(|line| is_good_result(line)).count()
}

/// The server, or the program that sends, took a mail.
fn is_good_result(line: &str) -> bool {
    line.strip_prefix("Result: ").is_some_and(|result| result.starts_with('2') || result == "OK")
}

/// Sends one mail, whose file is in a folder of txgen's own; what is said goes into `log`. Whether the program ended well.
pub fn send(git_dir: &Path, sender: &Identity, mail: &Path, log: File) -> Result<bool> {
    let Given { text, options } = fields::given(&files::read(mail)?, sender);
    let file = mail.file_name().context("a mail has a file name")?;
    let dir = mail.parent().context("a mail is in a folder")?.join("given");
    let given = dir.join(file);
    files::write_new(&given, text.as_bytes())?;
    let run = settings::read(git_dir)?.send_email(git_dir, &sender.display());
    // git tells that it begins: a log without a word is of a program that never ran.
    let run = run.args(options).arg(given).env("GIT_TRACE", "1").log_to(log);
    Ok(run.output()?.status.success())
}

/// What became of a mail, from what was said; `ended` where the program came to its own end.
pub fn fate(log: &str, ended: bool) -> Fate {
    if taken(log) > 0 {
        return Fate::Sent;
    }
    let said = said(log).to_ascii_lowercase();
    let never = ["unable to initialize smtp properly", "failed to send "];
    if log.trim().is_empty() || never.iter().any(|text| said.contains(text)) {
        return Fate::Unsent;
    }
    // A program that dies without an answer's text has seen none, or none that it understands.
    let mute =
        said.lines().any(|line| line.starts_with("died at ") || line.trim_start().starts_with("...propagated at "));
    let lost = ["closed", "eof", "timeout", "timed out", "reset", "broken pipe"];
    if !ended || mute || lost.iter().any(|text| said.contains(text)) { Fate::Unknown } else { Fate::Unsent }
}

/// What was said, without git's own trace, in which there are headers, and the names of files and recipients.
pub fn said(log: &str) -> String {
    let is_header = |line: &str| line.starts_with(' ') || line.starts_with("X-");
    let is_plain =
        |line: &&str| !is_trace(line) && !is_header(line) && !line.starts_with('(') && !line.ends_with(".patch");
    log.lines().filter(is_plain).collect::<Vec<_>>().join("\n")
}

/// A line of git's own trace: the time, a place in git's source, and what it does.
fn is_trace(line: &str) -> bool {
    let time = line.split(' ').next().unwrap_or_default().as_bytes();
    let is_time = time.len() > 9
        && time.iter().enumerate().all(|(at, byte)| match at {
            2 | 5 => *byte == b':',
            8 => *byte == b'.',
            _ => byte.is_ascii_digit(),
        });
    is_time && line.contains(" trace: ")
}

/// The headers of a mail as they went out.
pub fn headers(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("OK. Log says:\n")?;
    let (text, _) = rest.split_once("\n\nResult: ")?;
    let mut lines = text.lines().skip_while(|line| !line.starts_with("From: ")).collect::<Vec<_>>();
    lines.retain(|line| !is_trace(line));
    Some(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::{Fate, fate, headers};

    const TRACE: &str = "10:00:00.1 git.c:505 trace: exec: git-send-email x.patch\n";

    #[test]
    fn the_log_tells_what_became_of_a_mail() {
        let cases = [
            ("OK. Log says:\nFrom: A <a@b.org>\n\nResult: 250 kept\n", false, Fate::Sent),
            ("OK. Log says:\nFrom: A <a@b.org>\n\nResult: OK\n", true, Fate::Sent),
            ("Unable to initialize SMTP properly. Check config. VALUES: timeout\n", true, Fate::Unsent),
            ("5.7.1 no such user\n", true, Fate::Unsent),
            ("X-B4-Tracking: v=1; b=eof\n reset' /given/x.patch\n5.7.1 no\n", true, Fate::Unsent),
            ("(body) Adding cc: A <closed@b.org> from\n5.7.1 no\n", true, Fate::Unsent),
            ("[Net::SMTP] Connection closed\n", true, Fate::Unknown),
            ("x.patch\n", false, Fate::Unknown),
            ("", false, Fate::Unknown),
            ("\t...propagated at git-send-email line 1650.\n", true, Fate::Unknown),
            ("Died at git-send-email line 1650.\n", true, Fate::Unknown),
        ];
        for (said, ended, expected) in cases {
            assert_eq!(fate(&format!("{TRACE}{said}"), ended), expected, "{said:?}");
        }
        assert_eq!(fate("", false), Fate::Unsent);
    }

    #[test]
    fn the_headers_are_those_that_went_out() {
        let log = "x\nOK. Log says:\nServer: s\nRCPT TO:<b@c.org>\nFrom: A <a@b.org>\nDate: now\n\nResult: 250 \n";
        assert_eq!(headers(log).as_deref(), Some("From: A <a@b.org>\nDate: now\n"));
        let log = log.replace("Date: now", &format!("{TRACE}Subject: net: trace: one"));
        assert_eq!(headers(&log).as_deref(), Some("From: A <a@b.org>\nSubject: net: trace: one\n"));
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Sending: `git send-email` once a mail, with a journal, so that nothing goes out twice and nothing is forgotten.
//!
//! Before a mail is given away the journal says so; afterwards it says what came of it. Whoever is killed in between
//! leaves a log, written by `git send-email` itself, that tells whether the server took the mail. Where it does not (the
//! program was killed, or the connection broke, between the end of the mail and the server's answer) a person is asked:
//! a look into the archive decides, not a guess.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;

use crate::files;
use crate::git::Identity;
use crate::git::program;
use crate::mail::{Composed, Envelope, Mail, header};
use crate::process::{Run, last_lines};
use crate::project::Project;
use crate::rebase::{pending, write};
use crate::scratch::Scratch;
use crate::series::{self, Applied, Series};
use journal::{Entry, Folder, Journal, State};
use mailer::Fate;

pub mod arrival;
pub mod fields;
pub mod hook;
pub mod journal;
pub mod known;
pub mod mailer;
pub mod record;
pub mod resume;
pub mod settings;

/// What a person found out about a mail of which nobody knows whether it went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It went out.
    Sent,
    /// It did not.
    Unsent,
}

/// How sending ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// All mails are out and recorded under this tag.
    Sent(String),
    /// The server did not take a mail; the rest waits.
    Stopped {
        /// The mail.
        file: String,
        /// What was said.
        said: String,
    },
    /// Nobody knows whether this mail went out; the rest waits.
    Unknown {
        /// The mail.
        file: String,
        /// Its message id.
        message_id: String,
    },
}

/// Puts a series on its way: nothing is sent yet, but from here on it is the same mails whatever happens.
pub fn begin(
    project: &Project,
    applied: &Applied,
    tree: Option<&Path>,
    envelope: &Envelope,
    composed: &Composed,
) -> Result<Folder> {
    if pending::load(project, &applied.name)?.is_some() {
        bail!("a rebase of {} is under way: finish it first", applied.name);
    }
    let tip = applied.patches.last().context("a series has patches")?;
    let mails = finished(project, applied, tree, &composed.mails)?;
    planned(project, &applied.git_dir, &composed.sender, &mails)?;
    let entry = |(mail, id): (&Mail, &String)| Entry {
        file: mail.file.clone(),
        message_id: id.clone(),
        digest: journal::digest(&mail.text),
        state: State::Unsent,
    };
    let journal = Journal {
        title: envelope.title.clone(),
        tree: envelope.tree.clone(),
        version: envelope.version,
        resend: envelope.resend,
        rfc: envelope.rfc,
        change_id: envelope.change_id.clone(),
        git_dir: applied.git_dir.clone(),
        base: applied.base.commit.clone(),
        commit: tip.commit.clone(),
        patches: applied.patches.iter().map(|patch| patch.name.clone()).collect(),
        sender: (composed.sender.name.clone(), composed.sender.email.clone()),
        list: composed.recipients.list()?,
        mails: mails.iter().zip(&composed.message_ids).map(entry).collect(),
    };
    Folder::create(project, &applied.name, &journal, &mails)
}

/// The mails with what the user's programs add: a signature, and what the hook makes of them.
fn finished(project: &Project, applied: &Applied, tree: Option<&Path>, mails: &[Mail]) -> Result<Vec<Mail>> {
    hook::run(&project.cache, &applied.git_dir, tree, &signed(project, applied, mails)?)
}

/// What git send-email would do with the mails; an error where they would not arrive as they are.
fn planned(project: &Project, git_dir: &Path, sender: &Identity, mails: &[Mail]) -> Result<String> {
    arrival::refuse_sender(sender)?;
    let dir = Scratch::new(&project.cache)?;
    let output = mailer::send_all(git_dir, sender, dir.path(), mails, true)?;
    arrival::check(&output, mails)?;
    Ok(output)
}

/// The mails, signed by patatt where git's configuration names a key for it.
fn signed(project: &Project, applied: &Applied, mails: &[Mail]) -> Result<Vec<Mail>> {
    let config = program::with_users_settings(&applied.git_dir).args(["config", "--get", "patatt.signingkey"]);
    if !config.output()?.status.success() {
        return Ok(mails.to_vec());
    }
    let dir = Scratch::new(&project.cache)?;
    let paths = in_folder(dir.path(), mails)?;
    let patatt = Run::new("patatt", ["sign"]).args(&paths).env("GIT_DIR", &applied.git_dir);
    patatt.check().context("sign the mails, as patatt.signingkey asks for")?;
    let read = |(mail, path): (&Mail, _)| Ok(Mail { file: mail.file.clone(), text: files::read(path)? });
    mails.iter().zip(paths.iter().map(PathBuf::as_path)).map(read).collect()
}

fn in_folder(dir: &Path, mails: &[Mail]) -> Result<Vec<PathBuf>> {
    let write = |mail: &Mail| {
        let path = dir.join(&mail.file);
        files::write_new(&path, mail.text.as_bytes())?;
        Ok(path)
    };
    mails.iter().map(write).collect()
}

/// Sends what is left, then records all of it; `tell` is told of each mail that is out.
pub fn go_on(
    project: &Project,
    name: &str,
    folder: Folder,
    mut answer: Option<Answer>,
    mut tell: impl FnMut(&Entry),
) -> Result<Ended> {
    let mut journal = folder.journal()?;
    for index in 0..journal.mails.len() {
        if journal.mails[index].state == State::Sending {
            let fate = match folder.log(&journal.mails[index])? {
                None => Fate::Unsent,
                Some(log) => mailer::fate(&log, false),
            };
            let fate = answered(fate, &mut answer);
            if let Some(ended) = note(&folder, &mut journal, index, fate)? {
                return Ok(ended);
            }
        }
        if journal.mails[index].state == State::Unsent {
            journal.mails[index].state = State::Sending;
            folder.save(&journal)?;
            let entry = &journal.mails[index];
            let log = folder.new_log(entry)?;
            let sender = journal.sender();
            let ended = mailer::send(&journal.git_dir, &sender, &folder.mail(entry), log);
            let said = folder.log(entry)?.unwrap_or_default();
            let fate = mailer::fate(&said, ended.is_ok());
            if let Some(ended) = note(&folder, &mut journal, index, fate)? {
                return Ok(ended);
            }
            if fate == Fate::Unsent {
                ended?;
                let said = last_lines(&mailer::said(&said), 5);
                return Ok(Ended::Stopped { file: journal.mails[index].file.clone(), said });
            }
            tell(&journal.mails[index]);
        }
    }
    finish(project, name, folder, &journal)
}

/// What became of a mail, by a person's answer where nobody knows; an answer counts for one mail.
fn answered(fate: Fate, answer: &mut Option<Answer>) -> Fate {
    match (fate, answer.take()) {
        (Fate::Unknown, Some(Answer::Sent)) => Fate::Sent,
        (Fate::Unknown, Some(Answer::Unsent)) => Fate::Unsent,
        (fate, _) => fate,
    }
}

/// Notes what became of a mail; how sending ends where that is not known.
fn note(folder: &Folder, journal: &mut Journal, index: usize, fate: Fate) -> Result<Option<Ended>> {
    let entry = &mut journal.mails[index];
    entry.state = match fate {
        Fate::Sent => State::Sent,
        Fate::Unsent => State::Unsent,
        Fate::Unknown => {
            let (file, message_id) = (entry.file.clone(), entry.message_id.clone());
            return Ok(Some(Ended::Unknown { file, message_id }));
        }
    };
    folder.save(journal)?;
    Ok(None)
}

fn finish(project: &Project, name: &str, folder: Folder, journal: &Journal) -> Result<Ended> {
    let id = &journal.mails[0].message_id;
    let _lock = write::begin(project, name)?;
    // Whoever was killed between the record and this line has it recorded already.
    let recorded = series::load(project, name)?.history.posted.iter().any(|posted| posted.message_id == *id);
    if !recorded {
        record::write(project, name, &folder, journal, Timestamp::now())?;
    }
    folder.remove()?;
    Ok(Ended::Sent(record::tag(name, journal)))
}

/// Ends a sending: forgets it where nothing is out, else records what is.
pub fn abort(project: &Project, name: &str, folder: Folder, mut answer: Option<Answer>) -> Result<Option<Ended>> {
    let mut journal = folder.journal()?;
    for index in 0..journal.mails.len() {
        if journal.mails[index].state == State::Sending {
            let log = folder.log(&journal.mails[index])?.unwrap_or_default();
            let fate = answered(mailer::fate(&log, false), &mut answer);
            if let Some(unknown) = note(&folder, &mut journal, index, fate)? {
                return Ok(Some(unknown));
            }
        }
    }
    if journal.sent() > 0 {
        return finish(project, name, folder, &journal).map(Some);
    }
    folder.remove()?;
    Ok(None)
}

/// What `git send-email` would do with the mails.
pub fn rehearse(project: &Project, applied: &Applied, tree: Option<&Path>, composed: &Composed) -> Result<String> {
    planned(project, &applied.git_dir, &composed.sender, &finished(project, applied, tree, &composed.mails)?)
}

/// Sends the mails to the sender alone; nothing is recorded, and their message ids are others each time.
pub fn reflect(project: &Project, applied: &Applied, tree: Option<&Path>, composed: &Composed) -> Result<String> {
    let time = format!("self-{:x}", Timestamp::now().as_nanosecond());
    let mails = composed.mails.iter().map(|mail| reflected(mail, &composed.message_ids, &time, &composed.sender));
    let mails = finished(project, applied, tree, &mails.collect::<Vec<_>>())?;
    planned(project, &applied.git_dir, &composed.sender, &mails)?;
    let dir = Scratch::new(&project.cache)?;
    mailer::send_all(&applied.git_dir, &composed.sender, dir.path(), &mails, false)
}

/// Refuses mails of which one went out before, and a version whose tag is in the clone.
pub fn refuse_known(
    project: &Project,
    series: &Series,
    git_dir: &Path,
    envelope: &Envelope,
    composed: &Composed,
) -> Result<()> {
    known::refuse(project, series, &composed.message_ids)?;
    known::refuse_tagged(git_dir, &record::tag_name(&series.name, envelope.version, envelope.resend))
}

/// A mail for the sender alone, with the recipients it is for in headers of other names.
fn reflected(mail: &Mail, ids: &[String], start: &str, sender: &Identity) -> Mail {
    let (headers, body) = mail.text.split_once("\n\n").unwrap_or((&mail.text, ""));
    let mut headers = format!("\n{headers}\n");
    for (from, to) in [("\nTo: ", "\nX-Original-To: "), ("\nCc: ", "\nX-Original-Cc: ")] {
        headers = headers.replacen(from, to, 1);
    }
    for id in ids {
        // Servers throw a second mail with the same id away: that would be the real one.
        headers = headers.replace(&format!("<{id}>"), &format!("<{start}-{id}>"));
    }
    let to = header::addresses("To", &[sender.display()]);
    Mail { file: mail.file.clone(), text: format!("{}{to}\n{body}", headers.trim_start_matches('\n')) }
}

// SPDX-License-Identifier: GPL-2.0
//! What is left of a sending that was stopped: `.txgen/NAME.send/` with the mails, their logs, and how far it got.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::{known, record};
use crate::files;
use crate::git::Identity;
use crate::mail::Mail;
use crate::project::Project;
use crate::proof;
use crate::rebase::write;
use crate::sealed;
use crate::series;

/// The file that says how far a sending got.
const JOURNAL: &str = "journal";

/// How long a `git send-email` may go on that an earlier run of ours has left.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long the lock of a txgen that was killed may last: a program that it was just starting has it until it runs.
const GRACE: Duration = Duration::from_secs(5);

/// A series on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// Subject of the series.
    pub title: String,
    /// The tree it is posted for.
    pub tree: String,
    /// Its version.
    pub version: u32,
    /// How often it was posted before.
    pub resend: u32,
    /// It asks for comments only.
    pub rfc: bool,
    /// b4's change id.
    pub change_id: String,
    /// The repository with its commits.
    pub git_dir: PathBuf,
    /// The commit it stands on.
    pub base: String,
    /// Its last commit.
    pub commit: String,
    /// The names of its patches.
    pub patches: Vec<String>,
    /// Who sends it: name and address.
    pub sender: (String, String),
    /// The address that `git send-email` is told.
    pub list: String,
    /// The mails, in the order they are sent.
    pub mails: Vec<Entry>,
}

/// A mail on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its file in the folder.
    pub file: String,
    /// Its message id.
    pub message_id: String,
    /// A digest of it, as it was made.
    pub digest: String,
    /// How far it got.
    pub state: State,
}

/// How far a mail got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// No server has it.
    Unsent,
    /// It was given to `git send-email`; the log tells what came of it.
    Sending,
    /// A server took it.
    Sent,
}

impl Journal {
    /// Who sends it.
    pub fn sender(&self) -> Identity {
        Identity { name: self.sender.0.clone(), email: self.sender.1.clone() }
    }

    /// How many mails are out.
    pub fn sent(&self) -> usize {
        self.mails.iter().filter(|mail| mail.state == State::Sent).count()
    }
}

/// The folder of a sending, locked for as long as the value lives.
#[derive(Debug)]
pub struct Folder {
    project: Project,
    name: String,
    dir: PathBuf,
    _lock: File,
}

impl Folder {
    /// Puts the mails and the journal in place, all or none.
    pub fn create(project: &Project, name: &str, journal: &Journal, mails: &[Mail]) -> Result<Self> {
        let dir = place(project, name);
        let lock = write::lock(project)?;
        sealed::refuse_link(project)?;
        check(journal)?;
        refuse_sent_meanwhile(project, name, journal)?;
        // recover() takes a folder away that has another ending.
        let new = dir.with_extension("new");
        files::remove_dir(&new)?;
        for mail in mails {
            files::write_atomic(&new.join(&mail.file), mail.text.as_bytes())?;
        }
        save(project, &new, name, journal)?;
        fs::rename(&new, &dir).with_context(|| format!("make {}", dir.display()))?;
        drop(lock);
        let Some(folder) = Self::open(project, name)? else { bail!("{} went away", dir.display()) };
        Ok(folder)
    }

    /// The sending of `name` that was stopped, if any.
    pub fn open(project: &Project, name: &str) -> Result<Option<Self>> {
        let dir = place(project, name);
        if dir.is_symlink() || !dir.is_dir() {
            return Ok(None);
        }
        let file = File::open(&dir).with_context(|| format!("open {}", dir.display()))?;
        let end = Instant::now() + GRACE;
        loop {
            match file.try_lock() {
                // Whoever had the lock may have ended the sending.
                Ok(()) if !dir.is_dir() => return Ok(None),
                Ok(()) => {
                    let (project, name) = (project.clone(), name.to_owned());
                    return Ok(Some(Self { project, name, dir, _lock: file }));
                }
                Err(TryLockError::Error(e)) => return Err(e).with_context(|| format!("lock {}", dir.display())),
                Err(TryLockError::WouldBlock) if Instant::now() > end => bail!("another txgen is sending {name}"),
                Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(50)),
            }
        }
    }

    /// How far it got; an error where another project, or another machine, left it, and where a mail is not as it was.
    pub fn journal(&self) -> Result<Journal> {
        let path = self.dir.join(JOURNAL);
        let text = sealed::read(&self.project, &file_name(&self.name), &path)?;
        let text = text.with_context(|| format!("{} is gone", path.display()))?;
        let journal = serde_json::from_str(&text).with_context(|| format!("read {}", path.display()))?;
        check(&journal).with_context(|| format!("read {}", path.display()))?;
        self.refuse_edited(&journal)?;
        Ok(journal)
    }

    fn refuse_edited(&self, journal: &Journal) -> Result<()> {
        for entry in &journal.mails {
            let path = self.mail(entry);
            let is_file = fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file());
            if !is_file || digest(&files::read(&path)?) != entry.digest {
                bail!(
                    "{} is not the mail that was made: nothing of it is sent. Put it back, or remove {} where nothing of \
                     it is out",
                    path.display(),
                    self.dir.display()
                );
            }
        }
        Ok(())
    }

    /// Notes how far it got.
    pub fn save(&self, journal: &Journal) -> Result<()> {
        save(&self.project, &self.dir, &self.name, journal)
    }

    /// The file of a mail.
    pub fn mail(&self, entry: &Entry) -> PathBuf {
        self.dir.join(&entry.file)
    }

    fn log_path(&self, entry: &Entry) -> PathBuf {
        self.dir.join(format!("{}.log", entry.file))
    }

    /// An empty log for a mail, locked: the lock goes with the last program that has it open.
    pub fn new_log(&self, entry: &Entry) -> Result<File> {
        let path = self.log_path(entry);
        files::remove_file(&path)?;
        let file = File::create(&path).with_context(|| format!("make {}", path.display()))?;
        file.lock().with_context(|| format!("lock {}", path.display()))?;
        Ok(file)
    }

    /// What `git send-email` said of a mail, once none is at it any more; `None` where it was never asked.
    pub fn log(&self, entry: &Entry) -> Result<Option<String>> {
        let path = self.log_path(entry);
        if !path.exists() {
            return Ok(None);
        }
        let file = File::open(&path).with_context(|| format!("open {}", path.display()))?;
        let end = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return files::read_lossy(&path).map(Some),
                Err(TryLockError::Error(e)) => return Err(e).with_context(|| format!("lock {}", path.display())),
                Err(TryLockError::WouldBlock) if Instant::now() > end => {
                    bail!("a git send-email that was started earlier is still sending {}", entry.file)
                }
                Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(50)),
            }
        }
    }

    /// Forgets it.
    pub fn remove(self) -> Result<()> {
        // First to another name: half a folder must not be taken for a sending.
        let gone = self.dir.with_extension("gone");
        files::remove_dir(&gone)?;
        fs::rename(&self.dir, &gone).with_context(|| format!("remove {}", self.dir.display()))?;
        files::remove_dir(&gone)
    }
}

fn file_name(name: &str) -> String {
    format!("{name}.send")
}

fn place(project: &Project, name: &str) -> PathBuf {
    write::folder(project).join(file_name(name))
}

fn save(project: &Project, dir: &Path, name: &str, journal: &Journal) -> Result<()> {
    let text = serde_json::to_vec_pretty(journal).context("serialise the journal")?;
    files::write_atomic(&dir.join(JOURNAL), &sealed::seal(project, &file_name(name), &text)?)
}

/// Refuses what another txgen put on its way, or sent, since the mails were made.
fn refuse_sent_meanwhile(project: &Project, name: &str, journal: &Journal) -> Result<()> {
    if fs::symlink_metadata(place(project, name)).is_ok() {
        bail!("another txgen is sending {name}");
    }
    let posted = series::load(project, name)?.history.posted;
    if posted.iter().any(|posted| journal.mails.iter().any(|mail| mail.message_id == posted.message_id)) {
        bail!("another txgen sent {name} v{} meanwhile", journal.version);
    }
    known::refuse_tagged(&journal.git_dir, &record::tag(name, journal))
}

/// A digest of a mail.
pub fn digest(text: &str) -> String {
    proof::key(&[text.as_bytes()])
}

/// Refuses names of files that lead elsewhere, and ids that are none.
fn check(journal: &Journal) -> Result<()> {
    if journal.mails.is_empty() {
        bail!("it has no mails");
    }
    for entry in &journal.mails {
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
        if entry.file.is_empty()
            || entry.file.starts_with('.')
            || entry.file == JOURNAL
            || !entry.file.chars().all(good)
        {
            bail!("{:?} is no name of a mail's file", entry.file);
        }
    }
    let is_id = |id: &String| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_id(&journal.base) || !is_id(&journal.commit) {
        bail!("its commits are none");
    }
    Ok(())
}

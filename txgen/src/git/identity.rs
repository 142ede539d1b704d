// SPDX-License-Identifier: GPL-2.0
//! Who the author of a commit is, as the git program sees it: environment, then configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};

use super::program;
use crate::plain;

/// A name and a mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Full name.
    pub name: String,
    /// Mail address.
    pub email: String,
}

impl Identity {
    /// Parses `Name <address>`.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.trim().split_once(" <")?;
        let email = rest.strip_suffix('>')?;
        let is_plain = |text: &str| !text.is_empty() && !text.contains(['<', '>']) && !text.contains(plain::is_odd);
        (is_plain(name) && is_plain(email)).then(|| Self { name: name.to_owned(), email: email.to_owned() })
    }

    /// Why a text is no author.
    pub fn fault(text: &str) -> String {
        match text.trim().chars().find(|c| plain::is_odd(*c)) {
            Some(c) => format!("the author holds the character U+{:04X}: take it out", u32::from(c)),
            None => "an author is `Name <address>`".to_owned(),
        }
    }

    /// `Name <address>`, as in a trailer.
    pub fn display(&self) -> String {
        format!("{} <{}>", self.name, self.email)
    }
}

/// What git said of repositories: it is asked once, as nobody changes its configuration while a command runs.
struct Asked<T>(Mutex<BTreeMap<PathBuf, T>>);

impl<T: Clone> Asked<T> {
    fn once(&self, git_dir: &Path, ask: impl FnOnce() -> Result<T>) -> Result<T> {
        // A panic in another thread leaves whole answers behind.
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = known().get(git_dir) {
            return Ok(answer.clone());
        }
        let answer = ask()?;
        Ok(known().entry(git_dir.to_owned()).or_insert(answer).clone())
    }
}

static IDENTITIES: Asked<(Identity, Identity)> = Asked(Mutex::new(BTreeMap::new()));
static SIGNOFFS: Asked<bool> = Asked(Mutex::new(BTreeMap::new()));

/// The author and the committer of new commits in repository `git_dir`.
pub fn identities(git_dir: &Path) -> Result<(Identity, Identity)> {
    IDENTITIES.once(git_dir, || Ok((identity(git_dir, "AUTHOR")?, identity(git_dir, "COMMITTER")?)))
}

fn identity(git_dir: &Path, role: &str) -> Result<Identity> {
    let variable = format!("GIT_{role}_IDENT");
    // Without useConfigOnly git makes an address up from the machine's name.
    let output =
        program::with_users_settings(git_dir).args(["-c", "user.useConfigOnly=true", "var", &variable]).output()?;
    if !output.status.success() {
        bail!(
            "git knows no name and address for commits: set them with `git config --global user.name NAME` \
             and `git config --global user.email ADDRESS`"
        );
    }
    let text = String::from_utf8(output.stdout).with_context(|| format!("{variable} is no UTF-8"))?;
    let identity = parse(&text).with_context(|| format!("read {variable}"))?;
    if let Some(c) = identity.display().chars().find(|c| plain::is_odd(*c)) {
        bail!(
            "the name or address of {variable} holds the character U+{:04X}: set them anew with `git config user.name` \
             and `git config user.email`, or in the environment",
            u32::from(c)
        );
    }
    Ok(identity)
}

/// An author as git writes it into a commit: without brackets, and without quotes and commas around the name.
pub fn cleaned(who: &Identity) -> Result<Identity> {
    let odd = |c: char| c.is_control() || c == ' ' || ".,:;<>\"\\'".contains(c);
    let is_plain = |text: &str| !text.starts_with(odd) && !text.ends_with(odd) && !text.contains(['<', '>', '\n']);
    if [&who.name, &who.email].into_iter().all(|text| !text.is_empty() && is_plain(text)) {
        return Ok(who.clone());
    }
    let run = program::without_repository().args(["var", "GIT_AUTHOR_IDENT"]);
    let output = run.env("GIT_AUTHOR_NAME", &who.name).env("GIT_AUTHOR_EMAIL", &who.email).output()?;
    if !output.status.success() {
        bail!("`{}` is none that git takes: {}", who.display().escape_debug(), output.errors().trim());
    }
    parse(&output.text()).context("read GIT_AUTHOR_IDENT")
}

/// Parses `Name <address> seconds zone`.
fn parse(text: &str) -> Option<Identity> {
    let (name, rest) = text.split_once(" <")?;
    let (email, _) = rest.rsplit_once("> ")?;
    Some(Identity { name: name.to_owned(), email: email.to_owned() })
}

/// Whether git configuration asks for a sign-off (`format.signOff`).
pub fn wants_signoff(git_dir: &Path) -> Result<bool> {
    SIGNOFFS.once(git_dir, || asks_for_signoff(git_dir))
}

fn asks_for_signoff(git_dir: &Path) -> Result<bool> {
    let output =
        program::with_users_settings(git_dir).args(["config", "--type=bool", "--get", "format.signOff"]).output()?;
    match output.status.code() {
        Some(0) => Ok(output.text().trim() == "true"),
        Some(1) => Ok(false),
        _ => bail!("read format.signOff: {}", output.errors().trim()),
    }
}

// SPDX-License-Identifier: GPL-2.0
//! The mails of a series: what `git send-email DIR/*` posts and `git am` takes back unchanged.
//!
//! git format-patch writes the patches; this module owns what it does not do: a cover letter that is
//! rendered, notes below `---`, recipients, threading with message ids that depend on the content
//! alone, and refusing what netdev would send back. Nothing is sent from here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde::Serialize;

use crate::bench::show;
use crate::check::Finding;
use crate::check::source::{self, Patch, Source};
use crate::check::trailers::is_signed;
use crate::git::identity::{self, Identity};
use crate::project::Project;
use crate::proof;
use crate::series::{self, Applied, Exception, Series};

pub mod cover;
pub mod folder;
pub mod header;
pub mod patches;
pub mod recipients;
pub mod rules;

use recipients::Recipients;

/// What a series says about its mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Subject of the cover letter.
    pub title: String,
    /// The tree it is meant for: `net-next`.
    pub tree: String,
    /// Its version, from 1.
    pub version: u32,
    /// b4's change id: `YYYYMMDD-slug-12hex`.
    pub change_id: String,
    /// `Date:` of every mail.
    pub date: Timestamp,
    /// Recipients beside those of get_maintainer.pl.
    pub to: Vec<String>,
    /// More recipients.
    pub cc: Vec<String>,
    /// Text of cover.md.
    pub cover: Option<String>,
    /// The table of the audit, where the series has one.
    pub audit: Option<String>,
    /// The table of instructions per send, where the series has one.
    pub counts: Option<String>,
    /// By patch name: the text for below its `---`.
    pub notes: BTreeMap<String, String>,
    /// Findings that the series justifies.
    pub exceptions: Vec<Exception>,
    /// It asks for comments only.
    pub rfc: bool,
}

impl Envelope {
    /// What series.toml, cover.md and the .msg files say; `version` stands in for that of series.toml.
    pub fn of(series: &Series, version: Option<u32>, rfc: bool) -> Self {
        let note = |patch: &series::Patch| Some((patch.name.clone(), patch.message.note.clone()?));
        Self {
            title: series.title.clone(),
            tree: series.tree.clone(),
            version: version.unwrap_or(series.version),
            change_id: series.change_id.clone(),
            date: series.date,
            to: series.to.clone(),
            cc: series.cc.clone(),
            cover: series.cover.clone(),
            audit: None,
            counts: series.counts.as_deref().map(show::cover_of),
            notes: series.patches.iter().filter_map(note).collect(),
            exceptions: series.exceptions.clone(),
            rfc,
        }
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Written {
    /// The folder.
    pub dir: PathBuf,
    /// File names in it, in the order they are sent.
    pub files: Vec<String>,
    /// Message ids, in the same order.
    pub message_ids: Vec<String>,
    /// Where they go.
    pub recipients: Recipients,
    /// Names of the patches without a Signed-off-by.
    pub unsigned: Vec<String>,
    /// The command that sends them.
    pub command: String,
}

/// How writing ended.
#[derive(Debug)]
pub enum Outcome {
    /// netdev would send the series back for this; nothing is written.
    Refused(Vec<Finding>),
    /// All mails are in place.
    Written(Written),
}

/// Writes the mails of `applied` into the folder `out`, all or none; `force` names rules to break.
pub fn write(
    project: &Project,
    applied: &Applied,
    envelope: &Envelope,
    out: &Path,
    force: &[String],
) -> Result<Outcome> {
    let patches = source::patches(applied)?;
    if patches.is_empty() {
        bail!("series {} has no patches to send", applied.name);
    }
    let refused = rules::findings(&patches, envelope, force);
    if !refused.is_empty() {
        return Ok(Outcome::Refused(refused));
    }
    folder::check(out, &envelope.change_id)?;
    let source = Source::new(project, applied, envelope.cover.clone());
    let (_, sender) = identity::identities(&applied.git_dir)?;
    let thread = Thread::new(&patches, envelope, &sender)?;
    let plain = patches::format(&source, &patches, envelope, &sender)?;
    let recipients = recipients::find(&source, &plain, envelope)?;
    let mut mails = Vec::new();
    if thread.has_cover {
        mails.push(cover::write(&source, &patches, envelope, &sender, &thread, &recipients)?);
    }
    mails.extend(patches::finish(plain, &patches, envelope, &thread, &recipients, &source.base)?);
    folder::replace(out, &mails)?;
    // git send-email asks for a recipient unless it is told one, whatever the mails say: take the tree's list.
    let everyone = recipients.cc.iter().chain(&recipients.to);
    let list = everyone.into_iter().find(|who| header::address(who).starts_with("netdev@"));
    let first = list.or(recipients.to.first()).context("recipients::find returns at least one")?;
    Ok(Outcome::Written(Written {
        dir: out.to_owned(),
        files: mails.iter().map(|mail| mail.file.clone()).collect(),
        message_ids: thread.ids(patches.len()),
        command: format!("git send-email --to={} {}/*.patch", header::address(first), quoted(out)?),
        unsigned: patches.iter().filter(|p| !is_signed(&p.message)).map(|p| p.name.clone()).collect(),
        recipients,
    }))
}

fn quoted(path: &Path) -> Result<String> {
    let text = path.to_str().with_context(|| format!("{} is no UTF-8", path.display()))?;
    Ok(shlex::try_quote(text).context("quote a path")?.into_owned())
}

/// A mail to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its file name.
    pub file: String,
    /// The whole mail.
    pub text: String,
}

/// How the mails hang together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// There is a mail 0.
    pub has_cover: bool,
    stem: String,
    hash: String,
    domain: String,
}

impl Thread {
    /// Ids in b4's form that are the same for the same content and differ for any other.
    fn new(patches: &[Patch], envelope: &Envelope, sender: &Identity) -> Result<Self> {
        let id = &envelope.change_id;
        let slug = slug(id).with_context(|| format!("change-id `{id}` is not of the form YYYYMMDD-slug-12hex"))?;
        let day = envelope.date.strftime("%Y%m%d");
        let version = envelope.version;
        let notes = envelope.notes.iter().map(|(name, note)| format!("{name}\0{note}\0")).collect::<String>();
        let cover = envelope.cover.as_deref().unwrap_or_default();
        let rfc = [u8::from(envelope.rfc)];
        let audit = envelope.audit.as_deref().unwrap_or_default();
        let mut parts = vec![envelope.title.as_bytes(), cover.as_bytes(), notes.as_bytes(), audit.as_bytes(), &rfc];
        parts.extend(patches.iter().map(|patch| patch.commit.as_bytes()));
        Ok(Self {
            has_cover: envelope.cover.as_deref().is_some_and(|text| !text.trim().is_empty()),
            stem: format!("{day}-{slug}-v{version}"),
            hash: proof::key(&parts)[..12].to_owned(),
            domain: header::domain(&sender.email).to_owned(),
        })
    }

    /// The message id of mail `number`, without angle brackets.
    pub fn id(&self, number: usize) -> String {
        format!("{}-{number}-{}@{}", self.stem, self.hash, self.domain)
    }

    /// The number of the mail that the others answer.
    fn root(&self) -> usize {
        usize::from(!self.has_cover)
    }

    fn ids(&self, patches: usize) -> Vec<String> {
        (self.root()..=patches).map(|number| self.id(number)).collect()
    }

    /// The headers that place mail `number` in the thread.
    pub fn headers(&self, number: usize) -> String {
        let id = self.id(number);
        if number == self.root() {
            return format!("Message-ID: <{id}>\n");
        }
        let root = self.id(self.root());
        format!("Message-ID: <{id}>\nIn-Reply-To: <{root}>\nReferences: <{root}>\n")
    }
}

/// `net-txbuf` of `20261123-net-txbuf-0123456789ab`; nothing where that is not the form.
pub fn slug(change_id: &str) -> Option<&str> {
    let (day, rest) = change_id.split_once('-')?;
    let (slug, hash) = rest.rsplit_once('-')?;
    let digits = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit());
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    (digits(day, 8) && digits(hash, 12) && plain(slug)).then_some(slug)
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn a_change_id_has_day_slug_and_hash() {
        assert_eq!(slug("20261123-net-txbuf-0123456789ab"), Some("net-txbuf"));
        for bad in ["", "net-txbuf", "20261123-0123456789ab", "20261123-a b-0123456789ab", "20261123-x-0123"] {
            assert!(slug(bad).is_none(), "{bad}");
        }
    }
}

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
use crate::series::history::Posted;
use crate::series::{self, Applied, Exception, Series};
use crate::value;

pub mod changelog;
pub mod cover;
pub mod folder;
pub mod header;
mod maintainers;
pub mod patch_id;
pub mod patches;
pub mod posting;
pub mod prerequisites;
pub mod proofs;
pub mod range_diff;
pub mod recipients;
pub mod rules;
pub mod tracking;
pub mod trees;

use recipients::Recipients;

/// What a series says about its mails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// Addresses that get no mail.
    pub exclude: Vec<String>,
    /// The changelog of the series as a whole, with links to earlier versions.
    pub changelog: String,
    /// The posting that a range-diff goes back to.
    pub since: Option<Posted>,
    /// Version and message id of each earlier posting, oldest first.
    pub posted: Vec<(u32, String)>,
    /// `prerequisite-...: ...` lines, for series that stand on others.
    pub prerequisites: Vec<String>,
    /// The commit of the base beneath those; where there are none, what the series stands on is the base.
    pub root: Option<String>,
    /// What is on record as tested.
    pub tests: Option<String>,
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
    /// How often it was posted before as it is; it is marked RESEND from 1 on.
    pub resend: u32,
}

/// How a series is to be posted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Posting {
    /// Stands in for the version of series.toml.
    pub version: Option<u32>,
    /// For comments only.
    pub rfc: bool,
    /// The last posting once more, as it is.
    pub resend: bool,
}

impl Envelope {
    /// What series.toml, cover.md and the .msg files say; a resend without a posting before it is an error.
    pub fn of(series: &Series, posting: Posting) -> Result<Self> {
        let history = &series.history;
        let last = history.last();
        let (version, rfc, resend) = match (posting.resend, last) {
            (false, _) => (posting.version.unwrap_or(series.version), posting.rfc, 0),
            (true, Some(last)) => (last.version, last.rfc || posting.rfc, last.resend + 1),
            (true, None) => bail!("series {} was not posted: there is nothing to resend", series.name),
        };
        let note = |patch: &series::Patch| {
            let changelog = changelog::of_patch(history, version, &patch.name);
            let parts = [changelog, patch.message.note.clone().unwrap_or_default().trim().to_owned()];
            let text = joined(parts);
            (!text.is_empty()).then(|| (patch.name.clone(), text))
        };
        Ok(Self {
            title: series.title.clone(),
            tree: series.tree.clone(),
            version,
            change_id: series.change_id.clone(),
            date: series.date,
            to: series.to.clone(),
            cc: series.cc.clone(),
            exclude: series.exclude.clone(),
            changelog: changelog::of_series(history, version),
            since: history.before(version).cloned(),
            posted: history.posted.iter().map(|sent| (sent.version, sent.message_id.clone())).collect(),
            prerequisites: Vec::new(),
            root: None,
            tests: None,
            cover: series.cover.clone(),
            audit: None,
            counts: series.counts.as_deref().map(show::cover_of),
            notes: series.patches.iter().filter_map(note).collect(),
            exceptions: series.exceptions.clone(),
            rfc,
            resend,
        })
    }

    /// Whether there is a cover letter.
    pub fn has_cover(&self) -> bool {
        self.cover.as_deref().is_some_and(|text| !text.trim().is_empty())
    }

    /// What a bot reads of where the series stands, for the end of its first mail.
    pub fn tracking(&self, base: &str) -> String {
        let base = self.root.as_deref().unwrap_or(base);
        let lines = [format!("base-commit: {base}"), format!("change-id: {}", self.change_id)];
        lines.into_iter().chain(self.prerequisites.iter().cloned()).collect::<Vec<_>>().join("\n")
    }
}

/// Texts with a blank line between them, without those that are empty.
fn joined(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
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
    /// The last commit of the posting before, where the repository lacks it and there is no range-diff.
    pub lacks: Option<String>,
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

/// Mails that are ready to be written or sent.
#[derive(Debug)]
pub struct Composed {
    /// The mails, in the order they are sent.
    pub mails: Vec<Mail>,
    /// Their message ids.
    pub message_ids: Vec<String>,
    /// Where they go.
    pub recipients: Recipients,
    /// Who sends them.
    pub sender: Identity,
    /// The patches.
    pub patches: Vec<Patch>,
    /// The repository lacks the posting that a range-diff goes back to.
    pub lacks: Option<Posted>,
}

/// Makes the mails of `applied`, or finds what netdev would send them back for; `force` names rules to break.
pub fn compose(
    project: &Project,
    applied: &Applied,
    envelope: &Envelope,
    force: &[String],
) -> Result<Result<Composed, Vec<Finding>>> {
    let patches = source::patches(applied)?;
    if patches.is_empty() {
        bail!("series {} has no patches to send", applied.name);
    }
    refuse_long_subjects(project, applied, &patches)?;
    let refused = rules::findings(&patches, envelope, force);
    if !refused.is_empty() {
        return Ok(Err(refused));
    }
    let source = Source::new(project, applied, envelope.cover.clone())?;
    let (_, sender) = identity::identities(&applied.git_dir)?;
    if !header::is_recipient(&sender.display()) {
        bail!("`{}` can send no mail: set git's user.name and user.email", sender.display().escape_debug());
    }
    let told = || -> Result<_> {
        let range_diff =
            envelope.since.as_ref().map(|posted| range_diff::since(&source, posted)).transpose()?.flatten();
        Ok((range_diff, envelope.has_cover().then(|| cover::summary(&source)).transpose()?))
    };
    let addressed = || -> Result<_> {
        let plain = patches::format(&source, &patches, envelope, &sender)?;
        let recipients = recipients::find(&source, &plain, &patches, envelope, &sender)?;
        Ok((plain, recipients))
    };
    let (told, addressed) = rayon::join(told, addressed);
    let ((range_diff, summary), (plain, recipients)) = (told?, addressed?);
    let hidden = plain.iter().zip(&patches).flat_map(|(mail, patch)| rules::hidden(&patch.name, &mail.text));
    let hidden = rules::counting(hidden.collect(), envelope, force);
    if !hidden.is_empty() {
        return Ok(Err(hidden));
    }
    let lacks = envelope.since.clone().filter(|_| range_diff.is_none());
    let below = Below { range_diff: range_diff.unwrap_or_default() };
    let thread = Thread::new(&patches, envelope, &below, &sender)?;
    let placed = Placed { envelope, thread: &thread, recipients: &recipients, below: &below };
    let mut mails = Vec::new();
    if let Some(summary) = summary {
        mails.push(cover::write(&source, patches.len(), &placed, summary, &sender)?);
    }
    mails.extend(patches::finish(plain, &patches, &placed, &source.base)?);
    let message_ids = thread.ids(patches.len());
    Ok(Ok(Composed { mails, message_ids, recipients, sender, patches, lacks }))
}

/// Refuses subjects that fit in no line of a mail; a commit may have them.
fn refuse_long_subjects(project: &Project, applied: &Applied, patches: &[Patch]) -> Result<()> {
    for patch in patches {
        let subject = patch.message.lines().next().unwrap_or_default();
        if let Err(what) = value::check_line(subject) {
            let file = project.series(&applied.name).join(format!("{}.msg", patch.name));
            bail!("{}:1: the subject can not be sent: {what}", project.relative(&file).display());
        }
    }
    Ok(())
}

/// What all mails of a series are made with.
struct Placed<'a> {
    envelope: &'a Envelope,
    thread: &'a Thread,
    recipients: &'a Recipients,
    below: &'a Below,
}

/// What is computed for below the `---` of the first mail.
struct Below {
    /// Empty where there is none.
    range_diff: String,
}

/// Writes the mails of `applied` into the folder `out`, all or none; `force` names rules to break.
pub fn write(
    project: &Project,
    applied: &Applied,
    envelope: &Envelope,
    out: &Path,
    force: &[String],
) -> Result<Outcome> {
    match compose(project, applied, envelope, force)? {
        Ok(composed) => place(project, composed, &envelope.change_id, out).map(Outcome::Written),
        Err(findings) => Ok(Outcome::Refused(findings)),
    }
}

/// Puts mails that are ready into the folder `out`, all or none.
pub fn place(project: &Project, composed: Composed, change_id: &str, out: &Path) -> Result<Written> {
    folder::check(out, change_id)?;
    folder::replace(&project.cache, out, &composed.mails)?;
    let Composed { mails, message_ids, recipients, patches, lacks, .. } = composed;
    Ok(Written {
        dir: out.to_owned(),
        files: mails.iter().map(|mail| mail.file.clone()).collect(),
        message_ids,
        command: format!("git send-email --to={} {}/*.patch", recipients.list()?, quoted(out)?),
        unsigned: patches.iter().filter(|p| !is_signed(&p.message)).map(|p| p.name.clone()).collect(),
        lacks: lacks.map(|posted| posted.commit),
        recipients,
    })
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
    fn new(patches: &[Patch], envelope: &Envelope, below: &Below, sender: &Identity) -> Result<Self> {
        let id = &envelope.change_id;
        let slug = slug(id).with_context(|| format!("change-id `{id}` is not of the form YYYYMMDD-slug-12hex"))?;
        let day = envelope.date.strftime("%Y%m%d");
        let version = envelope.version;
        let notes = envelope.notes.iter().map(|(name, note)| format!("{name}\0{note}\0")).collect::<String>();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut parts = vec![envelope.title.clone(), text(&envelope.cover), notes, text(&envelope.audit)];
        parts.extend([text(&envelope.counts), text(&envelope.tests), envelope.changelog.clone()]);
        parts.extend([below.range_diff.clone(), envelope.tracking(""), u8::from(envelope.rfc).to_string()]);
        parts.push(envelope.resend.to_string());
        parts.extend(patches.iter().map(|patch| patch.commit.clone()));
        let parts = parts.iter().map(String::as_bytes).collect::<Vec<_>>();
        Ok(Self {
            has_cover: envelope.has_cover(),
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

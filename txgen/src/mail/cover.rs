// SPDX-License-Identifier: GPL-2.0
//! The cover letter: cover.md, the tables of audit and counts, shortlog and diffstat through templates/cover.txt.tera.

use anyhow::{Context, Result};
use serde::Serialize;

use crate::check::source::Source;
use crate::git::identity::Identity;
use crate::mail::{Envelope, Mail, Placed, header, joined, patches};
use crate::render::Templates;

/// What the template sees.
#[derive(Debug, Serialize)]
struct View {
    /// cover.md up to a line that is `---`.
    body: String,
    /// The changelog of series.toml and the rest of cover.md, empty where there is none.
    note: String,
    /// What changed since the last posting, empty where there was none.
    range_diff: String,
    /// What is on record as tested, empty where nothing is.
    tests: String,
    /// The table of the audit, empty where there is none.
    audit: String,
    /// The table of instructions per send, empty where there is none.
    counts: String,
    /// `git shortlog`, as in a cover letter of git's own.
    shortlog: String,
    /// `git diff --stat --summary` from the base to the last patch.
    diffstat: String,
    /// base-commit, change-id and what else a bot reads.
    tracking: String,
    /// `Name <address>`.
    sender: String,
}

/// What git tells of a series as a whole.
#[derive(Debug)]
pub(super) struct Summary {
    shortlog: String,
    diffstat: String,
}

/// Asks git for it.
pub(super) fn summary(source: &Source<'_>) -> Result<Summary> {
    Ok(Summary { shortlog: shortlog(source)?, diffstat: diffstat(source)? })
}

/// Mail 0 of the series.
pub(super) fn write(
    source: &Source<'_>,
    count: usize,
    placed: &Placed<'_>,
    summary: Summary,
    sender: &Identity,
) -> Result<Mail> {
    let envelope = placed.envelope;
    let text = envelope.cover.as_deref().unwrap_or_default();
    let (body, note) = split(text, &envelope.title);
    let trimmed = |text: &Option<String>| text.as_deref().unwrap_or_default().trim_end().to_owned();
    let view = View {
        body,
        note: joined([envelope.changelog.clone(), note]),
        range_diff: placed.below.range_diff.clone(),
        tests: trimmed(&envelope.tests),
        audit: trimmed(&envelope.audit),
        counts: trimmed(&envelope.counts),
        shortlog: summary.shortlog,
        diffstat: summary.diffstat,
        tracking: envelope.tracking(&source.base),
        sender: sender.display(),
    };
    let templates = Templates::load(&source.project.templates())?;
    let body = templates.render("cover.txt.tera", &view)?;
    let mut headers = format!("From {} Mon Sep 17 00:00:00 2001\n", "0".repeat(40));
    headers.push_str(&header::text("From", &header::encode_recipient(&sender.display())));
    headers.push_str(&header::text("Date", &date(envelope)?));
    headers.push_str(&header::text("Subject", &subject(envelope, count)));
    headers.push_str(&patches::headers_of(placed, 0)?);
    headers.push_str(header::charset(&headers, &body));
    let version = if envelope.version > 1 { format!("v{}-", envelope.version) } else { String::new() };
    Ok(Mail { file: format!("{version}0000-cover-letter.patch"), text: format!("{headers}\n{body}") })
}

/// `[PATCH net-next v2 00/13] title`, the zero as wide as git writes it.
fn subject(envelope: &Envelope, count: usize) -> String {
    let version = if envelope.version > 1 { format!(" v{}", envelope.version) } else { String::new() };
    let width = count.to_string().len();
    format!("[{}{version} {:0width$}/{count}] {}", patches::prefix(envelope), 0, envelope.title)
}

/// The text above and below a line that is exactly `---`; a first line that repeats the title is left out.
fn split(text: &str, title: &str) -> (String, String) {
    let mut lines = text.trim_start().lines().peekable();
    lines.next_if(|line| line.trim_start_matches("# ") == title);
    let body = lines.by_ref().take_while(|line| *line != "---").collect::<Vec<_>>().join("\n");
    let note = lines.collect::<Vec<_>>().join("\n");
    (body.trim().to_owned(), note.trim().to_owned())
}

fn date(envelope: &Envelope) -> Result<String> {
    jiff::fmt::rfc2822::to_string(&envelope.date.to_zoned(jiff::tz::TimeZone::UTC)).context("format the series' date")
}

fn shortlog(source: &Source<'_>) -> Result<String> {
    let range = format!("{}..{}", source.base, source.tip);
    let output = source.git(["shortlog", "-w72,2,4", &range]).check()?;
    Ok(output.text().trim_end().to_owned())
}

fn diffstat(source: &Source<'_>) -> Result<String> {
    let run = source.git(["diff", "-O/dev/null", "--stat=72", "--summary", "-M", "--diff-algorithm=histogram"]);
    let output = run.args(["--no-ext-diff", "--no-color", &source.base, &source.tip]).check()?;
    Ok(output.text().trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn the_cover_is_cut_at_its_own_line_and_does_not_repeat_the_title() {
        let parts = |body: &str, note: &str| (body.to_owned(), note.to_owned());
        assert_eq!(split("net: add\n\nWhy.\n\n---\nv2:\n - more\n", "net: add"), parts("Why.", "v2:\n - more"));
        assert_eq!(split("net: other\n\n --- no cut\n", "net: add"), parts("net: other\n\n --- no cut", ""));
    }
}

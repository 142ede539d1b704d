// SPDX-License-Identifier: GPL-2.0
//! `txgen log`: the versions of a series, and what changed since the last posting.

use anyhow::{Context, Result};
use serde_json::json;

use super::which::Which;
use crate::check::source::Source;
use crate::error::Exit;
use crate::git::{Repo, identity};
use crate::mail::range_diff;
use crate::plain::{visible, visible_lines};
use crate::project::Project;
use crate::series::Series;
use crate::series::history::{Posted, posting};

const EXAMPLES: &str = "Examples:
  txgen log zerocopy
  txgen log zerocopy --json

The commits of a posting are kept by its tag, sent/NAME-vN, in the repository that it was made in.";

/// Tells the versions of a series: what was posted and what became of it, what each changed, and what changed since.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `txgen log`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let signed = was_signed(project, &args.which)?;
    let (series, applied) = args.which.build(project, signed)?;
    let since = match (series.history.last(), applied.patches.is_empty()) {
        (Some(posted), false) => range_diff::since(&Source::new(project, &applied, None)?, posted)?,
        _ => None,
    };
    if args.json {
        let postings = series.history.posted.iter().map(|posted| {
            json!({"version": posted.version, "resend": posted.resend, "rfc": posted.rfc, "date": posted.date.to_string(),
                "message_id": posted.message_id, "link": posted.link, "base": posted.base, "commit": posted.commit,
                "patches": posted.patches, "result": posted.result})
        });
        let changes = series.history.changelog.iter();
        let changes =
            changes.map(|change| json!({"version": change.version, "patch": change.patch, "changes": change.changes}));
        let value = json!({"name": series.name, "title": series.title, "version": series.version,
            "posted": postings.collect::<Vec<_>>(), "changelog": changes.collect::<Vec<_>>(), "since": since});
        crate::output::println!("{}", serde_json::to_string_pretty(&value).context("write the versions as JSON")?);
        return Ok(Exit::Good);
    }
    crate::output::println!("{}: {}\n", series.name, visible(&series.title));
    for posted in &series.history.posted {
        crate::output::println!("{}", visible(&line(posted)));
        changes(&series, posted.version);
    }
    if series.history.posted.iter().all(|posted| posted.version < series.version) {
        crate::output::println!("v{:<4} not posted  {} patches", series.version, series.patches.len());
        changes(&series, series.version);
    }
    match (since, series.history.last()) {
        (Some(since), _) => crate::output::println!("\n{}", visible_lines(&since)),
        (None, Some(posted)) => {
            let name = posting(posted.version, posted.resend);
            crate::output::println!(
                "\nthe commits of {name} are not in this repository: what changed since can not be told"
            );
        }
        (None, None) => {}
    }
    Ok(Exit::Good)
}

/// Whether the last posting was signed off by whoever applies the series: then so is what it is compared with.
fn was_signed(project: &Project, which: &Which) -> Result<bool> {
    let (series, base) = which.find(project)?;
    let Some(posted) = series.history.last() else { return Ok(false) };
    // Where its commits are not here, there is nothing to compare.
    let Ok(commits) = Repo::open(&base.git_dir)?.commits_above(&posted.base, &posted.commit) else { return Ok(false) };
    let line = format!("Signed-off-by: {}", identity::identities(&base.git_dir)?.1.display());
    Ok(commits.iter().all(|commit| commit.message.lines().any(|found| found == line)))
}

fn line(posted: &Posted) -> String {
    let name = posting(posted.version, posted.resend);
    let rfc = if posted.rfc { "  RFC" } else { "" };
    let result = posted.result.as_deref().unwrap_or("under review");
    let (day, count) = (posted.date.strftime("%Y-%m-%d"), posted.patches.len());
    format!("{name:<5} {day}  {count} patches{rfc}  {result}  {}", posted.link)
}

fn changes(series: &Series, version: u32) {
    for change in series.history.changelog.iter().filter(|change| change.version == version) {
        let of = change.patch.as_ref().map_or_else(String::new, |patch| format!("{patch}: "));
        for text in &change.changes {
            crate::output::println!("      - {}", visible(&format!("{of}{text}")));
        }
    }
}

// SPDX-License-Identifier: GPL-2.0
//! `txgen trailers`: what people said of a series, taken into its messages.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;

use super::which::Which;
use crate::check::source::{self, Source};
use crate::error::Exit;
use crate::mail::patch_id;
use crate::plain::visible;
use crate::project::Project;
use crate::rebase::write;
use crate::trailers;
use crate::trailers::collect::{self, Fate, Found};
use crate::trailers::mailbox::Letter;

const EXAMPLES: &str = "Examples:
  txgen trailers zerocopy replies.mbox
  txgen trailers zerocopy --dry-run replies.mbox more.mbox
  txgen trailers zerocopy --drop-stale      # of code that was reviewed and changed since";

/// Collects Reviewed-by, Acked-by, Tested-by, Reported-by and Suggested-by from answers to a series into its messages.
///
/// A mail counts where it answers a mail of series/NAME/sent/, or one of the mailbox with the same code as a patch (by
/// patch id); in an answer to the cover letter a trailer is for all patches. What is quoted, and HTML, does not count.
/// Where somebody else sent a trailer than it names, or the code changed since, it is shown and not taken (exit code 1);
/// so is whatever else looks like a trailer, with the reason: in the middle of a line, below a diff, in an attachment.
/// Answers without text, as those in HTML alone, are named in a warning. Of several mails with the same trailer the best
/// counts.
///
/// `# text` and `[text]` behind an address stay, `(text)` and `<mailto:...>` are cut, as b4 does. Reported-and-tested-by
/// becomes two trailers, as the kernel's process/maintainer-tip.rst wants. What a message has already is no finding.
///
/// series.toml notes for each trailer the mail it is from and the code it was given for: `txgen send` refuses others,
/// and those of code that changed. --drop-stale takes these out, with a line in the changelog of the patch.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Mailboxes (mbox, also .gz; Maildir), or single mails; `-` is standard input
    #[arg(value_name = "MBOX", required_unless_present = "drop_stale")]
    mailboxes: Vec<PathBuf>,
    /// Take trailers that somebody else sent than they name
    #[arg(long)]
    sloppy_trailers: bool,
    /// Take trailers out that were given for other code
    #[arg(long)]
    drop_stale: bool,
    /// Show what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `txgen trailers`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let _lock = if args.dry_run { None } else { Some(write::begin(project, &args.which.name)?) };
    let (series, applied) = args.which.build(project, false)?;
    let source = Source::new(project, &applied, None)?;
    let now = patch_id::of_patches(&source, &source::patches(&applied)?)?;
    let letters = trailers::read(&args.mailboxes)?;
    let targets = trailers::targets(project, &series, &letters, &now)?;
    let mut found = collect::collect(&letters, &targets, &now, &collect::present(&series), args.sloppy_trailers);
    let mut stale = if args.drop_stale { trailers::stale(&series, &now) } else { Vec::new() };
    trailers::settle(&mut stale, &mut found);
    warn_of(&collect::without_text(&letters, &targets));
    if !args.dry_run {
        trailers::apply(project, &series, &applied, &found, &stale, &now)?;
    }
    let left = found.iter().any(Found::is_left);
    if args.json {
        let dropped = stale.iter().map(|tag| json!({"patch": tag.patch, "trailer": tag.trailer})).collect::<Vec<_>>();
        crate::output::println!("{:#}", json!({"found": found, "dropped": dropped}));
    } else {
        for found in &found {
            crate::output::println!("{}", line(found));
        }
        for tag in &stale {
            crate::output::println!("{}: DROPPED {}: the code changed", tag.patch, visible(&tag.trailer));
        }
        if found.is_empty() && stale.is_empty() {
            crate::output::println!("no trailers for {} in {} mails", series.name, letters.len());
        }
    }
    Ok(if left { Exit::Findings } else { Exit::Good })
}

/// Names answers in which nothing could be looked for.
fn warn_of(letters: &[&Letter]) {
    const MOST: usize = 5;
    let ids = letters.iter().take(MOST).map(|letter| format!("<{}>", visible(&letter.id))).collect::<Vec<_>>();
    let more = letters.len().saturating_sub(MOST);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let (answers, them) = match letters.len() {
        0 => return,
        1 => ("1 answer has".to_owned(), "it"),
        count => (format!("{count} answers have"), "them"),
    };
    crate::output::eprintln!(
        "warning: {answers} no text (HTML alone is not read): {}{more}: read {them} by hand",
        ids.join(", ")
    );
}

fn line(found: &Found) -> String {
    let (patch, trailer) = (&found.patch, visible(&found.trailer));
    let why = visible(found.why.as_deref().unwrap_or_default());
    let written = found.written.as_deref().map(visible);
    let cut = written.filter(|written| found.fate == Fate::Taken && written.ends_with(')'));
    let cut = cut.map_or_else(String::new, |written| format!("\n     as it was written: {written}"));
    match found.fate {
        _ if found.present => format!("{patch}: already there: {trailer}"),
        Fate::Taken => format!("{patch}: {trailer}{cut}"),
        _ => format!("{patch}: NOT TAKEN {trailer}: {why}"),
    }
}

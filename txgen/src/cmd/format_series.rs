// SPDX-License-Identifier: GPL-2.0
//! `txgen format-series`: the mails that git send-email posts.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::json;

use super::which::Which;
use crate::audit;
use crate::bench;
use crate::check::{Finding, SERIES};
use crate::error::Exit;
use crate::mail::{self, Envelope, Outcome, Written};
use crate::project::Project;
use crate::series::{Applied, Series};

const EXAMPLES: &str = "Examples:
  txgen format-series zerocopy
  txgen format-series zerocopy -v 2 --rfc -o ~/outgoing
  txgen format-series zerocopy --force body-width
  git send-email --dry-run out/zerocopy/*.patch";

/// Writes the mails that git send-email posts: a cover letter, and the patches in one thread.
///
/// Everything comes from series/NAME/ (the tables of `txgen audit` and of `txgen bench`, which is in bench.md, too), the
/// base's get_maintainer.pl and git's identity: the same input gives the same bytes. Nothing is sent. What netdev would send back (see `txgen check`) is refused with exit code 1. The
/// folder is put in place as a whole; a folder with other files in it is left alone.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Folder for the mails; out/NAME in the project otherwise
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Version of the series; that of series.toml otherwise
    #[arg(short = 'v', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    series_version: Option<u32>,
    /// Ask for comments only: [PATCH RFC ...]
    #[arg(long)]
    rfc: bool,
    /// Write the mails although they break this rule; may be given more than once
    #[arg(long, value_name = "RULE")]
    force: Vec<String>,
    /// Sign each commit off (also done where git's format.signOff is set)
    #[arg(long)]
    signoff: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `txgen format-series`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let (series, applied) = args.which.build(project, args.signoff)?;
    let audit = audit::run(project, &series, &applied)?;
    let table = audit.as_ref().map(audit::show::cover);
    let envelope = Envelope { audit: table, ..Envelope::of(&series, args.series_version, args.rfc) };
    let out = args.out.clone().unwrap_or_else(|| project.root.join("out").join(&series.name));
    let out = std::path::absolute(&out).with_context(|| format!("resolve {}", out.display()))?;
    match mail::write(project, &applied, &envelope, &out, &args.force)? {
        Outcome::Refused(findings) => {
            refuse(&findings, args.json);
            Ok(Exit::Findings)
        }
        Outcome::Written(written) => {
            warn_of_old_counts(&series, &applied);
            tell(&written, &series.name, args.json)?;
            Ok(Exit::Good)
        }
    }
}

fn warn_of_old_counts(series: &Series, applied: &Applied) {
    let tip = applied.patches.last();
    let old = |counts: &String| tip.is_some_and(|tip| !bench::show::is_about(counts, &tip.tree));
    if series.counts.as_ref().is_some_and(old) {
        let (name, file) = (&series.name, bench::show::FILE);
        anstream::eprintln!(
            "warning: series/{name}/{file}, the table of instructions in the cover letter, is about another tree: count \
             again with the command it names and `-o series/{name}/{file}`"
        );
    }
}

fn refuse(findings: &[Finding], as_json: bool) {
    if as_json {
        anstream::println!("{:#}", json!({"refused": findings}));
        return;
    }
    for finding in findings {
        anstream::println!("{finding}");
    }
    let rule = findings.first().map_or("RULE", Finding::rule);
    anstream::eprintln!("no mail is written: netdev would send this back. To write them all the same: --force {rule}");
    if findings.iter().any(|finding| finding.check == "cover") {
        anstream::eprintln!("{SERIES} cover: the title is in series.toml, the text in cover.md");
    }
}

fn tell(written: &Written, name: &str, as_json: bool) -> Result<()> {
    if !written.unsigned.is_empty() {
        anstream::eprintln!(
            "warning: no Signed-off-by in {}: netdev does not take such patches. Sign them with `txgen format-series \
             {name} --signoff` or, for good, `git config format.signOff true`",
            written.unsigned.join(", ")
        );
    }
    if as_json {
        anstream::println!("{:#}", serde_json::to_value(written).context("serialise what was written")?);
        return Ok(());
    }
    for file in &written.files {
        anstream::println!("{}", written.dir.join(file).display());
    }
    for (header, people) in [("To", &written.recipients.to), ("Cc", &written.recipients.cc)] {
        for who in people {
            anstream::println!("{header}: {who}");
        }
    }
    anstream::println!("\n{}", written.command);
    Ok(())
}

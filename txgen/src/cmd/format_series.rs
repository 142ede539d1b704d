// SPDX-License-Identifier: GPL-2.0
//! `txgen format-series`: the mails that git send-email posts.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use serde_json::json;

use super::outgoing::{Outgoing, Prepared, print_refused};
use crate::error::Exit;
use crate::mail::{self, Written};
use crate::project::Project;

const EXAMPLES: &str = "Examples:
  txgen format-series zerocopy
  txgen format-series zerocopy --sign           # your Signed-off-by, because you say so
  txgen format-series zerocopy -v 2 --rfc -o ~/outgoing
  txgen format-series zerocopy --resend
  txgen format-series rust --stack              # and the series it depends on, each in a folder of its own
  txgen format-series zerocopy --force body-width
  git send-email --dry-run out/zerocopy/*.patch";

/// Writes the mails that git send-email posts: a cover letter, and the patches in one thread.
///
/// Everything comes from series/NAME/ (the changelog, the tables of `txgen audit` and `txgen bench`, what was posted
/// before), the records of `txgen test`, the base's get_maintainer.pl and git's identity: the same input gives the same
/// bytes. From the second version on there is a range-diff to the one that was sent last. Nothing is sent (see `txgen
/// send`). What netdev would send back for its text is refused with exit code 1; the folder is put in place as a whole,
/// and a folder with other files in it is left alone.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    outgoing: Outgoing,
    /// Folder for the mails; out/NAME in the project otherwise. With --stack each series has a folder in it
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the mails of the series it depends on, too
    #[arg(long, conflicts_with_all = ["series_version", "resend"])]
    stack: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `txgen format-series`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let outgoing = &args.outgoing;
    let all = if args.stack { outgoing.prepare_stack(project)? } else { vec![outgoing.prepare(project)?] };
    let compose = |one: &Prepared| mail::compose(project, &one.applied, &one.envelope, &outgoing.force);
    let composed = all.par_iter().map(compose).collect::<Result<Vec<_>>>()?;
    let refused = composed.iter().filter_map(|one| one.as_ref().err()).flatten().cloned().collect::<Vec<_>>();
    if !refused.is_empty() {
        if args.json {
            crate::output::println!("{:#}", json!({"refused": refused}));
        } else {
            print_refused(&refused);
        }
        return Ok(Exit::Findings);
    }
    let outs = all.iter().map(|one| out(project, args, one)).collect::<Result<Vec<_>>>()?;
    for (one, out) in all.iter().zip(&outs) {
        mail::folder::check(out, &one.envelope.change_id)?;
    }
    let mut written = Vec::new();
    for ((one, out), composed) in all.iter().zip(&outs).zip(composed.into_iter().flatten()) {
        written.push((&one.series.name, mail::place(project, composed, &one.envelope.change_id, out)?));
    }
    written.iter().for_each(|(name, written)| warn(written, name));
    if args.json {
        show_json(written.into_iter().map(|(_, written)| written).collect(), args.stack)?;
    } else {
        written.iter().for_each(|(_, written)| show(written));
    }
    Ok(Exit::Good)
}

/// The folder for the mails of a series.
fn out(project: &Project, args: &Args, one: &Prepared) -> Result<PathBuf> {
    let out = match &args.out {
        Some(dir) if args.stack => dir.join(&one.series.name),
        Some(dir) => dir.clone(),
        None => {
            let all = project.root.join("out");
            ensure!(!all.is_symlink(), "{} is a symbolic link: give a folder with -o", all.display());
            all.join(&one.series.name)
        }
    };
    std::path::absolute(&out).with_context(|| format!("resolve {}", out.display()))
}

fn warn(written: &Written, name: &str) {
    if !written.unsigned.is_empty() {
        crate::output::eprintln!(
            "warning: no Signed-off-by in {}: netdev does not take such patches. Sign them with `txgen format-series \
             {name} --sign` or, for good, `git config format.signOff true`",
            written.unsigned.join(", ")
        );
    }
    if let Some(commit) = &written.lacks {
        crate::output::eprintln!("warning: no range-diff: {commit}, which was posted last, is not in this repository");
    }
}

/// What was written; a list where a stack was asked for.
fn show_json(mut written: Vec<Written>, stack: bool) -> Result<()> {
    let value = match written.pop() {
        Some(last) if !stack => serde_json::to_value(last),
        last => serde_json::to_value(written.into_iter().chain(last).collect::<Vec<_>>()),
    };
    crate::output::println!("{:#}", value.context("serialise what was written")?);
    Ok(())
}

fn show(written: &Written) {
    for file in &written.files {
        crate::output::println!("{}", written.dir.join(file).display());
    }
    for (header, people) in [("To", &written.recipients.to), ("Cc", &written.recipients.cc)] {
        for who in people {
            crate::output::println!("{header}: {who}");
        }
    }
    crate::output::println!("\n{}", written.command);
}

// SPDX-License-Identifier: GPL-2.0
//! `txgen format-series`: the mails that git send-email posts.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::json;

use super::outgoing::{Outgoing, Prepared, print_refused};
use crate::error::Exit;
use crate::mail::{self, Outcome, Written};
use crate::project::Project;

const EXAMPLES: &str = "Examples:
  txgen format-series zerocopy
  txgen format-series zerocopy --sign           # your Signed-off-by, because you say so
  txgen format-series zerocopy -v 2 --rfc -o ~/outgoing
  txgen format-series zerocopy --resend
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
    /// Folder for the mails; out/NAME in the project otherwise
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `txgen format-series`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let Prepared { series, applied, envelope, .. } = args.outgoing.prepare(project)?;
    let out = args.out.clone().unwrap_or_else(|| project.root.join("out").join(&series.name));
    let out = std::path::absolute(&out).with_context(|| format!("resolve {}", out.display()))?;
    match mail::write(project, &applied, &envelope, &out, &args.outgoing.force)? {
        Outcome::Refused(findings) => {
            if args.json {
                anstream::println!("{:#}", json!({"refused": findings}));
            } else {
                print_refused(&findings);
            }
            Ok(Exit::Findings)
        }
        Outcome::Written(written) => {
            tell(&written, &series.name, args.json)?;
            Ok(Exit::Good)
        }
    }
}

fn tell(written: &Written, name: &str, as_json: bool) -> Result<()> {
    if !written.unsigned.is_empty() {
        anstream::eprintln!(
            "warning: no Signed-off-by in {}: netdev does not take such patches. Sign them with `txgen format-series \
             {name} --sign` or, for good, `git config format.signOff true`",
            written.unsigned.join(", ")
        );
    }
    if let Some(commit) = &written.lacks {
        anstream::eprintln!("warning: no range-diff: {commit}, which was posted last, is not in this repository");
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

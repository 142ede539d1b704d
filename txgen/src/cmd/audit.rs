// SPDX-License-Identifier: GPL-2.0
//! `txgen audit`: the places that know how frags are owned, and what the series makes of each.

use anyhow::{Context, Result};

use super::which::Which;
use crate::audit::{self, rules, show};
use crate::error::Exit;
use crate::plain::visible_lines;
use crate::project::Project;

const EXAMPLES: &str = "Examples:
  txgen audit zerocopy
  txgen audit zerocopy --base pre-devmem
  txgen audit zerocopy --markdown > audit.md
  txgen audit zerocopy --json | jq '.sites[] | select(.state == \"open\")'

What is said about a place that no patch changes is a rule in series/NAME/audit.toml; the first that fits counts, one
that names functions before one that does not:
  [[rule]]
  names = [\"skb_frag_page\"]
  files = [\"drivers/net/*\"]
  functions = [\"foo_xmit\"]
  state = \"untouched\"           # or guarded (with guard = \"FILE#FUNCTION\"), or open
  reason = \"maps the page for DMA and takes no reference\"";

/// Shows every place that references the memory of frags or uses a frag by page, and what the series makes of it.
///
/// Searches the C of the whole tree, parsed, for the names that series/NAME/audit.toml watches. A function that a
/// patch changes is `converted` by it; what is said about the others are rules in that file. Exit code 1: a place
/// that nobody classified or that is still open, or a rule that is about no place.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Print Markdown: a table of names, and a table of all places
    #[arg(long, conflicts_with_all = ["json", "cover"])]
    markdown: bool,
    /// Print what goes into the cover letter
    #[arg(long, conflicts_with = "json")]
    cover: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `txgen audit`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let (series, applied) = args.which.build(project, false)?;
    let audit = audit::run(project, &series, &applied)?
        .with_context(|| format!("series {} has no file series/{0}/{}", series.name, rules::FILE))?;
    if args.json {
        crate::output::println!("{}", serde_json::to_string_pretty(&audit).context("write the audit as JSON")?);
    } else if args.markdown {
        crate::output::print!("{}", show::markdown(&audit));
    } else if args.cover {
        crate::output::print!("{}", show::cover(&audit));
    } else {
        crate::output::print!("{}", show::text(&audit));
    }
    for finding in &audit.findings {
        crate::output::eprintln!("{}", visible_lines(&finding.to_string()));
    }
    let uses = audit.sites.iter().map(|site| site.after).sum::<usize>();
    crate::output::eprintln!("{} places, {uses} uses, {} findings", audit.sites.len(), audit.findings.len());
    Ok(if audit.findings.is_empty() { Exit::Good } else { Exit::Findings })
}

// SPDX-License-Identifier: GPL-2.0
//! `txgen report`: results of several runs, joined.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Subcommand, ValueEnum};

use serde_json::json;

use crate::b4;
use crate::error::Exit;
use crate::files;
use crate::joined::logs::Logs;
use crate::joined::{self, Joined, Row, html, junit, markdown, matrix};
use crate::plain::visible;
use crate::project::Project;

const EXAMPLES: &str = "Examples:
  txgen test zerocopy --all --json > results/all.json
  txgen check zerocopy --json > results/checks.json
  txgen report merge results
  txgen report merge results --format html -o report.html
  txgen report merge shard-1 shard-2 --format junit -o junit.xml";

/// Joins what `txgen test --json` printed, on one machine or on several.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Joins results; exit code 1 where one of them is a failure, 2 where a file holds none
    ///
    /// Of several results for one patch and kind the worse counts. A page has the log of what a run of this machine
    /// showed, and logs that are in runs/ID/ of a folder that is given; no path that a file names is opened.
    #[command(after_help = EXAMPLES)]
    Merge {
        /// Files that `txgen test --json` and `txgen check --json` wrote, or folders of .json files
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// What to write
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: Format,
        /// Clone of the kernel with the commits, for the diff of each patch on the page; the managed repository otherwise
        #[arg(long, value_name = "DIR")]
        tree: Option<PathBuf>,
        /// Write to this file, not to standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// A line for each commit and what was wrong, then a table of patches and checks
    Text,
    /// A table for a cover letter or the summary of a job
    Markdown,
    /// JUnit XML
    Junit,
    /// One page that needs no network
    Html,
    /// What b4 reads from a check command
    B4,
}

/// Runs `txgen report`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let Command::Merge { paths, format, tree, output } = &args.command;
    let Joined { rows, bad } = joined::load(paths)?;
    bad.iter().for_each(|bad| crate::output::eprintln!("txgen: {}", visible(bad)));
    if rows.is_empty() {
        return Ok(Exit::Failed);
    }
    let given = paths.iter().filter(|path| path.is_dir()).cloned().collect();
    let logs = Logs { own: project.cache.join("runs"), given };
    let text = match format {
        Format::Text => rows.iter().map(line).chain([matrix::text(&rows)]).collect(),
        Format::Markdown => markdown::text(&rows),
        Format::Junit => junit::xml(&rows)?,
        Format::Html => html::page(project, tree.as_deref(), &rows, &logs)?,
        Format::B4 => format!("{:#}\n", json!(b4::of_rows(&rows))),
    };
    match output {
        Some(file) => files::write_atomic(file, text.as_bytes())?,
        None => crate::output::print!("{text}"),
    }
    Ok(match (bad.is_empty(), rows.iter().all(|row| row.passed)) {
        (false, _) => Exit::Failed,
        (true, true) => Exit::Good,
        (true, false) => Exit::Findings,
    })
}

fn line(row: &Row) -> String {
    let word = if row.passed { "ok  " } else { "FAIL" };
    let problems = row.problems.iter().flat_map(|problem| problem.lines());
    let problems = problems.map(|line| format!("     {line}\n")).collect::<String>();
    format!("{word} {} [{}]: {}\n{problems}", row.patch, row.kind, row.summary)
}

// SPDX-License-Identifier: GPL-2.0
//! `txgen generate`: the files that come from the design.

use anyhow::{Context, Result};
use serde::Serialize;

use crate::error::Exit;
use crate::lock;
use crate::overlay::{self, Stale};
use crate::project::Project;
use crate::render::{self, Rendered};

const EXAMPLES: &str = "\
Examples:
  txgen generate            write the files that are stale, and say which
  txgen generate --check    write nothing; show what is stale as a diff, exit 1
  txgen generate --json     the same for a machine";

/// Render the generated files from the designs, and write those that differ
///
/// The designs are txgen/src/design.rs and design/msg.rs, the templates are in templates/. From them come the C headers,
/// the Rust side, the tables and diagrams of the documentation, and the KUnit test of the layout, in kernel-overlay/.
/// Everything is rendered before anything is written. A type that the model does not know, a false layout promise and an undefined
/// name in a template are errors with file and line.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Write nothing: show what is stale as a diff and exit with 1
    #[arg(long)]
    check: bool,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

/// What became of a file, for machines.
#[derive(Serialize)]
struct Outcome<'a> {
    path: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<&'a str>,
}

/// Renders, compares, and writes or reports.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let _lock = if args.check { None } else { Some(lock::take(project)?) };
    let rendered = render::render_all(project)?;
    let stale = overlay::compare(project, &rendered)?;
    if !args.check {
        overlay::write(&project.root, &stale)?;
    }
    if args.json {
        print_json(&rendered, &stale, args.check)?;
    } else {
        print(&rendered, &stale, args.check);
    }
    Ok(if args.check && !stale.is_empty() { Exit::Findings } else { Exit::Good })
}

fn print(rendered: &[Rendered], stale: &[Stale], check: bool) {
    for file in stale {
        if check {
            crate::output::print!("{}", overlay::coloured(&file.diff));
        } else {
            crate::output::println!("wrote {}", file.path);
        }
    }
    let (count, total) = (stale.len(), rendered.len());
    match (check, count) {
        (_, 0) => crate::output::println!("all {total} generated files are up to date"),
        (true, _) => crate::output::println!("{count} of {total} generated files stale: run `txgen generate`"),
        (false, _) => crate::output::println!("{count} of {total} generated files were stale"),
    }
}

fn print_json(rendered: &[Rendered], stale: &[Stale], check: bool) -> Result<()> {
    let outcomes: Vec<_> = rendered
        .iter()
        .map(|file| {
            let found = stale.iter().find(|s| s.path == file.path);
            let state = match found {
                None => "fresh",
                Some(_) if !check => "written",
                Some(s) if s.is_missing => "missing",
                Some(_) => "stale",
            };
            Outcome { path: &file.path, state, diff: found.filter(|_| check).map(|s| s.diff.as_str()) }
        })
        .collect();
    crate::output::println!("{}", serde_json::to_string_pretty(&outcomes).context("serialise the outcome")?);
    Ok(())
}

// SPDX-License-Identifier: GPL-2.0
//! `txgen allow`: which semantic patches may run code.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::cocci::{allowed, code};
use crate::error::Exit;
use crate::invisible;
use crate::project::Project;

const EXAMPLES: &str = "Examples:
  txgen allow series/zerocopy/rename.cocci          show it, and which lines run code; allows nothing
  txgen allow series/zerocopy/rename.cocci --yes    show it again, and allow this text
  txgen allow series/zerocopy/rename.cocci --forget take that back";

/// Shows a semantic patch that runs code, and lets it.
///
/// A semantic patch (.cocci) may have code in Python or OCaml (`script:`, `initialize:`, `finalize:`) and options for
/// spatch (`#spatch`). spatch would run that as you on status, log, apply, refresh and the like. txgen refuses to, until
/// you allowed exactly this text: after any change of the file it has to be allowed again. What you allowed is in
/// $TXGEN_CACHE/allowed, outside of the project. What else runs code is in docs/security.md.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The semantic patches (series/NAME/PATCH.cocci)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Allow what is shown
    #[arg(long, conflicts_with = "forget")]
    yes: bool,
    /// Do not allow it any longer
    #[arg(long)]
    forget: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `txgen allow`: exit 1 where something is not allowed.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let mut rows = Vec::new();
    let mut all_allowed = true;
    for file in &args.files {
        let path = place(project, file)?;
        let text = project.text(&path)?;
        let places = code::code(&text);
        if !args.json {
            show(&path, &text, &places);
        }
        if args.yes && !places.is_empty() {
            allowed::allow(project, &text)?;
        } else if args.forget {
            allowed::forbid(project, &text)?;
        }
        let is_allowed = places.is_empty() || allowed::is_allowed(project, &text)?;
        all_allowed &= is_allowed;
        if args.json {
            let places = places.iter().map(|place| json!({"line": place.line, "what": place.what}));
            rows.push(json!({"file": path, "digest": allowed::digest(&text), "allowed": is_allowed,
                "code": places.collect::<Vec<_>>()}));
        } else {
            crate::output::println!("{}", verdict(&path, places.is_empty(), is_allowed));
        }
    }
    if args.json {
        crate::output::println!("{:#}", json!(rows));
    }
    Ok(if all_allowed || args.forget { Exit::Good } else { Exit::Findings })
}

/// The file by its path in the project; it may be given from the working folder too.
fn place(project: &Project, file: &Path) -> Result<PathBuf> {
    if file.extension().is_none_or(|ending| ending != "cocci") {
        bail!("{} is no semantic patch: its name does not end in .cocci", file.display());
    }
    let here = std::env::current_dir().context("find the working folder")?.join(file);
    match here.strip_prefix(&project.root) {
        Ok(inside) if project.has(inside)? => Ok(inside.to_owned()),
        _ if file.is_relative() && project.has(file)? => Ok(file.to_owned()),
        _ => bail!("there is no {} in this project", file.display()),
    }
}

fn show(path: &Path, text: &str, places: &[code::Place]) {
    for (index, line) in text.lines().enumerate() {
        let runs = places.iter().any(|place| place.line == index + 1);
        crate::output::println!("{} {:4} {}", if runs { '>' } else { ' ' }, index + 1, invisible::shown(line));
    }
    for place in places {
        crate::output::println!("{}:{}: {}", path.display(), place.line, place.what);
    }
}

fn verdict(path: &Path, is_plain: bool, is_allowed: bool) -> String {
    let file = path.display();
    match (is_plain, is_allowed) {
        (true, _) => format!("{file} runs no code: there is nothing to allow"),
        (_, true) => format!("{file} is allowed to run this code"),
        (_, false) => format!("{file} is not allowed to run this code: `txgen allow {file} --yes` allows it"),
    }
}

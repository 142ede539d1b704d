// SPDX-License-Identifier: GPL-2.0
//! `txgen base`: the kernel trees that series apply to.

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;

use crate::base::record::{self, Record};
use crate::base::{self, Base, fetch};
use crate::error::Exit;
use crate::facts;
use crate::git::Repo;
use crate::project::Project;

const EXAMPLES: &str = "Examples:
  txgen base list
  txgen base fetch net-next
  txgen base show pre-devmem --json
  txgen base show --tree ~/src/linux --ref v7.2";

/// Lists, fetches and describes the kernel trees that series apply to.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the bases of series/bases.toml and whether each is fetched
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Fetch a base into the managed repository
    Fetch {
        /// Base of series/bases.toml
        name: String,
        /// Take what the source has today and record it in series/bases.toml
        #[arg(long)]
        record: bool,
    },
    /// Show where a base comes from and what it can do
    Show(ShowArgs),
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// Base of series/bases.toml
    #[arg(required_unless_present = "tree", conflicts_with = "tree")]
    name: Option<String>,
    /// Look into this clone instead
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// Ref of the clone
    #[arg(long = "ref", value_name = "REF", requires = "tree", default_value = "HEAD")]
    reference: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `txgen base`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    match &args.command {
        Command::List { json } => list(project, *json),
        Command::Fetch { name, record } => run_fetch(project, name, *record),
        Command::Show(args) => show(project, args),
    }
}

fn list(project: &Project, json: bool) -> Result<Exit> {
    let mut rows = Vec::new();
    for record in record::load(project)? {
        let state = match base::fetched(project, &record)? {
            Some(base) if record.tree.as_ref().is_none_or(|tree| *tree == base.tree) => "fetched",
            Some(_) => "outdated",
            None => "not fetched",
        };
        rows.push((record, state));
    }
    if json {
        let rows = rows.iter().map(|(record, state)| {
            json!({"name": record.name, "source": record.source.describe(), "version": record.version,
                "commit": record.commit, "tree": record.tree, "state": state})
        });
        crate::output::println!("{:#}", serde_json::Value::from_iter(rows));
    } else {
        for (record, state) in rows {
            let version = record.version.as_deref().unwrap_or("-");
            crate::output::println!("{:<14} {state:<12} {version:<20} {}", record.name, record.source.describe());
        }
    }
    Ok(Exit::Good)
}

fn run_fetch(project: &Project, name: &str, record: bool) -> Result<Exit> {
    let fetched = fetch::fetch(project, name, record)?;
    let how = if fetched.already { "was already fetched" } else { "is fetched" };
    crate::output::println!("base {name} {how}: commit {}, tree {}", fetched.base.commit, fetched.base.tree);
    if fetched.recorded {
        crate::output::println!("recorded in series/bases.toml");
    }
    Ok(Exit::Good)
}

fn show(project: &Project, args: &ShowArgs) -> Result<Exit> {
    let name = args.name.as_deref().unwrap_or(&args.reference);
    let base = base::resolve(project, name, args.tree.as_deref())?;
    let record = if args.tree.is_none() { Some(record::find(project, name)?) } else { None };
    let repo = Repo::open(&base.git_dir)?;
    let kernel = base::kernel_version(&repo, &base.tree)?;
    let answers = facts::look(&repo, &base.tree)?;
    if args.json {
        let facts = answers.iter().map(|(fact, answer)| (fact.key.to_owned(), json!(answer)));
        let facts = serde_json::Value::Object(facts.collect());
        let source = record.as_ref().map(|r| r.source.describe());
        let value = json!({"name": base.name, "source": source, "version": record.and_then(|r| r.version),
            "kernel": kernel, "commit": base.commit, "tree": base.tree, "facts": facts});
        crate::output::println!("{value:#}");
        return Ok(Exit::Good);
    }
    print_head(&base, record.as_ref(), &kernel);
    for (fact, answer) in answers {
        crate::output::println!("{:<24} {:<46} {}", fact.key, fact.what, answer.display());
    }
    Ok(Exit::Good)
}

fn print_head(base: &Base, record: Option<&Record>, kernel: &str) {
    crate::output::println!("name     {}", base.name);
    if let Some(record) = record {
        crate::output::println!("source   {}", record.source.describe());
        if let Some(instead) = &record.instead_of {
            crate::output::println!("         in place of {instead}");
        }
        crate::output::println!("version  {}", record.version.as_deref().unwrap_or("not recorded"));
    }
    crate::output::println!("kernel   {kernel}\ncommit   {}\ntree     {}\n", base.commit, base.tree);
}

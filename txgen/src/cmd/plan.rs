// SPDX-License-Identifier: GPL-2.0
//! `txgen plan`: who tests which patches of a series.

use std::fmt::Write;
use std::num::NonZeroUsize;

use anyhow::Result;
use clap::ValueEnum;
use serde_json::json;

use super::which::Which;
use crate::error::Exit;
use crate::kernel::config;
use crate::project::Project;
use crate::series::Applied;
use crate::shard::Shard;

const EXAMPLES: &str = "Examples:
  txgen plan zerocopy --shards 4 --format github
  txgen plan zerocopy --shards 4 --format gitlab > child-pipeline.yml
  txgen test zerocopy --all --shard 2/4 --json > results/2.json
  txgen report merge results

A job of GitHub's takes the matrix with `fromJSON(needs.plan.outputs.matrix)`; see .github/workflows/series.yml.";

/// Divides the proofs of a series among machines: prints what a CI service makes its jobs of.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Number of machines
    #[arg(long, value_name = "N", default_value = "4")]
    shards: NonZeroUsize,
    /// Kernel configuration of vm-tests/
    #[arg(long, value_name = "CONFIG", default_value = "net", value_parser = config::names())]
    config: String,
    /// What to print
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// A matrix for `strategy.matrix` of a job of GitHub's, in one line
    Github,
    /// A child pipeline of GitLab's
    Gitlab,
    /// An array of shards with their patches and commands
    Json,
}

/// Runs `txgen plan`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let (_, applied) = args.which.build(project, false)?;
    // A machine without a patch would have nothing to do.
    let used = args.shards.min(NonZeroUsize::new(applied.patches.len()).unwrap_or(NonZeroUsize::MIN));
    let shards = Shard::all(used).collect::<Vec<_>>();
    let command = |shard: &str| {
        let (name, base, config) = (&applied.name, &applied.base.name, &args.config);
        format!("txgen test {name} --base {base} --config {config} --all --shard {shard} --json")
    };
    let text = match args.format {
        Format::Github => format!("{}\n", json!({"include": rows(&applied, &shards, command)})),
        Format::Json => format!("{:#}\n", json!(rows(&applied, &shards, command))),
        Format::Gitlab => gitlab(&shards, &command("$SHARD")),
    };
    crate::output::print!("{text}");
    Ok(Exit::Good)
}

fn rows(applied: &Applied, shards: &[Shard], command: impl Fn(&str) -> String) -> Vec<serde_json::Value> {
    let row = |shard: &Shard| {
        let patches = shard.of(&applied.patches).iter().map(|patch| patch.name.as_str()).collect::<Vec<_>>();
        json!({"shard": shard.to_string(), "name": shard.to_string().replace('/', "-"), "patches": patches,
            "command": command(&shard.to_string())})
    };
    shards.iter().map(row).collect()
}

fn gitlab(shards: &[Shard], command: &str) -> String {
    let mut text = String::from("proofs:\n  parallel:\n    matrix:\n      - SHARD:\n");
    for shard in shards {
        writeln!(text, "          - \"{shard}\"").expect("writing to a string does not fail");
    }
    text + &format!(
        "  script:\n    - make setup txgen\n    - mkdir -p results\n    - {command} > \
         \"results/$CI_NODE_INDEX.json\"\n  artifacts:\n    when: always\n    paths: [results]\n"
    )
}

// SPDX-License-Identifier: GPL-2.0
//! `cargo bench --bench format [-- SERIES]`: the mails of a series, from series/ to their text, without the audit's table.
//!
//! The goal is under 1 s. A first round fills the cache of spatch's results and is told apart.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use txgen::mail::{self, Envelope, Posting};
use txgen::project::Project;
use txgen::series::{self, Applied};
use txgen::{base, check};

const ROUNDS: usize = 10;

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn measure() -> Result<()> {
    let name = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_else(|| "zerocopy".to_owned());
    let project = Project::open(None)?;
    let (first, count) = round(&project, &name)?;
    let mut warm = Vec::new();
    for _ in 0..ROUNDS {
        warm.push(round(&project, &name)?.0);
    }
    warm.sort();
    println!("format {name}, {count} mails, {ROUNDS} warm rounds");
    for (what, time) in
        [("first", first), ("fastest", warm[0]), ("median", warm[ROUNDS / 2]), ("slowest", warm[ROUNDS - 1])]
    {
        println!("{what:<8} {:>8.1} ms", time.as_secs_f64() * 1000.0);
    }
    Ok(())
}

fn round(project: &Project, name: &str) -> Result<(Duration, usize)> {
    let start = Instant::now();
    let series = series::load(project, name)?;
    let base = base::resolve(project, &series.base, None)?;
    let patches = series::apply::build(project, &series, &base, false)?;
    let (git_dir, branch) = (base.git_dir.clone(), series::apply::branch(name));
    let applied = Applied { name: name.to_owned(), base, git_dir, branch, patches, beneath: Vec::new() };
    let envelope = Envelope::of(&series, Posting::default())?;
    match mail::compose(project, &applied, &envelope, &[])? {
        Ok(composed) => Ok((start.elapsed(), composed.mails.len())),
        Err(found) => bail!("{}", found.iter().map(check::Finding::to_string).collect::<Vec<_>>().join("\n")),
    }
}

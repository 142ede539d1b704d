// SPDX-License-Identifier: GPL-2.0
//! `cargo bench --bench apply [-- SERIES]`: render + apply of a series on its base, the whole kernel tree.
//!
//! The goal is under 1 s and under 500 MB. A first round fills the cache of spatch's results and is told apart.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use txgen::project::Project;
use txgen::{base, overlay, render, series};

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
    let first = round(&project, &name)?;
    let mut warm = (0..ROUNDS).map(|_| round(&project, &name)).collect::<Result<Vec<_>>>()?;
    warm.sort();
    println!("render + apply {name}, {ROUNDS} warm rounds");
    println!("first    {:>8.1} ms", millis(first));
    println!("fastest  {:>8.1} ms", millis(warm[0]));
    println!("median   {:>8.1} ms", millis(warm[ROUNDS / 2]));
    println!("slowest  {:>8.1} ms", millis(warm[ROUNDS - 1]));
    println!("peak     {:>8.1} MB resident", peak_resident()? as f64 / 1000.0);
    Ok(())
}

fn round(project: &Project, name: &str) -> Result<Duration> {
    let start = Instant::now();
    let rendered = render::render_all(project)?;
    overlay::compare(project, &rendered)?;
    let series = series::load(project, name)?;
    let base = base::resolve(project, &series.base, None)?;
    series::apply_series(project, &series, &base, false, false)?;
    Ok(start.elapsed())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The most memory this process had at once, in kB.
fn peak_resident() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("read /proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("the kernel tells no VmHWM")?;
    line.trim().trim_end_matches(" kB").parse().context("read VmHWM")
}

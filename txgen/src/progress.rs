// SPDX-License-Identifier: GPL-2.0
//! Progress of long work on standard error: a live bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::plain::visible;

/// All bars there are: work goes on side by side.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Prints without getting between the bars.
pub fn printing<T>(print: impl FnOnce() -> T) -> T {
    BARS.suspend(print)
}

/// One piece of long work that is shown while it runs.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    what: String,
    started: Instant,
    total: u64,
}

impl Progress {
    /// Starts showing `what`; `total` is the number of steps, 0 where it is not known.
    pub fn start(what: &str, total: u64) -> Self {
        let what = what.to_owned();
        let started = Instant::now();
        if !std::io::stderr().is_terminal() {
            crate::output::eprintln!("{what} ...");
            return Self { bar: None, what, started, total };
        }
        let bar = if total == 0 { ProgressBar::new_spinner() } else { ProgressBar::new(total) };
        let bar = BARS.add(bar);
        let form = if total == 0 {
            "{spinner} {prefix} [{elapsed}] {wide_msg}"
        } else {
            "{prefix} [{elapsed}, {eta} left] {bar:30} {pos}/{len} {wide_msg}"
        };
        bar.set_style(ProgressStyle::with_template(form).expect("the templates above are valid"));
        bar.set_prefix(what.clone());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar: Some(bar), what, started, total }
    }

    /// Sets how many steps are done, and what is being worked on.
    pub fn at(&self, done: u64, now: &str) {
        let now = visible(now);
        match &self.bar {
            Some(bar) => {
                bar.set_position(done);
                bar.set_message(now.into_owned());
            }
            None if self.total > 0 => crate::output::eprintln!("{}: {done}/{} {now}", self.what, self.total),
            None => crate::output::eprintln!("{}: {now}", self.what),
        }
    }

    /// Ends the work with its outcome in a word or two, and says how long it took.
    pub fn done(self, outcome: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        printing(|| {
            crate::output::eprintln!("{}: {outcome} ({:.1} s)", self.what, self.started.elapsed().as_secs_f64());
        });
    }
}

// SPDX-License-Identifier: GPL-2.0
//! The mails that a series is to go out as: arguments and steps that `format-series` and `send` share.

use anyhow::Result;
use rayon::prelude::*;

use super::which::Which;
use crate::audit;
use crate::bench;
use crate::check::{Finding, SERIES};
use crate::mail::{Envelope, Posting, prerequisites, proofs, rules};
use crate::plain::visible_lines;
use crate::project::Project;
use crate::prove::recorded::{self, Proofs};
use crate::series::{self, Applied, Series};

/// A series and how it is to be posted.
#[derive(Debug, Clone, clap::Args)]
pub struct Outgoing {
    /// The series and its base
    #[command(flatten)]
    pub which: Which,
    /// Version of the series; that of series.toml otherwise
    #[arg(short = 'v', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    series_version: Option<u32>,
    /// Ask for comments only: [PATCH RFC ...]
    #[arg(long)]
    rfc: bool,
    /// The last posting once more, unchanged: [PATCH RESEND ...]
    #[arg(long, conflicts_with = "series_version")]
    resend: bool,
    /// Go on although this rule is broken; may be given more than once
    #[arg(long, value_name = "RULE")]
    pub force: Vec<String>,
    /// Sign each commit off with your git identity (also done where git's format.signOff is set)
    #[arg(long, visible_alias = "sign")]
    signoff: bool,
}

/// A series as commits, and what its mails say.
pub struct Prepared {
    /// The series.
    pub series: Series,
    /// Its commits.
    pub applied: Applied,
    /// What is on record as tested.
    pub proofs: Proofs,
    /// What its mails say.
    pub envelope: Envelope,
}

impl Outgoing {
    /// Builds the commits and all that the mails tell of them.
    pub fn prepare(&self, project: &Project) -> Result<Prepared> {
        let (series, applied) = self.which.build(project, self.signoff)?;
        self.prepared(project, series, applied)
    }

    /// The same of what the series stands on, the lowest first, and of the series itself.
    pub fn prepare_stack(&self, project: &Project) -> Result<Vec<Prepared>> {
        let (series, applied) = self.which.build(project, self.signoff)?;
        let mut stack = Vec::new();
        for (index, lower) in applied.beneath.iter().enumerate() {
            let beneath = applied.beneath[..index].to_vec();
            stack.push((series::load(project, &lower.name)?, Applied { beneath, ..lower.clone() }));
        }
        stack.push((series, applied));
        stack.into_par_iter().map(|(series, applied)| self.prepared(project, series, applied)).collect()
    }

    fn prepared(&self, project: &Project, series: Series, applied: Applied) -> Result<Prepared> {
        let posting = Posting { version: self.series_version, rfc: self.rfc, resend: self.resend };
        let (audit, rest) = rayon::join(
            || audit::run(project, &series, &applied),
            || Ok::<_, anyhow::Error>((recorded::find(project, &applied)?, prerequisites::of(project, &applied)?)),
        );
        let (audit, (proofs, (root, prerequisites))) = (audit?, rest?);
        let envelope = Envelope {
            root,
            prerequisites,
            audit: audit.as_ref().map(audit::show::cover),
            tests: proofs::summary(&proofs, &applied),
            ..Envelope::of(&series, posting)?
        };
        warn_of_old_counts(&series, &applied);
        Ok(Prepared { series, applied, proofs, envelope })
    }
}

fn warn_of_old_counts(series: &Series, applied: &Applied) {
    let tip = applied.patches.last();
    let old = |counts: &String| tip.is_some_and(|tip| !bench::show::is_about(counts, &tip.tree));
    if series.counts.as_ref().is_some_and(old) {
        let (name, file) = (&series.name, bench::show::FILE);
        crate::output::eprintln!(
            "warning: series/{name}/{file}, the table of instructions in the cover letter, is about another tree: count \
             again with the command it names and `-o series/{name}/{file}`"
        );
    }
}

/// Prints what netdev would send back, and where that is written.
pub fn print_refused(findings: &[Finding]) {
    for finding in findings {
        crate::output::println!("{}", visible_lines(&finding.to_string()));
        if let Some(source) = rules::source(finding) {
            crate::output::println!("    ({source})");
        }
    }
    let rule = findings.first().map_or("RULE", Finding::rule);
    crate::output::eprintln!("netdev would send this back, so it was not done. To do it all the same: --force {rule}");
    if findings.iter().any(|finding| finding.check == "cover") {
        crate::output::eprintln!("{SERIES} cover: the title is in series.toml, the text in cover.md");
    }
}

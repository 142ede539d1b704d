// SPDX-License-Identifier: GPL-2.0
//! Mutations: changes that break the last patch of a series on purpose, and who has to notice.
//!
//! A mutation is a .diff in vm-tests/mutations/SERIES/ that starts with `# what it breaks`, then has `# must fail:
//! SUITE, ...`, or `# must say: TEXT`, or both, and `# config: NAME` where it takes another configuration than net to
//! notice, and `# selftests: NAME, ...` where it takes selftests, which are suites then, or `# suites: GLOB` where all of
//! KUnit's would take too long. It is caught if each of the suites fails, or does not get to its end because the kernel
//! crashed, and if the text is part of what was wrong with the boot.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

use crate::git::{Authorship, Repo, diff, identity};
use crate::kernel::config;
use crate::project::Project;
use crate::prove::{Proved, Prover, Subject};
use crate::selftests;
use crate::series::{Applied, Series};
use crate::vm::ktap::Outcome;

/// The configuration of a mutation that names none.
const NET: &str = "net";

/// A mutation as its file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutation {
    /// Name of the file, without its ending.
    pub name: String,
    /// What it breaks.
    pub breaks: String,
    /// The suites that have to fail.
    pub suites: Vec<String>,
    /// What the kernel has to complain about.
    pub says: Option<String>,
    /// The configuration that it takes to notice.
    pub config: String,
    /// The selftests that it takes to notice; none for KUnit.
    pub selftests: Vec<String>,
    /// The suites of KUnit that run, as the kernel's pattern for them; all where it names none.
    pub run: Option<String>,
    file: PathBuf,
    diff: String,
}

/// What a mutation made fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The mutation.
    pub mutation: String,
    /// What it breaks.
    pub breaks: String,
    /// Suites that failed or did not end, and in quotes what the kernel said, as they should.
    pub failed: Vec<String>,
    /// Suites that should have failed and passed, and in quotes what the kernel should have said.
    pub survived: Vec<String>,
    /// What else was wrong with the boot: crashes and splats.
    pub problems: Vec<String>,
}

/// The mutations of a series, sorted by name; none is an error.
pub fn load(project: &Project, series: &str) -> Result<Vec<Mutation>> {
    let dir = project.vm_tests().join("mutations").join(series);
    ensure!(dir.is_dir(), "series {series} has no mutations: there is no folder vm-tests/mutations/{series}");
    let mut mutations = Vec::new();
    for entry in std::fs::read_dir(&dir).with_context(|| format!("list {}", dir.display()))? {
        let path = entry.with_context(|| format!("list {}", dir.display()))?.path();
        if path.extension().is_some_and(|ending| ending == "diff") {
            mutations.push(parse(&path, project.text(&path)?)?);
        }
    }
    ensure!(!mutations.is_empty(), "series {series} has no mutations: vm-tests/mutations/{series} has no .diff");
    mutations.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(mutations)
}

fn parse(file: &Path, diff: String) -> Result<Mutation> {
    let name = file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let notes = diff.lines().map_while(|line| line.strip_prefix("# ")).collect::<Vec<_>>();
    let note = |key: &str| notes.iter().skip(1).find_map(|note| note.strip_prefix(key)).map(str::trim);
    let breaks = notes.first().with_context(|| format!("{}:1: no line `# what it breaks`", file.display()))?;
    let names = |key: &str| {
        let names = note(key).unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    let (suites, selftests) = (names("must fail:"), names("selftests:"));
    let says = note("must say:").map(str::to_owned);
    ensure!(
        !suites.is_empty() || says.as_ref().is_some_and(|text| !text.is_empty()),
        "{}:2: no line `# must fail: SUITE, ...` or `# must say: TEXT`",
        file.display()
    );
    let run = note("suites:").map(str::to_owned);
    if let Some(glob) = &run {
        let good = |c: char| c.is_ascii_alphanumeric() || "_-*?[]!".contains(c);
        ensure!(glob.chars().all(good), "{}: suites: {glob} is no pattern of suites' names", file.display());
    }
    let config = note("config:").unwrap_or(NET).to_owned();
    ensure!(config::names().contains(&config.as_str()), "{}: there is no configuration {config}", file.display());
    let (breaks, file) = ((*breaks).to_owned(), file.to_owned());
    Ok(Mutation { name, breaks, suites, says, config, selftests, run, file, diff })
}

/// Makes the mutated commit on top of the series, in memory.
pub fn commit(series: &Series, applied: &Applied, mutation: &Mutation) -> Result<Subject> {
    let tip = applied.patches.last().with_context(|| format!("series {} has no patch", applied.name))?;
    let repo = Repo::open(&applied.git_dir)?;
    let changes = match repo.apply_diff_moved(&tip.tree, &mutation.diff)? {
        Ok(changes) => changes,
        Err(misfit) => return Err(diff::tell(&mutation.file, &misfit)),
    };
    let (author, committer) = identity::identities(&applied.git_dir)?;
    let by = Authorship { author, committer, seconds: series.date.as_second() };
    let tree = repo.change_tree(&tip.tree, &changes)?;
    let commit = repo.commit(&tip.commit, &tree, &format!("mutation: {}\n", mutation.breaks), &by)?;
    Ok(Subject { name: mutation.name.clone(), commit, tree })
}

/// Builds and boots mutated commits, and tells of each as soon as there is a verdict.
///
/// Selftests are those that `base` has.
pub fn run(
    (project, base): (&Project, &str),
    prover: &mut Prover<'_>,
    (subjects, mutations): (&[Subject], &[&Mutation]),
    mut tell: impl FnMut(Verdict),
) -> Result<()> {
    let with = |selftests: bool| {
        let all =
            subjects.iter().zip(mutations).filter(move |(_, mutation)| mutation.selftests.is_empty() != selftests);
        all.map(|(subject, mutation)| (subject.clone(), *mutation)).unzip::<_, _, Vec<_>, Vec<_>>()
    };
    let (subjects, mutations) = with(false);
    let mut booted = mutations.iter();
    prover.prove(&subjects, |proved| {
        let mutation = booted.next().context("there is a mutation for each commit")?;
        tell(verdict(mutation, proved)?);
        Ok(())
    })?;
    let (subjects, mutations) = with(true);
    for (subject, mutation) in subjects.iter().zip(mutations) {
        let table = selftests::load(project)?.select(&mutation.selftests)?.on(base, prover.config())?;
        let tested = prover.selftest(subject, &table)?.proof;
        builds(mutation, &tested.build_errors)?;
        let passed = |name: &str| tested.tests.iter().any(|test| test.name == name && !test.failed());
        tell(judge(mutation, passed, &tested.problems));
    }
    Ok(())
}

fn builds(mutation: &Mutation, errors: &[String]) -> Result<()> {
    let (file, errors) = (mutation.file.display(), errors.join("; "));
    ensure!(errors.is_empty(), "{file}: it does not build, which shows nothing: {errors}");
    Ok(())
}

fn verdict(mutation: &Mutation, proved: Proved) -> Result<Verdict> {
    builds(mutation, &proved.proof.build_errors)?;
    let boot = proved.proof.boot.with_context(|| format!("{}: it was not booted", mutation.file.display()))?;
    // Unless the kernel said just what it had to say.
    let said = mutation.says.as_deref().is_some_and(|text| says(&boot.problems, text));
    if !said && !boot.suites.iter().any(|suite| suite.outcome == Outcome::Passed) {
        bail!("{}: no suite passed at all, which shows nothing: see {}", mutation.file.display(), boot.log.display());
    }
    let passed = |name: &str| boot.suites.iter().any(|s| s.name == name && s.outcome == Outcome::Passed);
    Ok(judge(mutation, passed, &boot.problems))
}

/// Whether `text` is part of what was wrong.
fn says(problems: &[String], text: &str) -> bool {
    problems.iter().any(|problem| problem.contains(text))
}

fn judge(mutation: &Mutation, passed: impl Fn(&str) -> bool, problems: &[String]) -> Verdict {
    let (mut survived, mut failed) = mutation.suites.iter().cloned().partition::<Vec<String>, _>(|name| passed(name));
    if let Some(text) = &mutation.says {
        let whose = if says(problems, text) { &mut failed } else { &mut survived };
        whose.push(format!("{text:?}"));
    }
    Verdict {
        mutation: mutation.name.clone(),
        breaks: mutation.breaks.clone(),
        failed,
        survived,
        problems: problems.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::parse;

    #[test]
    fn a_mutation_says_what_it_breaks_and_who_has_to_notice() {
        let text = "# A ref is lost.\n# must fail: net_txbuf, net_txbuf_skb\ndiff --git a/x b/x\n".to_owned();
        let mutation = parse(Path::new("m/lost-ref.diff"), text).expect("it is whole");
        assert_eq!((mutation.name.as_str(), mutation.breaks.as_str()), ("lost-ref", "A ref is lost."));
        assert_eq!(mutation.suites, ["net_txbuf", "net_txbuf_skb"]);
        assert_eq!((mutation.says, mutation.config.as_str()), (None, "net"));
    }

    #[test]
    fn a_mutation_may_name_its_configuration_and_what_the_kernel_says() {
        let text = "# It is freed early.\n# config: debug\n# must say: BUG: KASAN\ndiff --git a/x b/x\n".to_owned();
        let mutation = parse(Path::new("m/early.diff"), text).expect("it is whole");
        assert_eq!((mutation.config.as_str(), mutation.says.as_deref()), ("debug", Some("BUG: KASAN")));
        assert!(mutation.suites.is_empty());
        let some = "# It is freed early.\n# suites: net_txmsg*\n# must say: BUG: KASAN\n";
        let mutation = parse(Path::new("m/early.diff"), some.to_owned()).expect("it is whole");
        assert_eq!(mutation.run.as_deref(), Some("net_txmsg*"));
        let error = parse(Path::new("m/early.diff"), some.replace("net_txmsg*", "a b")).expect_err("it has a space");
        assert_eq!(error.to_string(), "m/early.diff: suites: a b is no pattern of suites' names");
        let other = "# It is freed early.\n# config: other\n# must say: BUG: KASAN\n".to_owned();
        let error = parse(Path::new("m/early.diff"), other).expect_err("there is no such configuration");
        assert_eq!(error.to_string(), "m/early.diff: there is no configuration other");
    }

    #[test]
    fn a_mutation_that_nobody_has_to_notice_is_refused_with_its_line() {
        let error = parse(Path::new("m/x.diff"), "# A ref is lost.\ndiff --git a/x b/x\n".to_owned());
        let error = error.expect_err("it names no suite");
        assert_eq!(error.to_string(), "m/x.diff:2: no line `# must fail: SUITE, ...` or `# must say: TEXT`");
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Mutations: changes that break the last patch of a series on purpose, and the suites that have to notice.
//!
//! A mutation is a .diff that starts with `# what it breaks` and `# must fail: SUITE, ...`. It is caught if each of
//! these suites fails, or does not get to its end because the kernel crashed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::files;
use crate::git::{Authorship, Repo, diff, identity};
use crate::project::Project;
use crate::prove::{Proved, Prover, Subject};
use crate::series::{Applied, Series};
use crate::vm::Boot;
use crate::vm::ktap::Outcome;

/// A mutation as its file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutation {
    /// Name of the file, without its ending.
    pub name: String,
    /// What it breaks.
    pub breaks: String,
    /// The suites that have to fail.
    pub suites: Vec<String>,
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
    /// Suites that failed or did not end.
    pub failed: Vec<String>,
    /// Suites that should have failed and passed.
    pub survived: Vec<String>,
    /// What else was wrong with the boot: crashes and splats.
    pub problems: Vec<String>,
}

/// The mutations in vm-tests/mutations/, sorted by name.
pub fn load(project: &Project) -> Result<Vec<Mutation>> {
    let dir = project.vm_tests().join("mutations");
    let mut mutations = Vec::new();
    for entry in std::fs::read_dir(&dir).with_context(|| format!("list {}", dir.display()))? {
        let path = entry.with_context(|| format!("list {}", dir.display()))?.path();
        if path.extension().is_some_and(|ending| ending == "diff") {
            mutations.push(parse(&path, files::read(&path)?)?);
        }
    }
    mutations.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(mutations)
}

fn parse(file: &Path, diff: String) -> Result<Mutation> {
    let name = file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let mut notes = diff.lines().map_while(|line| line.strip_prefix("# "));
    let breaks = notes.next().with_context(|| format!("{}:1: no line `# what it breaks`", file.display()))?.to_owned();
    let suites = notes.find_map(|note| note.strip_prefix("must fail: "));
    let suites = suites.with_context(|| format!("{}:2: no line `# must fail: SUITE, ...`", file.display()))?;
    let suites = suites.split(',').map(|suite| suite.trim().to_owned()).collect();
    Ok(Mutation { name, breaks, suites, file: file.to_owned(), diff })
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
pub fn run(
    prover: &mut Prover<'_>,
    (subjects, mutations): (&[Subject], &[&Mutation]),
    mut tell: impl FnMut(Verdict),
) -> Result<()> {
    let mut mutations = mutations.iter();
    prover.prove(subjects, |proved| {
        let mutation = mutations.next().context("there is a mutation for each commit")?;
        tell(verdict(mutation, proved)?);
        Ok(())
    })
}

fn verdict(mutation: &Mutation, proved: Proved) -> Result<Verdict> {
    let Some(boot) = proved.proof.boot else {
        bail!(
            "{}: it does not build, which shows nothing: {}",
            mutation.file.display(),
            proved.proof.build_errors.join("; ")
        );
    };
    if !boot.suites.iter().any(|suite| suite.outcome == Outcome::Passed) {
        bail!("{}: no suite passed at all, which shows nothing: see {}", mutation.file.display(), boot.log.display());
    }
    Ok(judge(mutation, &boot))
}

fn judge(mutation: &Mutation, boot: &Boot) -> Verdict {
    let passed = |name: &&String| boot.suites.iter().any(|s| s.name == **name && s.outcome == Outcome::Passed);
    let (survived, failed) = mutation.suites.iter().cloned().partition(|name| passed(&name));
    Verdict {
        mutation: mutation.name.clone(),
        breaks: mutation.breaks.clone(),
        failed,
        survived,
        problems: boot.problems.clone(),
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
    }

    #[test]
    fn a_mutation_that_nobody_has_to_notice_is_refused_with_its_line() {
        let error = parse(Path::new("m/x.diff"), "# A ref is lost.\ndiff --git a/x b/x\n".to_owned());
        let error = error.expect_err("it names no suite");
        assert_eq!(error.to_string(), "m/x.diff:2: no line `# must fail: SUITE, ...`");
    }
}

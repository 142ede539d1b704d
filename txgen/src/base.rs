// SPDX-License-Identifier: GPL-2.0
//! Where base trees come from: series/bases.toml, managed imports, the maintainer's own clone.

pub mod apt;
pub mod debian;
pub mod fetch;
pub mod import;
pub mod record;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use self::record::Record;
use crate::git::{Found, Repo};
use crate::project::Project;

/// A kernel tree that series apply to, found in some git repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Its name in series/bases.toml, or the ref that was given with `--tree`.
    pub name: String,
    /// The git directory that holds it.
    pub git_dir: PathBuf,
    /// Its commit, 40 hex digits.
    pub commit: String,
    /// Its tree, 40 hex digits.
    pub tree: String,
}

/// The managed bare repository that holds the bases.
pub fn managed(project: &Project) -> PathBuf {
    project.cache.join("linux.git")
}

fn base_ref(name: &str) -> String {
    format!("refs/txgen/bases/{name}")
}

/// Finds a base: one of series/bases.toml in the managed repository or, with `tree`, any ref of that clone.
pub fn resolve(project: &Project, name_or_ref: &str, tree: Option<&Path>) -> Result<Base> {
    let base = match tree {
        Some(dir) => in_clone(name_or_ref, dir)?,
        None => in_managed(project, name_or_ref)?,
    };
    kernel_version(&Repo::open(&base.git_dir)?, &base.tree).with_context(|| format!("base {name_or_ref}"))?;
    Ok(base)
}

fn in_clone(reference: &str, dir: &Path) -> Result<Base> {
    if !dir.is_dir() {
        bail!("there is no kernel tree {}", dir.display());
    }
    let repo = Repo::open(dir)?;
    if reference == "HEAD" && repo.is_dirty()? {
        bail!(
            "{} has changes that are not committed, so its HEAD is not what you see: commit or stash them, \
             or name a ref with --base",
            dir.display()
        );
    }
    let Found { commit, tree } = repo.resolve(reference)?;
    Ok(Base { name: reference.to_owned(), git_dir: repo.git_dir().to_owned(), commit, tree })
}

fn in_managed(project: &Project, name: &str) -> Result<Base> {
    let record = record::find(project, name)?;
    let Some(base) = fetched(project, &record)? else {
        bail!("base {name} was not fetched: run `txgen base fetch {name}`, or give --tree DIR");
    };
    if let Some(recorded) = record.tree.as_ref().filter(|recorded| **recorded != base.tree) {
        bail!(
            "base {name} was fetched with tree {}, series/bases.toml records {recorded}: run \
             `txgen base fetch {name}`",
            base.tree
        );
    }
    Ok(base)
}

/// The base of a record as the managed repository has it; `None` where it was not fetched.
pub fn fetched(project: &Project, record: &Record) -> Result<Option<Base>> {
    let git_dir = managed(project);
    let found = if git_dir.is_dir() { Repo::open(&git_dir)?.read_ref(&base_ref(&record.name))? } else { None };
    Ok(found.map(|Found { commit, tree }| Base { name: record.name.clone(), git_dir, commit, tree }))
}

/// The version a kernel tree gives itself; an error where it is no kernel tree.
pub fn kernel_version(repo: &Repo, tree: &str) -> Result<String> {
    for path in ["Makefile", "Kbuild", "Kconfig", "MAINTAINERS"] {
        if repo.file(tree, path)?.is_none() {
            bail!("this is no kernel tree: it has no {path} at its top");
        }
    }
    let makefile = repo.file(tree, "Makefile")?.map(|blob| blob.bytes).unwrap_or_default();
    let makefile = String::from_utf8_lossy(&makefile);
    let value = |key: &str| {
        let line = makefile.lines().find_map(|l| l.strip_prefix(key)?.trim_start().strip_prefix('='));
        line.map(|value| value.trim().to_owned())
    };
    let (Some(version), Some(level)) = (value("VERSION"), value("PATCHLEVEL")) else {
        bail!("this is no kernel tree: its Makefile sets no VERSION and PATCHLEVEL");
    };
    let sub = value("SUBLEVEL").filter(|sub| !sub.is_empty()).map_or_else(String::new, |sub| format!(".{sub}"));
    Ok(format!("{version}.{level}{sub}{}", value("EXTRAVERSION").unwrap_or_default()))
}

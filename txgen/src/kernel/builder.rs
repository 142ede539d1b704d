// SPDX-License-Identifier: GPL-2.0
//! Kernels of one repository in one configuration, built one after the other in one folder.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};

use super::build::{Build, Folder};
use super::config::{Config, configure_at};
use super::panics;
use super::rust::Rust;
use super::worktree::{Purpose, Worktree};
use crate::project::Project;

/// What builds them; the tree is taken at the first use.
#[derive(Debug)]
pub struct Builder<'a> {
    /// The project, for the cache.
    pub project: &'a Project,
    /// The configuration of all of them.
    pub config: Config,
    /// How many commands make may run at once, if not as many as there are processors.
    pub jobs: Option<NonZeroUsize>,
    /// When a build is given up, with an error.
    pub deadline: Option<Instant>,
    git_dir: PathBuf,
    purpose: Purpose,
    worktree: Option<Worktree>,
    /// The commit that the folder was configured at.
    configured: Option<String>,
}

impl<'a> Builder<'a> {
    /// A builder of commits in `git_dir`; nothing is done yet.
    pub fn new(project: &'a Project, git_dir: &Path, config: Config, purpose: Purpose) -> Self {
        let (jobs, deadline, git_dir) = (None, None, git_dir.to_owned());
        Self { project, config, jobs, deadline, git_dir, purpose, worktree: None, configured: None }
    }

    /// Takes the tree, waiting for whoever has it, and keeps it.
    pub fn take_tree(&mut self) -> Result<()> {
        if self.worktree.is_none() {
            self.worktree = Some(Worktree::lock(self.project, &self.git_dir, self.purpose)?);
        }
        Ok(())
    }

    /// Builds `commit`, called `name` where it is told of; Rust code of the project that can panic is an error of the
    /// build. Everything that make says goes to `log`.
    pub fn build(&mut self, name: &str, commit: &str, log: &Path) -> Result<(Folder, Build)> {
        self.take_tree()?;
        let worktree = self.worktree.as_ref().context("the tree was taken")?;
        worktree.checkout(&self.git_dir, commit)?;
        let rust = Rust::of(self.project, &self.config.text)?;
        let folder = Folder::open(self.project, worktree, &self.config.name)?.with_jobs(self.jobs);
        let folder = folder.with_rust(rust.as_ref());
        configure_at(&self.git_dir, &mut self.configured, commit, || folder.configure(&self.config))?;
        let mut built = folder.build(&format!("build {name} ({})", self.config.name), log, self.deadline)?;
        if rust.is_some() && matches!(built, Build::Built(_)) {
            let found = panics::find(self.project, &folder).context("look for panics in Rust code")?;
            if !found.is_empty() {
                built = Build::Failed(found);
            }
        }
        Ok((folder, built))
    }
}

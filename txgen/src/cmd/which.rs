// SPDX-License-Identifier: GPL-2.0
//! Which series a command works on, and on which base: arguments that commands share.

use std::path::PathBuf;

use anyhow::Result;

use crate::base::{self, Base};
use crate::project::Project;
use crate::rebase::write;
use crate::series::{self, Applied, Series};

/// A series and a base.
#[derive(Debug, Clone, clap::Args)]
pub struct Which {
    /// Series, a folder of series/
    pub name: String,
    /// Base of series/bases.toml (the series' own otherwise) or, with --tree, any ref of that clone (HEAD otherwise)
    #[arg(long, value_name = "BASE")]
    pub base: Option<String>,
    /// Work in this clone of the kernel, not in the managed repository
    #[arg(long, value_name = "DIR")]
    pub tree: Option<PathBuf>,
}

impl Which {
    /// Loads the series and finds the base.
    pub fn find(&self, project: &Project) -> Result<(Series, Base)> {
        let series = series::load(project, &self.name)?;
        let own = if self.tree.is_some() { "HEAD" } else { series.base.as_str() };
        let base = base::resolve(project, self.base.as_deref().unwrap_or(own), self.tree.as_deref())?;
        Ok((series, base))
    }

    /// Loads the series and applies it to the base.
    pub fn apply(&self, project: &Project, signoff: bool) -> Result<(Series, Applied)> {
        let _lock = write::hold(project, &self.name)?;
        let (series, base) = self.find(project)?;
        let applied = series::apply_series(project, &series, &base, signoff, false)?;
        Ok((series, applied))
    }

    /// Loads the series and builds its commits on the base; the branch stays where it is.
    pub fn build(&self, project: &Project, signoff: bool) -> Result<(Series, Applied)> {
        let (series, base) = self.find(project)?;
        let foot = series::stack::foot(project, &series, &base, signoff)?;
        let patches = series::apply::build_on(project, &series, &base, &foot.base, signoff)?;
        let (name, branch) = (series.name.clone(), series::apply::branch(&series.name));
        let git_dir = base.git_dir;
        Ok((series, Applied { name, base: foot.base, git_dir, branch, patches, beneath: foot.beneath }))
    }
}

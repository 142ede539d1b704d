// SPDX-License-Identifier: GPL-2.0
//! Kernels to be counted: built in one folder, one after the other, and kept.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::files;
use crate::kernel::build::{Build, Folder};
use crate::kernel::config::Config;
use crate::kernel::worktree::{Purpose, Worktree};
use crate::project::Project;
use crate::prove::Subject;

/// Files of a build folder that are kept, the last one written last.
const KEPT: &[&str] = &["System.map", "vmlinux", "arch/x86/boot/bzImage"];

/// A kernel that was built.
#[derive(Debug, Clone)]
pub struct Kernel {
    /// bzImage.
    pub image: PathBuf,
    /// System.map.
    pub map: PathBuf,
    /// vmlinux.
    pub vmlinux: PathBuf,
}

/// Builds kernels of one repository in one configuration.
#[derive(Debug)]
pub struct Builder<'a> {
    project: &'a Project,
    git_dir: &'a Path,
    config: &'a Config,
    worktree: Option<Worktree>,
}

impl<'a> Builder<'a> {
    /// A builder of commits in `git_dir`.
    pub fn new(project: &'a Project, git_dir: &'a Path, config: &'a Config) -> Self {
        Self { project, git_dir, config, worktree: None }
    }

    /// The kernel of `subject`, built unless the folder `run` has it.
    pub fn build(&mut self, subject: &Subject, run: &Path) -> Result<Kernel> {
        let kept = |name: &str| run.join(Path::new(name).file_name().unwrap_or_default());
        let [map, vmlinux, image] = [0, 1, 2].map(|index| kept(KEPT[index]));
        let kernel = Kernel { image, map, vmlinux };
        if kernel.image.is_file() {
            return Ok(kernel);
        }
        let worktree = match self.worktree.take() {
            Some(worktree) => worktree,
            None => Worktree::lock(self.project, self.git_dir, Purpose::Bench)?,
        };
        let worktree = self.worktree.insert(worktree);
        worktree.checkout(self.git_dir, &subject.commit)?;
        let folder = Folder::open(self.project, worktree, &self.config.name)?;
        folder.configure(self.config)?;
        let log = run.join("build.log");
        let what = format!("build {} ({})", subject.name, self.config.name);
        if let Build::Failed(errors) = folder.build(&what, &log)? {
            bail!("{} does not build (whole log: {}): {}", subject.name, log.display(), errors.join("; "));
        }
        for name in KEPT {
            let from = folder.dir.join(name);
            let bytes = std::fs::read(&from).with_context(|| format!("read {}", from.display()))?;
            files::write_atomic(&kept(name), &bytes)?;
        }
        Ok(kernel)
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Where things are: the project's folders and the cache, and how files of the project are read.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

mod given;

/// The folders a command works on.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder that holds series/bases.toml.
    pub root: PathBuf,
    /// Base trees, build folders, ccache and proofs; `$TXGEN_CACHE`, else ~/.cache/txgen.
    pub cache: PathBuf,
}

impl Project {
    /// Opens the project at `root`, or the one around the working folder.
    pub fn open(root: Option<&Path>) -> Result<Self> {
        let here = env::current_dir().context("find the working folder")?;
        let root =
            match root {
                Some(dir) if is_root(dir) => here.join(dir),
                Some(dir) => bail!("{} is no txgen project: it has no series/bases.toml", dir.display()),
                None => here.ancestors().find(|dir| is_root(dir)).map(Path::to_path_buf).context(
                    "no series/bases.toml here or above: run txgen inside its project, or give --project DIR",
                )?,
            };
        Ok(Self { root, cache: cache_folder()? })
    }

    /// `path` as it is told to people: relative to the project where it is in it.
    pub fn relative(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_owned()
    }

    /// kernel-overlay/: files new to the kernel, in their final form.
    pub fn overlay(&self) -> PathBuf {
        self.root.join("kernel-overlay")
    }

    /// templates/: the tera templates.
    pub fn templates(&self) -> PathBuf {
        self.root.join("templates")
    }

    /// series/NAME/.
    pub fn series(&self, name: &str) -> PathBuf {
        self.root.join("series").join(name)
    }

    /// series/bases.toml.
    pub fn bases_file(&self) -> PathBuf {
        self.root.join("series/bases.toml")
    }

    /// vm-tests/: kernel configs, virtme-ng's pin, guest scripts.
    pub fn vm_tests(&self) -> PathBuf {
        self.root.join("vm-tests")
    }
}

fn is_root(dir: &Path) -> bool {
    dir.join("series/bases.toml").is_file()
}

fn cache_folder() -> Result<PathBuf> {
    if let Some(dir) = env::var_os("TXGEN_CACHE").filter(|dir| !dir.is_empty()) {
        return std::path::absolute(PathBuf::from(dir)).context("resolve $TXGEN_CACHE");
    }
    let home = env::var_os("HOME").context("neither $TXGEN_CACHE nor $HOME is set: no place for the cache")?;
    Ok(PathBuf::from(home).join(".cache/txgen"))
}

// SPDX-License-Identifier: GPL-2.0
//! Kernels to be counted, which are kept.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::files;
use crate::kernel::build::Build;
use crate::kernel::builder::Builder;
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

/// The kernel of `subject`, built unless the folder `run` has it.
pub fn built(builder: &mut Builder<'_>, subject: &Subject, run: &Path) -> Result<Kernel> {
    let kept = |name: &str| run.join(Path::new(name).file_name().unwrap_or_default());
    let [map, vmlinux, image] = [0, 1, 2].map(|index| kept(KEPT[index]));
    let kernel = Kernel { image, map, vmlinux };
    if kernel.image.is_file() {
        return Ok(kernel);
    }
    let log = run.join("build.log");
    let (folder, built) = builder.build(&subject.name, &subject.commit, &log)?;
    if let Build::Failed(errors) = built {
        bail!("{} does not build (whole log: {}): {}", subject.name, log.display(), errors.join("; "));
    }
    for name in KEPT {
        let from = folder.dir.join(name);
        let bytes = std::fs::read(&from).with_context(|| format!("read {}", from.display()))?;
        files::write_atomic(&kept(name), &bytes)?;
    }
    Ok(kernel)
}

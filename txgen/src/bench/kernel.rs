// SPDX-License-Identifier: GPL-2.0
//! Kernels to be counted, which are kept.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::files;
use crate::kernel::build::{Build, IMAGE, Image};
use crate::kernel::builder::Builder;
use crate::prove::Subject;

/// Files of a build folder that are kept, the last one written last.
const KEPT: &[&str] = &["System.map", "vmlinux", IMAGE];

/// The file with the number of the build.
const NUMBER: &str = "build-number";

/// A kernel that was built.
#[derive(Debug, Clone)]
pub struct Kernel {
    /// bzImage, and the number of its build.
    pub image: Image,
    /// System.map.
    pub map: PathBuf,
    /// vmlinux.
    pub vmlinux: PathBuf,
}

/// The kernel of `subject`, built unless the folder `run` has it.
pub fn built(builder: &mut Builder<'_>, subject: &Subject, run: &Path) -> Result<Kernel> {
    let kept = |name: &str| run.join(Path::new(name).file_name().unwrap_or_default());
    let [map, vmlinux, image] = [0, 1, 2].map(|index| kept(KEPT[index]));
    let number_file = run.join(NUMBER);
    let kernel =
        |number| Kernel { image: Image { path: image.clone(), number }, map: map.clone(), vmlinux: vmlinux.clone() };
    if image.is_file() && number_file.is_file() {
        let number = files::read(&number_file)?.trim().parse();
        return Ok(kernel(number.with_context(|| format!("read {}", number_file.display()))?));
    }
    let log = run.join("build.log");
    let (folder, built) = builder.build(&subject.name, &subject.commit, &log)?;
    let built = match built {
        Build::Built(built) => built,
        Build::Failed(errors) => {
            bail!("{} does not build (whole log: {}): {}", subject.name, log.display(), errors.join("; "))
        }
    };
    files::remove_file(&image)?;
    files::write_atomic(&number_file, format!("{}\n", built.number).as_bytes())?;
    for name in KEPT {
        let from = folder.dir.join(name);
        let bytes = std::fs::read(&from).with_context(|| format!("read {}", from.display()))?;
        files::write_atomic(&kept(name), &bytes)?;
    }
    Ok(kernel(built.number))
}

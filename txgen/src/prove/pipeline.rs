// SPDX-License-Identifier: GPL-2.0
//! The two halves of a proof that run side by side: a kernel is made, and booted while the next one is made.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::folder::RunFolder;
use super::quick::{Built, Quick};
use super::{KIND, Proof, Proved, Subject, key, known};
use crate::files;
use crate::kernel::build::{Build, Image};
use crate::kernel::builder::Builder;
use crate::project::Project;
use crate::proof;
use crate::selftests::build::Programs;
use crate::vm::guest::{self, Guest, Limits};
use crate::vm::{self, Accel, Boot};

pub(super) fn accelerator(known: &mut Option<Accel>, image: &Path) -> Result<Accel> {
    if let Some(accel) = known {
        return Ok(accel.clone());
    }
    let accel = vm::accelerator(image)?;
    match &accel {
        Accel::Kvm => crate::output::eprintln!("boot: under KVM, which a probe boot showed to work"),
        Accel::Tcg { why } => crate::output::eprintln!("boot: under TCG, as {why}"),
    }
    Ok(known.insert(accel).clone())
}

/// A kernel to be booted, or what makes that needless.
pub(super) enum Made {
    /// The record of an earlier run.
    Recorded(Proof),
    /// It does not build, as far as it is proved.
    Broken(Proof),
    /// The image and the programs of the tests that run beside KUnit's, in the folder of the run, and the proof but for
    /// the boot.
    Image { key: String, run: RunFolder, image: Image, programs: Option<Programs>, proof: Proof },
}

/// Makes kernels: the part of a [`Prover`] that runs beside the boots.
pub(super) struct Maker<'a> {
    pub(super) project: &'a Project,
    pub(super) force: bool,
    pub(super) toolchain: &'a [String],
    pub(super) tests: &'a str,
    pub(super) quick: &'a Quick,
    /// The programs of the kernel before.
    pub(super) programs: Option<Built>,
}

impl Maker<'_> {
    pub(super) fn make(&mut self, builder: &mut Builder<'_>, subject: &Subject) -> Result<Made> {
        let key = key(&subject.tree, &builder.config, self.toolchain, self.tests);
        if let Some(proof) = self.recorded(subject, &key)? {
            return Ok(Made::Recorded(proof));
        }
        builder.take_tree()?;
        let run = RunFolder::take(self.project, &key)?;
        // Whoever had them may have shown just this.
        if let Some(proof) = self.recorded(subject, &key)? {
            return Ok(Made::Recorded(proof));
        }
        run.begin()?;
        let build_log = run.dir.join("build.log");
        let (folder, built) = builder.build(&subject.name, &subject.commit, &build_log)?;
        let mut proof = Proof {
            tree: subject.tree.clone(),
            config: builder.config.name.clone(),
            toolchain: self.toolchain.to_vec(),
            build_errors: Vec::new(),
            build_log,
            boot: None,
        };
        let image = match built {
            Build::Built(image) => image,
            Build::Failed(errors) => {
                proof.build_errors = errors;
                run.end(&proof.tree, &proof.config, 0.0)?;
                return Ok(Made::Broken(proof));
            }
        };
        let image = copied(&image, &run.dir)?;
        let programs = self.quick.build(self.project, &folder, &run.dir, &mut self.programs)?;
        Ok(Made::Image { key, run, image, programs, proof })
    }

    fn recorded(&self, subject: &Subject, key: &str) -> Result<Option<Proof>> {
        if self.force { Ok(None) } else { known(self.project, &subject.tree, key) }
    }
}

/// The image in the folder of the run: the next build writes over that of this one.
fn copied(image: &Image, run: &Path) -> Result<Image> {
    let path = run.join("bzImage");
    fs::copy(&image.path, &path).with_context(|| format!("copy {} to {}", image.path.display(), path.display()))?;
    Ok(Image { path, number: image.number })
}

/// Boots kernels, and records those that pass.
pub(super) struct Booter<'a> {
    pub(super) project: &'a Project,
    pub(super) boots: u32,
    pub(super) limits: Limits,
    pub(super) accel: &'a mut Option<Accel>,
    pub(super) quick: &'a Quick,
    pub(super) kernel_args: &'a [&'a str],
}

impl Booter<'_> {
    pub(super) fn finish(&mut self, subject: &Subject, made: Made) -> Result<Proved> {
        let (recorded, proof) = match made {
            Made::Recorded(proof) => (true, proof),
            Made::Broken(proof) => (false, proof),
            Made::Image { key, run, image, programs, mut proof } => {
                let boot = self.boot(&image, programs.as_ref(), &run.dir)?;
                run.end(&proof.tree, &proof.config, boot.seconds)?;
                proof.boot = Some(boot);
                if proof.passed() {
                    files::remove_file(&image.path)?;
                    programs.iter().try_for_each(|programs| files::remove_file(&programs.archive))?;
                    proof::store(self.project, KIND, &key, &proof)?;
                }
                (false, proof)
            }
        };
        let (patch, commit) = (subject.name.clone(), subject.commit.clone());
        Ok(Proved { patch, commit, recorded, regressions: Vec::new(), proof })
    }

    fn boot(&mut self, image: &Image, programs: Option<&Programs>, run: &Path) -> Result<Boot> {
        let accel = accelerator(self.accel, &image.path)?;
        let mut boot = self.boot_once(image, &accel, programs, run)?;
        for n in 2..=self.boots {
            if !boot.passed() {
                break;
            }
            crate::output::eprintln!("boot: {n} of {}", self.boots);
            boot = self.boot_once(image, &accel, programs, run)?;
        }
        Ok(boot)
    }

    fn boot_once(&self, image: &Image, accel: &Accel, programs: Option<&Programs>, run: &Path) -> Result<Boot> {
        let shared = &guest::share(self.project, run)?;
        if let Some(programs) = programs {
            self.quick.give(self.project, shared, programs)?;
        }
        let limits = self.limits;
        let kernel_args = self.kernel_args;
        let guest = Guest { image, accel, kernel_args, shared, limits, results: 0 };
        let mut boot = vm::boot(self.project, guest)?;
        if let Some(programs) = programs {
            let (suites, problems) = self.quick.read(shared, programs)?;
            boot.suites.extend(suites);
            boot.problems.extend(problems);
        }
        Ok(boot)
    }
}

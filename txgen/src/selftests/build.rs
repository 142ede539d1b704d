// SPDX-License-Identifier: GPL-2.0
//! Builds the programs of selftests from the sources of the tree under test, in a copy of these: the tree stays as it is.
//! Modules come from the build folder of the kernel, which has them already.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::Table;
use crate::files;
use crate::git::program;
use crate::kernel::build::{self, Folder};
use crate::process::{self, Run};
use crate::progress::Progress;
use crate::project::Project;

/// The longest that the programs of a folder may take to build.
const TIMEOUT: Duration = Duration::from_secs(1800);
/// What of a kernel tree the headers are made from that it installs.
const HEADERS: &[&str] = &["Makefile", "arch/x86", "include/uapi", "scripts"];
/// Sources and objects are not needed in the guest.
const NOT_PACKED: &[&str] = &["*.c", "*.h", "*.o", "*.d", "*.rst"];

/// The programs, packed for the guest.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The archive with the folders of the table.
    pub archive: PathBuf,
    /// Tests of the table that the tree does not have.
    pub absent: BTreeSet<String>,
    /// What did not build; the tests that need it fail.
    pub errors: Vec<String>,
}

/// Builds what `table` needs beside the build folder `kernel`; what make says goes to `log`.
pub fn build(project: &Project, kernel: &Folder, table: &Table, log: &Path) -> Result<Programs> {
    let progress = Progress::start("build selftests", 0);
    let dir = kernel.dir.with_file_name("selftests");
    files::remove_dir(&dir)?;
    files::make_dir(&dir)?;
    Run::new("cp", ["-a", "--parents", "--"]).args(&table.sources).arg(&dir).dir(&kernel.tree).check()?;
    for (from, to) in table.own_folders() {
        // What it shares with the kernel's tests is a link.
        Run::new("cp", ["-RL", "--"]).arg(project.root.join(from)).arg(dir.join(to)).check()?;
    }
    let headers = format!("INSTALL_HDR_PATH={}", dir.join("usr").display());
    kernel.make(&["headers_install", &headers]).check().context("install the kernel's headers for its selftests")?;
    let absent = absent(&dir, &kernel.tree, table);
    let mut said = String::new();
    let mut errors = Vec::new();
    for (folder, programs) in wanted(table, &absent) {
        let made = make(&dir.join(folder), &programs)?;
        errors.extend(made.errors.into_iter().map(|error| format!("{folder}: {error}")));
        said.push_str(&made.said);
    }
    errors.extend(put_modules(&dir, kernel, table, &absent)?);
    files::write_atomic(log, said.as_bytes())?;
    let archive = dir.with_file_name("selftests.tar");
    pack(&dir, table, &archive)?;
    progress.done(if errors.is_empty() { "built" } else { "failed" });
    Ok(Programs { archive, absent, errors })
}

/// What of its tree the programs of `table` are built from beside the build folder `kernel`: where that is the same, so are
/// they. `None` where modules, which the kernel's own build makes, are among them.
pub fn built_from(kernel: &Folder, table: &Table) -> Result<Option<String>> {
    if table.tests().any(|(_, test)| !test.modules.is_empty()) {
        return Ok(None);
    }
    let paths = table.sources.iter().map(String::as_str).chain(HEADERS.iter().copied());
    let listed = program::in_own_tree(&kernel.tree).args(["ls-tree", "HEAD", "--"]).args(paths).check();
    Ok(Some(listed.context("list what the selftests are built from")?.text()))
}

/// All that is in the project's own folders of `table`, as text that differs when any of it does.
pub fn own_sources(project: &Project, table: &Table) -> Result<String> {
    let mut all = String::new();
    for (folder, _) in table.own_folders() {
        let dir = project.root.join(folder);
        let entries = std::fs::read_dir(&dir).with_context(|| format!("read {}", dir.display()))?;
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        paths.sort();
        for path in paths {
            all += &project.relative(&path).display().to_string();
            all += "\n";
            all += &files::read(&path)?;
        }
    }
    Ok(all)
}

/// The names of the tests that have a source or a script which is not there, or a module that `tree` has no source of.
fn absent(dir: &Path, tree: &Path, table: &Table) -> BTreeSet<String> {
    let here = |folder: &str, file: &str| dir.join(folder).join(file).is_file();
    let has_source = |module: &String| ["c", "rs"].iter().any(|kind| tree.join(module).with_extension(kind).is_file());
    let lacks = table.tests().filter(|(folder, test)| {
        let sources = test.builds.iter().map(|program| format!("{program}.c"));
        let all_here = sources.chain(test.scripts.iter().cloned()).all(|file| here(&folder.path, &file));
        !all_here || !test.modules.iter().all(has_source)
    });
    lacks.map(|(_, test)| test.name.clone()).collect()
}

/// Puts modules of `kernel` into the folders of the tests that load them; returns which are not there.
fn put_modules(dir: &Path, kernel: &Folder, table: &Table, absent: &BTreeSet<String>) -> Result<Vec<String>> {
    let mut errors = Vec::new();
    for (folder, test) in table.tests().filter(|(_, test)| !absent.contains(&test.name)) {
        for module in &test.modules {
            let Some(from) = kernel.module(module)? else {
                errors.push(format!("{module}: the configuration has no such module"));
                continue;
            };
            let to = dir.join(&folder.path).join(from.file_name().context("a module has a name")?);
            std::fs::copy(&from, &to).with_context(|| format!("copy {} to {}", from.display(), to.display()))?;
        }
    }
    Ok(errors)
}

/// The programs of each folder that tests need.
fn wanted<'a>(table: &'a Table, absent: &BTreeSet<String>) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut wanted = BTreeMap::<_, BTreeSet<_>>::new();
    for (folder, test) in table.tests().filter(|(_, test)| !absent.contains(&test.name)) {
        wanted.entry(folder.path.as_str()).or_default().extend(test.builds.iter().map(String::as_str));
    }
    wanted
}

struct Made {
    said: String,
    errors: Vec<String>,
}

/// Builds programs of a folder; a program that does not build does not keep the others from it.
fn make(dir: &Path, programs: &BTreeSet<&str>) -> Result<Made> {
    // kselftest's lib.mk has rules for absolute paths only; other Makefiles for plain names.
    let lib = files::read(&dir.join("Makefile"))?.contains("lib.mk");
    let target = |name: &&str| if lib { dir.join(name).into_os_string() } else { name.into() };
    if programs.is_empty() {
        return Ok(Made { said: String::new(), errors: Vec::new() });
    }
    let run = Run::new("make", ["-k", "-C"])
        .arg(dir)
        .arg(format!("-j{}", build::jobs()))
        .args(programs.iter().map(target))
        .clear_env()
        .env("LC_ALL", "C")
        .timeout(TIMEOUT);
    let output = run.output().with_context(|| format!("build selftests in {}", dir.display()))?;
    let said = output.text() + &output.errors();
    let mut errors = build::errors(&said, dir);
    if !output.status.success() && errors.is_empty() {
        errors.extend(process::last_lines(&said, 5).lines().map(str::to_owned));
    }
    if output.status.success() && !errors.is_empty() {
        bail!("make succeeded in {} and said {}", dir.display(), errors.join("; "));
    }
    Ok(Made { said, errors })
}

fn pack(dir: &Path, table: &Table, archive: &Path) -> Result<()> {
    let paths = table.folder.iter().map(|folder| folder.path.as_str()).collect::<BTreeSet<_>>();
    let excludes = NOT_PACKED.iter().map(|pattern| format!("--exclude={pattern}"));
    let run = Run::new("tar", excludes).arg("-C").arg(dir).arg("-cf").arg(archive).args(paths);
    run.check().context("pack the selftests").map(drop)
}

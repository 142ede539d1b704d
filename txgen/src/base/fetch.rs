// SPDX-License-Identifier: GPL-2.0
//! Fetching a base into the managed repository: source, import, checks, record, and the ref last.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::fcntl::{Flock, FlockArg};

use super::debian::{self, Apt, Offer};
use super::record::{self, Record, Source};
use super::{Base, base_ref, import, kernel_version, managed};
use crate::files;
use crate::git::program;
use crate::git::{Found, Repo};
use crate::plain::visible_lines;
use crate::project::Project;

/// What a fetch came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The base.
    pub base: Base,
    /// Whether it was there already.
    pub already: bool,
    /// Whether series/bases.toml was written.
    pub recorded: bool,
}

/// What came from a source.
struct Import {
    commit: String,
    version: Option<String>,
    /// The package that was taken, where the source is one.
    package: Option<String>,
}

/// Fetches base `name`. With `record`, what was found becomes the record in series/bases.toml; otherwise
/// a tree that is not the recorded one is an error.
pub fn fetch(project: &Project, name: &str, record: bool) -> Result<Fetched> {
    let known = record::find(project, name)?;
    files::make_dir(&project.cache)?;
    let _lock = lock(&project.cache.join("bases.lock"))?;
    let repo = open_managed(project)?;
    let there = repo.read_ref(&base_ref(name))?;
    if let Some(found) = there.filter(|f| !record && known.tree.as_ref().is_none_or(|tree| *tree == f.tree)) {
        return Ok(Fetched { base: base_of(&known, &repo, found), already: true, recorded: false });
    }
    let scratch = Scratch::new(project.cache.join("fetch"))?;
    require_space(&project.cache)?;
    let import = from_source(project, &known, record, &repo, scratch.path())?;
    // The packs that were moved in are not known to the value that was opened before.
    let repo = Repo::open(&managed(project))?;
    let found = repo.resolve(&import.commit)?;
    let version = kernel_version(&repo, &found.tree).with_context(|| format!("base {name}"))?;
    let fresh = updated(&known, &import, &found, version);
    let recorded = take_record(project, &known, &fresh, record)?;
    repo.set_refs(&[&base_ref(name)], &found.commit, &format!("base fetch: {}", fresh.source.describe()))?;
    Ok(Fetched { base: base_of(&fresh, &repo, found), already: false, recorded })
}

fn base_of(record: &Record, repo: &Repo, found: Found) -> Base {
    let git_dir = repo.git_dir().to_owned();
    Base { name: record.name.clone(), git_dir, commit: found.commit, tree: found.tree }
}

fn lock(path: &Path) -> Result<Flock<File>> {
    let file = File::create(path).with_context(|| format!("make {}", path.display()))?;
    Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, e)| e).with_context(|| format!("lock {}", path.display()))
}

fn open_managed(project: &Project) -> Result<Repo> {
    let dir = managed(project);
    if dir.is_dir() { Repo::open(&dir) } else { Repo::init_bare(&dir) }
}

/// A folder for half-done work; what an interrupted fetch left there goes away at the next one.
struct Scratch(PathBuf);

impl Scratch {
    fn new(path: PathBuf) -> Result<Self> {
        files::remove_dir(&path)?;
        files::make_dir(&path)?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = files::remove_dir(&self.0) {
            crate::output::eprintln!("txgen: {}", visible_lines(&format!("{error:#}")));
        }
    }
}

/// What a kernel needs while it is fetched: the package, the tarball in it, and the pack.
const SPACE: u64 = 1 << 30;

fn require_space(dir: &Path) -> Result<()> {
    let stat = nix::sys::statvfs::statvfs(dir).with_context(|| format!("look at the disk of {}", dir.display()))?;
    enough_space(stat.blocks_available() * stat.fragment_size(), dir)
}

fn enough_space(free: u64, dir: &Path) -> Result<()> {
    if free < SPACE {
        bail!(
            "not enough disk space in {}: a base needs {} MiB while it is fetched, {} MiB are free \
             (TXGEN_CACHE=DIR puts the cache elsewhere)",
            dir.display(),
            SPACE >> 20,
            free >> 20
        );
    }
    Ok(())
}

fn from_source(project: &Project, known: &Record, record: bool, repo: &Repo, scratch: &Path) -> Result<Import> {
    match &known.source {
        Source::Debian { package, suite } => from_debian(known, package, suite, record, repo, scratch),
        Source::Tarball(path) => {
            let path = project.root.join(path);
            let name = path.file_name().context("a tarball has a name")?.to_string_lossy().into_owned();
            let commit = import::import(&path, &name, repo, &scratch.join("import.git"))?;
            Ok(Import { commit, version: None, package: None })
        }
        Source::Git { url, reference } => from_git(project, url, reference, repo),
    }
}

fn from_debian(known: &Record, package: &str, suite: &str, record: bool, repo: &Repo, dir: &Path) -> Result<Import> {
    let apt = Apt::update(&dir.join("apt"), suite)?;
    let offer = apt.choose(package, known.version.as_deref())?;
    refuse_other(known, package, &offer, record)?;
    let deb = apt.download(&offer, &dir.join("deb"))?;
    let tarball = debian::unpack(&deb, &dir.join("unpacked"))?;
    let commit = import::import(&tarball, &offer.describe(), repo, &dir.join("import.git"))?;
    Ok(Import { commit, version: Some(offer.version), package: Some(offer.package) })
}

/// Another version than the recorded one is only taken when it is to be recorded.
fn refuse_other(known: &Record, package: &str, offer: &Offer, record: bool) -> Result<()> {
    let Some(version) = known.version.as_ref().filter(|_| known.tree.is_some() && !record) else { return Ok(()) };
    if offer.package == package && offer.version == *version {
        return Ok(());
    }
    bail!(
        "base {}: {package} {version} is no longer in the archive, which has {}. `txgen base fetch {} --record` \
         takes that one and records it in series/bases.toml; the series then have to apply to it",
        known.name,
        offer.describe(),
        known.name
    )
}

fn from_git(project: &Project, url: &str, reference: &str, repo: &Repo) -> Result<Import> {
    program::with_users_settings(repo.git_dir())
        .args(["fetch", "--quiet", "--depth=1", "--no-tags", "--", url, reference])
        .dir(&project.root)
        .timeout(Duration::from_secs(3600))
        .check()
        .with_context(|| format!("fetch {reference} of {url}"))?;
    let commit = Repo::open(repo.git_dir())?.resolve("FETCH_HEAD")?.commit;
    Ok(Import { commit, version: None, package: None })
}

fn updated(known: &Record, import: &Import, found: &Found, kernel: String) -> Record {
    let mut fresh = known.clone();
    fresh.version = Some(import.version.clone().unwrap_or(kernel));
    fresh.commit = Some(found.commit.clone());
    fresh.tree = Some(found.tree.clone());
    if let (Source::Debian { package, .. }, Some(taken)) = (&mut fresh.source, &import.package)
        && taken != package
    {
        let version = known.version.as_deref().unwrap_or("of any version");
        fresh.instead_of = Some(format!("{package} {version}"));
        package.clone_from(taken);
    }
    fresh
}

/// Compares what was fetched with the record, or makes it the record; says whether it was written.
fn take_record(project: &Project, known: &Record, fresh: &Record, record: bool) -> Result<bool> {
    if record {
        record::store(project, known, fresh)?;
        return Ok(true);
    }
    let (Some(was), Some(is)) = (&known.tree, &fresh.tree) else { return Ok(false) };
    if was != is {
        bail!(
            "base {}: {} has tree {is}, but series/bases.toml records tree {was} (version {}): it is another \
             version of the source. Get the recorded one, or take this one with `txgen base fetch {} --record`; \
             the series then have to apply to it",
            known.name,
            known.source.describe(),
            known.version.as_deref().unwrap_or("not recorded"),
            known.name
        );
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::enough_space;

    #[test]
    fn a_full_disk_is_named_with_what_is_missing() {
        let error = enough_space(5 << 20, Path::new("/c")).expect_err("5 MiB are too few");
        insta::assert_snapshot!(error, @"not enough disk space in /c: a base needs 1024 MiB while it is fetched, 5 MiB are free (TXGEN_CACHE=DIR puts the cache elsewhere)");
        assert!(enough_space(2 << 30, Path::new("/c")).is_ok());
    }
}

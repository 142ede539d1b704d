// SPDX-License-Identifier: GPL-2.0
//! A kernel source package of Debian, fetched by apt with a state of its own.
//!
//! Nothing of the machine's apt state is changed; the archive is the one the machine already uses.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::apt;
use crate::files;
use crate::process::Run;

/// A version of a package that the archive has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Package name.
    pub package: String,
    /// Package version.
    pub version: String,
}

impl Offer {
    /// `package version`, the message of its import.
    pub fn describe(&self) -> String {
        format!("{} {}", self.package, self.version)
    }
}

/// An apt whose whole state is in one folder, and that knows one suite.
#[derive(Debug)]
pub struct Apt {
    dir: PathBuf,
    suite: String,
}

impl Apt {
    /// Sets apt up in folder `dir` for `suite` and fetches the suite's index.
    pub fn update(dir: &Path, suite: &str) -> Result<Self> {
        let archive = apt::debian_archive()?;
        for part in ["state/lists/partial", "cache/archives/partial", "etc"] {
            files::make_dir(&dir.join(part))?;
        }
        let own = |name: &str| -> Result<String> {
            let path = dir.join(name).to_str().context("the cache's path is no UTF-8")?.to_owned();
            if path.contains(['"', '\n']) { bail!("apt can not use a cache in {path:?}") } else { Ok(path) }
        };
        files::write_atomic(&dir.join("state/status"), b"")?;
        files::write_atomic(&dir.join("etc/suite.sources"), archive.sources(suite).as_bytes())?;
        let mut conf = String::new();
        if let Some(theirs) = std::env::var("APT_CONFIG").ok().filter(|path| Path::new(path).is_file()) {
            conf += &format!("#include \"{theirs}\";\n");
        }
        for (key, value) in [
            ("Dir::State", own("state")?),
            ("Dir::State::status", own("state/status")?),
            ("Dir::Cache", own("cache")?),
            ("Dir::Etc::sourcelist", own("etc/suite.sources")?),
            ("Dir::Etc::sourceparts", "-".to_owned()),
            ("Dir::Etc::preferences", "-".to_owned()),
            ("Dir::Etc::preferencesparts", "-".to_owned()),
            ("Acquire::Languages", "none".to_owned()),
            ("Acquire::Retries", "3".to_owned()),
            // The folder may be one that apt's own user can not enter.
            ("APT::Sandbox::User", "root".to_owned()),
            ("APT::Update::Error-Mode", "any".to_owned()),
        ] {
            conf += &format!("{key} \"{value}\";\n");
        }
        files::write_atomic(&dir.join("apt.conf"), conf.as_bytes())?;
        let apt = Self { dir: dir.to_owned(), suite: suite.to_owned() };
        apt.run("apt-get", &["--quiet=2", "update"]).check().with_context(|| format!("fetch the index of {suite}"))?;
        Ok(apt)
    }

    fn run(&self, program: &str, args: &[&str]) -> Run {
        Run::new(program, args).env("APT_CONFIG", self.dir.join("apt.conf")).env("LC_ALL", "C")
    }

    /// The versions of `package` in the suite, newest first.
    fn versions(&self, package: &str) -> Result<Vec<String>> {
        let text = self.run("apt-cache", &["madison", package]).check()?.text();
        Ok(text.lines().filter_map(|line| Some(line.split('|').nth(1)?.trim().to_owned())).collect())
    }

    /// What to take for `package`: the version asked for where the suite has it, else the newest version
    /// of the same release, else of the newest later release.
    pub fn choose(&self, package: &str, version: Option<&str>) -> Result<Offer> {
        let versions = self.versions(package)?;
        let found = versions.iter().find(|v| Some(v.as_str()) == version).or(versions.first());
        if let Some(version) = found {
            return Ok(Offer { package: package.to_owned(), version: version.clone() });
        }
        let names = self.run("apt-cache", &["pkgnames", "linux-source-"]).check()?.text();
        let mut later = later_releases(package, names.lines());
        while let Some(package) = later.pop() {
            if let Some(version) = self.versions(&package)?.into_iter().next() {
                return Ok(Offer { package, version });
            }
        }
        bail!("{} has neither {package} nor the kernel source of a later release", self.suite)
    }

    /// Downloads a package into folder `to`; returns its file.
    pub fn download(&self, offer: &Offer, to: &Path) -> Result<PathBuf> {
        files::make_dir(to)?;
        self.run("apt-get", &["--quiet=2", "download", &format!("{}={}", offer.package, offer.version)])
            .dir(to)
            .timeout(Duration::from_secs(3600))
            .check()
            .with_context(|| format!("download {}", offer.describe()))?;
        only_file(to, ".deb")
    }
}

/// Packages `linux-source-X.Y` of a release later than that of `package`, oldest first.
fn later_releases<'a>(package: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let Some(wanted) = release(package) else { return Vec::new() };
    let mut later = names.filter_map(|n| Some((release(n)?, n.to_owned()))).collect::<Vec<_>>();
    later.retain(|(release, _)| *release > wanted);
    later.sort();
    later.into_iter().map(|(_, name)| name).collect()
}

/// X and Y of `linux-source-X.Y`.
fn release(package: &str) -> Option<(u32, u32)> {
    let (major, minor) = package.strip_prefix("linux-source-")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Unpacks a kernel source package into `to`; returns the tarball that is in it.
pub fn unpack(deb: &Path, to: &Path) -> Result<PathBuf> {
    files::make_dir(to)?;
    Run::new("dpkg-deb", ["--extract"])
        .arg(deb)
        .arg(to)
        .check()
        .with_context(|| format!("unpack {}", deb.display()))?;
    only_file(&to.join("usr/src"), ".tar.xz")
}

fn only_file(dir: &Path, end: &str) -> Result<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("list {}", dir.display()))? {
        let path = entry.with_context(|| format!("list {}", dir.display()))?.path();
        if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        _ => bail!("{} has {} files `*{end}` where one is expected", dir.display(), found.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::later_releases;

    #[test]
    fn releases_are_compared_as_numbers() {
        let names = ["linux-source-7.3", "linux-source-7.10", "linux-source-6.12", "linux-source-7.9", "linux-source"];
        assert_eq!(later_releases("linux-source-7.3", names.into_iter()), ["linux-source-7.9", "linux-source-7.10"]);
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Objects that a partial clone was promised: libgit2 knows nothing of them, so git fetches those that are missed.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::program;

/// The remote that has what a partial clone lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promisor {
    /// Its name.
    pub name: String,
    /// Where it is, as git resolves it.
    pub url: String,
}

/// The promisor of the repository `git_dir`; `None` where that has all its objects.
pub fn promisor(git_dir: &Path) -> Result<Option<Promisor>> {
    let file = git_dir.join("config");
    let config = fs::read(&file).with_context(|| format!("read {}", file.display()))?.to_ascii_lowercase();
    let names = [&b"promisor"[..], &b"partialclone"[..]];
    // Only a partial clone is worth starting git for.
    if !names.iter().any(|name| config.windows(name.len()).any(|bytes| bytes == *name)) {
        return Ok(None);
    }
    let pattern = r"^(remote\..*\.promisor|extensions\.partialclone)$";
    let keys = program::with_users_settings(git_dir).args(["config", "--get-regexp", pattern]).output()?.text();
    let name = keys.lines().find_map(|line| match line.split_once(' ') {
        Some((key, "true")) => key.strip_prefix("remote.")?.strip_suffix(".promisor").map(str::to_owned),
        Some(("extensions.partialclone", name)) => Some(name.to_owned()),
        _ => None,
    });
    let Some(name) = name else { return Ok(None) };
    let url = program::with_users_settings(git_dir).args(["remote", "get-url", "--", &name]).check();
    let url = url.with_context(|| format!("{} is a partial clone of remote {name}", git_dir.display()))?;
    Ok(Some(Promisor { name, url: url.text().trim_end().to_owned() }))
}

/// Fetches all that a commit's tree needs and the repository `git_dir` lacks; nothing where it is no partial clone.
pub fn fetch_tree(git_dir: &Path, commit: &str) -> Result<()> {
    let Some(promisor) = promisor(git_dir)? else { return Ok(()) };
    // What is in a folder that was missed is known only when that is here.
    let mut before = Vec::new();
    loop {
        let list = ["rev-list", "--objects", "--no-object-names", "--missing=print", &format!("{commit}^{{tree}}")];
        let listed = program::fixed(git_dir).args(list).check().context("look for what a partial clone lacks")?;
        let lacking =
            listed.text().lines().filter_map(|line| line.strip_prefix('?')).map(str::to_owned).collect::<Vec<_>>();
        if lacking.is_empty() {
            return Ok(());
        }
        if lacking == before {
            bail!("{} is a partial clone, and remote {} has not what it lacks", git_dir.display(), promisor.name);
        }
        fetch(git_dir, &promisor, &lacking)?;
        before = lacking;
    }
}

/// Fetches objects by their ids, all at once, into the repository `git_dir`.
pub fn fetch(git_dir: &Path, promisor: &Promisor, ids: &[String]) -> Result<()> {
    if ids.len() > 1 {
        crate::output::eprintln!("fetching {} objects that a partial clone lacks from {}", ids.len(), promisor.name);
    }
    let output = program::with_users_settings(git_dir)
        .args(["-c", "fetch.negotiationAlgorithm=noop", "-c", "protocol.ext.allow=never", "-c"])
        // A clone that somebody hands over may name a program of its own there.
        .arg(format!("remote.{}.uploadpack=git-upload-pack", promisor.name))
        .args(["fetch", "--quiet", "--no-tags"])
        .args(["--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none", "--stdin", &promisor.name])
        .stdin(ids.iter().map(|id| format!("{id}\n")).collect::<String>().as_bytes())
        .timeout(std::time::Duration::from_secs(3600))
        .output()?;
    if !output.status.success() {
        bail!(
            "{} is a partial clone, and remote {} did not give what it lacks ({}): {}",
            git_dir.display(),
            promisor.name,
            ids.first().map_or("nothing", String::as_str),
            output.errors().trim()
        );
    }
    Ok(())
}

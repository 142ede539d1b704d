// SPDX-License-Identifier: GPL-2.0
//! What checks read: the commits of a series, their diffs and files, and a checkout for the kernel's own scripts.
//!
//! Reads with the git program; writes nothing but the worktree of kernel/worktree.rs, and that only
//! when a check asks for it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use anyhow::{Context, Result, bail};

use crate::check::diff::{self, FileDiff};
use crate::check::posting::Destination;
use crate::check::users::{self, Users};
use crate::git::{program, view};
use crate::kernel::config::configure_at;
use crate::kernel::worktree::{Purpose, Worktree};
use crate::process::Run;
use crate::project::Project;
use crate::series::Applied;

/// A patch as its commit has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// Its name in series.toml.
    pub name: String,
    /// Its commit.
    pub commit: String,
    /// The commit below it.
    pub parent: String,
    /// Its tree.
    pub tree: String,
    /// The tree below it.
    pub parent_tree: String,
    /// `Name <address>` of its author.
    pub author: String,
    /// Its whole message, without newlines at the end.
    pub message: String,
}

/// Where the checks of one run read from.
#[derive(Debug)]
pub struct Source<'a> {
    /// The project, for the cache.
    pub project: &'a Project,
    /// The repository with the commits.
    pub git_dir: PathBuf,
    /// The view of it, for what is printed of commits.
    view: PathBuf,
    /// The commit the series stands on.
    pub base: String,
    /// The last commit of the series.
    pub tip: String,
    /// Text of cover.md, where the series has one.
    pub cover: Option<String>,
    /// Where it goes, if whoever asks looks at that.
    destination: Option<Destination>,
    /// The series, and beneath it those it depends on, the lowest first.
    stack: Vec<String>,
    /// What compilers and configuration say of themselves, by the check that asked.
    asked: Mutex<BTreeMap<&'static str, String>>,
    checkout: Mutex<Checkout>,
    users: OnceLock<Users>,
}

/// The checkout of a run.
#[derive(Debug, Default)]
struct Checkout {
    tree: Option<Arc<Worktree>>,
    /// The commit it is at.
    at: Option<String>,
    /// The commit it was at when a build folder was configured.
    configured: BTreeMap<&'static str, Option<String>>,
}

impl<'a> Source<'a> {
    /// The source of an applied series.
    pub fn new(project: &'a Project, applied: &Applied, cover: Option<String>) -> Result<Self> {
        let base = applied.base.commit.clone();
        let tip = applied.patches.last().map_or_else(|| base.clone(), |patch| patch.commit.clone());
        let git_dir = applied.git_dir.clone();
        let view = view::open(&project.cache, &git_dir)?;
        Ok(Self {
            project,
            git_dir,
            view,
            base,
            tip,
            cover,
            destination: None,
            stack: applied.stack().into_iter().map(str::to_owned).collect(),
            asked: Mutex::default(),
            checkout: Mutex::default(),
            users: OnceLock::new(),
        })
    }

    /// The same with where the series goes.
    pub fn to(self, destination: Destination) -> Self {
        Self { destination: Some(destination), ..self }
    }

    /// Where the series goes.
    pub(crate) fn destination(&self) -> Result<&Destination> {
        self.destination.as_ref().context("where the series goes was not told")
    }

    /// The names of the series that it reads, the lowest first.
    pub(crate) fn stack(&self) -> Vec<&str> {
        self.stack.iter().map(String::as_str).collect()
    }

    /// git on the commits of the repository, with nothing of its configuration and attributes.
    pub fn git<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        program::fixed(&self.view).args(args)
    }

    /// The checkout of the last commit, made at the first use.
    pub fn tree(&self) -> Result<PathBuf> {
        Ok(self.tree_at(&self.tip)?.dir.clone())
    }

    /// The checkout, moved to `commit`: nobody else may read it meanwhile.
    pub(crate) fn tree_at(&self, commit: &str) -> Result<Arc<Worktree>> {
        let mut checkout = unpoisoned(&self.checkout);
        let tree = match checkout.tree.take() {
            Some(tree) => tree,
            None => Arc::new(Worktree::lock(self.project, &self.git_dir, Purpose::Check)?),
        };
        checkout.tree = Some(Arc::clone(&tree));
        if checkout.at.as_deref() != Some(commit) {
            checkout.at = None;
            tree.checkout(&self.git_dir, commit)?;
            checkout.at = Some(commit.to_owned());
        }
        Ok(tree)
    }

    /// What `ask` finds out for a check, asked once in a run.
    pub(crate) fn asked_once(&self, check: &'static str, ask: impl FnOnce() -> Result<String>) -> Result<String> {
        if let Some(known) = unpoisoned(&self.asked).get(check) {
            return Ok(known.clone());
        }
        let answer = ask()?;
        Ok(unpoisoned(&self.asked).entry(check).or_insert(answer).clone())
    }

    /// The objects that are known to include a header that the series touches, found out once in a run.
    pub(crate) fn users(&self) -> Result<&Users> {
        if let Some(known) = self.users.get() {
            return Ok(known);
        }
        let args = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", &self.base, &self.tip, "--", "*.h"];
        let text = self.git(args).check()?.text();
        let headers = text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
        let found = users::find(self, &headers)?;
        Ok(self.users.get_or_init(|| found))
    }

    /// Runs `configure` for a build folder at `commit` where it would not do what it did last.
    pub(crate) fn configured_at(
        &self,
        folder: &'static str,
        commit: &str,
        configure: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let mut checkout = unpoisoned(&self.checkout);
        configure_at(&self.git_dir, checkout.configured.entry(folder).or_default(), commit, configure)
    }

    /// The id of the blob or tree at `path` of the last commit, if there is one.
    pub fn id(&self, path: &str) -> Result<Option<String>> {
        let output = self.git(["rev-parse", "--quiet", "--verify", &format!("{}:{path}", self.tip)]).output()?;
        Ok(output.status.success().then(|| output.text().trim().to_owned()))
    }

    /// The id at `path`, or an error that names what the tree lacks.
    pub fn require(&self, path: &str) -> Result<String> {
        self.id(path)?
            .with_context(|| format!("the base has no {path}: it is no kernel tree, or one without this script"))
    }

    /// The bytes of a file of a commit, if it has it.
    pub fn file(&self, commit: &str, path: &str) -> Result<Option<Vec<u8>>> {
        let output = self.git(["cat-file", "blob", &format!("{commit}:{path}")]).output()?;
        Ok(output.status.success().then_some(output.stdout))
    }

    /// What a patch changes, without renames.
    pub fn diff(&self, patch: &Patch) -> Result<Vec<FileDiff>> {
        diff::parse(&self.diff_text(patch)?).with_context(|| format!("read the diff of patch {}", patch.name))
    }

    /// The same as git prints it.
    pub(crate) fn diff_text(&self, patch: &Patch) -> Result<String> {
        let args = ["diff-tree", "-r", "-p", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color", "-U3"];
        let output = self
            .git(["-c", "core.quotePath=false"])
            .args(args)
            .args(["--diff-algorithm=histogram", "--src-prefix=a/", "--dst-prefix=b/", &patch.parent, &patch.commit])
            .check()?;
        Ok(output.text())
    }
}

/// A panic in another thread leaves whole values behind.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The patches of a series as their commits have them, in one look into the repository.
pub fn patches(applied: &Applied) -> Result<Vec<Patch>> {
    let Some(tip) = applied.patches.last() else { return Ok(Vec::new()) };
    let base = &applied.base.commit;
    let range = format!("{base}..{}", tip.commit);
    let format = "--format=%H%x00%T%x00%an <%ae>%x00%B%x00";
    let output = program::fixed(&applied.git_dir).args(["log", "--reverse", "--topo-order", format, &range]).check()?;
    let text = output.text();
    let fields = text.split('\0').collect::<Vec<_>>();
    let (mut parent, mut parent_tree) = (base.clone(), applied.base.tree.clone());
    let mut patches = Vec::new();
    for (known, record) in applied.patches.iter().zip(fields.chunks_exact(4)) {
        let [commit, tree, author, message] = [record[0].trim_start(), record[1], record[2], record[3]];
        if commit != known.commit {
            bail!("{} is not the commit of patch {} in {}", commit, known.name, applied.git_dir.display());
        }
        patches.push(Patch {
            name: known.name.clone(),
            commit: commit.to_owned(),
            parent: std::mem::replace(&mut parent, commit.to_owned()),
            tree: tree.to_owned(),
            parent_tree: std::mem::replace(&mut parent_tree, tree.to_owned()),
            author: author.to_owned(),
            message: message.trim_end_matches('\n').to_owned(),
        });
    }
    if patches.len() != applied.patches.len() || fields.len() / 4 != patches.len() {
        bail!("{range} has {} commits where the series has {} patches", fields.len() / 4, applied.patches.len());
    }
    Ok(patches)
}

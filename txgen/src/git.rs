// SPDX-License-Identifier: GPL-2.0
//! The only user of git2: objects read and written in memory, refs set last.
//!
//! Object ids are 40 hex digits outside this module. New objects go to the repository's object store as
//! loose objects, so the git program sees them at once, or stay in memory until they are kept; nothing points at them
//! until a ref is set.

pub mod branches;
pub mod diff;
pub mod follow;
pub mod history;
pub mod identity;
pub mod lines;
pub mod program;
pub mod promised;
pub mod refs;
mod refusal;
pub mod render;
pub mod revision;
pub mod tags;
pub mod usage;
pub mod view;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use git2::build::TreeUpdateBuilder;
use git2::{FileMode, ObjectType, Odb, OdbLookupFlags, Oid, Repository, RepositoryInitOptions, Time, Tree};

pub use identity::Identity;
use promised::Promisor;

/// A repository that is open.
pub struct Repo {
    repo: Repository,
    /// What was read, where the value is for one piece of work: the same files are read again and again.
    read: Option<RefCell<BTreeMap<Oid, Vec<u8>>>>,
    /// Who has what is missed, asked at the first object that is.
    promisor: OnceCell<Option<Promisor>>,
}

/// A commit and its tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The commit.
    pub commit: String,
    /// Its tree.
    pub tree: String,
}

/// What a file of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// An ordinary file.
    Plain,
    /// An executable file.
    Executable,
    /// A symbolic link; its text is where it points.
    Link,
}

/// A file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// What it is.
    pub mode: Mode,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Changes to a tree: the new file at a path, or `None` where it goes away.
pub type Changes = BTreeMap<String, Option<Blob>>;

/// Lets libgit2 remember folders of any size, as those of a kernel are over its limit and read again and again, and open
/// repositories with extensions that do not matter for what is read through it.
///
/// # Safety
///
/// No other thread may run: this changes a variable that all of libgit2 reads.
pub unsafe fn configure_libgit2() -> Result<()> {
    // SAFETY: no other thread runs, as the caller says.
    unsafe { git2::opts::set_cache_object_limit(ObjectType::Tree, 1 << 20) }.context("configure libgit2")?;
    // SAFETY: no other thread runs, as the caller says.
    unsafe { git2::opts::set_extensions(&["partialclone", "relativeworktrees"]) }.context("configure libgit2")
}

impl Repo {
    /// Opens the repository whose git directory, or work tree, is `dir`.
    ///
    /// Objects are read as git itself reads them: their checksum is compared when they are unpacked, but their name is
    /// not computed again. That would be a third of the time of an apply.
    pub fn open(dir: &Path) -> Result<Self> {
        git2::opts::strict_hash_verification(false);
        let repo = Repository::open(dir).map_err(|error| refusal::explain(dir, error))?;
        Ok(Self { repo, read: None, promisor: OnceCell::new() })
    }

    /// Like [`Repo::open`], with new objects in memory: they go with the value, except for those that [`Repo::keep`]
    /// writes.
    pub fn open_in_memory(dir: &Path) -> Result<Self> {
        let this = Self { read: Some(RefCell::default()), ..Self::open(dir)? };
        {
            let odb = this.repo.odb().context("open the object store")?;
            odb.add_new_mempack_backend(BEFORE_ALL).context("keep new objects in memory")?;
        }
        Ok(this)
    }

    /// Writes objects that were made in memory, after all that they refer to.
    pub fn keep(&self, ids: &[&str]) -> Result<()> {
        let disk = Self::open(self.repo.path())?;
        let disk = disk.repo.odb().context("open the object store")?;
        ids.iter().try_for_each(|id| self.write_out(oid(id)?, &disk).with_context(|| format!("write {id}")))
    }

    fn write_out(&self, id: Oid, disk: &Odb<'_>) -> Result<()> {
        if disk.exists_ext(id, OdbLookupFlags::NO_REFRESH) {
            return Ok(());
        }
        let object = match self.repo.find_object(id, None) {
            // What a partial clone was promised is nothing that was made here.
            Err(error) if error.code() == git2::ErrorCode::NotFound && self.promisor()?.is_some() => return Ok(()),
            found => found?,
        };
        if let Some(commit) = object.as_commit() {
            self.write_out(commit.tree_id(), disk)?;
            commit.parent_ids().try_for_each(|parent| self.write_out(parent, disk))?;
        }
        if let Some(tree) = object.as_tree() {
            let is_here = |entry: &git2::TreeEntry<'_>| entry.kind() != Some(ObjectType::Commit);
            tree.iter().filter(is_here).try_for_each(|entry| self.write_out(entry.id(), disk))?;
        }
        let raw = self.repo.odb()?.read(id)?.data().to_vec();
        disk.write(object.kind().context("an object has a kind")?, &raw)?;
        Ok(())
    }

    /// Makes an empty bare repository.
    pub fn init_bare(dir: &Path) -> Result<Self> {
        let mut options = RepositoryInitOptions::new();
        options.bare(true).external_template(false).initial_head("main");
        let repo = Repository::init_opts(dir, &options).with_context(|| format!("make {}", dir.display()))?;
        Ok(Self { repo, read: None, promisor: OnceCell::new() })
    }

    /// Its git directory; for a linked worktree, that of the main repository.
    pub fn git_dir(&self) -> &Path {
        self.repo.commondir()
    }

    /// Its work tree, if it has one.
    pub fn work_tree(&self) -> Option<&Path> {
        self.repo.workdir()
    }

    /// The commit that `spec` names, and its tree.
    pub fn resolve(&self, spec: &str) -> Result<Found> {
        let object = self
            .repo
            .revparse_single(spec)
            .with_context(|| format!("find {spec:?} in {}", self.git_dir().display()))?;
        let commit = object.peel_to_commit().with_context(|| format!("{spec:?} is no commit"))?;
        Ok(Found { commit: commit.id().to_string(), tree: commit.tree_id().to_string() })
    }

    /// The commit a ref points at; `None` where there is no such ref, or a symbolic one to nothing.
    pub fn read_ref(&self, name: &str) -> Result<Option<Found>> {
        match self.repo.find_reference(name).and_then(|reference| reference.resolve()) {
            Ok(_) => self.resolve(name).map(Some),
            Err(e) if e.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(e) => Err(e).with_context(|| format!("read {name}")),
        }
    }

    fn tree(&self, id: &str) -> Result<Tree<'_>> {
        self.find_tree(oid(id)?)
    }

    fn find_tree(&self, id: Oid) -> Result<Tree<'_>> {
        self.fetching(id, || self.repo.find_tree(id)).with_context(|| format!("read tree {id}"))
    }

    /// What `find` finds; an object that a partial clone lacks is fetched first.
    fn fetching<T>(&self, id: Oid, find: impl Fn() -> std::result::Result<T, git2::Error>) -> Result<T> {
        match find() {
            Err(error) if error.code() == git2::ErrorCode::NotFound => match self.promisor()? {
                Some(promisor) => {
                    promised::fetch(self.git_dir(), promisor, &[id.to_string()])?;
                    Ok(find()?)
                }
                None => Err(error.into()),
            },
            found => Ok(found?),
        }
    }

    fn promisor(&self) -> Result<Option<&Promisor>> {
        if let Some(known) = self.promisor.get() {
            return Ok(known.as_ref());
        }
        let found = promised::promisor(self.git_dir())?;
        Ok(self.promisor.get_or_init(|| found).as_ref())
    }

    /// Fetches those of `ids` that a partial clone lacks, all at once.
    fn fetch_lacking(&self, ids: impl IntoIterator<Item = Oid>) -> Result<()> {
        let Some(promisor) = self.promisor()? else { return Ok(()) };
        let odb = self.repo.odb().context("open the object store")?;
        let lacking = ids.into_iter().filter(|id| !odb.exists_ext(*id, OdbLookupFlags::NO_REFRESH));
        let lacking = lacking.map(|id| id.to_string()).collect::<Vec<_>>();
        if lacking.is_empty() { Ok(()) } else { promised::fetch(self.git_dir(), promisor, &lacking) }
    }

    fn entry(&self, tree: &str, path: &str) -> Result<Option<git2::TreeEntry<'static>>> {
        match self.tree(tree)?.get_path(Path::new(path)) {
            Ok(entry) => Ok(Some(entry)),
            Err(e) if e.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(e) => Err(e).with_context(|| format!("look up {path}")),
        }
    }

    /// The id of the file or folder at `path` of a tree.
    pub fn id_of(&self, tree: &str, path: &str) -> Result<Option<String>> {
        Ok(self.entry(tree, path)?.map(|entry| entry.id().to_string()))
    }

    /// What is at `path` of a tree, as git writes its mode: `100644`, `100755`, `120000`, `160000` or `40000`.
    pub fn mode_at(&self, tree: &str, path: &str) -> Result<Option<String>> {
        Ok(self.entry(tree, path)?.map(|entry| format!("{:o}", entry.filemode_raw())))
    }

    /// The file at `path` of a tree; `None` where there is none, or a folder.
    pub fn file(&self, tree: &str, path: &str) -> Result<Option<Blob>> {
        match self.entry(tree, path)? {
            Some(entry) if entry.kind() == Some(ObjectType::Blob) => {
                Ok(Some(Blob { mode: mode(entry.filemode_raw()), bytes: self.bytes(entry.id())? }))
            }
            _ => Ok(None),
        }
    }

    fn bytes(&self, id: Oid) -> Result<Vec<u8>> {
        if let Some(known) = self.read.as_ref().and_then(|read| read.borrow().get(&id).cloned()) {
            return Ok(known);
        }
        let found = self.fetching(id, || self.repo.find_blob(id));
        let bytes = found.with_context(|| format!("read blob {id}"))?.content().to_vec();
        self.note(id, &bytes);
        Ok(bytes)
    }

    fn note(&self, id: Oid, bytes: &[u8]) {
        if let Some(read) = &self.read {
            read.borrow_mut().entry(id).or_insert_with(|| bytes.to_vec());
        }
    }

    /// Every file below `path` of a tree (or the file itself), sorted by path.
    pub fn files_below(&self, tree: &str, path: &str) -> Result<Vec<(String, Blob)>> {
        let Some(top) = self.entry(tree, path)? else { bail!("there is no {path} in the tree") };
        let mut found = Vec::new();
        let mut left = vec![(path.to_owned(), top.id(), top.kind(), top.filemode_raw())];
        while let Some((path, id, kind, raw)) = left.pop() {
            match kind {
                Some(ObjectType::Blob) => found.push((path, id, mode(raw))),
                Some(ObjectType::Tree) => {
                    for entry in &self.find_tree(id).with_context(|| format!("read {path}"))? {
                        let name = name_of(&entry, &path)?;
                        left.push((format!("{path}/{name}"), entry.id(), entry.kind(), entry.filemode_raw()));
                    }
                }
                _ => {}
            }
        }
        found.sort();
        self.fetch_lacking(found.iter().map(|(_, id, _)| *id))?;
        found.into_iter().map(|(path, id, mode)| Ok((path, Blob { mode, bytes: self.bytes(id)? }))).collect()
    }

    /// Path and blob id of every plain file of a tree whose path `wanted` takes, sorted by path.
    pub fn list(&self, tree: &str, wanted: impl Fn(&str) -> bool) -> Result<Vec<(String, String)>> {
        let mut found = Vec::new();
        let mut left = vec![(String::new(), oid(tree)?)];
        while let Some((folder, id)) = left.pop() {
            for entry in &self.find_tree(id)? {
                let name = name_of(&entry, &folder)?;
                let path = format!("{folder}{name}");
                match entry.kind() {
                    Some(ObjectType::Blob) if mode(entry.filemode_raw()) != Mode::Link && wanted(&path) => {
                        found.push((path, entry.id().to_string()));
                    }
                    Some(ObjectType::Tree) => left.push((format!("{path}/"), entry.id())),
                    _ => {}
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// The bytes of blob `id`.
    pub fn blob(&self, id: &str) -> Result<Vec<u8>> {
        self.bytes(oid(id)?)
    }

    /// The tree of just some files of `tree`.
    fn tree_of(&self, tree: &str, paths: &[String]) -> Result<String> {
        let mut update = TreeUpdateBuilder::new();
        let entry = |path: &String| self.entry(tree, path)?.with_context(|| format!("{path} is not in the tree"));
        let entries = paths.iter().map(entry).collect::<Result<Vec<_>>>()?;
        self.fetch_lacking(entries.iter().map(git2::TreeEntry::id))?;
        for (path, entry) in paths.iter().zip(entries) {
            update.upsert(path.as_str(), entry.id(), file_mode(mode(entry.filemode_raw())));
        }
        let id = update.create_updated(&self.repo, &self.tree(&self.empty_tree()?)?).context("build a tree")?;
        Ok(id.to_string())
    }

    fn empty_tree(&self) -> Result<String> {
        let id = self.repo.treebuilder(None).and_then(|b| b.write()).context("write an empty tree")?;
        Ok(id.to_string())
    }

    /// The tree that `changes` make of `tree`.
    pub fn change_tree(&self, tree: &str, changes: &Changes) -> Result<String> {
        let mut update = TreeUpdateBuilder::new();
        for (path, blob) in changes {
            match blob {
                Some(blob) => {
                    let id = self.repo.blob(&blob.bytes).with_context(|| format!("store {path}"))?;
                    self.note(id, &blob.bytes);
                    update.upsert(path.as_str(), id, file_mode(blob.mode));
                }
                None => drop(update.remove(path.as_str())),
            }
        }
        let id = update.create_updated(&self.repo, &self.tree(tree)?).context("build a tree")?;
        Ok(id.to_string())
    }

    /// Writes a commit; no ref is set.
    pub fn commit(&self, parent: &str, tree: &str, message: &str, by: &Authorship) -> Result<String> {
        let parent = self.repo.find_commit(oid(parent)?).with_context(|| format!("read commit {parent}"))?;
        let author = signature(&by.author, by.seconds)?;
        let committer = signature(&by.committer, by.seconds)?;
        let id = self
            .repo
            .commit(None, &author, &committer, message, &self.tree(tree)?, &[&parent])
            .context("write a commit")?;
        Ok(id.to_string())
    }

    /// Paths of files that differ between two trees, sorted.
    ///
    /// libgit2's own comparison reads folders that are the same, which on a kernel takes most of its time.
    pub fn changed_paths(&self, old: &str, new: &str) -> Result<Vec<String>> {
        let mut paths = Vec::new();
        self.add_changed(Some(oid(old)?), Some(oid(new)?), "", &mut paths)?;
        paths.sort();
        Ok(paths)
    }

    /// Adds the files that differ between two folders, either of which may be missing.
    fn add_changed(&self, old: Option<Oid>, new: Option<Oid>, folder: &str, to: &mut Vec<String>) -> Result<()> {
        let (old, new) = (self.entries(old)?, self.entries(new)?);
        for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
            let (before, after) = (old.get(name), new.get(name));
            if before == after {
                continue;
            }
            let path = format!("{folder}{name}");
            let [was, is] = [before, after].map(|entry| entry.filter(|(_, kind)| *kind == FOLDER).map(|(id, _)| *id));
            if was.is_some() || is.is_some() {
                self.add_changed(was, is, &format!("{path}/"), to)?;
            }
            let is_file = |entry: Option<&(Oid, i32)>| entry.is_some_and(|(_, kind)| *kind != FOLDER);
            if is_file(before) || is_file(after) {
                to.push(path);
            }
        }
        Ok(())
    }

    /// What is in a folder: ids and modes.
    fn entries(&self, folder: Option<Oid>) -> Result<BTreeMap<String, (Oid, i32)>> {
        let Some(id) = folder else { return Ok(BTreeMap::new()) };
        let tree = self.find_tree(id)?;
        let entry = |entry: git2::TreeEntry<'_>| Ok((name_of(&entry, "a tree")?, (entry.id(), entry.filemode_raw())));
        tree.iter().map(entry).collect()
    }
}

/// The name of an entry of a folder. A tree may be made with names that lead out of it, which git itself checks out nowhere.
fn name_of(entry: &git2::TreeEntry<'_>, folder: &str) -> Result<String> {
    let name = entry.name().with_context(|| format!("a name in {folder} is no UTF-8"))?;
    if name.is_empty() || name == "." || name == ".." || name.contains('/') || name.eq_ignore_ascii_case(".git") {
        bail!("{folder} has an entry named {name:?}, which is the name of no file: that tree was made by hand");
    }
    Ok(name.to_owned())
}

/// Asked before any object store on disk.
const BEFORE_ALL: i32 = 1000;
/// The mode of a folder.
const FOLDER: i32 = 0o040_000;

/// Who made a commit, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorship {
    /// The author.
    pub author: Identity,
    /// The committer.
    pub committer: Identity,
    /// Both dates, in seconds since 1970, told in UTC.
    pub seconds: i64,
}

fn signature(who: &Identity, seconds: i64) -> Result<git2::Signature<'static>> {
    git2::Signature::new(&who.name, &who.email, &Time::new(seconds, 0))
        .with_context(|| format!("{} <{}> fits in no commit", who.name, who.email))
}

fn oid(id: &str) -> Result<Oid> {
    Oid::from_str(id).with_context(|| format!("{id:?} is no object id"))
}

fn mode(raw: i32) -> Mode {
    match raw {
        0o120_000 => Mode::Link,
        0o100_755 => Mode::Executable,
        _ => Mode::Plain,
    }
}

fn file_mode(mode: Mode) -> FileMode {
    match mode {
        Mode::Plain => FileMode::Blob,
        Mode::Executable => FileMode::BlobExecutable,
        Mode::Link => FileMode::Link,
    }
}

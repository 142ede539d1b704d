// SPDX-License-Identifier: GPL-2.0
//! What `make htmldocs` says of the documents a patch touches and of the kernel-doc that documents take from its files,
//! before and after.
//!
//! Sphinx reads these documents alone, which takes seconds where a folder takes minutes. What it then misses because it
//! was not read is looked up in the tree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope, kernel_doc};
use crate::files;
use crate::process::{self, Run};
use crate::proof;

pub(super) const CHECK: Check = Check {
    name: "docs",
    shows: "no new warning of Sphinx in the documents of the patch and in those that take kernel-doc from its files",
    needs: "python3-sphinx, scripts/kernel-doc",
    version: 1,
    tools,
    scope: Scope::Checkout(check),
};

/// The kind of the records, and the version of what they hold.
const KIND: &str = "docs-1";
/// Sphinx' program.
const SPHINX: &str = "sphinx-build";
const TOP: &str = "Documentation";
/// Extensions of the kernel's conf.py, those left out that read all of Documentation/ABI or all documents.
const EXTENSIONS: &[&str] =
    &["kerneldoc", "rstFlatTable", "kernel_include", "kfigure", "kernel_feat", "kernel_abi", "maintainers_include"];
/// Sphinx' own ones.
const BUILTIN: &[&str] = &["sphinx.ext.autosectionlabel", "sphinx.ext.ifconfig"];
/// The document with the kernel-doc of touched files, beside the real ones while Sphinx runs.
const OWN: &str = "txgen-kernel-doc";

fn tools(source: &Source<'_>) -> Result<String> {
    source.asked_once(CHECK.name, || {
        let mut identity = Run::new(SPHINX, ["--version"]).check()?.text();
        for part in ["Documentation/conf.py", "Documentation/sphinx", "tools/lib/python"] {
            identity.push_str(&source.id(part)?.unwrap_or_default());
        }
        Ok(identity)
    })
}

/// What Sphinx says, without the line: what is compared between before and after.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Said {
    file: Option<String>,
    what: String,
}

/// What Sphinx reads of a tree.
struct Reading<'a> {
    source: &'a Source<'a>,
    commit: &'a str,
    tree: &'a str,
    /// Documents, below Documentation/.
    documents: BTreeSet<String>,
    /// Directives that take kernel-doc from touched files, as their documents have them.
    directives: BTreeSet<String>,
}

fn check(source: &Source<'_>, patch: &Patch) -> Result<Vec<Finding>> {
    let diffs = source.diff(patch)?;
    let document = |path: &str| Some(path.strip_prefix(TOP)?.strip_prefix('/')?.to_owned());
    let touched = diffs.iter().filter(|file| file.has_ending(&["rst"])).filter_map(|file| document(&file.path));
    let touched = touched.collect::<BTreeSet<_>>();
    let sources = diffs.iter().filter(|file| file.has_ending(&["c", "h"])).map(|file| file.path.as_str());
    let sources = sources.collect::<Vec<_>>();
    let said = |commit, tree| Reading::of(source, (commit, tree), &touched, &sources)?.recorded();
    let before = said(&patch.parent, &patch.parent_tree)?;
    let mut found = Vec::new();
    for (Said { file, what }, lines) in said(&patch.commit, &patch.tree)? {
        let known = before.get(&Said { file: file.clone(), what: what.clone() }).map_or(0, Vec::len);
        for line in lines.into_iter().skip(known) {
            let finding = Finding::new(Level::Warn, "sphinx", &what);
            found.push(match &file {
                Some(file) => finding.at(file, line),
                None => finding,
            });
        }
    }
    let added = diffs.iter().filter(|file| file.added).filter_map(|file| document(&file.path));
    for path in added.filter(|path| touched.contains(path)) {
        if !is_listed(source, &patch.commit, &path)? {
            let what = "no table of contents lists this document";
            found.push(Finding::new(Level::Warn, "toctree", what).at(&format!("{TOP}/{path}"), None));
        }
    }
    Ok(found)
}

impl<'a> Reading<'a> {
    fn of(
        source: &'a Source<'a>,
        (commit, tree): (&'a str, &'a str),
        touched: &BTreeSet<String>,
        sources: &[&str],
    ) -> Result<Self> {
        let mut documents = BTreeSet::new();
        for path in touched {
            if source.file(commit, &format!("{TOP}/{path}"))?.is_some() {
                documents.insert(path.clone());
            }
        }
        let mut directives = BTreeSet::new();
        for hit in users(source, commit, sources)? {
            // What a document takes that is read anyway would be there twice.
            if !touched.contains(hit.trim_start_matches(TOP).trim_start_matches('/')) {
                let text = source.file(commit, &hit)?.with_context(|| format!("read {hit}"))?;
                directives.extend(taken(&String::from_utf8_lossy(&text), sources));
            }
        }
        Ok(Self { source, commit, tree, documents, directives })
    }

    /// What Sphinx says, from the record where it was asked before: what comes before a patch is what comes after
    /// another.
    fn recorded(&self) -> Result<BTreeMap<Said, Vec<Option<u32>>>> {
        if self.documents.is_empty() && self.directives.is_empty() {
            return Ok(BTreeMap::new());
        }
        let tools = tools(self.source)?;
        let parts = [self.tree, &tools, &format!("{:?} {:?}", self.documents, self.directives)];
        let key = proof::key(&parts.map(str::as_bytes));
        if let Some(said) = proof::load::<Vec<_>>(self.source.project, KIND, &key)? {
            return Ok(said.into_iter().collect());
        }
        let said = self.said()?;
        proof::store(self.source.project, KIND, &key, &said.iter().collect::<Vec<_>>())?;
        Ok(said)
    }

    /// What Sphinx says, each with its lines.
    fn said(&self) -> Result<BTreeMap<Said, Vec<Option<u32>>>> {
        let mut said = BTreeMap::<_, Vec<_>>::new();
        let worktree = self.source.tree_at(self.commit)?;
        let own = worktree.dir.join(TOP).join(format!("{OWN}.rst"));
        let body = self.directives.iter().map(|directive| format!("\n{directive}")).collect::<String>();
        files::write_atomic(&own, format!(":orphan:\n\nkernel-doc\n==========\n{body}").as_bytes())?;
        let output = self.run(&worktree.dir);
        files::remove_file(&own)?;
        let text = output?;
        for (file, line, what) in text.lines().filter_map(|line| warning(line, &worktree.dir)) {
            if !self.is_elsewhere(file.as_deref(), &what)? {
                said.entry(Said { file, what }).or_default().push(line);
            }
        }
        Ok(said)
    }

    fn run(&self, tree: &Path) -> Result<String> {
        let out = TempDir::new().context("make a folder for what Sphinx writes")?;
        let mut extensions = BUILTIN.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        for name in EXTENSIONS {
            if tree.join(format!("{TOP}/sphinx/{name}.py")).is_file() {
                extensions.push((*name).to_owned());
            }
        }
        let documents = self.documents.iter().cloned().chain([format!("{OWN}.rst")]).collect::<Vec<_>>();
        let settings = [
            format!("extensions={}", extensions.join(",")),
            format!("master_doc={OWN}"),
            format!("include_patterns={}", documents.join(",")),
            // conf.py adds these to what is included.
            "exclude_patterns=netlink/specs,output".to_owned(),
            format!("kerneldoc_srctree={}", tree.display()),
            format!("kerneldoc_bin={}", tree.join(kernel_doc::script(self.source)?.0).display()),
        ];
        let run = Run::new(SPHINX, ["-q", "-E", "-b", "dummy", "-c", TOP])
            .args(settings.iter().flat_map(|setting| ["-D", setting]))
            .arg(TOP)
            .arg(out.path())
            .dir(tree)
            .env("srctree", tree)
            .env("LC_ALL", "C.UTF-8")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let output = run.output()?;
        let text = output.errors();
        if !output.status.success() {
            bail!(
                "`{}` failed ({}): {}",
                run.display(),
                process::describe(output.status),
                process::last_lines(&text, 10)
            );
        }
        Ok(text)
    }

    /// Whether Sphinx misses what the tree has in a document that was not read.
    fn is_elsewhere(&self, file: Option<&str>, what: &str) -> Result<bool> {
        if what.starts_with("document isn't included in any toctree") {
            return Ok(true);
        }
        let quoted = what.split('\'').nth(1).unwrap_or_default();
        let document = |path: &str| {
            let path = format!("{TOP}/{}", path.trim_start_matches('/'));
            let names = ["rst", "yaml"].map(|ending| format!("{path}.{ending}"));
            names.iter().try_fold(false, |there, name| Ok(there || self.source.file(self.commit, name)?.is_some()))
        };
        if what.starts_with("undefined label: ") {
            // One of autosectionlabel has its document in front.
            let label = format!(".. _{}:", quoted.trim_matches('`'));
            let grep = ["grep", "-q", "-i", "-F", "-e", &label, self.commit, "--", TOP];
            return Ok(self.source.git(grep).output()?.status.success()
                || quoted.split_once(':').map_or(Ok(false), |(path, _)| document(path))?);
        }
        if what.starts_with("unknown document: ") || what.contains("nonexisting document ") {
            if quoted.starts_with('/') || what.contains("nonexisting document ") {
                return document(quoted);
            }
            let folder =
                file.and_then(|file| file.strip_prefix(TOP)?.rsplit_once('/')).map_or("", |(folder, _)| folder);
            return document(&normal(&format!("{folder}/{quoted}")));
        }
        Ok(false)
    }
}

/// The documents that take kernel-doc from some of `sources`.
fn users(source: &Source<'_>, commit: &str, sources: &[&str]) -> Result<Vec<String>> {
    if sources.is_empty() {
        return Ok(Vec::new());
    }
    let patterns = sources.iter().flat_map(|path| ["-e".to_owned(), format!("kernel-doc:: {path}")]);
    let grep = source.git(["grep", "-l", "-F"]).args(patterns).args([commit, "--", TOP]).output()?;
    let text = grep.text();
    Ok(text.lines().filter_map(|line| Some(line.split_once(':')?.1.to_owned())).collect())
}

/// The directives of a document that take kernel-doc from `sources`, each with its options.
fn taken(text: &str, sources: &[&str]) -> Vec<String> {
    let mut taken = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let path = line.trim().strip_prefix(".. kernel-doc:: ").map(str::trim);
        if path.is_some_and(|path| sources.contains(&path)) {
            let mut directive = format!("{}\n", line.trim());
            while let Some(option) = lines.next_if(|next| next.starts_with([' ', '\t']) && !next.trim().is_empty()) {
                directive.push_str(&format!("   {}\n", option.trim()));
            }
            taken.push(directive);
        }
    }
    taken
}

/// Reads `[DOCUMENT:LINE: ]FILE[:LINE]: WARNING: what`, and what has no place where it is an error. What kernel-doc says
/// by itself is another check's.
fn warning(line: &str, tree: &Path) -> Option<(Option<String>, Option<u32>, String)> {
    let line = line.replace(&format!("{}/", tree.display()), "");
    if let Some(what) = line.strip_prefix("ERROR: ") {
        return Some((None, None, what.trim().to_owned()));
    }
    let marks = [": WARNING: ", ": ERROR: ", ": SEVERE: ", ": CRITICAL: "];
    let (place, what) = marks.into_iter().find_map(|mark| line.split_once(mark))?;
    let place = place.rsplit(": ").next().unwrap_or(place);
    let (file, number) = match place.rsplit_once(':') {
        Some((file, number)) if number.bytes().all(|b| b.is_ascii_digit()) => (file, number.parse().ok()),
        _ => (place, None),
    };
    Some((Some(file.trim_start_matches("./").to_owned()), number, what.trim().to_owned()))
}

/// A path without `..`.
fn normal(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// Whether a line of some document looks like the entry of a table of contents for `path`, below Documentation/.
fn is_listed(source: &Source<'_>, commit: &str, path: &str) -> Result<bool> {
    let path = path.trim_end_matches(".rst");
    let name = path.rsplit('/').next().unwrap_or(path);
    let grep = source.git(["grep", "-h", "-F", "-e", name, commit, "--", "Documentation/*.rst"]).output()?;
    let entry = |line: &str| {
        let line = line.trim().trim_end_matches('>');
        let line = line.rsplit('<').next().unwrap_or(line).trim_end_matches(".rst");
        line == name || line.strip_suffix(name).is_some_and(|folder| folder.ends_with('/') && !folder.contains(' '))
    };
    let listed = grep.text().lines().any(entry);
    Ok(listed || has_glob(source, commit, path)?)
}

/// Whether the index beside a document lists whatever is there.
fn has_glob(source: &Source<'_>, commit: &str, path: &str) -> Result<bool> {
    let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let index = source.file(commit, &format!("{TOP}/{folder}index.rst"))?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&index).contains(":glob:"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{normal, taken, warning};

    fn read(line: &str) -> Option<String> {
        let (file, line, what) = warning(line, Path::new("/c/tree"))?;
        Some(format!("{} {}: {what}", file.unwrap_or_default(), line.unwrap_or_default()))
    }

    #[test]
    fn what_sphinx_says_is_read_with_the_file_it_is_about() {
        let document = "/c/tree/Documentation/networking/page_pool.rst:186: WARNING: Bullet list ends.";
        assert_eq!(read(document).unwrap(), "Documentation/networking/page_pool.rst 186: Bullet list ends.");
        let source = "/c/tree/Documentation/own:7: /c/tree/include/linux/skbuff.h:5483: WARNING: Block quote ends.";
        assert_eq!(read(source).unwrap(), "include/linux/skbuff.h 5483: Block quote ends.");
        assert_eq!(read("ERROR: Cannot find file /c/tree/include/a.h").unwrap(), " 0: Cannot find file include/a.h");
        assert_eq!(read("WARNING: /c/tree/include/linux/skbuff.h:5489 function parameter 'b' not described"), None);
        assert_eq!(read("WARNING: dot(1) not found"), None);
    }

    #[test]
    fn a_directive_is_taken_with_its_options() {
        let text = "Title\n=====\n\n.. kernel-doc:: a.h\n   :internal:\n\n.. kernel-doc:: b.h\n   :doc: more\n   :no-identifiers: x\nText\n";
        assert_eq!(taken(text, &["b.h"]), [".. kernel-doc:: b.h\n   :doc: more\n   :no-identifiers: x\n"]);
        assert_eq!(taken(text, &["a.h"]), [".. kernel-doc:: a.h\n   :internal:\n"]);
    }

    #[test]
    fn a_path_goes_up_where_it_says_so() {
        assert_eq!(normal("networking/../process/./howto"), "process/howto");
    }
}

// SPDX-License-Identifier: GPL-2.0
//! series/NAME/ read and validated: every key known, every file there, nothing left over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use toml::Spanned;

use super::history::{Change, History, Posted, Tag, posting};
use super::{Add, Cocci, Condition, Dropped, Exception, Message, Patch, Series, Text, path};
use crate::audit::rules::FILE as AUDIT;
use crate::base::record::is_name;
use crate::bench::show::FILE as BENCH;
use crate::check;
use crate::cocci::residue_pattern;
use crate::facts;
use crate::files;
use crate::kernel::config;
use crate::mail;
use crate::project::Project;
use crate::value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SeriesTable {
    #[serde(deserialize_with = "value::line")]
    title: String,
    #[serde(deserialize_with = "value::tree")]
    tree: String,
    version: Spanned<u32>,
    change_id: Spanned<String>,
    base: Spanned<String>,
    depends: Option<Spanned<String>>,
    date: Spanned<String>,
    #[serde(default, deserialize_with = "value::recipients")]
    to: Vec<String>,
    #[serde(default, deserialize_with = "value::recipients")]
    cc: Vec<String>,
    #[serde(default, deserialize_with = "value::recipients")]
    exclude: Vec<String>,
    #[serde(default)]
    changelog: Vec<Change>,
    #[serde(default)]
    posted: Vec<Posted>,
    #[serde(default)]
    tag: Vec<Tag>,
    #[serde(default)]
    drop: Vec<DropTable>,
    #[serde(default)]
    exception: Vec<ExceptionTable>,
    #[serde(default)]
    patch: Vec<Spanned<PatchTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DropTable {
    patch: Spanned<String>,
    #[serde(default, deserialize_with = "value::some_path")]
    file: Option<String>,
    item: Option<Spanned<String>>,
    with: Option<String>,
    without: Option<String>,
    reason: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionTable {
    patch: Spanned<String>,
    #[serde(deserialize_with = "value::line")]
    check: String,
    contains: Spanned<String>,
    reason: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PatchTable {
    name: Spanned<String>,
    #[serde(default)]
    adds: Vec<Spanned<String>>,
    cocci: Option<CocciTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CocciTable {
    paths: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    residue: Vec<Spanned<String>>,
}

/// Reads series/`name`/.
pub fn load(project: &Project, name: &str) -> Result<Series> {
    let dir = project.series(name);
    if !is_name(name) || !project.has_folder(&dir)? || !project.has(&dir.join("series.toml"))? {
        bail!("there is no series {name:?}: no file {}", Path::new("series").join(name).join("series.toml").display());
    }
    let source = read(project, &dir.join("series.toml"))?;
    let loader = Loader { project, dir: &dir, source: &source };
    let table = toml::from_str::<SeriesTable>(&source.text)
        .map_err(|error| files::at(&source.file, &source.text, error.span(), error.message()))?;
    let series = loader.series(name, table)?;
    loader.refuse_strays(&series)?;
    Ok(series)
}

/// Reads a text file of the project; the path in the result and in errors is relative to it.
fn read(project: &Project, path: &Path) -> Result<Text> {
    let file = project.relative(path);
    let text = project.text(&file)?;
    Ok(Text { file, text })
}

struct Loader<'a> {
    project: &'a Project,
    dir: &'a Path,
    source: &'a Text,
}

impl Loader<'_> {
    fn wrong<T>(&self, at: &Spanned<T>, what: &str) -> anyhow::Error {
        files::at(&self.source.file, &self.source.text, Some(at.span()), what)
    }

    fn place<T>(&self, at: &Spanned<T>) -> String {
        let text = self.wrong(at, "").to_string();
        text.trim_end_matches([':', ' ']).to_owned()
    }

    fn series(&self, name: &str, table: SeriesTable) -> Result<Series> {
        if *table.version.get_ref() == 0 {
            return Err(self.wrong(&table.version, "versions count from 1"));
        }
        if !is_name(table.base.get_ref()) {
            return Err(self.wrong(&table.base, "this is no name of a base"));
        }
        if mail::slug(table.change_id.get_ref()).is_none() {
            return Err(self.wrong(&table.change_id, "a change-id has the form YYYYMMDD-slug-12hex"));
        }
        if let Some(depends) = &table.depends {
            let is_series =
                is_name(depends.get_ref()) && self.project.series(depends.get_ref()).join("series.toml").is_file();
            if !is_series {
                return Err(self.wrong(depends, &format!("there is no series {:?} to depend on", depends.get_ref())));
            }
        }
        let date = table.date.get_ref().parse().map_err(|e| self.wrong(&table.date, &format!("no date: {e}")))?;
        let mut patches = Vec::<Patch>::new();
        for patch in &table.patch {
            let name = &patch.get_ref().name;
            if let Some(twin) = patches.iter().find(|p| p.name == *name.get_ref()) {
                return Err(self.wrong(name, &format!("there is a patch of this name at {}", twin.place)));
            }
            patches.push(self.patch(patch.get_ref(), &self.place(name))?);
        }
        let drops = table.drop.into_iter().map(|entry| self.dropped(entry, &patches)).collect::<Result<Vec<_>>>()?;
        let exceptions = table.exception.into_iter().map(|entry| self.exception(entry, &patches));
        let exceptions = exceptions.collect::<Result<Vec<_>>>()?;
        let history = History { changelog: table.changelog, posted: table.posted, tags: table.tag };
        let names = patches.iter().map(|patch| patch.name.as_str()).collect::<Vec<_>>();
        history.check(&names).with_context(|| self.source.file.display().to_string())?;
        let cover = self.optional(&self.dir.join("cover.md"))?.map(|text| text.text);
        let counts = self.optional(&self.dir.join(BENCH))?.map(|text| text.text);
        Ok(Series {
            name: name.to_owned(),
            title: table.title,
            tree: table.tree,
            version: table.version.into_inner(),
            change_id: table.change_id.into_inner(),
            base: table.base.into_inner(),
            depends: table.depends.map(Spanned::into_inner),
            date,
            to: table.to,
            cc: table.cc,
            exclude: table.exclude,
            history,
            cover,
            counts,
            drops,
            exceptions,
            patches,
        })
    }

    fn dropped(&self, table: DropTable, patches: &[Patch]) -> Result<Dropped> {
        let patch = table.patch.get_ref();
        if !patches.iter().any(|known| known.name == *patch) {
            return Err(self.wrong(&table.patch, &format!("the series has no patch `{}`", patch.escape_debug())));
        }
        if let Some(item) = table.item.as_ref().filter(|_| table.file.is_none()) {
            return Err(self.wrong(item, "an item needs the `file` it is in"));
        }
        let when = match (table.with, table.without) {
            (Some(fact), None) => Some(Condition { fact, with: true }),
            (None, Some(fact)) => Some(Condition { fact, with: false }),
            (None, None) if table.item.is_some() => None,
            _ => {
                return Err(
                    self.wrong(&table.patch, "it needs one of `with` and `without`: a key of `txgen base show`")
                );
            }
        };
        if let Some(Condition { fact, .. }) = &when
            && !facts::FACTS.iter().any(|known| known.key == fact)
        {
            return Err(self.wrong(&table.patch, &format!("there is no capability {fact:?} (see `txgen base show`)")));
        }
        if let Some(item) = &table.item {
            value::check_line(item.get_ref()).map_err(|what| self.wrong(item, &what))?;
        }
        self.check_text("reason", &table.reason)?;
        let (patch, reason) = (table.patch.into_inner(), table.reason.into_inner());
        Ok(Dropped { patch, file: table.file, item: table.item.map(Spanned::into_inner), when, reason })
    }

    fn exception(&self, table: ExceptionTable, patches: &[Patch]) -> Result<Exception> {
        let place = self.place(&table.patch);
        let patch = table.patch.get_ref();
        if patch != check::SERIES && !patches.iter().any(|known| known.name == *patch) {
            return Err(self.wrong(&table.patch, &format!("the series has no patch `{}`", patch.escape_debug())));
        }
        for (key, text) in [("contains", &table.contains), ("reason", &table.reason)] {
            self.check_text(key, text)?;
        }
        let [contains, reason] = [table.contains, table.reason].map(Spanned::into_inner);
        Ok(Exception { patch: table.patch.into_inner(), check: table.check, contains, reason, place })
    }

    fn check_text(&self, key: &str, text: &Spanned<String>) -> Result<()> {
        if text.get_ref().trim().is_empty() {
            return Err(self.wrong(text, &format!("`{key}` is empty")));
        }
        value::check_text(text.get_ref()).map_err(|what| self.wrong(text, &what))
    }

    fn patch(&self, table: &PatchTable, place: &str) -> Result<Patch> {
        let name = table.name.get_ref();
        if !is_name(name) {
            return Err(self.wrong(&table.name, "a name has lower case letters, digits, `-`, `_` and `.` only"));
        }
        let text = self.required(name, "msg", place)?;
        let message = Message::parse(&text.text).map_err(|e| anyhow!("{}:{e}", text.file.display()))?;
        let adds = table.adds.iter().map(|add| self.add(add)).collect::<Result<Vec<_>>>()?;
        let cocci = self.cocci(table, place)?;
        let diff = self.optional(&self.dir.join(format!("{name}.diff")))?;
        let resolutions = self.resolutions(name)?;
        if adds.is_empty() && cocci.is_none() && diff.is_none() && resolutions.is_empty() {
            bail!("{place}: patch {name} changes nothing: it has neither `adds`, nor {name}.diff, nor {name}.cocci");
        }
        Ok(Patch { name: name.clone(), place: place.to_owned(), message, adds, cocci, diff, resolutions })
    }

    fn required(&self, name: &str, kind: &str, place: &str) -> Result<Text> {
        let path = self.dir.join(format!("{name}.{kind}"));
        let missing = || anyhow!("{place}: patch {name} needs {}", self.project.relative(&path).display());
        self.optional(&path)?.ok_or_else(missing)
    }

    fn optional(&self, path: &Path) -> Result<Option<Text>> {
        if self.project.has(path)? { read(self.project, path).map(Some) } else { Ok(None) }
    }

    fn add(&self, add: &Spanned<String>) -> Result<Add> {
        let (file, item) = match add.get_ref().split_once('#') {
            Some((file, item)) => (file, Some(item.split_whitespace().collect::<Vec<_>>().join(" "))),
            None => (add.get_ref().as_str(), None),
        };
        if let Err(what) = path::check(file) {
            return Err(self.wrong(add, &format!("path {file:?} {what}")));
        }
        if item.as_ref().is_some_and(String::is_empty) {
            return Err(self.wrong(add, "the name of the item after `#` is empty"));
        }
        value::check_line(add.get_ref()).map_err(|what| self.wrong(add, &what))?;
        Ok(Add { path: file.to_owned(), item, place: self.place(add) })
    }

    fn cocci(&self, table: &PatchTable, place: &str) -> Result<Option<Cocci>> {
        let name = table.name.get_ref();
        let Some(cocci) = &table.cocci else {
            return match self.optional(&self.dir.join(format!("{name}.cocci")))? {
                Some(text) => bail!("{place}: {} needs a key `cocci` that says where it runs", text.file.display()),
                None => Ok(None),
            };
        };
        for entry in cocci.paths.get_ref() {
            if let Err(what) = path::check(entry.get_ref()) {
                return Err(self.wrong(entry, &format!("path {:?} {what}", entry.get_ref())));
            }
        }
        if cocci.paths.get_ref().is_empty() {
            return Err(self.wrong(&cocci.paths, "there is no path to run on"));
        }
        let script = self.required(name, "cocci", place)?;
        let paths = cocci.paths.get_ref().iter().map(|p| p.get_ref().clone()).collect();
        let pattern = |p: &Spanned<String>| residue_pattern(p.get_ref()).map_err(|e| self.wrong(p, &format!("{e:#}")));
        let residue = cocci.residue.iter().map(pattern).collect::<Result<Vec<_>>>()?;
        Ok(Some(Cocci { script, paths, residue }))
    }

    fn resolutions(&self, name: &str) -> Result<BTreeMap<String, Text>> {
        let bases = self.dir.join("bases");
        let mut found = BTreeMap::new();
        for base in if self.project.has_folder(&bases)? { entries(&bases)? } else { Vec::new() } {
            if let Some(text) = self.optional(&bases.join(&base).join(format!("{name}.diff")))? {
                found.insert(base, text);
            }
        }
        Ok(found)
    }

    /// Refuses files that nothing refers to: a patch that was renamed in one place only leaves them.
    fn refuse_strays(&self, series: &Series) -> Result<()> {
        let mut known = BTreeSet::from(["series.toml", "cover.md", AUDIT, BENCH].map(PathBuf::from));
        known.extend(config::of_series().map(PathBuf::from));
        known.extend(series.history.posted.iter().map(|sent| record(sent.version, sent.resend)));
        for patch in &series.patches {
            known.extend(["msg", "diff", "cocci"].map(|kind| PathBuf::from(format!("{}.{kind}", patch.name))));
            known.extend(
                patch.resolutions.keys().map(|base| Path::new("bases").join(base).join(format!("{}.diff", patch.name))),
            );
        }
        for file in self.files_below(Path::new(""))? {
            if !known.contains(&file) {
                bail!(
                    "{}: nothing in {} refers to it",
                    self.project.relative(&self.dir.join(file)).display(),
                    self.source.file.display()
                );
            }
        }
        Ok(())
    }

    fn files_below(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for name in entries(&self.dir.join(folder))? {
            let path = folder.join(&name);
            let kind = fs::symlink_metadata(self.dir.join(&path));
            if kind.with_context(|| format!("look at {}", path.display()))?.is_dir() {
                found.extend(self.files_below(&path)?);
            } else {
                found.push(path);
            }
        }
        Ok(found)
    }
}

/// The mails of a posting, in the folder of the series.
pub fn record(version: u32, resend: u32) -> PathBuf {
    Path::new("sent").join(format!("{}.mbox", posting(version, resend)))
}

/// Names in a folder, sorted, without the hidden ones and those of an editor.
fn entries(dir: &Path) -> Result<Vec<String>> {
    let list = || format!("list {}", dir.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).with_context(list)? {
        let name = entry.with_context(list)?.file_name();
        names.push(name.into_string().map_err(|n| anyhow!("{}: the name {n:?} is no UTF-8", dir.display()))?);
    }
    names.retain(|name| !name.starts_with('.') && !files::is_editors(name.as_ref()));
    names.sort();
    Ok(names)
}

/// The text of a series.toml with another base, everything else as it is.
pub fn with_base(text: &str, base: &str) -> Result<String> {
    let span = toml::from_str::<BaseOnly>(text).context("read series.toml")?.base.span();
    Ok(format!("{}\"{base}\"{}", &text[..span.start], &text[span.end..]))
}

#[derive(Deserialize)]
struct BaseOnly {
    base: Spanned<String>,
}

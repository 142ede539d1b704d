// SPDX-License-Identifier: GPL-2.0
//! series/bases.toml: where each base comes from, and which version, commit and tree it was.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use toml::Spanned;

use super::Base;
use crate::files;
use crate::lock;
use crate::project::Project;
use crate::value;

/// A base as series/bases.toml has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its name, the header of its table.
    pub name: String,
    /// Where it comes from.
    pub source: Source,
    /// The version that was fetched when it was recorded.
    pub version: Option<String>,
    /// The commit of that version in the managed repository.
    pub commit: Option<String>,
    /// The tree of that version.
    pub tree: Option<String>,
    /// Package and version it was taken in place of, where that one was gone.
    pub instead_of: Option<String>,
    /// The trees that it stands for: a series for another one is not to be posted from it.
    pub trees: Option<Vec<String>>,
}

/// Where the tree of a base comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A distribution's kernel source package.
    Debian {
        /// Its name, such as `linux-source-7.3`.
        package: String,
        /// The suite that has it.
        suite: String,
    },
    /// A tarball; the path is relative to the project.
    Tarball(PathBuf),
    /// A ref of a git repository.
    Git {
        /// The repository.
        url: String,
        /// The ref.
        reference: String,
    },
}

impl Source {
    /// The source in a few words.
    pub fn describe(&self) -> String {
        match self {
            Self::Debian { package, suite } => format!("{package} ({suite})"),
            Self::Tarball(path) => format!("tarball {}", path.display()),
            Self::Git { url, reference } => format!("{reference} of {url}"),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    #[serde(default, deserialize_with = "value::some_line")]
    debian_source: Option<String>,
    #[serde(default, deserialize_with = "value::some_line")]
    suite: Option<String>,
    tarball: Option<PathBuf>,
    #[serde(default, deserialize_with = "value::some_line")]
    git: Option<String>,
    #[serde(default, deserialize_with = "value::some_line")]
    r#ref: Option<String>,
    #[serde(default, deserialize_with = "value::some_line")]
    version: Option<String>,
    commit: Option<String>,
    tree: Option<String>,
    #[serde(default, deserialize_with = "value::some_line")]
    instead_of: Option<String>,
    #[serde(default, deserialize_with = "value::some_trees")]
    trees: Option<Vec<String>>,
}

/// Reads every base of series/bases.toml, in the order of their names.
pub fn load(project: &Project) -> Result<Vec<Record>> {
    let path = project.bases_file();
    parse(&project.relative(&path), &project.text(&path)?)
}

/// The base `name` of series/bases.toml.
pub fn find(project: &Project, name: &str) -> Result<Record> {
    let records = load(project)?;
    let known = records.iter().map(|r| r.name.clone()).collect::<Vec<_>>().join(", ");
    records
        .into_iter()
        .find(|record| record.name == name)
        .with_context(|| format!("series/bases.toml has no base {name:?} (it has: {known})"))
}

fn parse(path: &Path, text: &str) -> Result<Vec<Record>> {
    // The order of a TOML document's tables means nothing: a sorted map keeps output stable.
    let tables = toml::from_str::<std::collections::BTreeMap<String, Spanned<Table>>>(text)
        .map_err(|error| files::at(path, text, error.span(), error.message()))?;
    tables.into_iter().map(|(name, table)| record(path, text, name, table)).collect()
}

fn record(path: &Path, text: &str, name: String, table: Spanned<Table>) -> Result<Record> {
    let span = table.span();
    let wrong = |what: &str| files::at(path, text, Some(span.clone()), &format!("base {name}: {what}"));
    if !is_name(&name) {
        return Err(wrong("a name has lower case letters, digits, `.` and `-` only"));
    }
    let table = table.into_inner();
    let source = match (table.debian_source, table.suite, table.tarball, table.git, table.r#ref) {
        (Some(package), Some(suite), None, None, None) => Source::Debian { package, suite },
        (None, None, Some(path), None, None) => Source::Tarball(path),
        (None, None, None, Some(url), Some(reference)) => Source::Git { url, reference },
        _ => {
            return Err(wrong("needs one source: `debian-source` with `suite`, or `tarball`, or `git` with `ref`"));
        }
    };
    for id in [&table.commit, &table.tree].into_iter().flatten() {
        if id.len() != 40 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong(&format!("{id:?} is no full object id (40 hex digits)")));
        }
    }
    let (version, commit, tree, instead_of) = (table.version, table.commit, table.tree, table.instead_of);
    Ok(Record { name, source, version, commit, tree, instead_of, trees: table.trees })
}

/// Whether `name` fits in a ref, a file name and a mail header alike.
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'_');
    name.bytes().all(fits)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !name.contains("..")
        && !name.ends_with('.')
        && !name.ends_with(".lock")
}

/// Writes `record` into series/bases.toml in place of `known`, keeping comments and the other bases as they are; an error
/// where the file has another one by now.
pub fn store(project: &Project, known: &Record, record: &Record) -> Result<()> {
    let _lock = lock::take(project)?;
    let path = project.bases_file();
    let text = project.text(&path)?;
    if parse(&project.relative(&path), &text)?.iter().find(|one| one.name == known.name) != Some(known) {
        bail!("base {} of series/bases.toml changed on disk meanwhile: nothing was written, run it again", known.name);
    }
    let new = updated(&text, record).with_context(|| format!("update {}", path.display()))?;
    files::replace(&path, text.as_bytes(), new.as_bytes())
}

/// The name of a base made of a ref's.
pub fn slug(reference: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '_');
    let name = reference.to_ascii_lowercase().chars().map(|c| if fits(c) { c } else { '-' }).collect::<String>();
    Some(name).filter(|name| is_name(name))
}

/// The text of series/bases.toml with base `name`: a ref of a git repository, as it is in `base`.
pub fn with_git(project: &Project, name: &str, (url, reference): (&str, &str), base: &Base) -> Result<String> {
    let text = project.text(&project.bases_file())?;
    let mut document = text.parse::<toml_edit::DocumentMut>().map_err(|e| anyhow!("{e}"))?;
    if document.contains_key(name) {
        bail!("series/bases.toml has another base {name}: rename it there, or rebase onto a ref of another name");
    }
    let mut table = toml_edit::Table::new();
    for (key, value) in [("git", url), ("ref", reference), ("commit", &*base.commit), ("tree", &*base.tree)] {
        table.insert(key, toml_edit::value(value));
    }
    document.insert(name, toml_edit::Item::Table(table));
    Ok(document.to_string())
}

fn updated(text: &str, record: &Record) -> Result<String> {
    let mut document = text.parse::<toml_edit::DocumentMut>().map_err(|e| anyhow!("{e}"))?;
    let Some(table) = document.get_mut(&record.name).and_then(|item| item.as_table_like_mut()) else {
        bail!("there is no table [{}]", record.name);
    };
    let package = match &record.source {
        Source::Debian { package, .. } => Some(package.clone()),
        Source::Tarball(_) | Source::Git { .. } => None,
    };
    let entries = [
        ("debian-source", &package),
        ("version", &record.version),
        ("commit", &record.commit),
        ("tree", &record.tree),
        ("instead-of", &record.instead_of),
    ];
    for (key, value) in entries {
        match value {
            Some(value) => drop(table.insert(key, toml_edit::value(value))),
            None => drop(table.remove(key)),
        }
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Source, parse, store, updated};
    use crate::files;
    use crate::project::Project;

    const TWO: &str = "# kept\n[a]\ndebian-source = \"linux-source-7.3\"\nsuite = \"s\" # kept too\n\n[b]\ngit = \"u\"\nref = \"r\"\n";

    #[test]
    fn a_record_is_written_without_touching_comments_or_other_bases() {
        let mut record = parse(Path::new("b.toml"), TWO).expect("it is valid").remove(0);
        record.source = Source::Debian { package: "linux-source-7.4".to_owned(), suite: "s".to_owned() };
        record.version = Some("7.4.1-1".to_owned());
        record.instead_of = Some("linux-source-7.3".to_owned());
        insta::assert_snapshot!(updated(TWO, &record).expect("a is there"), @r#"
        # kept
        [a]
        debian-source = "linux-source-7.4"
        suite = "s" # kept too
        version = "7.4.1-1"
        instead-of = "linux-source-7.3"

        [b]
        git = "u"
        ref = "r"
        "#);
    }

    #[test]
    fn a_base_that_was_edited_meanwhile_is_not_written_over() {
        let dir = tempfile::tempdir().expect("a folder");
        let project = Project { root: dir.path().to_owned(), cache: dir.path().join("cache") };
        let file = project.bases_file();
        files::write_new(&file, TWO.as_bytes()).expect("it is written");
        let known = parse(Path::new("b.toml"), TWO).expect("it is valid").remove(0);
        let mut fresh = known.clone();
        fresh.version = Some("7.3-1".to_owned());
        let edited = TWO.replace("suite = \"s\"", "suite = \"t\"");
        std::fs::write(&file, &edited).expect("it is written");
        let error = store(&project, &known, &fresh).expect_err("it was edited").to_string();
        insta::assert_snapshot!(error, @"base a of series/bases.toml changed on disk meanwhile: nothing was written, run it again");
        assert_eq!(files::read(&file).expect("it is there"), edited);
        std::fs::write(&file, format!("# new\n{TWO}")).expect("it is written");
        store(&project, &known, &fresh).expect("another part was edited");
        assert!(files::read(&file).expect("it is there").starts_with("# new\n# kept\n[a]\n"));
    }

    fn error(text: &str) -> String {
        format!("{:#}", parse(Path::new("b.toml"), text).expect_err("it is wrong"))
    }

    #[test]
    fn a_base_with_a_wrong_source_is_refused_with_its_place() {
        insta::assert_snapshot!(error("[a]\ngit = \"u\"\n"), @"b.toml:1:1: base a: needs one source: `debian-source` with `suite`, or `tarball`, or `git` with `ref`");
        insta::assert_snapshot!(error("[a]\ngti = \"u\"\n"), @"b.toml:2:1: unknown field `gti`, expected one of `debian-source`, `suite`, `tarball`, `git`, `ref`, `version`, `commit`, `tree`, `instead-of`, `trees`");
        insta::assert_snapshot!(error("[a]\ntarball = \"x\"\ntree = \"12\"\n"), @r#"b.toml:1:1: base a: "12" is no full object id (40 hex digits)"#);
        insta::assert_snapshot!(error("[\"../a\"]\ntarball = \"x\"\n"), @"b.toml:1:1: base ../a: a name has lower case letters, digits, `.` and `-` only");
    }
}

// SPDX-License-Identifier: GPL-2.0
//! series/NAME/audit.toml: the watched names, and what is said about places that no patch changes.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use regex::Regex;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{Place, State};
use crate::files;
use crate::project::Project;
use crate::series::Series;
use crate::slice::uses::{Name, Role};

/// The file's name.
pub const FILE: &str = "audit.toml";

/// The file, read.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Its path, relative to the project.
    pub file: PathBuf,
    /// Folders and files of the kernel tree that are not looked into.
    pub skip: Vec<String>,
    /// What is watched.
    pub watches: Vec<Watch>,
    /// What is said about places; the first that fits counts.
    pub rules: Vec<Rule>,
}

/// Names that are watched, all for one reason.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Watch {
    /// The names.
    pub names: Vec<String>,
    /// What they have in common.
    pub about: String,
    /// They are members of objects of these names.
    #[serde(default)]
    pub member_of: Vec<String>,
    /// They are types to which something with one of these words in it is cast.
    #[serde(default)]
    pub cast_of: Vec<String>,
    /// They count only in functions that mention one of these words.
    #[serde(default)]
    pub beside: Vec<String>,
}

/// What is said about places.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The names it is about; all if empty.
    pub names: Vec<String>,
    /// The files it is about: paths, in which `*` stands for anything; all if empty.
    pub files: Vec<Regex>,
    /// The functions it is about; all if empty.
    pub functions: Vec<String>,
    /// The verdict.
    pub state: State,
    /// For [`State::Guarded`]: the function, `file#function`, whose change makes these places right.
    pub guard: Option<(String, String)>,
    /// Why.
    pub reason: String,
    /// Where it is: `file:line:column`.
    pub place: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTable {
    #[serde(default)]
    skip: Vec<String>,
    watch: Vec<Watch>,
    #[serde(default)]
    rule: Vec<Spanned<RuleTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleTable {
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    functions: Vec<String>,
    state: State,
    guard: Option<String>,
    reason: String,
}

impl Rules {
    /// The names, as the search takes them.
    pub fn names(&self) -> Vec<Name> {
        let name = |watch: &Watch, word: &String| Name {
            word: word.clone(),
            role: match (watch.member_of.is_empty(), watch.cast_of.is_empty()) {
                (false, _) => Role::MemberOf(watch.member_of.clone()),
                (_, false) => Role::CastOf(watch.cast_of.clone()),
                _ => Role::Call,
            },
            beside: watch.beside.clone(),
        };
        self.watches.iter().flat_map(|watch| watch.names.iter().map(move |word| name(watch, word))).collect()
    }
}

impl Rule {
    /// Whether it is about a place.
    pub fn fits(&self, place: &Place) -> bool {
        let one_of = |list: &[String], word: &String| list.is_empty() || list.contains(word);
        one_of(&self.names, &place.name)
            && one_of(&self.functions, &place.function)
            && (self.files.is_empty() || self.files.iter().any(|file| file.is_match(&place.file)))
    }
}

/// Reads the file of a series, if it has one.
pub fn load(project: &Project, series: &Series) -> Result<Option<Rules>> {
    let path = project.series(&series.name).join(FILE);
    let Some(text) = project.text_if_there(&path)? else { return Ok(None) };
    parse(project.relative(&path), &text).map(Some)
}

/// Reads the text of the file.
pub fn parse(file: PathBuf, text: &str) -> Result<Rules> {
    let table = toml::from_str::<FileTable>(text).map_err(|e| files::at(&file, text, e.span(), e.message()))?;
    if table.watch.iter().any(|watch| !watch.member_of.is_empty() && !watch.cast_of.is_empty()) {
        bail!("{}: a [[watch]] has `member-of` or `cast-of`, not both", file.display());
    }
    let mut names = table.watch.iter().flat_map(|watch| &watch.names).collect::<Vec<_>>();
    names.sort();
    if let Some(twin) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        bail!("{}: {} is watched twice", file.display(), twin[0]);
    }
    let mut rules = Vec::new();
    for rule in table.rule {
        let span = rule.span();
        let wrong = |what: &str| files::at(&file, text, Some(span.clone()), what);
        let place = wrong("").to_string().trim_end_matches([':', ' ']).to_owned();
        let table = rule.into_inner();
        if let Some(name) = table.names.iter().find(|name| !names.contains(name)) {
            return Err(wrong(&format!("`{name}` is not watched")));
        }
        rules.push(table.validate(place).map_err(|e| wrong(&format!("{e:#}")))?);
    }
    Ok(Rules { file, skip: table.skip, watches: table.watch, rules })
}

impl RuleTable {
    fn validate(self, place: String) -> Result<Rule> {
        if self.reason.trim().is_empty() {
            bail!("`reason` is empty");
        }
        if !matches!(self.state, State::Untouched | State::Guarded | State::Open) {
            bail!("a rule says untouched, guarded or open: what patches do is found in their trees");
        }
        if (self.state == State::Guarded) != self.guard.is_some() {
            bail!("`guard` names the function, FILE#FUNCTION, that makes a place `guarded`, and nothing else");
        }
        if self.names.is_empty() && self.files.is_empty() {
            bail!("it is about every place: give `names` or `files`");
        }
        let guard = self.guard.map(|guard| {
            let parts = guard.split_once('#').map(|(file, function)| (file.to_owned(), function.to_owned()));
            parts.with_context(|| format!("guard {guard:?} is not of the form FILE#FUNCTION"))
        });
        let files = self.files.iter().map(|glob| pattern(glob)).collect::<Result<Vec<_>>>()?;
        let reason = self.reason.split_whitespace().collect::<Vec<_>>().join(" ");
        let (names, functions, state) = (self.names, self.functions, self.state);
        Ok(Rule { names, files, functions, state, guard: guard.transpose()?, reason, place })
    }
}

/// A path in which `*` stands for anything.
fn pattern(glob: &str) -> Result<Regex> {
    let parts = glob.split('*').map(regex::escape).collect::<Vec<_>>();
    Regex::new(&format!("^{}$", parts.join(".*"))).with_context(|| format!("files {glob:?}"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Place, parse};

    const WATCH: &str = "[[watch]]\nnames = [\"ref\"]\nabout = \"refs\"\n";

    fn error(rule: &str) -> String {
        let text = format!("{WATCH}[[rule]]\n{rule}\n");
        parse(PathBuf::from("audit.toml"), &text).unwrap_err().to_string()
    }

    #[test]
    fn a_rule_that_can_not_be_meant_is_refused() {
        insta::assert_snapshot!(error("names = [\"put\"]\nstate = \"open\"\nreason = \"x\""), @"audit.toml:4:1: `put` is not watched");
        insta::assert_snapshot!(error("names = [\"ref\"]\nstate = \"converted\"\nreason = \"x\""), @"audit.toml:4:1: a rule says untouched, guarded or open: what patches do is found in their trees");
        insta::assert_snapshot!(error("names = [\"ref\"]\nstate = \"guarded\"\nreason = \"x\""), @"audit.toml:4:1: `guard` names the function, FILE#FUNCTION, that makes a place `guarded`, and nothing else");
        insta::assert_snapshot!(error("names = [\"ref\"]\nstate = \"guarded\"\nguard = \"f\"\nreason = \"x\""), @r#"audit.toml:4:1: guard "f" is not of the form FILE#FUNCTION"#);
        insta::assert_snapshot!(error("state = \"untouched\"\nreason = \"x\""), @"audit.toml:4:1: it is about every place: give `names` or `files`");
        insta::assert_snapshot!(error("names = [\"ref\"]\nstate = \"untouched\"\nreason = \" \""), @"audit.toml:4:1: `reason` is empty");
    }

    #[test]
    fn a_rule_fits_by_name_file_and_function() {
        let rule = "names = [\"ref\"]\nfiles = [\"net/*.c\"]\nfunctions = [\"f\"]\nstate = \"open\"\nreason = \"x\"";
        let rules = parse(PathBuf::from("audit.toml"), &format!("{WATCH}[[rule]]\n{rule}\n")).unwrap();
        let fits = |file: &str, function: &str, name: &str| {
            let [file, function, name] = [file, function, name].map(str::to_owned);
            rules.rules[0].fits(&Place { file, function, name })
        };
        assert!(fits("net/core/skbuff.c", "f", "ref"));
        assert!(!fits("net/core/skbuff.h", "f", "ref"));
        assert!(!fits("drivers/net/a.c", "f", "ref"));
        assert!(!fits("net/core/skbuff.c", "g", "ref"));
        assert!(!fits("net/core/skbuff.c", "f", "put"));
    }
}

// SPDX-License-Identifier: GPL-2.0
//! The selftests that a boot runs, the kernel's and a few of this project: vm-tests/selftests.toml, read and validated,
//! and the guest's plan of it.
//!
//! The programs are built from the sources of the tree under test ([`build`]); what they said is read by [`results`].

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::files;
use crate::kernel::config;
use crate::process;
use crate::project::Project;

pub mod build;
pub mod results;

/// The tests, by the folder of the kernel tree that they are in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// What of the kernel tree it takes to build the programs.
    pub sources: Vec<String>,
    /// The folders with tests.
    pub folder: Vec<Folder>,
}

/// A folder of the kernel tree with tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// Its path in the tree.
    pub path: String,
    /// The folder of this project that is put there; the tree itself has none at this path.
    pub project: Option<String>,
    /// Its tests, in the order they run.
    pub test: Vec<Test>,
}

/// A test: a command that ends with kselftest's exit codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// Its name in reports.
    pub name: String,
    /// Whether it runs in each boot, after KUnit's suites, too.
    #[serde(default)]
    pub quick: bool,
    /// Programs that the folder's Makefile builds for it; the source of each is `NAME.c`.
    #[serde(default)]
    pub builds: Vec<String>,
    /// Scripts of the folder that it runs.
    #[serde(default)]
    pub scripts: Vec<String>,
    /// Modules of the kernel, `DIR/NAME.ko`, that are put into its folder; the source of each is `DIR/NAME.c` or `.rs`.
    #[serde(default)]
    pub modules: Vec<String>,
    /// The configurations that it is for; all where it names none.
    #[serde(default)]
    pub configs: Vec<String>,
    /// The command, run by sh in the folder.
    pub run: String,
    /// A program to be started before the command, which has to succeed too.
    pub server: Option<Server>,
    /// The time it may take.
    pub seconds: u32,
    /// How often it is run until it passes; each run that fails is told.
    #[serde(default = "once")]
    pub tries: u32,
    /// Programs of the guest's PATH (the host's) that it needs.
    #[serde(default)]
    pub needs: Vec<String>,
    /// The series that brings it; other trees need not have it.
    pub series: Option<String>,
    /// Bases of series/bases.toml that are older than it.
    #[serde(default)]
    pub not_on: Vec<String>,
}

/// The other side of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its command.
    pub run: String,
    /// The TCP port on which it listens once it is ready.
    pub port: u16,
}

impl Test {
    fn is_for(&self, config: &str) -> bool {
        self.configs.is_empty() || self.configs.iter().any(|name| name == config)
    }
}

fn once() -> u32 {
    1
}

/// Programs that the guest's script itself needs.
const GUEST_TOOLS: &[&str] = &["ip", "ss", "tar", "timeout", "unshare"];

impl Table {
    /// All tests with their folders, in the order they run.
    pub fn tests(&self) -> impl Iterator<Item = (&Folder, &Test)> {
        self.folder.iter().flat_map(|folder| folder.test.iter().map(move |test| (folder, test)))
    }

    /// The tests whose names start with one of `names`; all for none. A name that fits no test is an error.
    pub fn select(&self, names: &[String]) -> Result<Self> {
        let fits = |test: &Test, name: &String| test.name.starts_with(name.as_str());
        if let Some(name) = names.iter().find(|name| !self.tests().any(|(_, test)| fits(test, name))) {
            bail!("no selftest starts with {name:?} in vm-tests/selftests.toml");
        }
        Ok(self.clone().only(|test| names.is_empty() || names.iter().any(|name| fits(test, name))))
    }

    /// The tests that run in each boot with configuration `config`; maybe none.
    pub fn quick(&self, config: &str) -> Self {
        self.clone().only(|test| test.quick && test.is_for(config))
    }

    /// The tests for configuration `config` that base `base` has, or some series brings. None is an error.
    pub fn on(self, base: &str, config: &str) -> Result<Self> {
        let table = self.only(|test| !test.not_on.iter().any(|older| older == base) && test.is_for(config));
        ensure!(!table.folder.is_empty(), "none of these selftests is for base {base} in configuration {config}");
        Ok(table)
    }

    /// The folders and tests that are left with those that `keep` takes.
    pub fn only(mut self, keep: impl Fn(&Test) -> bool) -> Self {
        for folder in &mut self.folder {
            folder.test.retain(&keep);
        }
        self.folder.retain(|folder| !folder.test.is_empty());
        self
    }

    /// The folders that come from this project: where they are in it, and their place in the tree.
    pub fn own_folders(&self) -> impl Iterator<Item = (&str, &str)> {
        self.folder.iter().filter_map(|folder| Some((folder.project.as_deref()?, folder.path.as_str())))
    }

    /// Checks that the programs are here that the tests call by name; the guest has the host's.
    pub fn require_programs(&self) -> Result<()> {
        let needs = self.tests().flat_map(|(_, test)| test.needs.iter().map(String::as_str));
        let all = GUEST_TOOLS.iter().copied().chain(needs).collect::<BTreeSet<_>>();
        all.into_iter().try_for_each(|tool| process::require(tool).map(drop))
    }

    /// What selftests.sh reads, without the tests that are `absent`; each gets `slower` times its seconds.
    pub fn plan(&self, absent: &BTreeSet<String>, slower: u32) -> String {
        let mut plan = String::new();
        for (folder, test) in self.tests().filter(|(_, test)| !absent.contains(&test.name)) {
            let (port, server) = test.server.as_ref().map_or((0, "-"), |server| (server.port, server.run.as_str()));
            let (name, seconds, tries, run) = (&test.name, test.seconds * slower, test.tries, &test.run);
            writeln!(plan, "{name}\t{seconds}\t{tries}\t{}\t{port}\t{server}\t{run}", folder.path)
                .expect("writing to a string does not fail");
        }
        plan
    }

    /// The seconds after which the last test has ended or was killed, whatever they do.
    pub fn longest(&self, slower: u32) -> u64 {
        self.tests().map(|(_, test)| u64::from(test.seconds + 10) * u64::from(test.tries * slower)).sum()
    }

    /// The seconds after which any one run of a test has ended or was killed.
    pub fn longest_of_one(&self, slower: u32) -> u64 {
        self.tests().map(|(_, test)| u64::from(test.seconds + 10) * u64::from(slower)).max().unwrap_or(0)
    }
}

/// Reads vm-tests/selftests.toml.
pub fn load(project: &Project) -> Result<Table> {
    let path = project.vm_tests().join("selftests.toml");
    let text = project.text(&path)?;
    let table = toml::from_str::<Table>(&text)
        .map_err(|error| files::at(&project.relative(&path), &text, error.span(), error.message()))?;
    validate(&table).with_context(|| project.relative(&path).display().to_string())?;
    Ok(table)
}

fn validate(table: &Table) -> Result<()> {
    let mut seen = BTreeSet::new();
    for (_, test) in table.tests() {
        let name = &test.name;
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        ensure!(!name.is_empty() && name.chars().all(plain), "test {name:?}: a name has letters, digits, . _ - alone");
        ensure!(seen.insert(name), "test {name} is there twice");
        ensure!(test.seconds > 0 && test.tries > 0, "test {name}: seconds and tries are at least 1");
        ensure!(!test.builds.is_empty() || !test.scripts.is_empty(), "test {name}: it has neither builds nor scripts");
        for module in &test.modules {
            ensure!(module.ends_with(".ko"), "test {name}: module {module} is no DIR/NAME.ko");
        }
        for config in &test.configs {
            ensure!(config::names().contains(&config.as_str()), "test {name}: there is no configuration {config}");
        }
        let server = test.server.iter().map(|server| &server.run);
        for command in server.chain([&test.run]) {
            let one_line = !command.is_empty() && !command.contains(['\t', '\n', '\\']);
            ensure!(one_line, "test {name}: a command is one line without tabs and backslashes");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Table, validate};

    const TABLE: &str = r#"
sources = ["tools"]

[[folder]]
path = "tools/net"

[[folder.test]]
name = "tls-12"
builds = ["tls"]
run = "./tls -v 12"
seconds = 100

[[folder.test]]
name = "tls-13"
builds = ["tls"]
run = "./tls -v 13"
seconds = 100
tries = 2

[[folder]]
path = "tools/vsock"

[[folder.test]]
name = "vsock"
builds = ["vsock"]
run = "./vsock --mode=client"
server = { run = "./vsock --mode=server", port = 1234 }
seconds = 20
"#;

    fn table() -> Table {
        toml::from_str(TABLE).expect("it is valid")
    }

    #[test]
    fn the_plan_has_a_line_for_each_test_that_the_tree_has() {
        let absent = BTreeSet::from(["tls-12".to_owned()]);
        let expected = "tls-13\t200\t2\ttools/net\t0\t-\t./tls -v 13\n\
                        vsock\t40\t1\ttools/vsock\t1234\t./vsock --mode=server\t./vsock --mode=client\n";
        assert_eq!(table().plan(&absent, 2), expected);
        assert_eq!(table().longest(1), 110 + 220 + 30);
        assert_eq!((table().longest_of_one(1), table().longest_of_one(5)), (110, 550));
    }

    #[test]
    fn a_test_is_left_out_on_a_base_that_is_older_and_in_other_configurations() {
        let mut table = table();
        table.folder[0].test[1].configs = vec!["rust".to_owned(), "debug".to_owned()];
        table.folder[1].test[0].not_on = vec!["old".to_owned()];
        let names = |base: &str, config: &str| {
            let table = table.clone().on(base, config)?;
            anyhow::Ok(table.tests().map(|(_, test)| test.name.clone()).collect::<Vec<_>>())
        };
        assert_eq!(names("old", "net").unwrap(), ["tls-12"]);
        assert_eq!(names("old", "debug").unwrap(), ["tls-12", "tls-13"]);
        assert_eq!(names("new", "rust").unwrap().len(), 3);
        table.folder.remove(0);
        let none = table.on("old", "net").expect_err("it is not on that base");
        assert_eq!(none.to_string(), "none of these selftests is for base old in configuration net");
    }

    #[test]
    fn quick_tests_are_those_that_say_so_and_are_for_the_configuration() {
        let mut table = table();
        let names = |table: &Table, config: &str| {
            table.quick(config).tests().map(|(_, test)| test.name.clone()).collect::<Vec<_>>()
        };
        assert!(names(&table, "net").is_empty());
        table.folder[0].test[1].quick = true;
        table.folder[1].test[0].quick = true;
        table.folder[1].test[0].configs = vec!["debug".to_owned()];
        assert_eq!(names(&table, "net"), ["tls-13"]);
        assert_eq!(names(&table, "debug"), ["tls-13", "vsock"]);
    }

    #[test]
    fn tests_are_selected_by_the_start_of_their_names() {
        let names = |chosen: &[&str]| {
            let chosen = chosen.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
            let table = table().select(&chosen)?;
            anyhow::Ok(table.tests().map(|(_, test)| test.name.clone()).collect::<Vec<_>>())
        };
        assert_eq!(names(&["tls"]).unwrap(), ["tls-12", "tls-13"]);
        assert_eq!(names(&["vsock", "tls-13"]).unwrap(), ["tls-13", "vsock"]);
        assert_eq!(names(&[]).unwrap().len(), 3);
        let unknown = names(&["tls", "nope"]).expect_err("no test is called so");
        assert_eq!(unknown.to_string(), "no selftest starts with \"nope\" in vm-tests/selftests.toml");
    }

    #[test]
    fn a_table_that_the_guest_could_not_read_is_refused() {
        let refused = |from: &str, to: &str| {
            let table = toml::from_str::<Table>(&TABLE.replacen(from, to, 1)).expect("it is valid TOML");
            validate(&table).expect_err("it is refused").to_string()
        };
        assert_eq!(refused("tls-12", "tls 12"), "test \"tls 12\": a name has letters, digits, . _ - alone");
        assert_eq!(refused("tls-12", "tls-13"), "test tls-13 is there twice");
        assert_eq!(refused("100", "0"), "test tls-12: seconds and tries are at least 1");
        let more = |key: &str| refused("seconds", &format!("{key}\nseconds"));
        assert_eq!(more("modules = [\"net/tls.o\"]"), "test tls-12: module net/tls.o is no DIR/NAME.ko");
        assert_eq!(more("configs = [\"nett\"]"), "test tls-12: there is no configuration nett");
        let command = "test tls-12: a command is one line without tabs and backslashes";
        assert_eq!(refused("./tls -v", "./tls\\t-v"), command);
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Kernel configurations: the fragments in vm-tests/, what a series asks for beside them, and which of their options a
//! build really got.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};

use crate::bench;
use crate::files;
use crate::git::program;
use crate::project::Project;

/// The configurations, each with the fragments in vm-tests/ that make it up; a later fragment wins.
const CONFIGS: &[(&str, &[&str])] = &[
    ("net", &["net.config"]),
    ("debug", &["net.config", "debug.config"]),
    ("rust", &["net.config", "rust.config"]),
    (COMPILE, &["net.config", "compile.config"]),
    (COMPILE_32, &["net.config", "compile.config", "32bit.config"]),
    (bench::CONFIG, &["net.config", "bench.config"]),
];

/// The configuration with many users of skb frags, in which objects are compiled and nothing is booted.
pub const COMPILE: &str = "compile";

/// The same for 32 bit.
pub const COMPILE_32: &str = "compile-32";

/// A kernel configuration as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `net`, `debug`, `rust`, [`COMPILE`], [`COMPILE_32`] or [`bench::CONFIG`].
    pub name: String,
    /// The options that differ from allnoconfig, one a line, sorted.
    pub text: String,
    /// Options that a patch of the series brings, each with its Kconfig file: the trees before have no such option.
    pub brought: BTreeMap<String, String>,
}

/// An option that was asked for and that the kernel's configuration dropped or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// `CONFIG_X`.
    pub option: String,
    /// The value that was asked for.
    pub asked: String,
    /// The value it has.
    pub got: Option<String>,
}

/// Options that some kernels let nobody ask for, and the one that selects them there.
const SELECTED_BY: &[(&str, &str)] = &[("CONFIG_SYSCTL", "CONFIG_PROC_SYSCTL")];

impl Config {
    /// What the kernel is to be configured with: the options, and those that select some of them in other kernels. An
    /// option that a kernel does not know it ignores.
    pub fn asked(&self) -> String {
        let mut asked = self.text.clone();
        for (option, by) in SELECTED_BY {
            if self.text.lines().any(|line| line.strip_prefix(option) == Some("=y")) {
                asked += &format!("{by}=y\n");
            }
        }
        asked
    }

    /// The arguments that the kernel has built in. Its decompressor, which chooses how memory is mapped, sees those of the
    /// boot loader alone: they are to be given there, too.
    pub fn boot_args(&self) -> Vec<&str> {
        let built_in = self.text.lines().find_map(|line| line.strip_prefix("CONFIG_CMDLINE="));
        built_in.unwrap_or_default().trim_matches('"').split_whitespace().collect()
    }

    /// The options that `got`, the .config of `tree`, does not have as asked, but for those that a later patch brings.
    pub fn lost(&self, tree: &Path, got: &str) -> Result<Vec<Lost>> {
        let mut lost = lost(&self.text, got)?;
        for (option, file) in &self.brought {
            let path = tree.join(file);
            let kconfig = if path.is_file() { files::read(&path)? } else { String::new() };
            if !kconfig.lines().any(|line| defined(line).as_ref() == Some(option)) {
                lost.retain(|lost| lost.option != *option || lost.got.is_some());
            }
        }
        Ok(lost)
    }
}

/// The option that a line of a Kconfig file begins to define.
fn defined(line: &str) -> Option<String> {
    let (word, name) = line.split_once(' ')?;
    ["config", "menuconfig"].contains(&word).then(|| format!("CONFIG_{}", name.trim()))
}

/// The options that a diff brings, each with its file.
fn brought(diff: &str) -> BTreeMap<String, String> {
    let mut brought = BTreeMap::new();
    let mut file = "";
    for line in diff.lines() {
        if let Some(path) = line.strip_prefix("+++ b/") {
            file = path;
        } else if let Some(option) = line.strip_prefix('+').and_then(defined) {
            brought.insert(option, file.to_owned());
        }
    }
    brought
}

/// Runs `configure` for a build folder at `commit`, unless what it did for commit `last` is good for that one, too, as no
/// Kconfig file differs: it takes longer than compiling an object.
pub(crate) fn configure_at(
    git_dir: &Path,
    last: &mut Option<String>,
    commit: &str,
    configure: impl FnOnce() -> Result<()>,
) -> Result<()> {
    if let Some(last) = last {
        let args = ["diff-tree", "-r", "--name-only", last, commit, "--", ":(glob)**/Kconfig*"];
        if program::fixed(git_dir).args(args).check()?.text().is_empty() {
            return Ok(());
        }
    }
    // One that fails leaves a folder that is configured for nothing.
    *last = None;
    configure()?;
    *last = Some(commit.to_owned());
    Ok(())
}

/// Names of the configurations that tests are run in.
pub fn names() -> Vec<&'static str> {
    CONFIGS.iter().map(|(name, _)| *name).filter(|name| ![COMPILE, COMPILE_32, bench::CONFIG].contains(name)).collect()
}

/// The file of a series with options that the code it touches needs, in every configuration it is built in; `NAME.config`
/// has those for configuration NAME.
const OF_SERIES: &str = "kernel.config";

/// The files of a series with options.
pub fn of_series() -> impl Iterator<Item = String> {
    CONFIGS.iter().map(|(name, _)| format!("{name}.config")).chain([OF_SERIES.to_owned()])
}

/// Reads configuration `name` as `stack` needs it: series, the lowest first.
pub fn load(project: &Project, name: &str, stack: &[&str]) -> Result<Config> {
    let (_, fragments) = CONFIGS
        .iter()
        .find(|(known, _)| *known == name)
        .with_context(|| format!("no configuration {name}: there are {}", names().join(" and ")))?;
    let mut options = BTreeMap::new();
    let files = [OF_SERIES.to_owned(), format!("{name}.config")];
    let own = stack.iter().flat_map(|series| files.iter().map(|file| project.series(series).join(file)));
    let own = own.filter(|path| path.symlink_metadata().is_ok());
    for path in fragments.iter().map(|fragment| project.vm_tests().join(fragment)).chain(own) {
        let text = project.text(&path)?;
        options.extend(parse(&text).with_context(|| format!("read {}", path.display()))?);
    }
    let text = options.iter().map(|(option, value)| format!("{option}={value}\n")).collect();
    let mut brought_by_all = BTreeMap::new();
    for dir in stack.iter().map(|series| project.series(series)).filter(|dir| dir.is_dir()) {
        let is_diff = |path: &&std::path::PathBuf| {
            let is_editors = path.file_name().is_some_and(files::is_editors);
            !is_editors && path.extension().is_some_and(|ending| ending == "diff")
        };
        for path in files::below(&dir)?.iter().filter(is_diff) {
            brought_by_all.extend(brought(&project.text(&dir.join(path))?));
        }
    }
    brought_by_all.retain(|option, _| options.contains_key(option));
    Ok(Config { name: name.to_owned(), text, brought: brought_by_all })
}

/// The options of a fragment or a .config; one that "is not set" has the value `n`.
fn parse(text: &str) -> Result<BTreeMap<String, String>> {
    let mut options = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let unset = line.strip_prefix("# ").and_then(|rest| rest.strip_suffix(" is not set"));
        if let Some(option) = unset.filter(|option| option.starts_with("CONFIG_")) {
            options.insert(option.to_owned(), "n".to_owned());
        } else if !line.is_empty() && !line.starts_with('#') {
            let (option, value) = line
                .split_once('=')
                .filter(|(option, _)| option.starts_with("CONFIG_"))
                .with_context(|| format!("line {}: {line:?} is no CONFIG_NAME=value", number + 1))?;
            options.insert(option.to_owned(), value.to_owned());
        }
    }
    Ok(options)
}

/// The options of `asked` that `got` (a .config) does not have as asked.
fn lost(asked: &str, got: &str) -> Result<Vec<Lost>> {
    let got = parse(got).context("read the kernel's .config")?;
    let lost = parse(asked)?.into_iter().filter_map(|(option, asked)| {
        let value = got.get(&option);
        let same = value.map_or("n", String::as_str) == asked;
        (!same).then(|| Lost { option, asked, got: value.cloned() })
    });
    Ok(lost.collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Config, Lost, brought, load, lost, parse};
    use crate::project::Project;

    #[test]
    fn an_option_that_vanished_or_changed_is_lost() {
        let asked = "CONFIG_NET=y\nCONFIG_AF_UNIX_OOB=y\nCONFIG_NR_CPUS=4\n";
        let got = "CONFIG_NET=y\nCONFIG_NR_CPUS=64\n# CONFIG_OTHER is not set\n";
        let expected = [
            Lost { option: "CONFIG_AF_UNIX_OOB".into(), asked: "y".into(), got: None },
            Lost { option: "CONFIG_NR_CPUS".into(), asked: "4".into(), got: Some("64".into()) },
        ];
        assert_eq!(lost(asked, got).unwrap(), expected);
    }

    #[test]
    fn an_option_asked_to_be_off_may_be_absent_or_not_set_but_not_on() {
        let asked = "CONFIG_A=n\nCONFIG_B=n\n# CONFIG_C is not set\n";
        let got = "# CONFIG_B is not set\nCONFIG_C=y\n";
        assert_eq!(
            lost(asked, got).unwrap(),
            [Lost { option: "CONFIG_C".into(), asked: "n".into(), got: Some("y".into()) }]
        );
    }

    #[test]
    fn a_line_that_is_no_option_is_an_error_with_its_number() {
        let error = parse("# SPDX\nCONFIG_A=y\nNET=y\n").expect_err("NET=y is no option");
        assert_eq!(format!("{error:#}"), "line 3: \"NET=y\" is no CONFIG_NAME=value");
    }

    #[test]
    fn an_option_that_others_select_is_asked_for_by_those_too() {
        let config = |text: &str| Config { name: "net".into(), text: text.into(), brought: BTreeMap::new() };
        let asked = config("CONFIG_NET=y\nCONFIG_SYSCTL=y\n").asked();
        assert_eq!(asked, "CONFIG_NET=y\nCONFIG_SYSCTL=y\nCONFIG_PROC_SYSCTL=y\n");
        assert_eq!(config("CONFIG_SYSCTL=n\n").asked(), "CONFIG_SYSCTL=n\n");
        let built_in = config("CONFIG_CMDLINE=\"no5lvl nokaslr\"\nCONFIG_CMDLINE_BOOL=y\n");
        assert_eq!(built_in.boot_args(), ["no5lvl", "nokaslr"]);
        assert_eq!(config("CONFIG_NET=y\n").boot_args(), [""; 0]);
    }

    #[test]
    fn an_option_that_a_patch_brings_is_lost_only_where_its_kconfig_file_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let diff =
            "--- a/net/Kconfig\n+++ b/net/Kconfig\n@@ -1 +1,2 @@\n config NET\n+config NEW\n+\tbool \"config X\"\n";
        let brought = brought(diff);
        assert_eq!(brought, BTreeMap::from([("CONFIG_NEW".to_owned(), "net/Kconfig".to_owned())]));
        let text = "CONFIG_NEW=m\nCONFIG_OTHER=y\n".to_owned();
        let config = Config { name: "net".into(), text, brought };
        let lost = |got: &str| {
            let lost = config.lost(dir.path(), got).unwrap();
            lost.into_iter().map(|lost| lost.option).collect::<Vec<_>>()
        };
        assert_eq!(lost(""), ["CONFIG_OTHER"]);
        std::fs::create_dir(dir.path().join("net")).unwrap();
        std::fs::write(dir.path().join("net/Kconfig"), "config NET\n").unwrap();
        assert_eq!(lost(""), ["CONFIG_OTHER"]);
        assert_eq!(lost("CONFIG_NEW=y\n"), ["CONFIG_NEW", "CONFIG_OTHER"]);
        std::fs::write(dir.path().join("net/Kconfig"), "config NET\nconfig NEW\n").unwrap();
        assert_eq!(lost(""), ["CONFIG_NEW", "CONFIG_OTHER"]);
        assert_eq!(lost("CONFIG_NEW=m\nCONFIG_OTHER=y\n"), [""; 0]);
    }

    #[test]
    fn a_later_fragment_wins_and_that_of_a_series_over_all() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("vm-tests")).unwrap();
        std::fs::write(dir.path().join("vm-tests/net.config"), "CONFIG_B=y\nCONFIG_A=y\n").unwrap();
        std::fs::write(dir.path().join("vm-tests/debug.config"), "CONFIG_B=n\n").unwrap();
        let project = Project { root: dir.path().to_owned(), cache: dir.path().to_owned() };
        assert_eq!(load(&project, "debug", &[]).unwrap().text, "CONFIG_A=y\nCONFIG_B=n\n");
        assert_eq!(load(&project, "net", &[]).unwrap().text, "CONFIG_A=y\nCONFIG_B=y\n");
        std::fs::create_dir_all(dir.path().join("series/up")).unwrap();
        std::fs::write(dir.path().join("series/up/kernel.config"), "CONFIG_B=m\nCONFIG_C=y\n").unwrap();
        std::fs::write(dir.path().join("series/up/debug.config"), "CONFIG_D=y\n").unwrap();
        let stack = ["low", "up"];
        assert_eq!(load(&project, "net", &stack).unwrap().text, "CONFIG_A=y\nCONFIG_B=m\nCONFIG_C=y\n");
        let debug = "CONFIG_A=y\nCONFIG_B=m\nCONFIG_C=y\nCONFIG_D=y\n";
        assert_eq!(load(&project, "debug", &stack).unwrap().text, debug);
    }
}

// SPDX-License-Identifier: GPL-2.0
//! The kernel's own scripts/checkpatch.pl, with the options of netdev's CI.
//!
//! MISSING_SIGN_OFF is left to `limits` and to `txgen format-series`: whether commits are signed off
//! is the maintainer's choice at apply time. How long a line of Rust may be is rustfmt's choice.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope};
use crate::error::MissingTool;
use crate::process::{self, Run};

pub(super) const CHECK: Check = Check {
    name: "checkpatch",
    shows: "the tree's checkpatch.pl --strict --codespell, with the types netdev's CI ignores left out",
    needs: "perl, codespell, scripts/checkpatch.pl",
    version: 2,
    tools,
    scope: Scope::Patch(check),
};

const IGNORED: &str = "COMMIT_LOG_LONG_LINE,MACRO_ARG_REUSE,ALLOC_SIZEOF_STRUCT,NO_AUTHOR_SIGN_OFF,GIT_COMMIT_ID,\
CAMELCASE,FILE_PATH_CHANGES,BAD_REPORTED_BY_LINK,MISSING_SIGN_OFF";

/// Files of the tree that decide what checkpatch reports.
const PARTS: &[&str] = &["scripts/spelling.txt", "scripts/const_structs.checkpatch", ".checkpatch.conf"];

fn tools(source: &Source<'_>) -> Result<String> {
    let mut identity = source.require("scripts/checkpatch.pl")?;
    for part in PARTS {
        identity.push(' ');
        identity.push_str(&source.id(part)?.unwrap_or_default());
    }
    process::require("perl")?;
    let dictionary = dictionary()?;
    let bytes = std::fs::read(&dictionary).with_context(|| format!("read {}", dictionary.display()))?;
    Ok(format!("{identity} {}", crate::proof::key(&[&bytes])))
}

/// codespell's dictionary, found as codespell itself finds it.
///
/// checkpatch asks the first python3 in PATH, which need not be the one that has codespell; a
/// dictionary it does not find makes it check no spelling at all.
fn dictionary() -> Result<PathBuf> {
    let codespell = process::require("codespell")?;
    let script = std::fs::read(&codespell).with_context(|| format!("read {}", codespell.display()))?;
    let first = script.split(|b| *b == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first);
    let mut words = first.trim_start_matches("#!").split_whitespace();
    let python = words.next().filter(|_| first.starts_with("#!")).unwrap_or("python3").to_owned();
    let program = "import codespell_lib, os; print(os.path.dirname(codespell_lib.__file__))";
    let output = Run::new(&python, words.chain(["-c", program])).output()?;
    let found = Path::new(output.text().trim()).join("data/dictionary.txt");
    let shared = Path::new("/usr/share/codespell/dictionary.txt");
    [found.as_path(), shared].into_iter().find(|path| path.is_file()).map(Path::to_path_buf).ok_or_else(|| {
        let tool = format!("the dictionary of {}", codespell.display());
        MissingTool { tool, install: process::install_hint("codespell") }.into()
    })
}

fn check(source: &Source<'_>, patch: &Patch) -> Result<Vec<Finding>> {
    let tree = source.tree()?;
    let output = Run::new("perl", ["scripts/checkpatch.pl", "--strict", "--terse", "--showfile", "--show-types"])
        .args(["--no-color", "--max-line-length=80", "--codespell", "--codespellfile"])
        .arg(dictionary()?)
        .args(["--ignore", IGNORED, "-g", &patch.commit])
        .dir(&tree)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("LC_ALL", "C")
        .output()?;
    let text = output.text();
    if output.status.success() && text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut found = parse(&text).with_context(|| {
        format!("checkpatch on patch {} ({}): {}", patch.name, process::describe(output.status), output.errors().trim())
    })?;
    found.retain(|finding| !is_width_of_rust(finding));
    Ok(found)
}

fn is_width_of_rust(finding: &Finding) -> bool {
    finding.rule().starts_with("LONG_LINE") && finding.file.as_ref().is_some_and(|file| file.ends_with(".rs"))
}

/// Reads `FILE:LINE: LEVEL:TYPE: what`, and compares with the totals that checkpatch prints where it has messages.
fn parse(text: &str) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    let mut total = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("total: ") {
            total = Some(rest.split_whitespace().filter_map(|word| word.parse::<usize>().ok()).collect::<Vec<_>>());
        } else {
            found.extend(message(line));
        }
    }
    let Some(total) = total else { bail!("it printed no totals: {}", process::last_lines(text, 5)) };
    // errors, warnings, checks, lines
    let told = total.iter().rev().skip(1).sum::<usize>();
    if told != found.len() {
        bail!("it counts {told} messages, of which {} were understood:\n{text}", found.len());
    }
    Ok(found)
}

fn message(line: &str) -> Option<Finding> {
    let (level, tag) = [(Level::Fail, "ERROR:"), (Level::Warn, "WARNING:"), (Level::Warn, "CHECK:")]
        .into_iter()
        .find(|(_, tag)| line.starts_with(tag) || line.contains(&format!(" {tag}")))?;
    let (place, rest) = line.split_once(tag)?;
    let (rule, what) = rest.split_once(": ")?;
    let finding = Finding::new(level, rule, what.trim());
    let mut parts = place.trim_end().trim_end_matches(':').rsplitn(2, ':');
    let number = parts.next().and_then(|number| number.parse().ok());
    Some(match parts.next() {
        Some(file) if !file.is_empty() && file != "-" && file.contains(['/', '.']) => finding.at(file, number),
        _ => finding,
    })
}

#[cfg(test)]
mod tests {
    use super::{is_width_of_rust, parse};

    #[test]
    fn messages_carry_type_file_and_line() {
        let text = "net/a.c:12: ERROR:SPACING: space required\n:0: WARNING:TYPO_SPELLING: 'teh' may be misspelled\n\
total: 1 errors, 1 warnings, 0 checks, 9 lines checked\n";
        let found = parse(text).unwrap();
        assert_eq!(found[0].file.as_deref(), Some("net/a.c"));
        assert_eq!((found[0].line, found[0].rule()), (Some(12), "SPACING"));
        assert_eq!((found[1].file.as_deref(), found[1].rule()), (None, "TYPO_SPELLING"));
    }

    #[test]
    fn how_long_a_line_of_rust_is_rustfmt_says() {
        let text = "a/b.rs:1: WARNING:LONG_LINE_COMMENT: line length of 98 exceeds 80 columns\n\
a/b.rs:2: WARNING:TYPO_SPELLING: 'teh' may be misspelled\na/b.c:3: WARNING:LONG_LINE: line length of 98 exceeds 80\n\
total: 0 errors, 3 warnings, 0 checks, 9 lines checked\n";
        let found = parse(text).unwrap();
        assert_eq!(found.iter().map(is_width_of_rust).collect::<Vec<_>>(), [true, false, false]);
    }

    #[test]
    fn a_message_that_is_not_understood_is_an_error() {
        let error = parse("net/a.c:12: NOTE:NEW: x\ntotal: 1 errors, 0 warnings, 9 lines checked\n").unwrap_err();
        assert!(format!("{error:#}").contains("counts 1 messages"), "{error:#}");
    }

    #[test]
    fn output_without_totals_is_an_error() {
        assert!(parse("Must be run from the top-level dir. of a kernel tree\n").is_err());
    }
}

// SPDX-License-Identifier: GPL-2.0
//! What a series does to the size of the kernel: the kernel tree's own scripts/bloat-o-meter, run and read.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::git::Repo;
use crate::process::{self, Run};

const SCRIPT: &str = "scripts/bloat-o-meter";

/// Sizes of two kernels, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bloat {
    /// bloat-o-meter's first line: how many symbols, and by how much.
    pub summary: String,
    /// All symbols of the base.
    pub before: u64,
    /// All symbols of the kernel.
    pub after: u64,
    /// The symbols that differ, as bloat-o-meter sorts them.
    pub symbols: Vec<Symbol>,
}

/// A symbol whose size differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// Its bytes in the base, if it is there.
    pub before: Option<u64>,
    /// Its bytes in the kernel, if it is there.
    pub after: Option<u64>,
}

/// Compares two vmlinux with the script of the tree `tree`.
pub fn compare(repo: &Repo, tree: &str, before: &Path, after: &Path) -> Result<Bloat> {
    process::require("nm")?;
    let script = repo.file(tree, SCRIPT)?.with_context(|| format!("the base has no {SCRIPT}"))?;
    let run = Run::new("python3", ["-"]).arg(before).arg(after).stdin(&script.bytes);
    parse(&run.check().context("compare sizes")?.text())
}

fn parse(text: &str) -> Result<Bloat> {
    let mut lines = text.lines();
    let summary = lines.next().filter(|line| line.starts_with("add/remove: ")).context("it has no summary")?;
    let mut symbols = Vec::new();
    for line in lines.by_ref() {
        if let Some(total) = line.strip_prefix("Total: ") {
            let (before, after) = totals(total).with_context(|| format!("read {line:?}"))?;
            return Ok(Bloat { summary: summary.to_owned(), before, after, symbols });
        }
        if !line.starts_with("Function ") {
            symbols.push(symbol(line).with_context(|| format!("read {line:?}"))?);
        }
    }
    bail!("{SCRIPT} gave no total");
}

/// `NAME BEFORE AFTER DIFFERENCE`, with `-` for a size that there is not.
fn symbol(line: &str) -> Result<Symbol> {
    let words = line.split_whitespace().collect::<Vec<_>>();
    let [name, before, after, _] = words.as_slice() else { bail!("not four columns") };
    let size = |word: &str| if word == "-" { Ok(None) } else { word.parse().map(Some) };
    Ok(Symbol { name: (*name).to_owned(), before: size(before)?, after: size(after)? })
}

/// `Before=N, After=N, chg X%`.
fn totals(text: &str) -> Result<(u64, u64)> {
    let number = |key: &str| {
        let word = text.split(", ").find_map(|part| part.strip_prefix(key)).with_context(|| format!("no {key}"))?;
        word.parse::<u64>().with_context(|| format!("{word:?} is no number"))
    };
    Ok((number("Before=")?, number("After=")?))
}

#[cfg(test)]
mod tests {
    use super::{Bloat, Symbol, parse};

    const TEXT: &str = "add/remove: 1/1 grow/shrink: 1/0 up/down: 40/-8 (32)\n\
                        Function                                     old     new   delta\n\
                        net_txbuf_alloc                                -      30     +30\n\
                        skb_release_data                             100     110     +10\n\
                        gone                                           8       -      -8\n\
                        Total: Before=1000, After=1032, chg +3.20%\n";

    #[test]
    fn sizes_are_read_with_what_is_new_and_what_is_gone() {
        let symbol = |name: &str, before, after| Symbol { name: name.into(), before, after };
        let symbols = vec![
            symbol("net_txbuf_alloc", None, Some(30)),
            symbol("skb_release_data", Some(100), Some(110)),
            symbol("gone", Some(8), None),
        ];
        let summary = "add/remove: 1/1 grow/shrink: 1/0 up/down: 40/-8 (32)".to_owned();
        assert_eq!(parse(TEXT).unwrap(), Bloat { summary, before: 1000, after: 1032, symbols });
    }

    #[test]
    fn output_without_its_last_line_is_refused() {
        let cut = &TEXT[..TEXT.find("Total").unwrap()];
        assert_eq!(parse(cut).expect_err("cut").to_string(), "scripts/bloat-o-meter gave no total");
    }
}

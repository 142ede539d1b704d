// SPDX-License-Identifier: GPL-2.0
//! Functions of a kernel by address, from its System.map; right where the kernel runs at the addresses it was linked for
//! (`nokaslr`).

use anyhow::{Context, Result, ensure};

/// The functions of a kernel.
#[derive(Debug, Clone)]
pub struct Symbols {
    /// Start and name, sorted, one name a start.
    functions: Vec<(u64, String)>,
}

impl Symbols {
    /// Reads a System.map. Of several names for one address the shortest counts, then the first in the alphabet.
    pub fn parse(map: &str) -> Result<Self> {
        let mut functions = Vec::new();
        for (index, line) in map.lines().enumerate() {
            let mut words = line.split_whitespace();
            let (Some(address), Some(kind), Some(name), None) =
                (words.next(), words.next(), words.next(), words.next())
            else {
                anyhow::bail!("System.map:{}: not ADDRESS TYPE NAME: {line:?}", index + 1);
            };
            let address = u64::from_str_radix(address, 16)
                .with_context(|| format!("System.map:{}: {address:?} is no address", index + 1))?;
            if matches!(kind, "t" | "T" | "w" | "W") {
                functions.push((address, name.to_owned()));
            }
        }
        ensure!(!functions.is_empty(), "System.map has no functions");
        functions.sort_by(|(a, x), (b, y)| (a, x.len(), x).cmp(&(b, y.len(), y)));
        functions.dedup_by_key(|(address, _)| *address);
        Ok(Self { functions })
    }

    /// The function that has `address`, and whether it starts there.
    pub fn find(&self, address: u64) -> Option<(&str, bool)> {
        let after = self.functions.partition_point(|(start, _)| *start <= address);
        let (start, name) = self.functions.get(after.checked_sub(1)?)?;
        Some((name, *start == address))
    }

    /// Where the function `name` starts and the next one does, if there is such a function.
    pub fn range(&self, name: &str) -> Option<(u64, u64)> {
        let index = self.functions.iter().position(|(_, other)| other == name)?;
        Some((self.functions[index].0, self.functions.get(index + 1)?.0))
    }
}

#[cfg(test)]
mod tests {
    use super::Symbols;

    const MAP: &str = "ffffffff81000000 T _text\nffffffff81000000 T _stext\nffffffff81000040 t gup_fast_fallback\n\
                       ffffffff81000048 D some_data\nffffffff81000100 T kfree_skb\n";

    #[test]
    fn an_address_belongs_to_the_function_that_starts_at_or_before_it() {
        let symbols = Symbols::parse(MAP).unwrap();
        assert_eq!(symbols.find(0xffff_ffff_8100_0000), Some(("_text", true)));
        assert_eq!(symbols.find(0xffff_ffff_8100_0050), Some(("gup_fast_fallback", false)));
        assert_eq!(symbols.find(0xffff_ffff_8100_0100), Some(("kfree_skb", true)));
        assert_eq!(symbols.find(0xffff_ffff_80ff_ffff), None);
        assert_eq!(symbols.range("gup_fast_fallback"), Some((0xffff_ffff_8100_0040, 0xffff_ffff_8100_0100)));
        assert_eq!((symbols.range("kfree_skb"), symbols.range("nope")), (None, None));
    }

    #[test]
    fn a_map_that_is_none_is_refused() {
        let error = Symbols::parse("ffffffff81000000 T _text\nkfree\n").expect_err("no map");
        assert_eq!(error.to_string(), "System.map:2: not ADDRESS TYPE NAME: \"kfree\"");
    }
}

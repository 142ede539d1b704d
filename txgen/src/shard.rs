// SPDX-License-Identifier: GPL-2.0
//! Work that is divided among machines: each takes neighbours, which share most of what is built.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use anyhow::{Context, Error, Result, ensure};

/// One part of several, written `K/N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1.
    k: usize,
    /// Of how many.
    n: usize,
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
        let (k, n) = parts.context("a shard is K/N, as in 1/4")?;
        ensure!((1..=n).contains(&k), "there is no shard {k} of {n}: K goes from 1 to N");
        Ok(Self { k, n })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.k, self.n)
    }
}

impl Shard {
    /// All of `n` parts.
    pub fn all(n: NonZeroUsize) -> impl Iterator<Item = Self> {
        (1..=n.get()).map(move |k| Self { k, n: n.get() })
    }

    /// Its part of `list`: neighbours, as many as in any other part or one more or less.
    pub fn of<T>(self, list: &[T]) -> &[T] {
        let end = |k: usize| list.len() * k / self.n;
        &list[end(self.k - 1)..end(self.k)]
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use proptest::prelude::*;

    use super::Shard;

    #[test]
    fn a_shard_that_is_none_is_refused() {
        let told = |text: &str| text.parse::<Shard>().expect_err("it is none").to_string();
        assert_eq!(told("0/3"), "there is no shard 0 of 3: K goes from 1 to N");
        assert_eq!(told("4/3"), "there is no shard 4 of 3: K goes from 1 to N");
        assert_eq!(told("1/0"), "there is no shard 1 of 0: K goes from 1 to N");
        for text in ["", "2", "a/b", "1/2/3", "-1/2"] {
            assert_eq!(told(text), "a shard is K/N, as in 1/4", "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_patch_is_in_one_shard_and_the_shards_are_alike(patches in 0..40_usize, n in 1..20_usize) {
            let list = (0..patches).collect::<Vec<_>>();
            let parts = Shard::all(NonZeroUsize::new(n).unwrap()).map(|shard| shard.of(&list)).collect::<Vec<_>>();
            prop_assert_eq!(parts.concat(), list.clone());
            let sizes = parts.iter().map(|part| part.len());
            prop_assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1);
        }
    }
}

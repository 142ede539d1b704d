// SPDX-License-Identifier: GPL-2.0
//! What the plugin (vm-tests/bench/count.c, which documents the form) wrote: the regions that the guest marked.

use anyhow::{Context, Result, bail, ensure};

/// The first line.
const HEADER: &str = "txgen-count 1";

/// What was executed in a marked region.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Region {
    /// Blocks of the kernel that were entered.
    pub blocks: Vec<Block>,
    /// Locked instructions of the kernel that stored something.
    pub locked: Vec<Locked>,
    /// Functions that copied, by their address, and how many bytes they stored.
    pub copied: Vec<(u64, u64)>,
    /// Instructions executed in the kernel.
    pub kernel: u64,
    /// Instructions executed in user mode.
    pub user: u64,
}

/// A translation block: instructions that are executed one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Address of the first.
    pub address: u64,
    /// How many there are.
    pub instructions: u64,
    /// How often the block was entered.
    pub times: u64,
}

/// A locked instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locked {
    /// Its address.
    pub address: u64,
    /// Its stores to struct pages.
    pub page: u64,
    /// Its stores elsewhere.
    pub other: u64,
}

/// Reads the plugin's output; one that is cut off anywhere is an error.
pub fn parse(text: &str) -> Result<Vec<Region>> {
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    ensure!(lines.next().is_some_and(|(_, line)| line == HEADER), "line 1: not {HEADER:?}");
    let mut regions = Vec::new();
    let mut open = None;
    let mut done = false;
    for (number, line) in lines {
        ensure!(!done, "line {number}: there is more after `done`");
        done = step(line, &mut open, &mut regions).with_context(|| format!("line {number}: {line:?}"))?;
    }
    ensure!(done, "it does not end with `done`: the guest did not get to its end, or the disk is full");
    Ok(regions)
}

/// Takes in one line; true for the last one.
fn step(line: &str, open: &mut Option<Region>, regions: &mut Vec<Region>) -> Result<bool> {
    let words = line.split(' ').collect::<Vec<_>>();
    match (words.as_slice(), open.as_mut()) {
        (["region", number], None) => {
            expect_number(number, regions.len() + 1)?;
            *open = Some(Region::default());
        }
        (["b", address, instructions, times], Some(region)) => region.blocks.push(Block {
            address: hex(address)?,
            instructions: decimal(instructions)?,
            times: decimal(times)?,
        }),
        (["l", address, page, other], Some(region)) => {
            region.locked.push(Locked { address: hex(address)?, page: decimal(page)?, other: decimal(other)? });
        }
        (["c", address, bytes], Some(region)) => region.copied.push((hex(address)?, decimal(bytes)?)),
        (["end", number, kernel, user], Some(_)) => {
            let mut region = open.take().context("there is a region")?;
            expect_number(number, regions.len() + 1)?;
            (region.kernel, region.user) = (decimal(kernel)?, decimal(user)?);
            let sum = region.blocks.iter().map(|block| block.instructions * block.times).sum::<u64>();
            ensure!(sum == region.kernel, "the region's blocks come to {sum} instructions: some are missing");
            regions.push(region);
        }
        (["done", number], None) => {
            expect_number(number, regions.len())?;
            return Ok(true);
        }
        _ => bail!("a line that does not belong here"),
    }
    Ok(false)
}

fn expect_number(text: &str, expected: usize) -> Result<()> {
    let number = decimal(text)?;
    ensure!(number == expected as u64, "it says {number} where {expected} is due");
    Ok(())
}

fn decimal(text: &str) -> Result<u64> {
    text.parse().with_context(|| format!("{text:?} is no number"))
}

fn hex(text: &str) -> Result<u64> {
    u64::from_str_radix(text, 16).with_context(|| format!("{text:?} is no address"))
}

#[cfg(test)]
mod tests {
    use super::{Block, Locked, Region, parse};

    const GOOD: &str = "txgen-count 1\nregion 1\nb ffffffff81000000 4 10\nl ffffffff81000004 7 3\n\
                        b ffffffff81000010 1 2\nc ffffffff81000020 1412\nend 1 42 5\nregion 2\nend 2 0 9\ndone 2\n";

    #[test]
    fn regions_have_their_blocks_and_locked_instructions() {
        let first = Region {
            blocks: vec![
                Block { address: 0xffff_ffff_8100_0000, instructions: 4, times: 10 },
                Block { address: 0xffff_ffff_8100_0010, instructions: 1, times: 2 },
            ],
            locked: vec![Locked { address: 0xffff_ffff_8100_0004, page: 7, other: 3 }],
            copied: vec![(0xffff_ffff_8100_0020, 1412)],
            kernel: 42,
            user: 5,
        };
        let second = Region { user: 9, ..Region::default() };
        assert_eq!(parse(GOOD).unwrap(), [first, second]);
    }

    #[test]
    fn output_that_is_cut_off_anywhere_is_refused() {
        let whole = GOOD.trim_end();
        for cut in 0..whole.len() {
            assert!(parse(&whole[..cut]).is_err(), "cut after {:?}", &whole[..cut]);
        }
        let error = parse("txgen-count 1\nregion 1\nend 1 0 9\n").expect_err("the last line is missing");
        let expected = "it does not end with `done`: the guest did not get to its end, or the disk is full";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_line_that_was_lost_is_noticed() {
        let error = parse(&GOOD.replace("b ffffffff81000010 1 2\n", "")).expect_err("a block is missing");
        assert_eq!(
            format!("{error:#}"),
            "line 6: \"end 1 42 5\": the region's blocks come to 40 instructions: some are missing"
        );
        let error = parse(&GOOD.replace("region 2\nend 2 0 9\n", "")).expect_err("a region is missing");
        assert_eq!(format!("{error:#}"), "line 8: \"done 2\": it says 2 where 1 is due");
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Counts by scenario and function: the plugin's regions, the guest's rounds and the kernel's symbols brought together.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::counts::Region;
use super::guest::{Held, Round, Scenario};
use super::symbols::Symbols;

/// The functions of the owner of memory: their locked instructions that are not for a struct page are for the owner,
/// or for the completion that it holds.
const OWNER: &str = "net_txbuf_";
/// The name for code that no symbol is for.
const UNKNOWN: &str = "(no symbol)";

/// What a function did in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Function {
    /// Instructions executed in it, without those in functions it calls.
    pub instructions: u64,
    /// How often it was entered at its start.
    pub calls: u64,
    /// Locked stores to struct pages.
    pub locked_page: u64,
    /// Locked stores elsewhere.
    pub locked_other: u64,
    /// Bytes that it stored, if it is a function that copies.
    pub copied: u64,
}

/// What a scenario came to on one kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measurement {
    /// The scenario.
    pub scenario: String,
    /// Kernel instructions of each round, in order.
    pub rounds: Vec<u64>,
    /// The index of the round that all else is about: the one with the median of the instructions.
    pub median: usize,
    /// Its sends.
    pub sends: u64,
    /// Packets that left the sending device: skbs with data, as a segmented one counts once.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// System calls with MSG_ZEROCOPY that were notified.
    pub notified: u64,
    /// How many of these as copied.
    pub copied: u64,
    /// What one queued send is charged with; nothing is queued in a request-response scenario.
    pub held: Option<Held>,
    /// Physically contiguous runs of pages of a send.
    pub runs: u64,
    /// What each function of the kernel did.
    pub functions: BTreeMap<String, Function>,
}

/// Locked stores, by what they are to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Atomics {
    /// To struct pages.
    pub page: u64,
    /// By functions of net_txbuf, to something else.
    pub owner: u64,
    /// All of them.
    pub all: u64,
}

impl Measurement {
    /// Kernel instructions of the median round.
    pub fn instructions(&self) -> u64 {
        self.rounds[self.median]
    }

    /// The difference between the quartiles of the rounds' instructions, as part of the median: the timer's tick is in a
    /// few rounds only.
    pub fn spread(&self) -> f64 {
        let mut rounds = self.rounds.clone();
        rounds.sort_unstable();
        let (last, quarter) = (rounds.len() - 1, (rounds.len() - 1) / 4);
        ratio(rounds[last - quarter] - rounds[quarter], self.instructions())
    }

    /// Locked stores of the median round.
    pub fn atomics(&self) -> Atomics {
        self.functions.iter().fold(Atomics::default(), |sum, (name, function)| Atomics {
            page: sum.page + function.locked_page,
            owner: sum.owner + if is_owner(name) { function.locked_other } else { 0 },
            all: sum.all + function.locked_page + function.locked_other,
        })
    }

    /// Bytes that functions stored which copy.
    pub fn copied(&self) -> u64 {
        self.functions.values().map(|function| function.copied).sum()
    }

    /// How often functions whose names `fits` takes were called.
    pub fn calls(&self, fits: impl Fn(&str) -> bool) -> u64 {
        self.functions.iter().filter(|(name, _)| fits(name)).map(|(_, function)| function.calls).sum()
    }
}

fn is_owner(name: &str) -> bool {
    name.trim_start_matches('_').starts_with(OWNER)
}

/// `part` of `whole` as a number.
pub fn ratio(part: u64, whole: u64) -> f64 {
    // Counts of a round are far below 2^52, where f64 ends to be exact.
    #[expect(clippy::cast_precision_loss, reason = "counts of a round are small")]
    let (part, whole) = (part as f64, whole as f64);
    part / whole
}

/// What each scenario came to: its rounds are the plugin's regions, in order.
pub fn measure(scenarios: &[Scenario], regions: &[Region], symbols: &Symbols) -> Result<Vec<Measurement>> {
    let rounds = scenarios.iter().map(|scenario| scenario.rounds.len()).sum::<usize>();
    ensure!(rounds == regions.len(), "the guest tells of {rounds} rounds, the plugin of {} regions", regions.len());
    let mut rest = regions;
    let mut measured = Vec::new();
    for scenario in scenarios {
        let (own, after) = rest.split_at(scenario.rounds.len());
        rest = after;
        measured.push(measure_one(scenario, own, symbols)?);
    }
    Ok(measured)
}

fn measure_one(scenario: &Scenario, regions: &[Region], symbols: &Symbols) -> Result<Measurement> {
    let mut order = (0..regions.len()).collect::<Vec<_>>();
    order.sort_by_key(|index| regions[*index].kernel);
    let Some(&median) = order.get(order.len() / 2) else { bail!("scenario {} has no round", scenario.name) };
    let Round { sends, packets, bytes, notified, copied } = scenario.rounds[median];
    Ok(Measurement {
        scenario: scenario.name.clone(),
        rounds: regions.iter().map(|region| region.kernel).collect(),
        median,
        sends,
        packets,
        bytes,
        notified,
        copied,
        held: scenario.held,
        runs: scenario.runs,
        functions: functions(&regions[median], symbols),
    })
}

fn functions(region: &Region, symbols: &Symbols) -> BTreeMap<String, Function> {
    let mut functions = BTreeMap::<String, Function>::new();
    let at = |address| symbols.find(address).unwrap_or((UNKNOWN, false));
    for block in &region.blocks {
        let (name, is_entry) = at(block.address);
        let function = functions.entry(name.to_owned()).or_default();
        function.instructions += block.instructions * block.times;
        function.calls += if is_entry { block.times } else { 0 };
    }
    for locked in &region.locked {
        let function = functions.entry(at(locked.address).0.to_owned()).or_default();
        function.locked_page += locked.page;
        function.locked_other += locked.other;
    }
    for (address, bytes) in &region.copied {
        functions.entry(at(*address).0.to_owned()).or_default().copied += bytes;
    }
    functions
}

#[cfg(test)]
mod tests {
    use super::{Atomics, Function, measure};
    use crate::bench::counts::{Block, Locked, Region};
    use crate::bench::guest::{Round, Scenario};
    use crate::bench::symbols::Symbols;

    const MAP: &str = "1000 T kfree_skb\n1100 t net_txbuf_put_run\n1200 T __net_txbuf_release\n";

    fn scenario(name: &str, rounds: usize) -> Scenario {
        let round = Round { sends: 4, packets: 2, bytes: 100, notified: 4, copied: 0 };
        Scenario { name: name.into(), runs: 1, rounds: vec![round; rounds], held: None }
    }

    fn region(times: u64) -> Region {
        let block = |address, instructions| Block { address, instructions, times };
        let blocks = vec![block(0x1000, 3), block(0x1010, 5), block(0x1100, 1), block(0x10, 1)];
        let locked = |address, page, other| Locked { address, page, other };
        let locked = vec![locked(0x1004, 2, 1), locked(0x1104, 0, 7), locked(0x1204, 4, 9)];
        Region { blocks, locked, copied: vec![(0x1000, 100 * times)], kernel: 10 * times, user: 1 }
    }

    #[test]
    fn rounds_go_to_their_scenarios_and_the_median_counts() {
        let regions = [region(9), region(1), region(2), region(5)];
        let symbols = Symbols::parse(MAP).unwrap();
        let measured = measure(&[scenario("a", 3), scenario("b", 1)], &regions, &symbols).unwrap();
        let a = &measured[0];
        assert_eq!((a.rounds.as_slice(), a.median, a.instructions()), ([90, 10, 20].as_slice(), 2, 20));
        assert!((a.spread() - 4.0).abs() < 1e-9, "{}", a.spread());
        let kfree = Function { instructions: 16, calls: 2, locked_page: 2, locked_other: 1, copied: 200 };
        assert_eq!(a.functions["kfree_skb"], kfree);
        assert_eq!(a.functions["(no symbol)"].instructions, 2);
        assert_eq!((a.calls(|name| name.starts_with("net_")), a.copied()), (2, 200));
        assert_eq!(measured[1].rounds, [50]);
    }

    #[test]
    fn atomics_of_owners_are_told_from_those_of_pages_and_others() {
        let symbols = Symbols::parse(MAP).unwrap();
        let measured = measure(&[scenario("a", 1)], &[region(1)], &symbols).unwrap();
        assert_eq!(measured[0].atomics(), Atomics { page: 6, owner: 16, all: 23 });
    }

    #[test]
    fn a_region_that_no_round_is_for_is_an_error() {
        let symbols = Symbols::parse(MAP).unwrap();
        let error = measure(&[scenario("a", 1)], &[region(1), region(1)], &symbols).expect_err("one too many");
        assert_eq!(error.to_string(), "the guest tells of 1 rounds, the plugin of 2 regions");
    }
}

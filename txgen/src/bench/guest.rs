// SPDX-License-Identifier: GPL-2.0
//! What the guest (vm-tests/bench/guest.c, which documents the form) said it did: scenarios and their rounds.

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

/// The first line.
const HEADER: &str = "txgen-guest 1";

/// A scenario as it was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// Of how many physically contiguous runs of pages the memory of a send consists.
    pub runs: u64,
    /// Its rounds, each of them a region for the plugin.
    pub rounds: Vec<Round>,
    /// What one send is charged with.
    pub held: Option<Held>,
}

/// A round of sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// How many sends.
    pub sends: u64,
    /// Packets that left the sending device.
    pub packets: u64,
    /// Their bytes, Ethernet headers included.
    pub bytes: u64,
    /// System calls with MSG_ZEROCOPY that were notified.
    pub notified: u64,
    /// How many of these as copied.
    pub copied: u64,
}

/// What a socket accounts for one send that is still queued, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// sk_wmem_alloc: the truesize of datagrams.
    pub allocated: u64,
    /// sk_wmem_queued: the truesize of a stream's queue.
    pub queued: u64,
}

/// Reads the guest's results; results that are cut off, or of a guest that failed, are an error.
pub fn parse(text: &str) -> Result<Vec<Scenario>> {
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    ensure!(lines.next().is_some_and(|(_, line)| line == HEADER), "line 1: not {HEADER:?}: the guest did not start");
    let mut scenarios = Vec::<Scenario>::new();
    let mut done = false;
    for (number, line) in lines {
        ensure!(!done, "line {number}: there is more after `done`");
        done = step(line, &mut scenarios).with_context(|| format!("line {number}: {line:?}"))?;
    }
    ensure!(done, "they do not end with `done`: the guest crashed or was killed");
    Ok(scenarios)
}

/// Takes in one line; true for the last one.
fn step(line: &str, scenarios: &mut Vec<Scenario>) -> Result<bool> {
    if let Some(what) = line.strip_prefix("failed ") {
        bail!("the guest could not {what}");
    }
    if line == "done" {
        return Ok(true);
    }
    let mut words = line.split(' ');
    let (kind, name) = (words.next().unwrap_or_default(), words.next().context("a name is missing")?);
    let numbers = words.map(|word| word.parse::<u64>().with_context(|| format!("{word:?} is no number")));
    let numbers = numbers.collect::<Result<Vec<_>>>()?;
    if let ("scenario", [runs]) = (kind, numbers.as_slice()) {
        scenarios.push(Scenario { name: name.to_owned(), runs: *runs, rounds: Vec::new(), held: None });
        return Ok(false);
    }
    let scenario = scenarios.last_mut().filter(|scenario| scenario.name == name);
    let scenario = scenario.with_context(|| format!("scenario {name} did not begin"))?;
    match (kind, numbers.as_slice()) {
        ("round", &[sends, packets, bytes, notified, copied]) => {
            ensure!(sends > 0 && packets > 0, "nothing was sent");
            scenario.rounds.push(Round { sends, packets, bytes, notified, copied });
        }
        ("held", &[allocated, queued]) => scenario.held = Some(Held { allocated, queued }),
        _ => bail!("a line that does not belong here"),
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::{Held, Round, Scenario, parse};

    const GOOD: &str = "txgen-guest 1\nscenario udp-1400-thp 1\nround udp-1400-thp 64 63 92288 64 2\n\
                        held udp-1400-thp 2304 0\nscenario tcp-rr-1 1\nround tcp-rr-1 64 64 4288 0 0\ndone\n";

    #[test]
    fn scenarios_have_their_rounds() {
        let round = Round { sends: 64, packets: 63, bytes: 92288, notified: 64, copied: 2 };
        let held = Some(Held { allocated: 2304, queued: 0 });
        let udp = Scenario { name: "udp-1400-thp".into(), runs: 1, rounds: vec![round], held };
        let round = Round { sends: 64, packets: 64, bytes: 4288, notified: 0, copied: 0 };
        let tcp = Scenario { name: "tcp-rr-1".into(), runs: 1, rounds: vec![round], held: None };
        assert_eq!(parse(GOOD).unwrap(), [udp, tcp]);
    }

    #[test]
    fn results_that_are_cut_off_anywhere_are_refused() {
        let whole = GOOD.trim_end();
        for cut in 0..whole.len() {
            assert!(parse(&whole[..cut]).is_err(), "cut after {:?}", &whole[..cut]);
        }
    }

    #[test]
    fn what_the_guest_could_not_do_is_told() {
        let error = parse("txgen-guest 1\nfailed make sink0 (File exists)\n").expect_err("it failed");
        let expected = "line 2: \"failed make sink0 (File exists)\": the guest could not make sink0 (File exists)";
        assert_eq!(format!("{error:#}"), expected);
    }
}

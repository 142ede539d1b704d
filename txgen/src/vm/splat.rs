// SPDX-License-Identifier: GPL-2.0
//! Crash markers in a console log: what the kernel says when it found something wrong with itself.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use super::messages;

/// What a line of the console complains about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The kernel gave up.
    Panic,
    /// An exception in the kernel.
    Oops,
    /// Memory used wrongly, found by KASAN.
    Kasan,
    /// Undefined behaviour, found by UBSAN.
    Ubsan,
    /// Locks used wrongly, found by lockdep.
    Lockdep,
    /// A CPU or a task that makes no progress.
    Stall,
    /// Memory or a reference that nobody gave back.
    Leak,
    /// `BUG:` of another kind.
    Bug,
    /// `WARN_ON` and its family.
    Warning,
}

/// A crash marker and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splat {
    /// What it is.
    pub kind: Kind,
    /// Its line in the log, from 1.
    pub line: usize,
    /// What the line says, without its time.
    pub text: String,
    /// The functions of the trace behind it, innermost first: what tells the same crash in two logs.
    pub trace: Vec<String>,
}

impl fmt::Display for Splat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match self.trace.as_slice() {
            [] => Ok(()),
            trace => write!(f, " [{}]", trace[..trace.len().min(FRAMES)].join(" < ")),
        }
    }
}

/// How many functions of a trace are told.
const FRAMES: usize = 5;
/// How many lines a trace may begin after its marker: registers and code come first.
const BEFORE_TRACE: usize = 60;
/// Functions that only report.
const REPORTERS: &[&str] =
    &["dump_stack", "dump_stack_lvl", "kasan_report", "kmemleak_alloc", "print_report", "__warn", "panic", "vpanic"];
/// How functions begin that the compiler calls to have an access checked.
const ACCESS: &str = "__asan_";

/// Where in a line a mark has to be.
#[derive(Debug, Clone, Copy)]
enum At {
    Start,
    Anywhere,
}

/// The marks; the first one that fits a line names it.
const MARKS: &[(At, &str, Kind)] = &[
    (At::Start, "Kernel panic - not syncing", Kind::Panic),
    (At::Start, "BUG: KASAN:", Kind::Kasan),
    (At::Start, "UBSAN:", Kind::Ubsan),
    (At::Start, "Oops:", Kind::Oops),
    (At::Start, "Oops ", Kind::Oops),
    (At::Start, "BUG: unable to handle", Kind::Oops),
    (At::Start, "general protection fault", Kind::Oops),
    (At::Start, "kernel BUG at", Kind::Bug),
    (At::Start, "WARNING: possible circular locking dependency", Kind::Lockdep),
    (At::Start, "WARNING: possible recursive locking", Kind::Lockdep),
    (At::Start, "WARNING: possible irq lock inversion", Kind::Lockdep),
    (At::Start, "WARNING: inconsistent lock state", Kind::Lockdep),
    (At::Start, "WARNING: bad unlock balance", Kind::Lockdep),
    (At::Start, "WARNING: suspicious RCU usage", Kind::Lockdep),
    (At::Start, "WARNING: lock held when returning", Kind::Lockdep),
    (At::Start, "[ BUG: Invalid wait context ]", Kind::Lockdep),
    (At::Anywhere, "-safe -> ", Kind::Lockdep),
    (At::Start, "INFO: trying to register non-static key", Kind::Lockdep),
    (At::Start, "BUG: MAX_LOCK", Kind::Lockdep),
    (At::Anywhere, "BUG: soft lockup", Kind::Stall),
    (At::Anywhere, "hard LOCKUP", Kind::Stall),
    (At::Start, "BUG: workqueue lockup", Kind::Stall),
    (At::Anywhere, "detected stalls on CPUs/tasks", Kind::Stall),
    (At::Anywhere, "self-detected stall on CPU", Kind::Stall),
    (At::Anywhere, "detected expedited stalls", Kind::Stall),
    (At::Anywhere, " blocked for more than ", Kind::Stall),
    (At::Anywhere, "new suspected memory leaks", Kind::Leak),
    (At::Start, "unreferenced object 0x", Kind::Leak),
    (At::Anywhere, "stalled pool shutdown", Kind::Leak),
    (At::Start, "unregister_netdevice: waiting for", Kind::Leak),
    (At::Start, "ref_tracker: ", Kind::Leak),
    (At::Start, "BUG ", Kind::Bug),
    (At::Start, "BUG: ", Kind::Bug),
    (At::Start, "WARNING: ", Kind::Warning),
];

/// The crash markers of a log, in order.
pub fn find(log: &str) -> Vec<Splat> {
    let (numbers, lines): (Vec<usize>, Vec<&str>) = messages(log).unzip();
    let marked = lines.iter().zip(numbers).enumerate().filter_map(|(at, (text, line))| {
        let kind = kind(text)?;
        let mut trace = trace(&lines[at + 1..]);
        if kind == Kind::Stall {
            let stuck = stuck(&lines[at + 1..]).filter(|name| trace.first() != Some(name));
            trace.splice(0..0, stuck);
        }
        Some(Splat { kind, line, text: text.trim_end().to_owned(), trace })
    });
    marked.collect()
}

/// The markers without those that tell of an earlier one again: in the same words, or of the same stall, which they do with
/// other times and by other watchdogs. Beside each, how many do.
pub fn distinct(splats: Vec<Splat>) -> Vec<(Splat, usize)> {
    let mut told: Vec<(Splat, usize)> = Vec::new();
    let mut places = BTreeMap::<_, usize>::new();
    for splat in splats {
        let stall = splat.kind == Kind::Stall && !splat.trace.is_empty();
        let text = (!stall).then(|| splat.text.clone());
        match places.entry((splat.kind, splat.trace.clone(), text)) {
            Entry::Occupied(place) => told[*place.get()].1 += 1,
            Entry::Vacant(place) => {
                place.insert(told.len());
                told.push((splat, 0));
            }
        }
    }
    told
}

/// The function in which a CPU was interrupted that did not get on, told before the trace of who called it.
fn stuck(lines: &[&str]) -> Option<String> {
    let mut near = lines.iter().take(BEFORE_TRACE).take_while(|line| kind(line).is_none());
    let name = near.find_map(|line| line.strip_prefix("RIP: 0010:"))?;
    name.split_once("+0x").map(|(name, _)| name.to_owned())
}

/// The functions of a trace that begins in `lines` before the next marker.
fn trace(lines: &[&str]) -> Vec<String> {
    let near = lines.iter().take(BEFORE_TRACE);
    let begins = |line: &str| line.starts_with("Call Trace:") || line.trim_start().starts_with("backtrace");
    let Some(start) = near.take_while(|line| kind(line).is_none()).position(|line| begins(line)) else {
        return Vec::new();
    };
    let frame = |line: &&str| {
        let line = line.trim();
        let name = line.split_once("+0x").map(|(name, _)| name);
        // What the unwinder only guesses has a question mark.
        name.filter(|name| !name.contains([' ', '?'])).map(str::to_owned)
    };
    let is_part = |line: &&str| line.contains("+0x") || line.trim().starts_with('<');
    let inside = lines[start + 1..].iter().take_while(|line| is_part(line));
    inside.filter_map(frame).filter(|name| !REPORTERS.contains(&name.as_str()) && !name.starts_with(ACCESS)).collect()
}

fn kind(text: &str) -> Option<Kind> {
    let fits = |at: At, mark: &str| match at {
        At::Start => text.starts_with(mark),
        At::Anywhere => text.contains(mark),
    };
    MARKS.iter().find(|(at, mark, _)| fits(*at, mark)).map(|(_, _, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::{Kind, distinct, find, kind};

    #[test]
    fn each_kind_of_crash_marker_is_found() {
        let lines = [
            ("Kernel panic - not syncing: Fatal exception", Kind::Panic),
            ("Oops: general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP", Kind::Oops),
            ("BUG: unable to handle page fault for address: ffffdead", Kind::Oops),
            ("kernel BUG at net/core/skbuff.c:120!", Kind::Bug),
            ("BUG: KASAN: slab-use-after-free in net_txbuf_put+0x10/0x20", Kind::Kasan),
            ("UBSAN: shift-out-of-bounds in lib/x.c:1:2", Kind::Ubsan),
            ("WARNING: net/core/skbuff.c:1234 at skb_release_data+0x1/0x2, CPU#0: kunit_try_catch/50", Kind::Warning),
            ("WARNING: CPU: 1 PID: 1 at net/core/dev.c:10 dev_x+0x1/0x2", Kind::Warning),
            ("WARNING: possible circular locking dependency detected", Kind::Lockdep),
            ("WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected", Kind::Lockdep),
            ("WARNING: suspicious RCU usage", Kind::Lockdep),
            ("BUG: sleeping function called from invalid context at mm/x.c:1", Kind::Bug),
            ("BUG kmalloc-512 (Not tainted): Poison overwritten", Kind::Bug),
            ("rcu: INFO: rcu_preempt self-detected stall on CPU", Kind::Stall),
            ("rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", Kind::Stall),
            ("watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [swapper:1]", Kind::Stall),
            ("INFO: task kworker/0:1:10 blocked for more than 120 seconds.", Kind::Stall),
            ("kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)", Kind::Leak),
            ("unreferenced object 0xffff888003a5a800 (size 512):", Kind::Leak),
            ("page_pool_release_retry() stalled pool shutdown: id 5, 1 inflight 60 sec", Kind::Leak),
        ];
        for (line, expected) in lines {
            assert_eq!(kind(line), Some(expected), "{line}");
        }
    }

    #[test]
    fn an_untroubled_console_has_no_crash_marker() {
        let quiet = "\
[    0.000000] Command line: oops=panic panic=-1
[    0.100000] rcu: \tRCU debug extended QS entry/exit.
[    0.200000] ** NOTICE NOTICE **
[    1.000000]     # test_bug: this case talks about BUG: and WARNING: in passing
[    1.100000]     ok 3 warning_is_counted
[    2.000000] kmemleak: Kernel memory leak detector initialized (mem pool available: 15797)
";
        assert_eq!(find(quiet), []);
    }

    #[test]
    fn a_marker_that_tells_of_the_same_again_is_counted_with_the_first() {
        let trace = "RIP: 0010:spin+0x1/0x2\nCall Trace:\n <TASK>\n caller+0x1/0x2\n </TASK>\n";
        let told = |heads: &[&str]| {
            let log = heads.iter().map(|head| format!("{head}\n{trace}")).collect::<String>();
            distinct(find(&log)).iter().map(|(splat, more)| format!("{splat} {more}")).collect::<Vec<_>>()
        };
        let stalls =
            ["watchdog: BUG: soft lockup - CPU#0 stuck for 5s!", "rcu: INFO: rcu_sched self-detected stall on CPU"];
        assert_eq!(told(&stalls), [format!("{} [spin < caller] 1", stalls[0])]);
        let warnings = ["WARNING: net/a.c:1", "WARNING: net/a.c:2", "WARNING: net/a.c:1"];
        assert_eq!(told(&warnings), ["WARNING: net/a.c:1 [caller] 1", "WARNING: net/a.c:2 [caller] 0"]);
    }

    #[test]
    fn a_crash_has_the_functions_of_its_trace_and_not_of_the_next_one() {
        let log = "[    1.0] WARNING: net/a.c:1 at b+0x1/0x2\n[    1.0] RIP: 0010:b+0x1/0x2\n[    1.0] Call Trace:\n\
                   [    1.0]  <TASK>\n[    1.0]  ? c+0x1/0x2\n[    1.0]  d+0x1/0x2 [mod]\n[    1.0]  e.cold+0x1/0x2\n\
                   [    1.0]  </TASK>\n[    1.0] ---[ end trace ]---\n[    2.0] BUG: x\n[    2.0] WARNING: y\n\
                   [    2.0] Call Trace:\n[    2.0]  dump_stack+0x1/0x2\n[    2.0]  f+0x1/0x2\n[    2.0] x\n";
        let told = find(log).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(told, ["WARNING: net/a.c:1 at b+0x1/0x2 [d < e.cold]", "BUG: x", "WARNING: y [f]"]);
        let leak = "unreferenced object 0x1 (size 64):\n  comm \"swapper\"\n  backtrace (crc 0):\n    kmalloc+0x1/0x2\n\
                    \x20   late+0x1/0x2\n";
        assert_eq!(find(leak)[0].to_string(), "unreferenced object 0x1 (size 64): [kmalloc < late]");
    }

    #[test]
    fn a_marker_is_found_with_its_line_behind_time_and_thread() {
        let splats = find("x\n[    1.234567] [    T50] WARNING: net/core/a.c:1 at b+0x1/0x2\n");
        assert_eq!(splats.len(), 1);
        assert_eq!((splats[0].line, splats[0].kind), (2, Kind::Warning));
        assert_eq!(splats[0].text, "WARNING: net/core/a.c:1 at b+0x1/0x2");
    }
}

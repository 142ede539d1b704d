// SPDX-License-Identifier: GPL-2.0
//! Counts as Markdown: the table of a cover letter, and the tables behind it.

use std::fmt::Write;

use super::aggregate::{Measurement, ratio};
use super::{Counted, Report};

/// The file of a series with all tables; the first of them goes into its cover letter.
pub const FILE: &str = "bench.md";

const WRITES: &str = "writing to a string does not fail";
/// The symbols of bloat-o-meter that are listed.
const BLOAT_ROWS: usize = 25;

/// The walks over page tables that get_user_pages and pin_user_pages begin with.
fn is_walk(name: &str) -> bool {
    name == "gup_fast_fallback"
}

/// Folios that these walks take, referenced or pinned.
fn is_taken(name: &str) -> bool {
    name == "try_grab_folio_fast"
}

/// Calls that give pins back.
fn is_unpin(name: &str) -> bool {
    name.starts_with("unpin_user_") || name.starts_with("unpin_folio")
}

/// Allocations of objects of the slab.
fn is_slab(name: &str) -> bool {
    name.ends_with("_noprof") && (name.starts_with("kmem_cache_alloc") || name.starts_with("__kmalloc"))
}

/// Allocations of parts of pages that are referenced.
fn is_page_frag(name: &str) -> bool {
    name == "__page_frag_alloc_align" || name == "skb_page_frag_refill"
}

/// Allocations of pages.
fn is_page(name: &str) -> bool {
    name == "__alloc_frozen_pages_noprof"
}

/// All tables, and the trees they are about.
pub fn markdown(report: &Report) -> String {
    let mut text = cover(report);
    let trees = report.kernels.iter().map(|kernel| format!("{} {}", kernel.kernel, kernel.tree)).collect::<Vec<_>>();
    let trees = format!("Trees: {}\n", trees.join(", "));
    let tables = [
        all_instructions(report),
        atomics(report),
        calls(report),
        allocations(report),
        held(report),
        sizes(report),
        trees,
    ];
    for table in tables {
        text.push('\n');
        text.push_str(&table);
    }
    text
}

/// The command, and the table of instructions: of the base, and by how many per cent the others need more.
pub fn cover(report: &Report) -> String {
    let (base, others) = split(report);
    let mut rows = vec![header(report)];
    rows[0].push("spread".to_owned());
    for measured in &base.scenarios {
        let mut row = vec![measured.scenario.clone(), instructions(measured)];
        let mut spread = measured.spread();
        for other in others.iter().filter_map(|other| find(other, measured)) {
            spread = spread.max(other.spread());
            row.push(change(measured, other));
        }
        row.push(format!("{:.2} %", 100.0 * spread));
        rows.push(row);
    }
    format!(
        "Executed kernel instructions per send: median of the rounds, and the distance\nbetween their quartiles \
         ({}):\n\n{}",
        report.command,
        table(&rows)
    )
}

/// What [`cover`] put at the start of [`markdown`]: what is told of the table, and the table.
pub fn cover_of(markdown: &str) -> String {
    let parts = markdown.splitn(3, "\n\n").take(2).map(str::trim_end).collect::<Vec<_>>();
    parts.join("\n\n") + "\n"
}

/// Whether `tree` is among the trees that [`markdown`] is about.
pub fn is_about(markdown: &str, tree: &str) -> bool {
    markdown.lines().any(|line| line.starts_with("Trees: ") && line.contains(tree))
}

fn split(report: &Report) -> (&Counted, &[Counted]) {
    let (base, others) = report.kernels.split_first().expect("a report has the base");
    (base, others)
}

fn find<'a>(kernel: &'a Counted, like: &Measurement) -> Option<&'a Measurement> {
    kernel.scenarios.iter().find(|measured| measured.scenario == like.scenario)
}

fn instructions(measured: &Measurement) -> String {
    format!("{:.0}", ratio(measured.instructions(), measured.sends))
}

/// By how many per cent a send takes more instructions than on the base.
fn change(base: &Measurement, other: &Measurement) -> String {
    let [base, other] = [base, other].map(|measured| ratio(measured.instructions(), measured.sends));
    format!("{:+.2} %", 100.0 * (other - base) / base)
}

fn header(report: &Report) -> Vec<String> {
    let kernels = report.kernels.iter().map(|kernel| kernel.kernel.clone());
    std::iter::once("scenario".to_owned()).chain(kernels).collect()
}

/// A table with a column for each kernel, whose cells `cell` makes.
fn by_kernel(report: &Report, title: &str, cell: impl Fn(&Measurement) -> String) -> String {
    let (base, _) = split(report);
    let mut rows = vec![header(report)];
    for measured in &base.scenarios {
        let mut row = vec![measured.scenario.clone()];
        row.extend(report.kernels.iter().filter_map(|kernel| find(kernel, measured)).map(&cell));
        rows.push(row);
    }
    format!("{title}\n\n{}", table(&rows))
}

fn all_instructions(report: &Report) -> String {
    by_kernel(report, "Executed kernel instructions per send, and of all rounds", |measured| {
        let rounds = measured.rounds.iter().map(|round| format!("{:.0}", ratio(*round, measured.sends)));
        let rounds = rounds.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>();
        format!("{} ({})", instructions(measured), rounds.join(", "))
    })
}

fn atomics(report: &Report) -> String {
    let title = "Locked instructions per skb: to struct page / else, in functions of net_txbuf / all";
    by_kernel(report, title, |measured| {
        let atomics = measured.atomics();
        let per_skb = |count| format!("{:.1}", ratio(count, measured.packets));
        [atomics.page, atomics.owner, atomics.all].map(per_skb).join(" / ")
    })
}

fn calls(report: &Report) -> String {
    let title = "Calls per send: walks of the page tables / folios taken / unpins";
    by_kernel(report, title, |measured| {
        let per_send = |fits: fn(&str) -> bool| format!("{:.1}", ratio(measured.calls(fits), measured.sends));
        [is_walk, is_taken, is_unpin].map(per_send).join(" / ")
    })
}

fn allocations(report: &Report) -> String {
    let title = "Per send, on both sides: objects of slab / page fragments / pages allocated; bytes copied";
    by_kernel(report, title, |measured| {
        let per_send = |count| format!("{:.1}", ratio(count, measured.sends));
        let calls = |fits: fn(&str) -> bool| per_send(measured.calls(fits));
        let allocated = [is_slab, is_page_frag, is_page].map(calls).join(" / ");
        format!("{allocated}; {}", per_send(measured.copied()))
    })
}

fn held(report: &Report) -> String {
    let title = "One send that is queued: bytes charged to the socket; packets per send, with their bytes";
    by_kernel(report, title, |measured| {
        let held = measured.held.map_or("-".to_owned(), |held| (held.allocated.max(held.queued)).to_string());
        let per_send = |count| format!("{:.1}", ratio(count, measured.sends));
        format!("{held}; {}, {}", per_send(measured.packets), per_send(measured.bytes))
    })
}

fn sizes(report: &Report) -> String {
    let mut text = String::from("Size (scripts/bloat-o-meter)\n");
    for kernel in &report.kernels {
        let Some(bloat) = &kernel.bloat else { continue };
        write!(text, "\n{}: {}, all {} to {} bytes\n\n", kernel.kernel, bloat.summary, bloat.before, bloat.after)
            .expect(WRITES);
        let size = |size: Option<u64>| size.map_or("-".to_owned(), |size| size.to_string());
        let mut rows = vec![["symbol", "before", "after"].map(str::to_owned).to_vec()];
        let symbols = bloat.symbols.iter().take(BLOAT_ROWS);
        rows.extend(symbols.map(|symbol| vec![symbol.name.clone(), size(symbol.before), size(symbol.after)]));
        text.push_str(&table(&rows));
        if let Some(more) = bloat.symbols.len().checked_sub(BLOAT_ROWS + 1) {
            writeln!(text, "\nand {} more symbols", more + 1).expect(WRITES);
        }
    }
    text
}

/// A Markdown table that is aligned, too: the first column left, the others right.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = (0..columns).map(width).collect::<Vec<_>>();
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let cell = if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") };
            write!(text, "| {cell} ").expect(WRITES);
        }
        text.push_str("|\n");
        if index == 0 {
            for (column, width) in widths.iter().enumerate() {
                let (left, right) = if column == 0 { ("-", "-") } else { ("-", ":") };
                write!(text, "|{left}{}{right}", "-".repeat(*width)).expect(WRITES);
            }
            text.push_str("|\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::aggregate::{Function, Measurement};
    use super::super::bloat::{Bloat, Symbol};
    use super::super::guest::Held;
    use super::super::{Counted, Report};
    use super::{cover, cover_of, is_about, markdown};

    fn measured(instructions: u64, page: u64, owner: u64) -> Measurement {
        let function = |calls, locked_page, locked_other| Function {
            calls,
            locked_page,
            locked_other,
            instructions: 9,
            copied: 0,
        };
        let functions = [
            ("__kmalloc_noprof", function(6, 0, 0)),
            ("gup_fast_fallback", function(4, 0, 0)),
            ("memcpy_orig", Function { copied: 1412, ..Function::default() }),
            ("net_txbuf_put_run", function(4, 0, owner)),
            ("skb_release_data", function(4, page, 8)),
            ("try_grab_folio_fast", function(60, 0, 0)),
        ];
        Measurement {
            scenario: "udp-60000-order0".to_owned(),
            rounds: vec![instructions + 2, instructions, instructions - 2],
            median: 1,
            sends: 4,
            packets: 4,
            bytes: 240_168,
            notified: 4,
            copied: 0,
            held: Some(Held { allocated: 60_832, queued: 0 }),
            runs: 15,
            functions: functions
                .into_iter()
                .map(|(name, function)| (name.to_owned(), function))
                .collect::<BTreeMap<_, _>>(),
        }
    }

    #[test]
    fn a_report_has_its_command_and_a_row_for_each_scenario() {
        let symbols = vec![Symbol { name: "net_txbuf_alloc".into(), before: None, after: Some(30) }];
        let summary = "add/remove: 1/0 grow/shrink: 0/0 up/down: 30/0 (30)".to_owned();
        let bloat = Bloat { summary, before: 1000, after: 1030, symbols };
        let kernel = |name: &str, bloat, measured| Counted {
            kernel: name.into(),
            tree: if name == "x" { "1" } else { "0" }.repeat(40),
            bloat,
            scenarios: vec![measured],
        };
        let kernels =
            vec![kernel("net-next", None, measured(1000, 120, 0)), kernel("x", Some(bloat), measured(1030, 60, 4))];
        let report = Report { command: "txgen bench x".into(), emulator: String::new(), toolchain: vec![], kernels };
        insta::assert_snapshot!(markdown(&report), @r"
        Executed kernel instructions per send: median of the rounds, and the distance
        between their quartiles (txgen bench x):

        | scenario         | net-next |       x | spread |
        |------------------|---------:|--------:|-------:|
        | udp-60000-order0 |      250 | +3.00 % | 0.40 % |

        Executed kernel instructions per send, and of all rounds

        | scenario         |  net-next |              x |
        |------------------|----------:|---------------:|
        | udp-60000-order0 | 250 (250) | 258 (257, 258) |

        Locked instructions per skb: to struct page / else, in functions of net_txbuf / all

        | scenario         |          net-next |                 x |
        |------------------|------------------:|------------------:|
        | udp-60000-order0 | 30.0 / 0.0 / 32.0 | 15.0 / 1.0 / 18.0 |

        Calls per send: walks of the page tables / folios taken / unpins

        | scenario         |         net-next |                x |
        |------------------|-----------------:|-----------------:|
        | udp-60000-order0 | 1.0 / 15.0 / 0.0 | 1.0 / 15.0 / 0.0 |

        Per send, on both sides: objects of slab / page fragments / pages allocated; bytes copied

        | scenario         |               net-next |                      x |
        |------------------|-----------------------:|-----------------------:|
        | udp-60000-order0 | 1.5 / 0.0 / 0.0; 353.0 | 1.5 / 0.0 / 0.0; 353.0 |

        One send that is queued: bytes charged to the socket; packets per send, with their bytes

        | scenario         |            net-next |                   x |
        |------------------|--------------------:|--------------------:|
        | udp-60000-order0 | 60832; 1.0, 60042.0 | 60832; 1.0, 60042.0 |

        Size (scripts/bloat-o-meter)

        x: add/remove: 1/0 grow/shrink: 0/0 up/down: 30/0 (30), all 1000 to 1030 bytes

        | symbol          | before | after |
        |-----------------|-------:|------:|
        | net_txbuf_alloc |      - |    30 |

        Trees: net-next 0000000000000000000000000000000000000000, x 1111111111111111111111111111111111111111
        ");
        assert!(is_about(&markdown(&report), &"1".repeat(40)) && !is_about(&markdown(&report), &"2".repeat(40)));
        assert_eq!(cover_of(&markdown(&report)), cover(&report));
    }
}

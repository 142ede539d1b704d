// SPDX-License-Identifier: GPL-2.0
//! A struct as a diagram in plain text: rows of eight bytes, boxes as wide as the fields.

use crate::model::layout::{Layout, Place};

/// Bytes in a row.
const ROW: u64 = 8;

/// Columns of a byte, its left border included.
const BYTE: u64 = 8;

/// What lies in a row, from `start` to `end` within it.
struct Cell {
    start: u64,
    end: u64,
    text: String,
}

/// Draws `layout`; the flexible array, if there is one, is the open box at the end.
pub(super) fn draw(layout: &Layout) -> Vec<String> {
    let header = (0..ROW).fold("    ".to_owned(), |line, byte| line + &format!("  +{byte:<5}"));
    let mut lines = vec![header];
    let rows = layout.extent.size.div_ceil(ROW);
    let cells: Vec<Vec<Cell>> = (0..rows).map(|row| row_cells(layout, row)).collect();
    let mut above: &[Cell] = &[];
    for (row, cells) in cells.iter().enumerate() {
        lines.push(border(above, cells));
        lines.push(format!("{:>4} {}", row as u64 * ROW, boxes(cells)));
        above = cells;
    }
    let array = layout.fields.last().filter(|place| place.size == 0);
    let open = array.map(|place| {
        let text = format!("{}[]", place.name);
        (vec![Cell { start: 0, end: ROW, text }], place.offset)
    });
    match &open {
        Some((cells, offset)) => {
            lines.push(border(above, cells));
            lines.push(format!("{offset:>4} {}", boxes(cells)));
            lines.push(format!("     ~{}~", " ".repeat((ROW * BYTE - 1) as usize)));
        }
        None => lines.push(border(above, &[])),
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// Fields and gaps of a row.
fn row_cells(layout: &Layout, row: u64) -> Vec<Cell> {
    let (from, to) = (row * ROW, (row + 1) * ROW);
    let mut cells: Vec<Cell> = Vec::new();
    let mut at = 0;
    let in_row = |place: &&Place| place.size > 0 && place.offset < to && place.offset + place.size > from;
    for place in layout.fields.iter().filter(in_row) {
        let start = place.offset.max(from) - from;
        let end = (place.offset + place.size).min(to) - from;
        if start > at {
            cells.push(Cell { start: at, end: start, text: String::new() });
        }
        let text = if place.offset >= from { place.name.clone() } else { "...".to_owned() };
        cells.push(Cell { start, end, text });
        at = end;
    }
    let end = layout.extent.size.min(to) - from;
    if end > at {
        cells.push(Cell { start: at, end, text: String::new() });
    }
    cells
}

fn boxes(cells: &[Cell]) -> String {
    let mut line = "|".to_owned();
    for cell in cells {
        let room = ((cell.end - cell.start) * BYTE - 1) as usize;
        let text = if cell.text.len() < room { format!(" {}", cell.text) } else { shortened(&cell.text, room) };
        line += &format!("{text:<room$}|");
    }
    line
}

/// The name where it does not fit: its start, and a mark that some is missing.
fn shortened(text: &str, room: usize) -> String {
    let mark = if text.len() > room { "~" } else { "" };
    text.chars().take(room - mark.len()).collect::<String>() + mark
}

fn border(above: &[Cell], below: &[Cell]) -> String {
    let columns = above.iter().chain(below).map(|cell| cell.end).max().unwrap_or(0) * BYTE;
    let is_edge = |column: u64| {
        column == 0 || above.iter().chain(below).any(|c| column == c.start * BYTE || column == c.end * BYTE)
    };
    (0..=columns).fold("     ".to_owned(), |line, column| line + if is_edge(column) { "+" } else { "-" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::types::Extent;

    #[test]
    fn gaps_long_names_and_the_array_are_drawn() {
        let place = |name: &str, offset, size| Place { name: name.to_owned(), offset, size };
        let fields = vec![
            place("a", 0, 1),
            place("pointer_to_next", 8, 8),
            place("spare_bits", 16, 1),
            place("word", 20, 4),
            place("slots", 24, 0),
        ];
        let layout = Layout { extent: Extent { size: 24, align: 8 }, fields };
        insta::assert_snapshot!(draw(&layout).join("\n"), @r"
        +0      +1      +2      +3      +4      +5      +6      +7
       +-------+-------------------------------------------------------+
     0 | a     |                                                       |
       +-------+-------------------------------------------------------+
     8 | pointer_to_next                                               |
       +-------+-----------------------+-------------------------------+
    16 |spare_~|                       | word                          |
       +-------+-----------------------+-------------------------------+
    24 | slots[]                                                       |
       ~                                                               ~
    ");
    }
}

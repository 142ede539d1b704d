// SPDX-License-Identifier: GPL-2.0
//! Text that comes out of a guest, made fit for a terminal and a page.

/// The text without escape sequences, control characters, and characters that turn the direction of others around.
///
/// A sequence ends with its line: one that has no end does not hide the lines behind it.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if line.bytes().all(|b| (0x20..0x7f).contains(&b) || matches!(b, b'\n' | b'\t')) {
            out.push_str(line);
            continue;
        }
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        let line = anstream::adapter::strip_str(line).to_string();
        out.extend(line.chars().filter(|c| *c == '\t' || !(c.is_control() || turns(*c))));
        out.push_str(end);
    }
    out
}

/// Marks, embeddings, overrides and isolates of Unicode's bidirectional algorithm.
fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_a_guest_writes_can_not_move_the_cursor() {
        assert_eq!(plain("good\u{202e}dab \u{e9}\u{fffd}"), "gooddab \u{e9}\u{fffd}");
        assert_eq!(plain("a\u{1b}[31mb\u{1b}[2J\u{1b}]0;title\u{7}c\r\u{8}d\te\n"), "abcd\te\n");
    }

    #[test]
    fn a_sequence_without_an_end_hides_no_other_line() {
        for open in ["\u{1b}]0;title", "\u{1b}P", "\u{1b}[3", "\u{9d}title"] {
            let text = plain(&format!("a{open}\nKernel panic - not syncing\n"));
            assert!(text.starts_with('a') && text.ends_with("\nKernel panic - not syncing\n"), "{open:?}: {text:?}");
        }
    }
}

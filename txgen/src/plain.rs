// SPDX-License-Identifier: GPL-2.0
//! Text of others, made fit for a terminal and a page: what a guest writes, and what files, mails and commits say.

use std::borrow::Cow;
use std::fmt::Write;

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
        out.extend(line.chars().filter(|c| *c == '\t' || !(c.is_control() || is_direction(*c))));
        out.push_str(end);
    }
    out
}

/// One line of text with each hidden character as `<U+202E>`: names, subjects and whatever else is data on a line.
pub fn visible(text: &str) -> Cow<'_, str> {
    with_numbers(text, is_hidden)
}

/// The same of a text of several lines, which may have tabs.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    with_numbers(text, |c| is_hidden(c) && !matches!(c, '\n' | '\t'))
}

/// The text with each character of which `hides` is true as its number.
pub fn with_numbers(text: &str, hides: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&hides) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hides(c) {
            write!(out, "<U+{:04X}>", u32::from(c)).expect("writing to a string does not fail");
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Whether a character is not to be seen where it stands but does something there: it controls a terminal, ends a line,
/// turns the direction of others around, or is none at all and no XML may hold it.
pub fn is_hidden(c: char) -> bool {
    c.is_control() || is_direction(c) || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether no line of text that people write has this character: it controls a terminal, turns others around, or is not
/// seen.
pub fn is_odd(c: char) -> bool {
    is_hidden(c) || matches!(c, '\u{feff}' | '\u{fffd}')
}

/// The start of a line that an error quotes, with odd characters escaped.
pub fn shown(text: &str) -> String {
    const MOST: usize = 100;
    let start = text.chars().take(MOST).flat_map(|c| match is_odd(c) {
        true => c.escape_unicode().collect::<Vec<_>>(),
        false => vec![c],
    });
    let more = if text.chars().nth(MOST).is_some() { "..." } else { "" };
    start.collect::<String>() + more
}

/// Whether a character is a mark, embedding, override or isolate of Unicode's bidirectional algorithm.
pub fn is_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{plain, visible, visible_lines};

    #[test]
    fn what_a_guest_writes_can_not_move_the_cursor() {
        assert_eq!(plain("good\u{202e}dab \u{e9}\u{fffd}"), "gooddab \u{e9}\u{fffd}");
        assert_eq!(plain("a\u{1b}[31mb\u{1b}[2J\u{1b}]0;title\u{7}c\r\u{8}d\te\n"), "abcd\te\n");
    }

    #[test]
    fn what_hides_in_a_line_is_seen() {
        assert_eq!(visible("net: tell the first byte \u{e9}\u{fffd}"), "net: tell the first byte \u{e9}\u{fffd}");
        assert_eq!(
            visible("a\u{202e}b\rc\u{1b}[2J\u{9b}d\ne\tf"),
            "a<U+202E>b<U+000D>c<U+001B>[2J<U+009B>d<U+000A>e<U+0009>f"
        );
        assert_eq!(visible("\u{7f}\u{2028}\u{ffff}\0"), "<U+007F><U+2028><U+FFFF><U+0000>");
        assert_eq!(visible_lines("a\tb\r\nc\u{2066}"), "a\tb<U+000D>\nc<U+2066>");
    }

    #[test]
    fn a_sequence_without_an_end_hides_no_other_line() {
        for open in ["\u{1b}]0;title", "\u{1b}P", "\u{1b}[3", "\u{9d}title"] {
            let text = plain(&format!("a{open}\nKernel panic - not syncing\n"));
            assert!(text.starts_with('a') && text.ends_with("\nKernel panic - not syncing\n"), "{open:?}: {text:?}");
        }
    }
}

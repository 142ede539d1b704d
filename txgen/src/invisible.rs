// SPDX-License-Identifier: GPL-2.0
//! Characters that nobody sees but that change what others see: Unicode's controls of direction, and invisible ones.

use crate::plain;

/// How a character deceives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It turns the direction of the text behind it.
    Direction,
    /// It is not seen at all.
    Invisible,
    /// It controls a terminal.
    Control,
}

/// Ranges of Unicode 16's category "Cf" (format) but for those of [`plain::is_direction`], of letters and separators that are
/// blank, and of selectors of variations but those of emoji.
const INVISIBLE: &[(u32, u32)] = &[
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x600, 0x605),
    (0x6dd, 0x6dd),
    (0x70f, 0x70f),
    (0x890, 0x891),
    (0x8e2, 0x8e2),
    (0x115f, 0x1160),
    (0x180e, 0x180e),
    (0x200b, 0x200d),
    (0x2028, 0x2029),
    (0x2060, 0x2065),
    (0x206a, 0x206f),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0d),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff9, 0xfffb),
    (0x110bd, 0x110bd),
    (0x110cd, 0x110cd),
    (0x13430, 0x1343f),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0xe0000, 0xe007f),
    (0xe0100, 0xe01ef),
];

/// What is wrong with a character, if it is one of these.
pub fn kind(c: char) -> Option<Kind> {
    if c.is_control() {
        return (c != '\t').then_some(Kind::Control);
    }
    if c.is_ascii() {
        return None;
    }
    if plain::is_direction(c) {
        return Some(Kind::Direction);
    }
    let code = u32::from(c);
    INVISIBLE.iter().any(|(from, to)| (*from..=*to).contains(&code)).then_some(Kind::Invisible)
}

/// The first character of a line that deceives.
///
/// A joiner between two letters of a script without upper and lower case (Persian, Hindi) is part of the spelling.
pub fn first(line: &str) -> Option<char> {
    let is_letter = |c: Option<char>| {
        c.is_some_and(|c| c.is_alphabetic() && !c.is_lowercase() && !c.is_uppercase() && kind(c).is_none())
    };
    let mut before = None;
    let mut left = line.chars();
    while let Some(c) = left.next() {
        let is_spelling = matches!(c, '\u{200c}' | '\u{200d}') && is_letter(before) && is_letter(left.clone().next());
        if kind(c).is_some() && !is_spelling {
            return Some(c);
        }
        before = Some(c);
    }
    None
}

/// The character in words: its number and what it does.
pub fn describe(c: char) -> String {
    let does = match kind(c) {
        Some(Kind::Direction) => "which turns the direction of the text",
        Some(Kind::Control) => "which controls a terminal",
        _ => "which is invisible",
    };
    format!("U+{:04X}, {does}", u32::from(c))
}

/// The text with every such character, and every control character but a tab, as its number.
pub fn shown(text: &str) -> String {
    plain::with_numbers(text, |c| kind(c).is_some()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{describe, first, shown};

    #[test]
    fn controls_of_direction_are_found_in_any_script() {
        for code in (0x202a..=0x202e).chain(0x2066..=0x2069).chain([0x200e, 0x200f, 0x61c]) {
            let c = char::from_u32(code).unwrap();
            assert_eq!(first(&format!("/* {c} */")), Some(c));
            assert_eq!(first(&format!("/* \u{645}{c} */")), Some(c));
        }
        assert_eq!(describe('\u{202e}'), "U+202E, which turns the direction of the text");
    }

    #[test]
    fn a_joiner_is_part_of_persian_but_not_of_an_identifier() {
        assert_eq!(first("int a\u{200c}b;"), Some('\u{200c}'));
        assert_eq!(first("\u{feff}// SPDX"), Some('\u{feff}'));
        assert_eq!(first("cc\u{ad}can"), Some('\u{ad}'));
        assert_eq!(first("/* \u{4e2d}\u{6587} */ int a\u{200b};"), Some('\u{200b}'));
        assert_eq!(first("/* \u{4e2d}\u{e0041} */"), Some('\u{e0041}'));
        assert_eq!(first("x\u{fe01}"), Some('\u{fe01}'));
        assert_eq!(first("x\u{1b}[2J\r"), Some('\u{1b}'));
        assert_eq!(first("/* \u{646}\u{645}\u{6cc}\u{200c}\u{62f}\u{627}\u{646}\u{645} */"), None);
        assert_eq!(first("J\u{e9}r\u{f4}me \u{2014} \u{20ac} \u{1f600}"), None);
    }

    #[test]
    fn what_deceives_is_shown_as_its_number() {
        assert_eq!(shown("a\t\u{1b}[2Jb\u{202e}c\u{e9}"), "a\t<U+001B>[2Jb<U+202E>c\u{e9}");
    }
}

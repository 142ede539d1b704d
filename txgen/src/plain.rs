// SPDX-License-Identifier: GPL-2.0
//! Text that comes out of a guest, made fit for a terminal and a page.

/// The text without escape sequences and control characters.
pub fn plain(text: &str) -> String {
    let text = anstream::adapter::strip_str(text).to_string();
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_a_guest_writes_can_not_move_the_cursor() {
        assert_eq!(plain("a\u{1b}[31mb\u{1b}[2J\u{1b}]0;title\u{7}c\r\u{8}d\te\n"), "abcd\te\n");
    }
}

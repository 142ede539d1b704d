// SPDX-License-Identifier: GPL-2.0
//! The words of a semantic patch, cut as spatch's own lexer cuts them as long as no script has begun.
//!
//! Where the two could cut differently, the words end and the place is reported: text that one takes for a comment or a
//! string and the other does not would hide what runs.

/// A word, a string, or a character of a semantic patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// A word or keyword.
    Word(&'a str),
    /// A string or character literal.
    Quoted,
    /// `#include` with the name of a file.
    Include,
    /// Any other character that is not blank.
    Mark(u8),
}

/// A [`Kind`] and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    /// Its line, from 1.
    pub(super) line: usize,
    /// What it is.
    pub(super) kind: Kind<'a>,
}

/// A place after which the words can not be told for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unclear {
    /// Its line, from 1.
    pub(super) line: usize,
    /// Why.
    pub(super) why: &'static str,
}

/// The words of `text` to its end, or to the first unclear place.
///
/// The signs that spatch takes off the start of a line (`-`, `+`, `*`, `?`) are left out: they may stand between any two
/// words, also those of a rule's header.
pub(super) fn words(text: &str) -> (Vec<Token<'_>>, Option<Unclear>) {
    let mut cutter = Cutter { text, at: 0, line: 1, tokens: Vec::new() };
    let mut unclear = None;
    while cutter.at < text.len() {
        if let Err(why) = cutter.step() {
            unclear = Some(Unclear { line: cutter.line, why });
            break;
        }
    }
    (cutter.tokens, unclear)
}

struct Cutter<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    tokens: Vec<Token<'a>>,
}

const OPENERS: &[&str] = &["\"", "'", "/*"];

impl<'a> Cutter<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// The rest of the line from `offset` bytes on.
    fn rest_of_line(&self, offset: usize) -> &'a str {
        let rest = self.text.get(self.at + offset..).unwrap_or_default();
        rest.split('\n').next().unwrap_or_default()
    }

    fn push(&mut self, kind: Kind<'a>) {
        self.tokens.push(Token { line: self.line, kind });
    }

    fn step(&mut self) -> Result<(), &'static str> {
        match self.rest() {
            [b'\n', ..] => {
                self.line += 1;
                self.at += 1;
            }
            [b'/', b'/', ..] => self.at += self.rest_of_line(0).len(),
            [b'/', b'*', ..] => self.comment()?,
            [quote @ (b'"' | b'\''), ..] => self.quoted(*quote)?,
            [b'#', b'#', ..] => self.at += 2,
            [b'#', ..] => self.directive()?,
            [a @ (b'-' | b'+'), b, c, ..] if a == b && b == c => self.file_line()?,
            [c, ..] if is_start(*c) => self.word(),
            [b'-' | b'+' | b'*' | b'?', ..] => self.at += 1,
            [c, ..] => {
                if !c.is_ascii_whitespace() && !matches!(c, 0x0b | b'0'..=b'9') {
                    self.push(Kind::Mark(*c));
                }
                self.at += 1;
            }
            [] => {}
        }
        Ok(())
    }

    fn word(&mut self) {
        let length = self.rest().iter().take_while(|c| is_start(**c) || c.is_ascii_digit()).count();
        let word = &self.text[self.at..self.at + length];
        self.push(Kind::Word(word));
        self.at += length;
    }

    fn comment(&mut self) -> Result<(), &'static str> {
        let inside = &self.text[self.at + 2..];
        let end = inside.find("*/").ok_or("a comment has no end")?;
        self.line += inside[..end].matches('\n').count();
        self.at += 2 + end + 2;
        Ok(())
    }

    /// A string, or a character, whose first one may be a quote itself.
    fn quoted(&mut self, quote: u8) -> Result<(), &'static str> {
        let mut bytes = self.rest().iter().enumerate().skip(1);
        let mut is_first = quote == b'\'';
        while let Some((index, byte)) = bytes.next() {
            match byte {
                b'\n' | b'\r' | 0x0b | 0x0c => break,
                b'\\' if bytes.next().is_none_or(|(_, escaped)| matches!(escaped, b'\n' | b'\r')) => break,
                _ if *byte == quote && !is_first => {
                    self.push(Kind::Quoted);
                    self.at += index + 1;
                    return Ok(());
                }
                _ => {}
            }
            is_first = false;
        }
        Err("a string goes on behind its line")
    }

    /// A line of the preprocessor. spatch skips the rest of most of them.
    fn directive(&mut self) -> Result<(), &'static str> {
        let line = self.rest_of_line(1);
        let word = line.trim_start_matches([' ', '\t']);
        let begin = 1 + line.len() - word.len();
        if let Some(name) = word.strip_prefix("include") {
            return self.include(begin + "include".len(), name);
        }
        if let Some(keyword) = ["define", "undef"].iter().find(|keyword| word.starts_with(**keyword)) {
            self.at += begin + keyword.len();
            return Ok(());
        }
        // spatch skips the lines of these alone; behind any other word it goes on reading.
        let name = word.split(|c: char| !c.is_ascii_alphabetic() && c != '!').next().unwrap_or_default();
        if !SKIPPED.contains(&name) {
            return Err("there is a # that begins no line of the preprocessor");
        }
        if OPENERS.iter().any(|opener| line.contains(opener)) {
            return Err("a line that begins with # has a quote or a comment in it");
        }
        self.at += 1 + line.len();
        Ok(())
    }

    fn include(&mut self, offset: usize, name: &str) -> Result<(), &'static str> {
        let trimmed = name.trim_start_matches([' ', '\t']);
        let begin = offset + name.len() - trimmed.len();
        let Some(close) = [("\"", '"'), ("<", '>')].iter().find(|(open, _)| trimmed.starts_with(open)) else {
            self.at += offset;
            return Ok(());
        };
        let end = trimmed[1..].find(close.1).ok_or("the name behind #include has no end")?;
        self.push(Kind::Include);
        self.at += begin + 1 + end + 1;
        Ok(())
    }

    /// `---` or `+++`: the head of a file for spatch, or operators.
    fn file_line(&mut self) -> Result<(), &'static str> {
        if OPENERS.iter().any(|opener| self.rest_of_line(3).contains(opener)) {
            return Err("there is a quote or a comment behind --- or +++");
        }
        self.at += 3;
        Ok(())
    }
}

/// The words behind # whose lines spatch skips.
const SKIPPED: &[&str] = &["if", "ifdef", "ifndef", "else", "elif", "endif", "error", "line", "pragma", "warning", "!"];

/// Whether a word may begin with `c`; spatch ends a number before a letter.
fn is_start(c: u8) -> bool {
    c.is_ascii_alphabetic() || matches!(c, b'_' | b'$')
}

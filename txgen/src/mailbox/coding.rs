// SPDX-License-Identifier: GPL-2.0
//! Bytes that stand for others in a mail: base64 and quoted-printable.

use std::borrow::Cow;

use anyhow::{Context, Result};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// How the bytes of a part stand for others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Plain,
    Quoted,
    Base64,
}

impl Coding {
    pub(super) fn parse(value: &str) -> Self {
        match value.trim().to_ascii_lowercase().as_str() {
            "quoted-printable" => Self::Quoted,
            "base64" => Self::Base64,
            _ => Self::Plain,
        }
    }

    pub(super) fn decode(self, body: &[u8]) -> Result<Cow<'_, [u8]>> {
        Ok(match self {
            Self::Plain => Cow::Borrowed(body),
            Self::Quoted => Cow::Owned(quoted(body)),
            Self::Base64 => Cow::Owned(base64_decoded(body).context("its base64 is broken")?),
        })
    }

    /// The body in the coding that it had, with the blank line before it.
    pub(super) fn encode(self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Plain => text.to_owned(),
            Self::Quoted => text.iter().fold(Vec::new(), |mut body, byte| {
                match byte {
                    b'\n' | b' '..=b'<' | b'>'..=b'~' => body.push(*byte),
                    byte => body.extend(format!("={byte:02X}").bytes()),
                }
                body
            }),
            Self::Base64 => {
                let code = ENGINE.encode(text);
                let lines = code.as_bytes().chunks(76).flat_map(|line| [line, b"\n"].concat());
                std::iter::once(b'\n').chain(lines).collect()
            }
        }
    }
}

/// Takes what mail programs write: with padding, or without.
pub(super) const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes base64 up to a line that is none, as a list adds some below it; `None` where it is broken.
pub(super) fn base64_decoded(code: &[u8]) -> Option<Vec<u8>> {
    let is_code = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let lines = code.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    ENGINE.decode(lines.take_while(|line| line.iter().all(is_code)).collect::<Vec<_>>().concat()).ok()
}

/// Decodes quoted-printable; what is no code stays.
pub(super) fn quoted(code: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::new();
    let mut at = 0;
    while let Some(byte) = code.get(at) {
        at += 1;
        let rest = code.get(at..).filter(|_| *byte == b'=').unwrap_or_default();
        match (digit(rest.first()), digit(rest.get(1)), soft_end(rest)) {
            (Some(high), Some(low), _) => {
                bytes.extend(u8::try_from(high * 16 + low).ok());
                at += 2;
            }
            (_, _, Some(end)) => at += end,
            _ => bytes.push(*byte),
        }
    }
    bytes
}

/// The length of the end of a line where nothing but spaces is before it.
fn soft_end(rest: &[u8]) -> Option<usize> {
    let end = rest.iter().position(|byte| *byte == b'\n' || !byte.is_ascii_whitespace())?;
    (rest[end] == b'\n').then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::quoted;

    #[test]
    fn codes_and_soft_ends_of_lines_are_decoded_and_all_else_stays() {
        for (code, text) in [
            (&b"a=C3=a9b"[..], &b"a\xc3\xa9b"[..]),
            (b"a=\nb= \t\r\nc", b"abc"),
            (b"a==\nb", b"a=b"),
            (b"1 = 2=", b"1 = 2="),
            (b"=G0=4", b"=G0=4"),
            (b"x =\n\n=", b"x \n="),
        ] {
            assert_eq!(quoted(code), text, "{}", code.escape_ascii());
        }
    }

    #[test]
    fn ten_times_the_code_takes_no_more_than_about_ten_times_as_long() {
        for part in ["a", "=", "=  ", "=41"] {
            let seconds = |count: usize| {
                let code = part.repeat(count);
                let start = Instant::now();
                assert!(!quoted(code.as_bytes()).is_empty());
                start.elapsed().as_secs_f64()
            };
            let (few, many) = (seconds(10_000), seconds(100_000));
            assert!(many < 20.0 * few + 0.5, "{part:?}: {few} s and {many} s");
        }
    }
}

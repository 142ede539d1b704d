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
        let rest = &code[at + 1..];
        let soft = rest.iter().position(|byte| *byte == b'\n').filter(|end| rest[..*end].trim_ascii().is_empty());
        match (byte, digit(rest.first()), digit(rest.get(1)), soft) {
            (b'=', Some(high), Some(low), _) => {
                bytes.extend(u8::try_from(high * 16 + low).ok());
                at += 3;
            }
            (b'=', _, _, Some(end)) => at += end + 2,
            _ => {
                bytes.push(*byte);
                at += 1;
            }
        }
    }
    bytes
}

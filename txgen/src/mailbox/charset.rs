// SPDX-License-Identifier: GPL-2.0
//! The only user of encoding_rs: text in the charset that a mail names, as UTF-8. Nothing is ever replaced.

use encoding_rs::Encoding;

/// Names that say nothing of what the bytes are: programs give them to UTF-8.
const VAGUE: &[&str] = &[
    "",
    "8bit",
    "ansi_x3.4-1968",
    "ascii",
    "binary",
    "default",
    "iso646-us",
    "none",
    "unknown",
    "unknown-8bit",
    "us",
    "us-ascii",
    "utf8",
    "utf-8",
    "x-unknown",
];

/// What some mail programs call a charset, and how browsers know it.
const ALIASES: &[(&str, &str)] = &[
    ("cp932", "shift_jis"),
    ("cp936", "gbk"),
    ("cp949", "euc-kr"),
    ("cp950", "big5"),
    ("cp51932", "euc-jp"),
    ("cp50220", "iso-2022-jp"),
    ("cp50221", "iso-2022-jp"),
    ("eucjp", "euc-jp"),
    ("euc-cn", "gb18030"),
    ("euckr", "euc-kr"),
    ("gb-18030", "gb18030"),
    ("iso-2022-jp-1", "iso-2022-jp"),
    ("iso-2022-jp-2", "iso-2022-jp"),
    ("iso-2022-jp-3", "iso-2022-jp"),
    ("iso-2022-jp-ms", "iso-2022-jp"),
    ("uhc", "euc-kr"),
    ("windows-936", "gbk"),
];

/// Whether text in this charset is as it is, if it is UTF-8 at all.
pub(super) fn is_vague(charset: &str) -> bool {
    VAGUE.contains(&charset.to_ascii_lowercase().as_str())
}

/// `bytes` as text; `None` where they are no text in that charset, or nobody knows it.
pub(super) fn decode(charset: &str, bytes: &[u8]) -> Option<String> {
    let name = charset.to_ascii_lowercase();
    if is_vague(&name) {
        return std::str::from_utf8(bytes).ok().map(str::to_owned);
    }
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name.as_str(), |(_, name)| name);
    let encoding = Encoding::for_label(name.as_bytes())?;
    encoding.decode_without_bom_handling_and_without_replacement(bytes).map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn text_is_decoded_under_every_name_that_mails_give_a_charset() {
        let same = |text: &str, names: &[(&str, &[u8])]| {
            for (name, bytes) in names {
                assert_eq!(decode(name, bytes).as_deref(), Some(text), "{name}");
            }
        };
        same(
            "中文",
            &[
                ("GB2312", b"\xd6\xd0\xce\xc4"),
                ("gbk", b"\xd6\xd0\xce\xc4"),
                ("gb18030", b"\xd6\xd0\xce\xc4"),
                ("CP936", b"\xd6\xd0\xce\xc4"),
                ("big5", b"\xa4\xa4\xa4\xe5"),
                ("us-ascii", "中文".as_bytes()),
                ("UTF-8", "中文".as_bytes()),
                ("unknown-8bit", "中文".as_bytes()),
            ],
        );
        same(
            "日本",
            &[
                ("iso-2022-jp", b"\x1b$BF|K\\\x1b(B"),
                ("ISO-2022-JP-MS", b"\x1b$BF|K\\\x1b(B"),
                ("euc-jp", b"\xc6\xfc\xcb\xdc"),
                ("shift_jis", b"\x93\xfa\x96\x7b"),
                ("cp932", b"\x93\xfa\x96\x7b"),
            ],
        );
        same("한", &[("euc-kr", b"\xc7\xd1"), ("ks_c_5601-1987", b"\xc7\xd1"), ("uhc", b"\xc7\xd1")]);
        same("Юрий", &[("koi8-r", b"\xe0\xd2\xc9\xca"), ("windows-1251", b"\xde\xf0\xe8\xe9")]);
        same(
            "Jérôme",
            &[("iso-8859-1", b"J\xe9r\xf4me"), ("latin1", b"J\xe9r\xf4me"), ("iso-8859-15", b"J\xe9r\xf4me")],
        );
    }

    #[test]
    fn what_is_no_text_in_its_charset_is_none() {
        for (name, bytes) in
            [("utf-8", &b"\xff"[..]), ("us-ascii", b"J\xe9"), ("gb2312", b"\xff\xff"), ("klingon", b"x\xe9")]
        {
            assert_eq!(decode(name, bytes), None, "{name}");
        }
    }
}

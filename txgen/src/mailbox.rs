// SPDX-License-Identifier: GPL-2.0
//! Mails as they lie about: an mbox, packed or not, a Maildir, a folder of files, a lone mail, standard input.
//!
//! The bytes of each mail come out as its sender wrote them: nothing is decoded here, but what a mailbox did to a mail
//! to store it (`>From `, carriage returns at the end of every line) is undone.

use std::cmp::Ordering;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

mod charset;
mod coding;
mod foreign;
mod headers;
mod split;
mod utf8;

pub use headers::{head, header, header_text};
pub use utf8::{Extent, in_utf8};

/// Unpacked mails that are larger are taken for a mistake, or for an attack.
const MOST_UNPACKED: u64 = 1 << 30;

/// How a folder's files are called that are read as mails.
const ENDINGS: &[&str] = &[".eml", ".patch", ".mbox", ".mbx", ".eml.gz", ".patch.gz", ".mbox.gz", ".mbx.gz"];

/// A mail as its sender wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawMail {
    /// Where it is from, for errors: `mail 3 of x.mbox`, or the name of its own file.
    pub place: String,
    /// Headers, a blank line and the body; the `From ` line of a mailbox is not part of it.
    pub bytes: Vec<u8>,
}

/// The mails of `source`, of which `-` is standard input; a source without any is an error.
pub fn read(source: &Path) -> Result<Vec<RawMail>> {
    let name = if source == Path::new("-") { "standard input".to_owned() } else { source.display().to_string() };
    let mails = match source {
        _ if source == Path::new("-") => of_bytes(bytes_of(std::io::stdin().lock(), &name)?, &name)?,
        _ if source.is_dir() => of_folder(source)?,
        _ if !source.exists() => bail!("there is no mailbox {name}"),
        _ => of_file(source)?,
    };
    if mails.is_empty() {
        bail!(
            "there is no mail in {name}: give an mbox (also .gz), a Maildir, a folder of .eml or .patch files, or a mail"
        );
    }
    Ok(mails)
}

fn of_file(file: &Path) -> Result<Vec<RawMail>> {
    let name = file.display().to_string();
    let opened = fs::File::open(file).with_context(|| format!("read {name}"))?;
    of_bytes(bytes_of(opened, &name)?, &name)
}

fn of_bytes(bytes: Vec<u8>, name: &str) -> Result<Vec<RawMail>> {
    let bytes = unpacked(bytes, name)?;
    Ok(match split::mails(&bytes) {
        split::Mails::Lone(mail) => vec![RawMail { place: name.to_owned(), bytes: mail }],
        split::Mails::Box(mails) => {
            let place = |index: usize| format!("mail {} of {name}", index + 1);
            mails.into_iter().enumerate().map(|(index, bytes)| RawMail { place: place(index), bytes }).collect()
        }
    })
}

fn bytes_of(mut from: impl Read, name: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).with_context(|| format!("read {name}"))?;
    Ok(bytes)
}

/// What is packed is known by its first bytes: archives serve it under any name.
fn unpacked(bytes: Vec<u8>, name: &str) -> Result<Vec<u8>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut text = Vec::new();
    let mut unpacker = flate2::read::MultiGzDecoder::new(bytes.as_slice()).take(MOST_UNPACKED + 1);
    unpacker.read_to_end(&mut text).with_context(|| format!("unpack {name}, which is gzipped"))?;
    if text.len() as u64 > MOST_UNPACKED {
        bail!("{name} unpacks to more than {} MiB: that is no mailbox", MOST_UNPACKED >> 20);
    }
    Ok(text)
}

/// A Maildir, or files that each hold a mail or a mailbox, in the order of their names.
fn of_folder(folder: &Path) -> Result<Vec<RawMail>> {
    let maildir = ["cur", "new"].map(|part| folder.join(part)).into_iter().filter(|part| part.is_dir());
    let maildir = maildir.collect::<Vec<_>>();
    let mut mails = Vec::new();
    for part in if maildir.is_empty() { vec![folder.to_owned()] } else { maildir.clone() } {
        for file in files_of(&part)? {
            let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            let is_mail = match maildir.is_empty() {
                true => ENDINGS.iter().any(|ending| name.ends_with(ending)),
                false => true,
            };
            if is_mail && !name.starts_with('.') {
                mails.extend(of_file(&file)?);
            }
        }
    }
    Ok(mails)
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = || format!("list {}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(list)? {
        let path = entry.with_context(list)?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort_by(|a, b| in_order(a.as_os_str().as_encoded_bytes(), b.as_os_str().as_encoded_bytes()));
    Ok(files)
}

/// Compares names as git does those of a Maildir: numbers in them by their value.
fn in_order(a: &[u8], b: &[u8]) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (number_left, number_right) = (digits(left), digits(right));
        let order = match (number_left, number_right) {
            (0, _) | (_, 0) => match (left.split_first(), right.split_first()) {
                (Some((x, more_left)), Some((y, more_right))) => {
                    (left, right) = (more_left, more_right);
                    x.cmp(y)
                }
                // Names that differ in zeros alone still have an order.
                _ => return left.len().cmp(&right.len()).then(a.cmp(b)),
            },
            _ => {
                let value = |digits: &[u8]| digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len());
                let (x, y) = (&left[..number_left], &right[..number_right]);
                let (x, y) = (&x[value(x)..], &y[value(y)..]);
                (left, right) = (&left[number_left..], &right[number_right..]);
                x.len().cmp(&y.len()).then(x.cmp(y))
            }
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    const MBOX: &str =
        "From x Thu Jan  1 00:00:00 1970\nSubject: 1\n\none\n\nFrom x Thu Jan  1 00:00:00 1970\nSubject: 2\n\ntwo\n";

    fn subjects(source: &Path) -> Vec<String> {
        let mails = read(source).unwrap();
        mails
            .iter()
            .map(|mail| String::from_utf8(mail.bytes.clone()).unwrap().lines().next().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_packed_mailbox_is_known_by_its_bytes_and_not_by_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(MBOX.as_bytes()).unwrap();
        let path = dir.path().join("t");
        fs::write(&path, gzip.finish().unwrap()).unwrap();
        assert_eq!(subjects(&path), ["Subject: 1", "Subject: 2"]);
        fs::write(&path, [0x1f, 0x8b, 8, 0]).unwrap();
        let error = format!("{:#}", read(&path).unwrap_err());
        assert!(error.starts_with(&format!("unpack {}, which is gzipped", path.display())), "{error}");
    }

    #[test]
    fn a_maildir_is_read_in_the_order_of_its_names_with_numbers_by_value() {
        let dir = tempfile::tempdir().unwrap();
        for part in ["cur", "new", "tmp"] {
            fs::create_dir(dir.path().join(part)).unwrap();
        }
        let mail = |name: &str, subject: &str| {
            fs::write(dir.path().join(name), format!("Subject: {subject}\n\n>From here\n")).unwrap();
        };
        mail("cur/1700000000.M10P1.host:2,S", "b");
        mail("cur/1700000000.M9P1.host:2,S", "a");
        mail("new/1600000000.M1P1.host", "c");
        mail("tmp/1600000000.M2P1.host", "not yet there");
        assert_eq!(subjects(dir.path()), ["Subject: a", "Subject: b", "Subject: c"]);
        assert!(read(dir.path()).unwrap()[0].bytes.ends_with(b"\n>From here\n"), "no mailbox wrote that");
    }

    #[test]
    fn a_folder_of_patches_is_read_in_order_and_what_is_no_mail_there_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("v2-10.patch", "Subject: 3\n\n"), ("v2-2.eml", MBOX), ("notes.txt", "x"), (".x.eml", "y")]
        {
            fs::write(dir.path().join(name), text).unwrap();
        }
        assert_eq!(subjects(dir.path()), ["Subject: 1", "Subject: 2", "Subject: 3"]);
    }

    #[test]
    fn a_source_without_a_mail_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let error = |path: &Path| read(path).unwrap_err().to_string();
        let text = dir.path().join("notes.txt");
        for bytes in ["", "\n\n", "nothing\nhere\n", "diff --git a/f b/f\n", "\u{feff}\n"] {
            fs::write(&text, bytes).unwrap();
            assert!(error(&text).starts_with(&format!("there is no mail in {}", text.display())), "{bytes:?}");
        }
        assert!(error(dir.path()).starts_with(&format!("there is no mail in {}", dir.path().display())));
        assert_eq!(error(&dir.path().join("x")), format!("there is no mailbox {}/x", dir.path().display()));
    }

    #[test]
    fn each_mail_tells_where_it_is_from() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.mbox");
        fs::write(&path, MBOX).unwrap();
        assert_eq!(read(&path).unwrap()[1].place, format!("mail 2 of {}", path.display()));
        fs::write(&path, "Subject: 1\n\n").unwrap();
        assert_eq!(read(&path).unwrap()[0].place, path.display().to_string());
    }
}

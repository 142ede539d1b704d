// SPDX-License-Identifier: GPL-2.0
//! Edits as the text of a .diff: as `git diff` writes it with its defaults, without the index lines.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use git2::{Diff, DiffOptions, Patch};

use super::Blob;

/// A file before an edit, and after it unless it goes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The file as it was.
    pub before: Blob,
    /// The file as it is.
    pub after: Option<Blob>,
}

/// Edits by path.
pub type Edits = BTreeMap<String, Edit>;

/// The text of a .diff that makes `edits`.
pub fn diff_text(edits: &Edits) -> Result<String> {
    let mut text = String::new();
    for (path, edit) in edits {
        text += &file_text(path, edit).with_context(|| format!("write the edits of {path}"))?;
    }
    Ok(text)
}

fn file_text(path: &str, edit: &Edit) -> Result<String> {
    let after = edit.after.as_ref().map_or(&b""[..], |blob| &blob.bytes);
    // Buffers have no repository: whatever a clone's attributes say, the text is the same.
    let mut options = DiffOptions::new();
    options.indent_heuristic(true);
    let name = Some(path.as_ref());
    let mut patch = Patch::from_buffers(&edit.before.bytes, name, after, name, Some(&mut options))?;
    let buffer = patch.to_buf()?;
    let text = std::str::from_utf8(&buffer).context("its text is no UTF-8: write a semantic patch instead")?;
    let gone = edit.after.is_none();
    let mut out = String::new();
    let mut in_header = true;
    for line in text.split_inclusive('\n') {
        in_header &= !line.starts_with("@@");
        match line {
            _ if in_header && line.starts_with("index ") => {}
            _ if in_header && gone && line.starts_with("diff --git ") => {
                out += line;
                out += "deleted file mode 100644\n";
            }
            _ if in_header && gone && line.starts_with("+++ ") => out += "+++ /dev/null\n",
            _ => out += line,
        }
    }
    Ok(out)
}

/// How two texts differ: hunks without any file header.
pub fn text_diff(old: &str, new: &str) -> Result<String> {
    let mut options = DiffOptions::new();
    options.indent_heuristic(true);
    let mut patch =
        Patch::from_buffers(old.as_bytes(), None, new.as_bytes(), None, Some(&mut options)).context("compare texts")?;
    let buffer = patch.to_buf().context("compare texts")?;
    let text = String::from_utf8_lossy(&buffer);
    Ok(text.find("@@").map_or_else(String::new, |at| text[at..].to_owned()))
}

/// The lines by which two files differ and those around them, without blanks; all of both where they have no lines.
pub(super) fn changed_lines(old: &[u8], new: &[u8]) -> Result<Vec<u8>> {
    let mut options = DiffOptions::new();
    options.indent_heuristic(true);
    let mut patch = Patch::from_buffers(old, None, new, None, Some(&mut options))?;
    let text = patch.to_buf()?;
    let hunks = text.split(|byte| *byte == b'\n').skip_while(|line| !line.starts_with(b"@@"));
    let lines = hunks.filter(|line| !line.starts_with(b"@@")).flatten().copied();
    let lines = lines.filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<_>>();
    Ok(if lines.is_empty() { [old, b"\0", new].concat() } else { lines })
}

/// What tells the change of a .diff apart wherever it is made: git's patch id.
pub fn patch_id(text: &str) -> Result<String> {
    let id = Diff::from_buffer(text.as_bytes()).and_then(|diff| diff.patchid(None)).context("compute a patch id")?;
    Ok(id.to_string())
}

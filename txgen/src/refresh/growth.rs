// SPDX-License-Identifier: GPL-2.0
//! New files that later commits change: where a commit leaves one in another form than kernel-overlay/ can give it.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};

use super::births::Born;
use crate::git::Blob;
use crate::git::history::Commit;
use crate::slice;

/// The first commit that leaves a new file in a form which is not its last one without what later commits add, as an
/// error that says where. `steps` are the forms after each of `branch`.
pub(super) fn first_misfit(
    path: &str,
    branch: &[Commit],
    steps: &[Option<Blob>],
    born: &Born,
) -> Option<anyhow::Error> {
    let last = steps.iter().rev().find_map(Option::as_ref)?;
    let forms = steps.iter().enumerate().zip(branch).skip(born.file?);
    forms.into_iter().find_map(|((index, blob), commit)| {
        let form = form_at(&last.bytes, &born.items, index);
        let is = blob.as_ref().map_or(&b""[..], |blob| &blob.bytes);
        (is != form).then(|| misfit(path, commit, is, &form))
    })
}

/// The last form of a file without the items that come after the commit at `index`.
fn form_at(last: &[u8], items: &[(usize, String)], index: usize) -> Vec<u8> {
    let later = items.iter().filter(|(birth, _)| *birth > index).map(|(_, name)| name.clone()).collect::<BTreeSet<_>>();
    let without =
        |text: &str| -> Result<String> { Ok(slice::slice(text)?.keep(|item| item.names.is_disjoint(&later))) };
    let text = std::str::from_utf8(last).ok().filter(|_| !later.is_empty());
    text.and_then(|text| without(text).ok()).map_or_else(|| last.to_vec(), String::into_bytes)
}

/// Says where a file of the branch is not what txgen would make of it.
pub(super) fn misfit(path: &str, commit: &Commit, branch: &[u8], ours: &[u8]) -> anyhow::Error {
    let [branch, ours] = [branch, ours].map(String::from_utf8_lossy);
    let same = branch.lines().zip(ours.lines()).take_while(|(a, b)| a == b).count();
    let line = |text: &str| text.lines().nth(same).map_or("has ended".to_owned(), |line| format!("has {line:?}"));
    anyhow!(
        "{path}:{}: in commit {} the file {}, and its last form without what later patches add {}: a new file is kept \
         in its last form alone. Squash the later change into the commit that adds these lines, or let it come there \
         with `--fold {path}`",
        same + 1,
        commit.display(),
        line(&branch),
        line(&ours)
    )
}

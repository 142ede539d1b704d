// SPDX-License-Identifier: GPL-2.0
//! What changed since the last posting, as git range-diff tells it; indented, so that no bot takes it for a patch.

use anyhow::Result;

use crate::check::source::Source;
use crate::series::history::{Posted, posting};

/// Lines that a cover letter can bear; of a longer range-diff it gets the list of patches.
const MOST_LINES: usize = 300;

/// A range-diff from a posting to the series as it is; `None` where the repository lacks the commits of the posting.
pub fn since(source: &Source<'_>, posted: &Posted) -> Result<Option<String>> {
    let (old, new) = (format!("{}..{}", posted.base, posted.commit), format!("{}..{}", source.base, source.tip));
    let name = posting(posted.version, posted.resend);
    for commit in [&posted.base, &posted.commit] {
        let found = source.git(["cat-file", "-e", &format!("{commit}^{{commit}}")]).output()?;
        if !found.status.success() {
            return Ok(None);
        }
    }
    let run = |more: &[&str]| -> Result<Vec<String>> {
        let run = source.git(["range-diff", "--no-color", "--creation-factor=60", "--no-notes"]);
        let text = run.args(more).args([&old, &new]).check()?.text();
        Ok(text.lines().map(|line| format!("  {}", line.trim_end()).trim_end().to_owned()).collect())
    };
    let full = run(&[])?;
    let lines = if full.len() > MOST_LINES { run(&["--no-patch"])? } else { full };
    Ok(Some(format!("Range-diff to {name}:\n\n{}", lines.join("\n"))))
}

/// Whether the series has other patches than were posted.
pub fn differs(source: &Source<'_>, posted: &Posted) -> Result<bool> {
    if posted.commit == source.tip {
        return Ok(false);
    }
    let (old, new) = (format!("{}..{}", posted.base, posted.commit), format!("{}..{}", source.base, source.tip));
    let run = source.git(["range-diff", "--no-color", "--no-patch", "--no-notes", &old, &new]);
    let text = run.check()?.text();
    // Each line is ` 1:  1234567 = 1:  89abcde subject`.
    Ok(text.lines().any(|line| line.split_whitespace().nth(2) != Some("=")))
}

// SPDX-License-Identifier: GPL-2.0
//! The user's hook sendemail-validate, for all mails of a series before the first one goes out.
//!
//! git send-email is given one mail after the other, and would run the hook for each as if it were the only one. The hook
//! may change what a mail says, as those that sign do; who gets it, and which mail it is, it may not.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{fields, settings};
use crate::files;
use crate::git::{Repo, program};
use crate::mail::Mail;
use crate::process::last_lines;
use crate::scratch::Scratch;

const NAME: &str = "sendemail-validate";

/// Headers that a hook leaves as they are, in lower case; the names of others that begin with `resent-`, too.
const FIXED: &[&str] = &["from", "to", "cc", "bcc", "message-id", "in-reply-to", "references"];

/// Lets the hook, where there is one, look at the mails, and takes what it made of them. It runs in the work tree `tree`
/// of the user's, which may be a linked one, or else in that of the repository.
pub fn run(cache: &Path, git_dir: &Path, tree: Option<&Path>, mails: &[Mail]) -> Result<Vec<Mail>> {
    let (git_dir, top) = &place(git_dir, tree)?;
    if !settings::read(git_dir)?.validates {
        return Ok(mails.to_vec());
    }
    let dir = Scratch::new(cache)?;
    let total = mails.len().to_string();
    let each = |(index, mail): (usize, &Mail)| {
        let counters = (index + 1).to_string();
        check(git_dir, top, dir.path(), mail, (&counters, &total))
    };
    mails.iter().enumerate().map(each).collect()
}

/// The git directory of a work tree, and the top of it.
fn place(git_dir: &Path, tree: Option<&Path>) -> Result<(PathBuf, PathBuf)> {
    let Some(tree) = tree else {
        let top = Repo::open(git_dir)?.work_tree().unwrap_or(git_dir).to_owned();
        return Ok((git_dir.to_owned(), top));
    };
    let ask = |option: &str| program::in_users_tree(tree).args(["rev-parse", option]).output();
    let own = ask("--absolute-git-dir")?;
    if !own.status.success() {
        bail!("find the git directory of {}: {}", tree.display(), own.errors().trim());
    }
    let own = PathBuf::from(own.text().trim_end_matches('\n'));
    let top = ask("--show-toplevel")?;
    // A bare repository has none.
    let top = if top.status.success() { PathBuf::from(top.text().trim_end_matches('\n')) } else { own.clone() };
    Ok((own, top))
}

fn check(git_dir: &Path, top: &Path, dir: &Path, mail: &Mail, (counter, total): (&str, &str)) -> Result<Mail> {
    let (path, headers) = (dir.join(&mail.file), dir.join("headers"));
    files::write_new(&path, mail.text.as_bytes())?;
    let block = mail.text.split_once("\n\n").map_or(mail.text.as_str(), |(block, _)| block);
    files::write_new(&headers, format!("{block}\n").as_bytes())?;
    let run = program::with_users_hooks(git_dir).dir(top).args(["hook", "run", "--ignore-missing", NAME, "--"]);
    let run = run.arg(&path).arg(&headers);
    let run = run.env("GIT_SENDEMAIL_FILE_COUNTER", counter).env("GIT_SENDEMAIL_FILE_TOTAL", total);
    let output = run.output()?;
    let said = output.text() + &output.errors();
    if !output.status.success() {
        bail!("{}: the hook {NAME} refused it, and no mail was sent: {}", mail.file, last_lines(said.trim(), 15));
    }
    crate::output::eprint!("{said}");
    let text = files::read(&path).with_context(|| format!("read what the hook {NAME} made of {}", mail.file))?;
    if let Some(name) = changed(&mail.text, &text) {
        bail!(
            "{}: the hook {NAME} changed the header `{name}`, and no mail was sent: who gets a mail, and which mail it is, \
             says the series",
            mail.file
        );
    }
    Ok(Mail { file: mail.file.clone(), text })
}

/// A header that differs and may not.
fn changed(before: &str, after: &str) -> Option<String> {
    let is_fixed = |key: &str| FIXED.contains(&key) || key.starts_with("resent-");
    let fixed = |text| {
        let all = fields::parse(text).into_iter().map(|field| (field.key(), field.value()));
        let mut fixed = all.filter(|(key, _)| is_fixed(key)).collect::<Vec<_>>();
        fixed.sort();
        fixed
    };
    let (before, after) = (fixed(before), fixed(after));
    let more = |these: &[(String, String)], those: &[(String, String)]| {
        let count =
            |all: &[(String, String)], field: &(String, String)| all.iter().filter(|other| **other == *field).count();
        these.iter().find(|field| count(these, field) > count(those, field)).map(|(key, _)| key.clone())
    };
    more(&after, &before).or_else(|| more(&before, &after))
}

#[cfg(test)]
mod tests {
    use super::changed;

    #[test]
    fn a_hook_adds_what_names_nobody() {
        let mail = "From: A <a@b.org>\nTo: c@b.org\nSubject: x\n\nBody\n";
        assert_eq!(changed(mail, &mail.replace("Body", "To: d@b.org")), None);
        assert_eq!(changed(mail, &mail.replace("Subject", "X-Signed: yes\nSubject")), None);
        for line in ["Cc: d@b.org", "bcc: d@b.org", "Resent-To: d@b.org", "Message-ID: <x>"] {
            let key = line.split(':').next().map(str::to_ascii_lowercase);
            assert_eq!(changed(mail, &mail.replace("Subject", &format!("{line}\nSubject"))), key);
        }
        assert_eq!(changed(mail, &mail.replace("To: c@b.org\n", "")), Some("to".to_owned()));
        assert!(changed(mail, &mail.replace("To: c@b.org\n", "To: c@b.org\nTo: c@b.org\n")).is_some());
    }
}

// SPDX-License-Identifier: GPL-2.0
//! What git's configuration may say of sending: through which server the mails go, and whether the user's hook looks at
//! them. Who gets a mail, and what it says, is in the mail alone.
//!
//! git reads the settings of an identity (sendemail.NAME.*) before those of sendemail.*, and the first counts. So mails
//! go out with an identity of txgen's own, which has the server of the user's and nothing else. That works where no
//! option does: sendemail.suppressCc of the user's configuration can be added to, but not taken back.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::git::program;
use crate::process::Run;

/// The identity of txgen's own.
const IDENTITY: &str = "txgen-outgoing";

/// Settings that say through which server a mail goes; those that begin with `smtp` do so, too.
const SERVER: &[&str] = &["envelopesender", "forbidsendmailvariables", "sendmailcmd", "xmailer"];

/// What an identity says of people and commands, where no option does in every version of git.
const NOBODY: &[&str] = &["suppresscc", "headercmd=", "aliasfiletype=none", "mailmap=false"];

/// Options for mails that say themselves who gets them; nobody is asked for anything.
const OPTIONS: &[&str] = &[
    "send-email",
    "--no-format-patch",
    "--no-validate",
    "--confirm=never",
    "--no-annotate",
    "--no-thread",
    "--no-chain-reply-to",
    // An address is asked for unless a command may name one.
    "--no-to",
    "--to-cmd=true",
    "--no-cc",
    "--no-bcc",
    "--no-to-cover",
    "--no-cc-cover",
    "--suppress-cc=author",
    "--suppress-cc=body",
    "--suppress-cc=cccmd",
    "--no-signed-off-by-cc",
    "--suppress-from",
    "--transfer-encoding=auto",
    "--8bit-encoding=UTF-8",
];

/// What the user's configuration says of sending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Names and values of the server's settings that the user's identity has.
    server: Vec<(String, String)>,
    /// The hook sendemail-validate is to look at mails.
    pub validates: bool,
}

/// Reads the user's configuration.
pub fn read(git_dir: &Path) -> Result<Settings> {
    let run = program::with_users_settings(git_dir).args(["config", "--null", "--get-regexp", "^sendemail\\."]);
    let output = run.output()?;
    match output.status.code() {
        Some(0) => parse(&String::from_utf8(output.stdout).context("git's settings sendemail.* are no UTF-8")?),
        Some(1) => parse(""),
        _ => bail!("read git's settings sendemail.*: {}", output.errors().trim()),
    }
}

/// Refuses a setting that git calls true, as it has no value, where a word is needed.
fn refuse_empty(text: &str) -> Result<()> {
    for key in text.split_terminator('\0').filter(|entry| !entry.contains('\n')) {
        let last = key.rsplit('.').next().unwrap_or(key);
        let is_flag = ["forbidsendmailvariables", "xmailer"].contains(&last);
        if key == "sendemail.identity" || last.starts_with("smtp") || (SERVER.contains(&last) && !is_flag) {
            bail!("git's setting {key} has no value: give it one, or take it out with `git config --unset {key}`");
        }
    }
    Ok(())
}

/// Parses keys and values as `git config --null` prints them: a key without a value is true.
fn parse(text: &str) -> Result<Settings> {
    refuse_empty(text)?;
    let all = text.split_terminator('\0').map(|entry| entry.split_once('\n').unwrap_or((entry, "true")));
    let all = all.collect::<Vec<_>>();
    let last = |key: &str| all.iter().rev().find(|(known, _)| *known == key).map(|(_, value)| *value);
    let identity = last("sendemail.identity").map(|name| format!("sendemail.{name}."));
    let own = |key: &'_ str| identity.as_ref().and_then(|prefix| key.strip_prefix(prefix.as_str())).map(str::to_owned);
    let is_server = |key: &str| key.starts_with("smtp") || SERVER.contains(&key);
    let server = all.iter().filter_map(|(key, value)| Some((own(key)?, (*value).to_owned())));
    let validates = identity.as_ref().and_then(|prefix| last(&format!("{prefix}validate")));
    Ok(Settings {
        server: server.filter(|(key, _)| is_server(key)).collect(),
        validates: validates.or_else(|| last("sendemail.validate")).is_none_or(is_true),
    })
}

/// Whether git takes a value for true.
fn is_true(value: &str) -> bool {
    !["", "0", "false", "no", "off"].contains(&value.to_ascii_lowercase().as_str())
}

impl Settings {
    /// git send-email for mails of `sender`, through the user's server.
    pub fn send_email(&self, git_dir: &Path, sender: &str) -> Run {
        let mut git = program::with_users_hooks(git_dir);
        for setting in NOBODY {
            git = git.args(["-c".to_owned(), format!("sendemail.{IDENTITY}.{setting}")]);
        }
        // Not on the command line, which everyone on the machine can read: there may be a password among them.
        for (number, (key, value)) in self.server.iter().enumerate() {
            git = git.env(format!("GIT_CONFIG_KEY_{number}"), format!("sendemail.{IDENTITY}.{key}"));
            git = git.env(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        if !self.server.is_empty() {
            git = git.env("GIT_CONFIG_COUNT", self.server.len().to_string());
        }
        git.args(OPTIONS).args([format!("--identity={IDENTITY}"), format!("--from={sender}")])
    }
}

#[cfg(test)]
mod tests {
    use super::{Settings, parse};

    #[test]
    fn the_server_of_the_identity_is_taken_over_and_nothing_else() {
        let text = "sendemail.identity\nwork\0sendemail.smtpserver\na\0sendemail.work.smtpserver\nb\0\
            sendemail.work.smtpserveroption\n-x\0sendemail.work.smtpserveroption\n-y\0sendemail.work.bcc\nc@d.org\0\
            sendemail.other.smtpuser\nu\0sendemail.work.xmailer\0";
        let server = [("smtpserver", "b"), ("smtpserveroption", "-x"), ("smtpserveroption", "-y"), ("xmailer", "true")];
        let server = server.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        assert_eq!(parse(text).expect("it is good"), Settings { server, validates: true });
    }

    #[test]
    fn a_server_without_a_value_is_none() {
        for text in ["sendemail.identity\nwork\0sendemail.work.smtpserver\0", "sendemail.identity\0"] {
            let what = parse(text).expect_err("a value is missing").to_string();
            assert!(what.contains("has no value"), "{what}");
        }
    }

    #[test]
    fn the_identity_says_first_whether_the_hook_runs() {
        let validates = |text: &str| parse(text).expect("it is good").validates;
        assert!(validates(""));
        assert!(!validates("sendemail.validate\nOff\0"));
        assert!(validates("sendemail.validate\nfalse\0sendemail.identity\nw\0sendemail.w.validate\0"));
        assert!(!validates("sendemail.validate\ntrue\0sendemail.identity\nw\0sendemail.w.validate\nno\0"));
    }
}

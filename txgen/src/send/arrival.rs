// SPDX-License-Identifier: GPL-2.0
//! What git send-email says it would send, held against the mails: nobody else gets them, nobody is left out, and no
//! header is lost. What is wrong is found before the first mail is out, whatever a version of git or a setting does.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::fields::{self, Field};
use super::mailer::PLANNED;
use crate::git::Identity;
use crate::mail::Mail;

/// Headers that git send-email writes itself: the time of sending, and how the text is encoded.
const OWN: &[&str] = &["date", "content-transfer-encoding"];

/// Options of programs that send which take no value.
const ALONE: &[&str] = &["-i", "-t", "-n", "-v", "-oi", "-oem", "-om", "--"];

/// Refuses a sender whose name git send-email writes otherwise than the mails do: it would then take the sender for
/// somebody else, and name the author once more in the text.
pub fn refuse_sender(sender: &Identity) -> Result<()> {
    if sender.name.contains(['"', '\\']) {
        bail!(
            "git send-email would change the mails of `{}`: set a name without quotes and backslashes with \
             `git config user.name`",
            sender.name
        );
    }
    Ok(())
}

/// Compares the output of a dry run with the mails it was about.
pub fn check(output: &str, mails: &[Mail]) -> Result<()> {
    let logs = output.split(PLANNED).skip(1).collect::<Vec<_>>();
    if logs.len() != mails.len() {
        bail!("git send-email would send {} of {} mails: no mail was sent", logs.len(), mails.len());
    }
    for (log, mail) in logs.into_iter().zip(mails) {
        if let Some(what) = difference(log, &mail.text) {
            bail!("{}: git send-email would not send it as it is, and no mail was sent: {what}", mail.file);
        }
    }
    Ok(())
}

fn difference(log: &str, text: &str) -> Option<String> {
    let wanted = fields::parse(text);
    let people = recipients(&wanted);
    let planned = planned(log);
    if let Some(who) = named_by_settings(log).next() {
        return Some(format!(
            "{who} would get it, whom git's settings sendemail.smtpServerOption, sendmailCmd or smtpServer name: take \
             the address out of them"
        ));
    }
    if let Some(who) = planned.difference(&people).next() {
        return Some(format!("{who} would get it, whom it does not name (see git's settings sendemail.*)"));
    }
    if let Some(who) = people.difference(&planned).next() {
        return Some(format!("{who} would not get it, whom it names (see git's settings sendemail.*)"));
    }
    let start = log.find("\nFrom: ").map_or(0, |start| start + 1);
    let headers = fields::parse(&log[start..]);
    let is_there = |field: &Field<'_>| headers.iter().any(|other| is_same(field, other));
    let lost = wanted.iter().find(|field| !OWN.contains(&field.key().as_str()) && !is_there(field));
    lost.map(|field| format!("its header `{}` would be lost or changed", field.name))
}

/// The addresses that a mail names.
fn recipients(fields: &[Field<'_>]) -> BTreeSet<String> {
    let all = ["to", "cc"].iter().flat_map(|key| fields::addresses(fields, key));
    // git takes addresses that differ in case for those of one person.
    all.map(|who| who.to_ascii_lowercase()).collect()
}

/// The addresses that the server, or the program that sends, would be told.
fn planned(log: &str) -> BTreeSet<String> {
    let headers = log.find("\nFrom: ").unwrap_or(log.len());
    let mut all = BTreeSet::new();
    for line in log[..headers].lines() {
        if let Some(address) = line.strip_prefix("RCPT TO:<") {
            all.insert(address.trim_end_matches('>').to_ascii_lowercase());
        } else if let Some((_, people)) = program(line) {
            all.extend(people.split_whitespace().map(str::to_ascii_lowercase));
        }
    }
    all
}

/// The program that sends with its options, and the people that git names to it.
fn program(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("Sendmail: ")?.rsplit_once(" -i ")
}

/// Addresses among the words of the program that sends: it takes each that is no option's value for a recipient.
fn named_by_settings(log: &str) -> impl Iterator<Item = &str> {
    let headers = log.find("\nFrom: ").unwrap_or(log.len());
    log[..headers].lines().filter_map(program).flat_map(|(command, _)| {
        let words = command.split_whitespace().collect::<Vec<_>>();
        let is_value = |at: usize| at > 0 && words[at - 1].starts_with('-') && !ALONE.contains(&words[at - 1]);
        let is_person = |at: usize| words[at].contains('@') && !words[at].starts_with(['-', '/', '~']);
        let named = (0..words.len()).filter(|at| is_person(*at) && !is_value(*at)).map(|at| words[at]);
        named.collect::<Vec<_>>()
    })
}

/// The headers say the same; how names are quoted is git's business.
fn is_same(one: &Field<'_>, other: &Field<'_>) -> bool {
    let key = one.key();
    let people = |field: &Field<'_>| {
        let all = fields::addresses(std::slice::from_ref(field), &key);
        all.into_iter().map(|who| who.to_ascii_lowercase()).collect::<BTreeSet<_>>()
    };
    key == other.key()
        && match key.as_str() {
            "from" | "to" | "cc" => people(one) == people(other),
            _ => one.value() == other.value(),
        }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::mail::Mail;

    const TEXT: &str = "From: A <a@b.org>\nDate: then\nTo: B. C <b@b.org>\nX-B4-Tracking: v=1;\n b=x\n\nBody\n";
    const LOG: &str = "x.patch\nDry-OK. Log says:\nServer: s\nMAIL FROM:<a@b.org>\nRCPT TO:<b@b.org>\n\
        From: A <a@b.org>\nTo: \"B. C\" <b@b.org>\nDate: now\nX-B4-Tracking: v=1; b=x\n\nResult: OK\n";

    fn wrong(log: &str) -> String {
        let mail = Mail { file: "x.patch".to_owned(), text: TEXT.to_owned() };
        check(log, &[mail]).expect_err("it is wrong").to_string()
    }

    #[test]
    fn the_plan_of_git_is_held_against_the_mail() {
        let mail = Mail { file: "x.patch".to_owned(), text: TEXT.to_owned() };
        check(LOG, std::slice::from_ref(&mail)).expect("it is the same");
        let sendmail =
            LOG.replace("Server: s\nMAIL FROM:<a@b.org>\nRCPT TO:<b@b.org>", "Sendmail: m -f a@b.org -i b@b.org");
        check(&sendmail, std::slice::from_ref(&mail)).expect("it is the same");
        assert!(wrong(&LOG.replace("RCPT", "RCPT TO:<c@b.org>\nRCPT")).contains("c@b.org would get it"));
        assert!(wrong(&sendmail.replace("-i", "-i c@b.org")).contains("c@b.org would get it"));
        for (added, whom) in [("boss@b.org -f", "boss@b.org"), ("-f a@b.org -t boss@b.org -x", "boss@b.org")] {
            let what = wrong(&sendmail.replacen("-f", added, 1));
            assert!(what.contains(&format!("{whom} would get it")) && what.contains("sendmailCmd"), "{what}");
        }
        for command in ["m -a x@b.org", "/home/a@b.org/m --user=x@b.org", "m -oi"] {
            let log = sendmail.replace("Sendmail: m", &format!("Sendmail: {command}"));
            check(&log, std::slice::from_ref(&mail)).expect(command);
        }
        check(&LOG.replace("RCPT TO:<b@b.org>", "RCPT TO:<B@b.Org>"), std::slice::from_ref(&mail)).expect("one person");
        assert!(wrong(&LOG.replace("RCPT TO:<b@b.org>\n", "")).contains("b@b.org would not get it"));
        assert!(wrong(&LOG.replace("X-B4", "X-B5")).contains("header `X-B4-Tracking`"));
        assert!(wrong("x.patch\n").contains("would send 0 of 1 mails"));
    }
}

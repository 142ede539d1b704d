// SPDX-License-Identifier: GPL-2.0
//! The trailers that people gave in answers to a series.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::mail::header;
use crate::mail::posting::is_about_code;
use crate::trailers::mailbox::Letter;

/// The trailers that are collected.
const COLLECTED: &[&str] = &["Reported-by", "Tested-by", "Reviewed-by", "Acked-by"];

/// A patch as it was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Its name.
    pub patch: String,
    /// Its patch id then.
    pub patch_id: Option<String>,
}

/// What an answer to a mail is about, by the id of that mail: one patch, or all of a cover letter.
pub type Targets = BTreeMap<String, Vec<Posted>>;

/// A trailer that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The patch it is for.
    pub patch: String,
    /// The whole line.
    pub trailer: String,
    /// A `Closes:` line that goes with it.
    pub closes: Option<String>,
    /// The mail that gave it.
    pub message_id: String,
    /// Who sent that mail.
    pub from: String,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a trailer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is taken.
    Taken,
    /// Somebody else sent it than it names.
    OtherSender,
    /// The code is another since.
    OldCode,
}

/// All trailers that `letters` give to the patches whose ids are `now`; somebody else's are taken where `sloppy`.
pub fn collect(letters: &[Letter], targets: &Targets, now: &BTreeMap<String, String>, sloppy: bool) -> Vec<Found> {
    let by_id = letters.iter().map(|letter| (letter.id.as_str(), letter)).collect::<BTreeMap<_, _>>();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for letter in letters.iter().filter(|letter| !targets.contains_key(&letter.id)) {
        let Some(about) = about(letter, targets, &by_id) else { continue };
        for (trailer, closes) in given(letter) {
            let (name, who) = trailer.split_once(": ").expect("given() makes `Name: value`");
            let own = header::address(who).eq_ignore_ascii_case(&letter.address);
            for posted in about.iter().filter(|posted| now.contains_key(&posted.patch)) {
                let same = posted.patch_id.as_ref() == now.get(&posted.patch);
                let fate = match (own || sloppy, same || !is_about_code(name)) {
                    (false, _) => Fate::OtherSender,
                    (true, false) => Fate::OldCode,
                    (true, true) => Fate::Taken,
                };
                if seen.insert((posted.patch.clone(), trailer.to_ascii_lowercase())) {
                    found.push(Found {
                        patch: posted.patch.clone(),
                        trailer: trailer.clone(),
                        closes: closes.clone(),
                        message_id: letter.id.clone(),
                        from: format!("{} <{}>", letter.name, letter.address).trim().to_owned(),
                        fate,
                    });
                }
            }
        }
    }
    found
}

/// What a mail is about: that of the nearest mail it answers, through the mails in between where they are here.
fn about<'a>(letter: &Letter, targets: &'a Targets, by_id: &BTreeMap<&str, &Letter>) -> Option<&'a [Posted]> {
    let mut left = letter.answers.iter().rev().map(String::as_str).collect::<Vec<_>>();
    let mut seen = BTreeSet::new();
    while let Some(id) = left.pop() {
        if let Some(about) = targets.get(id) {
            return Some(about);
        }
        if seen.insert(id)
            && let Some(parent) = by_id.get(id)
        {
            left.extend(parent.answers.iter().rev().map(String::as_str));
        }
    }
    None
}

/// The trailers in what a mail says itself, and the `Closes:` below each.
fn given(letter: &Letter) -> Vec<(String, Option<String>)> {
    let ends = |line: &&str| *line == "-- " || line.starts_with("diff --git ") || line.starts_with("-----Original ");
    let lines = letter.text.lines().take_while(|line| !ends(line)).collect::<Vec<_>>();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let Some(name) = COLLECTED.iter().find(|known| known.eq_ignore_ascii_case(name)) else { continue };
        // Some programs fold a long line before the address.
        let folded = lines.get(index + 1).filter(|next| !value.contains('@') && next.trim_start().starts_with('<'));
        let value = format!("{} {}", value.trim(), folded.map_or("", |next| next.trim()));
        let value = value.trim();
        if !header::is_recipient(value) {
            continue;
        }
        let next = lines.get(index + 1 + usize::from(folded.is_some()));
        let closes = next.and_then(|line| line.strip_prefix("Closes: ")).map(str::trim);
        let closes = closes.filter(|link| link.starts_with("http") && !link.contains(char::is_whitespace));
        let closes = (*name == "Reported-by").then(|| {
            let archived = || format!("https://lore.kernel.org/r/{}", letter.id);
            format!("Closes: {}", closes.map_or_else(archived, str::to_owned))
        });
        found.push((format!("{name}: {value}"), closes));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Letter, given};

    fn trailers(text: &str) -> Vec<String> {
        let [id, name, address] = ["1@x.org", "B", "b@x.org"].map(str::to_owned);
        let letter = Letter { id, answers: vec![], name, address, text: text.to_owned() };
        given(&letter).into_iter().map(|(trailer, _)| trailer).collect()
    }

    #[test]
    fn only_what_the_sender_says_is_given() {
        assert_eq!(trailers("Good.\nreviewed-by: B <b@x.org>\n"), ["Reviewed-by: B <b@x.org>"]);
        assert_eq!(trailers("Tested-by: A Long Name\n <b@x.org>\n"), ["Tested-by: A Long Name <b@x.org>"]);
        let none = [
            "> Reviewed-by: C <c@x.org>\n",
            ">> Acked-by: C <c@x.org>\n",
            "  Acked-by: C <c@x.org>\n",
            "I would say Reviewed-by: B <b@x.org> if it were tested\n",
            "-- \nAcked-by: B <b@x.org>\n",
            "-----Original Message-----\nAcked-by: C <c@x.org>\n",
            "Acked-by: $(id) <b@x.org;reboot>\n",
            "Acked-by: B <b@x.org> <c@x.org>\n",
            "Acked-by: nobody\n",
            "Signed-off-by: B <b@x.org>\n",
        ];
        for text in none {
            assert_eq!(trailers(text), [""; 0], "{text}");
        }
    }
}

// SPDX-License-Identifier: GPL-2.0
//! The trailers that people gave in answers to a series.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::check::trailers;
use crate::mail::header;
use crate::mail::posting::is_about_code;
use crate::series::Series;
use crate::trailers::given::{self, Given, Trailer};
use crate::trailers::mailbox::Letter;
use crate::trailers::thread::Thread;

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

/// The trailers that the messages of a series have: the lines, by patch and [`given::key`].
pub type Present = BTreeMap<(String, String), String>;

/// A trailer that was found, or a line that looks like one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The patch it is for.
    pub patch: String,
    /// The whole line: as the message has it, or is to have it, or as it was written where it can not be taken.
    pub trailer: String,
    /// A `Closes:` line that goes with it.
    pub closes: Option<String>,
    /// A line in `[]` that goes with it.
    pub note: Option<String>,
    /// The line as the mail has it, where that is another.
    pub written: Option<String>,
    /// The mail that gave it.
    pub message_id: String,
    /// Who sent that mail.
    pub from: String,
    /// What becomes of it.
    pub fate: Fate,
    /// Whether the message has it already.
    pub present: bool,
    /// Why it is not taken.
    pub why: Option<String>,
}

impl Found {
    /// Whether somebody has to look at it.
    pub fn is_left(&self) -> bool {
        self.fate != Fate::Taken && !self.present
    }
}

/// What becomes of a trailer, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is taken.
    Taken,
    /// The code is another since.
    OldCode,
    /// Somebody else sent it than it names.
    OtherSender,
    /// The patch is not in the series any more.
    NoPatch,
    /// It has no form in which it can be taken.
    NoTrailer,
}

/// The trailers that the messages of `series` have.
pub fn present(series: &Series) -> Present {
    let mut present = Present::new();
    for patch in &series.patches {
        for (name, value) in trailers::in_message(&patch.message.body) {
            let key = (patch.name.clone(), given::key(name, value));
            present.entry(key).or_insert_with(|| format!("{name}: {value}"));
        }
    }
    present
}

/// All trailers that `letters` give to the patches whose ids are `now`; somebody else's are taken where `sloppy`. Where
/// several mails give the same, the one counts with which it fares best.
pub fn collect(
    letters: &[Letter],
    targets: &Targets,
    now: &BTreeMap<String, String>,
    present: &Present,
    sloppy: bool,
) -> Vec<Found> {
    let thread = Thread::new(letters, targets);
    let mut all = All { now, present, sloppy, found: Vec::new(), places: BTreeMap::new() };
    for letter in letters.iter().filter(|letter| !targets.contains_key(&letter.id)) {
        let Some(about) = thread.about(letter) else { continue };
        // A cover letter's answers are for those patches that there are.
        let here = about.iter().filter(|posted| about.len() == 1 || now.contains_key(&posted.patch));
        let here = here.collect::<Vec<_>>();
        for given in given::find(&letter.text).into_iter().chain(given::find_attached(&letter.attached)) {
            here.iter().for_each(|posted| all.add(letter, posted, &given));
        }
    }
    all.ended()
}

/// The answers that have no text, as those in HTML alone.
pub fn without_text<'a>(letters: &'a [Letter], targets: &Targets) -> Vec<&'a Letter> {
    let is_empty = |letter: &&Letter| letter.text.trim().is_empty() && !targets.contains_key(&letter.id);
    if !letters.iter().any(|letter| is_empty(&letter)) {
        return Vec::new();
    }
    let thread = Thread::new(letters, targets);
    letters.iter().filter(is_empty).filter(|letter| thread.about(letter).is_some()).collect()
}

/// What was found so far.
struct All<'a> {
    now: &'a BTreeMap<String, String>,
    present: &'a Present,
    sloppy: bool,
    /// What was found, each with the keys of the trailers that would stand for it.
    found: Vec<(Found, Vec<String>)>,
    /// Where in `found` something is, by patch, key and link.
    places: BTreeMap<(String, String, Option<String>), usize>,
}

impl All<'_> {
    fn add(&mut self, letter: &Letter, posted: &Posted, given: &Given) {
        let link = |name: &str| given.closes.clone().filter(|_| name == "Reported-by");
        match &given.trailers {
            Ok(trailers) => {
                for trailer in trailers {
                    let key = given::key(trailer.name, &trailer.person);
                    let found = self.trailer(letter, posted, given, trailer, &key);
                    self.put(found, link(trailer.name), vec![key]);
                }
            }
            Err(why) => {
                let keys = keys(letter, given);
                let (patch, trailer) = (posted.patch.clone(), given.written.clone());
                let mut found = found(letter, patch, trailer, Fate::NoTrailer);
                found.why = Some(why.clone());
                self.put(found, None, keys);
            }
        }
    }

    fn trailer(&self, letter: &Letter, posted: &Posted, given: &Given, trailer: &Trailer, key: &str) -> Found {
        let own = self.sloppy || header::address(&trailer.person).eq_ignore_ascii_case(&letter.address);
        let now = self.now.get(&posted.patch);
        let same = posted.patch_id.as_ref() == now || !is_about_code(trailer.name);
        let from = sender(letter);
        let (fate, why) = match (now, own, same) {
            (None, ..) => (Fate::NoPatch, Some("the patch is not in the series any more".to_owned())),
            (_, false, _) => (Fate::OtherSender, Some(format!("{from} sent it (--sloppy-trailers)"))),
            (_, _, false) => (Fate::OldCode, Some("the code changed since".to_owned())),
            _ => (Fate::Taken, None),
        };
        let line = self.present.get(&(posted.patch.clone(), key.to_owned()));
        let closes = match (trailer.name, &given.closes) {
            ("Reported-by", Some(link)) => Some(format!("Closes: {link}")),
            ("Reported-by", None) if line.is_none() && letter.id.chars().all(|c| c.is_ascii_graphic()) => {
                Some(format!("Closes: https://lore.kernel.org/r/{}", letter.id))
            }
            _ => None,
        };
        let linked = |closes: &String| {
            let key = closes.split_once(": ").map(|(name, link)| given::key(name, link)).unwrap_or_default();
            self.present.contains_key(&(posted.patch.clone(), key))
        };
        let present = line.is_some() && closes.as_ref().is_none_or(linked);
        let line = line.cloned().unwrap_or_else(|| trailer.line());
        let written = Some(given.written.clone()).filter(|written| *written != line && given.kinds.len() == 1);
        let note = given.note.clone();
        Found { closes, note, written, present, why, ..found(letter, posted.patch.clone(), line, fate) }
    }

    /// Keeps what was found, where it is the first of its kind or fares better than that.
    fn put(&mut self, found: Found, link: Option<String>, keys: Vec<String>) {
        let name = if found.fate == Fate::NoTrailer { found.trailer.to_lowercase() } else { keys.concat() };
        let place = *self.places.entry((found.patch.clone(), name, link)).or_insert(self.found.len());
        match self.found.get_mut(place) {
            None => self.found.push((found, keys)),
            Some(old) if found.fate < old.0.fate => *old = (found, keys),
            Some(_) => {}
        }
    }

    /// What was found. What could not be taken counts as there where the message has it, or gets it by another mail.
    fn ended(self) -> Vec<Found> {
        let Self { found, present, .. } = self;
        let taken = found.iter().filter(|(found, _)| found.fate == Fate::Taken);
        let taken = taken.flat_map(|(found, keys)| keys.iter().map(|key| (found.patch.clone(), key.clone())));
        let taken = taken.collect::<BTreeSet<_>>();
        let ended = |(mut found, keys): (Found, Vec<String>)| {
            if found.fate == Fate::NoTrailer {
                let mut keys = keys.into_iter().map(|key| (found.patch.clone(), key));
                found.present = keys.all(|key| present.contains_key(&key) || taken.contains(&key));
            }
            found
        };
        found.into_iter().map(ended).collect()
    }
}

/// The keys of the trailers that would stand for a line that is none: of those whom it names, or else of who sent it.
fn keys(letter: &Letter, given: &Given) -> Vec<String> {
    if given.kinds.is_empty() {
        return vec![given::key(&given.name, &given.value)];
    }
    let mut people = given::addresses(&given.value).collect::<Vec<_>>();
    if people.is_empty() {
        people.push(&letter.address);
    }
    let of = |kind: &&str| people.iter().map(|person| given::key(kind, person)).collect::<Vec<_>>();
    given.kinds.iter().flat_map(of).collect()
}

fn sender(letter: &Letter) -> String {
    format!("{} <{}>", letter.name, letter.address).trim().to_owned()
}

fn found(letter: &Letter, patch: String, trailer: String, fate: Fate) -> Found {
    let (message_id, from) = (letter.id.clone(), sender(letter));
    Found { patch, trailer, closes: None, note: None, written: None, message_id, from, fate, present: false, why: None }
}

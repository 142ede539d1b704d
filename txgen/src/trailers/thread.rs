// SPDX-License-Identifier: GPL-2.0
//! What each mail of a thread is about: that of the nearest mail it answers, through the mails in between.
//!
//! Each mail is looked at once, whatever the thread is like: 10,000 answers in a row, or in a circle.

use std::collections::HashMap;

use super::collect::{Posted, Targets};
use super::mailbox::Letter;

/// What mails are about, by their ids.
#[derive(Debug)]
pub struct Thread<'a> {
    about: HashMap<&'a str, Option<&'a [Posted]>>,
    /// How many ids were looked at.
    steps: usize,
}

impl<'a> Thread<'a> {
    /// The thread of `letters`, some of which answer a mail of `targets`.
    pub fn new(letters: &'a [Letter], targets: &'a Targets) -> Self {
        let by_id = letters.iter().map(|letter| (letter.id.as_str(), letter)).collect::<HashMap<_, _>>();
        let mut thread = Self { about: HashMap::with_capacity(letters.len()), steps: 0 };
        for letter in letters {
            thread.follow(letter, targets, &by_id);
        }
        thread.close_circles(letters);
        thread
    }

    /// What a mail is about, if it answers a mail of the targets at all.
    pub fn about(&self, letter: &Letter) -> Option<&'a [Posted]> {
        self.about.get(letter.id.as_str()).copied().flatten()
    }

    /// Finds what `first` is about, and each mail on the way there, without recursion. A mail that the way comes from
    /// counts as one that is about nothing.
    fn follow(&mut self, first: &'a Letter, targets: &'a Targets, by_id: &HashMap<&'a str, &'a Letter>) {
        let mut open = if self.about.contains_key(first.id.as_str()) { Vec::new() } else { vec![(first, 0)] };
        while let Some((letter, next)) = open.last_mut() {
            let id = letter.id.as_str();
            self.about.entry(id).or_insert(None);
            self.steps += 1;
            let Some(parent) = letter.answers.get(*next).map(String::as_str) else {
                open.pop();
                continue;
            };
            let known = targets.get(parent).map(|found| Some(found.as_slice()));
            match known.or_else(|| self.about.get(parent).copied()) {
                Some(Some(found)) => {
                    self.about.insert(id, Some(found));
                    open.pop();
                }
                Some(None) => *next += 1,
                None => match by_id.get(parent) {
                    Some(parent) => open.push((parent, 0)),
                    None => *next += 1,
                },
            }
        }
    }

    /// Gives mails of a circle what a later mail of it turned out to be about.
    fn close_circles(&mut self, letters: &'a [Letter]) {
        let mut answers = HashMap::<&str, Vec<&'a str>>::new();
        let mut left = Vec::new();
        for letter in letters {
            if self.about(letter).is_some() {
                continue;
            }
            for parent in &letter.answers {
                self.steps += 1;
                answers.entry(parent).or_default().push(&letter.id);
                left.extend(self.about.get(parent.as_str()).copied().flatten().map(|_| parent.as_str()));
            }
        }
        while let Some(parent) = left.pop() {
            let found = self.about.get(parent).copied().flatten();
            for child in answers.remove(parent).unwrap_or_default() {
                self.steps += 1;
                if self.about.get(child).is_some_and(Option::is_none) {
                    self.about.insert(child, found);
                    left.push(child);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Thread;
    use crate::trailers::collect::{Posted, Targets};
    use crate::trailers::mailbox::Letter;

    fn letter(id: &str, answers: &[&str]) -> Letter {
        let [id, name, address, text, attached] = [id, "B", "b@x.org", "", ""].map(str::to_owned);
        Letter { id, answers: answers.iter().map(ToString::to_string).collect(), name, address, text, attached }
    }

    fn targets() -> Targets {
        let posted = |patch: &str| vec![Posted { patch: patch.to_owned(), patch_id: None }];
        Targets::from([("one@x".to_owned(), posted("one")), ("two@x".to_owned(), posted("two"))])
    }

    fn patches(letters: &[Letter]) -> Vec<Option<String>> {
        let targets = targets();
        let thread = Thread::new(letters, &targets);
        letters.iter().map(|letter| thread.about(letter).map(|posted| posted[0].patch.clone())).collect()
    }

    #[test]
    fn the_nearest_mail_that_is_answered_counts() {
        let letters = [
            letter("c", &["b", "one@x"]),
            letter("b", &["a", "two@x"]),
            letter("a", &["gone", "two@x", "one@x"]),
            letter("lone", &["nothing"]),
        ];
        let two = Some("two".to_owned());
        assert_eq!(patches(&letters), [two.clone(), two.clone(), two, None]);
    }

    #[test]
    fn a_circle_of_answers_ends_and_is_about_what_any_of_it_answers() {
        let letters = [letter("a", &["b", "one@x"]), letter("b", &["c"]), letter("c", &["a"]), letter("d", &["d"])];
        let one = Some("one".to_owned());
        assert_eq!(patches(&letters), [one.clone(), one.clone(), one, None]);
    }

    /// Steps for `count` answers, each to the one before, with the ids of those before that.
    fn steps(count: usize, begin: &[&str], last_first: bool) -> usize {
        let id = |number: usize| format!("{number}@x.org");
        let parents = |number: usize| {
            let before = (number.saturating_sub(3)..number).rev().map(id);
            before.chain(begin.iter().map(ToString::to_string)).collect::<Vec<_>>()
        };
        let mut letters = (0..count).map(|n| Letter { answers: parents(n), ..letter(&id(n), &[]) }).collect::<Vec<_>>();
        if last_first {
            letters.reverse();
        }
        let targets = targets();
        let thread = Thread::new(&letters, &targets);
        assert!(letters.iter().all(|letter| thread.about(letter).is_some() != begin.is_empty()));
        thread.steps
    }

    #[test]
    fn ten_times_the_answers_take_ten_times_the_steps() {
        for begin in [&["one@x"][..], &[]] {
            for last_first in [false, true] {
                let (few, many) = (steps(1_000, begin, last_first), steps(10_000, begin, last_first));
                assert!(many <= few * 11, "{few} and {many} steps from {begin:?}");
            }
        }
    }
}

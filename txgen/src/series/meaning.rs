// SPDX-License-Identifier: GPL-2.0
//! What of a commit counts when a branch is compared with a series: its message as git would clean it, without the text
//! below `---`, its tree and its author. Bytes, dates and committers do not.

use anyhow::Result;

use super::Message;
use crate::git::Identity;
use crate::git::history::Commit;

/// A patch as a commit of a branch has to be to count as it.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Its message in the series.
    pub message: &'a Message,
    /// The tree it makes.
    pub tree: &'a str,
    /// Its author; anybody otherwise.
    pub author: Option<&'a Identity>,
    /// Who signed it off.
    pub signer: Signer<'a>,
}

/// Who signed a commit off beyond what the series says.
#[derive(Debug, Clone, Copy)]
pub enum Signer<'a> {
    /// Just this one, or nobody.
    Only(Option<&'a str>),
    /// Anybody, or nobody.
    Any,
}

/// How a commit compares with a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// It is another.
    Other,
    /// It is the patch, and has a text below `---` that the series does not have.
    WithNote,
    /// It is the patch.
    Same,
}

/// Compares a commit with a patch.
pub fn compare(commit: &Commit, wanted: &Wanted<'_>) -> Likeness {
    let Wanted { message, tree, author, signer } = wanted;
    if commit.tree != *tree || author.is_some_and(|author| *author != commit.author) {
        return Likeness::Other;
    }
    let (text, note) = parts(&commit.message);
    let is_said = match signer {
        Signer::Only(signer) => text == clean(&message.commit_message(*signer)),
        Signer::Any => {
            let unsigned = clean(&message.commit_message(None));
            text == unsigned || sign_off_beyond(&text, &unsigned).is_some()
        }
    };
    match note {
        _ if !is_said => Likeness::Other,
        Some(note) if Some(&note) != message.note.as_deref().map(clean).as_ref() => Likeness::WithNote,
        _ => Likeness::Same,
    }
}

/// The sign-off, such as `Signed-off-by: A <a@example.org>`, by which the message of a commit is more than `message`:
/// `txgen apply --signoff` added it.
pub fn tool_signed(commit: &Commit, message: &Message) -> Option<String> {
    let text = parts(&commit.message).0;
    sign_off_beyond(&text, &clean(&message.commit_message(None))).map(str::to_owned)
}

fn sign_off_beyond<'a>(text: &'a str, unsigned: &str) -> Option<&'a str> {
    let line = text.lines().last().filter(|line| line.starts_with("Signed-off-by: "))?;
    (text.strip_suffix(line)?.trim_end() == unsigned).then_some(line)
}

/// The message of a commit as a .msg file has it, without what `sign_off` says; an error starts with the line that is
/// wrong. What a .msg file can not hold, and git itself would remove, goes: blank lines at the beginning and spaces at an
/// end.
pub fn message_of(commit: &Commit, sign_off: Option<&str>) -> Result<Message> {
    let is_blank = |line: &str| line.trim_matches(BLANK).is_empty();
    let mut lines = commit.message.split('\n').skip_while(|line| is_blank(line)).collect::<Vec<_>>();
    for line in lines.iter_mut().take(2) {
        *line = line.trim_end_matches(BLANK);
    }
    for line in lines.iter_mut().filter(|line| is_blank(line) || line.trim_end_matches(BLANK) == CUT) {
        *line = line.trim_end_matches(BLANK);
    }
    let mut message = Message::parse_without_author(&lines.join("\n"))?;
    if let Some(rest) = sign_off.and_then(|line| message.body.strip_suffix(line)) {
        message.body = rest.trim_end().to_owned();
    }
    Ok(message)
}

/// The text below `---` of a commit's message, as git would clean it.
pub fn note_of(commit: &Commit) -> Option<String> {
    parts(&commit.message).1
}

/// A message and the text below its `---`, cleaned.
fn parts(message: &str) -> (String, Option<String>) {
    let text = clean(message);
    let lines = text.split('\n').collect::<Vec<_>>();
    let Some(cut) = lines.iter().position(|line| *line == CUT).filter(|cut| *cut > 0) else { return (text, None) };
    let note = clean(&lines[cut + 1..].join("\n"));
    (clean(&lines[..cut].join("\n")), Some(note).filter(|note| !note.is_empty()))
}

/// The line that ends what a mail's reader takes for the message.
const CUT: &str = "---";
/// What git takes for blank.
const BLANK: [char; 3] = [' ', '\t', '\r'];

/// A text as `git stripspace` cleans it, without its last newline: no blanks at the end of lines, no blank line at an end
/// nor two of them in a row.
pub fn clean(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.split('\n').map(|line| line.trim_end_matches(BLANK)) {
        if !line.is_empty() || lines.last().is_some_and(|last: &&str| !last.is_empty()) {
            lines.push(line);
        }
    }
    lines.join("\n").trim_end_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Likeness, Signer, Wanted, clean, compare, message_of, tool_signed};
    use crate::git::Identity;
    use crate::git::history::Commit;
    use crate::git::program;
    use crate::series::Message;

    fn commit(message: &str) -> Commit {
        Commit {
            id: "1".repeat(40),
            tree: "2".repeat(40),
            below: "3".repeat(40),
            parents: 1,
            message: message.to_owned(),
            author: Identity { name: "A".to_owned(), email: "a@example.org".to_owned() },
        }
    }

    fn likeness(text: &str, series: &str, signer: Signer<'_>) -> Likeness {
        let message = Message::parse(series).unwrap();
        let tree = "2".repeat(40);
        compare(&commit(text), &Wanted { message: &message, tree: &tree, author: None, signer })
    }

    const SERIES: &str = "net: do it\n\nBecause.\n\nLink: https://example.org\n---\nA note.\n";

    #[test]
    fn a_message_is_the_same_however_it_is_written_down() {
        for text in [
            "net: do it\n\nBecause.\n\nLink: https://example.org",
            "\n\nnet: do it  \n \t\n\nBecause.\t\n\n\n\nLink: https://example.org\n\n\n",
            "net: do it\r\n\r\nBecause.\r\n\r\nLink: https://example.org\r\n",
            "net: do it\n\nBecause.\n\nLink: https://example.org\n--- \nA note.  \n\n",
            "net: do it\n\nBecause.\n\nLink: https://example.org\n---\n",
        ] {
            assert_eq!(likeness(text, SERIES, Signer::Only(None)), Likeness::Same, "{text:?}");
        }
        let other = "net: do it\n\nBecause.\n\nLink: https://example.org\n---\nAnother.\n";
        assert_eq!(likeness(other, SERIES, Signer::Only(None)), Likeness::WithNote);
        assert_eq!(likeness("net: do it\n\nBecause!\n", SERIES, Signer::Any), Likeness::Other);
    }

    #[test]
    fn a_sign_off_beyond_the_series_counts_where_nobody_may_have_given_it() {
        let signed =
            "net: do it\n\nBecause.\n\nLink: https://example.org\nSigned-off-by: B <b@example.org>\n---\nMore\n";
        assert_eq!(likeness(signed, SERIES, Signer::Only(None)), Likeness::Other);
        assert_eq!(likeness(signed, SERIES, Signer::Only(Some("B <b@example.org>"))), Likeness::WithNote);
        assert_eq!(likeness(signed, SERIES, Signer::Any), Likeness::WithNote);
        let message = Message::parse(SERIES).unwrap();
        let line = tool_signed(&commit(signed), &message);
        assert_eq!(line.as_deref(), Some("Signed-off-by: B <b@example.org>"));
        let read = message_of(&commit(signed), line.as_deref()).unwrap();
        assert_eq!((read.body, read.note.as_deref()), (message.body, Some("More")));
    }

    #[test]
    fn what_a_message_file_can_not_hold_goes_and_the_rest_keeps_its_bytes() {
        let message = message_of(&commit("\n\nnet: x \n\t\n  code\n\n\n  more  \n \n--- \n note\n"), None).unwrap();
        assert_eq!(message.text(), "net: x\n\n  code\n\n\n  more\n---\n note\n");
        assert_eq!(
            message_of(&commit(" net: x\n"), None).unwrap_err().to_string(),
            "1: the subject has spaces at an end"
        );
    }

    #[test]
    fn texts_are_cleaned_as_git_cleans_them() {
        for text in ["\n a \n\n\n b\t\r\n# c\n\n", "", "\n", "x", "a\n \n \nb\n"] {
            let git = program::without_repository().arg("stripspace").stdin(text.as_bytes()).check().unwrap().text();
            assert_eq!(clean(text), git.trim_end_matches('\n'), "{text:?}");
        }
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Trailers put into a message, where netdev expects them.

use std::collections::BTreeSet;

use crate::check::trailers::is_trailer;

/// The order of trailers; a sign-off that others follow stays with what it signs.
const ORDER: &[&str] = &[
    "Fixes",
    "Reported-by",
    "Closes",
    "Suggested-by",
    "Co-developed-by",
    "Signed-off-by",
    "Tested-by",
    "Reviewed-by",
    "Acked-by",
    "Cc",
    "Link",
];

/// How a line begins that explains the trailer above it.
const EXPLAINS: [char; 3] = [' ', '\t', '['];

/// The text of a .msg file with `new` trailers in it, each with the lines that explain it; those that it has are left as
/// they are.
pub fn insert(text: &str, new: &[String]) -> String {
    let (message, note) = split(text);
    let mut lines = message.trim_end().lines().map(str::to_owned).collect::<Vec<_>>();
    let block = block(&lines);
    let mut trailers = lines.split_off(block);
    let mut known = trailers.iter().cloned().collect::<BTreeSet<_>>();
    for text in new {
        let mut added = text.lines().map(str::to_owned);
        if let Some(line) = added.next().filter(|line| known.insert(line.clone())) {
            let at = place(&trailers, &line);
            trailers.splice(at..at, [line].into_iter().chain(added));
        }
    }
    if lines.last().is_some_and(|line| !line.trim().is_empty()) && !trailers.is_empty() {
        lines.push(String::new());
    }
    lines.append(&mut trailers);
    format!("{}\n{note}", lines.join("\n"))
}

/// The text of a .msg file without the trailer `old` and the lines that explain it.
pub fn remove(text: &str, old: &str) -> String {
    let (message, note) = split(text);
    let mut below = false;
    let stays = |line: &&str| {
        below = *line == old || below && line.starts_with(EXPLAINS);
        !below
    };
    let lines = message.trim_end().lines().filter(stays).collect::<Vec<_>>();
    format!("{}\n{note}", lines.join("\n").trim_end())
}

/// The message, and the rest from `---` on.
fn split(text: &str) -> (&str, &str) {
    match text.find("\n---\n") {
        Some(at) => (&text[..=at], &text[at + 1..]),
        None => (text, ""),
    }
}

/// Where the trailers begin: the last paragraph, where it consists of them.
fn block(lines: &[String]) -> usize {
    let start = lines.iter().rposition(|line| line.trim().is_empty()).map_or(lines.len(), |blank| blank + 1);
    let all = lines[start..].iter().all(|line| is_trailer(line) || line.starts_with([' ', '\t', '[', '#']));
    if all { start } else { lines.len() }
}

fn rank(line: &str) -> Option<usize> {
    let (name, _) = line.split_once(':')?;
    ORDER.iter().position(|known| known.eq_ignore_ascii_case(name))
}

/// Behind what comes before it, and above the sign-offs that end the message.
fn place(trailers: &[String], line: &str) -> usize {
    let signs = |line: &String| line.starts_with("Signed-off-by:") || line.starts_with("Co-developed-by:");
    let end = trailers.iter().rposition(|line| !signs(line)).map_or(0, |last| last + 1);
    let own = rank(line).unwrap_or(ORDER.len());
    let before = trailers[..end].iter().rposition(|other| rank(other).is_some_and(|rank| rank <= own));
    let at = before.map_or(0, |at| at + 1);
    // What explains a trailer stays below it.
    let notes = trailers[at..end].iter().take_while(|line| at > 0 && line.starts_with(EXPLAINS)).count();
    at + notes
}

#[cfg(test)]
mod tests {
    use super::{insert, remove};

    #[test]
    fn trailers_stand_in_order_above_the_last_sign_off() {
        let new = ["Acked-by: A <a@x>", "Reported-by: R <r@x>", "Closes: https://x", "Reviewed-by: B <b@x>"];
        let new = new.map(str::to_owned);
        insta::assert_snapshot!(insert("s: x\n\nWhy.\n", &new), @r"
        s: x

        Why.

        Reported-by: R <r@x>
        Closes: https://x
        Reviewed-by: B <b@x>
        Acked-by: A <a@x>
        ");
        let text =
            "s: x\n\nWhy.\n\nFixes: 123456789abc (\"y\")\nTested-by: T <t@x>\nSigned-off-by: S <s@x>\n---\nnote\n";
        let with = insert(text, &new);
        insta::assert_snapshot!(with, @r#"
        s: x

        Why.

        Fixes: 123456789abc ("y")
        Reported-by: R <r@x>
        Closes: https://x
        Tested-by: T <t@x>
        Reviewed-by: B <b@x>
        Acked-by: A <a@x>
        Signed-off-by: S <s@x>
        ---
        note
        "#);
        assert_eq!(insert(&with, &new), with);
        assert_eq!(new.iter().fold(with, |text, line| remove(&text, line)), text);
        let noted = insert(text, &["Tested-by: N <n@x>\n[with 64k pages]".to_owned()]);
        assert!(
            noted.contains("\nTested-by: T <t@x>\nTested-by: N <n@x>\n[with 64k pages]\nSigned-off-by:"),
            "{noted}"
        );
        assert_eq!(remove(&noted, "Tested-by: N <n@x>"), text);
        assert_eq!(remove("s: x\n\nWhy.\n\nAcked-by: A <a@x>\n", "Acked-by: A <a@x>"), "s: x\n\nWhy.\n");
    }
}

// SPDX-License-Identifier: GPL-2.0
//! git's patch text as values: files, and the lines they gain and lose.

use anyhow::{Context, Result, bail};

/// What a patch does to one file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileDiff {
    /// The path after the patch, or before it where the patch removes the file.
    pub path: String,
    /// The patch adds the file.
    pub added: bool,
    /// The patch removes the file.
    pub removed: bool,
    /// Changed lines with their context, first to last.
    pub lines: Vec<Line>,
}

/// A line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What happens to it.
    pub side: Side,
    /// Its number in the file after the patch (for a removed line: of the line that follows it).
    pub number: u32,
    /// The line without its newline.
    pub text: String,
}

/// What happens to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It is there before and after.
    Both,
    /// It is added.
    New,
    /// It is removed.
    Old,
}

impl FileDiff {
    /// The added lines: number and text.
    pub fn added_lines(&self) -> impl Iterator<Item = (u32, &str)> {
        self.lines.iter().filter(|line| line.side == Side::New).map(|line| (line.number, line.text.as_str()))
    }

    /// `lines` of the file after the patch, those first that it does not add.
    pub fn old_first(&self, mut lines: Vec<u32>) -> Vec<u32> {
        lines.sort_by_key(|line| (self.added_lines().any(|(number, _)| number == *line), *line));
        lines
    }

    /// The removed lines.
    pub fn removed_lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter(|line| line.side == Side::Old).map(|line| line.text.as_str())
    }

    /// The file has one of the endings, `c` or `h` say.
    pub fn has_ending(&self, endings: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
    }
}

/// Parses the output of `git diff-tree -p`.
pub fn parse(text: &str) -> Result<Vec<FileDiff>> {
    let mut files: Vec<FileDiff> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(paths) = line.strip_prefix("diff --git a/") {
            // Without renames both names are the same: half of "PATH b/PATH".
            let path = paths.get(..(paths.len().saturating_sub(3)) / 2).context("a `diff --git` line without paths")?;
            files.push(FileDiff { path: path.to_owned(), ..FileDiff::default() });
            continue;
        }
        let Some(file) = files.last_mut() else { continue };
        if line.starts_with("new file mode") {
            file.added = true;
        } else if line.starts_with("deleted file mode") {
            file.removed = true;
        } else if line.starts_with("@@ ") {
            hunk(line, &mut lines, file).with_context(|| format!("hunk `{line}` of {}", file.path))?;
        }
    }
    Ok(files)
}

/// Reads the lines that a hunk header announces.
fn hunk<'a>(header: &str, lines: &mut impl Iterator<Item = &'a str>, file: &mut FileDiff) -> Result<()> {
    let mut words = header.split(' ').skip(1);
    let (_, mut old) = range(words.next(), '-')?;
    let (mut number, mut new) = range(words.next(), '+')?;
    while old + new > 0 {
        let line = lines.next().context("it ends early")?;
        let side = match line.bytes().next() {
            Some(b' ') => Side::Both,
            Some(b'+') => Side::New,
            Some(b'-') => Side::Old,
            Some(b'\\') => continue,
            _ => bail!("unexpected line `{line}`"),
        };
        let [from, to] = [side != Side::New, side != Side::Old].map(u32::from);
        (old, new) = (old.saturating_sub(from), new.saturating_sub(to));
        file.lines.push(Line { side, number, text: line[1..].to_owned() });
        number += to;
    }
    Ok(())
}

/// `-12,3` as (12, 3); the count is 1 where it is left out.
fn range(word: Option<&str>, sign: char) -> Result<(u32, u32)> {
    let word = word.and_then(|word| word.strip_prefix(sign)).context("it has no line range")?;
    let (start, count) = word.split_once(',').unwrap_or((word, "1"));
    Ok((start.parse().context("line number")?, count.parse().context("line count")?))
}

#[cfg(test)]
mod tests {
    use super::{Side, parse};

    const DIFF: &str = "diff --git a/net/a b.c b/net/a b.c\nindex 1..2 100644\n--- a/net/a b.c\t\n+++ b/net/a b.c\t\n\
@@ -3,3 +3,3 @@ int f(void)\n keep\n--- old\n+++ new\n end\n\\ No newline at end of file\n\
diff --git a/n.h b/n.h\nnew file mode 100644\n--- /dev/null\n+++ b/n.h\n@@ -0,0 +1 @@\n+one\n";

    #[test]
    fn lines_are_numbered_as_the_patch_leaves_the_file() {
        let files = parse(DIFF).unwrap();
        let seen = files[0].lines.iter().map(|l| (l.side, l.number, l.text.as_str())).collect::<Vec<_>>();
        let expected =
            [(Side::Both, 3, "keep"), (Side::Old, 4, "-- old"), (Side::New, 4, "++ new"), (Side::Both, 5, "end")];
        assert_eq!(seen, expected);
        assert_eq!(files[0].path, "net/a b.c");
    }

    #[test]
    fn a_new_file_says_so() {
        let files = parse(DIFF).unwrap();
        assert!(files[1].added && !files[0].added);
        assert_eq!(files[1].added_lines().collect::<Vec<_>>(), [(1, "one")]);
    }

    #[test]
    fn a_hunk_that_ends_early_is_an_error_that_names_the_file() {
        let error = parse("diff --git a/x.c b/x.c\n@@ -1,2 +1,2 @@\n a\n").unwrap_err();
        assert!(format!("{error:#}").contains("x.c"), "{error:#}");
    }
}

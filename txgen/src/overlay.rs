// SPDX-License-Identifier: GPL-2.0
//! Rendered files against what is on disk: compared, shown as a diff (the only user of similar), written; and
//! the list of the files in kernel-overlay/.

use std::fs;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use anyhow::{Context, Result, bail};
use similar::{Algorithm, TextDiff};

use crate::files;
use crate::project::Project;
use crate::render::Rendered;

/// A file that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// Its path in the project.
    pub path: String,
    /// Whether it is not there at all.
    pub is_missing: bool,
    /// What it should hold.
    pub text: String,
    /// From what it holds to what it should hold, unified.
    pub diff: String,
}

/// The rendered files that differ from those of the project.
pub fn compare(project: &Project, rendered: &[Rendered]) -> Result<Vec<Stale>> {
    let mut stale = Vec::new();
    for file in rendered {
        let old = project.text_if_there(Path::new(&file.path))?;
        if old.as_ref() != Some(&file.text) {
            stale.push(Stale {
                path: file.path.clone(),
                is_missing: old.is_none(),
                diff: unified(&file.path, old.as_deref(), &file.text),
                text: file.text.clone(),
            });
        }
    }
    Ok(stale)
}

/// Writes all of `stale` or, where one can not be written, none.
pub fn write(root: &Path, stale: &[Stale]) -> Result<()> {
    let paths: Vec<PathBuf> = stale.iter().map(|file| root.join(&file.path)).collect();
    let all: Vec<_> = paths.iter().zip(stale).map(|(path, file)| (path.as_path(), file.text.as_bytes())).collect();
    files::write_all_atomic(&all)
}

/// Paths of all files under the overlay folder `dir`, relative to it and sorted; a symbolic link is refused.
pub fn list(dir: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(folder) = todo.pop() {
        let reading = || format!("read folder {}", folder.display());
        for entry in fs::read_dir(&folder).with_context(reading)? {
            let path = entry.with_context(reading)?.path();
            if path.file_name().is_some_and(files::is_editors) {
                continue;
            }
            let kind = fs::symlink_metadata(&path).with_context(|| format!("look at {}", path.display()))?.file_type();
            if kind.is_dir() {
                todo.push(path);
            } else if kind.is_file() {
                let relative = path.strip_prefix(dir).context("a file is under the folder that holds it")?;
                let name = relative.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
                found.push(name.to_owned());
            } else {
                bail!("{} is neither file nor folder: the overlay holds no links", path.display());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn unified(path: &str, old: Option<&str>, new: &str) -> String {
    let from = if old.is_some() { format!("a/{path}") } else { "/dev/null".to_owned() };
    let diff = TextDiff::configure().algorithm(Algorithm::Patience).diff_lines(old.unwrap_or(""), new);
    diff.unified_diff().context_radius(3).header(&from, &format!("b/{path}")).to_string()
}

/// A unified diff in git's colours; the stream it is printed to drops them where it is no terminal.
pub fn coloured(diff: &str) -> String {
    let mut out = String::new();
    for line in diff.split_inclusive('\n') {
        let style = match line.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => Style::new().bold(),
            [b'+', ..] => AnsiColor::Green.on_default(),
            [b'-', ..] => AnsiColor::Red.on_default(),
            [b'@', ..] => AnsiColor::Cyan.on_default(),
            _ => Style::new(),
        };
        let (text, end) = line.strip_suffix('\n').map_or((line, ""), |text| (text, "\n"));
        out.push_str(&format!("{}{text}{}{end}", style.render(), style.render_reset()));
    }
    out
}

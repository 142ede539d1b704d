// SPDX-License-Identifier: GPL-2.0
//! Warnings of the kernel's own selftests that a patch brings: the programs of touched sources, before and after it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use crate::check::build::added;
use crate::check::compile::{Complaint, Said, complaint};
use crate::check::selftest::FOLDER;
use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope};
use crate::files;
use crate::kernel::build::{self, Folder};
use crate::process::{self, Run};
use crate::proof;

pub(super) const CHECK: Check = Check {
    name: "tools",
    shows: "warnings of gcc that a patch brings to the selftests it touches, and whether these still build",
    needs: "gcc, make, rsync, where there is a selftest for it",
    version: 1,
    tools,
    scope: Scope::Checkout(check),
};

/// The kind of the records, and the version of what they hold.
const KIND: &str = "selftest-warnings-1";
/// The folder of builds, and that of the headers within.
const BUILD: &str = "selftests";
const HEADERS: &str = "usr";

fn tools(source: &Source<'_>) -> Result<String> {
    source.asked_once(CHECK.name, || Ok(Run::new("gcc", ["--version"]).check()?.text()))
}

/// Programs by the folder of their sources.
type Programs = BTreeMap<String, BTreeSet<String>>;

fn check(source: &Source<'_>, patch: &Patch) -> Result<Vec<Finding>> {
    let diffs = source.diff(patch)?;
    let touched = diffs.iter().filter(|file| file.path.starts_with(FOLDER) && file.has_ending(&["c", "h"]));
    let touched = touched.map(|file| file.path.as_str()).collect::<Vec<_>>();
    let mut found = Vec::new();
    for (folder, programs) in programs(source, &patch.commit, &touched)? {
        for program in programs {
            let old = said(source, (&patch.parent, &patch.parent_tree), &folder, &program)?;
            let new = said(source, (&patch.commit, &patch.tree), &folder, &program)?;
            found.extend(added(&old, &new).into_iter().map(|complaint| complaint.finding("gcc", "")));
            if let (Some(_), Some(new)) = (old.iter().find(|said| said.error), new.iter().find(|said| said.error)) {
                let what = format!("{program} does not build, as before the patch: {}", new.text);
                found.push(Finding::new(Level::Warn, "gcc", what).at(&new.file, Some(new.line)));
            }
        }
    }
    Ok(found)
}

/// The programs of which `touched` files are a part, as far as their folders' Makefiles and sources tell.
fn programs(source: &Source<'_>, commit: &str, touched: &[&str]) -> Result<Programs> {
    let mut programs = Programs::new();
    for path in touched {
        let (folder, file) = path.rsplit_once('/').context("it is in a folder")?;
        let Some(makefile) = source.file(commit, &format!("{folder}/Makefile"))? else { continue };
        let makefile = String::from_utf8_lossy(&makefile).into_owned();
        let sources = sources(source, commit, folder)?;
        let of = |name: &String| is_part(&makefile, &sources, name, file);
        programs.entry(folder.to_owned()).or_default().extend(listed(&makefile).into_iter().filter(of));
    }
    Ok(programs)
}

/// The C files of a folder: names and texts.
fn sources(source: &Source<'_>, commit: &str, folder: &str) -> Result<BTreeMap<String, String>> {
    let args = ["ls-tree", "-z", "--name-only", commit, &format!("{folder}/")];
    let names = source.git(args).check()?.text();
    let mut sources = BTreeMap::new();
    for path in names.split('\0').filter(|path| path.ends_with(".c")) {
        let text = source.file(commit, path)?.unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or(path);
        sources.insert(name.to_owned(), String::from_utf8_lossy(&text).into_owned());
    }
    Ok(sources)
}

/// The words of a Makefile that may be programs of its folder.
fn listed(makefile: &str) -> BTreeSet<String> {
    let words = makefile.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace);
    let plain = |word: &&str| word.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    words.filter(plain).map(str::to_owned).collect()
}

/// Whether `file` is the source of program `name`, or a part of it.
fn is_part(makefile: &str, sources: &BTreeMap<String, String>, name: &str, file: &str) -> bool {
    let own = format!("{name}.c");
    let Some(text) = sources.get(&own) else { return false };
    let rule = format!("$(OUTPUT)/{name}:");
    let links = makefile.lines().filter_map(|line| line.strip_prefix(&rule));
    let parts = links.flat_map(str::split_whitespace).filter_map(|word| word.rsplit('/').next());
    let linked = parts.map(|word| word.strip_suffix(".o").map_or(word.to_owned(), |stem| format!("{stem}.c")));
    let linked = linked.collect::<Vec<_>>();
    let texts = linked.iter().filter_map(|part| sources.get(part)).chain([text]);
    let includes = |text: &String| text.contains(&format!("#include \"{file}\""));
    own == file || linked.iter().any(|part| part == file) || file.ends_with(".h") && texts.into_iter().any(includes)
}

/// What is said about a program of a commit, from the record where there is one.
fn said(source: &Source<'_>, (commit, tree): (&str, &str), folder: &str, program: &str) -> Result<Said> {
    let tools = tools(source)?;
    let key = proof::key(&[tree, &tools, folder, program].map(str::as_bytes));
    if let Some(known) = proof::load(source.project, KIND, &key)? {
        return Ok(known);
    }
    let worktree = source.tree_at(commit)?;
    let said = if worktree.dir.join(folder).join(format!("{program}.c")).is_file() {
        let kernel = Folder::open(source.project, &worktree, BUILD)?;
        install_headers(&kernel, commit)?;
        compile(&kernel, folder, program)?
    } else {
        Said::new()
    };
    proof::store(source.project, KIND, &key, &said)?;
    Ok(said)
}

/// Installs the headers of `commit`, where they are not those that are there.
fn install_headers(kernel: &Folder, commit: &str) -> Result<()> {
    let of = kernel.dir.join("headers.commit");
    if of.is_file() && files::read(&of)? == commit {
        return Ok(());
    }
    files::remove_file(&of)?;
    let install = format!("INSTALL_HDR_PATH={}", kernel.dir.join(HEADERS).display());
    kernel.make(&["headers_install", &install]).check().context("install the kernel's headers for its selftests")?;
    files::write_atomic(&of, commit.as_bytes())
}

/// Builds a program outside of the tree.
fn compile(kernel: &Folder, folder: &str, program: &str) -> Result<Said> {
    let headers = kernel.dir.join(HEADERS);
    let out = kernel.dir.join(folder);
    files::make_dir(&out)?;
    files::remove_file(&out.join(program))?;
    let run = Run::new("make", ["-C"])
        .arg(kernel.tree.join(folder))
        .arg(format!("OUTPUT={}", out.display()))
        .arg(format!("KHDR_INCLUDES=-isystem {}/include", headers.display()))
        .arg(out.join(program))
        .clear_env()
        .env("LC_ALL", "C");
    let output = run.output().with_context(|| format!("build {program} in {folder}"))?;
    let text = output.text() + &output.errors();
    let place = |line: &str| complaint(line, &kernel.tree, CHECK.name).map(|said| placed(said, folder));
    let mut said = text.lines().filter_map(place).collect::<Said>();
    if !output.status.success() && !said.iter().any(|complaint| complaint.error) {
        let errors = build::errors(&text, &kernel.tree);
        let what = errors.into_iter().next().unwrap_or_else(|| process::last_lines(&text, 1));
        let (check, file) = (CHECK.name.to_owned(), format!("{folder}/{program}.c"));
        said.insert(Complaint { check, error: true, file, line: 1, text: format!("{program} does not build: {what}") });
    }
    Ok(said)
}

/// The path of the tree that a compiler means which runs in `folder`.
fn placed(said: Complaint, folder: &str) -> Complaint {
    if said.file.starts_with(FOLDER) || said.file.starts_with('/') {
        return said;
    }
    let mut path = PathBuf::from(folder);
    for part in Path::new(&said.file).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            part => path.push(part),
        }
    }
    Complaint { file: path.display().to_string(), ..said }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{is_part, listed, placed};
    use crate::check::compile::Complaint;

    const MAKEFILE: &str =
        "TEST_GEN_PROGS := \\\n\ttap \\\n\ttls \\\n# end of it\n$(OUTPUT)/tls: lib.c\nCFLAGS += -Wall\n";

    #[test]
    fn a_file_is_a_part_of_the_programs_that_are_built_of_it_or_include_it() {
        let texts = [("tap.c", "#include \"own.h\"\n"), ("tls.c", ""), ("lib.c", "#include \"lib.h\"\n"), ("no.c", "")];
        let sources =
            texts.map(|(name, text)| (name.to_owned(), text.to_owned())).into_iter().collect::<BTreeMap<_, _>>();
        let of = |file: &str| {
            let names = listed(MAKEFILE).into_iter().filter(|name| is_part(MAKEFILE, &sources, name, file));
            names.collect::<Vec<_>>().join(" ")
        };
        let files = ["tap.c", "own.h", "lib.c", "lib.h", "no.c", "other.h"];
        assert_eq!(files.map(of), ["tap", "tap", "tls", "tls", "", ""]);
    }

    #[test]
    fn a_complaint_is_placed_in_the_tree() {
        let said = |file: &str| Complaint {
            check: String::new(),
            error: false,
            file: file.to_owned(),
            line: 1,
            text: String::new(),
        };
        let folder = "tools/testing/selftests/net";
        let of = |file: &str| placed(said(file), folder).file;
        assert_eq!(of("../kselftest.h"), "tools/testing/selftests/kselftest.h");
        assert_eq!(of("tls.c"), "tools/testing/selftests/net/tls.c");
        assert_eq!(of("/usr/include/stdio.h"), "/usr/include/stdio.h");
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Which objects include a header, from what kbuild wrote down when `txgen test` built a kernel.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::check::source::Source;
use crate::files;
use crate::kernel::build::in_tree;
use crate::kernel::worktree::{self, Purpose};

/// Build folders of whole kernels, the one with the most objects first.
const FOLDERS: &[&str] = &["net", "debug"];

/// For each header of the kernel's source the objects that include it.
pub(crate) type Users = BTreeMap<String, BTreeSet<String>>;

/// Objects to be compiled for touched headers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) objects: Vec<String>,
    /// Of how many that is known to include one of the headers; `None` where no build tells.
    pub(super) of: Option<usize>,
}

/// The users of `headers` in the last kernel that was built of this repository; nothing where none was.
pub(super) fn find(source: &Source<'_>, headers: &BTreeSet<String>) -> Result<Users> {
    let mut users = Users::new();
    for name in FOLDERS {
        let folder = worktree::build_folder(source.project, &source.git_dir, Purpose::Build, name)?;
        if !folder.is_dir() {
            continue;
        }
        let tree = worktree::folder(source.project, &source.git_dir, Purpose::Build)?;
        for_each_record(&folder, &mut |text| read(text, &tree, headers, &mut users))?;
        break;
    }
    Ok(users)
}

/// Calls `take` with the text of each `.foo.o.cmd`.
fn for_each_record(folder: &Path, take: &mut impl FnMut(&str)) -> Result<()> {
    let list = || format!("list {}", folder.display());
    for entry in fs::read_dir(folder).with_context(list)? {
        let entry = entry.with_context(list)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if entry.file_type().with_context(list)?.is_dir() {
            for_each_record(&entry.path(), take)?;
        } else if name.starts_with('.') && name.ends_with(".o.cmd") {
            // A build that goes on at the same time may have removed it: then its object is about to change.
            take(&files::read_lossy(&entry.path()).unwrap_or_default());
        }
    }
    Ok(())
}

/// Reads `deps_OBJECT := \` and the lines behind it, one file a line.
fn read(text: &str, tree: &Path, headers: &BTreeSet<String>, users: &mut Users) {
    let mut object = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("deps_") {
            object = rest.split_once(" :=").map(|(object, _)| object);
        } else if let Some(object) = object.filter(|_| line.starts_with(' ')) {
            let path = in_tree(line.trim_end_matches('\\').trim(), tree);
            if headers.contains(&path) {
                users.entry(path).or_default().insert(object.to_owned());
            }
        }
    }
}

/// At most `most` of the objects that include one of `headers`: of `first` those that do, then one a folder in turn.
///
/// A header that no build knows, as one that a patch adds, has `first` for its users.
pub(super) fn choose(users: &Users, headers: &[&str], first: &[&str], most: usize) -> Chosen {
    let all = headers.iter().filter_map(|&header| users.get(header)).flatten().collect::<BTreeSet<_>>();
    if all.is_empty() {
        let objects = if headers.is_empty() { &[] } else { &first[..most.min(first.len())] };
        return Chosen { objects: objects.iter().map(|&object| object.to_owned()).collect(), of: None };
    }
    let mut objects = first.iter().map(|&name| name.to_owned()).filter(|name| all.contains(name)).collect::<Vec<_>>();
    let mut folders = BTreeMap::<&str, Vec<&String>>::new();
    // What an architecture has for itself is not there for the others.
    let rest = all.iter().filter(|object| !objects.contains(object) && !object.starts_with("arch/"));
    for object in rest {
        folders.entry(object.rsplit_once('/').map_or("", |(folder, _)| folder)).or_default().push(object);
    }
    let longest = folders.values().map(Vec::len).max().unwrap_or_default();
    let turns = (0..longest).flat_map(|turn| folders.values().filter_map(move |objects| objects.get(turn).copied()));
    objects.extend(turns.cloned());
    objects.truncate(most);
    Chosen { objects, of: Some(all.len()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{Users, choose, read};

    const RECORD: &str = "savedcmd_net/core/skbuff.o := ccache gcc -c -o net/core/skbuff.o ../../tree/net/core/skbuff.c\n\n\
source_net/core/skbuff.o := ../../tree/net/core/skbuff.c\n\ndeps_net/core/skbuff.o := \\\n    \
$(wildcard include/config/NET_CLS_ACT) \\\n  ../../tree/include/linux/compiler-version.h \\\n  \
/c/tree/include/linux/skbuff_ref.h \\\n  include/generated/autoconf.h \\\n\n\
net/core/skbuff.o: $(deps_net/core/skbuff.o)\n";

    fn users(header: &str, objects: &[&str]) -> Users {
        Users::from([(header.to_owned(), objects.iter().map(|&object| object.to_owned()).collect())])
    }

    #[test]
    fn what_kbuild_wrote_down_of_an_object_tells_the_headers_it_includes() {
        let headers = ["include/linux/compiler-version.h", "include/linux/skbuff_ref.h", "include/linux/skbuff.h"];
        let headers = headers.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
        let mut found = Users::new();
        read(RECORD, Path::new("/c/tree"), &headers, &mut found);
        let mut expected = users("include/linux/compiler-version.h", &["net/core/skbuff.o"]);
        expected.extend(users("include/linux/skbuff_ref.h", &["net/core/skbuff.o"]));
        assert_eq!(found, expected);
    }

    #[test]
    fn the_first_come_first_then_each_folder_has_its_turn_up_to_the_limit() {
        let all = ["arch/x86/a.o", "mm/a.o", "mm/b.o", "net/core/a.o", "net/core/b.o", "net/core/skbuff.o"];
        let chosen = choose(&users("a.h", &all), &["a.h"], &["net/ipv4/tcp.o", "net/core/skbuff.o"], 4);
        assert_eq!(chosen.objects, ["net/core/skbuff.o", "mm/a.o", "net/core/a.o", "mm/b.o"]);
        assert_eq!(chosen.of, Some(6));
        let few = choose(&users("a.h", &["mm/a.o"]), &["a.h"], &["net/ipv4/tcp.o"], 4);
        assert_eq!((few.objects, few.of), (vec!["mm/a.o".to_owned()], Some(1)));
    }

    #[test]
    fn a_header_that_no_build_knows_has_the_usual_users() {
        let chosen = choose(&users("a.h", &["mm/a.o"]), &["new.h"], &["net/core/skbuff.o", "net/ipv4/tcp.o"], 1);
        assert_eq!((chosen.objects, chosen.of), (vec!["net/core/skbuff.o".to_owned()], None));
        assert!(choose(&Users::new(), &[], &["net/core/skbuff.o"], 1).objects.is_empty());
    }
}

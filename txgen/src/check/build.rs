// SPDX-License-Identifier: GPL-2.0
//! The checks `build` (gcc, W=1), `sparse`, `clang` and `32-bit`: warnings of the touched objects that a patch brings.
//!
//! Compiles only what a patch touches, before and after it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use crate::check::compile::{CLANG, Compiler, Complaint, GCC, GCC_32, Said};
use crate::check::source::{Patch, Source};
use crate::check::{Check, Finding, Level, Scope, users};

/// Objects that show best what a touched header does to its users, those first that a second compiler compiles, too.
const USERS: &[&str] = &[
    "net/core/skbuff.o",
    "net/ipv4/tcp.o",
    "net/ipv4/esp4.o",
    "net/core/datagram.o",
    "net/core/dev.o",
    "net/core/gro.o",
    "net/ipv4/tcp_output.o",
    "net/ipv4/ip_output.o",
    "net/xfrm/xfrm_iptfs.o",
];
/// How many users of touched headers the first compiler compiles.
const MANY: usize = USERS.len();
/// How many the others do.
const FEW: usize = 3;

/// Folders whose C files are no objects of the kernel image; those of rust/ are parts of one.
const OUTSIDE: &[&str] = &["tools/", "samples/", "scripts/", "Documentation/", "usr/", "rust/"];

pub(super) const BUILD: Check = Check {
    name: "build",
    shows: "warnings of gcc W=1 that a patch brings to the objects it touches",
    needs: "gcc, make, sparse",
    version: 6,
    tools: |source| GCC.tools(source),
    scope: Scope::Checkout(|source, patch| findings(source, patch, &GCC, GCC.check)),
};

pub(super) const SPARSE: Check = Check {
    name: "sparse",
    shows: "warnings of sparse that a patch brings to the objects it touches",
    needs: "gcc, make, sparse",
    version: 6,
    tools: |source| GCC.tools(source),
    scope: Scope::Checkout(|source, patch| findings(source, patch, &GCC, "sparse")),
};

pub(super) const CLANG_BUILD: Check = Check {
    name: "clang",
    shows: "warnings of clang W=1 that a patch brings to the objects it touches",
    needs: "clang-19, make",
    version: 2,
    tools: |source| CLANG.tools(source),
    scope: Scope::Checkout(|source, patch| findings(source, patch, &CLANG, CLANG.check)),
};

pub(super) const BUILD_32: Check = Check {
    name: "32-bit",
    shows: "warnings of gcc W=1 for 32-bit x86 that a patch brings to the objects it touches",
    needs: "gcc, make",
    version: 2,
    tools: |source| GCC_32.tools(source),
    scope: Scope::Checkout(|source, patch| findings(source, patch, &GCC_32, GCC_32.check)),
};

/// The warnings of one check that a patch brings.
fn findings(source: &Source<'_>, patch: &Patch, compiler: &Compiler, check: &str) -> Result<Vec<Finding>> {
    let touched = source.diff(patch)?.into_iter().map(|file| file.path).collect::<Vec<_>>();
    let most = if compiler.check == GCC.check { MANY } else { FEW };
    let (mut objects, headers) = objects(&touched);
    let users = users::choose(source.users()?, &headers, USERS, most);
    let told = users.of.filter(|all| *all > users.objects.len());
    let told = told.map(|all| format!(" (compiled: {} of {all} objects with the headers)", users.objects.len()));
    let told = told.unwrap_or_default();
    objects.extend(users.objects);
    if objects.is_empty() {
        return Ok(Vec::new());
    }
    let rule = if check == compiler.check { compiler.rule } else { check };
    let old = compiler.said(source, (&patch.parent, &patch.parent_tree), &objects)?;
    // What sparse calls an error it may only fail to understand; a compiler's errors mean that nothing was compiled.
    let broken = |said: &Said| said.iter().find(|c| c.error && c.check == compiler.check).cloned();
    let was_broken = broken(&old);
    if let Some(Complaint { file, line, text, .. }) = was_broken.as_ref().filter(|_| patch.parent == source.base) {
        bail!(
            "{file}:{line} does not compile with {} before patch {}: {text}; does vm-tests/compile.config or the \
             series' kernel.config lack an option?",
            compiler.rule,
            patch.name
        );
    }
    let new = compiler.said(source, (&patch.commit, &patch.tree), &objects)?;
    let is_broken = broken(&new);
    if check != compiler.check && is_broken.is_some() {
        let what = format!("did not run: see what {} says of this patch", compiler.rule);
        return Ok(vec![Finding::new(Level::Fail, check, what)]);
    }
    if let (Some(_), Some(Complaint { file, line, text, .. })) = (was_broken, is_broken) {
        let what =
            format!("still does not compile, as the patch before it: {text}; does kernel.config lack an option?");
        return Ok(vec![Finding::new(Level::Fail, rule, what).at(&file, Some(line))]);
    }
    let new = added(&old, &new).into_iter().filter(|complaint| complaint.check == check);
    Ok(new.map(|complaint| complaint.finding(rule, &told)).collect())
}

/// The objects of touched C files, and the touched headers.
fn objects(touched: &[String]) -> (BTreeSet<String>, Vec<&str>) {
    let inside = touched.iter().filter(|path| !OUTSIDE.iter().any(|folder| path.starts_with(folder)));
    let (mut objects, mut headers) = (BTreeSet::new(), Vec::new());
    for path in inside {
        match path.rsplit_once('.') {
            Some((stem, "c")) => {
                objects.insert(format!("{stem}.o"));
            }
            Some((_, "h")) => headers.push(path.as_str()),
            _ => {}
        }
    }
    (objects, headers)
}

/// The complaints of `new` that `old` does not have; a line that only moved is no new one.
pub(super) fn added<'a>(old: &Said, new: &'a Said) -> Vec<&'a Complaint> {
    let key = |complaint: &Complaint| (complaint.check.clone(), complaint.file.clone(), complaint.text.clone());
    let mut known: BTreeMap<_, usize> = BTreeMap::new();
    for complaint in old {
        *known.entry(key(complaint)).or_default() += 1;
    }
    let fresh = new.iter().filter(|complaint| match known.get_mut(&key(complaint)) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    });
    fresh.collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Said, added, objects};
    use crate::check::compile::steps;

    fn said(complaints: &str) -> Said {
        let log = format!("  CC      net/core/dev.o\n{complaints}");
        steps(&log, Path::new("/c/tree"), "build").into_iter().flat_map(|step| step.said).collect()
    }

    fn paths(list: &[&str]) -> Vec<String> {
        list.iter().map(|&path| path.to_owned()).collect()
    }

    #[test]
    fn a_touched_c_file_is_compiled_and_a_header_through_its_users() {
        let touched = ["net/core/txbuf.c", "MAINTAINERS", "tools/testing/selftests/net/x.c", "include/linux/skbuff.h"];
        let touched = paths(&touched);
        let (objects, headers) = objects(&touched);
        assert_eq!(objects.into_iter().collect::<Vec<_>>(), ["net/core/txbuf.o"]);
        assert_eq!(headers, ["include/linux/skbuff.h"]);
    }

    #[test]
    fn a_new_warning_is_found_with_its_place() {
        let log = "../../tree/net/core/txbuf.c:12:5: warning: no previous prototype for 'x' [-Wmissing-prototypes]\n";
        let new = said(log);
        let none = Said::new();
        let found = added(&none, &new);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].file.as_str(), found[0].line, found[0].error), ("net/core/txbuf.c", 12, false));
        assert_eq!(found[0].text, "no previous prototype for 'x' [-Wmissing-prototypes]");
    }

    #[test]
    fn a_warning_that_only_moved_is_not_new_but_a_second_one_is() {
        let old = said("/c/tree/net/core/dev.c:10:1: warning: unused variable 'a'\n");
        let moved = said("/c/tree/net/core/dev.c:30:1: warning: unused variable 'a'\n");
        assert_eq!(added(&old, &moved), Vec::<&super::Complaint>::new());
        let twice = said(
            "/c/tree/net/core/dev.c:30:1: warning: unused variable 'a'\n\
             /c/tree/net/core/dev.c:70:1: warning: unused variable 'a'\n",
        );
        assert_eq!(added(&old, &twice).len(), 1);
    }

    #[test]
    fn an_error_is_told_from_a_warning() {
        let broken = said("net/core/dev.c:10:1: error: expected ';' before '}' token\n");
        assert!(broken.iter().all(|complaint| complaint.error) && broken.len() == 1);
    }
}

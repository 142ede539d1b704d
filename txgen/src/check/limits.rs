// SPDX-License-Identifier: GPL-2.0
//! Rules for a series as a whole: how many patches, and when it needs a cover letter.

use anyhow::Result;

use crate::check::source::{Patch, Source};
use crate::check::trailers::is_signed;
use crate::check::{Check, Finding, Level, Scope, no_tools};

pub(super) const CHECK: Check = Check {
    name: "limits",
    shows: "at most 15 patches, a cover letter from 3 patches on, sign-offs on all patches or none",
    needs: "",
    version: 1,
    tools: no_tools,
    scope: Scope::Series(check),
};

/// What netdev takes at a time.
pub const MOST_PATCHES: usize = 15;

fn check(source: &Source<'_>, patches: &[Patch]) -> Result<Vec<Finding>> {
    Ok(findings(patches, source.cover.as_deref()))
}

/// All that is wrong with `patches` as a whole.
pub fn findings(patches: &[Patch], cover: Option<&str>) -> Vec<Finding> {
    let mut found = Vec::new();
    let count = patches.len();
    if count > MOST_PATCHES {
        let what = format!("the series has {count} patches; netdev takes at most {MOST_PATCHES} at a time");
        found.push(Finding::new(Level::Fail, "too-many-patches", what));
    }
    if count > 2 && cover.is_none_or(|text| text.trim().is_empty()) {
        let what = format!("a series of {count} patches needs a cover letter: write its cover.md");
        found.push(Finding::new(Level::Fail, "no-cover", what));
    }
    let unsigned = patches.iter().filter(|patch| !is_signed(&patch.message)).collect::<Vec<_>>();
    if unsigned.len() < count {
        let what = "other patches of the series are signed off, this one is not";
        found.extend(unsigned.iter().map(|patch| Finding::new(Level::Fail, "sign-off", what).of(&patch.name)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::findings;
    use crate::check::source::Patch;

    fn patch(number: usize, message: &str) -> Patch {
        let none = String::new;
        let name = format!("p{number}");
        let message = message.to_owned();
        Patch { name, commit: none(), parent: none(), tree: none(), parent_tree: none(), author: none(), message }
    }

    fn rules(count: usize, cover: Option<&str>) -> Vec<String> {
        let patches = (0..count).map(|n| patch(n, "net: add\n\nWhy.")).collect::<Vec<_>>();
        findings(&patches, cover).iter().map(|finding| finding.rule().to_owned()).collect()
    }

    #[test]
    fn fifteen_patches_with_a_cover_letter_pass_and_sixteen_do_not() {
        assert_eq!(rules(15, Some("Why.")), [""; 0]);
        assert_eq!(rules(16, Some("Why.")), ["too-many-patches"]);
    }

    #[test]
    fn two_patches_need_no_cover_letter_and_three_do() {
        assert_eq!(rules(2, None), [""; 0]);
        assert_eq!(rules(3, None), ["no-cover"]);
        assert_eq!(rules(3, Some(" \n")), ["no-cover"]);
    }

    #[test]
    fn a_patch_that_alone_lacks_a_sign_off_is_named() {
        let signed = "net: add\n\nWhy.\n\nSigned-off-by: A <a@b.org>";
        let found = findings(&[patch(1, signed), patch(2, "net: add\n\nWhy.")], None);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].patch.as_str(), found[0].rule()), ("p2", "sign-off"));
    }
}

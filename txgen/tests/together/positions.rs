// SPDX-License-Identifier: GPL-2.0
//! Commands that are killed right before, and right after, the refs are set: both end as done.

use std::process::Stdio;

use super::files::files_below;
use super::killed::imported;
use super::state::{Saved, State, made};
use super::stopped::with_git;

/// Stands for a git with which txgen is killed, before it sets refs or when it has set them.
fn killed(has_set: bool) -> String {
    let git = "PATH=\"${PATH#*:}\" git \"$@\"";
    let set = if has_set { format!("\t{git}\n") } else { String::new() };
    format!(
        "#!/bin/sh\ncase \" $* \" in\n*' update-ref '*)\n{set}\tkill -9 $PPID\n\texit 1\n\t;;\nesac\nexec env {git}\n"
    )
}

#[test]
fn what_is_killed_before_or_after_the_refs_are_set_is_done_by_the_next_command() {
    const COMMANDS: [&[&str]; 3] =
        [&["move", "demo", "two", "--first"], &["drop", "demo", "more"], &["import", "mine", "branch", "mine"]];
    let project = imported();
    let saved = Saved::new(&project);
    for command in COMMANDS {
        let (after, _) = made(&project, &saved, &[command]);
        for has_set in [false, true] {
            let mut txgen = with_git(&project, &killed(has_set), command);
            assert!(!txgen.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
            assert!(!files_below(&project.path("p/.txgen")).is_empty(), "{command:?} was not killed");
            assert_eq!(project.txgen(&["base", "list"]).expect(0).stderr, "");
            assert_eq!(State::of(&project), after, "{command:?}, {has_set}");
            assert_eq!(files_below(&project.path("p/.txgen")).len(), 0);
            saved.restore(&project);
        }
    }
}

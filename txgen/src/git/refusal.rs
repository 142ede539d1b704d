// SPDX-License-Identifier: GPL-2.0
//! Why a repository can not be opened, said so that its owner knows what to do.

use std::path::Path;

use anyhow::anyhow;

/// The error for the folder `dir`, which libgit2 refused to open with `error`.
pub(super) fn explain(dir: &Path, error: git2::Error) -> anyhow::Error {
    let shown = dir.display();
    if error.code() == git2::ErrorCode::Owner {
        return anyhow!(
            "{shown} is owned by somebody else, so that its configuration might run programs in your name: if you trust it, \
             `git config --global --add safe.directory {shown}`"
        );
    }
    // libgit2 has no codes for these; its words are pinned by the tests of clones.
    if error.message().contains("object format") {
        return anyhow!(
            "{shown} names its objects by SHA-256, which txgen does not support: give a SHA-1 clone with --tree"
        );
    }
    if error.message().contains("extensions.refstorage") {
        return anyhow!(
            "{shown} keeps its refs in reftables, which txgen does not support: `git refs migrate --ref-format=files` \
             changes that, or give another clone with --tree"
        );
    }
    let what = if error.code() == git2::ErrorCode::NotFound { "is no git repository" } else { "can not be opened" };
    anyhow::Error::new(error).context(format!("{shown} {what}"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use git2::{Error, ErrorClass, ErrorCode};

    use super::explain;

    #[test]
    fn a_clone_of_another_owner_is_told_with_what_git_says_to_do() {
        let error = Error::new(ErrorCode::Owner, ErrorClass::Config, "repository path is not owned by current user");
        insta::assert_snapshot!(explain(Path::new("/src/linux"), error), @"/src/linux is owned by somebody else, so that its configuration might run programs in your name: if you trust it, `git config --global --add safe.directory /src/linux`");
    }
}

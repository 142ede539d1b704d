// SPDX-License-Identifier: GPL-2.0
//! Why a repository can not be opened, said so that its owner knows what to do.

use std::path::Path;

use anyhow::anyhow;

use super::program;

/// The error for the folder `dir`, which libgit2 refused to open with `error`.
pub(super) fn explain(dir: &Path, error: git2::Error) -> anyhow::Error {
    let shown = dir.display();
    if error.code() == git2::ErrorCode::Owner {
        return anyhow!(
            "{shown} is owned by somebody else, so that its configuration might run programs in your name: if you trust it, \
             `git config --global --add safe.directory {shown}`"
        );
    }
    // Where git can not be asked, what libgit2 said is what is known.
    let setting = |name: &str| match program::in_users_tree(dir).args(["config", "--get", name]).output() {
        Ok(output) if output.status.success() => Some(output.text().trim().to_ascii_lowercase()),
        _ => None,
    };
    if setting("extensions.objectFormat").is_some_and(|format| format == "sha256") {
        return anyhow!(
            "{shown} names its objects by SHA-256, which txgen does not support: give a SHA-1 clone with --tree"
        );
    }
    if setting("extensions.refStorage").is_some_and(|storage| storage == "reftable") {
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

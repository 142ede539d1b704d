// SPDX-License-Identifier: GPL-2.0
//! Which variables of the user's environment reach the programs that txgen starts.
//!
//! A variable that changes what such a program works on, does or prints does not: txgen may run from an alias or a hook
//! of git, from a Makefile, or in a shell that was set up for other work. docs/settings.md tells users the same.

use std::ffi::OsStr;

/// The variables of git that are the user's wish: who commits, where the configuration is, how servers are reached.
const KEPT_GIT: &[&str] = &[
    "GIT_ALLOW_PROTOCOL",
    "GIT_ASKPASS",
    "GIT_AUTHOR_EMAIL",
    "GIT_AUTHOR_NAME",
    "GIT_COMMITTER_EMAIL",
    "GIT_COMMITTER_NAME",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_EXEC_PATH",
    "GIT_PROTOCOL_FROM_USER",
    "GIT_PROXY_COMMAND",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
];

/// Variables of other programs that do not reach them.
const DROPPED: &[&str] = &[
    // Shells.
    "BASHOPTS",
    "BASH_ENV",
    "CDPATH",
    "ENV",
    "GLOBIGNORE",
    "POSIXLY_CORRECT",
    "SHELLOPTS",
    // make, and what a kernel's Makefile reads.
    "ARCH",
    "C",
    "CROSS_COMPILE",
    "GNUMAKEFLAGS",
    "INSTALL_HDR_PATH",
    "INSTALL_MOD_PATH",
    "KAFLAGS",
    "KCFLAGS",
    "KCPPFLAGS",
    "KERNELRELEASE",
    "KRUSTFLAGS",
    "LLVM",
    "LLVM_IAS",
    "LOCALVERSION",
    "MAKEFILES",
    "MAKEFLAGS",
    "MAKELEVEL",
    "MAKEOVERRIDES",
    "MFLAGS",
    "O",
    "SUBARCH",
    "V",
    "W",
    // Compilers.
    "CFLAGS",
    "CPATH",
    "CPLUS_INCLUDE_PATH",
    "CPPFLAGS",
    "CXXFLAGS",
    "C_INCLUDE_PATH",
    "DEPENDENCIES_OUTPUT",
    "LDFLAGS",
    "LDLIBS",
    "LIBRARY_PATH",
    "SUNPRO_DEPENDENCIES",
    // Perl: PERL5LIB stays, as git send-email may find the modules for a server there.
    "PERL5DB",
    "PERL5OPT",
    "PERL_UNICODE",
    // Other tools.
    "CLICOLOR_FORCE",
    "COLUMNS",
    "FORCE_COLOR",
    "GREP_COLOR",
    "GREP_COLORS",
    "GREP_OPTIONS",
    "GZIP",
    "LANGUAGE",
    "LINES",
    "QUOTING_STYLE",
    "TAR_OPTIONS",
    "XZ_DEFAULTS",
    "XZ_OPT",
];

/// How the names of more such variables begin.
const DROPPED_PREFIXES: &[&str] = &["BASH_FUNC_", "CCACHE_", "GCC_", "KBUILD_", "KCONFIG_", "PYTHON", "RSYNC_"];

/// The variables of ccache that are the user's wish: where a shared cache is. txgen sets those of its own folder itself.
const KEPT_CCACHE: &[&str] = &["CCACHE_REMOTE_ONLY", "CCACHE_REMOTE_STORAGE", "CCACHE_SECONDARY_STORAGE"];

/// Whether a variable reaches the programs that txgen starts.
pub(super) fn reaches_programs(name: &OsStr) -> bool {
    // A name that is no UTF-8 is none that any of them reads.
    let Some(name) = name.to_str() else { return true };
    if name.starts_with("GIT_") {
        return KEPT_GIT.contains(&name) || name.starts_with("GIT_SSL_") || name.starts_with("GIT_HTTP_");
    }
    KEPT_CCACHE.contains(&name)
        || !DROPPED.contains(&name) && !DROPPED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Takes those variables of git out of the environment of this process, so that libgit2 does not read them either.
///
/// # Safety
///
/// No other thread may run: this changes the environment, which all of them read.
pub unsafe fn forget_foreign_variables() {
    let is_gits = |name: &std::ffi::OsString| name.as_encoded_bytes().starts_with(b"GIT_") && !reaches_programs(name);
    for name in std::env::vars_os().map(|(name, _)| name).filter(is_gits).collect::<Vec<_>>() {
        // SAFETY: no other thread runs, as the caller says.
        unsafe { std::env::remove_var(name) };
    }
}

#[cfg(test)]
mod tests {
    use super::reaches_programs;
    use crate::process::Run;

    #[test]
    fn nothing_that_git_calls_local_to_a_repository_reaches_a_program() {
        let local = Run::new("git", ["rev-parse", "--local-env-vars"]).check().unwrap().text();
        assert!(local.lines().count() >= 10, "{local}");
        for name in local.lines().chain(["GIT_DIFF_OPTS", "GIT_EXTERNAL_DIFF", "GIT_TRACE2_EVENT", "GIT_CONFIG_KEY_0"])
        {
            assert!(!reaches_programs(name.as_ref()), "{name}");
        }
    }

    #[test]
    fn who_commits_and_how_servers_are_reached_stays_the_users_wish() {
        for name in ["GIT_AUTHOR_NAME", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "HOME", "PATH", "PERL5LIB", "TMPDIR"] {
            assert!(reaches_programs(name.as_ref()), "{name}");
        }
    }
}

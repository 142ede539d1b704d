// SPDX-License-Identifier: GPL-2.0
//! The worst environment and configuration that a user's machine may have around txgen.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Variables that lead git, make, perl, python, shells and other tools astray; `DIR` stands for the test's own folder.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("GIT_DIR", "DIR/victim/.git"),
    ("GIT_WORK_TREE", "DIR/victim"),
    ("GIT_INDEX_FILE", "DIR/victim/.git/index"),
    ("GIT_OBJECT_DIRECTORY", "DIR/victim/.git/objects"),
    ("GIT_COMMON_DIR", "DIR/victim/.git"),
    ("GIT_ALTERNATE_OBJECT_DIRECTORIES", "DIR/nowhere"),
    ("GIT_GRAFT_FILE", "DIR/victim/grafts"),
    ("GIT_SHALLOW_FILE", "DIR/victim/shallow"),
    ("GIT_REPLACE_REF_BASE", "refs/heads/"),
    ("GIT_NAMESPACE", "elsewhere"),
    ("GIT_PREFIX", "net/"),
    ("GIT_CONFIG", "DIR/nowhere"),
    ("GIT_CONFIG_COUNT", "2"),
    ("GIT_CONFIG_KEY_0", "diff.noprefix"),
    ("GIT_CONFIG_VALUE_0", "true"),
    ("GIT_CONFIG_KEY_1", "core.hooksPath"),
    ("GIT_CONFIG_VALUE_1", "DIR/hooks"),
    ("GIT_CONFIG_PARAMETERS", "'diff.external=DIR/hooks/marker' 'core.worktree=DIR/victim'"),
    ("GIT_DIFF_OPTS", "-u0"),
    ("GIT_EXTERNAL_DIFF", "DIR/hooks/marker"),
    ("GIT_ATTR_SOURCE", "HEAD"),
    ("GIT_ATTR_NOSYSTEM", "0"),
    ("GIT_AUTHOR_DATE", "no date"),
    ("GIT_COMMITTER_DATE", "no date"),
    ("GIT_CEILING_DIRECTORIES", "/"),
    ("GIT_DEFAULT_HASH", "sha256"),
    ("GIT_DEFAULT_REF_FORMAT", "reftable"),
    ("GIT_TEMPLATE_DIR", "DIR/nowhere"),
    ("GIT_EDITOR", "DIR/hooks/marker"),
    ("GIT_SEQUENCE_EDITOR", "DIR/hooks/marker"),
    ("GIT_PAGER", "DIR/hooks/marker"),
    ("GIT_FLUSH", "1"),
    ("GIT_GLOB_PATHSPECS", "1"),
    ("GIT_ICASE_PATHSPECS", "1"),
    ("GIT_REF_PARANOIA", "1"),
    ("GIT_TRACE", "1"),
    ("GIT_TRACE_SETUP", "1"),
    ("GIT_TRACE2", "1"),
    ("GIT_TRACE_PACKET", "1"),
    ("GIT_SEND_EMAIL_NOTTY", "0"),
    ("MAKEFLAGS", "n --no-such-option"),
    ("MAKEFILES", "DIR/nowhere"),
    ("GNUMAKEFLAGS", "-n"),
    ("ARCH", "arm"),
    ("CROSS_COMPILE", "no-such-compiler-"),
    ("KBUILD_OUTPUT", "DIR/victim"),
    ("KBUILD_EXTMOD", "DIR/victim"),
    ("KCONFIG_CONFIG", "DIR/nowhere"),
    ("KCFLAGS", "-no-such-flag"),
    ("CFLAGS", "-no-such-flag"),
    ("LDFLAGS", "-no-such-flag"),
    ("C_INCLUDE_PATH", "DIR/nowhere"),
    ("PERL5OPT", "-MNo::Such::Module"),
    ("PERL_UNICODE", "SDA"),
    ("PYTHONPATH", "DIR/python"),
    ("PYTHONHOME", "DIR/nowhere"),
    ("PYTHONSTARTUP", "DIR/nowhere"),
    ("PYTHONWARNINGS", "error"),
    ("BASH_ENV", "DIR/hooks/marker"),
    ("ENV", "DIR/hooks/marker"),
    ("CDPATH", "/:DIR"),
    ("SHELLOPTS", "noexec"),
    ("POSIXLY_CORRECT", "1"),
    ("GREP_OPTIONS", "-v"),
    ("TAR_OPTIONS", "--no-such-option"),
    ("XZ_OPT", "--no-such-option"),
    ("LANGUAGE", "de:fr"),
];

/// Settings of git that change what it does or prints, or who gets a mail. `MARKER` is a program that must never run.
pub const SETTINGS: &[(&str, &str)] = &[
    ("apply.ignoreWhitespace", "change"),
    ("apply.whitespace", "error-all"),
    ("branch.autoSetupMerge", "always"),
    ("branch.autoSetupRebase", "always"),
    ("checkout.defaultRemote", "origin"),
    ("checkout.guess", "false"),
    ("color.branch", "always"),
    ("color.diff", "always"),
    ("color.grep", "always"),
    ("color.interactive", "always"),
    ("color.status", "always"),
    ("color.ui", "always"),
    ("column.ui", "always"),
    ("commit.cleanup", "scissors"),
    ("commit.gpgSign", "true"),
    ("commit.verbose", "2"),
    ("core.abbrev", "5"),
    ("core.abbrev", "40"),
    ("core.abbrev", "no"),
    ("core.askPass", "MARKER"),
    ("core.attributesFile", "ATTRIBUTES"),
    ("core.autocrlf", "true"),
    ("core.autocrlf", "input"),
    ("core.checkStat", "minimal"),
    ("core.commentChar", "n"),
    ("core.compression", "0"),
    ("core.deltaBaseCacheLimit", "1"),
    ("core.editor", "MARKER"),
    ("core.eol", "crlf"),
    ("core.excludesFile", "EVERYTHING"),
    ("core.fileMode", "false"),
    ("core.fsmonitor", "MARKER"),
    ("core.hooksPath", "HOOKS"),
    ("core.ignoreCase", "true"),
    ("core.ignoreStat", "true"),
    ("core.logAllRefUpdates", "false"),
    ("core.looseCompression", "0"),
    ("core.notesRef", "refs/notes/other"),
    ("core.pager", "MARKER"),
    ("core.precomposeUnicode", "true"),
    ("core.preferSymlinkRefs", "true"),
    ("core.quotePath", "false"),
    ("core.safecrlf", "true"),
    ("core.sharedRepository", "0600"),
    ("core.sparseCheckout", "true"),
    ("core.splitIndex", "true"),
    ("core.symlinks", "false"),
    ("core.trustctime", "false"),
    ("core.untrackedCache", "true"),
    ("core.useReplaceRefs", "true"),
    ("core.warnAmbiguousRefs", "true"),
    ("core.whitespace", "tab-in-indent,tabwidth=3"),
    ("diff.algorithm", "patience"),
    ("diff.algorithm", "minimal"),
    ("diff.autoRefreshIndex", "false"),
    ("diff.colorMoved", "zebra"),
    ("diff.colorMovedWS", "ignore-all-space"),
    ("diff.context", "0"),
    ("diff.context", "10"),
    ("diff.dirstat", "files,0"),
    ("diff.dstPrefix", "y/"),
    ("diff.external", "MARKER"),
    ("diff.ignoreSubmodules", "all"),
    ("diff.indentHeuristic", "false"),
    ("diff.interHunkContext", "50"),
    ("diff.mnemonicPrefix", "true"),
    ("diff.noprefix", "true"),
    ("diff.orderFile", "EVERYTHING"),
    ("diff.relative", "true"),
    ("diff.renameLimit", "1"),
    ("diff.renames", "false"),
    ("diff.renames", "copies"),
    ("diff.srcPrefix", "x/"),
    ("diff.statGraphWidth", "3"),
    ("diff.statNameWidth", "5"),
    ("diff.submodule", "log"),
    ("diff.suppressBlankEmpty", "true"),
    ("diff.trustExitCode", "true"),
    ("diff.wordRegex", "."),
    ("diff.wsErrorHighlight", "all"),
    ("diff.worst.binary", "true"),
    ("diff.worst.command", "MARKER"),
    ("diff.worst.textconv", "MARKER"),
    ("diff.worst.xfuncname", "^.*$"),
    ("feature.experimental", "true"),
    ("feature.manyFiles", "true"),
    ("fetch.fsckObjects", "true"),
    ("filter.worst.clean", "MARKER"),
    ("filter.worst.required", "true"),
    ("filter.worst.smudge", "MARKER"),
    ("format.attach", "true"),
    ("format.cc", "stranger@example.org"),
    ("format.coverFromDescription", "subject"),
    ("format.coverLetter", "true"),
    ("format.encodeEmailHeaders", "false"),
    ("format.filenameMaxLength", "20"),
    ("format.forceInBodyFrom", "true"),
    ("format.from", "Some Body <body@example.org>"),
    ("format.headers", "X-Stranger: yes"),
    ("format.mboxrd", "true"),
    ("format.noprefix", "true"),
    ("format.noprefix", "false"),
    ("format.notes", "true"),
    ("format.numbered", "false"),
    ("format.outputDirectory", "/nowhere"),
    ("format.pretty", "fuller"),
    ("format.signature", "-- worst --"),
    ("format.signatureFile", "EVERYTHING"),
    ("format.subjectPrefix", "WORST"),
    ("format.suffix", ".worst"),
    ("format.thread", "deep"),
    ("format.to", "stranger@example.org"),
    ("format.useAutoBase", "true"),
    ("gc.auto", "1"),
    ("grep.column", "true"),
    ("grep.extendedRegexp", "true"),
    ("grep.fallbackToNoIndex", "true"),
    ("grep.fullName", "true"),
    ("grep.lineNumber", "true"),
    ("grep.patternType", "perl"),
    ("i18n.commitEncoding", "ISO-8859-1"),
    ("i18n.logOutputEncoding", "ISO-8859-1"),
    ("i18n.logOutputEncoding", "UTF-16"),
    ("index.sparse", "true"),
    ("index.version", "4"),
    ("init.defaultBranch", "worst"),
    ("init.defaultObjectFormat", "sha256"),
    ("init.templateDir", "HOOKS"),
    ("log.abbrevCommit", "true"),
    ("log.date", "relative"),
    ("log.decorate", "full"),
    ("log.diffMerges", "separate"),
    ("log.excludeDecoration", "*"),
    ("log.follow", "true"),
    ("log.graphColors", "red"),
    ("log.initialDecorationSet", "all"),
    ("log.mailmap", "true"),
    ("log.showRoot", "false"),
    ("log.showSignature", "true"),
    ("mailinfo.scissors", "true"),
    ("mailmap.file", "MAILMAP"),
    ("maintenance.auto", "true"),
    ("merge.conflictStyle", "zdiff3"),
    ("merge.renames", "false"),
    ("notes.displayRef", "*"),
    ("pack.writeReverseIndex", "true"),
    ("pager.config", "MARKER"),
    ("pager.diff", "MARKER"),
    ("pager.log", "MARKER"),
    ("pretty.oneline", "%b"),
    ("rebase.autoStash", "true"),
    ("rerere.enabled", "true"),
    ("sendemail.annotate", "true"),
    ("sendemail.bcc", "stranger@example.org"),
    ("sendemail.cc", "stranger@example.org"),
    ("sendemail.ccCmd", "echo stranger@example.org; true"),
    ("sendemail.headerCmd", "echo 'Bcc: stranger@example.org'; true"),
    ("sendemail.to", "stranger@example.org"),
    ("sendemail.toCmd", "echo stranger@example.org; true"),
    ("showBranch.default", "--topo-order"),
    ("stash.showPatch", "true"),
    ("status.branch", "true"),
    ("status.short", "true"),
    ("status.showStash", "true"),
    ("status.showUntrackedFiles", "all"),
    ("status.submoduleSummary", "true"),
    ("submodule.recurse", "true"),
    ("tag.gpgSign", "true"),
    ("user.signingKey", "nobody"),
    ("user.useConfigOnly", "true"),
    ("versionsort.suffix", "-rc"),
    ("worktree.guessRemote", "true"),
];

/// A setting's value with the files that it needs, below `dir`.
pub fn value(dir: &Path, value: &str) -> String {
    let path = |name: &str| dir.join(name).display().to_string();
    value
        .replace("MARKER", &path("hooks/marker"))
        .replace("HOOKS", &path("hooks"))
        .replace("ATTRIBUTES", &path("attributes"))
        .replace("EVERYTHING", &path("everything"))
        .replace("MAILMAP", &path("mailmap"))
}

/// Makes the files that the settings and the environment speak of, below `dir`. No attribute names a filter: `git status` runs
/// the filters of a work tree of the user's by nature.
pub fn make(dir: &Path) {
    let victim = dir.join("victim");
    fs::create_dir_all(&victim).unwrap();
    let hooks = dir.join("hooks");
    fs::create_dir_all(&hooks).unwrap();
    let marker = format!("#!/bin/sh\necho \"$0 $*\" >>'{}'\nexit 1\n", dir.join("ran").display());
    for name in ["marker", "post-checkout", "post-commit", "pre-commit", "reference-transaction", "post-index-change"] {
        let path = hooks.join(name);
        fs::write(&path, &marker).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    fs::write(dir.join("attributes"), "* text eol=crlf diff=worst\n*.c binary\n").unwrap();
    fs::write(dir.join("everything"), "*\n").unwrap();
    fs::write(dir.join("mailmap"), "Wrong Name <wrong@example.org> <ann@example.org>\n").unwrap();
    fs::create_dir_all(dir.join("python")).unwrap();
    fs::write(dir.join("python/sitecustomize.py"), "raise SystemExit('a stranger')\n").unwrap();
    let mut text = String::new();
    for (key, raw) in SETTINGS {
        let (section, name) = key.rsplit_once('.').unwrap();
        let section = match section.split_once('.') {
            Some((section, sub)) => format!("{section} \"{sub}\""),
            None => section.to_owned(),
        };
        let raw = value(dir, raw).replace('\\', "\\\\").replace('"', "\\\"");
        text += &format!("[{section}]\n\t{name} = \"{raw}\"\n");
    }
    // A test's own configuration counts as ever.
    text += "[include]\n\tpath = ~/.gitconfig\n";
    fs::write(dir.join("gitconfig"), text).unwrap();
}

/// Sets the environment of a command that runs in the test's folder `home`; the files are made where they are missing.
pub fn surround(command: &mut Command, home: &Path) {
    let dir = home.join("hostile");
    if !dir.join("gitconfig").is_file() {
        make(&dir);
    }
    for (name, value) in ENVIRONMENT {
        command.env(name, value.replace("DIR", &dir.display().to_string()));
    }
    command.env("GIT_CONFIG_GLOBAL", dir.join("gitconfig"));
}

/// What ran that must not have run, by the test's folder.
pub fn strangers(home: &Path) -> String {
    fs::read_to_string(home.join("hostile/ran")).unwrap_or_default()
}

// SPDX-License-Identifier: GPL-2.0
//! A tiny kernel tree in a real git repository, with the real scripts of the managed base, and a series on it.

use std::path::{Path, PathBuf};

use txgen::base::Base;
use txgen::project::Project;
use txgen::series::{Applied, AppliedPatch};

use crate::common::{Ran, TestProject};

/// What the kernel's scripts look for to know a kernel tree.
const TOP: &[&str] = &["COPYING", "CREDITS", "Kbuild", "Kconfig", "README", "Documentation/index.rst", "arch/Kconfig"];
const MORE: &[&str] = &["drivers/Kconfig", "fs/Kconfig", "init/Kconfig", "ipc/ipc.c", "kernel/fork.c", "lib/lib.c"];

/// The kernel's own scripts, and what they read.
const SCRIPTS: &[&str] = &[
    "scripts/checkpatch.pl",
    "scripts/spelling.txt",
    "scripts/const_structs.checkpatch",
    "scripts/get_maintainer.pl",
    "tools/docs/kernel-doc",
    "scripts/coccinelle",
    "tools/lib/python",
    "Documentation/conf.py",
    "Documentation/sphinx",
];

pub const MAINTAINERS: &str = "List of maintainers\n===================\n\n\
NETWORKING [GENERAL]\nM:\tNet Maintainer <net@example.org>\nM:\tJérôme Second <second@example.org>\n\
R:\tA. Reviewer <reviewer@example.org>\nL:\tnetdev@example.org\nS:\tMaintained\nF:\tinclude/linux/skbuff.h\nF:\tnet/\n\n\
THE REST\nM:\tThe Rest <rest@example.org>\nL:\tall@example.org\nS:\tBuried alive in reporters\nF:\t*\nF:\t*/\n";

pub const SKBUFF: &str = "// SPDX-License-Identifier: GPL-2.0\n#include <linux/skbuff.h>\n\n\
int skb_first(struct sk_buff *skb)\n{\n\treturn skb->first;\n}\n";

/// A series on a tiny kernel: `k/` is the tree, `p/` the project.
pub struct Kernel {
    pub project: TestProject,
    patches: Vec<AppliedPatch>,
    base: String,
}

/// The managed base's repository, where the real scripts come from.
pub fn managed() -> PathBuf {
    let cache = std::env::var_os("TXGEN_CACHE").map(PathBuf::from);
    let cache = cache.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/txgen"));
    let repo = cache.join("linux.git");
    assert!(repo.is_dir(), "{} is not there: `make test` fetches the base net-next", repo.display());
    repo
}

impl Kernel {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// A kernel that has more files.
    pub fn with(files: &[(&str, &str)]) -> Self {
        Self::with_real(files, &[])
    }

    /// A kernel that has more files, and more files and folders of the managed base.
    pub fn with_real(files: &[(&str, &str)], real: &[&str]) -> Self {
        let project = TestProject::new("");
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates");
        project
            .write("p/templates/cover.txt.tera", &std::fs::read_to_string(templates.join("cover.txt.tera")).unwrap());
        for path in TOP.iter().chain(MORE) {
            project.write(&format!("k/{path}"), "here\n");
        }
        project.write("k/Makefile", "VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 4\nEXTRAVERSION =\n");
        project.write("k/MAINTAINERS", MAINTAINERS);
        project.write("k/net/core/skbuff.c", SKBUFF);
        project.write(
            "k/include/linux/skbuff.h",
            "/* SPDX-License-Identifier: GPL-2.0 */\nstruct sk_buff {\n\tint first;\n};\n",
        );
        for (path, text) in files {
            project.write(&format!("k/{path}"), text);
        }
        let tar = project.path("scripts.tar");
        let repo = managed();
        let archive = ["--git-dir", repo.to_str().unwrap(), "archive", "-o", tar.to_str().unwrap()];
        project.git("k", &[&archive[..], &["refs/txgen/bases/net-next", "--"], SCRIPTS, real].concat());
        let mut unpack = project.command("tar");
        assert!(unpack.arg("-xf").arg(&tar).current_dir(project.path("k")).status().unwrap().success());
        project.git("k", &["init", "-q", "-b", "main"]);
        project.git("k", &["config", "user.name", "Ann Author"]);
        project.git("k", &["config", "user.email", "ann@example.org"]);
        let mut kernel = Self { project, patches: Vec::new(), base: String::new() };
        kernel.base = kernel.commit("tiny kernel\n");
        kernel
    }

    fn commit(&self, message: &str) -> String {
        self.project.write("message", message);
        self.project.git("k", &["add", "-A"]);
        let mut git = self.project.command("git");
        let author = ["GIT_AUTHOR", "GIT_COMMITTER"].map(|role| [format!("{role}_NAME"), format!("{role}_EMAIL")]);
        for variable in author.iter().flatten() {
            git.env_remove(variable);
        }
        for variable in ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
            git.env(variable, "2026-11-23T12:00:00Z");
        }
        let status =
            git.args(["commit", "-q", "--cleanup=verbatim", "-F", "../message"]).current_dir(self.project.path("k"));
        assert!(status.status().unwrap().success());
        self.project.git("k", &["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// Adds a patch that writes files of the tree.
    pub fn patch(&mut self, name: &str, message: &str, files: &[(&str, &str)]) {
        for (path, text) in files {
            self.project.write(&format!("k/{path}"), text);
        }
        let commit = self.commit(message);
        let tree = self.project.git("k", &["rev-parse", "HEAD^{tree}"]).trim().to_owned();
        let subject = message.lines().next().unwrap().to_owned();
        let files = files.iter().map(|(path, _)| (*path).to_owned()).collect();
        self.patches.push(AppliedPatch { name: name.to_owned(), subject, commit, tree, files });
    }

    /// The series as `txgen apply` would return it.
    pub fn applied(&self) -> Applied {
        let git_dir = self.project.path("k/.git");
        let tree = self.project.git("k", &["rev-parse", &format!("{}^{{tree}}", self.base)]).trim().to_owned();
        let base = Base { name: "main".to_owned(), git_dir: git_dir.clone(), commit: self.base.clone(), tree };
        let [name, branch] = ["tiny", "txgen/tiny"].map(str::to_owned);
        Applied { name, base, git_dir, branch, patches: self.patches.clone(), beneath: Vec::new() }
    }

    pub fn txgen_project(&self) -> Project {
        Project { root: self.project.path("p"), cache: self.project.path("cache") }
    }

    /// Writes the series into the project, as series/tiny; `more` goes into its series.toml above the patches.
    pub fn store(&self, more: &str) {
        let applied = self.applied();
        let source = "git = \"../k\"\nref = \"main\"";
        let record =
            format!("[tiny]\n{source}\ncommit = \"{}\"\ntree = \"{}\"\n", applied.base.commit, applied.base.tree);
        self.project.write("p/series/bases.toml", &record);
        let mut toml = format!(
            "title = \"net: tell more bytes\"\ntree = \"net-next\"\nversion = 1\n\
             change-id = \"20261123-more-bytes-0123456789ab\"\nbase = \"tiny\"\ndate = \"2026-11-23T12:00:00Z\"\n{more}"
        );
        let mut parent = applied.base.commit;
        for patch in &applied.patches {
            let range = [parent.as_str(), &patch.commit];
            let added = self.project.git("k", &[&["diff", "--name-only", "--diff-filter=A"], &range[..]].concat());
            for path in added.lines() {
                let text = self.project.git("k", &["show", &format!("{}:{path}", patch.commit)]);
                self.project.write(&format!("p/kernel-overlay/{path}"), &text);
            }
            let diff = self.project.git("k", &[&["diff", "--full-index", "--diff-filter=M"], &range[..]].concat());
            if !diff.is_empty() {
                self.project.write(&format!("p/series/tiny/{}.diff", patch.name), &diff);
            }
            let message = self.project.git("k", &["log", "-1", "--format=%B", &patch.commit]);
            self.project.write(&format!("p/series/tiny/{}.msg", patch.name), &format!("{}\n", message.trim_end()));
            let adds = added.lines().collect::<Vec<_>>();
            toml += &format!("\n[[patch]]\nname = \"{}\"\nadds = {adds:?}\n", patch.name);
            parent.clone_from(&patch.commit);
        }
        self.project.write("p/series/tiny/series.toml", &toml);
    }

    /// Runs txgen on series tiny on the base in `k/`.
    pub fn txgen(&self, command: &str, args: &[&str]) -> Ran {
        let base = self.base.clone();
        self.project.txgen(&[&[command, "tiny", "--tree", "../k", "--base", &base], args].concat())
    }
}

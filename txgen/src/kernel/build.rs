// SPDX-License-Identifier: GPL-2.0
//! Builds of a kernel tree: configuration, make with ccache, progress, and the errors in make's log.

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::config::Config;
use super::rust::Rust;
use super::worktree::Worktree;
use crate::files;
use crate::process::{self, Run};
use crate::progress::Progress;
use crate::project::Project;

/// The longest a build may take, a cold one on a busy machine included.
const TIMEOUT: Duration = Duration::from_secs(3 * 3600);
/// The kernel that is booted, in a build folder.
pub const IMAGE: &str = "arch/x86/boot/bzImage";
/// The option of a kernel that loads modules.
const MODULES: &str = "CONFIG_MODULES=y";
/// The modules that a build made, in a build folder.
const ORDER: &str = "modules.order";
/// Programs that every kernel build needs.
const TOOLS: &[&str] = &["make", "gcc", "ccache", "flex", "bison", "bc", "perl"];

/// What a kernel is compiled with, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The compiler's program.
    pub cc: &'static str,
    /// The kernel's name of the architecture.
    pub arch: &'static str,
}

impl Target {
    /// What is booted.
    pub const X86_64: Self = Self { cc: "gcc", arch: "x86_64" };
}

/// A build folder of a kernel tree.
#[derive(Debug, Clone)]
pub struct Folder {
    /// The kernel source.
    pub tree: PathBuf,
    /// The build folder, make's `O=`.
    pub dir: PathBuf,
    /// What is compiled with, and for what.
    target: Target,
    /// What make is told about Rust.
    rust: Vec<String>,
    /// ccache's folder.
    ccache: PathBuf,
    /// How many commands make may run at once.
    jobs: usize,
    /// Where the number of objects of a whole build is kept, for progress.
    sizes: PathBuf,
}

/// A kernel that can be booted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// bzImage.
    pub path: PathBuf,
    /// The number of its build, which it tells when it boots (`Linux version ... #N`).
    pub number: u32,
}

/// How a build ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Build {
    /// The kernel was built; the next build in the folder writes over it.
    Built(Image),
    /// make failed; the first errors, as `file:line: error: ...`.
    Failed(Vec<String>),
}

impl Folder {
    /// Build folder `name` of a worktree, made if it is not there.
    pub fn open(project: &Project, worktree: &Worktree, name: &str) -> Result<Self> {
        for tool in TOOLS {
            process::require(tool)?;
        }
        let work = worktree.dir.parent().context("a worktree has a parent folder")?;
        let dir = work.join("build").join(name);
        files::make_dir(&dir)?;
        let own = std::env::var_os("CCACHE_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from);
        let ccache = own.unwrap_or_else(|| project.cache.join("ccache"));
        files::make_dir(&ccache)?;
        let target = Target::X86_64;
        let rust = Vec::new();
        let (tree, sizes) = (worktree.dir.clone(), project.cache.join("build-sizes"));
        Ok(Self { tree, dir, target, rust, ccache, jobs: jobs(), sizes })
    }

    /// The same folder with another compiler, or for another architecture.
    pub fn compiled_by(self, target: Target) -> Self {
        Self { target, ..self }
    }

    /// The same folder with another number of commands at once, if there is one.
    pub fn with_jobs(self, jobs: Option<NonZeroUsize>) -> Self {
        Self { jobs: jobs.map_or(self.jobs, NonZeroUsize::get), ..self }
    }

    /// The same folder with the programs that build Rust.
    pub fn with_rust(self, rust: Option<&Rust>) -> Self {
        Self { rust: rust.map(Rust::make_args).unwrap_or_default(), ..self }
    }

    /// The file of a module, `DIR/NAME.ko`; nothing where the last build made none.
    pub fn module(&self, module: &str) -> Result<Option<PathBuf>> {
        let order = self.dir.join(ORDER);
        let made = if order.is_file() { files::read(&order)? } else { String::new() };
        let object = Path::new(module).with_extension("o");
        Ok(made.lines().any(|line| Path::new(line) == object).then(|| self.dir.join(module)))
    }

    /// make in this folder, with everything pinned that would else get into the image.
    pub fn make<S: AsRef<str>>(&self, args: &[S]) -> Run {
        let mut run = Run::new("make", ["-C"])
            .arg(&self.tree)
            .arg(format!("O={}", self.dir.display()))
            .arg(format!("ARCH={}", self.target.arch))
            .arg(format!("CC=ccache {}", self.target.cc))
            .arg("LOCALVERSION=")
            .args(&self.rust)
            .args(["KBUILD_BUILD_TIMESTAMP=2026-01-01", "KBUILD_BUILD_USER=txgen", "KBUILD_BUILD_HOST=txgen"])
            .arg(format!("-j{}", self.jobs))
            .args(args.iter().map(AsRef::as_ref))
            .clear_env()
            .env("LC_ALL", "C")
            .env("CCACHE_DIR", &self.ccache)
            // The preprocessor run and the compression that this saves are a third of what an object takes to compile.
            .env("CCACHE_DEPEND", "1")
            .env("CCACHE_NOCOMPRESS", "1")
            .timeout(TIMEOUT);
        if let Some(work) = self.tree.parent() {
            run = run.env("CCACHE_BASEDIR", work);
        }
        for (name, value) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CCACHE_") && name != "CCACHE_DIR" {
                run = run.env(name, value);
            }
        }
        run
    }

    /// Configures the folder as `config` says; an option that the kernel does not take is an error that names it.
    pub fn configure(&self, config: &Config) -> Result<()> {
        let asked = self.dir.join("asked.config");
        files::write_atomic(&asked, config.asked().as_bytes())?;
        self.make(&[format!("KCONFIG_ALLCONFIG={}", asked.display()), "allnoconfig".to_owned()])
            .check()
            .with_context(|| format!("configure the kernel as {}", config.name))?;
        let lost = config.lost(&self.tree, &files::read(&self.dir.join(".config"))?)?;
        if lost.is_empty() {
            return Ok(());
        }
        let list = lost
            .iter()
            .map(|l| format!("{} (asked for {}, got {})", l.option, l.asked, l.got.as_deref().unwrap_or("nothing")))
            .collect::<Vec<_>>();
        bail!("configuration {} lost {} of its options: {}", config.name, lost.len(), list.join(", "))
    }

    /// Builds the kernel image until `deadline`, and the modules where the configuration has any; everything that make says
    /// goes to `log`.
    pub fn build(&self, what: &str, log: &Path, deadline: Option<Instant>) -> Result<Build> {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let timeout = left.unwrap_or(TIMEOUT).min(TIMEOUT);
        if let Some(dir) = log.parent() {
            files::make_dir(dir)?;
        }
        let mark = self.dir.join(MARK);
        drop_unfinished(&self.dir, &mark)?;
        files::write_atomic(&mark, b"")?;
        let whole = !self.dir.join("vmlinux").exists();
        let size = self.sizes.join(self.dir.file_name().context("a build folder has a name")?);
        let total = if whole { known_size(&size) } else { 0 };
        let mut watch = Watch::start(what, total, log);
        // What an earlier build had may still lie there, and is of another kernel.
        files::remove_file(&self.dir.join(ORDER))?;
        let mut args = vec!["bzImage".to_owned()];
        if files::read(&self.dir.join(".config"))?.lines().any(|line| line == MODULES) {
            args.push("modules".to_owned());
        }
        args.extend(with_binaries());
        let run = self.make(&args).log(log).timeout(timeout);
        let output = run.output_while(|| watch.tick()).context("build the kernel")?;
        files::remove_file(&mark)?;
        let text = files::read_lossy(log)?;
        if output.status.success() {
            let objects = count_objects(&text);
            if whole && objects > total {
                files::write_atomic(&size, objects.to_string().as_bytes())?;
            }
            watch.progress.done(&format!("built, {objects} objects"));
            let number = number(&text);
            let number = number.with_context(|| format!("make does not say what it built: see {}", log.display()))?;
            return Ok(Build::Built(Image { path: self.dir.join(IMAGE), number }));
        }
        watch.progress.done("failed");
        if text.contains("No space left on device") {
            bail!("no space left on the disk of {}: see {}", self.dir.display(), log.display());
        }
        let errors = errors(&text, &self.tree);
        let quoted = || process::last_lines(&text, 5).lines().map(str::to_owned).collect();
        Ok(Build::Failed(if errors.is_empty() { quoted() } else { errors }))
    }
}

/// Is in a build folder while make works in it.
const MARK: &str = "txgen-builds";

/// Removes what a make wrote that was killed: an object may be half there, and newer than its source for all that.
fn drop_unfinished(dir: &Path, mark: &Path) -> Result<()> {
    if !mark.exists() {
        return Ok(());
    }
    crate::output::eprintln!("the last build in {} was killed: what it wrote is made again", dir.display());
    let begun = mark.metadata().and_then(|file| file.modified());
    let begun = begun.with_context(|| format!("read the time of {}", mark.display()))?;
    for path in files::below(dir)?.into_iter().filter(|path| !KEPT.iter().any(|name| path.ends_with(name))) {
        let path = dir.join(path);
        let file = path.symlink_metadata().with_context(|| format!("look at {}", path.display()))?;
        if file.is_file() && file.modified().with_context(|| format!("look at {}", path.display()))? >= begun {
            files::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Files of a build folder that are no results of make.
const KEPT: &[&str] = &[".config", "asked.config", MARK];

/// Objects that hold another file of the build (`.incbin`): the kernel in the image, and what boots the other CPUs.
const WITH_BINARIES: &[&str] = &["piggy", "rmpiggy", "initramfs_data"];

/// Flags that are of this build alone for objects with other files in them: ccache in depend mode does not look for
/// `.incbin`, and would take the object of any kernel that was compressed to the same size.
fn with_binaries() -> impl Iterator<Item = String> {
    let now = jiff::Timestamp::now().as_nanosecond();
    WITH_BINARIES.iter().map(move |object| format!("AFLAGS_{object}.o=-Dtxgen_build={now}"))
}

/// The number of the build in make's log: the kernel's .version, which each link of it raises.
fn number(log: &str) -> Option<u32> {
    let mut ready = log.lines().rev().filter_map(|line| line.split_once("Kernel: ")?.1.split_once(" is ready"));
    ready.next()?.1.trim().strip_prefix("(#")?.strip_suffix(')')?.parse().ok()
}

/// How many commands make may run at once.
pub(crate) fn jobs() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The number of objects of an earlier whole build, 0 where there was none.
fn known_size(path: &Path) -> u64 {
    std::fs::read_to_string(path).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn count_objects(log: &str) -> u64 {
    log.lines().filter(|line| line.starts_with("  CC ")).count() as u64
}

/// Shows how far a build is, from what make has logged.
struct Watch<'a> {
    progress: Progress,
    log: &'a Path,
    last: Instant,
    every: Duration,
}

impl<'a> Watch<'a> {
    fn start(what: &str, total: u64, log: &'a Path) -> Self {
        let every = Duration::from_secs(if std::io::stderr().is_terminal() { 1 } else { 30 });
        Self { progress: Progress::start(what, total), log, last: Instant::now(), every }
    }

    fn tick(&mut self) {
        if self.last.elapsed() < self.every {
            return;
        }
        self.last = Instant::now();
        // A log that can not be read now costs one update of the display, nothing else.
        if let Ok(text) = files::read_lossy(self.log) {
            let last = text.lines().rev().find(|line| line.starts_with("  ")).unwrap_or_default();
            self.progress.at(count_objects(&text), last.trim());
        }
    }
}

/// The first errors in make's log; paths as they are in the kernel tree.
pub(crate) fn errors(log: &str, tree: &Path) -> Vec<String> {
    const MARKS: &[&str] =
        &[" error: ", " fatal error: ", "undefined reference to", "*** No rule to make", "multiple definition of"];
    log.lines()
        .filter(|line| MARKS.iter().any(|mark| line.contains(mark)))
        .map(|line| in_tree(line, tree))
        .take(10)
        .collect()
}

/// A line of a compiler with the kernel tree's own folder taken out of it, however the compiler was given it.
pub(crate) fn in_tree(line: &str, tree: &Path) -> String {
    let absolute = format!("{}/", tree.display());
    line.replace(&absolute, "").replace("../../tree/", "")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::time::{Duration, SystemTime};

    use super::{Folder, MARK, Target, count_objects, drop_unfinished, errors, number};

    fn folder() -> Folder {
        let path = PathBuf::from;
        Folder {
            target: Target::X86_64,
            tree: path("/c/work/1/tree"),
            dir: path("/c/work/1/build/net"),
            rust: Vec::new(),
            ccache: path("/c/ccache"),
            jobs: 3,
            sizes: path("/c/build-sizes"),
        }
    }

    #[test]
    fn objects_with_other_files_in_them_are_of_one_build_alone() {
        let flags = || super::with_binaries().collect::<Vec<_>>();
        let first = flags();
        assert!(first[0].starts_with("AFLAGS_piggy.o=-Dtxgen_build="), "{first:?}");
        std::thread::sleep(Duration::from_millis(1));
        assert_ne!(first, flags());
    }

    #[test]
    fn make_gets_the_build_folder_ccache_and_a_pinned_identity() {
        let words = shlex::split(&folder().make(&["bzImage"]).display()).unwrap();
        let words = words.iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(
            words,
            [
                "make",
                "-C",
                "/c/work/1/tree",
                "O=/c/work/1/build/net",
                "ARCH=x86_64",
                "CC=ccache gcc",
                "LOCALVERSION=",
                "KBUILD_BUILD_TIMESTAMP=2026-01-01",
                "KBUILD_BUILD_USER=txgen",
                "KBUILD_BUILD_HOST=txgen",
                "-j3",
                "bzImage",
            ]
        );
    }

    #[test]
    fn what_a_killed_make_wrote_is_made_again_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir(path("net")).unwrap();
        let write = |names: &[&str]| names.iter().for_each(|name| fs::write(path(name), "x").unwrap());
        write(&["net/old.o", "vmlinux"]);
        let past = SystemTime::now() - Duration::from_secs(60);
        for name in ["net/old.o", "vmlinux"] {
            fs::File::open(path(name)).unwrap().set_modified(past).unwrap();
        }
        let here = |name: &str| path(name).exists();
        drop_unfinished(dir.path(), &path(MARK)).unwrap();
        write(&[MARK, ".config", "net/new.o", "vmlinux"]);
        drop_unfinished(dir.path(), &path(MARK)).unwrap();
        assert_eq!(["net/old.o", ".config", "net/new.o", "vmlinux"].map(here), [true, true, false, false]);
    }

    #[test]
    fn errors_are_the_first_ones_with_paths_of_the_kernel_tree() {
        let log = "  CC      net/core/skbuff.o\n\
                   ../../tree/net/core/skbuff.c:10:5: error: 'x' undeclared\n\
                   /c/work/1/tree/net/core/skbuff.c:11:5: warning: unused\n\
                   /c/work/1/tree/net/core/gro.c:12:5: error: 'y' undeclared\n\
                   make[4]: *** [scripts/Makefile.build:287: net/core/skbuff.o] Error 1\n";
        assert_eq!(
            errors(log, Path::new("/c/work/1/tree")),
            ["net/core/skbuff.c:10:5: error: 'x' undeclared", "net/core/gro.c:12:5: error: 'y' undeclared",]
        );
    }

    #[test]
    fn the_number_of_a_build_is_what_make_said_last() {
        let log = "  LD      arch/x86/boot/setup.elf\n  BUILD   arch/x86/boot/bzImage\n\
                   Kernel: arch/x86/boot/bzImage is ready  (#31)\nmake[1]: Leaving directory '/c/work/1/build/net'\n";
        assert_eq!(number(log), Some(31));
        assert_eq!(number(&format!("Kernel: arch/x86/boot/bzImage is ready  (#3)\n{log}")), Some(31));
        assert_eq!(number("  BUILD   arch/x86/boot/bzImage\nmake: *** Error 2\n"), None);
    }

    #[test]
    fn only_compiled_objects_count_as_progress() {
        assert_eq!(count_objects("  CC      a.o\n  AR      built-in.a\n  CC      b.o\n  HOSTCC x\n"), 2);
    }
}

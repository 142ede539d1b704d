// SPDX-License-Identifier: GPL-2.0
//! A hermetic project for the tests of the binary: temporary folder, fixed author and date, and an environment that holds
//! nothing of the machine's. Around txgen itself it is as hostile as a user's can be; TXGEN_TEST_PLAIN=1 leaves that out.

pub mod hostile;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A project of its own in a temporary folder.
pub struct TestProject {
    dir: TempDir,
}

/// How a run of txgen ended.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Asserts the exit code, showing everything that was printed where it is another.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

impl TestProject {
    /// A project with the given series/bases.toml.
    pub fn new(bases: &str) -> Self {
        let project = Self { dir: TempDir::new().unwrap() };
        project.write("p/series/bases.toml", bases);
        project
    }

    /// The temporary folder; the project is in `p/`, the cache in `cache/`.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// A program in the test's environment: only PATH, a HOME of its own, and a fixed identity; around txgen the worst that a
    /// user may have set.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.dir())
            .env("TXGEN_CACHE", self.path("cache"))
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Test Author")
            .env("GIT_AUTHOR_EMAIL", "author@example.org")
            .env("GIT_COMMITTER_NAME", "Test Author")
            .env("GIT_COMMITTER_EMAIL", "author@example.org");
        if program == env!("CARGO_BIN_EXE_txgen") && std::env::var_os("TXGEN_TEST_PLAIN").is_none() {
            hostile::surround(&mut command, self.dir());
        }
        command
    }

    /// Runs txgen in the project.
    #[must_use]
    pub fn txgen(&self, args: &[&str]) -> Ran {
        let mut command = self.command(env!("CARGO_BIN_EXE_txgen"));
        command.args(args).current_dir(self.path("p"));
        let ran = ran(&mut command);
        assert_eq!(hostile::strangers(self.dir()), "", "txgen {args:?} ran what is the user's");
        ran
    }

    /// Runs git in a folder of the project; asserts that it succeeds.
    pub fn git(&self, dir: &str, args: &[&str]) -> String {
        let mut command = self.command("git");
        command.args(args).current_dir(self.path(dir));
        ran(&mut command).expect(0).stdout
    }
}

/// Runs a command of [`TestProject::command`].
pub fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

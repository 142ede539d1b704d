// SPDX-License-Identifier: GPL-2.0
//! What a project and its clone are, to compare and to go back to.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::common::{Ran, TestProject};
use super::linux;

/// How often something is killed, or tried; `TXGEN_KILLS=200 cargo nextest run --test together` takes longer.
pub fn kills(few: u32) -> u32 {
    std::env::var("TXGEN_KILLS").map_or(few, |text| text.parse().unwrap())
}

/// A moment between the beginning and a bit after the end of what takes `takes`.
pub fn moment(kill: u32, takes: Duration) -> Duration {
    takes.mul_f64(1.1 * f64::from((kill * 37) % 100) / 100.0).max(Duration::from_millis(1))
}

/// The files of the project that are kept, and the refs of the clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    files: [BTreeMap<String, String>; 2],
    refs: String,
}

impl State {
    /// What is there; the date and the id of a series that is new are others each time.
    pub fn of(project: &TestProject) -> Self {
        let mut files = linux::files(project);
        for (_, text) in files[0].iter_mut().filter(|(name, _)| name.ends_with("series.toml")) {
            let kept = text.lines().filter(|line| !line.starts_with("date = ") && !line.starts_with("change-id = "));
            *text = kept.map(|line| format!("{line}\n")).collect();
        }
        Self { files, refs: refs(project) }
    }
}

fn refs(project: &TestProject) -> String {
    project.git("linux", &["for-each-ref", "--format=%(objectname) %(refname)"])
}

/// A state to go back to.
pub struct Saved {
    refs: String,
}

impl Saved {
    pub fn new(project: &TestProject) -> Self {
        copy(&project.path("p/series"), &project.path("saved/series"));
        copy(&project.path("p/kernel-overlay"), &project.path("saved/kernel-overlay"));
        Self { refs: refs(project) }
    }

    pub fn restore(&self, project: &TestProject) {
        for folder in ["series", "kernel-overlay"] {
            fs::remove_dir_all(project.path(&format!("p/{folder}"))).unwrap_or_default();
            copy(&project.path(&format!("saved/{folder}")), &project.path(&format!("p/{folder}")));
        }
        let mut commands = String::new();
        for line in refs(project).lines() {
            commands += &format!("delete {}\n", line.split_once(' ').unwrap().1);
        }
        update(project, &commands);
        let create = |line: &str| line.split_once(' ').map(|(id, name)| format!("create {name} {id}\n")).unwrap();
        update(project, &self.refs.lines().map(create).collect::<String>());
    }
}

fn update(project: &TestProject, commands: &str) {
    project.write("commands", commands);
    let mut git = project.command("git");
    git.args(["update-ref", "--stdin"]).stdin(fs::File::open(project.path("commands")).unwrap());
    assert!(git.current_dir(project.path("linux")).status().unwrap().success());
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let copied = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().unwrap();
    assert!(copied.success());
}

/// The project of [`linux::project`], whose branch is not checked out.
pub fn project() -> TestProject {
    let project = linux::project();
    linux::sh(&project, "git checkout --quiet --detach main");
    project
}

const CLONE: &[&str] = &["--tree", "../linux", "--base", "main"];

/// Arguments of commands on the clone.
pub fn args(command: &'static [&'static str]) -> Vec<&'static str> {
    // Those of a subcommand come last.
    let (name, rest) = command.split_at(2);
    [name, CLONE, rest].concat()
}

#[must_use]
pub fn txgen(project: &TestProject, command: &'static [&'static str]) -> Ran {
    project.txgen(&args(command))
}

/// Starts txgen; nobody looks at what it says.
pub fn start(project: &TestProject, command: &'static [&'static str]) -> Child {
    let mut txgen = project.command(env!("CARGO_BIN_EXE_txgen"));
    txgen.args(args(command)).current_dir(project.path("p"));
    txgen.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for a txgen that was started: its exit code, and what it said of errors.
pub fn end(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Ran { code: output.status.code().unwrap_or(-1), stdout: String::new(), stderr }
}

/// What a command makes of a project, and how long it takes; the project is as it was then.
pub fn made(project: &TestProject, saved: &Saved, commands: &[&'static [&'static str]]) -> (State, Duration) {
    let begun = Instant::now();
    for command in commands {
        let _ = txgen(project, command).expect(0);
    }
    let (takes, state) = (begun.elapsed(), State::of(project));
    saved.restore(project);
    (state, takes)
}

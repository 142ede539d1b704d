// SPDX-License-Identifier: GPL-2.0
//! The only module that spawns programs: argv vectors, a timeout, captured output, a named error.
//!
//! Every child leads its own process group, so a timeout or a signal ends all that it started.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use wait_timeout::ChildExt;

use crate::error::MissingTool;
use crate::files;
use group::Group;

mod environment;
mod group;
mod tools;

pub use environment::forget_foreign_variables;
pub use group::stop_children_on_signals;
pub use tools::{install_hint, require};

/// How long a program may run where the caller does not say: long enough for any but a kernel build.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// A program to run.
#[derive(Debug, Clone)]
pub struct Run {
    argv: Vec<OsString>,
    dir: Option<PathBuf>,
    env: Vec<(OsString, OsString)>,
    clear_env: bool,
    stdin: Vec<u8>,
    log: Option<PathBuf>,
    log_at_most: u64,
    shared: Option<Arc<File>>,
    timeout: Duration,
}

/// How a program ended and what it printed.
#[derive(Debug)]
pub struct Output {
    /// Its exit status; a timeout is an error of [`Run::output`] instead.
    pub status: ExitStatus,
    /// Standard output (empty where it went to a log).
    pub stdout: Vec<u8>,
    /// Standard error (empty where it went to a log).
    pub stderr: Vec<u8>,
}

impl Output {
    /// Standard output as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
    /// Standard error as text; bytes that are no UTF-8 are replaced.
    pub fn errors(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// A program that did not end within its time; its whole process group was killed.
#[derive(Debug, thiserror::Error)]
#[error("{program} did not end within {seconds} s and was killed")]
pub struct TimedOut {
    /// The program.
    pub program: String,
    /// The time it was given, in seconds.
    pub seconds: u64,
}

/// A program that wrote more than it may; its whole process group was killed.
#[derive(Debug, thiserror::Error)]
#[error("{program} wrote more than {bytes} bytes to its log and was killed")]
pub struct LongLog {
    /// The program.
    pub program: String,
    /// What it may write.
    pub bytes: u64,
}

/// A program that was not waited for any longer; its whole process group was killed.
#[derive(Debug, thiserror::Error)]
#[error("{program} {why} and was killed")]
pub struct Stopped {
    /// The program.
    pub program: String,
    /// What it did, as the rest of a sentence.
    pub why: String,
}

impl Run {
    /// A program and its arguments.
    pub fn new<S: AsRef<OsStr>>(program: impl AsRef<OsStr>, args: impl IntoIterator<Item = S>) -> Self {
        let mut argv = vec![program.as_ref().to_owned()];
        argv.extend(args.into_iter().map(|a| a.as_ref().to_owned()));
        Self {
            argv,
            dir: None,
            env: Vec::new(),
            clear_env: false,
            stdin: Vec::new(),
            log: None,
            log_at_most: u64::MAX,
            shared: None,
            timeout: DEFAULT_TIMEOUT,
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.argv.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.argv.extend(args.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    /// Runs in `dir`.
    pub fn dir(mut self, dir: &Path) -> Self {
        self.dir = Some(dir.to_owned());
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Starts from an environment of `PATH` and `HOME` alone.
    pub fn clear_env(mut self) -> Self {
        self.clear_env = true;
        self
    }

    /// Gives `bytes` on standard input (nothing otherwise).
    pub fn stdin(mut self, bytes: &[u8]) -> Self {
        bytes.clone_into(&mut self.stdin);
        self
    }

    /// Sends standard output and error to the file `path`, in the order they came.
    pub fn log(mut self, path: &Path) -> Self {
        self.log = Some(path.to_owned());
        self
    }

    /// Kills the program and all that it started once its log has more than `bytes`: it is looked at five times a
    /// second.
    pub fn log_at_most(mut self, bytes: u64) -> Self {
        self.log_at_most = bytes;
        self
    }

    /// Sends standard output and error to an open file. A lock on it lasts as long as this program or one that it
    /// started has the file open, even when we are dead.
    pub fn log_to(mut self, file: File) -> Self {
        self.shared = Some(Arc::new(file));
        self
    }

    /// Kills the program and all that it started after `timeout`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The program's name, for messages.
    fn program(&self) -> String {
        self.argv[0].to_string_lossy().into_owned()
    }

    /// The command as a shell would take it, for messages and logs.
    pub fn display(&self) -> String {
        let words = self.argv.iter().map(|a| a.to_string_lossy().into_owned()).collect::<Vec<_>>();
        shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
    }

    /// Runs it to its end, whatever its exit status.
    pub fn output(&self) -> Result<Output> {
        self.output_while(|| {})
    }

    /// Runs it to its end and calls `tick` about five times a second meanwhile.
    pub fn output_while(&self, mut tick: impl FnMut()) -> Result<Output> {
        self.output_unless(|| {
            tick();
            ControlFlow::Continue(())
        })
    }

    /// The same with a `tick` that may break off: then the program and all that it started are killed.
    pub fn output_unless(&self, mut tick: impl FnMut() -> ControlFlow<String>) -> Result<Output> {
        let mut streams = self.streams()?;
        let mut child = self.spawn(&streams, self.stdin_file()?)?;
        let group = Group::of(&child)?;
        let status = self.wait(&mut child, &group, &mut tick);
        drop(group);
        Ok(Output { status: status?, stdout: streams.stdout()?, stderr: streams.stderr()? })
    }

    /// Runs it while `write` streams its standard input; where both fail, the program's own error is told.
    ///
    /// The timeout counts from the end of the input.
    pub fn feed(&self, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<Output> {
        let mut streams = self.streams()?;
        let mut child = self.spawn(&streams, Stdio::piped())?;
        let group = Group::of(&child)?;
        let mut input = BufWriter::with_capacity(1 << 20, child.stdin.take().context("a piped standard input")?);
        let written = write(&mut input).and_then(|()| input.flush().context("write a program's input"));
        drop(input);
        let status = self.wait(&mut child, &group, &mut || ControlFlow::Continue(()));
        drop(group);
        let output = Output { status: status?, stdout: streams.stdout()?, stderr: streams.stderr()? };
        match written {
            Err(error) if output.status.success() || !is_broken_pipe(&error) => Err(error),
            _ => self.succeeded(output),
        }
    }

    /// Runs it and takes any exit status but 0 as an error that quotes the end of what it printed.
    pub fn check(&self) -> Result<Output> {
        self.succeeded(self.output()?)
    }

    fn succeeded(&self, output: Output) -> Result<Output> {
        if output.status.success() {
            return Ok(output);
        }
        let said = match &self.log {
            Some(log) => std::fs::read_to_string(log).unwrap_or_else(|e| format!("(log {}: {e})", log.display())),
            None => output.errors() + &output.text(),
        };
        bail!("`{}` failed ({}): {}", self.display(), describe(output.status), last_lines(&said, 15));
    }

    fn streams(&self) -> Result<Streams> {
        let make = || tempfile::tempfile().context("make a temporary file for a program's output");
        if let Some(file) = &self.shared {
            let clone = || file.try_clone().context("share a log with a program");
            return Ok(Streams { out: clone()?, err: clone()?, to_log: true });
        }
        match &self.log {
            Some(path) => {
                // What a killed txgen started may still write to the log of then.
                files::remove_file(path)?;
                let file = File::create(path).with_context(|| format!("make log {}", path.display()))?;
                let twin = file.try_clone().with_context(|| format!("open log {}", path.display()))?;
                Ok(Streams { out: file, err: twin, to_log: true })
            }
            None => Ok(Streams { out: make()?, err: make()?, to_log: false }),
        }
    }

    fn spawn(&self, streams: &Streams, stdin: Stdio) -> Result<Child> {
        let mut command = Command::new(&self.argv[0]);
        command.args(&self.argv[1..]).process_group(0);
        for (name, _) in std::env::vars_os().filter(|(name, _)| !environment::reaches_programs(name)) {
            command.env_remove(name);
        }
        if self.clear_env {
            command.env_clear();
            for name in ["PATH", "HOME"] {
                if let Some(value) = std::env::var_os(name) {
                    command.env(name, value);
                }
            }
        }
        command.envs(self.env.iter().map(|(k, v)| (k, v)));
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        let clone = |f: &File| f.try_clone().context("share a file with a program");
        command.stdin(stdin).stdout(clone(&streams.out)?).stderr(clone(&streams.err)?);
        command.spawn().map_err(|e| match e.kind() {
            ErrorKind::NotFound if self.dir.as_ref().is_none_or(|d| d.is_dir()) => {
                MissingTool { tool: self.program(), install: install_hint(&self.program()) }.into()
            }
            _ => anyhow::Error::new(e).context(format!("start {}", self.program())),
        })
    }

    fn stdin_file(&self) -> Result<Stdio> {
        if self.stdin.is_empty() {
            return Ok(Stdio::null());
        }
        let mut file = tempfile::tempfile().context("make a temporary file for a program's input")?;
        file.write_all(&self.stdin).context("write a program's input")?;
        file.seek(SeekFrom::Start(0)).context("rewind a program's input")?;
        Ok(file.into())
    }

    fn log_size(&self) -> u64 {
        // A log that is not there has no size.
        self.log.as_ref().and_then(|log| log.metadata().ok()).map_or(0, |log| log.len())
    }

    fn wait(
        &self,
        child: &mut Child,
        group: &Group,
        tick: &mut impl FnMut() -> ControlFlow<String>,
    ) -> Result<ExitStatus> {
        let end = Instant::now() + self.timeout;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let step = left.min(Duration::from_millis(200));
            let waited = child.wait_timeout(step).with_context(|| format!("wait for {}", self.program()))?;
            if let Some(status) = waited {
                return Ok(status);
            }
            let over = if left.is_zero() {
                Some(TimedOut { program: self.program(), seconds: self.timeout.as_secs() }.into())
            } else if self.log_at_most < u64::MAX && self.log_size() > self.log_at_most {
                Some(LongLog { program: self.program(), bytes: self.log_at_most }.into())
            } else {
                tick().break_value().map(|why| Stopped { program: self.program(), why }.into())
            };
            if let Some(error) = over {
                group.kill();
                child.wait().with_context(|| format!("wait for {}", self.program()))?;
                return Err(error);
            }
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|e| e.downcast_ref::<std::io::Error>()).any(|e| e.kind() == ErrorKind::BrokenPipe)
}

struct Streams {
    out: File,
    err: File,
    to_log: bool,
}

impl Streams {
    fn stdout(&mut self) -> Result<Vec<u8>> {
        if self.to_log { Ok(Vec::new()) } else { read_back(&mut self.out) }
    }
    fn stderr(&mut self) -> Result<Vec<u8>> {
        if self.to_log { Ok(Vec::new()) } else { read_back(&mut self.err) }
    }
}

fn read_back(file: &mut File) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).context("rewind a program's output")?;
    file.read_to_end(&mut bytes).context("read a program's output")?;
    Ok(bytes)
}

/// How a program ended, in words.
pub fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

/// The last `count` lines of a text.
pub fn last_lines(text: &str, count: usize) -> String {
    let lines = text.lines().collect::<Vec<_>>();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::time::{Duration, Instant};

    use super::{Run, TimedOut};
    use crate::error::MissingTool;

    #[test]
    fn a_missing_program_is_an_error_that_names_its_package() {
        let error = Run::new("no-such-program-here", ["x"]).output().expect_err("it does not exist");
        let missing = error.downcast::<MissingTool>().expect("the error says it is missing");
        assert_eq!(missing.tool, "no-such-program-here");
    }

    #[test]
    fn a_program_that_hangs_is_killed_with_its_children() {
        let start = Instant::now();
        let error = Run::new("sh", ["-c", "sleep 60 & sleep 60"])
            .timeout(Duration::from_millis(300))
            .output()
            .expect_err("it hangs");
        assert!(error.is::<TimedOut>(), "{error:#}");
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_program_that_writes_too_much_is_killed_with_its_children() {
        let dir = tempfile::tempdir().expect("a folder");
        let start = Instant::now();
        let error = Run::new("sh", ["-c", "sleep 60 & while :; do echo flood; sleep 0.01; done"])
            .log(&dir.path().join("log"))
            .log_at_most(100)
            .output()
            .expect_err("it floods");
        assert_eq!(error.to_string(), "sh wrote more than 100 bytes to its log and was killed");
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_program_that_is_not_waited_for_is_killed_with_its_children() {
        let start = Instant::now();
        let mut ticks = 0;
        let mut tick = || {
            ticks += 1;
            if ticks == 3 { ControlFlow::Break("is in the way".to_owned()) } else { ControlFlow::Continue(()) }
        };
        let error = Run::new("sh", ["-c", "sleep 60 & sleep 60"]).output_unless(&mut tick).expect_err("it is killed");
        assert_eq!(error.to_string(), "sh is in the way and was killed");
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_failure_quotes_what_the_program_said() {
        let error = Run::new("sh", ["-c", "echo the reason >&2; exit 3"]).check().expect_err("exit 3");
        let text = format!("{error:#}");
        assert!(text.contains("exit 3") && text.contains("the reason"), "{text}");
    }

    #[test]
    fn a_program_that_stops_reading_is_told_by_its_own_error() {
        let big = vec![0; 1 << 22];
        let error = Run::new("sh", ["-c", "echo disk full >&2; exit 4"])
            .feed(|to| Ok(to.write_all(&big)?))
            .expect_err("it does not read");
        assert!(format!("{error:#}").contains("disk full"), "{error:#}");
    }

    #[test]
    fn a_fed_program_sees_what_is_written() {
        let output = Run::new("sh", ["-c", "wc -c"]).feed(|to| Ok(to.write_all(&[7; 3000])?)).expect("it reads");
        assert_eq!(output.text().trim(), "3000");
    }

    #[test]
    fn more_output_than_a_pipe_holds_is_captured_whole() {
        let output = Run::new("sh", ["-c", "head -c 1000000 /dev/zero"]).check().expect("it runs");
        assert_eq!(output.stdout.len(), 1_000_000);
    }
}

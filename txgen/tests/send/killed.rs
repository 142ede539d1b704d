// SPDX-License-Identifier: GPL-2.0
//! Sending and writing mails that are killed: no mail goes out twice, none is forgotten.

use std::fs;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::kernel::Kernel;
use super::outgoing::{command, send, series, toml, use_server};
use super::smtp::Sink;

/// How often each is killed; `TXGEN_KILLS=200 cargo test --test send killed` takes longer.
fn kills() -> u32 {
    std::env::var("TXGEN_KILLS").map_or(8, |text| text.parse().unwrap())
}

/// A moment between the beginning and a bit after the end of what takes `takes`.
fn moment(kill: u32, takes: Duration) -> Duration {
    takes.mul_f64(1.1 * f64::from((kill * 37) % 100) / 100.0).max(Duration::from_millis(1))
}

fn start(kernel: &Kernel, args: &[&str]) -> Child {
    command(kernel, args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Everything that a process started, and what that started.
fn descendants(id: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    let children = children.split_whitespace().map(|id| id.parse::<u32>().unwrap()).collect::<Vec<_>>();
    children.iter().copied().chain(children.iter().flat_map(|id| descendants(*id))).collect()
}

/// A series, and the state of its project before anything was sent, to go back to.
struct Again {
    kernel: Kernel,
    toml: String,
}

impl Again {
    fn new() -> Self {
        let kernel = series();
        let toml = toml(&kernel);
        Self { kernel, toml }
    }

    fn reset(&self) {
        self.kernel.project.write("p/series/tiny/series.toml", &self.toml);
        let _ = fs::remove_dir_all(self.kernel.project.path("p/series/tiny/sent"));
        self.kernel.project.git("k", &["tag", "-d", "sent/tiny-v1"]);
    }

    /// How long a sending takes from beginning to end.
    fn takes(&self) -> Duration {
        let sink = Sink::with(vec![], Duration::from_millis(20));
        use_server(&self.kernel, &sink);
        let begun = Instant::now();
        let _ = send(&self.kernel, &["--yes"]).expect(0);
        let takes = begun.elapsed();
        self.reset();
        takes
    }

    /// All is out, once, in order, and recorded.
    fn expect_whole(&self, sink: &Sink, kill: u32) {
        let numbers = sink.ids().iter().map(|id| id.split('-').nth(4).unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(numbers, ["0", "1", "2"], "kill {kill}");
        assert!(toml(&self.kernel).contains("\nversion = 2\n"), "kill {kill}");
        let record = self.kernel.project.read("p/series/tiny/sent/v1.mbox");
        assert_eq!(record.matches("\nMessage-ID: ").count(), 3, "kill {kill}: {record}");
        let left = fs::read_dir(self.kernel.txgen_project().root.join(".txgen")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "kill {kill}");
    }
}

#[test]
fn a_sending_that_is_killed_goes_on_where_it_was() {
    let again = Again::new();
    let takes = again.takes();
    let mut in_between = 0;
    for kill in 0..kills() {
        let sink = Sink::with(vec![], Duration::from_millis(20));
        use_server(&again.kernel, &sink);
        let mut child = start(&again.kernel, &["--yes"]);
        sleep(moment(kill, takes));
        child.kill().unwrap();
        child.wait().unwrap();
        let posted = toml(&again.kernel).contains("[[posted]]");
        in_between += u32::from(!posted && again.kernel.project.path("p/.txgen/tiny.send").exists());
        if !posted || again.kernel.project.path("p/.txgen/tiny.send").exists() {
            let _ = send(&again.kernel, &["--yes"]).expect(0);
        }
        // Whatever is left of it otherwise goes with the next command.
        let _ = again.kernel.project.txgen(&["base", "list"]).expect(0);
        again.expect_whole(&sink, kill);
        again.reset();
    }
    assert!(in_between > 0, "no kill came while mails were being sent");
}

#[test]
fn where_git_send_email_is_killed_too_nothing_is_sent_twice() {
    let again = Again::new();
    let takes = again.takes();
    for kill in 0..kills() {
        let sink = Sink::with(vec![], Duration::from_millis(20));
        use_server(&again.kernel, &sink);
        let mut child = start(&again.kernel, &["--yes"]);
        sleep(moment(kill, takes));
        let all = descendants(child.id());
        child.kill().unwrap();
        for id in all {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(id as i32), nix::sys::signal::Signal::SIGKILL);
        }
        child.wait().unwrap();
        sleep(Duration::from_millis(100));
        for _ in 0..2 {
            if toml(&again.kernel).contains("[[posted]]") && !again.kernel.project.path("p/.txgen/tiny.send").exists() {
                break;
            }
            // A person looks into the archive where txgen asks.
            let ran = send(&again.kernel, &["--yes"]);
            if ran.code == 1 {
                let id = ran.stderr.split_once('<').unwrap().1.split_once('>').unwrap().0.to_owned();
                let answer = if sink.ids().contains(&id) { "--was-sent" } else { "--was-not-sent" };
                let _ = send(&again.kernel, &["--yes", answer]).expect(0);
            } else {
                let _ = ran.expect(0);
            }
        }
        let _ = again.kernel.project.txgen(&["base", "list"]).expect(0);
        again.expect_whole(&sink, kill);
        again.reset();
    }
}

#[test]
fn writing_that_is_killed_leaves_the_old_mails_or_the_new_ones() {
    let kernel = series();
    let read = || {
        let Ok(entries) = fs::read_dir(kernel.project.path("p/out/tiny")) else { return Vec::new() };
        let mut files = entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
        files.sort();
        files.into_iter().map(|path| fs::read_to_string(path).unwrap()).collect::<Vec<_>>()
    };
    let mut states = Vec::new();
    let mut takes = Duration::ZERO;
    for version in ["2", "3"] {
        let begun = Instant::now();
        let _ = kernel.txgen("format-series", &["-v", version]).expect(0);
        takes = begun.elapsed();
        states.push(read());
    }
    let base = kernel.applied().base.commit;
    for kill in 0..kills() {
        let version = if kill % 2 == 0 { "2" } else { "3" };
        let mut command = kernel.project.command(env!("CARGO_BIN_EXE_txgen"));
        command.args(["format-series", "tiny", "--tree", "../k", "--base", &base, "-v", version]);
        command.current_dir(kernel.project.path("p")).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        sleep(moment(kill, takes));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(states.contains(&read()), "kill {kill}");
    }
}

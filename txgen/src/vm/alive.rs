// SPDX-License-Identifier: GPL-2.0
//! Whether a guest that runs still gets anywhere: one that hangs is not waited for until all its time is over.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::guest::MOST;
use super::splat::{self, Kind};
use crate::files;

/// How long a guest goes on that told of a stall: its boot has failed, and what follows is reports of the same.
const AFTER_STALL: Duration = Duration::from_secs(60);

/// A text file that grows.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    read: u64,
}

impl Tail {
    pub(super) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), read: 0 }
    }

    /// The lines that came to it since the last call; none where there is no such file.
    pub(super) fn lines(&mut self) -> String {
        let Ok(bytes) = files::bytes_from(&self.path, self.read, MOST) else { return String::new() };
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        self.read += whole as u64;
        String::from_utf8_lossy(&bytes[..whole]).into_owned()
    }
}

/// What a guest is watched by.
#[derive(Debug)]
pub(super) struct Alive {
    console: Tail,
    files: Vec<PathBuf>,
    longest: Duration,
    /// The bytes of the files, and since when there are so many.
    said: (u64, Instant),
    stalled: Option<Instant>,
}

impl Alive {
    /// Watches a guest by its console and by `others`, files that it writes as it goes.
    pub(super) fn of(console: &Path, others: &[PathBuf], longest: Duration) -> Self {
        let files = others.iter().cloned().chain([console.to_owned()]).collect();
        Self { console: Tail::of(console), files, longest, said: (0, Instant::now()), stalled: None }
    }

    /// Breaks with what the guest did where it does not get anywhere.
    pub(super) fn tick(&mut self) -> ControlFlow<String> {
        // A file that is not there has no size.
        let said = self.files.iter().filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum();
        if said != self.said.0 {
            self.said = (said, Instant::now());
            let news = splat::find(&self.console.lines());
            if self.stalled.is_none() && news.iter().any(|splat| splat.kind == Kind::Stall) {
                self.stalled = Some(Instant::now());
            }
        }
        if self.said.1.elapsed() >= self.longest {
            return ControlFlow::Break(format!("said nothing for {} s", self.longest.as_secs()));
        }
        match self.stalled {
            Some(since) if since.elapsed() >= AFTER_STALL => {
                ControlFlow::Break(format!("did not end within {} s of a stall", AFTER_STALL.as_secs()))
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::time::{Duration, Instant};

    use super::{AFTER_STALL, Alive, Tail};

    #[test]
    fn the_lines_of_a_file_that_grows_come_once_and_whole() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut tail = Tail::of(file.path());
        let write = |text: &[u8]| file.as_file().write_all(text).unwrap();
        write(b"a\xff\nb");
        assert_eq!(tail.lines(), "a\u{fffd}\n");
        assert_eq!(tail.lines(), "");
        write(b"c\n");
        assert_eq!(tail.lines(), "bc\n");
    }

    #[test]
    fn a_guest_is_silent_only_where_none_of_its_files_grows() {
        let dir = tempfile::tempdir().unwrap();
        let [console, other] = ["console.log", "other"].map(|name| dir.path().join(name));
        let mut alive = Alive::of(&console, std::slice::from_ref(&other), Duration::from_millis(60));
        for (file, text) in [(&console, "a"), (&other, "b"), (&console, "ab"), (&other, "bc")] {
            fs::write(file, text).unwrap();
            std::thread::sleep(Duration::from_millis(40));
            assert!(alive.tick().is_continue(), "{text}");
        }
        std::thread::sleep(Duration::from_millis(80));
        assert_eq!(alive.tick().break_value().as_deref(), Some("said nothing for 0 s"));
    }

    #[test]
    fn a_guest_that_stalls_is_not_kept_alive_by_telling_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let console = dir.path().join("console.log");
        let mut alive = Alive::of(&console, &[], Duration::from_secs(900));
        fs::write(&console, "[    1.0] rcu: INFO: rcu_preempt self-detected stall on CPU\n").unwrap();
        assert!(alive.tick().is_continue());
        alive.stalled = Instant::now().checked_sub(AFTER_STALL);
        fs::write(&console, "[    1.0] rcu: INFO: rcu_preempt self-detected stall on CPU\nonce more\n").unwrap();
        assert_eq!(alive.tick().break_value().as_deref(), Some("did not end within 60 s of a stall"));
    }

    #[test]
    fn a_guest_that_only_warns_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let console = dir.path().join("console.log");
        let mut alive = Alive::of(&console, &[], Duration::from_secs(900));
        fs::write(&console, "[    1.0] WARNING: net/a.c:1 at b+0x1/0x2\n").unwrap();
        assert!(alive.tick().is_continue() && alive.stalled.is_none());
    }
}

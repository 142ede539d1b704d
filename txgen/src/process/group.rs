// SPDX-License-Identifier: GPL-2.0
//! The process groups of programs that run: a signal that ends this program ends them first.

use std::collections::BTreeSet;
use std::process::Child;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// Those that are running.
static RUNNING: Mutex<BTreeSet<Pid>> = Mutex::new(BTreeSet::new());

/// The process group of a child that leads one; while it lives, a signal ends all that is in it.
pub(super) struct Group(Pid);

impl Group {
    /// That of `child`.
    pub(super) fn of(child: &Child) -> Result<Self> {
        let leader = Pid::from_raw(i32::try_from(child.id()).context("a process id out of range")?);
        running(|set| set.insert(leader));
        Ok(Self(leader))
    }

    /// Kills all that is in it; nothing where it is gone by itself.
    pub(super) fn kill(&self) {
        kill(self.0);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        running(|set| set.remove(&self.0));
    }
}

fn kill(leader: Pid) {
    // The group may be gone by itself at any moment: then there is nothing to kill.
    killpg(leader, Signal::SIGKILL).ok();
}

fn running<T>(change: impl FnOnce(&mut BTreeSet<Pid>) -> T) -> T {
    // A panic while the lock is held leaves a whole set behind: the set stays usable.
    change(&mut RUNNING.lock().unwrap_or_else(PoisonError::into_inner))
}

/// On ctrl-C, SIGTERM and SIGHUP: kills every running child with all that it started, then exits 130.
pub fn stop_children_on_signals() {
    let installed = ctrlc::set_handler(|| {
        running(|set| set.iter().copied().for_each(kill));
        crate::output::eprintln!("txgen: interrupted; what was finished before is kept, the rest is unchanged");
        std::process::exit(130);
    });
    if let Err(error) = installed {
        crate::output::eprintln!("txgen: children will outlive ctrl-C: {error}");
    }
}

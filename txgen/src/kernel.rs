// SPDX-License-Identifier: GPL-2.0
//! Kernel source trees on disk and builds of them.
//!
//! A repository's tree lies in `$TXGEN_CACHE/work/ID/PURPOSE/tree`, its build folders in `work/ID/PURPOSE/build/CONFIG`: the
//! way from one to the other is the same everywhere, so one ccache serves all repositories.

pub mod build;
pub mod builder;
pub mod config;
pub mod panics;
pub mod rust;
pub mod worktree;

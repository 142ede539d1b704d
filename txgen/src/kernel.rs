// SPDX-License-Identifier: GPL-2.0
//! Kernel source trees on disk and builds of them.

pub mod worktree;

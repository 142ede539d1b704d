// SPDX-License-Identifier: GPL-2.0
//! One command a file: `Args`, whose doc comments are the help, and `run`.

pub mod apply;
pub mod arrange;
pub mod audit;
pub mod base;
pub mod bench;
pub mod bisect;
pub mod check;
pub mod completions;
pub mod export;
pub mod format_series;
pub mod generate;
pub mod import;
pub mod man;
pub mod mutate;
pub mod outgoing;
pub mod plan;
pub mod prove;
pub mod rebase;
pub mod refresh;
pub mod report;
pub mod send;
pub mod status;
pub mod test;
pub mod trailers;
pub mod which;

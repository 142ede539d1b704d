// SPDX-License-Identifier: GPL-2.0
//! txgen keeps a long-lived Linux networking series alive.
//!
//! The data flow, each arrow a plain function from value to value:
//!
//! ```text
//! design.rs -> model::parse -> Model -> render -> overlay
//!                                                    |
//! series/NAME (toml, msg, diff, cocci) -> series::plan -> git::commit_series
//!                                                    |
//!      refresh: branch -> refresh::pair -> births, manifest -> stage (applied again) -> series/NAME
//!                                                    |
//!      rebase: series::home -> series::carry (merge) -> series::onto -> series/NAME
//!                                                    |
//!        audit, check <- Applied -> kernel::build -> vm::run -> proof
//!                                                    |
//!                                             mail, report
//!        mail -> send -> series/NAME/sent; trailers: answers -> series/NAME
//!        bench: kernel::build -> bench::boot -> aggregate -> show
//! ```
//!
//! `cmd` imports everything; nothing imports `cmd`.

pub mod audit;
pub mod b4;
pub mod base;
pub mod bench;
pub mod check;
pub mod cli;
pub mod cmd;
pub mod cocci;
pub mod design;
pub mod error;
pub mod facts;
pub mod files;
pub mod git;
pub mod import;
pub mod invisible;
pub mod joined;
pub mod kernel;
pub mod lock;
pub mod mail;
pub mod mailbox;
pub mod merge;
pub mod model;
pub mod mutate;
pub mod output;
pub mod overlay;
pub mod plain;
pub mod process;
pub mod progress;
pub mod project;
pub mod proof;
pub mod prove;
pub mod rebase;
pub mod refresh;
pub mod render;
pub mod reorder;
pub mod report;
pub mod scratch;
pub mod sealed;
pub mod selftests;
pub mod send;
pub mod series;
pub mod shard;
pub mod slice;
pub mod trailers;
pub mod value;
pub mod vm;

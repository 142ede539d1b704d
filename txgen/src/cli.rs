// SPDX-License-Identifier: GPL-2.0
//! The command line: which commands there are, and how an error is printed.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::anyhow;
use clap::{CommandFactory, Parser, Subcommand};

use crate::cmd;
use crate::error::{self, Exit};
use crate::output;
use crate::plain::visible_lines;
use crate::project::Project;
use crate::rebase;

const EXIT_CODES: &str = "Exit codes: 0 good, 1 findings or failed tests, 2 could not run, 3 conflict; \
130 interrupted; \
141 nobody reads the output.";

/// Keeps a long-lived Linux networking series: renders, applies, checks, boots and formats it.
#[derive(Debug, Parser)]
#[command(name = "txgen", version, after_help = EXIT_CODES)]
struct Cli {
    /// Root of the project (the folder with series/bases.toml); found by going up from here otherwise
    #[arg(long, global = true, value_name = "DIR")]
    project: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Base(cmd::base::Args),
    Generate(cmd::generate::Args),
    New(cmd::import::NewArgs),
    Import(cmd::import::ImportArgs),
    Export(cmd::export::Args),
    Apply(cmd::apply::Args),
    Allow(cmd::allow::Args),
    Refresh(cmd::refresh::Args),
    Drop(cmd::arrange::DropArgs),
    Move(cmd::arrange::MoveArgs),
    Rebase(cmd::rebase::Args),
    Status(cmd::status::Args),
    Log(cmd::log::Args),
    Check(cmd::check::Args),
    Audit(cmd::audit::Args),
    Test(cmd::test::Args),
    Bisect(cmd::bisect::Args),
    Plan(cmd::plan::Args),
    Prove(cmd::prove::Args),
    Report(cmd::report::Args),
    Mutate(cmd::mutate::Args),
    Bench(cmd::bench::Args),
    FormatSeries(cmd::format_series::Args),
    Send(cmd::send::Args),
    Trailers(cmd::trailers::Args),
    Completions(cmd::completions::Args),
    Man(cmd::man::Args),
}

/// Parses the command line, runs the command, and prints its error, if any.
pub fn main() -> ExitCode {
    // SAFETY: no thread was started yet.
    unsafe { crate::process::forget_foreign_variables() };
    let code = match Cli::try_parse() {
        Ok(cli) => started(cli),
        Err(error) => usage(&error),
    };
    match output::finish() {
        output::Fared::Written => code,
        output::Fared::Closed if code <= Exit::Findings as u8 => output::CLOSED,
        output::Fared::Closed => code,
        output::Fared::Failed(what) => report(&anyhow!(what)),
    }
    .into()
}

fn started(cli: Cli) -> u8 {
    // SAFETY: no thread was started yet.
    if let Err(error) = unsafe { crate::git::configure_libgit2().and_then(|()| output::survive_limits()) } {
        return report(&error);
    }
    crate::process::stop_children_on_signals();
    match run(cli) {
        Ok(exit) => exit as u8,
        Err(error) => report(&error),
    }
}

/// Prints the help that was asked for, or what is wrong with the command line.
fn usage(error: &clap::Error) -> u8 {
    let text = error.render();
    if error.use_stderr() {
        crate::output::eprint!("{}", text.ansi());
    } else {
        crate::output::print!("{}", text.ansi());
    }
    u8::try_from(error.exit_code()).unwrap_or(Exit::Failed as u8)
}

fn report(error: &anyhow::Error) -> u8 {
    let (on, off) = (report_style().render(), report_style().render_reset());
    // What it quotes may be anybody's.
    crate::output::eprintln!("{on}txgen:{off} {}", visible_lines(&error::message(error)));
    error::classify(error) as u8
}

/// Finishes what a txgen that was killed left; what can not be finished is in the way of its own series only.
fn finish_what_was_killed(project: &Project) {
    let troubles = match rebase::recover::recover(project) {
        Ok(troubles) => troubles.into_iter().map(|trouble| trouble.error).collect(),
        Err(error) => vec![error],
    };
    for error in troubles {
        crate::output::eprintln!("txgen: warning: {}", visible_lines(&format!("{error:#}")));
    }
}

fn report_style() -> anstyle::Style {
    anstyle::AnsiColor::Red.on_default().bold()
}

/// All commands and options, as shells and manual pages tell them.
pub fn command() -> clap::Command {
    Cli::command()
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    match &cli.command {
        Command::Completions(args) => return cmd::completions::run(args),
        Command::Man(args) => return cmd::man::run(args),
        _ => {}
    }
    let project = Project::open(cli.project.as_deref())?;
    finish_what_was_killed(&project);
    match cli.command {
        Command::Base(args) => cmd::base::run(&project, &args),
        Command::Generate(args) => cmd::generate::run(&project, &args),
        Command::New(args) => cmd::import::run_new(&project, &args),
        Command::Import(args) => cmd::import::run_import(&project, &args),
        Command::Export(args) => cmd::export::run(&project, &args),
        Command::Allow(args) => cmd::allow::run(&project, &args),
        Command::Apply(args) => cmd::apply::run(&project, &args),
        Command::Refresh(args) => cmd::refresh::run(&project, &args),
        Command::Drop(args) => cmd::arrange::run_drop(&project, &args),
        Command::Move(args) => cmd::arrange::run_move(&project, &args),
        Command::Rebase(args) => cmd::rebase::run(&project, &args),
        Command::Status(args) => cmd::status::run(&project, &args),
        Command::Log(args) => cmd::log::run(&project, &args),
        Command::Check(args) => cmd::check::run(&project, &args),
        Command::Audit(args) => cmd::audit::run(&project, &args),
        Command::Test(args) => cmd::test::run(&project, &args),
        Command::Bisect(args) => cmd::bisect::run(&project, &args),
        Command::Plan(args) => cmd::plan::run(&project, &args),
        Command::Prove(args) => cmd::prove::run(&project, &args),
        Command::Report(args) => cmd::report::run(&project, &args),
        Command::Mutate(args) => cmd::mutate::run(&project, &args),
        Command::Bench(args) => cmd::bench::run(&project, &args),
        Command::FormatSeries(args) => cmd::format_series::run(&project, &args),
        Command::Send(args) => cmd::send::run(&project, &args),
        Command::Trailers(args) => cmd::trailers::run(&project, &args),
        Command::Completions(args) => cmd::completions::run(&args),
        Command::Man(args) => cmd::man::run(&args),
    }
}

// SPDX-License-Identifier: GPL-2.0
//! `txgen send`: the mails of a series go out through git send-email, and are recorded.

use anyhow::{Result, bail};
use jiff::Timestamp;

use super::outgoing::{Outgoing, Prepared, print_refused};
use crate::check::SERIES;
use crate::check::posting::Destination;
use crate::check::source::{self, Source};
use crate::error::Exit;
use crate::git::identity;
use crate::mail::posting::Facts;
use crate::mail::{self, patch_id, posting, range_diff, rules, trees};
use crate::plain::visible_lines;
use crate::project::Project;
use crate::prove::recorded;
use crate::send::journal::{Folder, Journal};
use crate::send::{self, Answer, Ended};
use crate::series;

const EXAMPLES: &str = "Examples:
  txgen send zerocopy                     # what would go out, and what speaks against it
  txgen send zerocopy --sign --to-self    # to your own address, nothing is recorded
  txgen send zerocopy --sign --yes
  txgen send zerocopy --sign --yes --resend
  txgen send zerocopy --yes               # after a failure: goes on with the first mail that is not out
  txgen send zerocopy --yes --was-sent    # the archive has the mail of which it was not known";

/// Sends a series through git send-email and records what went out.
///
/// Without --yes it is a dry run. What netdev would send back is refused with exit code 1: besides the rules of
/// `txgen format-series` those about the time, the tree, the number of patches, sign-offs, proofs and other people's
/// tags. Who gets the mails is what the mails say; git's sendemail.* configuration says through which server, and nothing
/// of it adds or drops people. The hook sendemail-validate looks at all mails before the first one goes out.
///
/// When all mails are out they are in series/NAME/sent/vN.mbox, tag sent/NAME-vN is set, and series.toml names the next
/// version. Where it stopped in between, the next run goes on with the same mails at the first one that is not out.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, group = clap::ArgGroup::new("goes_on").args(["yes", "abort"]))]
pub struct Args {
    #[command(flatten)]
    outgoing: Outgoing,
    /// Send, and do not just say what would be sent
    #[arg(long)]
    yes: bool,
    /// Send to your own address only, with other message ids each time, and record nothing
    #[arg(long, conflicts_with = "yes")]
    to_self: bool,
    /// Whether net-next takes patches; series/trees.toml otherwise
    #[arg(long, value_name = "STATE", value_parser = ["open", "closed"])]
    net_next: Option<String>,
    /// The mail of which it is not known went out
    #[arg(long, requires = "goes_on", conflicts_with = "was_not_sent")]
    was_sent: bool,
    /// The mail of which it is not known did not go out
    #[arg(long, requires = "goes_on")]
    was_not_sent: bool,
    /// Send no more mails of a sending that stopped; those that are out are recorded
    #[arg(long, conflicts_with_all = ["yes", "to_self"])]
    abort: bool,
}

/// Runs `txgen send`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let name = args.outgoing.which.name.as_str();
    let waiting = if crate::base::record::is_name(name) { Folder::open(project, name)? } else { None };
    match waiting {
        Some(folder) if args.abort => stop(project, name, folder, answer(args)),
        Some(folder) if args.yes => resume(project, args, folder),
        Some(folder) => {
            let journal = folder.journal()?;
            crate::output::print!("{}", visible_lines(&send::resume::summary(&folder, &journal)?));
            bail!(
                "{name} v{} is being sent, {} of {} mails are out: go on with `txgen send {name} --yes`, or end it with \
                 --abort",
                journal.version,
                journal.sent(),
                journal.mails.len()
            );
        }
        None if args.abort => bail!("no sending of {name} has stopped"),
        None => begin(project, args),
    }
}

fn answer(args: &Args) -> Option<Answer> {
    match (args.was_sent, args.was_not_sent) {
        (true, _) => Some(Answer::Sent),
        (_, true) => Some(Answer::Unsent),
        _ => None,
    }
}

/// Goes on with a sending that was stopped, where nothing speaks against what is left of it by now.
fn resume(project: &Project, args: &Args, folder: Folder) -> Result<Exit> {
    let name = args.outgoing.which.name.as_str();
    let (journal, series) = (folder.journal()?, series::load(project, name)?);
    send::resume::refuse_excluded(&series, &folder, &journal)?;
    send::resume::refuse_changed(project, &folder, &journal)?;
    // A sending that was put back, as from a copy of the project, has been recorded before.
    if journal.mails.len() > journal.sent() {
        send::known::refuse_tagged(&journal.git_dir, &send::record::tag(name, &journal))?;
    }
    let now = Timestamp::now();
    let closed = is_closed(project, args, &journal.tree, now)?;
    let found = send::resume::findings(&series, &journal, closed, now, &args.outgoing.force);
    if !found.is_empty() {
        print_refused(&found);
        return Ok(Exit::Findings);
    }
    crate::output::print!("{}", visible_lines(&send::resume::summary(&folder, &journal)?));
    go_on(project, name, folder, answer(args))
}

/// Whether a tree takes no patches: what the user says of net-next, else series/trees.toml.
fn is_closed(project: &Project, args: &Args, tree: &str, now: Timestamp) -> Result<bool> {
    match args.net_next.as_deref().filter(|_| tree == "net-next") {
        Some(state) => Ok(state == "closed"),
        None => trees::is_closed(project, tree, now),
    }
}

fn begin(project: &Project, args: &Args) -> Result<Exit> {
    let prepared = args.outgoing.prepare(project)?;
    let mut findings = findings(project, args, &prepared)?;
    let Prepared { applied, envelope, .. } = &prepared;
    let tree = args.outgoing.which.tree.as_deref();
    let composed = match mail::compose(project, applied, envelope, &args.outgoing.force)? {
        Ok(composed) => Some(composed),
        Err(found) => {
            findings.splice(0..0, found);
            None
        }
    };
    // To oneself is no posting.
    let Some(composed) = composed.filter(|_| args.to_self || findings.is_empty()) else {
        print_refused(&findings);
        return Ok(Exit::Findings);
    };
    if args.to_self {
        crate::output::print!("{}", visible_lines(&send::reflect(project, applied, tree, &composed)?));
        return Ok(Exit::Good);
    }
    send::refuse_known(project, &prepared.series, &applied.git_dir, envelope, &composed)?;
    if !args.yes {
        crate::output::print!("{}", visible_lines(&send::rehearse(project, applied, tree, &composed)?));
        crate::output::println!("\nThis was a dry run: --yes sends.");
        return Ok(Exit::Good);
    }
    let folder = send::begin(project, applied, tree, envelope, &composed)?;
    go_on(project, &applied.name, folder, None)
}

/// What speaks against the posting as such.
fn findings(project: &Project, args: &Args, prepared: &Prepared) -> Result<Vec<crate::check::Finding>> {
    let Prepared { series, applied, proofs, envelope } = prepared;
    let patches = source::patches(applied)?;
    let source = Source::new(project, applied, envelope.cover.clone())?;
    let now = Timestamp::now();
    let closed = is_closed(project, args, &envelope.tree, now)?;
    let differs = match series.history.last().filter(|_| envelope.resend > 0) {
        Some(last) => range_diff::differs(&source, last)?,
        None => false,
    };
    let facts = Facts {
        now,
        history: &series.history,
        closed,
        destination: Destination::of(project, series)?,
        unproved: recorded::missing(proofs, applied),
        patch_ids: patch_id::of_patches(&source, &patches)?,
        differs,
        sender: identity::identities(&applied.git_dir)?.1,
    };
    let found = rules::named("posting", SERIES, posting::findings(&facts, envelope, &patches));
    Ok(rules::counting(found, envelope, &args.outgoing.force))
}

fn go_on(project: &Project, name: &str, folder: Folder, answer: Option<Answer>) -> Result<Exit> {
    let ended = send::go_on(project, name, folder, answer, |entry| crate::output::println!("sent {}", entry.file))?;
    Ok(tell(name, ended))
}

fn stop(project: &Project, name: &str, folder: Folder, answer: Option<Answer>) -> Result<Exit> {
    let Journal { version, .. } = folder.journal()?;
    match send::abort(project, name, folder, answer)? {
        Some(ended) => Ok(tell(name, ended)),
        None => {
            crate::output::println!("no mail of {name} v{version} is out: forgotten");
            Ok(Exit::Good)
        }
    }
}

fn tell(name: &str, ended: Ended) -> Exit {
    match ended {
        Ended::Sent(tag) => {
            crate::output::println!("recorded as tag {tag} and in series/{name}/sent/");
            Exit::Good
        }
        Ended::Stopped { file, said } => {
            let said = visible_lines(&said);
            crate::output::eprintln!("{file} did not go out: {said}\nrun `txgen send {name} --yes` to go on with it");
            Exit::Failed
        }
        Ended::Unknown { file, message_id } => {
            crate::output::eprintln!(
                "it is not known whether {file} went out: the server's answer was not seen. Look for <{message_id}> on \
                 the list or in your mailbox, then run `txgen send {name} --yes` with --was-sent or --was-not-sent. To \
                 send no more mails, run `txgen send {name}` with --abort --was-sent or --abort --was-not-sent"
            );
            Exit::Findings
        }
    }
}

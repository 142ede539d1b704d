// SPDX-License-Identifier: GPL-2.0
//! `txgen export`: a series as a mailbox or a quilt folder, for other tools.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::which::Which;
use crate::error::Exit;
use crate::files;
use crate::mail::patches;
use crate::output;
use crate::plain::visible_lines;
use crate::project::Project;
use crate::series::Applied;

const EXAMPLES: &str = "Examples:
  txgen export zerocopy mbox zerocopy.mbox
  txgen export zerocopy quilt ~/patches
  git am zerocopy.mbox

The patches as they are, without numbers, recipients or notes: `txgen format-series` makes what is posted.";

/// Writes the patches of a series as a mailbox or a quilt folder.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    #[command(subcommand)]
    to: To,
}

#[derive(Debug, clap::Subcommand)]
enum To {
    /// A mailbox that `git am` takes
    Mbox {
        /// The file; `-` for standard output
        file: PathBuf,
    },
    /// A folder with the patches and the file `series`
    Quilt {
        /// The folder, new or empty
        folder: PathBuf,
    },
}

/// Runs `txgen export`.
pub fn run(project: &Project, args: &Args) -> Result<Exit> {
    let (_, applied) = args.which.build(project, false)?;
    match &args.to {
        // A terminal would act on what a message may hold; whatever else reads it gets the bytes.
        To::Mbox { file } if file == Path::new("-") && std::io::stdout().is_terminal() => {
            output::print!("{}", visible_lines(&all(project, &applied)?));
        }
        To::Mbox { file } if file == Path::new("-") => output::bytes(all(project, &applied)?.as_bytes()),
        To::Mbox { file } => files::write_atomic(&std::path::absolute(file)?, all(project, &applied)?.as_bytes())?,
        To::Quilt { folder } => quilt(project, &applied, &std::path::absolute(folder)?)?,
    }
    Ok(Exit::Good)
}

fn all(project: &Project, applied: &Applied) -> Result<String> {
    applied.patches.iter().map(|patch| patches::plain(project, &applied.git_dir, &patch.commit)).collect()
}

fn quilt(project: &Project, applied: &Applied, folder: &Path) -> Result<()> {
    if folder.exists() && folder.read_dir().with_context(|| format!("list {}", folder.display()))?.next().is_some() {
        bail!("{} has files in it: give a folder that is new or empty", folder.display());
    }
    let mut list = String::new();
    let mut all = Vec::new();
    for patch in &applied.patches {
        let file = format!("{}.patch", patch.name);
        list += &format!("{file}\n");
        all.push((folder.join(file), patches::plain(project, &applied.git_dir, &patch.commit)?));
    }
    all.push((folder.join("series"), list));
    let all = all.iter().map(|(path, text)| (path.as_path(), text.as_bytes())).collect::<Vec<_>>();
    files::write_all_atomic(&all)
}

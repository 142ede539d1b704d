// SPDX-License-Identifier: GPL-2.0
//! What txgen makes of a series does not depend on git's settings: a table of them, in the clone and in the user's file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::common::hostile::{self, SETTINGS};
use crate::files;
use crate::kernel::{Kernel, SKBUFF};

const SECOND: &str = "net: tell the second byte\n\nReaders of the first byte need the second. Thanks to Jérôme.\n\n\
Signed-off-by: Test Author <author@example.org>\n";
const THIRD: &str =
    "net: tell the third byte\n\nFrom there on it is easy.\n\nSigned-off-by: Test Author <author@example.org>\n";

/// A series whose branch has an edit that was not read back, and an answer to its first patch.
struct Edited {
    kernel: Kernel,
    tip: String,
    own: String,
}

impl Edited {
    fn new() -> Self {
        let mut kernel = Kernel::with(&[("net/core/old.c", "int old;\n\nint older;\n")]);
        let second = format!("{SKBUFF}\nint skb_second(struct sk_buff *skb)\n{{\n\treturn skb->first + 1;\n}}\n");
        kernel.patch("second", SECOND, &[("net/core/skbuff.c", &second)]);
        kernel.patch("third", THIRD, &[("net/core/third.c", "int third;\n"), ("net/core/old.c", "int old;\n")]);
        kernel.store("to = [\"Jérôme Second <second@example.org>\"]\n");
        kernel.project.write("p/series/tiny/cover.md", "net: tell more bytes\n\nJérôme wants them.\n");
        kernel.txgen("apply", &[]).expect(0);
        let git = |args: &[&str]| kernel.project.git("k", args).trim().to_owned();
        let own = git(&["rev-parse", "refs/txgen/series/tiny"]);
        git(&["switch", "-q", "txgen/tiny"]);
        kernel.project.write("k/net/core/old.c", "int old;\n\nint newer; /* ü */\n");
        git(&["commit", "-qa", "--amend", "--no-edit"]);
        let tip = git(&["rev-parse", "HEAD"]);
        git(&["switch", "-q", "main"]);
        let id = answer(&kernel);
        kernel.project.write(
            "answers.mbox",
            &format!(
                "From x Thu Jan  1 00:00:00 1970\nFrom: Bo <bo@example.org>\nMessage-ID: <1@example.org>\n\
                 In-Reply-To: <{id}>\nSubject: Re: x\n\nReviewed-by: Bo <bo@example.org>\n"
            ),
        );
        fs::rename(kernel.project.path("p/series"), kernel.project.path("pristine")).unwrap();
        Self { kernel, tip, own }
    }

    /// All bytes that the commands make, by the command and the file.
    fn made(&self) -> BTreeMap<String, String> {
        let project = &self.kernel.project;
        let mut all = BTreeMap::new();
        self.restore();
        let format = ["-o", "../out", "--force", "unproved"];
        let ran = self.kernel.txgen("format-series", &format).expect(0);
        all.insert("format-series".to_owned(), ran.stdout);
        all.extend(files::files_below(&project.path("out")).into_iter().map(|(k, v)| (format!("mail {k}"), v)));
        let mails = project.path("posted.mbox").display().to_string();
        let answers = project.path("answers.mbox").display().to_string();
        all.insert("trailers".to_owned(), self.kernel.txgen("trailers", &["-n", &mails, &answers]).expect(0).stdout);
        all.insert("export".to_owned(), self.kernel.txgen("export", &["mbox", "-"]).expect(0).stdout);
        all.insert("refresh".to_owned(), self.kernel.txgen("refresh", &[]).expect(0).stdout);
        let series = files::files_below(&project.path("p/series/tiny"));
        all.extend(series.into_iter().map(|(k, v)| (format!("series {k}"), v)));
        all.insert("apply".to_owned(), self.kernel.txgen("apply", &["--discard"]).expect(0).stdout);
        all
    }

    fn restore(&self) {
        let project = &self.kernel.project;
        for folder in ["p/series", "out"] {
            if project.path(folder).exists() {
                fs::remove_dir_all(project.path(folder)).unwrap();
            }
        }
        for (file, text) in files::files_below(&project.path("pristine")) {
            project.write(&format!("p/series/{file}"), &text);
        }
        let refs = project.path("k/.git/refs");
        fs::write(refs.join("heads/txgen/tiny"), format!("{}\n", self.tip)).unwrap();
        fs::write(refs.join("txgen/series/tiny"), format!("{}\n", self.own)).unwrap();
    }
}

/// Writes the mails of the series as if they had been posted; the id of the first patch.
fn answer(kernel: &Kernel) -> String {
    kernel.txgen("format-series", &["-o", "../posted", "--force", "unproved"]).expect(0);
    let mails = files::files_below(&kernel.project.path("posted"));
    kernel.project.write("posted.mbox", &mails.values().fold(String::new(), |all, mail| all + mail + "\n"));
    let first = mails.iter().find(|(name, _)| name.starts_with("0001")).unwrap().1;
    let id = first.lines().find_map(|line| line.strip_prefix("Message-ID: <")).unwrap();
    id.trim_end_matches('>').to_owned()
}

fn section(dir: &Path, settings: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (key, raw) in settings {
        let (section, name) = key.rsplit_once('.').unwrap();
        let section = section.split_once('.').map_or(section.to_owned(), |(a, b)| format!("{a} \"{b}\""));
        let value = hostile::value(dir, raw).replace('\\', "\\\\").replace('"', "\\\"");
        text += &format!("[{section}]\n\t{name} = \"{value}\"\n");
    }
    text
}

/// The first thing that differs, if any.
fn difference(want: &BTreeMap<String, String>, got: &BTreeMap<String, String>) -> Option<String> {
    let names = want.keys().chain(got.keys()).collect::<BTreeSet<_>>();
    let name = names.into_iter().find(|name| want.get(*name) != got.get(*name))?;
    Some(format!("{name}:\n{:?}\ninstead of\n{:?}", got.get(name), want.get(name)))
}

/// Groups without a key twice in one of them.
fn rounds() -> Vec<Vec<(&'static str, &'static str)>> {
    let mut rounds = Vec::<Vec<(&str, &str)>>::new();
    for setting in SETTINGS {
        match rounds.iter_mut().find(|round| round.iter().all(|(key, _)| *key != setting.0)) {
            Some(round) => round.push(*setting),
            None => rounds.push(vec![*setting]),
        }
    }
    rounds
}

#[test]
fn no_setting_of_a_clone_changes_a_byte_of_what_is_made() {
    let settings = SETTINGS.iter().collect::<BTreeSet<_>>();
    assert!(settings.len() >= 120, "{}", settings.len());
    let threads = 2;
    std::thread::scope(|scope| {
        for part in SETTINGS.chunks(SETTINGS.len().div_ceil(threads)) {
            scope.spawn(move || {
                let edited = Edited::new();
                let want = edited.made();
                assert!(want["trailers"].contains("Reviewed-by: Bo"), "{}", want["trailers"]);
                assert!(want["series third.diff"].contains("newer"), "{want:?}");
                let dir = edited.kernel.project.path("hostile");
                let file = edited.kernel.project.path("k/.git/config");
                let plain = fs::read_to_string(&file).unwrap();
                for setting in part {
                    fs::write(&file, format!("{plain}{}", section(&dir, &[*setting]))).unwrap();
                    if let Some(difference) = difference(&want, &edited.made()) {
                        panic!("with {} = {}: {difference}", setting.0, setting.1);
                    }
                }
            });
        }
    });
}

#[test]
fn no_setting_of_the_user_changes_a_byte_of_what_is_made() {
    let edited = Edited::new();
    let want = edited.made();
    let dir = edited.kernel.project.path("hostile");
    for round in rounds() {
        edited.kernel.project.write(".gitconfig", &section(&dir, &round));
        if let Some(difference) = difference(&want, &edited.made()) {
            panic!("with one of {round:?}: {difference}");
        }
    }
}

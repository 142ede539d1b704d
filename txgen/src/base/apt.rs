// SPDX-License-Identifier: GPL-2.0
//! The machine's apt configuration, read: which archive a Debian suite can come from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::files;
use crate::process::Run;

/// An archive the machine already trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// Its address.
    pub uri: String,
    /// Options that say how its signature is checked: `Signed-By`, `Trusted`.
    pub trust: BTreeMap<String, String>,
}

impl Archive {
    /// A deb822 sources file that has `suite` of this archive, and nothing else.
    pub fn sources(&self, suite: &str) -> String {
        let mut text = format!("Types: deb\nURIs: {}\nSuites: {suite}\nComponents: main\n", self.uri);
        for (key, value) in &self.trust {
            text += &format!("{key}: {value}\n");
        }
        text
    }
}

/// The first Debian archive of the machine's own apt sources.
pub fn debian_archive() -> Result<Archive> {
    let mut looked = Vec::new();
    for path in source_files()? {
        let text = files::read(&path)?;
        let entries = if path.extension().is_some_and(|e| e == "sources") { deb822(&text) } else { one_line(&text) };
        if let Some(archive) = entries.into_iter().find(is_debian) {
            return Ok(archive);
        }
        looked.push(path.display().to_string());
    }
    bail!(
        "no Debian archive among the apt sources of this machine (looked into: {}): add one, or give the \
         base a `tarball` or a `git` source in series/bases.toml",
        if looked.is_empty() { "none".to_owned() } else { looked.join(", ") }
    )
}

/// The sources.list and the files of sources.list.d, where apt says they are.
fn source_files() -> Result<Vec<PathBuf>> {
    let said = Run::new("apt-config", ["shell", "LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"])
        .check()
        .context("ask apt where its sources are")?
        .text();
    let mut paths = Vec::new();
    for line in said.lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        let value = PathBuf::from(value.trim_matches('\''));
        match name {
            "LIST" if value.is_file() => paths.push(value),
            "PARTS" if value.is_dir() => paths.extend(parts(&value)?),
            _ => {}
        }
    }
    Ok(paths)
}

fn parts(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).with_context(|| format!("list {}", dir.display()))? {
        let path = entry.with_context(|| format!("list {}", dir.display()))?.path();
        if path.extension().is_some_and(|e| e == "sources" || e == "list") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// An archive of Debian itself: its address has a part `debian`, whoever serves it.
fn is_debian(archive: &Archive) -> bool {
    archive.uri.split('/').any(|part| part == "debian" || part == "debian.list")
}

/// The entries of a deb822 sources file that have binary packages of component main.
fn deb822(text: &str) -> Vec<Archive> {
    let mut found = Vec::new();
    for stanza in stanzas(text) {
        let field = |name: &str| stanza.get(name).map_or("", String::as_str);
        let has = |name: &str, word: &str| field(name).split_whitespace().any(|w| w == word);
        let disabled = field("enabled") == "no" || !has("types", "deb") || !has("components", "main");
        let Some(uri) = field("uris").split_whitespace().next().filter(|_| !disabled) else { continue };
        let keys = [("signed-by", "Signed-By"), ("trusted", "Trusted")];
        let trust = keys.iter().filter_map(|(key, name)| Some(((*name).to_owned(), stanza.get(*key)?.clone())));
        found.push(Archive { uri: uri.to_owned(), trust: trust.collect() });
    }
    found
}

fn stanzas(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut all = vec![BTreeMap::<String, String>::new()];
    let mut last = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if line.trim().is_empty() {
            all.push(BTreeMap::new());
        } else if let Some(stanza) = all.last_mut() {
            if line.starts_with([' ', '\t']) {
                // A key can be given in the field itself, on continuation lines.
                stanza.entry(last.clone()).or_default().push_str(&format!("\n{line}"));
            } else if let Some((key, value)) = line.split_once(':') {
                last = key.trim().to_ascii_lowercase();
                stanza.insert(last.clone(), value.trim().to_owned());
            }
        }
    }
    all
}

/// The entries of a one-line-style sources.list that have binary packages of component main.
fn one_line(text: &str) -> Vec<Archive> {
    let mut found = Vec::new();
    for line in text.lines() {
        let Some(rest) = line.split('#').next().and_then(|l| l.trim().strip_prefix("deb ")) else { continue };
        let (options, rest) = match rest.trim().strip_prefix('[').and_then(|r| r.split_once(']')) {
            Some((options, rest)) => (options, rest),
            None => ("", rest),
        };
        let words = rest.split_whitespace().collect::<Vec<_>>();
        let [uri, _suite, components @ ..] = words.as_slice() else { continue };
        if !components.contains(&"main") {
            continue;
        }
        let keys = [("signed-by", "Signed-By"), ("trusted", "Trusted")];
        let option = |key: &str| options.split_whitespace().find_map(|o| o.strip_prefix(key)?.strip_prefix('='));
        let trust = keys.iter().filter_map(|(key, name)| Some(((*name).to_owned(), option(key)?.replace(',', " "))));
        found.push(Archive { uri: (*uri).to_owned(), trust: trust.collect() });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{deb822, is_debian, one_line};

    #[test]
    fn the_first_debian_entry_of_a_deb822_file_is_found() {
        let text = "# mirror\nTypes: deb\nURIs: https://a.example/node_20.x\nSuites: x\nComponents: main\n\n\
                    Enabled: no\nTypes: deb\nURIs: https://off.example/debian\nSuites: s\nComponents: main\n\n\
                    Types: deb deb-src\nURIs: https://m.example/debian/\nSuites: bookworm\nComponents: main contrib\n\
                    Signed-By:\n -----BEGIN\n .\n -----END\n";
        let archive = deb822(text).into_iter().find(is_debian).expect("there is one");
        insta::assert_snapshot!(archive.sources("trixie"), @"
        Types: deb
        URIs: https://m.example/debian/
        Suites: trixie
        Components: main
        Signed-By: 
         -----BEGIN
         .
         -----END
        ");
    }

    #[test]
    fn one_line_entries_keep_their_keyring() {
        let text = "deb-src http://x/debian s main\n# deb http://no/debian s main\n\
                    deb [arch=amd64 signed-by=/k.gpg] http://m.example/debian bookworm main # here\n";
        let archive = one_line(text).into_iter().find(is_debian).expect("there is one");
        insta::assert_snapshot!(archive.sources("s"), @"
        Types: deb
        URIs: http://m.example/debian
        Suites: s
        Components: main
        Signed-By: /k.gpg
        ");
    }

    #[test]
    fn an_archive_of_security_updates_is_not_taken_for_debian() {
        assert_eq!(
            one_line("deb http://m.example/debian-security b-security main").iter().find(|a| is_debian(a)),
            None
        );
    }
}

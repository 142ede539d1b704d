// SPDX-License-Identifier: GPL-2.0
//! Files of .txgen/ that say what is left to do, sealed: only what this project wrote on this machine counts.
//!
//! A project is handed around, as an archive or with a disk, and .txgen/ with it; what stands there would move refs and
//! send mails in the name of whoever runs the next command. So each of these files begins with a keyed digest. The key
//! is in the cache, under the place of the project, and is handed to nobody.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use sha2::{Digest, Sha256};

use crate::files::{self, plain::MOST};
use crate::project::Project;

/// What a sealed file begins with, before its digest.
const MARK: &[u8] = b"txgen-sealed ";

/// A file of .txgen/ that this project did not write on this machine.
#[derive(Debug, thiserror::Error)]
#[error(
    "{file} was not written by this project on this machine and in this place{why}: nothing of it is done. Where the \
     project was copied or moved, or TXGEN_CACHE is another, what was begun goes on there; where the cache was emptied, \
     nothing goes on, and of a sending some mails may be out (its `journal` says which); remove it here with `rm -r {file}`"
)]
pub struct Foreign {
    /// The file, in the project.
    pub file: String,
    /// What is wrong with it, where it is not the seal.
    pub why: &'static str,
}

/// .txgen/, for what is under way.
pub fn folder(project: &Project) -> PathBuf {
    project.root.join(".txgen")
}

/// `text` with its seal; `name` is that of the file in .txgen/, and no other file may have the text.
pub fn seal(project: &Project, name: &str, text: &[u8]) -> Result<Vec<u8>> {
    let Some(key) = key(project)? else { return seal_with_new_key(project, name, text) };
    Ok(sealed(&key, name, text))
}

fn seal_with_new_key(project: &Project, name: &str, text: &[u8]) -> Result<Vec<u8>> {
    make_key(project)?;
    let key = key(project)?.with_context(|| unreadable(project))?;
    Ok(sealed(&key, name, text))
}

fn unreadable(project: &Project) -> String {
    let path =
        key_file(project).map_or_else(|_| "the key of the project".to_owned(), |path| path.display().to_string());
    format!("{path} can not be read: it is another user's, who shares the cache; set TXGEN_CACHE to a folder of yours")
}

fn sealed(key: &[u8], name: &str, text: &[u8]) -> Vec<u8> {
    let mut all = MARK.to_vec();
    all.extend_from_slice(hex::encode(digest(key, name, text)).as_bytes());
    all.push(b'\n');
    all.extend_from_slice(text);
    all
}

/// The text of the sealed file at `path`, which is `name` of .txgen/; `None` where there is none, [`Foreign`] where it is
/// not ours.
pub fn read(project: &Project, name: &str, path: &Path) -> Result<Option<String>> {
    let foreign = |why| Foreign { file: Path::new(".txgen").join(name).display().to_string(), why };
    let Some(bytes) = bytes(project, path, foreign)? else { return Ok(None) };
    let (seal, text) = bytes.strip_prefix(MARK).and_then(|rest| rest.split_at_checked(64)).ok_or(foreign(""))?;
    let text = text.strip_prefix(b"\n").ok_or(foreign(""))?;
    let key = key(project)?.ok_or(foreign(""))?;
    if hex::encode(digest(&key, name, text)).as_bytes() != seal {
        return Err(foreign("").into());
    }
    String::from_utf8(text.to_owned()).map(Some).with_context(|| format!("read {}", path.display()))
}

/// What a plain file holds; symbolic links are not followed, nor is a pipe waited for.
fn bytes(project: &Project, path: &Path, foreign: impl Fn(&'static str) -> Foreign) -> Result<Option<Vec<u8>>> {
    const LINK: &str = " (it is a symbolic link, or in one)";
    let reading = || format!("read {}", path.display());
    let within = path.strip_prefix(&project.root).unwrap_or(path);
    let above = within.ancestors().skip(1).filter(|part| !part.as_os_str().is_empty());
    if above.into_iter().any(|part| project.root.join(part).is_symlink()) {
        return Err(foreign(LINK).into());
    }
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    let mut file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(_) if path.is_symlink() => return Err(foreign(LINK).into()),
        Err(e) => return Err(e).with_context(reading),
    };
    if !file.metadata().with_context(reading)?.is_file() {
        return Err(foreign(" (it is no plain file)").into());
    }
    let mut bytes = Vec::new();
    let read = Read::by_ref(&mut file).take(MOST + 1).read_to_end(&mut bytes).with_context(reading)?;
    if read as u64 > MOST {
        return Err(foreign(" (it is larger than any that txgen writes)").into());
    }
    Ok(Some(bytes))
}

/// Refuses a .txgen/ that is elsewhere: what is written there would be outside of the project.
pub fn refuse_link(project: &Project) -> Result<()> {
    let dir = folder(project);
    match fs::symlink_metadata(&dir) {
        Ok(meta) if meta.is_dir() => Ok(()),
        Ok(_) => Err(anyhow!("{} is a symbolic link or a file: txgen keeps a folder there, remove it", dir.display())),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e).with_context(|| format!("look at {}", dir.display())),
    }
}

/// Where the key of a project is: another place is another project.
fn key_file(project: &Project) -> Result<PathBuf> {
    let root = project.root.canonicalize().with_context(|| format!("resolve {}", project.root.display()))?;
    let place = hex::encode(Sha256::digest(root.as_os_str().as_encoded_bytes()));
    Ok(project.cache.join("projects").join(&place[..32]).join("key"))
}

fn key(project: &Project) -> Result<Option<Vec<u8>>> {
    let path = key_file(project)?;
    match fs::read(&path) {
        Ok(key) if key.len() == 32 => Ok(Some(key)),
        Ok(_) => Err(anyhow!("{} is no key of txgen's: remove it", path.display())),
        // That of somebody else who shares the cache.
        Err(e) if [ErrorKind::NotFound, ErrorKind::PermissionDenied].contains(&e.kind()) => Ok(None),
        Err(e) => Err(e).with_context(|| format!("read {}", path.display())),
    }
}

fn make_key(project: &Project) -> Result<()> {
    let path = key_file(project)?;
    let making = || format!("make {}", path.display());
    let dir = path.parent().with_context(making)?;
    files::make_dir(dir)?;
    let mut key = [0; 32];
    File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut key)).context("read /dev/urandom")?;
    // Readable for its owner alone, as all files of that crate are.
    let mut file = tempfile::NamedTempFile::new_in(dir).with_context(making)?;
    file.write_all(&key).and_then(|()| file.as_file().sync_all()).with_context(making)?;
    match file.persist_noclobber(&path) {
        Ok(_) => Ok(()),
        // Another txgen was first.
        Err(e) if e.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e.error).with_context(making),
    }
}

/// HMAC of RFC 2104 with SHA-256, over the name and the text.
fn digest(key: &[u8], name: &str, text: &[u8]) -> [u8; 32] {
    let padded = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let mut inner = Sha256::new_with_prefix(padded(0x36));
    inner.update((name.len() as u64).to_le_bytes());
    inner.update(name.as_bytes());
    inner.update(text);
    let mut outer = Sha256::new_with_prefix(padded(0x5c));
    outer.update(inner.finalize());
    outer.finalize().into()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    use super::{Foreign, folder, key_file, read, seal};
    use crate::project::Project;

    fn project(root: &Path, cache: &Path) -> Project {
        fs::create_dir_all(root.join(".txgen")).unwrap();
        Project { root: root.to_owned(), cache: cache.to_owned() }
    }

    fn is_foreign(project: &Project, name: &str) -> bool {
        let error = read(project, name, &folder(project).join(name)).expect_err("it is foreign");
        error.is::<Foreign>()
    }

    #[test]
    fn what_this_project_wrote_is_read_again_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let [here, there, cache] = ["here", "there", "cache"].map(|name| dir.path().join(name));
        let (mine, copy) = (project(&here, &cache), project(&there, &cache));
        assert_eq!(read(&mine, "a.journal", &folder(&mine).join("a.journal")).unwrap(), None);
        let sealed = seal(&mine, "a.journal", b"text").unwrap();
        for project in [&mine, &copy] {
            fs::write(folder(project).join("a.journal"), &sealed).unwrap();
            fs::write(folder(project).join("b.journal"), &sealed).unwrap();
        }
        let path = folder(&mine).join("a.journal");
        assert_eq!(read(&mine, "a.journal", &path).unwrap().as_deref(), Some("text"));
        assert!(is_foreign(&mine, "b.journal"), "the file of another series");
        assert!(is_foreign(&copy, "a.journal"), "a copy of the project");
        assert!(is_foreign(&project(&here, &dir.path().join("other")), "a.journal"), "another machine's cache");
        for bytes in [&b""[..], b"{}", b"txgen-sealed ", &[b"txgen-sealed ", &[b'0'; 64][..], b"\ntext"].concat()] {
            fs::write(&path, bytes).unwrap();
            assert!(is_foreign(&mine, "a.journal"), "{bytes:?}");
        }
        let mode = fs::metadata(key_file(&mine).unwrap()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_link_and_a_pipe_are_no_files_of_ours() {
        let dir = tempfile::tempdir().unwrap();
        let mine = project(&dir.path().join("here"), &dir.path().join("cache"));
        fs::write(dir.path().join("real"), seal(&mine, "a.journal", b"text").unwrap()).unwrap();
        symlink(dir.path().join("real"), folder(&mine).join("a.journal")).unwrap();
        assert!(is_foreign(&mine, "a.journal"));
        nix::unistd::mkfifo(&folder(&mine).join("b.journal"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(is_foreign(&mine, "b.journal"));
    }
}

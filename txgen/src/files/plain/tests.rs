// SPDX-License-Identifier: GPL-2.0
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::{MOST, plain_text};

fn refusal(path: &Path) -> String {
    format!("{:#}", plain_text(path, Path::new("x"), "it has to be a plain file").unwrap_err())
}

#[test]
fn what_is_no_plain_file_is_refused_at_once_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    mkfifo(&path("fifo"), Mode::S_IRWXU).unwrap();
    let _listener = UnixListener::bind(path("socket")).unwrap();
    fs::create_dir(path("folder")).unwrap();
    symlink("/etc/passwd", path("link")).unwrap();
    symlink("loop", path("loop")).unwrap();
    let said = ["fifo", "socket", "folder", "link", "loop"].map(|name| refusal(&path(name)));
    assert_eq!(
        said,
        [
            "x is a named pipe: it has to be a plain file",
            "x is a socket: it has to be a plain file",
            "x is a folder: it has to be a plain file",
            "x is a symbolic link: it has to be a plain file",
            "x is a symbolic link: it has to be a plain file",
        ]
    );
    assert_eq!(refusal(Path::new("/dev/zero")), "x is a device: it has to be a plain file");
}

#[test]
fn a_huge_file_is_refused_before_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cover.md");
    File::create(&path).unwrap().set_len(MOST * 1000).unwrap();
    assert_eq!(refusal(&path), "x is larger than 64 MiB: no file of a project is");
}

#[test]
fn bytes_that_are_no_utf_8_are_refused_with_their_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cover.md");
    fs::write(&path, b"one\ntwo \xe9\n").unwrap();
    assert_eq!(refusal(&path), "x:2: it is no UTF-8 text: save the file as UTF-8");
}

// SPDX-License-Identifier: GPL-2.0
//! Projects with links, pipes, sockets, huge files and loops where plain files and folders belong.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use txgen::mail::folder;

use super::common::TestProject;
use super::linux::demo_project;

/// The end of `txgen apply demo`, which has to come soon, be exit 2, and leave no branch.
fn refused(project: &TestProject) -> String {
    let mut command = project.command(env!("CARGO_BIN_EXE_txgen"));
    let command = command.args(["apply", "demo"]).current_dir(project.path("p")).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    assert_eq!(ended(&mut child), Some(2));
    let text = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    assert_eq!(project.git("cache/linux.git", &["branch", "--list", "txgen/*"]), "");
    text[text.find("txgen:").unwrap()..].trim_end().to_owned()
}

fn ended(child: &mut Child) -> Option<i32> {
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    panic!("it hangs");
}

/// Moves `p/NAME` out of the project and puts a link to it there.
fn linked(project: &TestProject, name: &str) {
    let place = project.path("elsewhere");
    fs::rename(project.path(&format!("p/{name}")), &place).unwrap();
    symlink(&place, project.path(&format!("p/{name}"))).unwrap();
}

#[test]
fn a_folder_of_the_project_that_is_a_link_is_refused_by_its_name() {
    let rule = "is a symbolic link: a project has folders of its own, put the files there";
    for name in ["series/demo", "kernel-overlay", "series"] {
        let project = demo_project();
        linked(&project, name);
        assert_eq!(refused(&project), format!("txgen: {name} {rule}"));
    }
    let project = demo_project();
    project.write("elsewhere/old/txbuf.diff", "");
    symlink(project.path("elsewhere"), project.path("p/series/demo/bases")).unwrap();
    assert_eq!(refused(&project), format!("txgen: series/demo/bases {rule}"));
    fs::remove_file(project.path("p/series/demo/bases")).unwrap();
    project.write("p/series/demo/bases/x", "");
    fs::remove_file(project.path("p/series/demo/bases/x")).unwrap();
    symlink(project.path("elsewhere/old"), project.path("p/series/demo/bases/old")).unwrap();
    assert_eq!(refused(&project), format!("txgen: series/demo/bases/old {rule}"));
}

#[test]
fn no_command_writes_through_a_series_that_is_a_link() {
    let project = demo_project();
    linked(&project, "series/demo");
    let before = super::files::files_below(&project.path("elsewhere"));
    for args in [&["move", "demo", "more", "--first"][..], &["drop", "demo", "more"], &["refresh", "demo"]] {
        project.txgen(args).expect(2);
    }
    project.txgen(&["new", "demo", "--title", "net: again", "--base", "tiny"]).expect(2);
    assert!(super::files::files_below(&project.path("elsewhere")) == before);
    assert!(fs::symlink_metadata(project.path("p/series/demo")).unwrap().is_symlink());
}

#[test]
fn a_hidden_link_is_kept_as_it_is_and_not_followed() {
    let project = demo_project();
    symlink("/dev/zero", project.path("p/series/demo/.zero")).unwrap();
    symlink("user@example.org.1", project.path("p/series/demo/.#series.toml")).unwrap();
    project.txgen(&["drop", "demo", "more"]).expect(0);
    assert_eq!(fs::read_link(project.path("p/series/demo/.zero")).unwrap(), Path::new("/dev/zero"));
    assert!(project.path("p/series/demo/.#series.toml").is_symlink());
}

#[test]
fn a_link_in_the_overlay_gets_into_no_commit() {
    let project = demo_project();
    fs::remove_file(project.path("p/kernel-overlay/net/core/txbuf.c")).unwrap();
    symlink("/etc/passwd", project.path("p/kernel-overlay/net/core/txbuf.c")).unwrap();
    let rule = "is a symbolic link or a special file: the overlay has plain files only";
    assert_eq!(refused(&project), format!("txgen: kernel-overlay/net/core/txbuf.c {rule}"));
    fs::remove_file(project.path("p/kernel-overlay/net/core/txbuf.c")).unwrap();
    linked(&project, "kernel-overlay/net/core");
    assert_eq!(refused(&project), format!("txgen: kernel-overlay/net/core {rule}"));
}

/// Files that are read, and what is there in their place.
const READ: &[&str] = &[
    "series/demo/series.toml",
    "series/demo/txbuf.msg",
    "series/demo/txbuf.diff",
    "series/demo/rename.cocci",
    "series/demo/cover.md",
    "series/bases.toml",
    "series/macros.h",
];

fn instead(project: &TestProject, name: &str, make: impl FnOnce(&Path)) -> String {
    let path = project.path(&format!("p/{name}"));
    let kept = fs::read(&path).ok();
    if kept.is_some() {
        fs::remove_file(&path).unwrap();
    }
    make(&path);
    let said = refused(project);
    if path.symlink_metadata().unwrap().is_dir() { fs::remove_dir(&path) } else { fs::remove_file(&path) }.unwrap();
    if let Some(bytes) = kept {
        fs::write(&path, bytes).unwrap();
    }
    said
}

#[test]
fn what_is_no_plain_file_never_hangs_and_is_named() {
    let project = demo_project();
    for name in READ {
        let rule = "a series has plain files only";
        let root = *name == "series/bases.toml";
        let said = instead(&project, name, |path| mkfifo(path, Mode::S_IRWXU).unwrap());
        assert!(root || said == format!("txgen: {name} is a named pipe: {rule}"), "{said}");
        let said = instead(&project, name, |path| drop(UnixListener::bind(path).unwrap()));
        assert!(root || said == format!("txgen: {name} is a socket: {rule}"), "{said}");
        let said = instead(&project, name, |path| fs::create_dir(path).unwrap());
        assert!(root || said == format!("txgen: {name} is a folder: {rule}"), "{said}");
        let said = instead(&project, name, |path| symlink("/dev/zero", path).unwrap());
        assert!(root || said == format!("txgen: {name} is a symbolic link: {rule}"), "{said}");
        let said = instead(&project, name, |path| symlink(path, path).unwrap());
        assert!(root || said == format!("txgen: {name} is a symbolic link: {rule}"), "{said}");
        let huge = |path: &Path| File::create(path).unwrap().set_len(2 << 30).unwrap();
        assert_eq!(
            instead(&project, name, huge),
            format!("txgen: {name} is larger than 64 MiB: no file of a project is")
        );
        let bytes = instead(&project, name, |path| fs::write(path, b"# one\n\xff\n").unwrap());
        assert_eq!(bytes, format!("txgen: {name}:2: it is no UTF-8 text: save the file as UTF-8"));
    }
}

#[test]
fn an_unreadable_file_is_named() {
    let project = demo_project();
    let path = project.path("p/series/demo/txbuf.msg");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if File::open(&path).is_ok() {
        // Root reads all files.
        project.txgen(&["apply", "demo"]).expect(0);
        return;
    }
    assert!(refused(&project).contains("read series/demo/txbuf.msg: Permission denied"));
}

#[test]
fn the_mails_are_not_written_through_a_link() {
    let project = demo_project();
    fs::create_dir(project.path("elsewhere")).unwrap();
    symlink(project.path("elsewhere"), project.path("out")).unwrap();
    let out = project.path("out");
    let said = folder::check(&out, "20261123-demo-0123456789ab").unwrap_err().to_string();
    assert_eq!(said, format!("{} is a symbolic link: give another folder with -o", out.display()));
    let project = demo_project();
    mkfifo(&project.path("out"), Mode::S_IRWXU).unwrap();
    let said = folder::check(&project.path("out"), "20261123-demo-0123456789ab").unwrap_err().to_string();
    assert!(said.ends_with("out is a named pipe: give another folder with -o"), "{said}");
}

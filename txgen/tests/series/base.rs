// SPDX-License-Identifier: GPL-2.0
//! `txgen base` on tiny kernels: tarballs, git repositories, and a Debian archive made on the spot.

use std::fs;

use super::common::TestProject;
use super::linux::tiny_project;

fn recorded(project: &TestProject, key: &str) -> String {
    let text = project.read("p/series/bases.toml");
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
    line.unwrap_or_else(|| panic!("no {key} in {text}")).trim_matches('"').to_owned()
}

/// A Debian archive with one kernel source package, and a project whose machine has it among its apt sources.
fn debian(package: &str, version: &str) -> TestProject {
    let project = tiny_project();
    project.write("p/series/bases.toml", "[tiny]\ndebian-source = \"linux-source-9.9\"\nsuite = \"test\"\n");
    project.write(
        "apt/sources.list.d/a.sources",
        &format!(
            "Types: deb\nURIs: https://other.example/node\nSuites: x\nComponents: main\n\nTypes: deb\n\
         URIs: copy:{}\nSuites: old\nComponents: main\nTrusted: yes\n",
            project.path("debian").display()
        ),
    );
    project.write(
        "apt.conf",
        &format!(
            "Dir::Etc::sourcelist \"/dev/null\";\nDir::Etc::sourceparts \"{}\";\n",
            project.path("apt/sources.list.d").display()
        ),
    );
    publish(&project, package, version);
    project
}

fn publish(project: &TestProject, package: &str, version: &str) {
    let run = |program: &str, args: &[&str]| {
        let output = project.command(program).args(args).current_dir(project.dir()).output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let control = format!(
        "Package: {package}\nVersion: {version}\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: source\n"
    );
    project.write("deb/DEBIAN/control", &control);
    fs::create_dir_all(project.path("deb/usr/src")).unwrap();
    run("xz", &["--keep", "--force", "tiny.tar"]);
    fs::rename(project.path("tiny.tar.xz"), project.path(&format!("deb/usr/src/{package}.tar.xz"))).unwrap();
    fs::create_dir_all(project.path("debian/dists/test/main/binary-all")).unwrap();
    run("dpkg-deb", &["--build", "--root-owner-group", "deb", "debian/p.deb"]);
    fs::remove_dir_all(project.path("deb")).unwrap();
    let sha = run("sha256sum", &["debian/p.deb"]);
    let size = fs::metadata(project.path("debian/p.deb")).unwrap().len();
    let entry = format!("{control}Filename: p.deb\nSize: {size}\nSHA256: {}\n", &sha[..64]);
    let arch = run("dpkg", &["--print-architecture"]);
    let arch = arch.trim();
    let file = format!("main/binary-{arch}/Packages");
    project.write(&format!("debian/dists/test/{file}"), &entry);
    let sum = run("sha256sum", &[&format!("debian/dists/test/{file}")]);
    project.write("debian/dists/test/Release", &format!(
        "Suite: test\nCodename: test\nComponents: main\nArchitectures: {arch}\nDate: Mon, 23 Nov 2026 00:00:00 UTC\n\
         SHA256:\n {} {} {file}\n", &sum[..64], entry.len()));
}

fn txgen(project: &TestProject, args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = project.command(env!("CARGO_BIN_EXE_txgen"));
    command.env("APT_CONFIG", project.path("apt.conf")).args(args).current_dir(project.path("p"));
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_tarball_becomes_one_commit_that_is_the_same_everywhere() {
    let project = tiny_project();
    let ran = project.txgen(&["base", "fetch", "tiny", "--record"]).expect(0);
    insta::assert_snapshot!(ran.stdout, @r#"
    base tiny is fetched: commit 5fd7cd22a0e370603eb5075ee9dad0e295977180, tree 31e0800387b21298786896498636c1e94c3f7b94
    recorded in series/bases.toml
    "#);
    let git = |args: &[&str]| project.git("cache/linux.git", args);
    assert_eq!(recorded(&project, "tree"), project.git("linux", &["rev-parse", "HEAD^{tree}"]).trim());
    insta::assert_snapshot!(git(&["log", "--format=%an <%ae> %at %B", "refs/txgen/bases/tiny"]), @"txgen base import <txgen@localhost> 1700000000 tiny.tar");
    insta::assert_snapshot!(git(&["ls-tree", "-r", "--format=%(objectmode) %(path)", "refs/txgen/bases/tiny"]), @r#"
    100644 .gitignore
    100644 Kbuild
    100644 Kconfig
    100644 MAINTAINERS
    100644 Makefile
    100644 include/linux/skbuff.h
    100644 net/core/Makefile
    100644 net/core/skbuff.c
    100755 scripts/tool.sh
    "#);
    git(&["fsck", "--strict"]);
    fs::remove_dir_all(project.path("cache")).unwrap();
    project.txgen(&["base", "fetch", "tiny"]).expect(0);
    assert!(!project.path("cache/fetch").exists());
}

#[test]
fn a_base_that_is_there_is_not_fetched_again() {
    let project = tiny_project();
    project.txgen(&["base", "fetch", "tiny", "--record"]).expect(0);
    fs::remove_file(project.path("tiny.tar")).unwrap();
    let ran = project.txgen(&["base", "fetch", "tiny"]).expect(0);
    assert!(ran.stdout.starts_with("base tiny was already fetched: commit "), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
}

#[test]
fn another_tree_than_the_recorded_one_is_refused() {
    let project = tiny_project();
    project.txgen(&["base", "fetch", "tiny", "--record"]).expect(0);
    fs::remove_dir_all(project.path("cache")).unwrap();
    project.write("linux/Kbuild", "other\n");
    project.git("linux", &["commit", "--quiet", "-a", "-m", "x"]);
    project.git("linux", &["archive", "-o", "../tiny.tar", "HEAD"]);
    let before = project.read("p/series/bases.toml");
    let ran = project.txgen(&["base", "fetch", "tiny"]).expect(2);
    assert!(ran.stderr.contains("it is another version of the source"), "{}", ran.stderr);
    assert_eq!(project.read("p/series/bases.toml"), before);
    assert_eq!(project.git("cache/linux.git", &["for-each-ref"]), "");
    project.txgen(&["base", "fetch", "tiny", "--record"]).expect(0);
    assert_eq!(recorded(&project, "tree"), project.git("linux", &["rev-parse", "HEAD^{tree}"]).trim());
}

#[test]
fn a_tarball_that_is_no_kernel_or_cut_short_leaves_nothing() {
    let project = tiny_project();
    let whole = fs::read(project.path("tiny.tar")).unwrap();
    fs::write(project.path("tiny.tar"), &whole[..whole.len() / 3]).unwrap();
    let cut = project.txgen(&["base", "fetch", "tiny"]).expect(2).stderr;
    assert!(cut.contains("tiny.tar"), "{cut}");
    project.git("linux", &["rm", "--quiet", "Kbuild"]);
    project.git("linux", &["commit", "--quiet", "-m", "x"]);
    project.git("linux", &["archive", "-o", "../tiny.tar", "HEAD"]);
    let other = project.txgen(&["base", "fetch", "tiny"]).expect(2).stderr;
    assert!(other.contains("base tiny: this is no kernel tree: it has no Kbuild at its top"), "{other}");
    fs::remove_file(project.path("tiny.tar")).unwrap();
    let gone = project.txgen(&["base", "fetch", "tiny"]).expect(2).stderr;
    assert!(gone.contains("open ") && gone.contains("tiny.tar"), "{gone}");
    assert_eq!(project.git("cache/linux.git", &["for-each-ref"]), "");
    assert!(!project.path("cache/fetch").exists());
}

#[test]
fn what_an_interrupted_fetch_left_is_cleaned_by_the_next() {
    let project = tiny_project();
    project.write("cache/fetch/import.git/HEAD", "half\n");
    project.txgen(&["base", "fetch", "tiny"]).expect(0);
    assert!(!project.path("cache/fetch").exists());
}

#[test]
fn a_git_repository_gives_its_own_commit() {
    let project = tiny_project();
    project.write("p/series/bases.toml", "[tiny]\ngit = \"../linux\"\nref = \"main\"\n");
    project.txgen(&["base", "fetch", "tiny", "--record"]).expect(0);
    assert_eq!(recorded(&project, "commit"), project.git("linux", &["rev-parse", "main"]).trim());
    assert_eq!(recorded(&project, "version"), "9.9.1");
}

#[test]
fn a_kernel_source_package_is_fetched_from_the_archive_the_machine_uses() {
    let project = debian("linux-source-9.9", "9.9.1-1");
    let (code, stdout, stderr) = txgen(&project, &["base", "fetch", "tiny", "--record"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.starts_with("base tiny is fetched: commit "), "{stdout}");
    assert_eq!(recorded(&project, "version"), "9.9.1-1");
    assert_eq!(recorded(&project, "tree"), project.git("linux", &["rev-parse", "HEAD^{tree}"]).trim());
}

#[test]
fn a_version_that_is_gone_is_replaced_only_when_that_is_recorded() {
    let project = debian("linux-source-9.9", "9.9.1-1");
    assert_eq!(txgen(&project, &["base", "fetch", "tiny", "--record"]).0, Some(0));
    fs::remove_dir_all(project.path("cache")).unwrap();
    publish(&project, "linux-source-9.10", "9.10.2-1");
    let (code, _, stderr) = txgen(&project, &["base", "fetch", "tiny"]);
    assert_eq!(code, Some(2));
    insta::assert_snapshot!(stderr, @"txgen: base tiny: linux-source-9.9 9.9.1-1 is no longer in the archive, which has linux-source-9.10 9.10.2-1. `txgen base fetch tiny --record` takes that one and records it in series/bases.toml; the series then have to apply to it");
    let (code, _, stderr) = txgen(&project, &["base", "fetch", "tiny", "--record"]);
    assert_eq!(code, Some(0), "{stderr}");
    let text = project.read("p/series/bases.toml");
    let said = text.lines().filter(|l| !l.starts_with("commit") && !l.starts_with("tree"));
    insta::assert_snapshot!(said.collect::<Vec<_>>().join("\n"), @r#"
    [tiny]
    debian-source = "linux-source-9.10"
    suite = "test"
    version = "9.10.2-1"
    instead-of = "linux-source-9.9 9.9.1-1"
    "#);
}

#[test]
fn a_machine_without_a_debian_archive_is_told_what_to_do() {
    let project = debian("linux-source-9.9", "9.9.1-1");
    project
        .write("apt/sources.list.d/a.sources", "Types: deb\nURIs: https://o.example/x\nSuites: x\nComponents: main\n");
    let (code, _, stderr) = txgen(&project, &["base", "fetch", "tiny"]);
    assert_eq!(code, Some(2));
    assert!(stderr.starts_with("txgen: no Debian archive among the apt sources of this machine"), "{stderr}");
}

#[test]
fn show_tells_the_source_and_what_the_tree_can_do() {
    let project = tiny_project();
    let early = project.txgen(&["base", "show", "tiny"]).expect(2).stderr;
    assert_eq!(early, "txgen: base tiny was not fetched: run `txgen base fetch tiny`, or give --tree DIR\n");
    project.txgen(&["base", "fetch", "tiny", "--record"]).expect(0);
    let shown = project.txgen(&["base", "show", "tiny"]).expect(0).stdout;
    insta::assert_snapshot!(shown, @r#"
    name     tiny
    source   tarball ../tiny.tar
    version  9.9.1
    kernel   9.9.1
    commit   5fd7cd22a0e370603eb5075ee9dad0e295977180
    tree     31e0800387b21298786896498636c1e94c3f7b94

    get_netmem               get_netmem() and put_netmem()                  no
    devmem_tx                device memory can be sent                      no
    netmem_desc              struct netmem_desc                             no
    percpu_binding_ref       dmabuf bindings have a percpu ref              no
    iov_iter_extract_bvecs   iov_iter_extract_bvecs()                       no
    dma_map_phys             dma_map_phys()                                 no
    orphan_at_ip_local       frags are orphaned at local IP delivery        no
    esp_downgrade_managed    ESP downgrades managed frags                   no
    put_page_skips_slab      put_page() skips slab pages                    no
    destructor_arg_union     skb_shared_info.destructor_arg is in a union   no
    iptfs                    IP-TFS                                         no
    kunit_iov_iter           KUnit tests of iov_iter                        no
    rust_iov                 Rust: iov.rs                                   no
    rust_netlink             Rust: netlink.rs                               no
    "#);
    project.write("linux/net/xfrm/xfrm_iptfs.c", "\n");
    project.git("linux", &["add", "--force", "."]);
    project.git("linux", &["commit", "--quiet", "-m", "iptfs"]);
    let json = project.txgen(&["base", "show", "--tree", "../linux", "--json"]).expect(0).stdout;
    assert!(json.contains("\"iptfs\": true") && json.contains("\"devmem_tx\": false"), "{json}");
}

#[test]
fn list_tells_what_is_fetched() {
    let project = tiny_project();
    insta::assert_snapshot!(project.txgen(&["base", "list"]).expect(0).stdout, @"tiny           not fetched  -                    tarball ../tiny.tar");
    project.txgen(&["base", "fetch", "tiny", "--record"]).expect(0);
    insta::assert_snapshot!(project.txgen(&["base", "list"]).expect(0).stdout, @"tiny           fetched      9.9.1                tarball ../tiny.tar");
    let unknown = project.txgen(&["base", "fetch", "no"]).expect(2).stderr;
    assert!(unknown.contains("has no base \"no\" (it has: tiny)"), "{unknown}");
}

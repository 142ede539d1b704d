// SPDX-License-Identifier: GPL-2.0
//! Command lines of virtme-ng and of qemu for the probe boot: values in, argument vectors out.

use std::ffi::OsString;
use std::path::Path;

use super::Accel;

/// Where the guest sees the folder it shares with the host.
pub const GUEST_DIR: &str = "/run/txgen";

/// Kernel arguments of a boot with KUnit.
///
/// KUnit runs at boot, as suites in init memory must; an oops ends the boot; no `quiet`, which hides KTAP; a kernel
/// without block devices has to be told that its root is no disk. The quick selftests come after KUnit.
pub const KUNIT_ARGS: [&str; 5] = ["kunit.autorun=1", "oops=panic", "panic=-1", "root=/dev/root", CACHED_ROOT];

/// Kernel arguments of a boot with selftests.
///
/// vhost sends from where the memory of its guest is only if it is told to at boot.
pub const SELFTEST_ARGS: &[&str] =
    &["oops=panic", "panic=-1", "root=/dev/root", CACHED_ROOT, "vhost_net.experimental_zcopytx=1"];

/// Selftests start programs all the time and give them 0.2 s to come up: the guest has to cache what it reads of its root.
const CACHED_ROOT: &str = "rootflags=version=9p2000.L,trans=virtio,access=any,msize=524288,cache=loose";

/// Memory and CPUs of a guest.
pub const GUEST_SIZE: &[&str] = &["--memory", "1G", "--cpus", "2"];

/// vng's arguments to boot `image` and run guest.sh, which lies in `shared`.
pub fn vng(image: &Path, shared: &Path, accel: &Accel, kernel_args: &[&str]) -> Vec<OsString> {
    let mut argv: Vec<OsString> = vec!["--run".into(), image.into()];
    // A test brings the modules that it loads.
    argv.extend(["--user", "root", "--force-9p", "--verbose", "--skip-modules"].map(OsString::from));
    argv.extend(GUEST_SIZE.iter().map(OsString::from));
    if *accel != Accel::Kvm {
        argv.push("--disable-kvm".into());
    }
    let mut share = OsString::from(format!("--rwdir={GUEST_DIR}="));
    share.push(shared);
    argv.push(share);
    for arg in kernel_args {
        argv.extend(["--append".into(), OsString::from(arg)]);
    }
    argv.extend(["--exec".into(), OsString::from(format!("sh {GUEST_DIR}/guest.sh"))]);
    argv
}

/// qemu's arguments to boot `image` under KVM to the panic of a kernel without a root.
pub fn probe(image: &Path) -> Vec<OsString> {
    let words = [
        "-nodefaults",
        "-no-user-config",
        "-M",
        "q35,accel=kvm",
        "-cpu",
        "host",
        "-m",
        "256",
        "-display",
        "none",
        "-serial",
        "stdio",
        "-no-reboot",
        "-append",
        "console=ttyS0 earlyprintk=serial,ttyS0,115200 panic=-1 rdinit=/none root=/none",
        "-kernel",
    ];
    let mut argv = words.map(OsString::from).to_vec();
    argv.push(image.into());
    argv
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Accel, KUNIT_ARGS, vng};

    #[test]
    fn vng_boots_with_kunit_and_shares_one_folder() {
        let tcg = Accel::Tcg { why: "no /dev/kvm".to_owned() };
        let argv = vng(Path::new("/r/bzImage"), Path::new("/r/guest"), &tcg, &KUNIT_ARGS);
        let words = argv.iter().map(|word| word.to_str().expect("text")).collect::<Vec<_>>();
        assert_eq!(
            words,
            [
                "--run",
                "/r/bzImage",
                "--user",
                "root",
                "--force-9p",
                "--verbose",
                "--skip-modules",
                "--memory",
                "1G",
                "--cpus",
                "2",
                "--disable-kvm",
                "--rwdir=/run/txgen=/r/guest",
                "--append",
                "kunit.autorun=1",
                "--append",
                "oops=panic",
                "--append",
                "panic=-1",
                "--append",
                "root=/dev/root",
                "--append",
                super::CACHED_ROOT,
                "--exec",
                "sh /run/txgen/guest.sh",
            ]
        );
    }

    #[test]
    fn kvm_is_left_on_only_where_it_was_shown_to_work() {
        let argv = |accel| vng(Path::new("/i"), Path::new("/s"), &accel, &KUNIT_ARGS);
        let off = |accel| argv(accel).iter().any(|word| word == "--disable-kvm");
        assert!(!off(Accel::Kvm));
        assert!(off(Accel::Tcg { why: String::new() }));
    }
}
